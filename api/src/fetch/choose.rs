//! Which of several answers counts, and whether they agree.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::{Prices, Span};

use crate::resource::feed::Source;

/// Prices of two feeds are the same up to this, in EUR/kWh: the last digits of some are rounded.
const ROUNDING_EUR_KWH: f64 = 0.000_1;

/// Feeds are compared by the hour: some have nothing finer.
const COMPARED: TimeDelta = TimeDelta::hours(1);

/// Prices that a feed has answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Which feed.
    pub source: Source,
    /// What.
    pub prices: Prices,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a feed of another origin says to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// No other has answered.
    Alone,
    /// The same.
    Same(Source),
    /// Something else.
    Other {
        /// Which feed.
        with: Source,
        /// In how many hours.
        hours: usize,
        /// The first of them.
        first: DateTime<Utc>,
        /// What both say then, in EUR/kWh: the one that counts first.
        eur_kwh: [f64; 2],
    },
}

/// The answer that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// What was heard.
    pub heard: Heard,
    /// Whether it is what others say.
    pub verdict: Verdict,
}

/// Of several answers the one that counts: what is whole before what has gaps, what is final before what is provisional, then
/// the feed that comes first in `rank`. Then it is held against all that do not depend on it.
pub fn choose(rank: &[Source], heard: &[Heard]) -> Option<Chosen> {
    let place = |heard: &Heard| rank.iter().position(|source| *source == heard.source).unwrap_or(rank.len());
    let best = heard.iter().min_by_key(|heard| (missing(heard), is_provisional(heard), place(heard)))?;
    let mut others: Vec<&Heard> = heard.iter().filter(|other| other.source.origin() != best.source.origin()).collect();
    others.sort_by_key(|other| place(other));
    let verdicts: Vec<Verdict> = others.into_iter().filter_map(|other| compared(best, other)).collect();
    let differs = verdicts.iter().find(|verdict| matches!(verdict, Verdict::Other { .. }));
    let verdict = differs.or(verdicts.first()).copied().unwrap_or(Verdict::Alone);
    Some(Chosen { heard: best.clone(), verdict })
}

impl Chosen {
    /// Whether nothing is missing of it and nothing of it may change.
    pub fn is_final(&self) -> bool {
        missing(&self.heard) == TimeDelta::zero() && !is_provisional(&self.heard)
    }

    /// What people should know of it.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match &self.verdict {
            Verdict::Alone => notes.push("no other feed that is independent has answered".to_owned()),
            Verdict::Same(source) => notes.push(format!("{} says the same", source.name())),
            Verdict::Other { with, hours, first, eur_kwh: [own, other] } => notes.push(format!(
                "{} says something else in {hours} hours, first at {}: {other:.4} and not {own:.4} EUR/kWh",
                with.name(),
                first.format("%Y-%m-%dT%H:%MZ"),
            )),
        }
        if is_provisional(&self.heard) {
            notes.push("prices are provisional: they may change".to_owned());
        }
        let gaps = missing(&self.heard);
        if gaps > TimeDelta::zero() {
            notes.push(format!("{:.2} hours are missing", gaps.num_minutes() as f64 / 60.0));
        }
        notes.extend(self.heard.prices.values.notes.iter().cloned());
        notes
    }
}

fn missing(heard: &Heard) -> TimeDelta {
    heard.prices.values.missing.iter().map(Span::length).fold(TimeDelta::zero(), |sum, length| sum + length)
}

fn is_provisional(heard: &Heard) -> bool {
    heard.prices.values.rows.iter().any(|row| row.value.provisional)
}

