//! Models of sessions as files, and the secret under which the names in them are hashed.

use std::path::Path;

use chrono::{DateTime, Utc};
use kwartier_forecast::saved::Unusable;
use kwartier_forecast::sessions::{Model, Salt, SavedModel};

use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::output::Destination;

/// Shorter secrets could be found by trying: 16 bytes are 128 bits, as many as a pseudonym has.
const SHORTEST_SECRET: usize = 16;

/// The salt of a file's secret; blanks and line ends around it do not count.
pub fn salt(path: &Path) -> Result<Salt, Failure> {
    let bytes = input::bytes(path)?;
    let secret = bytes.trim_ascii();
    if secret.len() < SHORTEST_SECRET {
        let what = format!(
            "--salt-file {} holds {} bytes, and a secret has {SHORTEST_SECRET} or more; make one such as by: openssl rand -hex \
             32 > {0}",
            path.display(),
            secret.len()
        );
        return Err(Failure::Arguments(what));
    }
    Ok(Salt::new(secret))
}

/// A model is to be kept or used, and no secret is given.
pub fn no_salt() -> Failure {
    let what = "a saved model holds names as hashes under a secret of the site; name the file that holds it with --salt-file \
                (openssl rand -hex 32 > salt makes one)";
    Failure::Arguments(what.to_owned())
}

/// A saved model, for forecasts at an instant.
pub fn load(path: &Path, salt: &Salt, at: DateTime<Utc>) -> Result<Model, Failure> {
    read(path, salt)?.at(at).map_err(|fault| unusable(path, &fault))
}

/// A saved model as it stands.
pub fn read(path: &Path, salt: &Salt) -> Result<SavedModel, Failure> {
    SavedModel::parse(&input::bytes(path)?, salt).map_err(|fault| unusable(path, &fault))
}

/// Writes a model.
pub fn save(place: &Destination, model: Model) -> Result<(), Failure> {
    let saved = SavedModel::of(model, env!("CARGO_PKG_VERSION"), Utc::now());
    let mut content = serde_json::to_vec(&saved).map_err(|fault| Failure::Internal(fault.to_string()))?;
    content.push(b'\n');
    place.write(&content)
}

fn unusable(path: &Path, fault: &Unusable) -> Failure {
    Failure::Arguments(format!("the model {} {fault}", path.display()))
}
