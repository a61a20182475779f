//! What the building draws: what the meters that are believed leave once the devices below are taken off.
//!
//! A meter shows the building and the devices together. What the devices draw is known between bounds alone: at least what
//! they showed lately, at most what they may. So the building lies between bounds too, and the estimate moves no further
//! than it must to stay within them: a rise that a device may have caused, which was given current and has not drawn it yet,
//! is not taken for the building's. Should that be wrong, the device draws its share later, the meter shows it, and it is
//! shed within its reaction time. While nothing moves the estimate creeps up to what follows from what the devices show, so
//! that a mistake does not last. The first estimate is the installer's worst case, within the bounds.

use arrayvec::ArrayVec;
use kwartier_data::instance::PhaseIndex;

use super::credible;
use super::event::{Limit, Scope, Signal};
use super::now::Now;
use super::phases;
use super::settings::Management;
use super::setup::{Kind, Node};
use super::state::{NodeState, State};

/// The estimate goes to what the devices below leave if they draw what is expected of them, with this time constant in s:
/// meters and chargers do not show the same instant.
const CREEP_S: f64 = 5.0;

/// For so long room must have been there before it is given away, in s.
const LASTING_S: f64 = 15.0;

/// More than so many times its limit sheds at once: a fuse melts within the hour (IEC 60269-1, conventional fusing current
/// 1.6 times the rating).
const SEVERE: f64 = 1.6;

/// Whether something is so of L1, L2, L3.
pub(super) type Used = [bool; 3];

/// Grid phases.
pub(super) type Phases = ArrayVec<PhaseIndex, 3>;

/// Currents of the devices below each board by grid phase, in A.
#[expect(clippy::struct_field_names, reason = "the unit")]
pub(super) struct Below {
    /// The most they may draw.
    pub most_a: Vec<[f64; 3]>,
    /// The least they surely draw, of what the board's meter sees.
    pub least_seen_a: Vec<[f64; 3]>,
    /// What they are expected to draw, of what the board's meter sees.
    pub expected_a: Vec<[f64; 3]>,
    /// The most they draw if they obey in time, of what the board's meter sees.
    most_seen_a: Vec<[f64; 3]>,
    /// The most they draw if they follow as quickly as vehicles do, of what the board's meter sees.
    quick_seen_a: Vec<[f64; 3]>,
    /// What they show.
    shown_a: Vec<[f64; 3]>,
    /// The most that those may draw that do not tell what they draw, of what the board's meter sees.
    untold_seen_a: Vec<[f64; 3]>,
}

impl Below {
    pub(super) fn of(state: &State, now: &Now) -> Below {
        let setup = &*state.setup;
        let none = vec![[0.0; 3]; setup.nodes.len()];
        let mut below = Below {
            most_a: none.clone(),
            least_seen_a: none.clone(),
            expected_a: none.clone(),
            most_seen_a: none.clone(),
            quick_seen_a: none.clone(),
            shown_a: none.clone(),
            untold_seen_a: none,
        };
        // By kind, because meters differ in what they see.
        let mut by_kind = vec![[[[0.0; 3]; 7]; 3]; setup.nodes.len()];
        for (device, one) in setup.devices.iter().zip(&now.devices) {
            let sums = &mut by_kind[device.node][device.kind as usize];
            let [most_a, obeyed_a, quick_a] = one.most_each_a;
            for phase in (0..3).filter(|&phase| one.used[phase]) {
                sums[0][phase] += most_a;
                sums[4][phase] += obeyed_a;
                sums[5][phase] += quick_a;
                sums[6][phase] += if one.tells { 0.0 } else { most_a };
            }
            for (own, &phase) in device.phases.iter().enumerate() {
                sums[1][phase] += one.least_a[own];
                sums[2][phase] += one.shown_a[own];
                sums[3][phase] += one.expected_a[own];
            }
        }
        for &node in setup.downwards.iter().rev() {
            if let Some(parent) = setup.nodes[node].parent {
                let own = by_kind[node];
                for (kind, sums) in own.iter().enumerate() {
                    for (what, amps) in sums.iter().enumerate() {
                        (0..3).for_each(|phase| by_kind[parent][kind][what][phase] += amps[phase]);
                    }
                }
            }
            for (index, kind) in [Kind::Station, Kind::Load, Kind::Battery].into_iter().enumerate() {
                let [most_a, least_a, shown_a, expected_a, obeyed_a, quick_a, untold_a] = by_kind[node][index];
                let seen = setup.nodes[node].meter.is_some_and(|meter| meter.sees(kind));
                for phase in 0..3 {
                    below.most_a[node][phase] += most_a[phase];
                    if seen {
                        below.most_seen_a[node][phase] += obeyed_a[phase];
                        below.quick_seen_a[node][phase] += quick_a[phase];
                        below.least_seen_a[node][phase] += least_a[phase];
                        below.expected_a[node][phase] += expected_a[phase];
                        below.shown_a[node][phase] += shown_a[phase];
                        below.untold_seen_a[node][phase] += untold_a[phase];
                    }
                }
            }
        }
        below
    }
}

