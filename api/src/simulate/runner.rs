//! The loop that joins plant, fast loop and planner under a virtual clock. It goes from event to event: quiet seconds cost
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control::command::{Notice, Setpoint, Why};
use kwartier_engine::control::event::Event;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::control::{Output, State, step};
use kwartier_engine::limits::Clamp;
use kwartier_engine::plant::Plant;
use kwartier_engine::plant::judge::{Judges, Report};
use kwartier_engine::plant::record::Record;
use kwartier_engine::plant::truth::{DeviceTruth, StayTruth};
use kwartier_engine::plant::world::{Fault, What};
use kwartier_engine::settings::Watch;

use super::inputs::QUARTER_S;
use super::live::Live;
use super::planner::{Foreseen, Planner};
use super::scenario::{Policy, Steering, seconds};
use super::world::Days;

/// Shortest time between two plans that the fast loop asks for.
const BETWEEN_PLANS: TimeDelta = TimeDelta::minutes(1);

/// Without steering, devices are told so often to take what they want, as setpoints lapse.
const RENEWED: TimeDelta = TimeDelta::minutes(5);

/// The loop never goes on by less.
const SHORTEST: TimeDelta = TimeDelta::milliseconds(10);

/// What a station may hold less than it was sent and still be as usual, in A: it may round.
const ROUNDING_A: f64 = 1.0;

/// How a run went.
pub struct Played<'s> {
    /// What was written down.
    pub record: Record<'s>,
    /// What the judges found; they speak of nothing but what was played to its end.
    pub report: Option<Report>,
    /// What became of the stays.
    pub stays: Vec<StayTruth>,
    /// How often the fast loop told operators of each kind of thing.
    pub told: BTreeMap<&'static str, u32>,
    /// How many plans there were, and how many there were not.
    pub plans: (u32, u32),
    /// Why not, the first time.
    pub why_no_plan: Option<String>,
    /// How many setpoints the last clamp has lowered.
    pub clamped: u64,
    /// How many times the fast loop was asked.
    pub steps: u64,
    /// Up to when it was played.
    pub until: DateTime<Utc>,
}

/// The fast loop's clock, which may jump and drift.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ahead: TimeDelta,
    drift_ppm: f64,
    since: DateTime<Utc>,
}

impl Clock {
    fn shows(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + self.ahead + seconds(self.drift_ppm * 1e-6 * (at - self.since).as_seconds_f64())
    }

    /// The true time at which it shows an instant, to the millisecond.
    fn when(&self, shown: DateTime<Utc>) -> DateTime<Utc> {
        let about = shown - self.ahead;
        about - seconds(self.drift_ppm * 1e-6 * (about - self.since).as_seconds_f64())
    }

    fn goes_wrong(&mut self, at: DateTime<Utc>, jump_s: f64, drift_ppm: f64) {
        let shown = self.shows(at);
        *self = Clock { ahead: shown - at + seconds(jump_s), drift_ppm, since: at };
    }
}

/// Who steers.
enum Wheel {
    /// The fast loop; its state is out only while a step is taken.
    Loop(Box<(Option<State>, Clamp)>),
    /// Nobody; the number of the last command and when all were told last.
    Nobody(u64, DateTime<Utc>),
}

/// A run in its course.
struct Run<'r, 's, 'f> {
    days: &'s Days,
    setup: Arc<Setup>,
    plant: Plant,
    wheel: Wheel,
    clock: Clock,
    live: Live,
    planner: Option<Planner<'s, 'f>>,
    next_plan: DateTime<Utc>,
    last_plan: DateTime<Utc>,
    replan: bool,
    watch: &'r dyn Watch,
    played: Played<'s>,
}

