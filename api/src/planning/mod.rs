//! Plans for the sites of the service: from what the loop knows to an instance, and from there to a plan, come what may.
//!
//! | file | does |
//! |---|---|
//! | `request.rs` | what a plan is made from |
//! | `told.rs` | forecasts that somebody else made |
//! | `prices.rs`, `foresee.rs` | what energy costs and what the building draws, as far as it is known |
//! | `compose.rs` | all of it as an instance |
//! | `ladder.rs` | the best plan, else a rule's, else none: nothing that happens there stops anything else |
//! | `made.rs` | a plan as the loop, the page and the API want it |
//! | `workers.rs` | makes plans on threads of their own |

pub mod compose;
pub mod foresee;
pub mod ladder;
pub mod made;
pub mod prices;
pub mod request;
#[cfg(test)]
pub mod tests;
pub mod told;
pub mod workers;

pub use made::Made;
pub use request::Request;
