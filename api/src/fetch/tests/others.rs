//! Feeds of contracts, the sun and carbon intensity, over real sockets: what is made of each fault of theirs, and what a site has
//! then: a table in `docs/feeds.md`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::servers::{Does, carbon, forecast_solar, nobody, octopus, serve, solcast, tibber};
use super::whole::until;
use crate::config::{Contract, Feeds, Rooftop, Supplier};
use crate::fetch::answer::{Outcome, Values};
use crate::fetch::client::{Carrier, Network};
use crate::fetch::feeds;
use crate::fetch::subject::{Roof, Subject};
use crate::fetch::work;
use crate::fetch::work::understood;
use crate::http::tests::bench::Bench;
use crate::jobs::publication;
use crate::resource::feed::Source;

/// What answers at all has answered by then, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What never answers is not waited for longer.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// What stands in no error and no log.
const TOKEN: &str = "hush-hush";

fn now() -> DateTime<Utc> {
    "2026-06-01T08:20:00Z".parse().unwrap()
}

fn contract(zone: &str) -> Subject {
    Subject::Contract { site: "home".to_owned(), zone: zone.to_owned(), day: now().date_naive() }
}

fn plant() -> Subject {
    let roof = Roof { latitude_cdeg: 5209, longitude_cdeg: 512, tilt_deg: 15, azimuth_deg: 90 };
    Subject::Pv { site: "home".to_owned(), plant: "roof".to_owned(), peak_w: 10_000, roof: Some(roof) }
}

fn intensity(area: &str) -> Subject {
    Subject::Carbon { area: area.to_owned() }
}

/// A configuration in which everything is asked at one address.
fn settings(source: Source, base: String) -> Feeds {
    let supplier = match source {
        Source::Octopus => Supplier::Octopus { product: "AGILE-24-10-01".to_owned(), region: "C".to_owned() },
        _ => Supplier::Tibber { token: TOKEN.to_owned().into(), home: None },
    };
    Feeds {
        bases: vec![(source, base)],
        contracts: vec![Contract { site: "home".to_owned(), supplier, eur_per_thousand: Some(1170) }],
        rooftops: vec![Rooftop { site: "home".to_owned(), plant: "roof".to_owned(), id: "ab-12".to_owned() }],
        solcast_key: Some(TOKEN.to_owned().into()),
        forecast_solar_key: Some(TOKEN.to_owned().into()),
        electricity_maps_key: Some(TOKEN.to_owned().into()),
        ..Feeds::default()
    }
}

/// The contract of a home with the supplier of a feed.
pub fn contract_in(source: Source) -> Contract {
    settings(source, String::new()).contracts.remove(0)
}

/// What becomes of a question.
async fn asked(source: Source, subject: &Subject, base: String, patience: Duration) -> Outcome {
    let request = feeds::request(&settings(source, base), source, subject, now())?;
    let raw = Network::waiting(true, patience).unwrap().carry(&request, now()).await;
    understood(raw, source, subject, subject.span(now()), now())
}

/// The feeds: what for, a good answer, what a good request holds, and what a site has without them.
fn all() -> Vec<(Source, Subject, Value, &'static str, &'static str)> {
    let market = "the market's prices in the tariff";
    let weather = "the weather's irradiance";
    let (home, british) = (contract("Europe/Amsterdam"), contract("Europe/London"));
    let (tibber, octopus) = (tibber(&home), octopus(&british));
    let rates = "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/?period_from=2026-05-31T23%3A00%3A00Z";
    let electricity_maps = carbon(Source::ElectricityMaps, now());
    let (charts, grid) = (carbon(Source::EnergyCharts, now()), carbon(Source::NationalGrid, now()));
    vec![
        (Source::Tibber, home, tibber, "authorization: Bearer hush-hush", market),
        (Source::Octopus, british, octopus, rates, market),
        (Source::Solcast, plant(), solcast(now()), "authorization: Bearer hush-hush", weather),
        (
            Source::ForecastSolar,
            plant(),
            forecast_solar(now()),
            "/hush-hush/estimate/52.09/5.12/15/-90/10.000?time=utc",
            weather,
        ),
        (Source::ElectricityMaps, intensity("NL"), electricity_maps, "auth-token: hush-hush", "the next feed's"),
        (Source::EnergyCharts, intensity("NL"), charts, "/co2eq?country=nl", "what came before"),
        (
            Source::NationalGrid,
            intensity("GB"),
            grid,
            "/intensity/2026-05-31T08:00Z/2026-06-03T14:00Z",
            "what came before",
        ),
    ]
}

