//! Cards at chargers over real sockets: who is let in, who is not, and what sessions say of it.

use std::time::Instant;

use serde_json::{Value, json};

use super::Folder;
use super::ocpp::{Charger, PASSWORD, PATIENCE, Service, runtime};

const VAN: &str = "04D1A9F3C25E80";
const FRIEND: &str = "04D1A9F3C25E81";
const BLOCKED: &str = "0BADC0DE";

fn now() -> String {
    chrono::Utc::now().to_rfc3339()
}

/// A site with two chargers and some cards.
fn depot(service: &Service) -> String {
    service.site("a", &["CP-1", "CP-2"]);
    let ago = chrono::Utc::now() - chrono::TimeDelta::days(1);
    let cards = [
        json!({ "tag": VAN, "label": "Van", "driver": "D-7", "cost_centre": "4711", "family": "vans", "one_at_a_time": true }),
        json!({ "tag": FRIEND, "family": "vans" }),
        json!({ "tag": BLOCKED, "blocked": true }),
        json!({ "tag": "01D0", "until": ago }),
    ];
    let mut ids = Vec::new();
    for card in cards {
        let (status, answer) = service.ask("POST", "/v1/sites/a/tags", &card);
        assert_eq!(status, 201, "{answer}");
        ids.push(answer["id"].as_str().expect("an id").to_owned());
    }
    ids.swap_remove(0)
}

/// The sessions of the site, once there are so many.
fn sessions(service: &Service, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "there are not {count} sessions");
        let (_, all) = service.ask("GET", "/v1/sites/a/sessions", &Value::Null);
        let all = all["items"].as_array().expect("sessions").clone();
        if all.len() >= count {
            return all;
        }
    }
}

