//! User groups, vehicles, and what vehicles are taken for.

use super::stations::LOWEST_A;
use super::{Check, names};
use crate::finding::Finding;
use crate::refusal::{number, quoted};
use crate::site::{V2g, VehicleDefaults};

/// What is known of a vehicle, its own values or the defaults.
struct Known {
    phases: u8,
    min_a: f64,
    max_a: f64,
    efficiency: f64,
    capacity_kwh: f64,
}

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.groups.iter().map(|group| group.id.as_str()).collect();
    check.unique("groups", "group", &ids);
    let shortfall = "write what a missing kWh is worth in EUR";
    for (k, group) in site.groups.iter().enumerate() {
        let (path, subject) = (format!("groups[{k}]"), format!("group {}", quoted(&group.id)));
        if let Some(value) = group.shortfall_eur_kwh {
            check.not_negative(&path, &subject, "shortfall_eur_kwh", value, shortfall);
        }
        if let Some(value_a) = group.guaranteed_a.filter(|&value_a| value_a != 0.0 && value_a < LOWEST_A) {
            let finding =
                Finding::error("bad-guarantee", format!("{path}.guaranteed_a")).of(subject).value(number(value_a));
            check
                .add(finding.says("is below the 6 A that any vehicle needs (IEC 61851-1)", "write 0, or 6 A and more"));
        }
    }
    let defaults = &site.vehicle_defaults;
    check.not_negative("vehicle_defaults", "", "shortfall_eur_kwh", defaults.shortfall_eur_kwh, shortfall);
    vehicle(check, "vehicle_defaults", "", &known(defaults));
    vehicles(check);
}

fn known(defaults: &VehicleDefaults) -> Known {
    Known {
        phases: defaults.phases,
        min_a: defaults.min_a,
        max_a: defaults.max_a,
        efficiency: defaults.efficiency,
        capacity_kwh: defaults.capacity_kwh,
    }
}

fn vehicles(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.vehicles.iter().map(|vehicle| vehicle.id.as_str()).collect();
    check.unique("vehicles", "vehicle", &ids);
    let sound_defaults = check.findings.iter().all(|finding| !finding.path.starts_with("vehicle_defaults."));
    for (k, own) in site.vehicles.iter().enumerate() {
        let (path, subject) = (format!("vehicles[{k}]"), format!("vehicle {}", quoted(&own.id)));
        if let Some(group) = own.group.as_ref().filter(|group| site.groups.iter().all(|known| known.id != **group)) {
            let remedy = names::nearest(group, site.groups.iter().map(|group| group.id.as_str()))
                .unwrap_or_else(|| "name one of the groups, or add it under [[groups]]".to_owned());
            let finding = Finding::error("unknown-group", format!("{path}.group")).of(&subject).value(quoted(group));
            check.add(finding.says("is no group of the site", remedy));
        }
        let rest = known(&site.vehicle_defaults);
        let taken = Known {
            phases: own.phases.unwrap_or(rest.phases),
            min_a: own.min_a.unwrap_or(rest.min_a),
            max_a: own.max_a.unwrap_or(rest.max_a),
            efficiency: own.efficiency.unwrap_or(rest.efficiency),
            capacity_kwh: own.capacity_kwh.unwrap_or(rest.capacity_kwh),
        };
        if sound_defaults {
            vehicle(check, &path, &subject, &taken);
        }
        if let Some(v2g) = &own.v2g {
            discharge(check, &format!("{path}.v2g"), &subject, v2g, taken.capacity_kwh);
        }
    }
}

fn vehicle(check: &mut Check<'_>, path: &str, subject: &str, known: &Known) {
    if !(1..=3).contains(&known.phases) {
        let finding =
            Finding::error("bad-phases", format!("{path}.phases")).of(subject).value(known.phases.to_string());
        check.add(finding.says("is no number of phases", "write 1, 2 or 3"));
    }
    currents(check, path, subject, known.min_a, known.max_a);
    check.fraction(path, subject, "efficiency", known.efficiency);
    check.positive(path, subject, "capacity_kwh", known.capacity_kwh, "write the battery's usable capacity in kWh");
}

fn currents(check: &mut Check<'_>, path: &str, subject: &str, min_a: f64, max_a: f64) {
    if min_a < LOWEST_A {
        let finding = Finding::warning("bad-number", format!("{path}.min_a")).of(subject).value(number(min_a));
        check.add(finding.says("is below the 6 A that a station can offer (IEC 61851-1)", "write 6 or more"));
    }
    if min_a > max_a {
        let finding = Finding::error("bad-number", format!("{path}.min_a")).of(subject).value(number(min_a));
        check.add(finding.says(format!("is above max_a, {}", number(max_a)), "swap them, or correct one"));
    }
}

fn discharge(check: &mut Check<'_>, path: &str, subject: &str, v2g: &V2g, capacity_kwh: f64) {
    currents(check, path, subject, v2g.min_a, v2g.max_a);
    check.fraction(path, subject, "efficiency", v2g.efficiency);
    check.not_negative(
        path,
        subject,
        "wear_eur_kwh",
        v2g.wear_eur_kwh,
        "write what a discharged kWh costs the battery in EUR",
    );
    if !(0.0..=capacity_kwh).contains(&v2g.min_soc_kwh) {
        let wrong = format!("is not from 0 to the battery's {} kWh", number(capacity_kwh));
        let finding =
            Finding::error("bad-number", format!("{path}.min_soc_kwh")).of(subject).value(number(v2g.min_soc_kwh));
        check.add(finding.says(wrong, "write the energy it never falls below in kWh, not in percent"));
    }
}
