//! What a column is, by its header, in Dutch, English or German.

use std::sync::LazyLock;

use super::grid::{Cell, Row};
use super::values;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Name,
    /// A word for a board: the name in a table of boards, the board in a table of stations.
    Board,
    /// A word for a station: its name.
    Station,
    Parent,
    Limit,
    /// The limit of one phase.
    LimitOn(usize),
    Imbalance,
    Model,
    Serial,
    Rotation,
}

/// Words in headers by what they mean, without accents, spaces and signs. A header means what the first word found in it
/// means, from the top down; words with `=` must be the whole header.
pub const WORDS: [(&str, &[&str]); 10] = [
    (
        "rotation",
        &[
            "rotati",
            "fasevolg",
            "fasenvolg",
            "fasering",
            "phasing",
            "phasenfolge",
            "phasefolge",
            "phasesequence",
            "phaseorder",
            "drehfeld",
            "draaiveld",
            "phasenzuordnung",
            "phasemap",
            "phasenlage",
            "fasetoewijzing",
            "faseaansluiting",
            "phasenanschluss",
            "phaseconnection",
            "=fase",
            "=fasen",
            "=fases",
            "=phase",
            "=phasen",
            "=phases",
        ],
    ),
    ("imbalance", &["onbalans", "imbalance", "unbalance", "scheeflast", "schieflast", "unsymmetrie", "asymmetri"]),
    ("serial", &["serie", "serial", "=sn", "=snr", "=sernr"]),
    (
        "nothing",
        &[
            "stroomkring",
            "stromkreis",
            "vermogen",
            "leistung",
            "power",
            "kabel",
            "cable",
            "opmerking",
            "bemerkung",
            "remark",
            "notes",
            "locatie",
            "standort",
            "location",
            "=kw",
            "minimum",
            "mincurrent",
            "minstroom",
            "minstrom",
            "mindest",
            "reststroom",
            "fehlerstrom",
            "faultcurrent",
            "rcd",
            "aardlek",
            "kortsluit",
            "kurzschluss",
            "shortcircuit",
            "breaking",
            "abschaltstrom",
            "schaltvermogen",
        ],
    ),
    (
        "parent",
        &[
            "parent",
            "gevoed",
            "voedendebord",
            "voedendeverdeler",
            "bovenligg",
            "ubergeordnet",
            "vorgelagert",
            "upstream",
            "gespeist",
            "speisend",
            "fedfrom",
            "fedby",
            "feedingboard",
            "suppliedby",
            "suppliedfrom",
            "aangeslotenop",
            "angeschlossenan",
            "connectedto",
            "aansluitpunt",
            "anschlusspunkt",
            "anschlussort",
            "connectionpoint",
            "=from",
            "=van",
            "=vanuit",
            "=von",
            "=aus",
        ],
    ),
    (
        "limit",
        &[
            "limiet",
            "limit",
            "grenz",
            "zekering",
            "sicher",
            "fuse",
            "stroom",
            "strom",
            "current",
            "ampere",
            "amperage",
            "amps",
            "rating",
            "breaker",
            "automaat",
            "automat",
            "aansluitwaarde",
            "anschlusswert",
            "=a",
            "=amp",
            "=max",
            "=imax",
            "=in",
            "=inom",
            "=maxa",
        ],
    ),
    (
        "parent, weaker",
        &[
            "voeding",
            "speisung",
            "einspeis",
            "feeder",
            "supply",
            "feed",
            "aansluit",
            "anschluss",
            "connection",
            "ouder",
            "hoofdverdeler",
            "hauptverteiler",
        ],
    ),
    (
        "model",
        &[
            "model",
            "modell",
            "=type",
            "=typ",
            "stationtype",
            "stationstype",
            "stationstyp",
            "paaltype",
            "chargertype",
            "geratetyp",
            "=product",
            "=produkt",
            "=fabrikaat",
            "=fabrikat",
        ],
    ),
    (
        "station",
        &[
            "station",
            "laadpaal",
            "laadpunt",
            "=paal",
            "ladepunkt",
            "ladesaule",
            "wallbox",
            "charger",
            "chargepoint",
            "chargingpoint",
            "evse",
        ],
    ),
    (
        "board",
        &[
            "verdeler",
            "verdeelkast",
            "verdeelinrichting",
            "=verdeling",
            "onderverdeling",
            "groepenkast",
            "=kast",
            "=bord",
            "board",
            "panel",
            "verteil",
            "schaltschrank",
            "=uv",
            "=groep",
            "distribution",
        ],
    ),
];

