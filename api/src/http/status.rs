//! How a site looks right now, once or as it changes.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{Problem, ProblemKind};
use super::read::Path;
use super::stream::{self, Told, wants_stream};
use crate::access::{self, Caller, Permission};
use crate::resource::status::SiteStatus;
use crate::service::Service;

/// A site that is new is taken up within milliseconds: it is looked for so often.
const LOOKS: Duration = Duration::from_millis(20);

/// And so many times: 2 s.
const MOST_LOOKS: u32 = 100;

/// The routes of the status.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_status))
}

/// How a site looks right now
///
/// Boards with each phase, chargers with setpoints and sessions, the plan in force, alarms. With `Accept: text/event-stream`
/// as it changes: an event `status` each second at most.
#[utoipa::path(
    get, path = "/v1/sites/{site}/status", tag = "control",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "The site now.", content(
        (SiteStatus = "application/json"), (String = "text/event-stream"),
    ))),
)]
async fn get_status(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let status = taken_up(&site.id, || service.app.status(&site.id)).await?;
    if !wants_stream(&headers) {
        return Ok(axum::Json(&*status).into_response());
    }
    let mut changes = taken_up(&site.id, || service.app.watch(&site.id)).await?;
    let (tell, stream) = stream::open();
    let mut guard = stream::Guard::new(service, caller, Permission::See, site);
    tokio::spawn(async move {
        let mut next = Some(status);
        loop {
            if let Some(status) = next.take()
                && tell.event("status", None, &*status).await == Told::Gone
            {
                return;
            }
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(status) => next = Some(status),
                    // Only the latest counts: what was missed is past.
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                },
                still = guard.still_allowed() => if !still { return },
                () = tell.gone() => return,
            }
        }
    });
    Ok(stream)
}

/// What the loop knows of a site, which it may just be taking up; 503, it has not in time.
pub async fn taken_up<T>(site: &str, look: impl Fn() -> Option<T>) -> Result<T, Problem> {
    let mut looks = tokio::time::interval(LOOKS);
    for _ in 0..MOST_LOOKS {
        looks.tick().await;
        if let Some(found) = look() {
            return Ok(found);
        }
    }
    let detail = format!("the loop has not taken up {site:?} yet; try again in a second");
    Err(Problem::new(ProblemKind::Starting, detail))
}
