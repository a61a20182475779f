//! What a device may draw now, at most and at least, from what it was told, what it has answered and what it shows.
//!
//! A command counts as obeyed only when the device has accepted it and its reaction time has passed, or when it shows that
//! it obeys. Until then the higher of old and new counts.

use super::setup::{Device, LOWEST_A};
use super::state::Clock;

/// Amperes by which a device may be above its setpoint before that is disobedience: meters and vehicles are not exact
/// (IEC 61851-1 allows the vehicle its own tolerance).
const EXCESS_A: f64 = 1.0;

/// The same as a share of the setpoint.
const EXCESS: f64 = 0.1;

/// For so long after a reading a device is believed to draw at least that much, in s; chargers commonly send theirs every
/// 10 to 60 s.
const SHOWN_S: f64 = 65.0;

/// Within so many s of accepting a command a vehicle has followed: it must within 5 s (IEC 61851-1, annex A), and its charger
/// has taken a moment before that.
const QUICK_S: f64 = 8.0;

/// A command that gives less and has not been answered for so long may not have been heard, in s: chargers answer within a second,
/// over a mobile network within two.
const LATE_S: f64 = 2.0;

/// What a device shows within so many s of a command says nothing of how it follows it.
const FOLLOWS_S: f64 = 10.0;

/// One that has not shown that it follows for so long does not, in s.
const LONGEST_S: f64 = 75.0;

/// A command on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sent {
    /// Its number.
    pub number: u64,
    /// A per phase.
    pub amps: f64,
    /// On which phase of its own, where it was told one.
    pub phase: Option<u8>,
    /// When it was sent, on the clock of what has surely passed, in s.
    pub at_s: f64,
    /// When the first of the commands was sent that have not been answered since, on the same clock.
    pub since_s: f64,
    /// Since when it had been on or off before, on the same clock.
    pub switched_at_s: f64,
}

/// A higher setpoint that may still be in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settling {
    /// A per phase.
    pub amps: f64,
    /// When the device must have obeyed the lower one, on the clock of what has surely passed.
    pub obeyed_by_s: f64,
    /// When it must have shown that, on the same clock.
    pub shown_by_s: f64,
}

/// What is known of a device's current.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// What it holds for sure in A per phase; its rating where nothing is known.
    pub confirmed_a: f64,
    /// What it was told last and has not answered.
    pub pending: Option<Sent>,
    /// Whether it was quick to answer when it last did; so it is taken to be until it has.
    pub prompt: bool,
    /// What it has refused last: it may take that later all the same, when a transaction has begun.
    pub refused: Option<Sent>,
    /// What it may still draw from before, each until its own time.
    pub settling: Vec<Settling>,
    /// What it shows that it draws on its own phases, in A, and when on the clock of what may have passed.
    pub shown_a: Option<([f64; 3], f64)>,
    /// When it showed that, on the clock of what has surely passed.
    pub shown_at_s: f64,
    /// The lowest that it has held since then, in A per phase: a vehicle that was lowered and raised again does not draw yet what
    /// it showed before.
    pub lowest_a: f64,
    /// By when it must have obeyed the last command that gave it less, on the same clock.
    pub obeyed_by_s: f64,
    /// When it last took a command, on the clock of what has surely passed.
    pub confirmed_at_s: f64,
    /// When it last took one that gave it more, on the same clock.
    pub raised_at_s: f64,
}

impl Held {
    /// A device of which nothing is known.
    pub fn unknown(device: &Device) -> Held {
        Held {
            confirmed_a: device.max_a,
            pending: None,
            prompt: true,
            refused: None,
            settling: Vec::new(),
            shown_a: None,
            shown_at_s: f64::NEG_INFINITY,
            lowest_a: device.max_a,
            obeyed_by_s: f64::NEG_INFINITY,
            confirmed_at_s: f64::NEG_INFINITY,
            raised_at_s: f64::NEG_INFINITY,
        }
    }

    /// The most it may draw by what it was told, in A per phase: the highest of what it holds, what is on its way and what it
    /// may not have left yet.
    pub fn most_a(&self, sure_s: f64) -> f64 {
        self.most_with(|settling| sure_s < settling.shown_by_s)
    }

    /// The most it may draw if it obeys in time, in A per phase. What flows beyond that is somebody else's, or it does not
    /// obey: either way the others make room.
    pub fn most_if_obeyed_a(&self, sure_s: f64) -> f64 {
        self.most_with(|settling| sure_s < settling.obeyed_by_s)
    }

    /// The most it may draw if it follows as vehicles do, in A per phase: what is above its limit cannot wait until the slowest
    /// must have obeyed.
    pub fn most_if_quick_a(&self, sure_s: f64, reaction_s: f64) -> f64 {
        self.most_with(|settling| sure_s < settling.obeyed_by_s - reaction_s + reaction_s.min(QUICK_S))
    }

    /// Whether it was given less and may not have obeyed that yet.
    pub fn settles(&self, sure_s: f64) -> bool {
        self.settling.iter().any(|settling| sure_s < settling.obeyed_by_s)
    }

    /// Whether it was given less and has not answered for so long that it may not have heard it. Of one that takes its time to answer
    /// that says nothing.
    pub fn is_late(&self, sure_s: f64) -> bool {
        let late = |sent: Sent| sure_s - sent.since_s >= LATE_S && self.most_if_obeyed_a(sure_s) > sent.amps;
        self.prompt && self.pending.is_some_and(late)
    }

    fn most_with(&self, counts: impl Fn(&Settling) -> bool) -> f64 {
        let pending_a = self.pending.map_or(0.0, |sent| sent.amps);
        let settling = self.settling.iter().filter(|settling| counts(settling)).map(|settling| settling.amps);
        settling.fold(self.confirmed_a.max(pending_a).max(0.0), f64::max)
    }

