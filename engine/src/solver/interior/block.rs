//! One unit inside the interior-point method: its variables, the rows that only it has, and how both are eliminated.
//!
//! To the rest a unit shows one signed quantity per slot, `z = up − down`. Its own rows (a need; or a battery's energy
//! after each slot, with `up/up_max + down/down_max ≤ 1`, the convex hull of "never both directions") are eliminated
//! first, which leaves `M = ∂z/∂price`, a matrix over the slots of its window: diagonal less rank one for a need,
//! diagonal less a tridiagonal inverse for a battery.

use super::Frame;
use super::vars::{Aim, Vars};
use crate::model::unit::{Chain, Store, Sum, Unit};

/// A unit in the interior-point method.
#[derive(Debug, Clone)]
pub struct Block {
    /// Which price series it sees.
    pub class: usize,
    /// First slot of its window.
    pub from: usize,
    /// Length of its window.
    pub len: usize,
    /// Its variables: up (len); for a need: short, over; for a battery: down (len), energy (len), slack (len), short, over.
    pub vars: Vars,
    up_low: Vec<f64>,
    down_low: Vec<f64>,
    inner: Inner,
    /// What the last forward pass passes on, per slot.
    pub pass: Vec<f64>,
}

/// The unit's own rows.
#[derive(Debug, Clone)]
enum Inner {
    None,
    Sum { of: Sum, need_kwh: f64, y: f64, rp: f64, dy: f64, k: f64, r: f64 },
    Chain(Box<Links>),
}

/// The rows of a battery: energy after each slot, the target, and the cut per slot where both directions are open.
#[derive(Debug, Clone)]
struct Links {
    of: Chain,
    /// 1 ÷ highest up and down where the cut is in force, else 0.
    cut: Vec<(f64, f64)>,
    y: Vec<f64>,
    y_cut: Vec<f64>,
    rp: Vec<f64>,
    rp_cut: Vec<f64>,
    dy: Vec<f64>,
    dy_cut: Vec<f64>,
    /// LDLᵀ of the tridiagonal matrix: D and the subdiagonal of L.
    d: Vec<f64>,
    l: Vec<f64>,
    /// After the cuts are gone: coupling of z with the energy rows, and with itself.
    v: Vec<f64>,
    q: Vec<f64>,
    /// The cut rows: their own diagonal, coupling with the energy row and with z.
    k_cut: Vec<f64>,
    c_cut: Vec<f64>,
    w_cut: Vec<f64>,
    r: Vec<f64>,
    r_cut: Vec<f64>,
}

impl Links {
    /// Solves the tridiagonal system in place.
    fn solve(&self, r: &mut [f64]) {
        let n = r.len();
        for t in 1..n {
            r[t] -= self.l[t] * r[t - 1];
        }
        for (r, d) in r.iter_mut().zip(&self.d) {
            *r /= d;
        }
        for t in (1..n).rev() {
            r[t - 1] -= self.l[t] * r[t];
        }
    }
}

