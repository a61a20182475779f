//! The series that come with the program, as if they were of today: what was on the same weekday at the same local time in
//! a week of June 2023. Where they come from stands in `data/samples/README.md`.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::local;
use kwartier_data::series::{self, Quantity, Reading, Series};

const PRICES: &[u8] = include_bytes!("../../../data/samples/forecast/price-history.csv");
const BUILDING: &[u8] = include_bytes!("../../../data/samples/forecast/building-history.csv");
const PV: &[u8] = include_bytes!("../../../data/samples/forecast/pv-history.csv");

/// The zone in which they were measured.
const ZONE: Tz = chrono_tz::Europe::Amsterdam;

/// The Monday on which the week begins that stands for every week.
const MONDAY: NaiveDate = match NaiveDate::from_ymd_opt(2023, 6, 5) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// How the building's draw is spread over the phases.
pub const SHARES: [f64; 3] = [0.34, 0.31, 0.35];

/// The series that come with the program.
pub struct Past {
    /// Day-ahead prices in EUR/kWh.
    prices: Series,
    /// What the building draws in kW.
    building: Series,
    /// What a kW of PV delivers in kW.
    pv: Series,
}

impl Past {
    /// Reads them.
    pub fn read() -> Result<Past, String> {
        let read = |bytes: &[u8], quantity| {
            series::read(bytes, quantity, &Reading::default()).map_err(|refusal| refusal.to_string())
        };
        Ok(Past {
            prices: read(PRICES, Quantity::Price)?,
            building: read(BUILDING, Quantity::Power)?,
            pv: read(PV, Quantity::PowerPerPeak)?,
        })
    }

    /// The day-ahead price of the hour of an instant in EUR/kWh.
    pub fn price_eur_kwh(&self, at: DateTime<Utc>) -> f64 {
        value(&self.prices, at, TimeDelta::hours(1))
    }

    /// What the building draws in the quarter-hour of an instant in kW.
    pub fn building_kw(&self, at: DateTime<Utc>) -> f64 {
        value(&self.building, at, TimeDelta::minutes(15))
    }

    /// What a kW of PV delivers in the hour of an instant in kW.
    pub fn pv_kw(&self, at: DateTime<Utc>) -> f64 {
        value(&self.pv, at, TimeDelta::minutes(15))
    }
}

/// The value at the same time of the week that stands for every week.
fn value(series: &Series, at: DateTime<Utc>, step: TimeDelta) -> f64 {
    let wall = at.with_timezone(&ZONE).naive_local();
    let day = MONDAY + TimeDelta::days(i64::from(wall.weekday().num_days_from_monday()));
    let then = local::instant(ZONE, day.and_time(wall.time())).0;
    let then = then - TimeDelta::seconds(then.timestamp().rem_euclid(step.num_seconds()));
    series.mean(then, then + step).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn every_hour_of_any_week_has_its_price_and_the_sun_shines_by_day() {
        let past = Past::read().unwrap();
        // The week of the autumn change of the clocks.
        let start: DateTime<Utc> = "2026-10-19T00:00:00Z".parse().unwrap();
        let hours: Vec<DateTime<Utc>> = (0..8 * 24).map(|hour| start + TimeDelta::hours(hour)).collect();
        let prices: Vec<f64> = hours.iter().map(|at| past.price_eur_kwh(*at)).collect();
        assert!(prices.iter().all(|price| (-0.5..1.0).contains(price)));
        let distinct = prices.iter().filter(|price| price.abs() > 1e-9).count();
        assert!(distinct > 180, "{distinct}");
        assert!(hours.iter().all(|at| past.building_kw(*at) > 0.0));
        let noon: DateTime<Utc> = "2026-10-20T10:30:00Z".parse().unwrap();
        assert!(past.pv_kw(noon) > 0.2, "{}", past.pv_kw(noon));
        assert!(past.pv_kw(noon + TimeDelta::hours(12)) < 0.01);
    }
}
