//! What energy costs in each slot of a plan. There is always an answer; where prices are missing, it says what stands for
//! them.

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::compose::Horizon;
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_data::site::tariff::{Direction, Pricer};

use crate::resource::feed::Doubt;
use crate::resource::price::Price;

/// What a kWh costs where nothing is known at all, in EUR/kWh. Any number does: what counts is that it is the same all day.
const FLAT_EUR_KWH: f64 = 0.25;

/// The day-ahead price within a tariff where none is known, in EUR/kWh.
pub const FLAT_SPOT_EUR_KWH: f64 = 0.08;

/// So many days back prices may stand for those that are missing.
const DAYS_BACK: u64 = 7;

/// Prices of the slots of a horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// What a kWh from the grid costs, in EUR/kWh.
    pub import_eur_kwh: Vec<f64>,
    /// What a kWh into the grid earns, in EUR/kWh.
    pub export_eur_kwh: Vec<f64>,
    /// What a kW more of the month's highest quarter-hour costs, in EUR.
    pub peak_eur_kw: f64,
    /// What stands for prices that are missing.
    pub basis: Vec<String>,
}

/// What stands for prices that are not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// Prices that somebody has forecast.
    pub forecast: &'a [Price],
    /// What was used this calendar year, in kWh: the tariff may depend on it.
    pub used_kwh: f64,
}

/// The prices of a horizon: those that are known, in the order of their beginnings; for the rest those that somebody has
/// forecast, then those of the last day that is known, at the same local time; then the tariff; then one price for all.
pub fn priced(site: &Site, zone: Tz, known: &[Price], expected: &Expected<'_>, horizon: &Horizon) -> Priced {
    let Expected { forecast, used_kwh } = *expected;
    let pricer = site.tariff.as_ref().and_then(|tariff| Pricer::new(tariff, zone).ok());
    let (mut import_eur_kwh, mut export_eur_kwh) = (Vec::new(), Vec::new());
    let (mut foretold, mut older, mut by_tariff, mut flat) = (0, 0, 0, 0);
    let (mut provisional, mut disputed) = (0, 0);
    for slot in 0..horizon.slots {
        let at = horizon.at(slot);
        let found = price_at(known, at);
        match found.and_then(|price| price.doubt) {
            Some(Doubt::Provisional) => provisional += 1,
            Some(Doubt::Disputed) => disputed += 1,
            None => {}
        }
        let found = found.or_else(|| price_at(forecast, at).inspect(|_| foretold += 1));
        let found = found.or_else(|| {
            let earlier = earlier(known, zone, at)?;
            older += 1;
            Some(earlier)
        });
        let (import, export) = match (found, &pricer) {
            (Some(price), _) => (price.import_eur_kwh, price.export_eur_kwh.unwrap_or(0.0)),
            (None, Some(pricer)) if pricer.in_force(Direction::Import, local::day(zone, at)) => {
                by_tariff += 1;
                let price =
                    |direction| pricer.mean_eur_kwh(direction, (at, horizon.slot_minutes), FLAT_SPOT_EUR_KWH, used_kwh);
                (price(Direction::Import), price(Direction::Export))
            }
            _ => {
                flat += 1;
                (FLAT_EUR_KWH, 0.0)
            }
        };
        import_eur_kwh.push(import);
        export_eur_kwh.push(export);
    }
    let peak_eur_kw = pricer.map_or(0.0, |pricer| pricer.peak_eur_kw(local::day(zone, horizon.start)));
    let hours = |slots: usize| slots as f64 * f64::from(horizon.slot_minutes) / 60.0;
    let said = [
        (foretold, "hours without a price are planned with the forecast that was put"),
        (older, "hours without a price are planned with those of the last days at the same time"),
        (by_tariff, "hours without a price are planned with the tariff and a flat day-ahead price"),
        (flat, "hours without a price are planned with one price for all"),
        (provisional, "hours have provisional prices"),
        (disputed, "hours have prices that another feed disputes"),
    ];
    let basis = said.into_iter().filter(|(slots, _)| *slots > 0);
    let basis = basis.map(|(slots, what)| format!("{:.1} {what}", hours(slots))).collect();
    Priced { import_eur_kwh, export_eur_kwh, peak_eur_kw, basis }
}

