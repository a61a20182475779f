//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{AllOf, ArrayItems, Object, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, tag::TagBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{FieldError, Problem};

/// What all requests below `/v1` may be answered with.
const PROBLEMS: [(&str, &str); 11] = [
    ("400", "The request cannot be read: no JSON, a parameter or header that is not right."),
    ("401", "There is no key, or it does not work."),
    ("403", "The caller may see it, and not do this."),
    ("404", "There is none, or the caller may not know of it."),
    ("409", "It does not go together with something that is there."),
    ("412", "It has changed meanwhile."),
    ("413", "The body is too large."),
    ("415", "The body is of another type."),
    ("422", "Something in the request is not right: each field with its value and the remedy."),
    ("429", "Too many requests: `Retry-After` says when to come back."),
    ("503", "It cannot be done now: `Retry-After` says when to come back."),
];

/// What the routes are sorted by.
const TAGS: [(&str, &str); 15] = [
    ("sites", "What stands where: the site file over HTTP, an installer's tables, boards and their tree."),
    ("chargers", "Stations, how they are reached, what those over the API report."),
    ("vehicles", "Vehicles that a site knows, and who stays when."),
    ("cards", "Cards that chargers are shown, and who may charge."),
    ("sessions", "Stays: arrival, departure, need, overrides that end by themselves."),
    ("prices", "Prices by interval, and the tariff they are made from."),
    ("signals", "Limits that a grid operator sets for a while."),
    ("measurements", "What meters show."),
    ("forecasts", "Forecasts that somebody else makes."),
    ("plans", "Plans: in force, before, of any instance."),
    ("control", "Setpoints, status, alarms: once, or as they change."),
    ("jobs", "Work that outlives a request."),
    ("webhooks", "Who is told of what."),
    ("audit", "Who changed what."),
    ("health", "Whether it lives, whether it is ready, figures."),
];

/// The document of all routes, complete.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Kwartier")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Plans and steers the charging of vehicles within every fuse of a site. Times are UTC, RFC 3339; units stand at \
             the end of a name: `_a` ampere per phase, `_kw`, `_kwh`, `_eur_kwh`. Unknown fields are refused.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let tags = TAGS.iter().map(|(name, what)| TagBuilder::new().name(*name).description(Some(*what)).build());
    document.tags = Some(tags.collect());
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("key", [])]);
    let components = document.components.get_or_insert_default();
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key, or a login's ticket."));
    components.add_security_scheme("key", SecurityScheme::Http(bearer.build()));
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(FieldError::name().into_owned(), FieldError::schema());
    flatten(&mut components.schemas);
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item).filter(|_| path.starts_with("/v1/")) {
            for (status, response) in &mut operation.responses.responses {
                if status.starts_with(['4', '5'])
                    && let RefOr::T(response) = response
                {
                    *response = as_problem(&response.description);
                }
            }
            for (status, what) in PROBLEMS {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(as_problem(what)));
            }
        }
    }
    document
}

/// Every operation of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().filter_map(Option::as_mut)
}

fn as_problem(what: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
    ResponseBuilder::new().description(what).content("application/problem+json", content).build()
}

/// What is put and its id and version beside it, as one object, in lists too: each of the parts refuses fields that it does not
/// know.
fn flatten(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let known = schemas.clone();
    for schema in schemas.values_mut() {
        flat(schema, &known);
    }
}

fn flat(schema: &mut RefOr<Schema>, known: &BTreeMap<String, RefOr<Schema>>) {
    match schema {
        RefOr::T(Schema::AllOf(parts)) => *schema = RefOr::T(Schema::Object(whole(parts, known))),
        RefOr::T(Schema::Object(object)) => {
            for part in object.properties.values_mut() {
                flat(part, known);
            }
        }
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                flat(items, known);
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn whole(parts: &AllOf, known: &BTreeMap<String, RefOr<Schema>>) -> Object {
    let mut whole = Object::default();
    whole.description.clone_from(&parts.description);
    for part in &parts.items {
        let part = match part {
            RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().and_then(|name| known.get(name)),
            RefOr::T(_) => Some(part),
        };
        let Some(RefOr::T(Schema::Object(part))) = part else { continue };
        whole.properties.extend(part.properties.clone());
        whole.required.extend(part.required.clone());
    }
    whole
}
