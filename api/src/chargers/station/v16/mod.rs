//! The words of OCPP 1.6.

mod asked;
mod says;

use kwartier_engine::plant::profiles::{Kind, Period, Profile, Purpose, Schedule, Unit};
use ocpp_types::v16::common::{
    ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingRateUnit, ChargingSchedule, RecurrencyKind,
};

pub(super) use self::asked::asked;
pub(super) use self::says::{answered, says};
use super::ask::Status;
use super::read::instant;

/// The status of a connector in its own words.
fn status(status: Status) -> &'static str {
    match status {
        Status::Available => "Available",
        Status::Preparing => "Preparing",
        Status::Charging => "Charging",
        Status::SuspendedEv => "SuspendedEV",
        Status::SuspendedEvse => "SuspendedEVSE",
        Status::Finishing => "Finishing",
        Status::Reserved => "Reserved",
        Status::Unavailable => "Unavailable",
    }
}

fn purpose(purpose: &ChargingProfilePurpose) -> Purpose {
    match purpose {
        ChargingProfilePurpose::ChargePointMaxProfile => Purpose::StationMax,
        ChargingProfilePurpose::TxDefaultProfile => Purpose::TxDefault,
        ChargingProfilePurpose::TxProfile => Purpose::Tx,
    }
}

/// A profile as it comes in.
fn profile(wire: &ChargingProfile) -> Profile {
    let kind = match (&wire.charging_profile_kind, &wire.recurrency_kind) {
        (ChargingProfileKind::Absolute, _) => Kind::Absolute,
        (ChargingProfileKind::Relative, _) => Kind::Relative,
        (ChargingProfileKind::Recurring, Some(RecurrencyKind::Weekly)) => Kind::Weekly,
        (ChargingProfileKind::Recurring, _) => Kind::Daily,
    };
    Profile {
        id: wire.charging_profile_id,
        stack_level: wire.stack_level,
        purpose: purpose(&wire.charging_profile_purpose),
        kind,
        valid_from: wire.valid_from.as_ref().map(instant),
        valid_to: wire.valid_to.as_ref().map(instant),
        transaction: wire.transaction_id.map(|id| id.to_string()),
        schedule: schedule(&wire.charging_schedule),
    }
}

fn schedule(wire: &ChargingSchedule) -> Schedule {
    let periods = wire.charging_schedule_period.iter();
    Schedule {
        unit: match wire.charging_rate_unit {
            ChargingRateUnit::A => Unit::Amps,
            ChargingRateUnit::W => Unit::Watts,
        },
        start: wire.start_schedule.as_ref().map(instant),
        duration_s: wire.duration,
        periods: periods
            .map(|period| Period {
                start_s: period.start_period,
                limit: period.limit,
                phases: period.number_phases.and_then(|phases| u8::try_from(phases).ok()),
                phase: None,
            })
            .collect(),
    }
}

/// The number of a transaction as it is written here: one that has none yet is none's.
fn number(name: Option<&str>) -> i64 {
    name.and_then(|name| name.parse().ok()).unwrap_or(-1)
}
