//! Cards that chargers are shown, and who may charge. A card's number comes in and is hashed; it never goes out again, and an
//! address never has it.

mod table;

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kwartier_data::local;
use kwartier_data::site::Site;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch, kept};
use super::finite::Finite;
use super::page::{self, Listed, PageQuery};
use super::problem::{Problem, ProblemKind};
use super::read::{Json, Path, Query};
use super::version::{Condition, created, etag, tagged};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::ocpp::{self, Policy, TagFault};
use crate::resource::session::KeptSession;
use crate::resource::tag::{Authorisation, KeptTag, NewTag, TagFacts};
use crate::service::Service;
use crate::store::{Change, Document, Expect, Key, Kind, List};

/// The longest text that is said of a card, in characters.
const LONGEST: usize = 64;

/// How many sessions are changed together.
const TOGETHER: usize = 200;

/// The routes of cards.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(list_tags, post_tag))
        .routes(routes!(import_tags))
        .routes(routes!(get_tag, put_tag, delete_tag))
        .routes(routes!(get_authorisation, put_authorisation))
}

/// Whether cards are posted at a path. What was posted is not remembered there, not even as a hash: numbers of cards can be
/// guessed. Posted twice it is the same as once.
pub fn is_posted_at(path: &str) -> bool {
    path.ends_with("/tags") || path.ends_with("/tags/import")
}

/// A card as it is read. Its number is not.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TagView {
    /// Its id.
    pub id: String,
    /// Its version; also its `ETag`.
    pub version: u64,
    /// The last two characters of its number.
    pub last: String,
    /// What is said of it.
    #[serde(flatten)]
    pub what: TagFacts,
}

/// What became of a table of cards.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TagsPut {
    /// How many are new.
    pub made: usize,
    /// How many were there and say something else now.
    pub changed: usize,
}

/// Who may charge at a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuthorisationView {
    /// What was said; absent: everyone, as long as the site has no cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_vend: Option<bool>,
    /// Whether everyone may charge now.
    pub everyone: bool,
}

/// List cards
#[utoipa::path(
    get, path = "/v1/sites/{site}/tags", tag = "cards",
    params(("site" = String, Path, description = "The site's id."), PageQuery),
    responses((status = 200, description = "A page of cards.", body = Listed<TagView>)),
)]
async fn list_tags(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Listed<TagView>>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let found = service.store.list(&page.of(Kind::Tag, &site.id)?).await?;
    let next = page::next(&found);
    let items = found.items.iter().map(view).collect::<Result<_, _>>()?;
    Ok(axum::Json(Listed { items, next }))
}

/// State a card
///
/// Its number is kept as a hash and never shown again. A card that is there already is changed to what is said here. With
/// the first card of a site, cards that are not known are not let in any more, unless `free_vend` says otherwise.
#[utoipa::path(
    post, path = "/v1/sites/{site}/tags", tag = "cards",
    params(("site" = String, Path, description = "The site's id.")),
    request_body = NewTag,
    responses(
        (status = 200, description = "Changed.", body = TagView),
        (status = 201, description = "Made.", body = TagView),
    ),
)]
async fn post_tag(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Json(tag): Json<NewTag>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let mut finite = Finite::new("");
    check(&mut finite, &what, &tag);
    finite.done()?;
    let (id, put) = put_all(&service, &caller, &site, vec![tag]).await?;
    let id = id.ok_or_else(Problem::internal)?;
    let view = view(&change::read(&service, &key(&site, &id)).await?)?;
    if put.made == 0 {
        return Ok(([(header::ETAG, etag(view.version))], axum::Json(view)).into_response());
    }
    created(&format!("/v1/sites/{}/tags/{id}", site.id), view.version, &view)
}

/// Import cards
///
/// A table with a row for each card: columns as `docs/formats/inputs.md` lists them. Cards that the table does not name stay.
#[utoipa::path(
    post, path = "/v1/sites/{site}/tags/import", tag = "cards",
    params(("site" = String, Path, description = "The site's id.")),
    request_body(content((String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses((status = 200, description = "All rows are cards.", body = TagsPut)),
)]
async fn import_tags(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    request: Request,
) -> Result<axum::Json<TagsPut>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let zone = local::zone(&what.time_zone).map_err(|_| Problem::internal())?;
    let rows = table::of_request(&service, request, zone).await?;
    let mut finite = Finite::new("");
    for (line, tag) in &rows {
        finite.within(format!("row {line}"));
        check(&mut finite, &what, tag);
    }
    finite.done()?;
    let tags = rows.into_iter().map(|(_, tag)| tag).collect();
    let (_, put) = put_all(&service, &caller, &site, tags).await?;
    Ok(axum::Json(put))
}

