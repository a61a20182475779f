//! `make bench-tick`: how long a tick of the fast loop takes, with 10,000 chargers under 500 boards.
//!
//! Every charger has a vehicle that wants all it can get, every board a meter that speaks every second, every charger
//! shows what it draws every 10 s, buildings move all the time and one vehicle a second comes or goes. A charger takes what
//! it is told two seconds later. Times are of `step` alone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::{Board, HourlyByPhase, Included, Meter, PerPhase, Site, Station};
use kwartier_engine::control::event::Session;
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::{Event, Setup, State, step};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

const BOARDS: usize = 500;
const CHARGERS: usize = 10_000;
const WARM_UP: usize = 120;
const TICKS: usize = 2_000;

fn main() {
    let setup = Arc::new(Setup::of(&site(), chrono_tz::UTC, Settings::default()));
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut now: DateTime<Utc> = DateTime::from_timestamp(1_768_431_600, 0).unwrap_or_default();
    let mut state = State::new(setup.clone(), now);
    let mut holds_a = vec![0.0_f64; CHARGERS];
    let mut events: Vec<Event> = (0..CHARGERS).flat_map(|device| hello(device, now)).collect();
    let mut coming: VecDeque<(usize, Vec<(usize, f64)>)> = VecDeque::new();
    let mut times: Vec<Duration> = Vec::with_capacity(TICKS);
    let mut building_a = vec![[8.0_f64; 3]; BOARDS];
    let (mut sent, mut memory) = (0, 0);
    for tick in 0..WARM_UP + TICKS {
        now += TimeDelta::seconds(1);
        while coming.front().is_some_and(|(at, _)| *at <= tick) {
            for (device, amps) in coming.pop_front().map(|(_, list)| list).unwrap_or_default() {
                holds_a[device] = amps;
            }
        }
        for amps in building_a.iter_mut().flatten() {
            *amps = (*amps + dice.random_range(-0.5..0.5)).clamp(2.0, 14.0);
        }
        let mut flows_a = building_a.clone();
        for (device, amps) in holds_a.iter().enumerate() {
            flows_a[setup.devices[device].node].iter_mut().for_each(|phase| *phase += amps);
        }
        flows_a[0] = (0..3)
            .map(|phase| flows_a.iter().map(|amps| amps[phase]).sum())
            .collect::<Vec<f64>>()
            .try_into()
            .unwrap_or_default();
        events.extend((0..BOARDS).map(|node| Event::Meter { node, at: now, phases_a: flows_a[node] }));
        events.extend((tick % 10..CHARGERS).step_by(10).map(|device| Event::Drawn {
            device,
            phases_a: [holds_a[device]; 3],
            session_kwh: None,
        }));
        let who = dice.random_range(0..CHARGERS);
        events.push(Event::Unplugged { device: who });
        events.push(plug(who, now));
        let began = Instant::now();
        let (after, output) = step(state, now, &events);
        if tick >= WARM_UP {
            times.push(began.elapsed());
        }
        state = after;
        events.clear();
        sent += output.setpoints.len();
        events.extend(output.setpoints.iter().map(|setpoint| Event::Answered {
            device: setpoint.device,
            number: setpoint.number,
            accepted: true,
        }));
        coming
            .push_back((tick + 2, output.setpoints.iter().map(|setpoint| (setpoint.device, setpoint.amps)).collect()));
        if tick == WARM_UP {
            memory = resident_kib();
        }
    }
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = ((times.len() - 1) as f64 * share).round() as usize;
        times[index].as_secs_f64() * 1000.0
    };
    println!("{CHARGERS} chargers, {BOARDS} boards, {TICKS} ticks, {sent} setpoints");
    println!("median {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, longest {:.2} ms", at(0.5), at(0.99), at(0.999), at(1.0));
    println!("memory {memory} KiB after warm-up, {} KiB at the end", resident_kib());
}

fn site() -> Site {
    let building = Some(HourlyByPhase::Constant(PerPhase::Same(15.0)));
    let mut boards =
        vec![Board { building_max_a: building.clone(), ..Board::new("HV".to_owned(), None, PerPhase::Same(60_000.0)) }];
    for k in 1..BOARDS {
        let id = format!("UV{k}");
        boards.push(Board {
            building_max_a: building.clone(),
            ..Board::new(id, Some("HV".to_owned()), PerPhase::Same(250.0))
        });
    }
    let rotations = ["RST", "STR", "TRS"];
    let stations = (0..CHARGERS).map(|k| Station {
        rotation: Some(rotations[k % 3].to_owned()),
        fallback_a: Some(kwartier_data::site::Hourly::Constant(6.0)),
        ..Station::new(format!("S{k}"), format!("UV{}", 1 + k % (BOARDS - 1)), 32.0)
    });
    let mut site = Site::new("Bench".to_owned(), "UTC".to_owned(), boards, stations.collect());
    site.meters = site
        .boards
        .iter()
        .map(|board| Meter {
            id: format!("M {}", board.id),
            board: board.id.clone(),
            includes: vec![Included::Building, Included::Stations, Included::Pv, Included::Batteries, Included::Loads],
        })
        .collect();
    site
}

fn hello(device: usize, now: DateTime<Utc>) -> [Event; 3] {
    [Event::Link { device, up: true }, Event::Holds { device, amps: Some(0.0) }, plug(device, now)]
}

fn plug(device: usize, now: DateTime<Utc>) -> Event {
    let session = Session {
        id: format!("{device} {}", now.timestamp()),
        phases: Some(3),
        min_a: 6.0,
        max_a: 32.0,
        max_discharge_a: 0.0,
        need_kwh: Some(60.0),
        departure: None,
        priority: u8::try_from(device % 3).unwrap_or(0),
        guaranteed_a: 0.0,
    };
    Event::Session { device, session }
}

/// What this process holds in memory, in KiB; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