    /// The least that it surely draws on each of its own phases, in A; negative where it may feed in.
    pub fn least_a(&self, maybe_s: f64) -> [f64; 3] {
        let told = self.confirmed_a.min(self.lowest_a).min(self.pending.map_or(f64::INFINITY, |sent| sent.amps));
        match self.shown_a {
            Some((amps, at_s)) if maybe_s - at_s <= SHOWN_S => {
                amps.map(|amps| amps.min(told.max(0.0)).min(amps.max(0.0)))
            }
            _ => [told.min(0.0); 3],
        }
    }

    /// What it is expected to draw on its own phases, in A: what it showed last; what it may where it has not shown
    /// anything since that was raised, for as long as a vehicle may take to follow; nothing where it never shows anything.
    pub fn expected_a(&self, clock: Clock) -> [f64; 3] {
        let most_a = self.most_a(clock.sure_s);
        let told_s = clock.sure_s - self.raised_at_s;
        let shown = self.shown_a.filter(|(_, at_s)| clock.maybe_s - at_s <= SHOWN_S);
        let shown_s = shown.map_or(0.0, |(_, at_s)| clock.maybe_s - at_s);
        let may_still_follow = told_s < LONGEST_S && (shown.is_none() || told_s - shown_s < FOLLOWS_S);
        let follows = |shown_a: f64| if may_still_follow { most_a.max(shown_a) } else { shown_a.min(most_a.max(0.0)) };
        shown.map_or([0.0; 3], |(amps, _)| amps).map(follows)
    }

    /// Whether it has told lately what it draws.
    pub fn tells(&self, clock: Clock) -> bool {
        self.shown_a.is_some_and(|(_, at_s)| clock.maybe_s - at_s <= SHOWN_S)
    }

    /// What it shows as its highest phase, in A; 0 where it shows nothing.
    pub fn shown_most_a(&self) -> f64 {
        self.shown_a.map_or(0.0, |(amps, _)| amps.into_iter().fold(0.0, f64::max))
    }

    /// The command on its way is followed by another one before it was answered. It may have arrived all the same.
    pub fn superseded(&mut self) {
        if let Some(sent) = self.pending.take() {
            self.may_hold(sent.amps);
        }
    }

    /// It has taken what it had refused. What was sent since is still on its way.
    pub fn takes_refused(&mut self, number: u64) {
        let Some(sent) = self.refused.take_if(|sent| sent.number == number) else { return };
        if self.pending.is_none() {
            self.pending = Some(sent);
        } else {
            self.may_hold(sent.amps);
        }
    }

    /// It may hold so much until it has taken what it is told next.
    fn may_hold(&mut self, amps: f64) {
        let open = |settling: &Settling| settling.obeyed_by_s == f64::INFINITY;
        let others_a = self.settling.iter().filter(|settling| open(settling)).map(|settling| settling.amps);
        let amps = others_a.fold(amps, f64::max);
        self.settling.retain(|settling| !open(settling));
        self.settling.push(Settling { amps, obeyed_by_s: f64::INFINITY, shown_by_s: f64::INFINITY });
    }

    /// It has accepted the command on its way.
    pub fn accepted(&mut self, sure_s: f64, reaction_s: f64) {
        let Some(sent) = self.pending.take() else { return };
        self.prompt = sure_s - sent.at_s <= LATE_S;
        // One that shows what it draws has obeyed when it shows that; one that does not, once it must have.
        let shows = self.shown_most_a() > sent.amps + EXCESS_A;
        let patience_s = if shows { reaction_s.max(SHOWN_S) } else { reaction_s };
        let from_now = |amps: f64| Settling { amps, obeyed_by_s: sure_s + reaction_s, shown_by_s: sure_s + patience_s };
        self.settling.retain(|settling| settling.amps > sent.amps && sure_s < settling.shown_by_s);
        // What it holds already has its own time; what is only said again gives no more.
        let mut less = self.confirmed_a > sent.amps;
        if less {
            self.settling.push(from_now(self.confirmed_a));
        }
        for settling in self.settling.iter_mut().filter(|settling| settling.obeyed_by_s == f64::INFINITY) {
            *settling = from_now(settling.amps);
            less = true;
        }
        if less {
            self.obeyed_by_s = sure_s + reaction_s;
        }
        if sent.amps > self.confirmed_a {
            self.raised_at_s = sure_s;
        }
        self.confirmed_a = sent.amps;
        self.lowest_a = self.lowest_a.min(sent.amps);
        self.confirmed_at_s = sure_s;
    }

    /// It has shown what it draws. One that draws no more than it holds has settled.
    pub fn shows(&mut self, amps: [f64; 3], sure_s: f64, maybe_s: f64) {
        self.shown_a = Some((amps, maybe_s));
        self.shown_at_s = sure_s;
        self.lowest_a = self.confirmed_a;
        if sure_s - self.confirmed_at_s > 1.0 && amps.into_iter().all(|a| a <= self.confirmed_a + EXCESS_A) {
            self.settling.clear();
        }
    }

    /// Whether it shows more than anything it was told allows, since it must have obeyed.
    pub fn exceeds(&self, sure_s: f64) -> bool {
        if self.shown_at_s < self.obeyed_by_s {
            return false;
        }
        let most = self.most_if_obeyed_a(sure_s);
        // Between 0 and 6 A means stop.
        let most = if most < LOWEST_A { 0.0 } else { most };
        self.shown_most_a() > most + EXCESS_A.max(EXCESS * most)
    }
}
