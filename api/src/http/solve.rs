//! A planning instance in, a plan out; nothing of it belongs to a site.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Response};
use kwartier_data::{Instance, instance};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::change::Batch;
use super::jobs::{JobView, accepted};
use super::plans::waiting;
use super::problem::{Problem, ProblemKind};
use super::read::{Query, json_bytes, refused};
use crate::access::{self, Caller, Permission};
use crate::jobs::solve::{Asked, Canceller, solve};
use crate::service::Service;
use crate::store::{Change, Key, Kind, NewJob};

/// The largest instance in bytes. One of 5,000 vehicles takes 12 MB.
const LARGEST: usize = 64 << 20;

/// Sessions × slots up to which an instance is solved while the client waits.
const SMALL: usize = 20_000;

/// How long a client waits at most, in s.
const PATIENCE_S: f64 = 10.0;

/// The longest time limit in s.
const LONGEST_S: f64 = 600.0;

/// The routes of solving.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(post_plans)).layer(DefaultBodyLimit::max(LARGEST))
}

/// How to solve.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SolveQuery {
    /// Stop once the plan is proven to be within this fraction of the flexible cost of the best one; 0.001 where nothing is said.
    #[param(minimum = 0, maximum = 1)]
    gap: Option<f64>,
    /// Hand out the best plan so far after this many seconds; 60 where nothing is said.
    #[param(minimum = 0, maximum = 600)]
    time_limit_s: Option<f64>,
    /// Whether with the reasons.
    #[serde(default)]
    explain: bool,
    /// `true`: as a job, however small.
    #[serde(default, rename = "async")]
    as_job: bool,
}

/// A plan that was solved.
#[derive(Debug, Clone, PartialEq, serde::Serialize, ToSchema)]
pub struct Solved {
    /// `optimal` where the gap is proven, else `feasible`.
    status: String,
    /// What the plan costs in EUR.
    objective_eur: f64,
    /// What no plan can cost less than, in EUR.
    bound_eur: f64,
    /// Why it is so, where it was asked for.
    #[schema(value_type = Option<Object>)]
    reasons: Option<Value>,
    /// Every vehicle's currents.
    #[schema(value_type = Vec<Object>)]
    sessions: Vec<Value>,
}

/// Solve a planning instance
///
/// As `docs/formats/plan.md` describes instances and plans. A small one is solved at once; a large one, or one that takes
/// longer than ten seconds, is a job: 202, with progress, and it can be cancelled.
#[utoipa::path(
    post, path = "/v1/plans", tag = "plans",
    params(
        SolveQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body(content = Object, description = "A planning instance.", content_type = "application/json"),
    responses(
        (status = 200, description = "The plan.", body = Solved),
        (status = 202, description = "It is being solved.", body = JobView, headers(
            ("Location" = String, description = "Where the job is looked at and cancelled."),
        )),
    ),
)]
async fn post_plans(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<SolveQuery>,
    request: Request,
) -> Result<Response, Problem> {
    access::anywhere(&caller, Permission::Solve)?;
    let gap = within("gap", query.gap.unwrap_or(0.001), 1.0)?;
    let time_limit_s = within("time_limit_s", query.time_limit_s.unwrap_or(60.0), LONGEST_S)?;
    let bytes = json_bytes(request, &service).await?;
    let (bytes, parsed) = tokio::task::spawn_blocking(move || {
        let parsed = instance::parse(&bytes);
        (bytes, parsed)
    })
    .await
    .map_err(|_| Problem::internal())?;
    let instance = parsed.map_err(|refusal| refused(&bytes, &refusal))?;
    let asked = Asked { gap, time_limit_s, explain: query.explain };
    let small = instance.sessions.len() * instance.slots <= SMALL && !query.as_job;
    if small && let Some(answer) = at_once(&instance, &asked).await? {
        return Ok(answer);
    }
    let id = Uuid::now_v7();
    let instance: Value = serde_json::from_slice(&bytes).map_err(|_| Problem::internal())?;
    let what = NewJob {
        id,
        kind: "solve".to_owned(),
        tenant: caller.tenant.clone(),
        site: None,
        once: None,
        due: caller.at,
        input: json!({ "by": caller.who.name(), "asked": asked, "instance": instance }),
    };
    let mut batch = Batch::at_tenant(&caller, &caller.tenant);
    let about = Key::new(Kind::Name, "", format!("job/{id}"));
    batch.and(&about, "solve", Change::Enqueue(what.clone()));
    batch.write(&service).await?;
    accepted(JobView::of(waiting(what, caller.at), false))
}

/// The answer, when it comes while a client waits; else it is to be a job.
async fn at_once(instance: &Instance, asked: &Asked) -> Result<Option<Response>, Problem> {
    let canceller = Arc::new(Canceller::new());
    // A client that goes away, or waits too long, takes its solve with it.
    let _end = canceller.when_dropped();
    let patient = Asked { time_limit_s: asked.time_limit_s.min(PATIENCE_S), ..asked.clone() };
    let solved = solve(instance.clone(), patient, Arc::clone(&canceller));
    let Ok(solved) = tokio::time::timeout(Duration::from_secs_f64(PATIENCE_S + 2.0), solved).await else {
        return Ok(None);
    };
    let Some(outcome) = solved else { return Ok(None) };
    let answer = outcome.map_err(|why| {
        let detail = format!("{why}; the limits of the boards and the building's own load leave no plan");
        Problem::new(ProblemKind::NoPlan, detail)
    })?;
    let open = answer.get("status").and_then(Value::as_str) != Some("optimal");
    if open && asked.time_limit_s > PATIENCE_S {
        return Ok(None);
    }
    Ok(Some(axum::Json(answer).into_response()))
}

fn within(name: &str, value: f64, most: f64) -> Result<f64, Problem> {
    if (0.0..=most).contains(&value) {
        return Ok(value);
    }
    Err(Problem::parameter(name, &format!("{value} is outside 0 to {most}")))
}
