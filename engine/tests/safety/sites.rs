//! Small sites, by hand and at random.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::{Board, Hourly, HourlyByPhase, Included, Meter, PerPhase, Site, Station};
use kwartier_engine::control::command::{Setpoint, Why};
use kwartier_engine::control::event::Event;
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::setup::Setup;
use proptest::prelude::*;

/// Noon at the sites, which keep UTC.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_574_400, 0).expect("a time")
}

/// So many seconds after noon.
pub fn at(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}

/// One board of 100 A with stations of 32 A on three phases that fall back to 6 A; nothing tells of the building.
pub fn board_with(stations: usize) -> Site {
    let mut site = Site::new("Site".to_owned(), "UTC".to_owned(), Vec::new(), Vec::new());
    site.boards.push(Board::new("Main".to_owned(), None, PerPhase::Same(100.0)));
    for k in 0..stations {
        let mut station = Station::new(format!("S{k}"), "Main".to_owned(), 32.0);
        station.rotation = Some("RST".to_owned());
        station.fallback_a = Some(Hourly::Constant(6.0));
        site.stations.push(station);
    }
    site
}

/// A meter that sees everything.
pub fn meter(board: &str) -> Meter {
    let includes = vec![Included::Building, Included::Stations, Included::Pv, Included::Batteries, Included::Loads];
    Meter { id: format!("M-{board}"), board: board.to_owned(), includes }
}

pub fn setup(site: &Site) -> Setup {
    Setup::of(site, chrono_tz::UTC, Settings::default())
}

pub fn reads(node: usize, seconds: i64, amps: f64) -> Event {
    Event::Meter { node, at: at(seconds), phases_a: [amps; 3] }
}

pub fn draws(device: usize, amps: f64) -> Event {
    Event::Drawn { device, phases_a: [amps; 3], session_kwh: None }
}

pub fn holds(device: usize, amps: f64) -> Event {
    Event::Holds { device, amps: Some(amps) }
}

pub fn setpoint(number: u64, device: usize, amps: f64) -> Setpoint {
    Setpoint { number, device, amps, phases: 3, phase: None, valid_s: 1e9, why: Why::Plan }
}

const ROTATIONS: [&str; 5] = ["RST", "STR", "TRS", "Sxx", "Rxx"];

/// Up to three boards below each other or beside each other, up to eight stations of every kind.
pub fn random() -> impl Strategy<Value = Site> {
    let board =
        (any::<prop::sample::Index>(), 16_u32..120, prop::option::weighted(0.8, 0_u32..40), any::<bool>(), 0_u32..24);
    let station = (
        any::<prop::sample::Index>(),
        prop::option::weighted(0.9, 0_usize..ROTATIONS.len()),
        prop::sample::select(vec![16.0, 20.0, 32.0]),
        prop::option::weighted(0.8, prop::collection::vec(0_u32..3, 24)),
        (prop::bool::weighted(0.9), prop::bool::weighted(0.9), prop::bool::weighted(0.3)),
        prop::sample::select(vec![0.0, 0.0, 6.0, 10.0]),
    );
    (prop::collection::vec(board, 1..4), prop::collection::vec(station, 1..8)).prop_map(|(boards, stations)| {
        let mut site = Site::new("Site".to_owned(), "UTC".to_owned(), Vec::new(), Vec::new());
        for (k, (parent, limit_a, building_a, metered, busy)) in boards.into_iter().enumerate() {
            let parent = (k > 0).then(|| format!("B{}", parent.index(k)));
            let mut board = Board::new(format!("B{k}"), parent, PerPhase::Same(f64::from(limit_a)));
            board.building_max_a = building_a.map(|amps| {
                let by_hour: Vec<f64> =
                    (0..24).map(|hour| if hour < busy { f64::from(amps) } else { f64::from(amps / 2) }).collect();
                HourlyByPhase::Hourly { l1: by_hour.clone(), l2: by_hour.clone(), l3: by_hour }
            });
            if metered {
                site.meters.push(meter(&board.id));
            }
            site.boards.push(board);
        }
        for (k, (board, rotation, max_a, fallback, (managed, keeps, chooses), guaranteed_a)) in
            stations.into_iter().enumerate()
        {
            let board = format!("B{}", board.index(site.boards.len()));
            let mut station = Station::new(format!("S{k}"), board, max_a);
            station.rotation = rotation.map(|rotation| ROTATIONS[rotation].to_owned());
            station.fallback_a = fallback
                .map(|steps| Hourly::Hours(steps.into_iter().map(|step| [0.0, 6.0, 10.0][step as usize]).collect()));
            station.managed = managed;
            station.keeps_fallback = keeps;
            station.chooses_phase = chooses;
            station.guaranteed_a = Some(guaranteed_a).filter(|amps| *amps > 0.0);
            site.stations.push(station);
        }
        site
    })
}
