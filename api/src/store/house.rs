//! Keeping house: what grows without end is made coarser or dropped as it ages.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Fault, Kind, Store, Stream};

/// How long things are kept; `[keep]` in the configuration says otherwise than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Measurements as they were measured; minutes after that.
    pub seconds: TimeDelta,
    /// Minutes; quarter-hours after that, which stay.
    pub minutes: TimeDelta,
    /// Quarter-hours in tables; whole months of them in Parquet files after that.
    pub quarters: TimeDelta,
    /// Plans with all they were made from; the newest of each site stays.
    pub plans: TimeDelta,
    /// Forecasts that were replaced: of weather, of the sun, of carbon intensity, and those that were put.
    pub forecasts: TimeDelta,
    /// Who changed what.
    pub audit: TimeDelta,
    /// Alarms.
    pub alarms: TimeDelta,
    /// Deliveries to webhooks.
    pub deliveries: TimeDelta,
    /// Setpoints, and what chargers held before.
    pub setpoints: TimeDelta,
    /// Jobs that have ended.
    pub jobs: TimeDelta,
}

impl Default for Policy {
    /// A day of seconds to look into what just happened, a month of minutes for the month's peak and its bill, a year of
    /// quarter-hours at hand, a quarter of a year of plans and of what was forecast then; audit entries for ten years.
    fn default() -> Policy {
        Policy {
            seconds: TimeDelta::days(1),
            minutes: TimeDelta::days(35),
            quarters: TimeDelta::days(400),
            plans: TimeDelta::days(92),
            forecasts: TimeDelta::days(92),
            audit: TimeDelta::days(3653),
            alarms: TimeDelta::days(731),
            deliveries: TimeDelta::days(35),
            setpoints: TimeDelta::days(35),
            jobs: TimeDelta::days(7),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Measurements that were rolled up.
    pub rolled_up: u64,
    /// Quarter-hours that were moved into files.
    pub archived: u64,
    /// Other rows that were dropped.
    pub dropped: u64,
}

/// Rolls up and drops what is old enough at `now`. It may be stopped at any point and goes on from there the next time.
pub async fn keep_house(store: &dyn Store, now: DateTime<Utc>, policy: &Policy) -> Result<Kept, Fault> {
    let rolled_up = store.roll_up(now - policy.seconds, now - policy.minutes).await?;
    let archived = store.archive(now - policy.quarters).await?;
    let mut dropped = store.forget_plans(now - policy.plans).await?;
    for stream in Stream::ALL {
        let age = match stream {
            Stream::Audit => policy.audit,
            Stream::Alarm => policy.alarms,
            Stream::Delivery => policy.deliveries,
            Stream::Setpoint => policy.setpoints,
            Stream::Plan => policy.plans,
        };
        dropped += store.forget_log(stream, now - age).await?;
    }
    dropped += store.forget_versions(Kind::Forecast, now - policy.forecasts).await?;
    dropped += store.forget_versions(Kind::Held, now - policy.setpoints).await?;
    // What let somebody in need not be remembered once it is replaced, and what a charger said of itself neither.
    for kind in [Kind::Ticket, Kind::Station] {
        dropped += store.forget_versions(kind, now).await?;
    }
    dropped += store.forget_jobs(now - policy.jobs).await?;
    dropped += store.forget_answers(now).await?;
    Ok(Kept { rolled_up, archived, dropped })
}
