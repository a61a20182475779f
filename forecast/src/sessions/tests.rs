//! The model as a whole: nothing of the future, nothing impossible, the regular known, the stranger judged by the group.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use kwartier_data::forecast::{Belief, MEDIAN};
use kwartier_data::local::{self, HolidayCalendar};
use proptest::prelude::*;

use super::*;

const NL: chrono_tz::Tz = chrono_tz::Europe::Amsterdam;

fn site(place: Place) -> Site {
    Site { clock: Clock { zone: NL, holidays: HolidayCalendar::Netherlands }, place }
}

fn salt() -> Salt {
    Salt::new(b"test")
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(day: NaiveDate, hour: f64) -> DateTime<Utc> {
    local::instant(NL, day.and_hms_opt(0, 0, 0).unwrap() + visit::span(hour)).0
}

/// A number between 0 and 1 that depends on what is given alone.
fn chance(seed: u64) -> f64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x ^ (x >> 31)) as f64 / u64::MAX as f64
}

/// A depot's weeks: on working days eight vans come about 17:00 and stay about 14 h for about 30 kWh; van 0 stays but 2 h
/// for 10 kWh. Drivers state an hour more than they stay.
fn depot(days: i64) -> Vec<Visit> {
    let mut visits = Vec::new();
    for back in 0..days {
        let date = day("2025-09-01") + TimeDelta::days(back);
        if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
            continue;
        }
        for van in 0..8_u64 {
            let chance = |k: u64| chance(u64::try_from(back).unwrap() * 1000 + van * 10 + k);
            let arrival = at(date, 16.5 + chance(0));
            let (stay_h, kwh) = if van == 0 { (2.0, 10.0) } else { (14.0, 30.0) };
            let stay_h = stay_h * (0.9 + 0.2 * chance(1));
            visits.push(Visit {
                departure: Some(arrival + visit::span(stay_h)),
                kwh: Some(kwh * (0.8 + 0.4 * chance(2))),
                vehicle: Some(salt().pseudonym(Kind::Vehicle, &van.to_string())),
                group: Some(salt().pseudonym(Kind::Group, "vans")),
                stated_departure: Some(arrival + visit::span(stay_h + 1.0)),
                ..Visit::arriving(arrival)
            });
        }
    }
    visits
}

fn ordered(belief: &Belief, least: f64) -> bool {
    belief.quantiles.is_sorted() && belief.quantiles[0] >= least && belief.mean.is_finite() && belief.mean >= least
}

#[test]
fn without_history_the_place_speaks_and_bands_are_wide() {
    let model = Model::fit(Log::default().as_of(at(day("2025-11-03"), 8.0)), site(Place::Depot), "x");
    let outcome = model.ready(at(day("2025-11-03"), 17.0)).at_arrival(&Visit::arriving(at(day("2025-11-03"), 17.0)));
    assert!((11.0..15.0).contains(&outcome.stay_h.quantiles[MEDIAN]), "{outcome:?}");
    assert!(outcome.stay_h.quantiles[5] - outcome.stay_h.quantiles[1] > 8.0);
    assert_eq!(model.window(), (None, 0));
    let ahead = model.ready(at(day("2025-11-03"), 17.0)).ahead(at(day("2025-11-03"), 17.0), TimeDelta::hours(48));
    assert!(ahead.visits.is_empty() && ahead.counts.notes.len() == 1);
}

#[test]
fn a_regular_is_known_and_a_stranger_judged_by_the_group() {
    let now = at(day("2025-11-25"), 17.0);
    let model = Model::fit(Log::new(depot(85)).as_of(now), site(Place::Depot), &salt().id());
    let ready = model.ready(now);
    let of = |van: &str| {
        let vehicle = Some(salt().pseudonym(Kind::Vehicle, van));
        let group = Some(salt().pseudonym(Kind::Group, "vans"));
        ready.at_arrival(&Visit { vehicle, group, ..Visit::arriving(now) })
    };
    let (short, long, stranger) = (of("0"), of("1"), of("99"));
    assert!((1.7..2.6).contains(&short.stay_h.quantiles[MEDIAN]), "{short:?}");
    assert!((7.0..13.0).contains(&short.kwh.quantiles[MEDIAN]), "{short:?}");
    assert!((13.0..15.0).contains(&long.stay_h.quantiles[MEDIAN]), "{long:?}");
    assert!((13.0..15.0).contains(&stranger.stay_h.quantiles[MEDIAN]), "{stranger:?}");
    // The stranger may be one like van 0, van 1 is not.
    assert!(stranger.stay_h.quantiles[0] < long.stay_h.quantiles[0]);
}

