//! `forecast` and `backtest`: from files to forecasts and scores, on days of 92 and 100 quarter-hours; wrong input.

use std::fmt::Write as _;
use std::process::Output;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use chrono_tz::Europe::Amsterdam;

use super::{Folder, json, kwartier, said, shared_folder};

/// Sixteen weeks of a building: 40 kW from 8 to 17 on working days, else 10, and a little that no one can foresee.
pub(super) fn meter(step_minutes: i64, weeks: i64, until: &str) -> String {
    let end: DateTime<Utc> = until.parse().unwrap();
    let mut text = "start,kw\n".to_owned();
    let mut at = end - TimeDelta::weeks(weeks);
    let mut noise = 1_u64;
    while at < end {
        let _ = writeln!(text, "{},{:.2}", at.format("%Y-%m-%dT%H:%M:%SZ"), kw(at) + chance(&mut noise));
        at += TimeDelta::minutes(step_minutes);
    }
    text
}

fn kw(at: DateTime<Utc>) -> f64 {
    let local = at.with_timezone(&Amsterdam);
    let works = local.weekday().num_days_from_monday() < 5 && (8..17).contains(&local.hour());
    if works { 40.0 } else { 10.0 }
}

/// Up to 2, without any rhythm (Knuth's linear congruential generator).
fn chance(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 40) as f64 / f64::from(1 << 23)
}

/// A forecast as it stands in the file: start, mean and quantiles.
fn rows(text: &str) -> Vec<(DateTime<Utc>, Vec<f64>)> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("start,mean,q05,q10,q25,q50,q75,q90,q95"));
    let row = |line: &str| {
        let (start, values) = line.split_once(',').unwrap();
        (start.parse().unwrap(), values.split(',').map(|value| value.parse().unwrap()).collect())
    };
    lines.map(row).collect()
}

fn forecast(arguments: &[&str]) -> Output {
    kwartier(&[&["forecast"], arguments].concat())
}

#[test]
fn a_forecast_has_a_row_for_each_quarter_hour_and_knows_the_days_of_a_changing_clock() {
    let folder = Folder::new();
    // The clock goes forward on 26 March and back on 29 October; both are Sundays, the days after Mondays.
    for (day, hours, quarters) in [("2023-03-26", "23h", 92), ("2023-10-29", "25h", 100)] {
        let midnight = format!("{day} 00:00");
        let until =
            (day.parse::<chrono::NaiveDate>().unwrap() + TimeDelta::days(9)).format("%Y-%m-%dT00:00:00Z").to_string();
        for step in [15, 60] {
            let history = folder.file("meter.csv", &meter(step, 17, &until));
            let out = folder.path("forecast.csv");
            let base = ["load", "--history", &history, "--tz", "Europe/Amsterdam", "--at", &midnight, "--out", &out];
            let output = forecast(&[&base[..], &["--horizon", hours]].concat());
            assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
            assert_eq!(said(&output).0, "");
            assert_eq!(rows(&std::fs::read_to_string(&out).unwrap()).len(), quarters, "{day}");
            let output = forecast(&[&base[..], &["--horizon", "3d"]].concat());
            assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
            let rows = rows(&std::fs::read_to_string(&out).unwrap());
            assert_eq!(rows.len(), 288);
            for pair in rows.windows(2) {
                assert_eq!(pair[1].0 - pair[0].0, TimeDelta::minutes(15));
            }
            for (start, values) in &rows {
                assert!(values[1..].windows(2).all(|pair| pair[0] <= pair[1]), "quantiles cross at {start}");
                // Monday's work begins at eight by the changed clock.
                assert!((values[4] - kw(*start) - 1.0).abs() < 8.0, "{start}: {values:?}");
            }
        }
    }
}

#[test]
fn nothing_after_the_instant_counts() {
    let folder = Folder::new();
    let whole = meter(15, 8, "2023-06-20T00:00:00Z");
    let at = "2023-06-13T10:00:00Z";
    let cut = whole.find(at).unwrap();
    let known = &whole[..cut];
    let nonsense = whole[cut..].lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{},777777", line.split_once(',').unwrap().0);
        text
    });
    let forecasts: Vec<Vec<u8>> = [whole.clone(), format!("{known}{nonsense}"), known.to_owned()]
        .iter()
        .enumerate()
        .map(|(k, text)| {
            let history = folder.file(&format!("{k}.csv"), text);
            let output = forecast(&["load", "--history", &history, "--tz", "Europe/Amsterdam", "--at", at]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
            output.stdout
        })
        .collect();
    assert_eq!(rows(&String::from_utf8(forecasts[0].clone()).unwrap()).len(), 192);
    assert!(forecasts[0] == forecasts[1] && forecasts[0] == forecasts[2]);
}