#[tokio::test]
async fn whatever_these_feeds_do_it_is_told_apart_and_no_key_is_told() {
    let mut table = "| feed | it answers | a key that is none | too many requests | it hangs | it dies in mid-answer | a web page | nothing \
                     but `{}` | nobody listens | a site then has |\n|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (source, subject, answer, wants, then) in all() {
        let good = answer.to_string().into_bytes();
        let faults = [
            serve(Does::Wants(wants, good.clone())).await,
            serve(Does::Answers(401, b"who are you".to_vec())).await,
            serve(Does::Later(600)).await,
            serve(Does::Hangs).await,
            serve(Does::Dies(good)).await,
            serve(Does::Answers(200, b"<html>maintenance</html>".to_vec())).await,
            serve(Does::Answers(200, b"{}".to_vec())).await,
            nobody().await,
        ];
        let mut cells = Vec::new();
        for (k, base) in faults.into_iter().enumerate() {
            let patience = if k == 3 { IMPATIENCE } else { PATIENCE };
            let outcome = asked(source, &subject, base, patience).await;
            if let Err(failure) = &outcome {
                assert!(
                    !failure.why().contains(TOKEN) && !failure.why().contains("http://"),
                    "{source:?}: {failure:?}"
                );
            }
            assert_eq!(outcome.is_ok(), k == 0, "{source:?}: {outcome:?}");
            cells.push(outcome.map_or_else(|failure| failure.word(), |_| "values"));
        }
        let _ = writeln!(table, "| `{}` | {} | {then} |", source.name(), cells.join(" | "));
    }
    super::documented("others", &table);
}

