//! What is counted from step to step: the highest quarter-hour of the month, what is in batteries, and what is measured and
//! kept by nobody else.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use kwartier_data::site::Site;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::control::{Event, State, Stays};

use crate::planning::foresee;
use crate::store::Measured;

/// Measurements of boards that come from devices are kept every so many s; those of chargers and the building every minute.
const BOARD_S: i64 = 10;

/// A step that is longer than so many s is a gap.
const GAP_S: f64 = 60.0;

/// What is counted of a site.
#[derive(Debug)]
pub struct Metering {
    last: Option<DateTime<Utc>>,
    /// The running quarter-hour: its number since 1970, kWh imported less exported, and s counted.
    quarter: (i64, f64, f64),
    /// The month, and its highest quarter-hour in kW.
    peak: ((i32, u32), f64),
    /// Energy in each battery in kWh: device, capacity, efficiency, content.
    batteries: Vec<Battery>,
    /// The last reading of each board's meter, and whether it came from a device.
    pub meters: Vec<Option<Reading>>,
    /// The last reading of each device on its own phases.
    pub drawn: Vec<Option<(DateTime<Utc>, [f64; 3])>>,
    /// What the building draws at the root: sums over the running minute, and how many there are.
    building: ([f64; 3], u32),
    /// The last slice of time in which boards, and chargers, were kept.
    kept: (i64, i64),
}

/// A reading of a board's meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// L1, L2, L3 in A.
    pub phases_a: [f64; 3],
    /// Whether nobody else keeps it.
    pub ours: bool,
}

#[derive(Debug)]
struct Battery {
    device: usize,
    id: String,
    capacity_kwh: f64,
    efficiency: f64,
    kwh: f64,
}

impl Metering {
    /// Nothing is counted yet.
    pub fn new(site: &Site, setup: &Setup) -> Metering {
        let battery = |battery: &kwartier_data::site::Battery| {
            let device = setup.devices.iter().position(|d| d.kind == Kind::Battery && d.id == battery.id)?;
            Some(Battery {
                device,
                id: battery.id.clone(),
                capacity_kwh: battery.capacity_kwh,
                efficiency: battery.efficiency.clamp(0.1, 1.0),
                kwh: battery.soc_kwh.unwrap_or(battery.capacity_kwh / 2.0),
            })
        };
        Metering {
            last: None,
            quarter: (i64::MIN, 0.0, 0.0),
            peak: ((0, 0), 0.0),
            batteries: site.batteries.iter().filter_map(battery).collect(),
            meters: vec![None; setup.nodes.len()],
            drawn: vec![None; setup.devices.len()],
            building: ([0.0; 3], 0),
            kept: (0, 0),
        }
    }

    /// Takes over what was counted before the site changed, of things that still are there.
    pub fn take_over(&mut self, before: &Metering, setup: &Setup, stays: &Stays) {
        (self.last, self.peak, self.kept) = (before.last, before.peak, before.kept);
        if setup.root().is_some_and(|root| stays.nodes[root].is_some()) {
            (self.quarter, self.building) = (before.quarter, before.building);
        }
        for battery in &mut self.batteries {
            if let Some(was) = before.batteries.iter().find(|was| was.id == battery.id) {
                battery.kwh = was.kwh.min(battery.capacity_kwh);
            }
        }
        for (meter, was) in self.meters.iter_mut().zip(&stays.nodes) {
            *meter = was.and_then(|was| before.meters[was]);
        }
        for (drawn, was) in self.drawn.iter_mut().zip(&stays.devices) {
            *drawn = was.and_then(|was| before.drawn[was]);
        }
    }

    /// The highest quarter-hour of this month so far, from before.
    pub fn peak_was(&mut self, kw: f64, now: DateTime<Utc>, setup: &Setup) {
        self.peak = (month(now, setup), kw);
    }

    /// The highest import of a quarter-hour of this month so far, in kW.
    pub fn peak_kw(&self) -> f64 {
        self.peak.1
    }

    /// What is in batteries in kWh, by name.
    pub fn stored_kwh(&self) -> Vec<(String, f64)> {
        self.batteries.iter().map(|battery| (battery.id.clone(), battery.kwh)).collect()
    }