/// Puts cards; the id of the last of them, and how many were new.
async fn put_all(
    service: &Service,
    caller: &Caller,
    site: &SiteRef,
    tags: Vec<NewTag>,
) -> Result<(Option<String>, TagsPut), Problem> {
    let before = Policy::of(&*service.store, &site.id).await?;
    let mut put = TagsPut { made: 0, changed: 0 };
    let mut all = BTreeMap::new();
    let mut last = None;
    for tag in tags {
        let (number, kept) = tag.kept();
        let id = service.tag_key.id(&*service.store, &site.id, &number).await?;
        last = Some(id.clone());
        all.insert(id, kept);
    }
    let mut batch = Batch::at_site(caller, site);
    for (id, tag) in all {
        let was = service.store.read(&key(site, &id), None).await?;
        let body = change::body(&tag)?;
        match &was {
            None => put.made += 1,
            Some(was) if was.body.as_ref() == Some(&body) => continue,
            Some(_) => put.changed += 1,
        }
        batch.put(key(site, &id), was.map(|was| was.version), body);
    }
    batch.write(service).await?;
    told(service, site, before, put.changed > 0).await?;
    Ok((last, put))
}

/// Read a card
#[utoipa::path(
    get, path = "/v1/sites/{site}/tags/{tag}", tag = "cards",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("tag" = String, Path, description = "The card's id."),
    ),
    responses((status = 200, description = "The card.", body = TagView)),
)]
async fn get_tag(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let document = change::read(&service, &key(&site, &id)).await?;
    Ok(tagged(&headers, document.version, &view(&document)?))
}

/// Put what is said of a card
///
/// All of it but the number, such as `{"label": "Van 12", "blocked": true}`. What is not said is so no more.
#[utoipa::path(
    put, path = "/v1/sites/{site}/tags/{tag}", tag = "cards",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("tag" = String, Path, description = "The card's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be changed."),
    ),
    request_body = TagFacts,
    responses((status = 200, description = "Changed.", body = TagView)),
)]
async fn put_tag(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
    Json(facts): Json<TagFacts>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let was = change::read(&service, &key(&site, &id)).await?;
    Condition::of(&headers)?.check(Some(was.version))?;
    let (_, what) = change::site(&service, &site).await?;
    let mut finite = Finite::new("");
    check_facts(&mut finite, &what, &facts);
    finite.done()?;
    let before = Policy::of(&*service.store, &site.id).await?;
    let tag = KeptTag { what: facts, ..kept(&was)? };
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(was.key, Some(was.version), change::body(&tag)?);
    let version = batch.write(&service).await?.first().map_or(was.version + 1, |written| written.version);
    told(&service, &site, before, true).await?;
    let view = TagView { id, version, last: tag.last, what: tag.what };
    Ok(([(header::ETAG, etag(version))], axum::Json(view)).into_response())
}

/// Delete a card
///
/// With all that was ever said of it. Sessions that were begun with it keep their cost centre, and no longer say by which card or
/// whom. Chargers that are connected are told to forget it; others do when they ask about it.
#[utoipa::path(
    delete, path = "/v1/sites/{site}/tags/{tag}", tag = "cards",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("tag" = String, Path, description = "The card's id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to be deleted."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_tag(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let was = change::read(&service, &key(&site, &id)).await?;
    Condition::of(&headers)?.check(Some(was.version))?;
    let before = Policy::of(&*service.store, &site.id).await?;
    // Sessions first: what is interrupted here can be begun again.
    let _turn = service.turns.at(&site.id).await;
    let mut changes = Vec::new();
    for document in service.store.all(List::of(Kind::Session, &site.id)).await? {
        changes.extend(without(&document, &id)?);
    }
    // Three changes are a session's.
    for changes in changes.chunks(3 * TOGETHER) {
        service.store.write(caller.at, changes.to_vec()).await?;
    }
    let mut batch = Batch::at_site(&caller, &site);
    batch.erase(was.key, was.version);
    batch.write(&service).await?;
    told(&service, &site, before, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What makes of a session one that does not say by which card it was begun, nor did before; nothing, where it was by another.
fn without(document: &Document, tag: &str) -> Result<Vec<Change>, Problem> {
    let mut session: KeptSession = kept(document)?;
    let Some(card) = session.card.as_mut().filter(|card| card.tag.as_deref() == Some(tag)) else {
        return Ok(Vec::new());
    };
    (card.tag, card.driver) = (None, None);
    let (key, body) = (document.key.clone(), change::body(&session)?);
    Ok(vec![
        // In case somebody has changed it meanwhile.
        Change::Put { key: key.clone(), body: body.clone(), expect: Expect::Version(document.version) },
        Change::Erase(key.clone()),
        Change::Put { key, body, expect: Expect::Absent },
    ])
}

/// Who may charge
#[utoipa::path(
    get, path = "/v1/sites/{site}/authorisation", tag = "cards",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "Who may charge.", body = AuthorisationView)),
)]
async fn get_authorisation(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<AuthorisationView>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let said = service.store.read(&authorisation_key(&site), None).await?;
    let said = said.as_ref().map(kept::<Authorisation>).transpose()?.unwrap_or_default();
    let everyone = Policy::of(&*service.store, &site.id).await?.free;
    Ok(axum::Json(AuthorisationView { free_vend: said.free_vend, everyone }))
}

