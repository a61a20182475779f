//! What was read a moment ago.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

/// How long something is believed without reading it again, in s. Changes made by this process are seen at once;
/// another one on the same database is seen within this time.
const BELIEVED_S: i64 = 5;

/// How much is remembered at most; what is over that is forgotten all at once.
const MOST: usize = 20_000;

/// What was read a moment ago, by key.
#[derive(Debug)]
pub struct Cache<K, V> {
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    /// Counts how often everything was forgotten.
    era: u64,
    entries: HashMap<K, (DateTime<Utc>, V)>,
}

/// In which era something was read: what was read before everything was forgotten is not remembered after it.
#[derive(Debug, Clone, Copy)]
pub struct Era(u64);

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty one.
    pub fn new() -> Cache<K, V> {
        Cache { state: Mutex::new(State { era: 0, entries: HashMap::new() }) }
    }

    /// What is remembered, or the era to read in.
    pub fn get(&self, key: &K, now: DateTime<Utc>) -> Result<V, Era> {
        let state = self.state.lock();
        match state.entries.get(key) {
            // A clock that was set back makes nothing believable for longer.
            Some((at, value)) if (now - *at).abs() < TimeDelta::seconds(BELIEVED_S) => Ok(value.clone()),
            _ => Err(Era(state.era)),
        }
    }

    /// Remembers what was read.
    pub fn put(&self, era: Era, key: K, value: V, now: DateTime<Utc>) {
        let mut state = self.state.lock();
        if state.era != era.0 {
            return;
        }
        if state.entries.len() >= MOST {
            state.entries.clear();
        }
        state.entries.insert(key, (now, value));
    }

    /// Forgets everything.
    pub fn forget(&self) {
        let mut state = self.state.lock();
        state.era += 1;
        state.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_believed_after_it() {
        let cache = Cache::new();
        let now = DateTime::UNIX_EPOCH;
        let era = cache.get(&1, now).unwrap_err();
        cache.forget();
        cache.put(era, 1, "old", now);
        assert!(cache.get(&1, now).is_err());
        let era = cache.get(&1, now).unwrap_err();
        cache.put(era, 1, "new", now);
        assert_eq!(cache.get(&1, now).ok(), Some("new"));
    }

    #[test]
    fn belief_ends() {
        let cache = Cache::new();
        let now = DateTime::UNIX_EPOCH;
        let era = cache.get(&1, now).unwrap_err();
        cache.put(era, 1, (), now);
        assert!(cache.get(&1, now + TimeDelta::seconds(BELIEVED_S - 1)).is_ok());
        assert!(cache.get(&1, now + TimeDelta::seconds(BELIEVED_S)).is_err());
        assert!(cache.get(&1, now - TimeDelta::seconds(BELIEVED_S)).is_err());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache = Cache::new();
        let now = DateTime::UNIX_EPOCH;
        for k in 0..3 * MOST {
            let era = cache.get(&k, now).unwrap_err();
            cache.put(era, k, (), now);
        }
        assert!(cache.state.lock().entries.len() <= MOST);
    }
}
