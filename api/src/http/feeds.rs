//! How the feeds of a site do.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change;
use super::problem::Problem;
use super::read::Path;
use crate::access::{self, Caller, Permission};
use crate::resource::feed::FeedsView;
use crate::service::Service;

/// The routes of feeds.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_feeds))
}

/// Read how feeds do
///
/// Which feed the prices of each day and the weather are from, how old they are, what other feeds say, and of each feed when it
/// last answered, what was wrong, and when it is asked again.
#[utoipa::path(
    get, path = "/v1/sites/{site}/feeds", tag = "prices", params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "How they do.", body = FeedsView)),
)]
async fn get_feeds(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<FeedsView>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    Ok(axum::Json(service.feeds.of(&site.id, &what, caller.at)))
}