/// The price in force at an instant.
pub fn price_at(known: &[Price], at: DateTime<Utc>) -> Option<Price> {
    let after = known.partition_point(|price| price.start <= at);
    let price = known.get(after.checked_sub(1)?)?;
    (at < price.start + TimeDelta::minutes(i64::from(price.minutes))).then_some(*price)
}

/// The price at the same local time of the last day on which it is known.
fn earlier(known: &[Price], zone: Tz, at: DateTime<Utc>) -> Option<Price> {
    let wall = at.with_timezone(&zone).naive_local();
    (1..=DAYS_BACK).find_map(|days| {
        let day = wall.date().checked_sub_days(Days::new(days))?;
        price_at(known, local::instant(zone, day.and_time(wall.time())).0)
    })
}

#[cfg(test)]
mod tests {

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hour(start: &str, eur_kwh: f64) -> Price {
        Price::put(at(start), 60, eur_kwh, Some(eur_kwh / 2.0))
    }

    fn site() -> Site {
        Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new())
    }

    fn horizon(start: &str, slots: usize) -> Horizon {
        Horizon { start: at(start), slot_minutes: 15, slots }
    }

    #[test]
    fn known_prices_come_first_then_those_of_the_day_before_at_the_same_local_time() {
        // The night of 28 to 29 March 2026 the clocks go forward: noon is 11:00 UTC on the 28th and 10:00 on the 29th.
        let known =
            [hour("2026-03-28T10:00:00Z", 0.3), hour("2026-03-28T11:00:00Z", 0.1), hour("2026-03-29T09:00:00Z", 0.7)];
        let zone = chrono_tz::Europe::Amsterdam;
        let priced = priced(&site(), zone, &known, &Expected::default(), &horizon("2026-03-29T09:00:00Z", 12));
        assert_eq!(priced.import_eur_kwh[..4], [0.7; 4]);
        assert_eq!(priced.import_eur_kwh[4..8], [0.1; 4]);
        assert_eq!(priced.export_eur_kwh[4..8], [0.05; 4]);
        assert_eq!(priced.import_eur_kwh[8..], [FLAT_EUR_KWH; 4]);
        assert_eq!(priced.basis.len(), 2);
        assert!(priced.basis[0].starts_with("1.0 hours without a price are planned with those of the last days"));
    }

    #[test]
    fn prices_older_than_a_week_stand_for_nothing() {
        let known = [hour("2026-03-01T10:00:00Z", 0.9)];
        let priced = priced(&site(), chrono_tz::UTC, &known, &Expected::default(), &horizon("2026-03-09T10:00:00Z", 4));
        assert_eq!(priced.import_eur_kwh, [FLAT_EUR_KWH; 4]);
        let priced =
            super::priced(&site(), chrono_tz::UTC, &known, &Expected::default(), &horizon("2026-03-08T10:00:00Z", 4));
        assert_eq!(priced.import_eur_kwh, [0.9; 4]);
    }
    #[test]
    fn a_forecast_comes_after_known_prices_and_before_those_of_earlier_days() {
        let known = [hour("2026-03-08T10:00:00Z", 0.9), hour("2026-03-09T09:00:00Z", 0.2)];
        let forecast = [hour("2026-03-09T09:00:00Z", 0.5), hour("2026-03-09T10:00:00Z", 0.4)];
        let priced = priced(
            &site(),
            chrono_tz::UTC,
            &known,
            &Expected { forecast: &forecast, used_kwh: 0.0 },
            &horizon("2026-03-09T09:00:00Z", 8),
        );
        assert_eq!(priced.import_eur_kwh, [0.2, 0.2, 0.2, 0.2, 0.4, 0.4, 0.4, 0.4]);
        assert_eq!(priced.basis, ["1.0 hours without a price are planned with the forecast that was put"]);
    }
}
