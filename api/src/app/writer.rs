//! What the loop wants kept, as far as the store keeps up. The loop never waits for it: what is of least use is dropped
//! first when there is too much, and everything is tried again when the store could not be used.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::store::{Change, Expect, Fault, KeptPlan, Key, Measured, NewEntry, Store, Stream};

/// What waits at most: what devices hold is one for each and not bounded further.
const MOST_PLANS: usize = 256;
const MOST_ALARMS: usize = 65_536;
const MOST_SETPOINTS: usize = 32_768;
const MOST_ROWS: usize = 131_072;

/// Changes that are written at once.
const BATCH: usize = 1024;

/// How often it is written.
const EVERY: Duration = Duration::from_secs(1);

/// The longest pause after the store could not be used.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What waits to be written.
#[derive(Debug, Default)]
struct Waiting {
    held: HashMap<Key, serde_json::Value>,
    plans: VecDeque<KeptPlan>,
    alarms: VecDeque<NewEntry>,
    setpoints: VecDeque<NewEntry>,
    rows: VecDeque<Measured>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        let Waiting { held, plans, alarms, setpoints, rows } = self;
        held.is_empty() && plans.is_empty() && alarms.is_empty() && setpoints.is_empty() && rows.is_empty()
    }
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    dropped: AtomicU64,
    failing: AtomicBool,
}

/// Where the loop leaves what is to be kept. Clones leave it at the same place.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    shared: Arc<Shared>,
}

impl Writer {
    /// A plan is to be kept.
    pub fn plan(&self, plan: KeptPlan) {
        let mut waiting = self.shared.waiting.lock();
        self.bounded(&mut waiting.plans, MOST_PLANS, plan);
    }

    /// What a device holds is to be kept: the last counts.
    pub fn held(&self, key: Key, body: serde_json::Value) {
        self.shared.waiting.lock().held.insert(key, body);
    }

    /// An entry is to be appended to its log.
    pub fn log(&self, entry: NewEntry) {
        let mut waiting = self.shared.waiting.lock();
        if entry.stream == Stream::Setpoint {
            self.bounded(&mut waiting.setpoints, MOST_SETPOINTS, entry);
        } else {
            self.bounded(&mut waiting.alarms, MOST_ALARMS, entry);
        }
    }

    /// Measurements are to be kept.
    pub fn measured(&self, rows: Vec<Measured>) {
        let mut waiting = self.shared.waiting.lock();
        for row in rows {
            self.bounded(&mut waiting.rows, MOST_ROWS, row);
        }
    }

    /// How many things were dropped because the store did not keep up.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Whether the store could not be used when it was tried last.
    pub fn is_failing(&self) -> bool {
        self.shared.failing.load(Ordering::Relaxed)
    }

    fn bounded<T>(&self, queue: &mut VecDeque<T>, most: usize, item: T) {
        if queue.len() >= most {
            queue.pop_front();
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queue.push_back(item);
    }

    /// Writes until it is told to stop, and then what is left.
    pub async fn run(self, store: Arc<dyn Store>, stop: CancellationToken) {
        let mut pause = EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.flush(&*store, Utc::now()).await {
                Ok(()) => EVERY,
                Err(()) => (pause * 2).min(LONGEST_PAUSE),
            };
        }
        if self.flush(&*store, Utc::now()).await.is_err() {
            tracing::error!("not everything could be stored before the end");
        }
    }

    /// Writes all that waits; `Err`, the store cannot be used, and it waits on.
    pub async fn flush(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<(), ()> {
        while !self.shared.waiting.lock().is_empty() {
            let outcome = self.write_some(store, now).await;
            let failing = outcome.is_err();
            if self.shared.failing.swap(failing, Ordering::Relaxed) != failing {
                if let Err(fault) = &outcome {
                    tracing::error!(%fault, "the store cannot be used; control goes on from memory");
                } else {
                    tracing::info!("the store can be used again");
                }
            }
            outcome.map_err(drop)?;
        }
        Ok(())
    }

    async fn write_some(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<(), Fault> {
        let (held, entries) = {
            let mut waiting = self.shared.waiting.lock();
            let held: Vec<(Key, serde_json::Value)> = waiting.held.drain().collect();
            let count = waiting.alarms.len().min(BATCH);
            let mut entries: Vec<NewEntry> = waiting.alarms.drain(..count).collect();
            let count = waiting.setpoints.len().min(BATCH);
            entries.extend(waiting.setpoints.drain(..count));
            (held, entries)
        };
        if !held.is_empty() || !entries.is_empty() {
            let puts = held.iter().map(|(key, body)| Change::Put {
                key: key.clone(),
                body: body.clone(),
                expect: Expect::Any,
            });
            let changes: Vec<Change> = puts.chain(entries.iter().cloned().map(Change::Log)).collect();
            if let Err(fault) = self.usable(store.write(now, changes).await.map(drop)) {
                self.again(held, entries);
                return Err(fault);
            }
        }
        let plan = self.shared.waiting.lock().plans.pop_front();
        if let Some(plan) = plan
            && let Err(fault) = self.usable(store.keep_plan(&plan).await)
        {
            self.shared.waiting.lock().plans.push_front(plan);
            return Err(fault);
        }
        let rows: Vec<Measured> = {
            let mut waiting = self.shared.waiting.lock();
            let count = waiting.rows.len().min(4 * BATCH);
            waiting.rows.drain(..count).collect()
        };
        if !rows.is_empty()
            && let Err(fault) = self.usable(store.measure(&rows).await)
        {
            let mut waiting = self.shared.waiting.lock();
            rows.into_iter().rev().for_each(|row| waiting.rows.push_front(row));
            return Err(fault);
        }
        Ok(())
    }

    /// What the store says; what it will never take is given up.
    fn usable(&self, outcome: Result<(), Fault>) -> Result<(), Fault> {
        match outcome {
            Err(fault @ Fault::Unavailable(_)) => Err(fault),
            Err(fault) => {
                tracing::error!(%fault, "what cannot be stored is dropped");
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Could not be written: what came meanwhile is newer.
    fn again(&self, held: Vec<(Key, serde_json::Value)>, entries: Vec<NewEntry>) {
        let mut waiting = self.shared.waiting.lock();
        for (key, body) in held {
            waiting.held.entry(key).or_insert(body);
        }
        for entry in entries.into_iter().rev() {
            let setpoint = entry.stream == Stream::Setpoint;
            if setpoint { &mut waiting.setpoints } else { &mut waiting.alarms }.push_front(entry);
        }
    }
}
