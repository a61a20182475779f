//! No management: every vehicle draws what it can from the moment it is plugged in, and no fuse is looked at.

use super::rules::{batteries_alone, fit_plants, loads_early, serve, units};
use crate::model::unit::Is;
use crate::schedule::Site;

/// Runs the site without control.
pub fn run(site: &mut Site<'_>) {
    // An inverter keeps to what it may feed in all the same.
    fit_plants(site, None);
    loads_early(site, false);
    for unit in units(site, |is| matches!(is, Is::Session(_))) {
        serve(site, unit, 0..site.model.units[unit].len(), false);
    }
    fit_plants(site, None);
    batteries_alone(site);
    fit_plants(site, None);
}
