//! What is wrong with a measured series, and what is done about it.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What is wrong with a span of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// Intervals that were measured in part.
    Partial,
    /// Values far from anything that happens.
    Outlier,
    /// A value that does not move though it always did.
    Frozen,
    /// Zeros where nothing was measured.
    ZeroGap,
    /// Values with the opposite sign.
    SignFlip,
    /// Values so many times too large, as where W are called kW.
    UnitFactor(f64),
}

/// What is done about a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The values are left out.
    LeftOut,
    /// The values are put right.
    PutRight,
    /// The values are used as they are.
    Kept,
}

/// One defect of one span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualityFlag {
    /// Beginning of the span.
    pub from: DateTime<Utc>,
    /// Its end, exclusive.
    pub to: DateTime<Utc>,
    /// What is wrong.
    pub defect: Defect,
    /// What is done about it.
    pub remedy: Remedy,
}
