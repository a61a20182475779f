//! What the last clamp has taken off setpoints, and what follows from that for others and for the next ones.

/// So many times its rating is kept free at most for what the last clamp has cut of a device: nobody starves for it.
const MOST_CLAMPED: f64 = 2.0;

/// For so long all of the room is kept free for what the last clamp has cut, in s; then less and less of it until so long has passed:
/// what made the clamp count more, as a charger that had not told yet what it draws, is seldom so for long.
const WHOLE_S: f64 = 60.0;
const CLAMPED_S: f64 = 300.0;

/// So long after the last clamp has cut a setpoint no more is asked for, in s: others have to make room first.
const PATIENCE_S: f64 = 30.0;

/// What the last clamp took off a device's setpoints. It knows less and counts more, and others have to make room for what it
/// counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clamped {
    /// What it took off, in A per phase.
    kept_a: f64,
    /// What it left, in A per phase.
    left_a: f64,
    /// When it did so last, on the sure clock.
    at_s: f64,
}

impl Default for Clamped {
    /// Nothing yet.
    fn default() -> Clamped {
        Clamped { kept_a: 0.0, left_a: 0.0, at_s: f64::NEG_INFINITY }
    }
}

impl Clamped {
    /// It has taken so much off a setpoint of a device of a rating, and left so much, in A per phase.
    pub fn cuts(&mut self, cut_a: f64, left_a: f64, max_a: f64, sure_s: f64) {
        // What was kept free already was not enough.
        let kept_a = (self.kept_a(sure_s) + cut_a).min(MOST_CLAMPED * max_a);
        *self = Clamped { kept_a, left_a, at_s: sure_s };
    }

    /// What is kept free for the device, in A per phase.
    pub fn kept_a(&self, sure_s: f64) -> f64 {
        let left = (self.at_s + CLAMPED_S - sure_s) / (CLAMPED_S - WHOLE_S);
        if left > 0.0 { self.kept_a * left.min(1.0) } else { 0.0 }
    }

    /// Whether nothing at all was left: others may have to stop for it.
    pub fn left_nothing(&self) -> bool {
        self.left_a <= 0.0
    }

    /// The most to ask for now, in A per phase. Where nothing was left, pauses between starts are patience enough.
    pub fn asks_for_a(&self, sure_s: f64) -> f64 {
        if self.left_nothing() || sure_s >= self.at_s + PATIENCE_S { f64::INFINITY } else { self.left_a }
    }
}
