//! What flows through a site while a plan is followed, as a person would measure it.

use std::collections::HashMap;

use kwartier_data::instance::{Instance, PhaseIndex};
use kwartier_data::plan::Plan;

use crate::model::boards::Boards;

/// Power at the grid connection by kind, and the current of every phase of every board, one value a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Net power at the connection in kW, import positive.
    pub net_kw: Vec<f64>,
    /// What the building draws, without anything flexible, in kW.
    pub building_kw: Vec<f64>,
    /// PV in use in kW, positive.
    pub pv_kw: Vec<f64>,
    /// PV there is, in use or not, in kW.
    pub sun_kw: Vec<f64>,
    /// What vehicles draw less what they feed in, in kW.
    pub vehicles_kw: Vec<f64>,
    /// What stationary batteries draw less what they feed in, in kW.
    pub batteries_kw: Vec<f64>,
    /// What flexible loads draw, in kW.
    pub loads_kw: Vec<f64>,
    /// Signed current by board and phase in A, everything below the board included.
    pub boards_a: Vec<[Vec<f64>; 3]>,
}

impl Profile {
    /// The profile of a plan. What the plan does not name, or names with a series of the wrong length, counts as idle.
    pub fn of(instance: &Instance, plan: &Plan) -> Self {
        let mut profile = Self::without_flexibility(instance, plan);
        let by_id: HashMap<&str, _> = plan.sessions.iter().map(|entry| (entry.id.as_str(), entry)).collect();
        for session in &instance.sessions {
            let Some(entry) = by_id.get(session.id.as_str()) else { continue };
            let node = instance.chargers[session.charger].node;
            let kw_per_a = instance.kw_per_a() * session.phases as f64;
            for (series, sign) in [(&entry.charge_a, 1.0), (&entry.discharge_a, -1.0)] {
                add(&mut profile.vehicles_kw, series, sign * kw_per_a);
                profile.draw(node, instance.session_phases(session), series, sign);
            }
        }
        let a_per_kw = 1.0 / instance.kw_per_a();
        let by_id: HashMap<&str, _> = plan.batteries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
        for battery in &instance.batteries {
            let Some(entry) = by_id.get(battery.id.as_str()) else { continue };
            for (series, sign) in [(&entry.charge_kw, 1.0), (&entry.discharge_kw, -1.0)] {
                add(&mut profile.batteries_kw, series, sign);
                profile.draw(battery.node, &[0, 1, 2], series, sign * a_per_kw / 3.0);
            }
        }
        let by_id: HashMap<&str, _> = plan.loads.iter().map(|entry| (entry.id.as_str(), entry)).collect();
        for load in &instance.loads {
            let Some(entry) = by_id.get(load.id.as_str()) else { continue };
            add(&mut profile.loads_kw, &entry.kw, 1.0);
            profile.draw(load.node, &load.phases, &entry.kw, a_per_kw / load.phases.len() as f64);
        }
        profile.carry_up(instance);
        for slot in 0..instance.slots {
            profile.net_kw[slot] = profile.building_kw[slot] - profile.pv_kw[slot]
                + profile.vehicles_kw[slot]
                + profile.batteries_kw[slot]
                + profile.loads_kw[slot];
        }
        profile
    }

    /// The building and its PV, as far as the plan uses it; boards carry what arises at themselves.
    fn without_flexibility(instance: &Instance, plan: &Plan) -> Self {
        let zeros = || vec![0.0; instance.slots];
        let fixed_pv_kw = |slot: usize| -> f64 {
            instance.pv.iter().filter(|plant| !plant.curtailable).map(|plant| plant.kw[slot]).sum()
        };
        let mut profile = Profile {
            net_kw: zeros(),
            building_kw: (0..instance.slots).map(|slot| instance.fixed_kw(slot) + fixed_pv_kw(slot)).collect(),
            pv_kw: zeros(),
            sun_kw: zeros(),
            vehicles_kw: zeros(),
            batteries_kw: zeros(),
            loads_kw: zeros(),
            boards_a: instance.base_load_a.clone(),
        };
        let used: HashMap<&str, &[f64]> = plan.pv.iter().map(|entry| (entry.id.as_str(), &entry.used_kw[..])).collect();
        for plant in &instance.pv {
            let in_use = match used.get(plant.id.as_str()) {
                Some(series) if plant.curtailable => *series,
                _ if plant.curtailable => &[],
                _ => &plant.kw[..],
            };
            add(&mut profile.sun_kw, &plant.kw, 1.0);
            add(&mut profile.pv_kw, in_use, 1.0);
            let a_per_kw = 1.0 / (instance.kw_per_a() * plant.phases.len() as f64);
            profile.draw(plant.node, &plant.phases, in_use, -a_per_kw);
        }
        profile
    }

    fn draw(&mut self, node: usize, phases: &[PhaseIndex], series: &[f64], factor: f64) {
        for &phase in phases {
            add(&mut self.boards_a[node][phase], series, factor);
        }
    }

    /// Adds what each board carries to the board above it, children first.
    fn carry_up(&mut self, instance: &Instance) {
        for node in Boards::of(instance).children_first {
            let Some(above) = instance.nodes[node].parent else { continue };
            let own = std::mem::take(&mut self.boards_a[node]);
            for (phase, series) in own.iter().enumerate() {
                add(&mut self.boards_a[above][phase], series, 1.0);
            }
            self.boards_a[node] = own;
        }
    }

    /// The highest slot-average import in kW; 0 where there is none.
    pub fn highest_import_kw(&self) -> f64 {
        self.net_kw.iter().copied().fold(0.0, f64::max)
    }
}

/// Adds `factor` × `values`; a series of another length adds nothing.
fn add(sum: &mut [f64], values: &[f64], factor: f64) {
    if values.len() == sum.len() {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += factor * value;
        }
    }
}
