//! Settling what the relaxation leaves between 0 and the minimum: on or off, without a limit broken.
//!
//! First each unit that has such loose slots is chosen anew by itself, all others held; where that costs next to nothing
//! it is settled for good, with this pattern. What remains competes for full boards: slot by slot, the current
//! that the loose ones of a board and phase have together is handed out in whole minima, the fullest first.

use std::collections::BTreeMap;

use super::{Tilt, choose_if, is_whole, pattern_of};
use crate::model::Model;
use crate::model::unit::{Store, Unit};
use crate::schedule::{NOTHING, Site};
use crate::solver::interior::Frame;

/// How generous one round of settling is.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What choosing a unit by itself may cost, in EUR.
    pub most_eur: f64,
    /// A minimum is handed out once this fraction of it has come together.
    pub share: f64,
    /// This fraction of the loose slots gets its bounds, the most certain ones first.
    pub part: f64,
}

/// What one round of settling left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Units settled for good in this round.
    pub units: usize,
    /// Slots that only got their bounds; the relaxation has to be solved again.
    pub slots: usize,
    /// Units that were not settled.
    pub left: Vec<usize>,
}

/// A quantity between 0 and its minimum.
#[derive(Debug, Clone, Copy)]
struct Loose {
    unit: usize,
    k: usize,
    down: bool,
    value: f64,
    min: f64,
}

/// Settles loose slots of a relaxation's answer, on the site and in the frames of the next relaxation.
///
/// Where no slot is left, the site holds a schedule that is whole; not so where `go_on` ended it.
pub fn settle(
    site: &mut Site<'_>,
    order: &[usize],
    tilt: &Tilt,
    rule: Rule,
    frames: &mut [Frame],
    go_on: &dyn Fn() -> bool,
) -> Settled {
    let model = site.model;
    let mut units = 0;
    let mut left = Vec::new();
    for &unit in order {
        if !go_on() {
            break;
        }
        if is_whole(&model.units[unit], &site.schedule.up[unit], &site.schedule.down[unit]) {
            continue;
        }
        if choose_if(site, unit, &tilt[unit], |_, more_eur| more_eur <= rule.most_eur) {
            frames[unit] = pattern_of(&model.units[unit], &site.schedule.up[unit], &site.schedule.down[unit]);
            units += 1;
        } else {
            left.push(unit);
        }
    }
    let slots = hand_out(site, &left, rule, frames);
    Settled { units, slots, left }
}

/// Hands out whole minima among the loose slots of these units.
fn hand_out(site: &mut Site<'_>, units: &[usize], rule: Rule, frames: &mut [Frame]) -> usize {
    let model: &Model = site.model;
    let mut loose: BTreeMap<(usize, usize, [bool; 3], bool), Vec<Loose>> = BTreeMap::new();
    let mut count = 0;
    for &i in units {
        let unit: &Unit = &model.units[i];
        for k in 0..unit.len() {
            let (up, down) = (site.schedule.up[i][k], site.schedule.down[i].get(k).copied().unwrap_or(0.0));
            let mut add = |value: f64, min: f64, down: bool| {
                if value > 0.0 && value < min - NOTHING {
                    let key = (unit.from + k, unit.node, unit.phases, down);
                    loose.entry(key).or_default().push(Loose { unit: i, k, down, value, min });
                }
            };
            add(up, unit.up_min, false);
            add(down, unit.down_min, true);
            if up > 0.0 && down > 0.0 {
                // One direction at a time: the one that runs more of what it can.
                let frame = &mut frames[i];
                let closed =
                    if up * unit.down_max[k] >= down * unit.up_max[k] { &mut frame.down[k] } else { &mut frame.up[k] };
                *closed = (0.0, 0.0);
                count += 1;
            }
        }
    }
    for l in loose.values().flatten() {
        site.add(l.unit, l.k, if l.down { l.value } else { -l.value });
    }
    let mut decisions: Vec<(f64, Loose, bool)> = Vec::new();
    // What each unit is bound to take by minima, its new ones included.
    let mut promised: BTreeMap<usize, f64> = BTreeMap::new();
    for group in loose.values_mut() {
        group.sort_by(|a, b| (b.value / b.min).total_cmp(&(a.value / a.min)));
        let mut share = 0.0;
        for l in group.iter() {
            count += 1;
            share += l.value;
            let z = if l.down { -l.min } else { l.min };
            let (low, high) = site.room(l.unit, l.k);
            let fits = (low - NOTHING..=high + NOTHING).contains(&z);
            let promised = promised.entry(l.unit).or_insert_with(|| frames[l.unit].up.iter().map(|b| b.0).sum());
            let on = share >= rule.share * l.min && fits && (l.down || takes(&model.units[l.unit], *promised, l.min));
            if on {
                share -= l.min;
                if !l.down {
                    *promised += l.min;
                }
                site.add(l.unit, l.k, z);
            }
            let fullness = l.value / l.min;
            decisions.push((if on { 1.0 - fullness } else { fullness }, *l, on));
        }
    }
    decisions.sort_by(|a, b| a.0.total_cmp(&b.0));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let settled = (decisions.len() as f64 * rule.part).ceil() as usize;
    for (_, l, on) in decisions.into_iter().take(settled) {
        let unit = &model.units[l.unit];
        let frame = &mut frames[l.unit];
        let max = if l.down { unit.down_max[l.k] } else { unit.up_max[l.k] };
        let (own, other) = if l.down { (&mut frame.down, &mut frame.up) } else { (&mut frame.up, &mut frame.down) };
        own[l.k] = if on { (l.min, max) } else { (0.0, 0.0) };
        if on && unit.has_down() {
            other[l.k] = (0.0, 0.0);
        }
    }
    count
}

/// Whether a need has use and room for one more minimum when so much is promised to it already.
fn takes(unit: &Unit, promised: f64, min: f64) -> bool {
    match &unit.store {
        Store::Sum(of) => of.gain_kwh * promised < of.need_kwh && of.gain_kwh * (promised + min) <= of.room_kwh,
        Store::None | Store::Chain(_) => true,
    }
}
