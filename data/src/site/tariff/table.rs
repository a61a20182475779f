//! Components of a tariff as a CSV table. A component of several rates, brackets or windows, has a row for each, all with
//! the same name and dates.
//!
//! | column | of | holds |
//! |---|---|---|
//! | `name`, `kind` | all | what people call it; `spot`, `fixed`, `brackets`, `time_of_use` or `peak` |
//! | `from`, `until`, `direction`, `vat` | all, may be missing or empty | as in the site file |
//! | `eur_kwh` or `ct_kwh` | fixed, brackets, time_of_use | the rate |
//! | `factor` | spot | 1 where empty |
//! | `above_kwh` | brackets | where the bracket begins |
//! | `days`, `start`, `end` | time_of_use | the window; a row without `start` and `end` is the rate outside of all windows |
//! | `eur_kw_month` | peak | the rate |

use super::{Bracket, Component, Direction, Price, Window};
use crate::refusal::{Fault, Faults, Refusal};
use crate::text::{self, Row, Table, choices, place, words};

/// All columns.
const COLUMNS: [&str; 14] = [
    "name",
    "kind",
    "from",
    "until",
    "direction",
    "vat",
    "eur kwh",
    "ct kwh",
    "factor",
    "above kwh",
    "days",
    "start",
    "end",
    "eur kw month",
];

/// Reads components from CSV, packed with gzip or not; commas, semicolons or tabs part the cells.
///
/// # Errors
///
/// [`Refusal`] by row and column. What the components mean together is for [`check`](super::check()).
pub fn read_components(bytes: &[u8]) -> Result<Vec<Component>, Refusal> {
    let table = text::csv(bytes)?;
    let columns = Columns::of(&table)?;
    let mut faults = Faults::default();
    let mut components: Vec<Component> = Vec::new();
    for row in &table.rows {
        match columns.component(&table, row) {
            Ok(component) => match components.last_mut() {
                Some(last) if same(last, &component) => join(last, component, row, &mut faults),
                _ => components.push(component),
            },
            Err(fault) => faults.add(fault),
        }
    }
    for component in &components {
        if matches!(&component.price, Price::TimeOfUse { eur_kwh, .. } if eur_kwh.is_nan()) {
            let remedy = "add a row of the component without start and end, 0 where nothing is to be paid then";
            let wrong = "has windows and no rate outside of them";
            faults.add(Fault::of_table("the table", &component.name, wrong, remedy));
        }
    }
    faults.or(components)
}

/// Whether two rows are of one component: all but the price is the same, and that is of a kind that has several rates.
fn same(one: &Component, other: &Component) -> bool {
    let several = matches!(
        (&one.price, &other.price),
        (Price::Brackets { .. }, Price::Brackets { .. }) | (Price::TimeOfUse { .. }, Price::TimeOfUse { .. })
    );
    let head = |component: &Component| {
        let Component { name, direction, from, until, vat, .. } = component.clone();
        (name, direction, from, until, vat)
    };
    several && head(one) == head(other)
}

/// Adds a row's rate to a component. A row of `time_of_use` without a window holds the rate outside of all windows, one with
/// a window holds NaN there until the other is found.
fn join(component: &mut Component, row: Component, at: &Row, faults: &mut Faults) {
    match (&mut component.price, row.price) {
        (Price::Brackets { brackets }, Price::Brackets { brackets: more }) => brackets.extend(more),
        (Price::TimeOfUse { eur_kwh, windows }, Price::TimeOfUse { eur_kwh: rate, windows: more }) => {
            if !more.is_empty() {
                windows.extend(more);
            } else if eur_kwh.is_nan() {
                *eur_kwh = rate;
            } else {
                let remedy = "give each row but one of a component a window: start and end";
                faults.add(Fault::of_table(place(at.line, "start"), "", "is the second row without a window", remedy));
            }
        }
        _ => {}
    }
}

