//! A measured history from the command line: which file, which column, which zone, and what belongs to it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::history::{History, Position, Published, auction, read_weather};
use kwartier_data::local::{self, HolidayCalendar};
use kwartier_data::quality::{self, Nature};
use kwartier_data::series::{self, Quantity, Reading, Series, Unit};
use serde::Serialize;

use super::failure::Failure;
use super::input::{self, is_dash};
use super::span::{self, When};

/// How many years of holidays beyond the history are worked out: more than any horizon.
const YEARS_AHEAD: i32 = 1;

/// What is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a building draws.
    Load,
    /// What a PV plant delivers.
    Pv,
    /// What energy costs.
    Price,
}

impl Kind {
    /// As the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Load => "load",
            Kind::Pv => "pv",
            Kind::Price => "price",
        }
    }

    /// As people call it.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Load => "Load",
            Kind::Pv => "PV power",
            Kind::Price => "Price",
        }
    }

    /// By which its defects are found.
    fn nature(self) -> Nature {
        match self {
            Kind::Load => Nature::Load,
            Kind::Pv => Nature::Pv,
            Kind::Price => Nature::Price,
        }
    }

    fn quantity(self) -> Quantity {
        match self {
            Kind::Load | Kind::Pv => Quantity::Power,
            Kind::Price => Quantity::Price,
        }
    }
}

/// The history, and what is known besides.
#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    /// What was measured: CSV, packed with gzip or not, or Parquet; a column of stamps and one of values; - for standard
    /// input.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// The column of values, where there are several.
    #[arg(long, value_name = "NAME", requires = "history")]
    column: Option<String>,
    /// The column of stamps, where it is not called start, time, timestamp or the like.
    #[arg(long, value_name = "NAME", requires = "history")]
    time_column: Option<String>,
    /// Unit of the values, where the column's name does not end in it: kW, W, kWh, Wh, kWh counter, kW/kWp, EUR/MWh, ...
    #[arg(long, value_name = "UNIT", requires = "history")]
    unit: Option<String>,
    /// Which rows are meant, where a file holds several series; once for each column that tells them apart.
    #[arg(long = "where", value_name = "COLUMN=VALUE", requires = "history", value_parser = span::pair)]
    filter: Vec<(String, String)>,
    /// The site's time zone, which is also that of stamps without offset or Z.
    #[arg(long, value_name = "ZONE", value_parser = local::zone)]
    pub tz: Option<Tz>,
    /// Weather, forecast or measured: `start,ghi_wm2,dni_wm2,dhi_wm2,temp_c,wind_ms,known_at`.
    #[arg(long, value_name = "FILE")]
    weather: Option<PathBuf>,
    /// Public holidays by country or Land, such as NL, BE, DE, DE-NW, or none; without it those of the time zone.
    #[arg(long, value_name = "CODE", value_parser = HolidayCalendar::parse)]
    holidays: Option<HolidayCalendar>,
    /// Latitude of the site in degrees.
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, requires = "lon", value_parser = span::latitude)]
    lat: Option<f64>,
    /// Longitude of the site in degrees, east above 0.
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, requires = "lat", value_parser = span::longitude)]
    lon: Option<f64>,
    /// Peak power of the PV plant in kWp.
    #[arg(long, value_name = "KWP", value_parser = span::positive)]
    pub kwp: Option<f64>,
}

/// A unit in which values are shown: so many of it are one of the unit that is computed in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    #[serde(skip)]
    per_read: f64,
}

impl Shown {
    /// The unit of a history; power where that is an energy per interval.
    fn of(unit: Unit) -> Self {
        let (name, per_read) = match unit.name {
            "W" | "Wh" | "Wh counter" => ("W", 1e3),
            "MW" => ("MW", 1e-3),
            "kW/kWp" => ("kW/kWp", 1.0),
            "W/kWp" => ("W/kWp", 1e3),
            "EUR/MWh" => ("EUR/MWh", 1e3),
            "EUR/kWh" => ("EUR/kWh", 1.0),
            "ct/kWh" => ("ct/kWh", 1e2),
            _ => ("kW", 1.0),
        };
        Shown { name, per_read }
    }

    /// A value that was computed, in this unit.
    pub fn value(self, read: f64) -> f64 {
        read * self.per_read
    }
}

/// What the command line says is known.
#[derive(Debug)]
pub struct Known {
    /// Measured values with zone, weather and holidays.
    pub history: History,
    /// The unit in which values are shown.
    pub unit: Shown,
    /// Where the site is.
    pub position: Option<Position>,
    /// Peak power of the plant in the unit that is computed in.
    pub peak_kw: Option<f64>,
    /// What the reader should know, in words.
    pub notes: Vec<String>,
}

/// Most defects that are told one by one.
const TOLD: usize = 8;

