//! What a board's meter shows, and whether it is believed.

use chrono::{DateTime, Utc};

use crate::control::settings::Settings;
use crate::control::setup::Node;

/// A reading of more than so many times the limit is none: the fuse would have blown long before.
const ABSURD: f64 = 3.0;

/// A meter that shows the same to the last digit while what hangs below has changed by so many A is frozen.
const MOVED_A: f64 = 3.0;

/// A reading by so many A below what plants and devices may feed in is none either.
const BELOW_A: f64 = 3.0;

/// What readings take is compared with what they took in so many s, and in as many before: one whose readings all take longer has a
/// clock that was set.
const COMPARED_S: f64 = 1800.0;

/// The last of a meter's readings, and what they have told about the building.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// When the last believed reading was heard, in s; `None`, never.
    heard_s: Option<f64>,
    stamp: Option<DateTime<Utc>>,
    /// What readings take where they come fastest; `None`, not known.
    fastest: Option<Fastest>,
    /// L1, L2, L3 in A.
    pub(super) phases_a: [f64; 3],
    /// Since when exactly these values have been shown, and what devices drew then, at least and at most.
    same_since: (f64, [[f64; 3]; 2]),
    /// What the building drew by the last reading, and at most and at least ever; `None`, never known.
    pub(super) last_a: Option<[f64; 3]>,
    pub(super) highest_a: Option<[f64; 3]>,
    pub(super) lowest_a: Option<[f64; 3]>,
}

/// Our clock less the meter's own where readings came fastest, in s: since an instant, and in the time before that.
#[expect(clippy::struct_field_names, reason = "the unit")]
#[derive(Debug, Clone, Copy)]
struct Fastest {
    lately_s: f64,
    since_s: f64,
    before_s: f64,
}

impl Fastest {
    /// What another reading makes of it.
    fn after(known: Option<Fastest>, took_s: f64, now_s: f64) -> Fastest {
        match known {
            None => Fastest { lately_s: took_s, since_s: now_s, before_s: took_s },
            Some(known) if now_s - known.since_s > COMPARED_S => {
                Fastest { lately_s: took_s, since_s: now_s, before_s: known.lately_s }
            }
            Some(known) => Fastest { lately_s: known.lately_s.min(took_s), ..known },
        }
    }

    fn least_s(self) -> f64 {
        self.lately_s.min(self.before_s)
    }
}

impl Shown {
    /// Takes in a reading. `seen_a` is what the devices in it draw, at least and at most; `feeding_a`, as a current below 0,
    /// the most that devices below may feed in.
    #[expect(clippy::too_many_arguments, reason = "a reading, and what it is held against")]
    pub(super) fn hear(
        &mut self,
        now_s: f64,
        at: DateTime<Utc>,
        phases_a: [f64; 3],
        node: &Node,
        seen_a: &[[f64; 3]; 2],
        feeding_a: &[f64; 3],
        settings: &Settings,
    ) {
        let absurd = (0..3).any(|k| !phases_a[k].is_finite() || phases_a[k].abs() > ABSURD * node.limit_a[k]);
        let impossible = (0..3).any(|k| phases_a[k] < feeding_a[k] - node.feeds_a[k] - BELOW_A);
        if impossible && !absurd {
            // Should it be true all the same, so much may be fed in already.
            let rest_a: [f64; 3] = std::array::from_fn(|k| phases_a[k] - seen_a[1][k]);
            self.lowest_a = Some(pick(self.lowest_a, rest_a, f64::min));
        }
        let since_s = now_s - self.heard_s.unwrap_or(0.0);
        let back = self.stamp.is_some_and(|stamp| at < stamp);
        if absurd || impossible || (back && since_s < settings.meter_timeout_s) {
            return;
        }
        // One that was long under way tells of what was then. A clock that was set back is another clock.
        let took_s = now_s - at.timestamp_millis() as f64 / 1000.0;
        let fastest = Fastest::after(self.fastest.filter(|_| !back), took_s, now_s);
        self.fastest = Some(fastest);
        if took_s - fastest.least_s() > settings.meter_timeout_s {
            return;
        }
        let same = self.heard_s.is_some() && (0..3).all(|k| self.phases_a[k].to_bits() == phases_a[k].to_bits());
        if !same {
            self.same_since = (now_s, *seen_a);
        }
        self.phases_a = phases_a;
        let (since_s, then_a) = self.same_since;
        let moved = (0..3).any(|k| seen_a[0][k] > then_a[1][k] + MOVED_A || seen_a[1][k] < then_a[0][k] - MOVED_A);
        if same && moved && now_s - since_s > settings.meter_timeout_s {
            return;
        }
        self.heard_s = Some(now_s);
        self.stamp = Some(at);
        let building_a: [f64; 3] = std::array::from_fn(|k| phases_a[k] - seen_a[0][k]);
        let rest_a: [f64; 3] = std::array::from_fn(|k| phases_a[k] - seen_a[1][k]);
        self.last_a = Some(building_a);
        self.highest_a = Some(pick(self.highest_a, building_a, f64::max));
        self.lowest_a = Some(pick(self.lowest_a, rest_a, f64::min));
    }

    /// The building may draw so much more than was ever seen.
    pub(super) fn draws_more(&mut self, amps: [f64; 3]) {
        for known_a in [&mut self.last_a, &mut self.highest_a].into_iter().flatten() {
            (0..3).for_each(|phase| known_a[phase] += amps[phase].max(0.0));
        }
    }

    /// Our clock may have jumped: how it stands to the meter's is no longer known.
    pub(super) fn jumped(&mut self) {
        self.fastest = None;
    }

    /// Whether the last reading still counts.
    pub(super) fn is_believed(&self, now_s: f64, settings: &Settings) -> bool {
        self.heard_s.is_some_and(|heard_s| now_s - heard_s <= settings.meter_timeout_s)
    }
}

fn pick(before: Option<[f64; 3]>, now: [f64; 3], pick: fn(f64, f64) -> f64) -> [f64; 3] {
    before.map_or(now, |before| std::array::from_fn(|k| pick(before[k], now[k])))
}
