//! How good the expectation of arrivals would have been: each local midnight for the day ahead.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_data::local;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arrivals::{Ahead, Arrivals, ExpectedVisit, Who};
use super::identity::Pseudonym;
use super::memory::Memory;
use super::model::{Outcome, Site};
use super::spread::Spread;
use super::visit::{Log, hours};
use crate::metrics::mean_pinball;

/// Quarter-hours are compared with those of so many days of the same name before.
const WEEKS: i64 = 4;

/// Length of a quarter-hour in seconds.
const QUARTER_S: i64 = 900;

/// Days of a regular's past that the guess looks at, as the method does.
const BACK_D: i64 = 56;

/// How good the expectation of arrivals was, from each local midnight to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArrivalScores {
    /// Days.
    pub days: usize,
    /// Days times regulars, each of whom comes or does not.
    pub party_days: usize,
    /// The share on which they came.
    pub came: f64,
    /// Mean squared error of the probability that they come (Brier 1950).
    pub brier: f64,
    /// That of how often they came on days of the kind, working or not, in the two months before.
    pub brier_usual: f64,
    /// Mean pinball loss of the hour of the first arrival of those who came, in hours.
    pub hour_pinball: f64,
    /// That of all their arrivals in the two months before.
    pub hour_pinball_usual: f64,
    /// Mean pinball loss of the number of arrivals in a quarter-hour.
    pub count_pinball: f64,
    /// That of the numbers at the same time in the four weeks before.
    pub count_pinball_weeks: f64,
    /// Arrivals expected in all, by arrivals there were.
    pub count_ratio: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    days: usize,
    party_days: usize,
    came: f64,
    brier: [f64; 2],
    timed: usize,
    hour: [f64; 2],
    quarters: usize,
    count: [f64; 2],
    expected: f64,
    were: f64,
}

