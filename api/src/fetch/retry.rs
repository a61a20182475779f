//! When a feed is asked again: for ever, and ever less often.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use chrono::{DateTime, TimeDelta, Utc};

use super::answer::Failure;
use super::source::Budget;
use super::subject::Subject;
use crate::resource::feed::Source;

/// After its first failure a feed is asked again so soon; then twice as long, until the longest. All of it with jitter.
const SHORTEST: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_mins(20);

/// How often what is not published yet is looked for.
const NOT_YET: Duration = Duration::from_secs(150);

/// A key that is refused is mended by people.
const REFUSED: Duration = Duration::from_mins(45);

/// Weather is asked for anew so long after it came.
const WEATHER: Duration = Duration::from_hours(3);

/// Carbon intensity is measured by the hour.
const CARBON: Duration = Duration::from_mins(50);

/// How much of what a feed allows is meant to be used; the rest is for failures.
const USED: f64 = 0.8;

/// Prices that are whole and final are looked at again: a market has corrected what it had published before.
const CORRECTED: Duration = Duration::from_hours(5);

/// Prices that are provisional or have gaps are asked for anew.
const UNFINISHED: Duration = Duration::from_mins(10);

/// A feed may not keep us away for longer, whatever it says.
const PATIENCE: TimeDelta = TimeDelta::hours(6);

/// Chance of an ask: the same ask has the same, and no two feeds or services go in step.
pub fn seed(subject: &Subject, source: Source, tries: u32, service: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (subject, source, tries, service).hash(&mut hasher);
    hasher.finish()
}

/// When to ask again after a failure, the `failures`th in a row.
pub fn after_failure(failure: &Failure, failures: u32, now: DateTime<Utc>, seed: u64) -> DateTime<Utc> {
    let pause = match failure {
        Failure::NotYet(_) => jittered(NOT_YET, seed),
        Failure::Refused(_) => jittered(REFUSED, seed),
        Failure::Later(..) | Failure::Broken(_) | Failure::Unreachable(_) => {
            let pauses = ExponentialBuilder::new().with_min_delay(SHORTEST).with_max_delay(LONGEST);
            let mut pauses = pauses.with_jitter().with_jitter_seed(seed).without_max_times().build();
            pauses.nth(failures.saturating_sub(1).min(32) as usize).unwrap_or(LONGEST)
        }
    };
    let next = now + span(pause);
    match failure {
        Failure::Later(_, Some(until)) => next.max((*until).min(now + PATIENCE)),
        _ => next,
    }
}

/// When to ask anew for weather that came.
pub fn weather(now: DateTime<Utc>, seed: u64) -> DateTime<Utc> {
    now + span(jittered(WEATHER, seed))
}

/// When to ask anew for the power of one of so many plants: as for weather, or as seldom as the feed wants them all to be asked for.
pub fn power(now: DateTime<Utc>, seed: u64, budget: Option<Budget>, plants: usize) -> DateTime<Utc> {
    let share = budget.map_or(Duration::ZERO, |Budget { most, within }| {
        within.to_std().unwrap_or_default().mul_f64(plants as f64 / (most as f64 * USED))
    });
    (now + span(jittered(WEATHER, seed))).max(now + span(share))
}

/// When to ask anew for carbon intensity that came.
pub fn carbon(now: DateTime<Utc>, seed: u64) -> DateTime<Utc> {
    now + span(jittered(CARBON, seed))
}

/// When to ask anew for prices that are not as they should be.
pub fn unfinished(now: DateTime<Utc>, seed: u64) -> DateTime<Utc> {
    now + span(jittered(UNFINISHED, seed))
}

/// When to look again at prices that are as they should be.
pub fn corrected(now: DateTime<Utc>, seed: u64) -> DateTime<Utc> {
    now + span(jittered(CORRECTED, seed))
}

/// A pause and up to half of it more.
fn jittered(pause: Duration, seed: u64) -> Duration {
    pause + pause.mul_f64((seed % 1000) as f64 / 2000.0)
}

fn span(pause: Duration) -> TimeDelta {
    TimeDelta::from_std(pause).unwrap_or(PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses_s(failure: &Failure) -> Vec<i64> {
        let now = DateTime::UNIX_EPOCH;
        (1..=40).map(|failures| (after_failure(failure, failures, now, 7) - now).num_seconds()).collect()
    }

    #[test]
    fn failures_are_retried_for_ever_and_ever_less_often() {
        let pauses = pauses_s(&Failure::Unreachable(String::new()));
        assert!((20..=40).contains(&pauses[0]), "{pauses:?}");
        assert!(pauses[3] > 2 * pauses[0], "{pauses:?}");
        // Jitter is at most one pause more.
        assert!(pauses.iter().all(|pause| *pause <= 2 * 1200), "{pauses:?}");
        assert!(pauses[39] >= 1200, "{pauses:?}");
    }

    #[test]
    fn what_is_not_there_yet_is_looked_for_at_the_same_pace() {
        let pauses = pauses_s(&Failure::NotYet(String::new()));
        assert!(pauses.iter().all(|pause| (150..=225).contains(pause)), "{pauses:?}");
    }

    #[test]
    fn many_plants_share_what_a_feed_allows() {
        let now = DateTime::UNIX_EPOCH;
        let budget = Source::Solcast.budget();
        let hours = |plants| (power(now, 0, budget, plants) - now).num_hours();
        assert_eq!((hours(1), hours(2), hours(8)), (3, 6, 24));
        assert_eq!(power(now, 0, None, 100) - now, TimeDelta::hours(3));
    }

    #[test]
    fn two_feeds_do_not_go_in_step_and_a_feed_cannot_keep_us_away_for_ever() {
        let subject = Subject::weather(52.0, 5.0);
        let seeds = [Source::Entsoe, Source::EnergyCharts].map(|source| seed(&subject, source, 1, 9));
        assert_ne!(seeds[0], seeds[1]);
        let now = DateTime::UNIX_EPOCH;
        let asks = |until: TimeDelta| after_failure(&Failure::Later(String::new(), Some(now + until)), 1, now, 7) - now;
        assert_eq!(asks(TimeDelta::hours(1)), TimeDelta::hours(1));
        assert_eq!(asks(TimeDelta::days(400)), PATIENCE);
        assert!(asks(TimeDelta::days(-3)) > TimeDelta::zero());
    }
}