/// Whether a device may load each grid phase. All three where its wiring is not documented; all of its own where nobody
/// would hear of another vehicle; else those that its vehicle was seen or told to use.
pub(super) fn phases_used(state: &State, device: usize) -> Used {
    let (about, known) = (&state.setup.devices[device], &state.devices[device]);
    if !about.phases_known {
        return [true; 3];
    }
    let told = known.stay.as_ref().and_then(|stay| stay.session.phases);
    // Where a device chooses among its phases it has to be in our hands for one to be known.
    let chooses = phases::chooses_now(about, known);
    let mut used = [false; 3];
    for (own, &phase) in about.phases.iter().enumerate() {
        used[phase] = match (known.up, known.uses, told) {
            (true, ..) if chooses => {
                !known.steerable(about.managed) || phases::may_be_on(&known.choice, known.uses, own)
            }
            (true, Some(bits), _) => bits >> own & 1 == 1,
            (true, None, Some(count)) => own < usize::from(count),
            (false, ..) | (true, None, None) => true,
        };
    }
    used
}

/// The grid phases that a device may load by its wiring and by what was said of its vehicle, whatever it has shown.
pub(super) fn phases_told(state: &State, device: usize) -> Phases {
    let (about, known) = (&state.setup.devices[device], &state.devices[device]);
    if !about.phases_known {
        return Phases::from([0, 1, 2]);
    }
    let told = known.stay.as_ref().and_then(|stay| stay.session.phases).filter(|_| !about.chooses_phase);
    about.phases.iter().copied().take(told.map_or(3, usize::from)).collect()
}

/// The phases that are used.
pub(super) fn which(used: Used) -> Phases {
    (0..3).filter(|&phase| used[phase]).collect()
}

/// Estimates what the building draws at and below every board, from the leaves up.
pub(super) fn estimate(state: &mut State, below: &Below, passed_s: f64) {
    let setup = state.setup.clone();
    let (clock, hour) = (state.clock, state.clock.hour);
    let dynamic = setup.settings.management == Management::Dynamic;
    for node in 0..setup.nodes.len() {
        state.nodes[node].shown_below_a = below.shown_a[node];
        let same = state.nodes[node].meter.as_ref().is_some_and(|meter| matches!(meter.same, Some((_, None))));
        state.nodes[node].told_below_s = if same { credible::told_by_all_s(state, node) } else { f64::NEG_INFINITY };
    }
    let ordered = ordered(state);
    let mut children_a = vec![[0.0; 3]; setup.nodes.len()];
    for &node in setup.downwards.iter().rev() {
        let child_a = children_a[node];
        let known = &mut state.nodes[node];
        let believed = dynamic && known.believed().is_some();
        known.blind = false;
        let hourly_a = setup.nodes[node].building_max_a.as_ref();
        known.worst_a =
            std::array::from_fn(|phase| hourly_a.map_or(0.0, |figure| figure[phase][hour] + child_a[phase]));
        let first = known.last_own_a.is_none();
        if believed {
            let figure_a = setup.nodes[node].building_max_a.as_ref();
            let credible_a: [f64; 3] =
                std::array::from_fn(|phase| figure_a.map_or(f64::MAX, |figure| figure[phase][hour]) + child_a[phase]);
            if first {
                known.building_a = credible_a;
            }
            let above = |phase: usize, amps: f64| {
                amps > setup.nodes[node].limit_a[phase] || ordered.iter().any(|(on, over)| *on == node && over[phase])
            };
            measured(known, below, node, &setup.nodes[node], (credible_a, passed_s), above);
            for phase in 0..3 {
                let own_a = known.building_a[phase] - child_a[phase];
                known.highest_own_a[phase] = known.highest_own_a[phase].max(own_a);
            }
            known.last_own_a = Some(std::array::from_fn(|phase| known.building_a[phase] - child_a[phase]));
        } else {
            let worst_a = match (&setup.nodes[node].building_max_a, known.last_own_a) {
                (Some(figure_a), last_a) => {
                    let last_a = last_a.filter(|_| dynamic).unwrap_or_default();
                    std::array::from_fn(|phase| figure_a[phase][hour].max(last_a[phase]))
                }
                (None, Some(_)) => known.highest_own_a.map(|amps| amps.max(0.0)),
                (None, None) => {
                    known.blind = true;
                    [0.0; 3]
                }
            };
            known.building_a = std::array::from_fn(|phase| worst_a[phase] + child_a[phase]);
        }
        count(known, &setup.nodes[node], below.most_a[node], believed && !first, clock.sure_s);
        let building_a = known.building_a;
        if let Some(parent) = setup.nodes[node].parent {
            (0..3).for_each(|phase| children_a[parent][phase] += building_a[phase]);
        }
    }
}

