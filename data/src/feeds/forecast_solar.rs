//! forecast.solar: energy of a plant, by stamps that are not all on a grid.
//!
//! `watts` is the power at a stamp; `watt_hours_period` is the energy since the stamp before, so it belongs to the interval
//! that ENDS there. The first and last stamp of a day are sunrise and sunset; over night nothing is made. In the captured
//! answers each energy is the mean of two neighbouring powers times the time between them, which is how this was found
//! out. Source: research notes, section 2.2, and those answers.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::body::{self, Answer};
use super::outcome::{ASK_ANOTHER, broken, broken_whole};
use super::rows::{Row, shown};
use super::{NoValues, PvPower, Span, Values, pv, stamps};
use crate::refusal::clip;

/// Longest interval that energy is believed to be spread over. Stamps are an hour apart at most; a longer distance with
/// energy in it hides intervals.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// What comes with every answer.
#[derive(Deserialize)]
struct Head {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    code: i64,
    #[serde(default)]
    text: String,
    ratelimit: Option<RateLimit>,
}

#[derive(Deserialize)]
struct RateLimit {
    #[serde(rename = "retry-at")]
    retry_at: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    result: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    #[serde(deserialize_with = "pairs")]
    watt_hours_period: Vec<(String, f64)>,
}

/// The answer of `/estimate/…?time=utc` for a plant of a peak power in kW.
///
/// # Errors
///
/// [`NoValues`], see there.
pub fn power(answer: &Answer<'_>, peak_kw: f64, asked: Span) -> Result<Values<PvPower>, NoValues> {
    if !answer.is_fine() {
        let head = answer.unpacked().and_then(|body| body::object::<Head>(&body));
        if let Ok(Head { message }) = head
            && message.code != 0
        {
            return Err(told(&message));
        }
    }
    answer.check_status()?;
    let body = answer.unpacked()?;
    let Head { message } = body::object(&body)?;
    if message.code != 0 {
        return Err(told(&message));
    }
    let Wire { result } = body::object(&body)?;
    let path = |text: &str| format!("$.result.watt_hours_period[{}]", crate::refusal::quoted(text));
    let energies: Result<Vec<(DateTime<Utc>, f64)>, NoValues> =
        result.watt_hours_period.iter().map(|(text, wh)| Ok((stamps::instant(text, || path(text))?, *wh))).collect();
    let (rows, notes) = rows(&energies?)?;
    let mut values = pv::settled(rows, peak_kw, asked)?;
    values.notes.extend(notes);
    Ok(values)
}

/// The power of the intervals between stamps.
fn rows(energies: &[(DateTime<Utc>, f64)]) -> Result<(Vec<Row<PvPower>>, Option<String>), NoValues> {
    let mut rows = Vec::new();
    let mut without_length = usize::from(energies.first().is_some_and(|(_, wh)| *wh > 0.0));
    for pair in energies.windows(2) {
        let ((start, _), (end, wh)) = (pair[0], pair[1]);
        if end <= start {
            let wrong = format!("holds {} after {}: stamps have to go up", shown(end), shown(start));
            return Err(broken("$.result.watt_hours_period", "", wrong, ASK_ANOTHER));
        }
        if end - start > LONGEST && wh > 0.0 {
            without_length += 1;
            continue;
        }
        let kw = wh / 1000.0 / ((end - start).num_seconds() as f64 / 3600.0);
        rows.push(Row { start, end, value: PvPower { kw, low_kw: None, high_kw: None } });
    }
    let note = format!("{without_length} values were left out: the beginning of their interval is not known");
    Ok((rows, (without_length > 0).then_some(note)))
}

/// What an error means, by the code in the body.
fn told(message: &Message) -> NoValues {
    let said = clip(&message.text);
    match message.code {
        401 | 403 => NoValues::Refused(said),
        429 => {
            let retry_at = message.ratelimit.as_ref().and_then(|limit| limit.retry_at.as_ref());
            let until = retry_at.and_then(|text| stamps::instant(text, String::new).ok());
            NoValues::Later { why: said, until }
        }
        500..=599 => NoValues::Later { why: said, until: None },
        code => broken_whole(format!("is error {code}: {said}"), "compare place and plant with the documentation"),
    }
}

/// The pairs of an object, in its order and with those that stand there twice.
fn pairs<'de, D: Deserializer<'de>>(field: D) -> Result<Vec<(String, f64)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, f64)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    field.deserialize_map(Pairs)
}
