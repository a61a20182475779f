//! What the fast loop remembers.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ahead::Ahead;
use super::clamped::Clamped;
use super::command::{Distrust, Setpoint};
use super::credible::{Doubt, LAG_S};
use super::event::{Action, Session, Signal, Targets};
use super::follow::Follow;
use super::held::Held;
use super::phases::Choice;
use super::setup::{Device, Setup};
use super::stays::Stays;

/// Everything the fast loop remembers between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(super) setup: Arc<Setup>,
    pub(super) clock: Clock,
    /// The number of the next command.
    pub(super) next_number: u64,
    pub(super) devices: Vec<DeviceState>,
    /// The devices that can feed in, and those that can choose a phase: few, or none.
    pub(super) feeders: Arc<[usize]>,
    pub(super) choosers: Arc<[usize]>,
    pub(super) nodes: Vec<NodeState>,
    pub(super) targets: Option<Arc<Targets>>,
    pub(super) signals: Vec<Signal>,
    pub(super) quarter: Quarter,
    /// Whether something has happened that the plan did not reckon with.
    pub(super) replan: bool,
    /// When the loop began, or a device last left the site, on the sure clock: what comes back may hold what it was told.
    pub(super) left_at_s: f64,
}

impl State {
    /// Whether a device has refused so many commands in a row, or left them unanswered, that it counts as one that hears nothing.
    pub fn refuses(&self, device: usize) -> bool {
        self.devices.get(device).is_some_and(|known| known.failures >= SILENT)
    }

    /// A loop that begins with nothing known: no device is connected, each may draw what it holds when alone, and no
    /// meter has spoken. What devices really hold they tell when they connect ([`Event::Holds`](super::event::Event::Holds)).
    pub fn new(setup: Arc<Setup>, now: DateTime<Utc>) -> State {
        let devices = setup.devices.iter().map(|device| DeviceState::unknown(device, 0.0)).collect();
        let nodes = setup.nodes.iter().map(|_| NodeState::default()).collect();
        let able = |can: fn(&Device) -> bool| (0..setup.devices.len()).filter(|&k| can(&setup.devices[k])).collect();
        State {
            feeders: able(|device| device.max_discharge_a > 0.0),
            choosers: able(|device| device.chooses_phase),
            clock: Clock { now, sure_s: 0.0, maybe_s: 0.0, hour: setup.hour(now) },
            next_number: 1,
            devices,
            nodes,
            targets: None,
            signals: Vec::new(),
            quarter: Quarter::default(),
            replan: false,
            left_at_s: 0.0,
            setup,
        }
    }

    /// The loop after its site has changed: what is known of devices and boards that are the same as before is kept. It has to be
    /// told again who charges where, what a grid operator orders and what is planned. Devices that are new, or are others now, are
    /// as unknown as at the beginning.
    pub fn carried(&self, setup: Arc<Setup>, stays: &Stays) -> State {
        let sure_s = self.clock.sure_s;
        let mut new = State::new(setup, self.clock.now);
        new.clock = Clock { hour: new.clock.hour, ..self.clock };
        new.next_number = self.next_number;
        new.left_at_s = if stays.leaves() { sure_s } else { self.left_at_s };
        new.quarter.clone_from(&self.quarter);
        for (device, before) in stays.devices.iter().enumerate() {
            new.devices[device] = if let Some(before) = before {
                self.devices[*before].clone()
            } else {
                let since_s = if stays.named[device].is_some() { sure_s } else { new.left_at_s };
                DeviceState::unknown(&new.setup.devices[device], since_s)
            };
        }
        for (node, before) in stays.nodes.iter().enumerate() {
            if let Some(before) = before {
                new.nodes[node] = self.nodes[*before].clone();
            }
        }
        // What goes may draw on, and is the building's from now on, should the meter be silent.
        for &device in &stays.away {
            let about = &self.setup.devices[device];
            let Some(node) = stays.moves.node(about.node) else { continue };
            let (most_a, known) = (self.most_a(device), &mut new.nodes[node]);
            for phase in (0..3).filter(|phase| !about.phases_known || about.phases.contains(phase)) {
                known.highest_own_a[phase] += most_a;
                if let Some(last_a) = &mut known.last_own_a {
                    last_a[phase] += most_a;
                }
            }
        }
        new
    }