impl Known {
    /// A series in the unit that is computed in (kW, EUR/kWh) at a site, with nothing else known.
    pub fn of_site(series: Series, kind: Kind, at: DateTime<Utc>, zone: Tz) -> Result<Self, Failure> {
        let unit = Unit::parse(kind.quantity().units()[0]).ok_or_else(no_unit)?;
        let history = with_holidays(series, at, zone, HolidayCalendar::of_zone(zone));
        Ok(Known { history, unit: Shown::of(unit), position: None, peak_kw: None, notes: Vec::new() })
    }

    /// Leaves out or puts right the defects of what was measured before an instant, and notes them. What came later is not
    /// looked at and stays as it is.
    pub fn clean(mut self, kind: Kind, before: DateTime<Utc>) -> Self {
        let series = self.history.truth();
        let zone = self.history.as_of(before).zone();
        let cleaned = quality::clean(&series.between(series.start, before), kind.nature(), zone);
        self.notes.extend(cleaned.flags.iter().take(TOLD).map(|flag| flag.text(zone)));
        let more = cleaned.flags.len().saturating_sub(TOLD);
        if more > 0 {
            self.notes.push(format!("{more} more spans of the history are wrong or strange, and treated alike"));
        }
        self.history = self.history.with_values(&cleaned.series.values);
        self
    }
}

impl HistoryArgs {
    /// Refuses to read standard input twice.
    pub fn one_dash(&self) -> Result<(), Failure> {
        input::one_dash(&[self.history.as_ref(), self.weather.as_ref()])
    }

    /// All files that are read.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.history.iter().chain(&self.weather).filter(|path| !is_dash(path))
    }

    /// The name of the history, for titles.
    pub fn name(&self) -> String {
        let stem = self.history.as_ref().filter(|path| !is_dash(path)).and_then(|path| path.file_stem());
        let mut name = stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for (column, value) in &self.filter {
            let _ = write!(name, ", {column} {value}");
        }
        name
    }

    /// Reads everything that is known at an instant, by default that at which the history ends, without one now; with the
    /// instant. Later values are cut off before anything looks at them. Without a history the series is empty, on
    /// quarter-hours.
    pub fn read(&self, kind: Kind, at: Option<DateTime<Utc>>) -> Result<(Known, DateTime<Utc>), Failure> {
        self.read_published(kind, at, None)
    }

    /// The same, with the later values that had been published by then.
    pub fn read_published(
        &self,
        kind: Kind,
        at: Option<DateTime<Utc>>,
        published: Option<Until>,
    ) -> Result<(Known, DateTime<Utc>), Failure> {
        let mut notes = Vec::new();
        let read = self.series(kind)?;
        let at = at.or_else(|| read.as_ref().map(|file| file.series.end())).unwrap_or_else(Utc::now);
        let until = published.map(|until| until.at(at, self.tz)).transpose()?.map_or(at, |until| until.max(at));
        let (series, unit) = match read {
            Some(file) => {
                notes.extend(file.notes);
                (cut(file.series, until), file.unit)
            }
            None => (nothing(at), Unit::parse(kind.quantity().units()[0]).ok_or_else(no_unit)?),
        };
        let zone = self.tz.unwrap_or(Tz::UTC);
        if self.tz.is_none() {
            notes.push("days are taken to begin at midnight UTC; name the site's zone with --tz".to_owned());
        }
        let calendar = self.holidays.unwrap_or_else(|| HolidayCalendar::of_zone(zone));
        let mut history = with_holidays(series, at, zone, calendar);
        if until > at {
            notes.push(known_ahead(history.truth(), at));
            history = publish(history, at);
        }
        if let Some(path) = &self.weather {
            let reading = Reading { zone: self.tz, ..Reading::default() };
            let weather = input::parse(path, "weather file", |bytes| read_weather(bytes, &reading))?;
            notes.extend(weather.notes);
            history = history.with_weather(weather.weather);
        }
        let position = self.lat.zip(self.lon);
        let position = position.map(|(latitude_deg, longitude_deg)| Position { latitude_deg, longitude_deg });
        if kind != Kind::Pv && (position.is_some() || self.kwp.is_some()) {
            notes.push(format!("--lat, --lon and --kwp say nothing about {}; they are not used", kind.name()));
        }
        // Values per kW of peak are those of a plant of 1 kWp.
        let peak_kw = if unit.quantity == Quantity::PowerPerPeak { Some(1.0) } else { self.kwp };
        Ok((Known { history, unit: Shown::of(unit), position, peak_kw, notes }, at))
    }

    /// What happened after the forecast, from a file like the history.
    pub fn happened(&self, kind: Kind, path: &Path) -> Result<Series, Failure> {
        Ok(self.file(kind, path)?.series)
    }

    fn series(&self, kind: Kind) -> Result<Option<series::HistoryFile>, Failure> {
        self.history.as_ref().map(|path| self.file(kind, path)).transpose()
    }

    fn file(&self, kind: Kind, path: &Path) -> Result<series::HistoryFile, Failure> {
        let unit = self.unit.as_deref().map(|name| unit(kind, name)).transpose()?;
        let reading = Reading {
            zone: self.tz,
            column: self.column.as_deref(),
            unit,
            filter: &self.filter,
            time: self.time_column.as_deref(),
        };
        let said = unit.or_else(|| self.column.as_deref().and_then(Unit::of_header));
        let per_peak = said.is_some_and(|unit| unit.quantity == Quantity::PowerPerPeak);
        let quantity = if kind == Kind::Pv && per_peak { Quantity::PowerPerPeak } else { kind.quantity() };
        let what = match kind {
            Kind::Load => "history of a load",
            Kind::Pv => "history of a PV plant",
            Kind::Price => "history of prices",
        };
        input::parse(path, what, |bytes| series::read_history(bytes, quantity, &reading))
    }
}

