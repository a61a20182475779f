//! What a kWh costs, as a sum of dated components: spot price, supplier's fee, energy tax by bracket, grid tariff by time
//! of day, peak price, VAT. The types are the file's shape; dates and times of day are local to the site.

mod check;
pub mod presets;
mod price;
mod table;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::local;

pub use check::{TariffFault, check};
pub use price::{Part, Pricer};
pub use table::read_components;

/// A tariff.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Id of a [preset](presets) that this one begins with: its components come first, and its VAT counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Value added tax in percent.
    #[serde(default)]
    pub vat_percent: f64,
    /// Whether VAT is a cost: for homes it is, a business gets it back.
    #[serde(default)]
    pub vat_counts: bool,
    /// What was used this calendar year before it was measured here; brackets count on from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Used>,
    /// The parts that add up to the price.
    #[serde(default)]
    pub components: Vec<Component>,
}

/// What was used in a calendar year until a day, as the supplier counts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// First local day that is not in it, `YYYY-MM-DD`; it counts in the year of that day alone.
    pub until: String,
    /// kWh from the grid.
    pub kwh: f64,
}

impl Tariff {
    /// Whether what a kWh costs depends on how many were used this calendar year.
    pub fn is_bracketed(&self) -> bool {
        self.parts().any(|component| matches!(component.price, Price::Brackets { .. }))
    }

    /// From which local day of the year of `day` on what is measured counts, and how many kWh were used before it.
    pub fn counts_from(&self, day: NaiveDate) -> (NaiveDate, f64) {
        let stated = self.used.as_ref().and_then(|used| Some((local::date(&used.until)?, used.kwh)));
        let first = NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day);
        stated.filter(|(until, _)| until.year() == day.year() && *until <= day).unwrap_or((first, 0.0))
    }

    /// The preset that it begins with; `None`, it begins with none, or with one that there is not.
    fn begins_with(&self) -> Option<&'static Tariff> {
        presets::preset(self.preset.as_deref()?).map(|preset| &preset.tariff)
    }

    /// All parts that add up to the price: the preset's, then its own.
    pub fn parts(&self) -> impl Iterator<Item = &Component> {
        self.begins_with().into_iter().flat_map(|preset| &preset.components).chain(&self.components)
    }

    /// Value added tax in percent, and whether it is a cost.
    pub fn vat(&self) -> (f64, bool) {
        let says = self.begins_with().unwrap_or(self);
        (says.vat_percent, says.vat_counts)
    }
}

/// A part of the price, in force from a date until another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// What people call it.
    pub name: String,
    /// Which way the energy flows that it is charged on.
    #[serde(default)]
    pub direction: Direction,
    /// First local day in force, `YYYY-MM-DD`; absent, always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First local day no longer in force, `YYYY-MM-DD`; absent, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether VAT comes on top, where it counts.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub vat: bool,
    /// How much.
    pub price: Price,
}

/// A direction of energy at the grid connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the grid: components add up to what import costs.
    #[default]
    Import,
    /// To the grid: components add up to what export earns; a fee is negative.
    Export,
}

/// How a component's price comes about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Price {
    /// The price file's price times a factor.
    Spot {
        /// 1 for the price as it is.
        #[serde(default = "one")]
        factor: f64,
    },
    /// The same for every kWh.
    Fixed {
        /// EUR/kWh.
        eur_kwh: f64,
    },
    /// By how much was used this calendar year: each kWh pays the rate of the bracket it falls into.
    Brackets {
        /// The brackets, ascending; the first begins at 0.
        brackets: Vec<Bracket>,
    },
    /// By day of the week and time of day; the first window that fits counts.
    TimeOfUse {
        /// EUR/kWh outside all windows.
        eur_kwh: f64,
        /// The windows.
        windows: Vec<Window>,
    },
    /// On the highest quarter-hour's import of the calendar month.
    Peak {
        /// EUR per kW and month.
        eur_kw_month: f64,
    },
}

/// A bracket of consumption.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bracket {
    /// Where it begins, in kWh used this calendar year.
    pub above_kwh: f64,
    /// EUR/kWh.
    pub eur_kwh: f64,
}

/// Hours of some days of the week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Days such as `mon-fri` or `sat,sun`; absent, every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<String>,
    /// Local time of day it begins.
    pub from: String,
    /// Local time of day it ends, `24:00` for midnight, the next day's where it is not after `from`.
    pub until: String,
    /// EUR/kWh.
    pub eur_kwh: f64,
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_yes(value: &bool) -> bool {
    *value
}
