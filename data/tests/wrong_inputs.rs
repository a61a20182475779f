//! What the readers of rosters, series and tariffs say of wrong input. The messages are in `snapshots/`: they are what
//! people read, so a change of them is reviewed like a change of the documentation.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;

use chrono_tz::Europe::Amsterdam;
use kwartier_data::series::{Building, Quantity, Reading, Unit, read, read_building, read_pv};
use kwartier_data::site::tariff::{Tariff, check};
use kwartier_data::{Refusal, roster, site};

fn transcript<T>(cases: &[(&str, &str)], read: impl Fn(&str) -> Result<T, Refusal>) -> String {
    let mut text = String::new();
    for (name, content) in cases {
        let Err(refusal) = read(content) else { panic!("{name}: accepted") };
        assert!(refusal.to_string().lines().all(|line| line.contains(';') && line.len() < 500), "{name}: {refusal}");
        writeln!(text, "# {name}\n{refusal}\n").unwrap();
    }
    text
}

#[test]
fn wrong_rosters() {
    const HEAD: &str = "vehicle,station,days,arrival,departure,soc,need_kwh\n";
    let rows = |row: &str| format!("{HEAD}{row}\n");
    let cases: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("no rows", HEAD.to_owned()),
        ("a column is missing", "vehicle,station,arrival,soc\nA,S,17:30,30 %\n".to_owned()),
        ("an unknown column", "vehicle,station,arrival,departure,soc,colour\nA,S,17:30,7:00,30 %,red\n".to_owned()),
        ("a misspelt column", "vehicle,station,arival,departure,soc\nA,S,17:30,7:00,30 %\n".to_owned()),
        ("one column twice", "vehicle,auto,station,arrival,departure,soc\nA,A,S,17:30,7:00,30 %\n".to_owned()),
        ("no vehicle and no station", rows(",,mon,17:30,07:00,30 %,")),
        ("no arrival", rows("A,S,mon,,07:00,30 %,")),
        ("a time without a day", rows("A,S,,17:30,07:00,30 %,")),
        ("no such day", rows("A,S,funday,17:30,07:00,30 %,")),
        ("days and a date", rows("A,S,mon,2026-11-25 17:30,2026-11-26 07:00,30 %,")),
        ("no such time", rows("A,S,mon,17:30,26:00,30 %,")),
        ("an American time", rows("A,S,mon,5:30 pm,07:00,30 %,")),
        ("an ambiguous date", rows("A,S,,03/04/2026 17:30,03/05/2026 07:00,30 %,")),
        ("a date without a time", rows("A,S,,2026-11-25,2026-11-26 07:00,30 %,")),
        ("no such date", rows("A,S,,30-02-2026 17:30,01-03-2026 07:00,30 %,")),
        ("a time that the clock skips", rows("A,S,,2026-03-29 02:30,2026-03-29 07:00,30 %,")),
        ("leaves before it comes", rows("A,S,,2026-11-25 17:30,2026-11-25 07:00,30 %,")),
        ("leaves the same day before it comes", rows("A,S,mon,17:30,07:00 +0,30 %,")),
        ("stays too long for a template", rows("A,S,mon,17:30,07:00 +9,30 %,")),
        ("neither soc nor need", rows("A,S,mon,17:30,07:00,,")),
        ("soc without unit", rows("A,S,mon,17:30,07:00,35,")),
        ("soc as a fraction", rows("A,S,mon,17:30,07:00,0.35 %,")),
        ("soc above 100 %", rows("A,S,mon,17:30,07:00,135 %,")),
        ("a need that is no number", rows("A,S,mon,17:30,07:00,,plenty")),
        ("a negative need", rows("A,S,mon,17:30,07:00,,-3")),
        ("a decimal comma among commas", rows("A,S,mon,17:30,07:00,,\"12,5\"")),
        ("every cell is told", "Voertuig;Laadpaal;Dagen;Aankomst;Vertrek;SoC (%);Fasen;Rendement\n;S;ma-xx;17:30;7 uur;150;4;900\nB;S;ma-vr;17:30;07:00;0,4;3;92 %\n".to_owned()),
    ];
    let cases: Vec<(&str, &str)> = cases.iter().map(|(name, content)| (*name, content.as_str())).collect();
    insta::assert_snapshot!(transcript(&cases, |content| roster::parse(content.as_bytes(), Amsterdam)));
}

