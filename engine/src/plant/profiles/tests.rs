//! Composite schedules against what the specification says second by second, and profiles that replace, clear and refuse.

#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::{
    Abilities, Clear, Edition, Installed, Kind, Period, Profile, Purpose, Refused, Running, Schedule, Span, Store,
    Supply, Unit,
};

const SUPPLY: Supply = Supply { voltage_v: 230.0 };

const HORIZON_S: i64 = 4 * 3600;

fn at(second: i64) -> DateTime<Utc> {
    "2026-03-02T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

fn running(since: i64) -> Running<'static> {
    Running { since: at(since), id: Some("7") }
}

fn profile(id: i64, purpose: Purpose, stack_level: i64, periods: &[(i64, f64)]) -> Profile {
    let period = |&(start_s, limit)| Period { start_s, limit, phases: None, phase: None };
    Profile {
        id,
        stack_level,
        purpose,
        kind: Kind::Absolute,
        valid_from: None,
        valid_to: None,
        transaction: None,
        schedule: Schedule {
            unit: Unit::Amps,
            start: Some(at(0)),
            duration_s: None,
            periods: periods.iter().map(period).collect(),
        },
    }
}

fn lasting(profile: Profile, duration_s: i64) -> Profile {
    Profile { schedule: Schedule { duration_s: Some(duration_s), ..profile.schedule.clone() }, ..profile }
}

fn store(all: impl IntoIterator<Item = (u32, Profile)>) -> Store {
    let mut store = Store::default();
    for (evse, profile) in all {
        store.install(Edition::V16, evse, profile).unwrap();
    }
    store
}

/// The composite schedule as start and amperes.
fn told(store: &Store, from: i64, duration_s: i64) -> Vec<(i64, Option<f64>)> {
    let spans = store.composite(1, at(from), duration_s, running(0), SUPPLY);
    spans.into_iter().map(|Span { start_s, limit }| (start_s, limit.amps)).collect()
}

#[test]
fn what_ends_falls_back_to_what_lies_below_it() {
    let store = store([
        (0, profile(1, Purpose::StationMax, 0, &[(0, 32.0)])),
        (0, profile(2, Purpose::TxDefault, 0, &[(0, 8.0)])),
        (1, lasting(profile(3, Purpose::Tx, 5, &[(0, 16.0), (60, 40.0)]), 300)),
    ]);
    assert_eq!(told(&store, 0, 600), [(0, Some(16.0)), (60, Some(32.0)), (300, Some(8.0))]);
    assert_eq!(store.limit_at(1, at(300), running(0), SUPPLY).amps, Some(8.0));
    // Without a transaction its profile counts for nothing.
    let nobody = Running { since: at(0), id: None };
    assert_eq!(store.limit_at(1, at(0), nobody, SUPPLY).amps, Some(8.0));
}

#[test]
fn a_default_on_the_connector_stands_before_one_for_the_station() {
    let store = store([
        (0, profile(1, Purpose::TxDefault, 9, &[(0, 6.0)])),
        (1, lasting(profile(2, Purpose::TxDefault, 0, &[(0, 20.0)]), 100)),
    ]);
    assert_eq!(told(&store, 0, 200), [(0, Some(20.0)), (100, Some(6.0))]);
    assert_eq!(store.limit_at(2, at(0), running(0), SUPPLY).amps, Some(6.0));
}

#[test]
fn a_day_comes_again_and_a_gap_in_it_means_no_limit() {
    let daily =
        Profile { kind: Kind::Daily, ..lasting(profile(1, Purpose::TxDefault, 0, &[(0, 6.0), (3600, 10.0)]), 7200) };
    let store = store([(0, daily)]);
    let day = 86_400;
    assert_eq!(told(&store, day - 60, 7200 + 120), [(0, None), (60, Some(6.0)), (3660, Some(10.0)), (7260, None)]);
}

