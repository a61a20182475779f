//! What vehicles and groups usually do, from the stays that have ended: it stands for what nobody says and no template does.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::resource::session::{KeptSession, Origin};

/// So many stays of each are remembered, the last ones.
const REMEMBERED: usize = 30;

/// From so many on they are a habit.
const ENOUGH: usize = 3;

/// Stays that began at another time of day by more than this are of another kind.
const ALIKE: TimeDelta = TimeDelta::hours(3);

/// So many vehicles and groups are remembered.
const MOST: usize = 5_000;

/// Shorter ones are a plug that did not hold.
const SHORTEST: TimeDelta = TimeDelta::minutes(10);

/// A stay that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Past {
    arrival: DateTime<Utc>,
    length: TimeDelta,
    /// Energy got at the charger in kWh, where it is known.
    kwh: Option<f64>,
}

/// What a stay is going to be like by what others were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habit {
    /// How long: three of four stay at least so long.
    pub length: TimeDelta,
    /// Energy at the charger in kWh, the middle of what was got; `None`, unknown.
    pub kwh: Option<f64>,
    /// Whether it is the vehicle's own, or its group's.
    pub of: Origin,
}

/// What vehicles and groups usually do at a site.
#[derive(Debug, Clone, Default)]
pub struct Habits {
    vehicles: HashMap<String, VecDeque<Past>>,
    groups: HashMap<String, VecDeque<Past>>,
}

impl Habits {
    /// Takes in a stay that has ended. `kwh` is what it got, where the session itself does not say it.
    pub fn learn(&mut self, kept: &KeptSession, group: Option<&str>, kwh: Option<f64>) {
        let (Some(arrival), Some(ended)) = (kept.stated.arrival, kept.ended) else { return };
        let past = Past { arrival, length: ended - arrival, kwh: kept.energy_kwh.or(kwh) };
        if past.length < SHORTEST {
            return;
        }
        let names = [(&mut self.vehicles, kept.stated.vehicle.as_deref()), (&mut self.groups, group)];
        for (known, name) in names.into_iter().filter_map(|(known, name)| Some((known, name?))) {
            if known.len() >= MOST && !known.contains_key(name) {
                continue;
            }
            let stays = known.entry(name.to_owned()).or_default();
            // Told twice is once.
            if stays.iter().any(|stay| stay.arrival == arrival) {
                continue;
            }
            stays.push_back(past);
            if stays.len() > REMEMBERED {
                stays.pop_front();
            }
        }
    }

    /// What a stay that begins at an instant is going to be like: by the vehicle's own, else by its group's.
    pub fn of(&self, vehicle: Option<&str>, group: Option<&str>, arrival: DateTime<Utc>) -> Option<Habit> {
        let own = vehicle.and_then(|vehicle| habit(self.vehicles.get(vehicle)?, arrival, Origin::History));
        own.or_else(|| habit(self.groups.get(group?)?, arrival, Origin::Group))
    }
}

/// What stays that began at about the same time of day were like.
fn habit(stays: &VecDeque<Past>, arrival: DateTime<Utc>, of: Origin) -> Option<Habit> {
    let alike = |stay: &&Past| {
        let apart = (arrival - stay.arrival).num_minutes().rem_euclid(24 * 60);
        apart.min(24 * 60 - apart) <= ALIKE.num_minutes()
    };
    let alike: Vec<&Past> = stays.iter().filter(alike).collect();
    if alike.len() < ENOUGH {
        return None;
    }
    let mut lengths: Vec<TimeDelta> = alike.iter().map(|stay| stay.length).collect();
    lengths.sort_unstable();
    let mut kwh: Vec<f64> = alike.iter().filter_map(|stay| stay.kwh).collect();
    kwh.sort_unstable_by(f64::total_cmp);
    let enough = kwh.len() >= ENOUGH;
    Some(Habit { length: lengths[lengths.len() / 4], kwh: enough.then(|| kwh[kwh.len() / 2]), of })
}

#[cfg(test)]
mod tests {

    use super::*;

    fn stay(vehicle: &str, arrival: &str, hours: i64, kwh: f64) -> KeptSession {
        let arrival: DateTime<Utc> = arrival.parse().unwrap();
        let mut kept = KeptSession::of(crate::app::tests::session("A", None));
        kept.stated.vehicle = Some(vehicle.to_owned());
        kept.stated.arrival = Some(arrival);
        kept.ended = Some(arrival + TimeDelta::hours(hours));
        kept.energy_kwh = Some(kwh);
        kept
    }

    #[test]
    fn a_vehicles_own_habit_comes_before_its_groups_and_three_stays_make_one() {
        let mut habits = Habits::default();
        let evening: DateTime<Utc> = "2026-11-28T18:00:00Z".parse().unwrap();
        for (k, hours) in [12, 14, 10, 13].into_iter().enumerate() {
            let kept = stay("Van 1", &format!("2026-11-2{k}T17:30:00Z"), hours, 30.0 + hours as f64);
            habits.learn(&kept, Some("Vans"), None);
            habits.learn(&kept, Some("Vans"), None);
            let known = habits.of(Some("Van 1"), Some("Vans"), evening);
            assert_eq!(known.is_some(), k >= 2, "{k}");
        }
        let own = habits.of(Some("Van 1"), Some("Vans"), evening).unwrap();
        assert_eq!((own.length, own.kwh, own.of), (TimeDelta::hours(12), Some(43.0), Origin::History));
        let other = habits.of(Some("Van 2"), Some("Vans"), evening).unwrap();
        assert_eq!(other.of, Origin::Group);
        assert_eq!(habits.of(Some("Van 2"), None, evening), None);
        // At noon it does something else.
        assert_eq!(habits.of(Some("Van 1"), Some("Vans"), "2026-11-28T11:00:00Z".parse().unwrap()), None);
    }

    #[test]
    fn a_plug_that_did_not_hold_is_no_stay_and_midnight_is_no_border() {
        let mut habits = Habits::default();
        for arrival in ["2026-11-20T23:30:00Z", "2026-11-22T00:30:00Z", "2026-11-22T23:50:00Z"] {
            habits.learn(&stay("Van 1", arrival, 6, 20.0), None, None);
            habits.learn(&stay("Van 2", arrival, 0, 20.0), None, None);
        }
        let midnight: DateTime<Utc> = "2026-11-28T00:05:00Z".parse().unwrap();
        assert!(habits.of(Some("Van 1"), None, midnight).is_some());
        assert_eq!(habits.of(Some("Van 2"), None, midnight), None);
    }
}
