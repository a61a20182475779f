//! The first of the two methods that are mixed: the past visits most like this one, weighted by how like they are.
//!
//! A past visit weighs by how near in time of day it arrived, how recent it is, whether its day is of the same kind, its
//! group the same and what its driver said alike. Visits of the same driver or vehicle are counted by these weights; all
//! others together weigh no more than a few of them ([`Likeness::others`]), so that somebody new is judged by the group and
//! a regular by what they do. Within the others, what is known of such places before any visit counts as much as
//! [`PRIOR`] visits. Visits that are still going on say that their stay is longer than so far: they are censored
//! (Kaplan and Meier 1958). The widths are learnt from the site's own past, each visit judged by what had ended before it.

use chrono::{DateTime, Utc};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::memory::{Case, Memory, Slim, Target};
use super::prior::Place;
use super::spread::{GRID, Spread};
use super::visit::DayKind;

/// How many visits of the site the prior is worth, each as like as can be: after a day or two it hardly counts.
const PRIOR: f64 = 1.5;

/// A visit still here after this many hours is more likely a missing record than a stay; it says nothing.
const LOST_H: f64 = 336.0;

/// Weights below exp(−12) are none.
const NOTHING: f64 = -12.0;

/// Of how many visits the widths are learnt at most: enough to tell settings apart, few enough for seconds.
const JUDGED: usize = 240;

/// Below this many judged visits the widths stay as they are.
const TOO_FEW: usize = 40;

/// How like two visits are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Likeness {
    /// Width in time of day among others, in hours.
    hour_h: f64,
    /// Width in time of day among one's own, in hours.
    own_hour_h: f64,
    /// After this many days a visit of others weighs half.
    half_life_d: f64,
    /// After this many days one's own weighs half.
    own_half_life_d: f64,
    /// What a visit of others on another kind of day weighs.
    other_kind: f64,
    /// What one's own on another kind of day weighs.
    own_other_kind: f64,
    /// What a visit on another day of the week weighs.
    other_weekday: f64,
    /// What a visit of another group weighs.
    other_group: f64,
    /// Width in the logarithm of what drivers state.
    stated_ln: f64,
    /// How many of one's own visits all others together are worth.
    others: f64,
}

/// What is known of a visit that is going on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Going {
    /// Hours since arrival; 0 at arrival.
    pub elapsed_h: f64,
    /// What it has taken so far, in kWh, where that is known.
    pub so_far_kwh: Option<f64>,
}

/// Logarithms of the shares in [`Likeness`].
struct Logs {
    other_kind: f64,
    own_other_kind: f64,
    other_weekday: f64,
    other_group: f64,
}

/// A value of the past in the pool.
#[derive(Clone, Copy)]
struct Sample {
    value: f64,
    weight: f64,
    own: bool,
    /// The value is at least this, not this.
    censored: bool,
}

impl Likeness {
    /// Before anything is learnt: what did well over homes, work places and public stations.
    pub fn usual(target: Target) -> Self {
        match target {
            Target::Stay => Likeness {
                hour_h: 0.7,
                own_hour_h: 2.0,
                half_life_d: 60.0,
                own_half_life_d: 80.0,
                other_kind: 0.1,
                own_other_kind: 0.4,
                other_weekday: 0.6,
                other_group: 0.1,
                stated_ln: 0.3,
                others: 1.5,
            },
            Target::Energy => Likeness {
                hour_h: 2.0,
                own_hour_h: 3.0,
                half_life_d: 90.0,
                own_half_life_d: 120.0,
                other_kind: 1.0,
                own_other_kind: 1.0,
                other_weekday: 1.0,
                other_group: 0.3,
                stated_ln: 0.3,
                others: 1.0,
            },
        }
    }

