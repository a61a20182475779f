//! An installer's tables to a site, and back.

use axum::extract::multipart::Multipart;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kwartier_data::finding::any_error;
use kwartier_data::site::Site;
use kwartier_data::tables::write::{Delimiter, Language, csv, xlsx};
use kwartier_data::tables::{self, Reading, Source};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change;
use super::edit::{self, Wanted, refused};
use super::problem::{Problem, ProblemKind};
use super::read::{Path, Query, bytes, content_type, unsupported};
use super::sites;
use crate::access::{self, Caller, Permission};
use crate::service::Service;

/// The zone of a site of which nothing else is known.
const TIME_ZONE: &str = "Europe/Amsterdam";

/// Most files of one request.
const MOST_FILES: usize = 50;

/// What a workbook is.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The routes of tables.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(import_tables))
        .layer(DefaultBodyLimit::max(tables::MAX_FILE_BYTES))
        .merge(OpenApiRouter::new().routes(routes!(export_tables)))
}

/// What tables do not say of a new site.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// What people call a new site; its id where nothing is said.
    name: Option<String>,
    /// The time zone of a new site, an IANA name; `Europe/Amsterdam` where nothing is said.
    time_zone: Option<String>,
    /// The tenant of a new site; the caller's own where nothing is said.
    tenant: Option<String>,
}

/// Tables as files of a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says in the OpenAPI document what the form holds")]
struct Tables {
    /// A table of boards, of stations, or of both: CSV, XLSX or ODS. Any number of such fields, of any name.
    #[schema(format = Binary)]
    tables: String,
}

/// Import an installer's tables
///
/// Tables of boards and stations as `kwartier site import` reads them: CSV, XLSX or ODS with headers in Dutch, English or
/// German, as the files of a form, or one table as the body. A new site is made of them; a site that is there is brought in
/// line: what the tables say nothing about stays. Nothing is guessed, and with any error nothing is stored.
#[utoipa::path(
    post, path = "/v1/sites/{site}/import", tag = "sites",
    params(("site" = String, Path, description = "The site's id."), ImportQuery),
    request_body(content((Tables = "multipart/form-data"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses(
        (status = 200, description = "Brought in line.", body = crate::resource::site::SitePut),
        (status = 201, description = "Made.", body = crate::resource::site::SitePut),
    ),
)]
async fn import_tables(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let (site, new) = sites::place(&service, &caller, &id, query.tenant.as_deref()).await?;
    let headers = request.headers().clone();
    let sources = sources(&service, request).await?;
    let reading = tokio::task::spawn_blocking(move || tables::read(&sources)).await;
    let mut reading = reading.map_err(|_| Problem::internal())?;
    if new {
        reading = reading.as_whole_site();
    }
    if reading.is_unusable() || any_error(&reading.findings) {
        return Err(refused(&reading.findings, ""));
    }
    let claim = if new { Some(access::claim(&site.id, &site.tenant)?) } else { None };
    let edited = edit::edit(&service, &caller, &site, &headers, |was| {
        let wanted = if let Some(was) = was {
            in_line(was.clone(), &reading)?
        } else {
            let name = query.name.clone().unwrap_or_else(|| id.clone());
            let zone = query.time_zone.clone().unwrap_or_else(|| TIME_ZONE.to_owned());
            let site = Site::new(name, zone, reading.boards.clone(), reading.stations.clone());
            let errors = reading.check(&site);
            if any_error(&errors) {
                return Err(refused(&errors, ""));
            }
            change::body(&site)?
        };
        Ok(Wanted { also: claim.iter().cloned().collect(), ..Wanted::site(wanted, "") })
    })
    .await;
    if new {
        service.gate.changed();
    }
    Ok(sites::answer(&site, &edited?))
}

/// The files of a request.
async fn sources(service: &Service, request: Request) -> Result<Vec<Source>, Problem> {
    let kind = content_type(request.headers());
    match kind.as_str() {
        "multipart/form-data" => form(service, request).await,
        "text/csv" | "text/plain" | XLSX | "application/vnd.oasis.opendocument.spreadsheet" => {
            let bytes = bytes(request, service).await?.to_vec();
            Ok(vec![Source { name: "the body".to_owned(), bytes, named: true }])
        }
        _ => Err(unsupported("multipart/form-data (curl -F tables=@FILE), text/csv, or a workbook", request.headers())),
    }
}

async fn form(service: &Service, request: Request) -> Result<Vec<Source>, Problem> {
    let broken = |status: StatusCode| {
        let (kind, remedy) = if status == StatusCode::PAYLOAD_TOO_LARGE {
            (ProblemKind::TooLarge, "the files are more than 32 MiB; keep nothing but the tables")
        } else {
            (ProblemKind::Unreadable, "the form cannot be read; send each table as a file of it: curl -F tables=@FILE")
        };
        Problem::new(kind, remedy)
    };
    let mut form = Multipart::from_request(request, service).await.map_err(|why| broken(why.status()))?;
    let mut sources = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|why| broken(why.status()))? {
        let name = field.file_name().or(field.name()).unwrap_or("a file").to_owned();
        let bytes = field.bytes().await.map_err(|why| broken(why.status()))?.to_vec();
        sources.push(Source { name, bytes, named: true });
        if sources.len() > MOST_FILES {
            return Err(Problem::field(
                "form",
                format!("has more than {MOST_FILES} files; send the tables of one site"),
            ));
        }
    }
    Ok(sources)
}

