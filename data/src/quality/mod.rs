//! What is wrong with a measured series, and what is done about it.
//!
//! [`clean`] looks for defects one kind after the other, each on what the one before left: units wrong by a thousand and wrong
//! signs are put right, values that stand still, zeros that are gaps and outliers are left out. What a series does every week,
//! on weekends and holidays or at night is no defect; nor is a level that changes and stays, such as that of a new
//! tenant. How much is found, and how much is found wrongly, is in `docs/forecasting/quality.md`.
//!
//! A defect is judged by the eight weeks around it. Who must not see the future cuts the series first.

mod outliers;
mod signs;
mod still;
mod units;
mod usual;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::series::Series;
use usual::Usual;

/// What is wrong with a span of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// Intervals that were measured in part.
    Partial,
    /// Values far from anything around them, for two hours at most.
    Outlier,
    /// A value that does not move though it always did.
    Frozen,
    /// Zeros where nothing was measured.
    ZeroGap,
    /// Values with the opposite sign.
    SignFlip,
    /// Values so many times too large: 1,000 where W are called kW, 0.25 where kWh of a quarter-hour are.
    UnitFactor(f64),
}

/// What is done about a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The values are left out.
    LeftOut,
    /// The values are put right.
    PutRight,
    /// The values are used as they are.
    Kept,
}

/// One defect of one span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualityFlag {
    /// Beginning of the span.
    pub from: DateTime<Utc>,
    /// Its end, exclusive.
    pub to: DateTime<Utc>,
    /// What is wrong.
    pub defect: Defect,
    /// What is done about it.
    pub remedy: Remedy,
}

impl QualityFlag {
    /// In words, with the local times of a zone.
    pub fn text(&self, zone: Tz) -> String {
        let what = match self.defect {
            Defect::Partial => "measured in part".to_owned(),
            Defect::Outlier => "far from everything around it".to_owned(),
            Defect::Frozen => "the value stands still".to_owned(),
            Defect::ZeroGap => "zero, where nothing was measured".to_owned(),
            Defect::SignFlip => "the opposite sign".to_owned(),
            Defect::UnitFactor(factor) if factor > 1.0 => format!("{factor:.0} times too large, as in a wrong unit"),
            Defect::UnitFactor(factor) => format!("{:.0} times too small, as in a wrong unit", 1.0 / factor),
        };
        let done = match self.remedy {
            Remedy::LeftOut => "left out",
            Remedy::PutRight => "put right",
            Remedy::Kept => "used as it is",
        };
        let at = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
        format!("from {} until {}: {what}; {done}", at(self.from), at(self.to))
    }
}

/// What a series is of, which decides what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// What a building, a home or a machine draws; below 0 where its sun makes more.
    Load,
    /// What a photovoltaic plant delivers: nothing at night, limited by its inverter.
    Pv,
    /// A price, which may do anything but stand still.
    Price,
}

/// A series without its defects.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    /// The series; gaps where values were left out.
    pub series: Series,
    /// What was found, in the order of time.
    pub flags: Vec<QualityFlag>,
}

/// Finds the defects of a series, and leaves out or puts right what can be.
///
/// `zone` is that of the site's clocks, by which people live.
pub fn clean(series: &Series, nature: Nature, zone: Tz) -> Cleaned {
    let mut work = Work { usual: Usual::of(series, zone), series: series.clone(), flags: Vec::new() };
    if nature != Nature::Price {
        units::put_right(&mut work);
        signs::put_right(&mut work, nature);
    }
    still::leave_out(&mut work, nature);
    if nature != Nature::Price {
        outliers::leave_out(&mut work);
    }
    let Work { series, mut flags, .. } = work;
    flags.sort_by_key(|flag| (flag.from, flag.to));
    Cleaned { series, flags }
}

/// A series while it is cleaned.
struct Work {
    series: Series,
    usual: Usual,
    flags: Vec<QualityFlag>,
}

impl Work {
    /// The values.
    fn values(&self) -> &[Option<f64>] {
        &self.series.values
    }

    /// How many intervals a span of so many hours has, at least `least`.
    fn steps(&self, hours: i64, least: usize) -> usize {
        let step_s = self.series.step.num_seconds().max(1);
        usize::try_from(hours * 3600 / step_s).unwrap_or(least).max(least)
    }

    /// Leaves out a span.
    fn leave_out(&mut self, span: std::ops::Range<usize>, defect: Defect) {
        self.series.values[span.clone()].fill(None);
        self.flag(span, defect, Remedy::LeftOut);
    }

    /// Multiplies a span.
    fn put_right(&mut self, span: std::ops::Range<usize>, factor: f64, defect: Defect) {
        for value in self.series.values[span.clone()].iter_mut().flatten() {
            *value *= factor;
        }
        self.flag(span, defect, Remedy::PutRight);
    }

