//! Currents as people write them in tables.

/// A current in A, and on how many phases, where that is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Current {
    pub(super) value_a: f64,
    /// The 3 of `3x32A`.
    pub(super) phases: Option<u8>,
}

/// Reads `32`, `32 A`, `3x32A`, `3 x 125`, `32,5`.
///
/// # Errors
///
/// What is wrong, and the remedy.
pub(super) fn current(text: &str) -> Result<Current, (String, String)> {
    let lower = text.to_lowercase().replace(' ', "").replace(['×', '*'], "x").replace('−', "-");
    let (phases, rest) = match lower.split_once('x') {
        Some(("1", rest)) => (Some(1), rest),
        Some(("2", rest)) => (Some(2), rest),
        Some(("3", rest)) => (Some(3), rest),
        Some(_) => return Err(no_current()),
        None => (None, lower.as_str()),
    };
    let (negative, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(end);
    let number = number(digits)?;
    match unit {
        "" | "a" | "amp" | "amps" | "ampere" | "amperes" | "ampère" => {}
        "kw" | "kva" => return Err(power(number)),
        "ma" | "w" | "v" | "%" | "kwh" => {
            return Err((format!("is in {unit}, not in amperes"), "write amperes per phase, such as 32".to_owned()));
        }
        unit if unit.starts_with(['-', '/', '+', '…', ';']) && unit.bytes().any(|b| b.is_ascii_digit()) => {
            return Err((
                "holds more than one number".to_owned(),
                "write one current; one for each phase goes into columns L1, L2, L3".to_owned(),
            ));
        }
        _ => return Err(no_current()),
    }
    Ok(Current { value_a: if negative { -number } else { number }, phases })
}

fn no_current() -> (String, String) {
    ("is no current".to_owned(), "write amperes per phase, such as 32, 32 A or 3x32A".to_owned())
}

fn power(kw: f64) -> (String, String) {
    let remedy = format!(
        "write amperes per phase: {:.1} on three phases, {:.1} on one, at 230 V",
        kw * 1000.0 / 690.0,
        kw * 1000.0 / 230.0
    );
    ("is a power, not a current".to_owned(), remedy)
}

/// A number with a decimal point or comma, and signs between thousands where both kinds stand.
fn number(digits: &str) -> Result<f64, (String, String)> {
    let separators: Vec<(usize, char)> = digits.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect();
    let plain = match separators[..] {
        [] => digits.to_owned(),
        [(at, _)] => {
            let (whole, decimals) = (&digits[..at], &digits[at + 1..]);
            if decimals.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0') {
                let wrong = format!("can be read as {whole}{decimals} and as {whole}.{decimals}");
                return Err((wrong, format!("write {whole}{decimals}, or {whole}.{}", decimals.trim_end_matches('0'))));
            }
            format!("{whole}.{decimals}")
        }
        [.., (at, last)] => {
            let (whole, decimals) = (&digits[..at], &digits[at + 1..]);
            let groups: Vec<&str> = whole.split(|c: char| !c.is_ascii_digit()).collect();
            let grouped = groups.iter().skip(1).all(|group| group.len() == 3);
            if !grouped || whole.contains(last) {
                return Err(no_current());
            }
            format!("{}.{decimals}", groups.concat())
        }
    };
    if !plain.bytes().any(|b| b.is_ascii_digit()) {
        return Err(no_current());
    }
    plain.parse::<f64>().ok().filter(|number| number.is_finite() && *number < 1e9).ok_or_else(no_current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currents_are_read_as_people_write_them() {
        let cases = [
            ("32", 32.0, None),
            ("32 A", 32.0, None),
            ("3x32A", 32.0, Some(3)),
            ("3 x 125", 125.0, Some(3)),
            ("32,5", 32.5, None),
            ("1.250,5", 1250.5, None),
            ("3×63 A", 63.0, Some(3)),
            ("0.125", 0.125, None),
            ("1x16A", 16.0, Some(1)),
            ("-5", -5.0, None),
            ("125 Ampere", 125.0, None),
            ("1.250.000,0", 1_250_000.0, None),
        ];
        for (text, value_a, phases) in cases {
            assert_eq!(current(text), Ok(Current { value_a, phases }), "{text}");
        }
        for text in [
            "", "A", "abc", "22 kW", "16-32", "16/32", "1.250", "4x16", "x", "3x", "1,2,3", "32 V", "1e3", ",",
            "1.25.5",
        ] {
            assert!(current(text).is_err(), "{text}");
        }
    }
}
