//! Where a plant is, from when it begins and ceases to give power each day.
//!
//! The length of the day tells the latitude, its middle the longitude. A tree in the east or a roof that faces west makes
//! a day look shorter; the earliest beginnings and latest ends of ten days are hardly moved by weather.

use chrono::{DateTime, Datelike, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use kwartier_data::history::{Past, Position};
use serde::{Deserialize, Serialize};

use super::sun::Instant;

/// The most recent days that are looked at: two years hold all seasons twice.
const DAYS: usize = 730;

/// Days whose earliest beginning and latest end count as one: long enough for some clear mornings, short enough for the
/// sun not to rise at another time by much.
const WINDOW_DAYS: usize = 10;

/// Share of the largest output at which a plant is said to give power: above a meter's noise, below what the first light
/// gives.
const ON: f64 = 0.01;

/// Elevations of the sun in degrees at which plants may reach [`ON`]: a roof towards the sun soon, one that faces away, or
/// a horizon of houses, later. The one that explains the days best is taken.
const ON_ELEVATIONS_DEG: [f64; 5] = [0.5, 1.5, 3.0, 4.5, 6.0];

/// What being off the middle of an interval costs, in square degrees for each: where days leave a choice, the middle is
/// likeliest.
const MIDDLE: f64 = 0.05;

/// A misfit in degrees beyond which a window counts linearly: shaded mornings must not turn the Earth.
const HUBER_DEG: f64 = 4.0;

/// What a latitude costs by its distance from 42°, in square degrees of misfit for each unit of `((|φ| − 42) / 15)²`:
/// at the equinox, when days tell nothing, plants stand where people live.
const PRIOR_DEG2: f64 = 0.1;

/// How much better stamps without summer time must explain the days before they are believed.
const MUCH_BETTER: f64 = 0.6;

/// Misfit in square degrees, linear as above, beyond which a position that was given cannot be that of the data: most
/// days would begin or end an hour too early or too late.
const WRONG: f64 = 40.0;

/// Misfit below which stamps are as good as they can be: a degree or two, as trees and clouds make it.
const GOOD: f64 = 3.0;

/// How the stamps of a history are to be read when it is asked where the sun was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stamps {
    /// They are instants.
    Instants,
    /// They were written without summer time and read with it: public data often are.
    WithoutSummerTime,
}

impl Stamps {
    /// The instant that is meant by a stamp.
    pub(super) fn meant(self, stamp: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match self {
            Stamps::Instants => stamp,
            Stamps::WithoutSummerTime => stamp + summer_time(stamp, zone),
        }
    }
}

/// How far the clocks of a zone are ahead of its winter time.
fn summer_time(at: DateTime<Utc>, zone: Tz) -> TimeDelta {
    let offset_s = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let in_month = |month: u32| at.with_day(1).and_then(|at| at.with_month(month)).map_or(i32::MAX, offset_s);
    TimeDelta::seconds(i64::from(offset_s(at) - in_month(1).min(in_month(7)).min(offset_s(at))))
}

/// A place and a reading of the stamps that agree with a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Located {
    pub position: Position,
    pub stamps: Stamps,
}

