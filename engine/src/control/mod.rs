//! The fast loop: what every device may draw now. [`step`] is pure: the same events at the same instants give the same
//! commands.
//!
//! A step (1) takes in what happened (`hear`), (2) decides which meters are believed (`credible`) and what the building
//! draws (`building`), (3) counts for every limit what is left for those that take setpoints (`rooms`), (4) shares that out in
//! the order of authority (`wants`, `share`, `imbalance`), and (5) sends decreases at once, and increases only into room
//! that is there now, whatever has been promised (`send`).
//!
//! What nothing is known of counts with the most it may be: a device that is not heard with its fallback or what it held, or
//! its rating; a meter that is not believed with the installer's worst case or what was last seen. `docs/safety.md` has the
//! whole chain. Nothing here replaces [`limits`](crate::limits), which every setpoint passes afterwards.

mod ahead;
mod building;
mod clamped;
pub mod command;
mod credible;
pub mod event;
mod follow;
mod hear;
mod held;
mod imbalance;
mod now;
mod phases;
mod rooms;
mod send;
pub mod settings;
pub mod setup;
pub mod share;
mod state;
pub mod stays;
mod wants;
mod watch;

use chrono::{DateTime, TimeDelta, Utc};

pub use self::command::{Output, Setpoint, Why};
pub use self::event::Event;
pub use self::setup::Setup;
pub use self::state::{LONGEST_STEP_S, State};
pub use self::stays::Stays;

/// One round of the loop: what is known after `events` (in the order they happened), and what is to be sent.
///
/// It should be called once a second, on every event that matters for safety, and no later than [`Output::wake`].
pub fn step(mut state: State, now: DateTime<Utc>, events: &[Event]) -> (State, Output) {
    let mut output = Output::default();
    let before_s = state.clock.sure_s;
    let jumped_s = state.clock.go(now, &state.setup);
    let passed_s = state.clock.sure_s - before_s;
    if jumped_s != 0.0 {
        // The meters' clocks did not jump with ours.
        state.nodes.iter_mut().filter_map(|node| node.meter.as_mut()).for_each(|meter| meter.ahead.jumps(jumped_s));
    }
    for event in events {
        hear::hear(&mut state, event);
    }
    watch::devices(&mut state, &mut output);
    phases::watch(&mut state);
    credible::feeders(&mut state);
    let now = now::Now::of(&state);
    let below = building::Below::of(&state, &now);
    credible::judge(&mut state, &below);
    credible::believe(&mut state, &mut output);
    building::estimate(&mut state, &below, passed_s);
    follow::watch(&mut state, &below);
    watch::boards(&mut state, &below, &mut output);
    rooms::count_quarter(&mut state, &now, passed_s);
    let mut rooms = rooms::Rooms::of(&state, &now, &below);
    phases::arrive(&mut state, &now, &rooms);
    let (wanted, claims) = wants::wanted(&state, &now, &rooms);
    let mut grants = share::share(&rooms.left, &rooms.kept, &claims);
    imbalance::learn(&mut state);
    imbalance::keep(&mut state, &wanted, &claims, &mut grants);
    send::send(&mut state, &now, &mut rooms, &wanted, &claims, &grants, &mut output);
    send::discharge(&mut state, &mut output);
    phases::look(&mut state, &rooms, &wanted, &claims, &grants);
    output.replan = std::mem::take(&mut state.replan);
    output.wake = Some(wake(&state));
    (state, output)
}

/// When something runs out next if nothing happens.
fn wake(state: &State) -> DateTime<Utc> {
    let (sure_s, maybe_s) = (state.clock.sure_s, state.clock.maybe_s);
    let settings = &state.setup.settings;
    let mut in_s = LONGEST_STEP_S;
    let mut at = |seconds: f64| {
        if seconds > 0.0 {
            in_s = in_s.min(seconds);
        }
    };
    for (node, known) in state.setup.nodes.iter().zip(&state.nodes) {
        if let Some(meter) = known.believed() {
            at(meter.heard_s + settings.meter_timeout_s - maybe_s);
        }
        known.meter.iter().filter_map(|meter| credible::look_in_s(meter, sure_s)).for_each(&mut at);
        for (_, since_s) in known.over.iter().flatten() {
            at(since_s + node.tolerance_s - sure_s);
        }
        if known.above_since_s.is_some() {
            at(1.0);
        }
    }
    for begins in state.signals.iter().filter_map(|signal| signal.begins(state.clock.now)) {
        at((begins - state.clock.now).as_seconds_f64());
    }
    for known in &state.devices {
        if known.held.pending.is_some() {
            at(send::answer_by_s(known, settings) - sure_s);
        }
        at(send::again_at_s(known) - sure_s);
        for settling in &known.held.settling {
            at(settling.obeyed_by_s - sure_s);
            at(settling.shown_by_s - sure_s);
        }
    }
    // Whole tenths of a second, never earlier than what was asked for.
    #[expect(clippy::cast_possible_truncation, reason = "at most a minute")]
    let milliseconds = (in_s * 1000.0).ceil() as i64;
    state.clock.now + TimeDelta::milliseconds(milliseconds.max(100))
}
