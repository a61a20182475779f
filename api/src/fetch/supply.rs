//! From a day's prices and a place's weather to the sites: they are put as whoever puts prices over the API does, in the site's own
//! tariff. What people have put stays.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_data::site::tariff::{Direction, Pricer};
use serde::{Deserialize, Serialize};

use super::choose::{Chosen, Verdict};
use crate::access::{SiteRef, audit};
use crate::app::{Event, Handle};
use crate::http::change::{ATTEMPTS, body, kept};
use crate::resource::feed::{Doubt, Source};
use crate::resource::price::Price;
use crate::store::{Change, Expect, Fault, Key, Kind, Store};

/// Day-ahead prices, to be put at sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// The feed that they are from.
    pub source: Source,
    /// The prices.
    pub rows: Vec<SpotRow>,
}

/// The day-ahead price of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SpotRow {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// How long it lasts, in minutes.
    pub minutes: u32,
    /// The price.
    pub eur_kwh: f64,
    /// What is to be known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

impl Spot {
    /// Of the answer that counts.
    pub fn of(chosen: &Chosen) -> Spot {
        let disputed = matches!(chosen.verdict, Verdict::Other { .. });
        let rows = chosen.heard.prices.values.rows.iter().filter_map(|row| {
            let minutes = u32::try_from(row.length().num_minutes()).ok()?;
            let provisional = row.value.provisional.then_some(Doubt::Provisional);
            let doubt = if disputed { Some(Doubt::Disputed) } else { provisional };
            Some(SpotRow { start: row.start, minutes, eur_kwh: row.value.per_kwh, doubt })
        });
        Spot { source: chosen.heard.source, rows: rows.collect() }
    }
}

/// What day-ahead prices are at a site: within its tariff, or alone where it has none.
///
/// # Errors
///
/// What keeps the site from having prices.
pub fn at_site(site: &Site, spot: &Spot) -> Result<Vec<Price>, String> {
    let zone = local::zone(&site.time_zone)?;
    let pricer = site.tariff.as_ref().and_then(|tariff| Pricer::new(tariff, zone).ok());
    let priced = |row: &SpotRow| {
        let in_force = |pricer: &&Pricer<'_>| pricer.in_force(Direction::Import, local::day(zone, row.start));
        let pricer = pricer.as_ref().filter(in_force);
        let slot = (row.start, row.minutes);
        let price =
            |direction| pricer.map_or(row.eur_kwh, |pricer| pricer.mean_eur_kwh(direction, slot, row.eur_kwh, 0.0));
        Price {
            start: row.start,
            minutes: row.minutes,
            import_eur_kwh: price(Direction::Import),
            export_eur_kwh: Some(price(Direction::Export)),
            source: Some(spot.source),
            doubt: row.doubt,
            spot_eur_kwh: Some(row.eur_kwh),
        }
    };
    Ok(spot.rows.iter().map(priced).collect())
}

