//! The rules that vehicles, loads, plants and batteries follow in more than one baseline.

use crate::model::unit::{Chain, Is, Store, Unit};
use crate::schedule::{NOTHING, Site};

/// What a unit takes until it is satisfied, in units of quantity × slots.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// Until the need is met.
    pub need: f64,
    /// Until nothing more fits in.
    pub room: f64,
}

impl Want {
    /// What a vehicle or load wants before anything was given.
    pub fn of(unit: &Unit) -> Self {
        match &unit.store {
            Store::None => Want { need: 0.0, room: 0.0 },
            Store::Sum(of) => Want { need: of.need_kwh / of.gain_kwh, room: of.room_kwh / of.gain_kwh },
            Store::Chain(of) => Want {
                need: (of.target_kwh - of.start_kwh).max(0.0) / of.gain_kwh,
                room: (of.room_kwh - of.start_kwh).max(0.0) / of.gain_kwh,
            },
        }
    }

    /// What remains after `given` of it.
    pub fn less(self, given: f64) -> Self {
        Want { need: self.need - given, room: self.room - given }
    }

    /// What to aim at in a slot in which up to `max` may be drawn, 0 for nothing: all of it, unless what would then remain
    /// were less than the minimum of a last slot.
    pub fn target(self, min: f64, max: f64) -> f64 {
        if self.need <= NOTHING || max <= 0.0 || max < min - NOTHING {
            return 0.0;
        }
        if self.need <= max {
            // The last slot: rather the minimum and a little more than needed than nothing.
            let least = self.need.max(min);
            return if least <= self.room + NOTHING { least.min(max) } else { 0.0 };
        }
        let leaves_the_minimum = self.need - min;
        if self.need < max + min && leaves_the_minimum >= min { leaves_the_minimum.min(max) } else { max }
    }
}

/// The units of a kind: those whose kind `is` accepts.
pub fn units(site: &Site<'_>, is: impl Fn(Is) -> bool) -> Vec<usize> {
    (0..site.model.units.len()).filter(|&unit| is(site.model.units[unit].is)).collect()
}

/// Turns plants down as far as limits demand, and up again as far as what draws by now allows: in one slot, or in all.
pub fn fit_plants(site: &mut Site<'_>, slot: Option<usize>) {
    for unit in units(site, |is| matches!(is, Is::Pv(_))) {
        let from = site.model.units[unit].from;
        let slots = slot.map_or(0..site.model.units[unit].len(), |slot| slot - from..slot - from + 1);
        for k in slots {
            let most = site.model.units[unit].up_max[k];
            let now = site.schedule.up[unit][k];
            // What the plant gives now is part of what the boards carry: the room is for more of it.
            let wanted = (now + site.room(unit, k).1).clamp(0.0, most);
            site.add(unit, k, wanted - now);
        }
    }
}

/// Runs the flexible loads as early as they can, at full power; within the limits, or without regard to them.
pub fn loads_early(site: &mut Site<'_>, within_limits: bool) {
    for unit in units(site, |is| matches!(is, Is::Load(_))) {
        serve(site, unit, 0..site.model.units[unit].len(), within_limits);
    }
}

/// Gives a unit what it wants in the given slots of its window, the first of them first, at full power; within the limits, or
/// without regard to them.
pub fn serve(site: &mut Site<'_>, unit: usize, slots: impl IntoIterator<Item = usize>, within_limits: bool) {
    let of = &site.model.units[unit];
    let want = Want::of(of);
    let mut given = 0.0;
    for k in slots {
        let most = if within_limits { site.room(unit, k).1.min(of.up_max[k]) } else { of.up_max[k] };
        let target = want.less(given).target(of.up_min, most);
        if target > 0.0 {
            site.add(unit, k, target);
            given += target;
        }
    }
}

/// Runs the stationary batteries as they run by themselves, slot by slot: they store what would be exported, and cover
/// what would be imported down to the energy they are to end with.
pub fn batteries_alone(site: &mut Site<'_>) {
    for unit in units(site, |is| matches!(is, Is::Battery(_))) {
        let of = &site.model.units[unit];
        let Store::Chain(store) = &of.store else { continue };
        let mut energy_kwh = store.start_kwh;
        for k in 0..of.len() {
            let kw = battery_kw(site, unit, store, k, energy_kwh);
            if kw.abs() > NOTHING {
                site.add(unit, k, kw);
                energy_kwh += if kw > 0.0 { store.gain_kwh * kw } else { store.drain_kwh * kw };
            }
        }
    }
}

/// What a battery at `energy_kwh` does in a slot, in kW, charging positive.
fn battery_kw(site: &Site<'_>, unit: usize, store: &Chain, k: usize, energy_kwh: f64) -> f64 {
    let of = &site.model.units[unit];
    let net_kw = site.net_kw[of.from + k];
    let (low, high) = site.room(unit, k);
    // Where it is below the energy it is to end with, it fills up from the grid, evenly over what is left of the time.
    let missing_kw = (store.target_kwh - energy_kwh).max(0.0) / store.gain_kwh / (of.len() - k) as f64;
    let surplus_kw = (-net_kw).max(0.0);
    let charge_kw = surplus_kw.max(missing_kw).min((store.room_kwh - energy_kwh).max(0.0) / store.gain_kwh);
    if charge_kw > NOTHING {
        return charge_kw.min(of.up_max[k]).min(high).max(0.0);
    }
    let spare_kw = (energy_kwh - store.target_kwh).max(0.0) / store.drain_kwh;
    -net_kw.max(0.0).min(spare_kw).min(of.down_at(k)).min(-low).max(0.0)
}
