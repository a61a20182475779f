//! Tariffs to begin with.

use kwartier_data::site::tariff::presets;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::problem::Problem;
use crate::access::{self, Caller, Permission};
use crate::resource::site::TariffBody;
use crate::service::Service;

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_presets))
}

/// A tariff to begin with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PresetView {
    /// What a tariff names it by, as `preset`.
    id: String,
    /// What people call it.
    title: String,
    /// The day on which its figures were last compared with their sources.
    checked: String,
    /// Where its figures are from.
    sources: Vec<String>,
    /// What is to be added from contract and bill.
    missing: String,
    /// What is in it.
    #[schema(value_type = TariffBody)]
    tariff: kwartier_data::site::Tariff,
}

/// List tariffs to begin with
///
/// Taxes and levies of a country, with their sources and the day on which they were compared with those. What depends on a
/// contract or a grid operator is not in them.
#[utoipa::path(
    get, path = "/v1/tariffs/presets", tag = "prices",
    responses((status = 200, description = "All of them.", body = Vec<PresetView>)),
)]
async fn list_presets(caller: Caller) -> Result<axum::Json<Vec<PresetView>>, Problem> {
    access::anywhere(&caller, Permission::See)?;
    let view = |id: &str| {
        let preset = presets::preset(id)?;
        Some(PresetView {
            id: id.to_owned(),
            title: preset.title.clone(),
            checked: preset.checked.clone(),
            sources: preset.sources.clone(),
            missing: preset.missing.clone(),
            tariff: preset.tariff.clone(),
        })
    };
    Ok(axum::Json(presets::ids().into_iter().filter_map(view).collect()))
}
