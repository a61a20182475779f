//! Who comes to the demo depot and goes: vans over night, staff by day, visitors at any time.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plant::population::{Crowd, Habit, Visit, draw};
use kwartier_engine::plant::world::{Noise, Pv, Stay, Told, World};

use super::past::{Past, SHARES};
use crate::simulate::world::{runs, stores};

/// How long the depot is played before it begins anew, in days.
const DAYS: i64 = 7;

/// Who is there when it begins came within so long before.
const BEFORE: TimeDelta = TimeDelta::hours(20);

/// Vehicles that are there when it begins plug in one after the other, so many ms apart, once stations have connected and were told
/// what they may draw.
const FIRST_MS: i64 = 10_000;
const APART_MS: i64 = 200;

/// So many at least are there when it begins: on a Sunday there would be little to see.
const LEAST: usize = 8;

/// How long a station stays free between two visits.
const CHANGE: TimeDelta = TimeDelta::minutes(2);

/// The groups of the site, in the order of the stations: vans at every third, then staff, then visitors; and how many come to
/// a station on a day.
const GROUPS: [(&str, Habit, f64); 3] =
    [("Vans", Habit::Depot, 0.95), ("Staff", Habit::Workplace, 0.9), ("Visitors", Habit::Public, 4.0)];

/// The group of those who come to a station.
pub fn group(device: usize) -> &'static str {
    GROUPS[device % GROUPS.len()].0
}

/// Some days from an instant on.
pub fn world(site: &Site, setup: &Setup, past: &Past, start: DateTime<Utc>, seed: u64) -> World {
    let end = start + TimeDelta::days(DAYS);
    let mut world = World::empty(start, end);
    let steps = usize::try_from((end - start).num_minutes() / 15).unwrap_or(0);
    let at = |step: usize| start + TimeDelta::minutes(15) * i32::try_from(step).unwrap_or(i32::MAX);
    world.building_a = vec![std::array::from_fn(|_| Vec::new()); setup.nodes.len()];
    world.noise = vec![Noise::default(); setup.nodes.len()];
    if let Some(root) = setup.root() {
        let amps = |step: usize, share: f64| past.building_kw(at(step)) * 1000.0 / setup.voltage_v * share;
        world.building_a[root] = SHARES.map(|share| (0..steps).map(|step| amps(step, share)).collect());
        let (sigma, correlation_s) = (0.04, 45.0);
        world.noise[root] = Noise { sigma, correlation_s, motors_per_h: 2.0, motor_a: 18.0, motor_s: 1.5 };
    }
    for plant in &site.pv {
        let Some(node) = setup.node(&plant.board) else { continue };
        let kw = (0..steps).map(|step| past.pv_kw(at(step)) * plant.peak_kw).collect();
        let noise = Noise { sigma: 0.15, correlation_s: 90.0, ..Noise::default() };
        world.pv.push(Pv { node, phases: vec![0, 1, 2], kw, noise });
    }
    world.stores = stores(site, setup);
    world.runs = runs(site, setup, start, end);
    world.stays = stays(setup, start, end, seed);
    world
}

