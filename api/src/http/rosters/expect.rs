//! From rosters to expected sessions.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::roster::{Entry, Roster};
use kwartier_data::site::Site;
use sha2::{Digest, Sha256};

use super::super::change::{self, kept};
use super::super::problem::Problem;
use super::table::parsed;
use crate::access::{self, SiteRef};
use crate::app::Event;
use crate::resource::roster::KeptRoster;
use crate::resource::session::{KeptSession, Origin, Session};
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Key, Kind, List};

/// How far ahead sessions are expected.
const AHEAD: TimeDelta = TimeDelta::hours(48);

/// What is to be changed of the expected sessions.
#[derive(Debug, Default)]
pub struct Expectation {
    /// New ones, or those whose row says something else now.
    put: BTreeMap<String, (Expect, KeptSession)>,
    /// Those that no row says any longer.
    gone: Vec<String>,
    site: String,
    /// How many are expected in all.
    pub expected: usize,
}

/// What follows for the sessions of a site when a roster becomes another: `before` is what it was, `after` what it will be.
pub async fn plan(
    service: &Service,
    site: &SiteRef,
    what: &Site,
    name: &str,
    before: Option<&KeptRoster>,
    after: Option<&KeptRoster>,
    now: DateTime<Utc>,
) -> Result<Expectation, Problem> {
    let sessions = |roster: Option<&KeptRoster>| -> Result<BTreeMap<String, Session>, Problem> {
        let Some(roster) = roster else { return Ok(BTreeMap::new()) };
        expected(&parsed(&roster.csv, what)?, what, name, now)
    };
    // A roster whose stations are gone expected nothing that can still be told.
    let old = sessions(before).unwrap_or_default();
    let new = sessions(after)?;
    let mut plan = Expectation { site: site.id.clone(), expected: new.len(), ..Expectation::default() };
    for (id, session) in &new {
        let was = service.store.read(&Key::new(Kind::Session, &site.id, id), None).await?;
        let untouched = was.as_ref().is_none_or(|was| was.version == 1);
        let same = match &was {
            Some(was) => kept::<KeptSession>(was)?.stated == *session,
            None => false,
        };
        if untouched && !same {
            if was.is_some() {
                plan.gone.push(id.clone());
            }
            let says = |said: bool| said.then_some(Origin::Roster);
            let stated = KeptSession {
                departure_from: says(session.departure.is_some()),
                need_from: says(session.says_need()),
                ..KeptSession::of(session.clone())
            };
            plan.put.insert(id.clone(), (Expect::Absent, stated));
        }
    }
    for id in old.keys().filter(|id| !new.contains_key(*id)) {
        let was = service.store.read(&Key::new(Kind::Session, &site.id, id), None).await?;
        if was.is_some_and(|was| was.version == 1) {
            plan.gone.push(id.clone());
        }
    }
    Ok(plan)
}

impl Expectation {
    /// The changes that make it so.
    pub fn changes(&self) -> Result<Vec<Change>, Fault> {
        let key = |id: &String| Key::new(Kind::Session, &self.site, id);
        let mut changes: Vec<Change> = self.gone.iter().map(|id| Change::Erase(key(id))).collect();
        for (id, (expect, session)) in &self.put {
            changes.push(Change::Put { key: key(id), body: change::body(session)?, expect: *expect });
        }
        Ok(changes)
    }

    /// Tells the loop, once it is stored.
    pub async fn tell(self, service: &Service, site: &SiteRef) {
        let site = &site.id;
        let gone = self.gone.into_iter().filter(|id| !self.put.contains_key(id));
        let gone: Vec<Event> = gone.map(|id| Event::SessionGone { site: site.clone(), id }).collect();
        let put = self.put.into_iter().map(|(id, (_, kept))| Event::Session { site: site.clone(), id, kept });
        for event in gone.into_iter().chain(put) {
            // A loop that has stopped reads everything anew when it starts.
            if service.app.tell_when_free(event).await.is_err() {
                return;
            }
        }
    }
}

/// Expects what every roster says of the next two days: to be called now and then, as time goes on.
pub async fn keep_expected(service: &Service, now: DateTime<Utc>) -> Result<(), Problem> {
    for document in service.store.all(List::all(Kind::Roster)).await? {
        let Some(site) = access::named(service, &document.key.owner).await? else { continue };
        let (_, what) = change::site(service, &site).await?;
        let roster: KeptRoster = kept(&document)?;
        match plan(service, &site, &what, &document.key.id, None, Some(&roster), now).await {
            Ok(plan) => {
                service.store.write(now, plan.changes()?).await?;
                plan.tell(service, &site).await;
            }
            Err(problem) => tracing::warn!(site = site.id, why = problem.detail, "a roster does not fit its site"),
        }
    }
    Ok(())
}

/// The sessions that a roster expects, by id.
fn expected(
    roster: &Roster,
    site: &Site,
    name: &str,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, Session>, Problem> {
    let until = now + AHEAD;
    let stays = roster.stays(now, until);
    let stays = stays.map_err(|refusal| Problem::invalid(super::super::read::field_errors(&refusal)))?;
    let known = stays.iter().map(|stay| (stay.entry, stay.arrival, Some(stay.departure)));
    let open = roster.open(now, until).into_iter().filter(|stay| stay.departure.is_none());
    let open = open.map(|stay| (stay.entry, stay.arrival, None));
    let mut sessions = BTreeMap::new();
    for (entry, arrival, departure) in known.chain(open) {
        // Who should be there already is told by whoever sees them plug in.
        if arrival > now {
            sessions.insert(id_of(name, entry, arrival), session(entry, site, arrival, departure));
        }
    }
    Ok(sessions)
}

fn session(entry: &Entry, site: &Site, arrival: DateTime<Utc>, departure: Option<DateTime<Utc>>) -> Session {
    let facts = &entry.vehicle_facts;
    let known = site.vehicles.iter().find(|vehicle| vehicle.id == entry.vehicle);
    let capacity_kwh = facts.capacity_kwh.or(known.and_then(|vehicle| vehicle.capacity_kwh));
    let capacity_kwh = capacity_kwh.unwrap_or(site.vehicle_defaults.capacity_kwh);
    let group = facts.group.clone().filter(|group| site.groups.iter().any(|known| known.id == *group));
    Session {
        charger: entry.station.clone(),
        vehicle: known.map(|vehicle| vehicle.id.clone()),
        group,
        arrival: Some(arrival),
        departure,
        need_kwh: entry.need_kwh,
        soc_kwh: entry.soc.map(|soc| soc.kwh(capacity_kwh)),
        target_kwh: entry.target.filter(|_| entry.need_kwh.is_none()).map(|target| target.kwh(capacity_kwh)),
        capacity_kwh: facts.capacity_kwh,
        phases: facts.phases,
        min_a: facts.min_a,
        max_a: facts.max_a,
        priority: None,
    }
}

/// The id of the session that a row expects: the same whenever it is looked at, and sorted by its arrival as those that are
/// stated are by theirs.
fn id_of(roster: &str, entry: &Entry, arrival: DateTime<Utc>) -> String {
    let told = format!("{roster}\n{}\n{}\n{}", entry.vehicle, entry.station, arrival.timestamp());
    let hash = Sha256::digest(told.as_bytes());
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(arrival.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string()
}
