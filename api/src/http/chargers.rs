//! Chargers: a station of the site and how it is reached, and what those over the API report.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use kwartier_data::site::Station;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, kept, reserve};
use super::edit::{Wanted, edit_there, place_in};
use super::finite::Finite;
use super::page::Listed;
use super::problem::{FieldError, Problem};
use super::read::{Json, Path};
use super::version::{etag, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::ocpp::{Quirks, Record, Told, gone, known as record_of};
use crate::resource::charger::{Charger, KeptCharger, KeptOcpp, Ocpp, Report};
use crate::service::Service;
use crate::store::{Document, Key, Kind, List};

/// How long OCPP wants passwords to be, in characters (security white paper, 3.2; OCPP 2.0.1, A00.FR.205).
const PASSWORD: std::ops::RangeInclusive<usize> = 16..=40;

/// The routes of chargers.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list_chargers))
        .routes(routes!(get_charger, put_charger, delete_charger))
        .routes(routes!(report_charger))
}

/// A charger as it is read. Passwords are never read back.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChargerView {
    /// Name.
    pub id: String,
    /// Name of the board that it hangs on.
    pub node: String,
    /// Which grid phase hangs on its own L1, L2, L3: letters R = L1, S = L2, T = L3, `x` where none does; absent, unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "RST")]
    pub phase_map: Option<String>,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// How it is reached; absent, over the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ocpp: Option<OcppView>,
}

/// How a charger connects over OCPP, as it is read.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OcppView {
    /// OCPP security profile.
    pub security_profile: u8,
    /// Whether it is connected now.
    pub online: bool,
    /// When it connected last; absent, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<DateTime<Utc>>,
    /// In which version it speaks: `ocpp1.6`, `ocpp2.0.1`, `ocpp2.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// Who made it, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Which model it is, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Which firmware it runs, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// How it is treated otherwise than usual, by the catalogue of chargers and by what was put; absent, as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quirks: Option<Quirks>,
    /// What it has told of itself beside charging: faults, security events, how updates and uploads go.
    #[serde(flatten)]
    pub told: Told,
}

/// List chargers
///
/// All stations of the site, in its order.
#[utoipa::path(
    get, path = "/v1/sites/{site}/chargers", tag = "chargers",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "All chargers; there is one page.", body = Listed<ChargerView>)),
)]
async fn list_chargers(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<Listed<ChargerView>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let known = service.store.all(List::of(Kind::Charger, &site.id)).await?;
    let known: HashMap<&str, &Document> = known.iter().map(|known| (known.key.id.as_str(), known)).collect();
    let records = service.store.all(List::of(Kind::Station, &site.id)).await?;
    let records: HashMap<&str, &Document> = records.iter().map(|known| (known.key.id.as_str(), known)).collect();
    let mut items = Vec::with_capacity(what.stations.len());
    for station in &what.stations {
        let known = known.get(station.id.as_str());
        let record = records.get(station.id.as_str()).map(|record| kept(record)).transpose()?;
        items.push(view(&service, &site, station, known.map(|known| kept(known)).transpose()?, record));
    }
    Ok(axum::Json(Listed { items, next: None }))
}

/// Read a charger
#[utoipa::path(
    get, path = "/v1/sites/{site}/chargers/{charger}", tag = "chargers",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("charger" = String, Path, description = "The charger's name."),
    ),
    responses((status = 200, description = "The charger; its `ETag` is that of the site.", body = ChargerView)),
)]
async fn get_charger(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, charger)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (document, what) = change::site(&service, &site).await?;
    let station = what.stations.iter().find(|station| station.id == charger);
    let station = station.ok_or_else(|| unknown(&charger))?;
    let known = service.store.read(&key(&site, &charger), None).await?;
    let record = record_of(&service, &site.id, &charger).await;
    let view = view(&service, &site, station, known.as_ref().map(kept).transpose()?, record);
    Ok(tagged(&headers, document.version, &view))
}

