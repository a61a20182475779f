//! The limit at an instant, and the schedule of the next hours: of each purpose the highest stack level in force, of these
//! the lowest limit (3.13.3).

use chrono::{DateTime, TimeDelta, Utc};

use super::{Installed, Purpose, Running, Store, Unit};

/// No station tells more periods than this, however long it is asked for.
const MOST_SPANS: usize = 1024;

/// What a station stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Supply {
    /// Phase to neutral voltage in V.
    pub voltage_v: f64,
}

/// What may be drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limit {
    /// A per phase; `None`, as much as the station can.
    pub amps: Option<f64>,
    /// On how many phases; `None`, on all.
    pub phases: Option<u8>,
    /// On which phase, 1 to 3; `None`, any.
    pub phase: Option<u8>,
}

/// A limit that holds for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// From when, in s since the beginning that was asked for.
    pub start_s: i64,
    /// What may be drawn.
    pub limit: Limit,
}

impl Store {
    /// What a vehicle on an EVSE may draw at an instant.
    pub fn limit_at(&self, evse: u32, at: DateTime<Utc>, running: Running<'_>, supply: Supply) -> Limit {
        let of = |purpose, on| self.of(purpose, on, at, running, supply);
        let own = of(Purpose::Tx, evse).filter(|_| running.id.is_some());
        // A default on the EVSE itself stands before one for the whole station (3.13.1).
        let usual = || of(Purpose::TxDefault, evse).or_else(|| of(Purpose::TxDefault, 0));
        let all = [own.or_else(usual), of(Purpose::StationMax, 0), of(Purpose::External, 0)];
        all.into_iter().flatten().fold(Limit::default(), lower)
    }

    /// When that may change next; `None`, never.
    pub fn turns_after(&self, at: DateTime<Utc>, running: Running<'_>) -> Option<DateTime<Utc>> {
        self.installed().iter().filter_map(|installed| installed.profile.turns_after(at, running)).min()
    }

    /// What a vehicle on an EVSE may draw for so many s, as the specification wants it told.
    pub fn composite(
        &self,
        evse: u32,
        from: DateTime<Utc>,
        duration_s: i64,
        running: Running<'_>,
        supply: Supply,
    ) -> Vec<Span> {
        let end = from + TimeDelta::seconds(duration_s);
        let mut spans: Vec<Span> = Vec::new();
        let mut next = Some(from);
        while let Some(at) = next.filter(|at| *at < end && spans.len() < MOST_SPANS) {
            let limit = self.limit_at(evse, at, running, supply);
            if spans.last().is_none_or(|last| last.limit != limit) {
                spans.push(Span { start_s: whole_seconds(at - from), limit });
            }
            next = self.turns_after(at, running);
        }
        spans
    }

    /// What the profiles of a purpose on an EVSE allow; `None`, none is in force.
    fn of(
        &self,
        purpose: Purpose,
        evse: u32,
        at: DateTime<Utc>,
        running: Running<'_>,
        supply: Supply,
    ) -> Option<Limit> {
        let meant = |installed: &&Installed| {
            let of = installed.profile.transaction.as_deref();
            installed.profile.purpose == purpose
                && installed.evse == evse
                && (purpose != Purpose::Tx || of.is_none() || of == running.id)
        };
        let in_force = self.installed().iter().filter(meant).filter_map(|installed| {
            installed.profile.period_at(at, running).map(|period| (installed.profile.stack_level, installed, period))
        });
        let (_, installed, period) = in_force.max_by_key(|(level, ..)| *level)?;
        let amps = match installed.profile.schedule.unit {
            Unit::Amps => period.limit,
            Unit::Watts => period.limit / supply.voltage_v / f64::from(period.phases.unwrap_or(3).clamp(1, 3)),
        };
        Some(Limit { amps: Some(amps), phases: period.phases, phase: period.phase })
    }
}

/// Both limits at once. What two purposes say of phases is nowhere defined; the fewer are the safe reading.
fn lower(one: Limit, other: Limit) -> Limit {
    let least = |a: Option<u8>, b: Option<u8>| [a, b].into_iter().flatten().min();
    Limit {
        amps: [one.amps, other.amps].into_iter().flatten().reduce(f64::min),
        phases: least(one.phases, other.phases),
        phase: one.phase.or(other.phase),
    }
}

/// Whole seconds of a length, rounded up: a limit is never told earlier than it holds.
fn whole_seconds(length: TimeDelta) -> i64 {
    let seconds = length.num_seconds();
    if TimeDelta::seconds(seconds) < length { seconds + 1 } else { seconds }
}