impl Block {
    /// A unit with what it may do and what each slot up costs besides the prices.
    pub fn of(unit: &Unit, class: usize, frame: &Frame, tilt_eur: &[f64]) -> Self {
        let len = unit.len();
        let mut cost: Vec<f64> = (0..len).map(|k| tilt_eur.get(k).copied().unwrap_or(0.0)).collect();
        let mut width: Vec<f64> = frame.up.iter().map(|(low, high)| high - low).collect();
        let up_low: Vec<f64> = frame.up.iter().map(|b| b.0).collect();
        let mut down_low = Vec::new();
        let inner = match &unit.store {
            Store::None => Inner::None,
            Store::Sum(of) => {
                cost.extend([of.short_eur_kwh, 0.0]);
                width.extend([of.need_kwh, of.room_kwh - of.need_kwh]);
                let need_kwh = of.need_kwh - of.gain_kwh * up_low.iter().sum::<f64>();
                Inner::Sum { of: *of, need_kwh, y: 0.0, rp: 0.0, dy: 0.0, k: 1.0, r: 0.0 }
            }
            Store::Chain(of) => {
                down_low = frame.down.iter().map(|b| b.0).collect();
                let cut: Vec<(f64, f64)> = (0..len).map(|k| cut(frame, k)).collect();
                cost.extend(std::iter::repeat_n(unit.wear_eur, len));
                width.extend(frame.down.iter().map(|(low, high)| high - low));
                cost.extend(std::iter::repeat_n(0.0, 2 * len));
                width.extend(std::iter::repeat_n(of.room_kwh, len));
                width.extend(cut.iter().map(|c| if c.0 > 0.0 { 1.0 } else { 0.0 }));
                cost.extend([of.short_eur_kwh, 0.0]);
                width.extend([of.target_kwh, of.room_kwh - of.target_kwh]);
                let zeros = || vec![0.0; len];
                let more = || vec![0.0; len + 1];
                Inner::Chain(Box::new(Links {
                    of: *of,
                    cut,
                    y: more(),
                    y_cut: zeros(),
                    rp: more(),
                    rp_cut: zeros(),
                    dy: more(),
                    dy_cut: zeros(),
                    d: more(),
                    l: more(),
                    v: zeros(),
                    q: zeros(),
                    k_cut: zeros(),
                    c_cut: zeros(),
                    w_cut: zeros(),
                    r: more(),
                    r_cut: zeros(),
                }))
            }
        };
        let vars = Vars::of(cost, width);
        Self { class, from: unit.from, len, vars, up_low, down_low, inner, pass: vec![0.0; len] }
    }

    /// Signed quantity in a slot of the window.
    pub fn z(&self, k: usize) -> f64 {
        self.up(k) - self.down(k)
    }

    /// Quantity up.
    pub fn up(&self, k: usize) -> f64 {
        self.up_low[k] + self.vars.x[k]
    }

    /// Quantity down.
    pub fn down(&self, k: usize) -> f64 {
        if self.down_low.is_empty() { 0.0 } else { self.down_low[k] + self.vars.x[self.len + k] }
    }

    /// Gives the unit other bounds and tilts, its iterate kept where they are the same.
    pub fn refit(&mut self, frame: &Frame, tilt_eur: &[f64], mu: f64) {
        for k in 0..self.len {
            self.vars.cost[k] = tilt_eur.get(k).copied().unwrap_or(0.0);
            let (low, high) = frame.up[k];
            if (low, high - low) != (self.up_low[k], self.vars.width[k]) {
                self.vars.refit(k, high - low, mu);
                self.up_low[k] = low;
            }
        }
        match &mut self.inner {
            Inner::None => {}
            Inner::Sum { of, need_kwh, .. } => {
                *need_kwh = of.need_kwh - of.gain_kwh * self.up_low.iter().sum::<f64>();
            }
            Inner::Chain(links) => {
                for k in 0..self.len {
                    let j = self.len + k;
                    let (low, high) = frame.down[k];
                    if (low, high - low) != (self.down_low[k], self.vars.width[j]) {
                        self.vars.refit(j, high - low, mu);
                        self.down_low[k] = low;
                    }
                    let cut = cut(frame, k);
                    if cut != links.cut[k] {
                        let j = 3 * self.len + k;
                        let open = if cut.0 > 0.0 { 1.0 } else { 0.0 };
                        self.vars.refit(j, open, mu);
                        links.cut[k] = cut;
                        links.y_cut[k] = 0.0;
                    }
                }
            }
        }
    }

    /// First multipliers, from the prices of z and the unit's own prices at 0.
    pub fn start(&mut self, price: &[f64], least: f64) {
        for j in 0..self.vars.len() {
            let at_y = if j < self.len {
                price[j]
            } else if !self.down_low.is_empty() && j < 2 * self.len {
                -price[j - self.len]
            } else {
                0.0
            };
            let reduced = self.vars.cost[j] - at_y;
            self.vars.set_multipliers(j, reduced, least);
        }
    }