    /// Takes in what was measured.
    pub fn hear(&mut self, events: &[Event], ours: bool, now: DateTime<Utc>) {
        for event in events {
            match event {
                Event::Meter { node, phases_a, .. } => {
                    self.meters[*node] = Some(Reading { at: now, phases_a: *phases_a, ours });
                }
                Event::Drawn { device, phases_a, .. } => self.drawn[*device] = Some((now, *phases_a)),
                _ => {}
            }
        }
    }

    /// Counts up to now; what is to be kept.
    pub fn pass(&mut self, site: &str, setup: &Setup, state: &State, now: DateTime<Utc>) -> Vec<Measured> {
        let passed_s = self.last.map_or(0.0, |last| (now - last).as_seconds_f64());
        self.last = Some(now);
        if (0.0..=GAP_S).contains(&passed_s) {
            self.count_quarter(setup, now, passed_s);
            self.count_batteries(setup, passed_s);
        }
        let Some(root) = setup.root() else { return Vec::new() };
        if state.meter_believed(root) {
            let building_a = state.building_a(root);
            (0..3).for_each(|phase| self.building.0[phase] += building_a[phase]);
            self.building.1 += 1;
        }
        self.keep(site, setup, root, now)
    }

    fn count_quarter(&mut self, setup: &Setup, now: DateTime<Utc>, passed_s: f64) {
        let Some(reading) = setup.root().and_then(|root| self.meters[root]) else { return };
        let fresh = (now - reading.at).as_seconds_f64() < GAP_S;
        let kw = if fresh { reading.phases_a.iter().sum::<f64>() * setup.voltage_v / 1000.0 } else { 0.0 };
        let number = now.timestamp().div_euclid(900);
        if number != self.quarter.0 {
            let (_, kwh, counted_s) = self.quarter;
            let month = month(now - TimeDelta::minutes(1), setup);
            if month != self.peak.0 {
                self.peak = (month, 0.0);
            }
            // A quarter-hour that was hardly measured says nothing.
            if counted_s > 600.0 {
                self.peak.1 = self.peak.1.max(kwh * 3600.0 / counted_s);
            }
            self.quarter = (number, 0.0, 0.0);
        }
        if fresh {
            self.quarter.1 += kw * passed_s / 3600.0;
            self.quarter.2 += passed_s;
        }
    }

    fn count_batteries(&mut self, setup: &Setup, passed_s: f64) {
        for battery in &mut self.batteries {
            let Some((_, phases_a)) = self.drawn[battery.device] else { continue };
            let kwh = phases_a.iter().sum::<f64>() * setup.voltage_v / 1000.0 * passed_s / 3600.0;
            let flows_kwh = if kwh > 0.0 { kwh * battery.efficiency } else { kwh / battery.efficiency };
            battery.kwh = (battery.kwh + flows_kwh).clamp(0.0, battery.capacity_kwh);
        }
    }

    fn keep(&mut self, site: &str, setup: &Setup, root: usize, now: DateTime<Utc>) -> Vec<Measured> {
        let slices = (now.timestamp().div_euclid(BOARD_S), now.timestamp().div_euclid(60));
        let (boards, minute) = (slices.0 != self.kept.0, slices.1 != self.kept.1);
        self.kept = slices;
        let mut rows = Vec::new();
        let mut row = |place: String, at: DateTime<Utc>, phases_a: [f64; 3]| {
            let (site, power_kw, energy_kwh) = (site.to_owned(), None, None);
            rows.push(Measured { site, place, at, phases_a, power_kw, energy_kwh });
        };
        if boards {
            for (node, reading) in setup.nodes.iter().zip(&self.meters) {
                let Some(reading) = reading.filter(|reading| reading.ours) else { continue };
                if now - reading.at <= TimeDelta::seconds(BOARD_S) {
                    row(format!("node/{}", node.id), reading.at, reading.phases_a);
                }
            }
        }
        if minute {
            for (device, drawn) in setup.devices.iter().zip(&self.drawn) {
                let Some((at, phases_a)) = drawn.filter(|(at, _)| now - *at <= TimeDelta::minutes(1)) else { continue };
                row(format!("charger/{}", device.id), at, phases_a);
            }
            let (sums, count) = std::mem::take(&mut self.building);
            if count > 0 {
                row(foresee::place(&setup.nodes[root].id), now, sums.map(|sum| sum / f64::from(count)));
            }
        }
        rows
    }
}

fn month(at: DateTime<Utc>, setup: &Setup) -> (i32, u32) {
    let local = at.with_timezone(&setup.zone);
    (local.year(), local.month())
}