#[test]
fn cards_are_let_in_or_not_in_1_6() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    let van = depot(&service);
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        charger.call("1", "BootNotification", boot.clone()).await.expect("an answer");
        // It is set up to ask, and to let in while it is alone only whom it knows.
        let unknown = charger.until(|frame| frame[3]["key"] == "AllowOfflineTxForUnknownId").await.expect("a setting");
        assert_eq!(unknown[3]["value"], "false");
        let mut infos = Vec::new();
        for (k, tag) in ["04d1a9f3c25e80", BLOCKED, "01D0", "NOBODY"].iter().enumerate() {
            let answer = charger.call(&format!("a{k}"), "Authorize", json!({ "idTag": tag })).await.expect("an answer");
            infos.push(answer[2]["idTagInfo"].clone());
        }
        let statuses: Vec<_> = infos.iter().map(|info| info["status"].as_str().unwrap_or_default()).collect();
        assert_eq!(statuses, ["Accepted", "Blocked", "Expired", "Invalid"]);
        let friend = charger.call("a9", "Authorize", json!({ "idTag": FRIEND })).await.expect("an answer");
        let parent = &infos[0]["parentIdTag"];
        assert!(parent.as_str().is_some_and(|parent| !parent.is_empty() && parent.len() <= 20), "{parent}");
        assert_eq!(&friend[2]["idTagInfo"]["parentIdTag"], parent, "one may end what the other began");

        let start = |tag: &str| json!({ "connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": now() });
        // Who is not let in gets an id, is held at nothing and told to end.
        let refused = charger.call("s1", "StartTransaction", start(BLOCKED)).await.expect("an answer");
        assert_eq!(refused[2]["idTagInfo"]["status"], "Blocked", "{refused}");
        let id = refused[2]["transactionId"].clone();
        let mut held = None;
        let stop = charger.until(|frame| {
            let profile = &frame[3]["csChargingProfiles"];
            if profile["transactionId"] == id {
                held = profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64();
            }
            frame[2] == "RemoteStopTransaction"
        });
        assert_eq!(stop.await.expect("an end")[3]["transactionId"], id);
        assert!(held.is_none_or(|amps| amps <= 0.0), "{held:?}");
        let stopped = json!({ "transactionId": id, "meterStop": 0, "timestamp": now(), "reason": "DeAuthorized" });
        charger.call("s2", "StopTransaction", stopped).await.expect("an answer");

        let let_in = charger.call("s3", "StartTransaction", start(VAN)).await.expect("an answer");
        assert_eq!(let_in[2]["idTagInfo"]["status"], "Accepted", "{let_in}");
        let all = sessions(&service, 1);
        assert_eq!(all.len(), 1, "of whom is not let in there is none: {all:?}");
        assert_eq!(all[0]["card"], json!({ "tag": van, "driver": "D-7", "cost_centre": "4711" }));
        // The same card at another charger, and at its own again.
        let mut other = Charger::connect(&service, "CP-2", PASSWORD, "ocpp1.6").await.expect("a link");
        other.call("1", "BootNotification", boot).await.expect("an answer");
        let twice = other.call("s1", "StartTransaction", start(VAN)).await.expect("an answer");
        assert_eq!(twice[2]["idTagInfo"]["status"], "ConcurrentTx", "{twice}");
        let again = charger.call("s4", "StartTransaction", start(VAN)).await.expect("an answer");
        assert_eq!(again[2]["idTagInfo"]["status"], "Accepted", "{again}");
        let stop = json!({ "transactionId": again[2]["transactionId"], "idTag": FRIEND, "meterStop": 500, "timestamp": now() });
        let stopped = charger.call("s5", "StopTransaction", stop).await.expect("an answer");
        assert_eq!(&stopped[2]["idTagInfo"]["parentIdTag"], parent, "{stopped}");
        // What was drawn by a card that is not let in is not lost: it was let in while the charger was alone.
        let before = sessions(&service, 1).len();
        let refused = charger.call("s6", "StartTransaction", start(BLOCKED)).await.expect("an answer");
        let stop = json!({ "transactionId": refused[2]["transactionId"], "meterStop": 700, "timestamp": now() });
        charger.call("s7", "StopTransaction", stop).await.expect("an answer");
        let all = sessions(&service, before + 1);
        let last = all.last().expect("a session");
        assert!(last["ended"].is_string() && last["card"].is_null(), "{last}");
        assert_eq!(last["energy_kwh"], 0.7, "{last}");
        // A card that is deleted is forgotten by chargers too.
        let (status, _) = service.ask("DELETE", &format!("/v1/sites/a/tags/{van}"), &Value::Null);
        assert_eq!(status, 204);
        charger.until(|frame| frame[2] == "ClearCache").await.expect("it is told");
        let gone = charger.call("a10", "Authorize", json!({ "idTag": VAN })).await.expect("an answer");
        assert_eq!(gone[2]["idTagInfo"]["status"], "Invalid");
    });
}

#[test]
fn cards_are_let_in_or_not_in_2_0_1() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    let van = depot(&service);
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp2.0.1").await.expect("a link");
        let boot = json!({ "reason": "PowerUp", "chargingStation": { "model": "M", "vendorName": "V" } });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let token = |number: &str| json!({ "idToken": number, "type": "ISO14443" });
        let mut statuses = Vec::new();
        for (k, tag) in [VAN, BLOCKED, "01D0", "NOBODY"].iter().enumerate() {
            let asks = json!({ "idToken": token(tag) });
            let answer = charger.call(&format!("a{k}"), "Authorize", asks).await.expect("an answer");
            statuses.push(answer[2]["idTokenInfo"]["status"].as_str().unwrap_or_default().to_owned());
        }
        assert_eq!(statuses, ["Accepted", "Blocked", "Expired", "Unknown"]);
        let event = |kind: &str, trigger: &str, seq: i64, id: &str, tag: Option<&str>| {
            let mut event = json!({
                "eventType": kind, "triggerReason": trigger, "seqNo": seq, "timestamp": now(),
                "transactionInfo": { "transactionId": id }, "evse": { "id": 1, "connectorId": 1 },
            });
            if let Some(tag) = tag {
                event["idToken"] = token(tag);
            }
            event
        };
        // Plugged in first: nobody is planned for before a card is shown, and a wrong one changes nothing.
        let waits = charger.call("t1", "TransactionEvent", event("Started", "CablePluggedIn", 0, "t", None)).await;
        assert_eq!(waits.expect("an answer")[2], json!({}));
        let wrong =
            charger.call("t2", "TransactionEvent", event("Updated", "Authorized", 1, "t", Some("NOBODY"))).await;
        assert_eq!(wrong.expect("an answer")[2]["idTokenInfo"]["status"], "Unknown");
        let (_, none) = service.ask("GET", "/v1/sites/a/sessions", &Value::Null);
        assert_eq!(none["items"], json!([]));
        let right = charger.call("t3", "TransactionEvent", event("Updated", "Authorized", 2, "t", Some(VAN))).await;
        let right = right.expect("an answer");
        assert_eq!(right[2]["idTokenInfo"]["groupIdToken"]["type"], "Central", "{right}");
        let all = sessions(&service, 1);
        assert_eq!((&all[0]["card"]["tag"], &all[0]["stated"]["charger"]), (&json!(van), &json!("CP-1")));
        charger.call("t4", "TransactionEvent", event("Ended", "StopAuthorized", 3, "t", Some(FRIEND))).await;
        // One that begins with a card that is not let in is told to end.
        let refused =
            charger.call("u1", "TransactionEvent", event("Started", "Authorized", 0, "u", Some(BLOCKED))).await;
        assert_eq!(refused.expect("an answer")[2]["idTokenInfo"]["status"], "Blocked");
        let stop = charger.until(|frame| frame[2] == "RequestStopTransaction").await.expect("an end");
        assert_eq!(stop[3]["transactionId"], "u");
        assert_eq!(sessions(&service, 1).len(), 1);
    });
}

