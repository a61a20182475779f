//! Sessions of transactions: who plugs in without having been announced has a session too, and who was announced has one.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::Site;
use serde::Serialize;
use uuid::Uuid;

use super::heard::Needs;
use super::link::Record;
use crate::access;
use crate::app::Event;
use crate::http::change::{self, body, kept};
use crate::http::finite::{AHEAD, MOST_KWH};
use crate::http::sessions::stated_since;
use crate::resource::session::{Card, KeptSession, Origin, Session};
use crate::resource::tag::TagFacts;
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind};

/// So long at most does it take until the loop shows what was stated.
const NEWS: TimeDelta = TimeDelta::minutes(2);

/// A card: its id, and what is said of it.
pub type Known = (String, TagFacts);

/// The session of a transaction that begins: the one that is there, or a new one. `used` are those of other transactions at the
/// charger.
pub async fn begin(
    service: &Service,
    (site, charger): (&str, &str),
    used: &[String],
    card: Option<&Known>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> String {
    let _turn = service.turns.at(site).await;
    if let Some((id, version, mut session)) = there(service, site, charger, used, now).await {
        if card.is_some_and(|card| begun_with(&mut session, card)) {
            put(service, site, &id, session, Expect::Version(version), now).await;
        }
        return id;
    }
    let id = Uuid::now_v7().to_string();
    let mut bare = KeptSession::of(Session::at(charger, Some(at)));
    if let Some(card) = card {
        begun_with(&mut bare, card);
    }
    put(service, site, &id, bare, Expect::Absent, now).await;
    id
}

/// A card was shown within a session that began without one.
pub async fn shows(service: &Service, site: &str, id: &str, card: &Known, now: DateTime<Utc>) {
    let _turn = service.turns.at(site).await;
    if let Some((version, mut session)) = open(service, site, id).await
        && begun_with(&mut session, card)
    {
        put(service, site, id, session, Expect::Version(version), now).await;
    }
}

/// Says of a session with which card it was begun, where that is not said; what was stated of vehicle and group stays. Whether
/// that is new.
fn begun_with(session: &mut KeptSession, (tag, facts): &Known) -> bool {
    if session.card.is_some() {
        return false;
    }
    let TagFacts { driver, cost_centre, vehicle, group, .. } = facts.clone();
    session.card = Some(Card { tag: Some(tag.clone()), driver, cost_centre });
    session.stated.vehicle = session.stated.vehicle.take().or(vehicle);
    session.stated.group = session.stated.group.take().or(group);
    true
}

/// What a vehicle says that it needs, where neither its driver nor anybody for them has said it. Energy is wanted at the
/// charger, beside `got_kwh` that it has already; a session's is at the battery.
pub async fn needs(service: &Service, site: &str, id: &str, needs: Needs, got_kwh: f64, now: DateTime<Utc>) {
    let Some(what) = site_of(service, site).await else { return };
    let _turn = service.turns.at(site).await;
    let Some((version, mut session)) = open(service, site, id).await else { return };
    let before = session.clone();
    let free = |said: bool, from: Option<Origin>| !said || matches!(from, Some(Origin::Vehicle | Origin::Roster));
    let departure = needs.departure.filter(|at| *at > now && *at < now + AHEAD);
    if let Some(departure) = departure.filter(|_| free(session.stated.departure.is_some(), session.departure_from)) {
        session.stated.departure = Some(departure);
        session.departure_from = Some(Origin::Vehicle);
    }
    let energy_kwh = needs.energy_kwh.filter(|kwh| (0.0..=MOST_KWH).contains(kwh));
    if let Some(energy_kwh) = energy_kwh.filter(|_| free(session.stated.says_need(), session.need_from)) {
        let known = session.stated.vehicle.as_ref().and_then(|name| what.vehicles.iter().find(|one| one.id == *name));
        let efficiency = known.and_then(|known| known.efficiency).unwrap_or(what.vehicle_defaults.efficiency);
        let stated = &mut session.stated;
        stated.need_kwh = Some((got_kwh + energy_kwh) * efficiency.clamp(0.1, 1.0));
        (stated.soc_kwh, stated.target_kwh) = (None, None);
        session.need_from = Some(Origin::Vehicle);
    }
    if session != before {
        put(service, site, id, session, Expect::Version(version), now).await;
    }
}

/// A site by its id.
async fn site_of(service: &Service, site: &str) -> Option<Site> {
    let site = access::named(service, site).await.ok().flatten()?;
    change::site(service, &site).await.ok().map(|(_, what)| what)
}

/// A transaction has ended, and the session with it.
pub async fn end(
    service: &Service,
    site: &str,
    id: &str,
    energy_kwh: Option<f64>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) {
    let _turn = service.turns.at(site).await;
    let Some((version, mut session)) = open(service, site, id).await else { return };
    session.ended = Some(at.max(session.stated.arrival.unwrap_or(at)));
    session.energy_kwh = energy_kwh.or(session.energy_kwh);
    put(service, site, id, session, Expect::Version(version), now).await;
}

/// A charger is none of the site's any more: what was under way there by its record has ended, as far as we know of it.
pub async fn gone(service: &Service, site: &str, record: &Record, now: DateTime<Utc>) {
    for transaction in record.transactions.values().filter(|transaction| !transaction.session.is_empty()) {
        end(service, site, &transaction.session, None, now, now).await;
    }
}

/// A transaction that was not let in has drawn energy all the same, and has ended: a session that nobody has planned for.
pub async fn past(
    service: &Service,
    site: &str,
    charger: &str,
    since: Option<DateTime<Utc>>,
    energy_kwh: f64,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) {
    let since = since.unwrap_or(at).min(at);
    let bare = KeptSession::of(Session::at(charger, Some(since)));
    let ended = KeptSession { ended: Some(at), energy_kwh: Some(energy_kwh), ..bare };
    put(service, site, &Uuid::now_v7().to_string(), ended, Expect::Absent, now).await;
}

/// The session that is at a charger now and belongs to no other transaction: the one that the loop has there, or one that was
/// stated a moment ago, which the loop may not know yet.
async fn there(
    service: &Service,
    site: &str,
    charger: &str,
    used: &[String],
    now: DateTime<Utc>,
) -> Option<(String, u64, KeptSession)> {
    let status = service.app.status(site);
    let known = status.iter().flat_map(|status| &status.chargers).find(|known| known.id == charger);
    let known = known.and_then(|known| known.session.as_ref()).filter(|known| !used.contains(&known.id));
    if let Some(known) = known
        && let Some((version, session)) = open(service, site, &known.id).await
    {
        return Some((known.id.clone(), version, session));
    }
    let stated = stated_since(&*service.store, site, now - NEWS).await.ok()?;
    stated.into_iter().rev().find_map(|(document, session)| {
        let is_there = session.ended.is_none()
            && session.stated.charger == charger
            && session.stated.arrival.is_none_or(|arrival| arrival <= now)
            && session.stated.departure.is_none_or(|departure| departure > now)
            && !used.contains(&document.key.id);
        is_there.then_some((document.key.id, document.version, session))
    })
}

/// A session that has not ended, and its version.
async fn open(service: &Service, site: &str, id: &str) -> Option<(u64, KeptSession)> {
    let document = service.store.read(&Key::new(Kind::Session, site, id), None).await.ok().flatten()?;
    let session = kept::<KeptSession>(&document).ok().filter(|session| session.ended.is_none())?;
    Some((document.version, session))
}

/// Keeps a session and tells the loop; where it cannot be kept, the vehicle is charged all the same.
async fn put(service: &Service, site: &str, id: &str, kept: KeptSession, expect: Expect, now: DateTime<Utc>) {
    if let Err(fault) = write(service, Key::new(Kind::Session, site, id), &kept, expect, now).await {
        tracing::warn!(site, %fault, "a session of a transaction cannot be kept");
    }
    let event = Event::Session { site: site.to_owned(), id: id.to_owned(), kept };
    if service.app.tell_when_free(event).await.is_err() {
        tracing::debug!("a session came after the loop had ended");
    }
}

/// What is kept of a charger that connects itself; `None`, it never has.
pub async fn known(service: &Service, site: &str, charger: &str) -> Option<Record> {
    let key = Key::new(Kind::Station, site, charger);
    let document = service.store.read(&key, None).await.ok().flatten()?;
    kept(&document).ok()
}

/// Keeps that, for as long as the charger is one: what is still under way as it is deleted leaves nothing behind.
pub async fn keep(service: &Service, site: &str, charger: &str, record: &Record, now: DateTime<Utc>) {
    if matches!(service.store.read(&Key::new(Kind::Charger, site, charger), None).await, Ok(None)) {
        return;
    }
    let key = Key::new(Kind::Station, site, charger);
    if let Err(fault) = write(service, key, record, Expect::Any, now).await {
        tracing::warn!(site, charger, %fault, "what is known of a charger cannot be kept");
    }
}

async fn write(
    service: &Service,
    key: Key,
    what: &impl Serialize,
    expect: Expect,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let body = body(what)?;
    service.store.write(now, vec![Change::Put { key, body, expect }]).await.map(drop)
}
