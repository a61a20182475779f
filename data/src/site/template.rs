//! What stays are usually like: a shift of a vehicle or of a group, by day of the week. It says when a vehicle leaves and how
//! much it needs where nobody else does, and who should have plugged in by now.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Site;
use crate::local::{self, TimeOfDay, Weekdays};

/// How long before its arrival a stay may begin and still be one of a template.
const EARLY: TimeDelta = TimeDelta::hours(6);

/// What a stay is usually like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Name.
    pub id: String,
    /// Name of the vehicle whose stays these are; absent, they are those of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<String>,
    /// Name of the group whose vehicles' stays these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Days of arrival such as `mon-fri`; absent, every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<String>,
    /// Local time of day of arrival.
    pub arrival: String,
    /// Local time of day of departure, the next day's where it is not after `arrival`.
    pub departure: String,
    /// Energy wanted in the battery in kWh; absent, unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_kwh: Option<f64>,
    /// Local time of day by which the vehicle should have plugged in, the next day's where it is before `arrival`; absent, nobody
    /// minds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugged_in_by: Option<String>,
}

/// One stay of a template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual<'s> {
    /// Which.
    pub template: &'s Template,
    /// When it begins.
    pub arrival: DateTime<Utc>,
    /// When it ends.
    pub departure: DateTime<Utc>,
    /// By when the vehicle should have plugged in.
    pub plugged_in_by: Option<DateTime<Utc>>,
}

impl Template {
    /// Its stay that begins on a local day; `None`, there is none, or it cannot be read.
    fn on(&self, zone: Tz, day: NaiveDate) -> Option<Usual<'_>> {
        let days = self.days.as_deref().map_or(Some(Weekdays::DAILY), Weekdays::parse)?;
        let (arrival, departure) = (TimeOfDay::parse(&self.arrival)?, TimeOfDay::parse(&self.departure)?);
        let by = self.plugged_in_by.as_deref().map(TimeOfDay::parse);
        let after = |time: TimeOfDay, next: bool| time.on(zone, if next { local::next_day(day) } else { day });
        days.hold(day).then(|| Usual {
            template: self,
            arrival: arrival.on(zone, day),
            departure: after(departure, departure <= arrival),
            plugged_in_by: by.flatten().map(|by| after(by, by < arrival)),
        })
    }
}

impl Site {
    /// The stay that a vehicle's usually is which plugs in at an instant: by its own templates, then by those of its group.
    pub fn usual(&self, vehicle: Option<&str>, group: Option<&str>, zone: Tz, at: DateTime<Utc>) -> Option<Usual<'_>> {
        let today = local::day(zone, at);
        let days = [local::previous_day(today), today, local::next_day(today)];
        let first = |of: &dyn Fn(&Template) -> bool| {
            let all = self.templates.iter().filter(|template| of(template));
            let stays = all.flat_map(|template| days.iter().filter_map(move |day| template.on(zone, *day)));
            stays.filter(|stay| stay.arrival - EARLY <= at && at < stay.departure).min_by_key(|stay| stay.departure)
        };
        let own = vehicle.and_then(|vehicle| first(&|template| template.vehicle.as_deref() == Some(vehicle)));
        own.or_else(|| {
            first(&|template| group.is_some() && template.vehicle.is_none() && template.group.as_deref() == group)
        })
    }

    /// Who should have plugged in by an instant and is not gone by then: names of vehicles, each with the stay that says so.
    pub fn due(&self, zone: Tz, at: DateTime<Utc>) -> Vec<(&str, Usual<'_>)> {
        let today = local::day(zone, at);
        let mut due: Vec<(&str, Usual<'_>)> = Vec::new();
        for template in self.templates.iter().filter(|template| template.plugged_in_by.is_some()) {
            for day in [local::previous_day(today), today] {
                let Some(stay) = template.on(zone, day) else { continue };
                if stay.plugged_in_by.is_none_or(|by| at < by) || at >= stay.departure {
                    continue;
                }
                let all = self.vehicles.iter().filter(|vehicle| match &template.vehicle {
                    Some(own) => vehicle.id == *own,
                    None => template.group.is_some() && vehicle.group == template.group,
                });
                for vehicle in all {
                    if due.iter().all(|(known, _)| *known != vehicle.id) {
                        due.push((&vehicle.id, stay));
                    }
                }
            }
        }
        due
    }
}
