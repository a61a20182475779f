//! Turns: what is looked at first and changed then, one after the other at each site.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is at each site.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>);

impl Turns {
    /// Waits for the turn at a site; it lasts as long as what is returned.
    pub async fn at(&self, site: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock();
            // Those that nobody holds or waits for are of no use any more.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(site.to_owned()).or_default())
        };
        turn.lock_owned().await
    }
}
