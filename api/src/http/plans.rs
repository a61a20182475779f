//! Plans of sites: the one in force, those before, each with all it was made from; and asking for a new one.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::Plan;
use kwartier_data::instance::{Instance, wire};
use kwartier_engine::explain::explain;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::change::{Batch, reserve};
use super::jobs::{JobView, accepted};
use super::page::{Listed, PageQuery, cursor};
use super::problem::Problem;
use super::read::{Path, Query};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::app::Event;
use crate::service::Service;
use crate::store::{Change, Job, JobState, KeptPlan, Key, Kind, NewJob, PlanHead};

/// The routes of plans.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_plan, post_plan)).routes(routes!(list_plans)).routes(routes!(get_old_plan))
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanView {
    /// Its id.
    pub id: Uuid,
    /// For which site.
    pub site: String,
    /// When it was made, and what was known then.
    pub at: DateTime<Utc>,
    /// What it rests on, how it was made, its cost and bound, why it was made.
    #[schema(value_type = Object)]
    pub summary: Value,
    /// The plan, as `docs/formats/plan.md` describes it: every current, `objective_eur`, `bound_eur`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub plan: Option<Value>,
    /// The planning instance that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub instance: Option<Value>,
    /// Why it is so: which limits bind and what they cost, why each vehicle charges when it does, what would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub reasons: Option<Value>,
}

impl PlanView {
    fn head(head: PlanHead) -> PlanView {
        let PlanHead { id, site, at, summary } = head;
        PlanView { id, site, at, summary, plan: None, instance: None, reasons: None }
    }

    fn whole(kept: KeptPlan, with_instance: bool, reasons: Option<Value>) -> PlanView {
        let instance = with_instance.then_some(kept.instance);
        PlanView { plan: Some(kept.plan), instance, reasons, ..PlanView::head(kept.head) }
    }
}

/// How much of a plan.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlanQuery {
    /// Whether with its reasons; with them where nothing is said.
    reasons: Option<bool>,
}

/// The plan in force
///
/// With its bound and its reasons.
#[utoipa::path(
    get, path = "/v1/sites/{site}/plan", tag = "plans",
    params(("site" = String, Path, description = "The site's id."), PlanQuery),
    responses((status = 200, description = "The plan.", body = PlanView)),
)]
async fn get_plan(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(site): Path<String>,
    Query(query): Query<PlanQuery>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let in_force = service.app.status(&site.id).and_then(|status| status.plan.as_ref().map(|plan| plan.id));
    let id = match in_force {
        Some(id) => id,
        None => newest(&service, &site, caller.at).await?.ok_or_else(no_plan)?.id,
    };
    // A plan never changes: its id is its tag.
    let tag = HeaderValue::try_from(format!("\"{id}\"")).map_err(|_| Problem::internal())?;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let kept = service.store.plan(id).await?.ok_or_else(no_plan)?;
    let reasons = if query.reasons.unwrap_or(true) { reasons(&kept).await } else { None };
    Ok(([(header::ETAG, tag)], axum::Json(PlanView::whole(kept, false, reasons))).into_response())
}

async fn newest(service: &Service, site: &SiteRef, before: DateTime<Utc>) -> Result<Option<PlanHead>, Problem> {
    Ok(service.store.plans(&site.id, before, 1).await?.into_iter().next())
}

/// Why a plan is so; `None`, it cannot be said.
async fn reasons(kept: &KeptPlan) -> Option<Value> {
    let (instance, plan) = (kept.instance.clone(), kept.plan.clone());
    let reasons = tokio::task::spawn_blocking(move || {
        let instance = Instance::from_wire(serde_json::from_value::<wire::Instance>(instance).ok()?).ok()?;
        let plan: Plan = serde_json::from_value(plan).ok()?;
        serde_json::to_value(explain(&instance, &plan)).ok()
    });
    reasons.await.ok().flatten()
}