    fn flag(&mut self, span: std::ops::Range<usize>, defect: Defect, remedy: Remedy) {
        let (from, to) = (self.series.start_of(span.start), self.series.start_of(span.end));
        self.flags.push(QualityFlag { from, to, defect, remedy });
    }
}

/// The spans of marked indices; marks with up to `bridge` unmarked ones between them are one span.
fn spans(marks: impl Iterator<Item = usize>, bridge: usize) -> Vec<std::ops::Range<usize>> {
    let mut spans: Vec<std::ops::Range<usize>> = Vec::new();
    for mark in marks {
        match spans.last_mut() {
            Some(last) if mark <= last.end + bridge => last.end = mark + 1,
            _ => spans.push(mark..mark + 1),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    const DAY: usize = 96;

    /// Days of quarter-hours of some value by day and quarter-hour, with a little noise.
    fn series(days: usize, value: impl Fn(usize, usize) -> f64) -> Series {
        let noise = |k: usize| 1.0 + 0.02 * ((k * 7919 % 101) as f64 / 50.0 - 1.0);
        let values = (0..days * DAY).map(|k| Some(value(k / DAY, k % DAY) * noise(k))).collect();
        // A Monday.
        let start = DateTime::from_timestamp(1_704_067_200, 0).unwrap_or_default();
        Series { start, step: TimeDelta::minutes(15), values }
    }

    /// An office: 5 kW at night and on weekends, up to 40 kW on working days.
    fn office(day: usize, quarter: usize) -> f64 {
        let busy = day % 7 < 5 && (28..72).contains(&quarter);
        if busy { 5.0 + 35.0 * (std::f64::consts::PI * (quarter - 28) as f64 / 44.0).sin() } else { 5.0 }
    }

    fn sun(day: usize, quarter: usize) -> f64 {
        let height = (std::f64::consts::PI * (quarter as f64 - 24.0) / 48.0).sin().max(0.0);
        10.0 * height * if day.is_multiple_of(3) { 0.3 } else { 1.0 }
    }

    fn flags(series: &Series, nature: Nature) -> Vec<QualityFlag> {
        clean(series, nature, Tz::UTC).flags
    }

    #[test]
    fn nights_weekends_holidays_and_new_tenants_are_no_defects() {
        let holiday = |day: usize| (60..62).contains(&day) || (100..114).contains(&day);
        let of = |value: &dyn Fn(usize, usize) -> f64| flags(&series(200, value), Nature::Load);
        assert_eq!(of(&office), []);
        assert_eq!(of(&|day, quarter| if holiday(day) { 5.0 } else { office(day, quarter) }), []);
        assert_eq!(of(&|day, quarter| office(day, quarter) * if day > 120 { 3.0 } else { 1.0 }), [], "a tenant");
        assert_eq!(of(&|day, quarter| office(day, quarter) + if day > 90 { 30.0 } else { 0.0 }), [], "a machine");
        assert_eq!(of(&|day, quarter| office(day, quarter) - 3.0 * sun(day, quarter)), [], "sun behind the meter");
        assert_eq!(of(&|day, _| if day % 7 < 5 { 12.0 } else { 0.0 }), [], "nothing on weekends");
        assert_eq!(of(&|day, quarter| if day > 100 { office(day, quarter) } else { 0.0 }), [], "not there yet");
    }

    #[test]
    fn nights_clouds_and_clipping_are_no_defects() {
        assert_eq!(flags(&series(200, sun), Nature::Pv), []);
        let mut clipped = series(200, sun);
        for value in clipped.values.iter_mut().flatten() {
            *value = value.min(7.0);
        }
        assert_eq!(flags(&clipped, Nature::Pv), []);
    }

    #[test]
    fn a_spike_where_nothing_runs_is_an_outlier() {
        let spike = series(140, |day, quarter| if (day, quarter) == (50, 8) { 700.0 } else { 0.0 });
        let found = flags(&spike, Nature::Load);
        assert_eq!(
            found.iter().map(|flag| (flag.from, flag.defect)).collect::<Vec<_>>(),
            [(spike.start_of(50 * DAY + 8), Defect::Outlier)]
        );
        let later = |day, quarter| if (day, quarter) == (50, 8) || day > 200 { 700.0 } else { 0.0 };
        assert_eq!(flags(&series(280, later), Nature::Load).len(), 1);
    }

    #[test]
    fn what_happens_again_and_again_is_no_outlier_but_what_cannot_be_is() {
        let pump =
            |day: usize, quarter: usize| if day % 6 == 1 && quarter == 12 { 200.0 } else { office(day, quarter) };
        assert_eq!(flags(&series(200, pump), Nature::Load), []);
        let failing =
            |day: usize, quarter: usize| if day % 6 == 1 && quarter == 12 { -9999.0 } else { office(day, quarter) };
        assert_eq!(flags(&series(200, failing), Nature::Load).len(), 34);
    }

    /// Each defect in a span that is found exactly, with what is done.
    #[test]
    fn spans_are_found_to_the_interval() {
        let clean_one = series(200, office);
        let span = 90 * DAY + 30..93 * DAY + 50;
        let at = clean_one.values[span.start].unwrap_or_default();
        // How much of the value stays, and what is added.
        let cases = [
            (0.0, at, Defect::Frozen, Remedy::LeftOut),
            (0.0, 0.0, Defect::ZeroGap, Remedy::LeftOut),
            (-1.0, 0.0, Defect::SignFlip, Remedy::PutRight),
            (1000.0, 0.0, Defect::UnitFactor(1000.0), Remedy::PutRight),
            (0.001, 0.0, Defect::UnitFactor(0.001), Remedy::PutRight),
        ];
        for (times, plus, defect, remedy) in cases {
            let mut spoilt = clean_one.clone();
            for value in spoilt.values[span.clone()].iter_mut().flatten() {
                *value = *value * times + plus;
            }
            let cleaned = clean(&spoilt, Nature::Load, Tz::UTC);
            let (from, to) = (clean_one.start_of(span.start), clean_one.start_of(span.end));
            assert_eq!(cleaned.flags, [QualityFlag { from, to, defect, remedy }]);
            for (k, (after, before)) in cleaned.series.values.iter().zip(&clean_one.values).enumerate() {
                match (after, before) {
                    (Some(after), Some(before)) => assert!((after - before).abs() < 1e-9 * before, "{defect:?} {k}"),
                    _ => assert!(span.contains(&k) && remedy == Remedy::LeftOut, "{defect:?} {k}"),
                }
            }
        }
    }

    #[test]
    fn energies_among_powers_are_told_and_kept() {
        let spoilt = series(200, |day, quarter| office(day, quarter) / if (80..90).contains(&day) { 4.0 } else { 1.0 });
        let cleaned = clean(&spoilt, Nature::Load, Tz::UTC);
        assert_eq!(cleaned.series, spoilt);
        assert_eq!(cleaned.flags.iter().map(|flag| flag.defect).collect::<Vec<_>>(), [Defect::UnitFactor(0.25)]);
        let text = cleaned.flags[0].text(Tz::UTC);
        assert!(text.contains("4 times too small") && text.ends_with("used as it is"), "{text}");
    }

    #[test]
    fn a_plant_that_counts_the_other_way_is_turned_round() {
        let turned = series(60, |day, quarter| -sun(day, quarter));
        let cleaned = clean(&turned, Nature::Pv, Tz::UTC);
        assert_eq!(cleaned.series, series(60, sun));
    }

    #[test]
    fn a_price_may_do_anything_but_stand_still() {
        let price = |day: usize, quarter: usize| match (day, quarter) {
            (40, 70) => 4.0,
            (41, 50) => -0.5,
            (80..83, _) => 0.1,
            _ => 0.001 * office(day, quarter),
        };
        let mut prices = series(120, price);
        prices.values[80 * DAY..83 * DAY].fill(Some(0.1));
        let found = flags(&prices, Nature::Price);
        assert_eq!(found.iter().map(|flag| flag.defect).collect::<Vec<_>>(), [Defect::Frozen]);
    }

    proptest! {
        /// Whatever comes in: nothing changes outside the flagged spans, and what is put right is only multiplied.
        #[test]
        fn only_flagged_values_change(
            values in prop::collection::vec(prop_oneof![
                Just(None),
                Just(Some(0.0)),
                (-2.0..3.0_f64).prop_map(|log| Some(10_f64.powf(log))),
                (-1e6..1e6_f64).prop_map(Some),
            ], 0..600),
            hours in prop::sample::select(vec![1_i64, 2, 4, 8]),
            nature in prop::sample::select(vec![Nature::Load, Nature::Pv, Nature::Price]),
        ) {
            let step = TimeDelta::minutes(15) * i32::try_from(hours).unwrap_or(1);
            let series = Series { start: DateTime::UNIX_EPOCH, step, values };
            let cleaned = clean(&series, nature, chrono_tz::Europe::Amsterdam);
            prop_assert_eq!(cleaned.series.values.len(), series.values.len());
            for (k, (after, before)) in cleaned.series.values.iter().zip(&series.values).enumerate() {
                let at = series.start_of(k);
                if after != before && !(*after == Some(0.0) && *before == Some(0.0)) {
                    prop_assert!(cleaned.flags.iter().any(|flag| flag.from <= at && at < flag.to && flag.remedy != Remedy::Kept));
                }
            }
        }
    }
}