    /// Updates residuals from the prices of z; returns the largest dual and primal one.
    pub fn residuals(&mut self, price: &[f64]) -> (f64, f64) {
        let n = self.len;
        let mut dual = 0.0_f64;
        let mut primal = 0.0_f64;
        let vars = &mut self.vars;
        match &mut self.inner {
            Inner::None => {
                for k in 0..n {
                    dual = dual.max(vars.set_residual(k, price[k]));
                }
            }
            Inner::Sum { of, need_kwh, y, rp, .. } => {
                let mut sum = 0.0;
                for k in 0..n {
                    dual = dual.max(vars.set_residual(k, price[k] + of.gain_kwh * *y));
                    sum += vars.x[k];
                }
                dual = dual.max(vars.set_residual(n, *y)).max(vars.set_residual(n + 1, -*y));
                *rp = *need_kwh - of.gain_kwh * sum - vars.x[n] + vars.x[n + 1];
                primal = rp.abs();
            }
            Inner::Chain(links) => {
                let links = &mut **links;
                let of = links.of;
                for k in 0..n {
                    let (y, next) = (links.y[k], links.y[k + 1]);
                    let (cut_up, cut_down) = links.cut[k];
                    let (up, down) = (vars.x[k], vars.x[n + k]);
                    let to_next = if k + 1 < n { -next } else { next };
                    dual = dual
                        .max(vars.set_residual(k, price[k] - of.gain_kwh * y + cut_up * links.y_cut[k]))
                        .max(vars.set_residual(n + k, -price[k] + of.drain_kwh * y + cut_down * links.y_cut[k]))
                        .max(vars.set_residual(2 * n + k, y + to_next))
                        .max(vars.set_residual(3 * n + k, links.y_cut[k]));
                    let before = if k == 0 { of.start_kwh } else { vars.x[2 * n + k - 1] };
                    let full_up = self.up_low[k] + up;
                    let full_down = self.down_low[k] + down;
                    links.rp[k] = before + of.gain_kwh * full_up - of.drain_kwh * full_down - vars.x[2 * n + k];
                    links.rp_cut[k] =
                        if cut_up > 0.0 { 1.0 - cut_up * up - cut_down * down - vars.x[3 * n + k] } else { 0.0 };
                    primal = primal.max(links.rp[k].abs()).max(links.rp_cut[k].abs());
                }
                let y = links.y[n];
                dual = dual.max(vars.set_residual(4 * n, y)).max(vars.set_residual(4 * n + 1, -y));
                let last = if n == 0 { of.start_kwh } else { vars.x[3 * n - 1] };
                links.rp[n] = of.target_kwh - last - vars.x[4 * n] + vars.x[4 * n + 1];
                primal = primal.max(links.rp[n].abs());
            }
        }
        (dual, primal)
    }

    /// Scales the variables and factors the unit's own rows.
    pub fn factor(&mut self) {
        self.vars.scale();
        let n = self.len;
        let theta = &self.vars.theta;
        match &mut self.inner {
            Inner::None => {}
            Inner::Sum { of, k, .. } => {
                let sum: f64 = theta[..n].iter().sum();
                *k = (of.gain_kwh * of.gain_kwh * sum + theta[n] + theta[n + 1]).max(f64::MIN_POSITIVE);
            }
            Inner::Chain(links) => {
                let links = &mut **links;
                let (gain, drain) = (links.of.gain_kwh, links.of.drain_kwh);
                for k in 0..n {
                    let (up, down, energy) = (theta[k], theta[n + k], theta[2 * n + k]);
                    let (cut_up, cut_down) = links.cut[k];
                    let mut diagonal = gain * gain * up + drain * drain * down + energy;
                    let mut v = -(gain * up + drain * down);
                    let mut q = up + down;
                    if cut_up > 0.0 {
                        let own = cut_up * cut_up * up + cut_down * cut_down * down + theta[3 * n + k];
                        let c = -gain * cut_up * up + drain * cut_down * down;
                        let w = cut_up * up - cut_down * down;
                        diagonal -= c * c / own;
                        v -= w * c / own;
                        q -= w * w / own;
                        (links.k_cut[k], links.c_cut[k], links.w_cut[k]) = (own, c, w);
                    }
                    if k > 0 {
                        diagonal += theta[2 * n + k - 1];
                    }
                    (links.v[k], links.q[k], links.d[k]) = (v, q, diagonal);
                }
                links.d[n] = theta[4 * n] + theta[4 * n + 1] + if n == 0 { 0.0 } else { theta[3 * n - 1] };
                for t in 1..=n {
                    let coupling = if t < n { -theta[2 * n + t - 1] } else { theta[3 * n - 1] };
                    let before = links.d[t - 1].max(f64::MIN_POSITIVE);
                    links.l[t] = coupling / before;
                    links.d[t] -= links.l[t] * coupling;
                }
                for d in &mut links.d {
                    *d = d.max(1e-30);
                }
            }
        }
    }

