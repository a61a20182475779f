//! What is known of feeds, as people see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kwartier_data::site::Site;
use parking_lot::RwLock;

use super::desk::{Desk, Known, Line};
use super::subject::{Subject, is_due};
use super::{weather, work};
use crate::resource::feed::{FeedState, FeedsView, Fetched, PriceDay};

/// What is known of feeds. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<RwLock<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    fetching: bool,
    subjects: BTreeMap<Subject, Fetched>,
}

impl Board {
    /// Shows what is known now, and whether anything is fetched at all.
    pub fn show(&self, desk: &Desk, fetching: bool, now: DateTime<Utc>) {
        let fetched = |(subject, known): (&Subject, &Known)| (subject.clone(), fetched(desk, subject, known, now));
        let subjects = desk.known().iter().map(fetched).collect();
        *self.0.write() = Shown { fetching, subjects };
    }

    /// The feeds of a site.
    pub fn of(&self, site: &Site, now: DateTime<Utc>) -> FeedsView {
        let shown = self.0.read();
        let aged = |fetched: &Fetched| Fetched {
            age_s: fetched.received.map(|received| (now - received).num_seconds()),
            ..fetched.clone()
        };
        let own = work::area(site);
        let prices = shown.subjects.iter().filter_map(|(subject, fetched)| match subject {
            Subject::Prices { area, day } if own.as_ref() == Some(area) => {
                Some(PriceDay { day: *day, fetched: aged(fetched) })
            }
            _ => None,
        });
        let place = weather::place(site);
        FeedsView {
            price_area: site.price_area.clone(),
            fetching: shown.fetching,
            prices: prices.collect(),
            weather: place.and_then(|place| shown.subjects.get(&place).map(aged)),
        }
    }

    /// How many things are wanted, and how many of them are late.
    pub fn late(&self) -> (usize, usize) {
        let shown = self.0.read();
        (shown.subjects.len(), shown.subjects.values().filter(|fetched| fetched.late).count())
    }

    /// The age of what is oldest, of prices and of weather, in s; what nothing is known of is left out.
    pub fn ages_s(&self, now: DateTime<Utc>) -> Vec<(&'static str, i64)> {
        let shown = self.0.read();
        let oldest = |weather: bool| {
            let alike =
                shown.subjects.iter().filter(|(subject, _)| matches!(subject, Subject::Weather { .. }) == weather);
            let received = alike.filter_map(|(_, fetched)| fetched.received);
            received.map(|received| (now - received).num_seconds()).max()
        };
        [("prices", oldest(false)), ("weather", oldest(true))]
            .into_iter()
            .filter_map(|(kind, age)| Some((kind, age?)))
            .collect()
    }
}

/// Weather that is older is late.
const WEATHER_LATE: chrono::TimeDelta = chrono::TimeDelta::hours(8);

fn fetched(desk: &Desk, subject: &Subject, known: &Known, now: DateTime<Utc>) -> Fetched {
    let feeds = desk.ranked(subject).into_iter().map(|source| {
        let line = known.lines.get(&source).cloned().unwrap_or_default();
        FeedState {
            source,
            origin: source.origin().title().to_owned(),
            state: state(&line).to_owned(),
            last_success: line.success,
            last_error: line.failure.as_ref().map(|failure| failure.why().to_owned()),
            failures: line.failures,
            next: line.next,
        }
    });
    let feeds: Vec<FeedState> = feeds.collect();
    match (subject, subject.area()) {
        (Subject::Prices { day, .. }, Some(area)) => Fetched {
            source: known.chosen.as_ref().map(|chosen| chosen.heard.source),
            received: known.chosen.as_ref().map(|chosen| chosen.heard.at),
            age_s: None,
            late: known.chosen.is_none()
                && is_due(area, *day, now)
                && known.lines.values().any(|line| line.failure.is_some()),
            notes: known.chosen.as_ref().map(|chosen| chosen.notes()).unwrap_or_default(),
            feeds,
        },
        _ => Fetched {
            source: known.weather.map(|(_, source)| source),
            received: known.weather.map(|(received, _)| received),
            age_s: None,
            late: known.weather.is_none_or(|(received, _)| now - received > WEATHER_LATE)
                && known.lines.values().any(|line| line.failure.is_some()),
            notes: Vec::new(),
            feeds,
        },
    }
}

fn state(line: &Line) -> &'static str {
    match &line.failure {
        Some(failure) => failure.word(),
        None if line.success.is_some() => "fine",
        None => "unasked",
    }
}
