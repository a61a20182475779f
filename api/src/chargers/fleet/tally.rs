//! What is counted while the stations run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::profiles::Purpose;
use parking_lot::Mutex;
use serde::Serialize;

use crate::chargers::station::Count;

/// Numbers that only rise, or that say how many there are now.
#[derive(Debug, Default)]
pub struct Tally {
    connected: AtomicU64,
    connects: AtomicU64,
    refused: AtomicU64,
    booted: AtomicU64,
    cuts: AtomicU64,
    asked: AtomicU64,
    refused_calls: AtomicU64,
    failed: AtomicU64,
    posts: AtomicU64,
    lost_posts: AtomicU64,
    /// By purpose: accepted, rejected.
    profiles: [[AtomicU64; 2]; 4],
    /// Whether the central system has refused somebody, and how.
    last_refusal: Mutex<Option<String>>,
    overloads: Mutex<Overloads>,
}

/// Boards above their limits, and how long it took until somebody below them was told to draw less.
#[derive(Debug, Default)]
struct Overloads {
    /// By node: since when an overload that was posted waits.
    open: Vec<Option<Instant>>,
    latencies: Vec<Duration>,
    /// Overloads that ended without anybody having been told.
    unanswered: u64,
}

/// The numbers as they are now.
#[derive(Debug, Clone, Serialize)]
pub struct Numbers {
    /// Stations that are connected now.
    pub connected: u64,
    /// Connections that were made.
    pub connects: u64,
    /// Connections that were refused or failed.
    pub refused: u64,
    /// How the last one was.
    pub last_refusal: Option<String>,
    /// Starts that were accepted.
    pub booted: u64,
    /// Connections that were cut on purpose.
    pub cuts: u64,
    /// What stations were asked.
    pub asked: u64,
    /// What of it they answered with an error.
    pub answered_with_error: u64,
    /// What they asked and was answered with an error, or not at all.
    pub failed: u64,
    /// Profiles that came.
    pub profiles: Vec<Profiles>,
    /// Measurements that were posted, and those that were not taken.
    pub measurements: [u64; 2],
    /// From a posted overload to the first lowered limit below that board.
    pub latency: Latency,
}

/// Profiles of a purpose.
#[derive(Debug, Clone, Serialize)]
pub struct Profiles {
    /// The purpose, in the words of 2.0.1.
    pub purpose: &'static str,
    /// How many were accepted.
    pub accepted: u64,
    /// How many were rejected.
    pub rejected: u64,
}

/// How long it took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Latency {
    /// How often it was measured.
    pub count: usize,
    /// Half of them were not longer, in ms.
    pub p50_ms: Option<f64>,
    /// All but one in a hundred were not longer, in ms.
    pub p99_ms: Option<f64>,
    /// The longest in ms.
    pub max_ms: Option<f64>,
    /// Overloads that went away, or are still there, without anybody having been told to draw less.
    pub unanswered: u64,
}

const PURPOSES: [(Purpose, &str); 4] = [
    (Purpose::StationMax, "ChargingStationMaxProfile"),
    (Purpose::External, "ChargingStationExternalConstraints"),
    (Purpose::TxDefault, "TxDefaultProfile"),
    (Purpose::Tx, "TxProfile"),
];

impl Tally {
    /// Nothing has happened at so many boards.
    pub fn new(nodes: usize) -> Tally {
        let tally = Tally::default();
        tally.overloads.lock().open = vec![None; nodes];
        tally
    }

    /// A connection was made.
    pub fn connected(&self) {
        self.connects.fetch_add(1, Ordering::Relaxed);
        self.connected.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection is gone.
    pub fn gone(&self) {
        self.connected.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection was not made.
    pub fn refused(&self, why: String) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        *self.last_refusal.lock() = Some(why);
    }

    /// A connection is cut on purpose.
    pub fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }

    /// A measurement was posted, and taken or not.
    pub fn posted(&self, taken: bool) {
        let counter = if taken { &self.posts } else { &self.lost_posts };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Something that a station on a board counts.
    pub fn count(&self, count: Count, node: usize, setup: &Setup) {
        match count {
            Count::Booted => self.booted.fetch_add(1, Ordering::Relaxed),
            Count::Asked { refused } => {
                self.refused_calls.fetch_add(u64::from(refused), Ordering::Relaxed);
                self.asked.fetch_add(1, Ordering::Relaxed)
            }
            Count::Profile { purpose, accepted } => {
                let place = PURPOSES.iter().position(|(known, _)| *known == purpose).unwrap_or(0);
                self.profiles[place][usize::from(!accepted)].fetch_add(1, Ordering::Relaxed)
            }
            Count::Failed => self.failed.fetch_add(1, Ordering::Relaxed),
            Count::Lowered => {
                let mut overloads = self.overloads.lock();
                for above in setup.chain(node) {
                    if let Some(since) = overloads.open.get_mut(above).and_then(Option::take) {
                        let latency = since.elapsed();
                        overloads.latencies.push(latency);
                    }
                }
                0
            }
        };
    }

    /// A board's meter is posted at an instant, above a limit of it or not.
    pub fn posts(&self, node: usize, over: bool, at: Instant) {
        let mut overloads = self.overloads.lock();
        let Some(open) = overloads.open.get_mut(node) else { return };
        if over {
            open.get_or_insert(at);
        } else if open.take().is_some() {
            overloads.unanswered += 1;
        }
    }

    /// The numbers now.
    pub fn numbers(&self) -> Numbers {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let profiles = PURPOSES.iter().zip(&self.profiles).map(|((_, purpose), [accepted, rejected])| Profiles {
            purpose,
            accepted: get(accepted),
            rejected: get(rejected),
        });
        Numbers {
            connected: get(&self.connected),
            connects: get(&self.connects),
            refused: get(&self.refused),
            last_refusal: self.last_refusal.lock().clone(),
            booted: get(&self.booted),
            cuts: get(&self.cuts),
            asked: get(&self.asked),
            answered_with_error: get(&self.refused_calls),
            failed: get(&self.failed),
            profiles: profiles.filter(|one| one.accepted + one.rejected > 0).collect(),
            measurements: [get(&self.posts), get(&self.lost_posts)],
            latency: self.overloads.lock().latency(),
        }
    }
}

impl Overloads {
    fn latency(&self) -> Latency {
        let mut all: Vec<f64> = self.latencies.iter().map(|latency| 1000.0 * latency.as_secs_f64()).collect();
        all.sort_by(f64::total_cmp);
        Latency {
            count: all.len(),
            p50_ms: quantile(&all, 0.5),
            p99_ms: quantile(&all, 0.99),
            max_ms: all.last().copied(),
            unanswered: self.unanswered + self.open.iter().flatten().count() as u64,
        }
    }
}

/// The smallest of sorted values that a share of them does not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = (share * sorted.len() as f64).ceil().max(1.0) as usize - 1;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let all: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((quantile(&all, 0.5), quantile(&all, 0.99)), (Some(100.0), Some(198.0)));
        assert_eq!((quantile(&[7.0], 0.99), quantile(&[], 0.5)), (Some(7.0), None));
    }
}
