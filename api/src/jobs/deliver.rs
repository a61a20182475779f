//! Delivering events to webhooks: signed, tried again with growing pauses, given up after a day.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use serde_json::Value;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use super::target::{self, client};
use super::{each, report};
use crate::access::token::hex;
use crate::http::change::{body, kept};
use crate::resource::webhook::{Attempt, KeptWebhook, Sent};
use crate::service::Service;
use crate::store::{Change, Fault, Job, JobState, Key, Kind, NewEntry, Stream};

/// How long one attempt may take before another worker takes it for dead.
const LEASE: TimeDelta = TimeDelta::minutes(1);

/// The first pause, in s; each is twice the one before.
const FIRST_PAUSE_S: u32 = 5;

/// The longest pause, in s.
const LONGEST_PAUSE_S: u32 = 3 * 3600;

/// How often it is tried: over about a day.
const ATTEMPTS: u32 = 16;

/// How long an answer is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Sends, to the internet alone.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
    allow_private: bool,
}

impl Sender {
    /// A sender that waits so long for an answer.
    pub fn new(allow_private: bool, patience: Duration) -> Result<Sender, reqwest::Error> {
        Ok(Sender { client: client(allow_private, patience)?, allow_private })
    }
}

/// Does the jobs that deliver.
pub async fn work(service: Service, sender: Sender, stop: CancellationToken) {
    each(&service, "deliver", LEASE, &stop, |job| one(&service, &sender, job)).await;
}

async fn one(service: &Service, sender: &Sender, mut job: Job) {
    let began = Instant::now();
    let outcome = attempt(service, sender, &job).await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, error) = match outcome {
        Ok(Outcome::Answered(status)) if (200..300).contains(&status) => (Some(status), None),
        Ok(Outcome::Answered(status)) => (Some(status), Some(format!("it answered {status}, not 2xx"))),
        Ok(Outcome::Gone) => {
            // Nobody is there to be told of it.
            report(service, &mut job, JobState::Cancelled).await;
            return;
        }
        Err(why) => (None, Some(why)),
    };
    let (state, word) = match (&error, job.attempts >= ATTEMPTS) {
        (None, _) => (JobState::Done, "delivered"),
        (Some(_), false) => (JobState::Waiting, "retried"),
        (Some(_), true) => (JobState::Failed, "dead"),
    };
    let now = Utc::now();
    if state == JobState::Waiting {
        job.what.due = now + pause(job.attempts, job.what.id.as_u128());
    }
    job.error.clone_from(&error);
    job.progress = if state == JobState::Done { 1.0 } else { 0.0 };
    if let Err(why) = log(service, &job, word, status, error, took_ms, now).await {
        tracing::warn!(%why, "a delivery cannot be written down");
    }
    report(service, &mut job, state).await;
}

/// How an attempt went.
enum Outcome {
    /// Somebody answered with this status.
    Answered(u16),
    /// The webhook is not there any longer.
    Gone,
}

async fn attempt(service: &Service, sender: &Sender, job: &Job) -> Result<Outcome, String> {
    let id = job.what.input.get("webhook").and_then(Value::as_str).unwrap_or_default();
    let key = Key::new(Kind::Webhook, &job.what.tenant, id);
    let Some(document) = service.store.read(&key, None).await.map_err(|why| why.to_string())? else {
        return Ok(Outcome::Gone);
    };
    let webhook: KeptWebhook = kept(&document).map_err(|why| why.to_string())?;
    let url = target::url(&webhook.what.url, sender.allow_private).map_err(|why| format!("its URL {why}"))?;
    let event = job.what.input.get("event").cloned().unwrap_or_default();
    let text = event.to_string();
    let now = Utc::now();
    let request = sender
        .client
        .post(url)
        .header("content-type", "application/json")
        .header("kwartier-delivery", job.what.id.to_string())
        .header("kwartier-signature", signature(&webhook.secret, now, &text))
        .body(text);
    // What is answered beyond the status is not read.
    request.send().await.map(|response| Outcome::Answered(response.status().as_u16())).map_err(|why| reason(&why))
}

/// Why a request failed, without the URL, which may carry what its owner keeps to themselves.
fn reason(why: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = why;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    if why.is_timeout() { "it did not answer in time".to_owned() } else { format!("it was not reached: {deepest}") }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 by the webhook's secret over the seconds since 1970, a dot, and the body.
pub fn signature(secret: &str, now: DateTime<Utc>, body: &str) -> String {
    let seconds = now.timestamp();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

/// The pause after an attempt: twice as long each time, and up to half as much again by chance, so that not all come back at
/// once. `seed` is the chance.
fn pause(attempt: u32, seed: u128) -> TimeDelta {
    let doubled = FIRST_PAUSE_S.saturating_mul(1 << attempt.saturating_sub(1).min(20));
    let base_s = i64::from(doubled.min(LONGEST_PAUSE_S));
    #[expect(clippy::cast_possible_truncation, reason = "its low bits are as random as any")]
    let chance = i64::from((seed as u32).rotate_left(attempt) % 500);
    TimeDelta::milliseconds(base_s * (1000 + chance))
}

async fn log(
    service: &Service,
    job: &Job,
    outcome: &str,
    status: Option<u16>,
    error: Option<String>,
    took_ms: u64,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let event: Option<Sent> = job.what.input.get("event").cloned().and_then(|event| serde_json::from_value(event).ok());
    let attempt = Attempt {
        webhook: job.what.input.get("webhook").and_then(Value::as_str).unwrap_or_default().to_owned(),
        delivery: job.what.id,
        event: event.map_or(0, |event| event.number),
        attempt: job.attempts,
        outcome: outcome.to_owned(),
        status,
        error,
        took_ms,
    };
    let entry = NewEntry {
        stream: Stream::Delivery,
        tenant: job.what.tenant.clone(),
        site: job.what.site.clone(),
        body: body(&attempt)?,
    };
    service.store.write(now, vec![Change::Log(entry)]).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_says() {
        // printf '1700000000.{"number":1}' | openssl dgst -sha256 -hmac secret
        let at = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let signed = signature("secret", at, "{\"number\":1}");
        assert_eq!(signed, "t=1700000000,v1=265b800f779e7205487cd8cfa6fca6734b15c2ce711d3888eca194e64c4d3e8d");
    }

    #[test]
    fn pauses_grow_spread_and_end_within_two_days() {
        let total: TimeDelta = (1..ATTEMPTS).map(|attempt| pause(attempt, 7)).sum();
        assert!(total > TimeDelta::hours(12) && total < TimeDelta::hours(48), "{total}");
        assert!(pause(2, 7) > pause(1, 7));
        assert!((0..50).map(|seed| pause(3, seed)).collect::<std::collections::BTreeSet<_>>().len() > 20);
        assert!(pause(ATTEMPTS * 4, u128::MAX) <= TimeDelta::seconds(i64::from(LONGEST_PAUSE_S) * 3 / 2));
    }
}