#[test]
fn statements_are_corrected_by_what_they_were_worth() {
    let now = at(day("2025-11-25"), 17.0);
    let model = Model::fit(Log::new(depot(85)).as_of(now), site(Place::Depot), &salt().id());
    let stated = Visit {
        group: Some(salt().pseudonym(Kind::Group, "vans")),
        stated_departure: Some(now + TimeDelta::hours(3)),
        ..Visit::arriving(now)
    };
    let outcome = model.ready(now).at_arrival(&stated);
    assert!((1.6..2.6).contains(&outcome.stay_h.quantiles[MEDIAN]), "{outcome:?}");
}

#[test]
fn who_is_still_here_leaves_later() {
    let now = at(day("2025-11-25"), 17.0);
    let model = Model::fit(Log::new(depot(85)).as_of(now), site(Place::Depot), &salt().id());
    let stranger = Visit { group: Some(salt().pseudonym(Kind::Group, "vans")), ..Visit::arriving(now) };
    // Laid out with all there is; only what had ended counts.
    let log = Log::new(depot(120));
    let ready = model.ready_on(log.as_of(at(day("2025-12-20"), 0.0)));
    let mut last = 0.0;
    for elapsed_h in [0.0, 1.0, 3.0, 10.0, 13.9, 30.0, 500.0] {
        let outcome = ready.still_here(&stranger, now + visit::span(elapsed_h), Some(4.0));
        assert!(ordered(&outcome.stay_h, elapsed_h) && ordered(&outcome.kwh, if elapsed_h > 0.0 { 4.0 } else { 0.0 }));
        assert!(outcome.stay_h.quantiles[0] >= last, "{elapsed_h} {outcome:?}");
        last = outcome.stay_h.quantiles[0];
    }
    // After three hours it is none of those that stay for two.
    assert!(ready.still_here(&stranger, now + TimeDelta::hours(3), None).stay_h.quantiles[0] > 10.0);
}

/// Everything that happens after an instant, replaced by nonsense.
fn spoiled(visits: &[Visit], now: DateTime<Utc>) -> Vec<Visit> {
    let mut spoiled: Vec<Visit> = visits
        .iter()
        .filter(|visit| visit.arrival < now)
        .map(|visit| match visit.departure {
            Some(departure) if departure <= now => *visit,
            _ => Visit { departure: Some(now + TimeDelta::days(300)), kwh: Some(9e9), ..*visit },
        })
        .collect();
    spoiled.extend((0..500).map(|k| Visit {
        departure: Some(now + TimeDelta::days(400)),
        kwh: Some(1e6),
        vehicle: visits.first().and_then(|visit| visit.vehicle),
        ..Visit::arriving(now + TimeDelta::minutes(k))
    }));
    spoiled
}

#[test]
fn the_future_changes_no_forecast() {
    let visits = depot(85);
    let now = at(day("2025-11-04"), 18.3);
    let visit = *visits.iter().rfind(|visit| visit.arrival < now).unwrap();
    let visit = Visit { departure: None, kwh: None, ..visit };
    let of = |visits: Vec<Visit>, laid_out: DateTime<Utc>| {
        let log = Log::new(visits);
        let model = Model::fit(log.as_of(now), site(Place::Depot), &salt().id());
        let ready = model.ready_on(log.as_of(laid_out));
        let ahead = ready.ahead(now, TimeDelta::hours(48));
        (ready.at_arrival(&visit), ready.still_here(&visit, now, Some(3.0)), ahead)
    };
    let honest = of(visits.clone(), now);
    assert!(honest == of(spoiled(&visits, now), now));
    // Laid out with more than is known then, each prediction still looks no further than its own instant.
    assert_eq!(honest.1, of(visits.clone(), now + TimeDelta::days(10)).1);
    assert!(honest.2 == of(spoiled(&visits, now), now + TimeDelta::days(500)).2);
}