/// Put a charger
///
/// Where it hangs and how it is reached. What it says of board and phases stands in the site afterwards, as a station; a
/// station that is there keeps all that is not said here. `ocpp` without a password keeps the one that is there.
#[utoipa::path(
    put, path = "/v1/sites/{site}/chargers/{charger}", tag = "chargers",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("charger" = String, Path, description = "The charger's name; for OCPP, its identity."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    request_body = Charger,
    responses(
        (status = 200, description = "Changed.", body = ChargerView),
        (status = 201, description = "Made.", body = ChargerView),
    ),
)]
async fn put_charger(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
    Json(charger): Json<Charger>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Install, &site).await?;
    change::site(&service, &site).await?;
    let known = service.store.read(&key(&site, &id), None).await?.as_ref().map(kept::<KeptCharger>).transpose()?;
    let before = known.and_then(|known| known.ocpp);
    let kept = KeptCharger { ocpp: ocpp(charger.ocpp.as_ref(), before.clone()).await? };
    let new = std::sync::atomic::AtomicBool::new(false);
    let edited = edit_there(&service, &caller, &site, &headers, |mut what| {
        let (stations, at, there) = place_in(&mut what, "stations", &id)?;
        if !there {
            stations.push(json!({ "id": id }));
        }
        new.store(!there, std::sync::atomic::Ordering::Relaxed);
        let station = stations[at].as_object_mut().ok_or_else(Problem::internal)?;
        station.insert("board".to_owned(), Value::String(charger.node.clone()));
        station.insert("max_a".to_owned(), json!(charger.max_a));
        if let Some(map) = &charger.phase_map {
            station.insert("rotation".to_owned(), Value::String(map.clone()));
        }
        let own = Some((key(&site, &id), Some(kept.clone())));
        Ok(Wanted { charger: own, ..Wanted::site(what, format!("stations[{at}]")) })
    })
    .await
    .map_err(by_our_names)?;
    let station = edited.site.stations.iter().find(|station| station.id == id).ok_or_else(Problem::internal)?;
    if kept.ocpp != before {
        // Who is connected by what no longer counts has to come again.
        service.guests.forget().await;
        service.hub.oust(&site.id, &id);
    }
    let status = if new.into_inner() { StatusCode::CREATED } else { StatusCode::OK };
    let record = record_of(&service, &site.id, &id).await;
    let view = view(&service, &site, station, Some(kept), record);
    Ok((status, [(header::ETAG, etag(edited.version))], axum::Json(view)).into_response())
}

/// Delete a charger
///
/// It is no station of the site any longer: what it draws then counts as the building's.
#[utoipa::path(
    delete, path = "/v1/sites/{site}/chargers/{charger}", tag = "chargers",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("charger" = String, Path, description = "The charger's name."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_charger(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Install, &site).await?;
    let record = record_of(&service, &site.id, &id).await.unwrap_or_default();
    edit_there(&service, &caller, &site, &headers, |mut what| {
        let (stations, at, there) = place_in(&mut what, "stations", &id)?;
        if !there {
            return Err(unknown(&id));
        }
        stations.remove(at);
        Ok(Wanted { charger: Some((key(&site, &id), None)), ..Wanted::site(what, "") })
    })
    .await?;
    service.guests.forget().await;
    service.hub.oust(&site.id, &id);
    gone(&service, &site.id, &record, caller.at).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Report of a charger
///
/// What a charger that is reached through somebody else's system draws, and which setpoint it answered. One that is not
/// reported for a while counts as silent, at what it falls back to.
#[utoipa::path(
    post, path = "/v1/sites/{site}/chargers/{charger}/reports", tag = "chargers",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("charger" = String, Path, description = "The charger's name."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body = Report,
    responses((status = 202, description = "The loop has it.")),
)]
async fn report_charger(
    State(service): State<Service>,
    caller: Caller,
    Path((site, charger)): Path<(String, String)>,
    Json(report): Json<Report>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Feed, &site).await?;
    check(&report, caller.at)?;
    let known = match service.app.status(&site.id) {
        Some(status) => status.chargers.iter().any(|known| known.id == charger),
        None => change::site(&service, &site).await?.1.stations.iter().any(|station| station.id == charger),
    };
    if !known {
        return Err(unknown(&charger));
    }
    reserve(&service)?.tell(Event::Reported { site: site.id, charger, report });
    Ok(StatusCode::ACCEPTED)
}

