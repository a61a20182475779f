//! Each fault of a feed, over a real socket, and what then happened to the plan: the table in `docs/feeds.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::servers::{Does, energy_charts, energyzero, nobody, serve};
use crate::config::Feeds;
use crate::fetch::answer::{Failure, Outcome};
use crate::fetch::client::{Carrier, Network};
use crate::fetch::desk::{Desk, News, Ranks};
use crate::fetch::feeds;
use crate::fetch::subject::Subject;
use crate::fetch::supply::{Spot, at_site};
use crate::fetch::work::understood;
use crate::planning::compose::Outlook;
use crate::planning::ladder::{Rungs, climb};
use crate::planning::tests::{Patient, made, request, solve};
use crate::resource::feed::Source;
use crate::resource::price::Price;

/// What answers at all has answered by then, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What never answers is not waited for longer.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// The day on which the plan is made, and the one after it.
fn days() -> [Subject; 2] {
    let today = request().at.date_naive();
    [today, today.checked_add_days(Days::new(1)).unwrap()].map(|day| Subject::Prices { area: "NL".to_owned(), day })
}

/// What a feed answered last time it was asked for a day.
async fn ask(source: Source, base: &str, subject: &Subject, now: DateTime<Utc>) -> Outcome {
    ask_for(PATIENCE, source, base, subject, now).await
}

/// The same, waiting so long.
async fn ask_for(patience: Duration, source: Source, base: &str, subject: &Subject, now: DateTime<Utc>) -> Outcome {
    let settings = Feeds { bases: vec![(source, base.to_owned())], ..Feeds::default() };
    let request = feeds::request(&settings, source, subject, now)?;
    let raw = Network::waiting(true, patience).unwrap().carry(&request, now).await;
    understood(raw, source, subject, subject.span(now), now)
}

/// What became of a plan made in the evening, when Energy-Charts did something with tomorrow's prices and EnergyZero, where it was
/// there, was well.
struct Became {
    said: String,
    source: Option<Source>,
    basis: Vec<String>,
    short: usize,
    charged_kwh: f64,
}

async fn became(does: &Does, with_other: bool) -> Became {
    let request = request();
    let now = request.at;
    let [today, tomorrow] = days();
    let rank = vec![Source::EnergyCharts, Source::Energyzero];
    let mut desk = Desk::new(Ranks { prices: rank, ..Ranks::default() }, 1);
    desk.want(&BTreeSet::from(["NL".to_owned()]), &BTreeSet::new(), now);
    let mut prices: Vec<Price> = Vec::new();
    let mut said = String::new();
    let mut source = None;
    for _ in 0..2 {
        for due in desk.due(now) {
            let outcome = match due.source {
                Source::Energyzero if !with_other => Err(Failure::Unreachable("nobody is there".to_owned())),
                Source::Energyzero => {
                    let base = serve(Does::Answers(200, energyzero(&due.subject).to_string().into_bytes())).await;
                    ask(due.source, &base, &due.subject, now).await
                }
                _ if due.subject == today => {
                    let body = energy_charts(&today, 0.0).to_string().into_bytes();
                    ask(due.source, &serve(Does::Answers(200, body)).await, &today, now).await
                }
                _ => {
                    let base =
                        if matches!(does, Does::Answers(0, _)) { nobody().await } else { serve(does.clone()).await };
                    let silent = matches!(does, Does::Hangs | Does::Drips);
                    let patience = if silent { IMPATIENCE } else { PATIENCE };
                    let outcome = ask_for(patience, due.source, &base, &tomorrow, now).await;
                    said = outcome.as_ref().map_or_else(|failure| worded(failure, &base), |_| "values".to_owned());
                    outcome
                }
            };
            if let Some(News::Prices { day, chosen, .. }) = desk.heard(&due, outcome, now) {
                if matches!(&tomorrow, Subject::Prices { day: tomorrow, .. } if *tomorrow == day) {
                    source = Some(chosen.heard.source);
                }
                let new = at_site(&request.what, &Spot::of(&chosen), 0.0).unwrap();
                prices.retain(|old| new.iter().all(|price| price.start != old.start));
                prices.extend(new);
            }
        }
    }
    prices.sort_by_key(|price| price.start);
    let request = crate::planning::Request { prices, ..request };
    let made = made(&request, climb(&request, Outlook::default(), Rungs::All(&solve), &Patient));
    let basis = made.summary.basis.iter().filter(|text| text.contains("price"));
    Became {
        said,
        source,
        basis: basis.cloned().collect(),
        short: made.summary.short.len(),
        charged_kwh: made.status.charging_kw.iter().sum::<f64>() / 4.0,
    }
}