#[test]
fn wrong_price_files() {
    let cases = [
        ("empty", ""),
        ("a header alone", "start,eur_mwh\n"),
        ("one row", "start,eur_mwh\n2026-01-01T00:00Z,80\n"),
        ("no stamps", "hour,eur_mwh\n0,80\n1,90\n"),
        ("no unit", "start,price\n2026-01-01T00:00Z,80\n2026-01-01T01:00Z,90\n"),
        ("another quantity", "start,load_kw\n2026-01-01T00:00Z,80\n2026-01-01T01:00Z,90\n"),
        ("two columns", "start,nl_eur_mwh,de_eur_mwh\n2026-01-01T00:00Z,80,81\n2026-01-01T01:00Z,90,91\n"),
        ("two columns without units", "start,nl,de\n2026-01-01T00:00Z,80,81\n2026-01-01T01:00Z,90,91\n"),
        ("only stamps", "start\n2026-01-01T00:00Z\n2026-01-01T01:00Z\n"),
        ("no zone", "start,eur_mwh\n2026-01-01 00:00,80\n2026-01-01 01:00,90\n"),
        ("no date", "start,eur_mwh\n01/02/2026 00:00,80\nyesterday,90\n"),
        ("twice", "start,eur_mwh\n2026-01-01T00:00Z,80\n2026-01-01T01:00+01:00,90\n"),
        ("more cells than names", "start,eur_mwh\n2026-01-01T00:00Z,80,1\n2026-01-01T01:00Z,90,2\n"),
        ("irregular", "start,eur_mwh\n2026-01-01T00:00Z,80\n2026-01-01T01:00Z,90\n2026-01-01T02:20Z,90\n"),
        ("infinity and words", "start,eur_mwh\n2026-01-01T00:00Z,inf\n2026-01-01T01:00Z,cheap\n"),
        ("decimal commas", "start,eur_mwh\n2026-01-01T00:00Z,\"80,1\"\n2026-01-01T01:00Z,\"90,2\"\n"),
        ("thousands", "start;eur_mwh\n2026-01-01T00:00Z;1.080,1\n2026-01-01T01:00Z;90,2\n"),
        ("EUR/MWh called EUR/kWh", "start,eur_kwh\n2026-01-01T00:00Z,80.1\n2026-01-01T01:00Z,0.2\n"),
        (
            "seconds over decades",
            "start,eur_mwh\n1980-01-01T00:00:00Z,1\n1980-01-01T00:00:01Z,1\n2026-01-01T00:00:00Z,1\n",
        ),
        ("a workbook", "PK\u{3}\u{4}"),
        ("binary", "start\0,eur_mwh\n"),
    ];
    let read = |content: &str| read(content.as_bytes(), Quantity::Price, &Reading::default());
    insta::assert_snapshot!(transcript(&cases, read));
}

