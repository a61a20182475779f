//! Who comes: stays drawn from what was observed in the Netherlands.

mod table;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use serde::{Deserialize, Serialize};

use self::table::{HOME, MODELS, Model, PUBLIC, Place, VAN, WORK};
use super::chance::{Chance, For};
use super::world::{Car, Stay, Told};
use crate::control::setup::Setup;

/// What kind of people come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Vans that come back to their depot on weekday afternoons and leave the next weekday morning.
    #[default]
    Depot,
    /// Employees and visitors, on weekdays.
    Workplace,
    /// Passers-by and residents.
    Public,
    /// At home.
    Home,
}

/// A crowd of drivers and what is told of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Crowd {
    /// What kind of people they are.
    pub habit: Habit,
    /// How many come to a device in a day, on average. Who finds it taken goes elsewhere. A depot's van comes once a day
    /// with this probability.
    pub visits_per_day: f64,
    /// Probability that the vehicle's phases are told.
    pub tells_phases: f64,
    /// Probability that the energy needed is told.
    pub tells_need: f64,
    /// Probability that the departure is told.
    pub tells_departure: f64,
    /// Probability of leaving after 30 to 90 % of the time that was told.
    pub leaves_early: f64,
    /// Probability of not coming.
    pub no_show: f64,
    /// Probability that the car falls asleep after a quarter of an hour without current.
    pub sleeper: f64,
    /// Of the sleepers, the share that only a second step wakes.
    pub deep_sleeper: f64,
    /// Priority told.
    pub priority: u8,
    /// Guaranteed minimum told, in A per phase.
    pub guaranteed_a: f64,
}

impl Default for Crowd {
    fn default() -> Self {
        Crowd {
            habit: Habit::Depot,
            visits_per_day: 1.0,
            tells_phases: 0.5,
            tells_need: 0.8,
            tells_departure: 0.8,
            leaves_early: 0.03,
            no_show: 0.02,
            sleeper: 0.05,
            deep_sleeper: 0.2,
            priority: 0,
            guaranteed_a: 0.0,
        }
    }
}

/// How long a sleeper waits for current in s.
const SLEEPS_AFTER_S: f64 = 900.0;

/// Nobody stays shorter than this, in h.
const SHORTEST_H: f64 = 0.1;

/// Stays of crowds at devices within some days, by arrival. The same seed draws the same stays.
pub fn draw(
    setup: &Setup,
    crowds: &[(Crowd, Vec<usize>)],
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    seed: u64,
) -> Vec<Stay> {
    let mut chance = Chance::new(seed, For::Stays);
    let mut stays = Vec::new();
    for (crowd, devices) in crowds {
        for &device in devices {
            let mut free_at = start;
            for visit in visits(setup, crowd, start, end, &mut chance) {
                if visit.plugs_in < free_at {
                    continue;
                }
                free_at = visit.expected.max(visit.leaves);
                stays.push(stay(crowd, device, &visit, &mut chance));
            }
        }
    }
    stays.sort_by_key(|stay| (stay.plugs_in, stay.device));
    for (k, stay) in stays.iter_mut().enumerate() {
        stay.id = format!("stay-{:03}", k + 1);
    }
    stays
}

struct Visit {
    plugs_in: DateTime<Utc>,
    leaves: DateTime<Utc>,
    /// When it said that it would leave.
    expected: DateTime<Utc>,
    kwh: f64,
}

