//! Tables as they go wrong at real sites: what an electrician reads then. The messages are in `snapshots/`; a change of them
//! is reviewed like a change of the documentation.

mod common;

use std::fmt::Write as _;

use common::{told, transcript};
use kwartier_data::finding::any_error;
use kwartier_data::site::Site;
use kwartier_data::site::rotation::Rotation;
use kwartier_data::tables::{self, Source};

const BOARDS: &str = include_str!("../samples/depot-tables/boards.csv");
const STATIONS: &str = include_str!("../samples/depot-tables/stations.csv");

fn source(name: &str, bytes: &[u8]) -> Source {
    Source { name: name.to_owned(), bytes: bytes.to_owned(), named: true }
}

/// Everything that is said of some tables.
fn said(sources: &[Source]) -> String {
    let reading = tables::read(sources).as_whole_site();
    let site =
        Site::new("Test".to_owned(), "Europe/Amsterdam".to_owned(), reading.boards.clone(), reading.stations.clone());
    // Of every table of the sample alike, and not what is looked at here.
    told(&reading.check(&site), &["no-grid-meter", "odd-fuse"])
}

fn both(boards: &str, stations: &str) -> String {
    said(&[source("boards.csv", boards.as_bytes()), source("stations.csv", stations.as_bytes())])
}

/// The sample's stations with one line changed.
fn stations(from: &str, to: &str) -> String {
    assert!(STATIONS.contains(from), "the sample has no {from}");
    both(BOARDS, &STATIONS.replacen(from, to, 1))
}

fn boards(from: &str, to: &str) -> String {
    assert!(BOARDS.contains(from), "the sample has no {from}");
    both(&BOARDS.replacen(from, to, 1), STATIONS)
}

#[test]
fn the_sample_is_fine() {
    assert_eq!(both(BOARDS, STATIONS), "");
}