    /// What the loop knows of the site.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Takes in what the last clamp has made of the setpoints of a step: what was lowered counts as lowered.
    pub fn passed(&mut self, setpoints: &[Setpoint]) {
        for setpoint in setpoints {
            let Some(known) = self.devices.get_mut(setpoint.device) else { continue };
            if let Some(sent) = known.held.pending.as_mut().filter(|sent| sent.number == setpoint.number) {
                let cut_a = sent.amps - setpoint.amps;
                if cut_a > 0.0 {
                    known.clamped.cuts(
                        cut_a,
                        setpoint.amps,
                        self.setup.devices[setpoint.device].max_a,
                        self.clock.sure_s,
                    );
                }
                sent.amps = setpoint.amps;
                known.granted_a = setpoint.amps;
            }
        }
    }

    /// The setpoint last given to a device in A per phase, whether it has taken it or not.
    pub fn granted_a(&self, device: usize) -> f64 {
        self.devices[device].granted_a
    }

    /// The most that a device may draw now in A per phase, as the loop counts it.
    pub fn most_a(&self, device: usize) -> f64 {
        self.devices[device].most_a(&self.setup, device, self.clock)
    }

    /// Whether a board above a device shows more than its limit, and the device was given less and has not answered for so long that
    /// it may not have heard it.
    pub(super) fn is_missed(&self, device: usize) -> bool {
        let above = |node: usize| self.nodes[node].above_since_s.is_some();
        self.devices[device].held.is_late(self.clock.sure_s)
            && self.setup.chain(self.setup.devices[device].node).any(above)
    }

    /// What the loop takes the building to draw at a board and all below it, by phase, in A.
    pub fn building_a(&self, node: usize) -> [f64; 3] {
        self.nodes[node].building_a
    }

    /// Whether the meter of a board is believed.
    pub fn meter_believed(&self, node: usize) -> bool {
        self.nodes[node].believed().is_some()
    }
}

/// Time, in two ways: clocks jump, processes are paused. What must have happened counts with what has surely passed, how
/// old knowledge is counts with what may have passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// The clock of the wall.
    pub now: DateTime<Utc>,
    /// Seconds that have surely passed.
    pub sure_s: f64,
    /// Seconds that may have passed.
    pub maybe_s: f64,
    /// The hour of the local day.
    pub hour: usize,
}

/// At whole ones of these the hour of the local day may change, in s: no zone is off by less.
const HOUR_CHANGES_S: i64 = 900;

/// Longest time between two steps in s: the loop asks to be woken before. A longer one is a clock that jumped or a process
/// that stood still, and nobody knows which.
pub const LONGEST_STEP_S: f64 = 60.0;

impl Clock {
    /// Goes on to an instant; the seconds by which the clock has jumped, as far as it can be told.
    pub fn go(&mut self, now: DateTime<Utc>, setup: &Setup) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of years fit")]
        let passed_s = (now - self.now).num_milliseconds() as f64 / 1000.0;
        let quarter = |at: DateTime<Utc>| at.timestamp().div_euclid(HOUR_CHANGES_S);
        if quarter(now) != quarter(self.now) {
            self.hour = setup.hour(now);
        }
        self.now = now;
        let believable = (0.0..=LONGEST_STEP_S + 1.0).contains(&passed_s);
        self.sure_s += if believable { passed_s } else { 0.0 };
        self.maybe_s += if believable { passed_s } else { passed_s.max(1.0) };
        if believable { 0.0 } else { passed_s }
    }
}

/// After so many s nothing is left of what a loop before this one has told a device that is silent: setpoints above the
/// fallback are good for 120 s.
const LAPSED_S: f64 = 140.0;

/// A device that has left so many commands in a row unanswered, or refused them, counts as one that hears nothing.
pub const SILENT: u32 = 3;

/// Devices below must have changed by so much in A while a meter shows the same to the last digit: it has frozen.
const FROZEN_A: f64 = 4.0;

/// After it has shown the same for so long, in s, whatever devices tell: until then they may only just show what the meter showed
/// before.
const SETTLED_S: f64 = 65.0;