/// Where each column stands.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn of(table: &Table) -> Result<Self, Refusal> {
        let mut found = [None; COLUMNS.len()];
        for (k, header) in table.header.iter().enumerate().filter(|(_, header)| !header.is_empty()) {
            let plain = words(header).join(" ");
            let Some(column) = COLUMNS.iter().position(|name| *name == plain) else {
                let known = choices(&COLUMNS.map(|name| name.replace(' ', "_")));
                let remedy = format!("leave it out, or use {known}");
                return Err(Fault::of_table("the header", header, "is no column of a tariff", remedy).into());
            };
            if found[column].replace(k).is_some() {
                return Err(Fault::of_table("the header", header, "stands there twice", "keep one").into());
            }
        }
        let columns = Columns(found);
        for name in ["name", "kind"] {
            if columns.index(name).is_none() {
                let wrong = format!("has no column \"{name}\"; it has {}", choices(&table.header));
                return Err(Fault::of_table("the header", "", wrong, "add it").into());
            }
        }
        Ok(columns)
    }

    fn index(&self, name: &str) -> Option<usize> {
        COLUMNS.iter().position(|column| *column == name).and_then(|column| self.0[column])
    }

    /// The cell of a column; `None` where there is no such column or the cell is empty.
    fn cell<'r>(&self, row: &'r Row, name: &str) -> Option<&'r str> {
        self.index(name).map(|k| row.cell(k)).filter(|cell| !cell.is_empty())
    }

    fn number(&self, table: &Table, row: &Row, name: &str) -> Result<Option<f64>, Fault> {
        let Some(cell) = self.cell(row, name) else { return Ok(None) };
        let number = text::number(cell, table.decimal_comma);
        number.map(Some).map_err(|no| Fault::of_table(at(row, name), cell, no.wrong, no.remedy))
    }

    fn wanted(&self, table: &Table, row: &Row, name: &str) -> Result<f64, Fault> {
        let missing = || Fault::of_table(at(row, name), "", "is missing", "this kind of price needs it");
        self.number(table, row, name)?.ok_or_else(missing)
    }

    /// A rate in EUR/kWh.
    fn rate(&self, table: &Table, row: &Row) -> Result<f64, Fault> {
        match self.number(table, row, "ct kwh")? {
            Some(ct_kwh) if self.cell(row, "eur kwh").is_none() => Ok(ct_kwh / 100.0),
            Some(_) => Err(Fault::of_table(at(row, "ct kwh"), "", "stands beside eur_kwh", "give one of the two")),
            None => self.wanted(table, row, "eur kwh"),
        }
    }

    fn component(&self, table: &Table, row: &Row) -> Result<Component, Fault> {
        let text = |name: &str| self.cell(row, name).map(str::to_owned);
        let choice = |name: &str, remedy: &str| {
            let cell = self.cell(row, name).unwrap_or_default();
            Fault::of_table(at(row, name), cell, "is none of them", remedy)
        };
        let direction = match self.cell(row, "direction") {
            None | Some("import") => Direction::Import,
            Some("export") => Direction::Export,
            Some(_) => return Err(choice("direction", "write import or export")),
        };
        let vat = match self.cell(row, "vat").map(str::to_lowercase).as_deref() {
            None | Some("true" | "yes" | "1" | "ja") => true,
            Some("false" | "no" | "0" | "nee" | "nein") => false,
            Some(_) => return Err(choice("vat", "write true or false")),
        };
        let price = match self.cell(row, "kind") {
            Some("spot") => Price::Spot { factor: self.number(table, row, "factor")?.unwrap_or(1.0) },
            Some("fixed") => Price::Fixed { eur_kwh: self.rate(table, row)? },
            Some("brackets") => {
                let above_kwh = self.wanted(table, row, "above kwh")?;
                Price::Brackets { brackets: vec![Bracket { above_kwh, eur_kwh: self.rate(table, row)? }] }
            }
            Some("time_of_use") => self.window(table, row)?,
            Some("peak") => Price::Peak { eur_kw_month: self.wanted(table, row, "eur kw month")? },
            _ => return Err(choice("kind", "write spot, fixed, brackets, time_of_use or peak")),
        };
        let name = text("name").unwrap_or_default();
        Ok(Component { name, direction, from: text("from"), until: text("until"), vat, price })
    }

    /// A window, or the rate outside of all.
    fn window(&self, table: &Table, row: &Row) -> Result<Price, Fault> {
        let eur_kwh = self.rate(table, row)?;
        match (self.cell(row, "start"), self.cell(row, "end")) {
            (None, None) => Ok(Price::TimeOfUse { eur_kwh, windows: Vec::new() }),
            (Some(from), Some(until)) => {
                let days = self.cell(row, "days").map(str::to_owned);
                let window = Window { days, from: from.to_owned(), until: until.to_owned(), eur_kwh };
                Ok(Price::TimeOfUse { eur_kwh: f64::NAN, windows: vec![window] })
            }
            (start, _) => {
                let name = if start.is_none() { "start" } else { "end" };
                Err(Fault::of_table(at(row, name), "", "is missing", "a window has both ends"))
            }
        }
    }
}

/// A place in the table, with the column as it is written in a header.
fn at(row: &Row, column: &str) -> String {
    place(row.line, &column.replace(' ', "_"))
}
