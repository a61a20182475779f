//! Units of series: named, or unmistakable from a header.

use crate::text::words;

/// What a series measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A price of energy, read as EUR/kWh.
    Price,
    /// A power, read as kW.
    Power,
    /// PV power per kW of peak, read as kW/kWp.
    PowerPerPeak,
    /// A current, read as A.
    Current,
    /// Carbon intensity, read as kg/kWh.
    Carbon,
}

impl Quantity {
    /// The units that it may be given in.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Quantity::Price => &["EUR/MWh", "EUR/kWh", "ct/kWh"],
            Quantity::Power => &["kW", "W", "kWh", "Wh", "kWh counter"],
            Quantity::PowerPerPeak => &["kW/kWp", "W/kWp"],
            Quantity::Current => &["A"],
            Quantity::Carbon => &["kg/kWh", "g/kWh"],
        }
    }

    /// The largest value that is believed, in the unit that is read.
    pub(super) fn largest(self) -> f64 {
        match self {
            // Day-ahead prices end at 5 EUR/kWh by the exchanges' rules; beyond 10, the unit is wrong.
            Quantity::Price => 10.0,
            Quantity::Power | Quantity::Current => 1e6,
            // Cold snow and sun make a little more than 1; a plant given in W per kWp as kW makes 1,000.
            Quantity::PowerPerPeak => 2.0,
            // Lignite makes 1.2.
            Quantity::Carbon => 3.0,
        }
    }
}

/// A unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// What is measured in it.
    pub quantity: Quantity,
    /// Its name.
    pub name: &'static str,
    /// How much of the unit that is read it is.
    factor: f64,
    /// What a number of it is.
    pub(super) kind: Kind,
}

/// What a number is over an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The mean.
    Mean,
    /// The sum, to be divided by the interval's length.
    Sum,
    /// What a counter shows when the interval begins.
    Counter,
}

/// The words that end a header, and the unit they mean.
const UNITS: [(&[&str], Unit); 17] = [
    (&["eur", "mwh"], unit(Quantity::Price, "EUR/MWh", 1e-3, Kind::Mean)),
    (&["eur", "mwhe"], unit(Quantity::Price, "EUR/MWh", 1e-3, Kind::Mean)),
    (&["eur", "kwh"], unit(Quantity::Price, "EUR/kWh", 1.0, Kind::Mean)),
    (&["ct", "kwh"], unit(Quantity::Price, "ct/kWh", 1e-2, Kind::Mean)),
    (&["cent", "kwh"], unit(Quantity::Price, "ct/kWh", 1e-2, Kind::Mean)),
    (&["kg", "kwh"], unit(Quantity::Carbon, "kg/kWh", 1.0, Kind::Mean)),
    (&["g", "kwh"], unit(Quantity::Carbon, "g/kWh", 1e-3, Kind::Mean)),
    (&["kw", "kwp"], unit(Quantity::PowerPerPeak, "kW/kWp", 1.0, Kind::Mean)),
    (&["w", "kwp"], unit(Quantity::PowerPerPeak, "W/kWp", 1e-3, Kind::Mean)),
    (&["kw"], unit(Quantity::Power, "kW", 1.0, Kind::Mean)),
    (&["w"], unit(Quantity::Power, "W", 1e-3, Kind::Mean)),
    (&["kwh"], unit(Quantity::Power, "kWh", 1.0, Kind::Sum)),
    (&["wh"], unit(Quantity::Power, "Wh", 1e-3, Kind::Sum)),
    (&["kwh", "counter"], unit(Quantity::Power, "kWh counter", 1.0, Kind::Counter)),
    (&["wh", "counter"], unit(Quantity::Power, "Wh counter", 1e-3, Kind::Counter)),
    (&["a"], unit(Quantity::Current, "A", 1.0, Kind::Mean)),
    (&["mw"], unit(Quantity::Power, "MW", 1e3, Kind::Mean)),
];

const fn unit(quantity: Quantity, name: &'static str, factor: f64, kind: Kind) -> Unit {
    Unit { quantity, name, factor, kind }
}

