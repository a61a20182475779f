//! Phase rotation: which grid phase hangs on each of a station's own phases.
//!
//! Letters as in OCPP's `ConnectorPhaseRotation`: the i-th is the grid phase on the station's own `L_i`, R = L1, S = L2,
//! T = L3, `x` = nothing. A station that is wired for one or two phases uses its own L1 first, so that `x` stands at
//! the end: a vehicle that charges on one phase uses the station's own L1.

use std::fmt;

use crate::instance::PhaseIndex;

/// The letters of the grid phases L1, L2, L3.
const LETTERS: [char; 3] = ['R', 'S', 'T'];

/// The six ways to wire a three-phase station.
pub const THREE_PHASE: [&str; 6] = ["RST", "RTS", "SRT", "STR", "TRS", "TSR"];

/// A rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The grid phase on each of the station's own phases; absent ones at the end.
    phases: [Option<PhaseIndex>; 3],
}

impl Rotation {
    /// Grid phases in the order of the station's own L1, L2, L3: one, two or three of them.
    pub fn phases(self) -> impl Iterator<Item = PhaseIndex> {
        self.phases.into_iter().flatten()
    }

    /// How many phases the station is wired for.
    pub fn count(self) -> usize {
        self.phases().count()
    }

    /// The grid phase that a vehicle charging on one phase loads.
    pub fn first(self) -> Option<PhaseIndex> {
        self.phases[0]
    }

    /// The same wiring, each conductor moved on by `steps` grid phases.
    pub fn shifted(self, steps: usize) -> Rotation {
        Rotation { phases: self.phases.map(|phase| phase.map(|phase| (phase + steps) % 3)) }
    }

    /// Reads any of the spellings in use: `RST`, `r-s-t`, `L1L2L3`, `L1, L2, L3`, `123`, `Rxx`, `R`, `L2`, `RS`, and
    /// OCPP's `1.RST`.
    ///
    /// # Errors
    ///
    /// [`Misread`], why it is none.
    pub fn parse(text: &str) -> Result<Rotation, Misread> {
        let letters: Vec<char> = text.to_uppercase().chars().filter(|c| c.is_alphanumeric() || *c == '.').collect();
        let letters: String = letters.into_iter().collect();
        if letters.is_empty() || ["UNKNOWN", "ONBEKEND", "UNBEKANNT", "NOTAPPLICABLE", "NVT"].contains(&&*letters) {
            return Err(Misread::Unknown);
        }
        let mut seen = None;
        for one in connectors(&letters) {
            let rotation = one_connector(one)?;
            if seen.is_some_and(|seen| seen != rotation) {
                return Err(Misread::ConnectorsDiffer);
            }
            seen = Some(rotation);
        }
        seen.ok_or(Misread::NoRotation)
    }
}

impl fmt::Display for Rotation {
    /// The spelling of the site file: three letters, `x` for an absent phase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.phases.iter().try_for_each(|phase| write!(f, "{}", phase.map_or('x', |phase| LETTERS[phase])))
    }
}

/// Why a text is no rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misread {
    /// It says that nobody knows.
    Unknown,
    /// Not the letters of a rotation.
    NoRotation,
    /// A grid phase stands twice.
    Twice,
    /// An absent phase stands before a present one.
    Gap,
    /// The connectors of one station are wired differently.
    ConnectorsDiffer,
}

impl Misread {
    /// What is wrong, and the remedy.
    pub fn says(self) -> (&'static str, &'static str) {
        match self {
            Misread::Unknown => (
                "leaves the phase rotation open, so nothing can be planned per phase",
                "measure which grid phase hangs on the station's L1, L2, L3 and write it as RST, STR or TRS (Rxx for one \
                 phase)",
            ),
            Misread::NoRotation => (
                "is no phase rotation",
                "write the grid phases on the station's L1, L2, L3 as one of RST, RTS, SRT, STR, TRS, TSR (R = L1, S = L2, \
                 T = L3), with x for an absent phase at the end, as in Rxx",
            ),
            Misread::Twice => {
                ("has one grid phase twice", "each of R, S, T stands once: write one of RST, RTS, SRT, STR, TRS, TSR")
            }
            Misread::Gap => (
                "has an absent phase before a present one",
                "a vehicle on one phase uses the station's own L1, so x stands at the end, as in Rxx or RSx",
            ),
            Misread::ConnectorsDiffer => (
                "gives the station's connectors different rotations",
                "give each connector that is wired differently a row of its own",
            ),
        }
    }
}

/// The parts of OCPP's list by connector, `0.RST,1.STR`, or the text itself.
fn connectors(letters: &str) -> Vec<&str> {
    if !letters.contains('.') {
        return vec![letters];
    }
    // Separators are gone: a part begins with digits and a dot.
    let mut parts: Vec<&str> = letters.split('.').collect();
    let first = parts.remove(0);
    if first.is_empty() || !first.bytes().all(|b| b.is_ascii_digit()) {
        return vec![letters];
    }
    let last = parts.len().saturating_sub(1);
    let strip = |(k, part): (usize, &'_ str)| {
        if k == last { part.len() } else { part.trim_end_matches(|c: char| c.is_ascii_digit()).len() }
    };
    parts.iter().enumerate().map(|(k, part)| &part[..strip((k, part))]).collect()
}

fn one_connector(letters: &str) -> Result<Rotation, Misread> {
    // A digit is a phase behind an L, as in L1L2L3, or as one of three, as in 123; elsewhere it may be a number of phases.
    let digits_alone = letters.len() == 3 && letters.bytes().all(|b| b.is_ascii_digit());
    let mut plain: Vec<char> = Vec::new();
    let mut before = ' ';
    for c in letters.chars() {
        if c.is_ascii_digit() != (before == 'L') && !digits_alone {
            return Err(Misread::NoRotation);
        }
        if c != 'L' {
            plain.push(c);
        }
        before = c;
    }
    if before == 'L' || plain.is_empty() || plain.len() > 3 {
        return Err(Misread::NoRotation);
    }
    let mut phases = [None; 3];
    for (slot, c) in phases.iter_mut().zip(&plain) {
        *slot = match c {
            'R' | '1' => Some(0),
            'S' | '2' => Some(1),
            'T' | '3' => Some(2),
            'X' => None,
            _ => return Err(Misread::NoRotation),
        };
    }
    let present: Vec<PhaseIndex> = phases.into_iter().flatten().collect();
    if present.is_empty() {
        return Err(Misread::NoRotation);
    }
    if (0..3).any(|phase| present.iter().filter(|&&other| other == phase).count() > 1) {
        return Err(Misread::Twice);
    }
    if phases[..present.len()].iter().any(Option::is_none) {
        return Err(Misread::Gap);
    }
    Ok(Rotation { phases })
}