#[test]
fn a_saved_model_says_the_same_and_forgets_whom_it_must() {
    let now = at(day("2025-11-25"), 17.0);
    let model = Model::fit(Log::new(depot(85)).as_of(now), site(Place::Depot), &salt().id());
    let text = serde_json::to_string(&model).unwrap();
    let mut read: Model = serde_json::from_str(&text).unwrap();
    let van = salt().pseudonym(Kind::Vehicle, "0");
    let visit = Visit { vehicle: Some(van), ..Visit::arriving(now) };
    assert_eq!(read.check(&salt().id()), Ok(()));
    assert_eq!(read.check("another"), Err(model::Unusable::Salt));
    assert_eq!(read.ready(now).at_arrival(&visit), model.ready(now).at_arrival(&visit));
    assert_eq!(read.site(), model.site());
    assert!(text.contains(&van.to_string()));
    assert_eq!(read.forget(van), 61);
    assert!(!serde_json::to_string(&read).unwrap().contains(&van.to_string()));
    assert!(read.ready(now).at_arrival(&visit).stay_h.quantiles[MEDIAN] > 3.0);
    read.learn([Visit { departure: Some(now), ..Visit::arriving(now - TimeDelta::hours(2)) }]);
    assert_eq!(read.log().len(), model.log().len() - 60);
}

#[test]
fn regulars_are_expected_on_the_days_they_come() {
    let log = Log::new(depot(85));
    // From Friday midnight for 48 h: all vans on Friday, none on Saturday.
    let now = at(day("2025-11-21"), 0.0);
    let model = Model::fit(log.as_of(now), site(Place::Depot), &salt().id());
    let ahead = model.ready(now).ahead(now, TimeDelta::hours(48));
    let on = |date: &str| {
        let date = day(date);
        ahead.visits.iter().filter(|visit| visit.day == date).map(|visit| visit.expected).collect::<Vec<f64>>()
    };
    assert_eq!(on("2025-11-21").iter().filter(|&&expected| expected > 0.9).count(), 8, "{:?}", on("2025-11-21"));
    assert!(on("2025-11-22").iter().all(|&expected| expected < 0.25), "{:?}", on("2025-11-22"));
    let first = ahead.visits.first().unwrap();
    assert!(at(day("2025-11-21"), 16.0) < first.arrival[MEDIAN] && first.arrival[MEDIAN] < at(day("2025-11-21"), 18.0));
    let total: f64 = ahead.counts.steps[..96].iter().map(|step| step.mean).sum();
    assert!((6.5..9.0).contains(&total), "{total}");
    // At 17:45 they have come, and do not come again.
    let evening = at(day("2025-11-20"), 17.75);
    let ahead = model.ready_on(log.as_of(evening)).ahead(evening, TimeDelta::hours(6));
    assert!(ahead.visits.iter().all(|visit| visit.expected < 0.2), "{:?}", ahead.visits);
}

#[test]
fn days_on_which_clocks_change_have_92_and_100_quarters() {
    let log = Log::new(depot(300));
    for (date, quarters) in [("2026-03-29", 92), ("2025-10-26", 100), ("2025-10-27", 96)] {
        let (start, end) = (at(day(date), 0.0), local::day_start(NL, local::next_day(day(date))));
        let model = Model::fit(log.as_of(start - TimeDelta::days(20)), site(Place::Home), "x");
        let ahead = model.ready_on(log.as_of(start)).ahead(start, end - start);
        assert_eq!(ahead.counts.steps.len(), quarters, "{date}");
        assert!(ahead.visits.iter().all(|visit| start <= visit.arrival[0] && visit.arrival[6] <= end));
    }
}

