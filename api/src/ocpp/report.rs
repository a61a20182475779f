//! A report of all variables that a charger of 2.x has (`GetBaseReport`), which comes in parts.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// A charger has so long for all parts.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// No report has more variables.
const MOST: usize = 20_000;

/// A report that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Who waits for it.
    pub ticket: u64,
    request: i64,
    variables: Vec<Value>,
    until: DateTime<Utc>,
}

impl Report {
    /// The report that this call asks for; `None`, it asks for none.
    pub fn asked(action: &str, payload: &Value, ticket: u64, now: DateTime<Utc>) -> Option<Report> {
        let request = payload["requestId"].as_i64().filter(|_| action == "GetBaseReport")?;
        Some(Report { ticket, request, variables: Vec::new(), until: now + PATIENCE })
    }

    /// Whether nobody waits for it any more.
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        now >= self.until
    }

    /// A part has come (`NotifyReport`); the answer, once it is the last one.
    pub fn takes(&mut self, part: &Value) -> Option<Value> {
        if part["requestId"] != self.request {
            return None;
        }
        let more = part["reportData"].as_array().into_iter().flatten();
        self.variables.extend(more.take(MOST - self.variables.len()).cloned());
        (part["tbc"] != true).then(|| json!({ "status": "Accepted", "variables": std::mem::take(&mut self.variables) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_report_become_one_answer() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(Report::asked("GetLog", &json!({ "requestId": 5 }), 1, now), None);
        let mut report = Report::asked("GetBaseReport", &json!({ "requestId": 5 }), 1, now).unwrap();
        let part = |request: i64, tbc: bool, name: &str| json!({ "requestId": request, "tbc": tbc, "reportData": [{ "variable": { "name": name } }] });
        assert_eq!(report.takes(&part(5, true, "A")), None);
        assert_eq!(report.takes(&part(4, false, "of another")), None);
        let all = report.takes(&part(5, false, "B")).unwrap();
        let names: Vec<&Value> =
            all["variables"].as_array().unwrap().iter().map(|one| &one["variable"]["name"]).collect();
        assert_eq!(names, ["A", "B"]);
        assert!(!report.is_late(now + TimeDelta::seconds(59)) && report.is_late(now + TimeDelta::seconds(60)));
    }
}