/// What another feed says to an answer; `None`, the two have no hour in common.
fn compared(one: &Heard, other: &Heard) -> Option<Verdict> {
    let hours = |heard: &Heard| heard.prices.values.series(COMPARED, |price| price.per_kwh);
    let (own, theirs) = (hours(one)?, hours(other)?);
    let mut common = 0;
    let mut unlike: Vec<(DateTime<Utc>, [f64; 2])> = Vec::new();
    for (k, value) in own.values.iter().enumerate() {
        let at = own.start + COMPARED * i32::try_from(k).unwrap_or(i32::MAX);
        let offset = (at - theirs.start).num_seconds();
        if offset < 0 || offset % COMPARED.num_seconds() != 0 {
            continue;
        }
        let index = usize::try_from(offset / COMPARED.num_seconds()).unwrap_or(usize::MAX);
        let (Some(own), Some(theirs)) = (value, theirs.values.get(index).copied().flatten()) else { continue };
        common += 1;
        if (own - theirs).abs() > ROUNDING_EUR_KWH {
            unlike.push((at, [*own, theirs]));
        }
    }
    match unlike.first() {
        Some(&(first, eur_kwh)) => Some(Verdict::Other { with: other.source, hours: unlike.len(), first, eur_kwh }),
        None if common > 0 => Some(Verdict::Same(other.source)),
        None => None,
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::fetch::tests::prices;

    const RANK: [Source; 4] = [Source::Entsoe, Source::EnergyCharts, Source::Energyzero, Source::Nordpool];

    /// A day's quarter-hours, all at one price but for those from `hour` on.
    fn heard(source: Source, eur_kwh: f64, from_hour: usize, then: f64) -> Heard {
        let quarters: Vec<f64> = (0..96).map(|k| if k < 4 * from_hour { eur_kwh } else { then }).collect();
        Heard { source, prices: prices(&quarters, 15), at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_copy_is_no_check_and_an_independent_feed_is() {
        let platform = heard(Source::Entsoe, 0.1, 12, 0.2);
        let copy = heard(Source::EnergyCharts, 0.1, 12, 0.2);
        let alone = choose(&RANK, &[platform.clone(), copy.clone()]).unwrap();
        assert_eq!((alone.heard.source, alone.verdict), (Source::Entsoe, Verdict::Alone));
        let checked = choose(&RANK, &[copy, platform, heard(Source::Energyzero, 0.1, 12, 0.2)]).unwrap();
        assert_eq!(checked.verdict, Verdict::Same(Source::Energyzero));
    }

    #[test]
    fn feeds_that_disagree_are_told_and_rank_decides() {
        let other = heard(Source::Energyzero, 0.1, 12, 0.201);
        let chosen = choose(&RANK, &[other, heard(Source::EnergyCharts, 0.1, 12, 0.2)]).unwrap();
        assert_eq!(chosen.heard.source, Source::EnergyCharts);
        let Verdict::Other { with, hours, first, eur_kwh } = chosen.verdict else { panic!("{:?}", chosen.verdict) };
        assert_eq!((with, hours), (Source::Energyzero, 12));
        assert_eq!(first, DateTime::UNIX_EPOCH + TimeDelta::hours(12));
        assert!((eur_kwh[0] - 0.2).abs() < 1e-9 && (eur_kwh[1] - 0.201).abs() < 1e-9);
        assert!(chosen.notes()[0].contains("energyzero says something else in 12 hours"), "{:?}", chosen.notes());
    }

    #[test]
    fn hours_are_checked_against_quarters_up_to_rounding() {
        let quarters: Vec<f64> = (0..96).map(|k| [0.1, 0.2, 0.3, 0.400_03][k % 4]).collect();
        let fine = Heard { source: Source::EnergyCharts, prices: prices(&quarters, 15), at: DateTime::UNIX_EPOCH };
        let hours = Heard { source: Source::Awattar, prices: prices(&[0.25; 24], 60), at: DateTime::UNIX_EPOCH };
        assert_eq!(choose(&RANK, &[fine, hours]).unwrap().verdict, Verdict::Same(Source::Awattar));
    }

    #[test]
    fn what_is_whole_and_final_comes_before_rank() {
        let mut gaps = heard(Source::Entsoe, 0.1, 24, 0.1);
        let last = gaps.prices.values.rows.pop().unwrap();
        gaps.prices.values.missing.push(Span { from: last.start, to: last.end });
        let mut provisional = heard(Source::EnergyCharts, 0.1, 24, 0.1);
        provisional.prices.values.rows[3].value.provisional = true;
        let whole = heard(Source::Energyzero, 0.1, 24, 0.1);
        let chosen = choose(&RANK, &[gaps.clone(), provisional.clone(), whole]).unwrap();
        assert!(chosen.heard.source == Source::Energyzero && chosen.is_final());
        let chosen = choose(&RANK, &[gaps.clone(), provisional]).unwrap();
        assert!(chosen.heard.source == Source::EnergyCharts && !chosen.is_final());
        let chosen = choose(&RANK, &[gaps]).unwrap();
        assert!(chosen.notes().iter().any(|note| note == "0.25 hours are missing"), "{:?}", chosen.notes());
        assert_eq!(choose(&RANK, &[]), None);
    }
}
