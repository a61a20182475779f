//! Does what the desk wants done, until it is told to stop.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::Area;
use kwartier_data::site::Site;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::{Failure, Outcome};
use super::client::{Carrier, Raw};
use super::desk::{Ask, Desk, News};
use super::record::{self, Record};
use super::subject::Subject;
use super::supply::{self, Spot, at_site};
use super::{feeds, weather};
use crate::access::SiteRef;
use crate::config::Feeds;
use crate::http::change::kept;
use crate::jobs::publication;
use crate::service::Service;
use crate::store::{Fault, Kind, List};

/// Where answers are kept, within the folder of data.
const RECORDS: &str = "feeds";

/// How often it is looked at what is to be asked.
const LOOK: Duration = Duration::from_secs(2);

/// How often it is looked at which sites there are.
const SITES: TimeDelta = TimeDelta::seconds(10);

/// How often old answers are dropped.
const FORGET: TimeDelta = TimeDelta::hours(6);

/// How many feeds are asked in each of these; what is due beyond that waits. Open-Meteo bears 600 requests a minute.
const AT_ONCE: usize = 8;

/// Sites are held against what is known so often, should their prices have been lost on the way.
const HEAL: TimeDelta = TimeDelta::minutes(15);

/// An answer, and what it was asked for.
struct Came {
    ask: Ask,
    outcome: Outcome,
    at: DateTime<Utc>,
}

/// A site that names an area or a place.
struct Wanting {
    site: SiteRef,
    version: u64,
    what: Arc<Site>,
}

/// Fetches until it is told to stop.
pub async fn work(service: Service, carrier: Arc<dyn Carrier>, stop: CancellationToken) {
    let settings = &service.config.feeds;
    let jitter = uuid::Uuid::now_v7().as_u64_pair().1;
    let desk = Desk::new(settings.prices.clone(), settings.weather.clone(), jitter);
    let records = service.config.data.join(RECORDS);
    let mut work = Work {
        service: service.clone(),
        carrier,
        desk,
        records,
        sites: Vec::new(),
        supplied: HashMap::new(),
        looked: None,
        forgot: None,
        healed: None,
        waiting: VecDeque::new(),
        turns: 0,
    };
    let mut under_way = JoinSet::new();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(came) = under_way.join_next(), if !under_way.is_empty() => match came {
                Ok(came) => work.take(came).await,
                Err(why) => tracing::error!(%why, "an answer was lost"),
            },
            _ = ticks.tick() => {
                work.turns = AT_ONCE;
                work.look(Utc::now()).await;
            }
        }
        while work.turns > 0
            && under_way.len() < AT_ONCE
            && let Some(ask) = work.waiting.pop_front()
        {
            work.turns -= 1;
            under_way.spawn(work.ask(ask));
        }
        work.show(Utc::now());
    }
}

struct Work {
    service: Service,
    carrier: Arc<dyn Carrier>,
    desk: Desk,
    records: PathBuf,
    sites: Vec<Wanting>,
    /// By site, the version of it that has its prices.
    supplied: HashMap<String, u64>,
    looked: Option<DateTime<Utc>>,
    forgot: Option<DateTime<Utc>>,
    /// When sites were held against what is known.
    healed: Option<DateTime<Utc>>,
    waiting: VecDeque<Ask>,
    /// How many may be asked before the next look.
    turns: usize,
}

impl Work {
    /// Looks at what there is to do.
    async fn look(&mut self, now: DateTime<Utc>) {
        if self.looked.is_none_or(|looked| now - looked >= SITES || looked > now) {
            self.looked = Some(now);
            if self.healed.is_none_or(|healed| now - healed >= HEAL || healed > now) {
                self.healed = Some(now);
                self.supplied.clear();
            }
            match wanting(&self.service).await {
                Ok(sites) => {
                    self.sites = sites;
                    self.changed(now).await;
                }
                Err(why) => tracing::warn!(%why, "it cannot be read for which sites to fetch"),
            }
        }
        if self.forgot.is_none_or(|forgot| now - forgot >= FORGET || forgot > now) {
            self.forgot = Some(now);
            let (folder, days) =
                (self.records.clone(), TimeDelta::days(i64::from(self.service.config.feeds.keep_days)));
            tokio::task::spawn_blocking(move || record::forget(&folder, (now - days).date_naive()));
        }
        let priced = !self.service.config.feeds.prices.is_empty();
        let areas: BTreeSet<String> =
            self.sites.iter().filter(|_| priced).filter_map(|site| area(&site.what)).collect();
        let weathered = !self.service.config.feeds.weather.is_empty();
        let places = self.sites.iter().filter(|_| weathered).filter_map(|site| weather::place(&site.what)).collect();
        self.desk.want(&areas, &places, now);
        self.waiting.extend(self.desk.due(now));
    }

    /// Sites that have changed, or are new, get what is known already.
    async fn changed(&mut self, now: DateTime<Utc>) {
        let versions: HashMap<String, u64> =
            self.sites.iter().map(|site| (site.site.id.clone(), site.version)).collect();
        self.supplied.retain(|site, _| versions.contains_key(site));
        for wanting in &self.sites {
            let id = &wanting.site.id;
            if self.supplied.get(id) == Some(&wanting.version) {
                continue;
            }
            let Some(area) = area(&wanting.what) else { continue };
            let mut whole = true;
            for (day, chosen) in self.desk.days(&area) {
                let put = match at_site(&wanting.what, &Spot::of(chosen)) {
                    Ok(prices) => {
                        supply::put(&*self.service.store, &self.service.app, &wanting.site, &prices, now).await
                    }
                    Err(why) => Err(Fault::Corrupt(why)),
                };
                // The next look tries again; other sites do not wait for this one.
                if let Err(why) = put {
                    tracing::warn!(site = id, %day, %why, "prices cannot be put");
                    whole = false;
                }
            }
            if whole {
                self.supplied.insert(id.clone(), wanting.version);
            }
        }
    }

