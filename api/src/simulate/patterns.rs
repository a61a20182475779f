//! Visits drawn from a pattern: round figures after what public records of each kind of place have in common.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::local::{self, next_day};

use super::dice::Dice;
use super::scenario::{Pattern, seconds};
use super::visits::{Raw, weekend};

/// A pattern as numbers: means and standard deviations.
struct Shape {
    /// Hour of the day of arrival.
    arrival_h: [f64; 2],
    /// Length of the stay in h, or the hour of the next day at which it ends.
    stay: Stay,
    /// Median of the need in kWh, and the standard deviation of its logarithm.
    need_kwh: [f64; 2],
    /// How much of a working day's visits there are on Saturdays and Sundays.
    weekend: f64,
    /// Whether the same vehicles come again, each to its own station.
    regular: bool,
    /// What vehicles are called.
    name: &'static str,
}

enum Stay {
    Hours([f64; 2]),
    NextDay([f64; 2]),
}

impl Pattern {
    fn shape(self) -> Shape {
        match self {
            Pattern::Depot => Shape {
                arrival_h: [17.25, 1.0],
                stay: Stay::NextDay([6.75, 0.5]),
                need_kwh: [30.0, 0.4],
                weekend: 0.2,
                regular: true,
                name: "Van",
            },
            Pattern::Workplace => Shape {
                arrival_h: [8.4, 0.8],
                stay: Stay::Hours([8.2, 1.2]),
                need_kwh: [13.0, 0.6],
                weekend: 0.05,
                regular: true,
                name: "Staff",
            },
            Pattern::Home => Shape {
                arrival_h: [18.5, 1.7],
                stay: Stay::NextDay([7.75, 1.2]),
                need_kwh: [9.0, 0.7],
                weekend: 0.8,
                regular: true,
                name: "Home",
            },
            Pattern::Visitors => Shape {
                arrival_h: [13.5, 3.0],
                stay: Stay::Hours([1.8, 1.0]),
                need_kwh: [9.0, 0.6],
                weekend: 0.9,
                regular: false,
                name: "Visitor",
            },
        }
    }
}

/// The visits of some days, first and last included.
pub fn draw(
    pattern: Pattern,
    per_day: f64,
    stations: usize,
    zone: Tz,
    (first, last): (NaiveDate, NaiveDate),
    dice: &mut Dice,
) -> Vec<Raw> {
    let shape = pattern.shape();
    let mut raw = Vec::new();
    let (mut day, mut visitor) = (first, 0);
    while day <= last {
        let wanted = per_day * if weekend(day) { shape.weekend } else { 1.0 };
        if shape.regular {
            // Each vehicle comes with the same probability; as many as there are stations, or more where more come a day.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of vehicles")]
            let vehicles = stations.max(per_day.clamp(0.0, 1e6).ceil() as usize).max(1);
            for vehicle in 0..vehicles {
                if dice.happens(wanted / vehicles as f64) {
                    raw.push(shape.visit(day, zone, format!("{} {}", shape.name, vehicle + 1), dice));
                }
            }
        } else {
            let mut left = wanted;
            while left > 0.0 && dice.happens(left.min(1.0)) {
                left -= 1.0;
                visitor += 1;
                raw.push(shape.visit(day, zone, format!("{} {visitor}", shape.name), dice));
            }
        }
        day = next_day(day);
    }
    raw
}

impl Shape {
    fn visit(&self, day: NaiveDate, zone: Tz, vehicle: String, dice: &mut Dice) -> Raw {
        let near = |[mean, deviation]: [f64; 2], dice: &mut Dice| mean + deviation * dice.normal().clamp(-2.5, 2.5);
        let hour =
            |day: NaiveDate, h: f64| -> DateTime<Utc> { local::day_start(zone, day) + seconds((3600.0 * h).round()) };
        let from = hour(day, near(self.arrival_h, dice).clamp(0.25, 23.75));
        let until = match self.stay {
            Stay::Hours(hours) => from + seconds((3600.0 * near(hours, dice).max(0.4)).round()),
            Stay::NextDay(hours) => hour(next_day(day), near(hours, dice)).max(from + TimeDelta::hours(1)),
        };
        let [median, spread] = self.need_kwh;
        let need_kwh = (median * (spread * dice.normal().clamp(-2.5, 2.5)).exp()).max(1.0);
        Raw { vehicle, station: None, from, until, need_kwh, group: None, car: None, soc_kwh: None, announced: false }
    }
}