/// Ask for a new plan
///
/// A job that ends when there is one, or when it is certain that the one in force stays. Plans are made by themselves when
/// something changes that matters; this is for when something changed that Kwartier cannot know.
#[utoipa::path(
    post, path = "/v1/sites/{site}/plan", tag = "plans",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key again gives the same answer."),
    ),
    responses((status = 202, description = "It is being made.", body = JobView, headers(
        ("Location" = String, description = "Where the job is looked at."),
    ))),
)]
async fn post_plan(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    super::change::site(&service, &site).await?;
    let id = Uuid::now_v7();
    let what = NewJob {
        id,
        kind: "plan".to_owned(),
        tenant: site.tenant.clone(),
        site: Some(site.id.clone()),
        once: None,
        due: caller.at,
        input: json!({ "by": caller.who.name() }),
    };
    let place = reserve(&service)?;
    let mut batch = Batch::at_site(&caller, &site);
    let about = Key::new(Kind::Site, &site.tenant, &site.id);
    batch.and(&about, "plan", Change::Enqueue(what.clone()));
    batch.write(&service).await?;
    place.tell(Event::PlanWanted { site: site.id, job: Some(id) });
    accepted(JobView::of(waiting(what, caller.at), false))
}

/// A job as it is when it was just asked for.
pub fn waiting(what: NewJob, now: DateTime<Utc>) -> Job {
    let state = JobState::Waiting;
    Job {
        what,
        state,
        attempts: 0,
        progress: 0.0,
        result: None,
        error: None,
        made: now,
        changed: now,
        lease_until: None,
    }
}

/// Which plans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlansQuery {
    /// How many items at most; 100 where nothing is said. More than 1,000 is refused.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Only the one that was in force then, with all it was made from.
    at: Option<DateTime<Utc>>,
}

/// List plans
///
/// The newest first, without their content; with `at` the one that was in force then, whole, as it was believed then.
#[utoipa::path(
    get, path = "/v1/sites/{site}/plans", tag = "plans",
    params(("site" = String, Path, description = "The site's id."), PlansQuery),
    responses((status = 200, description = "A page of plans.", body = Listed<PlanView>)),
)]
async fn list_plans(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(query): Query<PlansQuery>,
) -> Result<axum::Json<Listed<PlanView>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Analyse, &site).await?;
    if let Some(at) = query.at {
        if query.limit.is_some() || query.cursor.is_some() {
            return Err(Problem::parameter("at", "stands beside limit or cursor; ask for one plan, or for a list"));
        }
        // `plans` tells those made before an instant; one made at that very instant was in force then.
        let head = newest(&service, &site, at + TimeDelta::microseconds(1)).await?;
        let kept = match head {
            Some(head) => service.store.plan(head.id).await?,
            None => None,
        };
        let items = kept.into_iter().map(|kept| PlanView::whole(kept, true, None)).collect();
        return Ok(axum::Json(Listed { items, next: None }));
    }
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let before = page.after::<DateTime<Utc>>()?.unwrap_or(caller.at + TimeDelta::seconds(1));
    let mut heads = service.store.plans(&site.id, before, limit + 1).await?;
    let more = heads.len() > limit as usize;
    heads.truncate(limit as usize);
    let next = heads.last().filter(|_| more).and_then(|last| cursor(&last.at));
    Ok(axum::Json(Listed { items: heads.into_iter().map(PlanView::head).collect(), next }))
}

/// Read a plan
///
/// With all it was made from.
#[utoipa::path(
    get, path = "/v1/sites/{site}/plans/{plan}", tag = "plans",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("plan" = Uuid, Path, description = "The plan's id."),
        PlanQuery,
    ),
    responses((status = 200, description = "The plan.", body = PlanView)),
)]
async fn get_old_plan(
    State(service): State<Service>,
    caller: Caller,
    Path((site, id)): Path<(String, Uuid)>,
    Query(query): Query<PlanQuery>,
) -> Result<axum::Json<PlanView>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Analyse, &site).await?;
    let kept = service.store.plan(id).await?.filter(|kept| kept.head.site == site.id);
    let kept = kept.ok_or_else(|| Problem::not_found(&format!("the plan {id}")))?;
    let reasons = if query.reasons.unwrap_or(true) { reasons(&kept).await } else { None };
    Ok(axum::Json(PlanView::whole(kept, true, reasons)))
}

fn no_plan() -> Problem {
    Problem::not_found("a plan of the site (none was made yet: state a session, put prices, or ask for one)")
}
