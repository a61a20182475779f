//! What else is on the site: the building's draw, PV, the grid connection, batteries and flexible loads.

use super::rules::{At, Rules, Sign};
use crate::instance::{Battery, Grid, Load, Pv, wire};

const WEAR: &str = "give what a discharged kWh costs the battery in EUR, 0 or more";
const SHORTFALL: &str = "give what a missing kWh costs in EUR, 0 or more";

/// Checks the building's draw and adds it up by board. Comes last: it allocates only if nothing was wrong so far.
pub(super) fn base_load(rules: &mut Rules, entries: Vec<wire::BaseLoad>, boards: usize) -> Vec<[Vec<f64>; 3]> {
    let mut placed = Vec::with_capacity(entries.len());
    for (k, entry) in entries.into_iter().enumerate() {
        let at = At::item("base_load_a", k, "base load of", &entry.node);
        let node = rules.node(at, &entry.node);
        for (field, series) in [("l1", &entry.l1), ("l2", &entry.l2), ("l3", &entry.l3)] {
            rules.series(at, field, series, Sign::Any);
        }
        placed.push((node, [entry.l1, entry.l2, entry.l3]));
    }
    let Some(slots) = rules.slots.filter(|_| rules.faults.is_empty()) else { return Vec::new() };
    let mut sums: Vec<[Vec<f64>; 3]> = vec![[const { Vec::new() }; 3]; boards];
    for (node, phases) in placed {
        for (sum, series) in sums[node].iter_mut().zip(phases) {
            if sum.is_empty() {
                *sum = series;
            } else {
                sum.iter_mut().zip(series).for_each(|(sum, a)| *sum += a);
            }
        }
    }
    sums.iter_mut().flatten().filter(|sum| sum.is_empty()).for_each(|sum| *sum = vec![0.0; slots]);
    sums
}

/// Checks and converts the PV plants.
pub(super) fn pv(rules: &mut Rules, plants: Vec<wire::Pv>) -> Vec<Pv> {
    rules.ids("pv", "pv", plants.iter().map(|pv| pv.id.as_str()));
    let checked = plants.into_iter().enumerate().map(|(k, pv)| {
        let at = At::item("pv", k, "pv", &pv.id);
        let node = rules.node(at, &pv.node);
        let phases = rules.phases(at, &pv.phases);
        rules.series(at, "kw", &pv.kw, Sign::NotNegative);
        Pv { id: pv.id, node, phases, kw: pv.kw, curtailable: pv.curtailable }
    });
    checked.collect()
}

/// Checks and converts prices and caps.
pub(super) fn grid(rules: &mut Rules, grid: wire::Grid) -> Grid {
    let at = At::field("grid");
    rules.series(at, "import_eur_kwh", &grid.import_eur_kwh, Sign::Any);
    rules.series(at, "export_eur_kwh", &grid.export_eur_kwh, Sign::Any);
    let optional = [
        ("import_cap_kw", &grid.import_cap_kw, Sign::NotNegative),
        ("export_cap_kw", &grid.export_cap_kw, Sign::NotNegative),
        ("base_kw", &grid.base_kw, Sign::Any),
        ("co2_kg_kwh", &grid.co2_kg_kwh, Sign::Any),
    ];
    for (field, series, sign) in optional {
        if let Some(series) = series {
            rules.series(at, field, series, sign);
        }
    }
    rules.not_negative(at, "peak_eur_kw", grid.peak_eur_kw, "give what a kW of peak costs; 0 without such a tariff");
    rules.not_negative(at, "peak_so_far_kw", grid.peak_so_far_kw, "give the highest import so far; 0 if there is none");
    Grid {
        import_eur_kwh: grid.import_eur_kwh,
        export_eur_kwh: grid.export_eur_kwh,
        import_cap_kw: grid.import_cap_kw,
        export_cap_kw: grid.export_cap_kw,
        peak_eur_kw: grid.peak_eur_kw,
        peak_so_far_kw: grid.peak_so_far_kw,
        base_kw: grid.base_kw,
        co2_kg_kwh: grid.co2_kg_kwh,
    }
}

/// Checks and converts the stationary batteries.
pub(super) fn batteries(rules: &mut Rules, batteries: Vec<wire::Battery>) -> Vec<Battery> {
    rules.ids("batteries", "battery", batteries.iter().map(|battery| battery.id.as_str()));
    let checked = batteries.into_iter().enumerate().map(|(k, battery)| {
        let at = At::item("batteries", k, "battery", &battery.id);
        let node = rules.node(at, &battery.node);
        let capacity = ("capacity_kwh", battery.capacity_kwh);
        if rules.positive(at, capacity.0, capacity.1, "give the capacity in kWh, or leave the battery out") {
            let remedy = "give energy in kWh, not in percent, at most the capacity";
            rules.up_to(at, "soc_kwh", battery.soc_kwh, capacity, remedy);
            rules.up_to(at, "end_soc_kwh", battery.end_soc_kwh, capacity, remedy);
        }
        let remedy = "give the highest power in kW, 0 if it cannot";
        rules.not_negative(at, "max_charge_kw", battery.max_charge_kw, remedy);
        rules.not_negative(at, "max_discharge_kw", battery.max_discharge_kw, remedy);
        rules.efficiency(at, "efficiency", battery.efficiency);
        rules.not_negative(at, "shortfall_eur_kwh", battery.shortfall_eur_kwh, SHORTFALL);
        rules.not_negative(at, "wear_eur_kwh", battery.wear_eur_kwh, WEAR);
        Battery {
            node,
            capacity_kwh: battery.capacity_kwh,
            soc_kwh: battery.soc_kwh,
            end_soc_kwh: battery.end_soc_kwh,
            shortfall_eur_kwh: battery.shortfall_eur_kwh,
            max_charge_kw: battery.max_charge_kw,
            max_discharge_kw: battery.max_discharge_kw,
            efficiency: battery.efficiency,
            wear_eur_kwh: battery.wear_eur_kwh,
            id: battery.id,
        }
    });
    checked.collect()
}

/// Checks and converts the flexible loads.
pub(super) fn loads(rules: &mut Rules, loads: Vec<wire::Load>) -> Vec<Load> {
    rules.ids("loads", "load", loads.iter().map(|load| load.id.as_str()));
    let checked = loads.into_iter().enumerate().map(|(k, load)| {
        let at = At::item("loads", k, "load", &load.id);
        let node = rules.node(at, &load.node);
        let phases = rules.phases(at, &load.phases);
        let window = rules.window(at, ("earliest", load.earliest), ("latest", load.latest));
        let (earliest, latest) = window.unwrap_or((0, 0));
        rules.not_negative(at, "max_kw", load.max_kw, "give the highest power in kW");
        let remedy = "give the lowest power other than 0 in kW, at most max_kw";
        rules.up_to(at, "min_kw", load.min_kw, ("max_kw", load.max_kw), remedy);
        rules.not_negative(at, "need_kwh", load.need_kwh, "give the energy wanted in kWh; 0 if none");
        rules.not_negative(at, "shortfall_eur_kwh", load.shortfall_eur_kwh, SHORTFALL);
        Load {
            node,
            phases,
            earliest,
            latest,
            min_kw: load.min_kw,
            max_kw: load.max_kw,
            need_kwh: load.need_kwh,
            shortfall_eur_kwh: load.shortfall_eur_kwh,
            id: load.id,
        }
    });
    checked.collect()
}
