//! Checks of numbers and times that a type cannot make: each fault with its field, its value and the remedy.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::problem::{FieldError, Problem};

/// The largest current that is believed, in A: beyond it, the unit is mA.
pub const MOST_A: f64 = 10_000.0;

/// The most energy of one stay that is believed, in kWh: beyond it, the unit is Wh.
pub const MOST_KWH: f64 = 10_000.0;

/// The largest power that is believed, in kW: beyond it, the unit is W.
pub const MOST_KW: f64 = 100_000.0;

/// How far ahead anything may lie: a year and a month.
pub const AHEAD: TimeDelta = TimeDelta::days(400);

/// How far ahead of ours the clock of somebody who measures may go.
pub const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);

/// How many faults one answer names.
const NAMED: usize = 20;

/// Checks, and what they found.
#[derive(Debug)]
pub struct Finite {
    within: String,
    errors: Vec<FieldError>,
    found: usize,
}

impl Finite {
    /// Checks of fields that stand within something, such as `[3]`; empty, of the body itself.
    pub fn new(within: impl Into<String>) -> Finite {
        Finite { within: within.into(), errors: Vec::new(), found: 0 }
    }

    /// Goes on with the fields of something else.
    pub fn within(&mut self, within: impl Into<String>) {
        self.within = within.into();
    }

    /// A fault.
    pub fn wrong(&mut self, field: &str, detail: impl Into<String>) {
        self.found += 1;
        if self.errors.len() < NAMED {
            let dot = if self.within.is_empty() || field.is_empty() { "" } else { "." };
            let field = format!("{}{dot}{field}", self.within);
            self.errors.push(FieldError { field, detail: detail.into() });
        }
    }

    /// A number from 0 up to a most.
    pub fn not_negative(&mut self, field: &str, value: Option<f64>, most: f64, unit: &str) {
        let Some(value) = value else { return };
        if !value.is_finite() || value < 0.0 {
            self.wrong(field, format!("{value} is not 0 {unit} or more; leave it out where it is unknown"));
        } else if value > most {
            self.wrong(field, format!("{value} is more than {most} {unit}; check its unit"));
        }
    }

    /// A number above 0 up to a most.
    pub fn positive(&mut self, field: &str, value: Option<f64>, most: f64, unit: &str) {
        match value {
            Some(0.0) => self.wrong(field, format!("0 is not above 0 {unit}; leave it out where it is unknown")),
            value => self.not_negative(field, value, most, unit),
        }
    }

    /// A current in A, of either sign.
    pub fn current(&mut self, field: &str, value: Option<f64>) {
        self.magnitude(field, value, MOST_A, "A");
    }

    /// A number of either sign up to a magnitude.
    pub fn magnitude(&mut self, field: &str, value: Option<f64>, most: f64, unit: &str) {
        if let Some(value) = value.filter(|value| !value.is_finite() || value.abs() > most) {
            self.wrong(field, format!("{value} is more than {most} {unit}; check its unit"));
        }
    }

    /// A time that has been.
    pub fn not_ahead(&mut self, field: &str, at: DateTime<Utc>, now: DateTime<Utc>) {
        if at > now + CLOCKS_APART {
            let detail = format!("{} lies ahead, here it is {}; set the clock right", shown(at), shown(now));
            self.wrong(field, detail);
        }
    }

    /// A time at most 400 days ahead.
    pub fn near(&mut self, field: &str, at: DateTime<Utc>, now: DateTime<Utc>) {
        if at > now + AHEAD {
            self.wrong(field, format!("{} is more than 400 days ahead; check the year", shown(at)));
        }
    }

    /// Whether nothing was found so far.
    pub fn is_fine(&self) -> bool {
        self.found == 0
    }

    /// All that was found.
    pub fn done(mut self) -> Result<(), Problem> {
        let more = self.found - self.errors.len();
        if more > 0 {
            self.errors.push(FieldError { field: String::new(), detail: format!("and {more} more") });
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

/// A time as it is written.
pub fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
