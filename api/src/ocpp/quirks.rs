//! What chargers do otherwise than OCPP says, as data: `quirks.toml`, and what an installer says of one charger.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::heard::Identity;
use super::profiles::Form;

/// The catalogue.
const CATALOGUE: &str = include_str!("quirks.toml");

/// The longest pause between two rises: what lapses has to be told again before.
pub const LONGEST_INTERVAL_S: u32 = 60;

/// The highest current at which a vehicle pauses (IEC 61851-1), in A.
pub const HIGHEST_PAUSE_A: f64 = 5.9;

/// How a charger wants to be treated, where that differs from what OCPP says. What is absent is as usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quirks {
    /// The highest stack level that it takes; what it says itself does not count then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100)]
    pub levels: Option<u8>,
    /// In which unit it follows limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<LimitUnit>,
    /// The most periods of a schedule that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub periods: Option<u16>,
    /// What it is told in place of 0 A, in A per phase: below 6 A vehicles pause too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 5.9)]
    pub pause_a: Option<f64>,
    /// Its limit is raised no sooner than so long after it was changed last, in s; lowered, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 60)]
    pub interval_s: Option<u32>,
    /// Whether it takes profiles of transactions; else it is told defaults that lapse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_profile: Option<bool>,
    /// Whether it takes a profile for the whole charger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_profile: Option<bool>,
    /// Whether profiles can be cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<bool>,
    /// Whether each limit has to say on how many phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says_phases: Option<bool>,
    /// Whether it keeps profiles while its link is gone; else it is counted with all that it can draw then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<bool>,
    /// Whether it tells what its profiles add up to (`GetCompositeSchedule`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composite: Option<bool>,
}

/// A unit of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum LimitUnit {
    /// A per phase.
    A,
    /// W of all phases.
    W,
}

/// An entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Who made it.
    pub vendor: String,
    /// Which model.
    #[serde(default = "any")]
    pub model: String,
    /// Which firmware.
    #[serde(default = "any")]
    pub firmware: String,
    /// How it wants to be treated.
    pub does: Quirks,
    /// What it does.
    pub why: String,
    /// Who says so.
    pub source: String,
}

fn any() -> String {
    "*".to_owned()
}

#[derive(Debug, Deserialize)]
struct Catalogue {
    quirk: Vec<Entry>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| match toml::from_str::<Catalogue>(CATALOGUE) {
    Ok(catalogue) => catalogue.quirk,
    Err(why) => {
        tracing::error!(%why, "the catalogue of chargers cannot be read");
        Vec::new()
    }
});

impl Quirks {
    /// How a charger wants to be treated: by the catalogue, and by what is said of it.
    pub fn of(identity: &Identity, said: Option<Quirks>) -> Quirks {
        let known = ENTRIES.iter().filter(|entry| entry.fits(identity)).map(|entry| entry.does);
        known.chain(said).fold(Quirks::default(), Quirks::or)
    }

    /// What the later says, else what the earlier says.
    fn or(self, later: Quirks) -> Quirks {
        Quirks {
            levels: later.levels.or(self.levels),
            unit: later.unit.or(self.unit),
            periods: later.periods.or(self.periods),
            pause_a: later.pause_a.or(self.pause_a),
            interval_s: later.interval_s.or(self.interval_s),
            tx_profile: later.tx_profile.or(self.tx_profile),
            max_profile: later.max_profile.or(self.max_profile),
            clear: later.clear.or(self.clear),
            says_phases: later.says_phases.or(self.says_phases),
            keeps: later.keeps.or(self.keeps),
            composite: later.composite.or(self.composite),
        }
    }

    /// Whether nothing is said.
    pub fn is_usual(&self) -> bool {
        *self == Quirks::default()
    }

