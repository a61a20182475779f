//! What a larger fuse, contract or battery would save on this day.
//!
//! Each is planned anew: prices say what one more ampere saves, not what thirty-five do.

use kwartier_data::instance::{Battery, Instance};
use kwartier_data::plan::Plan;
use serde::Serialize;

use super::{BindingLimit, Binds};

/// Rated currents of fuses in A (IEC 60269-1, table 1; the small ones also IEC 60898-1).
const FUSES_A: [f64; 25] = [
    6.0, 10.0, 16.0, 20.0, 25.0, 32.0, 35.0, 40.0, 50.0, 63.0, 80.0, 100.0, 125.0, 160.0, 200.0, 250.0, 315.0, 400.0,
    500.0, 630.0, 800.0, 1000.0, 1250.0, 1600.0, 2000.0,
];
/// How many boards are looked at.
const BOARDS: usize = 3;
/// How much larger a contract is looked at, as a factor.
const CONTRACT: f64 = 1.25;
/// The battery that is looked at where the site has none to take as a pattern, in kWh and kW: one cabinet.
const BATTERY_KWH: f64 = 100.0;
const BATTERY_KW: f64 = 50.0;
/// Its one-way efficiency and its wear in EUR per kWh discharged.
const BATTERY_EFFICIENCY: f64 = 0.95;
const BATTERY_WEAR_EUR_KWH: f64 = 0.03;

/// A change to the site, and the site with it.
#[derive(Debug, Clone)]
pub struct Upgrade {
    /// What is changed.
    pub change: Change,
    /// The same day with it.
    pub instance: Instance,
}

/// A change to the site.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A larger fuse at a board, on all phases.
    Fuse {
        /// The board.
        node: String,
        /// What it is now, L1, L2, L3 in A.
        from_a: [f64; 3],
        /// What it would be.
        to_a: [f64; 3],
    },
    /// A wider cap on import.
    Contract {
        /// By this factor.
        factor: f64,
    },
    /// One more stationary battery at the grid connection.
    Battery {
        /// Its capacity in kWh.
        capacity_kwh: f64,
        /// Its power in kW.
        power_kw: f64,
    },
}

/// What a change would save on this day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saving {
    /// The change.
    pub change: Change,
    /// The difference of both plans, in EUR.
    pub saves_eur: f64,
    /// What it certainly saves between the best plans, in EUR: the bound now less the plan then.
    pub at_least_eur: f64,
    /// What it saves at most, in EUR: the plan now less the bound then.
    pub at_most_eur: f64,
}

impl Saving {
    /// Compares the plan of the site as it is with that of the site as it would be.
    pub fn of(change: Change, now: &Plan, then: &Plan) -> Self {
        Saving {
            change,
            saves_eur: now.objective_eur - then.objective_eur,
            at_least_eur: (now.bound_eur - then.objective_eur).max(0.0),
            at_most_eur: (now.objective_eur - then.bound_eur).max(0.0),
        }
    }
}

/// The changes worth looking at: the next fuse at the boards that cost most, a wider contract where its cap binds, a battery.
pub fn upgrades(instance: &Instance, limits: &[BindingLimit]) -> Vec<Upgrade> {
    let mut found: Vec<Upgrade> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for limit in limits {
        let Binds::Board { node, .. } = &limit.binds else { continue };
        if seen.len() < BOARDS && !seen.contains(&node.as_str()) {
            seen.push(node);
            found.extend(larger_fuse(instance, node));
        }
    }
    if limits.iter().any(|limit| limit.binds == Binds::ImportCap) {
        let mut changed = instance.clone();
        changed.grid.import_cap_kw.iter_mut().flatten().for_each(|cap_kw| *cap_kw *= CONTRACT);
        found.push(Upgrade { change: Change::Contract { factor: CONTRACT }, instance: changed });
    }
    found.push(battery(instance));
    found
}

fn larger_fuse(instance: &Instance, node: &str) -> Option<Upgrade> {
    let mut changed = instance.clone();
    let board = changed.nodes.iter_mut().find(|board| board.id == node)?;
    let from_a = board.limit_a;
    let next = |now_a: f64| FUSES_A.into_iter().find(|fuse_a| *fuse_a > now_a + 0.5).unwrap_or(1.25 * now_a);
    board.limit_a = from_a.map(next);
    let change = Change::Fuse { node: node.to_owned(), from_a, to_a: board.limit_a };
    Some(Upgrade { change, instance: changed })
}

fn battery(instance: &Instance) -> Upgrade {
    let mut changed = instance.clone();
    let pattern = instance.batteries.first();
    let capacity_kwh = pattern.map_or(BATTERY_KWH, |battery| battery.capacity_kwh);
    let power_kw = pattern.map_or(BATTERY_KW, |battery| battery.max_charge_kw.min(battery.max_discharge_kw));
    let mut id = "another battery".to_owned();
    while instance.batteries.iter().any(|battery| battery.id == id) {
        id.push('+');
    }
    changed.batteries.push(Battery {
        id,
        node: instance.root(),
        capacity_kwh,
        soc_kwh: 0.5 * capacity_kwh,
        end_soc_kwh: 0.5 * capacity_kwh,
        shortfall_eur_kwh: pattern.map_or(1.0, |battery| battery.shortfall_eur_kwh),
        max_charge_kw: power_kw,
        max_discharge_kw: power_kw,
        efficiency: pattern.map_or(BATTERY_EFFICIENCY, |battery| battery.efficiency),
        wear_eur_kwh: pattern.map_or(BATTERY_WEAR_EUR_KWH, |battery| battery.wear_eur_kwh),
    });
    Upgrade { change: Change::Battery { capacity_kwh, power_kw }, instance: changed }
}
