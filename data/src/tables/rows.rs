//! Rows of a recognised table to boards and stations; what cannot be read is told, cell by cell.

use super::Reading;
use super::grid::{Cell, Grid, Row};
use super::headers::{self, Header, Kind, Role, folded};
use super::values::{Current, current};
use crate::finding::Finding;
use crate::refusal::{clip, quoted};
use crate::site::rotation::{Misread, Rotation};
use crate::site::{Board, PerPhase, Station};

/// Words for the grid in the column of the board that feeds another.
const GRID: [&str; 24] = [
    "net",
    "grid",
    "netz",
    "mains",
    "utility",
    "geen",
    "none",
    "keine",
    "kein",
    "root",
    "netaansluiting",
    "gridconnection",
    "netzanschluss",
    "hausanschluss",
    "netbeheerder",
    "dso",
    "dno",
    "evu",
    "vnb",
    "nvt",
    "na",
    "openbaarnet",
    "stromnetz",
    "meter",
];

/// Words in the name column of a row that adds the others up.
const TOTALS: [&str; 9] = ["totaal", "total", "summe", "gesamt", "som", "sum", "subtotaal", "subtotal", "gesamtsumme"];

/// What remarks under a table begin with.
const REMARKS: [&str; 12] = [
    "*",
    "opmerking",
    "noot",
    "note",
    "remark",
    "hinweis",
    "bemerkung",
    "anmerkung",
    "bron",
    "quelle",
    "source",
    "legend",
];

/// What stands in for a limit that cannot be read, so that the checks go on without saying more about it, in A.
const STAND_IN_BOARD_A: f64 = 10_000.0;
const STAND_IN_STATION_A: f64 = 6.0;

/// A table within a grid.
struct Table<'g> {
    grid: &'g Grid,
    header: &'g Header,
}

/// Reads the rows between a header and the next one.
pub(super) fn read(reading: &mut Reading, grid: &Grid, header: &Header, rows: &[Row]) {
    let table = Table { grid, header };
    if !table.columns_are_there(reading) {
        return;
    }
    for (k, row) in rows.iter().enumerate() {
        if let Some(what) = table.no_entry(row, k + 1 == rows.len()) {
            let place = grid.place(Some(row.number), None);
            let finding = Finding::note("row-ignored", "").at(Some(place)).value(first_text(row));
            reading.findings.push(finding.says(what, "nothing to do, unless it was meant as an entry"));
            continue;
        }
        let path = match header.kind {
            Some(Kind::Stations) => format!("stations[{}]", reading.stations.len()),
            _ => format!("boards[{}]", reading.boards.len()),
        };
        table.no_more_cells_than_headers(reading, row, &path);
        match header.kind {
            Some(Kind::Stations) => table.station(reading, row, &path),
            _ => table.board(reading, row, &path),
        }
    }
}

fn first_text(row: &Row) -> String {
    row.filled().next().map(|(_, cell)| cell.shown()).unwrap_or_default()
}

