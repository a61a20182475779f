//! Rosters as people write them: three languages, CSV and XLSX, dates and days.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::roster::{Charge, Entry, Expected, Facts, When, parse, parse_open};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn rows(text: &str) -> Vec<Entry> {
    parse(text.as_bytes(), Amsterdam).unwrap().rows
}

#[test]
fn three_languages_say_the_same() {
    let english = rows(
        "vehicle,station,days,arrival,departure,soc,target,need_kwh,phases,max_a,min_a,capacity_kwh,efficiency,group\n\
         Van 1,S1,mon-fri,17:30,07:00,35 %,80 %,12.5,3,16,6,60,0.9,vans\n",
    );
    let dutch = rows(
        "Voertuig;Laadpaal;Dagen;Aankomst;Vertrek;SoC;Doel (%);Behoefte (kWh);Fasen;Max A;Min A;Capaciteit (kWh);Rendement;Groep\n\
         Van 1;S1;ma-vr;17:30;7:00;35%;80;12,5;3;16;6;60,0;90 %;vans\n",
    );
    let german = rows(
        "Fahrzeug\tLadepunkt\tTage\tAnkunft\tAbfahrt\tLadezustand %\tZiel\tBedarf kWh\tPhasen\tmax_a\tmin_a\tKapazität kWh\tWirkungsgrad\tGruppe\n\
         Van 1\tS1\tMo-Fr\t17:30\t07:00 +1\t35\t80 %\t12,5\t3\t16\t6\t60\t0,9\tvans\n",
    );
    assert_eq!(english, dutch);
    assert_eq!(english, german);
    let [row] = english.as_slice() else { unreachable!() };
    assert_eq!(
        (row.soc, row.target, row.need_kwh),
        (Some(Charge::Percent(35.0)), Some(Charge::Percent(80.0)), Some(12.5))
    );
    let facts = Facts {
        group: Some("vans".to_owned()),
        phases: Some(3),
        min_a: Some(6.0),
        max_a: Some(16.0),
        efficiency: Some(0.9),
        capacity_kwh: Some(60.0),
    };
    assert_eq!(row.vehicle_facts, facts);
    assert!(matches!(row.when, When::Weekly { plus_days: 1, .. }));
}

#[test]
fn dates_of_many_kinds() {
    for (arrival, departure) in [
        ("2026-11-25 17:30", "2026-11-26 07:00"),
        ("25-11-2026 17:30", "26-11-2026 7:00"),
        ("25.11.2026 17:30", "07:00"),
        ("2026-11-25T16:30Z", "07:00"),
        ("2026-11-25T17:30:00+01:00", "07:00 +1"),
    ] {
        let rows = rows(&format!("vehicle,station,arrival,departure,need_kwh\nA,S,{arrival},{departure},5\n"));
        let when = When::Once { arrival: at("2026-11-25T16:30:00Z"), departure: Some(at("2026-11-26T06:00:00Z")) };
        assert_eq!(rows[0].when, when, "{arrival} {departure}");
    }
}

#[test]
fn the_repeated_hour_is_the_first_unless_an_offset_says_so() {
    let rows = rows(
        "vehicle,station,arrival,departure,need_kwh\nA,S,2023-10-29 02:30,05:00,5\nB,T,2023-10-29T02:30+01:00,05:00,5\n",
    );
    let arrivals = rows.iter().map(|row| match row.when {
        When::Once { arrival, .. } => arrival,
        When::Weekly { .. } => unreachable!(),
    });
    assert_eq!(arrivals.collect::<Vec<_>>(), [at("2023-10-29T00:30:00Z"), at("2023-10-29T01:30:00Z")]);
}