impl Unit {
    /// The unit of that name, such as `EUR/MWh`.
    pub fn parse(name: &str) -> Option<Self> {
        let words = meaningful(name);
        UNITS.iter().find(|(ending, _)| words == *ending).map(|(_, unit)| *unit)
    }

    /// The unit that a header ends in, such as that of `price_eur_mwh`, `Price (EUR/MWh)`, `load_kw`; that of a counter
    /// where the header calls it one, as `meter_reading_kwh` does.
    pub fn of_header(header: &str) -> Option<Self> {
        let words = meaningful(header);
        // A name without unit that happens to be one letter, such as a phase A, is no unit.
        let found = UNITS.iter().find(|(ending, _)| words.ends_with_words(ending)).map(|(_, unit)| *unit);
        let unit = found.filter(|unit| words.len() > 1 || unit.name.len() > 1)?;
        let counts = unit.kind == Kind::Sum && words.iter().any(|word| COUNTERS.contains(&word.as_str()));
        Some(if counts { unit.counted() } else { unit })
    }

    /// The unit of a counter of this energy; the unit itself where it is none.
    pub(super) fn counted(self) -> Self {
        match (self.kind, self.factor) {
            (Kind::Sum, 1.0) => Unit { name: "kWh counter", kind: Kind::Counter, ..self },
            (Kind::Sum, _) => Unit { name: "Wh counter", kind: Kind::Counter, ..self },
            _ => self,
        }
    }

    /// A value of this unit over so many seconds, in the unit that is read; for a counter, what it went up by.
    pub(super) fn convert(self, value: f64, seconds: i64) -> f64 {
        let hours = if self.kind == Kind::Mean { 1.0 } else { seconds as f64 / 3600.0 };
        value * self.factor / hours
    }
}

/// What a counter is called.
const COUNTERS: [&str; 9] = [
    "counter",
    "reading",
    "register",
    "cumulative",
    "meterstand",
    "tellerstand",
    "stand",
    "zählerstand",
    "zaehlerstand",
];

/// The words of a header without those that only join.
fn meaningful(header: &str) -> Vec<String> {
    words(header).into_iter().filter(|word| word != "per").collect()
}

/// Endings of lists of words.
trait Ending {
    fn ends_with_words(&self, ending: &[&str]) -> bool;
}

impl Ending for Vec<String> {
    fn ends_with_words(&self, ending: &[&str]) -> bool {
        self.len() >= ending.len() && self[self.len() - ending.len()..].iter().zip(ending).all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_cannot_be_mistaken() {
        for (header, name) in [
            ("eur_mwh", Some("EUR/MWh")),
            ("Price (EUR/MWhe)", Some("EUR/MWh")),
            ("Prijs [€/kWh]", Some("EUR/kWh")),
            ("ct/kWh", Some("ct/kWh")),
            ("kw", Some("kW")),
            ("Load kW", Some("kW")),
            ("energy_wh", Some("Wh")),
            ("kw_per_kwp", Some("kW/kWp")),
            ("co2_g_kwh", Some("g/kWh")),
            ("price", None),
            ("a", None),
            ("value", None),
            ("kw_max", None),
            ("Zählerstand kWh", Some("kWh counter")),
            ("meter_reading_wh", Some("Wh counter")),
        ] {
            assert_eq!(Unit::of_header(header).map(|unit| unit.name), name, "{header}");
        }
    }

    #[test]
    fn energy_per_interval_becomes_power() {
        let convert = |name: &str, value: f64| Unit::parse(name).map(|unit| unit.convert(value, 900));
        assert_eq!(convert("kWh", 2.5), Some(10.0));
        assert_eq!(convert("Wh", 500.0), Some(2.0));
        assert_eq!(convert("EUR/MWh", 80.0), Some(0.08));
        assert_eq!(convert("kWh counter", 2.5), Some(10.0));
        assert_eq!(convert("furlong", 1.0), None);
    }
}
