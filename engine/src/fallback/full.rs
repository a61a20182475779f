//! What would be full if nobody were in control for a while.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::ByHour;
use crate::control::setup::{LOWEST_A, Setup};

/// Hours of the local day begin on quarter-hours of UTC in every zone, in min.
const STEP_MIN: i64 = 15;

/// A vehicle's stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Index of the device.
    pub device: usize,
    /// On how many phases it charges.
    pub phases: usize,
    /// Lowest current per phase in A.
    pub min_a: f64,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// Energy at the charger that it still wants when the link dies, or when it arrives after that, in kWh.
    pub need_kwh: f64,
    /// When it arrives.
    pub arrival: DateTime<Utc>,
    /// When it leaves.
    pub departure: DateTime<Utc>,
}

/// What a vehicle has got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filled {
    /// Energy at the charger in kWh.
    pub kwh: f64,
    /// When it had all it wanted; `None`, not within the time.
    pub full_at: Option<DateTime<Utc>>,
}

/// What each vehicle has got between `from`, when the link dies, and `until`, if each charger holds what is stored in it. A
/// charger in which nothing is stored is counted on for nothing.
pub fn full_at(
    setup: &Setup,
    stored: &[Option<ByHour>],
    visits: &[Visit],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<Filled> {
    visits.iter().map(|visit| filled(setup, stored.get(visit.device).copied().flatten(), visit, from, until)).collect()
}

fn filled(setup: &Setup, stored: Option<ByHour>, visit: &Visit, from: DateTime<Utc>, until: DateTime<Utc>) -> Filled {
    let (mut at, end) = (from.max(visit.arrival), until.min(visit.departure));
    let mut kwh = 0.0;
    let mut full_at = (visit.need_kwh <= 0.0).then_some(at);
    let (Some(device), Some(stored)) = (setup.devices.get(visit.device), stored) else {
        return Filled { kwh, full_at };
    };
    let phases = visit.phases.min(device.phases.len());
    while at < end && full_at.is_none() {
        let step = TimeDelta::minutes(STEP_MIN);
        let next = at.duration_trunc(step).map_or(end, |begun| begun + step).min(end);
        let offered_a = stored[setup.hour(at)].min(visit.max_a).min(device.max_a);
        let kw = if offered_a < visit.min_a.max(LOWEST_A) { 0.0 } else { setup.kw(offered_a, phases) };
        let hours = (next - at).num_milliseconds() as f64 / 3.6e6;
        let missing_kwh = visit.need_kwh - kwh;
        if kw * hours >= missing_kwh {
            #[expect(clippy::cast_possible_truncation, reason = "at most a quarter-hour")]
            let needed = TimeDelta::milliseconds((missing_kwh / kw * 3.6e6).round() as i64);
            full_at = Some(at + needed);
            kwh = visit.need_kwh;
        } else {
            kwh += kw * hours;
        }
        at = next;
    }
    Filled { kwh, full_at }
}