/// Plays some days, with plans where something is foreseen of them. `faults` are those that are looked at: their own, or those of others of days
/// that are the same but for them. `progress` hears what share of the days is done.
pub fn play<'s>(
    days: &'s Days,
    faults: &[Fault],
    (policy, foreseen): (&'s Policy, Option<&mut Foreseen<'s>>),
    seed: u64,
    watch: &dyn Watch,
    progress: &dyn Fn(f64),
) -> Played<'s> {
    let (start, end) = (days.world.start, days.world.end);
    let setup = Arc::new(days.setup.clone());
    let clock = Clock { ahead: TimeDelta::zero(), drift_ppm: 0.0, since: start };
    let wheel = match policy.steering {
        Steering::Control => Wheel::Loop(Box::new((Some(State::new(Arc::clone(&setup), start)), Clamp::new(&setup)))),
        Steering::Uncontrolled => Wheel::Nobody(0, DateTime::<Utc>::MIN_UTC),
    };
    let mut run = Run {
        days,
        plant: Plant::new(&setup, days.world.clone(), seed),
        setup,
        wheel,
        clock,
        live: Live::new(days.setup.devices.len()),
        planner: foreseen.map(|foreseen| Planner::new(days, policy, foreseen)),
        next_plan: start,
        last_plan: DateTime::<Utc>::MIN_UTC,
        replan: false,
        watch,
        played: Played {
            record: Record::new(&days.setup, start, faults, Judges::new(&days.setup, &days.world)),
            report: None,
            stays: Vec::new(),
            told: BTreeMap::new(),
            plans: (0, 0),
            why_no_plan: None,
            clamped: 0,
            steps: 0,
            until: start,
        },
    };
    let mut moments = moments(days);
    let mut at = start;
    // What stations tell when they connect.
    let mut events = run.plant.holds();
    events.extend(run.plant.advance(at, &mut run.played.record));
    while !watch.cancelled() {
        while let Some((_, what)) = moments.last().filter(|(when, _)| *when <= at).cloned() {
            moments.pop();
            run.breaks(at, &what, &mut events);
        }
        let wake = run.turn(at, &mut events, policy);
        run.played.until = at;
        if at >= end {
            break;
        }
        let quarter = start + TimeDelta::seconds(((at - start).num_seconds() / QUARTER_S + 1) * QUARTER_S);
        let due = moments.last().map(|(when, _)| *when);
        let next =
            [Some(quarter), Some(run.next_plan).filter(|_| run.planner.is_some()), due, run.plant.next_at(), wake];
        at = next.into_iter().flatten().fold(end, DateTime::min).max(at + SHORTEST).min(end);
        events = run.plant.advance(at, &mut run.played.record);
        progress((at - start).as_seconds_f64() / (end - start).as_seconds_f64());
    }
    let mut played = run.played;
    played.report = played.record.judges.take().map(|judges| judges.report(&run.plant));
    played.stays = run.plant.stays().to_vec();
    if let Some(planner) = run.planner {
        played.plans = (planner.made, planner.failed);
        played.why_no_plan = planner.why_failed;
    }
    played
}

/// What happens to the controller itself, the first last.
fn moments(days: &Days) -> Vec<(DateTime<Utc>, What)> {
    let own = days.world.faults.iter().filter(|fault| matches!(fault.what, What::Restart | What::Clock { .. }));
    let mut moments: Vec<(DateTime<Utc>, What)> = own.map(|fault| (fault.from, fault.what.clone())).collect();
    moments.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    moments
}

