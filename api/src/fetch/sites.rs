//! The sites for which something is fetched. All of them are read when it begins and now and then; in between only those that have
//! changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::Site;

use super::subject::Subject;
use super::{area, weather};
use crate::access::SiteRef;
use crate::config::Feeds;
use crate::http::change::{kept, site_key};
use crate::service::Service;
use crate::store::{Document, Fault, Kind, List};

/// All sites are read so often, should a change have been missed: another process on the same database has made it.
const WHOLE: TimeDelta = TimeDelta::minutes(15);

/// A site for which something is fetched.
#[derive(Debug, Clone)]
pub struct Wanting {
    /// Which.
    pub site: SiteRef,
    /// Its version.
    pub version: u64,
    /// What it says.
    pub what: Arc<Site>,
}

/// The sites for which something is fetched.
#[derive(Debug, Default)]
pub struct Sites {
    by_id: BTreeMap<String, Wanting>,
    /// When all of them were read.
    read: Option<DateTime<Utc>>,
}

impl Sites {
    /// Brings them up to date. Whether all of them were read.
    ///
    /// # Errors
    ///
    /// Why they cannot be read; the next time tries again.
    pub async fn follow(&mut self, service: &Service, now: DateTime<Utc>) -> Result<bool, Fault> {
        let changed = service.feeds.take_changed();
        if self.read.is_none_or(|read| now - read >= WHOLE || read > now) {
            let all = service.store.all(List::all(Kind::Site)).await?;
            let wanting = all.into_iter().filter_map(|document| of(document, &service.config.feeds));
            self.by_id = wanting.map(|wanting| (wanting.site.id.clone(), wanting)).collect();
            self.read = Some(now);
            return Ok(true);
        }
        for site in changed {
            let document = match service.store.read(&site_key(&site), None).await {
                Ok(document) => document,
                Err(why) => {
                    service.feeds.changed(&site);
                    return Err(why);
                }
            };
            match document.and_then(|document| of(document, &service.config.feeds)) {
                Some(wanting) => self.by_id.insert(site.id, wanting),
                None => self.by_id.remove(&site.id),
            };
        }
        Ok(false)
    }

    /// Each of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Wanting> {
        self.by_id.values()
    }

    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Wanting> {
        self.by_id.get(id)
    }

    /// The areas whose prices they want, and what else they want, as far as there are feeds for it.
    pub fn wants(&self, feeds: &Feeds, now: DateTime<Utc>) -> (BTreeSet<String>, BTreeSet<Subject>) {
        let (mut areas, mut others) = (BTreeSet::new(), BTreeSet::new());
        for Wanting { site, what, .. } in self.iter() {
            if !feeds.prices.is_empty() {
                areas.extend(area::of_prices(what));
            }
            if !feeds.weather.is_empty() {
                others.extend(weather::place(what));
            }
            if !feeds.carbon.is_empty() {
                others.extend(area::of_carbon(what).map(|area| Subject::Carbon { area }));
            }
            if !feeds.pv.is_empty() {
                others.extend(what.pv.iter().map(|plant| Subject::pv(&site.id, what, plant)));
            }
            if feeds.contract(&site.id).is_some() {
                others.extend(Subject::contract(&site.id, what, now));
            }
        }
        (areas, others)
    }
}

/// A site, if something is fetched for it.
fn of(document: Document, feeds: &Feeds) -> Option<Wanting> {
    let what: Site = kept(&document).ok()?;
    let site = SiteRef { id: document.key.id, tenant: document.key.owner };
    let wants = area::of_carbon(&what).is_some()
        || weather::place(&what).is_some()
        || !what.pv.is_empty()
        || feeds.contract(&site.id).is_some();
    wants.then(|| Wanting { site, version: document.version, what: Arc::new(what) })
}

/// The sites of a price area, by id.
///
/// # Errors
///
/// Why they cannot be read.
pub async fn of_area(service: &Service, wanted: &str) -> Result<BTreeMap<String, (SiteRef, Arc<Site>)>, Fault> {
    let all = service.store.all(List::all(Kind::Site)).await?;
    let sites = all.into_iter().filter_map(|document| of(document, &service.config.feeds));
    let sites = sites.filter(|wanting| area::of_prices(&wanting.what).as_deref() == Some(wanted));
    Ok(sites.map(|wanting| (wanting.site.id.clone(), (wanting.site, wanting.what))).collect())
}
