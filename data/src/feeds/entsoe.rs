//! ENTSO-E's transparency platform: day-ahead prices, document type A44, as XML.
//!
//! A point has a position and no stamp: it begins at `start + (position − 1) · resolution` of its period. Under curve type
//! A03 a position that is left out repeats the value before it. One interval may have several series, told apart by their
//! sequence alone, in any order; the lowest sequence is the coupled auction. Source: research notes, section 2.1, and
//! documents of the platform.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::body::Answer;
use super::outcome::{ASK_ANOTHER, broken, broken_whole, wrong_text};
use super::price::{Currency, Terms, currency_at, traded};
use super::rows::Row;
use super::xml::{self, Element};
use super::{Area, NoValues, Price, Prices, Span, stamps};

/// Most positions of a period: a year of quarter-hours, and a day more.
const MOST_POSITIONS: i64 = 367 * 96;

/// The prices of a document.
///
/// # Errors
///
/// [`NoValues`], see there; a document that is an acknowledgement means not yet, a refused key or too many requests.
pub fn prices(answer: &Answer<'_>, area: &Area, asked: Span) -> Result<Prices, NoValues> {
    if !answer.is_fine() {
        // The platform explains itself in the body.
        if let Ok(body) = answer.unpacked()
            && let Some(root) = std::str::from_utf8(&body).ok().and_then(|text| xml::read(text).ok())
            && &*root.name == ACKNOWLEDGEMENT
        {
            return Err(acknowledged(&root, answer.status));
        }
        answer.check_status()?;
    }
    answer.check_status()?;
    let body = answer.unpacked()?;
    if body.starts_with(b"PK") {
        return Err(broken_whole("is a ZIP file, not a document", "ask for day-ahead prices (documentType A44)"));
    }
    let text = std::str::from_utf8(&body)
        .map_err(|error| broken_whole(format!("is no UTF-8 from byte {} on", error.valid_up_to()), ASK_ANOTHER))?;
    let root = xml::read(text)?;
    match &*root.name {
        "Publication_MarketDocument" => published(&root, area, asked),
        ACKNOWLEDGEMENT => Err(acknowledged(&root, answer.status)),
        name if name.eq_ignore_ascii_case("html") => Err(broken_whole("is a web page, not a document", ASK_ANOTHER)),
        name => Err(wrong_text("$", name, "is no document of prices", ASK_ANOTHER)),
    }
}

const ACKNOWLEDGEMENT: &str = "Acknowledgement_MarketDocument";

/// What an acknowledgement says. Its code is 999 whatever it says, so the words decide.
fn acknowledged(root: &Element, status: u16) -> NoValues {
    let reasons: Vec<&str> = root.all("Reason").filter_map(|reason| reason.text_of("text")).collect();
    let said = crate::refusal::clip(&reasons.join("; "));
    let plain = said.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    if says(&["no matching data"]) {
        NoValues::NotYet(said)
    } else if says(&["security token", "unauthorized", "authentication"]) || matches!(status, 401 | 403) {
        NoValues::Refused(said)
    } else if says(&["too many requests", "allowed number of requests", "requests per"]) || status == 429 {
        NoValues::Later { why: said, until: None }
    } else {
        wrong_text("$.Reason", &said, "is what the platform says", "compare the request with its documentation")
    }
}

/// The prices of a publication.
fn published(root: &Element, area: &Area, asked: Span) -> Result<Prices, NoValues> {
    if let Some(kind) = root.text_of("type").filter(|kind| *kind != "A44") {
        return Err(wrong_text("$.type", kind, "is not the type of day-ahead prices", "ask for documentType A44"));
    }
    let mut sequences: BTreeMap<u32, Vec<Row<Price>>> = BTreeMap::new();
    let mut currency: Option<Currency> = None;
    let mut others = 0;
    for (k, series) in root.all("TimeSeries").enumerate() {
        let path = format!("$.TimeSeries[{k}]");
        // Auctions within the day are published in documents of the same type.
        if series.text_of("contract_MarketAgreement.type").is_some_and(|kind| kind != "A01") {
            others += 1;
            continue;
        }
        of_area(series, area, &path)?;
        let stated = currency_of(series, &path)?;
        if currency.is_some_and(|currency| currency != stated) {
            return Err(broken(path, stated.code(), "is another currency than that of other series", ASK_ANOTHER));
        }
        currency = Some(stated);
        let rows = sequences.entry(sequence(series, &path)?).or_default();
        for (k, period) in series.all("Period").enumerate() {
            rows.extend(points(period, repeats(series, &path)?, &format!("{path}.Period[{k}]"))?);
        }
    }
    let (rows, replaced) = by_sequence(sequences);
    let mut prices = traded(rows, asked, Terms::market(currency.unwrap_or(Currency::EUR)))?;
    if others > 0 {
        prices.values.notes.push(format!("{others} series are not of the day-ahead auction and were left out"));
    }
    if replaced > 0 && prices.values.rows.iter().any(|row| row.value.provisional) {
        prices
            .values
            .notes
            .push("the first sequence is not there for all intervals; the next one stands for it".to_owned());
    }
    Ok(prices)
}

