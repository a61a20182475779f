//! Shadow prices between the solvers' rows and the plan's words.

// Slots number at most a few thousand.
#![allow(clippy::cast_possible_wrap)]

use std::collections::HashMap;

use kwartier_data::instance::Instance;
use kwartier_data::plan::{BoardLimit, BoardPrice, Prices};

use crate::model::Model;
use crate::solver::interior::{Row, RowPrices};

/// Prices below this are none, EUR per unit.
const NOTHING: f64 = 1e-9;

/// Limits of a board in the order of phases, then of pairs.
const FUSES: [BoardLimit; 3] = [BoardLimit::L1, BoardLimit::L2, BoardLimit::L3];
const SPREADS: [BoardLimit; 3] = [BoardLimit::L1L2, BoardLimit::L2L3, BoardLimit::L3L1];

/// The prices as the plan states them. A row's price is what one more unit of its right-hand side adds to the cost; what is
/// stated is what one more unit saves.
pub fn stated(instance: &Instance, model: &Model, prices: &RowPrices) -> Prices {
    let mut stated =
        Prices { energy_eur_kwh: vec![0.0; model.slots], peak_eur_kw: vec![0.0; model.slots], boards: Vec::new() };
    for &(row, y) in &prices.0 {
        let board = |node: usize, limit: BoardLimit, slot: usize| BoardPrice {
            node: instance.nodes[node].id.clone(),
            limit,
            slot,
            eur_a: -y,
        };
        match row {
            Row::Balance { slot } => stated.energy_eur_kwh[slot] = -y / model.slot_h,
            Row::Peak { slot } => stated.peak_eur_kw[slot] = (-y).max(0.0),
            _ if y.abs() < NOTHING => {}
            Row::Fuse { node, phase, slot } => stated.boards.push(board(node, FUSES[phase], slot)),
            Row::Spread { spread, pair, slot } => {
                stated.boards.push(board(model.boards.spreads[spread].node, SPREADS[pair], slot));
            }
        }
    }
    stated.boards.sort_by(|a, b| (a.slot, &a.node, a.limit).cmp(&(b.slot, &b.node, b.limit)));
    stated
}

/// The rows' prices of a stated plan that began `shift` slots earlier; what no longer exists is left out. Slots beyond the
/// old plan get the import price.
pub fn rows(instance: &Instance, model: &Model, stated: &Prices, shift: i64) -> RowPrices {
    let nodes: HashMap<&str, usize> = instance.nodes.iter().enumerate().map(|(i, n)| (n.id.as_str(), i)).collect();
    let old = |slot: usize| usize::try_from(slot as i64 + shift).ok();
    let new = |slot: usize| -> Option<usize> {
        i64::try_from(slot).ok()?.checked_sub(shift)?.try_into().ok().filter(|&slot: &usize| slot < model.slots)
    };
    let at = |series: &[f64], slot: usize| old(slot).and_then(|s| series.get(s).copied()).filter(|v| v.is_finite());
    let mut rows = Vec::new();
    for slot in 0..model.slots {
        let energy = at(&stated.energy_eur_kwh, slot).unwrap_or(model.connection.import_eur_kwh[slot]);
        rows.push((Row::Balance { slot }, -energy * model.slot_h));
        let peak = at(&stated.peak_eur_kw, slot).unwrap_or(0.0);
        if peak > 0.0 {
            rows.push((Row::Peak { slot }, -peak));
        }
    }
    for board in &stated.boards {
        let (Some(&node), Some(slot)) = (nodes.get(board.node.as_str()), new(board.slot)) else { continue };
        if !board.eur_a.is_finite() {
            continue;
        }
        let row = if let Some(phase) = FUSES.iter().position(|&l| l == board.limit) {
            Some(Row::Fuse { node, phase, slot })
        } else {
            let pair = SPREADS.iter().position(|&l| l == board.limit);
            pair.zip(model.boards.spread_of[node]).map(|(pair, spread)| Row::Spread { spread, pair, slot })
        };
        rows.extend(row.map(|row| (row, -board.eur_a)));
    }
    RowPrices(rows)
}
