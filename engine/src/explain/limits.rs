//! Which limits bind, when, and what one more ampere or kW of them would save.

use std::collections::BTreeMap;

use kwartier_data::instance::Instance;
use kwartier_data::plan::{BoardLimit, Plan};
use serde::Serialize;

use super::Span;
use super::alone::Alone;
use super::local::{LocalPrices, NOTHING};
use crate::model::Model;
use crate::profile::Profile;
use crate::schedule::Schedule;

/// A limit costs money only above this a day, in EUR per unit: what solvers leave behind is less.
const LEAST_EUR: f64 = 1e-3;

/// How far below the cap on export a plan still is at it, in kW.
const AT_A_CAP_KW: f64 = 0.1;

/// The limit of each phase.
const FUSES: [BoardLimit; 3] = [BoardLimit::L1, BoardLimit::L2, BoardLimit::L3];

/// A limit that binds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BindingLimit {
    /// Which one.
    pub binds: Binds,
    /// Its value: A, or kW; the lowest of those it has while it binds.
    pub limit: f64,
    /// `A` or `kW`.
    pub unit: &'static str,
    /// What one more unit all day would save, in EUR.
    pub saves_eur: f64,
    /// The stretches in which it binds.
    pub spans: Vec<Span>,
    /// Every slot in which it binds, with what one more unit would save in that slot alone, in EUR.
    pub slots: Vec<SlotPrice>,
}

/// What one more unit of a limit saves in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SlotPrice {
    /// The slot.
    pub slot: usize,
    /// EUR per A, or per kW; positive where the limit binds upward, negative where downward.
    pub eur: f64,
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Binds {
    /// A phase of a board, or the difference of two.
    Board {
        /// The board's name.
        node: String,
        /// Phase or pair of phases.
        limit: BoardLimit,
    },
    /// The cap on import.
    ImportCap,
    /// The cap on export.
    ExportCap,
    /// The import peak, which is no limit but has a price: what it saves is what a kW less of it would.
    Peak,
}

/// All limits that bind, the most costly first.
pub fn binding(
    instance: &Instance,
    plan: &Plan,
    local: &LocalPrices<'_>,
    alone: &BTreeMap<Option<usize>, Vec<Alone>>,
) -> Vec<BindingLimit> {
    let mut found = boards(instance, plan, alone);
    found.extend(connection(instance, plan, local, alone));
    found.retain(|limit| limit.saves_eur > LEAST_EUR);
    found.sort_by(|a, b| b.saves_eur.total_cmp(&a.saves_eur));
    found
}

fn binding_limit(
    instance: &Instance,
    binds: Binds,
    limit: f64,
    unit: &'static str,
    slots: Vec<SlotPrice>,
) -> BindingLimit {
    let spans = Span::all(instance, &slots.iter().map(|price| price.slot).collect::<Vec<_>>());
    BindingLimit { binds, limit, unit, saves_eur: slots.iter().map(|price| price.eur.abs()).sum(), spans, slots }
}

/// The boards: by their prices, and what single units meet there alone.
fn boards(instance: &Instance, plan: &Plan, alone: &BTreeMap<Option<usize>, Vec<Alone>>) -> Vec<BindingLimit> {
    let mut by_limit: BTreeMap<(&str, BoardLimit), BTreeMap<usize, f64>> = BTreeMap::new();
    for price in plan.prices.iter().flat_map(|prices| &prices.boards) {
        if price.eur_a.abs() > NOTHING && price.slot < instance.slots {
            *by_limit.entry((&price.node, price.limit)).or_default().entry(price.slot).or_default() += price.eur_a;
        }
    }
    for one in alone.values().flatten() {
        let Some((node, phase)) = one.place else { continue };
        let limit = (instance.nodes[node].id.as_str(), FUSES[phase]);
        *by_limit.entry(limit).or_default().entry(one.slot).or_default() += one.eur;
    }
    let model = Model::stated(instance);
    let building = Profile::of(instance, &Schedule::idle(&model).plan(instance, &model));
    let limits = by_limit.into_iter().filter_map(|((node, limit), slots)| {
        let at = instance.nodes.iter().position(|board| board.id == node)?;
        let board = &instance.nodes[at];
        let limit_a = match limit {
            BoardLimit::L1 => board.limit_a[0],
            BoardLimit::L2 => board.limit_a[1],
            BoardLimit::L3 => board.limit_a[2],
            BoardLimit::L1L2 | BoardLimit::L2L3 | BoardLimit::L3L1 => board.imbalance_limit_a?,
        };
        // Where the building breaks a fuse by itself, a little more of it changes nothing.
        let works = |slot: usize| match FUSES.iter().position(|fuse| *fuse == limit) {
            Some(phase) => building.boards_a[at][phase][slot] <= limit_a,
            None => true,
        };
        let slots = slots.into_iter().filter(|(slot, _)| works(*slot));
        let slots = slots.map(|(slot, eur)| SlotPrice { slot, eur }).collect();
        Some(binding_limit(instance, Binds::Board { node: node.to_owned(), limit }, limit_a, "A", slots))
    });
    limits.collect()
}

