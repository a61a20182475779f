//! The same tables in every delimiter, language, encoding and kind of file; and back again.

use kwartier_data::finding::any_error;
use kwartier_data::site::rotation::{Rotation, THREE_PHASE};
use kwartier_data::site::{Board, PerPhase, Site, Station, file};
use kwartier_data::tables::write::{Delimiter, Language, csv, xlsx};
use kwartier_data::tables::{self, Reading, Source};
use proptest::prelude::*;

const BOARDS: &str = include_str!("../samples/depot-tables/boards.csv");
const STATIONS: &str = include_str!("../samples/depot-tables/stations.csv");
const LANGUAGES: [Language; 3] = [Language::Dutch, Language::English, Language::German];

fn source(name: &str, bytes: impl Into<Vec<u8>>) -> Source {
    Source { name: name.to_owned(), bytes: bytes.into(), named: true }
}

fn read(sources: &[Source]) -> Reading {
    let reading = tables::read(sources);
    assert!(!any_error(&reading.findings), "{:#?}", reading.findings);
    reading
}

fn site(reading: &Reading) -> Site {
    Site::new("Test".to_owned(), "Europe/Amsterdam".to_owned(), reading.boards.clone(), reading.stations.clone())
}

fn sample() -> Site {
    site(&read(&[source("boards.csv", BOARDS), source("stations.csv", STATIONS)]))
}

/// Bytes of a text in each encoding that spreadsheets export.
fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let plain = text.trim_start_matches('\u{feff}');
    let utf_16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        mark.iter().copied().chain(plain.encode_utf16().flat_map(bytes)).collect()
    };
    vec![
        ("utf-8", plain.as_bytes().to_vec()),
        ("utf-8 with mark", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("utf-16 little", utf_16(b"\xff\xfe", u16::to_le_bytes)),
        ("utf-16 big", utf_16(b"\xfe\xff", u16::to_be_bytes)),
        ("utf-16 without mark", utf_16(b"", u16::to_le_bytes)),
        ("windows-1252", encoding_rs::WINDOWS_1252.encode(plain).0.into_owned()),
    ]
}

#[test]
fn the_sample_reads_the_same_however_it_is_written() {
    let mut expected = sample();
    // Something that the encodings differ in.
    expected.stations[3].model = Some("Säule é".to_owned());
    expected.boards[2].limit_a = PerPhase::Each([100.0, 80.5, 63.0]);
    for language in LANGUAGES {
        for (delimiter, tabs) in
            [(Delimiter::Semicolon, false), (Delimiter::Comma, false), (Delimiter::Semicolon, true)]
        {
            let (boards, stations) = csv(&expected, language, delimiter);
            let tabbed = |text: String| if tabs { text.replace(';', "\t") } else { text };
            let (boards, stations) = (tabbed(boards), tabbed(stations));
            for ((name, boards), (_, stations)) in encodings(&boards).into_iter().zip(encodings(&stations)) {
                let found = site(&read(&[source("b.csv", boards), source("s.csv", stations)]));
                assert_eq!(found, expected, "{language:?} {delimiter:?} {name}");
            }
            let one = format!("Boards\n{boards}\nStations\n{stations}");
            assert_eq!(site(&read(&[source("both.csv", one)])), expected, "one below the other");
        }
        let workbook = xlsx(&expected, language).unwrap();
        assert_eq!(site(&read(&[source("site.xlsx", workbook)])), expected, "{language:?} workbook");
    }
}

