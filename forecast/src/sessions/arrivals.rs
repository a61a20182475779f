//! Who comes in the days ahead: regulars one by one, all others by the hour, and how many in each quarter-hour.
//!
//! A day to come is like past days: the more, the later they were and the more they are of its kind. The rest of today is
//! like the rest of past days on which a regular had come by then, or had not, as today.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use kwartier_data::forecast::{Belief, Forecast, LEVELS, MEDIAN};
use kwartier_data::local;
use serde::{Deserialize, Serialize};

use super::count;
use super::identity::Pseudonym;
use super::memory::Memory;
use super::model::{Outcome, Site};
use super::spread::{GRID, Spread};
use super::visit::{DayKind, Visit, span};

/// Days that are looked back on: two months, in which every weekday comes eight times.
const BACK_D: i64 = 56;

/// After this many days a day weighs half.
const HALF_LIFE_D: f64 = 21.0;

/// What a day weighs that is of another kind, working or free.
const OTHER_KIND: f64 = 0.05;

/// What a Saturday weighs for a Sunday, and the other way round.
const OTHER_FREE: f64 = 0.5;

/// What another day of the week weighs.
const OTHER_WEEKDAY: f64 = 0.6;

/// What a day weighs on which a regular had not come by then, where today they have, or the other way round.
const OTHER_STATE: f64 = 0.15;

/// Visits in the time looked back on that make a regular: one in two weeks.
const REGULAR: usize = 4;

/// Days that what is usual weighs against the days looked back on: of a regular their mean over all days, of a site the
/// hours of such places.
const USUAL_D: f64 = 1.0;

/// Arrivals of others weigh as much as this many of a regular's own in when they come.
const OTHERS: f64 = 1.0;

/// Width in time of day to which arrivals are smoothed, in hours.
const SMOOTH_H: f64 = 0.3;

/// Visits that are less likely than this are not named: together they hardly matter.
const RARE: f64 = 0.02;

/// Quarter-hours of a day without change of clocks.
const QUARTERS: usize = 96;

/// Length of a quarter-hour in seconds.
const QUARTER_S: i64 = 900;

/// Whose visit is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A vehicle, or a driver where vehicles are not known.
    Party(Pseudonym),
    /// Anybody else.
    Anyone,
}

/// A visit that may come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExpectedVisit {
    /// Whose.
    pub who: Who,
    /// The local day on which it begins.
    pub day: NaiveDate,
    /// How many such visits are expected: of a party the probability of this one, 0 to 1; of anybody the number in an hour.
    pub expected: f64,
    /// Quantiles of the arrival at [`LEVELS`] if it comes, earliest first, all within the time asked about.
    pub arrival: [DateTime<Utc>; LEVELS.len()],
    /// Length of the stay if it comes, in hours.
    pub stay_h: Belief,
    /// What it takes if it comes, in kWh.
    pub kwh: Belief,
}

/// Who comes in the time ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ahead {
    /// The visits that may come, by day, earliest median first.
    pub visits: Vec<ExpectedVisit>,
    /// How many arrive in each quarter-hour, from the one in which the time asked about begins on.
    pub counts: Forecast,
}

/// One arrival of the past.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    day: NaiveDate,
    hour: f64,
}

/// The arrivals before an instant.
pub(super) struct Arrivals<'a> {
    site: &'a Site,
    /// The local day of the instant.
    today: NaiveDate,
    /// Days looked back on, with what they are.
    days: Vec<(NaiveDate, DayKind)>,
    /// All arrivals in them.
    all: Vec<Arrival>,
    /// Those of each regular, and their last visit.
    regulars: BTreeMap<Pseudonym, (Vec<Arrival>, Visit)>,
    /// Those of everybody else.
    others: Vec<Arrival>,
}

/// A span of one local day, in hours of its wall clock.
#[derive(Debug, Clone, Copy)]
struct Part {
    day: NaiveDate,
    from_h: f64,
    to_h: f64,
}

impl Part {
    fn has(&self, hour: f64) -> bool {
        self.from_h <= hour && hour < self.to_h
    }
}

