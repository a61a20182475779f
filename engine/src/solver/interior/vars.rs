//! Bounded variables of an interior-point method, as parallel arrays.
//!
//! Each variable lives in `[0, width]`; `w = width − x` is kept beside `x`. A variable of (nearly) no width is fixed at 0
//! and takes no part. Names follow Wright, *Primal-Dual Interior-Point Methods* (1997), chapters 6 and 10.

/// Widths below this are none.
const NO_WIDTH: f64 = 1e-9;
/// How close to the boundary a step may go, as a fraction of the way to it.
const TO_BOUNDARY: f64 = 0.9995;

/// Which right-hand side a step is computed for.
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    /// Straight at complementarity 0.
    Affine,
    /// At this complementarity, with the second-order term of the affine step just taken.
    Corrected(f64),
}

/// The variables.
#[derive(Debug, Clone, Default)]
pub struct Vars {
    /// Cost of one more, EUR.
    pub cost: Vec<f64>,
    /// Upper bound.
    pub width: Vec<f64>,
    /// Value.
    pub x: Vec<f64>,
    /// Distance to the upper bound.
    pub w: Vec<f64>,
    /// Multiplier of the lower bound.
    pub zl: Vec<f64>,
    /// Multiplier of the upper bound.
    pub zu: Vec<f64>,
    /// Dual residual: cost − Aᵀy − zl + zu.
    pub rd: Vec<f64>,
    /// 1 ÷ (zl/x + zu/w); 0 where fixed.
    pub theta: Vec<f64>,
    /// The step's right-hand side, times theta.
    pub g: Vec<f64>,
    rcl: Vec<f64>,
    rcu: Vec<f64>,
    dx: Vec<f64>,
    dzl: Vec<f64>,
    dzu: Vec<f64>,
}

impl Vars {
    /// Variables with these costs and widths, at mid-width, with no multipliers yet.
    pub fn of(cost: Vec<f64>, width: Vec<f64>) -> Self {
        let mut vars = Self::default();
        for (cost, width) in cost.into_iter().zip(width) {
            vars.push(cost, width, width / 2.0, 0.0, 0.0);
        }
        vars
    }

    /// Number of variables.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Adds a variable.
    pub fn push(&mut self, cost: f64, width: f64, x: f64, zl: f64, zu: f64) {
        let fixed = width < NO_WIDTH;
        self.cost.push(cost);
        self.width.push(if fixed { 0.0 } else { width });
        self.x.push(if fixed { 0.0 } else { x });
        self.w.push(if fixed { 0.0 } else { width - x });
        self.zl.push(if fixed { 0.0 } else { zl });
        self.zu.push(if fixed { 0.0 } else { zu });
        for field in [
            &mut self.rd,
            &mut self.theta,
            &mut self.g,
            &mut self.rcl,
            &mut self.rcu,
            &mut self.dx,
            &mut self.dzl,
            &mut self.dzu,
        ] {
            field.push(0.0);
        }
    }

    /// Gives a variable another width. It goes where its reduced cost wants it at this complementarity: central and dual
    /// feasible, so that only the rows it stands in have to follow.
    pub fn refit(&mut self, j: usize, width: f64, mu: f64) {
        let reduced = self.rd[j] + self.zl[j] - self.zu[j];
        let fixed = width < NO_WIDTH;
        let w = if fixed { 0.0 } else { width };
        // The root of mu/x − mu/(w − x) = reduced within (0, w).
        let pull = reduced * w;
        let root = 2.0 * mu * w / (pull + 2.0 * mu + pull.hypot(2.0 * mu));
        let x = if fixed { 0.0 } else { root.clamp(1e-9 * w, (1.0 - 1e-9) * w) };
        self.width[j] = w;
        (self.x[j], self.w[j]) = (x, w - x);
        (self.zl[j], self.zu[j]) = if fixed { (0.0, 0.0) } else { (mu / x, mu / (w - x)) };
        (self.rd[j], self.theta[j], self.g[j]) = (0.0, 0.0, 0.0);
        (self.dx[j], self.dzl[j], self.dzu[j]) = (0.0, 0.0, 0.0);
    }

    /// Whether a variable can move.
    pub fn free(&self, j: usize) -> bool {
        self.width[j] > 0.0
    }