#[test]
fn a_workbook_with_its_own_dates_and_times() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(["Voertuig", "Laadpaal", "Dagen", "Aankomst", "Vertrek", "Behoefte (kWh)"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    let (date, time) = (Format::new().set_num_format("dd-mm-yyyy hh:mm"), Format::new().set_num_format("hh:mm"));
    let moment = |day: u8, hour: u16, minute: u8| {
        ExcelDateTime::from_ymd(2026, 11, day).unwrap().and_hms(hour, minute, 0).unwrap()
    };
    sheet.write_string(1, 0, "A").unwrap();
    sheet.write_string(1, 1, "S1").unwrap();
    sheet.write_datetime_with_format(1, 3, moment(25, 17, 35), &date).unwrap();
    sheet.write_datetime_with_format(1, 4, moment(26, 7, 5), &date).unwrap();
    sheet.write_number(1, 5, 12.5).unwrap();
    // A blank row is no row, and counts.
    sheet.write_number(3, 0, 7).unwrap();
    sheet.write_string(3, 1, "S2").unwrap();
    sheet.write_string(3, 2, "ma-vr").unwrap();
    sheet.write_datetime_with_format(3, 3, ExcelDateTime::from_hms(17, 35, 0).unwrap(), &time).unwrap();
    sheet.write_datetime_with_format(3, 4, ExcelDateTime::from_hms(7, 5, 0).unwrap(), &time).unwrap();
    sheet.write_number(3, 5, 8).unwrap();
    let rows = parse(&book.save_to_buffer().unwrap(), Amsterdam).unwrap().rows;
    let when = When::Once { arrival: at("2026-11-25T16:35:00Z"), departure: Some(at("2026-11-26T06:05:00Z")) };
    assert_eq!((rows[0].row, rows[0].when, rows[0].need_kwh), (2, when, Some(12.5)));
    let When::Weekly { arrival, departure, plus_days, .. } = rows[1].when else { unreachable!() };
    assert_eq!((rows[1].row, rows[1].vehicle.as_str(), plus_days), (4, "7", 1));
    assert_eq!((arrival.to_string(), departure.unwrap().to_string()), ("17:35".to_owned(), "07:05".to_owned()));
}

#[test]
fn open_rows_are_refused_or_stays_to_be_forecast() {
    let text = "vehicle,station,days,arrival,departure,need_kwh\nA,S1,mon-fri,17:30,,\nB,S1,tue,20:00,23:00,5\n\
                C,S2,mon,17:30,,7\n";
    let refused = parse(text.as_bytes(), Amsterdam).unwrap_err().to_string();
    assert_eq!(refused.matches("--session-history").count(), 3, "{refused}");
    // A table without the column is as open as one whose cells are empty.
    assert!(parse_open(b"vehicle,station,arrival\nA,S1,2026-11-24 17:30\n", Amsterdam).unwrap().rows[0].needs_open());

    let mut roster = parse_open(text.as_bytes(), Amsterdam).unwrap();
    let (from, to) = (at("2026-11-24T11:00:00Z"), at("2026-11-25T11:00:00Z"));
    let (tuesday, monday) = (from.date_naive(), at("2026-11-23T00:00:00Z").date_naive());
    let open = roster.open(from, to);
    assert!(open.iter().all(|stay| stay.entry.vehicle != "B" && stay.arrival < to));
    let a = open.iter().find(|stay| stay.entry.vehicle == "A" && stay.day == tuesday).unwrap();
    // B comes to its station at eight.
    assert_eq!((a.arrival, a.at_latest), (at("2026-11-24T16:30:00Z"), Some(at("2026-11-24T19:00:00Z"))));
    let names = |roster: &kwartier_data::roster::Roster| -> Vec<String> {
        roster.stays(from, to).unwrap().iter().map(|stay| stay.entry.vehicle.clone()).collect()
    };
    assert_eq!(names(&roster), ["B"], "nothing is expected yet");
    let expected = |departure: &str| Expected { departure: at(departure), charged_kwh: 12.0 };
    roster.expect(2, tuesday, expected("2026-11-24T19:00:00Z"));
    roster.expect(4, monday, expected("2026-11-24T12:00:00Z"));
    assert_eq!(names(&roster), ["C", "A", "B"]);
    let stays = roster.stays(from, to).unwrap();
    assert_eq!((stays[1].departure, stays[1].charged_kwh), (at("2026-11-24T19:00:00Z"), Some(12.0)));
    assert_eq!(stays[0].charged_kwh, None, "the need of C is given");
    // Expected too long, it is in the way, and said to be.
    roster.expect(2, tuesday, expected("2026-11-24T20:00:00Z"));
    assert!(roster.stays(from, to).unwrap_err().to_string().contains("row 3"));
}
