//! What a charger tells of itself beside charging: what is wrong with it, its security, how updates and uploads go.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::door::Version;
use super::heard::instant;

/// So many security events are kept.
const MOST_EVENTS: usize = 50;

/// So many faults are told apart; no charger has more parts that anybody would want to see.
const MOST_FAULTS: usize = 50;

/// What is wrong with a part that says no more.
const FAULTED: &str = "it says that it is faulted";

/// Security events that somebody should look at now: of those that are critical (OCPP 2.0.1 part 2, appendix 1; security white
/// paper for 1.6, 5.2) the ones that no start, update or clock brings with it.
const CRITICAL: [&str; 10] = [
    "AttemptedReplayAttacks",
    "InvalidCentralSystemCertificate",
    "InvalidChargePointCertificate",
    "InvalidChargingStationCertificate",
    "InvalidCsmsCertificate",
    "InvalidFirmwareSignature",
    "InvalidFirmwareSigningCertificate",
    "MemoryExhaustion",
    "SecurityLogWasCleared",
    "TamperDetectionActivated",
];

/// What a charger has told of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// What is wrong with it now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Its last security events, the latest at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_events: Vec<SecurityEvent>,
    /// How its last update of firmware goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_update: Option<Progress>,
    /// How its last upload of diagnostics or logs goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Progress>,
}

/// Something that is wrong with a charger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Which of its parts: `connector 1`, `EVSE 1`, or a component's name.
    pub part: String,
    /// What, in its own words.
    pub text: String,
    /// Since when we know.
    pub since: DateTime<Utc>,
}

/// A security event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecurityEvent {
    /// When, by the charger's clock, and not ahead of ours.
    pub at: DateTime<Utc>,
    /// Its name as OCPP has it, such as `TamperDetectionActivated`.
    pub kind: String,
    /// What the charger adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

/// How far something is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// In OCPP's words, such as `Downloading`.
    pub status: String,
    /// When that was told.
    pub at: DateTime<Utc>,
}

/// What is new in what it has told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// What is wrong with it.
    Faults,
    /// A security event that somebody should look at: its name.
    Critical(String),
    /// Something else.
    More,
}

impl Told {
    /// Takes what a message that has been checked says; `None`, nothing is new.
    pub fn hears(&mut self, version: Version, action: &str, payload: &Value, now: DateTime<Utc>) -> Option<News> {
        match action {
            "StatusNotification" => {
                let (part, text) = status(version, payload);
                self.fault(part, text, now).then_some(News::Faults)
            }
            "NotifyEvent" => {
                let events = payload["eventData"].as_array().into_iter().flatten();
                let problems: Vec<_> = events.filter_map(problem).collect();
                let new = problems.into_iter().fold(false, |new, (part, text)| self.fault(part, text, now) || new);
                new.then_some(News::Faults)
            }
            "SecurityEventNotification" => {
                let kind = payload["type"].as_str()?.to_owned();
                let info = payload["techInfo"].as_str().map(str::to_owned);
                self.security_events.push(SecurityEvent { at: instant(payload, now), kind: kind.clone(), info });
                let over = self.security_events.len().saturating_sub(MOST_EVENTS);
                self.security_events.drain(..over);
                Some(if CRITICAL.contains(&kind.as_str()) { News::Critical(kind) } else { News::More })
            }
            "FirmwareStatusNotification" | "SignedFirmwareStatusNotification" => {
                Self::goes(&mut self.firmware_update, payload, now)
            }
            "DiagnosticsStatusNotification" | "LogStatusNotification" => Self::goes(&mut self.upload, payload, now),
            _ => None,
        }
    }

    /// It has started: what is wrong with it now, it tells anew.
    pub fn booted(&mut self) -> Option<News> {
        let had = !std::mem::take(&mut self.faults).is_empty();
        had.then_some(News::Faults)
    }

