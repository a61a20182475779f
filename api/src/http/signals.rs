//! Signals: limits that a grid operator sets for a while.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use kwartier_data::site::Site;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::change::{self, Batch, kept, reserve};
use super::finite::{Finite, MOST_A, MOST_KW, shown};
use super::page::{self, Listed, PageQuery};
use super::problem::Problem;
use super::read::{Json, Path, Query};
use super::version::{Condition, created, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::resource::signal::{Basis, Signal};
use crate::service::Service;
use crate::store::{Document, Key, Kind};

/// The routes of signals.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_signals, post_signal)).routes(routes!(get_signal, delete_signal))
}

/// A signal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SignalView {
    /// Its id.
    pub id: String,
    /// Its version; also its `ETag`.
    pub version: u64,
    /// What it says.
    #[serde(flatten)]
    pub what: Signal,
}

/// List signals
///
/// All that were not withdrawn, past ones too, in the order they came.
#[utoipa::path(
    get, path = "/v1/sites/{site}/signals", tag = "signals",
    params(("site" = String, Path, description = "The site's id."), PageQuery),
    responses((status = 200, description = "A page of signals.", body = Listed<SignalView>)),
)]
async fn list_signals(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<SignalView>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let found = service.store.list(&page.of(Kind::Signal, &site.id)?).await?;
    let next = page::next(&found);
    let items = found.items.iter().map(view).collect::<Result<_, _>>()?;
    Ok(axum::Json(Listed { items, next }))
}

/// Send a signal
///
/// A limit for the whole site, a board, or some chargers together, from a time on. It counts at every moment, or with
/// `"basis": "quarter"` on the average of each clock quarter-hour. Several at once: each is kept.
#[utoipa::path(
    post, path = "/v1/sites/{site}/signals", tag = "signals",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body = Signal,
    responses((status = 201, description = "It counts.", body = SignalView, headers(
        ("Location" = String, description = "Where it is read and withdrawn."),
    ))),
)]
async fn post_signal(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Json(signal): Json<Signal>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Signal, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    check(&what, &signal, caller.at)?;
    let id = Uuid::now_v7().to_string();
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(key(&site, &id), None, change::body(&signal)?);
    batch.write(&service).await?;
    place.tell(Event::Signal { site: site.id.clone(), id: id.clone(), signal: Some(signal.clone()) });
    let location = format!("/v1/sites/{}/signals/{id}", site.id);
    created(&location, 1, &SignalView { id, version: 1, what: signal })
}

/// Read a signal
#[utoipa::path(
    get, path = "/v1/sites/{site}/signals/{signal}", tag = "signals",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("signal" = String, Path, description = "The signal's id."),
    ),
    responses((status = 200, description = "The signal.", body = SignalView)),
)]
async fn get_signal(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let document = change::read(&service, &key(&site, &id)).await?;
    Ok(tagged(&headers, document.version, &view(&document)?))
}

/// Withdraw a signal
#[utoipa::path(
    delete, path = "/v1/sites/{site}/signals/{signal}", tag = "signals",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("signal" = String, Path, description = "The signal's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be withdrawn."),
    ),
    responses((status = 204, description = "It counts no longer.")),
)]
async fn delete_signal(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Signal, &site).await?;
    let document = change::read(&service, &key(&site, &id)).await?;
    Condition::of(&headers)?.check(Some(document.version))?;
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.delete(document.key, document.version);
    batch.write(&service).await?;
    place.tell(Event::Signal { site: site.id, id, signal: None });
    Ok(StatusCode::NO_CONTENT)
}

fn check(site: &Site, signal: &Signal, now: DateTime<Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    match (signal.limit_kw, signal.limit_a) {
        (None, None) => finite.wrong("limit_kw", "is missing; say limit_kw, or limit_a for L1, L2, L3"),
        (Some(_), Some(_)) if signal.basis != Basis::Emergency => {
            finite.wrong("limit_a", "stands beside limit_kw; send two signals, or one of them");
        }
        _ => {}
    }
    finite.not_negative("limit_kw", signal.limit_kw, MOST_KW, "kW");
    for (phase, limit_a) in signal.limit_a.into_iter().flatten().enumerate() {
        finite.not_negative(&format!("limit_a[{phase}]"), Some(limit_a), MOST_A, "A");
    }
    if signal.basis == Basis::Quarter && signal.limit_a.is_some() {
        finite.wrong("basis", "is \"quarter\" with limit_a; a quarter-hour's average is limited in kW alone");
    }
    if signal.basis == Basis::Emergency && signal.group.is_some() {
        finite.wrong("group", "stands beside basis \"emergency\"; emergency power supplies a board, or the whole site");
    }
    if signal.basis != Basis::Emergency && signal.priority.is_some() {
        finite.wrong("priority", "stands without basis \"emergency\"; only who is left with power then goes by it");
    }
    if let Some(node) = signal.node.as_ref().filter(|node| !site.boards.iter().any(|board| board.id == **node)) {
        finite.wrong("node", format!("{node:?} is no board of the site; leave it out for the whole site"));
    }
    if let Some(group) = &signal.group {
        if signal.node.is_some() {
            finite.wrong("group", "stands beside node; send two signals, or one of them");
        }
        if group.is_empty() {
            finite.wrong("group", "[] names no charger; leave it out for the whole site");
        }
        for (k, charger) in group.iter().enumerate() {
            let field = format!("group[{k}]");
            if !site.stations.iter().any(|station| station.id == *charger) {
                finite.wrong(&field, format!("{charger:?} is no charger of the site; name those that it has"));
            } else if group[..k].contains(charger) {
                finite.wrong(&field, format!("{charger:?} stands there twice; name each once"));
            }
        }
    }
    finite.near("from", signal.from, now);
    if let Some(until) = signal.until {
        finite.near("until", until, now);
        if until <= signal.from {
            finite.wrong(
                "until",
                format!("{} is not after `from`, {}; send a later one", shown(until), shown(signal.from)),
            );
        } else if until <= now {
            finite.wrong("until", format!("{} has passed; nothing is left to be limited", shown(until)));
        }
    }
    finite.done()
}

fn view(document: &Document) -> Result<SignalView, Problem> {
    Ok(SignalView { id: document.key.id.clone(), version: document.version, what: kept(document)? })
}

fn key(site: &SiteRef, id: &str) -> Key {
    Key::new(Kind::Signal, &site.id, id)
}
