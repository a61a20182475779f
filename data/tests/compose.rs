//! Planning instances from sites and rosters: windows, shares, energy, and what is said of what does not fit.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::compose::{Horizon, Inputs, Note, NoteCode, instance};
use kwartier_data::instance::wire;
use kwartier_data::local::{self, TimeOfDay};
use kwartier_data::roster::{self, Charge, Entry, Facts, Roster, When};
use kwartier_data::series::{Building, PlantPower, Series};
use kwartier_data::site::{Site, file};
use kwartier_data::{Refusal, instance as format};
use proptest::prelude::*;

const SITE: &str = r#"
format = 1
name = "Test"
time_zone = "Europe/Amsterdam"
building_power_factor = 0.9
[vehicle_defaults]
capacity_kwh = 50
[[groups]]
id = "vans"
shortfall_eur_kwh = 5
[[vehicles]]
id = "V1"
group = "vans"
phases = 2
capacity_kwh = 40
v2g = { max_a = 16, min_soc_kwh = 8 }
[[boards]]
id = "HV"
limit_a = 200
[[boards]]
id = "UV1"
parent = "HV"
limit_a = [63, 63, 50]
building_max_a = { l1 = [1,1,1,1,1,1,1,1,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,1], l2 = [2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2], l3 = [3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3] }
[[stations]]
id = "Station 1"
board = "UV1"
rotation = "STR"
max_a = 32
[[stations]]
id = "Station 2"
board = "UV1"
rotation = "Txx"
max_a = 16
[[stations]]
id = "Station 3"
board = "HV"
max_a = 16
[[pv]]
id = "Roof"
board = "HV"
peak_kw = 50
curtailable = true
[[batteries]]
id = "B1"
board = "HV"
capacity_kwh = 30
max_charge_kw = 10
max_discharge_kw = 10
[[loads]]
id = "Boiler"
board = "HV"
phases = ["L2"]
from = "22:00"
until = "06:00"
max_kw = 3
need_kwh = 8
"#;

fn site() -> Site {
    read(SITE)
}