impl Run<'_, '_, '_> {
    /// One round; when the next one is wanted.
    fn turn(&mut self, at: DateTime<Utc>, events: &mut Vec<Event>, policy: &Policy) -> Option<DateTime<Utc>> {
        self.played.record.hears(events);
        if let Some(planner) = &self.planner {
            for event in events.iter_mut() {
                planner.believe(event, at, &self.live);
            }
        }
        self.live.hear(events);
        self.plan(at, events, policy);
        self.played.steps += 1;
        let wake = match &self.wheel {
            Wheel::Loop(_) => self.steer(at, events),
            Wheel::Nobody(..) => self.let_go(at, events),
        };
        if self.played.record.waits_for_normal(at) && self.is_normal() {
            self.played.record.normal(at);
        }
        wake
    }

    /// Something happens to the controller.
    fn breaks(&mut self, at: DateTime<Utc>, what: &What, events: &mut Vec<Event>) {
        let Wheel::Loop(wheel) = &mut self.wheel else { return };
        match what {
            What::Restart => {
                let state = State::new(Arc::clone(&self.setup), self.clock.shows(at));
                **wheel = (Some(state), Clamp::new(&self.setup));
                let mut told = self.live.told_again(at);
                told.extend(self.plant.holds());
                told.append(events);
                *events = told;
            }
            What::Clock { jump_s, drift_ppm } => self.clock.goes_wrong(at, *jump_s, *drift_ppm),
            _ => {}
        }
    }

    /// A new plan, where one is due.
    fn plan(&mut self, at: DateTime<Utc>, events: &mut Vec<Event>, policy: &Policy) {
        let Some(planner) = &mut self.planner else { return };
        let asked = (self.replan || self.live.news) && at >= self.last_plan + BETWEEN_PLANS;
        if at < self.next_plan && !asked {
            return;
        }
        self.live.peak_kw = self.played.record.peak_kw();
        let stores = self.days.world.stores.iter();
        let stored = stores.filter_map(|store| {
            let [least, most] = store.range_kwh;
            // What flows in a moment may take it a hair beyond.
            let kwh = self.plant.stored_kwh(store.device)?.clamp(least, most);
            Some((self.setup.devices[store.device].id.clone(), kwh))
        });
        self.live.stored_kwh = stored.collect();
        if let Some(targets) = planner.plan(at, &self.live, self.watch) {
            self.live.plan = Some(Arc::clone(&targets));
            events.push(Event::Planned(targets));
        }
        (self.replan, self.live.news) = (false, false);
        self.last_plan = at;
        self.next_plan = at + TimeDelta::minutes(i64::from(policy.replan_minutes));
    }

    /// The fast loop decides.
    fn steer(&mut self, at: DateTime<Utc>, events: &[Event]) -> Option<DateTime<Utc>> {
        let Wheel::Loop(wheel) = &mut self.wheel else { return None };
        let (state, clamp) = &mut **wheel;
        let shown = self.clock.shows(at);
        let (after, Output { setpoints, notices, replan, wake }) = step(state.take()?, shown, events);
        let state = state.insert(after);
        clamp.hear(shown, events);
        let wanted: Vec<f64> = setpoints.iter().map(|setpoint| setpoint.amps).collect();
        let passed = clamp.pass(shown, setpoints);
        state.passed(&passed);
        for (setpoint, wanted) in passed.iter().zip(wanted) {
            self.played.clamped += u64::from(setpoint.amps < wanted - 1e-6);
            self.plant.send(setpoint);
            self.played.record.sends(at, setpoint.device, setpoint.amps, setpoint.why);
        }
        for notice in notices {
            *self.played.told.entry(kind(&notice)).or_default() += 1;
        }
        self.replan |= replan;
        wake.map(|wake| self.clock.when(wake))
    }

    /// Everything takes what it wants.
    fn let_go(&mut self, at: DateTime<Utc>, events: &[Event]) -> Option<DateTime<Utc>> {
        let Wheel::Nobody(number, told_at) = &mut self.wheel else { return None };
        let all = at >= *told_at + RENEWED;
        for (device, known) in self.setup.devices.iter().enumerate() {
            let news = events.iter().any(|event| match event {
                Event::Session { device: which, .. } | Event::Wish { device: which, .. } => *which == device,
                Event::Link { device: which, up } => *which == device && *up,
                _ => false,
            });
            if known.kind == Kind::Battery || !(all || news) {
                continue;
            }
            *number += 1;
            let phases = u8::try_from(known.phases.len()).unwrap_or(3);
            let (number, amps) = (*number, known.max_a);
            let setpoint = Setpoint { number, device, amps, phases, phase: None, valid_s: 1200.0, why: Why::Override };
            self.plant.send(&setpoint);
            self.played.record.sends(at, device, known.max_a, Why::Override);
        }
        if all {
            *told_at = at;
        }
        Some(*told_at + RENEWED)
    }

    /// Whether every station holds what it was sent last and every meter is believed.
    fn is_normal(&self) -> bool {
        let Wheel::Loop(wheel) = &self.wheel else { return true };
        let believes = |node| wheel.0.as_ref().is_some_and(|state| state.meter_believed(node));
        let meters = (0..self.setup.nodes.len()).all(|node| self.setup.nodes[node].meter.is_none() || believes(node));
        let truth = self.plant.truth();
        let holds = |(device, truth): (usize, &DeviceTruth)| {
            let sent = self.played.record.setpoints[device];
            match (sent, truth.holds_a) {
                (Some((sent, _)), Some(held)) => held <= sent + 0.05 && held > sent - ROUNDING_A,
                (Some(_), None) => false,
                (None, _) => true,
            }
        };
        meters && truth.devices.iter().enumerate().all(|(device, truth)| !truth.silent && holds((device, truth)))
    }
}

/// What a notice is called.
fn kind(notice: &Notice) -> &'static str {
    match notice {
        Notice::MeterLost { .. } => "meter_lost",
        Notice::MeterBack { .. } => "meter_back",
        Notice::Disobeys { .. } => "disobeys",
        Notice::Obeys { .. } => "obeys",
        Notice::Overload { .. } => "overload",
        Notice::Asleep { .. } => "asleep",
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_clock_that_jumps_and_drifts_is_told_apart_from_time() {
        let start: DateTime<Utc> = "2026-01-14T12:00:00Z".parse().unwrap();
        let mut clock = Clock { ahead: TimeDelta::zero(), drift_ppm: 0.0, since: start };
        clock.goes_wrong(start, -90.0, 100.0);
        let later = start + TimeDelta::seconds(10_000);
        assert_eq!(clock.shows(later), later - TimeDelta::seconds(89));
        assert_eq!(clock.when(clock.shows(later)), later);
    }
}
