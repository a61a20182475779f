//! From a day's prices and a place's weather to the sites: they are put as whoever puts prices over the API does, in the site's own
//! tariff. What people have put stays.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kwartier_data::feeds::{self, Currency, Prices};
use kwartier_data::local;
use kwartier_data::site::tariff::{Direction, Pricer};
use kwartier_data::site::{Site, Tariff};
use serde::{Deserialize, Serialize};

use super::choose::{Chosen, Verdict};
use super::desk::Billed;
use crate::access::{SiteRef, audit};
use crate::app::{Event, Handle};
use crate::config::Contract;
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

/// What day-ahead prices are at a site that has used so much this calendar year: within its tariff, or alone where it has none.
///
/// # Errors
///
/// What keeps the site from having prices.
pub fn at_site(site: &Site, spot: &Spot, used_kwh: f64) -> Result<Vec<Price>, String> {
    let zone = local::zone(&site.time_zone)?;
    let pricer = site.tariff.as_ref().and_then(|tariff| Pricer::new(tariff, zone).ok());
    let priced = |row: &SpotRow| {
        let in_force = |pricer: &&Pricer<'_>| pricer.in_force(Direction::Import, local::day(zone, row.start));
        let pricer = pricer.as_ref().filter(in_force);
        let slot = (row.start, row.minutes);
        let price = |direction| {
            pricer.map_or(row.eur_kwh, |pricer| pricer.mean_eur_kwh(direction, slot, row.eur_kwh, used_kwh))
        };
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

/// What is billed by the hour or longer is put in pieces of this length, in minutes: what British suppliers bill by.
const PIECE_MINUTES: i64 = 30;

/// What a contract's prices are at a site: the supplier's, for all that is drawn from the grid, in EUR, with or without VAT as the
/// site's tariff says; what is fed in and the month's peak are the tariff's.
///
/// # Errors
///
/// What keeps the site from having prices.
pub fn at_home(site: &Site, billed: &Billed, contract: &Contract) -> Result<Vec<Price>, String> {
    let zone = local::zone(&site.time_zone)?;
    let Billed { source, retail } = billed;
    let rate = rate(&retail.total, contract)?;
    let vat = vat(site.tariff.as_ref(), &retail.total);
    let pricer = site.tariff.as_ref().and_then(|tariff| Pricer::new(tariff, zone).ok());
    let spot = |start: DateTime<Utc>| {
        let rows = &retail.energy.as_ref()?.values.rows;
        let row = rows.iter().find(|row| row.start <= start && start < row.end)?;
        Some(row.value.per_kwh * rate)
    };
    let export = |start: DateTime<Utc>, minutes: u32| {
        let Some(pricer) = &pricer else { return spot(start) };
        let spot = if pricer.needs_spot(Direction::Export, local::day(zone, start)) { spot(start)? } else { 0.0 };
        Some(pricer.mean_eur_kwh(Direction::Export, (start, minutes), spot, 0.0))
    };
    let mut prices = Vec::new();
    for row in &retail.total.values.rows {
        for (start, minutes) in pieces(row) {
            prices.push(Price {
                start,
                minutes,
                import_eur_kwh: row.value.per_kwh * rate * vat,
                export_eur_kwh: export(start, minutes),
                source: Some(*source),
                doubt: row.value.provisional.then_some(Doubt::Provisional),
                spot_eur_kwh: spot(start),
            });
        }
    }
    Ok(prices)
}

/// The intervals of a price, each of an hour at most.
fn pieces(row: &feeds::Row<feeds::Price>) -> Vec<(DateTime<Utc>, u32)> {
    let minutes = row.length().num_minutes();
    let piece = if minutes <= 60 { minutes.max(1) } else { PIECE_MINUTES };
    let count = minutes / piece;
    let at = |k: i64| (row.start + TimeDelta::minutes(k * piece), u32::try_from(piece).unwrap_or(0));
    (0..count).map(at).collect()
}

/// What a unit of the currency is worth in EUR. Nobody fetches exchange rates: whoever has the contract says it.
fn rate(prices: &Prices, contract: &Contract) -> Result<f64, String> {
    if prices.currency == Currency::EUR {
        return Ok(1.0);
    }
    let thousand = contract.eur_per_thousand.ok_or_else(|| {
        format!(
            "its prices are in {}; say what 1000 of them are worth with eur_per_thousand of the contract",
            prices.currency
        )
    })?;
    Ok(f64::from(thousand) / 1000.0)
}

/// What prices are multiplied with: VAT comes off where the site gets it back, and on where it is a cost and not in them. A site
/// without a tariff does not say; its prices are as they are billed.
fn vat(tariff: Option<&Tariff>, prices: &Prices) -> f64 {
    match (tariff.map(Tariff::vat), prices.vat_included) {
        (Some((percent, false)), true) => 1.0 / (1.0 + percent / 100.0),
        (Some((percent, true)), false) => 1.0 + percent / 100.0,
        _ => 1.0,
    }
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

/// Fetched prices in place of those that were fetched before, but not of those that somebody has put, nor the market's in place of
/// those of a contract.
pub(super) fn merged(before: &[Price], fetched: &[Price]) -> Vec<Price> {
    let end = |price: &Price| price.start + TimeDelta::minutes(i64::from(price.minutes));
    let overlap = |a: &Price, b: &Price| a.start < end(b) && b.start < end(a);
    let counts = |price: &Price| match price.source {
        Some(source) if !source.is_contract() => 0,
        Some(_) => 1,
        None => 2,
    };
    let stays = |old: &Price, new: &Price| counts(old) > counts(new) && overlap(old, new);
    let fetched: Vec<&Price> = fetched.iter().filter(|new| before.iter().all(|old| !stays(old, new))).collect();
    let rest = before.iter().filter(|old| fetched.iter().all(|new| !overlap(old, new)));
    let mut merged: Vec<Price> = rest.chain(fetched.iter().copied()).copied().collect();
    merged.sort_by_key(|price| price.start);
    merged
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::config::Supplier;
    use crate::fetch::answer::Retail;
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
    fn what_a_contract_bills_comes_before_the_market_and_after_people() {
        let (market, contract) = (Some(Source::EnergyCharts), Some(Source::Tibber));
        let before = [hour(0, 0.1, market), hour(1, 0.2, contract), hour(2, 0.3, None)];
        let billed = merged(&before, &[hour(0, 0.4, contract), hour(1, 0.5, contract), hour(2, 0.6, contract)]);
        assert_eq!(billed, [hour(0, 0.4, contract), hour(1, 0.5, contract), hour(2, 0.3, None)]);
        let again = merged(&billed, &[hour(0, 0.1, market), hour(3, 0.1, market)]);
        assert_eq!(again, [billed.as_slice(), &[hour(3, 0.1, market)]].concat());
    }

    /// Half-hours of a contract, from the beginning of a day on.
    fn billed(source: Source, per_kwh: &[f64], currency: Currency, vat_included: bool) -> Billed {
        let mut total = Prices { currency, vat_included, covers: feeds::Covers::Retail, ..prices(per_kwh, 30) };
        let day = TimeDelta::days(20_500);
        for row in &mut total.values.rows {
            (row.start, row.end) = (row.start + day, row.end + day);
        }
        let mut energy = total.clone();
        energy.values.rows.iter_mut().for_each(|row| row.value.per_kwh /= 2.0);
        let energy = (source == Source::Tibber).then_some(energy);
        Billed { source, retail: Retail { total, energy } }
    }

    fn contract(eur_per_thousand: Option<u32>) -> Contract {
        let supplier = Supplier::Octopus { product: "AGILE".to_owned(), region: "C".to_owned() };
        Contract { site: "home".to_owned(), supplier, eur_per_thousand }
    }

    #[test]
    fn a_contract_bills_all_of_a_kwh_and_the_tariff_what_is_fed_in() {
        let mut site = Site::new("Home".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
        let tibber = billed(Source::Tibber, &[0.242, 0.121], Currency::EUR, true);
        let alone = at_home(&site, &tibber, &contract(None)).unwrap();
        assert_eq!((alone[0].import_eur_kwh, alone[0].export_eur_kwh, alone[0].minutes), (0.242, Some(0.121), 30));
        // A home pays VAT and taxes as billed; nothing of its own tariff comes on top.
        site.tariff = Some(toml::from_str("preset = \"nl-home\"").unwrap());
        let home = at_home(&site, &tibber, &contract(None)).unwrap();
        assert_eq!((home[1].import_eur_kwh, home[1].spot_eur_kwh), (0.121, Some(0.0605)));
        assert_eq!(home[1].export_eur_kwh, Some(0.0605), "the preset feeds in at the market's price");
        // A business gets the VAT back.
        site.tariff = Some(toml::from_str("vat_percent = 21").unwrap());
        let business = at_home(&site, &tibber, &contract(None)).unwrap();
        assert!((business[0].import_eur_kwh - 0.2).abs() < 1e-9, "{}", business[0].import_eur_kwh);
    }

    #[test]
    fn pounds_are_worth_what_the_contract_says_and_refused_where_it_does_not() {
        let mut site = Site::new("Home".to_owned(), "Europe/London".to_owned(), Vec::new(), Vec::new());
        let octopus = billed(Source::Octopus, &[0.2, -0.1], Currency::GBP, false);
        let why = at_home(&site, &octopus, &contract(None)).unwrap_err();
        assert!(why.contains("GBP") && why.contains("eur_per_thousand"), "{why}");
        site.tariff = Some(toml::from_str("vat_percent = 5\nvat_counts = true").unwrap());
        let prices = at_home(&site, &octopus, &contract(Some(1170))).unwrap();
        assert!((prices[0].import_eur_kwh - 0.2 * 1.17 * 1.05).abs() < 1e-9, "{}", prices[0].import_eur_kwh);
        assert!(prices[1].import_eur_kwh < 0.0 && prices[1].spot_eur_kwh.is_none());
        assert_eq!(prices[0].export_eur_kwh, None, "nobody says what is paid for what is fed in");
        // A rate that holds for months is put in half-hours.
        let mut flat = octopus.clone();
        flat.retail.total.values.rows.truncate(1);
        flat.retail.total.values.rows[0].end += TimeDelta::hours(22);
        let flat = at_home(&site, &flat, &contract(Some(1170))).unwrap();
        assert_eq!((flat.len(), flat[44].start - flat[0].start), (45, TimeDelta::hours(22)));
    }

    #[test]
    fn prices_are_those_of_the_sites_tariff_and_say_where_they_are_from() {
        let mut site = Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
        let heard = Heard { source: Source::EnergyCharts, prices: prices(&[0.1, -0.2], 15), at: DateTime::UNIX_EPOCH };
        let other = Heard { source: Source::Energyzero, prices: prices(&[0.3, -0.2], 15), ..heard.clone() };
        let chosen = choose(&[Source::EnergyCharts], std::slice::from_ref(&heard)).unwrap();
        assert_eq!(chosen.verdict, Verdict::Alone);
        let alone = at_site(&site, &Spot::of(&chosen), 0.0).unwrap();
        assert_eq!((alone[1].import_eur_kwh, alone[1].export_eur_kwh, alone[1].doubt), (-0.2, Some(-0.2), None));
        site.tariff = Some(toml::from_str("preset = \"nl-home\"").unwrap());
        let day = DateTime::UNIX_EPOCH + TimeDelta::days(20_500);
        let mut moved = heard.clone();
        for row in &mut moved.prices.values.rows {
            (row.start, row.end) = (day + (row.start - DateTime::UNIX_EPOCH), day + (row.end - DateTime::UNIX_EPOCH));
        }
        let chosen = Chosen { heard: moved, verdict: Verdict::Alone };
        let within = at_site(&site, &Spot::of(&chosen), 0.0).unwrap();
        assert!((within[0].import_eur_kwh - (0.1 + 0.09161) * 1.21).abs() < 1e-9, "{}", within[0].import_eur_kwh);
        let much = at_site(&site, &Spot::of(&chosen), 20_000.0).unwrap();
        assert!((much[0].import_eur_kwh - (0.1 + 0.06671) * 1.21).abs() < 1e-9, "{}", much[0].import_eur_kwh);
        assert_eq!((within[0].export_eur_kwh, within[0].spot_eur_kwh), (Some(0.1), Some(0.1)));
        let verdict = Verdict::Other { with: other.source, hours: 1, first: day, eur_kwh: [0.1, 0.3] };
        let disputed = at_site(&site, &Spot::of(&Chosen { verdict, ..chosen }), 0.0).unwrap();
        assert_eq!(disputed[0].doubt, Some(Doubt::Disputed));
    }
}
