//! Plays the demo depot in real time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_engine::control::command::{self, Why};
use kwartier_engine::control::{Event, Setup, settings};
use kwartier_engine::plant::Plant;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::sync::CancellationToken;

use super::past::Past;
use super::people::{group, world};
use super::site::{SITE, json};
use crate::access::TOP_TENANT;
use crate::app;
use crate::app::Handle;
use crate::resource::session::{KeptSession, Session};
use crate::resource::setpoint::Setpoint;
use crate::store::{Change, Expect, Key, Kind, Store};

/// How often the depot is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// Plays until it is told to stop. The site must be kept already.
pub async fn run(store: Arc<dyn Store>, app: Handle, past: Past, stop: CancellationToken) {
    let mut begun = 0;
    while !stop.is_cancelled() {
        begun += 1;
        match Depot::begin(&*store, &past, Utc::now(), begun).await {
            Ok(depot) => depot.play(&store, &app, &stop).await,
            Err(why) => tracing::error!(why, "the demo depot cannot begin"),
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(5))).await;
    }
}

struct Depot {
    site: Site,
    setup: Setup,
    plant: Plant,
    end: DateTime<Utc>,
    /// Stays that are kept and have not ended.
    open: Vec<(String, KeptSession)>,
    /// The state of the site that is played.
    version: Option<u64>,
    /// Whether the loop was told everything about it.
    told: bool,
}

impl Depot {
    async fn begin(store: &dyn Store, past: &Past, now: DateTime<Utc>, seed: u64) -> Result<Depot, String> {
        let key = Key::new(Kind::Site, TOP_TENANT, SITE);
        let document = store.read(&key, None).await.map_err(|fault| fault.to_string())?;
        let body = document.and_then(|document| document.body).ok_or("its site was deleted")?;
        let site: Site = serde_json::from_value(body).map_err(|fault| fault.to_string())?;
        let setup = Setup::of(&site, local::zone(&site.time_zone)?, settings::Settings::default());
        let start = now - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
        let world = world(&site, &setup, past, start, seed);
        let end = world.end;
        let plant = Plant::new(&setup, world, seed);
        Ok(Depot { site, setup, plant, end, open: Vec::new(), version: None, told: false })
    }

