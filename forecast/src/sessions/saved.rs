//! Models of visits as files.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::identity::Salt;
use super::model::Model;
use crate::saved::{FORMAT, Unusable, of_this_format};

/// What it forecasts, as the file says it.
const KIND: &str = "sessions";

/// A fitted model with what belongs to it. It holds pseudonyms and not the secret that they are hashed under.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedModel {
    /// [`FORMAT`] when it was written.
    kwartier_model: u32,
    /// The version of Kwartier that wrote it.
    version: String,
    /// `sessions`.
    kind: String,
    /// Beginning of the first visit that it was fitted on.
    trained_from: Option<DateTime<Utc>>,
    /// What was known then is what it was fitted on.
    trained_until: DateTime<Utc>,
    /// When it was saved.
    made_at: DateTime<Utc>,
    /// How many visits that had ended it was fitted on.
    visits: usize,
    /// The model.
    pub model: Model,
}

impl SavedModel {
    /// A model ready to be written.
    pub fn of(model: Model, version: &str, made_at: DateTime<Utc>) -> Self {
        let (trained_from, visits) = model.window();
        SavedModel {
            kwartier_model: FORMAT,
            version: version.to_owned(),
            kind: KIND.to_owned(),
            trained_from,
            trained_until: model.fitted_at(),
            made_at,
            visits,
            model,
        }
    }

    /// Reads a saved model.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the bytes hold none, or one of another format or kind, or one under another secret than the salt's.
    pub fn parse(bytes: &[u8], salt: &Salt) -> Result<Self, Unusable> {
        let value = of_this_format(bytes)?;
        match value.get("kind").and_then(serde_json::Value::as_str) {
            Some(KIND) => {}
            found => {
                let found = found.unwrap_or("nothing that it names").to_owned();
                return Err(Unusable::OtherKind { found, wanted: KIND });
            }
        }
        let saved: SavedModel = serde_json::from_value(value).map_err(|fault| Unusable::Damaged(fault.to_string()))?;
        saved.model.check(&salt.id()).map_err(|fault| Unusable::Sessions(fault.to_string()))?;
        Ok(saved)
    }

    /// The model, for forecasts at an instant.
    ///
    /// # Errors
    ///
    /// [`Unusable::FromTheFuture`] where it knows more than was known then.
    pub fn at(self, at: DateTime<Utc>) -> Result<Model, Unusable> {
        let trained_until = self.trained_until;
        if trained_until > at { Err(Unusable::FromTheFuture { trained_until, at }) } else { Ok(self.model) }
    }
}
