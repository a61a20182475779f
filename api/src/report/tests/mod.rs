//! Reports of the sample, of generated sites, and of hostile ones.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod clock;
mod picture;
mod words;

use chrono_tz::Tz;
use kwartier_data::{Instance, Plan, instance};
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::figures::Figures;

use super::View;
use super::clock::Clock;

/// The sample that comes with the product.
fn sample() -> Instance {
    instance::parse(include_bytes!("../../../../data/samples/guide-24.json")).expect("a sample")
}

/// A plan that no solver has a say in.
fn steady(instance: &Instance) -> Plan {
    baseline(instance, Baseline::CheapestSlots)
}

fn view(instance: &Instance) -> View<'_> {
    view_in(instance, Tz::Europe__Amsterdam)
}

fn view_in(instance: &Instance, tz: Tz) -> View<'_> {
    let (after, before) = (steady(instance), baseline(instance, Baseline::EqualShare));
    let [after_figures, before_figures] = [&after, &before].map(|plan| Figures::of(instance, plan));
    let clock = Clock::of(instance, tz);
    View::of(instance, (&after, &after_figures), (&before, &before_figures), clock, "A <depot> & \"more\"")
}