/// What counts as the building's when room is shared out. A rise that might bring a phase above its limit counts once it has
/// lasted, so that a motor that starts sheds nothing, or at once where it is large. `watched`: the meter is believed, and not
/// for the first time, so that it is known what was before.
fn count(known: &mut NodeState, node: &Node, most_a: [f64; 3], watched: bool, sure_s: f64) {
    for phase in 0..3 {
        let amps = known.building_a[phase];
        let limit_a = node.limit_a[phase];
        if watched && amps + most_a[phase] > limit_a {
            let (calm_a, since_s) = *known.over[phase].get_or_insert((known.counts_a[phase], sure_s));
            let shown_a = known.meter.as_ref().map_or(0.0, |meter| meter.phases_a[phase]);
            if sure_s - since_s < node.tolerance_s && shown_a < SEVERE * limit_a {
                known.counts_a[phase] = calm_a;
                continue;
            }
        } else {
            known.over[phase] = None;
        }
        let (peak_a, at_s) = known.peak_a[phase];
        if amps >= peak_a || sure_s - at_s > LASTING_S || !watched {
            known.peak_a[phase] = (amps, sure_s);
        }
        let (dip_a, at_s) = known.dip_a[phase];
        if amps <= dip_a || sure_s - at_s > LASTING_S || !watched {
            known.dip_a[phase] = (amps, sure_s);
        }
        known.counts_a[phase] = known.peak_a[phase].0;
    }
}

/// Boards whose meters show more than a grid operator or a generator allows them, and on which phases.
fn ordered(state: &State) -> Vec<(usize, [bool; 3])> {
    let shows = |signal: &Signal| {
        let Scope::Node(node) = signal.on else { return None };
        let shown_a = state.nodes.get(node)?.believed()?.phases_a;
        let shown_kw = state.setup.kw(shown_a.into_iter().sum(), 1);
        let beyond = |limit_a: [f64; 3]| std::array::from_fn(|phase| shown_a[phase] > limit_a[phase]);
        let over = match signal.limit {
            Limit::Amps(limit_a) => beyond(limit_a),
            Limit::Power(kw) => [shown_kw > kw; 3],
            Limit::Emergency(supply) if shown_kw > supply.kw => [true; 3],
            Limit::Emergency(supply) => beyond(supply.amps),
            Limit::Quarter(_) => [false; 3],
        };
        Some((node, over))
    };
    state.signals.iter().filter(|signal| signal.in_force(state.clock.now)).filter_map(shows).collect()
}

fn measured(
    known: &mut NodeState,
    below: &Below,
    node: usize,
    about: &Node,
    (credible_a, passed_s): ([f64; 3], f64),
    above: impl Fn(usize, f64) -> bool,
) {
    let Some(meter) = known.meter.as_ref().filter(|meter| meter.doubt.is_none()) else { return };
    let creep = 1.0 - (-passed_s / CREEP_S).exp();
    for phase in 0..3 {
        let upper_a = meter.phases_a[phase] - below.least_seen_a[node][phase];
        // Above the limit is no time for patience.
        let above = above(phase, meter.phases_a[phase]);
        let most_a = if above { below.quick_seen_a[node][phase] } else { below.most_seen_a[node][phase] };
        let lower_a = (meter.phases_a[phase] - most_a).min(upper_a);
        // Above a limit nothing is put down to what was given just now and is not shown yet: it may come on top.
        let expected_a = below.expected_a[node][phase];
        let drawn_a = if above { expected_a.min(below.shown_a[node][phase]) } else { expected_a };
        let rest_a = meter.phases_a[phase] - drawn_a;
        // Devices that do not show what they draw leave a wide range: within it the installer's figure counts.
        let surely_a = rest_a - below.untold_seen_a[node][phase];
        let likely_a = rest_a.min(credible_a[phase].max(lower_a).max(surely_a));
        let before_a = known.building_a[phase].min(upper_a);
        let creep = if above { 1.0 } else { creep };
        let building_a = (before_a + creep * (likely_a - before_a).max(0.0)).clamp(lower_a, upper_a);
        known.building_a[phase] = building_a.max(-about.feeds_a[phase]);
    }
}