/// Prices by the hour up to an instant: dear in the evening.
fn prices(until: &str, weeks: i64) -> String {
    let end: DateTime<Utc> = until.parse().unwrap();
    let mut text = "start,eur_mwh\n".to_owned();
    let mut at = end - TimeDelta::weeks(weeks);
    let mut noise = 3_u64;
    while at < end {
        let dear = if (17..21).contains(&at.with_timezone(&Amsterdam).hour()) { 60.0 } else { 0.0 };
        let _ = writeln!(text, "{},{:.2}", at.format("%Y-%m-%dT%H:%M:%SZ"), 80.0 + dear + 10.0 * chance(&mut noise));
        at += TimeDelta::hours(1);
    }
    text
}

#[test]
fn prices_that_were_published_are_known_and_no_others() {
    let folder = Folder::new();
    let text = prices("2023-06-16T00:00:00Z", 10);
    let file = folder.file("prices.csv", &text);
    let known: std::collections::BTreeMap<&str, f64> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .map(|(at, eur)| (at, eur.parse().unwrap()))
        .collect();
    let base = ["price", "--history", &file, "--tz", "Europe/Amsterdam"];
    // At noon those of today are known, at one those of tomorrow too; today ends at 22:00 UTC.
    for (at, until) in [("2023-06-13 12:00", "2023-06-13T22:00:00Z"), ("2023-06-13 13:00", "2023-06-14T22:00:00Z")] {
        let until: DateTime<Utc> = until.parse().unwrap();
        let blind = forecast(&[&base[..], &["--at", at]].concat());
        for published in ["auction", &until.to_rfc3339()] {
            let output = forecast(&[&base[..], &["--at", at, "--published-until", published]].concat());
            assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
            assert!(said(&output).1.contains("count as published"), "{}", said(&output).1);
            let rows = rows(&said(&output).0);
            assert_eq!(rows.len(), 192);
            for (start, values) in &rows {
                let hour = start.format("%Y-%m-%dT%H:00:00Z").to_string();
                let exact =
                    known.get(hour.as_str()).is_some_and(|eur| values.iter().all(|value| (value - eur).abs() < 1e-9));
                assert_eq!(exact, *start < until, "{start} {values:?}");
            }
        }
        // Unsaid, nothing after --at is known.
        assert!(rows(&said(&blind).0).iter().all(|(_, values)| values[1] < values[7]));
    }
    let nonsense = folder.file(
        "nonsense.csv",
        &text.replace(
            &format!("2023-06-14T23:00:00Z,{:.2}", known["2023-06-14T23:00:00Z"]),
            "2023-06-14T23:00:00Z,777777",
        ),
    );
    let of = |history: &str| {
        let more = ["--history", history, "--at", "2023-06-13 13:00", "--published-until", "auction"];
        forecast(&[&["price", "--tz", "Europe/Amsterdam"], &more[..]].concat()).stdout
    };
    assert_eq!(of(&file), of(&nonsense));
    let load = folder.file("meter.csv", &meter(60, 8, "2023-06-20T00:00:00Z"));
    let wrong =
        ["load", "--history", &load, "--tz", "Europe/Amsterdam", "--at", "2023-06-13", "--published-until", "auction"];
    let output = forecast(&wrong);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("is of prices"), "{}", said(&output).1);
}

#[test]
fn two_days_are_192_quarter_hours_whenever_they_begin() {
    let folder = Folder::new();
    let history = folder.file("meter.csv", &meter(15, 8, "2023-06-20T00:00:00Z"));
    let at = ["--at", "2023-06-13T13:07:00Z", "--horizon", "48h"];
    let output = forecast(&[&["load", "--history", &history, "--tz", "Europe/Amsterdam"], &at[..]].concat());
    let rows = rows(&said(&output).0);
    assert_eq!((rows.len(), rows[0].0.to_rfc3339().as_str()), (192, "2023-06-13T13:00:00+00:00"));
}

