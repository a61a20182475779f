//! Limits as rows: how much each still has for the devices that take setpoints, and which rows a device loads.

use kwartier_data::instance::PhaseIndex;

use super::building::{Below, phases_told, which};
use super::event::{Limit, Scope};
use super::now::Now;
use super::share::Loads;
use super::state::State;
use super::wants;

/// Length of a clock quarter-hour in s.
const QUARTER_S: i64 = 900;

/// A quarter-hour's limit is aimed at with this share, for what happens in its last seconds.
const QUARTER_AIM: f64 = 0.98;

/// In the last seconds of a quarter-hour its limit no longer grows: what is given then is drawn in the next one too.
const QUARTER_END_S: f64 = 60.0;

/// The rows of a step. Row `3 × node + phase` is a board's phase in A, later ones are in kW or A as their limit is.
pub(super) struct Rooms {
    /// What each row has for devices that take setpoints.
    pub left: Vec<f64>,
    /// What of that is for no more than minima.
    pub kept: Vec<f64>,
    /// What each row has for increases: everything that may be drawn now is taken off.
    pub spare: Vec<f64>,
    /// For each row beyond the boards': which devices load it, and how.
    extra: Vec<Extra>,
    /// By device, the extra rows it loads; none of those at the end that load none.
    extra_of: Vec<Vec<usize>>,
}

struct Extra {
    row: usize,
    /// A grid phase in A, or the power of all phases in kW.
    phase: Option<PhaseIndex>,
    /// Whether it is a grid operator's.
    grid: bool,
}

impl Rooms {
    pub(super) fn of(state: &State, now: &Now, below: &Below) -> Rooms {
        let setup = &*state.setup;
        let margin_a = setup.settings.margin_a;
        let mut left = Vec::with_capacity(3 * setup.nodes.len());
        let mut spare = Vec::with_capacity(left.capacity());
        for (k, (node, known)) in setup.nodes.iter().zip(&state.nodes).enumerate() {
            for phase in 0..3 {
                let limit_a = node.limit_a[phase] - margin_a;
                left.push(limit_a - known.counts_a[phase]);
                let seen = known.follow.seen || known.believed().is_none();
                let worst_a = if seen { 0.0 } else { known.worst_a[phase] };
                let building_a = known.counts_a[phase].max(known.building_a[phase]).max(worst_a);
                spare.push(limit_a - building_a - below.most_a[k][phase]);
            }
        }
        let mut made = Rooms { left, kept: Vec::new(), spare, extra: Vec::new(), extra_of: Vec::new() };
        made.caps(state, now);
        made.signals(state, now);
        made.take_off_others(state, now);
        made.take_off_clamped(state, now);
        made
    }

    /// Which rows a device loads with each ampere on the phases given, and by how much.
    pub(super) fn loads(&self, state: &State, device: usize, phases: &[PhaseIndex]) -> Loads {
        let setup = &*state.setup;
        let mut loads = Loads::new();
        for node in setup.chain(setup.devices[device].node) {
            loads.extend(phases.iter().map(|&phase| (3 * node + phase, 1.0)));
        }
        for &index in self.extra_of.get(device).into_iter().flatten() {
            let extra = &self.extra[index];
            let per_a = match extra.phase {
                Some(phase) if phases.contains(&phase) => 1.0,
                Some(_) => continue,
                None => setup.kw(1.0, phases.len()),
            };
            loads.push((extra.row, per_a));
        }
        loads
    }

    /// Whether a row is a grid operator's limit.
    pub(super) fn is_grid(&self, row: usize) -> bool {
        self.extra.iter().any(|extra| extra.row == row && extra.grid)
    }

    fn add(
        &mut self,
        room: f64,
        most: f64,
        phase: Option<PhaseIndex>,
        grid: bool,
        devices: impl Iterator<Item = usize>,
    ) {
        let row = self.left.len();
        self.left.push(room);
        self.spare.push(room - most);
        let index = self.extra.len();
        self.extra.push(Extra { row, phase, grid });
        for device in devices {
            if self.extra_of.len() <= device {
                self.extra_of.resize(device + 1, Vec::new());
            }
            self.extra_of[device].push(index);
        }
    }

    /// The contract's cap on a clock quarter-hour.
    fn caps(&mut self, state: &State, now: &Now) {
        let setup = &*state.setup;
        let Some(cap_kw) = setup.import_cap_kw else { return };
        let Some(root) = setup.root() else { return };
        let allowed_kw = rest_of_quarter(state, cap_kw, state.quarter.net_kwh);
        let building_kw = node_kw(state, root);
        let devices = 0..setup.devices.len();
        self.add(allowed_kw - building_kw, most_kw(state, now, devices.clone()), None, false, devices);
    }

