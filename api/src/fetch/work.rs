//! Does what the desk wants done, until it is told to stop.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::{Failure, Outcome};
use super::client::{Carrier, Raw};
use super::desk::{Ask, Desk, News, Ranks};
use super::record::{self, Record};
use super::sites::Sites;
use super::subject::Subject;
use super::supply::{self, Spot, at_home, at_site};
use super::{area, carbon, feeds, sun, weather};
use crate::access::SiteRef;
use crate::jobs::publication;
use crate::resource::price::Price;
use crate::service::Service;
use crate::store::Fault;

/// Where answers are kept, within the folder of data.
const RECORDS: &str = "feeds";

/// How often it is looked at what is to be asked.
const LOOK: Duration = Duration::from_secs(2);

/// How often old answers are dropped.
const FORGET: TimeDelta = TimeDelta::hours(6);

/// How many feeds are asked in each of these; what is due beyond that waits. Open-Meteo bears 600 requests a minute.
const AT_ONCE: usize = 8;

/// An answer, and what it was asked for.
struct Came {
    ask: Ask,
    outcome: Outcome,
    at: DateTime<Utc>,
}

/// Fetches until it is told to stop.
pub async fn work(service: Service, carrier: Arc<dyn Carrier>, stop: CancellationToken) {
    let settings = &service.config.feeds;
    let jitter = uuid::Uuid::now_v7().as_u64_pair().1;
    let desk = Desk::new(Ranks::of(settings), jitter);
    let records = service.config.data.join(RECORDS);
    let mut work = Work {
        service: service.clone(),
        carrier,
        desk,
        records,
        sites: Sites::default(),
        supplied: HashMap::new(),
        forgot: None,
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
    sites: Sites,
    /// By site, the version of it that has its prices.
    supplied: HashMap<String, u64>,
    forgot: Option<DateTime<Utc>>,
    waiting: VecDeque<Ask>,
    /// How many may be asked before the next look.
    turns: usize,
}

impl Work {
    /// Looks at what there is to do.
    async fn look(&mut self, now: DateTime<Utc>) {
        match self.sites.follow(&self.service, now).await {
            Ok(whole) => {
                if whole {
                    // Their prices may have been lost on the way: all sites are held against what is known.
                    self.supplied.clear();
                }
                self.changed(now).await;
            }
            Err(why) => tracing::warn!(%why, "it cannot be read for which sites to fetch"),
        }
        if self.forgot.is_none_or(|forgot| now - forgot >= FORGET || forgot > now) {
            self.forgot = Some(now);
            let (folder, days) =
                (self.records.clone(), TimeDelta::days(i64::from(self.service.config.feeds.keep_days)));
            tokio::task::spawn_blocking(move || record::forget(&folder, (now - days).date_naive()));
        }
        let (areas, others) = self.sites.wants(&self.service.config.feeds, now);
        self.desk.want(&areas, &others, now);
        self.waiting.extend(self.desk.due(now));
    }

    /// Sites that have changed, or are new, get what is known already.
    async fn changed(&mut self, now: DateTime<Utc>) {
        let Work { sites, supplied, desk, service, .. } = self;
        supplied.retain(|site, _| sites.get(site).is_some());
        for wanting in sites.iter() {
            let id = &wanting.site.id;
            if supplied.get(id) == Some(&wanting.version) {
                continue;
            }
            let mut known = Vec::new();
            if let Some(area) = area::of_prices(&wanting.what) {
                let used_kwh = service.used.kwh(&*service.store, id, &wanting.what, now).await;
                for (day, chosen) in desk.days(&area) {
                    known.push((day, at_site(&wanting.what, &Spot::of(chosen), used_kwh)));
                }
            }
            if let Some(contract) = service.config.feeds.contract(id) {
                for (day, billed) in desk.billed(id) {
                    known.push((day, at_home(&wanting.what, billed, contract)));
                }
            }
            let mut whole = true;
            for (day, prices) in known {
                whole &= put(service, &wanting.site, day, prices, now).await;
            }
            // The next look tries again where it failed; other sites do not wait for this one.
            if whole {
                supplied.insert(id.clone(), wanting.version);
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
            Some(News::Contract { site, day, billed }) => {
                let contract = self.service.config.feeds.contract(&site);
                if let Some((wanting, contract)) = self.sites.get(&site).zip(contract) {
                    let prices = at_home(&wanting.what, &billed, contract);
                    if !put(&self.service, &wanting.site, day, prices, at).await {
                        self.supplied.remove(&site);
                    }
                }
            }
            Some(News::Weather { place, sky }) => {
                kept(weather::keep(&*self.service.store, &place, &sky).await, "weather");
            }
            Some(News::Power { of, power }) => {
                kept(sun::keep(&*self.service.store, &of, &power, at).await, "the power of a plant");
            }
            Some(News::Carbon { area, carbon }) => {
                let rows = carbon::rows(Some(ask.source), &carbon);
                let written = carbon::keep(&*self.service.store, &area, rows, at).await;
                kept(written, "carbon intensity");
            }
            None => {}
        }
    }

    /// The sites of an area get their prices by a publication.
    fn known_to_all(&mut self, wanted: &str) {
        for wanting in self.sites.iter().filter(|site| area::of_prices(&site.what).as_deref() == Some(wanted)) {
            self.supplied.insert(wanting.site.id.clone(), wanting.version);
        }
    }

    fn show(&self, now: DateTime<Utc>) {
        self.service.feeds.show(&self.desk, now);
        let (wanted, late) = self.service.feeds.late();
        metrics::gauge!("kwartier_feeds_wanted").set(wanted as f64);
        metrics::gauge!("kwartier_feeds_late").set(late as f64);
        for (kind, age_s) in self.service.feeds.ages_s(now) {
            metrics::gauge!("kwartier_feed_age_seconds", "kind" => kind).set(age_s as f64);
        }
    }
}

/// Puts a day's prices at a site. Whether that could be done.
async fn put(
    service: &Service,
    site: &SiteRef,
    day: NaiveDate,
    prices: Result<Vec<Price>, String>,
    now: DateTime<Utc>,
) -> bool {
    let put = match prices {
        Ok(prices) => supply::put(&*service.store, &service.app, site, &prices, now).await,
        Err(why) => Err(Fault::Corrupt(why)),
    };
    put.inspect_err(|why| tracing::warn!(site = site.id, %day, %why, "prices cannot be put")).is_ok()
}

/// Tells that something cannot be kept. It comes again in hours.
fn kept(written: Result<(), Fault>, what: &str) {
    if let Err(why) = written {
        tracing::warn!(%why, what, "what a feed has answered cannot be kept");
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