impl Table<'_> {
    fn header_place(&self) -> crate::finding::Place {
        self.grid.place(self.grid.rows.get(self.header.at).map(|row| row.number), None)
    }

    /// Whether every column is there that a table of this kind cannot do without; notes those that are not read.
    fn columns_are_there(&self, reading: &mut Reading) -> bool {
        let ignored = self.header.ignored();
        let has = |role| self.header.column(role).is_some();
        let limit = has(Role::Limit) || (has(Role::LimitOn(0)) && has(Role::LimitOn(1)) && has(Role::LimitOn(2)));
        let mut missing = Vec::new();
        let mut need = |there: bool, what: &'static str, remedy: &'static str| {
            if !there {
                missing.push((what, remedy));
            }
        };
        if self.header.kind == Some(Kind::Stations) {
            need(has(Role::Name), "the station's name", "Station ID (Stations-ID)");
            need(has(Role::Rotation), "the phase rotation", "Faserotatie, Phase rotation or Phasenfolge");
            need(has(Role::Limit), "the highest current per phase", "Limiet (A), Limit (A) or Grenzwert (A)");
            need(has(Role::Parent), "the board it hangs on", "Aansluitpunt, Connection point or Anschlusspunkt");
        } else {
            need(has(Role::Name), "the board's name", "Naam, Name or Bezeichnung");
            need(limit, "the limit", "Limiet (A), Limit (A) or Grenzwert (A), or three columns L1, L2, L3");
            need(has(Role::Parent), "the board that feeds it", "Aansluitpunt, Connection point or Anschlusspunkt");
        }
        let kind = if self.header.kind == Some(Kind::Stations) { "stations" } else { "boards" };
        for (what, example) in &missing {
            let seen: Vec<String> =
                self.header.texts.iter().filter(|text| !text.is_empty()).map(|text| quoted(text)).collect();
            let wrong = format!("the table of {kind} has no column for {what}; its headers are {}", clip_list(&seen));
            let finding = Finding::error("missing-column", "").at(Some(self.header_place()));
            reading.findings.push(finding.says(wrong, format!("add a column with the header {example}")));
        }
        if missing.is_empty() && !ignored.is_empty() {
            let names: Vec<String> = ignored.iter().map(|text| quoted(text)).collect();
            let finding = Finding::note("column-ignored", "").at(Some(self.header_place())).value(clip_list(&names));
            reading
                .findings
                .push(finding.says("will not be kept, as a site file has no place for that", "nothing to do"));
        }
        let limits: Vec<String> = self.header.columns(Role::Limit).map(|k| quoted(&self.header.texts[k])).collect();
        if limits.len() > 1 {
            let finding =
                Finding::warning("several-limits", "").at(Some(self.header_place())).value(clip_list(&limits));
            let remedy = "right where one is a fuse and one a rating; otherwise rename the column that is no limit, or remove it";
            reading.findings.push(finding.says("all hold currents: the smallest of a row is its limit", remedy));
        }
        let foreign = (0..3).map(Role::LimitOn).chain([Role::Limit]).find_map(|role| {
            let text = &self.header.texts[self.header.column(role)?];
            Some((text.clone(), headers::foreign_unit(text)?))
        });
        if let Some((text, unit)) = foreign {
            let place = self.grid.place(self.header_place().line, Some(&text));
            let finding = Finding::error("wrong-unit", "").at(Some(place));
            let remedy = "give amperes per phase, and say so in the header";
            reading.findings.push(finding.says(format!("the column is in {unit}, not in amperes"), remedy));
            return false;
        }
        missing.is_empty()
    }

    /// Why a row is no entry: a total, a remark.
    fn no_entry(&self, row: &Row, last: bool) -> Option<&'static str> {
        let name = self.header.column(Role::Name).map_or(&Cell::Empty, |column| row.cell(column));
        let first = row.filled().next()?.1.text();
        let word = folded(&if name.is_empty() { first.clone() } else { name.text() });
        let adds_up = TOTALS.iter().any(|total| word == *total);
        let parent = self.header.column(Role::Parent).is_some_and(|column| !row.cell(column).is_empty());
        if adds_up && !parent {
            return Some("is a total, not an entry");
        }
        let lone = row.filled().count() == 1;
        let lower = first.to_lowercase();
        if lone && REMARKS.iter().any(|remark| lower.starts_with(remark)) {
            return Some("is a remark, not an entry");
        }
        let number_alone = row.filled().all(|(_, cell)| current(&cell.text()).is_ok());
        (last && name.is_empty() && number_alone).then_some("is a total, not an entry")
    }

    fn no_more_cells_than_headers(&self, reading: &mut Reading, row: &Row, path: &str) {
        let width = self.header.texts.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
        let beyond: Vec<(usize, &Cell)> = row.filled().filter(|(column, _)| *column >= width).collect();
        let Some((_, cell)) = beyond.first() else { return };
        let place = self.grid.place(Some(row.number), None);
        let finding = Finding::error("too-many-cells", path).at(Some(place)).of(self.subject(row)).value(cell.shown());
        let remedy = "remove it; where a decimal comma has split a number, put the number in quotes or use semicolons";
        reading.findings.push(finding.says("stands beyond the last header", remedy));
    }

    fn subject(&self, row: &Row) -> String {
        let name = self.header.column(Role::Name).map(|column| row.cell(column).text()).unwrap_or_default();
        let kind = if self.header.kind == Some(Kind::Stations) { "station" } else { "board" };
        if name.is_empty() { String::new() } else { format!("{kind} {}", quoted(&name)) }
    }

    /// Notes the place of each field of a row, under the path that it will have in the site.
    fn places(&self, reading: &mut Reading, row: &Row, path: &str, fields: &[(&str, Role)]) {
        reading.places.insert(path.to_owned(), self.grid.place(Some(row.number), None));
        for (field, role) in fields {
            if let Some(column) = self.header.column(*role) {
                let place = self.grid.place(Some(row.number), Some(&self.header.texts[column]));
                reading.places.insert(format!("{path}.{field}"), place);
            }
        }
    }

    /// Notes a cell that cannot be read.
    fn fault(
        &self,
        reading: &mut Reading,
        row: &Row,
        role: Role,
        path: String,
        code: &'static str,
        says: (String, String),
    ) {
        let column = self.header.column(role);
        let place = self.grid.place(Some(row.number), column.map(|column| self.header.texts[column].as_str()));
        let cell = column.map_or(&Cell::Empty, |column| row.cell(column));
        let finding = Finding::error(code, path).at(Some(place)).of(self.subject(row)).value(cell.shown());
        reading.findings.push(finding.says(says.0, says.1));
    }

    /// The name of a row; without one the row is told and left out.
    fn name(&self, reading: &mut Reading, row: &Row) -> Option<String> {
        let name = row.cell(self.header.column(Role::Name)?).text();
        if !name.is_empty() {
            return Some(name);
        }
        let filled: Vec<String> = row.filled().map(|(_, cell)| cell.text()).collect();
        let says = (
            format!("is empty, in the row {}", quoted(&filled.join(" "))),
            "give the name, or remove the row".to_owned(),
        );
        self.fault(reading, row, Role::Name, String::new(), "no-name", says);
        None
    }

    /// The current of a column; `None` where there is none, which has been told unless the cell is empty. Of several
    /// columns the smallest counts; one that holds no currents is none of them where another does.
    fn current(&self, reading: &mut Reading, row: &Row, role: Role, path: &str) -> Result<Option<Current>, ()> {
        let mut least: Option<Current> = None;
        let mut unread = None;
        for column in self.header.columns(role) {
            match row.cell(column) {
                Cell::Empty => {}
                Cell::Number(value_a) => least = Some(smaller(least, Current { value_a: *value_a, phases: None })),
                Cell::Text(text) | Cell::Moment(text) => match current(text) {
                    Ok(found) => least = Some(smaller(least, found)),
                    Err(says) => unread = Some(says),
                },
            }
        }
        match (least, unread) {
            (None, Some(says)) => {
                self.fault(reading, row, role, path.to_owned(), "unreadable-current", says);
                Err(())
            }
            (least, _) => Ok(least),
        }
    }

    fn board(&self, reading: &mut Reading, row: &Row, path: &str) {
        let Some(id) = self.name(reading, row) else { return };
        let limit = if self.header.column(Role::Limit).is_some() { Role::Limit } else { Role::LimitOn(0) };
        let fields =
            [("id", Role::Name), ("parent", Role::Parent), ("limit_a", limit), ("imbalance_limit_a", Role::Imbalance)];
        self.places(reading, row, path, &fields);
        let limit_a = self.limits(reading, row, &format!("{path}.limit_a"));
        let imbalance = self.current(reading, row, Role::Imbalance, &format!("{path}.imbalance_limit_a"));
        let parent = self.header.column(Role::Parent).map(|column| row.cell(column).text());
        reading.boards.push(Board {
            imbalance_limit_a: imbalance.ok().flatten().map(|current| current.value_a),
            ..Board::new(id, parent.filter(|parent| !parent.is_empty()), limit_a)
        });
    }

    fn limits(&self, reading: &mut Reading, row: &Row, path: &str) -> PerPhase {
        let stand_in = PerPhase::Same(STAND_IN_BOARD_A);
        let three = (0..3).all(|phase| self.header.column(Role::LimitOn(phase)).is_some());
        if three {
            let mut limits_a = [None; 3];
            for (phase, limit_a) in limits_a.iter_mut().enumerate() {
                match self.current(reading, row, Role::LimitOn(phase), path) {
                    Ok(found) => *limit_a = found.map(|current| current.value_a),
                    Err(()) => return stand_in,
                }
            }
            if let [Some(l1), Some(l2), Some(l3)] = limits_a {
                let same = l1.total_cmp(&l2).is_eq() && l2.total_cmp(&l3).is_eq();
                return if same { PerPhase::Same(l1) } else { PerPhase::Each([l1, l2, l3]) };
            }
            if let Some(phase) = (0..3).find(|&phase| limits_a[phase].is_none())
                && (limits_a.iter().any(Option::is_some) || self.header.column(Role::Limit).is_none())
            {
                self.missing_current(reading, row, Role::LimitOn(phase), path);
                return stand_in;
            }
        }
        match self.current(reading, row, Role::Limit, path) {
            Ok(Some(Current { value_a, phases: None | Some(3) })) => PerPhase::Same(value_a),
            Ok(Some(Current { phases: Some(phases), .. })) => {
                let wrong = format!("is a limit on {phases} of three phases");
                let remedy = "give the limit of each phase in columns L1, L2, L3".to_owned();
                self.fault(reading, row, Role::Limit, path.to_owned(), "unreadable-current", (wrong, remedy));
                stand_in
            }
            Ok(None) => {
                self.missing_current(reading, row, Role::Limit, path);
                stand_in
            }
            Err(()) => stand_in,
        }
    }

    fn missing_current(&self, reading: &mut Reading, row: &Row, role: Role, path: &str) {
        let says = ("is empty".to_owned(), "give amperes per phase, such as 32".to_owned());
        self.fault(reading, row, role, path.to_owned(), "missing-value", says);
    }

    fn station(&self, reading: &mut Reading, row: &Row, path: &str) {
        let Some(id) = self.name(reading, row) else { return };
        let fields = [
            ("id", Role::Name),
            ("board", Role::Parent),
            ("model", Role::Model),
            ("serial", Role::Serial),
            ("rotation", Role::Rotation),
            ("max_a", Role::Limit),
        ];
        self.places(reading, row, path, &fields);
        let text =
            |role| self.header.column(role).map(|column| row.cell(column).text()).filter(|text| !text.is_empty());
        let rotation = self.rotation(reading, row, text(Role::Rotation), path);
        let max_path = format!("{path}.max_a");
        let max_a = match self.current(reading, row, Role::Limit, &max_path) {
            Ok(Some(current)) => {
                self.phases_agree(reading, row, current, rotation, &max_path);
                current.value_a
            }
            Ok(None) => {
                self.missing_current(reading, row, Role::Limit, &max_path);
                STAND_IN_STATION_A
            }
            Err(()) => STAND_IN_STATION_A,
        };
        let board = text(Role::Parent);
        if board.is_none() {
            let says = ("is empty".to_owned(), "name the board that the station hangs on".to_owned());
            self.fault(reading, row, Role::Parent, format!("{path}.board"), "missing-value", says);
        }
        reading.stations.push(Station {
            model: text(Role::Model),
            serial: text(Role::Serial),
            rotation: rotation.map(|rotation| rotation.to_string()),
            ..Station::new(id, board.unwrap_or_default(), max_a)
        });
    }

    /// The rotation; a missing one is left to the checks.
    fn rotation(&self, reading: &mut Reading, row: &Row, text: Option<String>, path: &str) -> Option<Rotation> {
        let text = text.filter(|text| text.chars().any(char::is_alphanumeric))?;
        match Rotation::parse(&text) {
            Ok(rotation) => Some(rotation),
            Err(why) => {
                let (wrong, remedy) = why.says();
                let code = if why == Misread::Unknown { "missing-rotation" } else { "bad-rotation" };
                let says = (wrong.to_owned(), remedy.to_owned());
                self.fault(reading, row, Role::Rotation, format!("{path}.rotation"), code, says);
                None
            }
        }
    }

    /// Whether `3x32 A` and the rotation speak of the same number of phases.
    fn phases_agree(&self, reading: &mut Reading, row: &Row, current: Current, rotation: Option<Rotation>, path: &str) {
        let (Some(phases), Some(rotation)) = (current.phases, rotation) else { return };
        if usize::from(phases) == rotation.count() {
            return;
        }
        let wrong = format!("speaks of {phases} phases, and the rotation {rotation} of {}", rotation.count());
        let remedy = "correct one of the two; a station on one phase has a rotation such as Rxx".to_owned();
        self.fault(reading, row, Role::Limit, path.to_owned(), "phases-disagree", (wrong, remedy));
    }
}

