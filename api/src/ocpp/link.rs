//! One connection: frames in and out, one call outstanding, time. What is decided is decided in `station`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use chrono::{DateTime, Utc};
use governor::{DefaultDirectRateLimiter, Quota};
use kwartier_engine::control;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout};

use super::authority::Given;
use super::door::{Guest, Version};
use super::frame::{self, Frame, Malformed, Refusal, RefusalKind};
use super::heard::{Happened, Heard, Identity, Needs};
use super::hub::{Seat, Target, tell};
use super::quirks::Quirks;
use super::readings::Draws;
use super::report::Report;
use super::station::{About, Call, Outcome, Station, Transaction};
use super::tags::{self, Found, Occasion, Policy};
use super::told::Told;
use super::{stays, v2, v16};
use crate::http::change::kept;
use crate::resource::charger::KeptCharger;
use crate::service::Service;
use crate::store::{Key, Kind};

/// A charger is pinged so often.
const PING: Duration = Duration::from_secs(20);

/// A link on which nothing came for so long is dead.
const DEAD: Duration = Duration::from_secs(65);

/// A charger that does not take what it is sent for so long is gone.
const TAKES: Duration = Duration::from_secs(10);

/// After so long it is tried again to tell the loop of a link.
const UNTOLD: Duration = Duration::from_secs(1);

/// Nothing is asked of a charger before it has said something, or has been silent for so long: one that has just started says
/// so first, and is asked nothing before that is answered (1.6, 4.2; 2.0.1, B01).
const FIRST_WORD: Duration = Duration::from_secs(2);

/// Messages that one charger may send: so many a second, and so many at once.
const A_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const AT_ONCE: NonZeroU32 = NonZeroU32::new(400).unwrap();

/// So many frames in a row that are none, and the link is closed.
const MOST_MALFORMED: u32 = 50;

/// The last id that was given to a transaction in 1.6.
static LAST_TRANSACTION: AtomicI64 = AtomicI64::new(0);

/// What is kept of a charger that connects itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it says it is.
    #[serde(default)]
    pub identity: Identity,
    /// In which version it speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// When it connected last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<DateTime<Utc>>,
    /// Transactions under way, by connector.
    #[serde(default)]
    pub transactions: BTreeMap<i64, Transaction>,
    /// Certificates that it was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Given>,
    /// What it has stored for good, as it took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Value>,
    /// What it has told of itself beside charging.
    #[serde(default)]
    pub told: Told,
}

/// A connection.
pub(super) struct Link {
    pub(super) service: Service,
    pub(super) site: String,
    pub(super) charger: String,
    pub(super) version: Version,
    /// Whether it has proved who it is over an encrypted link.
    pub(super) trusted: bool,
    /// What vehicles need at connectors where no transaction has a session yet.
    pub(super) needs: BTreeMap<i64, Needs>,
    /// What it holds above what it should, and whether the loop was told; another link of it may have told something else.
    pub(super) differs: Option<String>,
    pub(super) told_differs: bool,
    /// When it was asked last to renew its certificate.
    pub(super) renewed: Option<DateTime<Utc>>,
    pub(super) station: Option<Station>,
    pub(super) record: Record,
    pub(super) target: Target,
    /// The state of the site that the loop was told of this link in.
    told_setup: Option<u64>,
    /// What the loop was told in that state that it has stored for when it is alone.
    told_stored: Option<[f64; 24]>,
    next_call: u64,
    pub(super) outstanding: Option<String>,
    malformed: u32,
    pub(super) tickets: BTreeMap<u64, Vec<tokio::sync::oneshot::Sender<Outcome>>>,
    pub(super) next_ticket: u64,
    /// A report that comes in parts.
    pub(super) report: Option<Report>,
    /// Whether it has started and the loop does not know yet.
    pub(super) booted: bool,
    /// From when on it may be asked something.
    asked_from: Instant,
}