    /// Asks a feed, and keeps what comes.
    fn ask(&self, ask: Ask) -> impl Future<Output = Came> + Send + 'static {
        let (carrier, service, records) = (Arc::clone(&self.carrier), self.service.clone(), self.records.clone());
        async move {
            let now = Utc::now();
            let asked = ask.subject.span(now);
            let request = match feeds::request(&service.config.feeds, ask.source, &ask.subject, now) {
                Ok(request) => request,
                Err(failure) => return Came { ask, outcome: Err(failure), at: now },
            };
            let raw = carrier.carry(&request, now).await;
            let at = Utc::now();
            keep(&records, Record::of(ask.source, &ask.subject, asked, &raw, at)).await;
            let (source, subject) = (ask.source, ask.subject.clone());
            // Whatever an answer does to its parser, it is one answer.
            let read = tokio::task::spawn_blocking(move || understood(raw, source, &subject, asked, at)).await;
            let outcome = read.unwrap_or_else(|_| Err(Failure::Broken("it cannot be read".to_owned())));
            Came { ask, outcome, at }
        }
    }

    async fn take(&mut self, came: Came) {
        let Came { ask, outcome, at } = came;
        let word = outcome.as_ref().map_or_else(Failure::word, |_| "fine");
        metrics::counter!("kwartier_feed_answers_total", "feed" => ask.source.name(), "outcome" => word).increment(1);
        match &outcome {
            Ok(_) => tracing::info!(feed = ask.source.name(), subject = %ask.subject, "a feed has answered"),
            Err(Failure::NotYet(_)) => {
                tracing::debug!(feed = ask.source.name(), subject = %ask.subject, "it is not published yet");
            }
            Err(failure) => {
                tracing::warn!(feed = ask.source.name(), subject = %ask.subject, why = failure.why(), "a feed has failed");
            }
        }
        match self.desk.heard(&ask, outcome, at) {
            Some(News::Prices { area, day, chosen }) => {
                let job = publication::job(&area, day, Spot::of(&chosen), at);
                let enqueued = match job {
                    Ok(job) => self.service.store.write(at, vec![job]).await.map(drop),
                    Err(why) => Err(why),
                };
                match enqueued {
                    Ok(()) => self.known_to_all(&area),
                    // Each site gets them when the sites are looked at next.
                    Err(why) => tracing::error!(area, %day, %why, "prices cannot be published"),
                }
            }
            Some(News::Weather { place, sky }) => {
                if let Err(why) = weather::keep(&*self.service.store, &place, &sky).await {
                    tracing::warn!(%why, "weather cannot be kept");
                }
            }
            None => {}
        }
    }

    /// The sites of an area get their prices by a publication.
    fn known_to_all(&mut self, wanted: &str) {
        for wanting in self.sites.iter().filter(|site| area(&site.what).as_deref() == Some(wanted)) {
            self.supplied.insert(wanting.site.id.clone(), wanting.version);
        }
    }

    fn show(&self, now: DateTime<Utc>) {
        let Feeds { prices, weather, .. } = &self.service.config.feeds;
        self.service.feeds.show(&self.desk, !(prices.is_empty() && weather.is_empty()), now);
        let (wanted, late) = self.service.feeds.late();
        metrics::gauge!("kwartier_feeds_wanted").set(wanted as f64);
        metrics::gauge!("kwartier_feeds_late").set(late as f64);
        for (kind, age_s) in self.service.feeds.ages_s(now) {
            metrics::gauge!("kwartier_feed_age_seconds", "kind" => kind).set(age_s as f64);
        }
    }
}

/// What an answer says, or why there is none.
pub(super) fn understood(
    raw: Result<Raw, String>,
    source: crate::resource::feed::Source,
    subject: &Subject,
    asked: kwartier_data::feeds::Span,
    at: DateTime<Utc>,
) -> Outcome {
    feeds::read(&raw.map_err(Failure::Unreachable)?, source, subject, asked, at)
}

/// Keeps an answer as it came. That it cannot be kept holds nothing up.
async fn keep(folder: &Path, what: Record) {
    let folder = folder.to_owned();
    let written = tokio::task::spawn_blocking(move || record::write(&folder, &what).map(drop)).await;
    if let Ok(Err(why)) = written {
        tracing::warn!(why, "an answer of a feed cannot be kept");
    }
}

/// The name of a site's area, as areas are written.
pub fn area(site: &Site) -> Option<String> {
    Area::parse(site.price_area.as_ref()?).map(|area| area.name.to_owned())
}

/// The sites that name an area or a place.
async fn wanting(service: &Service) -> Result<Vec<Wanting>, Fault> {
    let all = service.store.all(List::all(Kind::Site)).await?;
    let wanting = all.into_iter().filter_map(|document| {
        let what: Site = kept(&document).ok()?;
        let site = SiteRef { id: document.key.id, tenant: document.key.owner };
        Some(Wanting { site, version: document.version, what: Arc::new(what) })
    });
    Ok(wanting.filter(|site| area(&site.what).is_some() || weather::place(&site.what).is_some()).collect())
}

/// The sites of an area, by id.
pub async fn of_area(service: &Service, wanted: &str) -> Result<BTreeMap<String, (SiteRef, Arc<Site>)>, Fault> {
    let sites = wanting(service).await?.into_iter().filter(|site| area(&site.what).as_deref() == Some(wanted));
    Ok(sites.map(|site| (site.site.id.clone(), (site.site, site.what))).collect())
}
