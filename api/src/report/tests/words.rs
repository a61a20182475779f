//! The sentences of an explanation.

use chrono_tz::Tz;
use kwartier_data::{BoardLimit, BoardPrice, Instance, Plan, Prices};
use kwartier_engine::explain::{Change, Saving, explain};
use kwartier_tests::generate::Recipe;

use super::{sample, steady};
use crate::report::words;

/// The steady plan of the sample with prices that are made up: a full board, a dear connection at noon, a peak.
fn priced(instance: &Instance) -> Plan {
    let mut plan = steady(instance);
    let (import, slots) = (&instance.grid.import_eur_kwh, instance.slots);
    let noon = 20..30;
    plan.prices = Some(Prices {
        energy_eur_kwh: (0..slots).map(|slot| import[slot] + if noon.contains(&slot) { 0.05 } else { 0.0 }).collect(),
        peak_eur_kw: (0..slots).map(|slot| if noon.contains(&slot) { 0.01 } else { 0.0 }).collect(),
        boards: [(BoardLimit::L3, 40..52), (BoardLimit::L1L2, 60..62)]
            .into_iter()
            .flat_map(|(limit, slots)| {
                slots.map(move |slot| BoardPrice { node: "UV5".to_owned(), limit, slot, eur_a: 0.035 })
            })
            .collect(),
    });
    plan
}

#[test]
fn the_explanation_reads_like_this() {
    let instance = sample();
    let plan = priced(&instance);
    let mut explanation = explain(&instance, &plan);
    let saving =
        |change, saves_eur| Saving { change, saves_eur, at_least_eur: saves_eur - 0.1, at_most_eur: saves_eur + 0.1 };
    explanation.savings = vec![
        saving(Change::Fuse { node: "UV5".to_owned(), from_a: [40.0; 3], to_a: [50.0; 3] }, 3.2),
        saving(Change::Contract { factor: 1.25 }, 1.5),
        saving(Change::Battery { capacity_kwh: 1000.0, power_kw: 500.0 }, 0.4),
    ];
    insta::assert_snapshot!(words::explanation(&instance, &explanation, Tz::Europe__Amsterdam));
}

#[test]
fn without_prices_nothing_is_claimed() {
    let instance = sample();
    let mut plan = steady(&instance);
    plan.prices = None;
    let text = words::explanation(&instance, &explain(&instance, &plan), Tz::UTC);
    assert!(text.contains("Not known, without prices."), "{text}");
}

#[test]
fn a_thousand_vehicles_do_not_flood_the_terminal() {
    let instance = Recipe::night(1000, 2).instance();
    let text = words::explanation(&instance, &explain(&instance, &steady(&instance)), Tz::UTC);
    assert!(text.lines().count() < 120, "{} lines", text.lines().count());
    assert!(text.contains("vehicles are named; the others are in the output of --json."));
}
