//! What is known, and what is to be asked now. Pure: the same answers at the same instants lead to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use kwartier_data::feeds::{Area, SkyForecast};

use super::answer::{Failure, Outcome, Values};
use super::choose::{Chosen, Heard, choose};
use super::retry;
use super::source::Origin;
use super::subject::{Subject, days};
use crate::resource::feed::Source;

/// Feeds of so many origins are asked for prices: one to believe, one to check it by.
const ORIGINS: usize = 2;

/// A feed that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What for.
    pub subject: Subject,
    /// Which.
    pub source: Source,
}

/// What is new.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Prices of a day of an area.
    Prices {
        /// Name of the area.
        area: String,
        /// The day.
        day: NaiveDate,
        /// The answer that counts.
        chosen: Arc<Chosen>,
    },
    /// Weather at a place.
    Weather {
        /// The place.
        place: Subject,
        /// What it will be.
        sky: SkyForecast,
    },
}

/// How a feed does with a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// How often it was asked.
    pub tries: u32,
    /// How often in a row it has failed.
    pub failures: u32,
    /// Whether its answer is waited for.
    pub under_way: bool,
    /// When it last answered with values.
    pub success: Option<DateTime<Utc>>,
    /// Why it has none; `None`, it has, or was not asked.
    pub failure: Option<Failure>,
    /// When it is asked again at the earliest; `None`, it was not asked, or need not be again.
    pub next: Option<DateTime<Utc>>,
}

/// What is known of a subject.
#[derive(Debug, Default)]
pub struct Known {
    /// How each feed does that was asked.
    pub lines: BTreeMap<Source, Line>,
    /// Prices that feeds have answered.
    heard: Vec<Heard>,
    /// Of those, the ones that count.
    pub chosen: Option<Arc<Chosen>>,
    /// When weather came, and from which feed.
    pub weather: Option<(DateTime<Utc>, Source)>,
}

/// What is known of everything that is wanted.
#[derive(Debug)]
pub struct Desk {
    prices: Vec<Source>,
    weather: Vec<Source>,
    /// Tells this service's chance from others'.
    service: u64,
    known: BTreeMap<Subject, Known>,
}

impl Desk {
    /// Nothing is known. Feeds are given in the order of their rank.
    pub fn new(prices: Vec<Source>, weather: Vec<Source>, service: u64) -> Desk {
        Desk { prices, weather, service, known: BTreeMap::new() }
    }

    /// Takes in what sites want: the prices of areas, the weather at places. What nobody wants any more is forgotten.
    pub fn want(&mut self, areas: &BTreeSet<String>, places: &BTreeSet<Subject>, now: DateTime<Utc>) {
        let mut wanted = places.clone();
        for area in areas.iter().filter_map(|name| Area::parse(name)) {
            let day = |day| Subject::Prices { area: area.name.to_owned(), day };
            wanted.extend(days(area, now).into_iter().map(day));
        }
        let stays = |subject: &Subject| match subject {
            // Yesterday's stay to be seen.
            Subject::Prices { area, day } => {
                areas.contains(area) && *day >= now.date_naive().checked_sub_days(Days::new(1)).unwrap_or(*day)
            }
            Subject::Weather { .. } => places.contains(subject),
        };
        self.known.retain(|subject, _| stays(subject));
        for subject in wanted {
            self.known.entry(subject).or_default();
        }
    }

