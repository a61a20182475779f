//! Reading requests so that whoever wrote one learns where it is wrong: bodies, query strings and paths, each fault with
//! the field, what stands there, and the remedy.

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use kwartier_data::feeds::NoValues;
use kwartier_data::json;
use kwartier_data::refusal::{Fault, Refusal};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::{FieldError, Problem, ProblemKind};

/// So much is shown of a parameter that is wrong.
const MOST_SHOWN: usize = 60;

/// A body that is one JSON object.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A body that is a JSON array of objects.
#[derive(Debug)]
pub struct Rows<T>(pub Vec<T>);

/// What the query string says.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// What stands in the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        json::read(&bytes, &[]).map(Json).map_err(|refusal| refused(&bytes, &refusal))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Rows<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        json::read_list(&bytes).map(Rows).map_err(|refusal| refused(&bytes, &refusal))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Query(query.0)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let Some((name, why)) = text.split_once(": ") else { return parameter(text) };
            let all = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
            let value = all.ok().and_then(|all| all.0.into_iter().find(|(known, _)| known == name));
            let Some((_, value)) = value else { return parameter(text) };
            let value: String = value.chars().take(MOST_SHOWN).collect();
            let remedy = "/v1/openapi.json says what it takes";
            parameter(&format!("{name}: {value:?} cannot be read ({why}); {remedy}"))
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Path(path.0)),
            Err(PathRejection::FailedToDeserializePathParams(why)) => {
                Err(Problem::not_found(&format!("what this path names ({})", why.body_text())))
            }
            Err(why) => {
                tracing::error!(%why, "a route without its parameters");
                Err(Problem::internal())
            }
        }
    }
}

/// The bytes of a body that says it is JSON.
pub async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(unsupported("application/json", request.headers()));
    }
    bytes(request, state).await
}

/// The bytes of a body, up to the route's limit.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(ProblemKind::TooLarge, "send it in several requests; docs/api.md names the limits")
        } else {
            let detail = "the connection ended, or the body is not what its headers say; send it again";
            Problem::new(ProblemKind::Unreadable, detail)
        }
    })
}

/// The type of a body without its parameters, in lower case.
pub fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a body says that it is JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let kind = content_type(headers);
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// A body of a type that is not read here: 415.
pub fn unsupported(wanted: &str, headers: &HeaderMap) -> Problem {
    let found = content_type(headers);
    let found = if found.is_empty() { "missing".to_owned() } else { format!("{found:?}") };
    let detail = format!("Content-Type is {found}; send {wanted}");
    Problem::new(ProblemKind::UnsupportedType, detail)
}

/// A body that is not JSON (400), or is JSON of another shape (422).
pub fn refused(bytes: &[u8], refusal: &Refusal) -> Problem {
    let names_number =
        refusal.faults().iter().any(|fault| fault.wrong.starts_with("NaN") || fault.wrong.starts_with("Inf"));
    if !names_number && serde_json::from_slice::<IgnoredAny>(bytes).is_err() {
        let why = refusal.faults().first().map(|fault| fault.wrong.replace("the file", "the body")).unwrap_or_default();
        let detail = format!("{why}; send one JSON value in UTF-8");
        return Problem::new(ProblemKind::NotJson, detail);
    }
    Problem::invalid(field_errors(refusal))
}

/// That a body in the form of a feed holds no values.
pub fn no_values(why: NoValues) -> Problem {
    match why {
        NoValues::Broken(refusal) => Problem::invalid(field_errors(&refusal)),
        other => Problem::field("", format!("{other}; send at least one interval")),
    }
}

/// Each fault of a refusal as a field that is wrong.
pub fn field_errors(refusal: &Refusal) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = refusal.faults().iter().map(field_error).collect();
    let more = refusal.found().saturating_sub(errors.len());
    if more > 0 {
        errors.push(FieldError { field: String::new(), detail: format!("and {more} more") });
    }
    errors
}

fn field_error(fault: &Fault) -> FieldError {
    let field = fault.path.strip_prefix("$.").or(fault.path.strip_prefix('$')).unwrap_or(&fault.path).to_owned();
    let value = if fault.value.is_empty() { String::new() } else { format!("{} ", fault.value) };
    let subject = if fault.subject.is_empty() { String::new() } else { format!("({}) ", fault.subject) };
    FieldError { field, detail: format!("{subject}{value}{}; {}", fault.wrong, fault.remedy) }
}

/// A query parameter that is not right: 400. `text` is `name: what is wrong`.
pub fn parameter(text: &str) -> Problem {
    let (field, detail) = match text.split_once(": ") {
        Some((name, why)) => (format!("query.{name}"), why.to_owned()),
        None => (String::new(), text.to_owned()),
    };
    let problem = Problem::new(ProblemKind::Parameter, text);
    Problem { errors: vec![FieldError { field, detail }], ..problem }
}
