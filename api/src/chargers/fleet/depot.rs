//! The depot that the stations stand in: vehicles, boards, building and meters, in real time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kwartier_engine::control::event::Event;
use kwartier_engine::plant::Plant;
use kwartier_engine::plant::judge::{Judges, Report};
use kwartier_engine::plant::truth::{DeviceTruth, Truth, Watcher};
use kwartier_engine::plant::world::World;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::beside::Beside;
use super::link::{Common, Told, What};
use super::meter::Reading;
use crate::chargers::station::{Held, Needs, Seen};

/// How often the depot is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// No more is taken at once of what stations tell.
const AT_ONCE: usize = 4096;

/// How the depot is doing.
#[derive(Debug, Clone, Default)]
pub struct Glance {
    /// Vehicles that are plugged in.
    pub vehicles: usize,
    /// Those that draw.
    pub charging: usize,
    /// What all draw together, in A, all phases summed.
    pub drawn_a: f64,
    /// By board: what flows now, on its fullest phase by share of the limit: A and limit.
    pub boards: Vec<(f64, f64)>,
    /// By board: the most that has flowed, by phase.
    pub worst_a: Vec<[f64; 3]>,
}

/// Who looks on.
struct Watch {
    judges: Option<Judges>,
    worst_a: Vec<[f64; 3]>,
}

impl Watcher for Watch {
    fn held(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, truth: &Truth) {
        for (worst_a, node) in self.worst_a.iter_mut().zip(&truth.nodes) {
            for phase in 0..3 {
                worst_a[phase] = worst_a[phase].max(node.total_a(phase));
            }
        }
        if let Some(judges) = &mut self.judges {
            judges.held(from, until, truth);
        }
    }
}

/// The depot.
pub struct Depot {
    common: Arc<Common>,
    plant: Plant,
    watch: Watch,
    /// By stay: what the vehicle would tell.
    needs: Vec<Needs>,
    /// By device: where its station looks.
    shows: Vec<watch::Sender<Seen>>,
    /// By node: what its meter has shown last and was not posted yet.
    readings: Vec<Option<Reading>>,
    posts: Option<mpsc::Sender<Vec<Reading>>>,
    glance: Arc<Mutex<Glance>>,
}

impl Depot {
    /// A depot whose days begin now.
    pub fn new(
        common: Arc<Common>,
        world: World,
        judged: bool,
        seed: u64,
        shows: Vec<watch::Sender<Seen>>,
        posts: Option<mpsc::Sender<Vec<Reading>>>,
        glance: Arc<Mutex<Glance>>,
    ) -> Depot {
        let setup = &common.setup;
        let judges = judged.then(|| Judges::new(setup, &world));
        let nodes = setup.nodes.len();
        let needs = world.stays.iter().map(|stay| Needs {
            phases: stay.car.phases,
            range_a: [stay.car.min_a, stay.car.max_a],
            kwh: stay.need_kwh,
            leaves: stay.leaves,
        });
        let needs = needs.collect();
        let plant = Plant::new(setup, world, seed);
        Depot {
            plant,
            needs,
            watch: Watch { judges, worst_a: vec![[0.0; 3]; nodes] },
            readings: vec![None; nodes],
            common,
            shows,
            posts,
            glance,
        }
    }

    /// Plays until it is told to stop. What the judges found, where there are any.
    pub async fn play(mut self, mut told: mpsc::Receiver<Told>, mut beside: Option<Beside>) -> (Plant, Option<Report>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(AT_ONCE);
        let mut posted_s = 0;
        let stop = self.common.stop.clone();
        if let Some(beside) = &beside {
            beside.tell(&self.common.setup, &self.plant.holds());
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
                _ = told.recv_many(&mut batch, AT_ONCE) => {}
            }
            self.advance(beside.as_ref());
            while let Some(setpoint) = beside.as_mut().and_then(Beside::hear) {
                self.plant.send(&setpoint);
            }
            for Told { device, what } in batch.drain(..) {
                match what {
                    What::Holds(Held { amps, phases, phase }) => self.plant.hold(device, amps, phases, phase),
                    What::Linked(up) => self.plant.silence(device, !up),
                }
            }
            self.show();
            let second = self.plant.now().timestamp();
            if second > posted_s {
                posted_s = second;
                self.post();
                self.look();
            }
        }
        self.advance(beside.as_ref());
        self.look();
        let report = self.watch.judges.take().map(|judges| judges.report(&self.plant));
        (self.plant, report)
    }

    fn advance(&mut self, beside: Option<&Beside>) {
        let events = self.plant.advance(Utc::now().max(self.plant.now()), &mut self.watch);
        if let Some(judges) = &mut self.watch.judges {
            judges.hear(&events);
        }
        if let Some(beside) = beside {
            beside.tell(&self.common.setup, &events);
        }
        for event in events {
            if let Event::Meter { node, at, phases_a } = event {
                self.readings[node] = Some(Reading { node, at, amps: phases_a });
            }
        }
    }

    /// Shows stations what has changed at their connectors.
    fn show(&mut self) {
        let at = self.plant.now();
        let kv = self.common.setup.voltage_v / 1000.0;
        for (truth, show) in self.plant.truth().devices.iter().zip(&self.shows) {
            let vehicle = truth.stay.map(|stay| stay as u64);
            show.send_if_modified(|seen| {
                #[expect(clippy::float_cmp, reason = "what has not changed is the same to the last bit")]
                let same = seen.vehicle == vehicle && seen.amps == truth.drawn_a && seen.at.is_some();
                if same {
                    return false;
                }
                let needs = truth.stay.and_then(|stay| self.needs.get(stay)).copied();
                *seen = Seen {
                    vehicle,
                    needs,
                    amps: truth.drawn_a,
                    kw: kw(truth, kv),
                    kwh: truth.energy_kwh,
                    at: Some(at),
                };
                true
            });
        }
    }

    /// Hands over what meters have shown; what nobody takes in time is forgotten, as the next reading is newer.
    fn post(&mut self) {
        let readings: Vec<Reading> = self.readings.iter_mut().filter_map(Option::take).collect();
        if let Some(posts) = self.posts.as_ref().filter(|_| !readings.is_empty())
            && posts.try_send(readings).is_err()
        {
            self.common.tally.posted(false);
        }
    }

    fn look(&self) {
        let truth = self.plant.truth();
        let boards = truth.nodes.iter().zip(&self.common.setup.nodes).map(|(flows, node)| {
            let phases = (0..3).map(|phase| (flows.total_a(phase), node.limit_a[phase]));
            phases.max_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1))).unwrap_or_default()
        });
        *self.glance.lock() = Glance {
            vehicles: truth.devices.iter().filter(|device| device.stay.is_some()).count(),
            charging: truth.devices.iter().filter(|device| device.drawn_a.iter().any(|amps| *amps != 0.0)).count(),
            drawn_a: truth.devices.iter().flat_map(|device| device.drawn_a).sum(),
            boards: boards.collect(),
            worst_a: self.watch.worst_a.clone(),
        };
    }
}

/// What flows through a device, in kW.
fn kw(truth: &DeviceTruth, kv: f64) -> f64 {
    truth.drawn_a.iter().sum::<f64>() * kv
}
