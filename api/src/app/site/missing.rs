//! Who should have plugged in by now and has not.

use chrono::{DateTime, Utc};

use super::SiteLoop;

/// The alarm's kind.
const KIND: &str = "not_plugged_in";

impl SiteLoop {
    /// Raises and clears the alarms of vehicles whose template says by when they should have plugged in.
    pub fn not_plugged_in(&mut self, now: DateTime<Utc>) {
        if self.site.templates.is_empty() && self.alarms.is_empty() {
            return;
        }
        let here = |vehicle: &str| {
            let mut sessions = self.sessions.iter();
            sessions.any(|(id, kept)| kept.stated.vehicle.as_deref() == Some(vehicle) && self.arrival(id, kept) <= now)
        };
        let due = self.site.due(self.setup.zone, now);
        let missing: Vec<(String, String)> = due
            .into_iter()
            .filter(|(vehicle, _)| !here(vehicle))
            .map(|(vehicle, usual)| {
                let by = usual.template.plugged_in_by.as_deref().unwrap_or_default();
                let text =
                    format!("it should have plugged in by {by} (template {:?}) and is not there", usual.template.id);
                (format!("vehicle/{vehicle}"), text)
            })
            .collect();
        let open: Vec<String> = self.alarms.about(KIND).map(str::to_owned).collect();
        for about in open.iter().filter(|about| missing.iter().all(|(other, _)| other != *about)) {
            self.alarms.clear(KIND, about);
        }
        for (about, text) in missing {
            self.alarms.raise(KIND, about, text, now);
        }
    }
}