/// What a feed's fault is, without what differs from run to run.
fn worded(failure: &Failure, base: &str) -> String {
    let port = base.rsplit(':').next().unwrap_or_default();
    let why = failure.why().replace(base, "BASE").replace(port, "PORT").replace('|', "/");
    let why: String = why.chars().take(110).collect();
    format!("{}: {why}", failure.word())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A gigabyte of blanks, packed.
fn bomb() -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let spaces = vec![b' '; 1 << 16];
    for _ in 0..1 << 14 {
        packer.write_all(&spaces).unwrap();
    }
    packer.finish().unwrap()
}

/// The faults, in the words of the table.
async fn faults() -> Vec<(&'static str, Does)> {
    let [today, tomorrow] = days();
    let fine = |subject: &Subject| energy_charts(subject, 0.0).to_string().into_bytes();
    let mut gaps = energy_charts(&tomorrow, 0.0);
    for quarter in gaps["price"].as_array_mut().unwrap().iter_mut().take(24) {
        *quarter = serde_json::Value::Null;
    }
    let private = serve(Does::Answers(200, fine(&tomorrow))).await;
    let cut = fine(&tomorrow)[..900].to_vec();
    vec![
        ("none: it answers", Does::Answers(200, fine(&tomorrow))),
        ("none: it answers packed", Does::Answers(200, packed(&fine(&tomorrow)))),
        ("it is not published yet (404)", Does::Answers(404, b"no data".to_vec())),
        ("the key is refused (401)", Does::Answers(401, b"who are you".to_vec())),
        ("too many requests (429)", Does::Later(600)),
        ("it is out of order (503)", Does::Answers(503, b"maintenance".to_vec())),
        ("nobody listens", Does::Answers(0, Vec::new())),
        ("it hangs", Does::Hangs),
        ("it drips", Does::Drips),
        ("it dies in mid-answer", Does::Dies(fine(&tomorrow))),
        ("its answer is cut", Does::Answers(200, cut)),
        ("it answers without end", Does::Floods),
        ("a gzip bomb of a gigabyte", Does::Answers(200, bomb())),
        ("a web page with status 200", Does::Answers(200, b"<!doctype html><title>Welcome</title>".to_vec())),
        ("an error with status 200", Does::Answers(200, br#"{"error":"Unauthorized"}"#.to_vec())),
        ("yesterday's prices once more", Does::Answers(200, fine(&today))),
        ("prices of another unit", Does::Answers(200, energy_charts(&tomorrow, 80_000.0).to_string().into_bytes())),
        ("six hours are null", Does::Answers(200, gaps.to_string().into_bytes())),
        (
            "it says something else than others",
            Does::Answers(200, energy_charts(&tomorrow, 25.0).to_string().into_bytes()),
        ),
        ("it sends to a private address", Does::Sends(format!("{private}/price"))),
        ("it sends in a circle", Does::Circles),
    ]
}

#[tokio::test]
async fn whatever_a_feed_does_there_is_a_plan_and_nobody_leaves_empty() {
    let mut table = "| what the feed does | what is made of it | with another feed, tomorrow's prices are from | what plans say of prices \
                     then | alone, what plans say |\n|---|---|---|---|---|\n"
        .to_owned();
    let worded = |basis: &[String]| if basis.is_empty() { "nothing".to_owned() } else { basis.join("; ") };
    for (name, does) in faults().await {
        let (with, alone) = (became(&does, true).await, became(&does, false).await);
        for became in [&with, &alone] {
            assert_eq!(became.short, 0, "{name}: somebody leaves short");
            // Four vans want 20 kWh each.
            assert!((80.0..92.0).contains(&became.charged_kwh), "{name}: {} kWh", became.charged_kwh);
        }
        assert!(with.source.is_some(), "{name}: the other feed was there");
        let source = with.source.map_or("none", Source::name);
        let _ = writeln!(
            table,
            "| {name} | {} | `{source}` | {} | {} |",
            with.said,
            worded(&with.basis),
            worded(&alone.basis)
        );
    }
    super::documented("faults", &table);
}

#[tokio::test]
async fn a_feed_may_not_send_to_this_machine_however_it_writes_it() {
    let now = Utc::now();
    let inner = serve(Does::Answers(200, b"secret".to_vec())).await;
    let port = inner.rsplit(':').next().unwrap();
    for to in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("https://localhost:{port}/"),
        format!("//2130706433:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let base = serve(Does::Sends(to.clone())).await;
        let outcome = ask(Source::EnergyCharts, &base, &days()[1], now).await;
        let Err(Failure::Unreachable(why)) = outcome else { panic!("{to}: {outcome:?}") };
        assert!(why.starts_with("where it sends"), "{to}: {why}");
    }
}

#[tokio::test]
async fn a_feed_at_a_private_address_is_asked_only_where_that_is_allowed() {
    let now = Utc::now();
    let base = serve(Does::Answers(200, b"{}".to_vec())).await;
    let settings = Feeds { bases: vec![(Source::EnergyCharts, base)], ..Feeds::default() };
    let request = feeds::request(&settings, Source::EnergyCharts, &days()[1], now).unwrap();
    let refused = Network::waiting(false, PATIENCE).unwrap().carry(&request, now).await.unwrap_err();
    assert!(refused.starts_with("its address"), "{refused}");
    assert_eq!(Network::waiting(true, PATIENCE).unwrap().carry(&request, now).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_key_stands_in_no_error() {
    let now = Utc::now();
    let settings = Feeds {
        bases: vec![(Source::Entsoe, nobody().await)],
        entsoe_key: Some("hush-hush".to_owned().into()),
        ..Feeds::default()
    };
    let request = feeds::request(&settings, Source::Entsoe, &days()[1], now).unwrap();
    assert!(!request.url.as_str().contains("hush") && !format!("{request:?}").contains("hush"), "{request:?}");
    let why = Network::waiting(true, PATIENCE).unwrap().carry(&request, now).await.unwrap_err();
    assert!(!why.contains("hush") && !why.contains("http://"), "{why}");
}

#[tokio::test]
async fn what_asks_for_patience_is_given_it() {
    let now = Utc::now();
    let base = serve(Does::Later(600)).await;
    let outcome = ask(Source::EnergyCharts, &base, &days()[1], now).await;
    let Err(Failure::Later(_, Some(until))) = outcome else { panic!("{outcome:?}") };
    assert_eq!(until - now, TimeDelta::minutes(10));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let now = Utc::now();
    let base = serve(Does::Tags(b"{}".to_vec())).await;
    let settings = Feeds { bases: vec![(Source::EnergyCharts, base)], ..Feeds::default() };
    let network = Network::waiting(true, PATIENCE).unwrap();
    let [today, tomorrow] = days().map(|day| feeds::request(&settings, Source::EnergyCharts, &day, now).unwrap());
    let first = network.carry(&today, now).await.unwrap();
    assert_eq!((first.status, first.body.as_slice()), (200, b"{}".as_slice()));
    // The second time the server says 304 and nothing else.
    assert_eq!(network.carry(&today, now).await.unwrap(), first);
    assert_eq!(network.carry(&tomorrow, now).await.unwrap().status, 200, "another day is another answer");
}
