//! Names that were probably meant.

use crate::refusal::quoted;

/// How alike two names are, from 0 to 1, for one to be offered for the other.
const ALIKE: f64 = 0.8;

/// A name without case, spaces and signs.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The remedy that offers the name most alike, if any is alike at all.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let wanted = folded(name);
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    // UV7 is no slip of the pen for UV9: names that differ in their numbers name different things.
    let known = known.filter(|other| digits(other) == digits(name));
    let alike = |other: &str| if folded(other) == wanted { 1.0 } else { strsim::jaro_winkler(&folded(other), &wanted) };
    let best = known.map(|other| (alike(other), other)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then(|| format!("write {}, if that is meant", quoted(best.1)))
}