impl<'a> Arrivals<'a> {
    /// The arrivals in the two months before an instant.
    pub fn before(memory: &Memory, site: &'a Site, now: DateTime<Utc>) -> Self {
        let zone = site.clock.zone;
        let today = local::day(zone, now);
        let mut by_party: BTreeMap<Pseudonym, (Vec<Arrival>, Visit)> = BTreeMap::new();
        let (mut all, mut others) = (Vec::new(), Vec::new());
        let mut first = today;
        for case in memory.cases.iter().filter(|case| case.visit.arrival < now) {
            let arrival = Arrival { day: local::day(zone, case.visit.arrival), hour: case.wall.hour };
            first = first.min(arrival.day);
            if (today - arrival.day).num_days() > BACK_D {
                continue;
            }
            all.push(arrival);
            match case.visit.party() {
                Some(who) => {
                    let entry = by_party.entry(who).or_insert_with(|| (Vec::new(), case.visit));
                    entry.0.push(arrival);
                    if case.visit.arrival > entry.1.arrival {
                        entry.1 = case.visit;
                    }
                }
                None => others.push(arrival),
            }
        }
        let mut regulars = BTreeMap::new();
        for (who, (arrivals, last)) in by_party {
            if arrivals.len() >= REGULAR {
                regulars.insert(who, (arrivals, last));
            } else {
                others.extend(arrivals);
            }
        }
        let days = (1..=BACK_D).filter_map(|back| today.checked_sub_signed(TimeDelta::days(back)));
        let days = days.filter(|&day| day >= first).map(|day| (day, site.clock.kind(day))).collect();
        Arrivals { site, today, days, all, regulars, others }
    }

    /// The regulars, with day and hour of each of their arrivals.
    pub fn regulars(&self) -> impl Iterator<Item = (Pseudonym, Vec<(NaiveDate, f64)>)> {
        self.regulars
            .iter()
            .map(|(&who, (arrivals, _))| (who, arrivals.iter().map(|past| (past.day, past.hour)).collect()))
    }

    /// What each day looked back on weighs for a day to come.
    fn weights(&self, day: NaiveDate) -> BTreeMap<NaiveDate, f64> {
        let kind = self.site.clock.kind(day);
        let weight = |past: NaiveDate, past_kind: DayKind| {
            let back_d = (self.today - past).num_days() as f64;
            let alike = match (past_kind, kind) {
                (a, b) if a == b => 1.0,
                (DayKind::Working, _) | (_, DayKind::Working) => OTHER_KIND,
                _ => OTHER_FREE,
            };
            let weekday = if past.weekday() == day.weekday() { 1.0 } else { OTHER_WEEKDAY };
            0.5_f64.powf(back_d / HALF_LIFE_D) * alike * weekday
        };
        self.days.iter().map(|&(past, past_kind)| (past, weight(past, past_kind))).collect()
    }

    /// Who comes within `length` from `now` on. `outcome` says what becomes of a visit.
    pub fn ahead(&self, now: DateTime<Utc>, length: TimeDelta, outcome: impl Fn(&Visit) -> Outcome) -> Ahead {
        let until = now + length.max(TimeDelta::zero());
        let mut visits = Vec::new();
        for part in self.parts(now, until) {
            let weights = self.weights(part.day);
            for (&who, (arrivals, last)) in &self.regulars {
                self.regular(&mut visits, part, &weights, who, arrivals, last, &outcome);
            }
            self.anyone(&mut visits, part, &weights, &outcome);
        }
        for visit in &mut visits {
            visit.arrival = visit.arrival.map(|at| at.clamp(now, until));
        }
        visits.sort_by_key(|visit| (visit.arrival[MEDIAN], visit.who));
        Ahead { visits, counts: self.counts(now, until) }
    }

