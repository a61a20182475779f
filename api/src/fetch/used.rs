//! What sites have used this calendar year: taxes by brackets depend on it. It is what the tariff says was used before, and from then
//! on what the grid connection's meter has shown, quarter-hour by quarter-hour; what was not measured is not in it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use parking_lot::Mutex;

use crate::store::{Fault, Grain, Measurements, Store};

/// How many quarter-hours are read at once.
const PAGE: u32 = 10_000;

/// What sites have used. Clones know the same.
#[derive(Debug, Clone, Default)]
pub struct Used(Arc<Mutex<HashMap<String, Sum>>>);

/// What was measured of a site.
#[derive(Debug, Clone, PartialEq)]
struct Sum {
    place: String,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    kwh: f64,
}

impl Used {
    /// What a site has used this calendar year, in kWh; 0 where its tariff does not ask. What cannot be read counts as nothing more
    /// than before.
    pub async fn kwh(&self, store: &dyn Store, id: &str, site: &Site, now: DateTime<Utc>) -> f64 {
        let Some(tariff) = site.tariff.as_ref().filter(|tariff| tariff.is_bracketed()) else { return 0.0 };
        let root = site.boards.iter().find(|board| board.parent.is_none());
        let (Some(root), Ok(zone)) = (root, local::zone(&site.time_zone)) else { return 0.0 };
        let (day, before_kwh) = tariff.counts_from(local::day(zone, now));
        let (place, from) = (format!("node/{}", root.id), local::day_start(zone, day));
        let known = self.0.lock().get(id).cloned();
        let same = |known: &Sum| known.place == place && known.from == from && known.until <= now;
        let mut sum = known.filter(same).unwrap_or(Sum { place, from, until: from, kwh: 0.0 });
        let until = now - TimeDelta::seconds(now.timestamp().rem_euclid(Grain::Quarter.seconds()));
        match measured(store, id, site, &sum, until).await {
            Ok(kwh) => {
                sum = Sum { until, kwh: sum.kwh + kwh, ..sum };
                self.0.lock().insert(id.to_owned(), sum.clone());
            }
            Err(why) => tracing::warn!(site = id, %why, "what was used this year cannot be read"),
        }
        before_kwh + sum.kwh
    }
}

/// What came from the grid since, in kWh.
async fn measured(store: &dyn Store, id: &str, site: &Site, sum: &Sum, until: DateTime<Utc>) -> Result<f64, Fault> {
    let kw = |amps: [f64; 3]| amps.iter().sum::<f64>() * site.voltage_v / 1000.0;
    let hours = Grain::Quarter.seconds() as f64 / 3600.0;
    let (mut kwh, mut after) = (0.0, None);
    loop {
        let ask = Measurements {
            site: id.to_owned(),
            place: Some(sum.place.clone()),
            from: sum.until,
            until,
            grain: Grain::Quarter,
            after: after.take(),
            limit: PAGE,
        };
        let page = store.measured(&ask).await?;
        let power = page.items.iter().map(|point| point.mean.power_kw.unwrap_or_else(|| kw(point.mean.phases_a)));
        kwh += power.map(|kw| kw.max(0.0) * hours).sum::<f64>();
        after = page.items.last().map(|last| (sum.place.clone(), last.mean.at));
        if !page.more || after.is_none() {
            return Ok(kwh);
        }
    }
}

#[cfg(test)]
mod tests {

    use kwartier_data::site::{Board, PerPhase};

    use super::*;
    use crate::store::Measured;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn site(tariff: &str) -> Site {
        let board = Board::new("HV".to_owned(), None, PerPhase::Same(100.0));
        let mut site = Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), vec![board], Vec::new());
        site.tariff = Some(toml::from_str(tariff).unwrap());
        site
    }

    fn shown(text: &str, kw: Option<f64>) -> Measured {
        let (site, place) = ("depot".to_owned(), "node/HV".to_owned());
        Measured { site, place, at: at(text), phases_a: [100.0; 3], power_kw: kw, energy_kwh: None }
    }

    #[tokio::test]
    async fn brackets_follow_what_the_meter_has_shown_this_year_on_the_sites_clock() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(folder.path().to_str().unwrap()).await.unwrap();
        let rows = [
            // The last quarter-hour of the old year and the first of the new one, in Amsterdam.
            shown("2025-12-31T22:45:00Z", Some(1000.0)),
            shown("2025-12-31T23:00:00Z", Some(40.0)),
            // What is fed in takes nothing off, and without a meter of power currents count: 3 × 100 A at 230 V.
            shown("2026-03-01T12:00:00Z", Some(-500.0)),
            shown("2026-05-01T12:00:00Z", None),
        ];
        store.measure(&rows).await.unwrap();
        let (used, home) = (Used::default(), site("preset = \"nl-home\""));
        let kwh = async |site: &Site, now: &str| used.kwh(&*store, "depot", site, at(now)).await;
        assert!((kwh(&home, "2026-02-01T00:00:00Z").await - 10.0).abs() < 1e-9);
        // Later it goes on from there.
        assert!((kwh(&home, "2026-06-01T00:00:00Z").await - (10.0 + 69.0 / 4.0)).abs() < 1e-9);
        store.measure(&[shown("2026-06-01T00:10:00Z", Some(8.0))]).await.unwrap();
        assert!((kwh(&home, "2026-06-01T00:16:00Z").await - (12.0 + 69.0 / 4.0)).abs() < 1e-9);
        // Another year begins anew, and a clock that was put back does not count twice.
        assert!(kwh(&home, "2027-01-01T12:00:00Z").await.abs() < 1e-9);
        assert!((kwh(&home, "2026-02-01T00:00:00Z").await - 10.0).abs() < 1e-9);
        // Who has joined in April says what was used before.
        let joined = site("preset = \"nl-home\"\nused = { until = \"2026-04-01\", kwh = 30000 }");
        assert!((kwh(&joined, "2026-06-01T00:00:00Z").await - (30_000.0 + 69.0 / 4.0)).abs() < 1e-9);
        assert!(kwh(&joined, "2027-02-01T00:00:00Z").await.abs() < 1e-9, "that was another year");
        let flat = site("components = [{ name = \"all in\", price = { kind = \"fixed\", eur_kwh = 0.5 } }]");
        assert!(kwh(&flat, "2026-06-01T00:00:00Z").await.abs() < 1e-9, "its tariff does not ask");
    }
}
