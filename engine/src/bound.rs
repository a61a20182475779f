//! A proven lower bound on what any plan costs, from the prices of the shared rows alone.
//!
//! Weak duality: put a price on every shared row, let every unit and the meter each do what is best for itself at these
//! prices, and add up. Any prices give a valid bound, so it depends neither on how exactly a relaxation was solved nor
//! on who solved it (Geoffrion, *Lagrangean relaxation for integer programming*, 1974). The units' own problems are
//! solved exactly: a need by sorting its slots, a battery by its convex cost-to-go.
//!
//! The bound is better than that of the linear relaxation where feed-in is priced above import, because here the meter
//! runs one way or the other in a slot, never both.

mod chain;

use rayon::prelude::*;

use crate::model::Model;
use crate::model::boards::PAIRS;
use crate::model::unit::{Store, Sum, Unit};
use crate::schedule::{Schedule, own_eur};
use crate::solver::interior::{Frame, Row, RowPrices, Way, reach};

/// What rounding may have added to the bound, relative to the terms summed.
const ROUNDING: f64 = 1e-12;

/// The bound in EUR, over everything within these frames and ways.
pub fn bound_eur(model: &Model, frames: &[Frame], ways: &[Way], prices: &RowPrices) -> f64 {
    let mut total = Total::default();
    total.add(model.constant_eur);
    let at = shared(model, frames, ways, prices, &mut total);
    let least: Vec<f64> = model
        .units
        .par_iter()
        .zip(frames)
        .with_min_len(32)
        .map(|(unit, frame)| least_eur(unit, frame, &at.series(model, unit)))
        .collect();
    for eur in least {
        total.add(eur);
    }
    total.sum - ROUNDING * total.size
}

/// What each unit's schedule costs at these prices above the least it could, in EUR. With what is left unused of priced
/// limits these add up to the difference of cost and bound: they say where it comes from.
pub fn regrets_eur(model: &Model, frames: &[Frame], prices: &RowPrices, schedule: &Schedule) -> Vec<f64> {
    let open = vec![Way::Open; model.slots];
    let at = shared(model, frames, &open, prices, &mut Total::default());
    let units = model.units.par_iter().zip(frames).enumerate().with_min_len(32);
    units
        .map(|(i, (unit, frame))| {
            let series = at.series(model, unit);
            let paid: f64 = series.iter().enumerate().map(|(k, price)| price * schedule.z(i, k)).sum();
            paid + own_eur(unit, &schedule.up[i], &schedule.down[i]) - least_eur(unit, frame, &series)
        })
        .collect()
}

/// Prices of energy and current, per slot.
struct Prices {
    balance: Vec<f64>,
    /// At each board's phase, all boards above included.
    amperes: Vec<f64>,
}

impl Prices {
    /// What a unit of quantity up costs in each slot of a unit's window.
    fn series(&self, model: &Model, unit: &Unit) -> Vec<f64> {
        (0..unit.len()).map(|k| price_of(model, unit, k, &self.balance, &self.amperes)).collect()
    }
}

/// Prices the shared rows; adds their own terms and the meter's to the total.
fn shared(model: &Model, frames: &[Frame], ways: &[Way], prices: &RowPrices, total: &mut Total) -> Prices {
    let slots = model.slots;
    let boards = &model.boards;
    let mut balance = vec![0.0; slots];
    let mut peak = vec![0.0; slots];
    let mut amperes = vec![0.0; boards.high_a.len()];
    for &(row, y) in &prices.0 {
        match row {
            Row::Balance { slot } => {
                balance[slot] = y;
                total.add(-y * model.connection.fixed_kw[slot]);
            }
            Row::Peak { slot } => {
                // A peak row is an upper limit: its price cannot be positive.
                let y = y.min(0.0);
                peak[slot] = y;
                total.add(y * model.connection.peak_so_far_kw);
            }
            Row::Fuse { node, phase, slot } => {
                let i = boards.at(node, phase, slot);
                amperes[i] += y;
                total.add(ranged(y, boards.low_a[i], boards.high_a[i]));
            }
            Row::Spread { spread, pair, slot } => {
                let of = &boards.spreads[spread];
                let (p, q) = PAIRS[pair];
                amperes[boards.at(of.node, p, slot)] += y;
                amperes[boards.at(of.node, q, slot)] -= y;
                let base = of.base_a[pair][slot];
                total.add(ranged(y, -of.limit_a[slot] - base, of.limit_a[slot] - base));
            }
        }
    }
    meter(model, frames, ways, &balance, &peak, total);
    // What an ampere costs at a board is what it costs there and at all boards above.
    for &node in boards.children_first.iter().rev() {
        let Some(up) = boards.parent[node] else { continue };
        for i in 0..3 * slots {
            amperes[node * 3 * slots + i] += amperes[up * 3 * slots + i];
        }
    }
    Prices { balance, amperes }
}

