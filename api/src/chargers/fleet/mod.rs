//! Many stations over real sockets: a task for each socket, one for the depot that they stand in, one for its meters.
//!
//! ```text
//!            frames                     what it holds            what flows
//! central ◄─────────► link + Station ──────────────► depot ──────────────────► meter ──► POST …/measurements
//! system                              ◄──────────────(Plant)
//!                                     what is plugged in and flows
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `link.rs` | a station's websocket |
//! | `depot.rs` | vehicles, boards, building, and who judges |
//! | `beside.rs` | what happens there that neither stations nor meters tell |
//! | `meter.rs` | what is posted |
//! | `visits.rs`, `faults.rs` | who comes, what goes wrong |
//! | `tally.rs`, `summary.rs` | what is counted, what it amounts to |

pub mod beside;
mod depot;
pub mod faults;
mod link;
pub mod meter;
mod summary;
mod tally;
pub mod visits;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use kwartier_engine::control::setup::{Device, Kind, Setup};
use kwartier_engine::plant::world::{Charger, World};
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use reqwest::{Client, Url};
use rustls::ClientConfig;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::beside::Beside;
use self::depot::{Depot, Glance};
use self::faults::{Outage, Rates};
use self::link::{Common, Link};
use self::meter::Target;
pub use self::summary::Summary;
use self::tally::Tally;
use super::station::{Make, Seen, Station};

/// So much of what stations tell waits for the depot at most.
const WAITING: usize = 16_384;

/// So many rounds of readings wait to be posted at most.
const READINGS: usize = 2;

/// A station and its place.
#[derive(Debug)]
pub struct Member {
    /// Its place in the setup.
    pub device: usize,
    /// What it is.
    pub make: Make,
    /// Its password; `None`, it has none.
    pub password: Option<String>,
    /// When nobody reaches it.
    pub outages: Vec<Outage>,
}

/// Everything that is to run.
#[derive(Debug)]
pub struct Fleet {
    /// Where the central system is.
    pub url: Url,
    /// Who is trusted over TLS, and with which certificate of its own; `None`, those whom browsers trust.
    pub tls: Option<Arc<ClientConfig>>,
    /// The site.
    pub setup: Setup,
    /// What happens there.
    pub world: World,
    /// Whether its limits are known, so that they can be judged.
    pub judged: bool,
    /// The stations.
    pub members: Vec<Member>,
    /// What goes wrong at boards by chance.
    pub rates: Rates,
    /// Where measurements go.
    pub target: Option<Target>,
    /// Who has everything else in hand; `None`, nobody.
    pub beside: Option<Beside>,
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How long it lasts.
    pub lasts: Duration,
    /// How many stations connect a second.
    pub connects_per_s: f64,
    /// How often somebody looks.
    pub looks_every: Duration,
}

/// How it goes, for whoever looks.
pub struct Look<'l> {
    /// What was counted.
    pub numbers: tally::Numbers,
    /// The depot.
    pub glance: &'l Glance,
    /// The site.
    pub setup: &'l Setup,
    /// Whether its limits are known.
    pub judged: bool,
    /// How many stations there are.
    pub stations: usize,
    /// How long it has been going.
    pub since: Duration,
}

/// How the plant plays devices: stations, whose electronics are played here, hold what they are made to hold.
pub fn electronics(setup: &Setup) -> Vec<Charger> {
    let station = Charger { meter_every_s: None, expires_after_s: None, ..Charger::default() };
    let of = |kind| if kind == Kind::Station { station.clone() } else { Charger::default() };
    setup.devices.iter().map(|device| of(device.kind)).collect()
}

/// What an installer stores in a station for when it hears nothing, in A per phase: the lowest of its fallback's hours.
pub fn stored_a(own: &Device) -> f64 {
    own.fallback_a.map_or(0.0, |by_hour| by_hour.into_iter().fold(f64::INFINITY, f64::min))
}

impl Fleet {
    /// Runs until its time is over or it is told to stop.
    pub async fn run(mut self, stop: CancellationToken, looks: impl Fn(&Look<'_>)) -> Summary {
        let began = Utc::now();
        let since = Instant::now();
        let until = began + TimeDelta::from_std(self.lasts).unwrap_or(TimeDelta::days(1));
        let mut chance = SmallRng::seed_from_u64(self.seed ^ 0x5EED);
        self.world.faults.extend(self.rates.of_boards(&self.setup, began, until, &mut chance));
        self.world.faults.sort_by_key(|fault| fault.from);
        let over = stop.child_token();
        let nodes = self.setup.nodes.len();
        let devices = self.setup.devices.len();
        let common = Arc::new(Common {
            url: self.url,
            tls: self.tls,
            tally: Tally::new(nodes),
            setup: self.setup,
            stop: over.clone(),
        });
        let glance = Arc::new(Mutex::new(Glance::default()));
        let (tells, told) = mpsc::channel(WAITING);
        let (shows, sees): (Vec<_>, Vec<_>) = (0..devices).map(|_| watch::channel(Seen::default())).unzip();
        let (posts, meter) = match self.target {
            Some(target) => {
                let (posts, readings) = mpsc::channel(READINGS);
                (Some(posts), Some(tokio::spawn(meter::run(Arc::clone(&common), target, Client::new(), readings))))
            }
            None => (None, None),
        };
        let depot =
            Depot::new(Arc::clone(&common), self.world, self.judged, self.seed, shows, posts, Arc::clone(&glance));
        let depot = tokio::spawn(depot.play(told, self.beside));
        let stations = self.members.len();
        let links = tokio_util::task::TaskTracker::new();
        for (k, member) in self.members.into_iter().enumerate() {
            let mut outages = self.rates.outages(began, until, &mut chance);
            outages.extend(member.outages);
            outages.sort_by_key(|outage| outage.at);
            let link = Link {
                common: Arc::clone(&common),
                station: Station::new(member.make, began),
                device: member.device,
                password: member.password,
                sees: sees[member.device].clone(),
                tells: tells.clone(),
                outages,
                first: Duration::from_secs_f64(k as f64 / self.connects_per_s),
                seed: self.seed.wrapping_add(k as u64),
            };
            links.spawn(link.run());
        }
        links.close();
        let mut ticks = tokio::time::interval(self.looks_every);
        ticks.tick().await;
        let mut end = std::pin::pin!(tokio::time::sleep(self.lasts));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = &mut end => break,
                _ = ticks.tick() => {
                    let numbers = common.tally.numbers();
                    let glance = glance.lock().clone();
                    let (setup, since) = (&common.setup, since.elapsed());
                    looks(&Look { numbers, glance: &glance, setup, judged: self.judged, stations, since });
                }
            }
        }
        let numbers = common.tally.numbers();
        over.cancel();
        let played = depot.await.ok();
        if let Some(meter) = meter {
            let _ = meter.await;
        }
        links.wait().await;
        drop(tells);
        let glance = glance.lock().clone();
        let (plant, report) = played.map_or((None, None), |(plant, report)| (Some(plant), report));
        Summary::new(&common.setup, stations, since.elapsed(), numbers, &glance, plant.as_ref(), report)
    }
}