/// Caps and peak. A cap has no price of its own in the plan: it is what a kWh at the connection is worth beyond tariff and
/// peak, since only a cap keeps that from being imported (below what export earns, from being exported).
fn connection(
    instance: &Instance,
    plan: &Plan,
    local: &LocalPrices<'_>,
    alone: &BTreeMap<Option<usize>, Vec<Alone>>,
) -> Vec<BindingLimit> {
    let grid = &instance.grid;
    let net_kw = Profile::of(instance, plan).net_kw;
    let slot_h = instance.slot_h();
    let mut found = Vec::new();
    let mut cap = |binds, cap_kw: &Option<Vec<f64>>, price: &dyn Fn(usize) -> f64| {
        let Some(cap_kw) = cap_kw else { return };
        let slots: Vec<SlotPrice> = (0..instance.slots)
            .map(|slot| SlotPrice { slot, eur: price(slot) * slot_h })
            .filter(|price| price.eur > NOTHING)
            .collect();
        let lowest_kw = slots.iter().map(|price| cap_kw[price.slot]).fold(f64::INFINITY, f64::min);
        found.push(binding_limit(instance, binds, lowest_kw, "kW", slots));
    };
    let mut alone_eur_kwh = vec![0.0; instance.slots];
    for one in alone.values().flatten().filter(|one| one.place.is_none()) {
        alone_eur_kwh[one.slot] += one.eur / slot_h;
    }
    // A cap above all that the site could draw at once keeps nothing.
    let model = Model::of(instance);
    let reach_kw = reach_kw(&model);
    let import = |slot: usize| {
        // Nor does one that the building breaks by itself: a little more of it changes nothing.
        let works = |cap_kw: &Vec<f64>| cap_kw[slot] < reach_kw[slot] && cap_kw[slot] >= model.connection.high_kw[slot];
        if !grid.import_cap_kw.as_ref().is_some_and(works) {
            return 0.0;
        }
        local.energy_eur_kwh[slot] - grid.import_eur_kwh[slot] - local.peak_eur_kwh[slot] + alone_eur_kwh[slot]
    };
    cap(Binds::ImportCap, &grid.import_cap_kw, &import);
    let export = |slot: usize| {
        let works = |cap_kw: &Vec<f64>| -net_kw[slot] >= cap_kw[slot] - AT_A_CAP_KW;
        if !grid.export_cap_kw.as_ref().is_some_and(works) {
            return 0.0;
        }
        grid.export_eur_kwh[slot] - local.energy_eur_kwh[slot]
    };
    cap(Binds::ExportCap, &grid.export_cap_kw, &export);
    let peak_kw = net_kw.iter().copied().fold(grid.peak_so_far_kw, f64::max);
    let peak = local.peak_eur_kwh.iter().enumerate().map(|(slot, eur_kwh)| SlotPrice { slot, eur: eur_kwh * slot_h });
    let peak = peak.filter(|price| price.eur > NOTHING).collect();
    found.push(binding_limit(instance, Binds::Peak, peak_kw, "kW", peak));
    found.retain(|limit| !limit.slots.is_empty());
    found
}

/// What the site could import in each slot with everything that draws at full power and nothing that delivers, in kW.
fn reach_kw(model: &Model) -> Vec<f64> {
    let mut reach_kw = model.connection.fixed_kw.clone();
    for unit in model.units.iter().filter(|unit| unit.kw > 0.0) {
        for (k, most) in unit.up_max.iter().enumerate() {
            reach_kw[unit.from + k] += unit.kw * most;
        }
    }
    reach_kw
}
