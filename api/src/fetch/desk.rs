//! What is known, and what is to be asked now. Pure: the same answers at the same instants lead to the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use kwartier_data::feeds::{self, Area, Carbon, PvPower, SkyForecast};

use super::answer::{Failure, Outcome, Retail, Values};
use super::choose::{Chosen, Heard, choose};
use super::retry;
use super::subject::{Subject, days};
use crate::config::Feeds;
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
    /// What a site's contract bills on a day.
    Contract {
        /// The site.
        site: String,
        /// The day.
        day: NaiveDate,
        /// What.
        billed: Arc<Billed>,
    },
    /// The power of a plant.
    Power {
        /// The plant.
        of: Subject,
        /// What it will be.
        power: feeds::Values<PvPower>,
    },
    /// The carbon intensity of an area.
    Carbon {
        /// Name of the area.
        area: String,
        /// What it was and will be.
        carbon: feeds::Values<Carbon>,
    },
}

/// What a supplier bills.
#[derive(Debug, Clone, PartialEq)]
pub struct Billed {
    /// The feed that says it.
    pub source: Source,
    /// What.
    pub retail: Retail,
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
    /// Whether it has answered with all of a day's prices, none of which is to change.
    pub whole: bool,
    /// Why it has none; `None`, it has, or was not asked.
    pub failure: Option<Failure>,
    /// When it is asked again at the earliest; `None`, it was not asked.
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
    /// What a contract bills.
    billed: Option<Arc<Billed>>,
    /// When what is not weighed against others came, and from which feed.
    pub came: Option<(DateTime<Utc>, Source)>,
    /// What is to be known of that.
    pub notes: Vec<String>,
}

/// Feeds by what they have, the one to prefer first.
#[derive(Debug, Clone, Default)]
pub struct Ranks {
    /// Prices of the market.
    pub prices: Vec<Source>,
    /// Weather.
    pub weather: Vec<Source>,
    /// The power of plants.
    pub pv: Vec<Source>,
    /// Carbon intensity.
    pub carbon: Vec<Source>,
    /// The feed of a site's contract, by site.
    pub contracts: BTreeMap<String, Source>,
    /// Plants that Solcast knows, by site and name.
    pub rooftops: BTreeSet<(String, String)>,
}

impl Ranks {
    /// Those of a configuration.
    pub fn of(settings: &Feeds) -> Ranks {
        Ranks {
            prices: settings.prices.clone(),
            weather: settings.weather.clone(),
            pv: settings.pv.clone(),
            carbon: settings.carbon.clone(),
            contracts: settings.contracts.iter().map(|of| (of.site.clone(), of.supplier.source())).collect(),
            rooftops: settings.rooftops.iter().map(|of| (of.site.clone(), of.plant.clone())).collect(),
        }
    }

    /// The feeds that a subject is asked of, the one to prefer first.
    pub fn for_subject(&self, subject: &Subject) -> Vec<Source> {
        match subject {
            Subject::Prices { .. } => {
                let covers = |source: &Source| subject.area().is_some_and(|area| source.covers(area));
                self.prices.iter().copied().filter(covers).collect()
            }
            Subject::Weather { .. } => self.weather.clone(),
            Subject::Contract { site, .. } => self.contracts.get(site).copied().into_iter().collect(),
            Subject::Pv { site, plant, roof, .. } => {
                let knows = |source: &Source| match source {
                    Source::Solcast => self.rooftops.contains(&(site.clone(), plant.clone())),
                    _ => roof.is_some(),
                };
                self.pv.iter().copied().filter(knows).collect()
            }
            Subject::Carbon { area } => self.carbon.iter().copied().filter(|source| source.colours(area)).collect(),
        }
    }

    /// Whether anything is fetched at all.
    pub fn is_any(&self) -> bool {
        let lists = [&self.prices, &self.weather, &self.pv, &self.carbon];
        lists.iter().any(|list| !list.is_empty()) || !self.contracts.is_empty()
    }
}

/// What is known of everything that is wanted.
#[derive(Debug)]
pub struct Desk {
    ranks: Ranks,
    /// Tells this service's chance from others'.
    service: u64,
    known: BTreeMap<Subject, Known>,
    /// When feeds that are sparing were asked.
    asked: BTreeMap<Source, VecDeque<DateTime<Utc>>>,
}

impl Desk {
    /// Nothing is known.
    pub fn new(ranks: Ranks, service: u64) -> Desk {
        Desk { ranks, service, known: BTreeMap::new(), asked: BTreeMap::new() }
    }

    /// Takes in what sites want: the prices of areas, and whatever else is asked for one by one. What nobody wants any more is
    /// forgotten.
    pub fn want(&mut self, areas: &BTreeSet<String>, others: &BTreeSet<Subject>, now: DateTime<Utc>) {
        let mut wanted = others.clone();
        for area in areas.iter().filter_map(|name| Area::parse(name)) {
            let day = |day| Subject::Prices { area: area.name.to_owned(), day };
            wanted.extend(days(area, now).into_iter().map(day));
        }
        // Yesterday's stay to be seen.
        let yesterday = now.date_naive().checked_sub_days(Days::new(1)).unwrap_or_default();
        let contracts: BTreeSet<&str> = others
            .iter()
            .filter_map(|subject| match subject {
                Subject::Contract { site, .. } => Some(site.as_str()),
                _ => None,
            })
            .collect();
        self.known.retain(|subject, _| match subject {
            Subject::Prices { area, day } => areas.contains(area) && *day >= yesterday,
            Subject::Contract { site, day, .. } => contracts.contains(site.as_str()) && *day >= yesterday,
            _ => others.contains(subject),
        });
        for subject in wanted {
            self.known.entry(subject).or_default();
        }
    }

