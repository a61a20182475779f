//! The page that the `type` of every problem leads to.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use super::kind::{ProblemKind, Told};

/// Where it is.
pub const PATH: &str = "/docs/problems";

#[derive(Template)]
#[template(path = "problems.html")]
struct Page {
    kinds: Vec<Told>,
}

/// The page.
pub fn route<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(|| async { page() })
}

fn page() -> Response {
    let kinds = ProblemKind::ALL.map(ProblemKind::told).to_vec();
    match (Page { kinds }).render() {
        Ok(page) => Html(page).into_response(),
        Err(fault) => {
            tracing::error!(%fault, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
