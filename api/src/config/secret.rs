//! Secrets from files.

use std::path::Path;

use secrecy::SecretString;
use secrecy::zeroize::Zeroize as _;

/// Largest secret in bytes.
const MOST_BYTES: usize = 16 << 10;

/// Reads a secret from a file, without the line end after it; `Err` is what is wrong with the file, and what to do. Nothing
/// of its content is in that.
pub fn read(file: &Path) -> Result<SecretString, (String, &'static str)> {
    let bytes = std::fs::read(file)
        .map_err(|error| (format!("cannot be read: {error}"), "name a file that is there and may be read"))?;
    if bytes.len() > MOST_BYTES {
        return Err(("is larger than any secret".to_owned(), "name the file that holds the secret alone"));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| ("holds no text in UTF-8".to_owned(), "write the secret into it as text"))?;
    let secret = SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned());
    let empty = text.trim().is_empty();
    text.zeroize();
    if empty { Err(("is empty".to_owned(), "write the secret into it")) } else { Ok(secret) }
}
