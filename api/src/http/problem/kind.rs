//! Every kind of problem there is: its name, its status, what it means and what to do. They are shown at `/docs/problems`.

use axum::http::StatusCode;

/// What kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Too much is happening now.
    Busy,
    /// It has changed meanwhile.
    Conflict,
    /// Not allowed.
    Forbidden,
    /// A header is not right.
    Header,
    /// Something went wrong here.
    Internal,
    /// The request is understood, and something in it is not right.
    Invalid,
    /// The key was used before.
    KeyReused,
    /// The last admin stays.
    LastAdmin,
    /// No such method.
    Method,
    /// There is no plan.
    NoPlan,
    /// The charger is not connected.
    NotConnected,
    /// The tenant is not empty.
    NotEmpty,
    /// Not found.
    NotFound,
    /// The body is not JSON.
    NotJson,
    /// The charger is occupied.
    Occupied,
    /// A parameter is not right.
    Parameter,
    /// This request has been answered already.
    Repeated,
    /// The second factor is missing.
    SecondFactor,
    /// Not as the second factor is now.
    SecondFactorState,
    /// It was done, and is not shown again.
    ShownOnce,
    /// Single sign-on failed.
    SignOn,
    /// No password.
    SingleSignOn,
    /// The site is not steered yet.
    Starting,
    /// Nothing can be stored now.
    Storage,
    /// The name is taken.
    Taken,
    /// The body is too large.
    TooLarge,
    /// There are too many.
    TooMany,
    /// Too many requests.
    TooManyRequests,
    /// It took too long.
    TooSlow,
    /// Not authenticated.
    Unauthorized,
    /// It is under way.
    UnderWay,
    /// The body cannot be read.
    Unreadable,
    /// The body is of another type.
    UnsupportedType,
}

/// What there is to say of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Its name: `type` is `/docs/problems#name`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// In a few words.
    pub title: &'static str,
    /// When it is answered.
    pub means: &'static str,
    /// What to do then.
    pub remedy: &'static str,
}

impl ProblemKind {
    /// All of them, by name.
    pub const ALL: [ProblemKind; 33] = [
        ProblemKind::Busy,
        ProblemKind::Conflict,
        ProblemKind::Forbidden,
        ProblemKind::Header,
        ProblemKind::Internal,
        ProblemKind::Invalid,
        ProblemKind::KeyReused,
        ProblemKind::LastAdmin,
        ProblemKind::Method,
        ProblemKind::NoPlan,
        ProblemKind::NotConnected,
        ProblemKind::NotEmpty,
        ProblemKind::NotFound,
        ProblemKind::NotJson,
        ProblemKind::Occupied,
        ProblemKind::Parameter,
        ProblemKind::Repeated,
        ProblemKind::SecondFactor,
        ProblemKind::SecondFactorState,
        ProblemKind::ShownOnce,
        ProblemKind::SignOn,
        ProblemKind::SingleSignOn,
        ProblemKind::Starting,
        ProblemKind::Storage,
        ProblemKind::Taken,
        ProblemKind::TooLarge,
        ProblemKind::TooMany,
        ProblemKind::TooManyRequests,
        ProblemKind::TooSlow,
        ProblemKind::Unauthorized,
        ProblemKind::UnderWay,
        ProblemKind::Unreadable,
        ProblemKind::UnsupportedType,
    ];