/// What is remembered of a device.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceState {
    /// Whether it is connected.
    pub up: bool,
    /// Whether it has been connected at all.
    pub met: bool,
    /// Before when on the sure clock somebody may have told it what this loop does not know.
    pub unmet_since_s: f64,
    /// What it may draw.
    pub held: Held,
    /// What it has stored for when it is alone, by hour of the local day in A per phase, as far as that was told.
    pub stored_a: Option<[f64; 24]>,
    /// Whether it is known what it holds: false from a restart on until it tells or takes a command.
    pub known: bool,
    /// The setpoint given last in A per phase.
    pub granted_a: f64,
    /// On how many phases.
    pub granted_phases: u8,
    /// When that was last raised, on the sure clock.
    pub raised_at_s: f64,
    /// When a command was last sent, on the sure clock.
    pub sent_at_s: f64,
    /// For how long that is good without being renewed, in s.
    pub valid_s: f64,
    /// How many commands in a row were not answered or rejected.
    pub failures: u32,
    /// Since when it shows more than it may, on the sure clock.
    pub exceeds_since_s: Option<f64>,
    /// Since when it is counted as disobedient, on the sure clock.
    pub disobeys_since_s: Option<f64>,
    /// The stay.
    pub stay: Option<Stay>,
    /// What a load or battery may draw at most; `None`, nothing is known.
    pub wish_a: Option<f64>,
    /// An override and its end.
    pub action: Option<(Action, DateTime<Utc>)>,
    /// Since when it is on (current granted), or off, on the sure clock.
    pub switched_at_s: f64,
    /// What the last clamp took off its setpoints.
    pub clamped: Clamped,
    /// How often it was stopped although it wanted current; half of that is forgotten with each whole turn.
    pub stops: u32,
    /// What it was given beyond the plan in A per phase, from power that would have been fed in.
    pub spare_a: f64,
    /// Since when it catches up on its plan, on the sure clock.
    pub behind_since_s: Option<f64>,
    /// Since when it charges on one phase although it could on three, on the sure clock.
    pub single_since_s: Option<f64>,
    /// Since when its minimum does not fit, on the sure clock.
    pub left_out_since_s: Option<f64>,
    /// Whether a vehicle that takes no current has been told.
    pub asleep_told: bool,
    /// Until when it gets nothing because a board went above its limit right after it was given more, on the sure clock,
    /// and how often that has happened.
    pub suspect: (f64, u32),
    /// How many phases were learnt to be used: a bit for each of its own.
    pub uses: Option<u8>,
    /// Evidence for that: the bits seen last, and since when on the sure clock.
    pub using: Option<(u8, f64)>,
    /// On which phase a vehicle is that charges on one, where the device can choose.
    pub choice: Choice,
    /// When it may last have been feeding in, on the clock of what may have passed.
    pub fed_in_s: f64,
}

/// What is remembered of a vehicle's stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Stay {
    /// What was told.
    pub session: Session,
    /// Energy at the charger so far in kWh.
    pub got_kwh: f64,
    /// When it began, on the sure clock.
    pub since_s: f64,
    /// The most it is taken to draw, where it has shown less than it is offered; A per phase.
    pub takes_a: f64,
    /// Since when it shows less than it is offered, on the sure clock.
    pub less_since_s: Option<f64>,
    /// Since when it has been offered current and has taken none, on the sure clock.
    pub refuses_since_s: Option<f64>,
    /// How often it has been woken.
    pub woken: u32,
    /// Until when its current is withheld to wake it, on the sure clock.
    pub waking_until_s: f64,
}

impl DeviceState {
    /// One of which nothing is known, since an instant on the sure clock.
    fn unknown(device: &Device, since_s: f64) -> DeviceState {
        DeviceState {
            up: false,
            met: false,
            unmet_since_s: since_s,
            held: Held::unknown(device),
            stored_a: None,
            known: false,
            granted_a: 0.0,
            granted_phases: 0,
            raised_at_s: f64::NEG_INFINITY,
            sent_at_s: f64::NEG_INFINITY,
            valid_s: f64::INFINITY,
            failures: 0,
            exceeds_since_s: None,
            disobeys_since_s: None,
            stay: None,
            wish_a: None,
            action: None,
            switched_at_s: f64::NEG_INFINITY,
            clamped: Clamped::default(),
            stops: 0,
            spare_a: 0.0,
            behind_since_s: None,
            single_since_s: None,
            left_out_since_s: None,
            asleep_told: false,
            suspect: (f64::NEG_INFINITY, 0),
            uses: None,
            using: None,
            choice: Choice::default(),
            fed_in_s: f64::NEG_INFINITY,
        }
    }

