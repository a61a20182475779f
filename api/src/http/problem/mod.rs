//! What went wrong, as RFC 9457 `application/problem+json`.

mod kind;
pub mod page;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use kind::ProblemKind;

use crate::store::Fault;

/// A problem: what a client is told when a request cannot be done.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: a path below the API's documentation.
    pub r#type: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and what would be right.
    pub detail: String,
    /// Each field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// After how many seconds it may be tried again; goes out as the header `Retry-After`.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where it stands, as in `stations[3].max_a`; `query.limit` and the like outside the body.
    pub field: String,
    /// What is wrong, with the value, and the remedy.
    pub detail: String,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Problem {
        let told = kind.told();
        Problem {
            r#type: format!("{}#{}", page::PATH, told.name),
            title: told.title.to_owned(),
            status: told.status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    /// A body or parameter that is not right: 422.
    pub fn invalid(errors: Vec<FieldError>) -> Problem {
        let detail = errors.iter().map(|error| format!("{}: {}", error.field, error.detail)).collect::<Vec<_>>();
        let problem = Problem::new(ProblemKind::Invalid, detail.join("; "));
        Problem { errors, ..problem }
    }

    /// One field that is not right: 422.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem::invalid(vec![FieldError { field: field.into(), detail: detail.into() }])
    }

    /// Nobody is known to be asking: 401.
    pub fn unauthorized(detail: impl Into<String>) -> Problem {
        Problem::new(ProblemKind::Unauthorized, detail)
    }

    /// Too much was asked for in a short time: 429.
    pub fn too_many(detail: impl Into<String>, retry_after_s: u64) -> Problem {
        let problem = Problem::new(ProblemKind::TooManyRequests, detail);
        Problem { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// There is none, or the caller may not know of it: 404.
    pub fn not_found(what: &str) -> Problem {
        let detail = format!("{what} is not there, or this key may not see it");
        Problem::new(ProblemKind::NotFound, detail)
    }

    /// What is not the client's fault, and not told to them: 500.
    pub fn internal() -> Problem {
        Problem::new(ProblemKind::Internal, "it is in the log under the request's id; nothing more can be said")
    }

    /// Somebody else has changed the same thing meanwhile.
    pub fn is_conflict(&self) -> bool {
        self.status == StatusCode::PRECONDITION_FAILED.as_u16()
    }

    /// The caller may see it, and not do this: 403.
    pub fn forbidden(what: &str) -> Problem {
        Problem::new(ProblemKind::Forbidden, what)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        match fault {
            Fault::Conflict { .. } => {
                let detail = format!("{fault}; read it again and repeat the change on what is there now");
                Problem::new(ProblemKind::Conflict, detail)
            }
            Fault::Repeated(_) => {
                let detail = "nothing was changed; send it again to read the answer to the first";
                Problem::new(ProblemKind::Repeated, detail)
            }
            Fault::Unavailable(_) => Problem::new(
                ProblemKind::Storage,
                "nothing was changed; control goes on, /readyz says more, try again later",
            ),
            Fault::Corrupt(why) => {
                tracing::error!(%why, "something that is kept cannot be read");
                Problem::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self)).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        let in_a_second = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        if let Some(seconds) = self.retry_after_s.or(in_a_second) {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        response
    }
}
