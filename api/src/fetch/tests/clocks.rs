//! The days on which clocks change, from the feed to the plan: 92 and 100 quarter-hours, each with a price of its own.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::feeds::Span;

use super::servers::{energy_charts, energyzero, octopus, tibber};
use crate::fetch::answer::Values;
use crate::fetch::choose::{Heard, Verdict, choose};
use crate::fetch::client::Raw;
use crate::fetch::desk::Billed;
use crate::fetch::subject::Subject;
use crate::fetch::supply::{Spot, at_home, at_site};
use crate::fetch::work::understood;
use crate::planning::compose::{Outlook, compose};
use crate::planning::tests::request;
use crate::resource::feed::Source::{self, EnergyCharts, Energyzero};
use crate::resource::price::Price;

/// The days of the two changes, and an ordinary one, with their quarter-hours.
const DAYS: [(&str, usize); 3] = [("2026-03-29", 92), ("2026-06-10", 96), ("2026-10-25", 100)];

fn heard(source: Source, subject: &Subject, body: &serde_json::Value, asked: Span) -> Values {
    let raw = Raw { status: 200, body: body.to_string().into_bytes(), retry_after: None };
    understood(Ok(raw), source, subject, asked, asked.from).unwrap()
}

/// The prices of a plan that begins with a day, slot by slot, and the instants of the slots.
fn planned(from: DateTime<Utc>, prices: Vec<Price>) -> Vec<(DateTime<Utc>, f64)> {
    let request = crate::planning::Request { at: from, prices, expected: Vec::new(), ..request() };
    let grid = compose(&request, Outlook::default()).unwrap().wire.grid;
    let at = |k: usize| from + TimeDelta::minutes(15) * i32::try_from(k).unwrap();
    grid.import_eur_kwh.into_iter().enumerate().map(|(k, eur_kwh)| (at(k), eur_kwh)).collect()
}

#[test]
fn a_day_of_any_length_is_planned_with_the_price_of_each_of_its_quarter_hours() {
    for (day, quarters) in DAYS {
        let subject = Subject::Prices { area: "NL".to_owned(), day: day.parse().unwrap() };
        let span = subject.span(Utc::now());
        let prices = |source, body| match heard(source, &subject, &body, span) {
            Values::Prices(prices) => Heard { source, prices, at: span.from },
            other => panic!("{day}: {other:?}"),
        };
        let both = [prices(EnergyCharts, energy_charts(&subject, 0.0)), prices(Energyzero, energyzero(&subject))];
        let chosen = choose(&[EnergyCharts, Energyzero], &both).unwrap();
        assert_eq!((chosen.verdict, chosen.is_final()), (Verdict::Same(Energyzero), true), "{day}");
        let mut what = (*request().what).clone();
        // Dear at night by the clock on the wall: the hour that comes twice is dear twice.
        let night = r#"
            [[components]]
            name = "market"
            price = { kind = "spot" }
            [[components]]
            name = "grid"
            price = { kind = "time_of_use", eur_kwh = 0.0, windows = [{ from = "02:00", until = "03:00", eur_kwh = 1.0 }] }
        "#;
        what.tariff = Some(toml::from_str(night).unwrap());
        let put = at_site(&what, &Spot::of(&chosen), 0.0).unwrap();
        let starts: BTreeSet<DateTime<Utc>> = put.iter().map(|price| price.start).collect();
        assert_eq!((put.len(), starts.len()), (quarters, quarters), "{day}");
        let slots = planned(span.from, put.clone());
        assert_eq!(slots.len(), 96);
        let mut dear = 0;
        for (k, (at, eur_kwh)) in slots.into_iter().take(quarters).enumerate() {
            assert_eq!(put[k].start, at, "{day}: none is left out, none stands twice");
            let is_dear = at.with_timezone(&Amsterdam).hour() == 2;
            dear += usize::from(is_dear);
            let spot = chosen.heard.prices.values.rows[k].value.per_kwh;
            assert!((eur_kwh - spot - f64::from(u8::from(is_dear))).abs() < 1e-9, "{day}, {at}: {eur_kwh}");
        }
        assert_eq!(dear, quarters - 92, "{day}: an hour that is left out, is there, and comes twice");
    }
}

#[test]
fn a_contract_has_its_days_by_the_sites_own_clock() {
    for (day, quarters) in DAYS {
        let day: NaiveDate = day.parse().unwrap();
        let of = |zone: &str| Subject::Contract { site: "home".to_owned(), zone: zone.to_owned(), day };
        let (home, british) = (of("Europe/Amsterdam"), of("Europe/London"));
        for (source, subject, body, count) in [
            (Source::Tibber, &home, tibber(&home), quarters),
            (Source::Octopus, &british, octopus(&british), quarters / 2),
        ] {
            let span = subject.span(Utc::now());
            let Values::Retail(retail) = heard(source, subject, &body, span) else { panic!("{day}") };
            assert!(retail.total.values.is_complete() && retail.total.values.rows.len() == count, "{source:?} {day}");
            let contract = super::others::contract_in(source);
            let prices = at_home(&request().what, &Billed { source, retail }, &contract).unwrap();
            assert_eq!(prices.len(), count, "{source:?} {day}");
            let slots = planned(span.from, prices.clone());
            let (last_at, last) = slots[quarters.min(96) - 1];
            let known = prices.iter().rfind(|price| price.start <= last_at).unwrap();
            assert!((last - known.import_eur_kwh).abs() < 1e-9, "{source:?} {day}");
        }
    }
}

#[test]
fn prices_that_are_corrected_take_the_place_of_those_before_and_the_plan_follows() {
    let request = request();
    let subject = Subject::Prices { area: "NL".to_owned(), day: request.at.date_naive() };
    let span = subject.span(request.at);
    let at = |more: f64| match heard(EnergyCharts, &subject, &energy_charts(&subject, more), span) {
        Values::Prices(prices) => {
            let heard = Heard { source: EnergyCharts, prices, at: span.from };
            at_site(&request.what, &Spot::of(&choose(&[EnergyCharts], &[heard]).unwrap()), 0.0).unwrap()
        }
        other => panic!("{other:?}"),
    };
    let (first, corrected) = (at(0.0), at(30.0));
    let merged = crate::fetch::supply::merged(&first, &corrected);
    assert_eq!(merged, corrected);
    let (before, after) = (planned(span.from, first), planned(span.from, merged));
    assert!(before.iter().zip(&after).all(|(before, after)| after.1 > before.1 + 0.02));
}