/// A site with what tables say in place of what it said there; what they say nothing about stays.
fn in_line(mut site: Value, reading: &Reading) -> Result<Value, Problem> {
    let mut put = |list: &str, has: bool, rows: Vec<Value>| -> Result<(), Problem> {
        if !has {
            return Ok(());
        }
        let old = site.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let rows = rows.into_iter().map(|row| {
            let was = old.iter().find(|was| was.get("id") == row.get("id"));
            merged(was, row)
        });
        let rows = rows.collect();
        site.as_object_mut().ok_or_else(Problem::internal)?.insert(list.to_owned(), Value::Array(rows));
        Ok(())
    };
    let json = |rows: Vec<Result<Value, _>>| rows.into_iter().collect::<Result<Vec<Value>, crate::store::Fault>>();
    let boards = json(reading.boards.iter().map(change::body).collect())?;
    let stations = json(reading.stations.iter().map(change::body).collect())?;
    put("boards", reading.has_boards, boards)?;
    put("stations", reading.has_stations, stations)?;
    Ok(site)
}

/// A row in place of what was: keys that tables do not know are kept.
fn merged(was: Option<&Value>, row: Value) -> Value {
    let (Some(Value::Object(was)), Value::Object(row)) = (was, &row) else { return row };
    let known = |key: &str| TABLE_KEYS.contains(&key);
    let mut merged = row.clone();
    for (key, value) in was.iter().filter(|(key, _)| !known(key)) {
        merged.insert(key.clone(), value.clone());
    }
    Value::Object(merged)
}

/// The keys of boards and stations that tables say; all others are somebody else's to say.
const TABLE_KEYS: [&str; 9] =
    ["id", "parent", "board", "limit_a", "imbalance_limit_a", "model", "serial", "rotation", "max_a"];

/// How tables are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// The language of the headers: `nl`, `en` or `de`; Dutch where nothing is said.
    #[param(inline)]
    language: Option<HeaderLanguage>,
    /// Which table, for CSV; a workbook has both.
    #[param(inline)]
    table: Option<Which>,
}

/// A language of headers.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum HeaderLanguage {
    Nl,
    En,
    De,
}

/// A table.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Which {
    Boards,
    Stations,
}

/// Export the installer's tables
///
/// Boards and stations as the tables that installers know: a workbook, or with `Accept: text/csv` one table.
#[utoipa::path(
    get, path = "/v1/sites/{site}/export", tag = "sites",
    params(("site" = String, Path, description = "The site's id."), ExportQuery),
    responses((status = 200, description = "The tables.", content(
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (String = "text/csv"),
    ))),
)]
async fn export_tables(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let language = match query.language {
        None | Some(HeaderLanguage::Nl) => Language::Dutch,
        Some(HeaderLanguage::En) => Language::English,
        Some(HeaderLanguage::De) => Language::German,
    };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/csv") {
        let (boards, stations) = csv(&what, language, Delimiter::Semicolon);
        let text = match query.table {
            Some(Which::Boards) => boards,
            Some(Which::Stations) => stations,
            None => return Err(Problem::parameter("table", "is missing; say boards or stations, CSV holds one table")),
        };
        return Ok(
            ([(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"))], text).into_response()
        );
    }
    let bytes = xlsx(&what, language).map_err(|_| Problem::internal())?;
    let name = format!("attachment; filename=\"{}.xlsx\"", site.id);
    let name = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static(XLSX);
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], bytes).into_response())
}
