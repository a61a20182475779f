//! Defects put into the public series at places drawn by seed: how many are found, and how much is found that is none.

use std::fmt::Write as _;
use std::ops::Range;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use kwartier_data::local;
use kwartier_data::quality::{Defect, Nature, QualityFlag, Remedy, clean};
use kwartier_data::series::{Quantity, Reading, Series, read_history};

use super::shared;

/// A series of numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    /// From 0 to 1, by `SplitMix64`.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    fn index(&mut self, range: Range<usize>) -> usize {
        range.start + (self.next() * (range.end - range.start) as f64) as usize
    }
}

/// A public series.
struct Public {
    group: &'static str,
    series: Series,
    nature: Nature,
    zone: Tz,
}

fn public() -> Option<Vec<Public>> {
    let read = |name: &str, column: Option<&str>, quantity, zone: Tz, filter: &[(String, String)]| {
        let reading = Reading { zone: Some(zone), column, filter, ..Reading::default() };
        Some(read_history(&shared(name)?, quantity, &reading).unwrap().series)
    };
    let cet = local::zone("+01:00").unwrap();
    let mut all = Vec::new();
    for (group, name, column) in [
        ("campus", "load_campus_15min.parquet", Some("kw")),
        ("campus cooling", "load_campus_15min.parquet", Some("chiller_kw")),
        ("steel works", "load_steel_15min.parquet", Some("kw")),
        ("British home", "load_ukhome1.parquet", None),
    ] {
        let zone = if name.contains("ukhome") { Tz::UTC } else { cet };
        all.push(Public { group, series: read(name, column, Quantity::Power, zone, &[])?, nature: Nature::Load, zone });
    }
    for building in 1..=10 {
        let filter = [("building".to_owned(), building.to_string())];
        let homes = "homes_load_pv_hourly.parquet";
        let zone = local::zone("-08:00").unwrap();
        let load = read(homes, None, Quantity::Power, zone, &filter)?;
        all.push(Public { group: "ten homes", series: load, nature: Nature::Load, zone });
        if [1, 5, 9].contains(&building) {
            let pv = read(homes, None, Quantity::PowerPerPeak, zone, &filter)?;
            all.push(Public { group: "their PV", series: pv, nature: Nature::Pv, zone });
        }
    }
    Some(all)
}

/// What is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Outlier,
    Frozen,
    Zeros,
    Sign,
    Thousand,
    Thousandth,
    Energy,
}

const KINDS: [(Kind, &str); 7] = [
    (Kind::Outlier, "outliers"),
    (Kind::Frozen, "frozen"),
    (Kind::Zeros, "zeros"),
    (Kind::Sign, "sign"),
    (Kind::Thousand, "W for kW"),
    (Kind::Thousandth, "MW for kW"),
    (Kind::Energy, "kWh for kW"),
];

impl Kind {
    /// Hours that it lasts.
    fn hours(self, dice: &mut Dice) -> f64 {
        let (least, most) = match self {
            Kind::Outlier => (0.0, 0.6),
            Kind::Frozen => (8.0, 120.0),
            Kind::Zeros => (6.0, 120.0),
            Kind::Sign | Kind::Thousand | Kind::Thousandth => (24.0, 336.0),
            Kind::Energy => (72.0, 336.0),
        };
        least + (most - least) * dice.next()
    }

    fn is(self, defect: Defect) -> bool {
        match (self, defect) {
            (Kind::Outlier, Defect::Outlier)
            | (Kind::Frozen, Defect::Frozen)
            | (Kind::Zeros, Defect::ZeroGap)
            | (Kind::Sign, Defect::SignFlip) => true,
            (Kind::Thousand, Defect::UnitFactor(factor)) => factor > 100.0,
            (Kind::Thousandth, Defect::UnitFactor(factor)) => factor < 0.01,
            (Kind::Energy, Defect::UnitFactor(factor)) => (0.01..1.0).contains(&factor),
            _ => false,
        }
    }

