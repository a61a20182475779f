//! Numbers as people write them.

/// A number with thousands separators and a true minus sign; nothing is never negative.
pub fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        grouped.push('\u{2212}');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(rest) = rest {
        grouped.push('.');
        grouped.push_str(rest);
    }
    grouped
}

/// An amount of money.
pub fn eur(value: f64) -> String {
    format!("{} EUR", grouped(value, 2))
}

/// A price of energy.
pub fn eur_kwh(value: f64) -> String {
    format!("{} EUR/kWh", grouped(value, 3))
}

/// A fraction as a percentage.
pub fn percent(fraction: f64, decimals: usize) -> String {
    format!("{} %", grouped(100.0 * fraction, decimals))
}

/// A text for a chart: no characters that XML forbids, and no wider than `most` letters.
pub fn label(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    // From here on scripts have letters twice as wide as Latin ones, or may have.
    let width = |c: char| if c >= '\u{1100}' { 2 } else { 1 };
    if text.chars().map(width).sum::<usize>() <= most {
        return text.chars().map(clean).collect();
    }
    let mut wide = 0;
    let fits = |c: &char| {
        wide += width(*c);
        wide < most
    };
    let mut short: String = text.chars().take_while(fits).map(clean).collect();
    short.push('\u{2026}');
    short
}
