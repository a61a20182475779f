//! The site file: TOML, or the same content as JSON. [`parse`] reads it, [`write()`] writes a new one, [`update`] brings a
//! file in line with tables and leaves everything else, comments included, as it is.

mod fit;
pub mod shape;
mod tree;
mod update;
mod write;

use toml::de::DeTable;

pub use self::update::{Changes, Given, update};
pub use self::write::write;
use super::Site;
use super::check::check;
use crate::finding::{Finding, Place, Places};
use crate::refusal::clip;

/// Largest site file in bytes. Ten thousand stations are two megabytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// A site and where in its file everything stands.
#[derive(Debug, Clone)]
pub struct SiteFile {
    /// The site.
    pub site: Site,
    /// Lines by path; empty for JSON.
    pub places: Places,
}

impl SiteFile {
    /// Everything an electrician would want to know of the site, with lines, the worst first.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = check(&self.site);
        for finding in &mut findings {
            finding.place = self.places.find(&finding.path).cloned();
        }
        findings
    }
}

/// Reads a site file, TOML or JSON.
///
/// # Errors
///
/// Everything that keeps the bytes from being a site file: the syntax error, or every key that does not fit.
pub fn parse(bytes: &[u8]) -> Result<SiteFile, Vec<Finding>> {
    let text = text(bytes).map_err(|finding| vec![*finding])?;
    let root =
        if text.trim_start().starts_with('{') { json(text) } else { toml(text) }.map_err(|finding| vec![*finding])?;
    let fit = fit::Fit::of(&root);
    if !fit.findings.is_empty() {
        return Err(fit.findings);
    }
    match serde_json::from_value(root.to_json()) {
        Ok(site) => Ok(SiteFile { site, places: fit.places }),
        Err(error) => {
            let wrong = format!("the file does not fit the format: {}", clip(&error.to_string()));
            Err(vec![Finding::error("wrong-type", "").says(wrong, "compare it with docs/formats/site.md")])
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Box<Finding>> {
    let refuse = |wrong: &str, remedy: &str| Err(Box::new(Finding::error("no-site-file", "").says(wrong, remedy)));
    if bytes.len() > MAX_FILE_BYTES {
        return refuse("the file is larger than 16 MiB, which no site is", "name the site file");
    }
    if bytes.trim_ascii().is_empty() {
        return refuse("the file is empty", "make one with kwartier site import");
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return refuse("the file is in UTF-16", "save it in UTF-8");
    }
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return refuse("the file is a spreadsheet, not a site file", "turn it into one with kwartier site import");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return refuse("the file is no text in UTF-8", "save it in UTF-8, or name the site file");
    };
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if !first.contains(['=', '[', '#', '{']) && first.contains([';', ',', '\t']) {
        return refuse("the file is a table, not a site file", "turn it into one with kwartier site import");
    }
    if first.trim_start().starts_with('<') {
        return refuse("the file is a web page, not a site file", "fetch the file itself");
    }
    Ok(text)
}

fn toml(text: &str) -> Result<tree::Node, Box<Finding>> {
    let lines = tree::Lines::of(text);
    let root = DeTable::parse(text).map_err(|error| {
        let (line, column) = lines.position(error.span().map_or(0, |span| span.start.min(text.len())));
        let message = clip(error.message().lines().next().unwrap_or_default());
        let remedy = if message.contains("duplicate") { "keep one of the two" } else { "correct the file there" };
        let wrong = format!("not TOML at column {column}: {message}");
        Box::new(Finding::error("syntax", "").at(Some(Place::line(line))).says(wrong, remedy))
    })?;
    Ok(tree::of_toml(&root, &lines))
}

fn json(text: &str) -> Result<tree::Node, Box<Finding>> {
    let root: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        let wrong = format!("not JSON at column {}: {}", error.column(), clip(&error.to_string()));
        let finding = Finding::error("syntax", "").at(Some(Place::line(error.line())));
        Box::new(finding.says(wrong, "correct the file there"))
    })?;
    Ok(tree::of_json(&root))
}
