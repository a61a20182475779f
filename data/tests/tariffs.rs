//! Prices worked out by hand.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::site::tariff::{Direction, Price, Pricer, Tariff, check, presets, read_components};

const BUSINESS: &str = r#"
vat_percent = 21
components = [
  { name = "day-ahead", price = { kind = "spot", factor = 1.02 } },
  { name = "fee", price = { kind = "fixed", eur_kwh = 0.01 } },
  { name = "tax 2023", from = "2023-01-01", until = "2024-01-01", price = { kind = "brackets", brackets = [
    { above_kwh = 0, eur_kwh = 0.126 }, { above_kwh = 10000, eur_kwh = 0.1 }, { above_kwh = 50000, eur_kwh = 0.04 }] } },
  { name = "grid", price = { kind = "time_of_use", eur_kwh = 0.02, windows = [
    { days = "mon-fri", from = "07:00", until = "23:00", eur_kwh = 0.05 },
    { days = "sat,sun", from = "22:00", until = "06:00", eur_kwh = 0.005 }] } },
  { name = "peak", price = { kind = "peak", eur_kw_month = 3.5 } },
  { name = "sold", direction = "export", from = "2023-06-01", price = { kind = "spot", factor = 1 } },
  { name = "handling", direction = "export", from = "2023-06-01", price = { kind = "fixed", eur_kwh = -0.015 } },
]
"#;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

#[test]
fn the_parts_add_up() {
    let tariff: Tariff = toml::from_str(BUSINESS).unwrap();
    let pricer = Pricer::new(&tariff, Amsterdam).unwrap();
    // Tuesday 13 June 2023, noon; the spot price is 80 EUR/MWh, nothing used yet:
    // 0.08 · 1.02 + 0.01 + 0.126 + 0.05 = 0.2676.
    let noon = at("2023-06-13T12:00:00+02:00");
    close(pricer.eur_kwh(Direction::Import, noon, 0.08, 0.0), 0.2676);
    let parts: Vec<_> = pricer.parts(Direction::Import, noon, 0.08, 0.0).map(|part| part.name).collect();
    assert_eq!(parts, ["day-ahead", "fee", "tax 2023", "grid"]);
    // What is fed in earns 0.08 − 0.015, and nothing before June.
    close(pricer.eur_kwh(Direction::Export, noon, 0.08, 0.0), 0.065);
    close(pricer.eur_kwh(Direction::Export, at("2023-05-31T23:59:00+02:00"), 0.08, 0.0), 0.0);
    assert!(
        !pricer.in_force(Direction::Export, day("2023-05-31")) && pricer.in_force(Direction::Export, day("2023-06-01"))
    );
    // The tax ends with the local year, an hour before UTC's.
    close(pricer.eur_kwh(Direction::Import, at("2023-12-31T22:59:00Z"), 0.0, 0.0), 0.01 + 0.126 + 0.005);
    close(pricer.eur_kwh(Direction::Import, at("2023-12-31T23:00:00Z"), 0.0, 0.0), 0.01 + 0.005);
    close(pricer.peak_eur_kw(day("2023-06-13")), 3.5);
}

#[test]
fn vat_counts_on_import_alone() {
    let home = BUSINESS.replacen("vat_percent = 21", "vat_percent = 21\nvat_counts = true", 1);
    let tariff: Tariff = toml::from_str(&home).unwrap();
    let pricer = Pricer::new(&tariff, Amsterdam).unwrap();
    let noon = at("2023-06-13T12:00:00+02:00");
    close(pricer.eur_kwh(Direction::Import, noon, 0.08, 0.0), 0.2676 * 1.21);
    close(pricer.eur_kwh(Direction::Export, noon, 0.08, 0.0), 0.065);
}

#[test]
fn the_next_kwh_pays_the_bracket_it_falls_into() {
    let tariff: Tariff = toml::from_str(BUSINESS).unwrap();
    let pricer = Pricer::new(&tariff, Amsterdam).unwrap();
    let rate = |used_kwh| pricer.eur_kwh(Direction::Import, at("2023-06-13T12:00:00+02:00"), 0.0, used_kwh) - 0.06;
    for (used_kwh, eur_kwh) in
        [(0.0, 0.126), (9999.99, 0.126), (10000.0, 0.1), (49999.0, 0.1), (50000.0, 0.04), (1e7, 0.04)]
    {
        close(rate(used_kwh), eur_kwh);
    }
}

