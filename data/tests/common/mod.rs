//! What the tests of messages share.

use std::fmt::Write as _;

use kwartier_data::Finding;

/// Findings a line each, but for those of some codes.
pub fn told(findings: &[Finding], left_out: &[&str]) -> String {
    let findings = findings.iter().filter(|finding| !left_out.contains(&finding.code));
    findings.fold(String::new(), |mut text, finding| {
        let _ = writeln!(text, "{:?} {finding} [{}]", finding.severity, finding.code);
        text
    })
}

/// What is said in all cases, each under its name.
pub fn transcript(cases: Vec<(&str, String)>) -> String {
    cases.into_iter().fold(String::new(), |mut text, (name, said)| {
        assert!(!said.is_empty(), "{name}: nothing is said");
        let _ = writeln!(text, "# {name}\n{said}");
        text
    })
}