/// The visits to one device, by arrival, also those that find it taken.
fn visits(setup: &Setup, crowd: &Crowd, start: DateTime<Utc>, end: DateTime<Utc>, chance: &mut Chance) -> Vec<Visit> {
    let mut visits = Vec::new();
    let mut day = start.with_timezone(&setup.zone).date_naive();
    let last = end.with_timezone(&setup.zone).date_naive();
    while day <= last {
        let works = !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let place = match crowd.habit {
            Habit::Depot => None,
            Habit::Workplace => Some(&WORK),
            Habit::Public => Some(&PUBLIC),
            Habit::Home => Some(&HOME),
        };
        if works || matches!(crowd.habit, Habit::Public | Habit::Home) {
            let times = if place.is_some() {
                poisson(crowd.visits_per_day, chance)
            } else {
                u32::from(chance.happens(crowd.visits_per_day))
            };
            for _ in 0..times {
                let (hour, stay_h, kwh) = match place {
                    Some(place) => at(place, chance),
                    None => van(day, chance),
                };
                let early = chance.happens(crowd.leaves_early);
                let share = chance.between(0.3, 0.9);
                let Some(plugs_in) = local(setup, day, hour) else { continue };
                let stay_h = stay_h.max(SHORTEST_H);
                let leaves = plugs_in + hours(if early { stay_h * share } else { stay_h });
                visits.push(Visit { plugs_in, leaves, expected: plugs_in + hours(stay_h), kwh });
            }
        }
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        day = next;
    }
    visits.retain(|visit| visit.plugs_in >= start && visit.plugs_in < end);
    visits.sort_by_key(|visit| visit.plugs_in);
    visits
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

fn stay(crowd: &Crowd, device: usize, visit: &Visit, chance: &mut Chance) -> Stay {
    let model = if crowd.habit == Habit::Depot {
        &VAN
    } else {
        let weights: Vec<f64> = MODELS.iter().map(|model| model.registered).collect();
        &MODELS[weighted(&weights, chance)]
    };
    let car = car(crowd, model, chance);
    let need_kwh = visit.kwh.min(0.9 * car.capacity_kwh / car.efficiency);
    let told = |probability: f64, chance: &mut Chance| chance.happens(probability);
    Stay {
        id: String::new(),
        device,
        plugs_in: visit.plugs_in,
        leaves: visit.leaves,
        comes: !chance.happens(crowd.no_show),
        car,
        soc_kwh: (car.capacity_kwh - need_kwh * car.efficiency).max(0.0),
        need_kwh: need_kwh.max(0.1),
        told: Told {
            phases: told(crowd.tells_phases, chance).then_some(car.phases),
            need_kwh: told(crowd.tells_need, chance).then_some(need_kwh.max(0.1)),
            departure: told(crowd.tells_departure, chance).then_some(visit.expected),
            priority: crowd.priority,
            guaranteed_a: crowd.guaranteed_a,
        },
    }
}

fn car(crowd: &Crowd, model: &Model, chance: &mut Chance) -> Car {
    let sleeps = chance.happens(crowd.sleeper);
    let deeply = chance.happens(crowd.deep_sleeper);
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

/// How many come, if so many do on average (Knuth 1969).
fn poisson(mean: f64, chance: &mut Chance) -> u32 {
    let least = (-mean).exp();
    let mut product = chance.share();
    let mut number = 0;
    while product > least && number < 100 {
        product *= chance.share();
        number += 1;
    }
    number
}

/// An hour of a local day; `None`, the clocks skip it.
fn local(setup: &Setup, day: NaiveDate, hour: f64) -> Option<DateTime<Utc>> {
    let time = day.and_hms_opt(0, 0, 0)? + hours(hour);
    setup.zone.from_local_datetime(&time).earliest().map(|at| at.with_timezone(&Utc))
}

#[expect(clippy::cast_possible_truncation, reason = "some days")]
fn hours(hours: f64) -> TimeDelta {
    TimeDelta::seconds((hours * 3600.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{instant, setup};
    use super::*;

    fn stays(habit: Habit, visits_per_day: f64, seed: u64) -> Vec<Stay> {
        let crowd = Crowd { habit, visits_per_day, ..Crowd::default() };
        draw(&setup(20), &[(crowd, (0..20).collect())], instant(0.0), instant(28.0 * 86_400.0), seed)
    }

    #[test]
    fn crowds_are_as_they_were_observed() {
        let work = stays(Habit::Workplace, 1.0, 1);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        assert!(work.len() > 250, "{}", work.len());
        // The source: 10.5 kWh in the middle half, 13 on average; half stay less than 4.9 h.
        let kwh = mean(work.iter().map(|stay| stay.need_kwh).collect());
        assert!((9.0..15.0).contains(&kwh), "{kwh}");
        let hour = |stay: &Stay| f64::from(u32::try_from(setup(1).hour(stay.plugs_in)).unwrap_or(0));
        let morning = work.iter().filter(|stay| (7.0..10.0).contains(&hour(stay))).count();
        assert!(morning * 2 > work.len() && morning * 4 < work.len() * 3, "{morning} of {}", work.len());
        let phases: std::collections::BTreeSet<u8> = work.iter().map(|stay| stay.car.phases).collect();
        assert_eq!(phases.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        let vans = stays(Habit::Depot, 1.0, 1);
        assert!(vans.iter().all(|stay| (13.0..=22.0).contains(&hour(stay))));
        assert!(vans.iter().any(|stay| !stay.comes));
        assert!(vans.iter().any(|stay| stay.told.departure.is_some_and(|told| told > stay.leaves)));
    }

    #[test]
    fn nobody_comes_to_a_device_that_is_taken_and_a_seed_draws_the_same() {
        for habit in [Habit::Depot, Habit::Workplace, Habit::Public, Habit::Home] {
            let drawn = stays(habit, 2.0, 7);
            assert_eq!(drawn, stays(habit, 2.0, 7));
            assert_ne!(drawn, stays(habit, 2.0, 8));
            for device in 0..20 {
                let own: Vec<&Stay> = drawn.iter().filter(|stay| stay.device == device).collect();
                assert!(own.windows(2).all(|pair| pair[0].leaves <= pair[1].plugs_in));
            }
            let can = |stay: &Stay| (stay.car.capacity_kwh - stay.soc_kwh) / stay.car.efficiency;
            assert!(drawn.iter().all(|stay| stay.soc_kwh >= 0.0 && can(stay) > 0.0));
        }
    }
}
