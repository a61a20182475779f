//! The captured answers of real feeds (`../shared/fixtures`, whose README says where each is from): which parser makes what
//! of them. The table is `snapshots/feeds__fixtures__table.snap`; a change of it is reviewed like a change of the
//! documentation.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono_tz::Europe::{Amsterdam, London};
use kwartier_data::feeds::{
    Answer, Area, NoValues, Span, awattar, energy_charts, energyzero, energyzero_graphql, entsoe, forecast_solar,
    nordpool, octopus, open_meteo, solcast,
};
use kwartier_data::history::Position;

use crate::make::{PARSERS, Said, TIBBER, at, day, of_prices, of_values};

/// Where the captured answers may be.
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    [beside, PathBuf::from("/work/shared/fixtures")].into_iter().find(|folder| folder.is_dir())
}

/// A captured answer: its file, the status it came with, what it is given to and what was asked.
struct Case {
    file: &'static str,
    status: u16,
    parser: &'static str,
    parse: fn(&Answer<'_>) -> Result<Said, NoValues>,
}

fn days(first: &str, last: &str) -> Span {
    Span { from: day(first).from, to: day(last).to }
}

fn entsoe_of(answer: &Answer<'_>, area: &str, asked: Span) -> Result<Said, NoValues> {
    entsoe::prices(answer, Area::parse(area).unwrap(), asked).map(of_prices)
}

fn energyzero_of(answer: &Answer<'_>, asked: Span) -> Result<Said, NoValues> {
    energyzero::prices(answer, energyzero::Stream::MARKET, asked).map(of_prices)
}

fn graphql_of(answer: &Answer<'_>) -> Result<Said, NoValues> {
    energyzero_graphql::prices(answer, energyzero::Stream::MARKET, day("2025-05-31")).map(of_prices)
}

fn tibber_of(answer: &Answer<'_>, asked: Span) -> Result<Said, NoValues> {
    kwartier_data::feeds::tibber::prices(answer, &TIBBER, asked).map(of_prices)
}

fn open_meteo_of(answer: &Answer<'_>, asked: Span) -> Result<Said, NoValues> {
    let place = Position { latitude_deg: 52.5, longitude_deg: 13.4 };
    open_meteo::sky(answer, place, asked.from, asked).map(|sky| of_values(sky.values, |sky| format!("{sky:?}")))
}

fn forecast_solar_of(answer: &Answer<'_>) -> Result<Said, NoValues> {
    let asked = days("2024-04-26", "2024-04-27");
    forecast_solar::power(answer, 2.16, asked).map(|power| of_values(power, |power| format!("{power:?}")))
}

const CASES: [Case; 29] = [
    Case {
        file: "entsoe/BE_60M.xml",
        status: 200,
        parser: "entsoe BE",
        parse: |answer| entsoe_of(answer, "BE", day("2024-10-08")),
    },
    Case {
        file: "entsoe/BE_60M_15M_mix.xml",
        status: 200,
        parser: "entsoe BE",
        parse: |answer| entsoe_of(answer, "BE", days("2024-10-06", "2024-10-08")),
    },
    Case {
        file: "entsoe/BE_60M_15M_mix.xml",
        status: 200,
        parser: "entsoe NL",
        parse: |answer| entsoe_of(answer, "NL", days("2024-10-06", "2024-10-08")),
    },
    Case {
        file: "entsoe/BE_15M_avg.xml",
        status: 200,
        parser: "entsoe BE",
        parse: |answer| entsoe_of(answer, "BE", day("2024-10-06")),
    },
    Case {
        file: "entsoe/BE_15M_exact4.xml",
        status: 200,
        parser: "entsoe BE",
        parse: |answer| entsoe_of(answer, "BE", day("2024-10-06")),
    },
    Case {
        file: "entsoe/DE_60M_15M_overlap.xml",
        status: 200,
        parser: "entsoe DE-LU",
        parse: |answer| entsoe_of(answer, "DE-LU", days("2024-10-06", "2024-10-07")),
    },
    Case {
        file: "entsoe/DE_2026-02-02_two_sequences_PT15M_A03.xml",
        status: 200,
        parser: "entsoe DE-LU",
        parse: |answer| entsoe_of(answer, "DE-LU", days("2026-02-02", "2026-02-03")),
    },
    Case {
        file: "entsoe/a03_hexagon_synthetic.xml",
        status: 200,
        parser: "entsoe SK",
        parse: |answer| entsoe_of(answer, "SK", day("2024-01-01")),
    },
    Case {
        file: "entsoe/acknowledgement_999.xml",
        status: 200,
        parser: "entsoe NL",
        parse: |answer| entsoe_of(answer, "NL", day("2026-11-05")),
    },
    Case {
        file: "entsoe/invalid.xml",
        status: 200,
        parser: "entsoe NL",
        parse: |answer| entsoe_of(answer, "NL", day("2026-11-05")),
    },
    Case {
        file: "energycharts/price_BE_2026-07-01_shape.json",
        status: 200,
        parser: "energy_charts",
        parse: |answer| energy_charts::prices(answer, day("2026-07-01")).map(of_prices),
    },
    Case {
        file: "energyzero/rest_electricity_quarter_response.json",
        status: 200,
        parser: "energyzero",
        parse: |answer| energyzero_of(answer, day("2025-12-16")),
    },
    Case {
        file: "energyzero/rest_electricity_hour_response.json",
        status: 200,
        parser: "energyzero",
        parse: |answer| energyzero_of(answer, day("2025-12-16")),
    },
    Case {
        file: "energyzero/rest_error_response.json",
        status: 400,
        parser: "energyzero",
        parse: |answer| energyzero_of(answer, day("2025-12-16")),
    },
    Case { file: "energyzero/graphql_energy.json", status: 200, parser: "energyzero_graphql", parse: graphql_of },
    Case {
        file: "energyzero/graphql_energy_no_prices.json",
        status: 200,
        parser: "energyzero_graphql",
        parse: graphql_of,
    },
    Case { file: "energyzero/graphql_gql_error.json", status: 200, parser: "energyzero_graphql", parse: graphql_of },
    Case { file: "energyzero/graphql_no_data.json", status: 200, parser: "energyzero_graphql", parse: graphql_of },
    Case {
        file: "awattar/openems_awattar_de_0.json",
        status: 200,
        parser: "awattar",
        parse: |answer| {
            awattar::prices(answer, Span { from: at("2021-09-23T13:00:00Z"), to: at("2021-09-24T13:00:00Z") })
                .map(of_prices)
        },
    },
    Case {
        file: "nordpool/delivery_period_nl_trimmed.json",
        status: 200,
        parser: "nordpool NL",
        parse: |answer| nordpool::prices(answer, "NL", day("2024-11-05")).map(of_prices),
    },
    Case {
        file: "tibber/openems_tibber_0.json",
        status: 200,
        parser: "tibber",
        parse: |answer| tibber_of(answer, days("2025-09-19", "2025-09-20")),
    },
    Case {
        file: "tibber/empty_quarter_hourly_2026-05-17.json",
        status: 200,
        parser: "tibber",
        parse: |answer| tibber_of(answer, day("2026-05-17")),
    },
    Case {
        file: "tibber/shape_unauthenticated_http200.json",
        status: 200,
        parser: "tibber",
        parse: |answer| tibber_of(answer, day("2026-05-17")),
    },
    Case {
        file: "octopus/standard_unit_rates_shape.json",
        status: 200,
        parser: "octopus",
        parse: |answer| {
            octopus::prices(answer, octopus::Payment::DirectDebit, Span::of_day(London, "2025-10-01".parse().unwrap()))
                .map(of_prices)
        },
    },
    Case {
        file: "openmeteo/openems_openmeteo_0.json",
        status: 200,
        parser: "open_meteo",
        parse: |answer| open_meteo_of(answer, Span::of_day(Amsterdam, "2025-03-23".parse().unwrap())),
    },
    Case {
        file: "openmeteo/openems_openmeteo_1.json",
        status: 200,
        parser: "open_meteo",
        parse: |answer| open_meteo_of(answer, Span::of_day(Amsterdam, "2025-03-30".parse().unwrap())),
    },
    Case {
        file: "openmeteo/error_shape.json",
        status: 400,
        parser: "open_meteo",
        parse: |answer| open_meteo_of(answer, day("2025-03-30")),
    },
    Case { file: "forecastsolar/forecast.json", status: 200, parser: "forecast_solar", parse: forecast_solar_of },
    Case {
        file: "solcast/rooftop_sites_forecasts_multiday.json",
        status: 200,
        parser: "solcast",
        parse: |answer| {
            solcast::power(answer, 10.0, Span { from: at("2024-12-26T17:00:00Z"), to: at("2024-12-28T17:30:00Z") })
                .map(|power| of_values(power, |power| format!("{power:?}")))
        },
    },
];

/// The rest of forecast.solar's, which are no estimates.
const OTHERS: [Case; 3] = [
    Case { file: "forecastsolar/ratelimit.json", status: 429, parser: "forecast_solar", parse: forecast_solar_of },
    Case { file: "forecastsolar/validate_key.json", status: 200, parser: "forecast_solar", parse: forecast_solar_of },
    Case { file: "forecastsolar/validate_plane.json", status: 200, parser: "forecast_solar", parse: forecast_solar_of },
];

/// What is said, on one line.
fn verdict(said: &Result<Said, NoValues>) -> String {
    let short = |at: &chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
    match said {
        Err(why) => why.to_string().replace('\n', " / "),
        Ok(said) => {
            let (first, last) = (said.rows.first().unwrap(), said.rows.last().unwrap());
            let mut text = format!("{} values, {} to {}", said.rows.len(), short(&first.from), short(&last.to));
            let _ = write!(text, ", first {}", said.what);
            for gap in &said.missing {
                let _ = write!(text, "; missing {} to {}", short(&gap.from), short(&gap.to));
            }
            for note in &said.notes {
                let _ = write!(text, "; note: {note}");
            }
            text
        }
    }
}

#[test]
fn table() {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED: there is no folder shared/fixtures; the captured answers of real feeds were not read");
        return;
    };
    let mut table = String::from("| payload | status | parser | verdict |\n|---|---|---|---|\n");
    for case in CASES.iter().chain(&OTHERS) {
        let body = std::fs::read(folder.join(case.file)).unwrap();
        let said = verdict(&(case.parse)(&Answer { status: case.status, body: &body }));
        let _ = writeln!(table, "| {} | {} | {} | {said} |", case.file, case.status, case.parser);
    }
    insta::assert_snapshot!(table);
}

