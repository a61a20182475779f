//! Slots as local time. Everything is counted in slots; only labels come from the local clock.

use std::ops::Range;

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use kwartier_data::Instance;
use kwartier_engine::explain::Span;

/// Horizons up to this long need no weekday beside the time of day, in minutes: a day, even the one with 25 hours.
const ONE_DAY_MIN: i64 = 25 * 60;
/// Time zones differ from UTC by multiples of this, in minutes.
const QUARTER_MIN: i64 = 15;

/// The local clock of a horizon.
#[derive(Debug, Clone)]
pub struct Clock {
    start: DateTime<Utc>,
    slot_minutes: i64,
    /// Number of slots.
    pub slots: usize,
    tz: Tz,
}

/// A full hour of the local clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it is, in slots from the beginning.
    pub at: f64,
    /// The hour, 0 to 23.
    pub hour: u32,
    /// Its label, such as `06:00`; with the zone's name where the clock shows that hour twice.
    pub label: String,
}

impl Clock {
    /// The clock of an instance in a time zone.
    pub fn of(instance: &Instance, tz: Tz) -> Self {
        Clock { start: instance.start, slot_minutes: i64::from(instance.slot_minutes), slots: instance.slots, tz }
    }

    /// The clock of so many slots of a length from an instant on.
    pub fn new(start: DateTime<Utc>, slot_minutes: i64, slots: usize, tz: Tz) -> Self {
        Clock { start, slot_minutes, slots, tz }
    }

    /// The name of the time zone.
    pub fn zone(&self) -> &'static str {
        self.tz.name()
    }

    fn minutes(&self) -> i64 {
        self.slot_minutes.saturating_mul(i64::try_from(self.slots).unwrap_or(i64::MAX))
    }

    fn after(&self, minutes: i64) -> DateTime<Tz> {
        let after = TimeDelta::try_minutes(minutes).and_then(|delta| self.start.checked_add_signed(delta));
        after.unwrap_or(self.start).with_timezone(&self.tz)
    }

    /// When a slot begins.
    pub fn at(&self, slot: usize) -> DateTime<Tz> {
        self.after(self.slot_minutes.saturating_mul(i64::try_from(slot).unwrap_or(i64::MAX)))
    }

    /// The time of day at which a slot begins.
    pub fn time(&self, slot: usize) -> String {
        time_of_day(&self.at(slot))
    }

    /// Time of day, with the weekday where the horizon is longer than a day.
    pub fn moment(&self, slot: usize) -> String {
        let time = self.time(slot);
        if self.minutes() > ONE_DAY_MIN { format!("{} {time}", self.at(slot).format("%a")) } else { time }
    }

    /// A stretch of slots, such as `00:15-03:45`.
    pub fn stretch(&self, slots: Range<usize>) -> String {
        let (start, end) = (self.at(slots.start), self.at(slots.end));
        let to = if start.date_naive() == end.date_naive() || self.minutes() <= ONE_DAY_MIN {
            time_of_day(&end)
        } else {
            self.moment(slots.end)
        };
        format!("{}-{to}", self.moment(slots.start))
    }

    /// A stretch of an explanation.
    pub fn span(&self, span: &Span) -> String {
        self.stretch(span.from_slot..span.to_slot)
    }

    /// Several stretches; of more than `most` only the first, and how many are left out.
    pub fn spans(&self, spans: &[Span], most: usize) -> String {
        let named: Vec<String> = spans.iter().take(most).map(|span| self.span(span)).collect();
        let named = named.join(", ");
        match spans.len().saturating_sub(most) {
            0 => named,
            1 => format!("{named} and once more"),
            more => format!("{named} and {more} more times"),
        }
    }

    /// The horizon: dates and times.
    pub fn horizon(&self) -> String {
        let (start, end) = (self.at(0), self.at(self.slots));
        format!(
            "{} {} to {} {} ({})",
            start.format("%a %-d %B %Y"),
            time_of_day(&start),
            end.format("%a %-d %B %Y"),
            time_of_day(&end),
            self.zone()
        )
    }

    /// Every full hour of the local clock within the horizon.
    pub fn ticks(&self) -> Vec<Tick> {
        let first = (QUARTER_MIN - self.start.timestamp().div_euclid(60).rem_euclid(QUARTER_MIN)) % QUARTER_MIN;
        let mut ticks = Vec::new();
        let mut minute = first;
        while minute <= self.minutes() {
            let time = self.after(minute);
            if time.minute() == 0 {
                let at = minute as f64 / self.slot_minutes as f64;
                ticks.push(Tick { at, hour: time.hour(), label: time_of_day(&time) });
            }
            minute += QUARTER_MIN;
        }
        ticks
    }

    /// Days, with where each begins (the first at 0) and ends, in slots.
    pub fn days(&self) -> Vec<(NaiveDate, Range<f64>)> {
        let mut days = vec![(self.at(0).date_naive(), 0.0..self.slots as f64)];
        for (minute, date) in self.dates() {
            let at = minute as f64 / self.slot_minutes as f64;
            if let Some((_, last)) = days.last_mut() {
                last.end = at;
            }
            days.push((date, at..self.slots as f64));
        }
        days
    }

    /// When dates begin after the first, in minutes.
    fn dates(&self) -> Vec<(i64, NaiveDate)> {
        let mut found = Vec::new();
        let mut date = self.at(0).date_naive();
        let mut minute = 0;
        while minute < self.minutes() {
            let now = self.after(minute).date_naive();
            if now != date {
                found.push((minute, now));
                date = now;
            }
            minute += self.slot_minutes.min(QUARTER_MIN);
        }
        found
    }

    /// The slots of each hour of the local clock, with its label.
    pub fn hours(&self) -> Vec<(String, Range<usize>)> {
        let mut hours: Vec<(_, Range<usize>)> = Vec::new();
        for slot in 0..self.slots {
            let time = self.at(slot);
            let key = (time.ordinal(), time.hour(), time.format("%z").to_string());
            match hours.last_mut() {
                Some((last, slots)) if *last == key => slots.end = slot + 1,
                _ => hours.push((key, slot..slot + 1)),
            }
        }
        hours.into_iter().map(|(_, slots)| (self.stretch(slots.clone()), slots)).collect()
    }

    /// A note on a change of the clock within the horizon, if there is one.
    pub fn change(&self) -> Option<String> {
        let offset = |slot: usize| self.at(slot).format("%z").to_string();
        let slot = (1..=self.slots).find(|&slot| offset(slot) != offset(slot - 1))?;
        let (before, after) = (self.at(slot - 1), self.at(slot));
        let change = format!("the clock changes from {} to {}", before.format("%Z"), after.format("%Z"));
        let longer = self.minutes() > ONE_DAY_MIN;
        Some(if longer { format!("{change} on {}", after.format("%a %-d %B")) } else { change })
    }
}

/// The time of day, with the zone's name where the clock shows that time twice.
fn time_of_day(time: &DateTime<Tz>) -> String {
    match time.timezone().from_local_datetime(&time.naive_local()) {
        LocalResult::Ambiguous(..) => time.format("%H:%M %Z").to_string(),
        _ => time.format("%H:%M").to_string(),
    }
}
