//! What a station does wrong.

use kwartier_engine::plant::profiles::Edition;
use serde_json::json;

use super::{Desk, Quirk, Seen, v16_profile};

#[test]
fn each_quirk_shows() {
    let holds = |quirks: &[Quirk], limits: &[f64]| {
        let mut desk = Desk::new(Edition::V16, quirks).connected();
        desk.plugs_in(1, 8.0);
        let mut answers = Vec::new();
        for limit in limits {
            answers.push(desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, *limit, &json!({}))));
        }
        (answers.join(" "), desk.amps())
    };
    let text = |words: &str| words.to_owned();
    assert_eq!(holds(&[], &[0.0, 10.0]), (text("Accepted Accepted"), Some(10.0)));
    assert_eq!(holds(&[Quirk::IgnoresLimits], &[10.0]), (text("Accepted"), None));
    assert_eq!(holds(&[Quirk::RefusesZero], &[10.0, 0.0]), (text("Accepted Rejected"), Some(10.0)));
    assert_eq!(holds(&[Quirk::OnlyWatts], &[10.0]), (text("Rejected"), None));
    assert_eq!(holds(&[Quirk::UnlimitedAfterPause], &[0.0, 10.0]), (text("Accepted Accepted"), None));
    assert_eq!(holds(&[Quirk::UnlimitedAfterPause], &[0.0, 10.0, 9.0]).1, Some(9.0));
    assert_eq!(holds(&[Quirk::NeverAnswersProfiles], &[10.0]), (text("null"), None));

    let mut desk = Desk::new(Edition::V16, &[Quirk::OnlyLevelZero]).connected();
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 1, 9.0, &json!({}))), "Rejected");
    let levels = desk.ask("GetConfiguration", &json!({"key": ["ChargeProfileMaxStackLevel"]}));
    assert_eq!(levels["configurationKey"][0]["value"], "0");

    let mut desk = Desk::new(Edition::V16, &[Quirk::RefusesStationMax, Quirk::NoComposite]).connected();
    assert_eq!(
        desk.status("SetChargingProfile", &v16_profile(1, "ChargePointMaxProfile", 0, 9.0, &json!({}))),
        "Rejected"
    );
    assert_eq!(desk.status("GetCompositeSchedule", &json!({"connectorId": 1, "duration": 60})), "Rejected");

    let mut desk = Desk::new(Edition::V16, &[Quirk::AnswersLate]).connected();
    desk.plugs_in(1, 8.0);
    let answer = desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    assert_eq!((answer.as_str(), desk.amps()), ("null", Some(9.0)));
    desk.pass(35);
    assert_eq!(desk.answers, [json!({"status": "Accepted"})]);

    let mut desk = Desk::new(Edition::V16, &[Quirk::ForgetsAtCut]).connected();
    desk.plugs_in(1, 8.0);
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    desk.station.cut(desk.now);
    desk.settle(true);
    assert_eq!(desk.amps(), None);

    let mut desk = Desk::new(Edition::V16, &[Quirk::LongSuspended]).connected();
    desk.plugs_in(1, 8.0);
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 0.0, &json!({})));
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    assert_eq!(desk.times("\"status\":\"Charging\""), 1);
    desk.pass(180);
    assert_eq!(desk.times("\"status\":\"Charging\""), 2);

    let mut desk = Desk::new(Edition::V16, &[Quirk::SlowClear]).connected();
    desk.plugs_in(1, 8.0);
    desk.status("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 9.0, &json!({})));
    assert_eq!(desk.status("ClearChargingProfile", &json!({"id": 2})), "Accepted");
    desk.pass(29);
    assert_eq!(desk.amps(), Some(9.0));
    desk.pass(2);
    assert_eq!(desk.amps(), None);

    let mut desk = Desk::new(Edition::V16, &[Quirk::ReportsRotated, Quirk::NoZone, Quirk::ClockOff]).connected();
    let seen = Seen { vehicle: Some(1), amps: [8.0, 0.0, 0.0], kw: 1.84, kwh: 1.0, at: Some(desk.now), needs: None };
    desk.station.sees(desk.now, seen);
    desk.settle(true);
    let measured = desk.said.lines().find(|line| line.contains("MeterValues")).unwrap().to_owned();
    assert!(measured.contains("\"timestamp\":\"2026-03-02T19:00:00.000\""), "{measured}");
    assert!(measured.contains(r#"{"measurand":"Current.Import","phase":"L2","unit":"A","value":"8.0"}"#), "{measured}");

    let mut desk = Desk::new(Edition::V16, &[Quirk::OldTransactions]).connected();
    let first = desk.said.find("2026-03-01T10:00:00.000Z").unwrap();
    let second = desk.said.find("2026-03-01T14:00:00.000Z").unwrap();
    assert!(first < second && desk.times("\"transactionId\":7") == 1, "{}", desk.said);
    desk.pass(1);

    let mut desk = Desk::new(Edition::V16, &[Quirk::Storm]);
    for _ in 0..10 {
        desk = desk.connected();
    }
    assert_eq!((desk.hangups, desk.times("BootNotification")), (10, 0));
    desk = desk.connected();
    assert_eq!(desk.times("BootNotification"), 1);

    let mut desk = Desk::new(Edition::V16, &[Quirk::WantsTransaction]).connected();
    desk.plugs_in(1, 8.0);
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 9.0, &json!({}))), "Rejected");
    let named = json!({"transactionId": 7});
    assert_eq!(desk.status("SetChargingProfile", &v16_profile(3, "TxProfile", 1, 9.0, &named)), "Accepted");
}
