//! A log laid out for quick questions: what had ended by an instant, in order of size, by party and by station.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::identity::Pseudonym;
use super::visit::{Clock, DayKind, Known, Visit, Wall};

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
    /// Logarithm of the stay as stated, in hours.
    pub ln_stated_h: Option<f64>,
    /// Logarithm of the energy as asked for, in kWh.
    pub ln_asked_kwh: Option<f64>,
}

impl Case {
    pub fn of(visit: &Visit, clock: Clock) -> Self {
        Case {
            visit: *visit,
            wall: clock.wall(visit.arrival),
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

/// What likeness looks at, small and in order: it is read for every past visit whenever one is predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slim {
    /// The value of the target; meaningless while the visit is still here.
    pub value: f64,
    /// Seconds from 1970 to the arrival.
    pub arrival_s: i64,
    /// Seconds from 1970 to the departure; the end of time while it is still here.
    pub departure_s: i64,
    /// Hours since local midnight at arrival.
    pub hour: f64,
    /// Logarithm of what was stated of the target; `NaN` where nothing was.
    pub ln_stated: f64,
    /// Kind of the day.
    pub kind: DayKind,
    /// Day of the week.
    pub weekday: u32,
    /// Number of the driver, 0 for nobody.
    pub driver: u32,
    /// Number of the vehicle, 0 for none.
    pub vehicle: u32,
    /// Number of the group, 0 for none.
    pub group: u32,
}

/// The number of a name that is in no log.
const STRANGER: u32 = u32::MAX;

/// The cases of a log, in orders in which they are asked for.
#[derive(Debug)]
pub(super) struct Memory {
    /// What is known ends here.
    pub at: DateTime<Utc>,
    /// In the order of their departure; those still here come last, in the order of their arrival.
    pub cases: Vec<Case>,
    /// Those with a known stay, shortest first.
    by_stay: Vec<Slim>,
    /// Those with known energy, least first.
    by_energy: Vec<Slim>,
    /// Those still here.
    pub here: Vec<Slim>,
    /// A number from 1 on for each pseudonym.
    numbers: BTreeMap<Pseudonym, u32>,
    /// Of each driver and vehicle, in the order of their departure.
    parties: BTreeMap<Pseudonym, Vec<usize>>,
    /// Of each station, likewise.
    stations: BTreeMap<Pseudonym, Vec<usize>>,
}

impl Memory {
    pub fn of(known: Known<'_>, clock: Clock) -> Self {
        let mut cases: Vec<Case> = known.ended().map(|visit| Case::of(visit, clock)).collect();
        cases.sort_by_key(|case| (case.visit.departure, case.visit.arrival));
        cases.extend(known.here().map(|visit| Case::of(&visit, clock)));
        let mut numbers = BTreeMap::new();
        for case in &cases {
            for name in [case.visit.driver, case.visit.vehicle, case.visit.group].into_iter().flatten() {
                let next = u32::try_from(numbers.len()).map_or(STRANGER, |count| count.saturating_add(1));
                numbers.entry(name).or_insert(next);
            }
        }
        let ordered = |target: Target| {
            let mut known: Vec<Slim> = cases
                .iter()
                .filter_map(|case| Some(Slim { value: target.of(&case.visit)?, ..slim(&numbers, case, target) }))
                .collect();
            known.sort_by(|a, b| a.value.total_cmp(&b.value));
            known
        };
        let (by_stay, by_energy) = (ordered(Target::Stay), ordered(Target::Energy));
        let here = cases.iter().filter(|case| case.visit.departure.is_none());
        let here = here.map(|case| slim(&numbers, case, Target::Stay)).collect();
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
        Memory { at: known.at(), cases, by_stay, by_energy, here, numbers, parties, stations }
    }

    /// The cases with a known value of a target, least first.
    pub fn by(&self, target: Target) -> &[Slim] {
        match target {
            Target::Stay => &self.by_stay,
            Target::Energy => &self.by_energy,
        }
    }

    /// A case as likeness looks at it.
    pub fn slim(&self, case: &Case, target: Target) -> Slim {
        slim(&self.numbers, case, target)
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

/// A case as likeness looks at it. A name that has no number is a stranger's, who is like nobody.
fn slim(numbers: &BTreeMap<Pseudonym, u32>, case: &Case, target: Target) -> Slim {
    let number = |name: Option<Pseudonym>| name.map_or(0, |name| numbers.get(&name).copied().unwrap_or(STRANGER));
    Slim {
        value: 0.0,
        arrival_s: case.visit.arrival.timestamp(),
        departure_s: case.visit.departure.map_or(i64::MAX, |departure| departure.timestamp()),
        hour: case.wall.hour,
        ln_stated: case.ln_stated(target).unwrap_or(f64::NAN),
        kind: case.wall.kind,
        weekday: case.wall.weekday,
        driver: number(case.visit.driver),
        vehicle: number(case.visit.vehicle),
        group: number(case.visit.group),
    }
}
