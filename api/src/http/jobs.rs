//! Jobs: work that outlives a request.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::change::Batch;
use super::page::{Listed, PageQuery, cursor};
use super::problem::Problem;
use super::read::{Path, Query};
use crate::access::{self, Caller, Permission};
use crate::service::Service;
use crate::store::{Change, Job, Key, Kind};

/// The routes of jobs.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_jobs)).routes(routes!(get_job, cancel_job))
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: Uuid,
    /// What is done: `solve`, `plan`, `deliver`, `publication`, `roll_up`, `backup`.
    pub kind: String,
    /// About which site, where about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// `waiting`, `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// Share that is done, 0 to 1.
    pub progress: f64,
    /// When it was asked for.
    pub made: DateTime<Utc>,
    /// When it changed last.
    pub changed: DateTime<Utc>,
    /// Why it failed, or has to be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What came of it: of `solve` the plan, of `plan` the plan's id, of the others what was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
}

impl JobView {
    /// A job as it is told, with or without what came of it.
    pub fn of(job: Job, with_result: bool) -> JobView {
        JobView {
            id: job.what.id,
            kind: job.what.kind,
            site: job.what.site,
            state: job.state.name().to_owned(),
            progress: job.progress,
            made: job.made,
            changed: job.changed,
            error: job.error,
            result: job.result.filter(|_| with_result),
        }
    }
}

/// The answer that a job was taken on: 202 with where it is looked at.
pub fn accepted(job: JobView) -> Result<Response, Problem> {
    let location = HeaderValue::try_from(format!("/v1/jobs/{}", job.id)).map_err(|_| Problem::internal())?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], axum::Json(job)).into_response())
}

/// List jobs
///
/// Of all tenants at which the caller may solve, the newest first, without their results.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", params(PageQuery),
    responses((status = 200, description = "A page of jobs.", body = Listed<JobView>)),
)]
async fn list_jobs(
    State(service): State<Service>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<JobView>>, Problem> {
    access::anywhere(&caller, Permission::Solve)?;
    let tenants = access::reach(&service, &caller, Permission::Solve).await?.tenants;
    let limit = page.limit()?;
    let mut jobs = service.store.jobs(Some(&tenants), page.after::<Uuid>()?, limit + 1).await?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).and_then(|last| cursor(&last.what.id));
    Ok(axum::Json(Listed { items: jobs.into_iter().map(|job| JobView::of(job, false)).collect(), next }))
}

/// Read a job
///
/// How far it is, and what came of it.
#[utoipa::path(
    get, path = "/v1/jobs/{job}", tag = "jobs", params(("job" = Uuid, Path, description = "The job's id.")),
    responses((status = 200, description = "The job.", body = JobView)),
)]
async fn get_job(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<axum::Json<JobView>, Problem> {
    Ok(axum::Json(JobView::of(read(&service, &caller, id).await?, true)))
}

/// Cancel a job
///
/// One that waits is never begun; one that runs is stopped within a second or two. One that has ended stays as it is.
#[utoipa::path(
    delete, path = "/v1/jobs/{job}", tag = "jobs", params(("job" = Uuid, Path, description = "The job's id.")),
    responses((status = 200, description = "The job as it is now.", body = JobView)),
)]
async fn cancel_job(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<axum::Json<JobView>, Problem> {
    let job = read(&service, &caller, id).await?;
    if !job.state.has_ended() {
        let mut batch = Batch::at_tenant(&caller, &job.what.tenant);
        // Jobs are no documents; the entry names it as one would.
        batch.and(&Key::new(Kind::Name, "", format!("job/{id}")), "cancel", Change::Cancel(id));
        batch.write(&service).await?;
    }
    let job = service.store.job(id).await?.ok_or_else(|| unknown(id))?;
    Ok(axum::Json(JobView::of(job, false)))
}

/// A job that the caller may see: one of their own, or of a tenant at which they may solve.
async fn read(service: &Service, caller: &Caller, id: Uuid) -> Result<Job, Problem> {
    let job = service.store.job(id).await?.ok_or_else(|| unknown(id))?;
    let own = job.what.input.get("by").and_then(Value::as_str) == Some(&caller.who.name());
    if own {
        return Ok(job);
    }
    match access::at_tenant(service, caller, Permission::Solve, &job.what.tenant).await {
        Ok(_) => Ok(job),
        Err(problem) if problem.status == StatusCode::NOT_FOUND.as_u16() => Err(unknown(id)),
        Err(problem) => Err(problem),
    }
}

fn unknown(id: Uuid) -> Problem {
    Problem::not_found(&format!("the job {id}"))
}
