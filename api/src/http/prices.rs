//! Prices: what energy costs in each interval, all included. They are kept by UTC day.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request, State};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kwartier_data::series::Quantity;
use kwartier_data::site::Site;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch, again, kept, reserve};
use super::finite::Finite;
use super::problem::Problem;
use super::read::{Path, Query, Rows, bytes, is_json, unsupported};
use super::series;
use super::span::{Span, from_until};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::resource::price::Price;
use crate::service::Service;
use crate::store::{Key, Kind, List};

/// Most intervals of one request.
const MOST: usize = 10_000;

/// The highest price that is believed, in EUR/kWh: beyond it, the unit is EUR/MWh.
const HIGHEST: f64 = 20.0;

/// How far back prices may lie.
const BACK: TimeDelta = TimeDelta::days(3660);

/// The routes of prices.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_prices, put_prices))
}

/// What became of prices that were put.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PricesPut {
    /// How many intervals were put.
    pub put: usize,
    /// When the first of them begins.
    pub from: DateTime<Utc>,
    /// When the last of them ends.
    pub until: DateTime<Utc>,
}

/// Which prices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PricesQuery {
    /// From when on; the beginning of this UTC day where nothing is said.
    from: Option<DateTime<Utc>>,
    /// Until when; three days after `from` where nothing is said, 400 days at most.
    until: Option<DateTime<Utc>>,
}

/// Read prices
///
/// The intervals that begin in a span of time, in order.
#[utoipa::path(
    get, path = "/v1/sites/{site}/prices", tag = "prices",
    params(("site" = String, Path, description = "The site's id."), PricesQuery),
    responses((status = 200, description = "The prices.", body = Vec<Price>)),
)]
async fn get_prices(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(query): Query<PricesQuery>,
) -> Result<axum::Json<Vec<Price>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let today = caller.at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let Span { from, until } = from_until(query.from, query.until, today, TimeDelta::days(3), super::finite::AHEAD)?;
    let before_first = (from.date_naive() - TimeDelta::days(1)).to_string();
    let last = until.date_naive().to_string();
    let ask = List { after: Some((site.id.clone(), before_first)), limit: 500, ..List::of(Kind::Prices, &site.id) };
    let mut prices = Vec::new();
    for day in service.store.list(&ask).await?.items.iter().filter(|day| day.key.id <= last) {
        let day: Vec<Price> = kept(day)?;
        prices.extend(day.into_iter().filter(|price| from <= price.start && price.start < until));
    }
    Ok(axum::Json(prices))
}

/// Put prices
///
/// As JSON, or as a CSV or Parquet file with a column of stamps and one of what a kWh from the grid costs, all included, in EUR/kWh,
/// EUR/MWh or ct/kWh. Each interval takes the place of all that it overlaps; others stay. New prices make a new plan. Prices that are put stay
/// when others are fetched.
#[utoipa::path(
    put, path = "/v1/sites/{site}/prices", tag = "prices", params(("site" = String, Path, description = "The site's id.")),
    request_body(content((Vec<Price> = "application/json"), (String = "text/csv"),
        (String = "application/vnd.apache.parquet"))),
    responses((status = 200, description = "Put.", body = PricesPut)),
)]
async fn put_prices(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    request: Request,
) -> Result<axum::Json<PricesPut>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let headers = request.headers().clone();
    let mut prices = if is_json(&headers) {
        Rows::<Price>::from_request(request, &service).await?.0
    } else if series::is_file(&headers) {
        in_file(&bytes(request, &service).await?, &what)?
    } else {
        return Err(unsupported(series::TYPES, &headers));
    };
    check(&prices, caller.at)?;
    for price in &mut prices {
        *price = Price::put(price.start, price.minutes, price.import_eur_kwh, price.export_eur_kwh);
    }
    prices.sort_by_key(|price| price.start);
    let mut attempt = 1;
    while let Err(problem) = once(&service, &caller, &site, &prices).await {
        if !again(&problem, attempt, false) {
            return Err(problem);
        }
        attempt += 1;
    }
    let (Some(first), Some(last)) = (prices.first(), prices.last()) else { return Err(Problem::internal()) };
    Ok(axum::Json(PricesPut { put: prices.len(), from: first.start, until: end(last) }))
}