/// First and last light of some days: beginnings of the intervals.
struct Window {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// The ends of an interval in which a plant began or ceased to give power: the one in the dark, the one in the light.
type Edge = (Instant, Instant);

/// Where a plant is and how its stamps are to be read: the place that was given unless the history speaks against it,
/// else the one that explains its days; `None` where neither is known.
pub(super) fn locate(past: &Past<'_>, given: Option<Position>) -> Option<Located> {
    let windows = windows(past);
    let zone = past.zone();
    if windows.is_empty() {
        return given.map(|position| Located { position, stamps: Stamps::Instants });
    }
    let step = past.step();
    let sight = |stamps: Stamps| -> Vec<Edge> {
        let at = |stamp: DateTime<Utc>| Instant::new(stamps.meant(stamp, zone));
        windows
            .iter()
            .flat_map(|window| [(at(window.first), at(window.first + step)), (at(window.last + step), at(window.last))])
            .collect()
    };
    let (instants, without) = (sight(Stamps::Instants), sight(Stamps::WithoutSummerTime));
    if let Some(position) = given {
        let (as_is, shifted) = (misfit(&instants, position), misfit(&without, position));
        if as_is > GOOD && shifted < MUCH_BETTER * as_is {
            return Some(Located { position, stamps: Stamps::WithoutSummerTime });
        }
        if as_is <= WRONG {
            return Some(Located { position, stamps: Stamps::Instants });
        }
    }
    let southern = is_southern(zone, past.at());
    let (position, as_is) = search(&instants, &windows, southern);
    let (shifted_position, shifted) = search(&without, &windows, southern);
    Some(if as_is > GOOD && shifted < MUCH_BETTER * as_is {
        Located { position: shifted_position, stamps: Stamps::WithoutSummerTime }
    } else {
        Located { position, stamps: Stamps::Instants }
    })
}

/// Whether the clocks of a zone are ahead in January.
fn is_southern(zone: Tz, at: DateTime<Utc>) -> bool {
    let january = at.with_day(15).and_then(|at| at.with_month(1));
    january.is_some_and(|january| summer_time(january, zone) > TimeDelta::zero())
}

/// The mean squared misfit of a place, in square degrees, linear beyond [`HUBER_DEG`]: how far the sun is from
/// one of [`ON_ELEVATIONS_DEG`] over the whole of an interval in which it should pass it.
fn misfit(sight: &[Edge], place: Position) -> f64 {
    let huber = |miss: f64| if miss <= HUBER_DEG { miss * miss } else { HUBER_DEG * (2.0 * miss - HUBER_DEG) };
    let seen: Vec<(f64, f64)> = sight
        .iter()
        .map(|(dark, light)| (dark.from(place).elevation_deg(), light.from(place).elevation_deg()))
        .collect();
    let with = |on_deg: f64| {
        let at = |(dark, light): &(f64, f64)| {
            let (dark, light) = (dark - on_deg, light - on_deg);
            huber(dark.max(-light).max(0.0)) + MIDDLE * huber(f64::midpoint(dark, light).abs())
        };
        seen.iter().map(at).sum::<f64>() / seen.len().max(1) as f64
    };
    ON_ELEVATIONS_DEG.into_iter().map(with).fold(f64::INFINITY, f64::min)
}

/// The place that explains the days best, and its misfit: a coarse grid, then ever finer around the best.
fn search(sight: &[Edge], windows: &[Window], southern: bool) -> (Position, f64) {
    // Noon tells the longitude to within the equation of time and lopsided roofs.
    let noon_deg = windows.first().map_or(0.0, |window| {
        // First and last light are often those of different days.
        let length_s = (window.last - window.first).num_seconds().rem_euclid(86_400);
        let middle = window.first + TimeDelta::seconds(length_s / 2);
        (43_200 - middle.timestamp().rem_euclid(86_400)) as f64 / 240.0
    });
    let cost = |latitude_deg: f64, longitude_deg: f64| {
        let longitude_deg = (longitude_deg + 180.0).rem_euclid(360.0) - 180.0;
        let place = Position { latitude_deg, longitude_deg };
        let home = if southern { -32.0 } else { 42.0 };
        (misfit(sight, place) + PRIOR_DEG2 * ((latitude_deg - home) / 15.0).powi(2).min(9.0), place)
    };
    let mut best = (f64::INFINITY, Position { latitude_deg: 0.0, longitude_deg: noon_deg });
    for latitude in -22..=22 {
        for longitude in -8..=8 {
            let tried = cost(f64::from(latitude) * 3.0, noon_deg + f64::from(longitude) * 3.0);
            if tried.0 < best.0 {
                best = tried;
            }
        }
    }
    for step in [1.0, 0.25] {
        let centre = best.1;
        for latitude in -3..=3 {
            for longitude in -3..=3 {
                let latitude_deg = (centre.latitude_deg + step * f64::from(latitude)).clamp(-66.0, 66.0);
                let tried = cost(latitude_deg, centre.longitude_deg + step * f64::from(longitude));
                if tried.0 < best.0 {
                    best = tried;
                }
            }
        }
    }
    (best.1, misfit(sight, best.1))
}

/// The windows of a history's last [`DAYS`] days.
fn windows(past: &Past<'_>) -> Vec<Window> {
    let values = past.values();
    let step_s = past.step().num_seconds().max(1);
    let per_day = usize::try_from(86_400 / step_s).unwrap_or(0);
    if per_day < 8 {
        return Vec::new();
    }
    let from = values.len().saturating_sub(DAYS * per_day);
    let mut positive: Vec<f64> = values[from..].iter().flatten().copied().filter(|value| *value > 0.0).collect();
    positive.sort_unstable_by(f64::total_cmp);
    // Not the very largest, which may be a fault of the meter.
    let Some(largest) = positive.get(positive.len().saturating_sub(1 + positive.len() / 200)) else {
        return Vec::new();
    };
    let on = ON * largest;
    // The middle of the day is where the output's centre of gravity is, round the clock.
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate().skip(from) {
        let angle = std::f64::consts::TAU * (index % per_day) as f64 / per_day as f64;
        let value = value.unwrap_or(0.0).max(0.0);
        sine += value * angle.sin();
        cosine += value * angle.cos();
    }
    let noon = sine.atan2(cosine).rem_euclid(std::f64::consts::TAU) / std::f64::consts::TAU;
    let midnight = (0..per_day)
        .min_by(|a, b| {
            let far = |k: &usize| (((*k as f64 / per_day as f64) - noon).rem_euclid(1.0) - 0.5).abs();
            far(a).total_cmp(&far(b))
        })
        .unwrap_or(0);
    let first_day = from + (midnight + per_day - from % per_day) % per_day;
    let start_of = |index: usize| past.start() + TimeDelta::seconds(step_s * i64::try_from(index).unwrap_or(0));
    let mut found = Vec::new();
    let mut day = first_day;
    while day + per_day <= values.len() {
        let mut earliest: Option<(usize, usize)> = None;
        let mut latest: Option<(usize, usize)> = None;
        for start in (day..(day + WINDOW_DAYS * per_day).min(values.len())).step_by(per_day) {
            let Some(of_day) = values.get(start..start + per_day) else { break };
            // A day with gaps may begin or end in one.
            if of_day.iter().flatten().count() * 10 < per_day * 9 {
                continue;
            }
            let is_on = |value: &Option<f64>| value.is_some_and(|value| value > on);
            if let (Some(first), Some(last)) = (of_day.iter().position(is_on), of_day.iter().rposition(is_on)) {
                if earliest.is_none_or(|(so_far, _)| first < so_far) {
                    earliest = Some((first, start + first));
                }
                if latest.is_none_or(|(so_far, _)| last > so_far) {
                    latest = Some((last, start + last));
                }
            }
        }
        if let (Some((_, first)), Some((_, last))) = (earliest, latest) {
            found.push(Window { first: start_of(first), last: start_of(last) });
        }
        day += WINDOW_DAYS * per_day;
    }
    found
}
