//! Prices and caps at the grid connection.

use super::{Context, NoteCode};
use crate::instance::wire;
use crate::local;
use crate::site::Tariff;
use crate::site::tariff::{Direction, Price, Pricer};

/// The grid connection: prices from the tariff, or from the price file where the site has no tariff.
pub(super) fn grid(context: &mut Context<'_>, base_kw: Vec<f64>) -> wire::Grid {
    let site = context.site;
    let (import_eur_kwh, export_eur_kwh, peak_eur_kw) = match &site.tariff {
        Some(tariff) => by_tariff(context, tariff),
        None => by_file(context),
    };
    let cap = |kw: Option<f64>| kw.map(|kw| vec![kw; context.horizon.slots]);
    let (import_cap_kw, export_cap_kw) = (cap(site.connection.import_cap_kw), cap(site.connection.export_cap_kw));
    if peak_eur_kw > 0.0 && context.inputs.peak_so_far_kw.is_none() {
        let text = format!(
            "the highest import of this month so far is unknown and taken for 0: all of a peak costs {peak_eur_kw:.2} \
             EUR/kW; give --peak-so-far-kw"
        );
        context.note(NoteCode::PriceAssumed, text);
    }
    let co2 = context.inputs.co2;
    let co2_kg_kwh = co2.map(|series| context.slots("the values of carbon intensity", series));
    wire::Grid {
        import_eur_kwh,
        export_eur_kwh,
        import_cap_kw,
        export_cap_kw,
        peak_eur_kw,
        peak_so_far_kw: context.inputs.peak_so_far_kw.unwrap_or(0.0),
        base_kw: Some(base_kw),
        co2_kg_kwh,
    }
}

fn by_file(context: &mut Context<'_>) -> (Vec<f64>, Vec<f64>, f64) {
    let Some(prices) = context.inputs.prices else {
        context.fault("prices", "", "are unknown: the site has no tariff, and there is no price file", "give --prices");
        return (Vec::new(), Vec::new(), 0.0);
    };
    let prices = context.slots("the prices", prices);
    let text =
        "the site has no tariff: import costs, and export earns, the price of the price file, without taxes and fees";
    context.note(NoteCode::NoTariff, text);
    (prices.clone(), prices, 0.0)
}

fn by_tariff(context: &mut Context<'_>, tariff: &Tariff) -> (Vec<f64>, Vec<f64>, f64) {
    let nothing = (Vec::new(), Vec::new(), 0.0);
    let pricer = match Pricer::new(tariff, context.zone) {
        Ok(pricer) => pricer,
        Err(faults) => {
            for fault in faults {
                context.faults.add(crate::refusal::Fault {
                    path: format!("tariff.{}", fault.path),
                    subject: String::new(),
                    value: fault.value,
                    wrong: fault.wrong,
                    remedy: fault.remedy,
                });
            }
            return nothing;
        }
    };
    let horizon = context.horizon;
    let mut days: Vec<_> = (0..horizon.slots).map(|slot| local::day(context.zone, horizon.at(slot))).collect();
    days.dedup();
    for &day in &days {
        if !pricer.in_force(Direction::Import, day) {
            let remedy = "let a component for import be in force on that day (from, until)";
            context.fault("tariff.components", "", format!("hold no price of imported energy for {day}"), remedy);
            return nothing;
        }
    }
    let spot_needed = |direction| days.iter().any(|&day| pricer.needs_spot(direction, day));
    let spot = match context.inputs.prices {
        Some(series) if spot_needed(Direction::Import) || spot_needed(Direction::Export) => {
            context.slots("the prices", series)
        }
        None if spot_needed(Direction::Import) || spot_needed(Direction::Export) => {
            let wrong = "are unknown: the tariff has a spot price, and there is no price file";
            context.fault("prices", "", wrong, "give --prices with the day-ahead prices");
            return nothing;
        }
        _ => vec![0.0; horizon.slots],
    };
    let bracketed = tariff.parts().any(|component| matches!(component.price, Price::Brackets { .. }));
    if bracketed && context.inputs.used_this_year_kwh.is_none() {
        let text = "what was used this calendar year is unknown and taken for 0 kWh, the first bracket; give --used-this-year-kwh";
        context.note(NoteCode::PriceAssumed, text);
    }
    let used_kwh = context.inputs.used_this_year_kwh.unwrap_or(0.0);
    let priced = |direction| {
        let slots = spot.iter().enumerate();
        let price = |(slot, &spot): (usize, &f64)| {
            pricer.mean_eur_kwh(direction, (horizon.at(slot), horizon.slot_minutes), spot, used_kwh)
        };
        slots.map(price).collect::<Vec<f64>>()
    };
    (priced(Direction::Import), priced(Direction::Export), days.first().map_or(0.0, |&day| pricer.peak_eur_kw(day)))
}