/// The unit of a name, if it fits what is forecast.
fn unit(kind: Kind, name: &str) -> Result<Unit, Failure> {
    let fits =
        |unit: &Unit| unit.quantity == kind.quantity() || (kind == Kind::Pv && unit.quantity == Quantity::PowerPerPeak);
    Unit::parse(name).filter(fits).ok_or_else(|| {
        let mut units = kind.quantity().units().to_vec();
        if kind == Kind::Pv {
            units.extend(Quantity::PowerPerPeak.units());
        }
        Failure::Arguments(format!("--unit {name} is no unit of {}; give one of {}", kind.name(), units.join(", ")))
    })
}

fn no_unit() -> Failure {
    Failure::Internal("a quantity has no unit".to_owned())
}

/// A history with the holidays of its years and the next.
fn with_holidays(series: Series, at: DateTime<Utc>, zone: Tz, calendar: HolidayCalendar) -> History {
    let first = local::day(zone, series.start);
    let last = local::day(zone, at.max(series.end()));
    History::new(series, zone).with_holidays(calendar.days(first.year()..=last.year() + YEARS_AHEAD))
}

/// Up to when the values of a history were published at the instant of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Up to where the day-ahead auction had.
    Auction,
    /// Up to an instant.
    At(When),
}

impl Until {
    /// Reads `auction` or a date and time.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "auction" {
            return Ok(Until::Auction);
        }
        When::parse(text).map(Until::At).map_err(|wanted| format!("auction, or {wanted}"))
    }

    fn at(self, at: DateTime<Utc>, zone: Option<Tz>) -> Result<DateTime<Utc>, Failure> {
        match self {
            Until::Auction => Ok(auction::published_until(at)),
            Until::At(when) => when.at(zone).map_err(|wrong| Failure::Arguments(format!("--published-until {wrong}"))),
        }
    }
}

/// All values of a history as known at an instant at the latest.
fn publish(history: History, at: DateTime<Utc>) -> History {
    let Series { start, step, ref values } = *history.truth();
    let ends = (1..=values.len()).map(|k| (start + step * i32::try_from(k).unwrap_or(i32::MAX)).min(at)).collect();
    history.with_published(Published::At(ends))
}

/// Says how far a history is known beyond an instant.
fn known_ahead(series: &Series, at: DateTime<Utc>) -> String {
    if series.end() <= at {
        return "the history holds no value after --at that could have been published".to_owned();
    }
    let until = series.end().format("%Y-%m-%dT%H:%MZ");
    format!(
        "values up to {until} count as published at --at: the forecast gives them as they are and goes on from there"
    )
}

/// The series without the intervals that end after an instant.
pub fn cut(mut series: Series, at: DateTime<Utc>) -> Series {
    let known = (at - series.start).num_seconds().max(0) / series.step.num_seconds().max(1);
    series.values.truncate(usize::try_from(known).unwrap_or(usize::MAX));
    series
}

/// No values, on quarter-hours up to an instant.
pub fn nothing(at: DateTime<Utc>) -> Series {
    let quarter_s = 900;
    let start = at - TimeDelta::seconds(at.timestamp().rem_euclid(quarter_s));
    Series { start, step: TimeDelta::seconds(quarter_s), values: Vec::new() }
}

/// Says how far a history ends before an instant, where that is worth a word.
pub fn ends_early(series: &Series, at: DateTime<Utc>) -> Option<String> {
    let last = series.values.iter().rposition(Option::is_some)?;
    let end = series.start + series.step * i32::try_from(last + 1).unwrap_or(i32::MAX);
    let missing = at - end;
    (missing >= TimeDelta::hours(1)).then(|| {
        let hours = missing.num_minutes() as f64 / 60.0;
        let length = if hours >= 48.0 { format!("{:.1} days", hours / 24.0) } else { format!("{hours:.1} hours") };
        format!("the last value known is {length} older than --at")
    })
}
