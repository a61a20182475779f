//! Weather that somebody else forecasts for a site: it comes before what is fetched.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use kwartier_data::feeds::push;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch, reserve};
use super::finite::Finite;
use super::problem::Problem;
use super::read::{Path, json_bytes, no_values};
use crate::access::{self, Caller, Permission};
use crate::app::Event;
use crate::fetch::weather;
use crate::resource::weather::SkyRow;
use crate::service::Service;

/// Most intervals of one request: ten days of quarter-hours.
const MOST: usize = 960;

/// The routes of weather.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_weather, put_weather, delete_weather))
}

/// Read the weather that was put
///
/// By the hour.
#[utoipa::path(
    get, path = "/v1/sites/{site}/weather", tag = "forecasts",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "The weather.", body = Vec<SkyRow>)),
)]
async fn get_weather(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<Vec<SkyRow>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Analyse, &site).await?;
    let rows = weather::put_at(&*service.store, &site.id).await?;
    rows.map(axum::Json).ok_or_else(none)
}

/// Put weather
///
/// As it is forecast now. While there is any that was put, our forecasts of the building are learnt from that and not from what is
/// fetched: put it every few hours, and delete it to go back.
#[utoipa::path(
    put, path = "/v1/sites/{site}/weather", tag = "forecasts",
    params(("site" = String, Path, description = "The site's id.")),
    request_body = Vec<SkyRow>,
    responses((status = 200, description = "Put: as it is kept, by the hour.", body = Vec<SkyRow>)),
)]
async fn put_weather(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    request: Request,
) -> Result<axum::Json<Vec<SkyRow>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    change::site(&service, &site).await?;
    let sky = push::sky(&json_bytes(request, &service).await?, caller.at).map_err(no_values)?;
    let mut finite = Finite::new("");
    if sky.values.rows.len() > MOST {
        finite.wrong("", format!("there are {} intervals; send at most {MOST} at once", sky.values.rows.len()));
    }
    for (k, row) in sky.values.rows.iter().enumerate().take(MOST) {
        finite.within(format!("[{k}]"));
        finite.near("start", row.start, caller.at);
    }
    finite.done()?;
    let place = reserve(&service)?;
    let key = weather::own_key(&site.id);
    let was = service.store.read(&key, None).await?.map(|was| was.version);
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(key, was, weather::body_of(&sky)?);
    batch.write(&service).await?;
    place.tell(Event::Foreseen { site: site.id.clone() });
    let rows = weather::put_at(&*service.store, &site.id).await?;
    rows.map(axum::Json).ok_or_else(none)
}

/// Delete the weather that was put
///
/// What is fetched counts again.
#[utoipa::path(
    delete, path = "/v1/sites/{site}/weather", tag = "forecasts",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_weather(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let document = service.store.read(&weather::own_key(&site.id), None).await?.ok_or_else(none)?;
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.delete(document.key, document.version);
    batch.write(&service).await?;
    place.tell(Event::Foreseen { site: site.id });
    Ok(StatusCode::NO_CONTENT)
}

fn none() -> Problem {
    Problem::not_found("weather that was put")
}