    /// The diagonal of ∂z/∂price that is left out of [`rest`](Self::rest), per slot.
    pub fn diagonal(&self, k: usize) -> f64 {
        match &self.inner {
            Inner::Chain(links) => links.q[k],
            _ => self.vars.theta[k],
        }
    }

    /// What the unit's own rows take from the diagonal.
    pub fn rest(&self) -> Rest<'_> {
        match &self.inner {
            Inner::None => Rest::None,
            Inner::Sum { of, k, .. } => {
                Rest::RankOne { theta: &self.vars.theta[..self.len], scale: of.gain_kwh * of.gain_kwh / k }
            }
            Inner::Chain(links) => Rest::Inverse(Inverse { links, len: self.len }),
        }
    }

    /// First half of a step: what the unit's own rows pass on to the shared ones.
    pub fn forward(&mut self, aim: Aim) {
        self.vars.aim(aim);
        let n = self.len;
        let g = &self.vars.g;
        match &mut self.inner {
            Inner::None => self.pass.copy_from_slice(&g[..n]),
            Inner::Sum { of, rp, k, r, .. } => {
                *r = *rp + of.gain_kwh * g[..n].iter().sum::<f64>() + g[n] - g[n + 1];
                let take = of.gain_kwh * *r / *k;
                for ((pass, g), theta) in self.pass.iter_mut().zip(g).zip(&self.vars.theta) {
                    *pass = g - theta * take;
                }
            }
            Inner::Chain(links) => {
                let links = &mut **links;
                let (gain, drain) = (links.of.gain_kwh, links.of.drain_kwh);
                for k in 0..n {
                    let (up, down, energy) = (g[k], g[n + k], g[2 * n + k]);
                    let (cut_up, cut_down) = links.cut[k];
                    self.pass[k] = up - down;
                    let mut r = links.rp[k] - gain * up + drain * down + energy;
                    if k > 0 {
                        r -= g[2 * n + k - 1];
                    }
                    links.r_cut[k] = 0.0;
                    if cut_up > 0.0 {
                        let r_cut = links.rp_cut[k] + cut_up * up + cut_down * down + g[3 * n + k];
                        links.r_cut[k] = r_cut;
                        r -= links.c_cut[k] * r_cut / links.k_cut[k];
                        self.pass[k] -= links.w_cut[k] * r_cut / links.k_cut[k];
                    }
                    links.r[k] = r;
                }
                let last = if n == 0 { 0.0 } else { g[3 * n - 1] };
                links.r[n] = links.rp[n] + last + g[4 * n] - g[4 * n + 1];
                let mut solved = std::mem::take(&mut links.dy);
                solved.copy_from_slice(&links.r);
                links.solve(&mut solved);
                for k in 0..n {
                    self.pass[k] -= links.v[k] * solved[k];
                }
                links.dy = solved;
            }
        }
    }

    /// Second half of a step, from the change of the prices of z.
    pub fn backward(&mut self, price: &[f64]) {
        let n = self.len;
        let vars = &mut self.vars;
        match &mut self.inner {
            Inner::None => {
                for k in 0..n {
                    vars.step(k, price[k]);
                }
            }
            Inner::Sum { of, k, r, dy, .. } => {
                let pull: f64 = vars.theta[..n].iter().zip(price).map(|(theta, p)| theta * p).sum();
                *dy = (*r - of.gain_kwh * pull) / *k;
                for k in 0..n {
                    vars.step(k, price[k] + of.gain_kwh * *dy);
                }
                vars.step(n, *dy);
                vars.step(n + 1, -*dy);
            }
            Inner::Chain(links) => {
                let links = &mut **links;
                let (gain, drain) = (links.of.gain_kwh, links.of.drain_kwh);
                let mut dy = std::mem::take(&mut links.dy);
                dy.copy_from_slice(&links.r);
                for k in 0..n {
                    dy[k] -= links.v[k] * price[k];
                }
                links.solve(&mut dy);
                for k in 0..n {
                    let (cut_up, cut_down) = links.cut[k];
                    links.dy_cut[k] = if cut_up > 0.0 {
                        (links.r_cut[k] - links.c_cut[k] * dy[k] - links.w_cut[k] * price[k]) / links.k_cut[k]
                    } else {
                        0.0
                    };
                    let cut = links.dy_cut[k];
                    vars.step(k, price[k] - gain * dy[k] + cut_up * cut);
                    vars.step(n + k, -price[k] + drain * dy[k] + cut_down * cut);
                    vars.step(2 * n + k, dy[k] + if k + 1 < n { -dy[k + 1] } else { dy[k + 1] });
                    vars.step(3 * n + k, cut);
                }
                vars.step(4 * n, dy[n]);
                vars.step(4 * n + 1, -dy[n]);
                links.dy = dy;
            }
        }
    }

    /// Takes the step.
    pub fn go(&mut self, primal: f64, dual: f64) {
        self.vars.go(primal, dual);
        match &mut self.inner {
            Inner::None => {}
            Inner::Sum { y, dy, .. } => *y += dual * *dy,
            Inner::Chain(links) => {
                links.y.iter_mut().zip(&links.dy).for_each(|(y, dy)| *y += dual * dy);
                links.y_cut.iter_mut().zip(&links.dy_cut).for_each(|(y, dy)| *y += dual * dy);
            }
        }
    }
}

