//! Who is connected: brings each link the latest setpoint of its charger, and ends the older of two links.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kwartier_data::{local, site as data};
use kwartier_engine::control;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::door::Version;
use super::station::{About, Outcome};
use crate::app::{Event, Handle};
use crate::http::change::kept;
use crate::resource::setpoint::Setpoint;
use crate::resource::status::SiteStatus;
use crate::service::Service;
use crate::store::{Kind, List};

/// How often a site is looked for that the loop does not know yet.
const LOOKS: Duration = Duration::from_millis(200);

/// So much can be asked of a charger at once.
const ASKS: usize = 16;

/// What a link is to make true.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// The charger in the loop: the state of the site that counts ([`SiteStatus::setup`]), and its index there.
    pub place: Option<(u64, usize)>,
    /// The latest setpoint.
    pub setpoint: Option<Setpoint>,
    /// The session that the loop has there.
    pub session: Option<String>,
}

/// A link's place.
#[derive(Debug)]
pub struct Seat {
    /// Of all links the how manieth.
    pub number: u64,
    /// What is to be made true.
    pub target: watch::Receiver<Target>,
    /// What people want done.
    pub asked: mpsc::Receiver<Asked>,
    /// Cancelled when a newer link of the same charger comes.
    pub ousted: CancellationToken,
}

/// Something that somebody wants a charger to do once.
#[derive(Debug)]
pub struct Asked {
    /// Which message.
    pub action: &'static str,
    /// What it says.
    pub payload: Value,
    /// Where the outcome goes.
    pub answer: oneshot::Sender<Outcome>,
}

#[derive(Debug)]
struct Taken {
    number: u64,
    version: Version,
    target: watch::Sender<Target>,
    asks: mpsc::Sender<Asked>,
    ousted: CancellationToken,
}

type Site = Arc<Mutex<HashMap<String, Taken>>>;

/// Who is connected. Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    sites: Arc<Mutex<HashMap<String, Site>>>,
    numbers: Arc<AtomicU64>,
    abouts: Arc<tokio::sync::Mutex<HashMap<String, (u64, Arc<HashMap<String, About>>)>>>,
}

impl Hub {
    /// A charger has connected; an older link of it ends.
    pub fn join(&self, app: &Handle, site: &str, charger: &str, version: Version) -> Seat {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let mut sites = self.sites.lock();
        let links = sites.entry(site.to_owned()).or_insert_with(|| {
            let links = Site::default();
            tokio::spawn(follow(self.clone(), app.clone(), site.to_owned(), Arc::clone(&links)));
            links
        });
        let target = Target::default();
        let (sender, receiver) = watch::channel(app.status(site).map_or(target, |status| seen(&status, charger)));
        let ousted = CancellationToken::new();
        let (asks, asked) = mpsc::channel(ASKS);
        let taken = Taken { number, version, target: sender, asks, ousted: ousted.clone() };
        if let Some(older) = links.lock().insert(charger.to_owned(), taken) {
            older.ousted.cancel();
        }
        Seat { number, target: receiver, asked, ousted }
    }

    /// A link has ended; whether it was still the charger's.
    pub fn leave(&self, site: &str, charger: &str, number: u64) -> bool {
        let Some(links) = self.sites.lock().get(site).map(Arc::clone) else { return false };
        let mut links = links.lock();
        let own = links.get(charger).is_some_and(|taken| taken.number == number);
        if own {
            links.remove(charger);
        }
        own
    }

    /// What a site says of a charger, in the state of the site that the loop has.
    pub async fn about(&self, service: &Service, site: &str, setup: u64, charger: &str) -> Option<About> {
        let mut abouts = self.abouts.lock().await;
        if abouts.get(site).is_none_or(|(known, _)| *known != setup) {
            let list = List { prefix: site.to_owned(), ..List::all(Kind::Site) };
            let found = service.store.all(list).await.ok()?.into_iter().find(|document| document.key.id == site)?;
            let what: data::Site = kept(&found).ok()?;
            let zone = local::zone(&what.time_zone).ok()?;
            let all = what.stations.iter().map(|station| (station.id.clone(), about(&what, station, zone)));
            abouts.insert(site.to_owned(), (setup, Arc::new(all.collect())));
        }
        abouts.get(site).and_then(|(_, known)| known.get(charger).cloned())
    }

    /// In which version a charger speaks that is connected.
    pub fn version(&self, site: &str, charger: &str) -> Option<Version> {
        let links = self.sites.lock().get(site).map(Arc::clone)?;
        let links = links.lock();
        links.get(charger).map(|taken| taken.version)
    }

    /// Has something done; `None`, it is not connected, or has too much to do.
    pub fn ask(
        &self,
        site: &str,
        charger: &str,
        action: &'static str,
        payload: Value,
    ) -> Option<oneshot::Receiver<Outcome>> {
        let links = self.sites.lock().get(site).map(Arc::clone)?;
        let (answer, outcome) = oneshot::channel();
        let links = links.lock();
        links.get(charger)?.asks.try_send(Asked { action, payload, answer }).ok()?;
        Some(outcome)
    }