/// What a unit of quantity up costs in a slot of the unit's window (down: the opposite), in EUR.
fn price_of(model: &Model, unit: &Unit, k: usize, balance: &[f64], amperes: &[f64]) -> f64 {
    let slot = unit.from + k;
    let phases = (0..3).filter(|&p| unit.phases[p]);
    let a: f64 = phases.map(|p| amperes[model.boards.at(unit.node, p, slot)]).sum();
    -(unit.kw * balance[slot] + unit.amperes * a)
}

/// y·b less what the slack can give back: the least of y·v over v in [low, high], as part of a dual objective.
fn ranged(y: f64, low: f64, high: f64) -> f64 {
    if y > 0.0 { y * low } else { y * high }
}

/// The meter's best answer: one way per slot, and a peak.
fn meter(model: &Model, frames: &[Frame], ways: &[Way], balance: &[f64], peak: &[f64], total: &mut Total) {
    let of = &model.connection;
    let (import_kw, export_kw) = reach(model, frames);
    for slot in 0..model.slots {
        let import = of.import_eur_kwh[slot] * model.slot_h + balance[slot] - peak[slot];
        let export = -of.export_eur_kwh[slot] * model.slot_h - balance[slot];
        let import = if ways[slot] == Way::Export { 0.0 } else { import.min(0.0) * import_kw[slot] };
        let export = if ways[slot] == Way::Import { 0.0 } else { export.min(0.0) * export_kw[slot] };
        total.add(import.min(export));
    }
    let most = import_kw.iter().copied().fold(0.0, f64::max);
    let reduced = of.peak_eur_kw + peak.iter().sum::<f64>();
    total.add(reduced.min(0.0) * (most - of.peak_so_far_kw).max(0.0));
}

/// The least a unit can cost within its frame at these prices per slot of quantity up.
fn least_eur(unit: &Unit, frame: &Frame, price: &[f64]) -> f64 {
    match &unit.store {
        Store::None => price.iter().zip(&frame.up).map(|(p, (low, high))| (p * low).min(p * high)).sum(),
        Store::Sum(sum) => least_sum(sum, frame, price),
        Store::Chain(chain) => chain::least_eur(chain, frame, price, unit.wear_eur),
    }
}

/// A need: the cheapest slots first, as long as they cost less than the shortfall they save.
fn least_sum(of: &Sum, frame: &Frame, price: &[f64]) -> f64 {
    let low: f64 = frame.up.iter().map(|b| b.0).sum();
    let mut kwh = of.gain_kwh * low;
    let mut eur: f64 = frame.up.iter().zip(price).map(|(b, p)| b.0 * p).sum();
    let mut order: Vec<usize> = (0..price.len()).filter(|&k| frame.up[k].1 > frame.up[k].0).collect();
    order.sort_by(|&a, &b| price[a].total_cmp(&price[b]));
    for k in order {
        let per_kwh = price[k] / of.gain_kwh;
        let until = if per_kwh < 0.0 {
            of.room_kwh
        } else if per_kwh < of.short_eur_kwh {
            of.need_kwh
        } else {
            break;
        };
        let take = (frame.up[k].1 - frame.up[k].0).min((until - kwh).max(0.0) / of.gain_kwh);
        kwh += take * of.gain_kwh;
        eur += take * price[k];
    }
    eur + of.short_eur_kwh * (of.need_kwh - kwh).max(0.0)
}

/// A sum that knows the size of its terms.
#[derive(Debug, Default)]
struct Total {
    sum: f64,
    size: f64,
}

impl Total {
    fn add(&mut self, term: f64) {
        self.sum += term;
        self.size += term.abs();
    }
}
