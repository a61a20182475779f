//! The day-ahead auction of electricity in Europe: which prices are known when.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::local;

/// The clock of the auction: its days are those of Central Europe in every country that takes part.
const ZONE: Tz = chrono_tz::Europe::Brussels;

/// When the prices of the day after are out, on that clock. The coupled auction publishes them by 12:57 as a rule.
const OUT: NaiveTime = match NaiveTime::from_hms_opt(13, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// The end of what the auction has published at an instant: of the day after from 13:00 on, of the day before that.
pub fn published_until(at: DateTime<Utc>) -> DateTime<Utc> {
    let wall = at.with_timezone(&ZONE);
    let tomorrow = local::next_day(wall.date_naive());
    local::day_start(ZONE, if wall.time() >= OUT { local::next_day(tomorrow) } else { tomorrow })
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn tomorrow_is_known_from_one_o_clock_on_and_days_are_those_of_central_europe() {
        let until = |at: &str| published_until(at.parse().unwrap()).to_rfc3339();
        assert_eq!(until("2023-06-13T10:59:59Z"), "2023-06-13T22:00:00+00:00");
        assert_eq!(until("2023-06-13T11:00:00Z"), "2023-06-14T22:00:00+00:00");
        assert_eq!(until("2023-06-13T22:00:00Z"), "2023-06-14T22:00:00+00:00");
        // The day after has 25 hours.
        assert_eq!(until("2023-10-28T12:00:00Z"), "2023-10-29T23:00:00+00:00");
    }
}