/// 1 ÷ highest up and down where both directions are open, else 0.
fn cut(frame: &Frame, k: usize) -> (f64, f64) {
    let (up, down) = (frame.up[k].1, frame.down[k].1);
    if up > 1e-9 && down > 1e-9 { (1.0 / up, 1.0 / down) } else { (0.0, 0.0) }
}

/// What a unit's own rows take from the diagonal of ∂z/∂price.
pub enum Rest<'a> {
    /// Nothing.
    None,
    /// `scale · θ θᵀ`.
    RankOne {
        /// θ per slot of the window.
        theta: &'a [f64],
        /// The factor.
        scale: f64,
    },
    /// `v K⁻¹ vᵀ`, a few columns at a time.
    Inverse(Inverse<'a>),
}

/// How many columns of an inverse are made at once: the recursions of one column wait for themselves, those of several do not.
pub const COLUMNS: usize = 8;

/// `v K⁻¹ vᵀ` of a battery.
pub struct Inverse<'a> {
    links: &'a Links,
    len: usize,
}

impl Inverse<'_> {
    /// Length of a column.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Writes [`COLUMNS`] columns from the given one on, or as many as there are, row by row.
    pub fn columns(&self, first: usize, rows: &mut Vec<[f64; COLUMNS]>) {
        let Links { d, l, v, .. } = self.links;
        rows.clear();
        rows.resize(self.len + 1, [0.0; COLUMNS]);
        // Forward substitution finds zeros before the first column.
        for t in first..=self.len {
            let before = if t > first { rows[t - 1] } else { [0.0; COLUMNS] };
            let row = &mut rows[t];
            for (row, before) in row.iter_mut().zip(before) {
                *row = -l[t] * before;
            }
            if t < self.len && t < first + COLUMNS {
                row[t - first] += v[t];
            }
        }
        for t in first..=self.len {
            let inverse = 1.0 / d[t];
            for x in &mut rows[t] {
                *x *= inverse;
            }
        }
        for t in (1..=self.len).rev() {
            let after = rows[t];
            for (row, after) in rows[t - 1].iter_mut().zip(after) {
                *row -= l[t] * after;
            }
        }
        rows.truncate(self.len);
        for (row, v) in rows.iter_mut().zip(v) {
            for x in row {
                *x *= v;
            }
        }
    }
}
