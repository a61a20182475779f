//! Setpoints: what each charger may draw now, once or as it changes.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::read::{Path, Query};
use super::status::taken_up;
use super::stream::{self, Guard, Teller, Told, wants_stream};
use crate::access::{self, Caller, Permission};
use crate::app::{Event, Follower};
use crate::resource::setpoint::Setpoint;
use crate::service::Service;

/// How often the loop is told that a follower who hears nothing new is still there.
const STILL_TAKEN: Duration = Duration::from_secs(10);

/// How long the first answer waits for the loop to give out setpoints.
const FIRST: Duration = Duration::from_secs(3);

/// Setpoints of one step come within so long of each other.
const TOGETHER: Duration = Duration::from_millis(50);

/// The routes of setpoints.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_setpoints))
}

/// How setpoints are taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SetpointsQuery {
    /// Only what came after this number; a stream also takes `Last-Event-ID`.
    after: Option<u64>,
    /// Whether the caller passes them on to the chargers, which then count as reached. Who may feed the site does where nothing
    /// is said; `false` merely looks.
    take: Option<bool>,
}

/// Setpoints of a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Setpoints {
    /// The last of each charger, or all after a number; by number.
    pub items: Vec<Setpoint>,
    /// The highest number so far.
    pub number: u64,
}

/// Setpoints
///
/// The last of each charger (the first time somebody takes them, within 3 s): amperes, phases, watts, until when they hold, what holds after that, and why. With
/// `Accept: text/event-stream` as they change: events `setpoint`, whose id is their number. `Last-Event-ID` goes on where
/// a stream was cut; what is no longer remembered is told as the last setpoint of each charger.
#[utoipa::path(
    get, path = "/v1/sites/{site}/setpoints", tag = "control",
    params(
        ("site" = String, Path, description = "The site's id."),
        SetpointsQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that arrived."),
    ),
    responses((status = 200, description = "The setpoints.", content(
        (Setpoints = "application/json"), (String = "text/event-stream"),
    ))),
)]
async fn get_setpoints(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
    Query(query): Query<SetpointsQuery>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let may_take = access::at_site(&service, &caller, Permission::Feed, &site.id).await;
    let takes = match (query.take, may_take) {
        (Some(false), _) | (None, Err(_)) => false,
        (Some(true), Err(problem)) => return Err(problem),
        (_, Ok(_)) => true,
    };
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let after = query.after.or(last);
    let follower = taken_up(&site.id, || service.app.follow(&site.id, after)).await?;
    let taking = takes.then(|| Taking { service: service.clone(), site: site.id.clone() });
    if wants_stream(&headers) {
        let (tell, stream) = stream::open();
        let guard = Guard::new(service, caller, Permission::See, site);
        tokio::spawn(follow(tell, follower, taking, guard));
        return Ok(stream);
    }
    let items = match &taking {
        // Nobody has taken any yet: the loop gives some out as soon as it hears that somebody does.
        Some(taking) if follower.backlog.is_empty() && query.after.is_none() => {
            taking.tell(0);
            first(follower.coming).await
        }
        _ => follower.backlog,
    };
    let number = items.last().map_or(query.after.unwrap_or(0), |last| last.number);
    if let Some(taking) = taking {
        taking.tell(number);
    }
    Ok(axum::Json(Setpoints { items, number }).into_response())
}

/// The first setpoints of a site, the last of each charger; none where the loop gives out none in time.
async fn first(mut coming: broadcast::Receiver<Setpoint>) -> Vec<Setpoint> {
    let mut items: Vec<Setpoint> = Vec::new();
    let mut patience = FIRST;
    // Those of one step come together.
    while let Ok(Ok(setpoint)) = tokio::time::timeout(patience, coming.recv()).await {
        items.retain(|before| before.charger != setpoint.charger);
        items.push(setpoint);
        patience = TOGETHER;
    }
    items
}

/// Somebody who passes setpoints on.
struct Taking {
    service: Service,
    site: String,
}

impl Taking {
    /// Tells the loop up to which number they were taken. A loop that is too busy hears it the next time.
    fn tell(&self, number: u64) {
        let event = Event::Taken { site: self.site.clone(), number };
        if self.service.app.tell(event).is_err() {
            tracing::debug!(site = self.site, "the loop is too busy to hear that setpoints were taken");
        }
    }
}

async fn follow(tell: Teller, follower: Follower, taking: Option<Taking>, mut guard: Guard) {
    let Follower { backlog, mut coming } = follower;
    let mut number = 0;
    let mut still_taken = tokio::time::interval(STILL_TAKEN);
    let mut waiting = backlog;
    waiting.reverse();
    loop {
        while let Some(setpoint) = waiting.pop() {
            // What came while the backlog was read stands in both.
            if setpoint.number <= number {
                continue;
            }
            if tell.event("setpoint", Some(setpoint.number), &setpoint).await == Told::Gone {
                return;
            }
            number = setpoint.number;
            if waiting.is_empty()
                && let Some(taking) = &taking
            {
                taking.tell(number);
            }
        }
        tokio::select! {
            setpoint = coming.recv() => match setpoint {
                Ok(setpoint) => waiting.push(setpoint),
                // Too slow: the stream ends, and goes on from Last-Event-ID with what is remembered.
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            },
            _ = still_taken.tick() => if let Some(taking) = &taking {
                taking.tell(number);
            },
            still = guard.still_allowed() => if !still { return },
            () = tell.gone() => return,
        }
    }
}