#[test]
fn cells() {
    let told = transcript(vec![
        ("power for current", stations("RST;32;UV1", "RST;22 kW;UV1")),
        ("words for current", stations("RST;32;UV1", "RST;veel;UV1")),
        ("no current", stations("RST;32;UV1", "RST;;UV1")),
        ("a number that can be read in two ways", boards("HV;200;", "HV;1.250;")),
        ("two numbers", stations("RST;32;UV1", "RST;16-32;UV1")),
        ("an error of the spreadsheet", stations("RST;32;UV1", "RST;#N/B;UV1")),
        ("one of three phases at a board", boards("UV5;40;UV4", "UV5;1x40A;UV4")),
        ("phases that disagree", stations("RST;32;UV1", "Rxx;3x32A;UV1")),
        ("no rotation", stations("SN-1000;RST;", "SN-1000;;")),
        ("OCPP's unknown rotation", stations("SN-1000;RST;", "SN-1000;Unknown;")),
        ("a phase twice", stations("SN-1000;RST;", "SN-1000;RRT;")),
        ("a gap", stations("SN-1000;RST;", "SN-1000;xRx;")),
        ("no rotation at all", stations("SN-1000;RST;", "SN-1000;3-fase;")),
        ("a number of phases for the rotation", stations("SN-1000;RST;", "SN-1000;3;")),
        ("no board", stations("RST;32;UV1", "RST;32;")),
        ("no name", stations("Station 1;", ";")),
        ("a decimal comma among commas", both("Name,Limit (A),Connection point\nHV,200,\nUV1,62,5,HV\n", STATIONS)),
        (
            "several at once",
            both(
                &BOARDS.replace("UV4;100", "UV4;honderd"),
                &STATIONS.replace(";STR;", ";STT;").replace(";22;", ";22 A;"),
            ),
        ),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn sites() {
    let alike = STATIONS.replace("STR", "RST").replace("TRS", "RST");
    let told = transcript(vec![
        ("a board that does not exist", stations("RST;32;UV1", "RST;32;UV9")),
        ("a board spelled otherwise", stations("RST;32;UV1", "RST;32;uv 1")),
        ("a parent that does not exist", boards("UV5;40;UV4", "UV5;40;UV44")),
        ("a circle", boards("UV4;100;HV", "UV4;100;UV5")),
        ("fed by itself", boards("UV4;100;HV", "UV4;100;UV4")),
        ("two grid connections", boards("UV4;100;HV", "UV4;100;Net")),
        ("no grid connection", boards("HV;200;", "HV;200;UV1")),
        ("a board larger than its parent's fuse", boards("UV5;40;UV4", "UV5;125;UV4")),
        ("a station above its board's fuse", stations("RST;22;UV5", "RST;63;UV5")),
        ("a station above a fuse further up", both(&BOARDS.replace("UV4;100;", "UV4;25;"), STATIONS)),
        ("a serial number twice", stations("SN-1007", "SN-1000")),
        ("a station twice", stations("Station 2;", "Station 1;")),
        ("a station twice but for spaces", stations("Station 2;", "station1;")),
        ("a board without stations", boards("UV7;50;HV", "UV7;50;HV\nUV8;63;HV")),
        ("all rotations alike", both(BOARDS, &alike)),
        (
            "all rotations alike on a board",
            both(BOARDS, &STATIONS.replace("STR;22;UV1", "RTS;22;UV1").replace("TRS;32;UV1", "RST;32;UV1")),
        ),
        ("a limit of 0", boards("UV5;40;UV4", "UV5;0;UV4")),
        ("a negative limit", boards("UV5;40;UV4", "UV5;-40;UV4")),
        ("milliamperes", boards("UV5;40;UV4", "UV5;40000;UV4")),
        ("too little for a vehicle", stations("RST;32;UV1", "RST;3,7;UV1")),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn files() {
    let lone = |name: &str, bytes: &[u8]| said(&[source(name, bytes)]);
    let without = |column: usize| {
        let cut = |line: &str| {
            line.split(';').enumerate().filter(|(k, _)| *k != column).map(|(_, c)| c).collect::<Vec<_>>().join(";")
        };
        STATIONS.lines().map(cut).collect::<Vec<_>>().join("\n")
    };
    let mut rows = "Naam;Limiet (A);Aansluitpunt\n".to_owned();
    for k in 0..30_000 {
        writeln!(rows, "UV{k};63;HV").unwrap();
    }
    let told = transcript(vec![
        ("empty", lone("boards.csv", b"")),
        ("spaces", lone("boards.csv", b" \r\n \r\n")),
        ("a web page", lone("boards.csv", b"<!DOCTYPE html><html><body>404 Not found</body></html>")),
        ("a PDF", lone("boards.csv", b"%PDF-1.7 ...")),
        ("JSON", lone("boards.csv", b"{\"boards\": []}")),
        ("compressed", lone("boards.csv.gz", b"\x1f\x8b\x08\0\0")),
        ("an old workbook", lone("boards.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
        ("junk", lone("boards.csv", &[0, 1, 2, 3, 250, 251, 7, 8])),
        ("a ZIP that is cut off", lone("boards.xlsx", b"PK\x03\x04\x14\0\0\0")),
        ("another table", lone("sessions.csv", b"session;arrival;departure\n1;2025-01-01;2025-01-02\n")),
        ("a list of vehicles", lone("roster.csv", b"Voertuig;Station;Aankomst;Max (A)\nBus 1;Station 1;17:00;32\n")),
        ("headers only", lone("boards.csv", b"Naam;Limiet (A);Aansluitpunt\n")),
        (
            "a mark that never closes",
            lone("boards.csv", b"Naam;Limiet (A);Aansluitpunt\nHV;200;\n\"UV1;125;HV\nUV2;63;HV\n"),
        ),
        ("too many rows", lone("boards.csv", rows.as_bytes())),
        ("a column of kilowatts", both(BOARDS, &STATIONS.replace("Limiet (A)", "Limiet (kW)"))),
        ("no column for the rotation", both(BOARDS, &without(3))),
        ("no column for the board", both(BOARDS, &without(5))),
        ("no table of boards", lone("stations.csv", STATIONS.as_bytes())),
        ("no table of stations", lone("boards.csv", BOARDS.as_bytes())),
        ("nothing", said(&[])),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn a_title_a_total_a_remark_and_more_columns_do_no_harm() {
    let boards = format!("Depot Noord;;\n;;\n{}\n;;\nTotaal;795;\n* gemeten op 3 mei;;\n", BOARDS.trim_end());
    let stations = STATIONS.replace("Aansluitpunt", "Aansluitpunt;Parkeerplaats").replace(";UV1\n", ";UV1;P1\n");
    let plain = tables::read(&[source("b.csv", BOARDS.as_bytes()), source("s.csv", STATIONS.as_bytes())]);
    let decorated = tables::read(&[source("b.csv", boards.as_bytes()), source("s.csv", stations.as_bytes())]);
    assert!(!any_error(&decorated.findings), "{:?}", decorated.findings);
    assert_eq!((decorated.boards, decorated.stations), (plain.boards, plain.stations));
    let told = both(&boards, &stations);
    insta::assert_snapshot!(told);
}

#[test]
fn hostile_workbooks_are_refused() {
    // 1 GiB of zeros packs to a megabyte.
    let mut bomb = Vec::new();
    {
        use std::io::Write as _;
        let mut packer = flate2::write::DeflateEncoder::new(&mut bomb, flate2::Compression::fast());
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..200 {
            packer.write_all(&zeros).unwrap();
        }
        packer.finish().unwrap();
    }
    let name = b"xl/workbook.xml";
    let length = u32::try_from(bomb.len()).unwrap().to_le_bytes();
    // What the headers say of the size is a lie: 10 bytes.
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    zip.extend(length);
    zip.extend(10_u32.to_le_bytes());
    zip.extend([15, 0, 0, 0]);
    zip.extend(name);
    zip.extend(&bomb);
    let directory = u32::try_from(zip.len()).unwrap();
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0");
    zip.extend(length);
    zip.extend(10_u32.to_le_bytes());
    zip.extend([15, 0]);
    zip.extend([0; 16]);
    zip.extend(name);
    let size = u32::try_from(zip.len()).unwrap() - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0, 0]);
    let text = said(&[source("bomb.xlsx", &zip)]);
    assert!(text.contains("more than 128 MiB when unpacked"), "{text}");

    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "Naam").unwrap();
    sheet.write_string(1_048_575, 16_383, "far").unwrap();
    let text = said(&[source("far.xlsx", &workbook.save_to_buffer().unwrap())]);
    assert!(text.contains("beyond column 256"), "{text}");
}

#[test]
fn the_largest_tables_are_checked_at_once() {
    // A chain of boards, each under the one before, and as many stations, none of them right.
    let (mut boards, mut stations) = (
        "Naam;Limiet (A);Aansluitpunt\nB0;63;\n".to_owned(),
        "Station ID;Faserotatie;Limiet (A);Aansluitpunt\n".to_owned(),
    );
    for k in 1..tables::MAX_ROWS - 1 {
        writeln!(boards, "B{k};{};B{}", 63 + k % 2, k - 1).unwrap();
        writeln!(stations, "S{k};RST;{};B{k}", if k % 2 == 0 { "32" } else { "11 kW" }).unwrap();
    }
    let began = std::time::Instant::now();
    let told = both(&boards, &stations);
    assert!(told.lines().count() > tables::MAX_ROWS / 2, "{}", told.lines().count());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

/// The limits of the boards of a table, and the codes of what is said.
fn limits(table: &str) -> (Vec<f64>, Vec<&'static str>) {
    let reading = tables::read(&[source("boards.csv", table.as_bytes())]);
    let limits = reading.boards.iter().map(|board| board.limit_a.phases()[0]).collect();
    (limits, reading.findings.iter().map(|finding| finding.code).collect())
}

#[test]
fn of_several_currents_the_smallest_is_the_limit() {
    let (found, codes) = limits("Board,Fed from,Fuse (A),Limit after derating (A)\nMSB,,200,200\nDB1,MSB,63,50\n");
    assert_eq!(found, [200.0, 50.0]);
    assert!(codes.contains(&"several-limits"), "{codes:?}");
    // What a breaker can break, what trips it and the least current are no limits.
    for other in ["Short-circuit rating (kA)", "RCD trip current (mA)", "Min current (A)", "Fault current protection"] {
        let (found, codes) = limits(&format!("Board,Fed from,{other},Fuse (A)\nMSB,Grid,30,200\nDB1,MSB,6,63\n"));
        assert_eq!(found, [200.0, 63.0], "{other}: {codes:?}");
        assert!(!codes.contains(&"several-limits"), "{other}");
    }
}

#[test]
fn a_number_of_phases_is_no_rotation() {
    for text in ["3L", "3x", "2L", "1L", "3L1", "3", "L", "1xx"] {
        assert!(Rotation::parse(text).is_err(), "{text}");
    }
    for (text, shown) in [("L1L2L3", "RST"), ("123", "RST"), ("L2", "Sxx"), ("L3-L1-L2", "TRS"), ("Rxx", "Rxx")] {
        assert_eq!(Rotation::parse(text).unwrap().to_string(), shown, "{text}");
    }
}