    /// The logarithm of the weight of a past visit.
    fn ln_weight(&self, logs: &Logs, past: &Slim, now: &Slim, own: bool) -> f64 {
        let apart = (past.hour - now.hour).abs();
        let apart = apart.min(24.0 - apart) / if own { self.own_hour_h } else { self.hour_h };
        let age_d = ((now.arrival_s - past.arrival_s) as f64 / 86_400.0).max(0.0);
        let lives = age_d / if own { self.own_half_life_d } else { self.half_life_d };
        let mut ln = -0.5 * apart * apart - std::f64::consts::LN_2 * lives;
        if past.kind != now.kind {
            // Saturdays and Sundays are more like each other than like working days.
            let both_free = past.kind != DayKind::Working && now.kind != DayKind::Working;
            let other = if own { logs.own_other_kind } else { logs.other_kind };
            ln += if both_free { other / 3.0 } else { other };
        }
        if past.weekday != now.weekday {
            ln += logs.other_weekday;
        }
        if past.group != now.group {
            ln += logs.other_group;
        }
        if !now.ln_stated.is_nan() {
            // Who said nothing is three widths away.
            let apart = if past.ln_stated.is_nan() { 3.0 } else { (past.ln_stated - now.ln_stated) / self.stated_ln };
            ln -= 0.5 * apart * apart;
        }
        ln
    }

    /// What is believed of a visit from those that had ended by its arrival, or by `at` where it is going on.
    pub fn spread(
        &self,
        memory: &Memory,
        place: Place,
        target: Target,
        case: &Case,
        at: DateTime<Utc>,
        going: Going,
    ) -> Spread {
        let floor = match target {
            Target::Stay => going.elapsed_h,
            Target::Energy => going.so_far_kwh.unwrap_or(0.0),
        };
        let (now, at_s) = (memory.slim(case, target), at.timestamp());
        let logs = Logs {
            other_kind: self.other_kind.ln(),
            own_other_kind: self.own_other_kind.ln(),
            other_weekday: self.other_weekday.ln(),
            other_group: self.other_group.ln(),
        };
        let mut pool: Vec<Sample> = Vec::with_capacity(1024);
        let mut put = |past: &Slim, value: f64, censored: bool| {
            let own =
                (past.driver != 0 && past.driver == now.driver) || (past.vehicle != 0 && past.vehicle == now.vehicle);
            let ln = self.ln_weight(&logs, past, &now, own);
            if ln > NOTHING {
                pool.push(Sample { value, weight: ln.exp(), own, censored });
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "hours of a stay")]
        let elapsed_s = (going.elapsed_h * 3_600.0) as i64;
        for past in memory.by(target) {
            // Of those that left earlier than this one has been here, nothing is learnt any more.
            if past.departure_s <= at_s && past.value >= floor && past.departure_s - past.arrival_s > elapsed_s {
                put(past, past.value, false);
            }
        }
        if target == Target::Stay {
            for past in memory.by(target).iter().chain(&memory.here) {
                let so_far_h = (at_s - past.arrival_s) as f64 / 3_600.0;
                let running = past.arrival_s < at_s && past.departure_s > at_s && past.arrival_s != now.arrival_s;
                if running && so_far_h > floor && so_far_h < LOST_H {
                    put(past, so_far_h, true);
                }
            }
        }
        let prior = match target {
            Target::Stay => place.stay_h(&case.wall),
            Target::Energy => place.kwh(&case.wall),
        };
        // Of the prior only as much is left as outlived it, as of the visits.
        let (prior, left) = prior.above(floor);
        let weight = PRIOR * left / GRID.len() as f64;
        let prior = prior.0.map(|value| Sample { value, weight, own: false, censored: false });
        pool.extend(prior);
        self.settle(pool, floor)
    }

