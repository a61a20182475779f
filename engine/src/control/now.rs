//! What follows from the state for each device, worked out once in a step: everything after it asks for the same.

use super::building::{Used, phases_used};
use super::phases;
use super::state::State;
use super::wants::{self, Place};

/// What is so for a device in this step.
#[derive(Debug, Clone, Copy)]
pub(super) struct One {
    /// Whether it takes setpoints, and no board above its limit waits for its answer.
    pub steerable: bool,
    /// Whether one does.
    pub missed: bool,
    /// Whether it may load each grid phase.
    pub used: Used,
    /// The most it may draw in A per phase: whatever it is told next, if it obeys in time, if it is as quick as vehicles are.
    pub most_each_a: [f64; 3],
    /// The least that it surely draws on each phase of its own, in A.
    pub least_a: [f64; 3],
    /// What it is expected to draw there, in A.
    pub expected_a: [f64; 3],
    /// What it shows there, in A; 0 where it shows nothing.
    pub shown_a: [f64; 3],
    /// Whether it has told lately what it draws.
    pub tells: bool,
}

impl One {
    /// The most that it may draw now, in A per phase.
    pub(super) fn most_a(&self) -> f64 {
        self.most_each_a[0]
    }

    /// What is taken off for it where it takes no setpoints, in A per phase. Whoever has taken less and not shown it yet has obeyed by
    /// now, or the meter shows what it has not.
    pub(super) fn counts_a(&self) -> f64 {
        self.most_each_a[usize::from(self.missed)]
    }
}

/// What is so for all devices in this step.
pub(super) struct Now {
    /// By device.
    pub devices: Vec<One>,
    /// Those for which room is kept free because the last clamp has cut what they were given.
    pub clamped: Vec<usize>,
    /// Those that take setpoints, the first in line first.
    pub line: Vec<Place>,
}

impl Now {
    pub(super) fn of(state: &State) -> Now {
        let count = state.devices.len();
        let mut now = Now { devices: Vec::with_capacity(count), clamped: Vec::new(), line: Vec::with_capacity(count) };
        for (k, (device, known)) in state.setup.devices.iter().zip(&state.devices).enumerate() {
            let takes = known.steerable(device.managed);
            let missed = takes && state.is_missed(k);
            let steerable = takes && !missed;
            if steerable {
                now.line.push(wants::place(state, k));
            }
            if known.clamped.kept_a(state.clock.sure_s) > 0.0 {
                now.clamped.push(k);
            }
            let used = phases_used(state, k);
            let most_each_a = known.most_each_a(&state.setup, k, state.clock);
            // What was shown before a vehicle was moved says nothing of where it is now.
            let moves = phases::chooses_now(device, known) && device.phases.iter().filter(|&&on| used[on]).count() > 1;
            let mut least_a = known.held.least_a(state.clock.maybe_s);
            let tells = known.held.tells(state.clock);
            let shown_a = known.held.shown_a.map_or([0.0; 3], |(amps, _)| amps);
            let mut expected_a = known.held.expected_a(state.clock);
            for (own, &phase) in device.phases.iter().enumerate() {
                if !used[phase] || moves {
                    least_a[own] = least_a[own].min(0.0);
                }
                if !used[phase] {
                    expected_a[own] = shown_a[own];
                }
            }
            now.devices.push(One { steerable, missed, used, most_each_a, least_a, expected_a, shown_a, tells });
        }
        now.line.sort_unstable();
        now
    }
}
