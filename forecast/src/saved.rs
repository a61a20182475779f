//! Fitted methods as files: what was fitted, on what, by which version.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use kwartier_data::history::Past;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::method::{Fitted, Method};

/// The version of the file's format; it grows when a file of before can no longer be read.
pub const FORMAT: u32 = 2;

/// A fitted method with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// [`FORMAT`] when it was written.
    pub kwartier_model: u32,
    /// The version of Kwartier that wrote it.
    pub version: String,
    /// What it forecasts: `load`, `pv` or `price`.
    pub kind: String,
    /// The method's name.
    pub method: String,
    /// Beginning of the history that it was fitted on.
    pub trained_from: DateTime<Utc>,
    /// What was known then is what it was fitted on, or refreshed on since.
    pub trained_until: DateTime<Utc>,
    /// When it was saved.
    pub made_at: DateTime<Utc>,
    /// Length of an interval of the history in seconds.
    pub step_s: i64,
    /// The zone of the site's wall clocks.
    pub time_zone: Tz,
    /// How many intervals of the history were known.
    pub known: usize,
    /// [`fingerprint`] of them.
    pub fingerprint: String,
    /// What the method wrote.
    pub model: serde_json::Value,
}

/// Why a saved model cannot be used. Displayed, it says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unusable {
    /// It is no saved model.
    #[error("is no saved model ({0}); save one with --save-model")]
    NoModel(String),
    /// Another format.
    #[error("is of format {found}, and this version reads {FORMAT}; fit and save it anew with this version")]
    OtherFormat {
        /// The format of the file.
        found: u64,
    },
    /// It forecasts something else.
    #[error("forecasts {found}, and {wanted} is wanted; name a model of that kind")]
    OtherKind {
        /// What it forecasts.
        found: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// The method is another one.
    #[error("was fitted by the method \"{found}\", and this version uses \"{wanted}\"; fit and save it anew")]
    OtherMethod {
        /// The method of the file.
        found: String,
        /// The method that is wanted.
        wanted: String,
    },
    /// The grid is another one.
    #[error("was fitted on steps of {found_s} s, and the history has steps of {wanted_s} s; fit it on this history")]
    OtherStep {
        /// The step of the file in seconds.
        found_s: i64,
        /// That of the history in seconds.
        wanted_s: i64,
    },
    /// It would know the future.
    #[error(
        "was fitted on what was known at {trained_until}, later than the forecast at {at}; fit one on what was known then"
    )]
    FromTheFuture {
        /// The end of its training.
        trained_until: DateTime<Utc>,
        /// The instant of the forecast.
        at: DateTime<Utc>,
    },
    /// It is a model of sessions that does not belong here.
    #[error("cannot be used: {0}")]
    Sessions(String),
    /// The method cannot read what it should have written.
    #[error("is damaged ({0}); fit and save it anew")]
    Damaged(String),
}

/// A file of this format, its content not read yet: a file of another one may have other fields.
pub(crate) fn of_this_format(bytes: &[u8]) -> Result<serde_json::Value, Unusable> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|fault| Unusable::NoModel(fault.to_string()))?;
    match value.get("kwartier_model").and_then(serde_json::Value::as_u64) {
        Some(found) if found == u64::from(FORMAT) => Ok(value),
        Some(found) => Err(Unusable::OtherFormat { found }),
        None => Err(Unusable::NoModel("it does not say kwartier_model".to_owned())),
    }
}

impl Saved {
    /// A fitted method ready to be written; `None` where the method cannot be kept.
    pub fn of(
        fitted: &dyn Fitted,
        method: &dyn Method,
        kind: &str,
        past: &Past<'_>,
        version: &str,
        made_at: DateTime<Utc>,
    ) -> Option<Self> {
        Some(Saved {
            kwartier_model: FORMAT,
            version: version.to_owned(),
            kind: kind.to_owned(),
            method: method.name().to_owned(),
            trained_from: past.start(),
            trained_until: past.at(),
            made_at,
            step_s: past.step().num_seconds(),
            time_zone: past.zone(),
            known: past.values().len(),
            fingerprint: fingerprint(past, past.values().len()),
            model: fitted.save()?,
        })
    }

