//! No management: every vehicle draws what it can from the moment it is plugged in, and no fuse is looked at.

use super::rules::{Want, batteries_alone, fit_plants, loads_early, units};
use crate::model::unit::Is;
use crate::schedule::Site;

/// Runs the site without control.
pub fn run(site: &mut Site<'_>) {
    // An inverter keeps to what it may feed in all the same.
    fit_plants(site, None);
    loads_early(site, false);
    for unit in units(site, |is| matches!(is, Is::Session(_))) {
        let of = &site.model.units[unit];
        let want = Want::of(of);
        let mut given = 0.0;
        for k in 0..of.len() {
            let target = want.less(given).target(of.up_min, of.up_max[k]);
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
