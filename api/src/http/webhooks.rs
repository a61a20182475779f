//! Webhooks: who is told of what, how it went, and once more where it did not go well.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::change::{self, Batch, kept};
use super::finite::Finite;
use super::jobs::{JobView, accepted};
use super::page::{Listed, PageQuery, cursor};
use super::plans::waiting;
use super::problem::{Problem, ProblemKind};
use super::read::{Json, Path, Query};
use super::version::{Condition, created, etag, tagged};
use crate::access::{self, Caller, Permission, TenantRef, token};
use crate::jobs::target;
use crate::resource::webhook::{Attempt, KeptWebhook, Webhook};
use crate::service::Service;
use crate::store::{Change, Document, Key, Kind, List, LogPage, NewJob, Stream};

/// Most webhooks of a tenant.
const MOST: usize = 100;

/// The routes of webhooks.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, post_webhook))
        .routes(routes!(get_webhook, put_webhook, delete_webhook))
        .routes(routes!(list_deliveries))
        .routes(routes!(replay_delivery))
}

/// A webhook. Its secret is shown when it is made, and never again.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    pub id: String,
    /// Its version; also its `ETag`.
    pub version: u64,
    /// Since when it is told.
    pub since: DateTime<Utc>,
    /// What signs what is sent: shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What was put.
    #[serde(flatten)]
    pub what: Webhook,
}

/// Whose webhooks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfTenant {
    /// The tenant; the caller's own where nothing is said.
    tenant: Option<String>,
}

impl OfTenant {
    async fn may(&self, service: &Service, caller: &Caller) -> Result<TenantRef, Problem> {
        let tenant = self.tenant.as_deref().unwrap_or(&caller.tenant);
        access::at_tenant(service, caller, Permission::Webhooks, tenant).await
    }
}

/// List webhooks
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", params(OfTenant),
    responses((status = 200, description = "All of the tenant; there is one page.", body = Listed<WebhookView>)),
)]
async fn list_webhooks(
    State(service): State<Service>,
    caller: Caller,
    Query(of): Query<OfTenant>,
) -> Result<axum::Json<Listed<WebhookView>>, Problem> {
    let tenant = of.may(&service, &caller).await?;
    let all = service.store.all(List::of(Kind::Webhook, &tenant.id)).await?;
    let items = all.iter().map(view).collect::<Result<_, _>>()?;
    Ok(axum::Json(Listed { items, next: None }))
}

/// Make a webhook
///
/// Each event is sent by POST as JSON, with `Kwartier-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256 by the secret over `SECONDS`, a
/// dot, and the body. What is not answered with 2xx within 10 s is sent again, with growing pauses, for about a day. No
/// redirects; nothing goes to private addresses.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks",
    params(
        OfTenant,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body = Webhook,
    responses((status = 201, description = "Made; the secret is shown now and never again.", body = WebhookView)),
)]
async fn post_webhook(
    State(service): State<Service>,
    caller: Caller,
    Query(of): Query<OfTenant>,
    Json(what): Json<Webhook>,
) -> Result<Response, Problem> {
    let tenant = of.may(&service, &caller).await?;
    check(&service, &caller, &tenant, &what).await?;
    let there = service.store.all(List::of(Kind::Webhook, &tenant.id)).await?.len();
    if there >= MOST {
        let detail =
            format!("the tenant has {there} webhooks, the most there may be; delete those that are not needed");
        return Err(Problem::new(ProblemKind::TooMany, detail));
    }
    let id = Uuid::now_v7().to_string();
    let secret = token::secret().ok_or_else(Problem::internal)?;
    let secret = format!("whsec_{}", secret.expose_secret());
    let kept = KeptWebhook { what, secret: secret.clone(), since: caller.at };
    let mut batch = Batch::at_tenant(&caller, &tenant.id);
    batch.put(key(&tenant, &id), None, change::body(&kept)?);
    batch.write(&service).await?;
    let location = format!("/v1/webhooks/{id}");
    let view = WebhookView { id, version: 1, since: kept.since, secret: Some(secret), what: kept.what };
    let mut response = created(&location, 1, &view)?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Read a webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}", tag = "webhooks",
    params(("webhook" = String, Path, description = "The webhook's id."), OfTenant),
    responses((status = 200, description = "The webhook.", body = WebhookView)),
)]
async fn get_webhook(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(of): Query<OfTenant>,
) -> Result<Response, Problem> {
    let tenant = of.may(&service, &caller).await?;
    let document = change::read(&service, &key(&tenant, &id)).await?;
    Ok(tagged(&headers, document.version, &view(&document)?))
}

/// Change a webhook
///
/// Its secret stays; for another one make another webhook.
#[utoipa::path(
    put, path = "/v1/webhooks/{webhook}", tag = "webhooks",
    params(
        ("webhook" = String, Path, description = "The webhook's id."),
        OfTenant,
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be replaced."),
    ),
    request_body = Webhook,
    responses((status = 200, description = "Changed.", body = WebhookView)),
)]
async fn put_webhook(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(of): Query<OfTenant>,
    Json(what): Json<Webhook>,
) -> Result<Response, Problem> {
    let tenant = of.may(&service, &caller).await?;
    let document = change::read(&service, &key(&tenant, &id)).await?;
    Condition::of(&headers)?.check(Some(document.version))?;
    check(&service, &caller, &tenant, &what).await?;
    let was: KeptWebhook = kept(&document)?;
    let kept = KeptWebhook { what, ..was };
    let mut batch = Batch::at_tenant(&caller, &tenant.id);
    batch.put(document.key, Some(document.version), change::body(&kept)?);
    let version = batch.write(&service).await?.first().map_or(document.version + 1, |written| written.version);
    let view = WebhookView { id, version, since: kept.since, secret: None, what: kept.what };
    Ok(([(header::ETAG, etag(version))], axum::Json(view)).into_response())
}

