//! Editing a site's document: the whole of it, or one thing in it, is held against everything that a site file is held
//! against, before anything is stored.

use axum::http::HeaderMap;
use kwartier_data::finding::any_error;
use kwartier_data::site::{Site, file};
use kwartier_data::{Finding, Severity};
use serde_json::Value;

use super::change::{self, Batch, again, kept, reserve};
use super::problem::{FieldError, Problem};
use super::version::Condition;
use crate::access::{Caller, SiteRef};
use crate::app::Event;
use crate::resource::charger::{self, KeptCharger};
use crate::resource::site::SiteFinding;
use crate::service::Service;
use crate::store::{Change, Key, Kind, List};

/// A site that was edited.
#[derive(Debug)]
pub struct Edited {
    /// Its version now.
    pub version: u64,
    /// Whether it was new.
    pub new: bool,
    /// What it says now.
    pub site: Site,
    /// What should be looked at by somebody who knows the site.
    pub findings: Vec<Finding>,
}

/// What an edit makes of a site.
pub struct Wanted {
    /// The site as JSON.
    pub site: Value,
    /// The part that the client wrote, such as `vehicles[3]`; empty, all of it. Faults within it are told from there.
    pub part: String,
    /// A charger's own document: its key, and what it says from now on; `None`, it goes.
    pub charger: Option<(Key, Option<KeptCharger>)>,
    /// More that belongs in the same batch.
    pub also: Vec<Change>,
}

impl Wanted {
    /// A site, and nothing else.
    pub fn site(site: Value, part: impl Into<String>) -> Wanted {
        Wanted { site, part: part.into(), charger: None, also: Vec::new() }
    }
}

/// Makes of a site what `wanted` makes of what is there, tells the loop, and says what should be looked at.
pub async fn edit(
    service: &Service,
    caller: &Caller,
    site: &SiteRef,
    headers: &HeaderMap,
    wanted: impl Fn(Option<&Value>) -> Result<Wanted, Problem> + Send + Sync,
) -> Result<Edited, Problem> {
    let condition = Condition::of(headers)?;
    let mut attempt = 1;
    loop {
        match once(service, caller, site, &condition, &wanted).await {
            Err(problem) if again(&problem, attempt, condition.is_set()) => attempt += 1,
            done => return done,
        }
    }
}

/// The same for something in a site that is there.
pub async fn edit_there(
    service: &Service,
    caller: &Caller,
    site: &SiteRef,
    headers: &HeaderMap,
    wanted: impl Fn(Value) -> Result<Wanted, Problem> + Send + Sync,
) -> Result<Edited, Problem> {
    let there = |was: Option<&Value>| wanted(was.cloned().ok_or_else(|| Problem::not_found("the site"))?);
    edit(service, caller, site, headers, there).await
}

async fn once(
    service: &Service,
    caller: &Caller,
    site: &SiteRef,
    condition: &Condition,
    wanted: &(impl Fn(Option<&Value>) -> Result<Wanted, Problem> + Send + Sync),
) -> Result<Edited, Problem> {
    let key = change::site_key(site);
    let was = service.store.read(&key, None).await?;
    condition.check(was.as_ref().map(|was| was.version))?;
    let wanted = wanted(was.as_ref().and_then(|was| was.body.as_ref()))?;
    let (what, findings) = checked(&wanted.site, &wanted.part)?;
    let mut chargers = chargers(service, &site.id).await?;
    let place = reserve(service)?;

    let mut batch = Batch::at_site(caller, site);
    batch.put(key, was.as_ref().map(|was| was.version), change::body(&what)?);
    if let Some((key, new)) = wanted.charger {
        let old = chargers.iter().position(|(id, ..)| *id == key.id).map(|at| chargers.remove(at));
        match new {
            Some(new) => {
                batch.put(key.clone(), old.map(|(_, version, _)| version), change::body(&new)?);
                chargers.push((key.id, 0, new));
            }
            None => {
                if let Some((_, version, _)) = old {
                    batch.also([Change::Erase(Key::new(Kind::Station, &site.id, &key.id))]);
                    batch.erase(key, version);
                }
            }
        }
    }
    // What a charger needs goes with its station.
    let gone = |id: &str| !what.stations.iter().any(|station| station.id == id);
    for (id, version, _) in chargers.iter().filter(|(id, ..)| gone(id)) {
        batch.also([Change::Erase(Key::new(Kind::Station, &site.id, id))]);
        batch.erase(Key::new(Kind::Charger, &site.id, id), *version);
    }
    batch.also(wanted.also);
    let written = batch.write(service).await?;
    let version = written.first().map_or(0, |written| written.version);
    let over_api = charger::over_api(&what, chargers.iter().map(|(id, _, kept)| (id.as_str(), kept)));
    service.feeds.changed(site);
    place.tell(Event::Site {
        site: site.id.clone(),
        tenant: site.tenant.clone(),
        what: std::sync::Arc::new(what.clone()),
        over_api,
    });
    Ok(Edited { version, new: was.is_none(), site: what, findings })
}

/// The documents of a site's chargers: id, version, content.
async fn chargers(service: &Service, site: &str) -> Result<Vec<(String, u64, KeptCharger)>, Problem> {
    let all = service.store.all(List::of(Kind::Charger, site)).await?;
    let each = all.into_iter().map(|document| {
        let what = kept(&document)?;
        Ok((document.key.id, document.version, what))
    });
    each.collect()
}

/// A site that has no errors, and what should be looked at.
fn checked(site: &Value, part: &str) -> Result<(Site, Vec<Finding>), Problem> {
    let bytes = serde_json::to_vec(site).map_err(|_| Problem::internal())?;
    let file = file::parse(&bytes).map_err(|findings| refused(&findings, part))?;
    let findings = file.check();
    if any_error(&findings) {
        return Err(refused(&findings, part));
    }
    Ok((file.site, findings))
}

/// Every error of some findings, as fields that are wrong.
pub fn refused(findings: &[Finding], part: &str) -> Problem {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    Problem::invalid(errors.map(|finding| within(SiteFinding::of(finding), part)).collect())
}

/// A finding by its place within the part that the client wrote.
fn within(finding: SiteFinding, part: &str) -> FieldError {
    let inner = finding.field.strip_prefix(part).filter(|_| !part.is_empty());
    let field = inner.map(|inner| inner.trim_start_matches('.').to_owned()).unwrap_or(finding.field);
    FieldError { field, detail: finding.detail }
}

/// The place in a list of a site's JSON of the entry of that id: where it is, or where it would be appended.
pub fn place_in<'a>(site: &'a mut Value, list: &str, id: &str) -> Result<(&'a mut Vec<Value>, usize, bool), Problem> {
    let site = site.as_object_mut().ok_or_else(Problem::internal)?;
    let list = site.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    let list = list.as_array_mut().ok_or_else(Problem::internal)?;
    let at = list.iter().position(|entry| entry.get("id").and_then(Value::as_str) == Some(id));
    let place = at.unwrap_or(list.len());
    Ok((list, place, at.is_some()))
}
