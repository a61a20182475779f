//! Limits that a single vehicle or load meets all by itself: its board's fuse is smaller than what it could draw.
//!
//! The planner knows such a limit as the unit's own highest current ([`presolve`](crate::model)), so that the board has no
//! price for it. What one more ampere of that fuse would save is the unit's own gain: what a kWh is worth to it less what
//! it costs there.

use std::collections::HashMap;

use kwartier_data::instance::{Instance, PhaseIndex};

use super::local::{LocalPrices, NOTHING};
use crate::model::Model;
use crate::model::unit::{Is, Store, Sum, Unit};

/// What one more ampere of a board's phase would be worth to one unit in one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alone {
    /// The board.
    pub node: usize,
    /// The phase.
    pub phase: PhaseIndex,
    /// The slot.
    pub slot: usize,
    /// EUR per ampere.
    pub eur_a: f64,
}

/// What the units meet alone, vehicles by index of their session; loads under none.
pub fn alone(instance: &Instance, local: &LocalPrices<'_>) -> HashMap<Option<usize>, Vec<Alone>> {
    let (model, stated) = (Model::of(instance), Model::stated(instance));
    let mut found: HashMap<Option<usize>, Vec<Alone>> = HashMap::new();
    for (unit, free) in model.units.iter().zip(&stated.units) {
        let whose = match unit.is {
            Is::Session(session) => Some(session),
            Is::Load(_) => None,
            Is::Battery(_) | Is::Pv(_) => continue,
        };
        let Store::Sum(store) = &unit.store else { continue };
        let clipped: Vec<usize> = (0..unit.len()).filter(|&k| unit.up_max[k] < free.up_max[k] - 1e-9).collect();
        if clipped.is_empty() {
            continue;
        }
        let price = prices(local, unit);
        let worth = worth_eur(unit, store, &price);
        for k in clipped {
            let gain_eur = worth * store.gain_kwh - price[k];
            if gain_eur > NOTHING {
                let slot = unit.from + k;
                let (node, phase) = narrowest(&model, unit, slot);
                let alone = Alone { node, phase, slot, eur_a: gain_eur / unit.amperes };
                found.entry(whose).or_default().push(alone);
            }
        }
    }
    found
}

/// What a unit of quantity costs in each slot of its window, in EUR.
fn prices(local: &LocalPrices<'_>, unit: &Unit) -> Vec<f64> {
    let phases: Vec<PhaseIndex> = (0..3).filter(|&phase| unit.phases[phase]).collect();
    let amperes =
        |slot: usize| -> f64 { local.at(unit.node, &phases, slot).map(|(_, eur_a)| eur_a * unit.amperes).sum() };
    (unit.from..unit.to()).map(|slot| local.slot_eur_kw(slot) * unit.kw + amperes(slot)).collect()
}

/// What one more kWh is worth to a unit: what its dearest kWh costs, or what it is short of.
fn worth_eur(unit: &Unit, store: &Sum, price: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..unit.len()).collect();
    order.sort_by(|&a, &b| price[a].total_cmp(&price[b]));
    let mut kwh = 0.0;
    for k in order {
        kwh += unit.up_max[k] * store.gain_kwh;
        let eur_kwh = price[k] / store.gain_kwh;
        if eur_kwh > store.short_eur_kwh {
            break;
        }
        if kwh >= store.need_kwh - 1e-9 {
            return eur_kwh;
        }
    }
    store.short_eur_kwh
}

/// The phase with the least room on a unit's way.
fn narrowest(model: &Model, unit: &Unit, slot: usize) -> (usize, PhaseIndex) {
    let boards = &model.boards;
    let ways = boards
        .path(unit.node)
        .flat_map(|node| (0..3).filter(|&phase| unit.phases[phase]).map(move |phase| (node, phase)));
    let room_a = |(node, phase): (usize, usize)| boards.high_a[boards.at(node, phase, slot)];
    ways.min_by(|&a, &b| room_a(a).total_cmp(&room_a(b))).unwrap_or((unit.node, 0))
}
