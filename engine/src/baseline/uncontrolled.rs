//! No management: every vehicle draws what it can from the moment it is plugged in, and no fuse is looked at.

use super::rules::{Want, batteries_alone, loads_early, units};
use crate::model::unit::Is;
use crate::schedule::Site;

/// Runs the site without control.
pub fn run(site: &mut Site<'_>) {
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
    batteries_alone(site);
}