    /// Whether it takes setpoints now.
    pub fn steerable(&self, managed: bool) -> bool {
        managed && self.up && self.known && self.failures < SILENT && self.disobeys_since_s.is_none()
    }

    /// The most it may draw now in A per phase, whatever it is told next.
    pub fn most_a(&self, setup: &Setup, index: usize, clock: Clock) -> f64 {
        let device = &setup.devices[index];
        if !device.managed || self.disobeys_since_s.is_some() {
            return device.max_a;
        }
        let held_a = self.held.most_a(clock.sure_s).min(device.max_a);
        if self.up && self.known && self.failures < SILENT {
            let shown_a = if self.exceeds_since_s.is_some() { self.held.shown_most_a() } else { 0.0 };
            return held_a.max(shown_a.min(device.max_a));
        }
        if self.up && !self.known {
            return device.max_a;
        }
        // Whatever it was told before this loop began lapses after a while.
        let held_a = if self.met {
            held_a
        } else if clock.sure_s < self.unmet_since_s + LAPSED_S {
            device.max_a
        } else {
            0.0
        };
        self.alone_a(device, clock.hour, held_a)
    }

    /// What it may draw in A per phase when it hears nothing: what it held when it was last heard, or its fallback at this or the
    /// next hour of the local day (its clock may be off), the site's or the one that it has stored; all it can, where nothing is
    /// stored or what is stored may be lost.
    fn alone_a(&self, device: &Device, hour: usize, held_a: f64) -> f64 {
        let Some(fallback_a) = device.fallback_a.filter(|_| device.keeps_fallback) else { return device.max_a };
        let around = [(hour + 23) % 24, hour, (hour + 1) % 24];
        let by_hour = std::iter::once(fallback_a).chain(self.stored_a);
        let fallbacks = by_hour.flat_map(|by_hour_a| around.map(|hour| by_hour_a[hour]));
        fallbacks.fold(held_a, f64::max).min(device.max_a)
    }

    /// The most it may draw now in A per phase, whatever it is told next; the most if it obeys in time; and the most if it
    /// follows as quickly as vehicles do.
    pub fn most_each_a(&self, setup: &Setup, index: usize, clock: Clock) -> [f64; 3] {
        let device = &setup.devices[index];
        let most_a = self.most_a(setup, index, clock);
        let settles = !self.held.settling.is_empty();
        if !settles || !self.steerable(device.managed) || self.exceeds_since_s.is_some() {
            return [most_a; 3];
        }
        let obeyed_a = self.held.most_if_obeyed_a(clock.sure_s).min(device.max_a);
        let quick_a = self.held.most_if_quick_a(clock.sure_s, device.reaction_s).min(device.max_a);
        [most_a, obeyed_a, quick_a]
    }
}

/// What is remembered of a board.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeState {
    /// Its meter, once it has spoken.
    pub meter: Option<MeterState>,
    /// What the building draws at the board and all below it, by phase, in A.
    pub building_a: [f64; 3],
    /// What the devices below show that they draw, by phase, in A.
    pub shown_below_a: [f64; 3],
    /// The most that it credibly draws there, by phase in A; 0 where nobody has said.
    pub worst_a: [f64; 3],
    /// Whether the meter has been seen to follow what hangs below it.
    pub follow: Follow,
    /// The highest that the building has drawn in the last seconds, and when it was: increases go into room that lasts.
    pub peak_a: [(f64, f64); 3],
    /// The lowest that the building has drawn in the last seconds, and when it was.
    pub dip_a: [(f64, f64); 3],
    /// The highest seen that is drawn at the board itself, by phase, in A.
    pub highest_own_a: [f64; 3],
    /// The last seen of that.
    pub last_own_a: Option<[f64; 3]>,
    /// What counts as the building's when room is shared out, by phase, in A: the highest lately, without a motor that
    /// starts.
    pub counts_a: [f64; 3],
    /// What counted before a phase might go above its limit, and since when it might, on the sure clock.
    pub over: [Option<(f64, f64)>; 3],
    /// Since when the meter shows more than the limit although the devices below should leave room, on the sure clock.
    pub above_since_s: Option<f64>,
    /// By which share all devices below are cut, because what is done about an overload does not help, and since when on
    /// the sure clock.
    pub cut: Option<(f64, f64)>,
    /// Whether nothing is known of the building here: only fallback values are granted.
    pub blind: bool,
    /// By how much less imbalance is aimed at because the meter shows more than expected, in A, and when that was last
    /// changed, on the sure clock.
    pub imbalance_bias: (f64, f64),
    /// How much imbalance is expected of what was granted, in A.
    pub imbalance_expected_a: f64,
    /// Whether an overload has been told.
    pub overload_told: bool,
    /// When the last of the devices below told what it draws, on the sure clock; looked for while its meter shows the same.
    pub told_below_s: f64,
}

