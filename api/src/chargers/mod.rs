//! `kwartier chargers simulate`: charging stations that speak OCPP over real websockets, to anybody's central system.
//!
//! | folder | holds |
//! |---|---|
//! | `station/` | one station, without sockets or clock: what it hears and sees goes in, what it sends and holds comes out |
//! | `fleet/` | many of them over real sockets, the depot that they stand in, its meters, and what goes wrong |
//!
//! Vehicles, boards and meters are those of `kwartier_engine::plant`, what a station does with profiles is
//! `kwartier_engine::plant::profiles`. Nothing here is used by the service, and nothing of the service's OCPP is used here.

pub mod fleet;
pub mod station;
