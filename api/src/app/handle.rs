//! How everybody else speaks with the loop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use tokio::sync::{broadcast, mpsc, watch};

use super::event::Event;
use crate::resource::setpoint::Setpoint;
use crate::resource::status::{SiteStatus, Steering};

/// How many changes of setpoints a site remembers for followers that come back.
pub const REMEMBERED: usize = 4096;

/// The loop is so far behind that it takes nothing more now, or it has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the loop takes nothing more now")]
pub struct Busy;

/// What the loop publishes of a site.
#[derive(Debug)]
pub struct Published {
    /// How it looks after the last step.
    pub status: Arc<SiteStatus>,
    /// The last setpoints, the oldest first; at most [`REMEMBERED`].
    pub recent: std::collections::VecDeque<Setpoint>,
    /// Where followers hear of new ones.
    pub setpoints: broadcast::Sender<Setpoint>,
    /// Where followers hear that the status has changed.
    pub changed: broadcast::Sender<Arc<SiteStatus>>,
}

/// What the loop publishes, by site.
pub type Board = Arc<RwLock<HashMap<String, Published>>>;

/// How everybody else speaks with the loop. Clones speak with the same one.
#[derive(Debug, Clone)]
pub struct Handle {
    events: mpsc::Sender<Event>,
    board: Board,
    /// Each time that the loop comes round and says so: when.
    pub(super) beat: Arc<watch::Sender<Instant>>,
}

/// A place in the loop's queue: what is told through it is heard.
#[derive(Debug)]
pub struct Reserved(mpsc::OwnedPermit<Event>);

impl Reserved {
    /// Tells the loop something.
    pub fn tell(self, event: Event) {
        self.0.send(event);
    }
}

/// How the sites are, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overview {
    /// How many there are.
    pub sites: usize,
    /// How many of them are steered without a plan.
    pub without_plan: usize,
    /// How many of them are left to their fallback.
    pub in_fallback: usize,
    /// When the site that was looked at longest ago was looked at.
    pub oldest: Option<DateTime<Utc>>,
}

/// Somebody who follows the setpoints of a site.
#[derive(Debug)]
pub struct Follower {
    /// What has been missed since the number that was asked from, the oldest first; where it is no longer known, the last
    /// setpoint of each charger.
    pub backlog: Vec<Setpoint>,
    /// What comes.
    pub coming: broadcast::Receiver<Setpoint>,
}

impl Handle {
    /// A handle to a loop that listens at the other end and publishes there.
    pub fn new(events: mpsc::Sender<Event>, board: Board) -> Handle {
        Handle { events, board, beat: Arc::new(watch::Sender::new(Instant::now())) }
    }

    /// Tells the loop something. What is full is an answer too: the caller is told to come back, nothing is queued without
    /// bound.
    pub fn tell(&self, event: Event) -> Result<(), Busy> {
        self.events.try_send(event).map_err(|_| Busy)
    }

    /// Lets all followers go: their streams end.
    pub fn let_go(&self) {
        self.board.write().clear();
    }

    /// Takes a place in the queue, for what is to be told once it is stored.
    pub fn reserve(&self) -> Result<Reserved, Busy> {
        self.events.clone().try_reserve_owned().map(Reserved).map_err(|_| Busy)
    }

    /// Whether the loop is there at all.
    pub fn is_there(&self) -> bool {
        !self.events.is_closed()
    }

    /// Hears each time that the loop comes round and says so, every few seconds.
    pub fn beats(&self) -> watch::Receiver<Instant> {
        self.beat.subscribe()
    }

    /// How long the loop has not come round.
    pub fn still_for(&self) -> Duration {
        self.beat.borrow().elapsed()
    }

    /// How the sites are, all together.
    pub fn overview(&self) -> Overview {
        let mut overview = Overview::default();
        for published in self.board.read().values() {
            let status = &published.status;
            overview.sites += 1;
            overview.without_plan += usize::from(status.steering == Steering::Share);
            overview.in_fallback += usize::from(status.steering == Steering::Fallback);
            overview.oldest = Some(overview.oldest.map_or(status.at, |oldest| oldest.min(status.at)));
        }
        overview
    }

    /// Tells the loop something that is stored already, when there is room for it.
    pub async fn tell_when_free(&self, event: Event) -> Result<(), Busy> {
        self.events.send(event).await.map_err(|_| Busy)
    }

    /// How a site looks now; `None`, the loop does not know it (yet).
    pub fn status(&self, site: &str) -> Option<Arc<SiteStatus>> {
        self.board.read().get(site).map(|published| Arc::clone(&published.status))
    }

    /// Follows the setpoints of a site, after a number where that is given.
    pub fn follow(&self, site: &str, after: Option<u64>) -> Option<Follower> {
        let board = self.board.read();
        let published = board.get(site)?;
        let coming = published.setpoints.subscribe();
        let oldest = published.recent.front().map_or(u64::MAX, |setpoint| setpoint.number);
        let newest = published.recent.back().map_or(0, |setpoint| setpoint.number);
        let backlog = match after {
            // A number that is not reached yet is of a life before this one.
            Some(after) if after.saturating_add(1) >= oldest && after <= newest => {
                published.recent.iter().filter(|setpoint| setpoint.number > after).cloned().collect()
            }
            _ => {
                let mut last: Vec<Setpoint> =
                    published.status.chargers.iter().filter_map(|charger| charger.setpoint.clone()).collect();
                last.sort_by_key(|setpoint| setpoint.number);
                last
            }
        };
        Some(Follower { backlog, coming })
    }

    /// Follows how a site looks.
    pub fn watch(&self, site: &str) -> Option<broadcast::Receiver<Arc<SiteStatus>>> {
        self.board.read().get(site).map(|published| published.changed.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(site: &str) -> Event {
        Event::SiteGone { site: site.to_owned() }
    }

    #[tokio::test]
    async fn a_full_queue_says_so_and_nothing_is_queued_without_bound() {
        let (events, mut queue) = mpsc::channel(2);
        let handle = Handle::new(events, Board::default());
        let place = handle.reserve();
        assert!(place.is_ok());
        assert_eq!(handle.tell(gone("a")), Ok(()));
        assert_eq!(handle.tell(gone("b")), Err(Busy));
        assert!(handle.reserve().is_err());
        // A place that was taken is kept.
        if let Ok(place) = place {
            place.tell(gone("c"));
        }
        let heard = [queue.recv().await, queue.recv().await];
        let names: Vec<String> = heard
            .into_iter()
            .filter_map(|event| match event {
                Some(Event::SiteGone { site }) => Some(site),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["a", "c"]);
        drop(queue);
        assert_eq!(handle.tell(gone("d")), Err(Busy), "it has stopped");
    }
}