#[test]
fn headers_are_recognised_however_they_are_spelled() {
    let boards = [
        "Naam;Limiet (A);Aansluitpunt",
        "NAAM;LIMIET;AANSLUITPUNT",
        "Verdeler;Zekering [A];Gevoed vanuit",
        "Name;Limit (A);Connection point",
        "Board;Fuse rating (A);Fed from",
        "Board name;Main breaker A;Parent",
        "Bezeichnung;Grenzwert (A);Anschlusspunkt",
        "Verteiler;Absicherung in A;Übergeordneter Verteiler",
        "Unterverteilung;Nennstrom;Eingespeist von",
        "Kast;Max. stroom;Bovenliggende kast",
        "ID;Hauptsicherung;Uebergeordnet",
        "Naam verdeler;Hoofdzekering;Voeding",
    ];
    for header in boards {
        let table = BOARDS.replacen("Naam;Limiet (A);Aansluitpunt", header, 1);
        let found = site(&read(&[source("b.csv", table), source("s.csv", STATIONS)]));
        assert_eq!(found, sample(), "{header}");
    }
    let stations = [
        "Station ID;Station Model;Serienummer;Faserotatie;Limiet (A);Aansluitpunt",
        "Laadpaal;Type;Serienr.;Fasevolgorde;Max. stroom (A);Verdeler",
        "Charger;Model;Serial no.;Phase rotation;Max current [A];Board",
        "Station ID;Station model;Serial number;Phase sequence;Limit (A);Connection point",
        "Ladepunkt;Modell;Seriennummer;Phasenfolge;Maximaler Strom (A);Verteiler",
        "Wallbox;Typ;SN;Phasenrotation;Strom;Angeschlossen an",
        "Ladestation;Gerätetyp;Serien-Nr.;Drehfeld;Stromgrenze;Unterverteilung",
        "EVSE ID;Model;Serial;Phases;Amps;Panel",
        "Naam;Model;Serienummer;Fase rotatie;Limiet;Groepenkast",
    ];
    for header in stations {
        let table =
            STATIONS.replacen("Station ID;Station Model;Serienummer;Faserotatie;Limiet (A);Aansluitpunt", header, 1);
        let found = site(&read(&[source("b.csv", BOARDS), source("s.csv", table)]));
        assert_eq!(found, sample(), "{header}");
    }
}

#[test]
fn the_grid_is_no_board_and_values_carry_their_unit() {
    for grid in
        ["-", "–", "net", "Netz", "GRID", "EAN 871687110001234567", "871687110001234567", "n.v.t.", "Netaansluiting"]
    {
        let boards = BOARDS.replacen("HV;200;", &format!("HV;3x200A;{grid}"), 1).replace("UV1;125;", "UV1;125 A;");
        let stations =
            STATIONS.replace(";RST;32;", ";L1-L2-L3;3 x 32 A;").replace(";STR;", ";s-t-r;").replace(";TRS;", ";3,1,2;");
        let found = site(&read(&[source("b.csv", boards), source("s.csv", stations)]));
        assert_eq!(found, sample(), "{grid}");
    }
}

