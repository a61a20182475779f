//! A week of answers: as the market is on good days and on bad ones.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::servers::{energy_charts, energyzero};
use crate::fetch::client::Raw;
use crate::fetch::record::Record;
use crate::fetch::subject::Subject;
use crate::resource::feed::Source;

/// The week in which clocks are put back: Sunday has 25 hours.
const MONDAY: NaiveDate = match NaiveDate::from_ymd_opt(2026, 10, 19) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// What a feed answers on a day of the week, after so many minutes from 12:50.
struct Answer {
    day: u64,
    minutes: i64,
    source: Source,
    raw: fn(&Subject) -> Result<Raw, String>,
}

#[expect(clippy::unnecessary_wraps, reason = "an outcome among others")]
fn body(text: String) -> Result<Raw, String> {
    Ok(Raw { status: 200, body: text.into_bytes(), retry_after: None })
}

fn fine(subject: &Subject) -> Result<Raw, String> {
    body(energy_charts(subject, 0.0).to_string())
}

fn other(subject: &Subject) -> Result<Raw, String> {
    body(energyzero(subject).to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "an outcome among others")]
fn missing(_: &Subject) -> Result<Raw, String> {
    Ok(Raw { status: 404, body: Vec::new(), retry_after: None })
}

fn page(_: &Subject) -> Result<Raw, String> {
    body("<html>maintenance</html>".to_owned())
}

fn apart(subject: &Subject) -> Result<Raw, String> {
    body(energy_charts(subject, 12.0).to_string())
}

fn gone(_: &Subject) -> Result<Raw, String> {
    Err("it took longer than 30 s".to_owned())
}

/// What was recorded.
pub fn records() -> Vec<Record> {
    use Source::{EnergyCharts, Energyzero};
    let answer = |day, minutes, source, raw| Answer { day, minutes, source, raw };
    let week = [
        // Monday: both in time.
        answer(0, 2, EnergyCharts, fine),
        answer(0, 2, Energyzero, other),
        // Tuesday: not yet, then both.
        answer(1, 0, EnergyCharts, missing),
        answer(1, 0, Energyzero, missing),
        answer(1, 9, EnergyCharts, fine),
        answer(1, 9, Energyzero, other),
        // Wednesday: the first by rank lies with status 200.
        answer(2, 1, EnergyCharts, page),
        answer(2, 1, Energyzero, other),
        // Thursday: the two disagree.
        answer(3, 1, EnergyCharts, apart),
        answer(3, 1, Energyzero, other),
        // Friday: nobody, until the evening.
        answer(4, 0, EnergyCharts, gone),
        answer(4, 0, Energyzero, gone),
        answer(4, 300, Energyzero, other),
        // Saturday, for the day of 25 hours.
        answer(5, 3, EnergyCharts, fine),
        answer(5, 3, Energyzero, other),
        // Sunday: nothing at all.
        answer(6, 1, EnergyCharts, missing),
        answer(6, 1, Energyzero, gone),
    ];
    let record = |answer: Answer| {
        let day = MONDAY.checked_add_days(Days::new(answer.day)).unwrap();
        let subject = Subject::Prices { area: "NL".to_owned(), day: day.checked_add_days(Days::new(1)).unwrap() };
        let at: DateTime<Utc> = day.and_hms_opt(10, 50, 0).unwrap().and_utc() + TimeDelta::minutes(answer.minutes);
        let raw = (answer.raw)(&subject);
        Record::of(answer.source, &subject, subject.span(at), &raw, at)
    };
    week.into_iter().map(record).collect()
}
