//! Where feed-in is priced above import: which way the connection runs, slot by slot.
//!
//! In such a slot the relaxation imports and exports at once and earns the difference. The slots in which it does are
//! decided one after the other, best bound first, each way a relaxation of its own; the least bound of all that is
//! undecided is the bound (Land & Doig, 1960).

use kwartier_data::plan::BoundBy;

use super::{Search, decomposition};
use crate::bound::bound_eur;
use crate::solver::interior::{Relaxation, Row, RowPrices, Way};

/// Relaxations solved, at most.
const NODES: usize = 400;
/// A dive is made at every so many nodes.
const DIVE_EVERY: usize = 25;
/// How exactly each relaxation is solved, as a fraction of the flexible cost.
const TOLERANCE: f64 = 1e-5;

/// An undecided part of the search.
struct Node {
    ways: Vec<Way>,
    bound_eur: f64,
}

/// Branches on the ways of the connection until the gap is proven or nothing is undecided.
pub fn search(search: &mut Search<'_>) {
    let model = search.model;
    if !(0..model.slots).any(|t| model.feed_in_pays(t)) {
        return;
    }
    let scale = search.flexible_eur();
    let root = Relaxation::of(model, TOLERANCE * scale, 0.1 * scale);
    let mut open = vec![Node { ways: vec![Way::Open; model.slots], bound_eur: search.bound_eur }];
    let mut proven = f64::INFINITY;
    for number in 0..NODES {
        // The least bound of all that is open is what is proven.
        open.sort_by(|a, b| b.bound_eur.total_cmp(&a.bound_eur));
        let least = open.last().map_or(proven, |node| node.bound_eur.min(proven));
        search.raise_bound(least, BoundBy::Branching);
        search.progress("deciding when to feed in");
        if search.done() || !search.go_on() {
            return;
        }
        let Some(node) = open.pop() else { return };
        let relaxation = Relaxation { ways: node.ways, ..root.clone() };
        let solution = relaxation.solve(None, &|| search.go_on());
        if !search.go_on() {
            return;
        }
        let bound = bound_eur(model, &relaxation.frames, &relaxation.ways, &solution.prices).max(node.bound_eur);
        let nets = nets(search, &solution.up, &solution.down);
        let worst = undecided(search, &relaxation.ways, &solution.prices, &nets);
        if number % DIVE_EVERY == 0 || worst.is_none() {
            // The way each slot leans, for a plan.
            let ways = leaning(search, &relaxation.ways, &nets);
            let mut dived = Relaxation { ways, ..relaxation.clone() };
            dived.tolerance_eur = 1e-8 * scale;
            decomposition::dives(search, vec![(number as u64, dived, None)]);
        }
        let cutoff = search.best.as_ref().map_or(f64::INFINITY, |best| best.objective_eur);
        let Some(slot) = worst else {
            proven = proven.min(bound);
            continue;
        };
        if bound >= cutoff {
            continue;
        }
        for way in [Way::Import, Way::Export] {
            let mut ways = relaxation.ways.clone();
            ways[slot] = way;
            open.push(Node { ways, bound_eur: bound });
        }
    }
}

/// Net power of each slot in kW.
fn nets(search: &Search<'_>, up: &[Vec<f64>], down: &[Vec<f64>]) -> Vec<f64> {
    let model = search.model;
    let mut nets = model.connection.fixed_kw.clone();
    for (i, unit) in model.units.iter().enumerate() {
        for k in 0..unit.len() {
            nets[unit.from + k] += unit.kw * (up[i][k] - down[i].get(k).copied().unwrap_or(0.0));
        }
    }
    nets
}

/// The open slot in which the relaxation earns most by running both ways: what its net costs less what it was charged.
fn undecided(search: &Search<'_>, ways: &[Way], prices: &RowPrices, nets: &[f64]) -> Option<usize> {
    let model = search.model;
    let mut energy = vec![0.0; model.slots];
    for &(row, y) in &prices.0 {
        if let Row::Balance { slot } = row {
            energy[slot] = -y / model.slot_h;
        }
    }
    let loss = |t: usize| {
        let (import, export) = (model.connection.import_eur_kwh[t], model.connection.export_eur_kwh[t]);
        // At the relaxation's price both ways break even; a net in between costs this much more.
        let (buy, sell) = ((import - energy[t]).abs(), (export - energy[t]).abs());
        nets[t].abs() * if nets[t] >= 0.0 { buy } else { sell }
    };
    (0..model.slots)
        .filter(|&t| ways[t] == Way::Open && model.feed_in_pays(t))
        .map(|t| (t, loss(t)))
        .filter(|(_, loss)| *loss > 1e-7)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(t, _)| t)
}

/// Every open slot decided the way its net leans.
fn leaning(search: &Search<'_>, ways: &[Way], nets: &[f64]) -> Vec<Way> {
    let lean = |t: usize| if nets[t] >= 0.0 { Way::Import } else { Way::Export };
    let decide = |t: usize| if ways[t] == Way::Open && search.model.feed_in_pays(t) { lean(t) } else { ways[t] };
    (0..ways.len()).map(decide).collect()
}
