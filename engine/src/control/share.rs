//! Sharing out what is there: who gets how many amperes, within every limit at once. Pure arithmetic on rows and columns;
//! what the rows mean is not known here.
//!
//! 1. *Minima.* A vehicle draws nothing or at least its minimum. In the order given each gets its minimum if that still
//!    fits: the first in line is never left out for one behind.
//! 2. *Shares.* Layer by layer (what the order of authority puts first comes first), and within a layer class by class, all
//!    that are on rise together from their minimum in proportion to what they want, until a limit is reached; then those
//!    that load it stop and the others go on. The result is the lexicographic max–min of (granted − minimum) ÷ wanted
//!    (progressive filling: Bertsekas and Gallager, *Data Networks*, section 6.5.2).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use smallvec::SmallVec;

/// Amperes or kilowatts that count as nothing: rounding.
pub const SLACK: f64 = 1e-9;

/// Somebody who wants current.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The least it can draw other than 0, in A per phase.
    pub min_a: f64,
    /// What it wants in each layer in A per phase, never falling from layer to layer.
    pub want_a: [f64; LAYERS],
    /// Classes are served from the highest to the lowest.
    pub class: u8,
    /// The limits it loads, and by how much for each ampere.
    pub loads: Loads,
    /// The layer from which on it may be on at all.
    pub from: usize,
}

/// Limits with what each ampere is in them. Room for the phases of two boards and a limit on power without another allocation.
pub type Loads = SmallVec<[(usize, f64); 8]>;

/// Guaranteed minima and overrides, the plan, what is spare.
pub const LAYERS: usize = 3;

/// What a claim gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    /// A per phase; 0, nothing.
    pub amps: f64,
    /// The layer that gave most of it; [`LAYERS`] where there is nothing.
    pub layer: usize,
    /// The limit at which it stopped rising, if one did.
    pub stopped_by: Option<usize>,
}

/// Shares out `rooms` (what each limit still has) among claims, the first in line first. Rooms may be negative: then
/// nothing is added to what loads them. `kept` of them is for no more than minima; it may be empty: nothing is.
pub fn share(rooms: &[f64], kept: &[f64], claims: &[Claim]) -> Vec<Grant> {
    let mut rooms = rooms.to_vec();
    let mut grants = vec![Grant { amps: 0.0, layer: LAYERS, stopped_by: None }; claims.len()];
    let mut by_class: Vec<usize> = (0..claims.len()).collect();
    by_class.sort_by_key(|&k| std::cmp::Reverse(claims[k].class));
    let mut scratch = Scratch::of(rooms.len(), claims);
    for layer in 0..LAYERS {
        minima(layer, &mut rooms, claims, &mut grants);
        rooms.iter_mut().zip(kept).for_each(|(room, kept)| *room -= kept);
        for class in by_class.chunk_by(|&a, &b| claims[a].class == claims[b].class) {
            fill(layer, class, &mut rooms, claims, &mut grants, &mut scratch);
        }
        rooms.iter_mut().zip(kept).for_each(|(room, kept)| *room += kept);
    }
    grants
}

/// What filling keeps account of; between two fillings everything in it but the columns is nothing.
#[derive(Debug, Default)]
struct Scratch {
    /// The claims that load each row, and where those of a row begin; one more at the end.
    columns: Vec<usize>,
    begins: Vec<usize>,
    /// By row: how much faster than the level what rises makes its room fall, and the level at which that is right.
    weights: Vec<f64>,
    as_of: Vec<f64>,
    /// Whether a row is among those that somebody has just joined.
    fresh: Vec<bool>,
    /// By claim: whether it rises.
    active: Vec<bool>,
    /// Levels at which claims begin to rise, and at which they have what they want.
    rising: Vec<(f64, usize)>,
    full: Vec<(f64, usize)>,
    /// Rows that anybody loads, and that somebody has just joined.
    touched: Vec<usize>,
    joined: Vec<usize>,
    /// When rows are reached.
    heap: BinaryHeap<Stop>,
}

impl Scratch {
    fn of(rows: usize, claims: &[Claim]) -> Scratch {
        let mut begins = vec![0; rows + 1];
        for (row, _) in claims.iter().flat_map(|claim| &claim.loads) {
            begins[row + 1] += 1;
        }
        for row in 0..rows {
            begins[row + 1] += begins[row];
        }
        let mut columns = vec![0; begins[rows]];
        let mut next = begins.clone();
        for (k, claim) in claims.iter().enumerate() {
            for (row, _) in &claim.loads {
                columns[next[*row]] = k;
                next[*row] += 1;
            }
        }
        Scratch {
            columns,
            begins,
            weights: vec![0.0; rows],
            as_of: vec![0.0; rows],
            fresh: vec![false; rows],
            active: vec![false; claims.len()],
            ..Scratch::default()
        }
    }

    fn clear(&mut self) {
        for row in self.touched.drain(..) {
            (self.weights[row], self.as_of[row]) = (0.0, 0.0);
        }
        self.rising.drain(..).for_each(|(_, k)| self.active[k] = false);
        self.full.clear();
        self.heap.clear();
    }
}

/// Puts on whoever may be on from this layer, if the minimum fits.
fn minima(layer: usize, rooms: &mut [f64], claims: &[Claim], grants: &mut [Grant]) {
    for (claim, grant) in claims.iter().zip(grants.iter_mut()) {
        if claim.from != layer {
            continue;
        }
        if let Some((row, _)) = claim.loads.iter().find(|(row, per_a)| rooms[*row] + SLACK < per_a * claim.min_a) {
            grant.stopped_by = Some(*row);
        } else {
            claim.loads.iter().for_each(|(row, per_a)| rooms[*row] -= per_a * claim.min_a);
            *grant = Grant { amps: claim.min_a, layer, stopped_by: None };
        }
    }
}

