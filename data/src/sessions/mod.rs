//! stub
use chrono::{DateTime, Utc};
/// stub
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs)]
pub struct SessionRow {
    pub session: String, pub arrival: DateTime<Utc>, pub departure: Option<DateTime<Utc>>, pub kwh: Option<f64>,
    pub vehicle: Option<String>, pub driver: Option<String>, pub group: Option<String>, pub station: Option<String>,
    pub stated_departure: Option<DateTime<Utc>>, pub stated_kwh: Option<f64>,
}
