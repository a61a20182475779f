//! The carbon intensity of a site's electricity: what was fetched for its area, or what somebody has put.

use axum::extract::{Request, State};
use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::{Span as Asked, file, push};
use kwartier_data::site::Site;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch};
use super::finite::Finite;
use super::problem::Problem;
use super::read::{Path, Query, bytes, is_json, no_values, unsupported};
use super::series;
use super::span::{Span, from_until};
use crate::access::{self, Caller, Permission};
use crate::fetch::{area, carbon};
use crate::resource::carbon::CarbonRow;
use crate::service::Service;

/// Most intervals of one request.
const MOST: usize = 10_000;

/// The routes of carbon intensity.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_carbon, put_carbon))
}

/// Which intensities.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CarbonQuery {
    /// From when on; the beginning of this UTC day where nothing is said.
    from: Option<DateTime<Utc>>,
    /// Until when; three days after `from` where nothing is said, 400 days at most.
    until: Option<DateTime<Utc>>,
}

/// Read carbon intensity
///
/// Of the intervals that begin in a span of time, in order: what somebody has put, for the rest what was fetched for the site's area;
/// what was measured before what is forecast.
#[utoipa::path(
    get, path = "/v1/sites/{site}/carbon", tag = "prices",
    params(("site" = String, Path, description = "The site's id."), CarbonQuery),
    responses((status = 200, description = "The intensities.", body = Vec<CarbonRow>)),
)]
async fn get_carbon(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(query): Query<CarbonQuery>,
) -> Result<axum::Json<Vec<CarbonRow>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let today = caller.at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let Span { from, until } = from_until(query.from, query.until, today, TimeDelta::days(3), super::finite::AHEAD)?;
    let area = area::of_carbon(&what);
    Ok(axum::Json(carbon::known(&*service.store, &site.id, area.as_deref(), (from, until)).await?))
}

/// Put carbon intensity
///
/// As JSON, or as a CSV or Parquet file with a column of stamps and one of kg/kWh or g/kWh, which is taken for measured. Each interval
/// takes the place of all that it overlaps, but no forecast that of a measurement; what is put comes before what is fetched.
#[utoipa::path(
    put, path = "/v1/sites/{site}/carbon", tag = "prices", params(("site" = String, Path, description = "The site's id.")),
    request_body(content((Vec<CarbonRow> = "application/json"), (String = "text/csv"),
        (String = "application/vnd.apache.parquet"))),
    responses((status = 200, description = "Put: what is known then.", body = Vec<CarbonRow>)),
)]
async fn put_carbon(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    request: Request,
) -> Result<axum::Json<Vec<CarbonRow>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let headers = request.headers().clone();
    let rows = if is_json(&headers) {
        sent(&bytes(request, &service).await?)?
    } else if series::is_file(&headers) {
        in_file(&bytes(request, &service).await?, &what)?
    } else {
        return Err(unsupported(series::TYPES, &headers));
    };
    check(&rows, caller.at)?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Err(Problem::internal()) };
    let span = (first.start, last.end());
    let changes = carbon::changes(&*service.store, carbon::Of::Site(&site.id), rows).await?;
    let mut batch = Batch::at_site(&caller, &site);
    for (key, was, body) in changes {
        batch.put(key, was, body);
    }
    batch.write(&service).await?;
    Ok(axum::Json(carbon::known(&*service.store, &site.id, None, span).await?))
}

fn sent(bytes: &[u8]) -> Result<Vec<CarbonRow>, Problem> {
    push::carbon(bytes).map(|values| carbon::rows(None, &values)).map_err(no_values)
}

fn in_file(bytes: &[u8], site: &Site) -> Result<Vec<CarbonRow>, Problem> {
    let asked = Asked { from: DateTime::UNIX_EPOCH, to: DateTime::<Utc>::MAX_UTC };
    file::carbon(bytes, &series::reading(site), false, asked)
        .map(|values| carbon::rows(None, &values))
        .map_err(no_values)
}

fn check(rows: &[CarbonRow], now: DateTime<Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    if rows.is_empty() || rows.len() > MOST {
        finite.wrong("", format!("there are {} intervals; send 1 to {MOST} at once", rows.len()));
    }
    for (k, row) in rows.iter().enumerate().take(MOST) {
        finite.within(format!("[{k}]"));
        finite.near("start", row.start, now);
    }
    finite.done()
}
