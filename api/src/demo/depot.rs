//! Plays the demo depot in real time.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_engine::control::{Event, Setup, settings};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::others::Others;
use super::past::Past;
use super::people::world;
use super::site::SITE;
use super::stations::{self, members};
use super::stays::Stays;
use crate::access::{TOP_TENANT, first};
use crate::chargers::fleet::beside::Beside;
use crate::chargers::fleet::faults::Rates;
use crate::chargers::fleet::meter::Target;
use crate::chargers::fleet::{Fleet, electronics};
use crate::service::Service;
use crate::store::{Key, Kind};

/// So much waits at most of what is told of the depot, and of what its loads are told.
const WAITING: usize = 4096;

/// How many stations connect a second.
const CONNECTS_PER_S: f64 = 20.0;

/// After something went wrong it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// How often it is seen whether the site has changed.
const EVERY: Duration = Duration::from_millis(500);

/// How the demo gets at the service: as its own customer.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where it listens for that, on this machine.
    address: SocketAddr,
    /// The demo's key.
    key: SecretString,
}

impl Way {
    /// To a service that listens at an address of this machine, with the key that stands in its folder.
    ///
    /// # Errors
    ///
    /// That the key cannot be read.
    pub fn new(address: SocketAddr, data: &Path) -> Result<Way, String> {
        let file = data.join(first::DEMO_KEY);
        let text = std::fs::read_to_string(&file).map_err(|fault| format!("{}: {fault}", file.display()))?;
        Ok(Way { address, key: text.trim().to_owned().into() })
    }

    /// The key.
    pub fn key(&self) -> &SecretString {
        &self.key
    }

    /// Where something of the demo's site is.
    pub fn of_site(&self, what: &str) -> Result<Url, String> {
        self.url("http", &format!("/v1/sites/{SITE}/{what}"))
    }

    fn url(&self, scheme: &str, path: &str) -> Result<Url, String> {
        Url::parse(&format!("{scheme}://{}{path}", self.address)).map_err(|fault| fault.to_string())
    }
}