    /// Reads a saved model.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the bytes hold none, or one of another format.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        serde_json::from_value(of_this_format(bytes)?).map_err(|fault| Unusable::NoModel(fault.to_string()))
    }

    /// The fitted method, for forecasts of `kind` from `past`.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where it does not belong there.
    pub fn restore(
        self,
        method: &dyn Method,
        kind: &'static str,
        past: &Past<'_>,
    ) -> Result<Box<dyn Fitted>, Unusable> {
        if self.kind != kind {
            return Err(Unusable::OtherKind { found: self.kind, wanted: kind });
        }
        if self.method != method.name() {
            return Err(Unusable::OtherMethod { found: self.method, wanted: method.name().to_owned() });
        }
        if self.step_s != past.step().num_seconds() {
            return Err(Unusable::OtherStep { found_s: self.step_s, wanted_s: past.step().num_seconds() });
        }
        if self.trained_until > past.at() {
            return Err(Unusable::FromTheFuture { trained_until: self.trained_until, at: past.at() });
        }
        method.restore(self.model).map_err(Unusable::Damaged)
    }

    /// Whether a past begins with what it was fitted on.
    pub fn knows(&self, past: &Past<'_>) -> bool {
        self.known <= past.values().len() && self.fingerprint == fingerprint(past, self.known)
    }
}

/// A fingerprint of the first `known` values that a past knows: equal ones have equal fingerprints. FNV-1a of 64 bits (Fowler,
/// Noll, Vo), which stays the same between versions and machines.
pub fn fingerprint(past: &Past<'_>, known: usize) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let head = [past.start().timestamp(), past.step().num_seconds()].map(i64::to_le_bytes);
    // A gap has a pattern of its own: that of a number no meter gives.
    let values = past.values().iter().take(known).map(|value| value.unwrap_or(f64::NAN).to_bits().to_le_bytes());
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let hash = head.into_iter().chain(values).flatten().fold(BASIS, mix);
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {

    use chrono::TimeDelta;
    use kwartier_data::forecast::Belief;
    use kwartier_data::history::History;
    use kwartier_data::series::Series;

    use super::*;
    use crate::method::{CannotFit, Horizon};

    /// Says a number that it was fitted to.
    struct Constant(f64);

    impl Method for Constant {
        fn name(&self) -> &'static str {
            "constant"
        }
        fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
            Ok(Box::new(Constant(past.values()[0].unwrap())))
        }
        fn restore(&self, saved: serde_json::Value) -> Result<Box<dyn Fitted>, String> {
            Ok(Box::new(Constant(saved.as_f64().ok_or("no number")?)))
        }
    }

    impl Fitted for Constant {
        fn predict(&self, _: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
            vec![Some(Belief::certain(self.0)); horizon.steps]
        }
        fn save(&self) -> Option<serde_json::Value> {
            Some(self.0.into())
        }
    }

    fn history(values: &[f64]) -> History {
        let values = values.iter().copied().map(Some).collect();
        History::new(Series { start: DateTime::UNIX_EPOCH, step: TimeDelta::hours(1), values }, chrono_tz::UTC)
    }

    #[test]
    fn saved_and_loaded_it_says_the_same() {
        let history = history(&[7.5, 8.0, 9.0]);
        let at = DateTime::UNIX_EPOCH + TimeDelta::hours(2);
        let past = history.as_of(at);
        let method = Constant(0.0);
        let fitted = method.fit(&past).unwrap();
        let saved = Saved::of(&*fitted, &method, "load", &past, "0.1.0", at).unwrap();
        let read = Saved::parse(&serde_json::to_vec(&saved).unwrap()).unwrap();
        assert_eq!(read, saved);
        assert!(read.knows(&history.as_of(at + TimeDelta::hours(1))));
        assert!(!read.knows(&self::history(&[7.5, 8.1, 9.0]).as_of(at)));
        let horizon = Horizon::from_origin(&past, TimeDelta::hours(2));
        let restored = read.clone().restore(&method, "load", &past).unwrap();
        assert_eq!(restored.predict(&past, horizon), fitted.predict(&past, horizon));

        let refused = |saved: &Saved, kind, past: &Past<'_>| saved.clone().restore(&method, kind, past).err().unwrap();
        assert!(refused(&read, "pv", &past).to_string().contains("forecasts load, and pv is wanted"));
        let early = history.as_of(DateTime::UNIX_EPOCH);
        assert!(matches!(refused(&read, "load", &early), Unusable::FromTheFuture { .. }));
        let other = Saved { method: "trees".to_owned(), ..read.clone() };
        assert!(refused(&other, "load", &past).to_string().contains("\"trees\""));
        let coarse = Saved { step_s: 900, ..read.clone() };
        assert!(matches!(refused(&coarse, "load", &past), Unusable::OtherStep { found_s: 900, wanted_s: 3600 }));
        let damaged = Saved { model: "x".into(), ..read };
        assert_eq!(refused(&damaged, "load", &past), Unusable::Damaged("no number".to_owned()));
    }

    #[test]
    fn other_formats_are_refused_with_a_remedy() {
        let said = |text: &str| Saved::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            said("{\"kwartier_model\": 7}"),
            "is of format 7, and this version reads 2; fit and save it anew with this version"
        );
        assert!(said("{}").contains("--save-model") && said("start,kw\n").contains("is no saved model"));
    }
}
