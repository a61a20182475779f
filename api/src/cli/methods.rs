//! The methods of each kind: the model, and the obvious guesses that it is held against.

use kwartier_forecast::method::Method;
use kwartier_forecast::pv::{self, PvPlant};
use kwartier_forecast::{load, naive};

use super::history::{Kind, Known};

/// The methods of a kind.
pub struct Methods {
    /// What forecasts are made with.
    pub model: Box<dyn Method>,
    /// The obvious guesses, the seasonal naive one first.
    pub baselines: Vec<Box<dyn Method>>,
    /// What is usual at such sites, where enough of the site is said: for as long as there is no history.
    pub prior: Option<Box<dyn Method>>,
}

impl Methods {
    /// The methods for what is known of a site.
    pub fn of(kind: Kind, known: &Known) -> Self {
        let baselines = match kind {
            Kind::Load | Kind::Price => vec![naive::last_week(), naive::last_day(), naive::similar_days()],
            Kind::Pv => vec![naive::last_week(), naive::last_day(), naive::mean_day()],
        };
        let model = match kind {
            Kind::Load | Kind::Price => load::method(),
            Kind::Pv => pv::clear_sky(PvPlant { position: known.position, peak_kw: known.peak_kw }),
        };
        Methods { model, baselines, prior: None }
    }

    /// The name of the seasonal naive method.
    pub fn reference(&self) -> &'static str {
        self.baselines[0].name()
    }
}
