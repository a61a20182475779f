//! Sessions of transactions: who plugs in without having been announced has a session too, and who was announced has one.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::app::Event;
use crate::http::change::{body, kept};
use crate::resource::session::{KeptSession, Session};
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind};

/// A session that nothing is known of but where and since when.
fn bare(charger: &str, arrival: DateTime<Utc>) -> KeptSession {
    let stated = Session {
        charger: charger.to_owned(),
        vehicle: None,
        group: None,
        arrival: Some(arrival),
        departure: None,
        need_kwh: None,
        soc_kwh: None,
        target_kwh: None,
        capacity_kwh: None,
        phases: None,
        min_a: None,
        max_a: None,
        priority: None,
    };
    KeptSession { stated, r#override: None, ended: None, energy_kwh: None }
}

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
        && is_open(service, site, id).await
    {
        return id.to_owned();
    }
    let id = Uuid::now_v7().to_string();
    let kept = bare(charger, at);
    put(service, site, &id, kept, Expect::Absent, now).await;
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
    let key = Key::new(Kind::Session, site, id);
    let Ok(Some(document)) = service.store.read(&key, None).await else { return };
    let Ok(mut session) = kept::<KeptSession>(&document) else { return };
    if session.ended.is_none() {
        session.ended = Some(at.max(session.stated.arrival.unwrap_or(at)));
        session.energy_kwh = energy_kwh.or(session.energy_kwh);
        put(service, site, id, session, Expect::Version(document.version), now).await;
    }
}

async fn is_open(service: &Service, site: &str, id: &str) -> bool {
    let key = Key::new(Kind::Session, site, id);
    let Ok(Some(document)) = service.store.read(&key, None).await else { return false };
    kept::<KeptSession>(&document).is_ok_and(|session| session.ended.is_none())
}

/// Keeps a session and tells the loop; where it cannot be kept, the vehicle is charged all the same.
async fn put(service: &Service, site: &str, id: &str, kept: KeptSession, expect: Expect, now: DateTime<Utc>) {
    let key = Key::new(Kind::Session, site, id);
    let written: Result<(), Fault> = match body(&kept) {
        Ok(body) => service.store.write(now, vec![Change::Put { key, body, expect }]).await.map(drop),
        Err(fault) => Err(fault),
    };
    if let Err(fault) = written {
        tracing::warn!(site, %fault, "a session of a transaction cannot be kept");
    }
    let event = Event::Session { site: site.to_owned(), id: id.to_owned(), kept };
    if service.app.tell_when_free(event).await.is_err() {
        tracing::debug!("a session came after the loop had ended");
    }
}

/// What is kept of a charger that connects itself.
pub async fn record(service: &Service, site: &str, charger: &str) -> Option<Value> {
    let key = Key::new(Kind::Station, site, charger);
    service.store.read(&key, None).await.ok().flatten().and_then(|document| document.body)
}

/// Keeps that.
pub async fn keep(service: &Service, site: &str, charger: &str, record: Value, now: DateTime<Utc>) {
    let key = Key::new(Kind::Station, site, charger);
    let change = Change::Put { key, body: record, expect: Expect::Any };
    if let Err(fault) = service.store.write(now, vec![change]).await {
        tracing::warn!(site, charger, %fault, "what is known of a charger cannot be kept");
    }
}
