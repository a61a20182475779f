//! The site over HTTP: the same content as the site file, `docs/formats/site.md`. Its schema is made from the shape that
//! the file is held against, so that there is one truth.

use std::borrow::Cow;

use kwartier_data::site::file::shape::{Field, Kind, SITE, Shape};
use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A site, as `docs/formats/site.md` describes it.
#[derive(Debug)]
pub struct SiteBody;

/// A vehicle that a site knows, without its id.
#[derive(Debug)]
pub struct VehicleBody;

/// A vehicle that a site knows, with its id.
#[derive(Debug)]
pub struct SiteVehicle;

/// What energy costs at a site.
#[derive(Debug)]
pub struct TariffBody;

/// A board of a site.
#[derive(Debug)]
pub struct BoardBody;

/// A finding about a site: what an electrician would want to know of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteFinding {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// What kind it is; stable, explained in `docs/formats/site.md`.
    pub code: String,
    /// Where it stands, as in `boards[3].limit_a`; in tables file, row and column. Empty for the whole.
    pub field: String,
    /// What is wrong, with the value, and the remedy.
    pub detail: String,
}

/// What became of a site that was put.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SitePut {
    /// Its id.
    pub id: String,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// Its version now; also its `ETag`.
    pub version: u64,
    /// What should be looked at by somebody who knows the site. None of it is an error.
    pub findings: Vec<SiteFinding>,
}

/// A site in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteHead {
    /// Its id.
    pub id: String,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// Its version; also its `ETag`.
    pub version: u64,
    /// When it changed last.
    pub changed: chrono::DateTime<chrono::Utc>,
}

impl SiteFinding {
    /// As it is told over HTTP.
    pub fn of(finding: &kwartier_data::Finding) -> SiteFinding {
        let severity = match finding.severity {
            kwartier_data::Severity::Error => "error",
            kwartier_data::Severity::Warning => "warning",
            kwartier_data::Severity::Note => "note",
        };
        let place = finding.place.as_ref().filter(|place| place.file.is_some()).map(ToString::to_string);
        let mut detail = String::new();
        if !finding.subject.is_empty() {
            detail = format!("({}) ", finding.subject);
        }
        if !finding.value.is_empty() {
            detail = format!("{detail}{} ", finding.value);
        }
        SiteFinding {
            severity: severity.to_owned(),
            code: finding.code.to_owned(),
            field: place.unwrap_or_else(|| finding.path.clone()),
            detail: format!("{detail}{}; {}", finding.wrong, finding.remedy),
        }
    }
}

macro_rules! schema_of {
    ($what:ident, $name:literal, $shape:expr) => {
        impl PartialSchema for $what {
            fn schema() -> RefOr<Schema> {
                $shape
            }
        }

        impl ToSchema for $what {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                all(&SITE, schemas);
            }
        }
    };
}

schema_of!(SiteBody, "Site", object(&SITE, &[]));
schema_of!(VehicleBody, "Vehicle", part("vehicles", &["id"]));
schema_of!(SiteVehicle, "SiteVehicle", part("vehicles", &[]));
schema_of!(TariffBody, "Tariff", part("tariff", &[]));
schema_of!(BoardBody, "Board", part("boards", &[]));

/// The schema of a part of a site, without some of its keys.
fn part(name: &str, without: &[&str]) -> RefOr<Schema> {
    let field = SITE.fields.iter().find(|field| field.name == name);
    match field.map(|field| field.kind) {
        Some(Kind::Table(shape) | Kind::Tables(shape)) => object(shape, without),
        _ => ObjectBuilder::new().into(),
    }
}

fn object(shape: &Shape, without: &[&str]) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new()
        .description(Some(format!("The keys of a {} as docs/formats/site.md explains them.", shape.kind)))
        .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::<Schema>::FreeForm(false)));
    for field in shape.fields.iter().filter(|field| !without.contains(&field.name)) {
        object = object.property(field.name, of(field));
        if field.required {
            object = object.required(field.name);
        }
    }
    object.into()
}

fn of(field: &Field) -> RefOr<Schema> {
    let plain = |kind: Type| ObjectBuilder::new().schema_type(kind);
    let number = || plain(Type::Number).minimum(Some(-1e9)).maximum(Some(1e9));
    let list = |items: RefOr<Schema>| ArrayBuilder::new().items(items);
    let three = || list(number().into()).min_items(Some(3)).max_items(Some(3));
    let hours = || list(number().into()).min_items(Some(24)).max_items(Some(24));
    match field.kind {
        Kind::Text => plain(Type::String).into(),
        Kind::Date => plain(Type::String).description(Some("A local day, `YYYY-MM-DD`.")).into(),
        Kind::Number => number().into(),
        Kind::Whole => plain(Type::Integer).minimum(Some(0)).maximum(Some(255)).into(),
        Kind::Flag => plain(Type::Boolean).into(),
        Kind::PerPhase => OneOfBuilder::new().item(number()).item(three()).into(),
        Kind::Hourly => OneOfBuilder::new().item(number()).item(hours()).into(),
        Kind::HourlyByPhase => {
            let by_phase = ["l1", "l2", "l3"]
                .into_iter()
                .fold(ObjectBuilder::new(), |object, phase| object.property(phase, hours()).required(phase));
            OneOfBuilder::new().item(number()).item(three()).item(by_phase).into()
        }
        Kind::Numbers => list(number().into()).into(),
        Kind::Texts => list(plain(Type::String).into()).into(),
        Kind::Choice(choices) => plain(Type::String).enum_values(Some(choices.iter().copied())).into(),
        Kind::Choices(choices) => list(plain(Type::String).enum_values(Some(choices.iter().copied())).into()).into(),
        Kind::Table(shape) => named(shape),
        Kind::Tables(shape) => list(named(shape)).into(),
        Kind::Variants(variants) => {
            let variants = variants.iter().fold(OneOfBuilder::new(), |one, (kind, shape)| {
                let RefOr::T(Schema::Object(mut variant)) = object(shape, &[]) else { return one };
                variant.properties.insert(
                    "kind".to_owned(),
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([*kind])).into(),
                );
                one.item(Schema::Object(variant))
            });
            variants.into()
        }
    }
}

/// The name of a table's schema.
fn name(shape: &Shape) -> String {
    let words = shape.kind.split(' ').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    format!("Site{}", words.collect::<String>())
}

fn named(shape: &Shape) -> RefOr<Schema> {
    Ref::from_schema_name(name(shape)).into()
}

/// The schemas of all tables within one.
fn all(shape: &Shape, schemas: &mut Vec<(String, RefOr<Schema>)>) {
    for field in shape.fields {
        match field.kind {
            Kind::Table(inner) | Kind::Tables(inner) => {
                all(inner, schemas);
                schemas.push((name(inner), object(inner, &[])));
            }
            Kind::Variants(variants) => variants.iter().for_each(|(_, inner)| all(inner, schemas)),
            _ => {}
        }
    }
}