/// Whether a word is a whole header, and the word.
type FoldedWord = (bool, String);

/// The same words as they are compared, and whether each is a whole header.
static FOLDED: LazyLock<Vec<(&str, Vec<FoldedWord>)>> = LazyLock::new(|| {
    let fold = |word: &&str| (word.starts_with('='), folded(word));
    WORDS.iter().map(|(meaning, words)| (*meaning, words.iter().map(fold).collect())).collect()
});

/// Headers that are a name, the best first.
pub const NAMES: [&str; 14] = [
    "id",
    "identificatie",
    "kennung",
    "naam",
    "name",
    "bezeichnung",
    "benaming",
    "omschrijving",
    "code",
    "label",
    "kenmerk",
    "nummer",
    "number",
    "nr",
];

/// Words in headers of tables of vehicles that come and go, which are no tables of stations.
const COMES_AND_GOES: [&str; 8] =
    ["aankomst", "arrival", "ankunft", "vertrek", "departure", "abfahrt", "voertuig", "fahrzeug"];

/// Words in the names of files and sheets that tell tables of stations.
const STATION_FILES: [&str; 8] =
    ["station", "laadpa", "laadpunt", "ladepunkt", "ladesaule", "wallbox", "charge", "evse"];

/// Words that tell tables of boards.
const BOARD_FILES: [&str; 4] = ["verdel", "verteil", "board", "kast"];

/// Which table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boards,
    Stations,
}

/// A row of headers.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// Its place among the rows that are not empty.
    pub(super) at: usize,
    pub(super) kind: Option<Kind>,
    /// The text of each column.
    pub(super) texts: Vec<String>,
    columns: Vec<(usize, Role)>,
}

impl Header {
    /// How many columns are known.
    pub(super) fn known(&self) -> usize {
        self.columns.len()
    }

    /// The column of a role.
    pub(super) fn column(&self, role: Role) -> Option<usize> {
        self.columns.iter().find(|(_, other)| *other == role).map(|(column, _)| *column)
    }

    /// The columns of a role, where a table may have several.
    pub(super) fn columns(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().filter(move |(_, other)| *other == role).map(|(column, _)| *column)
    }

    /// The columns that nothing is read from.
    pub(super) fn ignored(&self) -> Vec<&str> {
        let known = |column| self.columns.iter().any(|(other, _)| *other == column);
        let texts = self.texts.iter().enumerate().filter(|(column, text)| !text.is_empty() && !known(*column));
        texts.map(|(_, text)| text.as_str()).collect()
    }

    /// The header with its roles settled for the table it is: `hint` is the name of sheet and file.
    pub(super) fn settled(mut self, hint: &str) -> Header {
        let has = |role: Role| self.columns.iter().any(|(_, other)| *other == role);
        let folded_hint = folded(hint);
        let named = |words: &[&str]| words.iter().any(|word| folded_hint.contains(word));
        let stations = has(Role::Station)
            || has(Role::Rotation)
            || has(Role::Serial)
            || has(Role::Model)
            || (!has(Role::Board) && named(&STATION_FILES) && !named(&BOARD_FILES));
        let (kind, own, other) = if stations {
            (Kind::Stations, Role::Station, Role::Board)
        } else {
            (Kind::Boards, Role::Board, Role::Station)
        };
        let board_is_parent = !has(Role::Parent) && (stations || has(Role::Name));
        // A table names its own things in the column that says so, otherwise in the one called "name".
        let own_name = if has(own) && !(own == Role::Board && board_is_parent) { own } else { Role::Name };
        self.columns.retain(|(_, role)| *role != Role::Name || own_name == Role::Name);
        for (_, role) in &mut self.columns {
            *role = match *role {
                role if role == own_name => Role::Name,
                Role::Board if board_is_parent => Role::Parent,
                role => role,
            };
        }
        self.columns.retain(|(_, role)| *role != own || own_name == own);
        self.columns.retain(|(_, role)| *role != other);
        self.kind = Some(kind);
        self
    }
}

/// All rows of headers, from the top. The first may have few known columns; one further down must have three.
pub(super) fn find(rows: &[Row]) -> Vec<Header> {
    let mut found: Vec<Header> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let least = if found.is_empty() { 2 } else { 3 };
        if let Some(header) = header(at, row).filter(|header| header.known() >= least) {
            found.push(header);
        }
    }
    found
}

