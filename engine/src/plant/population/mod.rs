//! Who comes: visits drawn from what was observed in the Netherlands.

mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::table::{HOME, MODELS, Model, PUBLIC, Place, VAN, WORK};
use super::chance::{Chance, For};
use super::world::Car;

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Vans that come back to their depot on weekday afternoons and leave the next weekday morning.
    Depot,
    /// Employees and visitors, on weekdays.
    Workplace,
    /// Passers-by and residents, each time others.
    Public,
    /// Residents at home, each at a station of its own.
    Home,
}

/// Who comes to a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// What kind of place it is.
    pub habit: Habit,
    /// How many come on a day on which anybody does, on average.
    pub per_day: f64,
    /// How many stations there are: how many vehicles belong to the place goes by it.
    pub stations: usize,
    /// Share of the cars that fall asleep after a quarter of an hour without current; a fifth of these need a second step
    /// to wake.
    pub sleepers: f64,
}

/// A visit for which no station has been found yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Name of the vehicle: what it is called, and its number.
    pub vehicle: String,
    /// Its car: the same on each visit.
    pub car: Car,
    /// When it comes.
    pub from: DateTime<Utc>,
    /// When it leaves.
    pub until: DateTime<Utc>,
    /// Energy it needs at the station, in kWh.
    pub need_kwh: f64,
}

/// How long a sleeper waits for current in s.
const SLEEPS_AFTER_S: f64 = 900.0;

/// Of the sleepers, the share that only a second step wakes.
const DEEP_SLEEPERS: f64 = 0.2;

/// Nobody stays shorter than this, in h.
const SHORTEST_H: f64 = 0.1;

/// Nobody needs less than this, in kWh.
const LEAST_KWH: f64 = 0.5;

/// Cars that belong to a workplace, by station: not all come every day. An assumption.
const EMPLOYEES: f64 = 1.5;

/// The visits of some local days, first and last included, by arrival. The same seed draws the same.
pub fn draw(crowd: &Crowd, zone: Tz, (first, last): (NaiveDate, NaiveDate), seed: u64) -> Vec<Visit> {
    let mut chance = Chance::new(seed, For::Stays);
    let mut cars: BTreeMap<usize, Car> = BTreeMap::new();
    let (mut visits, mut strangers, mut day) = (Vec::new(), 0, first);
    while day <= last {
        let works = !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        if works || matches!(crowd.habit, Habit::Public | Habit::Home) {
            for vehicle in who(crowd, &mut strangers, &mut chance) {
                let car = *cars.entry(vehicle).or_insert_with(|| some_car(crowd, &mut chance));
                visits.extend(visit(crowd.habit, vehicle, car, (zone, day), &mut chance));
            }
        }
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        day = next;
    }
    visits.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.vehicle.cmp(&b.vehicle)));
    visits
}

/// The vehicles that come on a day, by number.
fn who(crowd: &Crowd, strangers: &mut usize, chance: &mut Chance) -> Vec<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of vehicles")]
    let at_least = crowd.per_day.clamp(1.0, 1e6).ceil() as usize;
    let own = at_least.max(crowd.stations);
    match crowd.habit {
        Habit::Depot | Habit::Home => (1..=own).filter(|_| chance.happens(crowd.per_day / own as f64)).collect(),
        Habit::Workplace => {
            let own = (own as f64 * EMPLOYEES).ceil();
            let come: std::collections::BTreeSet<usize> =
                (0..poisson(crowd.per_day, chance)).map(|_| one_of(own, chance)).collect();
            come.into_iter().collect()
        }
        Habit::Public => {
            let before = *strangers;
            *strangers += poisson(crowd.per_day, chance);
            (before + 1..=*strangers).collect()
        }
    }
}

/// A number from 1 to a whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of vehicles")]
fn one_of(count: f64, chance: &mut Chance) -> usize {
    1 + (count * chance.share()) as usize
}