    /// What there is to say of it.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn told(self) -> Told {
        let (name, status, title, means, remedy) = match self {
            ProblemKind::Busy => (
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too much is happening now",
                "The loop's queue is full. Nothing was changed; sites are steered on.",
                "Send the request again after Retry-After, or after a second.",
            ),
            ProblemKind::Conflict => (
                "conflict",
                StatusCode::PRECONDITION_FAILED,
                "It has changed meanwhile",
                "If-Match names another version than there is, or somebody else changed the same thing at the same time. Nothing was changed.",
                "Read it again, and make the change on what is there now.",
            ),
            ProblemKind::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "Not allowed",
                "The key or person is known and may see this, and may not do it.",
                "Use a key with the role that the detail names, or ask an admin for it.",
            ),
            ProblemKind::Header => (
                "header",
                StatusCode::BAD_REQUEST,
                "A header is not right",
                "A header cannot be read.",
                "The detail names the header and what it may be.",
            ),
            ProblemKind::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong here",
                "A fault of Kwartier. It is in the log under the request's id, X-Request-Id.",
                "Tell whoever runs the service, with the id.",
            ),
            ProblemKind::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The request is understood, and something in it is not right",
                "Fields are unknown, missing, or have a value that cannot be. Nothing was changed.",
                "errors names each field, its value and what would be right.",
            ),
            ProblemKind::KeyReused => (
                "key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The key was used before",
                "The Idempotency-Key was used for another request within a day.",
                "Send a new key with every new request, and the old one only with the old request.",
            ),
            ProblemKind::LastAdmin => (
                "last-admin",
                StatusCode::CONFLICT,
                "The last admin stays",
                "Without it nobody could let anybody in any more.",
                "Make somebody else an admin first.",
            ),
            ProblemKind::Method => (
                "method",
                StatusCode::METHOD_NOT_ALLOWED,
                "No such method",
                "The path is there and has no such method.",
                "Allow lists its methods.",
            ),
            ProblemKind::NoPlan => (
                "no-plan",
                StatusCode::UNPROCESSABLE_ENTITY,
                "There is no plan",
                "The instance has no plan that keeps every limit: the building alone breaks one.",
                "The detail names the limit; correct it or the building's draw.",
            ),
            ProblemKind::NotConnected => (
                "not-connected",
                StatusCode::CONFLICT,
                "The charger is not connected",
                "The command was not sent: the charger holds no connection over OCPP now.",
                "See why it is out of reach, and send it again when it is there.",
            ),
            ProblemKind::NotEmpty => (
                "not-empty",
                StatusCode::CONFLICT,
                "The tenant is not empty",
                "Something still belongs to the tenant.",
                "Delete first what the detail names.",
            ),
            ProblemKind::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "Not found",
                "There is nothing under this path, or this key may not know of it.",
                "Look at the ids in the path, and at what the key may see.",
            ),
            ProblemKind::NotJson => (
                "not-json",
                StatusCode::BAD_REQUEST,
                "The body is not JSON",
                "The body cannot be parsed.",
                "The detail says where it breaks off.",
            ),
            ProblemKind::Occupied => (
                "occupied",
                StatusCode::CONFLICT,
                "The charger is occupied",
                "Another session is at the charger in that time.",
                "State when the other one ended, or its departure.",
            ),
            ProblemKind::Parameter => (
                "parameter",
                StatusCode::BAD_REQUEST,
                "A parameter is not right",
                "A parameter of the path or query cannot be read, or is over its most.",
                "errors names it and what it may be.",
            ),
            ProblemKind::Repeated => (
                "repeated",
                StatusCode::CONFLICT,
                "This request has been answered already",
                "A request with the same Idempotency-Key was done meanwhile. Nothing was done again.",
                "Send it again to read the answer to the first.",
            ),
            ProblemKind::SecondFactor => (
                "second-factor",
                StatusCode::UNAUTHORIZED,
                "The second factor is missing",
                "Name and password are right; this person needs a code as well.",
                "Send code too.",
            ),
            ProblemKind::SecondFactorState => (
                "second-factor-state",
                StatusCode::CONFLICT,
                "Not as the second factor is now",
                "The second factor is already on, or already off.",
                "Read how it is, then change that.",
            ),
            ProblemKind::ShownOnce => (
                "shown-once",
                StatusCode::CONFLICT,
                "It was done, and is not shown again",
                "The request was done. Its answer cannot be shown again: it held a secret, or the service stopped before it was written down.",
                "Look at what is there; where a secret is lost, delete what was made and make another.",
            ),
            ProblemKind::SignOn => (
                "sign-on",
                StatusCode::BAD_GATEWAY,
                "Single sign-on failed",
                "The identity provider could not be reached, or said something that cannot be believed.",
                "Try again; if it stays so, whoever runs the service finds the reason in its log.",
            ),
            ProblemKind::SingleSignOn => (
                "single-sign-on",
                StatusCode::CONFLICT,
                "No password",
                "This person signs on through an identity provider and has no password here.",
                "Log in through the provider.",
            ),
            ProblemKind::Starting => (
                "starting",
                StatusCode::SERVICE_UNAVAILABLE,
                "The site is not steered yet",
                "The service has just started, or the site has just been made.",
                "Try again in a second.",
            ),
            ProblemKind::Storage => (
                "storage",
                StatusCode::SERVICE_UNAVAILABLE,
                "Nothing can be stored now",
                "The disk is full or the database does not answer. Nothing was changed; sites are steered on.",
                "Try again later; /readyz says more.",
            ),
            ProblemKind::Taken => (
                "taken",
                StatusCode::CONFLICT,
                "The name is taken",
                "Names of sites, tenants and logins are given once in the whole service.",
                "Take another name.",
            ),
            ProblemKind::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "The body is larger than the route takes.",
                "Send it in several requests.",
            ),
            ProblemKind::TooMany => (
                "too-many",
                StatusCode::CONFLICT,
                "There are too many",
                "There are as many of these as there may be.",
                "Delete one that is not needed.",
            ),
            ProblemKind::TooManyRequests => (
                "too-many-requests",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "The key has sent more requests than it may in a minute.",
                "Wait as long as Retry-After says; send several things in one request.",
            ),
            ProblemKind::TooSlow => (
                "too-slow",
                StatusCode::SERVICE_UNAVAILABLE,
                "It took too long",
                "The answer did not begin within 30 s. What was to be changed may have been changed.",
                "Look before trying again.",
            ),
            ProblemKind::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "Not authenticated",
                "There is no key, or it is not known, has run out or was withdrawn.",
                "Send Authorization: Bearer KEY, or log in again.",
            ),
            ProblemKind::UnderWay => (
                "under-way",
                StatusCode::CONFLICT,
                "It is under way",
                "A request with the same Idempotency-Key is being done.",
                "Wait for its answer, or send it again after Retry-After.",
            ),
            ProblemKind::Unreadable => (
                "unreadable",
                StatusCode::BAD_REQUEST,
                "The body cannot be read",
                "The connection ended, or the body is not what its headers say.",
                "Send it again.",
            ),
            ProblemKind::UnsupportedType => (
                "unsupported-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is of another type",
                "Content-Type names a type that the route does not take.",
                "The detail names those that it takes.",
            ),
        };
        Told { name, status, title, means, remedy }
    }
}
