//! What nobody should send. Every parser gets all of it, answers in time, and takes none of it for values.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use kwartier_data::feeds::{Answer, MAX_BYTES, NoValues, Span};

use crate::make::{PARSERS, day};

/// A generous bound for the slowest of these on a busy machine; none takes a second by itself.
const PATIENCE: Duration = Duration::from_secs(20);

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn asked() -> Span {
    day("2026-06-01")
}

/// Gives a body to all parsers; each has to find it broken, and say so with the words.
fn all_broken(name: &str, body: &[u8], words: &str) {
    for parser in &PARSERS {
        let begin = Instant::now();
        let said = (parser.parse)(&Answer::ok(body), asked());
        assert!(begin.elapsed() < PATIENCE, "{name}: {} took {:?}", parser.name, begin.elapsed());
        match said {
            Err(NoValues::Broken(refusal)) => {
                let text = refusal.to_string();
                assert!(text.contains(words), "{name}: {}: {text}", parser.name);
                assert!(text.len() < 4000, "{name}: {}: {} bytes", parser.name, text.len());
            }
            other => panic!("{name}: {}: {other:?}", parser.name),
        }
    }
}

#[test]
fn pages_with_status_200() {
    let page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please wait ...</body></html>";
    all_broken("page", page.as_bytes(), "");
    all_broken("page without a type", b"  <html><body>Gateway</body></html>", "is a web page");
    all_broken("packed page", &packed(b"<html><body>Gateway</body></html>"), "is a web page");
    all_broken("words", b"Service temporarily unavailable", "");
}

#[test]
fn nothing_and_statuses() {
    for parser in &PARSERS {
        let with = |status: u16, body: &'static [u8]| (parser.parse)(&Answer { status, body }, asked());
        let name = parser.name;
        for body in [b"".as_slice(), b" \r\n "] {
            assert!(matches!(with(200, body), Err(NoValues::NotYet(_))), "{name}");
        }
        assert!(matches!(with(204, b""), Err(NoValues::NotYet(_))), "{name}");
        for status in [401, 403] {
            assert!(matches!(with(status, b"no"), Err(NoValues::Refused(_))), "{name} {status}");
        }
        for status in [429, 500, 502, 503, 504] {
            assert!(matches!(with(status, b"<html>busy</html>"), Err(NoValues::Later { .. })), "{name} {status}");
        }
        for status in [301, 400, 418, 42] {
            assert!(matches!(with(status, b"?"), Err(NoValues::Broken(_))), "{name} {status}");
        }
        // The one feed where it means that the request is wrong says so.
        let missing = with(404, b"no");
        assert_eq!(matches!(missing, Err(NoValues::NotYet(_))), name != "octopus", "{name}");
    }
}

#[test]
fn sizes() {
    all_broken("gigabytes", &vec![b'['; MAX_BYTES + 1], "is larger than 8 MiB");
    let bomb = packed(&vec![b'['; 64 << 20]);
    assert!(bomb.len() < 100_000);
    all_broken("bomb", &bomb, "is larger than 8 MiB");
    all_broken("bomb in pieces", &bomb.repeat(3), "is larger than 8 MiB");
    let cut = packed(br#"{"data":[]}"#);
    all_broken("cut", &cut[..cut.len() - 6], "cannot be unpacked");
    all_broken("not packed at all", b"\x1f\x8b\x08 this is no gzip", "cannot be unpacked");
}

#[test]
fn packed_answers_are_read() {
    let plain = "entsoe energy_charts awattar octopus open_meteo solcast";
    for parser in PARSERS.iter().filter(|parser| plain.split(' ').any(|name| name == parser.name)) {
        let body = (parser.sample)(asked());
        let read = (parser.parse)(&Answer::ok(body.as_bytes()), asked()).unwrap();
        assert_eq!((parser.parse)(&Answer::ok(&packed(body.as_bytes())), asked()), Ok(read), "{}", parser.name);
    }
}

#[test]
fn depth() {
    let million = 1_000_000;
    all_broken("brackets", "[".repeat(million).as_bytes(), "");
    all_broken("braces", "{\"a\":".repeat(million).as_bytes(), "");
    all_broken("brackets where data belong", format!("{{\"data\":{}", "[".repeat(million)).as_bytes(), "");
    all_broken("tags", "<a>".repeat(million).as_bytes(), "");
    all_broken("closed tags", format!("{}{}", "<a>".repeat(million), "</a>".repeat(million)).as_bytes(), "");
    all_broken("flat tags", format!("<a>{}</a>", "<b/>".repeat(million)).as_bytes(), "");
    all_broken("one tag of many attributes", format!("<a {}/>", "b='' ".repeat(million)).as_bytes(), "");
}

#[test]
fn entities() {
    let mut bomb = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY a0 \"ha\">");
    for k in 1..30 {
        let _ = write!(bomb, "<!ENTITY a{k} \"&a{};&a{};\">", k - 1, k - 1);
    }
    bomb += "]>\n<Publication_MarketDocument>&a29;</Publication_MarketDocument>";
    all_broken("entities", bomb.as_bytes(), "");
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
    all_broken("outside entity", outside.as_bytes(), "");
    let entsoe = &PARSERS[0];
    for body in [bomb.as_str(), outside] {
        let said = (entsoe.parse)(&Answer::ok(body.as_bytes()), asked()).unwrap_err().to_string();
        assert!(said.contains("holds a document type, which no feed sends"), "{said}");
    }
}

#[test]
fn encodings_and_other_files() {
    all_broken("no UTF-8", b"{\"data\": \"\xff\xfe\xfa\"}", "");
    all_broken("no UTF-8 in XML", b"<a>\xff\xfe\xfa</a>", "");
    all_broken("zeros", &[0; 1000], "");
    let utf16: Vec<u8> = "\u{feff}{\"data\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    all_broken("UTF-16", &utf16, "");
    all_broken("ZIP", b"PK\x03\x04 and so on", "");
    all_broken("Parquet", b"PAR1 and so on", "");
}

#[test]
fn json_that_is_nothing() {
    for body in ["null", "true", "12", "\"text\"", "[]", "[[]]", "{}", "{\"data\": 7}", "{\"a\":1}{\"b\":2}", "nul"] {
        all_broken(body, body.as_bytes(), "");
    }
}

/// Where a parser looks for numbers, what JSON calls no number and what is larger than any number.
#[test]
fn numbers() {
    for parser in PARSERS.iter().filter(|parser| parser.name != "entsoe") {
        let body = (parser.sample)(asked());
        for (from, to) in
            [("101.0", "NaN"), ("101.0", "1e999"), ("101.0", "-Infinity"), ("101.0", "{}"), ("101.0", "[1]")]
        {
            let damaged = body.replacen(from, to, 1);
            if damaged != body {
                let said = (parser.parse)(&Answer::ok(damaged.as_bytes()), asked());
                assert!(matches!(said, Err(NoValues::Broken(_))), "{} {to}: {said:?}", parser.name);
            }
        }
    }
}

#[test]
fn cut_at_any_byte_is_broken_and_never_half_a_day() {
    for parser in &PARSERS {
        let body = (parser.sample)(asked());
        let step = (body.len() / 97).max(1);
        for length in (1..body.len()).step_by(step) {
            let said = (parser.parse)(&Answer::ok(&body.as_bytes()[..length]), asked());
            assert!(matches!(said, Err(NoValues::Broken(_))), "{} cut at {length}: {said:?}", parser.name);
        }
    }
}
