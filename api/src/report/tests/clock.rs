//! Local time, above all on the days on which the clock changes.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::sample;
use crate::report::clock::Clock;

fn clock(start: &str, slots: usize, tz: Tz) -> Clock {
    let start: DateTime<Utc> = start.parse().unwrap();
    let mut instance = sample();
    (instance.start, instance.slots) = (start, slots);
    Clock::of(&instance, tz)
}

fn labels(clock: &Clock) -> Vec<String> {
    clock.ticks().into_iter().map(|tick| tick.label).collect()
}

#[test]
fn a_day_of_23_hours_leaves_one_out() {
    let clock = clock("2023-03-25T23:00:00Z", 92, Tz::Europe__Amsterdam);
    let labels = labels(&clock);
    assert_eq!(labels[..4], ["00:00", "01:00", "03:00", "04:00"]);
    assert_eq!(labels.len(), 24, "{labels:?}");
    assert_eq!(labels[23], "00:00");
    assert_eq!(clock.hours().len(), 23);
    assert_eq!(clock.days().len(), 1);
    assert_eq!(clock.change().unwrap(), "the clock changes from CET to CEST");
}

#[test]
fn a_day_of_25_hours_marks_the_one_shown_twice() {
    let clock = clock("2023-10-28T22:00:00Z", 100, Tz::Europe__Amsterdam);
    let labels = labels(&clock);
    assert_eq!(labels[..5], ["00:00", "01:00", "02:00 CEST", "02:00 CET", "03:00"]);
    let mut inner = labels[..25].to_vec();
    inner.dedup();
    assert_eq!(inner.len(), 25, "an hour stands twice without a mark: {labels:?}");
    assert_eq!(clock.hours().len(), 25);
    assert_eq!(clock.stretch(8..12), "02:00 CEST-02:00 CET");
    assert_eq!(clock.stretch(12..17), "02:00 CET-03:15");
    assert!((clock.ticks()[4].at - 16.0).abs() < 1e-9, "03:00 is four hours after midnight");
}

#[test]
fn zones_off_by_half_an_hour_have_their_full_hours_within_slots_of_an_hour() {
    let mut instance = sample();
    (instance.slot_minutes, instance.slots) = (60, 24);
    let clock = Clock::of(&instance, Tz::Asia__Kolkata);
    assert_eq!(clock.ticks()[0].label, "10:00");
    assert!((clock.ticks()[0].at - 0.5).abs() < 1e-9);
}

#[test]
fn longer_horizons_name_the_day() {
    let clock = clock("2023-06-12T22:00:00Z", 192, Tz::Europe__Amsterdam);
    assert_eq!(clock.stretch(4..8), "Tue 01:00-02:00");
    assert_eq!(clock.stretch(92..100), "Tue 23:00-Wed 01:00");
    let days = clock.days();
    assert_eq!(days.len(), 2);
    assert!((days[1].1.start - 96.0).abs() < 1e-9);
}
