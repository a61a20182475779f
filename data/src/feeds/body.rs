//! From an answer to its text: what its status says, how large it is, whether it is packed, whether it is JSON at all.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;

use super::NoValues;
use super::outcome::{ASK_ANOTHER, broken_whole};
use crate::json;
use crate::refusal::clip;

/// Most bytes of an answer, packed or not. A year of quarter-hours takes ENTSO-E 5 MB; what is asked for at once is days.
pub const MAX_BYTES: usize = 8 << 20;

/// How much of a text that is no data is looked at for what it says, in bytes.
const LOOKED_AT: usize = 400;

/// An answer over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its status, such as 200.
    pub status: u16,
    /// Its body as it came, which may be packed with gzip.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// An answer with status 200.
    pub fn ok(body: &'a [u8]) -> Self {
        Answer { status: 200, body }
    }

    /// Whether the status says that all is well.
    pub(super) fn is_fine(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// What the status says, where that is all there is to know.
    pub(super) fn check_status(&self) -> Result<(), NoValues> {
        let said = || format!("status {}: {}", self.status, excerpt(self.body));
        match self.status {
            204 | 404 => Err(NoValues::NotYet(said())),
            200..=299 if self.body.trim_ascii().is_empty() => Err(NoValues::NotYet("the answer is empty".to_owned())),
            200..=299 => Ok(()),
            401 | 403 => Err(NoValues::Refused(said())),
            408 | 425 | 429 | 500..=599 => Err(NoValues::Later { why: said(), until: None }),
            300..=399 => {
                Err(broken_whole(format!("sends elsewhere (status {})", self.status), "check the address of the feed"))
            }
            _ => Err(broken_whole(format!("is an error, {}", said()), "compare the request with the documentation")),
        }
    }

    /// The body, unpacked.
    pub(super) fn unpacked(&self) -> Result<Cow<'a, [u8]>, NoValues> {
        let too_large =
            || broken_whole(format!("is larger than {} MiB", MAX_BYTES >> 20), "ask for fewer days at once");
        if self.body.len() > MAX_BYTES {
            return Err(too_large());
        }
        if !self.body.starts_with(b"\x1f\x8b") {
            return Ok(Cow::Borrowed(self.body));
        }
        let mut unpacked = Vec::new();
        match MultiGzDecoder::new(self.body).take(MAX_BYTES as u64 + 1).read_to_end(&mut unpacked) {
            Ok(size) if size > MAX_BYTES => Err(too_large()),
            Ok(_) => Ok(Cow::Owned(unpacked)),
            Err(fault) => Err(broken_whole(format!("cannot be unpacked: {fault}"), "ask again")),
        }
    }

    /// The JSON object in an answer whose status is fine.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, NoValues> {
        self.check_status()?;
        object(&self.unpacked()?)
    }
}

/// The JSON object in an unpacked body.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, NoValues> {
    not_a_page(body)?;
    Ok(json::read(body, &[])?)
}

/// The JSON array of objects in an unpacked body.
pub(super) fn objects<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, NoValues> {
    not_a_page(body)?;
    Ok(json::read_list(body)?)
}

/// Whether a body may be JSON; a page of HTML with status 200 is how gateways say that something is wrong.
fn not_a_page(body: &[u8]) -> Result<(), NoValues> {
    let body = body.trim_ascii_start();
    if body.is_empty() {
        return Err(NoValues::NotYet("the answer is empty".to_owned()));
    }
    if body.starts_with(b"<") {
        return Err(broken_whole(format!("is a web page or XML, not JSON: {}", excerpt(body)), ASK_ANOTHER));
    }
    Ok(())
}

/// The beginning of a body, for people.
pub(super) fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(LOOKED_AT)];
    let text = String::from_utf8_lossy(head);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "(empty)".to_owned() } else { clip(&text) }
}
