//! How large a ZIP file is when unpacked, and whether it is whole, found out by unpacking it into nothing: what its directory
//! says of the size may be a lie, and readers of workbooks stumble over damage.

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// Why a ZIP file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It holds more than allowed.
    TooLarge,
    /// Its directory leads nowhere, or it is locked.
    Damaged,
}

/// Most entries of a workbook. A workbook has a dozen, and a few for each sheet.
const MAX_ENTRIES: usize = 2000;

/// What the parts of a ZIP file begin with.
const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// The names of the entries, if all of them together unpack to at most `most` bytes.
pub(super) fn entries(bytes: &[u8], most: u64) -> Result<Vec<String>, Trouble> {
    let end = bytes.windows(END.len()).rposition(|window| window == END).ok_or(Trouble::Damaged)?;
    let count = number(bytes, end + 10, 2)?;
    let mut at = number(bytes, end + 16, 4)?;
    if count > MAX_ENTRIES {
        return Err(Trouble::TooLarge);
    }
    let mut names = Vec::new();
    let mut left = most;
    for _ in 0..count {
        if slice(bytes, at, 4)? != ENTRY {
            return Err(Trouble::Damaged);
        }
        let (flags, method) = (number(bytes, at + 8, 2)?, number(bytes, at + 10, 2)?);
        let packed = number(bytes, at + 20, 4)?;
        let (name, extra, comment) =
            (number(bytes, at + 28, 2)?, number(bytes, at + 30, 2)?, number(bytes, at + 32, 2)?);
        names.push(String::from_utf8_lossy(slice(bytes, at + 46, name)?).into_owned());
        let content = content(bytes, number(bytes, at + 42, 4)?)?;
        if flags & 1 == 1 {
            return Err(Trouble::Damaged);
        }
        let (size, sum) = match method {
            0 => measured(content.take(packed as u64), left + 1),
            8 => measured(DeflateDecoder::new(content), left + 1),
            _ => return Err(Trouble::Damaged),
        };
        left = left.checked_sub(size).ok_or(Trouble::TooLarge)?;
        if number(bytes, at + 16, 4)? != sum as usize {
            return Err(Trouble::Damaged);
        }
        at += 46 + name + extra + comment;
    }
    Ok(names)
}

/// What stands behind a local header, to the end of the file.
fn content(bytes: &[u8], at: usize) -> Result<&[u8], Trouble> {
    if slice(bytes, at, 4)? != LOCAL {
        return Err(Trouble::Damaged);
    }
    let from = at + 30 + number(bytes, at + 26, 2)? + number(bytes, at + 28, 2)?;
    bytes.get(from..).ok_or(Trouble::Damaged)
}

/// How many bytes come out, up to `most`, and their checksum.
fn measured(stream: impl Read, most: u64) -> (u64, u32) {
    let mut size = 0;
    let mut crc = Crc::new();
    let mut buffer = [0; 1 << 13];
    let mut stream = stream.take(most);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        size += read as u64;
        crc.update(&buffer[..read]);
    }
    (size, crc.sum())
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], Trouble> {
    at.checked_add(length).and_then(|end| bytes.get(at..end)).ok_or(Trouble::Damaged)
}

/// A little-endian number of up to four bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Result<usize, Trouble> {
    Ok(slice(bytes, at, length)?.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}
