//! Forecasts that somebody else made and put over the API: they come before our own, for the slots that they say something
//! of.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::{Belief, LEVELS};

use crate::resource::forecast::{ForecastRow, Foreseen, KeptForecast};
use crate::resource::price::Price;
use crate::store::{Fault, Key, Kind, Store};

/// What was put for a site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// What the building draws, in kW.
    pub building: Option<KeptForecast>,
    /// What all PV plants deliver together, in kW.
    pub pv: Option<KeptForecast>,
    /// What energy from the grid costs, in EUR/kWh.
    pub price: Option<KeptForecast>,
}

impl Told {
    /// Reads what was put last.
    pub async fn read(store: &dyn Store, site: &str) -> Result<Told, Fault> {
        let mut told = Told::default();
        for of in Foreseen::ALL {
            let key = Key::new(Kind::Forecast, site, of.name());
            let Some(body) = store.read(&key, None).await?.and_then(|document| document.body) else { continue };
            let kept = serde_json::from_value(body).map_err(|why| Fault::Corrupt(format!("{key}: {why}")))?;
            let place = match of {
                Foreseen::Building => &mut told.building,
                Foreseen::Pv => &mut told.pv,
                Foreseen::Price => &mut told.price,
            };
            *place = Some(kept);
        }
        Ok(told)
    }

    /// What meters are going to show at an instant, in kW: the building less its sun. `None`, nothing was said of the
    /// building then. What was not said of the sun is taken for none.
    pub fn net_kw(&self, at: DateTime<Utc>) -> Option<Belief> {
        let building = belief(row(self.building.as_ref()?, at)?);
        let Some(sun) = self.pv.as_ref().and_then(|pv| row(pv, at)).map(belief) else { return Some(building) };
        // As if the most is drawn when the sun shines least: on the safe side of any way in which they go together.
        let quantiles = std::array::from_fn(|k| building.quantiles[k] - sun.quantiles[LEVELS.len() - 1 - k]);
        Some(Belief { mean: building.mean - sun.mean, quantiles })
    }

    /// Prices as they are expected, in the order of their beginnings.
    pub fn prices(&self) -> Vec<Price> {
        let Some(told) = &self.price else { return Vec::new() };
        let price = |row: &ForecastRow| Price::put(row.start, told.minutes, row.mean, None);
        told.rows.iter().map(price).collect()
    }
}

/// What is said of an instant.
fn row(told: &KeptForecast, at: DateTime<Utc>) -> Option<&ForecastRow> {
    let after = told.rows.partition_point(|row| row.start <= at);
    let row = told.rows.get(after.checked_sub(1)?)?;
    (at < row.start + TimeDelta::minutes(i64::from(told.minutes))).then_some(row)
}

fn belief(row: &ForecastRow) -> Belief {
    let quantiles = row.quantiles().map(|(_, value)| value.unwrap_or(row.mean));
    Belief { mean: row.mean, quantiles }
}

#[cfg(test)]
mod tests {

    use serde_json::json;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn forecast(rows: &serde_json::Value) -> KeptForecast {
        serde_json::from_value(json!({ "minutes": 60, "rows": rows })).unwrap()
    }

    #[test]
    fn the_sun_is_taken_off_the_building_on_the_safe_side() {
        let building = json!([{ "start": "2026-01-14T10:00:00Z", "mean": 50.0, "q05": 30.0, "q10": 35.0, "q25": 40.0,
                                "q50": 50.0, "q75": 60.0, "q90": 70.0, "q95": 80.0 }]);
        let pv = json!([{ "start": "2026-01-14T10:00:00Z", "mean": 20.0, "q05": 2.0, "q10": 5.0, "q25": 10.0,
                          "q50": 20.0, "q75": 25.0, "q90": 30.0, "q95": 35.0 }]);
        let mut told = Told { building: Some(forecast(&building)), ..Told::default() };
        let net = told.net_kw(at("2026-01-14T10:59:00Z")).unwrap();
        assert_eq!((net.mean, net.quantile(0.9)), (50.0, 70.0));
        told.pv = Some(forecast(&pv));
        let net = told.net_kw(at("2026-01-14T10:59:00Z")).unwrap();
        assert_eq!((net.mean, net.quantile(0.9), net.quantile(0.1)), (30.0, 65.0, 5.0));
        assert_eq!(told.net_kw(at("2026-01-14T11:00:00Z")), None);
        assert_eq!(told.net_kw(at("2026-01-14T09:59:59Z")), None);
        told.building = None;
        assert_eq!(told.net_kw(at("2026-01-14T10:30:00Z")), None, "the sun alone says nothing of what meters show");
    }
}