fn header(at: usize, row: &Row) -> Option<Header> {
    // Headers hold no numbers and no currents.
    if row.filled().any(|(_, cell)| matches!(cell, Cell::Number(_)) || values::current(&cell.text()).is_ok()) {
        return None;
    }
    let texts: Vec<String> = row.cells.iter().map(Cell::text).collect();
    let mut columns: Vec<(usize, Role)> = Vec::new();
    let mut name: Option<(usize, usize)> = None;
    for (column, text) in texts.iter().enumerate() {
        if let Some(rank) = name_rank(text) {
            if name.is_none_or(|(_, best)| rank < best) {
                name = Some((column, rank));
            }
        } else if let Some(role) = role(text)
            && (role == Role::Limit || columns.iter().all(|(_, other)| *other != role))
        {
            columns.push((column, role));
        }
    }
    // Beside a limit in amperes, one in kA or mA is something else: what a breaker can break, what trips it.
    let amperes = |column: usize| foreign_unit(&texts[column]).is_none();
    if columns.iter().any(|(column, role)| *role == Role::Limit && amperes(*column)) {
        columns.retain(|(column, role)| *role != Role::Limit || amperes(*column));
    }
    columns.extend(name.map(|(column, _)| (column, Role::Name)));
    let has = |wanted: &[Role]| columns.iter().any(|(_, role)| wanted.contains(role));
    let named = has(&[Role::Name, Role::Board, Role::Station]);
    let placed = has(&[Role::Parent, Role::Rotation, Role::Serial, Role::LimitOn(0)])
        || (has(&[Role::Station]) && has(&[Role::Board]));
    // A list of vehicles may name a station and a current as well; it has no place and no wiring.
    let limited = has(&[Role::Limit]) && !has(&[Role::Station]);
    let comes_and_goes = texts.iter().any(|text| {
        let folded = folded(text);
        COMES_AND_GOES.iter().any(|word| folded.contains(word))
    });
    (named && (placed || limited) && !comes_and_goes).then_some(Header { at, kind: None, texts, columns })
}

fn name_rank(text: &str) -> Option<usize> {
    let folded = folded(text);
    NAMES.iter().position(|name| *name == folded)
}

fn role(text: &str) -> Option<Role> {
    let folded = folded(text);
    if folded.is_empty() {
        return None;
    }
    let is = |(whole, word): &FoldedWord| if *whole { folded == *word } else { folded.contains(word.as_str()) };
    let meaning = FOLDED.iter().find(|(_, words)| words.iter().any(is)).map(|(meaning, _)| *meaning);
    let on: Vec<usize> = (0..3).filter(|phase| folded.contains(&format!("l{}", phase + 1))).collect();
    match meaning {
        Some("rotation") => Some(Role::Rotation),
        Some("imbalance") => Some(Role::Imbalance),
        Some("serial") => Some(Role::Serial),
        Some("nothing") => None,
        Some("parent" | "parent, weaker") => Some(Role::Parent),
        // "Limiet L1", and "L1" alone.
        Some("limit") if on.len() == 1 => Some(Role::LimitOn(on[0])),
        Some("limit") => Some(Role::Limit),
        Some("model") => Some(Role::Model),
        Some("station") => Some(Role::Station),
        Some("board") => Some(Role::Board),
        _ if on.len() == 1 && folded.len() <= 7 => Some(Role::LimitOn(on[0])),
        _ => None,
    }
}

/// The unit in the header's brackets, where it is none of current.
pub(super) fn foreign_unit(text: &str) -> Option<String> {
    let inner = text.split(['(', '[']).nth(1)?.split([')', ']']).next()?.trim();
    ["kw", "w", "kva", "va", "ma", "ka", "mw", "v"].contains(&inner.to_lowercase().as_str()).then(|| inner.to_owned())
}

/// A header without case, accents, brackets, spaces and signs; umlauts are one, however they are written.
pub(super) fn folded(text: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            'ä' | 'á' | 'à' | 'â' => plain.push('a'),
            'ö' | 'ó' | 'ô' => plain.push('o'),
            'ü' | 'ú' | 'û' => plain.push('u'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'ï' | 'í' | 'î' => plain.push('i'),
            'ß' => plain.push_str("ss"),
            c if c.is_alphanumeric() => plain.push(c),
            _ => {}
        }
    }
    plain.replace("ae", "a").replace("ue", "u").replace("oe", "o")
}
