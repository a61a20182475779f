//! The app: one loop that owns the state of every site. Everything that happens reaches it as an [`Event`] through one
//! bounded queue; everybody else sees what it publishes, through a [`Handle`].

pub mod event;
pub mod handle;

pub use event::Event;
pub use handle::{Follower, Handle};