#[test]
fn the_chart_is_a_picture_with_words() {
    let folder = Folder::new();
    let (history, chart) = (folder.file("meter.csv", &meter(60, 8, "2023-06-13T00:00:00Z")), folder.path("fan.svg"));
    let output = forecast(&["load", "--history", &history, "--tz", "Europe/Amsterdam", "--chart", &chart]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
    let text = std::fs::read_to_string(chart).unwrap();
    let document = roxmltree::Document::parse(&text).expect("well-formed SVG");
    let words: String = document.descendants().filter_map(|node| node.text()).collect();
    for word in ["Load forecast meter", "median", "10 to 90 %", "measured", "kW", "forecast made", "Europe/Amsterdam"] {
        assert!(words.contains(word), "{word} is missing");
    }
}

#[test]
fn a_saved_model_forecasts_as_the_one_that_was_saved() {
    let folder = Folder::new();
    let (history, model) =
        (folder.file("meter.csv", &meter(60, 12, "2023-06-13T00:00:00Z")), folder.path("model.json"));
    let base = ["load", "--history", &history, "--tz", "Europe/Amsterdam"];
    let fitted = forecast(&[&base[..], &["--save-model", &model]].concat());
    let restored = forecast(&[&base[..], &["--model", &model]].concat());
    assert_eq!(restored.status.code(), Some(0), "{}", said(&restored).1);
    assert_eq!(said(&fitted).0, said(&restored).0);
    // A day older, and of use for the day after.
    let later = folder.file("later.csv", &meter(60, 13, "2023-06-15T00:00:00Z"));
    let output = forecast(&["load", "--history", &later, "--tz", "Europe/Amsterdam", "--model", &model]);
    assert_eq!(rows(&said(&output).0).len(), 192, "{}", said(&output).1);
    // Damaged: refused, not believed.
    let text = std::fs::read_to_string(&model).unwrap();
    let damaged = folder.file("damaged.json", &text.replacen("\"weights\":[[", "\"weights\":[[0.5,", 1));
    let output = forecast(&[&base[..], &["--model", &damaged]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", said(&output).1);
}

#[test]
fn a_model_that_does_not_belong_is_refused_with_a_remedy() {
    let folder = Folder::new();
    let history = folder.file("meter.csv", &meter(60, 6, "2023-06-13T00:00:00Z"));
    let model = |kind: &str, format: u32| {
        format!(
            "{{\"kwartier_model\":{format},\"version\":\"0.1.0\",\"kind\":\"{kind}\",\"method\":\"none such\",\
             \"trained_from\":\"2023-01-01T00:00:00Z\",\"trained_until\":\"2023-06-01T00:00:00Z\",\
             \"made_at\":\"2023-06-01T00:00:00Z\",\"step_s\":3600,\"time_zone\":\"Europe/Amsterdam\",\
             \"known\":1,\"fingerprint\":\"0\",\"model\":null}}"
        )
    };
    for (content, remedy) in [
        (model("load", 9), "is of format 9, and this version reads 2; fit and save it anew"),
        (model("price", 2), "forecasts price, and load is wanted"),
        (model("load", 2), "was fitted by the method \"none such\""),
        ("start,kw\n".to_owned(), "is no saved model"),
    ] {
        let file = folder.file("model.json", &content);
        let output = forecast(&["load", "--history", &history, "--tz", "Europe/Amsterdam", "--model", &file]);
        let (out, err) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(out.is_empty() && err.contains(remedy), "{remedy} is not in {err}");
    }
}

#[test]
fn wrong_input_is_refused_with_the_choices() {
    let folder = Folder::new();
    let history = folder.file("meter.csv", &meter(60, 4, "2023-06-13T00:00:00Z"));
    let two = folder.file("two.csv", "start,main_kw,sub_kw\n2023-06-12T22:00Z,1,2\n2023-06-12T23:00Z,1,2\n");
    let no_unit = folder.file("no-unit.csv", "start,load\n2023-06-12T22:00Z,1\n2023-06-12T23:00Z,1\n");
    let local = folder.file("local.csv", "start,kw\n2023-06-12 22:00,1\n2023-06-12 23:00,1\n");
    let both = folder.file(
        "both.csv",
        "start,building,kw\n2023-06-12T22:00Z,A,1\n2023-06-12T22:00Z,B,5\n2023-06-12T23:00Z,A,1\n2023-06-12T23:00Z,B,5\n",
    );
    for (arguments, remedies) in [
        (vec!["--history", &both], vec!["building", "--where"]),
        (vec!["--history", &both, "--where", "building=C"], vec!["A", "B"]),
        (vec!["--history", &both, "--where", "building"], vec!["two words with ="]),
        (vec!["--history", &two], vec!["main_kw", "sub_kw"]),
        (vec!["--history", &history, "--column", "power"], vec!["is no column", "kw"]),
        (vec!["--history", &no_unit], vec!["kW, W, kWh, Wh"]),
        (vec!["--history", &no_unit, "--unit", "EUR/MWh"], vec!["no unit of load", "kW, W, kWh, Wh"]),
        (vec!["--history", &local], vec!["--tz"]),
        (vec!["--history", &history, "--tz", "Amsterdm"], vec!["did you mean"]),
        (vec!["--history", &history, "--at", "2023-06-01 10:00"], vec!["--tz"]),
        (vec!["--history", &history, "--at", "noon"], vec!["such as 2026-11-25T17:30:00Z"]),
        (vec!["--history", &history, "--at", "2023-05-01T00:00Z"], vec!["not enough history"]),
        (vec!["--history", &history, "--horizon", "48"], vec!["such as 48h"]),
        (vec!["--history", &history, "--horizon", "90d"], vec!["15 is the most"]),
        (vec!["--history", &history, "--holidays", "XX"], vec!["NL, BE, DE"]),
        (vec!["--history", &history, "--out", &history], vec!["name another file"]),
        (vec!["--history", "/nowhere.csv"], vec!["name a file that exists"]),
        (vec!["--history", &history, "--lat", "52"], vec!["--lon"]),
    ] {
        let output = forecast(&[&["load"], &arguments[..]].concat());
        let (out, err) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert_eq!(out, "");
        for remedy in remedies {
            assert!(err.contains(remedy), "{arguments:?}: {remedy} is not in {err}");
        }
    }
}

#[test]
fn day_one_needs_kind_and_size_alone() {
    let base = ["load", "--tz", "Europe/Amsterdam", "--at", "2026-11-25 00:00", "--horizon", "24h"];
    let output = forecast(&[&base[..], &["--building-type", "office", "--annual-kwh", "200000"]].concat());
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("using usual building"), "{err}");
    let rows = rows(&out);
    let (night, noon) = (rows[12].1[0], rows[48].1[0]);
    // 22.8 kW on average, most of it by day.
    assert!(night > 5.0 && night < 20.0 && noon > 30.0 && noon < 70.0, "{night} and {noon} kW");
    let output = forecast(&base);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("--building-type and --annual-kwh"), "{}", said(&output).1);
}

#[test]
fn a_backtest_scores_the_model_against_the_guesses() {
    let folder = Folder::new();
    let history = folder.file("meter.csv", &meter(60, 14, "2023-06-13T00:00:00Z"));
    let (chart, out) = (folder.path("backtest.svg"), folder.path("forecasts.csv"));
    let base = ["backtest", "load", "--history", &history, "--tz", "Europe/Amsterdam", "--from", "2023-06-01"];
    let output = kwartier(&[&base[..], &["--json", "--chart", &chart, "--out", &out]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
    let report = json(&output.stdout);
    assert_eq!((report["kind"].as_str(), report["unit"]["name"].as_str()), (Some("load"), Some("kW")));
    assert_eq!(report["origins"], 13);
    let methods = report["methods"].as_array().unwrap();
    assert!(methods.len() >= 4, "{report}");
    let n = &methods[0]["all"]["n"];
    for method in methods {
        assert_eq!(&method["all"]["n"], n, "all are scored on the same");
        assert_eq!(method["lead_days"].as_array().unwrap().len(), 2);
        // What no one can foresee is uniform between 0 and 2: no loss is below that of knowing all the rest.
        assert!(method["all"]["pinball"].as_f64().unwrap() > 0.1);
        assert!((0.5..=1.0).contains(&method["all"]["coverage_80"].as_f64().unwrap()), "{method}");
    }
    assert!(report["said"].as_str().unwrap().contains("Over the last 13 forecasts"), "{report}");
    roxmltree::Document::parse(&std::fs::read_to_string(chart).unwrap()).expect("well-formed SVG");
    let forecasts = std::fs::read_to_string(out).unwrap();
    assert!(forecasts.starts_with("method,origin,start,truth,mean,q05,"), "{}", &forecasts[..80]);

    let output = kwartier(&base);
    let (text, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    for word in ["last week", "similar days", "0-24 h", "24-48 h", "skill", "100 % is"] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    for (arguments, remedy) in [
        (vec!["backtest", "load"], "--history"),
        (vec!["backtest", "load", "--history", &history, "--from", "2030-01-01T00:00Z"], "the history reaches from"),
        (vec!["backtest", "load", "--history", &history, "--every", "noon"], "such as 6h"),
        (vec!["backtest", "load", "--history", &history, "--chart", "-"], "name a file for --chart"),
    ] {
        let output = kwartier(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).1.contains(remedy), "{}", said(&output).1);
    }
}

/// A depot of six vans: each comes back between 15 and 18 o'clock and leaves between 6 and 8 the next morning.
fn log(days: i64) -> String {
    let mut text = "id,plugged in,departure,kwh,van\n".to_owned();
    let first: DateTime<Utc> = "2023-03-06T00:00:00Z".parse().unwrap();
    let mut noise = 7_u64;
    for day in 0..days {
        for van in 0..6_u8 {
            let comes = TimeDelta::minutes(15 * 60 + (90.0 * chance(&mut noise)) as i64);
            let leaves = TimeDelta::minutes(30 * 60 + (60.0 * chance(&mut noise)) as i64);
            let [comes, leaves] = [comes, leaves].map(|after| first + TimeDelta::days(day) + after);
            let kwh = 10.0 + 5.0 * f64::from(van) + chance(&mut noise);
            let _ = writeln!(text, "{day}-{van},{},{},{kwh:.1},van {van}", comes.to_rfc3339(), leaves.to_rfc3339());
        }
    }
    text
}

#[test]
fn departures_and_energies_of_those_who_arrive() {
    let folder = Folder::new();
    let history = folder.file("log.csv", &log(60));
    let arrivals = folder.file(
        "arrivals.csv",
        "id,plugged in,van\nA,2023-05-10T16:00:00Z,van 0\n\"B, the other\",2023-05-10T16:30:00Z,van 5\n",
    );
    let out = folder.path("stays.csv");
    let names =
        ["--map", "id=session", "--map", "plugged in=arrival", "--map", "van=vehicle", "--tz", "Europe/Amsterdam"];
    let base = [&["sessions", "--arrivals", &arrivals, "--place", "depot", "--out", &out], &names[..]].concat();
    let known = [&base[..], &["--history", &history]].concat();
    let stays = |arguments: &[&str]| {
        let output = forecast(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
        let text = std::fs::read_to_string(&out).unwrap();
        let mut lines = text.lines();
        let header = lines.next().unwrap().to_owned();
        assert!(
            header.starts_with("session,arrival,departure_mean,departure_q05") && header.ends_with("kwh_q90,kwh_q95")
        );
        let cells = |line: &str| line.rsplitn(17, ',').map(str::to_owned).collect::<Vec<_>>();
        lines.map(cells).collect::<Vec<_>>()
    };
    // From the last column back: kwh_q95 … kwh_q05, kwh_mean, departure_q95 … departure_q05, departure_mean, and the rest.
    let rows = stays(&known);
    assert_eq!(rows.len(), 2);
    assert!(rows[1][16].starts_with("\"B, the other\",2023-05-10T16:30:00Z"), "{:?}", rows[1]);
    for (row, kwh) in rows.iter().zip([11.0, 36.0]) {
        let median: f64 = row[3].parse().unwrap();
        assert!((median - kwh).abs() < 4.0, "{row:?}");
        let times: Vec<DateTime<Utc>> = row[8..15].iter().rev().map(|time| time.parse().unwrap()).collect();
        assert!(times.is_sorted());
        assert!((5..=9).contains(&times[3].hour()), "they leave in the morning: {times:?}");
    }
    // Still here at half past seven: nobody leaves before that.
    for row in stays(&[&known[..], &["--now", "2023-05-11T07:30:00Z"]].concat()) {
        assert!(row[14].as_str() >= "2023-05-11T07:30:00Z", "{row:?}");
    }
    // Day one.
    assert_eq!(stays(&base).len(), 2);

    // Saved and used again, with the log or the model's own, it says the same; a driver or vehicle can be forgotten.
    let (model, salt) = (folder.path("model.json"), folder.file("salt", "0123456789abcdef\n"));
    let fresh = stays(&[&known[..], &["--save-model", &model, "--salt-file", &salt]].concat());
    let text = std::fs::read_to_string(&model).unwrap();
    assert!(!text.contains("van 0") && !text.contains("0123456789abcdef"), "names or the secret are in the model");
    let kept = ["--model", &model, "--salt-file", &salt];
    assert_eq!(stays(&[&known[..], &kept].concat()), fresh);
    let own = stays(&[&base[..], &kept].concat());
    assert!((own[0][3].parse::<f64>().unwrap() - 11.0).abs() < 4.0, "{own:?}");
    let forget = |more: &[&str]| forecast(&[&["forget"][..], &kept, more].concat());
    let said_of = |made: &Output| {
        assert_eq!(made.status.code(), Some(0), "{}", said(made).1);
        said(made).0
    };
    let first = said_of(&forget(&["--vehicle", "van 0", "--driver", "van 1"]));
    assert!(first.contains("vehicle \"van 0\": 6") && first.contains("driver \"van 1\": 0 "), "{first}");
    assert!(said_of(&forget(&["--vehicle", "van 0"])).contains("\"van 0\": 0 sessions"));
    let without = stays(&[&base[..], &kept].concat());
    assert!((without[0][3].parse::<f64>().unwrap() - 11.0).abs() > 4.0, "van 0 is not forgotten: {without:?}");
    let (short, strange) = (folder.file("short", "secret"), folder.file("other", "fedcba9876543210"));
    let not_saved = folder.path("not-saved.json");
    for (arguments, remedy) in [
        (vec!["--save-model", not_saved.as_str()], "--salt-file"),
        (vec!["--save-model", &not_saved, "--salt-file", &short], "16 or more"),
        (vec!["--model", &model, "--salt-file", &strange], "another salt"),
        (vec!["--model", &history, "--salt-file", &salt], "is no saved model"),
        (
            vec!["--model", &model, "--salt-file", &salt, "--now", "2023-05-01T00:00:00Z"],
            "fit one on what was known then",
        ),
    ] {
        let output = forecast(&[&known[..], &arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output).1);
        assert!(said(&output).1.contains(remedy), "{arguments:?}: {}", said(&output).1);
    }
    assert!(!std::path::Path::new(&not_saved).exists());
    assert_eq!(forget(&[]).status.code(), Some(2));

    let backtest = [&["backtest", "sessions", "--history", &history, "--place", "depot"], &names[..]].concat();
    let output = kwartier(&[&backtest[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
    assert!(json(&output.stdout)["visits"].as_u64().unwrap() > 50);
    let (text, err) = said(&kwartier(&backtest));
    assert!(text.contains("own history shrunk to the group") && text.contains("still here after 4 h"), "{text}{err}");

    let strange = folder.file("strange.csv", "id,seen at the gate\nA,2023-05-10T16:00:00Z\n");
    let unmapped = forecast(&["sessions", "--history", &history, "--arrivals", &strange, "--tz", "Europe/Amsterdam"]);
    assert_eq!(unmapped.status.code(), Some(2));
    assert!(said(&unmapped).1.contains("arrival"), "{}", said(&unmapped).1);
}

#[test]
fn public_series_as_parquet() {
    let Some(data) = shared_folder("data") else { return };
    let homes = data.join("homes_load_pv_hourly.parquet").display().to_string();
    let home = ["--history", &homes, "--where", "building=3", "--tz", "Etc/GMT+8", "--horizon", "1d"];
    let output = forecast(&[&["load", "--column", "load_kw"], &home[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
    assert_eq!(rows(&said(&output).0).len(), 96);
    let output = forecast(&[&["pv", "--column", "pv_w_per_kwp", "--unit", "W/kWp"], &home[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
    let rows = rows(&said(&output).0);
    assert_eq!(rows.len(), 96);
    assert!(rows[0].1.iter().all(|value| *value == 0.0), "night is nothing for certain: {:?}", rows[0]);
    assert!(rows[48].1[4] > 100.0 && rows[48].1[4] < 1000.0, "W/kWp at noon: {:?}", rows[48]);
    // Several buildings in one file: which one is never guessed.
    let output = forecast(&["load", "--history", &homes, "--column", "load_kw", "--tz", "Etc/GMT+8"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("--where"), "{}", said(&output).1);
}