/// Texts as a list of bounded length.
fn clip_list(texts: &[String]) -> String {
    let shown: Vec<&str> = texts.iter().take(12).map(String::as_str).collect();
    let more = if texts.len() > 12 { format!(" and {} more", texts.len() - 12) } else { String::new() };
    format!("{}{more}", shown.iter().map(|text| clip(text)).collect::<Vec<_>>().join(", "))
}

/// Words for the grid become no parent, unless a board is called that.
pub(super) fn connect_to_grid(boards: &mut [Board]) {
    let ids: std::collections::HashSet<String> = boards.iter().map(|board| board.id.clone()).collect();
    for board in boards {
        let is_grid = |parent: &String| {
            let folded = folded(parent);
            !ids.contains(parent) && (folded.is_empty() || GRID.contains(&folded.as_str()) || is_ean(&folded))
        };
        board.parent = board.parent.take().filter(|parent| !is_grid(parent));
    }
}

/// The number of a connection to the grid: `EAN 871687…`, with or without the letters.
fn is_ean(folded: &str) -> bool {
    let digits = folded.strip_prefix("ean").map(|rest| rest.strip_prefix("code").unwrap_or(rest));
    match digits {
        Some(rest) => rest.bytes().all(|b| b.is_ascii_digit()),
        None => folded.len() == 18 && folded.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// The smaller of two currents.
fn smaller(least: Option<Current>, found: Current) -> Current {
    least.filter(|least| least.value_a <= found.value_a).unwrap_or(found)
}
