//! What an electrician would want to know of a site before anything is planned on it. Each file holds the rules of one
//! kind of thing; nothing here stops at the first finding.

mod boards;
pub mod codes;
mod equipment;
mod fallback;
mod head;
pub(crate) mod names;
mod people;
mod phases;
mod stations;
mod tariff;
mod templates;

use std::collections::HashSet;

use super::Site;
use super::tree::Tree;
use crate::finding::{Finding, Severity};
use crate::refusal::{number, quoted};

/// Everything there is to say about a site, the worst first; within a severity in the order of the file's sections.
pub fn check(site: &Site) -> Vec<Finding> {
    let mut check = Check { site, tree: Tree::of(site), findings: Vec::new() };
    head::check(&mut check);
    boards::check(&mut check);
    stations::check(&mut check);
    phases::check(&mut check);
    fallback::check(&mut check);
    equipment::check(&mut check);
    people::check(&mut check);
    templates::check(&mut check);
    tariff::check(&mut check);
    let mut findings = check.findings;
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// The site and what has been found so far.
struct Check<'a> {
    site: &'a Site,
    tree: Tree<'a>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Whether `board` is known; if not, an error about `path`.
    fn on_board(&mut self, path: &str, subject: &str, board: &str) -> Option<usize> {
        let found = self.tree.board(board);
        if found.is_none() {
            let remedy = names::nearest(board, self.site.boards.iter().map(|board| board.id.as_str()))
                .unwrap_or_else(|| format!("name one of {}, or add the board", self.board_names()));
            let finding = Finding::error("unknown-board", format!("{path}.board")).of(subject).value(quoted(board));
            self.add(finding.says("is no board of the site", remedy));
        }
        found
    }

    /// The names of the boards, the first of them.
    fn board_names(&self) -> String {
        crate::refusal::names(self.site.boards.iter().map(|board| board.id.as_str()))
    }

    /// An error unless the number is above 0.
    fn positive(&mut self, path: &str, subject: &str, field: &str, value: f64, remedy: &str) -> bool {
        let holds = value > 0.0;
        if !holds {
            let finding = Finding::error("bad-number", format!("{path}.{field}")).of(subject).value(number(value));
            self.add(finding.says("is not above 0", remedy));
        }
        holds
    }

    /// An error unless the number is 0 or more.
    fn not_negative(&mut self, path: &str, subject: &str, field: &str, value: f64, remedy: &str) -> bool {
        let holds = value >= 0.0;
        if !holds {
            let finding = Finding::error("bad-number", format!("{path}.{field}")).of(subject).value(number(value));
            self.add(finding.says("is below 0", remedy));
        }
        holds
    }

    /// An error unless the number is a fraction above 0, at most 1.
    fn fraction(&mut self, path: &str, subject: &str, field: &str, value: f64) {
        if value > 0.0 && value <= 1.0 {
            return;
        }
        let remedy = if value > 1.0 && value <= 100.0 {
            format!("write {} for {} %", number(value / 100.0), number(value))
        } else {
            "write a fraction, such as 0.95 for 95 %".to_owned()
        };
        let path = if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
        let finding = Finding::error("bad-fraction", path).of(subject).value(number(value));
        self.add(finding.says("is no fraction above 0 and up to 1", remedy));
    }

    /// Names of one kind: none empty, none twice, none alike but for case and spaces.
    fn unique(&mut self, list: &str, kind: &str, ids: &[&str]) {
        let mut seen = HashSet::new();
        let mut alike: HashSet<String> = HashSet::new();
        for (k, id) in ids.iter().enumerate() {
            let path = format!("{list}[{k}].id");
            let subject = format!("{kind} {}", quoted(id));
            if id.trim().is_empty() {
                let finding = Finding::error("no-name", path).of(format!("{kind} number {}", k + 1)).value(quoted(id));
                self.add(finding.says("is no name", format!("give every {kind} a name of its own")));
            } else if !seen.insert(*id) {
                let first = ids.iter().position(|other| other == id).unwrap_or(0) + 1;
                let finding = Finding::error("duplicate-name", path).of(subject);
                let wrong = format!("has the same name as {kind} number {first}");
                self.add(finding.says(wrong, format!("give every {kind} a name of its own")));
            } else if !alike.insert(names::folded(id)) {
                let other = ids.iter().find(|other| **other != *id && names::folded(other) == names::folded(id));
                let wrong = format!(
                    "differs from {} only by case, spaces or signs",
                    quoted(other.copied().unwrap_or_default())
                );
                let remedy = "if they are one, write the name the same everywhere; if not, name them so that nobody mixes them up";
                self.add(Finding::warning("similar-name", path).of(subject).says(wrong, remedy));
            }
        }
    }
}

/// The finding's severity by whether it is meant to stop anything.
fn severity(stops: bool) -> Severity {
    if stops { Severity::Error } else { Severity::Warning }
}
