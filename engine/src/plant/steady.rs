//! Flexible building loads and stationary batteries: what they draw of what they may.

use super::queue::{Ms, ms};
use super::world::Store;

/// A battery counts as full or empty within so many kWh: what flows in some ms.
const NEAR_KWH: f64 = 1e-7;

/// A stationary battery and its state.
#[derive(Debug, Clone)]
pub(super) struct Battery {
    store: Store,
    /// What it was told to draw, in A per phase.
    told_a: f64,
}

impl Battery {
    /// A battery that does nothing yet.
    pub(super) fn new(store: Store) -> Battery {
        Battery { store, told_a: 0.0 }
    }

    /// It follows its setpoint.
    pub(super) fn hear(&mut self, amps: f64) {
        self.told_a = amps;
    }

    /// What it draws in A per phase.
    pub(super) fn amps(&self) -> f64 {
        let [least, most] = self.store.range_kwh;
        let full = self.told_a > 0.0 && self.store.soc_kwh >= most - NEAR_KWH;
        let empty = self.told_a < 0.0 && self.store.soc_kwh <= least + NEAR_KWH;
        if full || empty { 0.0 } else { self.told_a }
    }

    /// When it is full or empty, if nothing else happens, at so many kW.
    pub(super) fn next(&self, now: Ms, kw: f64) -> Option<Ms> {
        let rate_kw = self.stored_kw(kw);
        let [least, most] = self.store.range_kwh;
        let hours = if rate_kw > 0.0 {
            (most - self.store.soc_kwh) / rate_kw
        } else if rate_kw < 0.0 {
            (self.store.soc_kwh - least) / -rate_kw
        } else {
            return None;
        };
        Some(now.saturating_add(ms(hours * 3600.0).max(1)))
    }

    /// Time passes at so many kW. Returns what is lost, in kWh.
    pub(super) fn pass(&mut self, hours: f64, kw: f64) -> f64 {
        let stored_kwh = self.stored_kw(kw) * hours;
        self.store.soc_kwh += stored_kwh;
        kw * hours - stored_kwh
    }

    /// Energy in it in kWh.
    pub(super) fn soc_kwh(&self) -> f64 {
        self.store.soc_kwh
    }

    fn stored_kw(&self, kw: f64) -> f64 {
        let [charging, discharging] = self.store.efficiency;
        if kw > 0.0 { kw * charging } else { kw / discharging }
    }
}

/// What a flexible load draws, in A per phase: what it wants, as far as it may; nothing below its minimum.
pub(super) fn load_a(wants_a: f64, may_a: f64, min_a: f64) -> f64 {
    let amps = wants_a.min(may_a);
    if amps < min_a { 0.0 } else { amps.max(0.0) }
}
