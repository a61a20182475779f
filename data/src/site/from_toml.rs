//! A site from the text of its file.

use super::{FORMAT, Site};
use crate::refusal::{Fault, Refusal};

/// Reads a site file. Nothing is checked beyond its shape.
///
/// # Errors
///
/// [`Refusal`] with the line of the first thing that is not of the site's shape.
pub fn from_toml(bytes: &[u8]) -> Result<Site, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Fault::of_table("the file", "", "is not in UTF-8", "save it as UTF-8 text"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let site: Site = toml::from_str(text).map_err(|fault| {
        let before = fault.span().map_or("", |span| &text[..span.start.min(text.len())]);
        let place = format!("line {}", before.matches('\n').count() + 1);
        Fault::of_table(
            place,
            "",
            fault.message().replace('\n', " "),
            "see docs/formats/site.md for what belongs there",
        )
    })?;
    if site.format != FORMAT {
        let wrong = "is not the format that this version reads, 1";
        return Err(Fault::of_table("format", &site.format.to_string(), wrong, "use a newer kwartier").into());
    }
    Ok(site)
}
