//! What every request and every task of the service has in hand.

use std::sync::Arc;

use crate::access::Gate;
use crate::app::Handle;
use crate::config::Config;
use crate::fetch;
use crate::http::turns::Turns;
use crate::ocpp::{Authority, Guests, Hub, TagKey};
use crate::store::Store;

/// The service.
#[derive(Clone)]
pub struct Service {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// The loop.
    pub app: Handle,
    /// How it is set up.
    pub config: Arc<Config>,
    /// What access remembers.
    pub gate: Arc<Gate>,
    /// Whose turn it is to state sessions.
    pub turns: Turns,
    /// Chargers that are connected.
    pub hub: Hub,
    /// Chargers that may connect.
    pub guests: Arc<Guests>,
    /// What cards are hashed with.
    pub tag_key: TagKey,
    /// Who certifies chargers.
    pub authority: Authority,
    /// What is known of feeds.
    pub feeds: fetch::Board,
    /// What sites have used this year.
    pub used: fetch::Used,
}