    /// What is wrong with it: the field and why.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        if let Some(amps) = self.pause_a.filter(|amps| !(0.0..=HIGHEST_PAUSE_A).contains(amps)) {
            return Some((
                "pause_a",
                format!("{amps} A is no pause; say 0 to {HIGHEST_PAUSE_A} A, below 6 A vehicles pause"),
            ));
        }
        if let Some(interval_s) = self.interval_s.filter(|interval_s| *interval_s > LONGEST_INTERVAL_S) {
            let detail = format!("{interval_s} s is longer than a limit may wait; say {LONGEST_INTERVAL_S} s at most");
            return Some(("interval_s", detail));
        }
        (self.periods == Some(0)).then(|| ("periods", "0 is no schedule; say 1 or more".to_owned()))
    }

    /// Makes of a form one that the charger follows.
    pub fn shape(&self, form: Form) -> Form {
        Form {
            watts: self.unit.map_or(form.watts, |unit| unit == LimitUnit::W),
            periods: self.periods.map_or(form.periods, |periods| usize::from(periods.max(1))),
            levels: self.levels.map_or(form.levels, i64::from),
            says_phases: self.says_phases.unwrap_or(form.says_phases),
            ..form
        }
    }
}

impl Entry {
    fn fits(&self, identity: &Identity) -> bool {
        fits(&self.vendor, &identity.vendor)
            && fits(&self.model, &identity.model)
            && fits(&self.firmware, identity.firmware.as_deref().unwrap_or_default())
    }
}

/// Whether a text fits a pattern, in which `*` is anything.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut left) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    if !pattern.contains('*') {
        return left.is_empty();
    }
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn identity(vendor: &str, model: &str, firmware: &str) -> Identity {
        Identity {
            vendor: vendor.to_owned(),
            model: model.to_owned(),
            serial: None,
            firmware: Some(firmware.to_owned()),
        }
    }

    #[test]
    fn patterns_are_whole_words_with_anything_at_their_stars() {
        for (pattern, text, holds) in [
            ("*", "", true),
            ("ABB*", "abb terra", true),
            ("ABB*", "Nabb", false),
            ("EV*BOX*", "EV-Box Elvi", true),
            ("EV*BOX*", "EVBOX", true),
            ("*AC*MINI*", "Delta AC Max", false),
            ("1.8", "1.8.2", false),
            ("*8", "1.8", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), holds, "{pattern} {text}");
        }
    }

    #[test]
    fn every_entry_can_be_read_and_can_be_true() {
        let entries = toml::from_str::<Catalogue>(CATALOGUE).unwrap().quirk;
        assert_eq!(*ENTRIES, entries);
        for entry in entries {
            assert!(!entry.does.is_usual() && entry.does.fault().is_none(), "{entry:?}");
            assert!(!entry.why.is_empty() && !entry.source.is_empty(), "{entry:?}");
        }
    }

    #[test]
    fn all_that_fits_counts_and_what_is_said_of_one_charger_counts_more() {
        let old = Quirks::of(&identity("ABB", "TAC-W22", "1.8.0"), None);
        assert_eq!((old.levels, old.pause_a), (Some(0), Some(5.0)));
        let new = Quirks::of(&identity("ABB", "TAC-W22", "1.9.0"), None);
        assert_eq!((new.levels, new.pause_a), (None, Some(5.0)));
        let said = Quirks { pause_a: Some(0.0), ..Quirks::default() };
        assert_eq!(Quirks::of(&identity("ABB", "TAC-W22", "1.9.0"), Some(said)), said);
        assert!(Quirks::of(&identity("Somebody", "M", "1"), None).is_usual());
        for wrong in [
            Quirks { pause_a: Some(6.0), ..said },
            Quirks { interval_s: Some(61), ..said },
            Quirks { periods: Some(0), ..said },
        ] {
            assert!(wrong.fault().is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn the_table_in_the_repository_is_the_catalogue() {
        let mut table =
            "| vendor | model | firmware | what it does | what it is told | by |\n|---|---|---|---|---|---|\n"
                .to_owned();
        for Entry { vendor, model, firmware, does, why, source } in &*ENTRIES {
            let does = serde_json::to_string(does).unwrap().replace('"', "").replace(',', ", ");
            let does = does.trim_matches(['{', '}']);
            let _ = writeln!(table, "| `{vendor}` | `{model}` | `{firmware}` | {why} | `{does}` | {source} |");
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ocpp.md");
        let docs = std::fs::read_to_string(file).unwrap();
        let (begin, end) = ("<!-- quirks: begin -->\n", "<!-- quirks: end -->");
        let (before, rest) = docs.split_once(begin).unwrap();
        let (found, after) = rest.split_once(end).unwrap();
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            std::fs::write(file, format!("{before}{begin}{table}{end}{after}")).unwrap();
        } else {
            assert_eq!(found, table, "`make golden` writes it anew");
        }
    }
}
