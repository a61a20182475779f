//! All of it together: a site that names its area, feeds on this machine, the real store; only the loop listens.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::servers::{Does, serve};
use crate::fetch::client::Network;
use crate::fetch::replay::play;
use crate::fetch::{record, work};
use crate::http::tests::bench::Bench;
use crate::jobs::publication;
use crate::resource::feed::Source;

/// Nothing that is waited for here takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until what is answered is as it is wanted.
pub async fn until(bench: &Bench, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    let asks = async {
        loop {
            let answer = bench.get(path).await.expect(StatusCode::OK).json();
            if is(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asks).await.unwrap_or_else(|_| panic!("{path} does not come to be so"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_names_its_area_has_prices_in_its_tariff_with_source_and_check() {
    let bases =
        vec![(Source::EnergyCharts, serve(Does::Market).await), (Source::Energyzero, serve(Does::Market).await)];
    let bench = Bench::with(|config| {
        config.feeds.bases = bases;
        config.feeds.allow_private = true;
        config.feeds.weather = Vec::new();
    })
    .await;
    bench.put_depot().await;
    let stop = CancellationToken::new();
    let network = Arc::new(Network::new(true).unwrap());
    let fetching = tokio::spawn(work(bench.service.clone(), network, stop.clone()));
    let publishing = tokio::spawn(publication::work(bench.service.clone(), stop.clone()));
    let fetched = |prices: &Value| {
        let prices = prices.as_array().unwrap();
        prices.len() >= 92 && prices.iter().all(|price| price["source"] == "energy_charts" && price["doubt"].is_null())
    };
    let prices = until(&bench, "/v1/sites/depot/prices", fetched).await;
    let (spot, import) = (prices[40]["spot_eur_kwh"].as_f64().unwrap(), prices[40]["import_eur_kwh"].as_f64().unwrap());
    assert!((0.02..=0.1).contains(&spot) && import > spot + 0.01, "{spot} {import}");
    let checked = |feeds: &Value| feeds["prices"][0]["notes"][0] == "energyzero says the same";
    let feeds = until(&bench, "/v1/sites/depot/feeds", checked).await;
    assert_eq!((&feeds["fetching"], &feeds["prices"][0]["late"]), (&json!(true), &json!(false)));
    assert_eq!(feeds["prices"][0]["feeds"][0]["state"], "fine");
    let published = |jobs: &Value| {
        let mut jobs = jobs["items"].as_array().unwrap().iter();
        jobs.any(|job| job["kind"] == "publication" && job["state"] == "done" && job["progress"] == 1.0)
    };
    until(&bench, "/v1/jobs", published).await;
    // Another tariff: the same day-ahead prices, worked out anew.
    let fixed = json!({ "components": [{ "name": "all in", "price": { "kind": "fixed", "eur_kwh": 0.5 } }] });
    bench.json("PUT", "/v1/sites/depot/tariff", fixed).await.expect(StatusCode::OK);
    until(&bench, "/v1/sites/depot/prices", |prices| prices[40]["import_eur_kwh"] == 0.5).await;
    stop.cancel();
    fetching.await.unwrap();
    publishing.await.unwrap();
    let (records, damaged) = record::read(&bench.service.config.data.join("feeds"));
    assert!(records.len() >= 2 && damaged.is_empty(), "{damaged:?}");
    let days = play(&records, &[Source::EnergyCharts, Source::Energyzero]);
    assert!(days.iter().all(crate::fetch::replay::Day::is_sound), "{days:?}");
    assert!(days[0].known.is_some_and(|known| known <= Utc::now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_that_was_recorded_is_played_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let rank = [Source::EnergyCharts, Source::Energyzero];
    for record in super::week::records() {
        record::write(folder.path(), &record).unwrap();
    }
    let (records, damaged) = record::read(folder.path());
    assert!(damaged.is_empty(), "{damaged:?}");
    let mut table =
        "| day | what came, UTC | in force | known at | what is said of it |\n|---|---|---|---|---|\n".to_owned();
    for day in play(&records, &rank) {
        let said = |(at, source, said): &(DateTime<Utc>, Source, String)| {
            format!("{} `{}` {said}", at.format("%a %H:%M"), source.name())
        };
        let came: Vec<String> = day.came.iter().map(said).collect();
        let chosen = day.chosen.as_ref();
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} |",
            day.day.format("%a %-d %b"),
            came.join(", "),
            chosen.map_or_else(|| "none".to_owned(), |chosen| format!("`{}`", chosen.heard.source.name())),
            day.known.map_or_else(|| "never".to_owned(), |at| at.format("%a %H:%M").to_string()),
            chosen.map(|chosen| chosen.notes().join(", ")).unwrap_or_default(),
        );
    }
    super::documented("week", &table);
}
