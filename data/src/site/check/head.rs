//! Name, place, voltage, connection.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::{Check, names};
use crate::feeds::{AREAS, Area};
use crate::finding::Finding;
use crate::refusal::{number, quoted};

/// Phase to neutral voltages that a low-voltage grid has, in V.
const VOLTAGES_V: std::ops::RangeInclusive<f64> = 100.0..=300.0;

/// Phase to phase voltages of the same grids, in V: given where phase to neutral was asked for.
const BETWEEN_PHASES_V: std::ops::RangeInclusive<f64> = 340.0..=480.0;

/// Power factor below which a building would pay for it, a fraction: more likely a mistake.
const LOW_POWER_FACTOR: f64 = 0.5;

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    if site.name.trim().is_empty() {
        check.add(Finding::warning("no-name", "name").value(quoted(&site.name)).says("is no name", "name the site"));
    }
    time_zone(check, &site.time_zone);
    voltage(check, site.voltage_v);
    let degrees = [
        ("latitude_deg", site.latitude_deg, 90.0, "write degrees north, such as 52.1"),
        ("longitude_deg", site.longitude_deg, 180.0, "write degrees east, such as 5.2"),
    ];
    for (field, value, most, remedy) in degrees {
        if let Some(value) = value.filter(|value| value.abs() > most) {
            let finding = Finding::error("bad-number", field).value(number(value));
            check.add(finding.says(format!("is not from -{most} to {most}"), remedy));
        }
    }
    if site.latitude_deg.is_some() != site.longitude_deg.is_some() {
        let (there, missing) = if site.latitude_deg.is_some() {
            ("latitude_deg", "longitude_deg")
        } else {
            ("longitude_deg", "latitude_deg")
        };
        let remedy = format!("add {missing}, or remove it");
        check.add(Finding::warning("half-a-place", there).says(format!("stands without {missing}"), remedy));
    }
    price_area(check, site.price_area.as_deref());
    check.fraction("", "", "building_power_factor", site.building_power_factor);
    if site.building_power_factor > 0.0 && site.building_power_factor < LOW_POWER_FACTOR {
        let finding =
            Finding::warning("low-power-factor", "building_power_factor").value(number(site.building_power_factor));
        check.add(finding.says("is lower than buildings have", "check it on a bill or a meter; most are above 0.85"));
    }
    let caps = [("import_cap_kw", site.connection.import_cap_kw), ("export_cap_kw", site.connection.export_cap_kw)];
    for (field, cap_kw) in caps {
        if let Some(cap_kw) = cap_kw {
            check.not_negative(
                "connection",
                "",
                field,
                cap_kw,
                "write the contract's kW, or remove it where there is no cap",
            );
        }
    }
}

fn time_zone(check: &mut Check<'_>, name: &str) {
    if name.parse::<Tz>().is_ok() {
        return;
    }
    // Of three letters every abbreviation is alike.
    let long = name.len() > 4;
    let remedy = names::nearest(name, TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|_| long))
        .or_else(|| {
            TZ_VARIANTS
                .iter()
                .find(|zone| zone.name().rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name)))
                .map(|zone| format!("write {}", quoted(zone.name())))
        })
        .unwrap_or_else(|| "write an IANA name, such as \"Europe/Amsterdam\"".to_owned());
    check.add(Finding::error("unknown-time-zone", "time_zone").value(quoted(name)).says("is no time zone", remedy));
}

fn price_area(check: &mut Check<'_>, name: Option<&str>) {
    let Some(name) = name.filter(|name| Area::parse(name).is_none()) else { return };
    let folded = names::folded(name);
    let titled = AREAS.iter().find(|area| {
        let title = names::folded(area.title);
        !folded.is_empty() && (title == folded || names::folded(area.name).starts_with(&folded))
    });
    let known = || AREAS.iter().map(|area| area.name).collect::<Vec<_>>().join(", ");
    let remedy = match titled {
        Some(area) => format!("write {}, if that is meant", quoted(area.name)),
        None => format!("write one of {}", known()),
    };
    let finding = Finding::error("unknown-price-area", "price_area").value(quoted(name));
    check.add(finding.says("is no price area of the day-ahead market", remedy));
}

fn voltage(check: &mut Check<'_>, voltage_v: f64) {
    if VOLTAGES_V.contains(&voltage_v) {
        return;
    }
    let remedy = if BETWEEN_PHASES_V.contains(&voltage_v) {
        format!(
            "this is between two phases; write the voltage between phase and neutral, {:.0}",
            voltage_v / 3.0_f64.sqrt()
        )
    } else {
        "write the voltage between phase and neutral in volts, 230 in Europe".to_owned()
    };
    let wrong = "is no phase to neutral voltage, which is from 100 to 300 V";
    check.add(Finding::error("bad-voltage", "voltage_v").value(number(voltage_v)).says(wrong, remedy));
}