/// Delete a webhook
///
/// With its secret. What waits to be delivered is dropped.
#[utoipa::path(
    delete, path = "/v1/webhooks/{webhook}", tag = "webhooks",
    params(("webhook" = String, Path, description = "The webhook's id."), OfTenant),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_webhook(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(of): Query<OfTenant>,
) -> Result<StatusCode, Problem> {
    let tenant = of.may(&service, &caller).await?;
    let document = change::read(&service, &key(&tenant, &id)).await?;
    let mut batch = Batch::at_tenant(&caller, &tenant.id);
    batch.erase(document.key, document.version);
    batch.write(&service).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An attempt to deliver.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AttemptView {
    /// When.
    pub at: DateTime<Utc>,
    /// How it went.
    #[serde(flatten)]
    pub what: Attempt,
}

/// The log of deliveries
///
/// Each attempt, the oldest first. A page may hold fewer than `limit` and still have a `next`: other webhooks' are left out.
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}/deliveries", tag = "webhooks",
    params(("webhook" = String, Path, description = "The webhook's id."), DeliveriesQuery),
    responses((status = 200, description = "A page of attempts.", body = Listed<AttemptView>)),
)]
async fn list_deliveries(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<axum::Json<Listed<AttemptView>>, Problem> {
    let tenant = OfTenant { tenant: query.tenant }.may(&service, &caller).await?;
    change::read(&service, &key(&tenant, &id)).await?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let ask = LogPage {
        stream: Stream::Delivery,
        tenants: Some(vec![tenant.id]),
        site: None,
        after: page.after()?.unwrap_or(0),
        limit: page.limit()?,
    };
    let entries = service.store.log(&ask).await?;
    let next = entries.last().filter(|_| entries.len() == ask.limit as usize).and_then(|last| cursor(&last.number));
    let attempts = entries.into_iter().filter_map(|entry| {
        let what: Attempt = serde_json::from_value(entry.what.body).ok()?;
        (what.webhook == id).then_some(AttemptView { at: entry.at, what })
    });
    Ok(axum::Json(Listed { items: attempts.collect(), next }))
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// The tenant; the caller's own where nothing is said.
    tenant: Option<String>,
    /// How many items at most; 100 where nothing is said. More than 1,000 is refused.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Deliver once more
///
/// The same event with the same number, as a new delivery, however the one before went.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/deliveries/{delivery}/replay", tag = "webhooks",
    params(
        ("webhook" = String, Path, description = "The webhook's id."),
        ("delivery" = Uuid, Path, description = "The delivery's id."),
        OfTenant,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key again gives the same answer."),
    ),
    responses((status = 202, description = "It will be delivered.", body = JobView)),
)]
async fn replay_delivery(
    State(service): State<Service>,
    caller: Caller,
    Path((id, delivery)): Path<(String, Uuid)>,
    Query(of): Query<OfTenant>,
) -> Result<Response, Problem> {
    let tenant = of.may(&service, &caller).await?;
    let document = change::read(&service, &key(&tenant, &id)).await?;
    let unknown = || Problem::not_found(&format!("the delivery {delivery}"));
    let job = service.store.job(delivery).await?.ok_or_else(unknown)?;
    let same = job.what.input.get("webhook").and_then(Value::as_str) == Some(&id);
    if job.what.kind != "deliver" || job.what.tenant != tenant.id || !same {
        return Err(unknown());
    }
    let what = NewJob { id: Uuid::now_v7(), once: None, due: caller.at, ..job.what };
    let mut batch = Batch::at_tenant(&caller, &tenant.id);
    batch.and(&document.key, "replay", Change::Enqueue(what.clone()));
    batch.write(&service).await?;
    accepted(JobView::of(waiting(what, caller.at), false))
}

async fn check(service: &Service, caller: &Caller, tenant: &TenantRef, what: &Webhook) -> Result<(), Problem> {
    let mut finite = Finite::new("");
    if let Err(why) = target::url(&what.url, service.config.webhooks.allow_private) {
        // The URL may carry what its owner keeps to themselves.
        finite.wrong("url", why.to_string());
    }
    if what.events.is_empty() {
        finite.wrong("events", "[] is nothing to be told of; name alarm, setpoint or change");
    }
    for (k, site) in what.sites.iter().flatten().enumerate() {
        let known =
            access::at_site(service, caller, Permission::See, site).await.is_ok_and(|site| site.tenant == tenant.id);
        if !known {
            finite.wrong(&format!("sites[{k}]"), format!("{site:?} is no site of the tenant; name those that it has"));
        }
    }
    finite.done()
}

fn key(tenant: &TenantRef, id: &str) -> Key {
    Key::new(Kind::Webhook, &tenant.id, id)
}

fn view(document: &Document) -> Result<WebhookView, Problem> {
    let KeptWebhook { what, since, .. } = kept(document)?;
    Ok(WebhookView { id: document.key.id.clone(), version: document.version, since, secret: None, what })
}
