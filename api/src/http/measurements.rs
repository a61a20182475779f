//! Measurements: what meters show, sent in and read back.

use std::collections::HashSet;
use std::fmt::Write as _;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, reserve};
use super::finite::{Finite, MOST_KW, shown};
use super::page::{Listed, cursor, limit};
use super::problem::Problem;
use super::read::{Path, Query, Rows};
use super::span::{Span, from_until};
use crate::access::{self, Caller, Permission};
use crate::app::Event;
use crate::resource::measurement::Measurement;
use crate::service::Service;
use crate::store::{Grain, Measured, Measurements, Point};

/// Most measurements of one request, and of one answer.
const MOST: usize = 10_000;

/// The largest request in bytes: [`MOST`] rows, written at length.
const LARGEST: usize = 4 << 20;

/// How old a measurement may be for the loop to hear of it: what is older says nothing of now.
const OF_NOW: TimeDelta = TimeDelta::minutes(15);

/// How old a measurement may be at all.
const BACK: TimeDelta = TimeDelta::days(3660);

/// The routes of measurements.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_measurements, post_measurements)).layer(DefaultBodyLimit::max(LARGEST))
}

/// What became of measurements that were sent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Kept {
    /// How many are kept.
    pub kept: usize,
    /// How many of them are recent enough to say something of now.
    pub of_now: usize,
    /// Boards among them at which the site has no meter: what was measured there is kept and steers nothing.
    pub without_meter: Vec<String>,
}

/// Send measurements
///
/// What the meters at boards show: up to 10,000 rows. One for the same board and time takes the place of the one before. Those
/// of the last 15 minutes steer; older ones are history that forecasts learn from.
#[utoipa::path(
    post, path = "/v1/sites/{site}/measurements", tag = "measurements",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body = Vec<Measurement>,
    responses((status = 200, description = "Kept.", body = Kept)),
)]
async fn post_measurements(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Rows(rows): Rows<Measurement>,
) -> Result<axum::Json<Kept>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Feed, &site).await?;
    let boards = boards(&service, &site).await?;
    check(&rows, &boards, caller.at)?;
    let measured: Vec<Measured> = rows.iter().map(|row| measured(&site.id, row)).collect();
    let mut without_meter: Vec<String> = Vec::new();
    for (board, _) in boards.iter().filter(|(_, has_meter)| !has_meter) {
        if rows.iter().any(|row| row.node == *board) {
            without_meter.push(board.clone());
        }
    }
    let of_now: Vec<Measurement> = rows.into_iter().filter(|row| caller.at - row.at <= OF_NOW).collect();
    let place = if of_now.is_empty() { None } else { Some(reserve(&service)?) };
    service.store.measure(&measured).await?;
    let kept = Kept { kept: measured.len(), of_now: of_now.len(), without_meter };
    if let Some(place) = place {
        place.tell(Event::Measured { site: site.id, rows: of_now });
    }
    Ok(axum::Json(kept))
}

/// The boards of a site, and whether each has a meter.
async fn boards(service: &Service, site: &access::SiteRef) -> Result<Vec<(String, bool)>, Problem> {
    if let Some(status) = service.app.status(&site.id) {
        return Ok(status.nodes.iter().map(|node| (node.id.clone(), node.meter_believed.is_some())).collect());
    }
    let (_, what) = change::site(service, site).await?;
    let meter = |board: &str| what.meters.iter().any(|meter| meter.board == board);
    Ok(what.boards.iter().map(|board| (board.id.clone(), meter(&board.id))).collect())
}

fn measured(site: &str, row: &Measurement) -> Measured {
    Measured {
        site: site.to_owned(),
        place: format!("node/{}", row.node),
        at: row.at,
        phases_a: [row.l1_a, row.l2_a, row.l3_a],
        power_kw: row.power_kw,
        energy_kwh: None,
    }
}

fn check(rows: &[Measurement], boards: &[(String, bool)], now: DateTime<Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    if rows.is_empty() {
        finite.wrong("", "there is no measurement; send at least one");
    }
    if rows.len() > MOST {
        finite.wrong("", format!("there are {} measurements; send at most {MOST} at once", rows.len()));
    }
    let mut seen = HashSet::new();
    for (k, row) in rows.iter().enumerate().take(MOST) {
        finite.within(format!("[{k}]"));
        if !boards.iter().any(|(board, _)| *board == row.node) {
            finite.wrong("node", format!("{:?} is no board of the site; name one that GET …/nodes lists", row.node));
        }
        finite.not_ahead("at", row.at, now);
        if row.at < now - BACK {
            finite.wrong("at", format!("{} is more than ten years ago; check the year", shown(row.at)));
        }
        if !seen.insert((&row.node, row.at)) {
            let detail =
                format!("{} stands there twice for {:?}; send one value for each time", shown(row.at), row.node);
            finite.wrong("at", detail);
        }
        for (field, value) in [("l1_a", row.l1_a), ("l2_a", row.l2_a), ("l3_a", row.l3_a)] {
            finite.current(field, Some(value));
        }
        finite.magnitude("power_kw", row.power_kw, MOST_KW, "kW");
    }
    finite.done()
}

