//! The tariff of a site. It stands in the site's document, so a change of it is a change of the site.

mod presets;
mod price;
mod table;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change;
use super::edit::{Wanted, edit_there};
use super::problem::Problem;
use super::read::{Json, Path};
use super::version::{etag, tagged};
use crate::access::{self, Caller, Permission};
use crate::resource::site::TariffBody;
use crate::service::Service;

/// The routes of tariffs.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(get_tariff, put_tariff, delete_tariff))
        .merge(presets::routes())
        .merge(price::routes())
        .merge(table::routes())
}

/// Read the tariff
#[utoipa::path(
    get, path = "/v1/sites/{site}/tariff", tag = "prices", params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "The tariff; its `ETag` is that of the site.", body = TariffBody)),
)]
async fn get_tariff(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (document, what) = change::site(&service, &site).await?;
    let tariff = what.tariff.ok_or_else(none)?;
    Ok(tagged(&headers, document.version, &tariff))
}

/// Put the tariff
///
/// What energy costs where no prices are put: the parts that add up to the price, in force from a day until another.
#[utoipa::path(
    put, path = "/v1/sites/{site}/tariff", tag = "prices",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    request_body = TariffBody,
    responses((status = 200, description = "Put.", body = TariffBody)),
)]
async fn put_tariff(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
    Json(tariff): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let edited = edit_there(&service, &caller, &site, &headers, |mut what| {
        let fields = what.as_object_mut().ok_or_else(Problem::internal)?;
        fields.insert("tariff".to_owned(), Value::Object(tariff.clone()));
        Ok(Wanted::site(what, "tariff"))
    })
    .await?;
    let tariff = edited.site.tariff.ok_or_else(Problem::internal)?;
    Ok(([(header::ETAG, etag(edited.version))], axum::Json(tariff)).into_response())
}

/// Delete the tariff
#[utoipa::path(
    delete, path = "/v1/sites/{site}/tariff", tag = "prices",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_tariff(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    edit_there(&service, &caller, &site, &headers, |mut what| {
        let fields = what.as_object_mut().ok_or_else(Problem::internal)?;
        fields.remove("tariff").ok_or_else(none)?;
        Ok(Wanted::site(what, ""))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn none() -> Problem {
    Problem::not_found("a tariff of the site")
}