/// Put who may charge
///
/// `{"free_vend": true}`: everyone, with any card or button. `{"free_vend": false}`: who has a card that the site knows, and nobody
/// while it has none. `{}`: everyone, as long as the site has no cards.
#[utoipa::path(
    put, path = "/v1/sites/{site}/authorisation", tag = "cards",
    params(("site" = String, Path, description = "The site's id.")),
    request_body = Authorisation,
    responses((status = 200, description = "Who may charge from now on.", body = AuthorisationView)),
)]
async fn put_authorisation(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Json(authorisation): Json<Authorisation>,
) -> Result<axum::Json<AuthorisationView>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    change::site(&service, &site).await?;
    let before = Policy::of(&*service.store, &site.id).await?;
    let key = authorisation_key(&site);
    let was = service.store.read(&key, None).await?;
    let mut batch = Batch::at_site(&caller, &site);
    batch.put(key, was.map(|was| was.version), change::body(&authorisation)?);
    batch.write(&service).await?;
    let everyone = told(&service, &site, before, false).await?.free;
    Ok(axum::Json(AuthorisationView { free_vend: authorisation.free_vend, everyone }))
}

/// Chargers are told who may charge now, and to forget cards that may not be what they were.
async fn told(service: &Service, site: &SiteRef, before: Policy, forget: bool) -> Result<Policy, Problem> {
    let now = Policy::of(&*service.store, &site.id).await?;
    let asks_anew = now.free != before.free;
    service.hub.tell_all(&site.id, |version| {
        let settings = if asks_anew { ocpp::settings(version, now.free) } else { Vec::new() };
        settings.into_iter().chain((forget || asks_anew).then(ocpp::forget)).collect()
    });
    Ok(now)
}

fn check(finite: &mut Finite, site: &Site, tag: &NewTag) {
    if let Some(fault) = tag.tag.fault() {
        finite.wrong("tag", fault);
    }
    let (_, kept) = tag.clone().kept();
    check_facts(finite, site, &kept.what);
}

fn check_facts(finite: &mut Finite, site: &Site, facts: &TagFacts) {
    let texts = [
        ("label", &facts.label),
        ("driver", &facts.driver),
        ("cost_centre", &facts.cost_centre),
        ("family", &facts.family),
    ];
    for (field, text) in texts {
        if text.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > LONGEST) {
            finite.wrong(field, format!("is not of 1 to {LONGEST} characters; shorten it, or leave it out"));
        }
    }
    if let Some(group) = facts.group.as_ref().filter(|group| !site.groups.iter().any(|known| known.id == **group)) {
        finite.wrong("group", format!("{group:?} is no group of the site; leave it out, or add it to the site"));
    }
    let known = |name: &String| site.vehicles.iter().any(|known| known.id == *name);
    if let Some(vehicle) = facts.vehicle.as_ref().filter(|name| !known(name)) {
        finite.wrong("vehicle", format!("{vehicle:?} is no vehicle of the site; leave it out, or put it first"));
    }
    if let (Some(from), Some(until)) = (facts.from, facts.until)
        && until <= from
    {
        let (from, until) = (super::finite::shown(from), super::finite::shown(until));
        finite.wrong("until", format!("{until} is not after {from}, from which it counts; send a later one"));
    }
}

impl From<TagFault> for Problem {
    fn from(fault: TagFault) -> Problem {
        match fault {
            TagFault::Store(fault) => fault.into(),
            fault => {
                tracing::error!(%fault, "cards cannot be hashed");
                Problem::new(ProblemKind::Storage, "cards cannot be hashed now; the service's log says why")
            }
        }
    }
}

fn view(document: &Document) -> Result<TagView, Problem> {
    let KeptTag { last, what } = kept(document)?;
    Ok(TagView { id: document.key.id.clone(), version: document.version, last, what })
}

fn key(site: &SiteRef, id: &str) -> Key {
    Key::new(Kind::Tag, &site.id, id)
}

fn authorisation_key(site: &SiteRef) -> Key {
    Key::new(Kind::Authorisation, &site.id, &site.id)
}