    /// The local days of a time ahead.
    fn parts(&self, now: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Part> {
        let zone = self.site.clock.zone;
        let mut parts = Vec::new();
        let mut day = local::day(zone, now);
        while local::day_start(zone, day) < until {
            let next = local::next_day(day);
            if next == day {
                break;
            }
            let from_h = if local::day_start(zone, day) < now { self.site.clock.wall(now).hour } else { 0.0 };
            let to_h = if local::day_start(zone, next) > until { self.site.clock.wall(until).hour } else { 24.0 };
            parts.push(Part { day, from_h, to_h });
            day = next;
        }
        parts
    }

    /// The first and the second visit of a regular in a part of a day.
    #[expect(clippy::too_many_arguments, reason = "all that is known of one party on one day")]
    fn regular(
        &self,
        visits: &mut Vec<ExpectedVisit>,
        part: Part,
        weights: &BTreeMap<NaiveDate, f64>,
        who: Pseudonym,
        arrivals: &[Arrival],
        last: &Visit,
        outcome: &impl Fn(&Visit) -> Outcome,
    ) {
        let came_before = |day: NaiveDate| arrivals.iter().any(|past| past.day == day && past.hour < part.from_h);
        let today = part.day == self.today && part.from_h > 0.0;
        // The n-th arrival within the part on each day looked back on.
        let mut by_day: BTreeMap<NaiveDate, Vec<f64>> = BTreeMap::new();
        for past in arrivals.iter().filter(|past| part.has(past.hour)) {
            by_day.entry(past.day).or_default().push(past.hour);
        }
        for hours in by_day.values_mut() {
            hours.sort_by(f64::total_cmp);
        }
        for nth in 0..2 {
            let (mut came, mut days, mut usual) = (0.0, 0.0, 0.0);
            let mut hours: Vec<(f64, f64)> = Vec::new();
            for (&day, &weight) in weights {
                let state = if today && came_before(day) != came_before(self.today) { OTHER_STATE } else { 1.0 };
                days += weight * state;
                if let Some(&hour) = by_day.get(&day).and_then(|hours| hours.get(nth)) {
                    came += weight * state;
                    usual += 1.0;
                    hours.push((hour, weight * state));
                }
            }
            usual /= (self.days.len().max(1)) as f64;
            let expected = (came + USUAL_D * usual) / (days + USUAL_D);
            if expected < RARE || hours.is_empty() {
                return;
            }
            let when = self.when(hours, part);
            let Some(arrival) = self.instants(part.day, &when) else { return };
            let visit = Visit { stated_departure: None, stated_kwh: None, departure: None, kwh: None, ..*last };
            let outcome = outcome(&Visit { arrival: arrival[MEDIAN], ..visit });
            visits.push(ExpectedVisit {
                who: Who::Party(who),
                day: part.day,
                expected,
                arrival,
                stay_h: outcome.stay_h,
                kwh: outcome.kwh,
            });
        }
    }

    /// When a regular comes: as on the days looked back on, with a little of when all come.
    fn when(&self, mut hours: Vec<(f64, f64)>, part: Part) -> Spread {
        let others: Vec<f64> = self.all.iter().map(|past| past.hour).filter(|&hour| part.has(hour)).collect();
        let own: f64 = hours.iter().map(|&(_, weight)| weight).sum();
        // Weights fade with the days; in visits they are as many as there are.
        let each = own / hours.len() as f64 * OTHERS / others.len().max(1) as f64;
        hours.extend(others.into_iter().map(|hour| (hour, each)));
        hours.sort_by(|a, b| a.0.total_cmp(&b.0));
        Spread::of_weighted(&hours).unwrap_or(Spread([part.from_h; GRID.len()]))
    }

    /// Hours of a day as instants.
    fn instants(&self, day: NaiveDate, when: &Spread) -> Option<[DateTime<Utc>; LEVELS.len()]> {
        let midnight = day.and_hms_opt(0, 0, 0)?;
        let zone = self.site.clock.zone;
        let mut instants = when.belief().quantiles.map(|hour| local::instant(zone, midnight + span(hour)).0);
        // Where the clock goes back, the order of hands is not that of time.
        instants.sort_unstable();
        Some(instants)
    }

    /// Everybody else, by the hour.
    fn anyone(
        &self,
        visits: &mut Vec<ExpectedVisit>,
        part: Part,
        weights: &BTreeMap<NaiveDate, f64>,
        outcome: &impl Fn(&Visit) -> Outcome,
    ) {
        let rates = self.rates(&self.others, part.day, weights, self.share_of_others());
        for hour in 0..24_u32 {
            let within = Part {
                day: part.day,
                from_h: part.from_h.max(f64::from(hour)),
                to_h: part.to_h.min(f64::from(hour + 1)),
            };
            let share = within.to_h - within.from_h;
            let expected = share * (0..4).map(|quarter| rates[4 * hour as usize + quarter]).sum::<f64>();
            if share <= 0.0 || expected < RARE {
                continue;
            }
            let when = Spread(GRID.map(|level| within.from_h + level * share));
            let Some(arrival) = self.instants(part.day, &when) else { continue };
            let outcome = outcome(&Visit::arriving(arrival[MEDIAN]));
            visits.push(ExpectedVisit {
                who: Who::Anyone,
                day: part.day,
                expected,
                arrival,
                stay_h: outcome.stay_h,
                kwh: outcome.kwh,
            });
        }
    }

    fn share_of_others(&self) -> f64 {
        self.others.len() as f64 / self.all.len().max(1) as f64
    }

    /// Arrivals to be expected in each quarter-hour of a day, of a set that is a share of all.
    fn rates(
        &self,
        arrivals: &[Arrival],
        day: NaiveDate,
        weights: &BTreeMap<NaiveDate, f64>,
        share: f64,
    ) -> [f64; QUARTERS] {
        let total: f64 = weights.values().sum();
        let mut rates = [0.0; QUARTERS];
        for past in arrivals {
            let Some(&weight) = weights.get(&past.day) else { continue };
            let kernel: Vec<f64> = (0..QUARTERS)
                .map(|quarter| {
                    let apart = (past.hour - (quarter as f64 + 0.5) / 4.0).abs();
                    let apart = apart.min(24.0 - apart) / SMOOTH_H;
                    (-0.5 * apart * apart).exp()
                })
                .collect();
            let all: f64 = kernel.iter().sum();
            for (rate, part) in rates.iter_mut().zip(kernel) {
                *rate += weight * part / all;
            }
        }
        let kind = self.site.clock.kind(day);
        let a_day = share * self.all.len() as f64 / self.days.len().max(1) as f64;
        for (quarter, rate) in rates.iter_mut().enumerate() {
            let usual = a_day * self.site.place.arrival_share(kind, quarter / 4) / 4.0;
            *rate = (*rate + USUAL_D * usual) / (total + USUAL_D);
        }
        rates
    }

    /// How many arrive in each quarter-hour.
    fn counts(&self, now: DateTime<Utc>, until: DateTime<Utc>) -> Forecast {
        let start_s = now.timestamp().div_euclid(QUARTER_S) * QUARTER_S;
        let steps = (until.timestamp() - start_s).max(0).div_euclid(QUARTER_S)
            + i64::from((until.timestamp() - start_s).rem_euclid(QUARTER_S) > 0);
        let start = DateTime::from_timestamp(start_s, 0).unwrap_or(now);
        let mut of_day: BTreeMap<NaiveDate, ([f64; QUARTERS], f64)> = BTreeMap::new();
        let mut totals: BTreeMap<NaiveDate, f64> = BTreeMap::new();
        for past in &self.all {
            *totals.entry(past.day).or_default() += 1.0;
        }
        let beliefs = (0..steps).map(|step| {
            let at = start + TimeDelta::seconds(step * QUARTER_S);
            let day = local::day(self.site.clock.zone, at);
            let (rates, shape) = of_day.entry(day).or_insert_with(|| {
                let weights = self.weights(day);
                let by_day: Vec<(f64, f64)> =
                    weights.iter().map(|(day, &weight)| (totals.get(day).copied().unwrap_or(0.0), weight)).collect();
                (self.rates(&self.all, day, &weights, 1.0), count::shape(&by_day))
            });
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a quarter-hour of a day")]
            let quarter = (self.site.clock.wall(at).hour * 4.0) as usize;
            count::belief(rates[quarter.min(QUARTERS - 1)], *shape)
        });
        let steps = beliefs.collect();
        let mut notes = Vec::new();
        if self.days.len() < 14 {
            notes.push(format!("only {} days of arrivals were looked back on", self.days.len()));
        }
        Forecast { made_at: now, start, step_s: QUARTER_S, steps, notes }
    }
}
