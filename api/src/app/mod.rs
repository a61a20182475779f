//! The app: one loop that owns the state of every site. Everything that happens reaches it as an [`Event`] through one
//! bounded queue; everybody else sees what it publishes, through a [`Handle`].
//!
//! ```text
//! Event ──► task ──► Sites (pure): hear, step each site once a second ──► Effect ──► board, store, planners
//! ```
//!
//! | file | does |
//! |---|---|
//! | `event.rs`, `effect.rs` | all that can happen, all that comes of it |
//! | `sites.rs`, `site/` | what is known of all sites, of one site, and what follows: pure, under any clock |
//! | `stays.rs`, `habits.rs` | sessions as the fast loop and planners know them; what is usual, where nobody says it |
//! | `alarms.rs` | what an operator should know |
//! | `handle.rs` | how everybody else speaks with the loop |
//! | `task.rs` | the task that gives the core its events and its time, and does what it wants done |
//! | `waiting.rs` | jobs that wait for a plan |
//! | `writer.rs` | what is kept, as far as the store keeps up |
//! | `load.rs` | what was kept, when the service starts |

pub mod alarms;
#[cfg(test)]
pub mod bench;
pub mod effect;
pub mod event;
mod habits;
pub mod handle;
pub mod load;
pub mod moment;
pub mod site;
pub mod sites;
pub mod stays;
pub mod task;
#[cfg(test)]
pub mod tests;
pub mod waiting;
pub mod writer;

pub use event::{ChargerAlarm, Event};
pub use handle::{Follower, Handle};
pub use task::{App, start};
pub use writer::Writer;
