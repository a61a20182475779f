//! PV output: what a plant will give, from its place and the weather, from its own past, or from both.
//!
//! Everything is measured against a clear sky. Where the sun is gives what a plant of known or fitted planes would make of
//! a cloudless hour; what it made over that is its *index*, which knows neither season nor size, and which is what is
//! forecast. The way to an index's quantiles:
//!
//! 1. a base: the indices of the last weeks at this time of day, the recent counting more; or, where there is a weather
//!    forecast, those that came of like promises; or, on day one, those of an unknown plant;
//! 2. drawn towards what is measured now, for the next hours;
//! 3. boosted trees that learn from the plant's own past how to depart from that base.
//!
//! Then: nothing in the dark, nothing below zero, nothing above what the plant can give. `docs/forecasting/pv.md` has the
//! formulas and what was measured.
//!
//! | file | holds |
//! |---|---|
//! | `sun` | where the sun is |
//! | `light` | clear skies, beam and diffuse, planes, warm modules |
//! | `locate` | where a plant is, from its days |
//! | `plant` | planes, limits, losses, fitted |
//! | `site` | a plant with its shade and what it can give at most |
//! | `frame` | a stretch of history as indices |
//! | `climate` | bases |
//! | `features`, `boost` | what is learnt beyond |
//! | `model` | all of it, fitted |
//! | `method` | that as a method: bands as wide as they should have been, guesses where they are better |

mod boost;
mod climate;
mod features;
mod frame;
mod light;
mod locate;
mod method;
mod model;
mod plant;
mod site;
mod sun;

use kwartier_data::history::Position;

pub use light::Plane;
pub use method::clear_sky;
pub use model::fitted_plant;
pub use plant::Plant;

/// What is known of a plant beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PvPlant {
    /// Where it is; otherwise it is found from the days of its history.
    pub position: Option<Position>,
    /// Rated power of its modules in the unit of the series, kW as a rule; otherwise it is found from its history.
    pub peak_kw: Option<f64>,
}

#[cfg(test)]
mod tests;