#[test]
fn windows_follow_the_wall_clock() {
    let tariff: Tariff = toml::from_str(BUSINESS).unwrap();
    let pricer = Pricer::new(&tariff, Amsterdam).unwrap();
    let grid = |text: &str| pricer.eur_kwh(Direction::Import, at(text), 0.0, 50000.0) - 0.05;
    for (text, eur_kwh) in [
        ("2023-06-13T06:59:00+02:00", 0.02),
        ("2023-06-13T07:00:00+02:00", 0.05),
        ("2023-06-13T22:59:00+02:00", 0.05),
        ("2023-06-13T23:00:00+02:00", 0.02),
        // Saturday's night lasts until Sunday at six, Sunday's until Monday at six; Friday's is none.
        ("2023-06-17T05:00:00+02:00", 0.02),
        ("2023-06-17T22:00:00+02:00", 0.005),
        ("2023-06-18T05:59:00+02:00", 0.005),
        ("2023-06-18T06:00:00+02:00", 0.02),
        ("2023-06-19T05:59:00+02:00", 0.005),
        // The Sundays of 23 and of 25 hours: 06:00 is 04:00 UTC then and 05:00 UTC now.
        ("2023-03-26T03:59:00Z", 0.005),
        ("2023-03-26T04:00:00Z", 0.02),
        ("2023-10-29T00:30:00Z", 0.005),
        ("2023-10-29T01:30:00Z", 0.005),
        ("2023-10-29T04:59:00Z", 0.005),
        ("2023-10-29T05:00:00Z", 0.02),
    ] {
        assert!((grid(text) - eur_kwh).abs() < 1e-12, "{text}: {} is not {eur_kwh}", grid(text));
    }
    // A slot that a window cuts: ten minutes at 0.02 and five at 0.05 make 0.03.
    let cut = pricer.mean_eur_kwh(Direction::Import, (at("2023-06-13T06:50:00+02:00"), 15), 0.0, 50000.0);
    close(cut - 0.05, 0.03);
}

#[test]
fn vat_is_a_cost_for_homes_alone() {
    let home = BUSINESS.replacen("vat_percent = 21", "vat_percent = 21\nvat_counts = true", 1);
    let home =
        home.replacen("kind = \"fixed\", eur_kwh = 0.01 }", "kind = \"fixed\", eur_kwh = 0.01 }, vat = false", 1);
    let tariff: Tariff = toml::from_str(&home).unwrap();
    let pricer = Pricer::new(&tariff, Amsterdam).unwrap();
    // (0.0816 + 0.126 + 0.05) · 1.21 + 0.01 = 0.321696.
    close(pricer.eur_kwh(Direction::Import, at("2023-06-13T12:00:00+02:00"), 0.08, 0.0), 0.321_696);
    close(pricer.peak_eur_kw(day("2023-06-13")), 3.5 * 1.21);
}

#[test]
fn presets_price_every_day_they_are_for() {
    for id in presets::ids() {
        let preset = presets::preset(id).unwrap();
        assert_eq!(check(&preset.tariff), [], "{id}");
        assert!(!preset.sources.is_empty() && !preset.missing.is_empty(), "{id}");
        assert_eq!(preset.checked.parse::<NaiveDate>().unwrap().to_string(), preset.checked);
        let pricer = Pricer::new(&preset.tariff, Amsterdam).unwrap();
        for date in ["2025-01-01", "2026-06-15", "2026-12-31"] {
            assert!(pricer.in_force(Direction::Import, day(date)), "{id} {date}");
        }
    }
    assert_eq!(presets::preset("xx"), None);
}

#[test]
fn presets_by_hand() {
    let import = |id: &str, used_kwh: f64| {
        let tariff = &presets::preset(id).unwrap().tariff;
        Pricer::new(tariff, Amsterdam).unwrap().eur_kwh(Direction::Import, at("2026-11-28T12:00:00Z"), 0.08, used_kwh)
    };
    close(import("nl-business", 0.0), 0.08 + 0.09161);
    close(import("nl-business", 60_000.0), 0.08 + 0.03735);
    close(import("nl-home", 0.0), (0.08 + 0.09161) * 1.21);
    close(import("de-business", 0.0), 0.08 + 0.0205 + 0.00446 + 0.00941 + 0.01559);
    close(import("de-home", 0.0), (0.08 + 0.0205 + 0.00446 + 0.00941 + 0.01559) * 1.19);
}

