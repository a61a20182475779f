//! The demo depot: the guide's example site with simulated chargers, vehicles, meters and building, in real time, on real
//! Dutch day-ahead prices and a real building's draw of an earlier year.
//!
//! It is a client of the loop like any gateway: it follows setpoints, answers them, and tells what its meters and chargers
//! show. Nothing in the loop knows of it.
//!
//! | file | does |
//! |---|---|
//! | `past.rs` | the series that come with the program, as those of today |
//! | `feeds.rs` | feeds that answer with prices of then, in the place of the network |
//! | `site.rs` | the site and what is kept of it before it begins |
//! | `people.rs` | who comes and goes |
//! | `depot.rs` | plays it |

mod depot;
mod feeds;
mod past;
mod people;
mod site;

pub use depot::run;
pub use feeds::Feeds;
pub use past::Past;
pub use site::prepare;
