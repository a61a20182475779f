//! What is due at a site, and when, on the clock of its zone.

use axum::extract::State;
use chrono::{DateTime, NaiveTime, Utc};
use kwartier_data::feeds::Area;
use kwartier_data::local;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change;
use super::problem::Problem;
use super::read::Path;
use crate::access::{self, Caller, Permission};
use crate::jobs::calendar::Every;
use crate::jobs::chores::HOURLY;
use crate::service::Service;

/// When the day-ahead auction publishes, on the market's clock.
const PUBLICATION: NaiveTime = match NaiveTime::from_hms_opt(12, 50, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// The routes of calendars.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_calendar))
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Due {
    /// What: `plan` (a plan and what it is forecast from, anew), `publication` (tomorrow's prices, and a plan on them), `roll_up`
    /// (what is old is made coarser or dropped), `backup`. The last three are jobs of these kinds.
    what: String,
    /// When.
    at: DateTime<Utc>,
    /// The same on the site's clock, with its offset.
    local: String,
}

/// Read what is due
///
/// Next, in order. Plans are made when something changes that matters, too.
#[utoipa::path(
    get, path = "/v1/sites/{site}/calendar", tag = "jobs",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "What is due.", body = Vec<Due>)),
)]
async fn get_calendar(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<Vec<Due>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let zone = local::zone(&what.time_zone).map_err(|_| Problem::internal())?;
    let mut all = vec![("plan", Every::Quarter, zone), ("roll_up", HOURLY, zone)];
    let area = what.price_area.as_deref().and_then(Area::parse);
    all.extend(area.map(|area| ("publication", Every::Day(PUBLICATION), area.market_zone())));
    all.extend(service.config.backup.folder.as_ref().map(|_| ("backup", HOURLY, zone)));
    let due = |(what, every, clock): (&str, Every, chrono_tz::Tz)| {
        let at = every.next(clock, caller.at);
        Due { what: what.to_owned(), at, local: local::shown(zone, at) }
    };
    let mut due: Vec<Due> = all.into_iter().map(due).collect();
    due.sort_by_key(|due| due.at);
    Ok(axum::Json(due))
}
