//! Each vehicle by itself: it charges in the cheapest slots of its stay that those before it have left room in.

use super::rules::{Want, batteries_alone, fit_plants, loads_early, units};
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
        let want = Want::of(of);
        let mut given = 0.0;
        for k in slots {
            let target = want.less(given).target(of.up_min, of.up_max[k].min(site.room(unit, k).1));
            if target > 0.0 {
                site.add(unit, k, target);
                given += target;
            }
        }
    }
    fit_plants(site, None);
    batteries_alone(site);
    fit_plants(site, None);
}
