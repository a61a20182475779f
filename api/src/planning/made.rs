//! A plan as the loop, the page and the API want it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kwartier_data::instance::Instance;
use kwartier_data::{Plan, instance};
use kwartier_engine::control::Stays;
use kwartier_engine::control::event::Targets;
use kwartier_engine::control::setup::Setup;
use serde::{Deserialize, Serialize};

use crate::resource::status::PlanStatus;
use crate::simulate::planner::targets;
use crate::store::KeptPlan;

/// What is told of a plan without reading it whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What it rests on: `fresh`, or what was missing and what stood for it.
    pub basis: Vec<String>,
    /// How it was made: `decomposition`, `exact`, `previous`, `rule`.
    pub method: String,
    /// Why it was made: `quarter`, `arrival`, …
    pub reason: String,
    /// What it costs in EUR.
    pub cost_eur: f64,
    /// The proven bound below which no plan can be, in EUR; absent where nothing is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_eur: Option<f64>,
    /// Vehicles that will not get all they need, and how many kWh short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<(String, f64)>,
    /// A hash of what it was made from: the same inputs make the same plan.
    pub inputs: String,
}

/// A plan.
#[derive(Debug)]
pub struct Made {
    /// As it is kept.
    pub kept: Arc<KeptPlan>,
    /// What is told of it.
    pub summary: Summary,
    /// The plan, to warm-start the next one.
    pub plan: Arc<Plan>,
    /// As the fast loop takes it.
    pub targets: Arc<Targets>,
    /// As the page shows it.
    pub status: PlanStatus,
    /// By device, energy at the charger that is still to come at the beginning of each slot, in kWh.
    remaining_kwh: Vec<Option<Vec<f64>>>,
}

impl Made {
    /// A plan that was made or was kept, for a site as it is now. Devices where a vehicle is get nothing where the plan does
    /// not know them.
    pub fn of(kept: KeptPlan, setup: &Setup, present: &[usize]) -> Result<Made, String> {
        let wire: instance::wire::Instance =
            serde_json::from_value(kept.instance.clone()).map_err(|fault| fault.to_string())?;
        let instance = Instance::from_wire(wire).map_err(|refusal| refusal.to_string())?;
        let plan: Plan = serde_json::from_value(kept.plan.clone()).map_err(|fault| fault.to_string())?;
        let summary: Summary = serde_json::from_value(kept.head.summary.clone()).map_err(|fault| fault.to_string())?;
        let present = present.iter().copied().filter(|&device| device < setup.devices.len());
        let targets = Arc::new(targets(setup, &instance, &plan, present));
        let hours = f64::from(instance.slot_minutes) / 60.0;
        let mut charging_kw = vec![0.0; instance.slots];
        let mut remaining_kwh: Vec<Option<Vec<f64>>> = vec![None; setup.devices.len()];
        for session in &plan.sessions {
            let Some(known) = instance.sessions.iter().find(|known| known.id == session.id) else { continue };
            let kw_per_a = instance.voltage_v / 1000.0 * known.phases as f64;
            let device = setup.device(&instance.chargers[known.charger].id);
            let mut left_kwh = device.map(|_| vec![0.0; instance.slots + 1]);
            for (slot, amps) in session.charge_a.iter().enumerate().take(instance.slots).rev() {
                charging_kw[slot] += amps * kw_per_a;
                if let Some(left) = &mut left_kwh {
                    left[slot] = left[slot + 1] + amps * kw_per_a * hours;
                }
            }
            // Of several stays at one device the one that is there, or comes next, counts.
            if let (Some(device), Some(left)) = (device, left_kwh)
                && remaining_kwh[device].is_none()
            {
                remaining_kwh[device] = Some(left);
            }
        }
        let status = PlanStatus {
            id: kept.head.id,
            at: kept.head.at,
            basis: summary.basis.clone(),
            start: instance.start,
            slot_minutes: instance.slot_minutes,
            price_eur_kwh: instance.grid.import_eur_kwh.clone(),
            charging_kw,
            cost_eur: summary.cost_eur,
            bound_eur: summary.bound_eur,
        };
        Ok(Made { kept: Arc::new(kept), summary, plan: Arc::new(plan), targets, status, remaining_kwh })
    }

    /// The same plan for the site after it has changed. It does not know what is new.
    pub fn moved(&self, stays: &Stays) -> Made {
        Made {
            kept: Arc::clone(&self.kept),
            summary: self.summary.clone(),
            plan: Arc::clone(&self.plan),
            targets: Arc::new(stays.targets(&self.targets)),
            status: self.status.clone(),
            remaining_kwh: stays.by_device(&self.remaining_kwh),
        }
    }

    /// Energy at the charger that a device is still to get by the plan, in kWh; `None`, the plan does not know it.
    pub fn remaining_kwh(&self, device: usize, now: DateTime<Utc>) -> Option<f64> {
        let left = self.remaining_kwh.get(device)?.as_ref()?;
        let slot = self.targets.slot(now)?;
        let (this, next) = (*left.get(slot)?, *left.get(slot + 1)?);
        let slot_s = i64::from(self.targets.slot_s);
        let into_s = (now - self.targets.start).num_seconds().rem_euclid(slot_s.max(1));
        Some(this + (next - this) * into_s as f64 / slot_s.max(1) as f64)
    }

    /// Whether it says anything of an instant.
    pub fn covers(&self, now: DateTime<Utc>) -> bool {
        self.targets.slot(now).is_some_and(|slot| slot < self.status.price_eur_kwh.len())
    }
}
