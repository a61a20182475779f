//! How far our clock is ahead of a meter's: by that it is known which readings come late.

/// For so long a delay counts as one, in s; one that lasts for twice as long is a clock that goes otherwise.
const DELAYED_S: f64 = 1800.0;

/// How far our clock is ahead of a meter's by the readings that came fastest, lately and before.
#[expect(clippy::struct_field_names, reason = "the unit")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ahead {
    before_s: f64,
    lately_s: f64,
    since_s: f64,
}

impl Ahead {
    /// By a first reading.
    pub fn new(ahead_s: f64, now_s: f64) -> Ahead {
        Ahead { before_s: ahead_s, lately_s: ahead_s, since_s: now_s }
    }

    /// By another one.
    pub fn sees(&mut self, ahead_s: f64, now_s: f64) {
        if now_s - self.since_s >= DELAYED_S {
            *self = Ahead { before_s: self.lately_s, ..Ahead::new(ahead_s, now_s) };
        }
        self.lately_s = self.lately_s.min(ahead_s);
    }

    /// Our clock has jumped.
    pub fn jumps(&mut self, jumped_s: f64) {
        self.before_s += jumped_s;
        self.lately_s += jumped_s;
    }

    /// How far it is ahead, in s.
    pub fn least_s(&self) -> f64 {
        self.before_s.min(self.lately_s)
    }
}