#[test]
fn nobody_is_started_from_afar_with_a_card_that_is_not_let_in() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    depot(&service);
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let start = json!({ "command": "start", "tag": BLOCKED });
        let (status, answer) = service.ask("POST", "/v1/sites/a/chargers/CP-1/commands", &start);
        assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("tag")), "{answer}");
    });
}

#[test]
fn the_group_of_a_card_says_by_its_template_when_a_vehicle_leaves_and_what_it_needs() {
    let folder = Folder::new();
    let service = Service::start(&folder.path("data"), "127.0.0.1:0");
    depot(&service);
    let (_, mut site) = service.ask("GET", "/v1/sites/a", &Value::Null);
    // From midnight to midnight, so that it is theirs whenever this runs.
    site["groups"] = json!([{ "id": "Pool" }, { "id": "Guests" }]);
    site["templates"] = json!([
        { "id": "Shift", "group": "Pool", "arrival": "00:00", "departure": "00:00", "need_kwh": 21.0 },
        { "id": "Others", "group": "Guests", "arrival": "00:00", "departure": "00:00", "need_kwh": 5.0 },
    ]);
    let (status, answer) = service.ask("PUT", "/v1/sites/a", &site);
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = service.ask("POST", "/v1/sites/a/tags", &json!({ "tag": "600D", "group": "Pool" }));
    assert_eq!(status, 201, "{answer}");
    runtime().block_on(async {
        let mut charger = Charger::connect(&service, "CP-1", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        let start = json!({ "connectorId": 1, "idTag": "600D", "meterStart": 0, "timestamp": now() });
        let let_in = charger.call("s1", "StartTransaction", start).await.expect("an answer");
        assert_eq!(let_in[2]["idTagInfo"]["status"], "Accepted", "{let_in}");
    });
    assert_eq!(sessions(&service, 1)[0]["stated"]["group"], "Pool");
    let begun = Instant::now();
    let shown = loop {
        let (_, status) = service.ask("GET", "/v1/sites/a/status", &Value::Null);
        let session = status["chargers"][0]["session"].clone();
        if session.is_object() {
            break session;
        }
        assert!(begun.elapsed() < PATIENCE, "{status}");
    };
    assert_eq!((&shown["departure_from"], &shown["need_from"]), (&json!("template"), &json!("template")), "{shown}");
    assert!(shown["planned_until"].is_string(), "{shown}");
    // What is needed in the battery is more at the charger.
    assert!(shown["need_kwh"].as_f64().is_some_and(|kwh| (21.0..25.0).contains(&kwh)), "{shown}");
}
