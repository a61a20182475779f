//! Prices worked out by hand.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::site::tariff::{Direction, Pricer, Tariff};

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
