//! What a customer's own system sends in place of a feed: JSON in the product's own words, written and read here. What is
//! asked for is what is sent: its span is that of its rows.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::body::{object, objects};
use super::outcome::{NoValues, broken};
use super::price::{Terms, currency_at, prices as settled};
use super::rows::{Row, Span, Values, settle};
use super::{Answer, Carbon, Covers, Price, Prices, PvPower, SkyForecast, carbon as carbons, pv};
use crate::history::{self, Sky};
use crate::refusal::number;

/// Longest interval, in minutes: a day.
const LONGEST_MINUTES: u32 = 1440;

/// Prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricesWire {
    /// What they are in, such as `EUR`.
    pub currency: String,
    /// Whether VAT is in them.
    pub vat_included: bool,
    /// Whether they are all that is paid for a kWh; if not, those of the market alone.
    pub retail: bool,
    /// The prices.
    pub prices: Vec<PriceWire>,
}

/// The price of an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceWire {
    /// Its beginning.
    pub start: DateTime<Utc>,
    /// Its length.
    pub minutes: u32,
    /// Per kWh.
    pub per_kwh: f64,
    /// Whether it may change yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
}

/// The weather of an interval. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkyWire {
    /// Its beginning.
    pub start: DateTime<Utc>,
    /// Its length.
    pub minutes: u32,
    /// Global horizontal irradiance, mean, W/m².
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ghi_wm2: Option<f64>,
    /// Direct normal irradiance, mean, W/m².
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dni_wm2: Option<f64>,
    /// Diffuse horizontal irradiance, mean, W/m².
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhi_wm2: Option<f64>,
    /// Air temperature, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temp_c: Option<f64>,
    /// Wind at 10 m, m/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wind_ms: Option<f64>,
}

/// The PV power of an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerWire {
    /// Its beginning.
    pub start: DateTime<Utc>,
    /// Its length.
    pub minutes: u32,
    /// Mean power, kW.
    pub kw: f64,
    /// Its tenth percentile, kW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_kw: Option<f64>,
    /// Its ninetieth percentile, kW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_kw: Option<f64>,
}

/// The carbon intensity of an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarbonWire {
    /// Its beginning.
    pub start: DateTime<Utc>,
    /// Its length.
    pub minutes: u32,
    /// g CO₂ equivalent per kWh.
    pub g_kwh: f64,
    /// Whether it is forecast.
    pub forecast: bool,
}

/// Prices that were sent: an object of [`PricesWire`].
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn prices(bytes: &[u8]) -> Result<Prices, NoValues> {
    let wire: PricesWire = object(&Answer::ok(bytes).unpacked()?)?;
    let rows = wire.prices.iter().enumerate().map(|(k, price)| {
        let value = Price { per_kwh: price.per_kwh, provisional: price.provisional };
        row(price.start, price.minutes, value, &format!("$.prices[{k}]"))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let asked = Span::over(&rows);
    let covers = if wire.retail { Covers::Retail } else { Covers::Energy };
    let currency = currency_at("$.currency", &wire.currency)?;
    settled(rows, asked, Terms { vat_included: wire.vat_included, covers, ..Terms::market(currency) })
}

/// Weather that was sent, and came at `received`: an array of [`SkyWire`].
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn sky(bytes: &[u8], received: DateTime<Utc>) -> Result<SkyForecast, NoValues> {
    let wire: Vec<SkyWire> = objects(&Answer::ok(bytes).unpacked()?)?;
    let rows = wire.iter().enumerate().map(|(k, sky)| {
        let path = format!("$[{k}]");
        credible(sky, &path)?;
        let value = Sky {
            ghi_wm2: sky.ghi_wm2,
            dni_wm2: sky.dni_wm2,
            dhi_wm2: sky.dhi_wm2,
            temp_c: sky.temp_c,
            wind_ms: sky.wind_ms,
        };
        row(sky.start, sky.minutes, value, &path)
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let asked = Span::over(&rows);
    Ok(SkyForecast { known_at: received, values: settle(rows, asked)?, suspect: Vec::new() })
}

/// PV power that was sent for a plant of a peak power in kW: an array of [`PowerWire`].
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn power(bytes: &[u8], peak_kw: f64) -> Result<Values<PvPower>, NoValues> {
    let wire: Vec<PowerWire> = objects(&Answer::ok(bytes).unpacked()?)?;
    let rows = wire.iter().enumerate().map(|(k, power)| {
        let value = PvPower { kw: power.kw, low_kw: power.low_kw, high_kw: power.high_kw };
        row(power.start, power.minutes, value, &format!("$[{k}]"))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let asked = Span::over(&rows);
    pv::settled(rows, peak_kw, asked)
}

/// Carbon intensity that was sent: an array of [`CarbonWire`].
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn carbon(bytes: &[u8]) -> Result<Values<Carbon>, NoValues> {
    let wire: Vec<CarbonWire> = objects(&Answer::ok(bytes).unpacked()?)?;
    let rows = wire.iter().enumerate().map(|(k, carbon)| {
        let value = Carbon { g_kwh: carbon.g_kwh, forecast: carbon.forecast };
        row(carbon.start, carbon.minutes, value, &format!("$[{k}]"))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let asked = Span::over(&rows);
    carbons::settled(rows, asked)
}

fn row<V>(start: DateTime<Utc>, minutes: u32, value: V, path: &str) -> Result<Row<V>, NoValues> {
    if !(1..=LONGEST_MINUTES).contains(&minutes) {
        let wrong = format!("is not from 1 to {LONGEST_MINUTES}");
        return Err(broken(format!("{path}.minutes"), minutes.to_string(), wrong, "give the length in minutes"));
    }
    if !crate::local::in_range(start.date_naive()) {
        return Err(broken(format!("{path}.start"), start.to_rfc3339(), "is no time that is read", "check the year"));
    }
    Ok(Row::lasting(start, TimeDelta::minutes(i64::from(minutes)), value))
}

/// Refuses weather that cannot be.
fn credible(sky: &SkyWire, path: &str) -> Result<(), NoValues> {
    let all = [
        ("ghi_wm2", sky.ghi_wm2, history::IRRADIANCE_WM2),
        ("dni_wm2", sky.dni_wm2, history::IRRADIANCE_WM2),
        ("dhi_wm2", sky.dhi_wm2, history::IRRADIANCE_WM2),
        ("temp_c", sky.temp_c, history::TEMP_C),
        ("wind_ms", sky.wind_ms, history::WIND_MS),
    ];
    for (name, value, believed) in all {
        if let Some(value) = value.filter(|value| !believed.contains(value)) {
            return Err(broken(format!("{path}.{name}"), number(value), "is no weather", "check the unit"));
        }
    }
    Ok(())
}

impl From<&Prices> for PricesWire {
    fn from(prices: &Prices) -> Self {
        let price = |row: &Row<Price>| PriceWire {
            start: row.start,
            minutes: u32::try_from(row.length().num_minutes()).unwrap_or(LONGEST_MINUTES),
            per_kwh: row.value.per_kwh,
            provisional: row.value.provisional,
        };
        PricesWire {
            currency: prices.currency.code().to_owned(),
            vat_included: prices.vat_included,
            retail: prices.covers == Covers::Retail,
            prices: prices.values.rows.iter().map(price).collect(),
        }
    }
}