/// A visit; `None`, the clocks skip the time at which it would begin.
fn visit(habit: Habit, vehicle: usize, car: Car, (zone, day): (Tz, NaiveDate), chance: &mut Chance) -> Option<Visit> {
    let (name, (hour, stay_h, kwh)) = match habit {
        Habit::Depot => ("Van", van(day, chance)),
        Habit::Workplace => ("Employee", at(&WORK, chance)),
        Habit::Public => ("Guest", at(&PUBLIC, chance)),
        Habit::Home => ("Resident", at(&HOME, chance)),
    };
    let from = local(zone, day, hour)?;
    let until = match habit {
        // Off by the clock on the wall, also where that was changed in the night.
        Habit::Depot => local(zone, day, hour + stay_h)?,
        _ => from + hours(stay_h.max(SHORTEST_H)),
    };
    let need_kwh = kwh.clamp(LEAST_KWH, 0.9 * car.capacity_kwh / car.efficiency);
    Some(Visit { vehicle: format!("{name} {vehicle}"), car, from, until, need_kwh })
}

/// Hour of arrival, stay in h, energy in kWh at a place.
fn at(place: &Place, chance: &mut Chance) -> (f64, f64, f64) {
    let hour = weighted(&place.arrivals, chance);
    let mean_h: f64 = place.stay_h.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).sum::<f64>() / 20.0;
    let here_h = if place.mean_stay_h[hour] > 0.0 { place.mean_stay_h[hour] } else { mean_h };
    let stay_h = quantile(&place.stay_h, chance.share()) * here_h / mean_h;
    (hour as f64 + chance.share(), stay_h, quantile(&place.kwh, chance.share()))
}

/// The same of a van: back at five in the afternoon, give or take an hour; off at six on the next working day, give or take
/// half of one; 10 to 55 kWh. Assumptions.
fn van(day: NaiveDate, chance: &mut Chance) -> (f64, f64, f64) {
    let back = (17.0 + chance.normal()).clamp(13.0, 22.0);
    let off = (6.0 + 0.5 * chance.normal()).clamp(4.5, 8.0);
    let days = if day.weekday() == Weekday::Fri { 3.0 } else { 1.0 };
    (back, 24.0 * days - back + off, chance.between(10.0, 55.0))
}

/// A car of those that come.
fn some_car(crowd: &Crowd, chance: &mut Chance) -> Car {
    let model = if crowd.habit == Habit::Depot {
        &VAN
    } else {
        let weights: Vec<f64> = MODELS.iter().map(|model| model.registered).collect();
        &MODELS[weighted(&weights, chance)]
    };
    car(crowd.sleepers, model, chance)
}

fn car(sleepers: f64, model: &Model, chance: &mut Chance) -> Car {
    let sleeps = chance.happens(sleepers);
    let deeply = chance.happens(DEEP_SLEEPERS);
    Car {
        phases: model.phases,
        max_a: model.max_a,
        capacity_kwh: model.capacity_kwh,
        efficiency: model.efficiency,
        own_kw: model.own_kw,
        taper_from_soc: chance.between(0.85, 0.97),
        // IEC 61851-1 allows 5 s; most follow faster.
        reaction_s: chance.between(1.0, 5.0),
        ramp_a_s: chance.between(0.5, 4.0),
        sleeps_after_s: sleeps.then_some(SLEEPS_AFTER_S),
        wakes_at_step: Some(if deeply { 2 } else { 1 }),
        ..Car::default()
    }
}

/// The index of one of several, by weight.
fn weighted(weights: &[f64], chance: &mut Chance) -> usize {
    let mut left = chance.share() * weights.iter().sum::<f64>();
    for (k, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return k;
        }
    }
    weights.len().saturating_sub(1)
}

/// The value below which a share lies, between quantiles at even distances.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 20")]
fn quantile(values: &[f64; 21], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * 20.0;
    let k = (place as usize).min(19);
    values[k] + (values[k + 1] - values[k]) * (place - k as f64)
}

/// How many come, if so many do on average: sums of shares of at most ten (Knuth 1969), since exp(−mean) of many is nothing.
fn poisson(mean: f64, chance: &mut Chance) -> usize {
    let (mut left, mut number) = (mean.clamp(0.0, 1e6), 0);
    while left > 0.0 {
        let least = (-left.min(10.0)).exp();
        left -= 10.0;
        let mut product = chance.share();
        while product > least {
            product *= chance.share();
            number += 1;
        }
    }
    number
}

/// An hour of a local day, or of the days after it; `None`, the clocks skip it.
fn local(zone: Tz, day: NaiveDate, hour: f64) -> Option<DateTime<Utc>> {
    let time = day.and_hms_opt(0, 0, 0)? + hours(hour);
    zone.from_local_datetime(&time).earliest().map(|at| at.with_timezone(&Utc))
}