/// Plays until it is told to stop. The site must be kept already.
pub async fn run(service: Service, past: Past, way: Way, stop: CancellationToken) {
    let mut begun = 0;
    while !stop.is_cancelled() {
        begun += 1;
        match Depot::begin(&service, &past, &way, Utc::now(), begun).await {
            Ok(depot) => depot.play(&service, &stop).await,
            Err(why) => tracing::error!(why, "the demo depot cannot begin"),
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
    }
}

/// The demo's site as it is kept now.
async fn kept(service: &Service) -> Result<(Site, Setup), String> {
    let key = Key::new(Kind::Site, TOP_TENANT, SITE);
    let document = service.store.read(&key, None).await.map_err(|fault| fault.to_string())?;
    let body = document.and_then(|document| document.body).ok_or("its site was deleted")?;
    let site: Site = serde_json::from_value(body).map_err(|fault| fault.to_string())?;
    let setup = Setup::of(&site, local::zone(&site.time_zone)?, settings::Settings::default());
    Ok((site, setup))
}

/// What of a site hangs in the building, without what is only agreed: real stations do not start anew because a limit or a
/// fallback is another one.
fn wiring(setup: &Setup) -> Setup {
    let mut wiring = setup.clone();
    (wiring.import_cap_kw, wiring.export_cap_kw) = (None, None);
    for node in &mut wiring.nodes {
        (node.limit_a, node.tolerance_s, node.imbalance_a, node.building_max_a) = ([0.0; 3], 0.0, None, None);
    }
    for device in &mut wiring.devices {
        (device.fallback_a, device.reaction_s, device.guaranteed_a, device.priority) = (None, 0.0, 0.0, 0);
    }
    wiring
}

struct Depot {
    setup: Setup,
    fleet: Fleet,
    told: mpsc::Receiver<Event>,
    others: Others,
    stays: Stays,
}

impl Depot {
    async fn begin(service: &Service, past: &Past, way: &Way, now: DateTime<Utc>, seed: u64) -> Result<Depot, String> {
        let (site, setup) = kept(service).await?;
        let start = now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
        let mut world = world(&site, &setup, past, start, seed);
        world.chargers = electronics(&setup);
        let password = stations::password(way.key().expose_secret());
        let known = stations::let_in(service, &password, now).await?;
        let members = members(&setup, &known, &password);
        world.stays.retain(|stay| members.iter().any(|member| member.device == stay.device));
        let (tells, told) = mpsc::channel(WAITING);
        let (orders, hears) = mpsc::channel(WAITING);
        let client = Client::new();
        let target = Target { url: way.of_site("measurements")?, key: way.key().clone() };
        let fleet = Fleet {
            url: way.url("ws", "/ocpp")?,
            tls: None,
            setup: setup.clone(),
            lasts: (world.end - now).to_std().unwrap_or_default(),
            world,
            judged: false,
            members,
            rates: Rates::default(),
            target: Some(target),
            beside: Some(Beside { tells, hears }),
            seed,
            connects_per_s: CONNECTS_PER_S,
            looks_every: Duration::from_hours(1),
        };
        let others = Others::new(setup.clone(), service.app.clone(), orders);
        let stays = Stays::new(client, way.clone(), site.vehicle_defaults.efficiency);
        Ok(Depot { setup, fleet, told, others, stays })
    }

    /// Plays until its days are over, its site has become another one or it is told to stop.
    async fn play(self, service: &Service, stop: &CancellationToken) {
        let Depot { setup, fleet, mut told, mut others, mut stays } = self;
        let over = stop.child_token();
        let fleet = tokio::spawn(fleet.run(over.clone(), |_| ()));
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut version = None;
        loop {
            let mut events = Vec::new();
            tokio::select! {
                () = over.cancelled() => break,
                read = told.recv_many(&mut events, WAITING) => if read == 0 { break },
                _ = ticks.tick() => {}
            }
            let now = Utc::now();
            let Some(status) = service.app.status(SITE) else { continue };
            if *version.get_or_insert(status.setup) != status.setup {
                match kept(service).await {
                    Ok((_, changed)) if wiring(&changed) == wiring(&setup) => {
                        version = Some(status.setup);
                        others.connected();
                    }
                    _ => break,
                }
            }
            for event in &events {
                match event {
                    Event::Session { device, session } => {
                        stays.begins(&setup.devices[*device].id, *device, session, now).await;
                    }
                    Event::Unplugged { .. } => {}
                    other => others.tell(other.clone()),
                }
            }
            others.pass(status.setup, now);
        }
        over.cancel();
        if let Err(why) = fleet.await {
            tracing::error!(%why, "the demo's stations have failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use kwartier_data::site::{Hourly, PerPhase};

    use super::*;
    use crate::demo::site::site;

    #[test]
    fn stations_play_on_where_only_what_is_agreed_is_another() {
        let site = site().unwrap();
        let of = |change: &dyn Fn(&mut Site)| {
            let mut changed = site.clone();
            change(&mut changed);
            wiring(&Setup::of(&changed, local::zone(&changed.time_zone).unwrap(), settings::Settings::default()))
        };
        let as_it_is = of(&|_| ());
        let agreed: [&dyn Fn(&mut Site); 3] = [
            &|site| site.boards[0].limit_a = PerPhase::Same(100.0),
            &|site| site.stations[0].fallback_a = Some(Hourly::Constant(7.0)),
            &|site| site.connection.import_cap_kw = Some(50.0),
        ];
        assert!(agreed.iter().all(|change| of(change) == as_it_is));
        let wired: [&dyn Fn(&mut Site); 3] = [
            &|site| site.stations[0].max_a = 10.0,
            &|site| site.stations[0].board.clone_from(&site.boards[0].id),
            &|site| drop(site.stations.remove(0)),
        ];
        assert!(wired.iter().all(|change| of(change) != as_it_is));
    }
}