fn check(report: &Report, now: chrono::DateTime<chrono::Utc>) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    finite.not_ahead("at", report.at, now);
    for (field, value) in [("l1_a", report.l1_a), ("l2_a", report.l2_a), ("l3_a", report.l3_a)] {
        finite.current(field, value);
    }
    finite.not_negative("session_kwh", report.session_kwh, super::finite::MOST_KWH, "kWh");
    finite.current("limit_a", report.limit_a);
    finite.done()
}

/// What is kept of how a charger connects.
async fn ocpp(ocpp: Option<&Ocpp>, known: Option<KeptOcpp>) -> Result<Option<KeptOcpp>, Problem> {
    let Some(ocpp) = ocpp else { return Ok(None) };
    if ocpp.security_profile > 3 {
        let detail =
            format!("{} is no OCPP security profile; use 1, 2 or 3, or 0 where it is allowed", ocpp.security_profile);
        return Err(Problem::field("ocpp.security_profile", detail));
    }
    let password = match &ocpp.password {
        None => known.and_then(|known| known.password),
        Some(password) if !PASSWORD.contains(&password.chars().count()) => {
            return Err(Problem::field(
                "ocpp.password",
                "is not of 16 to 40 characters, as OCPP wants it; make a random one",
            ));
        }
        Some(password) => Some(access::password::hash(password.clone().into()).await?),
    };
    if password.is_none() && matches!(ocpp.security_profile, 1 | 2) {
        let detail = "is missing; security profiles 1 and 2 need a password of 16 to 40 characters";
        return Err(Problem::field("ocpp.password", detail));
    }
    if let Some((field, detail)) = ocpp.quirks.and_then(|quirks| quirks.fault()) {
        return Err(Problem::field(format!("ocpp.quirks.{field}"), detail));
    }
    Ok(Some(KeptOcpp { password, security_profile: ocpp.security_profile, quirks: ocpp.quirks }))
}

fn view(
    service: &Service,
    site: &SiteRef,
    station: &Station,
    kept: Option<KeptCharger>,
    record: Option<Record>,
) -> ChargerView {
    let record = record.unwrap_or_default();
    // What is kept of a link comes a moment after it.
    let spoken = service.hub.version(&site.id, &station.id);
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let ocpp = kept.and_then(|kept| kept.ocpp).map(|ocpp| OcppView {
        security_profile: ocpp.security_profile,
        quirks: Some(Quirks::of(&record.identity, ocpp.quirks)).filter(|quirks| !quirks.is_usual()),
        online: spoken.is_some(),
        connected: record.connected,
        version: spoken.or(record.version).map(crate::ocpp::Version::subprotocol),
        vendor: said(record.identity.vendor),
        model: said(record.identity.model),
        firmware: record.identity.firmware,
        told: record.told,
    });
    ChargerView {
        id: station.id.clone(),
        node: station.board.clone(),
        phase_map: station.rotation.clone(),
        max_a: station.max_a,
        ocpp,
    }
}

/// A station's keys by the names that they have here.
fn by_our_names(problem: Problem) -> Problem {
    let renamed = |field: String| match field.as_str() {
        "board" => "node".to_owned(),
        "rotation" => "phase_map".to_owned(),
        _ => field,
    };
    let errors = problem.errors.into_iter();
    let errors = errors.map(|error| FieldError { field: renamed(error.field), detail: error.detail }).collect();
    if problem.status == StatusCode::UNPROCESSABLE_ENTITY.as_u16() {
        Problem::invalid(errors)
    } else {
        Problem { errors, ..problem }
    }
}

fn unknown(charger: &str) -> Problem {
    Problem::not_found(&format!("the charger {charger:?}"))
}

fn key(site: &SiteRef, charger: &str) -> Key {
    Key::new(Kind::Charger, &site.id, charger)
}
