//! What a charger should hold by all that it has taken, and whether what it tells of itself is more.
//!
//! Of each purpose the highest stack level in force counts, and of those the lowest limit (1.6, 3.13.2 and 3.13.3; 2.0.1, K01 and
//! K08). A transaction's own profile stands in the place of the defaults, a default of a connector in that of the whole charger's.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::door::Version;

/// A charger tells more than it should hold when it is so many A above, or this share.
const MORE_A: f64 = 0.5;
const MORE: f64 = 0.05;

/// The length of a day in s, by which daily schedules come again.
const DAY_S: i64 = 86_400;

/// What a profile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Maximum,
    Default,
    Transaction,
}

/// A profile that a charger has taken.
#[derive(Debug, Clone, PartialEq)]
struct Taken {
    place: i64,
    purpose: Purpose,
    level: i64,
    transaction: Value,
    start: DateTime<Utc>,
    duration_s: Option<i64>,
    until: Option<DateTime<Utc>>,
    daily: bool,
    /// From when in s since the start, and how much in A per phase.
    periods: Vec<(i64, f64)>,
}

/// All that a charger has taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book(BTreeMap<i64, Taken>);

impl Book {
    /// A `SetChargingProfile` was accepted.
    pub fn takes(&mut self, version: Version, request: &Value, voltage_v: f64) {
        let Some((id, taken)) = read(version, request, voltage_v) else { return };
        if version == Version::V16 {
            // The same purpose and stack level takes the place of another (3.13.2).
            self.0.retain(|_, known| {
                (known.place, known.purpose, known.level) != (taken.place, taken.purpose, taken.level)
            });
        }
        self.0.insert(id, taken);
    }

    /// The limit of a profile was updated: it holds as long from then on (2.1, K28). What feeds in draws nothing.
    pub fn updates(&mut self, id: i64, amps: f64, at: DateTime<Utc>) {
        if let Some(known) = self.0.get_mut(&id) {
            known.start = at;
            known.periods = vec![(0, amps.max(0.0))];
        }
    }

    /// A transaction has ended: its profile goes with it.
    pub fn ends(&mut self, connector: i64) {
        self.0.retain(|_, known| known.purpose != Purpose::Transaction || known.place != connector);
    }

    /// Nothing is known of it any more.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// The limit at a connector in A per phase; `None`, there is none.
    pub fn limit_at(&self, connector: i64, transaction: &Value, at: DateTime<Utc>) -> Option<f64> {
        let of = |purpose, place| {
            let meant = self.0.values().filter(|known| {
                known.purpose == purpose
                    && known.place == place
                    && (purpose != Purpose::Transaction || known.transaction == *transaction)
            });
            let in_force = meant.filter_map(|known| Some((known.level, known.limit_at(at)?)));
            in_force.max_by_key(|(level, _)| *level).map(|(_, amps)| amps)
        };
        let own = of(Purpose::Transaction, connector).or_else(|| of(Purpose::Default, connector));
        let usual = own.or_else(|| of(Purpose::Default, 0));
        [usual, of(Purpose::Maximum, 0)].into_iter().flatten().reduce(f64::min)
    }
}

impl Taken {
    fn limit_at(&self, at: DateTime<Utc>) -> Option<f64> {
        if self.until.is_some_and(|until| at >= until) || at < self.start {
            return None;
        }
        let since_s = (at - self.start).num_seconds();
        let since_s = if self.daily { since_s.rem_euclid(DAY_S) } else { since_s };
        if self.duration_s.is_some_and(|duration_s| since_s >= duration_s) {
            return None;
        }
        self.periods.iter().rev().find(|(start_s, _)| *start_s <= since_s).map(|(_, amps)| *amps)
    }
}