#[test]
fn wrong_choices() {
    let content = "start,nl_eur_mwh,de_eur_mwh\n2026-03-29 01:00,80,81\n2026-03-29 02:00,90,91\n";
    let reading = |column, unit| Reading { zone: Some(Amsterdam), column, unit, ..Reading::default() };
    let said = |reading: &Reading<'_>| read(content.as_bytes(), Quantity::Price, reading).unwrap_err().to_string();
    let text = [
        said(&reading(Some("fr_eur_mwh"), None)),
        said(&reading(Some("nl_eur_mwh"), None)),
        said(&reading(Some("nl_eur_mwh"), Unit::parse("kW"))),
    ];
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn wrong_building_and_pv_files() {
    let cases = [
        ("no phases", "start,board,kw\n2026-01-01T00:00Z,HV,80\n2026-01-01T01:00Z,HV,90\n"),
        ("no unit", "start,load\n2026-01-01T00:00Z,80\n2026-01-01T01:00Z,90\n"),
        ("a word", "start,board,l1_a,l2_a,l3_a\n2026-01-01T00:00Z,HV,8,8,many\n2026-01-01T01:00Z,HV,9,9,9\n"),
    ];
    let building = transcript(&cases, |content| read_building(content.as_bytes(), None));
    let plant = |id: &str| -> site::PvPlant {
        serde_json::from_str(&format!(r#"{{"id":"{id}","board":"HV","peak_kw":50}}"#)).unwrap()
    };
    let plants = [plant("Roof"), plant("Carport")];
    let cases = [
        ("whose it is, is open", "start,kw\n2026-01-01T00:00Z,8\n2026-01-01T01:00Z,9\n"),
        ("no such plant", "start,roof,garden\n2026-01-01T00:00Z,8,1\n2026-01-01T01:00Z,9,1\n"),
        ("twice", "start,roof,roof_kw\n2026-01-01T00:00Z,8,1\n2026-01-01T01:00Z,9,1\n"),
        ("watts called kW per kWp", "start,kw_per_kwp\n2026-01-01T00:00Z,800\n2026-01-01T01:00Z,900\n"),
    ];
    insta::assert_snapshot!(building + &transcript(&cases, |content| read_pv(content.as_bytes(), &plants, None)));
    let good = "start,Carport_w,kw_per_kwp\n2026-01-01T00:00Z,8000,0.5\n2026-01-01T01:00Z,9000,0.1\n";
    let powers = read_pv(good.as_bytes(), &plants, None).unwrap();
    assert_eq!((powers[0].plant.as_str(), powers[0].kw.values[0]), ("Carport", Some(8.0)));
    assert_eq!((powers[1].plant.as_str(), powers[1].kw.values[0]), ("Roof", Some(25.0)));
}

#[test]
fn wrong_tariffs() {
    let cases = [
        ("nothing", "components = []"),
        ("VAT as a factor", "vat_percent = 121\ncomponents = [{ name = \"a\", price = { kind = \"spot\" } }]"),
        ("VAT as a fraction", "vat_percent = 0.21\ncomponents = [{ name = \"a\", price = { kind = \"spot\" } }]"),
        (
            "dates",
            "components = [{ name = \"a\", from = \"1 May\", price = { kind = \"spot\" } }, { name = \"\", from = \"2026-05-01\", until = \"2026-05-01\", price = { kind = \"fixed\", eur_kwh = 12 } }]",
        ),
        (
            "two spot prices and two peaks",
            "components = [{ name = \"old\", until = \"2026-06-02\", price = { kind = \"spot\" } }, { name = \"new\", from = \"2026-06-01\", price = { kind = \"spot\" } }, { name = \"sold\", direction = \"export\", price = { kind = \"spot\" } }, { name = \"p\", price = { kind = \"peak\", eur_kw_month = 3 } }, { name = \"q\", price = { kind = \"peak\", eur_kw_month = -4 } }]",
        ),
        (
            "brackets",
            "components = [{ name = \"tax\", price = { kind = \"brackets\", brackets = [{ above_kwh = 1, eur_kwh = 0.1 }, { above_kwh = 1, eur_kwh = 0.05 }] } }, { name = \"none\", price = { kind = \"brackets\", brackets = [] } }]",
        ),
        (
            "windows",
            "components = [{ name = \"grid\", price = { kind = \"time_of_use\", eur_kwh = 0.03, windows = [{ days = \"funday\", from = \"07:00\", until = \"07:00\", eur_kwh = 0.05 }, { from = \"7\", until = \"25:00\", eur_kwh = 0.05 }] } }]",
        ),
    ];
    let mut text = String::new();
    for (name, content) in cases {
        let tariff: Tariff = toml::from_str(content).unwrap();
        writeln!(text, "# {name}").unwrap();
        for fault in check(&tariff) {
            writeln!(text, "{}: {} {}; {}", fault.path, fault.value, fault.wrong, fault.remedy).unwrap();
        }
        writeln!(text).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// The same prices with stamps in UTC and on a Dutch wall clock, on days of 23 and of 25 hours.
#[test]
fn local_stamps_and_utc_stamps_agree() {
    use chrono::{Duration, NaiveDate};
    for (day, hours) in [("2023-03-26", 23), ("2023-06-13", 24), ("2023-10-29", 25)] {
        let day: NaiveDate = day.parse().unwrap();
        let start = kwartier_data::local::day_start(Amsterdam, day);
        for step in [60, 15] {
            let (mut utc, mut local) = ("start,eur_mwh\n".to_owned(), "tijd;prijs EUR/MWh\n".to_owned());
            for k in 0..hours * 60 / step {
                let at = start + Duration::minutes(k * step);
                writeln!(utc, "{},{k}.5", at.to_rfc3339()).unwrap();
                writeln!(local, "{};{k},5", at.with_timezone(&Amsterdam).format("%d-%m-%Y %H:%M")).unwrap();
            }
            let reading = Reading { zone: Some(Amsterdam), ..Reading::default() };
            let of = |text: &str| read(text.as_bytes(), Quantity::Price, &reading).unwrap();
            assert_eq!(of(&utc), of(&local), "{day} {step}");
            assert_eq!(of(&utc).values.len(), usize::try_from(hours * 60 / step).unwrap());
            assert!(of(&utc).values.iter().all(Option::is_some));
        }
    }
}

#[test]
fn boards_repeat_their_stamps() {
    let content = "start;board;l1_a;l2_a;l3_a\n2023-10-29 02:00;HV;1;2;3\n2023-10-29 02:00;UV1;4;5;6\n\
                   2023-10-29 02:00;HV;7;8;9\n2023-10-29 02:00;UV1;1;1;1\n";
    let Building::Boards(boards) = read_building(content.as_bytes(), Some(Amsterdam)).unwrap() else { panic!() };
    assert_eq!(boards[0].phases_a[2].values, [Some(3.0), Some(9.0)]);
    assert_eq!((boards[1].board.as_str(), boards[1].phases_a[0].values[1]), ("UV1", Some(1.0)));
}
