//! Sessions: vehicles' stays, stated, changed, ended, erased.

mod check;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::change::{self, Batch, again, kept, reserve};
use super::page::{self, Listed, PageQuery};
use super::problem::{Problem, ProblemKind};
use super::read::{Json, Path, Query};
use super::version::{Condition, created, etag, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::resource::session::{KeptSession, Origin, Override, Session, SessionChange};
use crate::service::Service;
use crate::store::{Document, Fault, Key, Kind, List, Store};

/// How long an override lasts where nothing is said.
const OVERRIDE: TimeDelta = TimeDelta::hours(1);

/// How long ago a session may have been stated and still be looked at when a charger is to be free.
pub const LONGEST_STAY: TimeDelta = TimeDelta::days(90);

/// The routes of sessions.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_sessions, post_session)).routes(routes!(
        get_session,
        patch_session,
        delete_session
    ))
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Its version; also its `ETag`.
    pub version: u64,
    /// What is kept of it.
    #[serde(flatten)]
    pub what: KeptSession,
}

/// Which sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionsQuery {
    /// How many items at most; 100 where nothing is said. More than 1,000 is refused.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Only those that are so now.
    #[param(inline)]
    state: Option<SessionState>,
    /// Only those at this charger.
    charger: Option<String>,
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// Its arrival lies ahead.
    Expected,
    /// The vehicle is there.
    Open,
    /// It was unplugged.
    Ended,
}

/// List sessions
///
/// In the order they were stated. A page may hold fewer than `limit` and still have a `next`: what is left out is filtered.
#[utoipa::path(
    get, path = "/v1/sites/{site}/sessions", tag = "sessions",
    params(("site" = String, Path, description = "The site's id."), SessionsQuery),
    responses((status = 200, description = "A page of sessions.", body = Listed<SessionView>)),
)]
async fn list_sessions(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(query): Query<SessionsQuery>,
) -> Result<axum::Json<Listed<SessionView>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let found = service.store.list(&page.of(Kind::Session, &site.id)?).await?;
    let next = page::next(&found);
    let mut items = Vec::new();
    for document in &found.items {
        let view = view(document)?;
        let at = query.charger.as_ref().is_none_or(|charger| view.what.stated.charger == *charger);
        if at && query.state.is_none_or(|state| state == state_of(&view.what, caller.at)) {
            items.push(view);
        }
    }
    Ok(axum::Json(Listed { items, next }))
}

fn state_of(session: &KeptSession, now: DateTime<Utc>) -> SessionState {
    match session.stated.arrival {
        _ if session.ended.is_some_and(|ended| ended <= now) => SessionState::Ended,
        Some(arrival) if arrival > now => SessionState::Expected,
        _ => SessionState::Open,
    }
}

/// State a session
///
/// A vehicle was plugged in, or will be (`arrival` ahead). What is not said comes from the vehicle, its group, the site's
/// defaults; a departure that is not said is unknown. Where a charger that is connected over OCPP has begun a transaction of
/// which nothing else is known, this says who it is.
#[utoipa::path(
    post, path = "/v1/sites/{site}/sessions", tag = "sessions",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body = Session,
    responses((status = 201, description = "Stated.", body = SessionView, headers(
        ("Location" = String, description = "Where it is read."), ("ETag" = String, description = "Its version."),
    ))),
)]
async fn post_session(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Json(mut session): Json<Session>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Sessions, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    check::session(&what, &session, caller.at)?;
    let arrival = *session.arrival.get_or_insert(caller.at);
    let _turn = service.turns.at(&site.id).await;
    let begun = free(&service, &site, &session, arrival, caller.at).await?;
    let (id, was) = match begun {
        Some((id, version, kept)) => (id, Some((version, kept))),
        None => (Uuid::now_v7().to_string(), None),
    };
    if let Some((_, begun)) = &was {
        // The card that began it says the rest.
        session.vehicle = session.vehicle.or_else(|| begun.stated.vehicle.clone());
        session.group = session.group.or_else(|| begun.stated.group.clone());
    }
    let says = |said: bool| said.then_some(Origin::Driver);
    let (mut departure_from, mut need_from) = (says(session.departure.is_some()), says(session.says_need()));
    if let Some((_, begun)) = &was {
        // So does the vehicle itself, where it can.
        if departure_from.is_none() {
            (session.departure, departure_from) = (begun.stated.departure, begun.departure_from);
        }
        if need_from.is_none() {
            (session.need_kwh, need_from) = (begun.stated.need_kwh, begun.need_from);
        }
    }
    let kept = KeptSession {
        departure_from,
        need_from,
        card: was.as_ref().and_then(|(_, begun)| begun.card.clone()),
        ..KeptSession::of(session)
    };
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(key(&site, &id), was.map(|(version, _)| version), change::body(&kept)?);
    let written = batch.write(&service).await?;
    let version = written.first().map_or(1, |written| written.version);
    place.tell(Event::Session { site: site.id.clone(), id: id.clone(), kept: kept.clone() });
    let location = format!("/v1/sites/{}/sessions/{id}", site.id);
    created(&location, version, &SessionView { id, version, what: kept })
}

