//! A need: which slots, and how much in each.
//!
//! The cost of a slot is piecewise linear in the quantity (import, export, peak), on 0 and from min to max. Its lower
//! convex envelope gives pieces with ascending slopes; some are lumps that are taken whole or not (0 to min). The pieces
//! of all slots, cheapest first, are taken until the need is met. Where a lump is more than what is missing, it is tried
//! (and what else was taken is trimmed) and passed over, and the best of all these ends wins: exact but for the
//! knapsack's last item.

use crate::model::unit::Sum;
use crate::schedule::Site;

/// Quantities this close are the same.
const SAME: f64 = 1e-9;
/// What a unit of quantity beyond the room on a board costs while nothing else is possible, in EUR.
const BEYOND_EUR: f64 = 1e3;

/// A part of a slot's range.
#[derive(Debug, Clone, Copy)]
struct Piece {
    k: usize,
    from: f64,
    to: f64,
    slope: f64,
    whole: bool,
}

/// What is taken so far.
#[derive(Debug, Clone)]
struct Taken {
    x: Vec<f64>,
    kwh: f64,
    eur: f64,
}

/// Chooses the quantities of a unit that is out of the site.
pub fn choose(site: &Site<'_>, unit: usize, store: &Sum, tilt: &[f64]) -> Vec<f64> {
    let of = &site.model.units[unit];
    let mut taken = Taken { x: vec![0.0; of.len()], kwh: 0.0, eur: 0.0 };
    let mut pieces = Vec::with_capacity(3 * of.len());
    for k in 0..of.len() {
        let (low, high) = site.room(unit, k);
        let high = high.min(of.up_max[k]);
        let on = (low.max(of.up_min), high);
        let can_run = on.1 >= on.0 - SAME && on.1 > SAME;
        let must_run = low > 1e-6;
        if must_run {
            // Someone else relies on this unit; where its range does not reach, the nearest is least wrong.
            let x = if can_run { on.0.min(on.1) } else { high.max(0.0) };
            let x = if x < of.up_min - SAME { 0.0 } else { x };
            taken.x[k] = x;
            taken.kwh += store.gain_kwh * x;
            taken.eur += site.slot_eur(unit, k, x) + BEYOND_EUR * (low - x).max(0.0);
        } else {
            taken.eur += site.slot_eur(unit, k, 0.0);
        }
        if can_run {
            let from = if must_run { taken.x[k] } else { 0.0 };
            slot_pieces(site, unit, k, from, (on.0.min(on.1), on.1), tilt.get(k).copied().unwrap_or(0.0), &mut pieces);
        }
    }
    pieces.sort_by(|a, b| a.slope.total_cmp(&b.slope).then(a.k.cmp(&b.k)).then(a.from.total_cmp(&b.from)));
    fill(store, taken, &pieces)
}

/// The convex envelope of a slot's cost from `from` over the range `on`, as pieces.
fn slot_pieces(site: &Site<'_>, unit: usize, k: usize, from: f64, on: (f64, f64), tilt: f64, pieces: &mut Vec<Piece>) {
    let of = &site.model.units[unit];
    let net = site.net_kw[of.from + k];
    let mut points = [from, on.0, on.1, -net / of.kw, (site.peak_kw - net) / of.kw];
    points.sort_by(f64::total_cmp);
    let eur = |x: f64| site.slot_eur(unit, k, x) + tilt * x;
    let mut corners: Vec<(f64, f64)> = Vec::with_capacity(5);
    for x in points {
        if x < from || x > on.1 || (x > from && x < on.0) || corners.last().is_some_and(|c| x - c.0 < SAME) {
            continue;
        }
        let p = (x, eur(x));
        while let [.., a, b] = corners[..] {
            if (b.1 - a.1) * (p.0 - a.0) <= (p.1 - a.1) * (b.0 - a.0) {
                break;
            }
            corners.pop();
        }
        corners.push(p);
    }
    for w in corners.windows(2) {
        let (a, b) = (w[0], w[1]);
        let whole = a.0 < on.0 - SAME;
        pieces.push(Piece { k, from: a.0, to: b.0, slope: (b.1 - a.1) / (b.0 - a.0), whole });
    }
}

/// Takes pieces, cheapest first; returns the best end found.
fn fill(store: &Sum, start: Taken, pieces: &[Piece]) -> Vec<f64> {
    let ended = |t: &Taken| t.eur + store.short_eur_kwh * (store.need_kwh - t.kwh).max(0.0);
    let mut taken = start;
    let mut best = (ended(&taken), taken.x.clone());
    let mut passed = vec![false; taken.x.len()];
    // Divisible pieces taken so far, for trimming.
    let mut soft: Vec<Piece> = Vec::new();
    for piece in pieces {
        if passed[piece.k] {
            continue;
        }
        let missing = (store.need_kwh - taken.kwh) / store.gain_kwh;
        let room = (store.room_kwh - taken.kwh) / store.gain_kwh;
        let wanted = if piece.slope < 0.0 {
            room
        } else if missing > SAME && piece.slope < store.short_eur_kwh * store.gain_kwh {
            missing
        } else {
            break;
        };
        let length = piece.to - piece.from;
        if length <= wanted + SAME {
            add(store, &mut taken, piece, length);
            if !piece.whole {
                soft.push(*piece);
            }
        } else if !piece.whole {
            add(store, &mut taken, piece, wanted.max(0.0));
            soft.push(Piece { to: piece.from + wanted.max(0.0), ..*piece });
        } else {
            let mut tried = taken.clone();
            add(store, &mut tried, piece, length);
            trim(store, &mut tried, &soft);
            if tried.kwh <= store.room_kwh + SAME && ended(&tried) < best.0 {
                best = (ended(&tried), tried.x);
            }
            passed[piece.k] = true;
        }
    }
    if ended(&taken) < best.0 {
        best = (ended(&taken), taken.x);
    }
    best.1
}

fn add(store: &Sum, taken: &mut Taken, piece: &Piece, length: f64) {
    taken.x[piece.k] = piece.from + length;
    taken.kwh += store.gain_kwh * length;
    taken.eur += piece.slope * length;
}

/// Gives back what is more than the need, dearest first; what pays for itself only as far as the room demands.
fn trim(store: &Sum, taken: &mut Taken, soft: &[Piece]) {
    for piece in soft.iter().rev() {
        let limit = if piece.slope > 0.0 { store.need_kwh } else { store.room_kwh };
        let excess = (taken.kwh - limit) / store.gain_kwh;
        if excess <= SAME {
            continue;
        }
        // Only the top of a slot can go.
        if (taken.x[piece.k] - piece.to).abs() > SAME {
            continue;
        }
        let back = excess.min(piece.to - piece.from);
        taken.x[piece.k] -= back;
        taken.kwh -= store.gain_kwh * back;
        taken.eur -= piece.slope * back;
    }
}