    /// Puts it into a span; false where the span is no place for it.
    fn put(self, series: &mut Series, span: Range<usize>, peak: f64, dice: &mut Dice) -> bool {
        let hour = 3600.0 / series.step.num_seconds() as f64;
        let values = &mut series.values[span];
        let Some(first) = values[0] else { return false };
        let there = values.iter().flatten().filter(|value| value.abs() > 0.02 * peak).count();
        // Nothing times a thousand, or with another sign, is nothing; and a plant is still at night.
        let needed = if self == Kind::Outlier { 0 } else { values.len() / 4 + 1 };
        if there < needed || (self == Kind::Frozen && first < 0.02 * peak) {
            return false;
        }
        let spike = peak * (2.0 + 18.0 * dice.next()) * if dice.next() < 0.3 { -1.0 } else { 1.0 };
        for value in values.iter_mut().flatten() {
            *value = match self {
                Kind::Outlier => spike,
                Kind::Frozen => first,
                Kind::Zeros => 0.0,
                Kind::Sign => -*value,
                Kind::Thousand => *value * 1000.0,
                Kind::Thousandth => *value / 1000.0,
                Kind::Energy => *value / hour,
            };
        }
        true
    }
}

/// Spans of defects in a copy of a series, a month and more apart.
fn spoilt(public: &Public, kind: Kind, dice: &mut Dice) -> (Series, Vec<Range<usize>>) {
    let mut series = public.series.clone();
    let step_s = series.step.num_seconds() as f64;
    let steps = move |hours: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
        let steps = (hours * 3600.0 / step_s) as usize;
        steps.max(1)
    };
    let mut known: Vec<f64> = series.values.iter().copied().flatten().filter(|value| *value > 0.0).collect();
    known.sort_by(f64::total_cmp);
    let peak = known[known.len() * 99 / 100];
    let (edge, apart) = (steps(10.0 * 24.0), steps(45.0 * 24.0));
    let mut spans = Vec::new();
    // What happens often is a habit.
    let most = if kind == Kind::Energy { 1 } else { 4 };
    let mut from = edge + if kind == Kind::Energy { dice.index(0..series.values.len() / 2) } else { 0 };
    while from + apart + edge < series.values.len() && spans.len() < most {
        for _ in 0..20 {
            let length = steps(kind.hours(dice));
            let start = dice.index(from..from + apart - steps(15.0 * 24.0));
            // A span with a gap of its own would be found for that.
            let span = start..start + length;
            if public.series.values[span.clone()].iter().all(Option::is_some)
                && kind.put(&mut series, span.clone(), peak, dice)
            {
                spans.push(span);
                break;
            }
        }
        from += apart + dice.index(0..steps(30.0 * 24.0));
    }
    (series, spans)
}

/// The intervals of a flag.
fn intervals(series: &Series, flag: &QualityFlag) -> Range<usize> {
    let index = |at: DateTime<chrono::Utc>| {
        usize::try_from((at - series.start).num_seconds() / series.step.num_seconds()).unwrap()
    };
    index(flag.from)..index(flag.to)
}

/// The intervals of some flags.
fn marked(series: &Series, flags: &[QualityFlag], mark: impl Fn(&QualityFlag) -> bool) -> Vec<bool> {
    let mut marks = vec![false; series.values.len()];
    for flag in flags.iter().filter(|flag| mark(flag)) {
        marks[intervals(series, flag)].fill(true);
    }
    marks
}

/// How many of some spans were found.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    put: usize,
    /// At least half of it is flagged.
    found: usize,
    /// And as what it is.
    named: usize,
}

impl Count {
    fn plus(self, other: Count) -> Count {
        Count { put: self.put + other.put, found: self.found + other.found, named: self.named + other.named }
    }
}

/// What was found in the series of a group.
#[derive(Debug, Default)]
struct Found {
    group: &'static str,
    counts: [Count; KINDS.len()],
    /// The series as they are: their length, flags and flagged intervals.
    years: f64,
    flags: usize,
    flagged: usize,
    values: usize,
    /// Intervals of spoilt series that are flagged though nothing was put there and they are not as they are.
    beside: usize,
    spoilt: usize,
}

