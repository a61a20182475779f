//! Plays a depot with the fast loop, the last clamp and the judges, without a planner.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control::command::{Notice, Setpoint};
use kwartier_engine::control::event::{Event, Targets};
use kwartier_engine::control::{State, step};
use kwartier_engine::limits::Clamp;
use kwartier_engine::plant::Plant;
use kwartier_engine::plant::judge::{Judges, Report};
use kwartier_engine::plant::truth::Truth;
use kwartier_engine::plant::world::What;

use crate::depots::Depot;

/// What came of it.
#[derive(Debug)]
pub struct Played {
    /// What the judges say.
    pub report: Report,
    /// A number that differs if anything in the run differs.
    pub trace: u64,
    /// How many steps it took.
    pub steps: u64,
    /// How often the clamp had to lower what the loop wanted.
    pub clamped: u64,
    /// Energy delivered, in kWh.
    pub energy_kwh: f64,
}

/// What the loop does when it has no planner: nothing planned, or every device as a rule says.
pub fn play(depot: &Depot, seed: u64, targets: Option<&Arc<Targets>>, log: bool) -> Played {
    let setup = Arc::new(depot.setup.clone());
    let mut plant = Plant::new(&setup, depot.world.clone(), seed);
    let mut judges = Judges::new(&setup, &depot.world);
    let mut jumps: Vec<(DateTime<Utc>, f64)> = Vec::new();
    let mut restarts: Vec<DateTime<Utc>> = Vec::new();
    for fault in &depot.world.faults {
        match fault.what {
            What::Clock { jump_s, .. } => jumps.push((fault.from, jump_s)),
            What::Restart => restarts.push(fault.from),
            _ => {}
        }
    }
    let mut now = depot.world.start;
    let mut ahead = TimeDelta::zero();
    let mut state = State::new(setup.clone(), now);
    let mut clamp = Clamp::new(&setup);
    let mut pending: Vec<Event> = plant.holds();
    pending.extend(targets.map(|targets| Event::Planned(targets.clone())));
    let mut wake = now;
    let mut trace = DefaultHasher::new();
    let (mut steps, mut clamped) = (0, 0);
    while now < depot.world.end {
        let mut next = wake.min(depot.world.end);
        next = plant.next_at().map_or(next, |at| at.min(next));
        next = restarts
            .iter()
            .chain(jumps.iter().map(|(at, _)| at))
            .filter(|at| **at > now)
            .fold(next, |next, at| next.min(*at));
        now = next.max(now);
        let mut events = std::mem::take(&mut pending);
        events.extend(plant.advance(now, &mut judges));
        judges.hear(&events);
        for (_, jump_s) in jumps.extract_if(.., |(at, _)| *at <= now) {
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
            let jump = TimeDelta::seconds(jump_s as i64);
            ahead += jump;
        }
        if restarts.extract_if(.., |at| *at <= now).count() > 0 {
            state = State::new(setup.clone(), now + ahead);
            clamp = Clamp::new(&setup);
            events = plant.holds();
            events.extend(targets.map(|targets| Event::Planned(targets.clone())));
            events.extend(
                depot
                    .world
                    .signals
                    .iter()
                    .filter(|(at, event)| *at <= now && matches!(event, Event::Signal(_)))
                    .map(|(_, event)| event.clone()),
            );
        }
        clamp.hear(now + ahead, &events);
        let (after, output) = step(state, now + ahead, &events);
        state = after;
        let wanted = output.setpoints.clone();
        let passed = clamp.pass(now + ahead, output.setpoints);
        if log && (!events.is_empty() || !passed.is_empty()) {
            tell(now, &events, &wanted, &passed, &output.notices, &state, &clamp, plant.truth());
        }
        state.passed(&passed);
        for (wanted, setpoint) in wanted.iter().zip(&passed) {
            if setpoint.amps < wanted.amps - 1e-9 {
                clamped += 1;
            }
            (now.timestamp_millis(), setpoint.device, setpoint.amps.to_bits()).hash(&mut trace);
            plant.send(setpoint);
        }
        wake = output.wake.map_or(depot.world.end, |at| at - ahead).max(now + TimeDelta::milliseconds(100));
        steps += 1;
    }
    let energy_kwh = plant.truth().devices.iter().map(|device| device.energy_kwh).sum();
    Played { report: judges.report(&plant), trace: trace.finish(), steps, clamped, energy_kwh }
}

/// One step on standard error: what happened, what was decided, what really flows beside what is believed.
#[expect(clippy::too_many_arguments, reason = "all that one step is about")]
fn tell(
    now: DateTime<Utc>,
    events: &[Event],
    wanted: &[Setpoint],
    passed: &[Setpoint],
    notices: &[Notice],
    state: &State,
    clamp: &Clamp,
    truth: &Truth,
) {
    eprintln!("{now} {} events, B {:?}", events.len(), state.building_a(0));
    for event in events {
        if !matches!(event, Event::Meter { .. } | Event::Drawn { .. }) {
            eprintln!("    {event:?}");
        }
    }
    for setpoint in passed {
        let asked = wanted.iter().find(|wanted| wanted.number == setpoint.number).map_or(0.0, |wanted| wanted.amps);
        eprintln!("    -> {} {:.1} A of {asked:.1} A {:?}", setpoint.device, setpoint.amps, setpoint.why);
    }
    for notice in notices {
        eprintln!("    !! {notice:?}");
    }
    let setup = state.setup();
    for (k, node) in truth.nodes.iter().enumerate() {
        eprintln!("    clamp {:.1?} of {:?}", clamp.most_a(k), setup.nodes[k].limit_a);
        eprintln!(
            "    {} building {:.1?} devices {:.1?} reserve {:.1?} believed {:.1?}",
            setup.nodes[k].id,
            node.building_a,
            node.devices_a,
            node.reserve_a,
            state.building_a(k)
        );
    }
    let devices: Vec<String> = truth
        .devices
        .iter()
        .enumerate()
        .map(|(k, device)| format!("{:.1}/{:.1}/{:.1}", device.drawn_a[0], device.allows_a, state.most_a(k)))
        .collect();
    eprintln!("    drawn/allowed/counted {}", devices.join(" "));
}