#[test]
fn rotations_are_read_as_people_write_them() {
    let read = |text: &str| Rotation::parse(text).map(|rotation| rotation.to_string());
    for (texts, wanted) in [
        (
            vec![
                "RST",
                "rst",
                "R-S-T",
                "r s t",
                "L1L2L3",
                "L1-L2-L3",
                "L1, L2, L3",
                "l1/l2/l3",
                "123",
                "1-2-3",
                "1.RST",
                "0.RST, 1.RST",
                "R/S/T",
            ],
            "RST",
        ),
        (vec!["STR", "L2L3L1", "231"], "STR"),
        (vec!["Rxx", "R", "L1", "r--", "RXX"], "Rxx"),
        (vec!["L2", "S", "Sxx"], "Sxx"),
        (vec!["RS", "RSx", "L1L2", "L1 - L2"], "RSx"),
    ] {
        for text in texts {
            assert_eq!(read(text).as_deref(), Ok(wanted), "{text}");
        }
    }
    for text in [
        "",
        "-",
        "Unknown",
        "NotApplicable",
        "onbekend",
        "RRT",
        "xRx",
        "xxx",
        "RSTR",
        "3",
        "1",
        "12",
        "ABC",
        "1.RST,2.STR",
        "4",
        "RS?T4",
        "L1L2L4",
        "…",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

/// A site of some boards and stations, as tables hold it.
fn sites() -> impl Strategy<Value = Site> {
    let name = "[A-Za-z][A-Za-z0-9 .,;\"'äé-]{0,12}[A-Za-z0-9]";
    let amperes = prop_oneof![(6_u32..2000).prop_map(f64::from), (60_u32..90_000).prop_map(|a| f64::from(a) / 8.0)];
    let limit = prop_oneof![
        amperes.clone().prop_map(PerPhase::Same),
        [amperes.clone(), amperes.clone(), amperes.clone()].prop_map(|mut limits| {
            limits[0] += 1000.0;
            PerPhase::Each(limits)
        }),
    ];
    let rotation = prop_oneof![
        prop::sample::select(THREE_PHASE.to_vec()),
        prop::sample::select(vec!["Rxx", "Sxx", "Txx", "RSx", "TSx"]),
    ];
    let board = (name, limit, any::<prop::sample::Index>(), prop::option::of(1_u32..99));
    let station =
        (name, rotation, amperes, any::<prop::sample::Index>(), prop::option::of(name), prop::option::of(name));
    (prop::collection::vec(board, 1..8), prop::collection::vec(station, 1..12)).prop_map(|(boards, stations)| {
        let mut made: Vec<Board> = Vec::new();
        for (k, (name, limit_a, parent, imbalance)) in boards.into_iter().enumerate() {
            let parent = (k > 0).then(|| made[parent.index(k)].id.clone());
            let id = squeezed(&format!("B{k} {name}"));
            let imbalance_limit_a = imbalance.map(f64::from);
            made.push(Board { imbalance_limit_a, ..Board::new(id, parent, limit_a) });
        }
        let stations =
            stations.into_iter().enumerate().map(|(k, (name, rotation, max_a, board, model, serial))| Station {
                model: model.map(|model| squeezed(&model)),
                serial: serial.map(|serial| squeezed(&serial)),
                rotation: Some(rotation.to_owned()),
                ..Station::new(squeezed(&format!("S{k} {name}")), made[board.index(made.len())].id.clone(), max_a)
            });
        let stations = stations.collect();
        Site::new("Test".to_owned(), "Europe/Amsterdam".to_owned(), made, stations)
    })
}

/// Tables keep single spaces.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn tables_of_a_site_give_the_site_back(expected in sites(), comma: bool, language in 0_usize..3) {
        let delimiter = if comma { Delimiter::Comma } else { Delimiter::Semicolon };
        let (boards, stations) = csv(&expected, LANGUAGES[language], delimiter);
        prop_assert_eq!(&site(&read(&[source("b.csv", boards), source("s.csv", stations)])), &expected);
        let workbook = xlsx(&expected, LANGUAGES[language]).unwrap();
        prop_assert_eq!(&site(&read(&[source("site.xlsx", workbook)])), &expected);
    }

    #[test]
    fn site_files_give_the_site_back(expected in sites()) {
        let text = file::write(&expected).unwrap();
        prop_assert_eq!(file::parse(text.as_bytes()).unwrap().site, expected);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        tables::read(&[source("x.csv", bytes.clone())]);
        tables::read(&[source("x.xlsx", [b"PK\x03\x04".as_slice(), &bytes].concat())]);
        let _ = file::parse(&bytes);
    }

    #[test]
    fn no_damage_to_a_workbook_makes_the_reader_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut workbook = xlsx(&sample(), Language::Dutch).unwrap();
        let at = at.index(workbook.len());
        workbook[at] = byte;
        tables::read(&[source("x.xlsx", workbook.clone())]);
        workbook.truncate(cut.index(workbook.len()));
        tables::read(&[source("x.xlsx", workbook)]);
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in "[-=\\[\\]{}\",;.a-z0-9 \n\t#]{0,300}", cell in "\\PC{0,20}") {
        let _ = file::parse(text.as_bytes());
        tables::read(&[source("x.csv", text)]);
        let _ = Rotation::parse(&cell);
        let table = BOARDS.replacen("125", &cell, 1).replacen("UV3", &cell, 1);
        tables::read(&[source("x.csv", table)]);
    }
}
