//! How an answer ended.

use chrono::{DateTime, Utc};
use kwartier_data::feeds::{self, Carbon, NoValues, Prices, PvPower, SkyForecast};

/// What an answer holds.
#[derive(Debug, Clone)]
pub enum Values {
    /// Prices.
    Prices(Prices),
    /// What a contract bills.
    Retail(Retail),
    /// Weather.
    Sky(SkyForecast),
    /// The power of a plant.
    Power(feeds::Values<PvPower>),
    /// Carbon intensity.
    Carbon(feeds::Values<Carbon>),
}

/// What a contract bills.
#[derive(Debug, Clone, PartialEq)]
pub struct Retail {
    /// All that the supplier bills a kWh with.
    pub total: Prices,
    /// What of it is the market's, where the feed says that.
    pub energy: Option<Prices>,
}

/// Why an answer holds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It is not published yet.
    NotYet(String),
    /// The key is missing or wrong.
    Refused(String),
    /// Too many requests, or the feed is out of order; not before this instant, where it names one.
    Later(String, Option<DateTime<Utc>>),
    /// It cannot be used.
    Broken(String),
    /// Nothing came.
    Unreachable(String),
}

/// How an answer ended.
pub type Outcome = Result<Values, Failure>;

impl From<NoValues> for Failure {
    fn from(why: NoValues) -> Failure {
        match why {
            NoValues::NotYet(why) => Failure::NotYet(why),
            NoValues::Refused(why) => Failure::Refused(why),
            NoValues::Later { why, until } => Failure::Later(why, until),
            NoValues::Broken(refusal) => Failure::Broken(first_line(&refusal.to_string())),
        }
    }
}

impl Failure {
    /// In one word, as it is shown and counted.
    pub fn word(&self) -> &'static str {
        match self {
            Failure::NotYet(_) => "not_yet",
            Failure::Refused(_) => "refused",
            Failure::Later(..) => "later",
            Failure::Broken(_) => "broken",
            Failure::Unreachable(_) => "unreachable",
        }
    }

    /// What is wrong.
    pub fn why(&self) -> &str {
        match self {
            Failure::NotYet(why)
            | Failure::Refused(why)
            | Failure::Later(why, _)
            | Failure::Broken(why)
            | Failure::Unreachable(why) => why,
        }
    }
}

/// The first of several faults: they are mostly one fault many times.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
