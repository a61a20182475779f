//! Sessions of transactions: who plugs in without having been announced has a session too, and who was announced has one.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::link::Record;
use crate::app::Event;
use crate::http::change::{body, kept};
use crate::resource::session::{KeptSession, Session};
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind};

/// The session of a transaction that begins: the one that is there, or a new one.
pub async fn begin(
    service: &Service,
    site: &str,
    charger: &str,
    there: Option<&str>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> String {
    let _turn = service.turns.at(site).await;
    if let Some(id) = there
        && open(service, site, id).await.is_some()
    {
        return id.to_owned();
    }
    let id = Uuid::now_v7().to_string();
    let bare = KeptSession::of(Session::at(charger, Some(at)));
    put(service, site, &id, bare, Expect::Absent, now).await;
    id
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

/// Keeps that.
pub async fn keep(service: &Service, site: &str, charger: &str, record: &Record, now: DateTime<Utc>) {
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