impl NodeState {
    /// Its meter, where that is believed.
    pub fn believed(&self) -> Option<&MeterState> {
        self.meter.as_ref().filter(|meter| meter.distrust.is_none())
    }
}

/// What is remembered of a meter.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterState {
    /// Its last reading that was taken in, L1, L2, L3 in A.
    pub phases_a: [f64; 3],
    /// When that was measured, on the clock of what may have passed.
    pub heard_s: f64,
    /// A reading that has come and not been held against the devices below yet, and when it was measured on the same clock.
    pub fresh: Option<([f64; 3], f64)>,
    /// When the last reading that made sense was measured, by the meter's own clock.
    pub at: DateTime<Utc>,
    /// Our clock less its own, where readings come fastest.
    pub ahead: Ahead,
    /// Why it is not believed.
    pub distrust: Option<Distrust>,
    /// Whether that has been told.
    pub told: bool,
    /// Doubts, because it shows what cannot be.
    pub doubt: Option<Doubt>,
    /// How often it was proven to show what cannot be.
    pub lies: u32,
    /// Since when it has shown what can be, on the sure clock.
    pub fits_since_s: f64,
    /// How many readings in a row made no sense, or came from the past.
    pub odd: u32,
    /// Since when it has shown the same values, on the sure clock, and what devices below showed once that had lasted, by
    /// phase in A.
    pub same: Option<(f64, Option<[f64; 3]>)>,
}

impl MeterState {
    /// One that has spoken for the first time.
    pub fn new(at: DateTime<Utc>, ahead: Ahead) -> MeterState {
        MeterState {
            phases_a: [0.0; 3],
            heard_s: f64::NEG_INFINITY,
            fresh: None,
            at,
            ahead,
            distrust: None,
            told: false,
            doubt: None,
            lies: 0,
            fits_since_s: f64::NEG_INFINITY,
            odd: 0,
            same: None,
        }
    }

    /// Takes in a reading that can be true.
    pub fn take(&mut self, phases_a: [f64; 3], heard_s: f64, sure_s: f64) {
        #[expect(clippy::float_cmp, reason = "a frozen meter repeats itself to the last digit")]
        let same = self.heard_s > f64::NEG_INFINITY && self.phases_a == phases_a;
        if same {
            self.same.get_or_insert((sure_s, None));
        } else {
            self.same = None;
        }
        self.phases_a = phases_a;
        self.heard_s = heard_s;
    }

    /// Whether it shows the same to the last digit although the devices below now show something else. Once it does, it is
    /// frozen until it moves.
    ///
    /// `told_s` is when the last of the devices below told what it draws, on the sure clock: what all of them have told since the meter
    /// began to show the same is what it should show.
    pub fn is_frozen(&mut self, shown_a: [f64; 3], told_s: f64, sure_s: f64) -> bool {
        let stands = self.distrust == Some(Distrust::Frozen);
        let Some((since_s, then_a)) = self.same.as_mut() else { return false };
        if then_a.is_none() && told_s < *since_s + LAG_S && sure_s - *since_s <= SETTLED_S {
            return stands;
        }
        let then_a = then_a.get_or_insert(shown_a);
        stands || (0..3).any(|phase| (shown_a[phase] - then_a[phase]).abs() > FROZEN_A)
    }
}

/// Energy through the grid connection in the clock quarter-hour that runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quarter {
    /// Its number since 1970.
    pub number: i64,
    /// Energy imported less exported, in kWh.
    pub net_kwh: f64,
    /// By signal that limits a quarter-hour: energy of what it limits, in kWh.
    pub signals_kwh: Vec<(String, f64)>,
    /// The power that counts until the next step, in kW.
    pub net_kw: f64,
}
