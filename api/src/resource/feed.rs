//! Feeds of prices, weather, the sun's power and carbon intensity: which there are, and how they do.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// ENTSO-E's transparency platform.
    Entsoe,
    /// Energy-Charts of Fraunhofer ISE.
    EnergyCharts,
    /// EnergyZero.
    Energyzero,
    /// aWATTar.
    Awattar,
    /// Nord Pool's data portal.
    Nordpool,
    /// Open-Meteo.
    OpenMeteo,
    /// Tibber: what a customer's home pays.
    Tibber,
    /// Octopus Energy: the rates of a tariff of Great Britain.
    Octopus,
    /// Solcast: the power of a roof.
    Solcast,
    /// forecast.solar: the power of a plant.
    ForecastSolar,
    /// Electricity Maps.
    ElectricityMaps,
    /// The carbon intensity service of Great Britain's system operator.
    NationalGrid,
}

/// What is to be known of a price before it is relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The feed calls it preliminary, or it is that of another auction.
    Provisional,
    /// A feed that does not depend on its own says something else.
    Disputed,
}

/// The feeds of a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeedsView {
    /// The price area that the site names; absent, prices are not fetched for it.
    pub price_area: Option<String>,
    /// Whether anything is fetched at all.
    pub fetching: bool,
    /// Prices by day, the earliest first.
    pub prices: Vec<PriceDay>,
    /// What the site's contract with its supplier bills, by day; empty, there is none in the configuration.
    pub contract: Vec<PriceDay>,
    /// The weather at the site; absent, it names no place, or no feed of weather is used.
    pub weather: Option<Fetched>,
    /// What the site's plants are forecast to deliver; empty, no feed of that is used.
    pub pv: Vec<PlantFeed>,
    /// The carbon intensity of its electricity; absent, no feed has it for the area, or none is used.
    pub carbon: Option<Fetched>,
}

/// How what a plant is forecast to deliver is known.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlantFeed {
    /// The plant.
    pub plant: String,
    /// What is known of it.
    #[serde(flatten)]
    pub fetched: Fetched,
}

/// The prices of a day: the market's, or the site's own where they are those of a contract.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PriceDay {
    /// The day.
    pub day: NaiveDate,
    /// What is known of it.
    #[serde(flatten)]
    pub fetched: Fetched,
}

/// How something that is fetched is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Fetched {
    /// Which feed it is from; absent, it is not known.
    pub source: Option<Source>,
    /// When that came.
    pub received: Option<DateTime<Utc>>,
    /// How old that is, in s.
    pub age_s: Option<i64>,
    /// Whether it should have been known by now and is not.
    pub late: bool,
    /// What is to be known of it: which other feed says the same or something else, what is missing.
    pub notes: Vec<String>,
    /// How each feed does, the one that is preferred first.
    pub feeds: Vec<FeedState>,
}

/// How a feed does.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeedState {
    /// Which.
    pub source: Source,
    /// Where what it says comes from: feeds of one origin are no check of each other.
    pub origin: String,
    /// How it answered last: `fine`, `not_yet`, `refused`, `later`, `broken`, `unreachable`; `unasked`, it was not asked.
    pub state: String,
    /// When it last answered with values.
    pub last_success: Option<DateTime<Utc>>,
    /// What was wrong the last time; absent, nothing.
    pub last_error: Option<String>,
    /// How often in a row it has failed.
    pub failures: u32,
    /// When it is asked again at the earliest; absent, it need not be.
    pub next: Option<DateTime<Utc>>,
}