    /// What is wrong with it in one line; `None`, nothing.
    pub fn wrong(&self) -> Option<String> {
        let each = self.faults.iter().map(|fault| format!("{}: {}", fault.part, fault.text));
        Some(each.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
    }

    fn goes(what: &mut Option<Progress>, payload: &Value, now: DateTime<Utc>) -> Option<News> {
        let status = payload["status"].as_str()?;
        // Idle is what it says when it is asked and nothing goes on: what was told before is more.
        if status == "Idle" || what.as_ref().is_some_and(|known| known.status == status) {
            return None;
        }
        *what = Some(Progress { status: status.to_owned(), at: now });
        Some(News::More)
    }

    /// Whether it is new that something is wrong with a part, or that it is not any more.
    fn fault(&mut self, part: String, text: Option<String>, now: DateTime<Utc>) -> bool {
        let known = self.faults.iter().position(|fault| fault.part == part);
        match (known, text) {
            (Some(index), Some(text)) if self.faults[index].text != text => self.faults[index].text = text,
            (Some(index), None) => drop(self.faults.remove(index)),
            (None, Some(text)) if self.faults.len() < MOST_FAULTS => {
                self.faults.push(Fault { part, text, since: now });
            }
            _ => return false,
        }
        true
    }
}

/// A part of a charger, and what it says is wrong with it.
fn status(version: Version, payload: &Value) -> (String, Option<String>) {
    let text = |name: &str| payload[name].as_str().filter(|text| !text.trim().is_empty());
    if version != Version::V16 {
        let faulted = payload["connectorStatus"] == "Faulted";
        let (evse, connector) = (payload["evseId"].as_i64().unwrap_or(0), payload["connectorId"].as_i64().unwrap_or(0));
        return (format!("EVSE {evse} connector {connector}"), faulted.then(|| FAULTED.to_owned()));
    }
    let connector = payload["connectorId"].as_i64().unwrap_or(0);
    let part = if connector == 0 { "charger".to_owned() } else { format!("connector {connector}") };
    let code = text("errorCode").filter(|code| *code != "NoError");
    let parts: Vec<&str> = [code, text("vendorErrorCode"), text("info")].into_iter().flatten().collect();
    let said = if parts.is_empty() { FAULTED.to_owned() } else { parts.join(", ") };
    (part, (payload["status"] == "Faulted").then_some(said))
}

/// A component, and the problem that it has or has no more (2.0.1, N07: variable `Problem`).
fn problem(event: &Value) -> Option<(String, Option<String>)> {
    if event["variable"]["name"] != "Problem" {
        return None;
    }
    let component = &event["component"];
    let mut part = component["name"].as_str()?.to_owned();
    for (what, number) in [("EVSE", &component["evse"]["id"]), ("connector", &component["evse"]["connectorId"])] {
        if let Some(number) = number.as_i64() {
            part = format!("{part} of {what} {number}");
        }
    }
    let is = event["actualValue"].as_str().is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let said: Vec<&str> = ["techCode", "techInfo"].into_iter().filter_map(|name| event[name].as_str()).collect();
    let text = if said.is_empty() { "it says that it has a problem".to_owned() } else { said.join(", ") };
    Some((part, (is && event["cleared"] != true).then_some(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn what_is_wrong_is_known_until_the_charger_says_that_it_is_not() {
        let mut told = Told::default();
        let mut hears = |connector: i64, status: &str, code: &str, info: &str| {
            let payload = json!({ "connectorId": connector, "status": status, "errorCode": code, "vendorErrorCode": "", "info": info });
            (told.hears(Version::V16, "StatusNotification", &payload, NOW), told.wrong())
        };
        assert_eq!(hears(1, "Charging", "NoError", ""), (None, None));
        let wrong = Some("connector 1: GroundFailure, RCD 30 mA".to_owned());
        assert_eq!(hears(1, "Faulted", "GroundFailure", "RCD 30 mA"), (Some(News::Faults), wrong.clone()));
        assert_eq!(hears(1, "Faulted", "GroundFailure", "RCD 30 mA"), (None, wrong));
        let both = Some("connector 1: GroundFailure, RCD 30 mA; charger: it says that it is faulted".to_owned());
        assert_eq!(hears(0, "Faulted", "NoError", " "), (Some(News::Faults), both));
        hears(1, "Available", "NoError", "");
        assert_eq!(hears(0, "Available", "NoError", ""), (Some(News::Faults), None));
    }

    #[test]
    fn a_component_of_2_has_its_problem_until_it_is_cleared() {
        let mut told = Told::default();
        let event = |value: &str, cleared: bool| {
            let component = json!({ "name": "ElectricalFeed", "evse": { "id": 2 } });
            json!({ "eventData": [
                { "component": component, "variable": { "name": "Temperature" }, "actualValue": "90" },
                { "component": component, "variable": { "name": "Problem" }, "actualValue": value, "cleared": cleared,
                  "techCode": "E12" },
            ] })
        };
        assert_eq!(told.hears(Version::V201, "NotifyEvent", &event("true", false), NOW), Some(News::Faults));
        assert_eq!(told.wrong().as_deref(), Some("ElectricalFeed of EVSE 2: E12"));
        let status = json!({ "evseId": 2, "connectorId": 1, "connectorStatus": "Faulted" });
        assert_eq!(told.hears(Version::V201, "StatusNotification", &status, NOW), Some(News::Faults));
        assert_eq!(told.faults.len(), 2);
        assert_eq!(told.hears(Version::V201, "NotifyEvent", &event("true", true), NOW), Some(News::Faults));
        assert_eq!(told.wrong().as_deref(), Some("EVSE 2 connector 1: it says that it is faulted"));
        assert_eq!((told.booted(), told.wrong(), told.booted()), (Some(News::Faults), None, None));
    }

    #[test]
    fn security_events_are_kept_and_the_critical_ones_stand_out() {
        let mut told = Told::default();
        let event = |kind: &str| json!({ "type": kind, "timestamp": "1969-12-31T12:00:00Z", "techInfo": "door" });
        let tampered = told.hears(Version::V16, "SecurityEventNotification", &event("TamperDetectionActivated"), NOW);
        assert_eq!(tampered, Some(News::Critical("TamperDetectionActivated".to_owned())));
        assert_eq!(told.security_events[0].at, NOW - chrono::TimeDelta::hours(12));
        for _ in 0..2 * MOST_EVENTS {
            let starts = told.hears(Version::V201, "SecurityEventNotification", &event("StartupOfTheDevice"), NOW);
            assert_eq!(starts, Some(News::More));
        }
        assert_eq!(told.security_events.len(), MOST_EVENTS);
    }

    #[test]
    fn how_an_update_and_an_upload_go_is_known() {
        let mut told = Told::default();
        let mut hears =
            |action: &str, status: &str| told.hears(Version::V16, action, &json!({ "status": status }), NOW);
        assert_eq!(hears("FirmwareStatusNotification", "Downloading"), Some(News::More));
        assert_eq!(hears("FirmwareStatusNotification", "Downloading"), None);
        assert_eq!(hears("FirmwareStatusNotification", "Installed"), Some(News::More));
        assert_eq!(hears("FirmwareStatusNotification", "Idle"), None);
        assert_eq!(hears("DiagnosticsStatusNotification", "UploadFailed"), Some(News::More));
        let status = |progress: Option<Progress>| progress.map(|progress| progress.status);
        assert_eq!(status(told.firmware_update).as_deref(), Some("Installed"));
        assert_eq!(status(told.upload).as_deref(), Some("UploadFailed"));
    }
}
