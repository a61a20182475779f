//! When forecasts are made, and which of them share a fit.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::local::{self, TimeOfDay};

/// Most origins of a backtest: one an hour for more than ten years.
const MOST: usize = 100_000;

/// When forecasts are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// At each of these times of every local day.
    Daily(Vec<TimeOfDay>),
    /// From the first instant on, again after each such length; a length of nothing counts as an hour.
    Every(TimeDelta),
}

impl Origins {
    /// At each local midnight.
    pub fn midnights() -> Self {
        Origins::Daily(vec![TimeOfDay::MIDNIGHT])
    }

    /// All origins from `from` until before `until`, in order.
    pub fn between(&self, zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        match self {
            Origins::Every(length) => {
                let length = if *length > TimeDelta::zero() { *length } else { TimeDelta::hours(1) };
                let next = |at: &DateTime<Utc>| Some(*at + length);
                std::iter::successors(Some(from), next).take_while(|at| *at < until).take(MOST).collect()
            }
            Origins::Daily(times) => {
                let days = std::iter::successors(Some(local::day(zone, from)), |day| Some(local::next_day(*day)));
                let days = days.take_while(|day| local::day_start(zone, *day) < until).take(MOST);
                let mut origins: Vec<DateTime<Utc>> =
                    days.flat_map(|day| times.iter().map(move |time| time.on(zone, day))).collect();
                origins.retain(|at| (from..until).contains(at));
                origins.sort_unstable();
                origins.dedup();
                origins
            }
        }
    }
}

/// The origins that share a fit: all within `refit` from the first of them.
pub(super) fn blocks(origins: &[DateTime<Utc>], refit: TimeDelta) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for (k, &origin) in origins.iter().enumerate() {
        match blocks.last_mut() {
            Some(block) if origin < origins[block.start] + refit => block.end = k + 1,
            _ => blocks.push(k..k + 1),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {

    use super::*;

    const NL: Tz = chrono_tz::Europe::Amsterdam;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn midnights_are_local() {
        let midnights = Origins::midnights().between(NL, at("2023-03-24T12:00:00Z"), at("2023-03-27T00:00:00Z"));
        assert_eq!(midnights, ["2023-03-24T23:00:00Z", "2023-03-25T23:00:00Z", "2023-03-26T22:00:00Z"].map(at));
        let noon = [TimeOfDay::parse("12:00").unwrap(), TimeOfDay::MIDNIGHT];
        let both = Origins::Daily(noon.to_vec()).between(NL, midnights[0], midnights[2]);
        assert_eq!(
            both,
            ["2023-03-24T23:00:00Z", "2023-03-25T11:00:00Z", "2023-03-25T23:00:00Z", "2023-03-26T10:00:00Z"].map(at)
        );
    }

    #[test]
    fn a_fit_serves_until_the_next() {
        let origins =
            Origins::Every(TimeDelta::hours(6)).between(NL, at("2023-03-01T00:00:00Z"), at("2023-03-04T00:00:00Z"));
        assert_eq!(origins.len(), 12);
        assert_eq!(blocks(&origins, TimeDelta::days(2)), [0..8, 8..12]);
        assert_eq!(blocks(&origins, TimeDelta::zero()).len(), 12);
        assert_eq!(blocks(&[], TimeDelta::days(1)), Vec::<Range<usize>>::new());
    }
}