    /// The pool as a distribution.
    fn settle(&self, mut pool: Vec<Sample>, floor: f64) -> Spread {
        let sum = |own: bool| pool.iter().filter(|sample| sample.own == own).map(|sample| sample.weight).sum::<f64>();
        let (own, others) = (sum(true), sum(false));
        let scale = if own > 0.0 && others > 0.0 { self.others / others } else { 1.0 };
        pool.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.censored.cmp(&b.censored)));
        // Kaplan-Meier: the mass of what is censored goes to all that is longer.
        let weights: Vec<f64> =
            pool.iter().map(|sample| sample.weight * if sample.own { 1.0 } else { scale }).collect();
        let mut at_risk: f64 = weights.iter().sum();
        let mut survival = 1.0;
        let mut settled = Vec::with_capacity(pool.len());
        for (sample, weight) in pool.iter().zip(weights) {
            if at_risk <= 0.0 {
                break;
            }
            if !sample.censored {
                let gone = survival * (weight / at_risk).min(1.0);
                settled.push((sample.value, gone));
                survival -= gone;
            }
            at_risk -= weight;
        }
        if let Some(longest) = settled.last_mut() {
            longest.1 += survival.max(0.0);
        }
        Spread::of_weighted(&settled).unwrap_or(Spread([floor; GRID.len()]))
    }

    /// The widths that would have done best over the last visits of a past, found one width after the other.
    pub fn learnt(memory: &Memory, place: Place, target: Target) -> Self {
        let mut best = Likeness::usual(target);
        let known: Vec<&Case> = memory.cases.iter().filter(|case| target.of(&case.visit).is_some()).collect();
        // The first two fifths have too little before them.
        let late = &known[known.len() * 2 / 5..];
        if late.len() < TOO_FEW {
            return best;
        }
        let step = late.len().div_ceil(JUDGED);
        let judged: Vec<&Case> = late.iter().copied().step_by(step).collect();
        let loss = |likeness: &Likeness| -> f64 {
            let each: Vec<f64> = judged
                .par_iter()
                .map(|case| {
                    let spread = likeness.spread(memory, place, target, case, case.visit.arrival, Going::default());
                    target.of(&case.visit).map_or(0.0, |truth| spread.pinball(truth))
                })
                .collect();
            each.iter().sum()
        };
        let mut least = loss(&best);
        let parties = judged.iter().any(|case| case.visit.party().is_some());
        let groups = known.iter().any(|case| case.visit.group != known[0].visit.group);
        let stated = judged.iter().any(|case| case.ln_stated(target).is_some());
        for (asked, set, values) in widths(parties, groups, stated) {
            if !asked {
                continue;
            }
            for &value in values {
                let mut other = best;
                set(&mut other, value);
                if other == best {
                    continue;
                }
                let lost = loss(&other);
                if lost < least {
                    (least, best) = (lost, other);
                }
            }
        }
        best
    }
}

type Width = (bool, fn(&mut Likeness, f64), &'static [f64]);

/// What is tried: whether it matters here, where it goes, and values a factor of two to four apart, as finer ones are told
/// apart by chance alone.
fn widths(parties: bool, groups: bool, stated: bool) -> [Width; 10] {
    [
        (stated, |l, v| l.stated_ln = v, &[0.08, 0.15, 0.6, 1.2]),
        (parties, |l, v| l.others = v, &[0.5, 1.0, 2.0, 4.0]),
        (true, |l, v| l.hour_h = v, &[0.4, 1.0, 2.0, 4.0]),
        (parties, |l, v| l.own_hour_h = v, &[1.0, 2.0, 4.0, 8.0]),
        (true, |l, v| l.half_life_d = v, &[15.0, 30.0, 120.0, 400.0]),
        (parties, |l, v| l.own_half_life_d = v, &[20.0, 40.0, 160.0, 400.0]),
        (true, |l, v| l.other_kind = v, &[0.03, 0.1, 0.3, 1.0]),
        (parties, |l, v| l.own_other_kind = v, &[0.1, 0.3, 0.6, 1.0]),
        (true, |l, v| l.other_weekday = v, &[0.3, 0.6, 1.0]),
        (groups, |l, v| l.other_group = v, &[0.02, 0.1, 0.3, 1.0]),
    ]
}