    async fn play(mut self, store: &Arc<dyn Store>, app: &Handle, stop: &CancellationToken) {
        let mut setpoints: Option<broadcast::Receiver<Setpoint>> = None;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let now = Utc::now();
            if now >= self.end {
                break;
            }
            let Some(status) = app.status(SITE) else {
                setpoints = None;
                continue;
            };
            let follower = match setpoints.as_mut() {
                Some(follower) => follower,
                None => {
                    let Some(follower) = app.follow(SITE, None) else { continue };
                    follower.backlog.iter().for_each(|setpoint| self.send(setpoint, now));
                    setpoints.insert(follower.coming)
                }
            };
            if *self.version.get_or_insert(status.setup) != status.setup {
                // The site has changed: what is played is another one.
                break;
            }
            let mut events = Vec::new();
            if !self.told {
                self.told = true;
                events.extend(self.plant.holds());
            }
            // Time goes on first: a command is sent at the instant of the last advance.
            events.extend(self.plant.advance(now.max(self.plant.now()), &mut ()));
            if self.drain(follower, now) {
                setpoints = None;
            }
            self.tell(store, app, status.setup, events, now).await;
        }
        self.leave(store, app, Utc::now()).await;
    }

    /// Takes the setpoints that have come; whether some were missed.
    fn drain(&mut self, follower: &mut broadcast::Receiver<Setpoint>, now: DateTime<Utc>) -> bool {
        loop {
            match follower.try_recv() {
                Ok(setpoint) => self.send(&setpoint, now),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return true,
            }
        }
    }

    fn send(&mut self, setpoint: &Setpoint, now: DateTime<Utc>) {
        let valid_s = (setpoint.valid_until - now).as_seconds_f64();
        let Some(device) = self.setup.device(&setpoint.charger).filter(|_| valid_s > 0.0) else { return };
        let (number, amps, phases) = (setpoint.number, setpoint.limit_a, setpoint.phases);
        let phase = setpoint.phase.map(|phase| phase.saturating_sub(1));
        self.plant.send(&command::Setpoint { number, device, amps, phases, phase, valid_s, why: Why::Plan });
    }

    /// Tells the loop what happened: sessions as whoever states them does, everything else as a gateway does.
    async fn tell(&mut self, store: &Arc<dyn Store>, app: &Handle, setup: u64, events: Vec<Event>, now: DateTime<Utc>) {
        let mut device_events = Vec::with_capacity(events.len());
        let mut sessions: Vec<(String, KeptSession)> = Vec::new();
        for event in events {
            match event {
                Event::Session { device, session } => {
                    let known = self.open.iter().any(|(id, _)| *id == session.id);
                    if !known {
                        let kept = self.stated(device, &session, now);
                        self.open.push((session.id.clone(), kept.clone()));
                        sessions.push((session.id, kept));
                    }
                }
                Event::Unplugged { device } => {
                    let station = &self.setup.devices[device].id;
                    let place = self.open.iter().position(|(_, kept)| kept.stated.charger == *station);
                    if let Some(place) = place {
                        let (id, kept) = self.open.swap_remove(place);
                        sessions.push((id, KeptSession { ended: Some(now), ..kept }));
                    }
                }
                other => device_events.push(other),
            }
        }
        if !device_events.is_empty() {
            let event = app::Event::Device { site: SITE.to_owned(), setup, events: device_events };
            if app.tell(event).is_err() {
                tracing::warn!("the loop is busy: the demo depot tells everything again");
                self.told = false;
            }
        }
        keep_sessions(store, app, sessions, now).await;
    }

    /// A stay as it is stated.
    fn stated(
        &self,
        device: usize,
        session: &kwartier_engine::control::event::Session,
        now: DateTime<Utc>,
    ) -> KeptSession {
        let efficiency = self.site.vehicle_defaults.efficiency;
        let stated = Session {
            group: Some(group(device).to_owned()),
            departure: session.departure,
            need_kwh: session.need_kwh.map(|kwh| kwh * efficiency),
            phases: session.phases,
            min_a: Some(session.min_a),
            max_a: Some(session.max_a),
            ..Session::at(self.setup.devices[device].id.as_str(), Some(now))
        };
        KeptSession::of(stated)
    }

    /// Everybody leaves.
    async fn leave(mut self, store: &Arc<dyn Store>, app: &Handle, now: DateTime<Utc>) {
        let gone = std::mem::take(&mut self.open);
        let gone = gone.into_iter().map(|(id, kept)| (id, KeptSession { ended: Some(now), ..kept })).collect();
        keep_sessions(store, app, gone, now).await;
    }
}

/// Keeps sessions, then tells the loop of them, as the API does.
async fn keep_sessions(store: &Arc<dyn Store>, app: &Handle, sessions: Vec<(String, KeptSession)>, now: DateTime<Utc>) {
    if sessions.is_empty() {
        return;
    }
    let changes = sessions.iter().map(|(id, kept)| {
        let key = Key::new(Kind::Session, SITE, id);
        json(kept).map(|body| Change::Put { key, body, expect: Expect::Any })
    });
    let written = match changes.collect::<Result<Vec<_>, _>>() {
        Ok(changes) => store.write(now, changes).await.map(drop).map_err(|fault| fault.to_string()),
        Err(why) => Err(why),
    };
    if let Err(why) = written {
        tracing::warn!(why, "the demo's sessions cannot be kept");
    }
    for (id, kept) in sessions {
        if app.tell(app::Event::Session { site: SITE.to_owned(), id, kept }).is_err() {
            tracing::warn!("the loop is busy and hears nothing of a demo session");
        }
    }
}