/// Scores of the days whose midnight is within a span; `None` where there is no day with something to score.
pub(super) fn scores(log: &Log, site: &Site, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<ArrivalScores> {
    let zone = site.clock.zone;
    let mut midnights = Vec::new();
    let mut day = local::next_day(local::day(zone, from));
    while local::day_start(zone, day) < until {
        midnights.push(day);
        let next = local::next_day(day);
        if next == day {
            break;
        }
        day = next;
    }
    let each: Vec<Sums> = midnights.par_iter().map(|&day| one_day(log, site, day)).collect();
    let all = each.iter().fold(Sums::default(), |mut all, one| {
        all.days += one.days;
        all.party_days += one.party_days;
        all.came += one.came;
        all.timed += one.timed;
        all.quarters += one.quarters;
        all.expected += one.expected;
        all.were += one.were;
        for k in 0..2 {
            all.brier[k] += one.brier[k];
            all.hour[k] += one.hour[k];
            all.count[k] += one.count[k];
        }
        all
    });
    let mean = |sum: f64, count: usize| if count > 0 { sum / count as f64 } else { 0.0 };
    (all.days > 0 && all.were > 0.0).then(|| ArrivalScores {
        days: all.days,
        party_days: all.party_days,
        came: mean(all.came, all.party_days),
        brier: mean(all.brier[0], all.party_days),
        brier_usual: mean(all.brier[1], all.party_days),
        hour_pinball: mean(all.hour[0], all.timed),
        hour_pinball_usual: mean(all.hour[1], all.timed),
        count_pinball: mean(all.count[0], all.quarters),
        count_pinball_weeks: mean(all.count[1], all.quarters),
        count_ratio: all.expected / all.were,
    })
}

fn one_day(log: &Log, site: &Site, day: NaiveDate) -> Sums {
    let zone = site.clock.zone;
    let (now, until) = (local::day_start(zone, day), local::day_start(zone, local::next_day(day)));
    let memory = Memory::of(log.as_of(now), &site.clock);
    let past = Arrivals::before(&memory, site, now);
    // Only the arrivals are scored here: what becomes of the visits is scored where they are predicted at arrival.
    let nothing = Belief::certain(0.0);
    let ahead = past.ahead(now, until - now, |visit| Outcome { arrival: visit.arrival, stay_h: nothing, kwh: nothing });
    let mut sums = Sums { days: 1, ..Sums::default() };
    regulars(&mut sums, log, site, day, &past, &ahead);
    counts(&mut sums, log, site, day, &ahead);
    sums
}

/// Whether regulars come, and when.
fn regulars(sums: &mut Sums, log: &Log, site: &Site, day: NaiveDate, past: &Arrivals<'_>, ahead: &Ahead) {
    let zone = site.clock.zone;
    let (now, until) = (local::day_start(zone, day), local::day_start(zone, local::next_day(day)));
    let mut came: BTreeMap<Pseudonym, DateTime<Utc>> = BTreeMap::new();
    for visit in log.all().filter(|visit| now <= visit.arrival && visit.arrival < until) {
        if let Some(who) = visit.party() {
            came.entry(who).or_insert(visit.arrival);
        }
    }
    let kind = site.clock.kind(day);
    for (who, arrivals) in past.regulars() {
        let truth = came.get(&who);
        let happened = if truth.is_some() { 1.0 } else { 0.0 };
        let first: Option<&ExpectedVisit> = ahead
            .visits
            .iter()
            .filter(|visit| visit.who == Who::Party(who))
            .max_by(|a, b| a.expected.total_cmp(&b.expected));
        let alike = (1..=BACK_D).filter_map(|back| day.checked_sub_signed(TimeDelta::days(back)));
        let alike: Vec<NaiveDate> = alike.filter(|&day| site.clock.kind(day) == kind).collect();
        let usual = alike.iter().filter(|&&day| arrivals.iter().any(|&(then, _)| then == day)).count();
        let usual = usual as f64 / alike.len().max(1) as f64;
        sums.party_days += 1;
        sums.came += happened;
        sums.brier[0] += (first.map_or(0.0, |visit| visit.expected) - happened).powi(2);
        sums.brier[1] += (usual - happened).powi(2);
        let (Some(&truth), Some(first)) = (truth, first) else { continue };
        let hour = hours(truth - now);
        let belief = Belief::of(first.arrival.map(|at| hours(at - now)));
        let mut usual: Vec<(f64, f64)> = arrivals.iter().map(|&(_, hour)| (hour, 1.0)).collect();
        usual.sort_by(|a, b| a.0.total_cmp(&b.0));
        let usual = Spread::of_weighted(&usual).map_or(belief, |spread| spread.belief());
        sums.timed += 1;
        sums.hour[0] += mean_pinball(&belief, hour);
        sums.hour[1] += mean_pinball(&usual, hour);
    }
}

/// How many come in each quarter-hour.
fn counts(sums: &mut Sums, log: &Log, site: &Site, day: NaiveDate, ahead: &Ahead) {
    let zone = site.clock.zone;
    let of_day = |day: NaiveDate| {
        let (start, end) = (local::day_start(zone, day), local::day_start(zone, local::next_day(day)));
        let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
        for visit in log.all().filter(|visit| start <= visit.arrival && visit.arrival < end) {
            *counts.entry((visit.arrival - start).num_seconds() / QUARTER_S).or_default() += 1.0;
        }
        counts
    };
    let truth = of_day(day);
    let before: Vec<BTreeMap<i64, f64>> = (1..=WEEKS)
        .filter_map(|weeks| day.checked_sub_signed(TimeDelta::days(7 * weeks)))
        .filter(|then| then.weekday() == day.weekday())
        .map(of_day)
        .collect();
    for (k, belief) in (0..).zip(&ahead.counts.steps) {
        let count = truth.get(&k).copied().unwrap_or(0.0);
        let mut weeks: Vec<(f64, f64)> =
            before.iter().map(|counts| (counts.get(&k).copied().unwrap_or(0.0), 1.0)).collect();
        weeks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let weeks = Spread::of_weighted(&weeks).map_or(*belief, |spread| spread.belief());
        sums.quarters += 1;
        sums.count[0] += mean_pinball(belief, count);
        sums.count[1] += mean_pinball(&weeks, count);
        sums.expected += belief.mean;
        sums.were += count;
    }
}