#[tokio::test]
async fn what_is_billed_is_read_by_its_parts_and_the_sun_by_its_hours() {
    for (source, subject, answer, ..) in all() {
        let base = serve(Does::Answers(200, answer.to_string().into_bytes())).await;
        match asked(source, &subject, base, PATIENCE).await.unwrap() {
            Values::Retail(retail) if source == Source::Tibber => {
                assert_eq!((retail.total.values.rows.len(), retail.total.vat_included), (96, true));
                let energy = retail.energy.unwrap();
                let (total, energy) = (retail.total.values.rows[9].value.per_kwh, energy.values.rows[9].value.per_kwh);
                assert!((total - (energy + 0.1) * 1.21).abs() < 1e-9, "{total} {energy}");
            }
            Values::Retail(retail) => {
                assert_eq!((retail.total.values.rows.len(), retail.total.currency.code()), (48, "GBP"));
                // The first quarter-hour's 60 EUR/MWh were taken for 12 pence.
                assert!((retail.total.values.rows[0].value.per_kwh - 0.12).abs() < 1e-9);
            }
            Values::Power(power) => {
                let rows = &power.rows;
                assert_eq!((rows.len(), rows[0].start), (48, "2026-06-01T08:00:00Z".parse().unwrap()), "{source:?}");
            }
            Values::Carbon(carbon) => assert!(carbon.rows.iter().all(|row| row.value.forecast), "{source:?}"),
            other => panic!("{source:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_home_of_several_is_asked_for_by_its_id_and_only_there() {
    let subject = contract("Europe/Amsterdam");
    let base = serve(Does::Wants("\"variables\":{\"home\":\"h\"}", tibber(&subject).to_string().into_bytes())).await;
    let mut settings = settings(Source::Tibber, base);
    for (home, answers) in [(Some("h".to_owned()), true), (None, false)] {
        settings.contracts[0].supplier = Supplier::Tibber { token: TOKEN.to_owned().into(), home };
        let request = feeds::request(&settings, Source::Tibber, &subject, now()).unwrap();
        assert!(!format!("{request:?}").contains(TOKEN));
        let raw = Network::waiting(true, PATIENCE).unwrap().carry(&request, now()).await;
        assert_eq!(raw.unwrap().status == 200, answers);
    }
    // What is sent with a token is not sent on to elsewhere.
    let base = serve(Does::Circles).await;
    let outcome = asked(Source::Tibber, &subject, base, PATIENCE).await;
    assert!(outcome.is_err_and(|failure| failure.why().contains("sends elsewhere")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_counts_where_it_answers_and_the_market_where_it_does_not() {
    let today = Subject::Contract {
        site: "depot".to_owned(),
        zone: "Europe/Amsterdam".to_owned(),
        day: Utc::now().with_timezone(&chrono_tz::Europe::Amsterdam).date_naive(),
    };
    let (charts, home) =
        (serve(Does::Market).await, serve(Does::Answers(200, tibber(&today).to_string().into())).await);
    let maps = serve(Does::Answers(200, carbon(Source::ElectricityMaps, Utc::now()).to_string().into())).await;
    let bench = Bench::with(|config| {
        config.feeds.bases =
            vec![(Source::EnergyCharts, charts), (Source::Tibber, home), (Source::ElectricityMaps, maps)];
        config.feeds.prices = vec![Source::EnergyCharts];
        config.feeds.weather = Vec::new();
        config.feeds.carbon = vec![Source::ElectricityMaps];
        config.feeds.electricity_maps_key = Some(TOKEN.to_owned().into());
        config.feeds.allow_private = true;
        let supplier = Supplier::Tibber { token: TOKEN.to_owned().into(), home: None };
        config.feeds.contracts = vec![Contract { site: "depot".to_owned(), supplier, eur_per_thousand: None }];
    })
    .await;
    bench.put_depot().await;
    let stop = CancellationToken::new();
    let network = Arc::new(Network::new(true).unwrap());
    let fetching = tokio::spawn(work(bench.service.clone(), network, stop.clone()));
    let publishing = tokio::spawn(publication::work(bench.service.clone(), stop.clone()));
    let billed = |prices: &Value| {
        let prices = prices.as_array().unwrap();
        prices.len() >= 92 && prices[..92].iter().all(|price| price["source"] == "tibber")
    };
    let day = today.span(Utc::now());
    let path = format!(
        "/v1/sites/depot/prices?from={}&until={}",
        day.from.format("%Y-%m-%dT%H:%M:%SZ"),
        day.to.format("%Y-%m-%dT%H:%M:%SZ")
    );
    let prices = until(&bench, &path, billed).await;
    let (spot, import) = (prices[40]["spot_eur_kwh"].as_f64().unwrap(), prices[40]["import_eur_kwh"].as_f64().unwrap());
    // The sample depot gets its VAT back, and pays nothing of its tariff on top.
    assert!((import - (spot + 0.1)).abs() < 1e-6, "{spot} {import}");
    let shown =
        |feeds: &Value| feeds["contract"][0]["source"] == "tibber" && feeds["prices"][0]["source"] == "energy_charts";
    let feeds = until(&bench, "/v1/sites/depot/feeds", shown).await;
    assert!(!feeds.to_string().contains(TOKEN));
    until(&bench, "/v1/sites/depot/feeds", |feeds| feeds["carbon"]["source"] == "electricity_maps").await;
    let status = bench.get("/v1/sites/depot/prices").await.expect(StatusCode::OK);
    assert!(!status.text.contains(TOKEN));
    stop.cancel();
    fetching.await.unwrap();
    publishing.await.unwrap();
}
