//! What a charger is to hold, in three layers: the installer's maximum, the fallback that stays, and the setpoint that lapses.
//!
//! In a transaction the setpoint is a `TxProfile`. Outside of one it is a `TxDefaultProfile` above the fallback's, never higher
//! than the fallback: so that whatever lapses first, and whatever transaction begins while nobody listens, a charger never
//! holds more than it was told last and its fallback. (OCPP 1.6, 3.13; OCPP 2.0.1, K01 and K02.)

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::local;
use serde_json::{Value, json};

use super::door::Version;

/// Ids of our profiles: the same one replaces (2.0.1, K01.FR.05).
pub const MAXIMUM: i64 = 1;
/// The fallback's.
pub const FALLBACK: i64 = 2;
/// The setpoint's outside of transactions.
pub const WAITING: i64 = 3;
/// The setpoint's in a transaction; the connector is added.
pub const CHARGING: i64 = 10;

/// A schedule begins so much earlier than it is sent, in s: clocks differ.
const EARLIER_S: i64 = 60;

/// A setpoint above the fallback counts no more when the charger has been without us for so long, in s (2.1).
const OFFLINE_S: i64 = 65;

/// The fallback is stored as from the beginning of this day before today, in days.
const SINCE_DAYS: i64 = 2;

/// How a charger wants its schedules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Form {
    /// In which version.
    pub version: Version,
    /// In W of all phases together instead of A per phase.
    pub watts: bool,
    /// On how many phases the charger is connected.
    pub phases: u8,
    /// Voltage between phase and neutral in V.
    pub voltage_v: f64,
    /// The most periods of a schedule.
    pub periods: usize,
    /// The highest stack level.
    pub levels: i64,
    /// Whether each limit has to say on how many phases.
    pub says_phases: bool,
}

/// A limit that lapses.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// A per phase; negative, so much is to be fed in (2.1, Q).
    pub amps: f64,
    /// On so many phases, where the charger can switch.
    pub phases: Option<u8>,
    /// On this phase of its own, 1 to 3, where it can choose (2.0.1).
    pub phase: Option<u8>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Whether it is above what stands below it, so that it should not outlast the link.
    pub above: bool,
}

impl Form {
    /// The installer's maximum.
    pub fn maximum(&self, max_a: f64, now: DateTime<Utc>) -> Value {
        let purpose = match self.version {
            Version::V16 => "ChargePointMaxProfile",
            Version::V201 | Version::V21 => "ChargingStationMaxProfile",
        };
        let schedule = self.schedule(MAXIMUM, Some(begin(now)), None, &[(0, max_a)], None, None);
        self.request(0, MAXIMUM, 0, purpose, &json!({ "chargingProfileKind": "Absolute" }), schedule)
    }

    /// The fallback, by hour of the local day where the charger can hold that.
    pub fn fallback(&self, by_hour_a: &[f64; 24], zone: Tz, now: DateTime<Utc>) -> Value {
        let mut periods: Vec<(i64, f64)> = Vec::new();
        for (hour, &amps) in (0_i64..).zip(by_hour_a) {
            if periods.last().is_none_or(|(_, last)| (last - amps).abs() > 1e-9) {
                periods.push((3600 * hour, amps));
            }
        }
        let daily = periods.len() > 1 && periods.len() <= self.periods;
        if !daily {
            let least = by_hour_a.iter().copied().fold(f64::INFINITY, f64::min);
            let schedule = self.schedule(FALLBACK, Some(begin(now)), None, &[(0, least)], None, None);
            return self.request(
                0,
                FALLBACK,
                0,
                "TxDefaultProfile",
                &json!({ "chargingProfileKind": "Absolute" }),
                schedule,
            );
        }
        let midnight = local::day_start(zone, local::previous_day(local::day(zone, now)));
        let schedule = self.schedule(FALLBACK, Some(midnight), Some(86_400), &periods, None, None);
        let kind = json!({ "chargingProfileKind": "Recurring", "recurrencyKind": "Daily" });
        self.request(0, FALLBACK, 0, "TxDefaultProfile", &kind, schedule)
    }

    /// A setpoint outside of transactions.
    pub fn waiting(&self, limit: &Limit, now: DateTime<Utc>) -> Value {
        self.lapses(0, WAITING, "TxDefaultProfile", None, limit, now)
    }

    /// A setpoint in a transaction.
    pub fn charging(&self, connector: i64, transaction: &Value, limit: &Limit, now: DateTime<Utc>) -> Value {
        self.lapses(connector, CHARGING + connector, "TxProfile", Some(transaction), limit, now)
    }

    /// A setpoint in a transaction of a charger that takes no profiles of transactions.
    pub fn charging_by_default(&self, connector: i64, limit: &Limit, now: DateTime<Utc>) -> Value {
        self.lapses(connector, CHARGING + connector, "TxDefaultProfile", None, limit, now)
    }