    /// The feeds that are to be asked now; they count as asked.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Ask> {
        let mut due = Vec::new();
        let (prices, weather) = (&self.prices, &self.weather);
        for (subject, known) in &mut self.known {
            let sources = match subject.area() {
                Some(area) => known.wants_prices(prices.iter().copied().filter(|source| source.covers(area)), now),
                None => known.wants_weather(weather, now),
            };
            for source in sources {
                let line = known.lines.entry(source).or_default();
                line.tries += 1;
                line.under_way = true;
                due.push(Ask { subject: subject.clone(), source });
            }
        }
        due
    }

    /// A feed has answered, or has not; what is new by that.
    pub fn heard(&mut self, ask: &Ask, outcome: Outcome, now: DateTime<Utc>) -> Option<News> {
        let known = self.known.get_mut(&ask.subject)?;
        let line = known.lines.entry(ask.source).or_default();
        let seed = retry::seed(&ask.subject, ask.source, line.tries, self.service);
        line.under_way = false;
        let values = match outcome {
            Ok(values) => values,
            Err(failure) => {
                line.failures = if matches!(failure, Failure::NotYet(_)) { 0 } else { line.failures + 1 };
                line.next = Some(retry::after_failure(&failure, line.failures, now, seed));
                line.failure = Some(failure);
                return None;
            }
        };
        (line.failures, line.failure, line.success) = (0, None, Some(now));
        match (values, &ask.subject) {
            (Values::Prices(prices), Subject::Prices { area, day }) => {
                let heard = Heard { source: ask.source, prices, at: now };
                let alone = choose(&self.prices, std::slice::from_ref(&heard));
                line.next = alone.filter(|alone| !alone.is_final()).map(|_| retry::unfinished(now, seed));
                known.heard.retain(|before| before.source != ask.source);
                known.heard.push(heard);
                let chosen = choose(&self.prices, &known.heard).map(Arc::new)?;
                let same = known.chosen.as_ref().is_some_and(|before| before.says_as(&chosen));
                known.chosen = Some(Arc::clone(&chosen));
                (!same).then(|| News::Prices { area: area.clone(), day: *day, chosen })
            }
            (Values::Sky(sky), Subject::Weather { .. }) => {
                line.next = Some(retry::weather(now, seed));
                known.weather = Some((now, ask.source));
                Some(News::Weather { place: ask.subject.clone(), sky })
            }
            _ => None,
        }
    }

    /// What is known, by subject.
    pub fn known(&self) -> &BTreeMap<Subject, Known> {
        &self.known
    }

    /// The feeds that a subject is asked of, in the order of their rank.
    pub fn ranked(&self, subject: &Subject) -> Vec<Source> {
        match subject.area() {
            Some(area) => self.prices.iter().copied().filter(|source| source.covers(area)).collect(),
            None => self.weather.clone(),
        }
    }

    /// The days of an area whose prices are known.
    pub fn days<'d>(&'d self, area: &'d str) -> impl Iterator<Item = (NaiveDate, &'d Arc<Chosen>)> {
        self.known.iter().filter_map(move |(subject, known)| match subject {
            Subject::Prices { area: of, day } if of == area => Some((*day, known.chosen.as_ref()?)),
            _ => None,
        })
    }
}

impl Chosen {
    /// Whether it makes the same prices, with the same said of them.
    fn says_as(&self, other: &Chosen) -> bool {
        let alike = std::mem::discriminant(&self.verdict) == std::mem::discriminant(&other.verdict);
        self.heard.source == other.heard.source && self.heard.prices == other.heard.prices && alike
    }
}

impl Known {
    /// Of all that have prices, the best by rank of as many origins as are wanted; for each that has failed another one, and
    /// that one too when its time has come.
    fn wants_prices(&self, ranked: impl Iterator<Item = Source>, now: DateTime<Utc>) -> Vec<Source> {
        let unasked = Line::default();
        let line = |source: Source| self.lines.get(&source).unwrap_or(&unasked);
        let mut origins: BTreeSet<Origin> = BTreeSet::new();
        let ranked: Vec<Source> = ranked.collect();
        let whole = |source: &&Source| line(**source).success.is_some() && line(**source).next.is_none();
        origins.extend(ranked.iter().filter(whole).map(|source| source.origin()));
        let done = origins.clone();
        let mut wanted = Vec::new();
        for source in ranked.into_iter().filter(|source| !done.contains(&source.origin())) {
            let line = line(source);
            let promising = line.failure.is_none();
            if promising && (origins.len() >= ORIGINS || origins.contains(&source.origin())) && line.tries == 0 {
                continue;
            }
            if done.len() >= ORIGINS {
                break;
            }
            if promising {
                origins.insert(source.origin());
            }
            if line.is_due(now) {
                wanted.push(source);
            }
        }
        wanted
    }

    /// The first by rank; the next one only where all before it have failed.
    fn wants_weather(&self, ranked: &[Source], now: DateTime<Utc>) -> Vec<Source> {
        let mut wanted = Vec::new();
        for source in ranked {
            let line = self.lines.get(source);
            if line.is_none_or(|line| line.is_due(now)) {
                wanted.push(*source);
            }
            if line.is_none_or(|line| line.failure.is_none()) {
                break;
            }
        }
        wanted
    }
}

impl Line {
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let again = self.next.is_some_and(|next| next <= now);
        !self.under_way && (self.tries == 0 || again)
    }
}