    /// The feeds that are to be asked now; they count as asked.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Ask> {
        let mut due = Vec::new();
        for (subject, known) in &self.known {
            let ranked = self.ranks.for_subject(subject);
            let sources = match subject {
                Subject::Prices { .. } => known.wants_prices(ranked.into_iter(), now),
                _ => known.wants_first(&ranked, now),
            };
            due.extend(sources.into_iter().map(|source| Ask { subject: subject.clone(), source }));
        }
        // Of what is asked sparingly, that comes first which was asked least.
        due.sort_by_key(|ask| ask.source.budget().map(|_| self.tries(ask)));
        due.retain(|ask| self.may_ask(ask.source, now));
        for ask in &due {
            let line = self.known.entry(ask.subject.clone()).or_default().lines.entry(ask.source).or_default();
            line.tries += 1;
            line.under_way = true;
        }
        due
    }

    fn tries(&self, ask: &Ask) -> u32 {
        let line = self.known.get(&ask.subject).and_then(|known| known.lines.get(&ask.source));
        line.map_or(0, |line| line.tries)
    }

    /// Whether a feed may be asked once more; it counts as asked.
    fn may_ask(&mut self, source: Source, now: DateTime<Utc>) -> bool {
        let Some(budget) = source.budget() else { return true };
        let asked = self.asked.entry(source).or_default();
        asked.retain(|at| *at <= now && now - *at < budget.within);
        let may = asked.len() < budget.most;
        if may {
            asked.push_back(now);
        }
        may
    }

    /// A feed has answered, or has not; what is new by that.
    pub fn heard(&mut self, ask: &Ask, outcome: Outcome, now: DateTime<Utc>) -> Option<News> {
        let plants = self.known.keys().filter(|subject| matches!(subject, Subject::Pv { .. })).count();
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
                let alone = choose(&self.ranks.prices, std::slice::from_ref(&heard));
                line.whole = alone.is_some_and(|alone| alone.is_final());
                line.next = Some(again(line.whole, now, seed));
                known.heard.retain(|before| before.source != ask.source);
                known.heard.push(heard);
                let chosen = choose(&self.ranks.prices, &known.heard).map(Arc::new)?;
                let same = known.chosen.as_ref().is_some_and(|before| before.says_as(&chosen));
                known.chosen = Some(Arc::clone(&chosen));
                (!same).then(|| News::Prices { area: area.clone(), day: *day, chosen })
            }
            (Values::Sky(sky), Subject::Weather { .. }) => {
                line.next = Some(retry::weather(now, seed));
                (known.came, known.notes) = (Some((now, ask.source)), sky.values.notes.clone());
                Some(News::Weather { place: ask.subject.clone(), sky })
            }
            (Values::Retail(retail), Subject::Contract { site, day, .. }) => {
                line.whole = retail.total.values.is_complete();
                line.next = Some(again(line.whole, now, seed));
                (known.came, known.notes) = (Some((now, ask.source)), noted(&retail.total.values));
                let billed = Arc::new(Billed { source: ask.source, retail });
                let same = known.billed.as_ref().is_some_and(|before| **before == *billed);
                known.billed = Some(Arc::clone(&billed));
                (!same).then(|| News::Contract { site: site.clone(), day: *day, billed })
            }
            (Values::Power(power), Subject::Pv { .. }) => {
                line.next = Some(retry::power(now, seed, ask.source.budget(), plants));
                (known.came, known.notes) = (Some((now, ask.source)), power.notes.clone());
                Some(News::Power { of: ask.subject.clone(), power })
            }
            (Values::Carbon(carbon), Subject::Carbon { area }) => {
                line.next = Some(retry::carbon(now, seed));
                (known.came, known.notes) = (Some((now, ask.source)), carbon.notes.clone());
                Some(News::Carbon { area: area.clone(), carbon })
            }
            _ => None,
        }
    }

    /// What is known, by subject.
    pub fn known(&self) -> &BTreeMap<Subject, Known> {
        &self.known
    }

    /// The feeds, by what they have.
    pub fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// The days on which it is known what a site's contract bills.
    pub fn billed<'d>(&'d self, site: &'d str) -> impl Iterator<Item = (NaiveDate, &'d Arc<Billed>)> {
        self.known.iter().filter_map(move |(subject, known)| match subject {
            Subject::Contract { site: of, day, .. } if of == site => Some((*day, known.billed.as_ref()?)),
            _ => None,
        })
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
        let mut origins: BTreeSet<Source> = BTreeSet::new();
        let ranked: Vec<Source> = ranked.collect();
        let whole = |source: &&Source| line(**source).whole;
        origins.extend(ranked.iter().filter(whole).map(|source| source.origin()));
        let done = origins.clone();
        // What is known already is looked at again now and then.
        let mut wanted: Vec<Source> =
            ranked.iter().copied().filter(|source| line(*source).whole && line(*source).is_due(now)).collect();
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
    fn wants_first(&self, ranked: &[Source], now: DateTime<Utc>) -> Vec<Source> {
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

/// When a day's prices are asked for again.
fn again(whole: bool, now: DateTime<Utc>, seed: u64) -> DateTime<Utc> {
    if whole { retry::corrected(now, seed) } else { retry::unfinished(now, seed) }
}

/// What is to be known of values: what their feed notes, and what is missing.
fn noted<V>(values: &feeds::Values<V>) -> Vec<String> {
    let minutes: i64 = values.missing.iter().map(|span| span.length().num_minutes()).sum();
    let gaps = (minutes > 0).then(|| format!("{:.2} hours are missing", minutes as f64 / 60.0));
    gaps.into_iter().chain(values.notes.iter().cloned()).collect()
}

impl Line {
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let again = self.next.is_some_and(|next| next <= now);
        !self.under_way && (self.tries == 0 || again)
    }
}
