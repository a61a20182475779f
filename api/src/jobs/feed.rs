//! From the logs to webhooks: every entry that somebody wants to be told of becomes a delivery. How far the logs were read
//! is written down in the same batch as the deliveries, so that a crash neither drops nor repeats one.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::http::change::{body, kept};
use crate::resource::webhook::{KeptWebhook, Sent, Topic};
use crate::service::Service;
use crate::store::{Change, Entry, Expect, Fault, Key, Kind, List, LogPage, NewJob, Stream};

/// How often the logs are read.
const LOOK: Duration = Duration::from_secs(1);

/// How many entries are read at once.
const AT_ONCE: u32 = 500;

/// How far a log was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Reached {
    number: u64,
}

/// Reads the logs until it is told to stop.
pub async fn work(service: Service, stop: CancellationToken) {
    loop {
        let more = match once(&service, Utc::now()).await {
            Ok(more) => more,
            // Another process was quicker, or nothing can be stored now: the next look goes on from what is written down.
            Err(why) => {
                tracing::debug!(%why, "webhooks wait");
                false
            }
        };
        let wait = if more { Duration::ZERO } else { LOOK };
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

/// Reads what is new in each log; whether there may be more.
async fn once(service: &Service, now: DateTime<Utc>) -> Result<bool, Fault> {
    let webhooks = webhooks(service).await?;
    let mut more = false;
    for topic in Topic::ALL {
        more |= read(service, topic, &webhooks, now).await?;
    }
    Ok(more)
}

/// A webhook, whose it is, and its id.
struct Listener {
    tenant: String,
    id: String,
    kept: KeptWebhook,
}

async fn webhooks(service: &Service) -> Result<Vec<Listener>, Fault> {
    let all = service.store.all(List::all(Kind::Webhook)).await?;
    // Those without an owner say how far the logs were read.
    let listeners = all.into_iter().filter(|document| !document.key.owner.is_empty());
    listeners
        .map(|document| {
            let kept = kept(&document)?;
            Ok(Listener { tenant: document.key.owner, id: document.key.id, kept })
        })
        .collect()
}

async fn read(service: &Service, topic: Topic, webhooks: &[Listener], now: DateTime<Utc>) -> Result<bool, Fault> {
    let key = Key::new(Kind::Webhook, "", topic.name());
    let was = service.store.read(&key, None).await?;
    let reached = was.as_ref().map(kept::<Reached>).transpose()?.map_or(0, |reached| reached.number);
    let stream = match topic {
        Topic::Alarm => Stream::Alarm,
        Topic::Setpoint => Stream::Setpoint,
        Topic::Plan => Stream::Plan,
        Topic::Change => Stream::Audit,
    };
    let ask = LogPage { stream, tenants: None, site: None, after: reached, limit: AT_ONCE };
    let entries = service.store.log(&ask).await?;
    let Some(last) = entries.last() else { return Ok(false) };
    let mut changes = Vec::new();
    for entry in &entries {
        for listener in webhooks.iter().filter(|listener| wants(listener, topic, entry)) {
            changes.push(Change::Enqueue(delivery(listener, topic, entry, now)?));
        }
    }
    let expect = was.map_or(Expect::Absent, |was| Expect::Version(was.version));
    // Nobody listens: then it is enough to write down how far it was read once in a while.
    if !changes.is_empty() || last.number - reached >= u64::from(AT_ONCE) || reached == 0 {
        changes.push(Change::Put { key, body: body(&Reached { number: last.number })?, expect });
        service.store.write(now, changes).await?;
    }
    Ok(entries.len() == AT_ONCE as usize)
}

fn wants(listener: &Listener, topic: Topic, entry: &Entry) -> bool {
    let Listener { tenant, kept: KeptWebhook { what, since, .. }, .. } = listener;
    let of_site =
        what.sites.as_ref().is_none_or(|sites| entry.what.site.as_ref().is_some_and(|site| sites.contains(site)));
    *tenant == entry.what.tenant && !what.paused && what.events.contains(&topic) && of_site && entry.at >= *since
}

/// The delivery of an entry to a webhook.
fn delivery(listener: &Listener, topic: Topic, entry: &Entry, now: DateTime<Utc>) -> Result<NewJob, Fault> {
    let sent = Sent {
        number: entry.number,
        topic,
        at: entry.at,
        tenant: entry.what.tenant.clone(),
        site: entry.what.site.clone(),
        data: entry.what.body.clone(),
    };
    Ok(NewJob {
        id: Uuid::now_v7(),
        kind: "deliver".to_owned(),
        tenant: listener.tenant.clone(),
        site: entry.what.site.clone(),
        once: Some(format!("deliver/{}/{}", listener.id, entry.number)),
        due: now,
        input: json!({ "webhook": listener.id, "event": body(&sent)? }),
    })
}
