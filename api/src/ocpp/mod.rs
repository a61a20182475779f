//! The OCPP gateway: chargers that connect themselves, at `/ocpp/{charger}`.
//!
//! * `door` decides who comes in: who it is, by which password, over which link, in which version;
//! * `hub` knows who is connected: it brings each link the latest setpoint of its charger and ends the older of two links;
//! * `link` is one connection: frames in and out, one call outstanding, time; `outcomes` what comes of what the charger says;
//! * `station` decides what is sent next; it is pure: time and messages come in as arguments;
//! * `profiles` says what a charger is to hold: the installer's maximum, the fallback, the setpoint that lapses;
//! * `composite` is what a charger should hold by all that it has taken;
//! * `quirks` is what chargers do otherwise than they should; `told` what they tell of themselves beside charging, `report` all
//!   their variables;
//! * `v16` and `v2` are the words of OCPP 1.6 and of 2.0.1 and 2.1; `frame`, `heard` and `readings` what they share;
//! * `authority` certifies chargers, `certificates` is how they ask for it;
//! * `transactions` is what happens at a charger; `tags` who may charge;
//! * `stays` makes sessions of transactions, and keeps what is known of a charger;
//! * `commands` says what people want done once.
//!
//! Setpoints are state: the latest counts, older ones are never sent. Message types and what a schema says of them come from
//! `ocpp-types`. `docs/ocpp.md` has the table of messages.

mod authority;
mod certificates;
mod commands;
#[cfg(test)]
mod commands_tests;
mod composite;
mod door;
mod frame;
mod heard;
mod hub;
mod link;
mod outcomes;
mod profiles;
mod quirks;
mod readings;
mod report;
mod station;
#[cfg(test)]
mod station_tests;
#[cfg(test)]
mod station_tests_21;
mod stays;
mod tags;
mod told;
mod transactions;
mod v16;
mod v2;
#[cfg(test)]
mod words_tests;

pub use authority::Authority;
pub use commands::Command;
pub use door::{Guests, Version, routes};
pub use hub::Hub;
pub use link::Record;
pub use quirks::Quirks;
pub use station::Outcome;
pub use stays::{gone, known};
pub use tags::{Policy, TagFault, TagKey, forget, is_let_in, settings};
pub use told::Told;
