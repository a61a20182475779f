//! The load of a building, and prices beyond those that are known: series with days and weeks in them.

use crate::method::Method;
use crate::naive;
use crate::series::boosted::Trees;
use crate::series::combined::Combined;
use crate::series::linear::Linear;
use crate::series::single::Single;

/// A load or a price, from its own history.
pub fn method() -> Box<dyn Method> {
    Box::new(Single(Box::new(Combined {
        guesses: vec![
            Box::new(naive::recipe("yesterday", naive::yesterday)),
            Box::new(naive::recipe("last week", naive::week)),
            Box::new(naive::recipe("similar days", naive::similar)),
        ],
        learners: vec![
            Box::new(Trees { rounds: 80, depth: 5, rate: 0.1, least_rows: 80.0, rows: 40_000 }),
            Box::new(Linear { days: 365 }),
        ],
    })))
}

#[cfg(test)]
mod tests {

    use chrono::{DateTime, TimeDelta};
    use kwartier_data::forecast::Belief;
    use kwartier_data::history::{History, Past};
    use kwartier_data::series::Series;

    use super::*;
    use crate::method::{Fitted, Horizon};

    /// Up to 10, without any rhythm (Knuth's linear congruential generator).
    fn chance(seed: usize) -> f64 {
        let mixed = (seed as u64 + 7).wrapping_mul(6_364_136_223_846_793_005).rotate_left(29).wrapping_mul(0x9e37_79b9);
        (mixed >> 24 & 0xffff) as f64 / 6_553.5
    }

    fn hours(days: usize, value: impl Fn(usize) -> f64) -> History {
        let values = (0..days * 24).map(|hour| Some(value(hour))).collect();
        History::new(Series { start: DateTime::UNIX_EPOCH, step: TimeDelta::hours(1), values }, chrono_tz::UTC)
    }

    fn at(history: &History, days: i64) -> Past<'_> {
        history.as_of(DateTime::UNIX_EPOCH + TimeDelta::days(days))
    }

    fn said(fitted: &dyn Fitted, past: &Past<'_>) -> Vec<Belief> {
        fitted.predict(past, Horizon::from_origin(past, TimeDelta::hours(48))).into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn a_model_that_does_not_beat_last_week_is_not_used() {
        // Each hour of the week has a value of its own, for ever: last week is right, and nothing else is.
        let history = hours(120, |hour| chance(hour % 168));
        let past = at(&history, 110);
        let fitted = method().fit(&past).unwrap();
        let standing = fitted.standing().unwrap();
        assert!(!standing.uses_model && standing.guess == "last week" && standing.days == 13, "{standing}");
        for (belief, truth) in said(&*fitted, &past).iter().zip(&history.truth().values[110 * 24..]) {
            assert!((belief.quantiles[3] - truth.unwrap()).abs() < 1e-9, "{belief:?} {truth:?}");
        }
        // Noise that nobody can foresee: a mixture is better than any guess.
        let noisy = hours(120, |hour| 50.0 + chance(hour * 3 + 1));
        assert!(method().fit(&at(&noisy, 110)).unwrap().standing().unwrap().uses_model);
        // Where little was held back, nobody is judged.
        assert_eq!(method().fit(&at(&noisy, 40)).unwrap().standing(), None);
    }

    #[test]
    fn refreshed_bands_are_those_of_now() {
        // Twice as uncertain from day 80 on.
        let history = hours(140, |hour| {
            let rhythm = 20.0 * f64::from(u8::from((8..17).contains(&(hour % 24))));
            50.0 + rhythm + chance(hour) * if hour < 80 * 24 { 1.0 } else { 4.0 }
        });
        let early = at(&history, 80);
        let mut fitted = method().fit(&early).unwrap();
        let before = said(&*fitted, &early);
        fitted.refresh(&early);
        assert_eq!(before, said(&*fitted, &early), "nothing new, nothing learnt");
        let kept = method().restore(fitted.save().unwrap()).unwrap();
        assert_eq!(before, said(&*kept, &early));
        let late = at(&history, 130);
        let inside = |beliefs: &[Belief]| {
            let truths = &history.truth().values[130 * 24..];
            let within = |(belief, truth): &(&Belief, &Option<f64>)| {
                (belief.quantiles[1]..=belief.quantiles[5]).contains(&truth.unwrap())
            };
            beliefs.iter().zip(truths).filter(within).count()
        };
        let stale = inside(&said(&*kept, &late));
        fitted.refresh(&late);
        let fresh = inside(&said(&*fitted, &late));
        assert!(fresh > stale && fresh >= 33, "{stale}, then {fresh} of 48 hours are within the band");
    }
}
