//! What feeds there are, and which of them are one: a feed that copies another is no check of it.

use kwartier_data::feeds::Area;

use crate::resource::feed::Source;

/// Where what a feed says comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// ENTSO-E's transparency platform, and those that copy it: on 30 June 2026 both had nothing at the same time.
    TransparencyPlatform,
    /// What a supplier gets from the exchange and shows by itself.
    Awattar,
    /// The same of another supplier.
    Energyzero,
    /// The exchange itself.
    Nordpool,
    /// A forecast of the weather.
    OpenMeteo,
}

/// What there is to know of a feed.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Which.
    pub source: Source,
    /// Its name in the configuration and in records.
    pub name: &'static str,
    /// Where what it says comes from.
    pub origin: Origin,
    /// Where it is asked, when nobody says otherwise.
    pub base: &'static str,
}

/// All feeds.
const ALL: [About; 6] = [
    about(Source::Entsoe, "entsoe", Origin::TransparencyPlatform, "https://web-api.tp.entsoe.eu"),
    about(Source::EnergyCharts, "energy_charts", Origin::TransparencyPlatform, "https://api.energy-charts.info"),
    about(Source::Energyzero, "energyzero", Origin::Energyzero, "https://public.api.energyzero.nl"),
    about(Source::Awattar, "awattar", Origin::Awattar, "https://api.awattar.{country}"),
    about(Source::Nordpool, "nordpool", Origin::Nordpool, "https://dataportal-api.nordpoolgroup.com"),
    about(Source::OpenMeteo, "open_meteo", Origin::OpenMeteo, "https://api.open-meteo.com"),
];

/// The feeds of prices by name, for the configuration.
pub const PRICES: [&str; 5] = ["entsoe", "energy_charts", "energyzero", "awattar", "nordpool"];

/// The feeds of weather by name.
pub const WEATHER: [&str; 1] = ["open_meteo"];

const fn about(source: Source, name: &'static str, origin: Origin, base: &'static str) -> About {
    About { source, name, origin, base }
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

    /// Where what it says comes from.
    pub fn origin(self) -> Origin {
        self.about().origin
    }

    /// Whether it has prices of an area.
    pub fn covers(self, area: &Area) -> bool {
        match self {
            Source::Entsoe | Source::EnergyCharts => true,
            Source::Energyzero => area.name == "NL",
            Source::Awattar => matches!(area.name, "DE-LU" | "AT"),
            Source::Nordpool => area.nordpool.is_some(),
            Source::OpenMeteo => false,
        }
    }
}

impl Origin {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Origin::TransparencyPlatform => "ENTSO-E",
            Origin::Awattar => "aWATTar",
            Origin::Energyzero => "EnergyZero",
            Origin::Nordpool => "Nord Pool",
            Origin::OpenMeteo => "Open-Meteo",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feed_is_found_by_its_name_and_stands_once() {
        for source in Source::all() {
            assert_eq!(Source::of(source.name()), Some(source));
            assert_eq!(serde_json::to_value(source).ok(), Some(source.name().into()), "one name everywhere");
        }
        let listed: Vec<Source> = PRICES.iter().chain(&WEATHER).filter_map(|name| Source::of(name)).collect();
        assert_eq!(listed, Source::all().collect::<Vec<_>>());
    }
}