fn measure(public: &Public, number: u64, found: &mut Found) {
    /// Series that are spoilt, with four spans each, but for energies, which are one.
    const ROUNDS: u64 = 5;
    let cleaned = |series: &Series| clean(series, public.nature, public.zone).flags;
    let before = cleaned(&public.series);
    let as_it_is = marked(&public.series, &before, |_| true);
    found.years += (public.series.end() - public.series.start).num_days() as f64 / 365.25;
    found.flags += before.len();
    found.flagged += as_it_is.iter().filter(|mark| **mark).count();
    found.values += as_it_is.len();
    for (k, (kind, _)) in KINDS.iter().enumerate() {
        if *kind == Kind::Energy && public.series.step >= TimeDelta::hours(1) {
            continue;
        }
        for round in 0..if *kind == Kind::Energy { 4 * ROUNDS } else { ROUNDS } {
            let mut dice = Dice(round * 1000 + number * 10 + k as u64);
            let (series, spans) = spoilt(public, *kind, &mut dice);
            let flags = cleaned(&series);
            // An energy taken for a power is told, not put right.
            let done = |flag: &QualityFlag| flag.remedy != Remedy::Kept || *kind == Kind::Energy;
            let any = marked(&series, &flags, done);
            let named = marked(&series, &flags, |flag| done(flag) && kind.is(flag.defect));
            let mut beside = any.clone();
            for span in spans {
                let half = |marks: &[bool]| 2 * marks[span.clone()].iter().filter(|mark| **mark).count() >= span.len();
                let one = Count { put: 1, found: usize::from(half(&any)), named: usize::from(half(&named)) };
                found.counts[k] = found.counts[k].plus(one);
                beside[span].fill(false);
            }
            found.beside += beside.iter().zip(&as_it_is).filter(|(beside, before)| **beside && !**before).count();
            found.spoilt += beside.len();
        }
    }
}

fn table(all: &[Found]) -> String {
    let percent = |part: usize, of: usize| 100.0 * part as f64 / of as f64;
    let mut text = String::from("| series |");
    for (_, name) in KINDS {
        write!(text, " {name} |").unwrap();
    }
    text += " flags a year as it is | values flagged as it is | flagged beside |\n|---|";
    text += &"--:|".repeat(KINDS.len() + 3);
    for found in all {
        write!(text, "\n| {} |", found.group).unwrap();
        for count in found.counts {
            let cell = if count.put == 0 { "–".to_owned() } else { format!("{}/{}", count.found, count.put) };
            write!(text, " {cell} |").unwrap();
        }
        let (flagged, beside) = (percent(found.flagged, found.values), percent(found.beside, found.spoilt));
        write!(text, " {:.1} | {flagged:.2} % | {beside:.2} % |", found.flags as f64 / found.years).unwrap();
    }
    let totals: Vec<Count> = (0..KINDS.len()).map(|k| total(all, k)).collect();
    for (name, of) in [("found of all", true), ("as what they are", false)] {
        write!(text, "\n| {name} |").unwrap();
        for total in &totals {
            write!(text, " {:.0} % |", percent(if of { total.found } else { total.named }, total.put)).unwrap();
        }
        text += " | | |";
    }
    text
}

fn total(all: &[Found], kind: usize) -> Count {
    all.iter().fold(Count::default(), |sum, found| sum.plus(found.counts[kind]))
}

#[test]
fn how_many_defects_are_found() {
    let Some(public) = public() else { return };
    let mut all: Vec<Found> = Vec::new();
    for (number, public) in public.iter().enumerate() {
        let known = all.iter().position(|found| found.group == public.group);
        let at = known.unwrap_or_else(|| {
            all.push(Found { group: public.group, ..Found::default() });
            all.len() - 1
        });
        measure(public, number as u64, &mut all[at]);
    }
    println!("{}", table(&all));
    for (kind, least) in [
        (Kind::Outlier, 0.97),
        (Kind::Frozen, 0.97),
        (Kind::Zeros, 0.95),
        (Kind::Sign, 0.93),
        (Kind::Thousand, 0.95),
        (Kind::Thousandth, 0.92),
        (Kind::Energy, 0.4),
    ] {
        let count = total(&all, KINDS.iter().position(|(known, _)| *known == kind).unwrap());
        assert!(count.found as f64 >= least * count.put as f64, "{kind:?}: {count:?}");
    }
    for found in &all {
        // The gaps of the campus are zeros, 1.3 % of its values.
        let most = if found.group == "campus" { 0.02 } else { 0.005 };
        assert!(found.flagged as f64 <= most * found.values as f64, "{found:?}");
        assert!(found.beside as f64 <= 0.003 * found.spoilt as f64, "{found:?}");
    }
}
