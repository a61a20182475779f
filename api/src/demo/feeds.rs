//! The demo's feeds: day-ahead prices that really were, moved to today, answered in the form of the feeds that would be asked for
//! the area, when they would be there. Everything from the request on is as with the network.

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike, Utc};
use kwartier_data::feeds::{Area, Span};
use serde_json::{Value, json};

use super::past::Past;
use crate::fetch::{Carrier, Raw, Request};

/// From this local hour on the prices of the next day are known, as of the day-ahead auction.
const PUBLISHED_H: u32 = 13;

/// The feeds.
pub struct Feeds {
    past: Past,
}

impl Feeds {
    /// Reads what comes with the program.
    ///
    /// # Errors
    ///
    /// That it cannot be read.
    pub fn new() -> Result<Feeds, String> {
        Ok(Feeds { past: Past::read()? })
    }

    /// The hours of a day of the market with their prices in EUR/kWh; `None`, they are not published yet.
    fn hours(&self, day: NaiveDate, now: DateTime<Utc>) -> Option<Vec<(DateTime<Utc>, f64)>> {
        let zone = Area::parse("NL")?.market_zone();
        let wall = now.with_timezone(&zone);
        let last = if wall.hour() >= PUBLISHED_H {
            wall.date_naive().checked_add_days(Days::new(1))?
        } else {
            wall.date_naive()
        };
        let span = Span::of_day(zone, day);
        let hours = (0..span.length().num_hours()).map(|hour| span.from + TimeDelta::hours(hour));
        (day <= last).then(|| hours.map(|at| (at, self.past.price_eur_kwh(at))).collect())
    }

    fn answer(&self, request: &Request, now: DateTime<Utc>) -> Option<Value> {
        let asked =
            |name: &str| request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match request.url.path() {
            "/price" => {
                let hours = self.hours(asked("start")?.parse().ok()?, now)?;
                let (at, price): (Vec<i64>, Vec<f64>) =
                    hours.iter().map(|(at, eur)| (at.timestamp(), eur * 1000.0)).unzip();
                Some(json!({ "unix_seconds": at, "price": price, "unit": "EUR / MWh", "deprecated": false }))
            }
            "/public/v1/prices" => {
                let day = NaiveDate::parse_from_str(&asked("date")?, "%d-%m-%Y").ok()?;
                let interval = |(at, eur): &(DateTime<Utc>, f64)| {
                    let end = *at + TimeDelta::hours(1);
                    json!({ "start": at, "end": end, "price": { "value": format!("{eur:.5}") } })
                };
                let hours: Vec<Value> = self.hours(day, now)?.iter().map(interval).collect();
                Some(json!({ "base": hours }))
            }
            _ => None,
        }
    }
}

#[async_trait]
impl Carrier for Feeds {
    async fn carry(&self, request: &Request, now: DateTime<Utc>) -> Result<Raw, String> {
        Ok(match self.answer(request, now) {
            Some(answer) => Raw { status: 200, body: answer.to_string().into_bytes(), retry_after: None },
            None => Raw { status: 404, body: Vec::new(), retry_after: None },
        })
    }
}