#[test]
fn watts_are_of_all_phases_together() {
    let watts = |limit: f64, phases: Option<u8>| {
        let mut profile = profile(1, Purpose::TxDefault, 0, &[(0, limit)]);
        profile.schedule.unit = Unit::Watts;
        profile.schedule.periods[0].phases = phases;
        store([(0, profile)]).limit_at(1, at(0), running(0), SUPPLY).amps
    };
    assert_eq!(watts(11_040.0, None), Some(16.0));
    assert_eq!(watts(3680.0, Some(1)), Some(16.0));
}

#[test]
fn relative_times_count_from_the_transaction() {
    let relative = Profile { kind: Kind::Relative, ..lasting(profile(1, Purpose::Tx, 0, &[(0, 16.0)]), 100) };
    let store = store([(1, relative)]);
    let limit = |second, since| store.limit_at(1, at(second), running(since), SUPPLY).amps;
    assert_eq!((limit(99, 0), limit(100, 0), limit(100, 50)), (Some(16.0), None, Some(16.0)));
}

#[test]
fn profiles_take_each_others_place_as_the_edition_says() {
    let mut v16 = store([(1, profile(1, Purpose::TxDefault, 3, &[(0, 6.0)]))]);
    v16.install(Edition::V16, 1, profile(2, Purpose::TxDefault, 3, &[(0, 7.0)])).unwrap();
    v16.install(Edition::V16, 0, profile(2, Purpose::StationMax, 0, &[(0, 9.0)])).unwrap();
    let ids = |store: &Store| store.installed().iter().map(|i| (i.evse, i.profile.id)).collect::<Vec<_>>();
    assert_eq!(ids(&v16), [(0, 2)]);

    let mut v2 = Store::default();
    v2.install(Edition::V2, 1, profile(1, Purpose::TxDefault, 3, &[(0, 6.0)])).unwrap();
    let refused = v2.install(Edition::V2, 1, profile(2, Purpose::TxDefault, 3, &[(0, 7.0)]));
    assert_eq!(refused, Err(Refused::Duplicate(1)));
    v2.install(Edition::V2, 1, profile(1, Purpose::TxDefault, 3, &[(0, 8.0)])).unwrap();
    assert_eq!(v2.limit_at(1, at(0), running(0), SUPPLY).amps, Some(8.0));
    // One after the other in the same place is no conflict.
    let mut later = profile(2, Purpose::TxDefault, 4, &[(0, 7.0)]);
    later.valid_from = Some(at(500));
    let mut earlier = profile(3, Purpose::TxDefault, 4, &[(0, 7.0)]);
    earlier.valid_to = Some(at(500));
    v2.install(Edition::V2, 1, later).unwrap();
    v2.install(Edition::V2, 1, earlier).unwrap();
    assert_eq!(v2.installed().len(), 3);
}

#[test]
fn every_field_of_a_clear_counts() {
    let all = || {
        store([
            (0, profile(1, Purpose::StationMax, 0, &[(0, 32.0)])),
            (0, profile(2, Purpose::TxDefault, 0, &[(0, 8.0)])),
            (1, profile(3, Purpose::TxDefault, 1, &[(0, 8.0)])),
            (1, profile(4, Purpose::Tx, 1, &[(0, 8.0)])),
        ])
    };
    let cleared = |clear: Clear| {
        let mut store = all();
        (store.clear(clear), store.installed().iter().map(|i| i.profile.id).collect::<Vec<_>>())
    };
    assert_eq!(cleared(Clear::default()), (4, vec![]));
    assert_eq!(cleared(Clear { id: Some(3), ..Clear::default() }), (1, vec![1, 2, 4]));
    let defaults = Clear { purpose: Some(Purpose::TxDefault), ..Clear::default() };
    assert_eq!(cleared(defaults), (2, vec![1, 4]));
    assert_eq!(cleared(Clear { evse: Some(1), stack_level: Some(1), ..defaults }), (1, vec![1, 2, 4]));
    assert_eq!(cleared(Clear { id: Some(1), ..defaults }), (0, vec![1, 2, 3, 4]));
    let mut store = all();
    store.ended(1);
    assert_eq!(store.installed().len(), 3);
}