fn read(version: Version, request: &Value, voltage_v: f64) -> Option<(i64, Taken)> {
    let v16 = version == Version::V16;
    let profile = if v16 { &request["csChargingProfiles"] } else { &request["chargingProfile"] };
    let schedule = if v16 { &profile["chargingSchedule"] } else { &profile["chargingSchedule"][0] };
    let instant = |value: &Value| value.as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let purpose = match profile["chargingProfilePurpose"].as_str()? {
        "ChargePointMaxProfile" | "ChargingStationMaxProfile" => Purpose::Maximum,
        "TxDefaultProfile" => Purpose::Default,
        _ => Purpose::Transaction,
    };
    let taken = Taken {
        place: request[if v16 { "connectorId" } else { "evseId" }].as_i64()?,
        purpose,
        level: profile["stackLevel"].as_i64()?,
        transaction: profile["transactionId"].clone(),
        start: instant(&schedule["startSchedule"]).or_else(|| instant(&profile["dynUpdateTime"]))?,
        duration_s: schedule["duration"].as_i64(),
        until: instant(&profile["validTo"]),
        daily: profile["recurrencyKind"] == "Daily",
        periods: periods(schedule, voltage_v)?,
    };
    Some((profile[if v16 { "chargingProfileId" } else { "id" }].as_i64()?, taken))
}

/// The periods of a schedule, in A per phase.
fn periods(schedule: &Value, voltage_v: f64) -> Option<Vec<(i64, f64)>> {
    let watts = schedule["chargingRateUnit"] == "W";
    let one = |period: &Value| {
        let limit = period["limit"].as_f64()?;
        let phases = period["numberPhases"].as_f64().unwrap_or(3.0).clamp(1.0, 3.0);
        Some((period["startPeriod"].as_i64()?, if watts { limit / voltage_v / phases } else { limit }))
    };
    schedule["chargingSchedulePeriod"].as_array()?.iter().map(one).collect()
}

/// What a charger tells of the hours ahead (`GetCompositeSchedule`).
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    periods: Vec<(i64, f64)>,
    /// The same, where numbers that it calls W are A: some do.
    as_amps: Vec<(i64, f64)>,
}

impl Told {
    /// Reads an answer; `None`, it tells nothing.
    pub fn of(version: Version, answer: &Value, voltage_v: f64) -> Option<Told> {
        let schedule = if version == Version::V16 { &answer["chargingSchedule"] } else { &answer["schedule"] };
        let periods = periods(schedule, voltage_v).filter(|periods| !periods.is_empty())?;
        let mut amps = schedule.clone();
        amps["chargingRateUnit"] = Value::from("A");
        let as_amps = self::periods(&amps, voltage_v)?;
        Some(Told { periods, as_amps: if schedule["chargingRateUnit"] == "W" { as_amps } else { Vec::new() } })
    }

    /// What it tells so many s after it was asked, in A per phase, where that is more than it should hold.
    pub fn more_than(&self, should_a: f64, after_s: i64) -> Option<f64> {
        let at = |periods: &[(i64, f64)]| {
            periods.iter().rev().find(|(start_s, _)| *start_s <= after_s).map(|(_, amps)| *amps)
        };
        let most_a = should_a + MORE_A.max(should_a * MORE);
        let told_a = at(&self.periods)?;
        let fits_as_amps = at(&self.as_amps).is_some_and(|amps| amps <= most_a);
        (told_a > most_a && !fits_as_amps).then_some(told_a)
    }
}

/// A limit of which it is to be seen that it ends: so long after that, the one below it counts, whatever clocks say.
pub const SURELY_LAPSED: TimeDelta = TimeDelta::seconds(60);

#[cfg(test)]
mod tests {
    use kwartier_engine::plant::profiles::Purpose as Theirs;
    use kwartier_engine::plant::profiles::{Edition, Kind, Period, Profile, Running, Schedule, Store, Supply, Unit};
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::profiles::{Form, Limit};
    use super::*;