    fn signals(&mut self, state: &State, now: &Now) {
        let setup = &*state.setup;
        for signal in &state.signals {
            if !signal.in_force(state.clock.now) {
                continue;
            }
            let (members, building_a): (Vec<usize>, [f64; 3]) = match &signal.on {
                Scope::Devices(devices) => {
                    (devices.iter().copied().filter(|&device| device < setup.devices.len()).collect(), [0.0; 3])
                }
                Scope::Node(node) => {
                    let Some(known) = state.nodes.get(*node) else { continue };
                    (setup.below(*node).collect(), known.counts_a)
                }
            };
            let most_kw = most_kw(state, now, members.iter().copied());
            let building_kw = setup.kw(building_a.into_iter().sum(), 1);
            let mut at_most = |limit_a: [f64; 3], members: &[usize]| {
                for phase in 0..3 {
                    let most_a = members.iter().map(|&device| most_on(now, device, phase)).sum();
                    let room_a = limit_a[phase] - building_a[phase];
                    self.add(room_a, most_a, Some(phase), true, members.iter().copied());
                }
            };
            match signal.limit {
                Limit::Power(limit_kw) => self.add(limit_kw - building_kw, most_kw, None, true, members.into_iter()),
                Limit::Quarter(limit_kw) => {
                    let used = state.quarter.signals_kwh.iter().find(|(id, _)| *id == signal.id);
                    let allowed_kw = rest_of_quarter(state, limit_kw, used.map_or(0.0, |(_, kwh)| *kwh));
                    self.add(allowed_kw - building_kw, most_kw, None, true, members.into_iter());
                }
                Limit::Amps(limit_a) => at_most(limit_a, &members),
                Limit::Emergency(supply) => {
                    // As with a fuse: what gives way here is a generator.
                    let margin_a = setup.settings.margin_a;
                    at_most(supply.amps.map(|amps| amps - margin_a), &members);
                    let room_kw = supply.kw - setup.kw(margin_a, 1) - building_kw;
                    self.add(room_kw, most_kw, None, true, members.into_iter());
                }
            }
        }
    }

    /// Takes off what devices may draw that take no setpoints now. Increases have that taken off already.
    fn take_off_others(&mut self, state: &State, now: &Now) {
        for (k, one) in now.devices.iter().enumerate().filter(|(_, one)| !one.steerable) {
            for (row, per_a) in self.loads(state, k, &which(one.used)) {
                self.left[row] -= per_a * one.counts_a();
            }
        }
    }

    /// Keeps free what the last clamp counts beyond what is counted here, on the phases that it counts. Nobody has to stop for
    /// one that charges already.
    fn take_off_clamped(&mut self, state: &State, now: &Now) {
        for &k in &now.clamped {
            let known = &state.devices[k];
            let kept_a = known.clamped.kept_a(state.clock.sure_s);
            self.kept.resize(self.left.len(), 0.0);
            let first_a = if known.clamped.left_nothing() { wants::bounds(state, k).0.min(kept_a) } else { 0.0 };
            for (row, per_a) in self.loads(state, k, &phases_told(state, k)) {
                self.left[row] -= per_a * first_a;
                self.kept[row] += per_a * (kept_a - first_a);
                self.spare[row] -= per_a * kept_a;
            }
        }
    }
}

/// The power that a limit on a clock quarter-hour leaves for the rest of it, in kW.
fn rest_of_quarter(state: &State, limit_kw: f64, used_kwh: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "900")]
    let left_s = (QUARTER_S as f64 - gone_s(state)).max(QUARTER_END_S);
    (QUARTER_AIM * limit_kw * 0.25 - used_kwh) * 3600.0 / left_s
}

/// What has passed of the clock quarter-hour, in s.
#[expect(clippy::cast_precision_loss, reason = "at most 900")]
fn gone_s(state: &State) -> f64 {
    state.clock.now.timestamp().rem_euclid(QUARTER_S) as f64
}

/// What the building draws at and below a board, in kW.
fn node_kw(state: &State, node: usize) -> f64 {
    state.setup.kw(state.nodes[node].counts_a.into_iter().sum(), 1)
}

/// What devices may draw now, in kW.
fn most_kw(state: &State, now: &Now, devices: impl Iterator<Item = usize>) -> f64 {
    devices.map(|device| (0..3).map(|phase| state.setup.kw(most_on(now, device, phase), 1)).sum::<f64>()).sum()
}

/// What a device may draw now on a grid phase, in A.
fn most_on(now: &Now, device: usize, phase: PhaseIndex) -> f64 {
    let one = &now.devices[device];
    if one.used[phase] { one.most_a() } else { 0.0 }
}

/// Counts the energy of the quarter-hour that runs, at the power that counted since the step before.
pub(super) fn count_quarter(state: &mut State, now: &Now, mut passed_s: f64) {
    let number = state.clock.now.timestamp().div_euclid(QUARTER_S);
    if number != state.quarter.number {
        state.quarter.number = number;
        state.quarter.net_kwh = 0.0;
        state.quarter.signals_kwh.clear();
        // Only what passed since the quarter-hour began counts.
        passed_s = passed_s.min(gone_s(state));
    }
    let setup = state.setup.clone();
    let hours = passed_s / 3600.0;
    state.quarter.net_kwh += state.quarter.net_kw * hours;
    if let Some(root) = setup.root() {
        state.quarter.net_kw = drawn_kw(state, now, root);
    }
    for k in 0..state.signals.len() {
        if !matches!(state.signals[k].limit, Limit::Quarter(_)) {
            continue;
        }
        let kw = match &state.signals[k].on {
            Scope::Node(node) => drawn_kw(state, now, *node),
            Scope::Devices(devices) => {
                most_kw(state, now, devices.iter().copied().filter(|&k| k < setup.devices.len()))
            }
        };
        let id = state.signals[k].id.clone();
        match state.quarter.signals_kwh.iter_mut().find(|(known, _)| *known == id) {
            Some((_, kwh)) => *kwh += kw * hours,
            None => state.quarter.signals_kwh.push((id, 0.0)),
        }
    }
}

/// What goes through a board in kW: by its meter, or the most it may be; 0 where there is no such board.
fn drawn_kw(state: &State, now: &Now, node: usize) -> f64 {
    let Some(known) = state.nodes.get(node) else { return 0.0 };
    match known.believed() {
        Some(meter) => state.setup.kw(meter.phases_a.into_iter().sum(), 1),
        None => node_kw(state, node) + most_kw(state, now, state.setup.below(node)),
    }
}
