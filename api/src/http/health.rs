//! Whether the service lives, whether it is ready and what is wrong if not, and its figures.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::handle::Overview;
use crate::service::Service;

/// How long ago a site may have been looked at for the loop to count as keeping up.
const KEEPS_UP: TimeDelta = TimeDelta::seconds(5);

/// A loop that has not come round for so long hangs: each round takes milliseconds. The unit's `WatchdogSec` is the same.
const HANGS: Duration = Duration::from_mins(1);

/// Upper ends of the classes in which requests are counted by their time, in s.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The routes of health, open to all: they tell numbers and no names.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// Whether the service lives
///
/// What restarts services goes by this and not by `/readyz`: a restart mends a loop that hangs, and nothing else.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(()),
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        (status = 503, description = "The loop hangs or has ended; restart it.", body = String, content_type = "text/plain"),
    ),
)]
async fn healthz(State(service): State<Service>) -> (StatusCode, &'static str) {
    if lives(service.app.is_there(), service.app.still_for()) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the loop hangs or has ended; restart the service\n")
    }
}

fn lives(there: bool, still_for: Duration) -> bool {
    there && still_for < HANGS
}

/// How the service is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether requests can be served as they should be.
    pub ready: bool,
    /// What is wrong. A service may be ready and have something wrong with it.
    pub wrong: Vec<Wrong>,
    /// How many sites are steered.
    pub sites: usize,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Wrong {
    /// With what: `store`, `loop`, `plans`, `fallback`, `feeds`.
    pub with: String,
    /// In words, with what to do.
    pub text: String,
}

/// Whether the service is ready
///
/// Says what is wrong: whether everything can be stored, whether the loop keeps up, how many sites are without a plan.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses(
        (status = 200, description = "It is.", body = Readiness),
        (status = 503, description = "It is not.", body = Readiness),
    ),
)]
async fn readyz(State(service): State<Service>) -> Response {
    let store = service.store.healthy().await;
    let late = service.feeds.late();
    let readiness = readiness(store.is_ok(), service.app.overview(), service.app.is_there(), late, Utc::now());
    if let Err(why) = store {
        tracing::warn!(%why, "the store is not well");
    }
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(readiness)).into_response()
}

fn readiness(stores: bool, sites: Overview, there: bool, feeds: (usize, usize), now: DateTime<Utc>) -> Readiness {
    let mut wrong = Vec::new();
    let mut ready = true;
    let mut say = |with: &str, text: String| wrong.push(Wrong { with: with.to_owned(), text });
    if !stores {
        ready = false;
        let text = "nothing can be stored; look at the disk's space and the database. Control goes on from memory";
        say("store", text.to_owned());
    }
    let late = sites.oldest.map(|oldest| now - oldest).filter(|late| *late > KEEPS_UP);
    if !there {
        ready = false;
        say("loop", "the loop has stopped; restart the service".to_owned());
    } else if let Some(late) = late {
        ready = false;
        let text = format!(
            "a site was last looked at {} s ago; there is more to do than this machine can",
            late.num_seconds()
        );
        say("loop", text);
    }
    if sites.in_fallback > 0 {
        let text =
            format!("{} of {} sites are left to their fallback: their step failed", sites.in_fallback, sites.sites);
        say("fallback", text);
    }
    if sites.without_plan > 0 {
        let text = format!("{} of {} sites are steered without a plan", sites.without_plan, sites.sites);
        say("plans", text);
    }
    let (wanted, late) = feeds;
    if late > 0 {
        let text = format!(
            "{late} of {wanted} days of prices and places' weather should be there and are not; plans go on with earlier ones. \
             Look at /v1/sites/SITE/feeds"
        );
        say("feeds", text);
    }
    Readiness { ready, wrong, sites: sites.sites }
}

/// The service's figures
///
/// For Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, description = "All of them.", body = String, content_type = "text/plain")),
)]
async fn metrics(State(service): State<Service>) -> Response {
    let Some(recorder) = recorder() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "no recorder\n").into_response();
    };
    let sites = service.app.overview();
    for (kind, count) in
        [("all", sites.sites), ("without_plan", sites.without_plan), ("in_fallback", sites.in_fallback)]
    {
        metrics::gauge!("kwartier_sites", "kind" => kind).set(count as f64);
    }
    recorder.run_upkeep();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], recorder.render()).into_response()
}

/// Where all figures are collected, from the first call on; `None`, somebody else collects them.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || PrometheusBuilder::new().set_buckets(&SECONDS).ok()?.install_recorder().ok();
    RECORDER.get_or_init(install).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_hangs_or_has_ended_does_not_live() {
        assert!(lives(true, Duration::from_secs(12)));
        assert!(!lives(true, HANGS));
        assert!(!lives(false, Duration::ZERO));
    }

    #[test]
    fn what_is_wrong_is_said_and_only_what_keeps_from_serving_is_unready() {
        let now = DateTime::UNIX_EPOCH;
        let fine = Overview { sites: 3, oldest: Some(now - TimeDelta::seconds(1)), ..Overview::default() };
        let said = |readiness: &Readiness| readiness.wrong.iter().map(|wrong| wrong.with.clone()).collect::<Vec<_>>();
        let good = readiness(true, fine, true, (0, 0), now);
        assert!(good.ready && good.wrong.is_empty());
        let degraded = readiness(true, Overview { without_plan: 1, in_fallback: 1, ..fine }, true, (0, 0), now);
        assert!(degraded.ready);
        assert_eq!(said(&degraded), ["fallback", "plans"]);
        let late = readiness(true, Overview { oldest: Some(now - TimeDelta::seconds(6)), ..fine }, true, (0, 0), now);
        assert!(!late.ready);
        assert_eq!(said(&late), ["loop"]);
        let stale = readiness(true, fine, true, (4, 1), now);
        assert!(stale.ready && stale.wrong[0].text.starts_with("1 of 4 days"), "{stale:?}");
        assert!(!readiness(false, fine, true, (0, 0), now).ready);
        assert!(!readiness(true, fine, false, (0, 0), now).ready);
    }
}
