//! Limits that a single vehicle or load meets all by itself: its board's fuse is smaller than what it could draw.
//!
//! The planner knows such a limit as the unit's own highest current ([`presolve`](crate::model)), so that the board has no
//! price for it. What one more ampere of that fuse would save is the unit's own gain: what a kWh is worth to it less what
//! it costs there.

use std::collections::BTreeMap;

use kwartier_data::instance::{Instance, PhaseIndex};

use super::local::{LocalPrices, NOTHING};
use crate::model::unit::{Is, Store, Sum, Unit};
use crate::model::{Model, Relief};

/// What one more ampere of a board's phase (of the cap on import: one more kW) would be worth to one unit in one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alone {
    /// The board and its phase; none for the cap on import.
    pub place: Option<(usize, PhaseIndex)>,
    /// The slot.
    pub slot: usize,
    /// EUR per ampere, or per kW.
    pub eur: f64,
}

/// What the units meet alone, vehicles by index of their session; loads under none. Sums over it are taken in its order,
/// which no hash decides.
pub fn alone(instance: &Instance, local: &LocalPrices<'_>) -> BTreeMap<Option<usize>, Vec<Alone>> {
    let (model, stated) = (Model::of(instance), Model::stated(instance));
    let relief = Relief::of(&model);
    let mut found: BTreeMap<Option<usize>, Vec<Alone>> = BTreeMap::new();
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
                let place = relief.narrowest(&model, unit, k);
                let per = if place.is_some() { unit.amperes } else { unit.kw };
                found.entry(whose).or_default().push(Alone { place, slot, eur: gain_eur / per });
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
            // Beyond the need a kWh is worth nothing, and costs nothing: it need not be taken.
            return eur_kwh.max(0.0);
        }
    }
    store.short_eur_kwh
}