/// 409 when another vehicle is at the charger then. A vehicle that a connected charger has announced by a transaction, and of
/// which nobody has said anything yet, is the one that is spoken of: its session, with id and version.
async fn free(
    service: &Service,
    site: &SiteRef,
    session: &Session,
    arrival: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<(String, u64, KeptSession)>, Problem> {
    for (document, other) in stated_since(&*service.store, &site.id, arrival - LONGEST_STAY).await? {
        if other.stated.charger == session.charger && overlaps(&other, arrival, session.departure, document.at) {
            let connected = service.hub.version(&site.id, &session.charger).is_some();
            if connected && other.is_unspoken() && arrival <= now {
                return Ok(Some((document.key.id, document.version, other)));
            }
            let detail = format!(
                "the session {:?} is at {:?} then; state its departure, or when it ended: PATCH {{\"ended\": …}}",
                document.key.id, session.charger
            );
            return Err(Problem::new(ProblemKind::Occupied, detail));
        }
    }
    Ok(None)
}

/// The sessions of a site that were stated at an instant or later, the first one first.
pub async fn stated_since(
    store: &dyn Store,
    site: &str,
    from: DateTime<Utc>,
) -> Result<Vec<(Document, KeptSession)>, Fault> {
    let after = Some((site.to_owned(), first_id(from)));
    let documents = store.all(List { after, ..List::of(Kind::Session, site) }).await?;
    documents.into_iter().map(|document| kept(&document).map(|session| (document, session))).collect()
}

/// The lowest id of a session that was stated at an instant or later: ids are UUIDs of version 7, which begin with the time.
fn first_id(at: DateTime<Utc>) -> String {
    let hex = format!("{:012x}", at.timestamp_millis().max(0));
    format!("{}-{}", &hex[..8], &hex[8..12])
}

/// Whether a session is at its charger in a span of time, as far as anybody has said.
fn overlaps(
    other: &KeptSession,
    arrival: DateTime<Utc>,
    departure: Option<DateTime<Utc>>,
    stated: DateTime<Utc>,
) -> bool {
    let from = other.stated.arrival.unwrap_or(stated);
    let until = other.ended.or(other.stated.departure);
    until.is_none_or(|until| arrival < until) && departure.is_none_or(|departure| from < departure)
}

/// Read a session
#[utoipa::path(
    get, path = "/v1/sites/{site}/sessions/{session}", tag = "sessions",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("session" = String, Path, description = "The session's id."),
    ),
    responses((status = 200, description = "The session.", body = SessionView)),
)]
async fn get_session(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let document = change::read(&service, &key(&site, &id)).await?;
    Ok(tagged(&headers, document.version, &view(&document)?))
}

