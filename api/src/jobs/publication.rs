//! The publication of a day's prices: they are put at every site of their area, and each site plans on them. One site that fails
//! holds up no other; one that was interrupted goes on with the sites that have no prices yet.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{each, report};
use crate::access::TOP_TENANT;
use crate::fetch::{self, Spot, at_site};
use crate::http::change::body;
use crate::service::Service;
use crate::store::{Change, Fault, Job, JobState, NewJob};

/// What the job is called.
pub const KIND: &str = "publication";

/// How long a job may go unreported before another worker takes its worker for dead.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// How often it is written down how far it is.
const REPORT: TimeDelta = TimeDelta::seconds(2);

/// How often it is looked at who has planned.
const LOOK: Duration = Duration::from_millis(500);

/// Sites have so long to plan; what then has not is told.
const PATIENCE: TimeDelta = TimeDelta::minutes(20);

/// How often it is begun before it is given up.
const ATTEMPTS: u32 = 5;

/// How many sites are named that had no prices.
const NAMED: usize = 20;

/// What is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Published {
    area: String,
    day: NaiveDate,
    spot: Spot,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Came {
    /// Sites of the area.
    sites: usize,
    /// Of those, the ones whose prices were there already.
    unchanged: usize,
    /// The ones that have planned on the new prices.
    planned: usize,
    /// How long that took, in s.
    seconds: f64,
    /// Those that got no prices, and why; the first of them.
    failed: BTreeMap<String, String>,
}

/// The job of publishing a day's prices.
///
/// # Errors
///
/// That they cannot be worded.
pub fn job(area: &str, day: NaiveDate, spot: Spot, now: DateTime<Utc>) -> Result<Change, Fault> {
    let published = Published { area: area.to_owned(), day, spot };
    let input = body(&published)?;
    let hash = blake3::hash(input.to_string().as_bytes()).to_hex();
    Ok(Change::Enqueue(NewJob {
        id: Uuid::now_v7(),
        kind: KIND.to_owned(),
        tenant: TOP_TENANT.to_owned(),
        site: None,
        once: Some(format!("{KIND}/{area}/{day}/{hash}")),
        due: now,
        input,
    }))
}

/// Does the jobs that publish.
pub async fn work(service: Service, stop: CancellationToken) {
    each(&service, KIND, LEASE, &stop, |job| one(&service, job, &stop)).await;
}

async fn one(service: &Service, mut job: Job, stop: &CancellationToken) {
    let published = serde_json::from_value::<Published>(job.what.input.clone());
    let sites = match &published {
        _ if job.attempts > ATTEMPTS => Err(format!("it was begun {ATTEMPTS} times and never ended")),
        Err(why) => Err(format!("its input cannot be read: {why}")),
        Ok(published) => fetch::of_area(service, &published.area).await.map_err(|why| why.to_string()),
    };
    let (Ok(published), Ok(sites)) = (published, &sites) else {
        job.error = sites.err();
        report(service, &mut job, JobState::Failed).await;
        return;
    };
    let began = Utc::now();
    let mut going = Going { service, job: &mut job, told: began };
    let mut came = Came { sites: sites.len(), ..Came::default() };
    let mut waits: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
    for (k, (id, (site, what))) in sites.iter().enumerate() {
        let now = Utc::now();
        let used_kwh = service.used.kwh(&*service.store, id, what, now).await;
        let put = match at_site(what, &published.spot, used_kwh) {
            Ok(prices) => {
                fetch::put(&*service.store, &service.app, site, &prices, now).await.map_err(|why| why.to_string())
            }
            Err(why) => Err(why),
        };
        match put {
            Ok(0) => came.unchanged += 1,
            Ok(_) => {
                waits.insert(id, now);
            }
            Err(why) => {
                tracing::warn!(site = id, why, "prices cannot be put");
                if came.failed.len() < NAMED {
                    came.failed.insert(id.clone(), why);
                }
            }
        }
        if stop.is_cancelled() || !going.is_at(0.5 * (k + 1) as f64 / sites.len() as f64).await {
            return;
        }
    }
    let wanted = waits.len();
    while !waits.is_empty() && Utc::now() - began < PATIENCE {
        waits.retain(|site, since| !has_planned(service, site, *since));
        came.planned = wanted - waits.len();
        let share = came.planned as f64 / wanted.max(1) as f64;
        let goes_on = stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some();
        if !goes_on || !going.is_at(0.5 + 0.5 * share).await {
            return;
        }
    }
    came.seconds = (Utc::now() - began).as_seconds_f64();
    tracing::info!(
        area = published.area, day = %published.day, sites = came.sites, planned = came.planned, seconds = came.seconds,
        "prices are published"
    );
    metrics::histogram!("kwartier_publication_seconds").record(came.seconds);
    job.progress = 1.0;
    let left = wanted - came.planned;
    job.error = (left > 0 || !came.failed.is_empty())
        .then(|| format!("{} sites got no prices, {left} have not planned on them", came.failed.len()));
    job.result = Some(json!(came));
    report(service, &mut job, JobState::Done).await;
}

/// Whether a site that is steered has a plan made since.
fn has_planned(service: &Service, site: &str, since: DateTime<Utc>) -> bool {
    let status = service.app.status(site);
    status.is_none_or(|status| status.plan.as_ref().is_some_and(|plan| plan.at >= since))
}

/// A job that goes on.
struct Going<'a> {
    service: &'a Service,
    job: &'a mut Job,
    told: DateTime<Utc>,
}

impl Going<'_> {
    /// Writes down now and then how far it is; whether it is still ours.
    async fn is_at(&mut self, share: f64) -> bool {
        let now = Utc::now();
        if now - self.told < REPORT {
            return true;
        }
        self.told = now;
        self.job.progress = share;
        self.job.lease_until = Some(now + LEASE);
        report(self.service, self.job, JobState::Running).await
    }
}
