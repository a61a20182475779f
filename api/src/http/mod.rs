//! The API: axum routes over the store and the loop. [`router`] is all of it; `docs/api.md` describes it, and
//! `docs/openapi.json` is what the routes say of themselves.

pub mod calendar;
pub mod carbon;
pub mod change;
pub mod chargers;
pub mod commands;
pub mod edit;
pub mod feeds;
pub mod finite;
pub mod forecasts;
pub mod health;
pub mod jobs;
pub mod layers;
pub mod limits;
pub mod listen;
pub mod logs;
pub mod measurements;
pub mod openapi;
pub mod page;
pub mod plans;
pub mod prices;
pub mod problem;
pub mod read;
pub mod rosters;
pub mod series;
pub mod sessions;
pub mod setpoints;
pub mod signals;
pub mod sites;
pub mod solve;
pub mod span;
pub mod status;
pub mod stream;
pub mod tables;
pub mod tags;
pub mod tariffs;
#[cfg(test)]
pub mod tests;
pub mod topology;
pub mod turns;
pub mod vehicles;
pub mod version;
pub mod versions;
pub mod weather;
pub mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::access;
use crate::ocpp;
use crate::service::Service;

/// All routes with what they say of themselves.
#[expect(clippy::large_stack_arrays, reason = "once, when it starts")]
fn api() -> OpenApiRouter<Service> {
    [
        access::routes(),
        calendar::routes(),
        carbon::routes(),
        chargers::routes(),
        commands::routes(),
        feeds::routes(),
        forecasts::routes(),
        health::routes(),
        jobs::routes(),
        logs::routes(),
        measurements::routes(),
        plans::routes(),
        prices::routes(),
        rosters::routes(),
        sessions::routes(),
        setpoints::routes(),
        signals::routes(),
        sites::routes(),
        solve::routes(),
        status::routes(),
        tables::routes(),
        tags::routes(),
        tariffs::routes(),
        topology::routes(),
        vehicles::routes(),
        versions::routes(),
        weather::routes(),
        webhooks::routes(),
    ]
    .into_iter()
    .fold(OpenApiRouter::new(), OpenApiRouter::merge)
}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    openapi::complete(api().into_openapi())
}

/// The whole of the API, with `pages` beside it.
pub fn router(service: Service, pages: Router<Service>) -> Router {
    health::recorder();
    let docs = SwaggerUi::new("/docs").url("/v1/openapi.json", document());
    Router::from(api())
        .merge(pages)
        .merge(docs)
        .route(problem::page::PATH, problem::page::route())
        .fallback(layers::nowhere)
        .method_not_allowed_fallback(layers::no_such_method)
        .layer(from_fn_with_state(limits::Limits::new(service.clone()), limits::limits))
        .layer(DefaultBodyLimit::max(service.config.limits.body_bytes))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(CompressionLayer::new())
        .layer(from_fn(layers::every))
        .merge(ocpp::routes())
        .with_state(service)
}