#[test]
fn a_station_refuses_what_it_must() {
    let abilities = Abilities {
        evses: 1,
        max_stack_level: 5,
        max_periods: 2,
        max_installed: 2,
        amps: true,
        watts: false,
        chooses_phase: false,
        wants_transaction: true,
    };
    let nobody = Running { since: at(0), id: None };
    let check =
        |edition, evse, profile: &Profile| abilities.check(edition, evse, profile, running(0), &Store::default());
    let good = profile(1, Purpose::TxDefault, 0, &[(0, 6.0)]);
    let tx = |id: Option<&str>| Profile { purpose: Purpose::Tx, transaction: id.map(str::to_owned), ..good.clone() };
    let with = |change: fn(&mut Profile)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed
    };
    assert_eq!(check(Edition::V2, 1, &good), Ok(()));
    assert_eq!(check(Edition::V2, 2, &good), Err(Refused::UnknownEvse));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.stack_level = 6)), Err(Refused::StackLevel));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.schedule.unit = Unit::Watts)), Err(Refused::Unit));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.schedule.periods[0].start_s = 120)), Err(Refused::Periods));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.schedule.periods[0].limit = -1.0)), Err(Refused::Periods));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.schedule.periods[0].phase = Some(2))), Err(Refused::Phase));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.kind = Kind::Relative)), Err(Refused::Start));
    assert_eq!(check(Edition::V16, 1, &with(|p| p.kind = Kind::Relative)), Ok(()));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.schedule.start = None)), Err(Refused::Start));
    assert_eq!(check(Edition::V16, 1, &with(|p| p.schedule.start = None)), Ok(()));
    assert_eq!(check(Edition::V2, 1, &with(|p| p.purpose = Purpose::StationMax)), Err(Refused::Purpose));
    assert_eq!(check(Edition::V2, 0, &with(|p| p.purpose = Purpose::External)), Err(Refused::Purpose));
    assert_eq!(check(Edition::V2, 0, &tx(Some("7"))), Err(Refused::Purpose));
    assert_eq!(check(Edition::V2, 1, &tx(Some("8"))), Err(Refused::Transaction));
    assert_eq!(check(Edition::V2, 1, &tx(None)), Err(Refused::Unnamed));
    assert_eq!(check(Edition::V2, 1, &tx(Some("7"))), Ok(()));
    let quiet = abilities.check(Edition::V16, 1, &tx(Some("7")), nobody, &Store::default());
    assert_eq!(quiet, Err(Refused::Transaction));
    let full = store([
        (0, profile(8, Purpose::StationMax, 0, &[(0, 9.0)])),
        (0, profile(9, Purpose::TxDefault, 0, &[(0, 9.0)])),
    ]);
    assert_eq!(abilities.check(Edition::V16, 1, &good, running(0), &full), Err(Refused::Full));
    let again = profile(9, Purpose::TxDefault, 0, &[(0, 7.0)]);
    assert_eq!(abilities.check(Edition::V16, 0, &again, running(0), &full), Ok(()));
}

/// What a profile allows in a second, straight from the words of the specification.
fn brute_profile(profile: &Profile, second: i64, since: i64) -> Option<f64> {
    let of = |instant: DateTime<Utc>| (instant - at(0)).num_seconds();
    if profile.valid_from.is_some_and(|from| second < of(from)) || profile.valid_to.is_some_and(|to| second >= of(to)) {
        return None;
    }
    let origin = match (profile.kind, profile.schedule.start) {
        (Kind::Relative, _) | (_, None) => since,
        (_, Some(start)) => of(start),
    };
    if second < origin {
        return None;
    }
    let mut elapsed = second - origin;
    let every = match profile.kind {
        Kind::Daily => 86_400,
        Kind::Weekly => 7 * 86_400,
        _ => i64::MAX,
    };
    while elapsed >= every {
        elapsed -= every;
    }
    if profile.schedule.duration_s.is_some_and(|duration| elapsed >= duration) {
        return None;
    }
    let mut limit = None;
    for period in &profile.schedule.periods {
        if elapsed >= period.start_s {
            limit = Some(match profile.schedule.unit {
                Unit::Amps => period.limit,
                Unit::Watts => period.limit / 230.0 / f64::from(period.phases.unwrap_or(3)),
            });
        }
    }
    limit
}

