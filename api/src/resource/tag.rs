//! Cards that chargers are shown (RFID), and who may charge at a site.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest number of a card in characters, as of an `identifierString` in OCPP 2.0.1.
const LONGEST: usize = 36;

/// The number of a card, as a charger reads it. It shows nothing of itself, and is kept only as a hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagNumber(String);

impl TagNumber {
    /// The number that a text is.
    pub fn of(text: &str) -> TagNumber {
        TagNumber(text.to_owned())
    }

    /// What it is compared by: OCPP tells no upper from lower case (1.6, 5.1; 2.0.1, `IdTokenType`), and people write colons,
    /// hyphens and spaces between digits where chargers send none.
    pub fn plain(&self) -> String {
        let letters = self.0.trim().chars().filter(|letter| !matches!(letter, ':' | '-' | ' '));
        letters.collect::<String>().to_uppercase()
    }

    /// Its last two characters, by which people tell cards apart.
    pub fn last(&self) -> String {
        let plain = self.plain();
        let skip = plain.chars().count().saturating_sub(2);
        plain.chars().skip(skip).collect()
    }

    /// What is wrong with it, if anything.
    pub fn fault(&self) -> Option<&'static str> {
        let plain = self.plain();
        let exponent = plain.contains("E+") && plain.replace(',', ".").parse::<f64>().is_ok();
        if plain.is_empty() {
            Some("is empty; write what the charger reads of the card")
        } else if self.0.trim().chars().count() > LONGEST {
            Some("has more than 36 characters, which no charger reads; write what it reads of the card")
        } else if !plain.chars().all(|letter| letter.is_ascii_graphic()) {
            Some("has letters that no card has; write what the charger reads of the card")
        } else if exponent {
            Some("is a number that a spreadsheet has rounded; make its column text, and write it again")
        } else {
            None
        }
    }
}

impl fmt::Debug for TagNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TagNumber(…)")
    }
}

/// A card as it is stated: its number and all that is said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTag {
    /// Its number, as the charger reads it; never read back. Upper and lower case, colons, hyphens and spaces are the same.
    #[schema(value_type = String, write_only, min_length = 1, max_length = 36, example = "04A2B3C4D5E680")]
    pub tag: TagNumber,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Who has it, as you call them; no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The user group of those who charge with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The vehicle that it is kept in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<String>,
    /// Who pays for what is charged with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
    /// Cards of one family may end each other's sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// From when on it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Until when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Whether it is let in no more.
    #[serde(default)]
    pub blocked: bool,
    /// Whether it may charge at one place at a time only.
    #[serde(default)]
    pub one_at_a_time: bool,
}

/// All that is said of a card.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagFacts {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Who has it, as you call them; no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The user group of those who charge with it: its templates say when they leave and what they need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The vehicle that it is kept in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<String>,
    /// Who pays for what is charged with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
    /// Cards of one family may end each other's sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// From when on it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Until when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Whether it is let in no more.
    #[serde(default)]
    pub blocked: bool,
    /// Whether it may charge at one place at a time only.
    #[serde(default)]
    pub one_at_a_time: bool,
}

/// A card as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptTag {
    /// The last two characters of its number.
    pub last: String,
    /// What is said of it.
    pub what: TagFacts,
}

impl NewTag {
    /// Its number, and what is kept of it.
    pub fn kept(self) -> (TagNumber, KeptTag) {
        let what = TagFacts {
            label: self.label,
            driver: self.driver,
            group: self.group,
            vehicle: self.vehicle,
            cost_centre: self.cost_centre,
            family: self.family,
            from: self.from,
            until: self.until,
            blocked: self.blocked,
            one_at_a_time: self.one_at_a_time,
        };
        let last = self.tag.last();
        (self.tag, KeptTag { last, what })
    }
}

/// Who may charge at a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorisation {
    /// Whether everyone may, with any card. Absent: as long as the site has no cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_vend: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_however_it_is_written_and_shows_nothing() {
        let number = TagNumber::of(" 04:a2:b3-C4 ");
        assert_eq!((number.plain().as_str(), number.last().as_str(), number.fault()), ("04A2B3C4", "C4", None));
        assert!(!format!("{number:?}").contains("A2"));
        for wrong in ["", "  ", "::", "1.23E+13", "1,5E+7", "é", &"1".repeat(37)] {
            assert!(TagNumber::of(wrong).fault().is_some(), "{wrong:?}");
        }
    }
}