/// A few values of the captured answers by hand: each would be another one if it were an interval off.
#[test]
fn values_by_hand() {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED: there is no folder shared/fixtures; the captured answers of real feeds were not read");
        return;
    };
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let body = read("entsoe/DE_2026-02-02_two_sequences_PT15M_A03.xml");
    let asked = days("2026-02-02", "2026-02-03");
    let prices = entsoe::prices(&Answer::ok(&body), Area::parse("DE-LU").unwrap(), asked).unwrap();
    // Sequence 1, which stands second: 100.41 and 101.91, not 102.1 and 98.7 of the other exchange.
    assert_eq!(crate::make::eur_mwh(&prices, "2026-02-02T00:00:00+01:00"), 100.41);
    assert_eq!(crate::make::eur_mwh(&prices, "2026-02-02T00:15:00+01:00"), 101.91);
    assert_eq!(crate::make::eur_mwh(&prices, "2026-02-03T00:00:00+01:00"), 97.41);
    assert_eq!(crate::make::eur_mwh(&prices, "2026-02-03T23:45:00+01:00"), 88.92);
    let body = read("solcast/rooftop_sites_forecasts_multiday.json");
    let asked = Span { from: at("2024-12-26T17:00:00Z"), to: at("2024-12-28T17:30:00Z") };
    let power = solcast::power(&Answer::ok(&body), 10.0, asked).unwrap();
    // The stamp 2024-12-28T15:30 is the end of 15:00 to 15:30.
    let row = power.rows.iter().find(|row| row.start == at("2024-12-28T15:00:00Z")).unwrap();
    assert_eq!(row.value.low_kw.zip(row.value.high_kw), Some((0.0028, 0.0589)));
    let body = read("forecastsolar/forecast.json");
    let power = forecast_solar::power(&Answer::ok(&body), 2.16, days("2024-04-26", "2024-04-27")).unwrap();
    // 825 Wh by 11:00, made from 10:00 on.
    let row = power.rows.iter().find(|row| row.start == at("2024-04-26T10:00:00+02:00")).unwrap();
    assert_eq!((row.end, row.value.kw), (at("2024-04-26T11:00:00+02:00"), 0.825));
}

/// No parser takes the answer of another feed for its own, nor a meter's telegram, a device model or a tariff for values.
#[test]
fn answers_of_others_are_nobodys_values() {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED: there is no folder shared/fixtures; the captured answers of real feeds were not read");
        return;
    };
    let mut looked_at = 0;
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let feed = entry.file_name().into_string().unwrap();
        for file in std::fs::read_dir(entry.path()).unwrap().map(Result::unwrap) {
            let body = std::fs::read(file.path()).unwrap();
            for parser in PARSERS.iter().filter(|parser| !own(&feed, parser.name)) {
                let everything = Span { from: at("2001-01-01T00:00:00Z"), to: at("2100-01-01T00:00:00Z") };
                let said = (parser.parse)(&Answer::ok(&body), everything);
                assert!(said.is_err(), "{} reads {}", parser.name, file.path().display());
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 400, "{looked_at}");
}

/// Whether a folder of answers is that of a parser.
fn own(folder: &str, parser: &str) -> bool {
    let feed = parser.split(' ').next().unwrap_or_default().replace('_', "");
    feed.starts_with(folder)
}