async fn once(service: &Service, caller: &Caller, site: &SiteRef, prices: &[Price]) -> Result<(), Problem> {
    let mut days: BTreeMap<NaiveDate, Vec<Price>> = BTreeMap::new();
    for price in prices {
        days.entry(price.start.date_naive()).or_default().push(*price);
    }
    let place = reserve(service)?;
    let mut batch = Batch::at_site(caller, site);
    for (day, new) in days {
        let key = Key::new(Kind::Prices, &site.id, day.to_string());
        let was = service.store.read(&key, None).await?;
        let mut merged: Vec<Price> = was.as_ref().map(kept).transpose()?.unwrap_or_default();
        merged.retain(|old| new.iter().all(|price| end(price) <= old.start || end(old) <= price.start));
        merged.extend(new);
        merged.sort_by_key(|price| price.start);
        batch.put(key, was.map(|was| was.version), change::body(&merged)?);
    }
    batch.write(service).await?;
    place.tell(Event::Prices { site: site.id.clone(), prices: prices.to_vec() });
    Ok(())
}

/// The prices of a file; what lasts longer than an hour is put by the hour.
fn in_file(bytes: &[u8], site: &Site) -> Result<Vec<Price>, Problem> {
    let (step, values) = series::values(bytes, Quantity::Price, site)?;
    let minutes = step.num_minutes();
    let piece = if minutes > 60 && minutes % 60 == 0 { 60 } else { minutes };
    let pieces = (minutes / piece.max(1)).max(1);
    let length = u32::try_from(piece).unwrap_or_default();
    let each = |(start, eur_kwh): (DateTime<Utc>, f64)| {
        (0..pieces).map(move |k| Price::put(start + TimeDelta::minutes(k * piece), length, eur_kwh, None))
    };
    Ok(values.into_iter().flat_map(each).collect())
}

fn end(price: &Price) -> DateTime<Utc> {
    price.start + TimeDelta::minutes(i64::from(price.minutes))
}

fn check(prices: &[Price], now: DateTime<Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    if prices.is_empty() {
        finite.wrong("", "there is no interval; send at least one");
    }
    if prices.len() > MOST {
        finite.wrong("", format!("there are {} intervals; send at most {MOST} at once", prices.len()));
    }
    for (k, price) in prices.iter().enumerate().take(MOST) {
        finite.within(format!("[{k}]"));
        if !matches!(price.minutes, 15 | 30 | 60) {
            finite.wrong("minutes", format!("{} is not 15, 30 or 60; send intervals of one of these", price.minutes));
        } else if price.start.timestamp() % (60 * i64::from(price.minutes)) != 0
            || price.start.timestamp_subsec_nanos() != 0
        {
            let detail = format!(
                "{} is no beginning of {} minutes of the clock",
                super::finite::shown(price.start),
                price.minutes
            );
            finite.wrong("start", format!("{detail}; send whole intervals"));
        }
        finite.near("start", price.start, now);
        if price.start < now - BACK {
            let detail = format!("{} is more than ten years ago; check the year", super::finite::shown(price.start));
            finite.wrong("start", detail);
        }
        for (field, value) in [("import_eur_kwh", Some(price.import_eur_kwh)), ("export_eur_kwh", price.export_eur_kwh)]
        {
            if let Some(value) = value.filter(|value| !value.is_finite() || value.abs() > HIGHEST) {
                let detail = format!("{value} is more than {HIGHEST} EUR/kWh; for EUR/MWh divide it by 1000");
                finite.wrong(field, detail);
            }
        }
    }
    if finite.is_fine() {
        let mut order: Vec<usize> = (0..prices.len()).collect();
        order.sort_by_key(|&k| prices[k].start);
        for pair in order.windows(2) {
            if end(&prices[pair[0]]) > prices[pair[1]].start {
                finite.within(format!("[{}]", pair[1]));
                let start = super::finite::shown(prices[pair[1]].start);
                finite.wrong("start", format!("{start} overlaps [{}]; send each interval once", pair[0]));
            }
        }
    }
    finite.done()
}
