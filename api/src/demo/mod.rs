//! The demo depot: the guide's example site with simulated chargers, vehicles, meters and building, in real time, on real
//! Dutch day-ahead prices and a real building's draw of an earlier year.
//!
//! Its stations connect over websockets of their own as any other would, its meters post what they show, and who comes is stated
//! over the API: nothing in the service knows of it. Loads and the battery alone have no such way and are steered in the process.
//!
//! | file | does |
//! |---|---|
//! | `past.rs` | the series that come with the program, as those of today |
//! | `feeds.rs` | feeds that answer with prices of then, in the place of the network |
//! | `site.rs` | the site and what is kept of it before it begins |
//! | `people.rs` | who comes and goes |
//! | `depot.rs` | plays it |
//! | `stations.rs` | its stations, and how they get in |
//! | `stays.rs` | states who is there |
//! | `others.rs` | loads and the battery |

mod depot;
mod feeds;
mod others;
mod past;
mod people;
mod site;
mod stations;
mod stays;

pub use depot::{Way, run};
pub use feeds::Feeds;
pub use past::Past;
pub use site::prepare;