/// Puts prices from a feed at a site and tells the loop; how many intervals are new. What somebody has put stays.
///
/// # Errors
///
/// Why they cannot be kept; nothing is changed then.
pub async fn put(
    store: &dyn Store,
    app: &Handle,
    site: &SiteRef,
    prices: &[Price],
    now: DateTime<Utc>,
) -> Result<usize, Fault> {
    let mut attempt = 1;
    let new = loop {
        match once(store, site, prices, now).await {
            Err(Fault::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
            ended => break ended?,
        }
    };
    let count = new.len();
    if count > 0 && app.tell_when_free(Event::Prices { site: site.id.clone(), prices: new }).await.is_err() {
        tracing::debug!("prices came after the loop had ended");
    }
    Ok(count)
}

async fn once(store: &dyn Store, site: &SiteRef, prices: &[Price], now: DateTime<Utc>) -> Result<Vec<Price>, Fault> {
    let mut days: BTreeMap<NaiveDate, Vec<Price>> = BTreeMap::new();
    for price in prices {
        days.entry(price.start.date_naive()).or_default().push(*price);
    }
    let (mut changes, mut new) = (Vec::new(), Vec::new());
    for (day, fetched) in days {
        let key = Key::new(Kind::Prices, &site.id, day.to_string());
        let was = store.read(&key, None).await?;
        let before: Vec<Price> = was.as_ref().map(kept).transpose()?.unwrap_or_default();
        let merged = merged(&before, &fetched);
        if merged == before {
            continue;
        }
        new.extend(merged.iter().filter(|price| !before.contains(price)).copied());
        let expect = was.as_ref().map_or(Expect::Absent, |was| Expect::Version(was.version));
        let did = audit::Did::Put(was.map(|was| was.version));
        changes.push(audit::by_system(audit::At { tenant: &site.tenant, site: Some(&site.id) }, &key, did));
        changes.push(Change::Put { key, body: body(&merged)?, expect });
    }
    if !changes.is_empty() {
        store.write(now, changes).await?;
    }
    Ok(new)
}

/// Fetched prices in place of those that were fetched before, but not of those that somebody has put.
fn merged(before: &[Price], fetched: &[Price]) -> Vec<Price> {
    let end = |price: &Price| price.start + TimeDelta::minutes(i64::from(price.minutes));
    let overlap = |a: &Price, b: &Price| a.start < end(b) && b.start < end(a);
    let put: Vec<&Price> = before.iter().filter(|price| price.source.is_none()).collect();
    let fetched: Vec<&Price> = fetched.iter().filter(|price| put.iter().all(|put| !overlap(price, put))).collect();
    let rest = before.iter().filter(|price| price.source.is_some() && fetched.iter().all(|new| !overlap(price, new)));
    let mut merged: Vec<Price> = rest.chain(put).chain(fetched.iter().copied()).copied().collect();
    merged.sort_by_key(|price| price.start);
    merged
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;
    use crate::fetch::choose::{Heard, choose};
    use crate::fetch::tests::prices;

    fn hour(hour: i64, eur_kwh: f64, source: Option<Source>) -> Price {
        let start = DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        Price { source, ..Price::put(start, 60, eur_kwh, None) }
    }

    #[test]
    fn what_people_have_put_stays_and_what_was_fetched_is_replaced() {
        let fetched = Some(Source::EnergyCharts);
        let before = [hour(0, 0.1, fetched), hour(1, 0.2, None), hour(2, 0.3, fetched), hour(5, 0.5, fetched)];
        let quarter = Price { minutes: 15, ..hour(2, 0.9, fetched) };
        let after = merged(&before, &[hour(0, 0.11, fetched), hour(1, 0.21, fetched), quarter]);
        let expected = [hour(0, 0.11, fetched), hour(1, 0.2, None), quarter, hour(5, 0.5, fetched)];
        assert_eq!(after, expected);
        assert_eq!(merged(&after, &[hour(1, 0.21, fetched), quarter]), after, "nothing is new");
    }

    #[test]
    fn prices_are_those_of_the_sites_tariff_and_say_where_they_are_from() {
        let mut site = Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
        let heard = Heard { source: Source::EnergyCharts, prices: prices(&[0.1, -0.2], 15), at: DateTime::UNIX_EPOCH };
        let other = Heard { source: Source::Energyzero, prices: prices(&[0.3, -0.2], 15), ..heard.clone() };
        let chosen = choose(&[Source::EnergyCharts], std::slice::from_ref(&heard)).unwrap();
        assert_eq!(chosen.verdict, Verdict::Alone);
        let alone = at_site(&site, &Spot::of(&chosen)).unwrap();
        assert_eq!((alone[1].import_eur_kwh, alone[1].export_eur_kwh, alone[1].doubt), (-0.2, Some(-0.2), None));
        site.tariff = Some(toml::from_str("preset = \"nl-home\"").unwrap());
        let day = DateTime::UNIX_EPOCH + TimeDelta::days(20_500);
        let mut moved = heard.clone();
        for row in &mut moved.prices.values.rows {
            (row.start, row.end) = (day + (row.start - DateTime::UNIX_EPOCH), day + (row.end - DateTime::UNIX_EPOCH));
        }
        let chosen = Chosen { heard: moved, verdict: Verdict::Alone };
        let within = at_site(&site, &Spot::of(&chosen)).unwrap();
        assert!((within[0].import_eur_kwh - (0.1 + 0.09161) * 1.21).abs() < 1e-9, "{}", within[0].import_eur_kwh);
        assert_eq!((within[0].export_eur_kwh, within[0].spot_eur_kwh), (Some(0.1), Some(0.1)));
        let verdict = Verdict::Other { with: other.source, hours: 1, first: day, eur_kwh: [0.1, 0.3] };
        let disputed = at_site(&site, &Spot::of(&Chosen { verdict, ..chosen })).unwrap();
        assert_eq!(disputed[0].doubt, Some(Doubt::Disputed));
    }
}
