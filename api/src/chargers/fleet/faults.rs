//! What goes wrong by chance while the stations run: connections cut, power failing, a building that draws more, a meter that
//! says nothing.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::world::{Fault, MeterFault, What};
use rand::RngExt;
use rand::rngs::SmallRng;

/// How long a connection stays cut, in s.
const CUT_S: [f64; 2] = [20.0, 180.0];

/// How long a building draws more, in s, and by which share of its board's limit.
const LOAD_S: [f64; 2] = [20.0, 90.0];
const LOAD_SHARE: [f64; 2] = [0.15, 0.4];

/// How long a meter is silent, in s.
const SILENT_S: [f64; 2] = [15.0, 90.0];

/// Nothing goes wrong while everybody is still connecting, in s.
const CALM_S: f64 = 30.0;

/// How often what goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// Connections cut, per station and hour.
    pub cut: f64,
    /// Power failing for a moment, per station and hour.
    pub reboot: f64,
    /// The building drawing more at a board, per hour.
    pub load: f64,
    /// A meter silent, per hour.
    pub meter: f64,
}

impl FromStr for Rates {
    type Err = String;

    /// Reads `cut=2,reboot=0.1`.
    fn from_str(text: &str) -> Result<Rates, String> {
        let mut rates = Rates::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wanted =
                || format!("{part:?} is no fault; write cut, reboot, load or meter with = and how often an hour");
            let (name, rate) = part.split_once('=').ok_or_else(wanted)?;
            let rate: f64 = rate.trim().parse().map_err(|_| wanted())?;
            if !(0.0..=3600.0).contains(&rate) {
                return Err(format!("{part:?}: 0 to 3600 an hour are possible"));
            }
            match name.trim() {
                "cut" => rates.cut = rate,
                "reboot" => rates.reboot = rate,
                "load" => rates.load = rate,
                "meter" => rates.meter = rate,
                _ => return Err(wanted()),
            }
        }
        Ok(rates)
    }
}

/// A station that nobody reaches for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// From when.
    pub at: DateTime<Utc>,
    /// How long its connection is cut; `None`, it loses power and starts anew.
    pub lasts: Option<Duration>,
}

impl Rates {
    /// The outages of a station.
    pub fn outages(&self, from: DateTime<Utc>, until: DateTime<Utc>, chance: &mut SmallRng) -> Vec<Outage> {
        let mut all: Vec<Outage> = instants(self.cut, from, until, chance)
            .into_iter()
            .map(|at| Outage { at, lasts: Some(Duration::from_secs_f64(between(CUT_S, chance))) })
            .collect();
        let reboots = instants(self.reboot, from, until, chance);
        all.extend(reboots.into_iter().map(|at| Outage { at, lasts: None }));
        all.sort_by_key(|outage| outage.at);
        all
    }

    /// What goes wrong at boards.
    pub fn of_boards(
        &self,
        setup: &Setup,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        chance: &mut SmallRng,
    ) -> Vec<Fault> {
        let mut all = Vec::new();
        let node = |chance: &mut SmallRng| chance.random_range(0..setup.nodes.len().max(1));
        for at in instants(self.load, from, until, chance) {
            let node = node(chance);
            let amps = setup.nodes[node].limit_a.map(|limit_a| limit_a * between(LOAD_SHARE, chance));
            all.push(Fault {
                from: at,
                until: at + seconds(between(LOAD_S, chance)),
                what: What::Building { node, amps },
            });
        }
        for at in instants(self.meter, from, until, chance) {
            let node = node(chance);
            let what = What::Meter { node, how: MeterFault::Silent };
            all.push(Fault { from: at, until: at + seconds(between(SILENT_S, chance)), what });
        }
        all.sort_by_key(|fault| fault.from);
        all
    }
}

/// Instants at a rate per hour.
fn instants(per_h: f64, from: DateTime<Utc>, until: DateTime<Utc>, chance: &mut SmallRng) -> Vec<DateTime<Utc>> {
    let mut all = Vec::new();
    if per_h <= 0.0 {
        return all;
    }
    let mut at = from + seconds(CALM_S);
    loop {
        at += seconds(-(1.0 - chance.random::<f64>()).ln() * 3600.0 / per_h);
        if at >= until {
            return all;
        }
        all.push(at);
    }
}

fn between([low, high]: [f64; 2], chance: &mut SmallRng) -> f64 {
    chance.random_range(low..high)
}

/// A length in s.
#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
pub fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((1000.0 * seconds).min(1e15) as i64)
}

#[cfg(test)]
mod tests {

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn rates_are_read_or_refused_with_what_is_wanted() {
        let rates = Rates { cut: 2.0, reboot: 0.5, ..Rates::default() };
        assert_eq!("cut=2, reboot=0.5".parse(), Ok(rates));
        assert_eq!("".parse(), Ok(Rates::default()));
        for wrong in ["cut", "cut=often", "flood=1", "cut=-1", "meter=1e9"] {
            assert!(wrong.parse::<Rates>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn as_much_goes_wrong_as_is_asked_for_and_nothing_else() {
        let from: DateTime<Utc> = "2026-03-02T10:00:00Z".parse().unwrap();
        let until = from + TimeDelta::hours(100);
        let mut chance = SmallRng::seed_from_u64(1);
        let outages = Rates { cut: 2.0, ..Rates::default() }.outages(from, until, &mut chance);
        assert!((160..240).contains(&outages.len()), "{}", outages.len());
        assert!(outages.iter().all(|outage| outage.lasts.is_some() && outage.at < until));
        assert!(outages.is_sorted_by_key(|outage| outage.at));
        assert!(Rates::default().outages(from, until, &mut chance).is_empty());
    }
}
