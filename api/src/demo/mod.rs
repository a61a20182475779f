//! The demo depot: the guide's example site with simulated chargers, vehicles, meters and building, in real time, on real
//! Dutch day-ahead prices and a real building's draw of an earlier year.
//!
//! It is a client of the loop like any gateway: it follows setpoints, answers them, and tells what its meters and chargers
//! show. Nothing in the loop knows of it.
//!
//! | file | does |
//! |---|---|
//! | `past.rs` | the series that come with the program, as those of today |
//! | `site.rs` | the site and what is kept of it before it begins |
//! | `people.rs` | who comes and goes |
//! | `depot.rs` | plays it |

mod depot;
mod past;
mod people;
mod site;

pub use depot::run;
pub use past::Past;
pub use site::prepare;