#[test]
fn the_backtest_beats_the_guesses_where_there_are_habits() {
    let visits = depot(85);
    let settings = BacktestSettings { site: site(Place::Depot), from: None, until: None, refit_days: 14 };
    let mut told = Vec::new();
    let report = backtest(&visits, settings, &mut |done, all| told.push((done, all))).unwrap();
    assert_eq!(told.last(), Some(&(report.fits, report.fits)));
    let loss = |predicted, way| {
        let mut rows = report.rows.iter();
        let row =
            rows.find(|row| (row.predicted, row.after_h, row.stated_only, row.way) == (predicted, 0.0, false, way));
        row.unwrap().scores.pinball.unwrap()
    };
    for predicted in [backtest::Predicted::StayH, backtest::Predicted::Kwh] {
        assert!(loss(predicted, backtest::Way::Model) < loss(predicted, backtest::Way::OwnHistory), "{report:?}");
        assert!(loss(predicted, backtest::Way::OwnHistory) < loss(predicted, backtest::Way::OneDistribution));
    }
    let arrivals = report.arrivals.unwrap();
    assert!(arrivals.brier < 0.02 && arrivals.count_ratio > 0.9 && arrivals.count_ratio < 1.1, "{arrivals:?}");
    let far = BacktestSettings { from: Some(at(day("2030-01-01"), 0.0)), ..settings };
    assert_eq!(backtest(&visits, far, &mut |_, _| {}), Err(NothingToTest::NoVisit));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the log holds, what is believed is ordered, finite, and possible.
    #[test]
    fn beliefs_are_possible(
        log in prop::collection::vec((0_i64..90_000, 0_i64..20_000, 0.0_f64..1e4, 0_u8..5, any::<bool>(), 0_i64..5_000), 0..260),
        elapsed_m in 0_i64..10_000,
        so_far_kwh in prop::option::of(0.0_f64..200.0),
    ) {
        let start = at(day("2026-02-20"), 0.0);
        let visits = log.iter().map(|&(arrival, stay, kwh, who, ended, stated)| {
            let arrival = start + TimeDelta::minutes(arrival);
            Visit {
                departure: ended.then(|| arrival + TimeDelta::minutes(stay)),
                kwh: Some(kwh),
                driver: (who > 0).then(|| salt().pseudonym(Kind::Driver, &who.to_string())),
                stated_departure: (stated > 100).then(|| arrival + TimeDelta::minutes(stated)),
                stated_kwh: (stated > 200).then_some(kwh),
                ..Visit::arriving(arrival)
            }
        });
        let log = Log::new(visits);
        let now = start + TimeDelta::minutes(95_000);
        let model = Model::fit(log.as_of(now), site(Place::Public), "x");
        let ready = model.ready(now);
        let driver = Some(salt().pseudonym(Kind::Driver, "1"));
        let visit = Visit { driver, ..Visit::arriving(now - TimeDelta::minutes(elapsed_m)) };
        let arrived = ready.at_arrival(&visit);
        prop_assert!(ordered(&arrived.stay_h, 0.0) && ordered(&arrived.kwh, 0.0), "{:?}", arrived);
        let here = ready.still_here(&visit, now, so_far_kwh);
        let elapsed_h = elapsed_m as f64 / 60.0;
        prop_assert!(ordered(&here.stay_h, elapsed_h - 1e-9), "{:?}", here);
        prop_assert!(ordered(&here.kwh, so_far_kwh.unwrap_or(0.0) - 1e-9), "{:?}", here);
        prop_assert!(here.departures()[0] >= now - TimeDelta::milliseconds(1));
        for expected in ready.ahead(now, TimeDelta::hours(48)).visits {
            prop_assert!(expected.arrival.is_sorted() && expected.arrival[0] >= now && expected.expected >= 0.0);
            prop_assert!(expected.who == Who::Anyone || expected.expected <= 1.0);
        }
    }
}