    /// Ends the link of a charger, if it has one: it may come again if it still may.
    pub fn oust(&self, site: &str, charger: &str) {
        let links = self.sites.lock().get(site).map(Arc::clone);
        if let Some(links) = links {
            links.lock().get(charger).inspect(|taken| taken.ousted.cancel());
        }
    }
}

/// A figure for each hour of the local day.
fn by_hour(value: &data::Hourly) -> [f64; 24] {
    match value {
        data::Hourly::Constant(amps) => [*amps; 24],
        data::Hourly::Hours(hours) => std::array::from_fn(|hour| hours.get(hour).copied().unwrap_or(0.0)),
    }
}

fn about(site: &data::Site, station: &data::Station, zone: chrono_tz::Tz) -> About {
    let rotation = station.rotation.as_deref().and_then(|text| data::rotation::Rotation::parse(text).ok());
    let phases = rotation.map_or(3, |rotation| u8::try_from(rotation.phases().count()).unwrap_or(3));
    let at_most = |hourly: &data::Hourly| by_hour(hourly).map(|amps| amps.min(station.max_a));
    About {
        max_a: station.max_a,
        fallback_a: station.fallback_a.as_ref().map_or([0.0; 24], at_most),
        zone,
        phases,
        voltage_v: site.voltage_v,
        switches_phases: station.switches_phases,
    }
}

/// What the loop says of a charger right now.
fn seen(status: &SiteStatus, charger: &str) -> Target {
    let Some(index) = status.chargers.iter().position(|known| known.id == charger) else { return Target::default() };
    let known = &status.chargers[index];
    Target {
        place: Some((status.setup, index)),
        setpoint: known.setpoint.clone(),
        session: known.session.as_ref().map(|session| session.id.clone()),
    }
}

/// Brings the links of a site what the loop says, until the last link is gone.
async fn follow(hub: Hub, app: Handle, site: String, links: Site) {
    while app.is_there() {
        if let (Some(follower), Some(changes)) = (app.follow(&site, None), app.watch(&site)) {
            pass_on(&hub, &app, &site, &links, follower.coming, changes).await;
        }
        if retire(&hub, &site, &links) {
            return;
        }
        tokio::time::sleep(LOOKS).await;
    }
}

async fn pass_on(
    hub: &Hub,
    app: &Handle,
    site: &str,
    links: &Site,
    mut setpoints: tokio::sync::broadcast::Receiver<Setpoint>,
    mut changes: tokio::sync::broadcast::Receiver<Arc<SiteStatus>>,
) {
    if let Some(status) = app.status(site) {
        settle(links, &status);
    }
    loop {
        tokio::select! {
            biased;
            setpoint = setpoints.recv() => match setpoint {
                Ok(setpoint) => {
                    if let Some(taken) = links.lock().get(&setpoint.charger) {
                        taken.target.send_modify(|target| target.setpoint = Some(setpoint));
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    if let Some(status) = app.status(site) {
                        settle(links, &status);
                    }
                }
                Err(RecvError::Closed) => return,
            },
            status = changes.recv() => match status {
                Ok(status) => {
                    settle(links, &status);
                    let gone = links.lock().is_empty();
                    if gone && retire(hub, site, links) {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Every link knows what the loop says of its charger; who knows it already is not disturbed.
fn settle(links: &Site, status: &SiteStatus) {
    let links = links.lock();
    for (index, known) in status.chargers.iter().enumerate() {
        let Some(taken) = links.get(&known.id) else { continue };
        taken.target.send_if_modified(|target| {
            let place = Some((status.setup, index));
            let session = known.session.as_ref().map(|session| &session.id);
            // A setpoint that was passed on meanwhile is newer than this status.
            let newer = known.setpoint.as_ref().filter(|now| {
                target.place.map(|(setup, _)| setup) != Some(status.setup)
                    || target.setpoint.as_ref().is_none_or(|before| before.number < now.number)
            });
            let changed = target.place != place || target.session.as_ref() != session || newer.is_some();
            if changed {
                target.place = place;
                target.session = session.cloned();
                if let Some(newer) = newer {
                    target.setpoint = Some(newer.clone());
                }
            }
            changed
        });
    }
    // A station that the site no longer has is none of ours.
    for (charger, taken) in links.iter() {
        if !status.chargers.iter().any(|known| known.id == *charger) {
            taken.ousted.cancel();
        }
    }
}

/// Whether nobody is there any more; then the site is forgotten.
fn retire(hub: &Hub, site: &str, links: &Site) -> bool {
    let mut sites = hub.sites.lock();
    let gone = links.lock().is_empty();
    if gone && sites.get(site).is_some_and(|known| Arc::ptr_eq(known, links)) {
        sites.remove(site);
    }
    gone
}

/// Tells the loop what happened at a charger; `false`, it takes nothing now.
pub fn tell(app: &Handle, site: &str, target: &Target, event: impl Fn(usize) -> control::Event) -> bool {
    let Some((setup, device)) = target.place else { return false };
    app.tell(Event::Device { site: site.to_owned(), setup, events: vec![event(device)] }).is_ok()
}