/// Whether a link goes on.
enum Goes {
    On,
    Close(u16, &'static str),
    Gone,
}

/// Holds a connection until it ends.
pub async fn run(service: Service, mut socket: WebSocket, guest: Guest) {
    let Guest { site, charger, version, trusted } = guest;
    let mut seat = service.hub.join(&service.app, &site, &charger, version);
    let record = stays::known(&service, &site, &charger).await.unwrap_or_default();
    let mut link = Link {
        service,
        site,
        charger,
        version,
        trusted,
        needs: BTreeMap::new(),
        differs: None,
        told_differs: false,
        renewed: None,
        station: None,
        record: Record { version: Some(version), connected: Some(Utc::now()), ..record },
        target: Target::default(),
        told_setup: None,
        told_stored: None,
        next_call: 0,
        outstanding: None,
        malformed: 0,
        tickets: BTreeMap::new(),
        next_ticket: 0,
        report: None,
        booted: false,
        asked_from: Instant::now() + FIRST_WORD,
    };
    link.keep().await;
    metrics::gauge!("kwartier_ocpp_connected").increment(1.0);
    link.serve(&mut socket, &mut seat).await;
    metrics::gauge!("kwartier_ocpp_connected").decrement(1.0);
    link.leave(&seat);
}

impl Link {
    async fn serve(&mut self, socket: &mut WebSocket, seat: &mut Seat) {
        let rate = DefaultDirectRateLimiter::direct(Quota::per_second(A_SECOND).allow_burst(AT_ONCE));
        let mut heard = Instant::now();
        let mut pinged = Instant::now();
        self.retarget(seat).await;
        loop {
            if let Goes::Close(code, reason) = self.speak(socket).await {
                close(socket, code, reason).await;
                return;
            }
            let answer_by = self.station.as_ref().and_then(Station::answer_by).map(|by| {
                let left = (by - Utc::now()).to_std().unwrap_or_default();
                Instant::now() + left
            });
            let first_word = Some(self.asked_from).filter(|from| *from > Instant::now());
            let untold = self.is_untold().then(|| Instant::now() + UNTOLD);
            let wake = [Some(pinged + PING), Some(heard + DEAD), answer_by, first_word, untold];
            let wake = wake.into_iter().flatten().min().unwrap_or(pinged + PING);
            let goes = tokio::select! {
                biased;
                () = seat.ousted.cancelled() => Goes::Close(close_code::NORMAL, "a newer connection of this charger, or it is none any more"),
                changed = seat.target.changed() => match changed {
                    Ok(()) => { self.retarget(seat).await; Goes::On }
                    Err(_) => Goes::Close(close_code::AWAY, "the service ends"),
                },
                Some(asked) = seat.asked.recv() => {
                    self.ask(asked);
                    Goes::On
                }
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) if rate.check().is_ok() => self.hear(socket, text.as_str()).await,
                        Some(Ok(Message::Text(_))) => Goes::Close(close_code::POLICY, "too many messages"),
                        Some(Ok(Message::Binary(_))) => Goes::Close(close_code::UNSUPPORTED, "OCPP-J is text"),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Goes::On,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => Goes::Gone,
                    }
                }
                () = sleep_until(wake) => {
                    let now = Instant::now();
                    if now >= heard + DEAD {
                        Goes::Gone
                    } else {
                        if now >= pinged + PING {
                            pinged = now;
                            match timeout(TAKES, socket.send(Message::Ping(Vec::new().into()))).await {
                                Ok(Ok(())) => {}
                                _ => return,
                            }
                        }
                        self.time_out();
                        self.renews(Utc::now());
                        if self.is_untold() || self.booted {
                            self.retarget(seat).await;
                        }
                        Goes::On
                    }
                }
            };
            match goes {
                Goes::On => {}
                Goes::Close(code, reason) => {
                    close(socket, code, reason).await;
                    return;
                }
                Goes::Gone => return,
            }
        }
    }

    /// Whether the loop does not know of this link in the state that its site is in.
    fn is_untold(&self) -> bool {
        let setup = self.target.place.map(|(setup, _)| setup);
        setup.is_some() && self.told_setup != setup
    }

    /// What is to be made true has changed.
    async fn retarget(&mut self, seat: &mut Seat) {
        self.target = seat.target.borrow_and_update().clone();
        let Some((setup, _)) = self.target.place else { return };
        if self.told_setup != Some(setup) {
            let Some(about) = self.service.hub.about(&self.service, &self.site, setup, &self.charger).await else {
                return;
            };
            match &mut self.station {
                Some(station) => station.is_now(about),
                None => self.station = Some(self.arrive(about).await),
            }
            self.tell_link(true);
            self.told_stored = None;
            self.tells_stored();
            self.tells_again();
        }
        if self.booted && self.told_setup.is_some() {
            self.booted = !self.event(|device| control::Event::Booted { device });
        }
        if let (Some(station), Some(setpoint)) = (&mut self.station, &self.target.setpoint) {
            station.told(setpoint.clone());
        }
    }

    async fn arrive(&self, about: About) -> Station {
        let mut station = Station::new(about, self.version);
        station.wants(self.quirks().await);
        station.resumes(&self.record.transactions);
        station.has_stored(self.record.stored.as_ref(), Utc::now());
        if self.booted {
            station.booted();
        }
        if let Some(calls) = self.asking().await {
            station.asks(calls);
        }
        station
    }

    /// How it wants to be treated.
    pub(super) async fn quirks(&self) -> Quirks {
        let key = Key::new(Kind::Charger, &self.site, &self.charger);
        let document = self.service.store.read(&key, None).await.ok().flatten();
        let said = document.and_then(|document| kept::<KeptCharger>(&document).ok());
        Quirks::of(&self.record.identity, said.and_then(|said| said.ocpp).and_then(|ocpp| ocpp.quirks))
    }

    /// How it is to ask for cards.
    pub(super) async fn asking(&self) -> Option<Vec<Call>> {
        let policy = Policy::of(&*self.service.store, &self.site).await.ok()?;
        Some(tags::settings(self.version, policy.free))
    }

    fn tell_link(&mut self, up: bool) {
        let told = self.event(|device| control::Event::Link { device, up });
        self.told_setup = self.target.place.map(|(setup, _)| setup).filter(|_| told);
    }

    pub(super) fn event(&self, event: impl Fn(usize) -> control::Event) -> bool {
        tell(&self.service.app, &self.site, &self.target, event)
    }

    /// Sends what is to be sent next.
    async fn speak(&mut self, socket: &mut WebSocket) -> Goes {
        if Instant::now() < self.asked_from {
            return Goes::On;
        }
        let Some(station) = &mut self.station else { return Goes::On };
        let mut follows = Vec::new();
        let call = station.next(Utc::now(), &mut follows);
        self.follow(follows);
        if let Some(call) = call {
            self.next_call += 1;
            let id = format!("k{}", self.next_call);
            let text = frame::call(&id, call.action, &call.payload);
            self.outstanding = Some(id);
            if !send(socket, text).await {
                return Goes::Close(close_code::AWAY, "it takes nothing");
            }
        }
        Goes::On
    }

    async fn hear(&mut self, socket: &mut WebSocket, text: &str) -> Goes {
        let now = Utc::now();
        match frame::read(text) {
            Ok(Frame::Call { id, action, payload }) => {
                self.malformed = 0;
                metrics::counter!("kwartier_ocpp_messages_total", "direction" => "in").increment(1);
                let next = if action == "StartTransaction" { next_transaction(now) } else { 0 };
                match self.answer(&action, &payload, next, now).await {
                    Ok((answer, happened, found)) => {
                        let sent = send(socket, frame::result(&id, &answer)).await;
                        self.asked_from = self.asked_from.min(Instant::now());
                        for happened in happened {
                            self.happened(happened, found.as_ref(), now).await;
                        }
                        if sent { Goes::On } else { Goes::Gone }
                    }
                    Err(refusal) => {
                        let sent = send(socket, frame::error(&id, &refusal, self.version)).await;
                        if sent { Goes::On } else { Goes::Gone }
                    }
                }
            }
            Ok(Frame::Result { id, payload }) => {
                if self.outstanding.take_if(|known| *known == id).is_some()
                    && let Some(station) = &mut self.station
                {
                    let follows = station.answered(&payload);
                    self.follow(follows);
                    self.stored().await;
                }
                Goes::On
            }
            Ok(Frame::Error { id, code }) => {
                if self.outstanding.take_if(|known| *known == id).is_some()
                    && let Some(station) = &mut self.station
                {
                    let follows = station.refused(&code);
                    self.follow(follows);
                }
                Goes::On
            }
            Ok(Frame::Send) => Goes::On,
            Err(malformed) => self.answer_malformed(socket, malformed).await,
        }
    }

    async fn answer_malformed(&mut self, socket: &mut WebSocket, malformed: Malformed) -> Goes {
        metrics::counter!("kwartier_ocpp_malformed_total").increment(1);
        self.malformed += 1;
        if self.malformed > MOST_MALFORMED {
            return Goes::Close(close_code::PROTOCOL, "these are no frames of OCPP-J");
        }
        let id = match (malformed.id, self.version) {
            (Some(id), _) => id,
            // Since 2.0.1 what has no id that can be read is answered too (part 4, 4.2.3).
            (None, Version::V201 | Version::V21) => "-1".to_owned(),
            (None, Version::V16) => return Goes::On,
        };
        let sent = send(socket, frame::error(&id, &malformed.refusal, self.version)).await;
        if sent { Goes::On } else { Goes::Gone }
    }

    /// What is answered, what has happened, and what the card is worth that was shown.
    async fn answer(
        &mut self,
        action: &str,
        payload: &Value,
        next: i64,
        now: DateTime<Utc>,
    ) -> Result<(Value, Vec<Happened>, Option<Found>), Refusal> {
        let Heard { mut answer, happened, shown } = self.understand(action, payload, next, now)?;
        if let Some(news) = self.record.told.hears(self.version, action, payload, now) {
            self.tells(news);
            self.keep().await;
        }
        if action == "NotifyReport" {
            self.reports(payload);
        }
        if action == "SignCertificate" {
            answer = self.certifies(payload, now).await;
        }
        let Some(shown) = shown else { return Ok((answer, happened, None)) };
        match tags::look(&self.service, &self.site, &shown, self.own(&shown), now).await {
            Ok(found) => {
                if self.version == Version::V16 {
                    answer["idTagInfo"] = found.in_v16();
                } else if payload["idToken"].is_object() {
                    answer["idTokenInfo"] = found.in_v2();
                    if self.version == Version::V21 && self.station.as_ref().is_some_and(Station::feeds_in) {
                        answer["allowedEnergyTransfer"] = v2::allowed_transfer();
                    }
                }
                Ok((answer, happened, Some(found)))
            }
            Err(fault) => {
                tracing::error!(site = self.site, %fault, "a card cannot be looked for");
                // That something ends does not depend on it.
                let ends = shown.occasion == Occasion::Asks && !happened.is_empty();
                let refusal = || Refusal::new(RefusalKind::Internal, "cards cannot be looked for now; send it again");
                if ends { Ok((answer, happened, None)) } else { Err(refusal()) }
            }
        }
    }

    fn understand(&self, action: &str, payload: &Value, next: i64, now: DateTime<Utc>) -> Result<Heard, Refusal> {
        if self.station.is_none() && action != "BootNotification" && action != "Heartbeat" {
            // The loop does not know its site yet: it is asked to come again.
            return Err(Refusal::new(RefusalKind::Internal, "the site is not ready yet; send it again"));
        }
        match self.version {
            Version::V16 => v16::hear(action, payload, next, now),
            version => v2::hear(version, action, payload, self.draws(), now),
        }
    }

    pub(super) fn draws(&self) -> Draws {
        self.station.as_ref().map_or(Draws { phases: None, connected: 3, voltage_v: 230.0 }, Station::draws)
    }

    fn time_out(&mut self) {
        if let Some(late) = self.report.take_if(|report| report.is_late(Utc::now())) {
            self.done(late.ticket, &Outcome::NoAnswer);
        }
        let Some(station) = &mut self.station else { return };
        if station.answer_by().is_some_and(|by| by <= Utc::now()) {
            self.outstanding = None;
            let follows = station.unanswered();
            self.follow(follows);
        }
    }

    /// What it has stored for good is kept, so that it is not told again.
    async fn stored(&mut self) {
        let Some(stored) = self.station.as_ref().and_then(Station::stores) else { return };
        self.tells_stored();
        if self.record.stored.as_ref() != Some(&stored) {
            self.record.stored = Some(stored);
            self.keep().await;
        }
    }

    /// The loop is told what it has stored for when it is alone, where that is known and was not told.
    fn tells_stored(&mut self) {
        let stores = self.station.as_ref().and_then(Station::stores_a);
        if let Some(by_hour_a) = stores.filter(|_| self.told_stored != stores)
            && self.event(|device| control::Event::Stores { device, by_hour_a })
        {
            self.told_stored = stores;
        }
    }

    pub(super) async fn keep(&mut self) {
        if let Some(station) = &self.station {
            self.record.transactions.clone_from(&station.transactions);
        }
        stays::keep(&self.service, &self.site, &self.charger, &self.record, Utc::now()).await;
    }

    fn leave(&mut self, seat: &Seat) {
        for answer in std::mem::take(&mut self.tickets).into_values().flatten() {
            let _ = answer.send(Outcome::NoAnswer);
        }
        if self.service.hub.leave(&self.site, &self.charger, seat.number) {
            if self.station.as_ref().is_some_and(|station| !station.keeps()) {
                self.event(|device| control::Event::Holds { device, amps: None });
            }
            self.tell_link(false);
        }
    }
}

/// An id for a transaction in 1.6, which is ours to give: the second in which it begins or a higher one, so that none comes
/// again after a restart. It fits 31 bits until 2038, and begins anew then.
fn next_transaction(now: DateTime<Utc>) -> i64 {
    let second = now.timestamp() & 0x7fff_ffff;
    let next = |last: i64| Some((last + 1).max(second));
    LAST_TRANSACTION
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
        .map_or(second, |last| (last + 1).max(second))
}

async fn send(socket: &mut WebSocket, text: String) -> bool {
    metrics::counter!("kwartier_ocpp_messages_total", "direction" => "out").increment(1);
    matches!(timeout(TAKES, socket.send(Message::Text(text.into()))).await, Ok(Ok(())))
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    let _ = timeout(TAKES, socket.send(Message::Close(Some(frame)))).await;
}
