//! Passwords: argon2id, and the same time for everybody.

use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::http::problem::Problem;

/// Shortest password, in characters.
const LEAST: usize = 12;
/// Longest password, in bytes.
const MOST: usize = 1024;

/// Hashing takes 19 MiB and a processor for some 20 ms: no more than two at once, however many ask.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// What an unknown person's password is held against.
static NOBODY: OnceLock<Option<String>> = OnceLock::new();

/// Whether a password may be used; `field` is where it was sent, `not` what it must not be.
pub fn check(field: &str, password: &SecretString, not: &[&str]) -> Result<(), Problem> {
    let password = password.expose_secret();
    if password.chars().count() < LEAST {
        return Err(Problem::field(field, format!("it is shorter than {LEAST} characters; take a longer one")));
    }
    if password.len() > MOST {
        return Err(Problem::field(field, format!("it is longer than {MOST} bytes; take a shorter one")));
    }
    let plain = password.to_lowercase();
    let same = password.chars().all(|letter| password.starts_with(letter));
    if same || not.iter().any(|not| !not.is_empty() && plain == not.to_lowercase()) {
        return Err(Problem::field(field, "it is the first that anybody would try; take another"));
    }
    Ok(())
}

/// The hash of a password.
pub async fn hash(password: SecretString) -> Result<String, Problem> {
    on_a_thread(move || hash_now(password.expose_secret())).await?.ok_or_else(Problem::internal)
}

/// Whether a password is the one of a hash. Without a hash it takes as long, and is not.
pub async fn matches(password: SecretString, hash: Option<String>) -> Result<bool, Problem> {
    on_a_thread(move || {
        let nobody = NOBODY.get_or_init(|| hash_now("nobody's password"));
        let known = hash.is_some();
        let hash = hash.or_else(|| nobody.clone()).unwrap_or_default();
        let fits = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok());
        fits && known
    })
    .await
}

fn hash_now(password: &str) -> Option<String> {
    // argon2id, 19 MiB, 2 passes, 1 lane: what OWASP asks for.
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let _turn = AT_ONCE.acquire().await.map_err(|_| Problem::internal())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone_and_nobody_has_one() {
        let hash = hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!matches("correct horse batterz".into(), Some(hash)).await.unwrap());
        assert!(!matches("nobody's password".into(), None).await.unwrap());
        assert!(!matches("correct horse battery".into(), Some("no hash".to_owned())).await.unwrap());
    }

    #[test]
    fn passwords_that_anybody_would_try_are_refused() {
        let check = |password: &str| check("password", &password.into(), &["ann@depot.example"]).is_ok();
        assert!(check("twelve chars"));
        assert!(!check("eleven char"));
        assert!(!check("aaaaaaaaaaaaaaaa"));
        assert!(!check("Ann@Depot.example"));
        assert!(!check(&"long ".repeat(300)));
        assert!(check("wachtwoord é12"));
    }
}
