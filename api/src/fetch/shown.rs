//! What is known of feeds, as people see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::Site;
use parking_lot::{Mutex, RwLock};

use super::desk::{Desk, Known, Line};
use super::subject::{Subject, is_due};
use super::{area, weather};
use crate::access::SiteRef;
use crate::resource::feed::{FeedState, FeedsView, Fetched, PlantFeed, PriceDay};

/// What is known of feeds, and which sites have changed since they were looked at. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Board {
    shown: Arc<RwLock<Shown>>,
    changed: Arc<Mutex<BTreeSet<SiteRef>>>,
}

#[derive(Debug, Default)]
struct Shown {
    fetching: bool,
    subjects: BTreeMap<Subject, Fetched>,
}

impl Board {
    /// A site is new, has changed, or is gone: what it wants is looked at.
    pub fn changed(&self, site: &SiteRef) {
        self.changed.lock().insert(site.clone());
    }

    /// The sites that have changed since this was asked.
    pub fn take_changed(&self) -> BTreeSet<SiteRef> {
        std::mem::take(&mut *self.changed.lock())
    }

    /// Shows what is known now, and whether anything is fetched at all.
    pub fn show(&self, desk: &Desk, now: DateTime<Utc>) {
        let fetched = |(subject, known): (&Subject, &Known)| (subject.clone(), fetched(desk, subject, known, now));
        let subjects = desk.known().iter().map(fetched).collect();
        *self.shown.write() = Shown { fetching: desk.ranks().is_any(), subjects };
    }

    /// The feeds of the site of an id.
    pub fn of(&self, id: &str, site: &Site, now: DateTime<Utc>) -> FeedsView {
        let shown = self.shown.read();
        let (market, intensity, place) = (area::of_prices(site), area::of_carbon(site), weather::place(site));
        let mut view = FeedsView {
            price_area: site.price_area.clone(),
            fetching: shown.fetching,
            prices: Vec::new(),
            contract: Vec::new(),
            weather: None,
            pv: Vec::new(),
            carbon: None,
        };
        for (subject, fetched) in &shown.subjects {
            let age_s = fetched.received.map(|received| (now - received).num_seconds());
            let fetched = || Fetched { age_s, ..fetched.clone() };
            match subject {
                Subject::Prices { area, day } if market.as_ref() == Some(area) => {
                    view.prices.push(PriceDay { day: *day, fetched: fetched() });
                }
                Subject::Contract { site, day, .. } if site == id => {
                    view.contract.push(PriceDay { day: *day, fetched: fetched() });
                }
                Subject::Weather { .. } if place.as_ref() == Some(subject) => view.weather = Some(fetched()),
                Subject::Pv { site, plant, .. } if site == id => {
                    view.pv.push(PlantFeed { plant: plant.clone(), fetched: fetched() });
                }
                Subject::Carbon { area } if intensity.as_ref() == Some(area) => view.carbon = Some(fetched()),
                _ => {}
            }
        }
        view
    }

    /// How many things are wanted, and how many of them are late.
    pub fn late(&self) -> (usize, usize) {
        let shown = self.shown.read();
        (shown.subjects.len(), shown.subjects.values().filter(|fetched| fetched.late).count())
    }

    /// The age of what is oldest of each kind, in s; what nothing is known of is left out.
    pub fn ages_s(&self, now: DateTime<Utc>) -> BTreeMap<&'static str, i64> {
        let mut ages = BTreeMap::new();
        for (subject, fetched) in &self.shown.read().subjects {
            if let Some(received) = fetched.received {
                let age_s = (now - received).num_seconds();
                ages.entry(kind(subject)).and_modify(|oldest: &mut i64| *oldest = age_s.max(*oldest)).or_insert(age_s);
            }
        }
        ages
    }
}

/// What a subject is of, as it is counted.
fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Prices { .. } => "prices",
        Subject::Contract { .. } => "contract",
        Subject::Weather { .. } => "weather",
        Subject::Pv { .. } => "pv",
        Subject::Carbon { .. } => "carbon",
    }
}

/// What is forecast is late when it is older.
const LATE: TimeDelta = TimeDelta::hours(8);

/// The power of a plant may be older: a feed that lets itself be asked ten times a day has a few plants at most.
const POWER_LATE: TimeDelta = TimeDelta::hours(30);

fn fetched(desk: &Desk, subject: &Subject, known: &Known, now: DateTime<Utc>) -> Fetched {
    let feeds = desk.ranks().for_subject(subject).into_iter().map(|source| {
        let line = known.lines.get(&source).cloned().unwrap_or_default();
        FeedState {
            source,
            origin: source.origin().about().title.to_owned(),
            state: state(&line).to_owned(),
            last_success: line.success,
            last_error: line.failure.as_ref().map(|failure| failure.why().to_owned()),
            failures: line.failures,
            next: line.next,
        }
    });
    let chosen = known.chosen.as_ref().map(|chosen| (chosen.heard.at, chosen.heard.source, chosen.notes()));
    let came = known.came.map(|(at, source)| (at, source, known.notes.clone()));
    let came = chosen.or(came);
    let received = came.as_ref().map(|(received, ..)| *received);
    let oldest = if matches!(subject, Subject::Pv { .. }) { POWER_LATE } else { LATE };
    // A day's prices do not age.
    let missing = received.is_none_or(|received| subject.day().is_none() && now - received > oldest);
    let failed = known.lines.values().any(|line| line.failure.is_some());
    Fetched {
        source: came.as_ref().map(|(_, source, _)| *source),
        received,
        age_s: None,
        late: missing && failed && is_due(subject, now),
        feeds: feeds.collect(),
        notes: came.map(|(.., notes)| notes).unwrap_or_default(),
    }
}

fn state(line: &Line) -> &'static str {
    match &line.failure {
        Some(failure) => failure.word(),
        None if line.success.is_some() => "fine",
        None => "unasked",
    }
}
