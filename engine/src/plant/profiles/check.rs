//! Which profiles a station refuses.

use thiserror::Error;

use super::{Edition, Kind, Profile, Purpose, Running, Store, Unit};

/// What a station can do with profiles.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// How many connectors or EVSEs it has.
    pub evses: u32,
    /// The highest stack level.
    pub max_stack_level: i64,
    /// The most periods of a schedule.
    pub max_periods: usize,
    /// The most profiles at once.
    pub max_installed: usize,
    /// Whether it takes limits in A.
    pub amps: bool,
    /// Whether it takes limits in W.
    pub watts: bool,
    /// Whether it can choose the phase of a vehicle that charges on one (2.0.1: `ACPhaseSwitchingSupported`).
    pub chooses_phase: bool,
    /// Whether a profile for a transaction has to name it (2.0.1: K01.FR.03; some stations of 1.6).
    pub wants_transaction: bool,
}

/// Why a profile is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// K01.FR.28.
    #[error("there is no such connector or EVSE")]
    UnknownEvse,
    /// 3.13.5.
    #[error("the stack level is out of range")]
    StackLevel,
    /// 3.13.5, K01.FR.26.
    #[error("the unit is not supported")]
    Unit,
    /// K01.FR.31, FR.35, 7.13.
    #[error("periods begin at 0 and rise, as many as are supported, with limits from 0")]
    Periods,
    /// K01.FR.40, FR.41.
    #[error("a start is needed for what is not relative, and none for what is")]
    Start,
    /// 3.13.1, K01.FR.38.
    #[error("the purpose does not go with that place or kind")]
    Purpose,
    /// 5.16.4, K01.FR.09, FR.33.
    #[error("no such transaction runs")]
    Transaction,
    /// K01.FR.03.
    #[error("the transaction has to be named")]
    Unnamed,
    /// K01.FR.19, FR.20.
    #[error("the phase cannot be chosen")]
    Phase,
    /// K01.FR.06, FR.39.
    #[error("profile {0} is in its place")]
    Duplicate(i64),
    /// 3.13.5.
    #[error("there is no room for another profile")]
    Full,
}

impl Abilities {
    /// Whether a profile can be installed in a place.
    ///
    /// # Errors
    ///
    /// The first reason why it cannot.
    pub fn check(
        &self,
        edition: Edition,
        evse: u32,
        profile: &Profile,
        running: Running<'_>,
        store: &Store,
    ) -> Result<(), Refused> {
        if evse > self.evses {
            return Err(Refused::UnknownEvse);
        }
        if !(0..=self.max_stack_level).contains(&profile.stack_level) {
            return Err(Refused::StackLevel);
        }
        let unit = match profile.schedule.unit {
            Unit::Amps => self.amps,
            Unit::Watts => self.watts,
        };
        if !unit {
            return Err(Refused::Unit);
        }
        self.periods(profile)?;
        starts(edition, profile)?;
        self.purpose(edition, evse, profile, running)?;
        let full = store.installed().len() >= self.max_installed;
        if full && !store.installed().iter().any(|other| other.profile.id == profile.id) {
            return Err(Refused::Full);
        }
        Ok(())
    }

    fn periods(&self, profile: &Profile) -> Result<(), Refused> {
        let periods = &profile.schedule.periods;
        let begins = periods.first().is_some_and(|first| first.start_s == 0);
        let rises = periods.windows(2).all(|pair| pair[0].start_s < pair[1].start_s);
        let limits = periods.iter().all(|period| period.limit >= 0.0 && period.limit.is_finite());
        let phases = periods.iter().all(|period| period.phases.is_none_or(|phases| (1..=3).contains(&phases)));
        if !begins || !rises || !limits || !phases || periods.len() > self.max_periods {
            return Err(Refused::Periods);
        }
        let chosen = |phase: u8| self.chooses_phase && (1..=3).contains(&phase);
        let phase = periods.iter().all(|p| p.phase.is_none_or(|phase| p.phases == Some(1) && chosen(phase)));
        if phase { Ok(()) } else { Err(Refused::Phase) }
    }

    fn purpose(&self, edition: Edition, evse: u32, profile: &Profile, running: Running<'_>) -> Result<(), Refused> {
        match profile.purpose {
            Purpose::External => Err(Refused::Purpose),
            Purpose::StationMax if evse != 0 => Err(Refused::Purpose),
            Purpose::StationMax if edition == Edition::V2 && profile.kind == Kind::Relative => Err(Refused::Purpose),
            Purpose::Tx if evse == 0 => Err(Refused::Purpose),
            Purpose::Tx => match (running.id, profile.transaction.as_deref()) {
                (None, _) => Err(Refused::Transaction),
                (Some(_), None) if self.wants_transaction => Err(Refused::Unnamed),
                (Some(runs), Some(meant)) if runs != meant => Err(Refused::Transaction),
                _ => Ok(()),
            },
            Purpose::StationMax | Purpose::TxDefault => Ok(()),
        }
    }
}

/// 1.6 lets an absolute schedule go without a start (7.13), and does not mind one that is not needed.
fn starts(edition: Edition, profile: &Profile) -> Result<(), Refused> {
    let fits = match (profile.kind, profile.schedule.start.is_some()) {
        (Kind::Daily | Kind::Weekly, start) => start,
        (Kind::Absolute, start) => start || edition == Edition::V16,
        (Kind::Relative, start) => !start || edition == Edition::V16,
    };
    if fits { Ok(()) } else { Err(Refused::Start) }
}
