//! Components of a tariff from a table.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kwartier_data::site::tariff::read_components;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::change;
use super::super::edit::{Wanted, edit_there};
use super::super::problem::Problem;
use super::super::read::{Path, Query, bytes, content_type, field_errors, unsupported};
use super::super::version::etag;
use crate::access::{self, Caller, Permission};
use crate::resource::site::TariffBody;
use crate::service::Service;

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(import_tariff))
}

/// What the table does not say.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// A preset to begin with; that of the tariff before where nothing is said.
    preset: Option<String>,
}

/// Import a tariff's components
///
/// A table with a row for each component, or for each rate of one: columns as `docs/formats/inputs.md` lists them. It takes the
/// place of all components; preset and VAT stay.
#[utoipa::path(
    post, path = "/v1/sites/{site}/tariff/import", tag = "prices",
    params(
        ("site" = String, Path, description = "The site's id."), ImportQuery,
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    request_body(content((String = "text/csv"))),
    responses((status = 200, description = "The tariff.", body = TariffBody)),
)]
async fn import_tariff(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let headers = request.headers().clone();
    if !matches!(content_type(&headers).as_str(), "text/csv" | "text/plain") {
        return Err(unsupported("text/csv", &headers));
    }
    let table = bytes(request, &service).await?;
    let components = read_components(&table).map_err(|refusal| Problem::invalid(field_errors(&refusal)))?;
    let components = change::body(&components)?;
    let edited = edit_there(&service, &caller, &site, &headers, |mut what| {
        let fields = what.as_object_mut().ok_or_else(Problem::internal)?;
        let tariff = fields.entry("tariff").or_insert_with(|| Value::Object(Map::new()));
        let tariff = tariff.as_object_mut().ok_or_else(Problem::internal)?;
        tariff.insert("components".to_owned(), components.clone());
        if let Some(preset) = &query.preset {
            tariff.insert("preset".to_owned(), preset.clone().into());
            // The preset says them.
            tariff.remove("vat_percent");
            tariff.remove("vat_counts");
        }
        Ok(Wanted::site(what, "tariff"))
    })
    .await?;
    let tariff = edited.site.tariff.ok_or_else(Problem::internal)?;
    Ok(([(header::ETAG, etag(edited.version))], axum::Json(tariff)).into_response())
}