#[expect(clippy::cast_possible_truncation, reason = "some days")]
fn hours(hours: f64) -> TimeDelta {
    TimeDelta::seconds((hours * 3600.0) as i64)
}

#[cfg(test)]
mod tests {
    use chrono::Timelike;

    use super::*;

    const ZONE: Tz = chrono_tz::Europe::Amsterdam;

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap_or_default()
    }

    fn visits(habit: Habit, per_day: f64, seed: u64) -> Vec<Visit> {
        let crowd = Crowd { habit, per_day, stations: 20, sleepers: 0.1 };
        draw(&crowd, ZONE, (day(1, 5), day(3, 1)), seed)
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        let all: Vec<f64> = values.collect();
        all.iter().sum::<f64>() / all.len() as f64
    }

    fn hour(visit: &Visit) -> f64 {
        let at = visit.from.with_timezone(&ZONE);
        f64::from(at.hour()) + f64::from(at.minute()) / 60.0
    }

    #[test]
    fn visits_are_as_they_were_observed() {
        let work = visits(Habit::Workplace, 18.0, 1);
        // Eight weeks of five days, some employees drawn twice on a day come once.
        assert!((500..750).contains(&work.len()), "{}", work.len());
        // The source: 13 kWh on average; half stay less than 4.9 h.
        let kwh = mean(work.iter().map(|visit| visit.need_kwh));
        assert!((10.0..15.0).contains(&kwh), "{kwh}");
        let morning = work.iter().filter(|visit| (7.0..10.0).contains(&hour(visit))).count();
        assert!(morning * 2 > work.len() && morning * 4 < work.len() * 3, "{morning} of {}", work.len());
        let phases: std::collections::BTreeSet<u8> = work.iter().map(|visit| visit.car.phases).collect();
        assert_eq!(phases.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        let vans = visits(Habit::Depot, 18.0, 1);
        assert!(vans.iter().all(|visit| (13.0..=22.0).contains(&hour(visit))));
        let weekend = |visit: &Visit| visit.from.with_timezone(&ZONE).weekday().number_from_monday() > 5;
        assert!(!vans.iter().any(weekend) && visits(Habit::Public, 18.0, 1).iter().any(weekend));
        // At home a day's evening, at public points a day's business.
        let evening = |habit| {
            let all = visits(habit, 18.0, 2);
            all.iter().filter(|visit| hour(visit) >= 16.0).count() as f64 / all.len() as f64
        };
        assert!(evening(Habit::Home) > 0.7 && evening(Habit::Public) < 0.6 && evening(Habit::Workplace) < 0.1);
    }

    #[test]
    fn as_many_come_as_are_asked_for() {
        for per_day in [0.5, 18.0, 200.0] {
            let days = 56.0;
            let came = visits(Habit::Public, per_day, 3).len() as f64 / days;
            assert!((came / per_day - 1.0).abs() < 0.25, "{came} instead of {per_day}");
        }
        assert!(visits(Habit::Home, 0.0, 3).is_empty());
    }

    #[test]
    fn a_seed_draws_the_same_and_a_vehicle_keeps_its_car() {
        for habit in [Habit::Depot, Habit::Workplace, Habit::Public, Habit::Home] {
            let drawn = visits(habit, 15.0, 7);
            assert_eq!(drawn, visits(habit, 15.0, 7));
            assert_ne!(drawn, visits(habit, 15.0, 8));
            let mut cars: BTreeMap<&str, Car> = BTreeMap::new();
            for visit in &drawn {
                assert_eq!(*cars.entry(&visit.vehicle).or_insert(visit.car), visit.car, "{}", visit.vehicle);
                assert!(visit.until > visit.from && visit.need_kwh > 0.0);
            }
            let again = drawn.len() - cars.len();
            assert_eq!(again == 0, habit == Habit::Public, "{habit:?}: {again} come again");
        }
    }

    #[test]
    fn vans_leave_by_the_clock_on_the_wall_when_it_is_changed() {
        let crowd = Crowd { habit: Habit::Depot, per_day: 20.0, stations: 20, sleepers: 0.0 };
        // The clocks go forward on Sunday, 29 March 2026.
        let friday = draw(&crowd, ZONE, (day(3, 27), day(3, 27)), 1);
        assert!(!friday.is_empty());
        for visit in friday {
            let off = visit.until.with_timezone(&ZONE);
            assert!((4..=8).contains(&off.hour()) && off.date_naive() == day(3, 30), "{off}");
        }
    }
}
