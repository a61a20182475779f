//! Whole conversations.

use kwartier_engine::plant::profiles::Edition;
use serde_json::json;

use super::{Desk, at, v2_profile, v16_profile};

#[test]
fn a_day_with_a_station_of_1_6() {
    let mut desk = Desk::new(Edition::V16, &[]).connected();
    desk.ask("SetChargingProfile", &v16_profile(1, "ChargePointMaxProfile", 0, 25.0, &json!({})));
    desk.ask("SetChargingProfile", &v16_profile(2, "TxDefaultProfile", 0, 8.0, &json!({})));
    desk.pass(5);
    desk.plugs_in(1, 0.0);
    desk.pass(5);
    desk.plugs_in(1, 8.0);
    desk.ask(
        "SetChargingProfile",
        &v16_profile(3, "TxProfile", 1, 16.0, &json!({"transactionId": 7, "validTo": at(15)})),
    );
    desk.ask("GetCompositeSchedule", &json!({"connectorId": 1, "duration": 60}));
    desk.pass(10);
    desk.ask("TriggerMessage", &json!({"requestedMessage": "MeterValues"}));
    desk.leaves();
    insta::assert_snapshot!(desk.said);
}

#[test]
fn a_day_with_a_station_of_2_0_1() {
    let mut desk = Desk::new(Edition::V2, &[]).connected();
    desk.ask("SetChargingProfile", &v2_profile(1, "TxDefaultProfile", 0, 8.0, None));
    desk.plugs_in(1, 0.0);
    desk.plugs_in(1, 8.0);
    let name = desk.station.transaction.as_ref().unwrap().id.clone().unwrap();
    desk.ask("SetChargingProfile", &v2_profile(2, "TxProfile", 1, 12.0, Some(&name)));
    desk.ask(
        "GetChargingProfiles",
        &json!({"requestId": 9, "chargingProfile": {"chargingProfilePurpose": "TxProfile"}}),
    );
    desk.pass(11);
    desk.ask("RequestStopTransaction", &json!({"transactionId": name}));
    desk.leaves();
    insta::assert_snapshot!(desk.said);
}
