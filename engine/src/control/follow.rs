//! Whether a meter has been seen to follow what hangs below it.
//!
//! A meter that shows only a share of what flows looks like a small building for as long as little charges. So what a
//! meter leaves beyond the installer's worst case is given away only once the meter has risen with the devices, or shows them
//! where they draw a good part of all there can be: what fits beside the worst case, as every fallback does, is given first,
//! and shows whether the meter follows. A sudden fall that neither the devices nor plants explain takes that back, and so
//! does a reading that cannot be: whoever charges goes on, but nobody is given more.

use super::building::Below;
use super::state::State;

/// Devices must have risen by so much together on all phases, in A, and the meter by this share of it,
const RISE_A: f64 = 12.0;
const SHARE: f64 = 0.5;

/// for so long, in s: a motor starts sooner than that.
const LASTS_S: f64 = 5.0;

/// The rise is looked for within so many s.
const WITHIN_S: f64 = 90.0;

/// Devices that draw so much together, in A, and this share of the worst building, show in the meter or not.
const DRAWN_A: f64 = 24.0;
const DRAWN: f64 = 0.25;

/// What meters and stations may be wrong by.
const WRONG: f64 = 0.1;

/// A building that falls within seconds by so many A together on all phases, and by this share, has not fallen by itself.
const FALL_A: f64 = 30.0;
const FALL: f64 = 0.4;

/// What is remembered of a meter's following.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Follow {
    /// Whether it has been seen to follow.
    pub seen: bool,
    /// What the meter showed and devices were expected to draw, together on all phases in A, and when on the sure clock.
    pub from: Option<(f64, f64, f64)>,
    /// Since when both have risen, on the sure clock.
    pub risen_since_s: Option<f64>,
}

/// Compares every believed meter with what the devices below it are expected to draw.
pub(super) fn watch(state: &mut State, below: &Below) {
    let (setup, sure_s) = (state.setup.clone(), state.clock.sure_s);
    for (node, about) in setup.nodes.iter().enumerate() {
        let known = &mut state.nodes[node];
        if known.meter.as_ref().is_some_and(|meter| meter.doubt.is_some_and(|doubt| doubt.proven)) {
            known.follow = Follow::default();
        }
        let Some(shown_a) = known.believed().map(|meter| meter.phases_a.iter().sum::<f64>()) else { continue };
        let feeds_a: f64 = about.feeds_a.iter().sum();
        let peak_a: f64 = known.peak_a.iter().map(|(amps, _)| amps).sum();
        let fallen_a = peak_a - known.building_a.iter().sum::<f64>();
        if fallen_a > (FALL * peak_a).max(FALL_A) + feeds_a {
            known.follow = Follow::default();
        }
        if known.follow.seen {
            continue;
        }
        let drawn_a: f64 = below.least_seen_a[node].iter().sum();
        let worst_a: f64 = known.worst_a.iter().sum();
        if drawn_a >= DRAWN_A.max(DRAWN * worst_a) + feeds_a && shown_a >= (1.0 - WRONG) * drawn_a {
            known.follow = Follow { seen: true, ..Follow::default() };
            continue;
        }
        let expected_a: f64 = below.expected_a[node].iter().sum();
        let fresh = known.follow.from.filter(|(_, from_a, at_s)| expected_a >= *from_a && sure_s - at_s <= WITHIN_S);
        let (from_shown_a, from_a, _) = *known.follow.from.insert(fresh.unwrap_or((shown_a, expected_a, sure_s)));
        let risen_a = expected_a - from_a;
        if risen_a < RISE_A || shown_a - from_shown_a < SHARE * risen_a {
            known.follow.risen_since_s = None;
        } else if sure_s - *known.follow.risen_since_s.get_or_insert(sure_s) >= LASTS_S {
            known.follow = Follow { seen: true, ..Follow::default() };
        }
    }
}
