//! Tariffs to begin with: taxes and levies of a country, as data with their sources (`presets/`). What depends on a
//! contract or a grid operator is not in them, and each says what is missing.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Tariff;

/// The files, by the id that people choose them by.
const FILES: [(&str, &str); 4] = [
    ("nl-business", include_str!("presets/nl-business.toml")),
    ("nl-home", include_str!("presets/nl-home.toml")),
    ("de-business", include_str!("presets/de-business.toml")),
    ("de-home", include_str!("presets/de-home.toml")),
];

/// A tariff to begin with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What people call it.
    pub title: String,
    /// The day on which its figures were last compared with their sources, `YYYY-MM-DD`.
    pub checked: String,
    /// Where its figures are from.
    pub sources: Vec<String>,
    /// What is to be added from contract and bill.
    pub missing: String,
    /// The tariff.
    pub tariff: Tariff,
}

/// The ids of all presets.
pub fn ids() -> [&'static str; FILES.len()] {
    FILES.map(|(id, _)| id)
}

/// The preset of an id.
pub fn preset(id: &str) -> Option<&'static Preset> {
    static PRESETS: LazyLock<Vec<(&str, Preset)>> = LazyLock::new(|| {
        let read = |(id, text): (&'static str, &str)| Some((id, toml::from_str(text).ok()?));
        FILES.into_iter().filter_map(read).collect()
    });
    PRESETS.iter().find(|(known, _)| *known == id).map(|(_, preset)| preset)
}