    /// Sets the multipliers to fit a reduced cost, each at least `least`.
    pub fn set_multipliers(&mut self, j: usize, reduced: f64, least: f64) {
        if self.free(j) {
            self.zl[j] = reduced.max(0.0) + least;
            self.zu[j] = (-reduced).max(0.0) + least;
        }
    }

    /// Updates a dual residual from Aᵀy; returns its size.
    pub fn set_residual(&mut self, j: usize, at_y: f64) -> f64 {
        self.rd[j] = if self.free(j) { self.cost[j] - at_y - self.zl[j] + self.zu[j] } else { 0.0 };
        self.rd[j].abs()
    }

    /// Σ x·zl + w·zu, and the number of products.
    pub fn complementarity(&self) -> (f64, usize) {
        let mut sum = 0.0;
        let mut count = 0;
        for j in 0..self.len() {
            if self.free(j) {
                sum += self.x[j] * self.zl[j] + self.w[j] * self.zu[j];
                count += 2;
            }
        }
        (sum, count)
    }

    /// Computes theta.
    pub fn scale(&mut self) {
        for j in 0..self.len() {
            self.theta[j] = if self.free(j) { 1.0 / (self.zl[j] / self.x[j] + self.zu[j] / self.w[j]) } else { 0.0 };
        }
    }

    /// Computes the right-hand side `g` of a step.
    pub fn aim(&mut self, aim: Aim) {
        for j in 0..self.len() {
            if !self.free(j) {
                continue;
            }
            let (lower, upper) = (self.x[j] * self.zl[j], self.w[j] * self.zu[j]);
            (self.rcl[j], self.rcu[j]) = match aim {
                Aim::Affine => (-lower, -upper),
                Aim::Corrected(mu) => (mu - lower - self.dx[j] * self.dzl[j], mu - upper + self.dx[j] * self.dzu[j]),
            };
            self.g[j] = self.theta[j] * (self.rd[j] - self.rcl[j] / self.x[j] + self.rcu[j] / self.w[j]);
        }
    }

    /// Completes a variable's step from Aᵀdy; returns its dx.
    pub fn step(&mut self, j: usize, at_dy: f64) -> f64 {
        if !self.free(j) {
            return 0.0;
        }
        let dx = self.theta[j] * at_dy - self.g[j];
        self.dx[j] = dx;
        self.dzl[j] = (self.rcl[j] - self.zl[j] * dx) / self.x[j];
        self.dzu[j] = (self.rcu[j] + self.zu[j] * dx) / self.w[j];
        dx
    }

    /// The longest steps, primal and dual, that keep everything positive; at most 1.
    pub fn longest(&self) -> (f64, f64) {
        let (mut primal, mut dual) = (1.0_f64, 1.0_f64);
        for j in 0..self.len() {
            let dx = self.dx[j];
            // Either bound is in the way, never both; a variable that is fixed has no step.
            let distance = if dx < 0.0 { self.x[j] } else { self.w[j] };
            if distance < primal * dx.abs() {
                primal = distance / dx.abs();
            }
            if self.zl[j] < -dual * self.dzl[j] {
                dual = -self.zl[j] / self.dzl[j];
            }
            if self.zu[j] < -dual * self.dzu[j] {
                dual = -self.zu[j] / self.dzu[j];
            }
        }
        (primal, dual)
    }

    /// Complementarity after steps of these lengths.
    pub fn complementarity_after(&self, primal: f64, dual: f64) -> f64 {
        let mut sum = 0.0;
        for j in 0..self.len() {
            if self.free(j) {
                let dx = primal * self.dx[j];
                sum += (self.x[j] + dx) * (self.zl[j] + dual * self.dzl[j])
                    + (self.w[j] - dx) * (self.zu[j] + dual * self.dzu[j]);
            }
        }
        sum
    }

    /// Takes the step.
    pub fn go(&mut self, primal: f64, dual: f64) {
        for j in 0..self.len() {
            if self.free(j) {
                self.x[j] += primal * self.dx[j];
                self.w[j] -= primal * self.dx[j];
                self.zl[j] += dual * self.dzl[j];
                self.zu[j] += dual * self.dzu[j];
            }
        }
    }
}

/// The length to take, given the longest.
pub fn shorten(longest: f64) -> f64 {
    (TO_BOUNDARY * longest).min(1.0)
}