#[test]
fn components_from_a_table() {
    let table = "name;kind;from;until;direction;vat;ct_kwh;factor;above_kwh;days;start;end;eur_kw_month\n\
        day-ahead;spot;;;;;;1,02;;;;;\n\
        fee;fixed;;;;;1;;;;;;\n\
        tax 2023;brackets;2023-01-01;2024-01-01;;;12,6;;0;;;;\n\
        tax 2023;brackets;2023-01-01;2024-01-01;;;10;;10000;;;;\n\
        tax 2023;brackets;2023-01-01;2024-01-01;;;4;;50000;;;;\n\
        grid;time_of_use;;;;;5;;;mon-fri;07:00;23:00;\n\
        grid;time_of_use;;;;;2;;;;;;\n\
        grid;time_of_use;;;;;0,5;;;sat,sun;22:00;06:00;\n\
        peak;peak;;;;;;;;;;;3,5\n\
        sold;spot;2023-06-01;;export;;;;;;;;\n\
        handling;fixed;2023-06-01;;export;;-1,5;;;;;;\n";
    let expected: Tariff = toml::from_str(BUSINESS).unwrap();
    let mut read = read_components(table.as_bytes()).unwrap();
    // 12.6 ct are 0.126 EUR but for the last bit.
    let tidy = |x: &mut f64| *x = (*x * 1e9).round() / 1e9;
    for component in &mut read {
        match &mut component.price {
            Price::Brackets { brackets } => {
                for bracket in brackets {
                    tidy(&mut bracket.eur_kwh);
                }
            }
            Price::Fixed { eur_kwh } => tidy(eur_kwh),
            Price::TimeOfUse { eur_kwh, windows } => {
                tidy(eur_kwh);
                for window in windows {
                    tidy(&mut window.eur_kwh);
                }
            }
            Price::Spot { .. } | Price::Peak { .. } => {}
        }
    }
    assert_eq!(read, expected.components);
}

#[test]
fn tables_of_components_as_they_go_wrong() {
    for (table, wrong) in [
        ("name,kind,eur_kwh\nfee,fixed,\n", "row 2, \"eur_kwh\": is missing; this kind of price needs it"),
        ("name,kind,eur_kwh\nfee,flat,1\n", "row 2, \"kind\": \"flat\" is none of them"),
        ("name,kind,eur_kwh\nfee,fixed,much\n", "row 2, \"eur_kwh\": \"much\" is no number"),
        ("name,kind,eur_kwh,ct_kwh\nfee,fixed,0.1,10\n", "row 2, \"ct_kwh\": stands beside eur_kwh"),
        ("name,eur_kwh\nfee,0.1\n", "has no column \"kind\""),
        ("name,kind,price\nfee,fixed,0.1\n", "\"price\" is no column of a tariff"),
        ("name,kind,kind\nfee,fixed,0.1\n", "stands there twice"),
        ("name,kind,eur_kwh,direction\nfee,fixed,0.1,both\n", "\"both\" is none of them; write import or export"),
        ("name,kind,eur_kwh,vat\nfee,fixed,0.1,21\n", "\"21\" is none of them; write true or false"),
        ("name,kind,eur_kwh,start,end\ngrid,time_of_use,0.1,07:00,23:00\n", "has windows and no rate outside of them"),
        (
            "name,kind,eur_kwh,start,end\ngrid,time_of_use,0.1,07:00,\n",
            "row 2, \"end\": is missing; a window has both ends",
        ),
        ("name,kind,eur_kwh\ngrid,time_of_use,0.1\ngrid,time_of_use,0.2\n", "is the second row without a window"),
        ("", "empty"),
    ] {
        let said = read_components(table.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn a_preset_comes_first_and_its_vat_counts() {
    let own = "preset = \"nl-home\"\ncomponents = [{ name = \"fee\", price = { kind = \"fixed\", eur_kwh = 0.02 } }]";
    let tariff: Tariff = toml::from_str(own).unwrap();
    assert_eq!(check(&tariff), []);
    let pricer = Pricer::new(&tariff, Amsterdam).unwrap();
    close(pricer.eur_kwh(Direction::Import, at("2026-11-28T12:00:00Z"), 0.08, 0.0), (0.08 + 0.09161 + 0.02) * 1.21);
    let alone: Tariff = toml::from_str("preset = \"de-home\"").unwrap();
    assert_eq!(check(&alone), []);
}

#[test]
fn a_preset_that_there_is_not_and_what_contradicts_one_are_faults() {
    let faults = |text: &str| -> Vec<String> {
        let tariff: Tariff = toml::from_str(text).unwrap();
        check(&tariff).into_iter().map(|fault| fault.path).collect()
    };
    assert_eq!(faults("preset = \"nl\""), ["preset", "components"]);
    assert_eq!(faults("preset = \"nl-home\"\nvat_percent = 21\nvat_counts = true"), ["vat_percent", "vat_counts"]);
    let spot = "preset = \"nl-home\"\ncomponents = [{ name = \"spot\", price = { kind = \"spot\" } }]";
    assert_eq!(faults(spot), ["components[0]"]);
}