    const SUPPLY: Supply = Supply { voltage_v: 230.0 };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
    }

    fn form(version: Version, watts: bool) -> Form {
        Form { version, watts, phases: 3, voltage_v: 230.0, periods: 24, levels: 1, says_phases: false }
    }

    #[test]
    fn a_limit_that_is_updated_holds_as_long_from_then_on() {
        let form = form(Version::V21, false);
        let transaction = json!("t");
        let mut book = Book::default();
        book.takes(Version::V21, &form.maximum(32.0, at(0)), 230.0);
        let limit = Limit { amps: 16.0, phases: None, phase: None, until: at(120), above: true };
        book.takes(Version::V21, &form.dynamic(1, &transaction, &limit, 118, at(0)), 230.0);
        assert_eq!([at(117), at(118)].map(|at| book.limit_at(1, &transaction, at)), [Some(16.0), Some(32.0)]);
        book.updates(super::super::profiles::CHARGING + 1, 10.0, at(50));
        assert_eq!([at(167), at(168)].map(|at| book.limit_at(1, &transaction, at)), [Some(10.0), Some(32.0)]);
        book.updates(super::super::profiles::CHARGING + 1, -10.0, at(60));
        assert_eq!(book.limit_at(1, &transaction, at(61)), Some(0.0), "what feeds in draws nothing");
    }

    /// A request as the simulated station of the engine reads it.
    fn theirs(version: Version, request: &Value) -> (u32, Profile) {
        let v16 = version == Version::V16;
        let profile = &request[if v16 { "csChargingProfiles" } else { "chargingProfile" }];
        let schedule = if v16 { &profile["chargingSchedule"] } else { &profile["chargingSchedule"][0] };
        let instant = |value: &Value| value.as_str().map(|at| at.parse::<DateTime<Utc>>().unwrap());
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let periods = schedule["chargingSchedulePeriod"].as_array().unwrap().iter().map(|period| Period {
            start_s: period["startPeriod"].as_i64().unwrap(),
            limit: period["limit"].as_f64().unwrap(),
            phases: period["numberPhases"].as_u64().map(|count| u8::try_from(count).unwrap()),
            phase: None,
        });
        let read = Profile {
            id: profile[if v16 { "chargingProfileId" } else { "id" }].as_i64().unwrap(),
            stack_level: profile["stackLevel"].as_i64().unwrap(),
            purpose: match profile["chargingProfilePurpose"].as_str().unwrap() {
                "TxProfile" => Theirs::Tx,
                "TxDefaultProfile" => Theirs::TxDefault,
                _ => Theirs::StationMax,
            },
            kind: if profile["recurrencyKind"] == "Daily" { Kind::Daily } else { Kind::Absolute },
            valid_from: None,
            valid_to: instant(&profile["validTo"]),
            transaction: Some(&profile["transactionId"]).filter(|id| !id.is_null()).map(text),
            schedule: Schedule {
                unit: if schedule["chargingRateUnit"] == "W" { Unit::Watts } else { Unit::Amps },
                start: instant(&schedule["startSchedule"]),
                duration_s: schedule["duration"].as_i64(),
                periods: periods.collect(),
            },
        };
        (u32::try_from(request[if v16 { "connectorId" } else { "evseId" }].as_i64().unwrap()).unwrap(), read)
    }

    /// Something that a charger is told.
    #[derive(Debug, Clone)]
    enum Step {
        Maximum(f64),
        Fallback([f64; 24]),
        Waiting(f64, i64),
        Charging(i64, f64, i64),
        ByDefault(i64, f64, i64),
        Ends(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let amps = || (0_u32..32).prop_map(f64::from);
        let lasts = || 1_i64..4000;
        prop_oneof![
            amps().prop_map(Step::Maximum),
            prop::array::uniform24(amps()).prop_map(Step::Fallback),
            (amps(), lasts()).prop_map(|(amps, lasts)| Step::Waiting(amps, lasts)),
            (1_i64..3, amps(), lasts()).prop_map(|(connector, amps, lasts)| Step::Charging(connector, amps, lasts)),
            (1_i64..3, amps(), lasts()).prop_map(|(connector, amps, lasts)| Step::ByDefault(connector, amps, lasts)),
            (1_i64..3).prop_map(Step::Ends),
        ]
    }

    proptest! {
        /// What we believe is what a station that obeys the specification does, which shares no code with us.
        #[test]
        fn it_is_what_a_station_does_by_the_specification(
            v16 in any::<bool>(),
            watts in any::<bool>(),
            steps in prop::collection::vec((0_i64..600, step()), 1..30),
        ) {
            let (version, edition) = if v16 { (Version::V16, Edition::V16) } else { (Version::V201, Edition::V2) };
            let form = form(version, watts);
            let (mut book, mut store, mut second) = (Book::default(), Store::default(), 0);
            let transaction = |connector: i64| if v16 { json!(connector) } else { json!(format!("t{connector}")) };
            for (later, step) in steps {
                second += later;
                let limit = |amps: f64, lasts: i64| Limit { amps, phases: None, phase: None, until: at(second + lasts), above: false };
                let request = match &step {
                    Step::Maximum(amps) => form.maximum(*amps, at(second)),
                    Step::Fallback(by_hour) => form.fallback(by_hour, chrono_tz::Europe::Amsterdam, at(second)),
                    Step::Waiting(amps, lasts) => form.waiting(&limit(*amps, *lasts), at(second)),
                    Step::Charging(connector, amps, lasts) => {
                        form.charging(*connector, &transaction(*connector), &limit(*amps, *lasts), at(second))
                    }
                    Step::ByDefault(connector, amps, lasts) => {
                        form.charging_by_default(*connector, &limit(*amps, *lasts), at(second))
                    }
                    Step::Ends(connector) => {
                        book.ends(*connector);
                        store.ended(u32::try_from(*connector).unwrap());
                        continue;
                    }
                };
                let (evse, profile) = theirs(version, &request);
                prop_assert!(store.install(edition, evse, profile).is_ok(), "{request}");
                book.takes(version, &request, 230.0);
                for (connector, after) in [(1_u32, 0), (2, 0), (1, 61), (2, 1800), (1, 90_000)] {
                    let (now, id) = (at(second + after), transaction(i64::from(connector)));
                    let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                    let running = Running { since: at(0), id: Some(&text) };
                    let expected = store.limit_at(connector, now, running, SUPPLY).amps;
                    let ours = book.limit_at(i64::from(connector), &id, now);
                    prop_assert!(
                        match (ours, expected) {
                            (Some(ours), Some(expected)) => (ours - expected).abs() < 1e-6,
                            (ours, expected) => ours == expected,
                        },
                        "{ours:?} A, a station {expected:?} A, {after} s after {step:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_told_is_held_against_what_should_be() {
        let v16 = |unit: &str, limits: &[(i64, f64)]| {
            let periods: Vec<Value> =
                limits.iter().map(|(start, limit)| json!({ "startPeriod": start, "limit": limit })).collect();
            let schedule = json!({ "chargingRateUnit": unit, "chargingSchedulePeriod": periods });
            Told::of(Version::V16, &json!({ "status": "Accepted", "chargingSchedule": schedule }), 230.0)
        };
        let told = v16("A", &[(0, 16.0), (100, 8.0)]).unwrap();
        assert_eq!(
            (told.more_than(16.0, 0), told.more_than(15.6, 0), told.more_than(10.0, 0)),
            (None, None, Some(16.0))
        );
        assert_eq!((told.more_than(8.0, 99), told.more_than(8.0, 100)), (Some(16.0), None));
        // Less may be a limit of its own.
        assert_eq!(told.more_than(32.0, 0), None);
        assert_eq!(v16("W", &[(0, 11_040.0)]).unwrap().more_than(10.0, 0), Some(16.0));
        // Amperes that it calls watts.
        assert_eq!(v16("W", &[(0, 10.0)]).unwrap().more_than(10.0, 0), None);
        assert_eq!(v16("A", &[]), None);
        assert_eq!(Told::of(Version::V201, &json!({ "status": "Accepted" }), 230.0), None);
    }
}
