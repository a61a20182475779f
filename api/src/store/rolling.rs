//! Rolling measurements up: what several amount to together. Sums rather than means are kept, so that what comes late can
//! be added, and what is rolled up twice in steps is the same as at once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::measurement::{Grain, Measured, Point};

/// What some measurements amount to together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sum {
    /// How many there are.
    pub count: u64,
    /// Sums of L1, L2, L3 in A.
    pub sum_a: [f64; 3],
    /// Highest values of L1, L2, L3 in A.
    pub highest_a: [f64; 3],
    /// In how many power was measured.
    pub power_count: u64,
    /// Sum of power in kW.
    pub power_sum_kw: f64,
    /// The counter of energy in kWh, as it was last.
    pub energy_kwh: Option<f64>,
}

impl Sum {
    /// One measurement.
    pub fn of(phases_a: [f64; 3], power_kw: Option<f64>, energy_kwh: Option<f64>) -> Sum {
        Sum {
            count: 1,
            sum_a: phases_a,
            highest_a: phases_a,
            power_count: u64::from(power_kw.is_some()),
            power_sum_kw: power_kw.unwrap_or_default(),
            energy_kwh,
        }
    }

    /// These and later ones together.
    pub fn and(self, later: Sum) -> Sum {
        Sum {
            count: self.count + later.count,
            sum_a: [0, 1, 2].map(|l| self.sum_a[l] + later.sum_a[l]),
            highest_a: [0, 1, 2].map(|l| self.highest_a[l].max(later.highest_a[l])),
            power_count: self.power_count + later.power_count,
            power_sum_kw: self.power_sum_kw + later.power_sum_kw,
            energy_kwh: later.energy_kwh.or(self.energy_kwh),
        }
    }

    /// The same as a point.
    pub fn point(&self, site: &str, place: &str, at: DateTime<Utc>, grain: Grain) -> Point {
        let count = self.count.max(1) as f64;
        let power_kw = (self.power_count > 0).then(|| self.power_sum_kw / self.power_count as f64);
        Point {
            mean: Measured {
                site: site.to_owned(),
                place: place.to_owned(),
                at,
                phases_a: self.sum_a.map(|sum_a| sum_a / count),
                power_kw,
                energy_kwh: self.energy_kwh,
            },
            highest_a: self.highest_a,
            grain,
            count: u32::try_from(self.count).unwrap_or(u32::MAX),
        }
    }
}

/// A sum at its time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// When it begins.
    pub at: i64,
    /// How fine it is.
    pub grain: Grain,
    /// What it amounts to.
    pub sum: Sum,
}

/// The beginning of the interval of a grain that a time is in.
pub fn floor(at: i64, grain: Grain) -> i64 {
    match grain.seconds() {
        0 => at,
        seconds => at - at.rem_euclid(seconds * 1_000_000),
    }
}

/// The first beginning of an interval of a grain at a time or after it.
pub fn ceil(at: i64, grain: Grain) -> i64 {
    match grain.seconds() {
        0 => at,
        seconds => at.saturating_add((-at).rem_euclid(seconds * 1_000_000)),
    }
}

/// Pieces of one place rolled up to a grain at least, by time. Pieces that are coarser already stay so.
pub fn roll(mut pieces: Vec<Piece>, grain: Grain) -> Vec<Piece> {
    pieces.sort_by_key(|piece| (piece.at, piece.grain.seconds()));
    let mut rolled: BTreeMap<i64, Piece> = BTreeMap::new();
    for piece in pieces {
        let coarser = if piece.grain.seconds() > grain.seconds() { piece.grain } else { grain };
        let at = floor(piece.at, grain);
        rolled
            .entry(at)
            .and_modify(|so_far| {
                so_far.sum = so_far.sum.and(piece.sum);
                if coarser.seconds() > so_far.grain.seconds() {
                    so_far.grain = coarser;
                }
            })
            .or_insert(Piece { at, grain: coarser, sum: piece.sum });
    }
    rolled.into_values().collect()
}