fn brute(store: &Store, second: i64, since: i64) -> Option<f64> {
    let best = |purpose: Purpose, evse: u32| {
        let mut best: Option<(i64, f64)> = None;
        for Installed { evse: on, profile } in store.installed() {
            if *on != evse || profile.purpose != purpose || profile.transaction.as_deref().is_some_and(|id| id != "7") {
                continue;
            }
            if let Some(limit) = brute_profile(profile, second, since)
                && best.is_none_or(|(level, _)| profile.stack_level >= level)
            {
                best = Some((profile.stack_level, limit));
            }
        }
        best.map(|(_, limit)| limit)
    };
    let session = best(Purpose::Tx, 1).or(best(Purpose::TxDefault, 1)).or(best(Purpose::TxDefault, 0));
    let mut limit = session;
    for other in [best(Purpose::StationMax, 0), best(Purpose::External, 0)].into_iter().flatten() {
        limit = Some(limit.map_or(other, |limit| limit.min(other)));
    }
    limit
}

fn some_profile() -> impl Strategy<Value = (u32, Profile)> {
    let purpose = prop_oneof![
        Just((Purpose::StationMax, 0)),
        Just((Purpose::External, 0)),
        Just((Purpose::TxDefault, 0)),
        Just((Purpose::TxDefault, 1)),
        Just((Purpose::Tx, 1)),
    ];
    let kind = prop_oneof![Just(Kind::Absolute), Just(Kind::Daily), Just(Kind::Weekly), Just(Kind::Relative)];
    let start = prop_oneof![-7200..HORIZON_S, Just(-86_400), Just(-86_399), -604_900..-604_000_i64, Just(-93_600)];
    let periods = prop::collection::vec((1..7200_i64, 0..320_u32, prop::option::of(1..=3_u8)), 1..5);
    let valid = (prop::option::of(-600..HORIZON_S), prop::option::of(-600..2 * HORIZON_S));
    let transaction = prop::option::of(prop_oneof![Just("7".to_owned()), Just("8".to_owned())]);
    let rest = (prop::option::of(1..20_000_i64), any::<bool>(), prop::bool::weighted(0.8), transaction);
    (0..12_i64, 0..3_i64, purpose, kind, start, periods, valid, rest).prop_map(
        |(
            id,
            stack_level,
            (purpose, evse),
            kind,
            start,
            periods,
            (from, to),
            (duration_s, watts, starts, transaction),
        )| {
            let mut start_s = 0;
            let mut all = Vec::new();
            for (length, tenths, phases) in periods {
                all.push(Period {
                    start_s,
                    limit: f64::from(tenths) / 10.0 * if watts { 690.0 } else { 1.0 },
                    phases,
                    phase: None,
                });
                start_s += length;
            }
            let profile = Profile {
                id,
                stack_level,
                purpose,
                kind,
                valid_from: from.map(at),
                valid_to: to.map(at),
                transaction: transaction.filter(|_| purpose == Purpose::Tx),
                schedule: Schedule {
                    unit: if watts { Unit::Watts } else { Unit::Amps },
                    start: (starts || matches!(kind, Kind::Daily | Kind::Weekly)).then(|| at(start)),
                    duration_s,
                    periods: all,
                },
            };
            (evse, profile)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_composite_schedule_is_what_every_second_says(
        all in prop::collection::vec(some_profile(), 0..9),
        since in -3600..HORIZON_S,
    ) {
        let store = store(all);
        let spans = store.composite(1, at(0), HORIZON_S, running(since), SUPPLY);
        prop_assert_eq!(spans.first().map(|span| span.start_s), Some(0));
        let mut spans = spans.into_iter().peekable();
        let mut told = None;
        for second in 0..HORIZON_S {
            if let Some(span) = spans.next_if(|span| span.start_s == second) {
                told = span.limit.amps;
            }
            prop_assert_eq!(told, brute(&store, second, since), "second {}", second);
        }
        prop_assert!(spans.next().is_none());
    }
}
