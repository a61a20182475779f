//! The least a battery can cost at given prices: its convex cost-to-go, slot by slot.
//!
//! The cost of reaching an energy is convex and piecewise linear; one slot convolves it with what the slot can do, which
//! merges two sorted lists of slopes, and cuts it to the battery's range. Exact up to rounding.

use crate::model::unit::Chain;
use crate::solver::interior::Frame;

/// A convex piecewise linear function: it begins at `from` with value `value`; pieces are (slope, length), slopes ascending.
#[derive(Debug, Clone)]
struct Convex {
    from: f64,
    value: f64,
    pieces: Vec<(f64, f64)>,
}

/// The least cost in EUR of a battery within its frame, at these prices per slot of quantity up (down earns them).
pub fn least_eur(of: &Chain, frame: &Frame, price: &[f64], wear_eur: f64) -> f64 {
    let mut cost = Convex { from: of.start_kwh, value: 0.0, pieces: Vec::new() };
    for (k, &price) in price.iter().enumerate() {
        cost = cost.convolve(&slot(of, frame, k, price, wear_eur));
        cost.cut(0.0, of.room_kwh);
    }
    cost.least_with_shortfall(of.target_kwh, of.short_eur_kwh)
}

/// What one slot can do to the energy, and at what cost: the convex hull of up, off and down.
fn slot(of: &Chain, frame: &Frame, k: usize, price: f64, wear_eur: f64) -> Convex {
    let (up_low, up_high) = frame.up[k];
    let (down_low, down_high) = frame.down.get(k).copied().unwrap_or((0.0, 0.0));
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(4);
    let mut up = |x: f64| points.push((of.gain_kwh * x, price * x));
    if down_low <= 0.0 {
        up(up_low);
        up(up_high);
    }
    let mut down = |x: f64| points.push((-of.drain_kwh * x, (wear_eur - price) * x));
    if up_low <= 0.0 {
        down(down_low);
        down(down_high);
    }
    hull(points)
}

/// The lower convex hull of a few points (energy, cost).
fn hull(mut points: Vec<(f64, f64)>) -> Convex {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    // The cheaper of two at one energy comes first and stays.
    points.dedup_by(|b, a| b.0 <= a.0);
    let mut corners: Vec<(f64, f64)> = Vec::with_capacity(points.len());
    for p in points {
        while let [.., a, b] = corners[..] {
            if (b.1 - a.1) * (p.0 - a.0) < (p.1 - a.1) * (b.0 - a.0) {
                break;
            }
            corners.pop();
        }
        corners.push(p);
    }
    let pieces = corners.windows(2).map(|w| ((w[1].1 - w[0].1) / (w[1].0 - w[0].0), w[1].0 - w[0].0)).collect();
    let (from, value) = corners.first().copied().unwrap_or((0.0, 0.0));
    Convex { from, value, pieces }
}

impl Convex {
    /// The infimal convolution: least cost of reaching an energy through both.
    fn convolve(&self, other: &Self) -> Self {
        let mut pieces = Vec::with_capacity(self.pieces.len() + other.pieces.len());
        let (mut a, mut b) = (self.pieces.iter().peekable(), other.pieces.iter().peekable());
        while let Some(piece) = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x.0 <= y.0 => a.next(),
            (Some(_), None) => a.next(),
            _ => b.next(),
        } {
            pieces.push(*piece);
        }
        Self { from: self.from + other.from, value: self.value + other.value, pieces }
    }

    /// Cuts to a range; where nothing of the function is in it, the nearest end stays.
    fn cut(&mut self, low: f64, high: f64) {
        let mut drop = 0;
        while self.from < low && drop < self.pieces.len() {
            let (slope, length) = self.pieces[drop];
            let step = length.min(low - self.from);
            self.from += step;
            self.value += slope * step;
            if step < length {
                self.pieces[drop].1 = length - step;
                break;
            }
            drop += 1;
        }
        self.pieces.drain(..drop);
        let mut end = self.from;
        for i in 0..self.pieces.len() {
            let length = self.pieces[i].1;
            if end + length >= high {
                self.pieces[i].1 = (high - end).max(0.0);
                self.pieces.truncate(i + 1);
                break;
            }
            end += length;
        }
    }

    /// The least value when each unit below a target costs extra.
    fn least_with_shortfall(&self, target: f64, short: f64) -> f64 {
        let at = |energy: f64, value: f64| value + short * (target - energy).max(0.0);
        let (mut energy, mut value) = (self.from, self.value);
        let mut least = at(energy, value);
        for &(slope, length) in &self.pieces {
            if energy < target && target < energy + length {
                least = least.min(value + slope * (target - energy));
            }
            energy += length;
            value += slope * length;
            least = least.min(at(energy, value));
        }
        least
    }
}