/// Change a session
///
/// A new statement of departure or need, how full the battery is, an override (`boost`, `stop`) that ends by itself, or that
/// it was unplugged. What is not named stays as it is.
#[utoipa::path(
    patch, path = "/v1/sites/{site}/sessions/{session}", tag = "sessions",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("session" = String, Path, description = "The session's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be changed."),
    ),
    request_body = SessionChange,
    responses((status = 200, description = "Changed.", body = SessionView)),
)]
async fn patch_session(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
    Json(change): Json<SessionChange>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Sessions, &site).await?;
    let condition = Condition::of(&headers)?;
    let mut attempt = 1;
    let view = loop {
        match patch(&service, &caller, &site, &id, &change, &condition).await {
            Err(problem) if again(&problem, attempt, condition.is_set()) => attempt += 1,
            done => break done?,
        }
    };
    Ok(([(header::ETAG, etag(view.version))], axum::Json(view)).into_response())
}

async fn patch(
    service: &Service,
    caller: &Caller,
    site: &SiteRef,
    id: &str,
    change: &SessionChange,
    condition: &Condition,
) -> Result<SessionView, Problem> {
    let was = change::read(service, &key(site, id)).await?;
    condition.check(Some(was.version))?;
    let (_, what) = change::site(service, site).await?;
    let mut kept: KeptSession = kept(&was)?;
    check::change(&what, &kept, change, caller.at)?;
    apply(&mut kept, change, caller.at);
    let place = reserve(service)?;
    let mut batch = Batch::at_site(caller, site);
    batch.put(was.key, Some(was.version), change::body(&kept)?);
    let written = batch.write(service).await?;
    let version = written.first().map_or(was.version + 1, |written| written.version);
    place.tell(Event::Session { site: site.id.clone(), id: id.to_owned(), kept: kept.clone() });
    Ok(SessionView { id: id.to_owned(), version, what: kept })
}

fn apply(kept: &mut KeptSession, change: &SessionChange, now: DateTime<Utc>) {
    let stated = &mut kept.stated;
    if let Some(departure) = change.departure {
        stated.departure = departure;
        kept.departure_from = departure.map(|_| Origin::Driver);
    }
    if change.need_kwh.is_some() || change.soc_kwh.is_some() || change.target_kwh.is_some() {
        kept.need_from = Some(Origin::Driver);
    }
    // A need and a target say the same in two ways: the later one counts.
    if change.need_kwh.is_some() {
        stated.need_kwh = change.need_kwh;
        stated.target_kwh = None;
    }
    if change.target_kwh.is_some() {
        stated.target_kwh = change.target_kwh;
        stated.need_kwh = None;
    }
    stated.soc_kwh = change.soc_kwh.or(stated.soc_kwh);
    stated.phases = change.phases.or(stated.phases);
    stated.priority = change.priority.or(stated.priority);
    if let Some(wanted) = &change.r#override {
        let until = |wanted: &Override| Some(wanted.until.unwrap_or(now + OVERRIDE));
        kept.r#override = wanted.as_ref().map(|wanted| Override { action: wanted.action, until: until(wanted) });
    }
    kept.ended = change.ended.or(kept.ended);
}

/// Erase a session
///
/// With all that was ever said of it. To say that a vehicle was unplugged, change the session instead: `{"ended": …}`.
#[utoipa::path(
    delete, path = "/v1/sites/{site}/sessions/{session}", tag = "sessions",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("session" = String, Path, description = "The session's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be erased."),
    ),
    responses((status = 204, description = "Erased.")),
)]
async fn delete_session(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Sessions, &site).await?;
    let was = change::read(&service, &key(&site, &id)).await?;
    Condition::of(&headers)?.check(Some(was.version))?;
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.erase(was.key, was.version);
    batch.write(&service).await?;
    place.tell(Event::SessionGone { site: site.id, id });
    Ok(StatusCode::NO_CONTENT)
}

fn view(document: &Document) -> Result<SessionView, Problem> {
    Ok(SessionView { id: document.key.id.clone(), version: document.version, what: kept(document)? })
}

fn key(site: &SiteRef, id: &str) -> Key {
    Key::new(Kind::Session, &site.id, id)
}