    fn lapses(
        &self,
        connector: i64,
        id: i64,
        purpose: &str,
        transaction: Option<&Value>,
        limit: &Limit,
        now: DateTime<Utc>,
    ) -> Value {
        let start = whole(now - TimeDelta::seconds(EARLIER_S));
        let duration_s = (limit.until - start).num_seconds().max(1);
        let schedule = self.schedule(id, Some(start), Some(duration_s), &[(0, limit.amps)], limit.phases, limit.phase);
        let mut more = json!({ "chargingProfileKind": "Absolute", "validTo": stamp(limit.until) });
        self.ends_offline(limit, &mut more);
        if let Some(transaction) = transaction {
            more["transactionId"] = transaction.clone();
        }
        self.request(connector, id, self.levels.min(1), purpose, &more, schedule)
    }

    /// A setpoint in a transaction that can be updated (2.1, K28): it lapses when it has not been for `lasts_s`.
    pub fn dynamic(
        &self,
        connector: i64,
        transaction: &Value,
        limit: &Limit,
        lasts_s: i64,
        now: DateTime<Utc>,
    ) -> Value {
        let id = CHARGING + connector;
        let schedule = self.schedule(id, None, Some(lasts_s), &[(0, limit.amps)], limit.phases, limit.phase);
        let mut more = json!({
            "chargingProfileKind": "Dynamic",
            "dynUpdateTime": stamp(now),
            "transactionId": transaction.clone(),
        });
        self.ends_offline(limit, &mut more);
        self.request(connector, id, self.levels.min(1), "TxProfile", &more, schedule)
    }

    /// Another limit for a profile that can be updated (`UpdateDynamicSchedule`).
    pub fn update(&self, connector: i64, limit: &Limit) -> Value {
        let says = self.says(limit.amps, self.on_phases(limit.phases));
        json!({ "chargingProfileId": CHARGING + connector, "scheduleUpdate": says })
    }

    fn on_phases(&self, told: Option<u8>) -> u8 {
        told.filter(|count| *count > 0).unwrap_or(self.phases)
    }

    fn in_watts(&self, amps: f64) -> bool {
        self.watts || amps < 0.0
    }

    /// What is above what stands below it counts by no clock but the time without us, whatever the charger's own clock says.
    fn ends_offline(&self, limit: &Limit, profile: &mut Value) {
        if limit.above && self.version == Version::V21 {
            profile["maxOfflineDuration"] = json!(OFFLINE_S);
            profile["invalidAfterOfflineDuration"] = json!(true);
        }
    }

    /// How a limit is written. What feeds in follows a setpoint, in W of all phases whatever the unit of limits, and draws nothing
    /// (2.1, Q05).
    fn says(&self, amps: f64, phases: u8) -> Value {
        let scale = if self.in_watts(amps) { self.voltage_v * f64::from(phases) } else { 1.0 };
        // Down: a limit has one decimal (1.6, 7.14).
        let size = (amps.abs() * scale * 10.0 + 1e-6).floor() / 10.0;
        if amps < 0.0 {
            json!({ "setpoint": -size, "dischargeLimit": -size, "limit": 0.0 })
        } else {
            json!({ "limit": size })
        }
    }

    fn schedule(
        &self,
        id: i64,
        start: Option<DateTime<Utc>>,
        duration_s: Option<i64>,
        periods: &[(i64, f64)],
        phases: Option<u8>,
        phase: Option<u8>,
    ) -> Value {
        let count = self.on_phases(phases);
        let watts = periods.iter().any(|(_, amps)| self.in_watts(*amps));
        let periods = periods.iter().map(|&(start_s, amps)| {
            let mut period = self.says(amps, count);
            period["startPeriod"] = json!(start_s);
            if amps < 0.0 {
                period["operationMode"] = json!("CentralSetpoint");
            }
            match phase.filter(|_| self.version != Version::V16) {
                Some(phase) => {
                    period["numberPhases"] = json!(1);
                    period["phaseToUse"] = json!(phase);
                }
                None if phases.is_some() || watts || self.says_phases => period["numberPhases"] = json!(count),
                None => {}
            }
            period
        });
        let mut schedule = json!({
            "chargingRateUnit": if watts { "W" } else { "A" },
            "chargingSchedulePeriod": periods.collect::<Vec<_>>(),
        });
        if let Some(start) = start {
            schedule["startSchedule"] = json!(stamp(start));
        }
        if let Some(duration_s) = duration_s {
            schedule["duration"] = json!(duration_s);
        }
        if self.version != Version::V16 {
            schedule["id"] = json!(id);
        }
        schedule
    }

    fn request(&self, place: i64, id: i64, level: i64, purpose: &str, more: &Value, schedule: Value) -> Value {
        let mut profile = more.clone();
        profile["stackLevel"] = json!(level);
        profile["chargingProfilePurpose"] = json!(purpose);
        if self.version == Version::V16 {
            profile["chargingProfileId"] = json!(id);
            profile["chargingSchedule"] = schedule;
            json!({ "connectorId": place, "csChargingProfiles": profile })
        } else {
            profile["id"] = json!(id);
            profile["chargingSchedule"] = json!([schedule]);
            json!({ "evseId": place, "chargingProfile": profile })
        }
    }
}

/// What is stored for good begins before today, so that no clock is before it.
fn begin(now: DateTime<Utc>) -> DateTime<Utc> {
    (now - TimeDelta::days(SINCE_DAYS)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
}

fn whole(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()))
}

/// An instant as chargers read it.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
