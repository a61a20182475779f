//! What was possible for a vehicle: full power from plugging in to leaving, were it alone on the site with the building.

use chrono::{DateTime, TimeDelta, Utc};

use super::world::{Stay, World};
use crate::control::setup::Setup;

/// Length of a step in s.
const STEP_S: i64 = 60;

/// Share of the full power that a full battery still takes.
const FULL_SHARE: f64 = 0.15;

/// What boards leave to a vehicle by itself.
pub struct Room<'w> {
    setup: &'w Setup,
    world: &'w World,
    /// What the building draws at each board and below, by phase and step of the world.
    building_a: Vec<[Vec<f64>; 3]>,
}

impl<'w> Room<'w> {
    /// The room of some days.
    pub fn of(setup: &'w Setup, world: &'w World) -> Room<'w> {
        let mut building_a = world.building_a.clone();
        building_a.resize(setup.nodes.len(), std::array::from_fn(|_| Vec::new()));
        for &node in setup.downwards.iter().rev() {
            let Some(parent) = setup.nodes[node].parent else { continue };
            for phase in 0..3 {
                let below = building_a[node][phase].clone();
                let above = &mut building_a[parent][phase];
                above.resize(above.len().max(below.len()), 0.0);
                above.iter_mut().zip(below).for_each(|(above, below)| *above += below);
            }
        }
        Room { setup, world, building_a }
    }

    /// The energy in kWh at the station, never more than the need.
    pub fn possible_kwh(&self, stay: &Stay, from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        let device = &self.setup.devices[stay.device];
        let wired = self.world.chargers.get(stay.device).and_then(|charger| charger.true_phases.as_ref());
        let phases = wired.unwrap_or(&device.phases);
        let used = phases.len().min(usize::from(stay.car.phases));
        let choices = if device.chooses_phase && used == 1 { phases.len() } else { 1 };
        let on = |first: usize| self.got_kwh(stay, &phases[first..first + used], from, until);
        (0..choices).map(on).fold(0.0, f64::max).min(stay.need_kwh)
    }

    /// What full power on some phases gives, in kWh.
    fn got_kwh(&self, stay: &Stay, used: &[usize], from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        let device = &self.setup.devices[stay.device];
        let (car, mut soc_kwh) = (&stay.car, stay.soc_kwh);
        let mut got_kwh = 0.0;
        let mut at = from;
        while at < until && got_kwh < stay.need_kwh {
            let end = (at + TimeDelta::seconds(STEP_S)).min(until);
            let room_a = self.room_a(device.node, used, at);
            let fade = (1.0 - soc_kwh / car.capacity_kwh) / (1.0 - car.taper_from_soc).max(1e-6);
            let taper = (FULL_SHARE + (1.0 - FULL_SHARE) * fade).clamp(0.0, 1.0);
            let wanted_a = (car.max_a * taper).max(car.min_a);
            let amps = wanted_a.min(device.max_a).min(room_a);
            if soc_kwh < car.capacity_kwh && amps >= car.min_a {
                let kw = self.setup.kw(amps, used.len());
                let hours = (end - at).as_seconds_f64() / 3600.0;
                got_kwh += kw * hours;
                soc_kwh += (kw - car.own_kw).max(0.0) * car.efficiency * hours;
            }
            at = end;
        }
        got_kwh
    }

    /// What boards leave on some phases, in A.
    fn room_a(&self, node: usize, phases: &[usize], at: DateTime<Utc>) -> f64 {
        let step = (at - self.world.start).num_seconds() / i64::from(self.world.step_s.max(1));
        let step = usize::try_from(step).unwrap_or(0);
        let room = |board: usize, phase: usize| {
            let building = &self.building_a[board][phase];
            let drawn = building.get(step).or(building.last()).copied().unwrap_or(0.0);
            self.setup.nodes[board].limit_a[phase] - drawn
        };
        let chain = self.setup.chain(node).flat_map(|board| phases.iter().map(move |&phase| (board, phase)));
        chain.map(|(board, phase)| room(board, phase)).fold(f64::INFINITY, f64::min)
    }
}
