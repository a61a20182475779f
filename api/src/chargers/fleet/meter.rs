//! The site's meters: what they show is posted each second, as a meter gateway does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::link::Common;

/// A post that takes longer has failed: the next reading is due.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a board's meter shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The board.
    pub node: usize,
    /// When.
    pub at: DateTime<Utc>,
    /// L1, L2, L3 in A.
    pub amps: [f64; 3],
}

/// Where measurements go.
#[derive(Debug)]
pub struct Target {
    /// The address of the site's measurements.
    pub url: Url,
    /// The key.
    pub key: SecretString,
}

/// Posts readings until no more come.
pub async fn run(common: Arc<Common>, target: Target, client: Client, mut readings: mpsc::Receiver<Vec<Reading>>) {
    let mut told: Option<String> = None;
    while let Some(readings) = readings.recv().await {
        let nodes = &common.setup.nodes;
        let body: Vec<Value> = readings
            .iter()
            .map(|reading| {
                let [l1, l2, l3] = reading.amps;
                let at = reading.at.to_rfc3339_opts(SecondsFormat::Millis, true);
                json!({"at": at, "node": nodes[reading.node].id, "l1_a": l1, "l2_a": l2, "l3_a": l3})
            })
            .collect();
        let now = Instant::now();
        for reading in &readings {
            let over = (0..3).any(|phase| reading.amps[phase] > nodes[reading.node].limit_a[phase]);
            common.tally.posts(reading.node, over, now);
        }
        let post =
            client.post(target.url.clone()).bearer_auth(target.key.expose_secret()).timeout(PATIENCE).json(&body);
        let outcome = match post.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => Err("the key is not accepted".to_owned()),
            Ok(answer) => Err(format!("HTTP {}: {}", answer.status(), answer.text().await.unwrap_or_default())),
            Err(fault) => Err(fault.to_string()),
        };
        common.tally.posted(outcome.is_ok());
        if let Err(why) = &outcome
            && told.as_ref() != Some(why)
        {
            crate::cli::output::note(&format!("measurements are not taken: {why}\n"));
        }
        told = outcome.err();
    }
}
