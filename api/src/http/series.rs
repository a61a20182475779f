//! Series in files: CSV, packed with gzip or not, or Parquet, with a column of stamps and one of values, as
//! `docs/formats/inputs.md` says.

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::series::{Quantity, Reading, read_history};
use kwartier_data::site::Site;

use super::problem::Problem;
use super::read::{content_type, field_errors};

/// What a Parquet file is.
const PARQUET: &str = "application/vnd.apache.parquet";

/// What bodies of a series are, for whoever sends another.
pub const TYPES: &str = "application/json, text/csv or application/vnd.apache.parquet";

/// Whether a body says that it is a file of a series.
pub fn is_file(headers: &HeaderMap) -> bool {
    matches!(content_type(headers).as_str(), "text/csv" | "text/plain" | PARQUET)
}

/// How files for a site are read: stamps without an offset are of its clock.
pub fn reading(site: &Site) -> Reading<'static> {
    Reading { zone: local::zone(&site.time_zone).ok(), ..Reading::default() }
}

/// When an interval begins, and its value.
pub type Row = (DateTime<Utc>, f64);

/// The values of a file, with their beginnings, and the length of each.
///
/// # Errors
///
/// What is wrong with it, each with its place.
pub fn values(bytes: &[u8], quantity: Quantity, site: &Site) -> Result<(TimeDelta, Vec<Row>), Problem> {
    let refused = |refusal| Problem::invalid(field_errors(&refusal));
    let series = read_history(bytes, quantity, &reading(site)).map_err(refused)?.series;
    let known = series.values.iter().enumerate().filter_map(|(k, value)| Some((series.start_of(k), (*value)?)));
    Ok((series.step, known.collect()))
}
