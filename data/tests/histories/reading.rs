//! Histories as meters, markets and data sets hold them, and what is said of those that cannot be read.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::Refusal;
use kwartier_data::history::{History, read_weather};
use kwartier_data::local;
use kwartier_data::series::{HistoryFile, Quantity, Reading, Unit, read_history};
use kwartier_data::sessions::{self, Kind, SessionReading};

use super::shared;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn power(content: &str) -> HistoryFile {
    let reading = Reading { zone: Some(Amsterdam), ..Reading::default() };
    read_history(content.as_bytes(), Quantity::Power, &reading).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// A table of rows at instants, with a value by index.
fn table(head: &str, instants: impl IntoIterator<Item = i64>, value: impl Fn(usize) -> String) -> String {
    let start = at("2026-03-02T00:00:00Z");
    instants.into_iter().enumerate().fold(format!("{head}\n"), |mut text, (k, second)| {
        let _ = writeln!(text, "{},{}", (start + TimeDelta::seconds(second)).to_rfc3339(), value(k));
        text
    })
}

#[test]
fn seconds_are_gathered_to_quarter_hours() {
    // An hour of seconds: 3 kW in its second quarter, 1 kW else.
    let file = power(&table("start,kw", 0..3600, |k| if k / 900 == 1 { "3" } else { "1" }.to_owned()));
    assert_eq!(file.series.step, TimeDelta::minutes(15));
    assert_eq!(file.series.values, [Some(1.0), Some(3.0), Some(1.0), Some(1.0)]);
    assert!(file.flags.is_empty() && file.notes.is_empty(), "{:?}", file.notes);
}

#[test]
fn coarse_steps_stay_and_spread_on_demand() {
    let file = power(&table("start,kwh", (0..4).map(|k| k * 1800), |k| format!("{k}")));
    assert_eq!((file.series.step, file.unit.name), (TimeDelta::minutes(30), "kWh"));
    assert_eq!(file.series.values, [Some(0.0), Some(2.0), Some(4.0), Some(6.0)]);
    let quarters = file.series.resampled(TimeDelta::minutes(15));
    assert_eq!(quarters.values[2..5], [Some(2.0), Some(2.0), Some(4.0)]);
}

#[test]
fn a_quarter_hour_is_a_gap_when_more_than_a_third_is_missing() {
    // Minutes: the first quarter whole, the second without five, the third without six, the
    // fourth whole.
    let minutes = (0..60).filter(|k| !(20..25).contains(k) && !(35..41).contains(k)).map(|k| k * 60);
    let file = power(&table("start,kw", minutes, |_| "4".to_owned()));
    assert_eq!(file.series.values, [Some(4.0), Some(4.0), None, Some(4.0)]);
    assert_eq!(file.flags.len(), 1);
    assert_eq!(file.flags[0].from, at("2026-03-02T00:15:00Z"));
    assert!(file.notes[0].starts_with("1 quarter-hour"), "{:?}", file.notes);
}

#[test]
fn a_clock_that_is_not_exact_and_a_meter_that_tells_when_it_likes() {
    let jitter = |k: i64| k * 60 + [0, 2, -1, 1][usize::try_from(k % 4).unwrap()];
    let file = power(&table("start,kw", (0..240).map(jitter), |_| "2.5".to_owned()));
    assert_eq!(file.series.values, vec![Some(2.5); 16]);
    // On change: 10 kW for 307 s, 1 kW for 593 s, in every quarter of an hour.
    let changes = (0..40).map(|k| k / 2 * 900 + k % 2 * 307);
    let file = power(&table("start,kw", changes, |k| if k % 2 == 0 { "10" } else { "1" }.to_owned()));
    let mean = (10.0 * 307.0 + 593.0) / 900.0;
    assert!(file.series.values[..19].iter().all(|value| *value == Some(mean)), "{:?}", file.series.values);
}

#[test]
fn counters_are_read_as_what_they_gain() {
    let rising = table("start,kwh", (0..200).map(|k| k * 900), |k| format!("{}", 1000.0 + 0.5 * k as f64));
    let file = power(&rising);
    assert_eq!(file.unit.name, "kWh counter");
    assert!(file.notes[0].contains("never falls"), "{:?}", file.notes);
    assert_eq!((file.series.values[0], file.series.values.len()), (Some(2.0), 199));
    // A reset: nothing is known of the interval in which it is.
    let reset =
        table("start,meter_reading_kwh", (0..6).map(|k| k * 900), |k| ["7", "8", "9", "0", "1", "3"][k].to_owned());
    let file = power(&reset);
    assert_eq!(file.series.values, [Some(4.0), Some(4.0), None, Some(4.0), Some(8.0)]);
    assert!(file.notes[0].contains("goes back 1 time"), "{:?}", file.notes);
}

#[test]
fn a_market_that_goes_from_hours_to_quarter_hours() {
    let instants = (0..24).map(|k| k * 3600).chain((0..96).map(|k| 86_400 + k * 900));
    let content = table("start,eur_mwh", instants, |k| format!("{k}"));
    let file = read_history(content.as_bytes(), Quantity::Price, &Reading::default()).unwrap();
    assert_eq!((file.series.step, file.series.values.len()), (TimeDelta::minutes(15), 192));
    assert!(file.series.values.iter().all(Option::is_some));
    assert_eq!(file.series.values[91], Some(0.022));
}

#[test]
fn rows_in_any_order_once_or_twice() {
    let sorted = table("start,kw", (0..8).map(|k| k * 900), |k| format!("{k}"));
    let mut lines: Vec<&str> = sorted.lines().collect();
    lines[1..].reverse();
    let newest_first = power(&lines.join("\n"));
    assert_eq!(newest_first.series, power(&sorted).series);
    assert!(newest_first.notes.is_empty());
    lines.swap(2, 5);
    lines.push(lines[3]);
    let mixed = power(&lines.join("\n"));
    assert_eq!(mixed.series, power(&sorted).series);
    assert_eq!(mixed.notes.len(), 2, "{:?}", mixed.notes);
}

#[test]
fn the_repeated_hour_whatever_the_order() {
    // The Dutch clock shows 02:00 to 02:45 twice on 25 October 2026.
    let day = "2026-10-25".parse().unwrap();
    let start = local::day_start(Amsterdam, day);
    let rows: Vec<String> = (0..100)
        .map(|k| {
            let wall = (start + TimeDelta::minutes(15 * k)).with_timezone(&Amsterdam);
            format!("{};{k},5", wall.format("%d-%m-%Y %H:%M"))
        })
        .collect();
    let file = |rows: &[String]| power(&format!("tijd;vermogen kW\n{}\n", rows.join("\n"))).series;
    let expected: Vec<Option<f64>> = (0..100).map(|k| Some(f64::from(k) + 0.5)).collect();
    assert_eq!((file(&rows).start, &file(&rows).values), (start, &expected));
    // A file that is cut into two and put together the wrong way round.
    let turned = [&rows[50..], &rows[..50]].concat();
    assert_eq!(file(&turned).values, expected);
}

#[test]
fn a_few_bad_cells_are_left_out_and_more_are_a_fault() {
    let content = |every: usize| {
        table("start,kw", (0..400).map(|k| k * 900), move |k| if k % every == 0 { "error" } else { "5" }.to_owned())
    };
    let file = power(&content(200));
    assert_eq!(file.series.values.iter().filter(|value| value.is_none()).count(), 2);
    assert!(file.notes[0].contains("2 of 400 cells"), "{:?}", file.notes);
    assert!(read_history(content(50).as_bytes(), Quantity::Power, &Reading::default()).is_err());
}

#[test]
fn the_public_series() {
    let Some(bytes) = shared("load_campus_15min.parquet") else { return };
    let rome = Some(local::zone("+01:00").unwrap());
    let reading = Reading { zone: rome, column: Some("kw"), ..Reading::default() };
    let campus = read_history(&bytes, Quantity::Power, &reading).unwrap();
    assert_eq!(campus.series.step, TimeDelta::minutes(15));
    assert!(campus.series.values.len() > 69_000);
    let weather = read_weather(&bytes, &Reading { zone: rome, ..Reading::default() }).unwrap();
    assert!(!weather.vintages);
    let history = History::new(campus.series, chrono_tz::Europe::Rome).with_weather(weather.weather);
    let noon = at("2014-07-01T11:00:00Z");
    let sky = history.as_of(noon + TimeDelta::minutes(15)).weather(noon).unwrap();
    assert!(sky.ghi_wm2.unwrap() > 100.0 && sky.temp_c.unwrap() > 15.0, "{sky:?}");
    // It was measured, so it was not known before.
    assert_eq!(history.as_of(noon).weather(noon), None);

    let homes = shared("homes_load_pv_hourly.parquet").unwrap();
    let filter = [("building".to_owned(), "3".to_owned())];
    let reading = Reading { zone: Some(chrono_tz::UTC), filter: &filter, ..Reading::default() };
    let load = read_history(&homes, Quantity::Power, &reading).unwrap();
    assert_eq!((load.column.as_str(), load.series.values.len()), ("load_kw", 8760));
    let pv = read_history(&homes, Quantity::PowerPerPeak, &reading).unwrap();
    assert!(pv.series.values.iter().flatten().all(|value| (0.0..1.2).contains(value)));

    let prices = shared("nl/day_ahead_eur_mwh_2019_2023.csv.gz").unwrap();
    let prices = read_history(&prices, Quantity::Price, &Reading::default()).unwrap().series;
    assert_eq!(prices.step, TimeDelta::hours(1));
    assert_eq!(prices.values.iter().filter(|value| value.is_none()).count(), 1);
    let uk = shared("load_ukhome1.parquet").unwrap();
    let reading = Reading { zone: Some(chrono_tz::UTC), ..Reading::default() };
    let uk = read_history(&uk, Quantity::Power, &reading).unwrap();
    assert_eq!((uk.series.step, uk.unit.name), (TimeDelta::minutes(30), "kWh"));
}

#[test]
fn the_public_sessions() {
    let Some(acn) = shared("ev_acn.parquet") else { return };
    let zone = Some(chrono_tz::America::Los_Angeles);
    let file = sessions::read(&acn, &SessionReading { zone, ..SessionReading::default() }).unwrap();
    assert_eq!(file.rows.len() + file.set_aside, 12_730);
    assert!(file.set_aside < 50, "{:?}", file.notes);
    let first = &file.rows[0];
    assert_eq!(
        (first.session.as_str(), first.group.as_deref(), first.station.as_deref()),
        ("1", Some("caltech"), Some("CA-305"))
    );
    assert_eq!((first.kwh, first.stated_kwh), (Some(44.069), Some(60.0)));
    assert_eq!(first.arrival, at("2019-05-01T01:18:45-07:00"));
    assert_eq!(first.stated_departure, Some(at("2019-05-01T09:20:45-07:00")));
    for (name, count) in [("ev_norway.parquet", 5220), ("ev_workplace.parquet", 1766)] {
        let file =
            sessions::read(&shared(name).unwrap(), &SessionReading { zone, ..SessionReading::default() }).unwrap();
        assert_eq!(file.rows.len() + file.set_aside, count, "{name}");
        assert!(file.set_aside * 50 < count, "{name}: {:?}", file.notes);
        assert!(file.rows.iter().all(|row| row.driver.is_some() && row.kwh.is_some()), "{name}");
    }
}

#[test]
fn sessions_of_every_kind() {
    let content = "transaction;ankunft;abfahrt;energie kwh;fahrer\n\
                   a;2026-10-25 01:30;2026-10-25 02:15;3,5;X\n\
                   b;2026-10-25T02:10:00+01:00;2026-10-25 02:20;1;\n\
                   c;2026-03-29 02:30;;;Y\n\
                   d;2026-10-25 08:00;2026-10-25 07:00;1;Y\n";
    let reading = SessionReading { zone: Some(Amsterdam), ..SessionReading::default() };
    let file = sessions::read(content.as_bytes(), &reading).unwrap();
    assert_eq!((file.rows.len(), file.set_aside), (3, 1));
    assert!(file.notes[0].contains("is not after the arrival"), "{:?}", file.notes);
    // The clock shows 02:15 twice: the first after the arrival is meant.
    assert_eq!(file.rows[0].departure, Some(at("2026-10-25T02:15:00+02:00")));
    assert_eq!(file.rows[1].departure, Some(at("2026-10-25T02:20:00+01:00")));
    assert_eq!((file.rows[1].driver.as_deref(), file.rows[0].kwh), (None, Some(3.5)));
    assert_eq!((file.rows[2].arrival, file.rows[2].departure), (at("2026-03-29T03:30:00+02:00"), None));
    let map = [("when".to_owned(), "arrival".to_owned()), ("who".to_owned(), "vehicle".to_owned())];
    let reading = SessionReading { kind: Kind::Arrivals, map: &map, ..SessionReading::default() };
    let file = sessions::read(b"when,who\n2026-10-25T08:00Z,Van 1\n", &reading).unwrap();
    assert_eq!((file.rows[0].session.as_str(), file.rows[0].vehicle.as_deref()), ("2", Some("Van 1")));
}

#[test]
fn weather_of_several_runs() {
    let content = "start,temp_c,ghi,known_at\n\
                   2026-06-01T10:00Z,20,500,2026-05-31T00:00Z\n2026-06-01T11:00Z,21,1e9,2026-05-31T00:00Z\n\
                   2026-06-01T12:00Z,22,,2026-05-31T00:00Z\n2026-06-01T10:00Z,19,450,2026-06-01T00:00Z\n";
    let file = read_weather(content.as_bytes(), &Reading::default()).unwrap();
    assert!(file.vintages && file.notes[0].starts_with("1 cell"), "{:?}", file.notes);
    let series = power(&table("start,kw", [0, 900], |_| "1".to_owned())).series;
    let history = History::new(series, Amsterdam).with_weather(file.weather);
    let temp = |known: &str| history.as_of(at(known)).weather(at("2026-06-01T10:30:00Z")).and_then(|sky| sky.temp_c);
    assert_eq!((temp("2026-05-31T12:00:00Z"), temp("2026-06-01T00:00:00Z")), (Some(20.0), Some(19.0)));
    assert_eq!(temp("2026-05-30T00:00:00Z"), None);
}

#[test]
fn what_is_said_of_histories_that_cannot_be_read() {
    let two = |head: &str| format!("{head}\n2026-01-01 00:00,1,2\n2026-01-01 00:15,3,4\n");
    let several = "start,building,site,kw\n2026-01-01T00:00Z,10,A,1\n2026-01-01T00:15Z,10,A,1\n\
                   2026-01-01T00:00Z,9,A,2\n2026-01-01T00:15Z,9,A,1\n2026-01-01T00:00Z,8,B,3\n2026-01-01T00:15Z,8,B,1\n";
    let filter = [("building".to_owned(), "7".to_owned())];
    let wrong_filter = Reading { filter: &filter, ..Reading::default() };
    let irregular = table("start,kwh", [0, 900, 1700, 2600, 7777], |_| "1".to_owned());
    let no_filter = Reading::default();
    let mut cut = b"PAR1".to_vec();
    cut.extend([7; 40]);
    let damaged = [cut.as_slice(), b"PAR1"].concat();
    let cases: Vec<(&str, Vec<u8>, Reading<'_>)> = vec![
        ("two columns", two("start,a_kw,b_kw").into_bytes(), no_filter),
        ("two columns without unit", two("start,a,b").into_bytes(), no_filter),
        ("no zone", two("start,a_kw,b_eur").into_bytes(), no_filter),
        (
            "no such zone's hour",
            "start,kw\n2026-03-29 01:45,1\n2026-03-29 02:00,1\n".into(),
            Reading { zone: Some(Amsterdam), ..no_filter },
        ),
        ("several series", several.into(), no_filter),
        ("no such series", several.into(), wrong_filter),
        ("no such column", several.into(), Reading { column: Some("power"), ..no_filter }),
        ("no such column of stamps", several.into(), Reading { time: Some("when"), ..no_filter }),
        ("the wrong unit", several.into(), Reading { unit: Unit::parse("EUR/MWh"), ..no_filter }),
        ("energies at odd times", irregular.into_bytes(), no_filter),
        ("a Parquet file that is cut", cut, no_filter),
        ("a Parquet file that is damaged", damaged, no_filter),
    ];
    let mut text = String::new();
    for (name, content, reading) in cases {
        let Err(refusal) = read_history(&content, Quantity::Power, &reading) else { panic!("{name}: accepted") };
        writeln!(text, "# {name}\n{refusal}\n").unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_said_of_sessions_and_weather_that_cannot_be_read() {
    let map = |theirs: &str, ours: &str| vec![(theirs.to_owned(), ours.to_owned())];
    let session = |content: &str, map: &[(String, String)]| {
        sessions::read(content.as_bytes(), &SessionReading { map, ..SessionReading::default() }).unwrap_err()
    };
    let weather = |content: &str| read_weather(content.as_bytes(), &Reading::default()).unwrap_err();
    let cases: Vec<(&str, Refusal)> = vec![
        ("no columns", session("a,b\n1,2\n", &[])),
        ("no such column", session("arrival,departure,kwh\n1,2,3\n", &map("came", "arrival"))),
        ("nothing a session has", session("arrival,departure,kwh\n1,2,3\n", &map("kwh", "energy"))),
        ("no zone", session("arrival,departure,kwh\n2026-01-01 10:00,2026-01-01 11:00,3\n", &[])),
        ("no rows", session("arrival,departure,kwh\n", &[])),
        (
            "mostly wrong",
            session(
                "arrival,departure,kwh\n2026-01-01T10:00Z,2026-01-01T09:00Z,3\n2026-01-01T10:00Z,,-3\n2026-01-01T10:00Z,,3\n",
                &[],
            ),
        ),
        ("no weather", weather("start,kw\n2026-01-01T10:00Z,1\n")),
        ("one row", weather("start,temp_c\n2026-01-01T10:00Z,1\n")),
        ("kelvin", weather("start,temp_c\n2026-01-01T10:00Z,281\n2026-01-01T11:00Z,282\n")),
        (
            "no instant of knowledge",
            weather("start,temp_c,known_at\n2026-01-01T10:00Z,1,soon\n2026-01-01T11:00Z,1,soon\n"),
        ),
    ];
    let text = cases.iter().fold(String::new(), |mut text, (name, refusal)| {
        let _ = writeln!(text, "# {name}\n{refusal}\n");
        text
    });
    insta::assert_snapshot!(text);
}
