//! Reports of the sample, of generated sites, and of hostile ones.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod clock;
mod picture;
mod words;

use chrono_tz::Tz;
use kwartier_data::{Instance, Plan, instance};
use kwartier_engine::baseline::{Baseline, baseline};

use super::View;

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
    View::of(instance, &steady(instance), &baseline(instance, Baseline::EqualShare), tz, "A <depot> & \"more\"")
}