/// A limit that is reached at a level, or at a higher one: the entry was made when more claims were rising.
#[derive(Debug, PartialEq)]
struct Stop {
    level: f64,
    row: usize,
}

impl Eq for Stop {}

impl PartialOrd for Stop {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Stop {
    /// The lowest level is the greatest, for a heap; ties in the order of the rows.
    fn cmp(&self, other: &Self) -> Ordering {
        other.level.total_cmp(&self.level).then_with(|| other.row.cmp(&self.row))
    }
}

/// Raises the claims of a class that are on, together, to what they want in a layer.
fn fill(
    layer: usize,
    class: &[usize],
    rooms: &mut [f64],
    claims: &[Claim],
    grants: &mut [Grant],
    scratch: &mut Scratch,
) {
    let Scratch { columns, begins, weights, as_of, fresh, active, rising, full, touched, joined, heap } = scratch;
    // From what each has, the level of (granted − minimum) ÷ wanted rises for those that are lowest first, so that whoever
    // got more in an earlier layer waits until the others are level with it.
    for &k in class {
        let (claim, grant) = (&claims[k], &grants[k]);
        let want_a = claim.want_a[layer];
        // A limit that has stopped it in an earlier layer has no more since.
        if grant.layer < LAYERS && grant.stopped_by.is_none() && want_a > grant.amps + SLACK {
            let level_of = |amps: f64| (amps - claim.min_a) / want_a.max(SLACK);
            rising.push((level_of(grant.amps), k));
            full.push((level_of(want_a), k));
        }
    }
    rising.sort_unstable_by(in_order);
    full.sort_unstable_by(in_order);
    let Some(&(mut level, _)) = rising.first() else { return };
    let (mut next, mut next_full) = (0, 0);
    loop {
        // Whoever starts at this level joins.
        while let Some(&(_, k)) = rising.get(next).filter(|(starts, _)| *starts <= level + SLACK) {
            next += 1;
            active[k] = true;
            for &(row, per_a) in &claims[k].loads {
                advance(row, level, rooms, weights, as_of);
                if !fresh[row] {
                    fresh[row] = true;
                    touched.push(row);
                    joined.push(row);
                }
                weights[row] += per_a * claims[k].want_a[layer];
            }
        }
        for row in joined.drain(..) {
            fresh[row] = false;
            push_row(row, level, rooms, weights, heap);
        }
        let joins = rising.get(next).map_or(f64::INFINITY, |(level, _)| *level);
        let fills = full.get(next_full).map_or(f64::INFINITY, |(level, _)| *level);
        let meets = heap.peek().map_or(f64::INFINITY, |stop| stop.level);
        if joins < fills && joins < meets {
            level = joins;
        } else if fills <= meets {
            // A claim has what it wants.
            let Some(&(at, k)) = full.get(next_full) else { break };
            next_full += 1;
            if active[k] {
                level = at.max(level);
                settle(k, None, level, layer, claims, grants, rooms, weights, as_of);
                active[k] = false;
            }
        } else {
            let Some(Stop { level: at, row }) = heap.pop() else { break };
            if weights[row] <= SLACK {
                continue;
            }
            level = at.max(level);
            advance(row, level, rooms, weights, as_of);
            if rooms[row] > SLACK * weights[row].max(1.0) {
                push_row(row, level, rooms, weights, heap);
                continue;
            }
            for &k in &columns[begins[row]..begins[row + 1]] {
                if active[k] {
                    settle(k, Some(row), level, layer, claims, grants, rooms, weights, as_of);
                    active[k] = false;
                }
            }
        }
    }
    scratch.clear();
}

/// By level; at the same one in the order of the line.
fn in_order((a, j): &(f64, usize), (b, k): &(f64, usize)) -> Ordering {
    a.total_cmp(b).then(j.cmp(k))
}

/// Brings the room of a row to a level.
fn advance(row: usize, level: f64, rooms: &mut [f64], weights: &[f64], as_of: &mut [f64]) {
    if weights[row] > 0.0 {
        rooms[row] -= weights[row] * (level - as_of[row]);
    }
    as_of[row] = level;
}

fn push_row(row: usize, level: f64, rooms: &[f64], weights: &[f64], heap: &mut BinaryHeap<Stop>) {
    if weights[row] > SLACK {
        heap.push(Stop { level: level + rooms[row].max(0.0) / weights[row], row });
    }
}

/// Ends the rise of a claim at a level.
#[expect(clippy::too_many_arguments, reason = "the state of one loop, which lives nowhere else")]
fn settle(
    k: usize,
    by: Option<usize>,
    level: f64,
    layer: usize,
    claims: &[Claim],
    grants: &mut [Grant],
    rooms: &mut [f64],
    weights: &mut [f64],
    as_of: &mut [f64],
) {
    let want = claims[k].want_a[layer];
    let amps = (claims[k].min_a + level * want).min(want).max(grants[k].amps);
    if amps - grants[k].amps > grants[k].amps - claims[k].min_a {
        grants[k].layer = layer;
    }
    grants[k].amps = amps;
    grants[k].stopped_by = by;
    for &(row, per_a) in &claims[k].loads {
        advance(row, level, rooms, weights, as_of);
        // The row's entry in the heap comes too early now, and is put right when it comes.
        weights[row] = (weights[row] - per_a * want).max(0.0);
    }
}
