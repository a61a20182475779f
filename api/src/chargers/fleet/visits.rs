//! Who comes while the stations run: cars and energies as observed, one after the other at each station.

use chrono::{DateTime, Days, Utc};
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plant::population::{Crowd, Habit, Visit, draw};
use kwartier_engine::plant::world::{Car, Stay, Told};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::faults::seconds;

/// The first vehicles come within so many minutes, the next ones after a pause of so many, each divided by the speed.
const FIRST_MIN: f64 = 15.0;
const PAUSE_MIN: [f64; 2] = [5.0, 45.0];

/// How long they stay, in h, divided by the speed.
const STAY_H: [f64; 2] = [1.0, 8.0];

/// Share of the cars that fall asleep while they wait.
const SLEEPERS: f64 = 0.05;

/// Days of visits that cars and energies are drawn from.
const DAYS: u64 = 5;

/// The stays at all stations. Vehicles come and go, and fill, `speed` times as fast as real ones: everything that has to do
/// with electricity and messages takes as long as it does.
pub fn stays(setup: &Setup, from: DateTime<Utc>, until: DateTime<Utc>, speed: f64, seed: u64) -> Vec<Stay> {
    let stations = setup.devices.iter().filter(|device| device.kind == Kind::Station).count();
    let crowd = Crowd {
        habit: Habit::Workplace,
        per_day: stations.clamp(50, 1000) as f64,
        stations: stations.clamp(50, 1000),
        sleepers: SLEEPERS,
    };
    let first = from.with_timezone(&setup.zone).date_naive();
    let last = first.checked_add_days(Days::new(DAYS)).unwrap_or(first);
    let drawn = draw(&crowd, setup.zone, (first, last), seed);
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut all = Vec::new();
    for (device, station) in setup.devices.iter().enumerate().filter(|(_, device)| device.kind == Kind::Station) {
        let mut at = from + seconds(60.0 * chance.random_range(0.0..FIRST_MIN) / speed);
        while at < until && !drawn.is_empty() {
            let visit = &drawn[chance.random_range(0..drawn.len())];
            let leaves = at + seconds(3600.0 * chance.random_range(STAY_H[0]..STAY_H[1]) / speed);
            all.push(stay(visit, device, &station.id, (at, leaves), speed));
            at = leaves + seconds(60.0 * chance.random_range(PAUSE_MIN[0]..PAUSE_MIN[1]) / speed);
        }
    }
    all.sort_by_key(|stay| stay.plugs_in);
    all
}

fn stay(
    visit: &Visit,
    device: usize,
    station: &str,
    (plugs_in, leaves): (DateTime<Utc>, DateTime<Utc>),
    speed: f64,
) -> Stay {
    let need_kwh = visit.need_kwh / speed;
    let car = Car { capacity_kwh: visit.car.capacity_kwh / speed, ..visit.car };
    Stay {
        id: format!("{station} {}", plugs_in.format("%H:%M:%S")),
        device,
        plugs_in,
        leaves,
        comes: true,
        car,
        soc_kwh: (car.capacity_kwh - need_kwh * car.efficiency).max(0.0),
        need_kwh,
        told: Told { phases: None, need_kwh: None, departure: None, priority: 0, guaranteed_a: 0.0 },
    }
}
