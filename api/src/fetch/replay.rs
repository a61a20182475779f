//! A past week once more: what became of prices, from answers that were kept.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::answer::Values;
use super::choose::{Chosen, Heard, Verdict, choose};
use super::record::Record;
use super::subject::Subject;
use super::work::understood;
use crate::resource::feed::Source;

/// What happened with the prices of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Name of the area.
    pub area: String,
    /// The day.
    pub day: NaiveDate,
    /// What came from each feed, in order: when, and how it ended.
    pub came: Vec<(DateTime<Utc>, Source, String)>,
    /// The prices that counted in the end.
    pub chosen: Option<Chosen>,
    /// When the first that could be used were there.
    pub known: Option<DateTime<Utc>>,
}

impl Day {
    /// Whether its prices are known in the end, and no feed says something else.
    pub fn is_sound(&self) -> bool {
        let said = self.chosen.as_ref().map(|chosen| chosen.verdict);
        matches!(said, Some(Verdict::Alone | Verdict::Same(_)))
    }
}

/// Plays records through the same parsers and the same choice.
pub fn play(records: &[Record], rank: &[Source]) -> Vec<Day> {
    let mut played: BTreeMap<(String, NaiveDate), (Day, Vec<Heard>)> = BTreeMap::new();
    for record in records {
        let Subject::Prices { area, day } = &record.subject else { continue };
        let fresh = || {
            let day = Day { area: area.clone(), day: *day, came: Vec::new(), chosen: None, known: None };
            (day, Vec::new())
        };
        let (day, heard) = played.entry((area.clone(), *day)).or_insert_with(fresh);
        let outcome = understood(record.raw(), record.source, &record.subject, record.asked(), record.at);
        let said = match outcome {
            Ok(Values::Prices(prices)) => {
                let count = prices.values.rows.len();
                heard.retain(|before| before.source != record.source);
                heard.push(Heard { source: record.source, prices, at: record.at });
                day.known.get_or_insert(record.at);
                format!("{count} prices")
            }
            Ok(_) => "other values".to_owned(),
            Err(failure) => format!("{}: {}", failure.word(), failure.why()),
        };
        day.came.push((record.at, record.source, said));
        day.chosen = choose(rank, heard);
    }
    played.into_values().map(|(day, _)| day).collect()
}
