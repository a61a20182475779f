//! A log laid out for quick questions: what had ended by an instant, in order of size, by party and by station.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::identity::Pseudonym;
use super::visit::{Clock, Known, Visit, Wall};

/// What is predicted of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Length of the stay, in hours.
    Stay,
    /// Energy taken, in kWh.
    Energy,
}

impl Target {
    /// Its value of a visit, once known.
    pub fn of(self, visit: &Visit) -> Option<f64> {
        match self {
            Target::Stay => visit.stay_h(),
            Target::Energy => visit.departure.and(visit.taken_kwh()),
        }
    }

    /// What the driver said of it.
    pub fn stated(self, visit: &Visit) -> Option<f64> {
        match self {
            Target::Stay => visit.stated_h(),
            Target::Energy => visit.asked_kwh(),
        }
    }
}

/// A visit with what follows from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// The visit.
    pub visit: Visit,
    /// The wall clock at its arrival.
    pub wall: Wall,
    /// Hours from 1970 to its arrival.
    pub arrival_h: f64,
    /// Logarithm of the stay as stated, in hours.
    pub ln_stated_h: Option<f64>,
    /// Logarithm of the energy as asked for, in kWh.
    pub ln_asked_kwh: Option<f64>,
}

impl Case {
    pub fn of(visit: &Visit, clock: &Clock) -> Self {
        Case {
            visit: *visit,
            wall: clock.wall(visit.arrival),
            arrival_h: visit.arrival.timestamp() as f64 / 3_600.0,
            ln_stated_h: visit.stated_h().map(f64::ln),
            ln_asked_kwh: visit.asked_kwh().map(f64::ln),
        }
    }

    /// Whether it had ended by an instant.
    pub fn ended_by(&self, at: DateTime<Utc>) -> bool {
        self.visit.departure.is_some_and(|departure| departure <= at)
    }

    /// Logarithm of what the driver said of a target.
    pub fn ln_stated(&self, target: Target) -> Option<f64> {
        match target {
            Target::Stay => self.ln_stated_h,
            Target::Energy => self.ln_asked_kwh,
        }
    }
}

/// The cases of a log, in orders in which they are asked for.
#[derive(Debug)]
pub(super) struct Memory {
    /// What is known ends here.
    pub at: DateTime<Utc>,
    /// In the order of their departure; those still here come last, in the order of their arrival.
    pub cases: Vec<Case>,
    /// Those with a known stay, shortest first.
    pub by_stay: Vec<usize>,
    /// Those with known energy, least first.
    pub by_energy: Vec<usize>,
    /// Of each driver and vehicle, in the order of their departure.
    parties: BTreeMap<Pseudonym, Vec<usize>>,
    /// Of each station, likewise.
    stations: BTreeMap<Pseudonym, Vec<usize>>,
}

impl Memory {
    pub fn of(known: Known<'_>, clock: &Clock) -> Self {
        let mut cases: Vec<Case> = known.ended().map(|visit| Case::of(visit, clock)).collect();
        cases.sort_by_key(|case| (case.visit.departure, case.visit.arrival));
        cases.extend(known.here().map(|visit| Case::of(&visit, clock)));
        let ordered = |target: Target| {
            let mut known: Vec<(f64, usize)> =
                cases.iter().enumerate().filter_map(|(k, case)| Some((target.of(&case.visit)?, k))).collect();
            known.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            known.into_iter().map(|(_, k)| k).collect()
        };
        let (by_stay, by_energy) = (ordered(Target::Stay), ordered(Target::Energy));
        let mut parties: BTreeMap<Pseudonym, Vec<usize>> = BTreeMap::new();
        let mut stations: BTreeMap<Pseudonym, Vec<usize>> = BTreeMap::new();
        for (k, case) in cases.iter().enumerate().filter(|(_, case)| case.visit.departure.is_some()) {
            for who in [case.visit.driver, case.visit.vehicle].into_iter().flatten() {
                parties.entry(who).or_default().push(k);
            }
            if let Some(station) = case.visit.station {
                stations.entry(station).or_default().push(k);
            }
        }
        Memory { at: known.at(), cases, by_stay, by_energy, parties, stations }
    }

    /// The cases with a known value of a target, least first.
    pub fn by(&self, target: Target) -> &[usize] {
        match target {
            Target::Stay => &self.by_stay,
            Target::Energy => &self.by_energy,
        }
    }

    /// The last `most` visits of the same driver or vehicle that had ended by an instant, earliest departure first.
    pub fn own(&self, visit: &Visit, at: DateTime<Utc>, most: usize) -> Vec<&Case> {
        let mut found: Vec<usize> = [visit.driver, visit.vehicle]
            .into_iter()
            .flatten()
            .filter_map(|who| self.parties.get(&who))
            .flat_map(|all| self.last(all, at, most))
            .collect();
        found.sort_unstable();
        found.dedup();
        found.iter().skip(found.len().saturating_sub(most)).map(|&k| &self.cases[k]).collect()
    }

    /// The last `most` visits at a station that had ended by an instant.
    pub fn at_station(&self, visit: &Visit, at: DateTime<Utc>, most: usize) -> Vec<&Case> {
        let all = visit.station.and_then(|station| self.stations.get(&station)).map_or(&[][..], Vec::as_slice);
        self.last(all, at, most).map(|k| &self.cases[k]).collect()
    }

    /// Of cases in the order of departure, the last `most` that had ended by an instant.
    fn last<'a>(&self, all: &'a [usize], at: DateTime<Utc>, most: usize) -> impl Iterator<Item = usize> + use<'a> {
        let end = all.partition_point(|&k| self.cases[k].ended_by(at));
        all[end.saturating_sub(most)..end].iter().copied()
    }
}