fn read(text: &str) -> Site {
    file::parse(text.as_bytes()).unwrap().site
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn of_day(text: &str) -> Horizon {
    Horizon::of_day(Amsterdam, day(text), TimeOfDay::MIDNIGHT, 15)
}

/// Everything but the roster: prices of 10 ct.
fn composed(site: &Site, rows: &str, horizon: Horizon) -> Result<(wire::Instance, Vec<Note>), Refusal> {
    let text = format!("vehicle,station,days,arrival,departure,soc,target,need_kwh,group,max_a\n{rows}");
    let roster = roster::parse(text.as_bytes(), Amsterdam)?;
    with_roster(site, &roster, horizon)
}

fn with_roster(site: &Site, roster: &Roster, horizon: Horizon) -> Result<(wire::Instance, Vec<Note>), Refusal> {
    let prices = flat(horizon, 0.1);
    instance(site, &inputs(roster, horizon, Some(&prices)))
}

fn inputs<'a>(roster: &'a Roster, horizon: Horizon, prices: Option<&'a Series>) -> Inputs<'a> {
    Inputs {
        horizon,
        roster,
        prices,
        building: &[],
        pv: &[],
        co2: None,
        peak_so_far_kw: None,
        used_this_year_kwh: None,
        battery_soc_kwh: &[],
    }
}

fn flat(horizon: Horizon, value: f64) -> Series {
    Series { start: horizon.start, step: horizon.slot(), values: vec![Some(value); horizon.slots] }
}

fn says(notes: &[Note], code: NoteCode) -> &str {
    &notes.iter().find(|note| note.code == code).unwrap_or_else(|| panic!("no {code:?} in {notes:?}")).text
}

#[test]
fn a_day_as_it_should_be() {
    let rows = "V1,Station 1,mon-fri,17:37,06:52,,,20,,\nW,Station 2,tue,08:00,12:00,40 %,80 %,,vans,10\n";
    let (made, notes) = composed(&site(), rows, of_day("2023-06-13")).unwrap();
    assert_eq!(
        (made.slots, made.start.as_str(), made.time_zone.as_deref()),
        (96, "2023-06-12T22:00:00Z", Some("Europe/Amsterdam"))
    );
    let ids: Vec<_> = made.sessions.iter().map(|s| (s.id.as_str(), s.arrive, s.depart, s.phases)).collect();
    // 06:52 is within slot 27, 17:37 within slot 70. Station 2 has one phase.
    assert_eq!(ids, [("V1@2023-06-12", 0, 27, 2), ("W", 32, 48, 1), ("V1@2023-06-13", 71, 96, 2)]);
    assert!(says(&notes, NoteCode::BuildingAtMost).contains("\"UV1\""));
    assert!(says(&notes, NoteCode::NoPv).contains("\"Roof\""));
    assert!(says(&notes, NoteCode::BatterySoc).contains("15.0 kWh"));
    assert!(says(&notes, NoteCode::NoTariff).contains("price file"));
}

#[test]
fn absent_phases_limit_a_vehicle() {
    let mut site = site();
    for (rotation, phases, map, used) in [
        ("Txx", 3, ["L3", "L1", "L2"], 1),
        ("Sxx", 3, ["L2", "L1", "L3"], 1),
        ("RSx", 3, ["L1", "L2", "L3"], 2),
        ("t-s-r", 3, ["L3", "L2", "L1"], 3),
        ("TRS", 2, ["L3", "L1", "L2"], 2),
    ] {
        site.stations[0].rotation = Some(rotation.to_owned());
        site.vehicle_defaults.phases = phases;
        let (made, notes) = composed(&site, "A,Station 1,tue,08:00,12:00,40 %,,,,\n", of_day("2023-06-13")).unwrap();
        assert!(says(&notes, NoteCode::StayLeftOut).contains("rotation of \"Station 3\""));
        assert_eq!(made.chargers[0].phase_map, map, "{rotation}");
        assert_eq!(made.sessions[0].phases, used, "{rotation}");
    }
}

#[test]
fn what_a_vehicle_is_comes_from_the_row_the_site_and_the_defaults() {
    let rows = "V1,Station 1,tue,08:00,12:00,,,20,,13\nA,Station 1,tue,13:00,15:00,20 %,60 %,,vans,\n";
    let (made, notes) = composed(&site(), rows, of_day("2023-06-13")).unwrap();
    let [v1, a] = made.sessions.as_slice() else { panic!() };
    assert_eq!((v1.phases, v1.max_a, v1.capacity_kwh, v1.soc_kwh, v1.need_kwh), (2, 13.0, 40.0, 20.0, 20.0));
    assert_eq!((v1.shortfall_eur_kwh, v1.v2g.as_ref().map(|v2g| v2g.min_soc_kwh)), (5.0, Some(8.0)));
    assert_eq!((a.phases, a.capacity_kwh, a.soc_kwh, a.need_kwh, a.shortfall_eur_kwh), (3, 50.0, 10.0, 20.0, 5.0));
    assert!(says(&notes, NoteCode::VehicleSoc).contains("\"V1\""));
    assert!(says(&notes, NoteCode::VehicleCapacity).contains("\"A\""));
}

#[test]
fn stays_over_midnight_get_their_share() {
    // 18:00 to 06:00: half of 12 kWh before midnight and half after.
    let (made, notes) = composed(&site(), "V1,Station 1,tue,18:00,06:00,10 %,,12,,\n", of_day("2023-06-13")).unwrap();
    assert_eq!((made.sessions[0].need_kwh, made.sessions[0].soc_kwh), (6.0, 4.0));
    assert!(says(&notes, NoteCode::FairShare).contains("6.0 kWh of 12.0 kWh"));
    let (made, _) = composed(&site(), "V1,Station 1,tue,18:00,06:00,10 %,,12,,\n", of_day("2023-06-14")).unwrap();
    assert_eq!((made.sessions[0].need_kwh, made.sessions[0].soc_kwh), (6.0, 10.0));
}

#[test]
fn a_dated_row_takes_the_place_of_the_template() {
    let rows = "V1,Station 1,daily,08:00,12:00,,,20,,\nV1,Station 1,,13-06-2023 14:00,16:00,,,5,,\n";
    let of = |text: &str| composed(&site(), rows, of_day(text)).unwrap().0.sessions;
    assert_eq!(of("2023-06-13").iter().map(|s| (s.arrive, s.need_kwh)).collect::<Vec<_>>(), [(56, 5.0)]);
    assert_eq!(of("2023-06-14").iter().map(|s| (s.arrive, s.need_kwh)).collect::<Vec<_>>(), [(32, 20.0)]);
}

#[test]
fn days_of_92_and_100_quarters() {
    // From one o'clock to five: three hours in spring, five in autumn.
    for (text, slots, depart) in [("2023-03-26", 92, 16), ("2023-10-29", 100, 24)] {
        let (made, _) = composed(&site(), "V1,Station 1,sun,01:00,05:00,,,10,,\n", of_day(text)).unwrap();
        assert_eq!(made.slots, slots);
        assert_eq!((made.sessions[0].arrive, made.sessions[0].depart), (4, depart));
        // What the building draws by hour: at eight, L1 of UV1 goes from 1 to 9 A.
        let load = made.base_load_a.iter().find(|load| load.node == "UV1").unwrap();
        let eight = usize::try_from(slots).unwrap() + 32 - 96;
        assert_eq!((load.l1[eight - 1], load.l1[eight]), (1.0, 9.0));
    }
    let from_six = Horizon::of_day(Amsterdam, day("2023-10-28"), TimeOfDay::parse("06:00").unwrap(), 15);
    assert_eq!((from_six.slots, from_six.start.hour()), (100, 4));
}

#[test]
fn a_load_over_midnight_has_two_windows() {
    // 22:00 to 06:00, 8 kWh: six of eight hours of the night before, two of the night after.
    let (made, _) = composed(&site(), "V1,Station 1,tue,08:00,12:00,,,20,,\n", of_day("2023-06-13")).unwrap();
    let windows: Vec<_> = made.loads.iter().map(|l| (l.id.as_str(), l.earliest, l.latest, l.need_kwh)).collect();
    assert_eq!(windows, [("Boiler@2023-06-13", 0, 24, 6.0), ("Boiler@2023-06-13T22:00+02:00", 88, 96, 2.0)]);
}

#[test]
fn a_total_is_what_the_connection_sees() {
    let horizon = of_day("2023-06-13");
    let roster =
        roster::parse(b"vehicle,station,days,arrival,departure,need_kwh\nV1,Station 1,tue,08:00,12:00,20\n", Amsterdam)
            .unwrap();
    let (prices, kw) = (flat(horizon, 0.1), flat(horizon, 62.1));
    let building = [Building::Total(kw)];
    let pv = [PlantPower { plant: "Roof".to_owned(), kw: flat(horizon, 7.0) }];
    let inputs = Inputs {
        building: &building,
        pv: &pv,
        battery_soc_kwh: &[("B1".to_owned(), 3.0)],
        ..inputs(&roster, horizon, Some(&prices))
    };
    let (made, notes) = instance(&site(), &inputs).unwrap();
    // 62.1 kW ÷ (3 · 230 V · 0.9) = 100 A a phase, at the connection; what UV1 may draw is part of it.
    let at_board = |board: &str, slot: usize| made.base_load_a.iter().find(|load| load.node == board).unwrap().l1[slot];
    assert!((at_board("HV", 40) + at_board("UV1", 40) - 100.0).abs() < 1e-9);
    assert!((at_board("UV1", 40) - 9.0).abs() < 1e-12);
    // The same by phase: each sees its own.
    let phases_a = [10.0, 20.0, -5.0].map(|amps| flat(horizon, amps));
    let by_phase = [Building::Whole { phases_a, kw: flat(horizon, 5.2) }];
    let (phased, _) = instance(&site(), &Inputs { building: &by_phase, ..inputs }).unwrap();
    let sum = |of: fn(&kwartier_data::instance::wire::BaseLoad) -> &Vec<f64>| -> f64 {
        phased.base_load_a.iter().map(|load| of(load)[40]).sum()
    };
    for (sum, phase_a) in [sum(|l| &l.l1), sum(|l| &l.l2), sum(|l| &l.l3)].into_iter().zip([10.0, 20.0, -5.0]) {
        assert!((sum - phase_a).abs() < 0.5, "{sum} A, {phase_a} A");
    }
    assert!((phased.grid.base_kw.as_ref().unwrap()[40] - 5.2).abs() < 1e-12);
    assert!((made.grid.base_kw.as_ref().unwrap()[40] - 62.1).abs() < 1e-12);
    assert_eq!((made.pv[0].kw[3], made.batteries[0].soc_kwh, made.batteries[0].end_soc_kwh), (7.0, 3.0, 3.0));
    assert!(says(&notes, NoteCode::BuildingAtMost).contains("\"UV1\""));
}

#[test]
fn what_cannot_be_composed() {
    let whole = of_day("2023-06-13");
    let good = "V1,Station 1,tue,08:00,12:00,,,20,,\n";
    let mut text = String::new();
    let mut tell = |name: &str, result: Result<(wire::Instance, Vec<Note>), Refusal>| {
        let Err(refusal) = result else { panic!("{name}: composed") };
        writeln!(text, "# {name}\n{refusal}\n").unwrap();
    };
    for (name, rows) in [
        ("an unknown station", "A,Station 11,tue,08:00,12:00,,,20,,\nB,Garage,sun,08:00,12:00,,,20,,\n"),
        ("an unknown group", "A,Station 1,tue,08:00,12:00,,,20,van,\n"),
        ("two at one station", "A,Station 1,tue,08:00,12:00,,,20,,\nB,Station 1,mon-fri,11:45,16:00,,,20,,\n"),
        (
            "one at two stations",
            "A,Station 1,tue,08:00,12:00,,,20,,\nA,Station 2,,2023-06-12 11:45,2023-06-13 16:00,,,20,,\n",
        ),
        ("one at one station twice", "A,Station 1,tue,08:00,12:00,,,20,,\nA,Station 1,tue,11:00,13:00,,,20,,\n"),
        ("fuller than full", "V1,Station 1,tue,08:00,12:00,41 kWh,,,,\n"),
        ("a need of two batteries", "A,Station 1,tue,08:00,12:00,,,90,,\n"),
        ("a current too low", "A,Station 1,tue,08:00,12:00,,,20,,5\n"),
    ] {
        tell(name, composed(&site(), rows, whole));
    }
    let roster =
        roster::parse(b"vehicle,station,days,arrival,departure,need_kwh\nA,Station 1,tue,08:00,12:00,20\n", Amsterdam)
            .unwrap();
    tell("no prices", instance(&site(), &inputs(&roster, whole, None)));
    let mut gap = flat(whole, 0.1);
    gap.values[30] = None;
    tell("a gap in the prices", instance(&site(), &inputs(&roster, whole, Some(&gap))));
    tell("prices of another day", instance(&site(), &inputs(&roster, whole, Some(&flat(of_day("2023-06-14"), 0.1)))));
    let prices = flat(whole, 0.1);
    let battery_soc_kwh = [("B2".to_owned(), 1.0)];
    tell(
        "an unknown battery",
        instance(&site(), &Inputs { battery_soc_kwh: &battery_soc_kwh, ..inputs(&roster, whole, Some(&prices)) }),
    );
    let two = [Building::Total(flat(whole, 1.0)), Building::Total(flat(whole, 1.0))];
    tell("two totals", instance(&site(), &Inputs { building: &two, ..inputs(&roster, whole, Some(&prices)) }));
    for (name, from, to) in [
        ("no such zone", "Europe/Amsterdam", "Europe/Amsterdm"),
        ("no such rotation", "\"STR\"", "\"SST\""),
        ("no such board", "board = \"UV1\"\nrotation = \"STR\"", "board = \"UV9\"\nrotation = \"STR\""),
        ("no time of day", "until = \"06:00\"", "until = \"6\""),
        (
            "no price for the day",
            "building_power_factor = 0.9",
            "building_power_factor = 0.9\ntariff = { components = [{ name = \"old\", until = \"2023-01-01\", price = { kind = \"spot\" } }] }",
        ),
        (
            "a tariff without import",
            "building_power_factor = 0.9",
            "building_power_factor = 0.9\ntariff = { components = [] }",
        ),
    ] {
        let changed = SITE.replacen(from, to, 1);
        tell(name, composed(&read(&changed), good, whole));
    }
    insta::assert_snapshot!(text);
}

prop_compose! {
    /// A stay within the days around 2023-10-29, to the minute.
    fn stay()(station in 1..3_usize, from in 0..7200_i64, minutes in 1..4000_i64, need in 0.0..50.0_f64, soc in proptest::option::of(0.0..100.0_f64))
        -> (usize, i64, i64, f64, Option<f64>) { (station, from, minutes, need, soc) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the roster, the instance is one; and what a stay needs is what the days that it touches give it.
    #[test]
    fn shares_add_up_to_the_need((station, from, minutes, need_kwh, soc) in stay()) {
        let arrival = at("2023-10-27T00:00:00Z") + TimeDelta::minutes(from);
        let entry = Entry {
            row: 2,
            vehicle: "A".to_owned(),
            station: format!("Station {station}"),
            when: When::Once { arrival, departure: Some(arrival + TimeDelta::minutes(minutes)) },
            soc: soc.map(Charge::Percent),
            target: None,
            need_kwh: Some(need_kwh),
            vehicle_facts: Facts::default(),
        };
        let roster = Roster::new(vec![entry], Amsterdam);
        let mut given = 0.0;
        let mut last_soc_kwh = 0.0;
        let mut date = day("2023-10-26");
        while date < day("2023-11-07") {
            let horizon = Horizon::of_day(Amsterdam, date, TimeOfDay::MIDNIGHT, 15);
            let (made, notes) = with_roster(&site(), &roster, horizon).unwrap();
            let bytes = serde_json::to_vec(&made).unwrap();
            prop_assert!(format::parse(&bytes).is_ok());
            for session in &made.sessions {
                given += session.need_kwh;
                prop_assert!(session.soc_kwh >= last_soc_kwh);
                last_soc_kwh = session.soc_kwh;
            }
            for note in notes.iter().filter(|note| note.text.starts_with("A at")) {
                // What is left out is named, to a tenth of a kWh.
                let kwh: f64 = note.text.split(": ").last().unwrap().split(' ').next().unwrap().parse().unwrap();
                given += kwh;
            }
            date = local::next_day(date);
        }
        prop_assert!((given - need_kwh).abs() < 0.2, "{given} is not {need_kwh}");
    }

    /// Templates of every kind make instances, on any day.
    #[test]
    fn templates_make_instances(
        rows in proptest::collection::vec((0..1440_u32, 0..1440_u32, 0..5_u32, 0.0..50.0_f64), 1..3),
        offset in 0..400_u64,
    ) {
        let mut text = "vehicle,station,days,arrival,departure,need_kwh\n".to_owned();
        for (k, (arrive, depart, plus, need)) in rows.iter().enumerate() {
            let days = ["mon", "tue-thu", "fri", "weekend"][k % 4];
            let plus = if arrive >= depart { 1 } else { plus % 2 };
            writeln!(text, "Car {k},Station {},{days},{:02}:{:02},{:02}:{:02} +{plus},{need}", k + 1, arrive / 60, arrive % 60, depart / 60, depart % 60).unwrap();
        }
        let roster = roster::parse(text.as_bytes(), Amsterdam).unwrap();
        let date = day("2023-01-01") + chrono::Days::new(offset);
        match with_roster(&site(), &roster, Horizon::of_day(Amsterdam, date, TimeOfDay::MIDNIGHT, 15)) {
            Ok((made, _)) => prop_assert!(format::parse(&serde_json::to_vec(&made).unwrap()).is_ok()),
            // Long stays on consecutive days overlap.
            Err(refusal) => prop_assert!(refusal.to_string().contains("let one leave before the other comes"), "{refusal}"),
        }
    }
}
