//! Forecasts by quarter-hours, and as CSV.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::series::Series;
use kwartier_forecast::method::Horizon;

use crate::cli::history::Shown;

/// A quarter of an hour in seconds.
const QUARTER_S: i64 = 900;

/// Beliefs of quarter-hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarters {
    /// Beginning of the first: the quarter-hour that the instant of the forecast lies in.
    pub start: DateTime<Utc>,
    /// One for each quarter-hour; `None` where nothing can be said.
    pub beliefs: Vec<Option<Belief>>,
}

impl Quarters {
    /// As many quarter-hours as a length holds, the first that in which an instant lies, from beliefs of intervals that are
    /// whole numbers of quarter-hours long: what is believed of the mean of an hour is believed of each of its quarters.
    pub fn of(
        beliefs: &[Option<Belief>],
        horizon: Horizon,
        step: TimeDelta,
        at: DateTime<Utc>,
        length: TimeDelta,
    ) -> Self {
        let start = at - TimeDelta::seconds(at.timestamp().rem_euclid(QUARTER_S));
        let count = usize::try_from((length.num_seconds() + QUARTER_S - 1) / QUARTER_S).unwrap_or(0);
        let step_s = step.num_seconds().max(1);
        let belief = |quarter: usize| {
            let since = start + TimeDelta::seconds(QUARTER_S) * i32::try_from(quarter).ok()? - horizon.start;
            beliefs.get(usize::try_from(since.num_seconds().div_euclid(step_s)).ok()?).copied().flatten()
        };
        Quarters { start, beliefs: (0..count).map(belief).collect() }
    }

    /// How many quarter-hours nothing is said of.
    pub fn unknown(&self) -> usize {
        self.beliefs.iter().filter(|belief| belief.is_none()).count()
    }

    /// How far off the means were, and how often the 80 % band held, in words.
    pub fn against(&self, happened: &[Option<f64>], unit: Shown) -> String {
        let pairs = self.beliefs.iter().zip(happened).filter_map(|(belief, truth)| Some(((*belief)?, (*truth)?)));
        let pairs: Vec<(Belief, f64)> = pairs.collect();
        let count = pairs.len() as f64;
        if pairs.is_empty() {
            return "what happened says nothing of the time that is forecast".to_owned();
        }
        let mean = |of: &dyn Fn(&(Belief, f64)) -> f64| unit.value(pairs.iter().map(of).sum::<f64>() / count);
        let held = pairs
            .iter()
            .filter(|(belief, truth)| (belief.quantiles[1]..=belief.quantiles[LEVELS.len() - 2]).contains(truth));
        format!(
            "against what happened: forecast {:.2} on average, {:.2} measured; off by {:.2} {} in the mean; the 80 % band \
             held {} of {} quarter-hours",
            mean(&|(belief, _)| belief.mean),
            mean(&|(_, truth)| *truth),
            mean(&|(belief, truth)| (belief.mean - truth).abs()),
            unit.name,
            held.count(),
            pairs.len()
        )
    }

    /// The forecast as CSV: `start,mean,q05,q10,q25,q50,q75,q90,q95`; quarter-hours of which nothing can be said are left
    /// out.
    pub fn csv(&self, unit: Shown) -> String {
        let mut text = "start,mean".to_owned();
        for level in LEVELS {
            let _ = write!(text, ",q{:02.0}", 100.0 * level);
        }
        text.push('\n');
        for (k, belief) in self.beliefs.iter().enumerate() {
            let Some(belief) = belief else { continue };
            let start = self.start + TimeDelta::seconds(QUARTER_S) * i32::try_from(k).unwrap_or(i32::MAX);
            let _ = write!(text, "{},{}", start.format("%Y-%m-%dT%H:%M:%SZ"), number(unit.value(belief.mean)));
            for quantile in belief.quantiles {
                let _ = write!(text, ",{}", number(unit.value(quantile)));
            }
            text.push('\n');
        }
        text
    }
}

/// A number with six significant digits or three decimals, whichever is more, and no zeros behind them.
pub fn number(value: f64) -> String {
    let whole = value.abs().log10().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 4 and 12")]
    let decimals = if whole.is_finite() && whole < 2.0 { (5.0 - whole).min(12.0) as usize } else { 3 };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The values of a series by quarter-hours: so many from an instant on, `None` where nothing is known.
pub fn measured(series: &Series, start: DateTime<Utc>, count: usize) -> Vec<Option<f64>> {
    let quarter = TimeDelta::seconds(QUARTER_S);
    let at = |k: usize| start + quarter * i32::try_from(k).unwrap_or(i32::MAX);
    (0..count).map(|k| series.mean(at(k), at(k) + quarter)).collect()
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn numbers_are_short_and_exact_enough() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.5, "12.5"),
            (1.0 / 3.0, "0.333333"),
            (123_456.789_4, "123456.789"),
            (0.000_123_456_789, "0.000123457"),
            (-41.25, "-41.25"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn an_hour_holds_for_its_quarters() {
        let start: DateTime<Utc> = "2023-06-13T10:00:00Z".parse().unwrap();
        let beliefs = [Some(Belief::certain(1.0)), None, Some(Belief::certain(3.0))];
        let horizon = Horizon { start, steps: 3 };
        // Ten past half past ten, for two hours: from half past ten to half past twelve.
        let at = start + TimeDelta::minutes(40);
        let quarters = Quarters::of(&beliefs, horizon, TimeDelta::hours(1), at, TimeDelta::hours(2));
        assert_eq!(quarters.start, start + TimeDelta::minutes(30));
        let means: Vec<Option<f64>> = quarters.beliefs.iter().map(|belief| belief.map(|belief| belief.mean)).collect();
        let (one, three) = (Some(1.0), Some(3.0));
        assert_eq!(means, [one, one, None, None, None, None, three, three]);
        assert_eq!(quarters.unknown(), 4);
    }
}
