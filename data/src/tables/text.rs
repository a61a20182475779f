//! Bytes to text: the encodings that spreadsheets export, and what is no table at all.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The text, with `\n` at the end of each line.
///
/// # Errors
///
/// What the bytes are instead, and the remedy.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, (&'static str, &'static str)> {
    const AS_CSV: &str = "save the table as .xlsx or .csv";
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    if bytes.trim_ascii().is_empty() {
        return Err(("the file is empty", "check that the export has finished"));
    }
    if starts(b"%PDF") {
        return Err(("the file is a PDF", "ask for the table itself as .xlsx or .csv"));
    }
    if starts(b"\x1f\x8b") || starts(b"7z\xbc\xaf") || starts(b"Rar!") {
        return Err(("the file is compressed", "unpack it first"));
    }
    if starts(b"\xd0\xcf\x11\xe0") {
        return Err((
            "the file is an old workbook (.xls) or one with a password",
            "save it as .xlsx without a password",
        ));
    }
    let text = in_utf_16(bytes).unwrap_or_else(|| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    });
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\u{b}' | '\u{c}' | '\u{80}'..='\u{9f}')) {
        return Err(("the file is no text and no workbook", AS_CSV));
    }
    let head = text.trim_start();
    if head.starts_with('<') {
        let page = head.get(..2000).unwrap_or(head).to_ascii_lowercase().contains("html");
        return Err(if page {
            (
                "the file is a web page, perhaps an error message instead of the table",
                "open it to see what it says, and fetch the table again",
            )
        } else {
            ("the file is XML", AS_CSV)
        });
    }
    if head.starts_with('{') || head.starts_with("[{") {
        return Err(("the file is JSON", AS_CSV));
    }
    if head.is_empty() {
        return Err(("the file is empty", "check that the export has finished"));
    }
    Ok(text)
}

/// The text, if the bytes are UTF-16, with or without the mark that says so.
fn in_utf_16(bytes: &[u8]) -> Option<String> {
    /// How many bytes show which half of each pair is zero.
    const LOOKED_AT: usize = 200;
    let (encoding, mark) = if bytes.starts_with(b"\xff\xfe") {
        (UTF_16LE, 2)
    } else if bytes.starts_with(b"\xfe\xff") {
        (UTF_16BE, 2)
    } else {
        let head = &bytes[..bytes.len().min(LOOKED_AT)];
        let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
        // Headers and numbers are nearly all ASCII: one half of nearly every pair is zero.
        let most = head.len() * 2 / 5;
        match (zeros(1), zeros(0)) {
            (little, 0) if little > most => (UTF_16LE, 0),
            (0, big) if big > most => (UTF_16BE, 0),
            _ => return None,
        }
    };
    Some(encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned())
}