fn stays(setup: &Setup, start: DateTime<Utc>, end: DateTime<Utc>, seed: u64) -> Vec<Stay> {
    let day = |at| local::day(setup.zone, at);
    let mut stays = Vec::new();
    for (which, &(_, habit, per_station)) in GROUPS.iter().enumerate() {
        let stations: Vec<usize> = (0..setup.devices.len())
            .filter(|&device| setup.devices[device].kind == Kind::Station && device % GROUPS.len() == which)
            .collect();
        let per_day = per_station * stations.len() as f64;
        let crowd = Crowd { habit, per_day, stations: stations.len(), sleepers: 0.0 };
        let visits = draw(&crowd, setup.zone, (day(start - BEFORE), day(end)), seed + which as u64);
        let mut free_from = vec![DateTime::<Utc>::MIN_UTC; stations.len()];
        for visit in visits {
            // Who finds no station free goes elsewhere.
            let Some(k) = (0..stations.len()).find(|&k| free_from[k] <= visit.from) else { continue };
            free_from[k] = visit.until + CHANGE;
            stays.push(stay(stations[k], &visit));
        }
    }
    stays.retain(|stay| stay.leaves > start + TimeDelta::minutes(5) && stay.plugs_in < end);
    come_early(&mut stays, start);
    let mut here = 0;
    for stay in &mut stays {
        if stay.plugs_in <= start {
            here += 1;
            // It has got its share of what it needs so far.
            let whole_s = (stay.leaves - stay.plugs_in).as_seconds_f64().max(1.0);
            let left = ((stay.leaves - start).as_seconds_f64() / whole_s).clamp(0.25, 1.0);
            let got_kwh = stay.need_kwh * (1.0 - left);
            stay.soc_kwh += got_kwh * stay.car.efficiency;
            stay.need_kwh -= got_kwh;
            stay.told.need_kwh = stay.told.need_kwh.map(|kwh| (kwh - got_kwh).max(0.5));
            stay.plugs_in = start + TimeDelta::milliseconds(FIRST_MS + APART_MS * here);
        }
        stay.told.departure = stay.told.departure.map(|told| told.max(stay.plugs_in + TimeDelta::minutes(15)));
    }
    stays.sort_by_key(|stay| (stay.plugs_in, stay.device));
    for (k, stay) in stays.iter_mut().enumerate() {
        stay.id = format!("demo-{}-{:03}", start.format("%Y%m%d-%H%M%S"), k + 1);
    }
    stays
}

/// Whoever comes next has come already, at stations that are free, until enough are there.
fn come_early(stays: &mut [Stay], start: DateTime<Utc>) {
    stays.sort_by_key(|stay| stay.plugs_in);
    let mut taken: BTreeSet<usize> =
        stays.iter().filter(|stay| stay.plugs_in <= start).map(|stay| stay.device).collect();
    for stay in stays.iter_mut().filter(|stay| stay.plugs_in > start) {
        if taken.len() >= LEAST {
            return;
        }
        if taken.insert(stay.device) {
            let early = stay.plugs_in - start;
            stay.plugs_in = start;
            stay.leaves -= early;
            stay.told.departure = stay.told.departure.map(|told| told - early);
        }
    }
}

/// A visit at a station: what it needs is told, and when it leaves.
fn stay(device: usize, visit: &Visit) -> Stay {
    let arrives_kwh = (visit.car.capacity_kwh - 1.1 * visit.need_kwh * visit.car.efficiency).max(0.0);
    let told = Told {
        phases: None,
        need_kwh: Some(visit.need_kwh),
        departure: Some(visit.until),
        priority: 0,
        guaranteed_a: 0.0,
    };
    Stay {
        id: String::new(),
        device,
        plugs_in: visit.from,
        leaves: visit.until,
        comes: true,
        car: visit.car,
        soc_kwh: arrives_kwh,
        need_kwh: visit.need_kwh,
        told,
    }
}

#[cfg(test)]
mod tests {
    use kwartier_engine::control::settings::Settings;

    use super::super::site::site;
    use super::*;

    #[test]
    fn somebody_is_there_at_every_hour_of_the_week_and_no_station_has_two() {
        let site = site().unwrap();
        let zone = local::zone(&site.time_zone).unwrap();
        let setup = Setup::of(&site, zone, Settings::default());
        let monday: DateTime<Utc> = "2026-11-23T00:40:00Z".parse().unwrap();
        for hour in (0..7 * 24).step_by(4) {
            let start = monday + TimeDelta::hours(hour);
            let stays = stays(&setup, start, start + TimeDelta::days(2), 1);
            let here = stays.iter().filter(|stay| stay.plugs_in < start + TimeDelta::minutes(1)).count();
            assert!(here >= LEAST, "{here} at {start}");
            let mut by_station = stays.clone();
            by_station.sort_by_key(|stay| (stay.device, stay.plugs_in));
            for pair in by_station.windows(2).filter(|pair| pair[0].device == pair[1].device) {
                assert!(pair[0].leaves <= pair[1].plugs_in, "{pair:?}");
            }
            assert!(stays.iter().all(|stay| stay.told.departure.unwrap() > stay.plugs_in));
        }
    }
}
