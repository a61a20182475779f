//! The second factor: codes of six digits from an app, or one of ten recovery codes.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::kept::KeptTotp;
use super::token;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code: enough that trying them is hopeless at the pace that logins are let through.
const RECOVERY_LENGTH: usize = 16;

/// A new second factor that has not shown yet that it works.
pub fn new() -> KeptTotp {
    let secret = Secret::generate().to_base32();
    KeptTotp { secret, confirmed: false, step: 0, recovery_sha256: Vec::new() }
}

/// The link that an app reads it from.
pub fn link(kept: &KeptTotp, account: &str) -> Option<SecretString> {
    let account = account.replace(':', " ");
    let builder = builder(kept)?.with_issuer(Some("Kwartier")).with_account_name(account);
    Some(builder.build().ok()?.to_url().ok()?.into())
}

/// Ten new recovery codes and what is kept of them; `None`, the system gives no random bits.
pub fn recovery() -> Option<(Vec<SecretString>, Vec<String>)> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let secret = token::secret()?;
        let code: String = token::hex(&token::hash(secret.expose_secret())).chars().take(RECOVERY_LENGTH).collect();
        codes.push(SecretString::from(code));
    }
    let hashes = codes.iter().map(|code| token::hex(&token::hash(code.expose_secret()))).collect();
    Some((codes, hashes))
}

/// What is kept after a code was taken; `None`, it is wrong, or was taken before.
pub fn take(kept: &KeptTotp, code: &str, now: DateTime<Utc>) -> Option<KeptTotp> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
    if code.len() == RECOVERY_LENGTH {
        let hash = token::hex(&token::hash(&code.to_lowercase()));
        let at = kept.recovery_sha256.iter().position(|kept| token::same(kept, &hash))?;
        let mut left = kept.clone();
        left.recovery_sha256.remove(at);
        return Some(left);
    }
    let step = totp(kept)?.check(&code, u64::try_from(now.timestamp()).ok()?)?;
    (step > kept.step).then(|| KeptTotp { step, ..kept.clone() })
}

fn builder(kept: &KeptTotp) -> Option<Builder> {
    let secret = Secret::try_from_base32(&kept.secret).ok()?;
    // What every app knows: SHA-1, six digits, 30 s; a clock may be one step off.
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1).with_step_duration(30);
    Some(builder.with_secret(secret))
}

fn totp(kept: &KeptTotp) -> Option<Totp> {
    builder(kept)?.build().ok()
}

/// The code of an instant, for tests that play the app.
#[cfg(test)]
pub fn code_at(secret: &str, now: DateTime<Utc>) -> String {
    let kept = KeptTotp { secret: secret.to_owned(), ..new() };
    totp(&kept).unwrap().generate(u64::try_from(now.timestamp()).unwrap()).to_string()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six digits.
        let kept = KeptTotp { secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned(), ..new() };
        for (at_s, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = DateTime::from_timestamp(at_s, 0).unwrap();
            assert!(take(&kept, code, now).is_some(), "{at_s}");
        }
    }

    #[test]
    fn no_code_is_taken_twice_nor_one_older_than_the_last() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let kept = new();
        let code = |steps: i32| code_at(&kept.secret, now + TimeDelta::seconds(30) * steps);
        let once = take(&kept, &code(0), now).unwrap();
        assert_eq!(take(&once, &code(0), now), None);
        assert_eq!(take(&once, &code(-1), now), None);
        assert!(take(&once, &code(1), now).is_some());
        assert_eq!(take(&kept, &code(3), now), None, "from the future");
        assert_eq!(take(&kept, "", now), None);
    }

    #[test]
    fn a_recovery_code_works_once() {
        let now = DateTime::UNIX_EPOCH;
        let (codes, hashes) = recovery().unwrap();
        let kept = KeptTotp { recovery_sha256: hashes, ..new() };
        let shown = codes[3].expose_secret().to_uppercase();
        let left = take(&kept, &shown, now).unwrap();
        assert_eq!(left.recovery_sha256.len(), RECOVERY_CODES - 1);
        assert_eq!(take(&left, &shown, now), None);
        assert!(take(&left, codes[4].expose_secret(), now).is_some());
    }
}
