//! Feeds: prices of the day-ahead market and of contracts, weather, the sun's power and carbon intensity, fetched for the sites that
//! name an area, a place, plants.
//!
//! What is asked when, what is believed and what follows is decided without effects ([`Desk`]); everything else only does it.
//! How feeds are ranked and checked against each other, and what each fault of one does to plans, is in `docs/feeds.md`.
//!
//! | file | does |
//! |---|---|
//! | `source.rs` | what feeds there are, and which of them are one |
//! | `feeds/` | what each feed is asked with, a feed a file; it is read in `data/src/feeds/` |
//! | `subject.rs` | what is asked for |
//! | `answer.rs` | how an answer ended |
//! | `choose.rs` | which of several answers counts, and whether they agree |
//! | `retry.rs` | when a feed is asked again |
//! | `desk.rs`, `shown.rs` | what is known, what is to be asked now; as people see it |
//! | `client.rs` | the way to the network |
//! | `record.rs`, `replay.rs` | every answer as it came, and a past week once more |
//! | `area.rs` | which area's electricity a site has, and what feeds call that |
//! | `sites.rs` | the sites for which something is fetched |
//! | `supply.rs`, `used.rs` | from a day's prices to the sites, and what those have used this year |
//! | `weather.rs`, `sun.rs`, `carbon.rs` | what came of a place, a plant, an area, as it is kept |
//! | `work.rs` | does all of it until it is told to stop |

mod answer;
pub mod area;
pub mod carbon;
mod choose;
pub mod client;
mod desk;
mod feeds;
pub mod record;
pub mod replay;
mod retry;
mod shown;
mod sites;
mod source;
mod subject;
pub mod sun;
mod supply;
#[cfg(test)]
mod tests;
mod used;
pub mod weather;
mod work;

pub use choose::Chosen;
pub use client::{Carrier, Network, Raw, Request};
pub use shown::Board;
pub use sites::of_area;
pub use source::{CARBON, CONTRACTS, PRICES, PV, WEATHER};
pub use supply::{Spot, SpotRow, at_site, put};
pub use used::Used;
pub use work::work;
