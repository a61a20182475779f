//! Who is connected: brings each link the latest setpoint of its charger, and ends the older of two links.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_engine::control;
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::setup::Device;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::door::Version;
use super::station::{About, Call, Outcome};
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

/// The links of a site, by charger.
type Links = Arc<Mutex<HashMap<String, Taken>>>;

/// What the chargers of a site are, and of which of its setups that is.
type Abouts = (u64, Arc<HashMap<String, About>>);

/// Who is connected. Clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    sites: Arc<Mutex<HashMap<String, Links>>>,
    numbers: Arc<AtomicU64>,
    abouts: Arc<tokio::sync::Mutex<HashMap<String, Abouts>>>,
}

impl Hub {
    /// A charger has connected; an older link of it ends.
    pub fn join(&self, app: &Handle, site: &str, charger: &str, version: Version) -> Seat {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let mut sites = self.sites.lock();
        let links = sites.entry(site.to_owned()).or_insert_with(|| {
            let links = Links::default();
            tokio::spawn(follow(self.clone(), app.clone(), site.to_owned(), Arc::clone(&links)));
            links
        });
        let target = app.status(site).map_or_else(Target::default, |status| seen(&status, charger));
        let (sender, receiver) = watch::channel(target);
        let ousted = CancellationToken::new();
        let (asks, asked) = mpsc::channel(ASKS);
        let taken = Taken { number, version, target: sender, asks, ousted: ousted.clone() };
        if let Some(older) = links.lock().insert(charger.to_owned(), taken) {
            older.ousted.cancel();
        }
        Seat { number, target: receiver, asked, ousted }
    }

    /// The links of a site; `None`, nobody is connected there.
    fn links(&self, site: &str) -> Option<Links> {
        self.sites.lock().get(site).map(Arc::clone)
    }

    /// A link has ended; whether it was still the charger's.
    pub fn leave(&self, site: &str, charger: &str, number: u64) -> bool {
        let Some(links) = self.links(site) else { return false };
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
            let what: Site = kept(&found).ok()?;
            let of = control::Setup::of(&what, local::zone(&what.time_zone).ok()?, Settings::default());
            let stations = of.devices.iter().filter(|device| device.kind == control::setup::Kind::Station);
            let all = stations.map(|device| (device.id.clone(), about(&of, device))).collect();
            abouts.insert(site.to_owned(), (setup, Arc::new(all)));
        }
        abouts.get(site).and_then(|(_, known)| known.get(charger).cloned())
    }

    /// In which version a charger speaks that is connected.
    pub fn version(&self, site: &str, charger: &str) -> Option<Version> {
        let links = self.links(site)?;
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
        let links = self.links(site)?;
        let (answer, outcome) = oneshot::channel();
        let links = links.lock();
        links.get(charger)?.asks.try_send(Asked { action, payload, answer }).ok()?;
        Some(outcome)
    }

    /// Has all chargers of a site that are connected told something; what they answer is nobody's to wait for.
    pub fn tell_all(&self, site: &str, calls: impl Fn(Version) -> Vec<Call>) {
        let Some(links) = self.links(site) else { return };
        for taken in links.lock().values() {
            for Call { action, payload } in calls(taken.version) {
                let (answer, _) = oneshot::channel();
                // One that has too much to do asks anew when it starts.
                let _ = taken.asks.try_send(Asked { action, payload, answer });
            }
        }
    }

    /// Ends all links of a site.
    pub fn close(&self, site: &str) {
        if let Some(links) = self.links(site) {
            links.lock().values().for_each(|taken| taken.ousted.cancel());
        }
    }

    /// Ends the link of a charger, if it has one: it may come again if it still may.
    pub fn oust(&self, site: &str, charger: &str) {
        if let Some(links) = self.links(site) {
            links.lock().get(charger).inspect(|taken| taken.ousted.cancel());
        }
    }
}

/// What the loop itself knows of a station.
fn about(setup: &control::Setup, device: &Device) -> About {
    About {
        max_a: device.max_a,
        fallback_a: device.fallback_a.map_or([0.0; 24], |by_hour| by_hour.map(|amps| amps.min(device.max_a))),
        zone: setup.zone,
        phases: u8::try_from(device.phases.len()).unwrap_or(3),
        voltage_v: setup.voltage_v,
        switches_phases: device.switches_phases,
        feeds_in: device.max_discharge_a > 0.0,
    }
}

/// What the loop says of a charger right now.
fn seen(status: &SiteStatus, charger: &str) -> Target {
    let Some(index) = status.chargers.iter().position(|known| known.id == charger) else { return Target::default() };
    let known = &status.chargers[index];
    Target { place: Some((status.setup, index)), setpoint: known.setpoint.clone() }
}

/// Brings the links of a site what the loop says, until the last link is gone.
async fn follow(hub: Hub, app: Handle, site: String, links: Links) {
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
    links: &Links,
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
fn settle(links: &Links, status: &SiteStatus) {
    let links = links.lock();
    for (index, known) in status.chargers.iter().enumerate() {
        let Some(taken) = links.get(&known.id) else { continue };
        taken.target.send_if_modified(|target| {
            let place = Some((status.setup, index));
            // A setpoint that was passed on meanwhile is newer than this status.
            let newer = known.setpoint.as_ref().filter(|now| {
                target.place.map(|(setup, _)| setup) != Some(status.setup)
                    || target.setpoint.as_ref().is_none_or(|before| before.number < now.number)
            });
            let changed = target.place != place || newer.is_some();
            if changed {
                target.place = place;
                if let Some(newer) = newer {
                    target.setpoint = Some(newer.clone());
                }
            }
            changed
        });
    }
    // A station that the site no longer has, and that has no place in this state of it, is none of ours.
    let placed = |taken: &&Taken| taken.target.borrow().place.map(|(setup, _)| setup) == Some(status.setup);
    links.values().filter(|taken| !placed(taken)).for_each(|taken| taken.ousted.cancel());
}

/// Whether nobody is there any more; then the site is forgotten.
fn retire(hub: &Hub, site: &str, links: &Links) -> bool {
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
