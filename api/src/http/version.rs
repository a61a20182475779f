//! Versions: `ETag` of what is read, `If-Match` and `If-None-Match` on what is changed.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::{Problem, ProblemKind};

/// What must be there for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Anything or nothing.
    None,
    /// Anything (`If-Match: *`).
    There,
    /// One of these versions.
    Versions(Vec<u64>),
    /// Nothing (`If-None-Match: *`).
    Absent,
}

impl Condition {
    /// What the headers of a change ask for.
    pub fn of(headers: &HeaderMap) -> Result<Condition, Problem> {
        if let Some(tags) = tags(headers, &header::IF_MATCH)? {
            return Ok(if tags == "*" { Condition::There } else { Condition::Versions(versions(tags)) });
        }
        match tags(headers, &header::IF_NONE_MATCH)? {
            None => Ok(Condition::None),
            Some("*") => Ok(Condition::Absent),
            Some(_) => {
                Err(bad(&header::IF_NONE_MATCH, "a change takes `If-None-Match: *` alone: make it, do not replace it"))
            }
        }
    }

    /// Whether the client set any: then a race is theirs to hear of, not ours to repeat.
    pub fn is_set(&self) -> bool {
        *self != Condition::None
    }

    /// 412 unless what is there is what was asked for.
    pub fn check(&self, found: Option<u64>) -> Result<(), Problem> {
        let holds = match self {
            Condition::None => true,
            Condition::There => found.is_some(),
            Condition::Versions(versions) => found.is_some_and(|found| versions.contains(&found)),
            Condition::Absent => found.is_none(),
        };
        if holds {
            return Ok(());
        }
        let what = found.map_or_else(|| "there is nothing".to_owned(), |found| format!("there is version {found}"));
        let detail = format!("{what}; read it again and repeat the change on what is there now");
        Err(Problem::new(ProblemKind::Conflict, detail))
    }
}

/// Something read in a version: with `ETag`, or 304 where the client has it.
pub fn tagged(headers: &HeaderMap, version: u64, body: &impl Serialize) -> Response {
    let tag = etag(version);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.is_some_and(|tags| tags == "*" || versions(tags).contains(&version));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { axum::Json(body).into_response() };
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// Something made: 201, where it is read, and its version.
pub fn created(location: &str, version: u64, body: &impl Serialize) -> Result<Response, Problem> {
    let location = HeaderValue::try_from(location).map_err(|_| Problem::internal())?;
    let headers = [(header::LOCATION, location), (header::ETAG, etag(version))];
    Ok((StatusCode::CREATED, headers, axum::Json(body)).into_response())
}

/// The tag of a version.
pub fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str().map(str::trim));
    value.transpose().map_err(|_| bad(name, "is no list of entity tags"))
}

/// The versions that a list of tags names; tags that are none of ours match nothing. A proxy that compresses makes tags weak.
fn versions(tags: &str) -> Vec<u64> {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').parse().ok();
    tags.split(',').filter_map(bare).collect()
}

fn bad(name: &HeaderName, detail: &str) -> Problem {
    Problem::new(ProblemKind::Header, format!("{name}: {detail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(name: &'static str, value: &'static str) -> Result<Condition, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        Condition::of(&headers).map_err(|problem| problem.status)
    }

    #[test]
    fn conditions_hold_for_what_they_name_and_nothing_else() {
        assert_eq!(Condition::of(&HeaderMap::new()), Ok(Condition::None));
        let one = condition("if-match", "\"3\", W/\"5\"").expect("tags");
        assert!(one.check(Some(3)).is_ok() && one.check(Some(5)).is_ok());
        assert!(one.check(Some(4)).is_err() && one.check(None).is_err());
        let any = condition("if-match", "*").expect("a star");
        assert!(any.check(Some(1)).is_ok() && any.check(None).is_err());
        let new = condition("if-none-match", "*").expect("a star");
        assert!(new.check(None).is_ok() && new.check(Some(1)).is_err());
        let other = condition("if-match", "\"abc\"").expect("somebody else's tag");
        assert!(other.check(Some(1)).is_err());
        assert_eq!(condition("if-none-match", "\"3\""), Err(400));
    }
}
