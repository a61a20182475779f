//! Days of the week as people write them: `mon-fri`, `sat,sun`, `ma-vr`, `Mo-Fr`, `daily`.

use chrono::{Datelike, NaiveDate, Weekday};

/// A set of days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays {
    /// Bit 0 is Monday.
    bits: u8,
}

/// What each day is called, from Monday on: English, Dutch, German. No name means two days.
const NAMES: [&[&str]; 7] = [
    &["mon", "monday", "ma", "maandag", "mo", "montag"],
    &["tue", "tues", "tuesday", "tu", "di", "dinsdag", "dienstag"],
    &["wed", "wednesday", "we", "wo", "woensdag", "mi", "mittwoch"],
    &["thu", "thur", "thurs", "thursday", "th", "do", "donderdag", "donnerstag"],
    &["fri", "friday", "vr", "vrijdag", "fr", "freitag"],
    &["sat", "saturday", "za", "zaterdag", "sa", "samstag", "sonnabend"],
    &["sun", "sunday", "su", "zo", "zondag", "so", "sonntag"],
];

/// What several days together are called.
const TOGETHER: [(&[&str], u8); 3] = [
    (&["daily", "every day", "all", "dagelijks", "elke dag", "alle dagen", "täglich", "taeglich", "jeden tag"], 0x7f),
    (&["weekdays", "workdays", "werkdagen", "werktags", "werktage"], 0x1f),
    (&["weekend", "weekends", "wochenende"], 0x60),
];

impl Weekdays {
    /// Every day.
    pub const DAILY: Weekdays = Weekdays { bits: 0x7f };

    /// Reads a list of days and ranges; a range may run over Sunday. `None` for what is no day.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase().replace(['–', '—'], "-").replace(" - ", "-");
        if let Some((_, bits)) = TOGETHER.iter().find(|(names, _)| names.contains(&text.as_str())) {
            return Some(Weekdays { bits: *bits });
        }
        let mut bits = 0;
        for part in text.split([',', ';', '/', '+', ' ']).filter(|part| !part.is_empty()) {
            bits |= match part.split_once('-') {
                Some((from, to)) => range(index(from)?, index(to)?),
                None => 1 << index(part)?,
            };
        }
        (bits != 0).then_some(Weekdays { bits })
    }

    /// Whether a day of the week is among them.
    pub fn contains(self, day: Weekday) -> bool {
        self.bits >> day.num_days_from_monday() & 1 == 1
    }

    /// Whether a date is one of them.
    pub fn hold(self, date: NaiveDate) -> bool {
        self.contains(date.weekday())
    }
}

fn index(name: &str) -> Option<usize> {
    let name = name.trim().trim_end_matches('.');
    NAMES.iter().position(|names| names.contains(&name))
}

/// The bits of a range of days, both ends in.
fn range(from: usize, to: usize) -> u8 {
    let days = (to + 7 - from) % 7;
    (0..=days).fold(0, |bits, k| bits | 1 << ((from + k) % 7))
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn days_in_three_languages() {
        for (text, bits) in [
            ("mon-fri", 0x1f),
            ("ma-vr", 0x1f),
            ("Mo-Fr", 0x1f),
            ("Mo. – Fr.", 0x1f),
            ("werkdagen", 0x1f),
            ("sat,sun", 0x60),
            ("za, zo", 0x60),
            ("Samstag Sonntag", 0x60),
            ("fri-mon", 0x71),
            ("daily", 0x7f),
            ("dagelijks", 0x7f),
            ("Täglich", 0x7f),
            ("mon-sun", 0x7f),
            ("woensdag", 0x04),
            ("mi", 0x04),
            ("di,do", 0x0a),
        ] {
            assert_eq!(Weekdays::parse(text).unwrap().bits, bits, "{text}");
        }
        for text in ["", "fun", "mon-", "-fri", "mon-tue-wed", "1-5", ","] {
            assert_eq!(Weekdays::parse(text), None, "{text}");
        }
    }
}