/// Which measurements.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MeasurementsQuery {
    /// From when on; an hour ago where nothing is said.
    from: Option<DateTime<Utc>>,
    /// Before when; an hour after `from` where nothing is said, 400 days at most.
    until: Option<DateTime<Utc>>,
    /// How fine: as measured where nothing is said. What has aged is coarser than asked for.
    #[param(inline)]
    grain: Option<GrainName>,
    /// Only this board.
    node: Option<String>,
    /// Only this charger.
    charger: Option<String>,
    /// How many items at most; 1,000 where nothing is said. More than 10,000 is refused.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// How fine measurements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GrainName {
    /// As they were measured.
    Raw,
    /// One a minute.
    Minute,
    /// One a quarter-hour.
    Quarter,
}

/// A measurement, or several rolled into one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Row {
    /// Where: `node/HV`, `charger/Station 1`.
    pub place: String,
    /// When; of several, when the first may have been.
    pub at: DateTime<Utc>,
    /// Mean current of L1 in A, import positive.
    pub l1_a: f64,
    /// Of L2.
    pub l2_a: f64,
    /// Of L3.
    pub l3_a: f64,
    /// Mean power in kW, import positive, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_kw: Option<f64>,
    /// Last value of a counter in kWh, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<f64>,
    /// Highest value of L1, L2, L3 in A.
    pub highest_a: [f64; 3],
    /// How fine it is.
    pub grain: GrainName,
    /// How many measurements are in it.
    pub count: u32,
}

/// Read measurements
///
/// In the order of place and time, as JSON, or with `Accept: text/csv` as a table; then the cursor of the next page is the header
/// `Kwartier-Next`.
#[utoipa::path(
    get, path = "/v1/sites/{site}/measurements", tag = "measurements",
    params(("site" = String, Path, description = "The site's id."), MeasurementsQuery),
    responses((status = 200, description = "A page of measurements.", content(
        (Listed<Row> = "application/json"), (String = "text/csv"),
    ))),
)]
async fn get_measurements(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
    Query(query): Query<MeasurementsQuery>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Analyse, &site).await?;
    let hour = TimeDelta::hours(1);
    let Span { from, until } = from_until(query.from, query.until, caller.at - hour, hour, super::finite::AHEAD)?;
    let place = match (query.node, query.charger) {
        (Some(_), Some(_)) => return Err(Problem::parameter("charger", "stands beside node; ask for one of them")),
        (Some(node), None) => Some(format!("node/{node}")),
        (None, Some(charger)) => Some(format!("charger/{charger}")),
        (None, None) => None,
    };
    let page = super::page::PageQuery { limit: None, cursor: query.cursor };
    let most = u32::try_from(MOST).unwrap_or(u32::MAX);
    let ask = Measurements {
        site: site.id,
        place,
        from,
        until,
        grain: match query.grain {
            None | Some(GrainName::Raw) => Grain::Raw,
            Some(GrainName::Minute) => Grain::Minute,
            Some(GrainName::Quarter) => Grain::Quarter,
        },
        after: page.after()?,
        limit: limit(query.limit.or(Some(1000)), most)?,
    };
    let found = service.store.measured(&ask).await?;
    let last = found.items.last().filter(|_| found.more);
    let next = last.and_then(|last| cursor(&(&last.mean.place, last.mean.at)));
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/csv") {
        return Ok(axum::Json(Listed { items: found.items.iter().map(row).collect(), next }).into_response());
    }
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let mut response = ([(header::CONTENT_TYPE, kind)], table(&found.items)).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        response.headers_mut().insert("kwartier-next", next);
    }
    Ok(response)
}

fn row(point: &Point) -> Row {
    let [l1_a, l2_a, l3_a] = point.mean.phases_a;
    Row {
        place: point.mean.place.clone(),
        at: point.mean.at,
        l1_a,
        l2_a,
        l3_a,
        power_kw: point.mean.power_kw,
        energy_kwh: point.mean.energy_kwh,
        highest_a: point.highest_a,
        grain: match point.grain {
            Grain::Raw => GrainName::Raw,
            Grain::Minute => GrainName::Minute,
            Grain::Quarter => GrainName::Quarter,
        },
        count: point.count,
    }
}

fn table(points: &[Point]) -> String {
    let mut text =
        "place,start,l1_a,l2_a,l3_a,power_kw,energy_kwh,l1_highest_a,l2_highest_a,l3_highest_a,count\n".to_owned();
    for point in points {
        let cell = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let [l1, l2, l3] = point.mean.phases_a;
        let [h1, h2, h3] = point.highest_a;
        let place = quoted(&point.mean.place);
        let (power, energy) = (cell(point.mean.power_kw), cell(point.mean.energy_kwh));
        let at = shown(point.mean.at);
        let _ = writeln!(text, "{place},{at},{l1},{l2},{l3},{power},{energy},{h1},{h2},{h3},{}", point.count);
    }
    text
}

/// A cell as CSV writes it. One that a spreadsheet would take for a formula is not taken for one.
pub fn quoted(cell: &str) -> String {
    let cell = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', ';', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}
