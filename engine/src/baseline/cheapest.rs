//! Each vehicle by itself: it charges in the cheapest slots of its stay that those before it have left room in.

use super::rules::{batteries_alone, fit_plants, loads_early, serve, units};
use crate::model::unit::Is;
use crate::schedule::Site;

/// Runs the site with every vehicle in its cheapest slots, first come first served.
pub fn run(site: &mut Site<'_>) {
    fit_plants(site, None);
    loads_early(site, true);
    fit_plants(site, None);
    let mut vehicles = units(site, |is| matches!(is, Is::Session(_)));
    vehicles.sort_by_key(|&unit| site.model.units[unit].from);
    for unit in vehicles {
        let of = &site.model.units[unit];
        let price = &site.model.connection.import_eur_kwh;
        let mut slots: Vec<usize> = (0..of.len()).collect();
        slots.sort_by(|&a, &b| price[of.from + a].total_cmp(&price[of.from + b]));
        serve(site, unit, slots, true);
    }
    fit_plants(site, None);
    batteries_alone(site);
    fit_plants(site, None);
}
