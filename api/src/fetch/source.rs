//! What feeds there are, and which of them are one: a feed that copies another is no check of it.

use chrono::TimeDelta;
use kwartier_data::feeds::Area;

use super::area;
use crate::resource::feed::Source;

/// What there is to know of a feed.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Which.
    pub source: Source,
    /// Its name in the configuration and in records.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Where it is asked, when nobody says otherwise.
    pub base: &'static str,
}

/// All feeds.
const ALL: [About; 12] = [
    about(Source::Entsoe, "entsoe", "ENTSO-E", "https://web-api.tp.entsoe.eu"),
    about(Source::EnergyCharts, "energy_charts", "Energy-Charts", "https://api.energy-charts.info"),
    about(Source::Energyzero, "energyzero", "EnergyZero", "https://public.api.energyzero.nl"),
    about(Source::Awattar, "awattar", "aWATTar", "https://api.awattar.{country}"),
    about(Source::Nordpool, "nordpool", "Nord Pool", "https://dataportal-api.nordpoolgroup.com"),
    about(Source::OpenMeteo, "open_meteo", "Open-Meteo", "https://api.open-meteo.com"),
    about(Source::Tibber, "tibber", "Tibber", "https://api.tibber.com"),
    about(Source::Octopus, "octopus", "Octopus", "https://api.octopus.energy"),
    about(Source::Solcast, "solcast", "Solcast", "https://api.solcast.com.au"),
    about(Source::ForecastSolar, "forecast_solar", "forecast.solar", "https://api.forecast.solar"),
    about(Source::ElectricityMaps, "electricity_maps", "Electricity Maps", "https://api.electricitymaps.com"),
    about(Source::NationalGrid, "national_grid", "National Grid", "https://api.carbonintensity.org.uk"),
];

/// The feeds of prices by name, for the configuration.
pub const PRICES: [&str; 5] = ["entsoe", "energy_charts", "energyzero", "awattar", "nordpool"];

/// The feeds of weather by name.
pub const WEATHER: [&str; 1] = ["open_meteo"];

/// The feeds of what contracts bill, by name.
pub const CONTRACTS: &[&str] = &["tibber", "octopus"];

/// The feeds of the power of plants by name.
pub const PV: [&str; 2] = ["solcast", "forecast_solar"];

/// The feeds of carbon intensity by name.
pub const CARBON: [&str; 3] = ["electricity_maps", "energy_charts", "national_grid"];

/// How often a feed lets itself be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// So many times.
    pub most: usize,
    /// In so long.
    pub within: TimeDelta,
}

const fn about(source: Source, name: &'static str, title: &'static str, base: &'static str) -> About {
    About { source, name, title, base }
}

impl Source {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Source> {
        ALL.iter().map(|about| about.source)
    }

    /// What there is to know of it.
    pub fn about(self) -> &'static About {
        ALL.iter().find(|about| about.source == self).unwrap_or(&ALL[0])
    }

    /// Its name in the configuration and in records.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// The feed of a name.
    pub fn of(name: &str) -> Option<Source> {
        ALL.iter().find(|about| about.name == name).map(|about| about.source)
    }

    /// Whose what it says is. Energy-Charts copies ENTSO-E's transparency platform: on 30 June 2026 both had nothing at the same
    /// time. aWATTar and EnergyZero show what they get from the exchange by themselves.
    pub fn origin(self) -> Source {
        if self == Source::EnergyCharts { Source::Entsoe } else { self }
    }

    /// Whether it has prices of an area.
    pub fn covers(self, area: &Area) -> bool {
        match self {
            Source::Entsoe | Source::EnergyCharts => true,
            Source::Energyzero => area.name == "NL",
            Source::Awattar => matches!(area.name, "DE-LU" | "AT"),
            Source::Nordpool => area.nordpool.is_some(),
            _ => false,
        }
    }

    /// Whether it has the carbon intensity of an area.
    pub fn colours(self, of: &str) -> bool {
        match self {
            Source::ElectricityMaps => true,
            Source::EnergyCharts => of != area::BRITAIN,
            Source::NationalGrid => of == area::BRITAIN,
            _ => false,
        }
    }

    /// How often it lets itself be asked without a contract that says otherwise; `None`, as often as is polite.
    pub fn budget(self) -> Option<Budget> {
        match self {
            Source::ForecastSolar => Some(Budget { most: 12, within: TimeDelta::hours(1) }),
            Source::Solcast => Some(Budget { most: 10, within: TimeDelta::hours(24) }),
            _ => None,
        }
    }

    /// Whether its prices are what a site's own contract bills, and come before those of the market.
    pub fn is_contract(self) -> bool {
        matches!(self, Source::Tibber | Source::Octopus)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_feed_is_found_by_its_name_and_stands_in_a_list() {
        for source in Source::all() {
            assert_eq!(Source::of(source.name()), Some(source));
            assert_eq!(serde_json::to_value(source).ok(), Some(source.name().into()), "one name everywhere");
        }
        let lists: [&[&str]; 5] = [&PRICES, &WEATHER, CONTRACTS, &PV, &CARBON];
        let listed: Option<BTreeSet<Source>> = lists.concat().into_iter().map(Source::of).collect();
        assert_eq!(listed, Some(Source::all().collect()));
    }
}
