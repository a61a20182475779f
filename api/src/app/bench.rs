//! `make bench-service`: 1,000 sites with 10 chargers each through the real loop, its queue, its board and its store, with
//! made-up meters and chargers that obey. What a step takes, how late it is, what the process takes.

#![expect(clippy::print_stdout, reason = "a measurement by hand: it prints, and stops where it cannot go on")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use kwartier_data::site::{Board, Hourly, HourlyByPhase, Included, Meter, PerPhase, Site, Station};
use kwartier_engine::control;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::broadcast::Receiver;

use super::{Event, start};
use crate::resource::session::{KeptSession, Session};
use crate::resource::setpoint::Setpoint;
use crate::store;

/// As many as the machine is asked to bear; fewer for a quick look.
pub fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A site of so many chargers on one board with a meter.
pub fn site(chargers: usize) -> Site {
    let mut board = Board::new("HV".to_owned(), None, PerPhase::Same(100.0));
    board.building_max_a = Some(HourlyByPhase::Constant(PerPhase::Same(40.0)));
    let station = |k: usize| {
        let mut station = Station::new(format!("S{k}"), "HV".to_owned(), 32.0);
        station.rotation = Some(["RST", "STR", "TRS"][k % 3].to_owned());
        station.fallback_a = Some(Hourly::Constant(6.0));
        station
    };
    let stations = (0..chargers).map(station).collect();
    let mut site = Site::new("Bench".to_owned(), "Europe/Amsterdam".to_owned(), vec![board], stations);
    let includes = vec![Included::Building, Included::Stations, Included::Pv, Included::Batteries, Included::Loads];
    site.meters.push(Meter { id: "M".to_owned(), board: "HV".to_owned(), includes });
    site
}

/// A site's chargers and meter.
struct Plant {
    id: String,
    holds_a: Vec<f64>,
    setpoints: Option<Receiver<Setpoint>>,
    second: u64,
    given: u64,
}

impl Plant {
    /// A second passes.
    fn turn(&mut self, app: &super::Handle) {
        let Some(status) = app.status(&self.id) else { return };
        let mut events = Vec::new();
        if self.setpoints.is_none() {
            self.setpoints = app.follow(&self.id, None).map(|follower| follower.coming);
            for device in 0..self.holds_a.len() {
                events.push(control::Event::Link { device, up: true });
                events.push(control::Event::Holds { device, amps: Some(0.0) });
            }
        }
        while let Some(Ok(setpoint)) = self.setpoints.as_mut().map(Receiver::try_recv) {
            let device: usize = setpoint.charger[1..].parse().unwrap();
            self.holds_a[device] = setpoint.limit_a;
            self.given += 1;
            events.push(control::Event::Answered { device, number: setpoint.number, accepted: true });
        }
        let chargers_a: f64 = self.holds_a.iter().map(|amps| amps.min(16.0)).sum();
        let building_a = 12.0 + 4.0 * (self.second as f64 / 7.0).sin();
        events.push(control::Event::Meter { node: 0, at: Utc::now(), phases_a: [building_a + chargers_a; 3] });
        for (device, amps) in self.holds_a.iter().enumerate() {
            if (self.second + device as u64).is_multiple_of(10) {
                events.push(control::Event::Drawn { device, phases_a: [amps.min(16.0); 3], session_kwh: None });
            }
        }
        self.second += 1;
        let _ = app.tell(Event::Device { site: self.id.clone(), setup: status.setup, events });
    }
}

/// Seconds of CPU that the process has used, and its memory in MiB.
fn used() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let pages: f64 = fields[21].parse().unwrap();
    (ticks / 100.0, pages * 4096.0 / 1_048_576.0)
}

#[test]
#[ignore = "a measurement: make bench-service"]
fn bench_service() {
    let (sites, chargers, seconds) =
        (number("BENCH_SITES", 1000), number("BENCH_CHARGERS", 10), number("BENCH_SECONDS", 120));
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    metrics::set_global_recorder(recorder).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let store = store::open(&place).await.unwrap();
        let app = start(Arc::clone(&store)).await.unwrap();
        let what = Arc::new(site(chargers));
        let mut plants = Vec::new();
        for k in 0..sites {
            let id = format!("site-{k}");
            let (tenant, over_api) = ("main".to_owned(), Vec::new());
            app.handle
                .tell_when_free(Event::Site { site: id.clone(), tenant, what: Arc::clone(&what), over_api })
                .await
                .unwrap();
            for charger in 0..chargers {
                app.handle.tell_when_free(session(&id, charger)).await.unwrap();
            }
            plants.push(Plant { id, holds_a: vec![0.0; chargers], setpoints: None, second: k as u64, given: 0 });
        }
        let warm_up = seconds / 4;
        let (mut before, mut began) = (used(), Instant::now());
        for second in 0..warm_up + seconds {
            if second == warm_up {
                (before, began) = (used(), Instant::now());
            }
            let next = Instant::now() + Duration::from_secs(1);
            for (k, plant) in plants.iter_mut().enumerate() {
                plant.turn(&app.handle);
                if k % (sites / 50).max(1) == 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
        }
        let (after, passed) = (used(), began.elapsed().as_secs_f64());
        let mut text = format!("{sites} sites with {chargers} chargers each, {passed:.0} s\n");
        let cpu = (after.0 - before.0) / passed;
        let given: u64 = plants.iter().map(|plant| plant.given).sum();
        let _ = writeln!(
            text,
            "CPU {cpu:.2} cores, with planning and made-up chargers; memory {:.0} MiB, {:+.0} MiB meanwhile",
            after.1,
            after.1 - before.1
        );
        let _ = writeln!(text, "{given} setpoints in all");
        for line in
            figures.render().lines().filter(|line| line.starts_with("kwartier_") && !line.contains("quantile=\"0\""))
        {
            let _ = writeln!(text, "{line}");
        }
        println!("{text}");
        app.stop().await;
        store.close().await;
    });
}

/// A vehicle that has come to a charger for six hours.
pub fn session(site: &str, charger: usize) -> Event {
    let now = Utc::now();
    let stated = Session {
        departure: Some(now + TimeDelta::hours(6)),
        need_kwh: Some(20.0),
        phases: Some(3),
        max_a: Some(16.0),
        ..Session::at(format!("S{charger}"), Some(now))
    };
    let kept = KeptSession::of(stated);
    Event::Session { site: site.to_owned(), id: format!("s{charger}"), kept }
}