/// Whether a series is of the area that was asked for, and of no border.
fn of_area(series: &Element, area: &Area, path: &str) -> Result<(), NoValues> {
    for side in ["in_Domain.mRID", "out_Domain.mRID"] {
        if let Some(domain) = series.text_of(side).filter(|domain| *domain != area.eic) {
            let wrong = format!("is not {}, which is {}", area.name, area.eic);
            return Err(wrong_text(format!("{path}.{side}"), domain, wrong, "ask for in and out of one area"));
        }
    }
    Ok(())
}

/// The currency of a series, whose unit has to be MWh.
fn currency_of(series: &Element, path: &str) -> Result<Currency, NoValues> {
    let unit = series.text_of("price_Measure_Unit.name").unwrap_or_default();
    if unit != "MWH" {
        return Err(wrong_text(format!("{path}.price_Measure_Unit.name"), unit, "is not MWH", ASK_ANOTHER));
    }
    currency_at(&format!("{path}.currency_Unit.name"), series.text_of("currency_Unit.name").unwrap_or_default())
}

/// The sequence of a series; the first where it says none.
fn sequence(series: &Element, path: &str) -> Result<u32, NoValues> {
    const NAME: &str = "classificationSequence_AttributeInstanceComponent.position";
    match series.text_of(NAME) {
        None => Ok(1),
        Some(text) => text
            .parse()
            .map_err(|_| wrong_text(format!("{path}.{NAME}"), text, "is no whole number above 0", ASK_ANOTHER)),
    }
}

/// Whether a position that is left out repeats the one before: curve type A03, which is also what the platform means where
/// it names none.
fn repeats(series: &Element, path: &str) -> Result<bool, NoValues> {
    match series.text_of("curveType") {
        None | Some("A03") => Ok(true),
        Some("A01") => Ok(false),
        Some(kind) => Err(wrong_text(format!("{path}.curveType"), kind, "is neither A01 nor A03", ASK_ANOTHER)),
    }
}

/// The intervals of a period.
fn points(period: &Element, repeats: bool, path: &str) -> Result<Vec<Row<Price>>, NoValues> {
    let interval = period.child("timeInterval");
    let bound = |name: &str| {
        let path = || format!("{path}.timeInterval.{name}");
        match interval.and_then(|interval| interval.text_of(name)) {
            Some(text) => stamps::instant(text, path),
            None => Err(broken(path(), "", "is missing", ASK_ANOTHER)),
        }
    };
    let (start, end) = (bound("start")?, bound("end")?);
    let resolution = period.text_of("resolution").unwrap_or_default();
    let step = stamps::duration(resolution).ok_or_else(|| {
        wrong_text(format!("{path}.resolution"), resolution, "is no length of an interval", ASK_ANOTHER)
    })?;
    let (whole_s, step_s) = ((end - start).num_seconds(), step.num_seconds());
    let count = whole_s / step_s;
    if whole_s <= 0 || whole_s % step_s != 0 || count > MOST_POSITIONS {
        let wrong = format!("lasts {whole_s} s, which is no number of {resolution} that is believed");
        return Err(broken(format!("{path}.timeInterval"), "", wrong, ASK_ANOTHER));
    }
    let mut values: BTreeMap<i64, f64> = BTreeMap::new();
    for (k, point) in period.all("Point").enumerate() {
        let path = format!("{path}.Point[{k}]");
        let text = point.text_of("position").unwrap_or_default();
        let position = text.parse::<i64>().ok().filter(|position| (1..=count).contains(position)).ok_or_else(|| {
            let wrong = format!("is no position of a period of {count}");
            wrong_text(format!("{path}.position"), text, wrong, ASK_ANOTHER)
        })?;
        let value = price(point, &path)?;
        if values.insert(position, value).is_some_and(|other| other.to_bits() != value.to_bits()) {
            return Err(broken(format!("{path}.position"), text, "stands there twice, with two prices", ASK_ANOTHER));
        }
    }
    let mut rows = Vec::new();
    let mut last = None;
    for position in 1..=count {
        let value = values.get(&position).copied();
        if let Some(eur_mwh) = value.or(last.filter(|_| repeats)) {
            let begin = start + TimeDelta::seconds((position - 1) * step_s);
            rows.push(Row::lasting(begin, step, Price { per_kwh: eur_mwh / 1000.0, provisional: false }));
        }
        last = value.or(last);
    }
    Ok(rows)
}

/// The price of a point, per MWh.
fn price(point: &Element, path: &str) -> Result<f64, NoValues> {
    let text = point.text_of("price.amount").unwrap_or_default();
    crate::text::number(text, false)
        .map_err(|no| wrong_text(format!("{path}.price.amount"), text, no.wrong, ASK_ANOTHER))
}

/// The rows of the lowest sequence, and those of higher ones where no lower one has any; how many are not of the first.
fn by_sequence(sequences: BTreeMap<u32, Vec<Row<Price>>>) -> (Vec<Row<Price>>, usize) {
    let mut kept: Vec<Row<Price>> = Vec::new();
    let mut replaced = 0;
    for (sequence, mut rows) in sequences {
        if !kept.is_empty() {
            rows.retain(|row| {
                // `kept` is in the order of time; where it overlaps itself, it is refused later.
                let next = kept.partition_point(|other| other.start < row.end);
                next == 0 || kept[next - 1].end <= row.start
            });
        }
        if sequence > 1 {
            replaced += rows.len();
            for row in &mut rows {
                row.value.provisional = true;
            }
        }
        kept.extend(rows);
        kept.sort_by_key(|row| row.start);
    }
    (kept, replaced)
}
