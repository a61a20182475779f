//! The words of OCPP 2.0.1.

mod asked;
mod model;
mod says;

use kwartier_engine::plant::profiles::{Installed, Kind, Period, Profile, Purpose, Schedule, Unit};
use ocpp_types::v201::common::{
    ChargingProfile, ChargingProfileKindEnum, ChargingProfilePurposeEnum, ChargingRateUnitEnum, RecurrencyKindEnum,
};
use serde_json::{Value, json};

pub(super) use self::asked::asked;
pub(super) use self::says::{answered, says};
use super::Station;
use super::read::instant;

fn purpose(purpose: &ChargingProfilePurposeEnum) -> Purpose {
    match purpose {
        ChargingProfilePurposeEnum::ChargingStationMaxProfile => Purpose::StationMax,
        ChargingProfilePurposeEnum::ChargingStationExternalConstraints => Purpose::External,
        ChargingProfilePurposeEnum::TxDefaultProfile => Purpose::TxDefault,
        ChargingProfilePurposeEnum::TxProfile => Purpose::Tx,
    }
}

/// A profile as it comes in; `None`, it has no schedule. Of several schedules, which vehicles choose from, the first counts.
fn profile(wire: &ChargingProfile) -> Option<Profile> {
    let schedule = wire.charging_schedule.first()?;
    let small = |number: Option<i64>| number.and_then(|number| u8::try_from(number).ok());
    let kind = match (&wire.charging_profile_kind, &wire.recurrency_kind) {
        (ChargingProfileKindEnum::Absolute, _) => Kind::Absolute,
        (ChargingProfileKindEnum::Relative, _) => Kind::Relative,
        (ChargingProfileKindEnum::Recurring, Some(RecurrencyKindEnum::Weekly)) => Kind::Weekly,
        (ChargingProfileKindEnum::Recurring, _) => Kind::Daily,
    };
    let periods = schedule.charging_schedule_period.iter().map(|period| Period {
        start_s: period.start_period,
        limit: period.limit,
        phases: small(period.number_phases),
        phase: small(period.phase_to_use),
    });
    Some(Profile {
        id: wire.id,
        stack_level: wire.stack_level,
        purpose: purpose(&wire.charging_profile_purpose),
        kind,
        valid_from: wire.valid_from.as_ref().map(instant),
        valid_to: wire.valid_to.as_ref().map(instant),
        transaction: wire.transaction_id.as_ref().map(ToString::to_string),
        schedule: Schedule {
            unit: match schedule.charging_rate_unit {
                ChargingRateUnitEnum::A => Unit::Amps,
                ChargingRateUnitEnum::W => Unit::Watts,
            },
            start: schedule.start_schedule.as_ref().map(instant),
            duration_s: schedule.duration,
            periods: periods.collect(),
        },
    })
}

/// A profile as it goes out.
fn shown(station: &Station, Installed { profile, .. }: &Installed) -> Value {
    let (kind, recurs) = match profile.kind {
        Kind::Absolute => ("Absolute", None),
        Kind::Daily => ("Recurring", Some("Daily")),
        Kind::Weekly => ("Recurring", Some("Weekly")),
        Kind::Relative => ("Relative", None),
    };
    let periods = profile.schedule.periods.iter().map(|period| {
        let all = json!({
            "startPeriod": period.start_s,
            "limit": period.limit,
            "numberPhases": period.phases,
            "phaseToUse": period.phase,
        });
        without_nulls(all)
    });
    // What came from outside is true time, and goes out as it came.
    let stamp = |at: chrono::DateTime<chrono::Utc>| station.stamp(at - (station.clock(at) - at));
    let schedule = without_nulls(json!({
        "id": profile.id,
        "chargingRateUnit": if profile.schedule.unit == Unit::Amps { "A" } else { "W" },
        "startSchedule": profile.schedule.start.map(stamp),
        "duration": profile.schedule.duration_s,
        "chargingSchedulePeriod": periods.collect::<Vec<_>>(),
    }));
    without_nulls(json!({
        "id": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": match profile.purpose {
            Purpose::StationMax => "ChargingStationMaxProfile",
            Purpose::External => "ChargingStationExternalConstraints",
            Purpose::TxDefault => "TxDefaultProfile",
            Purpose::Tx => "TxProfile",
        },
        "chargingProfileKind": kind,
        "recurrencyKind": recurs,
        "transactionId": profile.transaction,
        "validFrom": profile.valid_from.map(stamp),
        "validTo": profile.valid_to.map(stamp),
        "chargingSchedule": [schedule],
    }))
}

/// An object without the fields of which there is nothing to say.
fn without_nulls(mut object: Value) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.retain(|_, value| !value.is_null());
    }
    object
}
