//! Forecasts that somebody else makes, each version kept with the time it became known.

use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use kwartier_data::series::Quantity;
use kwartier_data::site::Site;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch, kept, reserve};
use super::finite::{Finite, MOST_KW, shown};
use super::problem::Problem;
use super::read::{Path, Query, Rows, bytes, is_json, unsupported};
use super::series;
use super::version::{Condition, etag, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::resource::forecast::{ForecastRow, Foreseen, KeptForecast};
use crate::service::Service;
use crate::store::{Key, Kind};

/// Most intervals of a forecast: ten days of quarter-hours.
const MOST: usize = 960;

/// The routes of forecasts.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_forecast, put_forecast, delete_forecast))
}

/// As of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// As it was known then; now where nothing is said.
    at: Option<DateTime<Utc>>,
}

/// Read a forecast
///
/// The last that was put, or the one that was known at an instant.
#[utoipa::path(
    get, path = "/v1/sites/{site}/forecasts/{of}", tag = "forecasts",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("of" = inline(Foreseen), Path, description = "What is forecast."),
        AsOf,
    ),
    responses((status = 200, description = "The forecast.", body = KeptForecast)),
)]
async fn get_forecast(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, of)): Path<(String, Foreseen)>,
    Query(query): Query<AsOf>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Analyse, &site).await?;
    let document = service.store.read(&key(&site, of), query.at).await?.ok_or_else(none)?;
    Ok(tagged(&headers, document.version, &kept::<KeptForecast>(&document)?))
}

/// Put a forecast
///
/// As JSON, or as a CSV or Parquet file with a column of stamps and one of means, of which the first stretch without gaps counts. In
/// order, each interval as long as the others, without gaps. It takes the place of the one before, which stays readable as
/// of then. Plans use it for the hours it covers, before what Kwartier forecasts itself; prices that are known come before
/// prices that are forecast. PV counts together with a forecast of the building: meters show the two as one.
#[utoipa::path(
    put, path = "/v1/sites/{site}/forecasts/{of}", tag = "forecasts",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("of" = inline(Foreseen), Path, description = "What is forecast."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be replaced."),
    ),
    request_body(content((Vec<ForecastRow> = "application/json"), (String = "text/csv"),
        (String = "application/vnd.apache.parquet"))),
    responses((status = 200, description = "Put.", body = KeptForecast)),
)]
async fn put_forecast(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, of)): Path<(String, Foreseen)>,
    request: Request,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let rows = if is_json(&headers) {
        Rows::<ForecastRow>::from_request(request, &service).await?.0
    } else if series::is_file(&headers) {
        in_file(&bytes(request, &service).await?, of, &what)?
    } else {
        return Err(unsupported(series::TYPES, &headers));
    };
    let minutes = check(&rows, of, caller.at)?;
    let key = key(&site, of);
    let was = service.store.read(&key, None).await?.map(|was| was.version);
    Condition::of(&headers)?.check(was)?;
    let kept = KeptForecast { minutes, rows };
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(key, was, change::body(&kept)?);
    let written = batch.write(&service).await?;
    let version = written.first().map_or(1, |written| written.version);
    place.tell(Event::Foreseen { site: site.id });
    Ok(([(header::ETAG, etag(version))], axum::Json(kept)).into_response())
}

/// Delete a forecast
#[utoipa::path(
    delete, path = "/v1/sites/{site}/forecasts/{of}", tag = "forecasts",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("of" = inline(Foreseen), Path, description = "What is forecast."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_forecast(
    State(service): State<Service>,
    caller: Caller,
    Path((site, of)): Path<(String, Foreseen)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let document = service.store.read(&key(&site, of), None).await?.ok_or_else(none)?;
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.delete(document.key, document.version);
    batch.write(&service).await?;
    place.tell(Event::Foreseen { site: site.id });
    Ok(StatusCode::NO_CONTENT)
}

/// The means of a file, up to the first gap.
fn in_file(bytes: &[u8], of: Foreseen, site: &Site) -> Result<Vec<ForecastRow>, Problem> {
    let quantity = if of == Foreseen::Price { Quantity::Price } else { Quantity::Power };
    let (step, values) = series::values(bytes, quantity, site)?;
    let first = values.first().map(|(start, _)| *start).unwrap_or_default();
    let whole = values.into_iter().zip(0..).take_while(|((start, _), k)| *start == first + step * *k);
    Ok(whole.map(|((start, mean), _)| ForecastRow::certain(start, mean)).collect())
}

/// The length of the intervals in minutes, when everything is as it must be.
fn check(rows: &[ForecastRow], of: Foreseen, now: DateTime<Utc>) -> Result<u32, Problem> {
    if rows.len() < 2 || rows.len() > MOST {
        return Err(Problem::field("", format!("there are {} intervals; send 2 to {MOST}", rows.len())));
    }
    let step = rows[1].start - rows[0].start;
    let minutes = u32::try_from(step.num_minutes()).ok().filter(|minutes| matches!(minutes, 15 | 30 | 60));
    let Some(minutes) = minutes else {
        let detail = format!(
            "{} is {} minutes after [0]; send intervals of 15, 30 or 60",
            shown(rows[1].start),
            step.num_minutes()
        );
        return Err(Problem::field("[1].start", detail));
    };
    let mut finite = Finite::new("");
    let (most, unit) = if of == Foreseen::Price { (20.0, "EUR/kWh") } else { (MOST_KW, "kW") };
    for (k, row) in rows.iter().enumerate() {
        finite.within(format!("[{k}]"));
        finite.near("start", row.start, now);
        if k > 0 && row.start - rows[k - 1].start != step {
            let detail = format!("{} is not {} minutes after the one before", shown(row.start), step.num_minutes());
            finite.wrong("start", format!("{detail}; send them in order and without gaps"));
        }
        finite.magnitude("mean", Some(row.mean), most, unit);
        let quantiles = row.quantiles();
        let given: Vec<(&str, f64)> = quantiles.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
        if !given.is_empty() && given.len() < quantiles.len() {
            finite.wrong(given[0].0, "stands there without the others; give q05 to q95, or none");
        }
        for pair in given.windows(2).filter(|pair| pair[1].1 < pair[0].1) {
            let detail = format!("{} is below {}, {}; quantiles rise", pair[1].1, pair[0].0, pair[0].1);
            finite.wrong(pair[1].0, detail);
        }
        for (name, value) in given {
            finite.magnitude(name, Some(value), most, unit);
        }
    }
    finite.done()?;
    Ok(minutes)
}

fn none() -> Problem {
    Problem::not_found("a forecast of that")
}

fn key(site: &SiteRef, of: Foreseen) -> Key {
    Key::new(Kind::Forecast, &site.id, of.name())
}
