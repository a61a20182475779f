//! What is wrong with a tariff.

use chrono::NaiveDate;

use super::{Bracket, Component, Direction, Price, Tariff, Window, presets};
use crate::local::{self, TimeOfDay, Weekdays};
use crate::refusal::{number, quoted};

/// Highest rate of value added tax that is believed, in percent: Hungary has 27.
const MOST_VAT_PERCENT: f64 = 30.0;

/// Highest price of a kWh that is believed, in EUR.
const MOST_EUR_KWH: f64 = 10.0;

/// Highest price of a kW and month that is believed, in EUR.
const MOST_EUR_KW_MONTH: f64 = 200.0;

/// What is believed that a site uses in a year, in kWh.
const MOST_USED_KWH: f64 = 1e9;

/// One thing wrong with a tariff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TariffFault {
    /// The place within the tariff, such as `components[2].from`.
    pub path: String,
    /// What stands there; empty where nothing does.
    pub value: String,
    /// What is wrong with it, worded to follow the value.
    pub wrong: String,
    /// What to do about it.
    pub remedy: String,
}

/// Everything wrong with a tariff, without regard to any day. Whether a day has a price is [`super::Pricer::in_force`].
pub fn check(tariff: &Tariff) -> Vec<TariffFault> {
    let mut faults = Faults { found: Vec::new() };
    if !(0.0..=MOST_VAT_PERCENT).contains(&tariff.vat_percent) {
        let wrong = format!("is not from 0 to {MOST_VAT_PERCENT}");
        let remedy = match tariff.vat_percent {
            factor if factor > 100.0 => {
                format!("give the tax alone, {}", number(((factor - 100.0) * 1e6).round() / 1e6))
            }
            _ => "give the tax in percent, such as 21".to_owned(),
        };
        faults.add("vat_percent", number(tariff.vat_percent), wrong, remedy);
    } else if tariff.vat_percent > 0.0 && tariff.vat_percent < 1.0 {
        let remedy = format!("give percent, {}", number((tariff.vat_percent * 1e8).round() / 1e6));
        faults.add("vat_percent", number(tariff.vat_percent), "is less than one percent", remedy);
    }
    preset(&mut faults, tariff);
    used(&mut faults, tariff);
    let energy = |component: &Component| !matches!(component.price, Price::Peak { .. });
    if !tariff.parts().any(|component| component.direction == Direction::Import && energy(component)) {
        let remedy = "give the parts of the price of a kWh from the grid, a spot or fixed one at least";
        faults.add("components", String::new(), "hold no price of imported energy", remedy);
    }
    let spans: Vec<Option<Span>> = tariff.components.iter().enumerate().map(|(k, c)| span(&mut faults, k, c)).collect();
    for (k, component) in tariff.components.iter().enumerate() {
        if component.name.trim().is_empty() {
            faults.add(format!("components[{k}].name"), quoted(&component.name), "is empty", "call the part something");
        }
        price(&mut faults, k, component);
    }
    alone(&mut faults, tariff, &spans);
    faults.found
}

/// The preset is there, and the tariff does not say again what it says.
fn preset(faults: &mut Faults, tariff: &Tariff) {
    let Some(id) = &tariff.preset else { return };
    if presets::preset(id).is_none() {
        faults.add("preset", quoted(id), "is no preset", format!("write one of {}", presets::ids().join(", ")));
    }
    let own = [
        ("vat_percent", tariff.vat_percent != 0.0, number(tariff.vat_percent)),
        ("vat_counts", tariff.vat_counts, "true".to_owned()),
    ];
    for (field, _, value) in own.into_iter().filter(|(_, said, _)| *said) {
        let remedy = "leave it out: the preset's VAT counts";
        faults.add(field, value, "stands beside a preset", remedy);
    }
}

/// What was used before is a day and an amount.
fn used(faults: &mut Faults, tariff: &Tariff) {
    let Some(used) = &tariff.used else { return };
    if local::date(&used.until).is_none() {
        faults.add("used.until", quoted(&used.until), "is no date", "write YYYY-MM-DD");
    }
    if !(0.0..=MOST_USED_KWH).contains(&used.kwh) {
        let wrong = format!("is not from 0 to {MOST_USED_KWH} kWh");
        faults.add("used.kwh", number(used.kwh), wrong, "give what the supplier has counted since 1 January, in kWh");
    }
}

/// The local days on which a component is in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    from: NaiveDate,
    until: NaiveDate,
}

impl Span {
    /// The span of a component; `None` where a date is no date.
    pub(super) fn of(component: &Component) -> Option<Self> {
        let read = |text: &Option<String>, absent| text.as_deref().map_or(Some(absent), local::date);
        Some(Span { from: read(&component.from, NaiveDate::MIN)?, until: read(&component.until, NaiveDate::MAX)? })
    }

    pub(super) fn holds(self, day: NaiveDate) -> bool {
        self.from <= day && day < self.until
    }
}

#[derive(Debug)]
struct Faults {
    found: Vec<TariffFault>,
}

impl Faults {
    fn add(&mut self, path: impl Into<String>, value: String, wrong: impl Into<String>, remedy: impl Into<String>) {
        self.found.push(TariffFault { path: path.into(), value, wrong: wrong.into(), remedy: remedy.into() });
    }

    /// A price of a size that makes sense.
    fn sane(&mut self, path: String, value: f64, most: f64, unit: &str) {
        if value.is_nan() || value.abs() > most {
            let wrong = format!("is more than any price in {unit}");
            self.add(path, number(value), wrong, format!("give {unit}, not ct or EUR/MWh"));
        }
    }
}

fn span(faults: &mut Faults, k: usize, component: &Component) -> Option<Span> {
    for (field, text) in [("from", &component.from), ("until", &component.until)] {
        if let Some(text) = text.as_deref().filter(|text| local::date(text).is_none()) {
            faults.add(format!("components[{k}].{field}"), quoted(text), "is no date", "write YYYY-MM-DD");
        }
    }
    let span = Span::of(component)?;
    if span.from >= span.until {
        let until = component.until.clone().unwrap_or_default();
        let wrong = format!("is not before until, {}", quoted(&until));
        let remedy = "let it be in force a day at least: until is the first day on which it is not";
        faults.add(
            format!("components[{k}].from"),
            quoted(component.from.as_deref().unwrap_or_default()),
            wrong,
            remedy,
        );
        return None;
    }
    Some(span)
}

fn price(faults: &mut Faults, k: usize, component: &Component) {
    let path = format!("components[{k}].price");
    match &component.price {
        Price::Spot { factor } => {
            if !(-5.0..=5.0).contains(factor) {
                let remedy = "give 1 for the price as it is, 1.02 for two percent more";
                faults.add(format!("{path}.factor"), number(*factor), "is no factor from -5 to 5", remedy);
            }
        }
        Price::Fixed { eur_kwh } => faults.sane(format!("{path}.eur_kwh"), *eur_kwh, MOST_EUR_KWH, "EUR/kWh"),
        Price::Brackets { brackets } => bracket_faults(faults, &path, brackets),
        Price::TimeOfUse { eur_kwh, windows } => {
            faults.sane(format!("{path}.eur_kwh"), *eur_kwh, MOST_EUR_KWH, "EUR/kWh");
            for (w, window) in windows.iter().enumerate() {
                window_faults(faults, &format!("{path}.windows[{w}]"), window);
            }
        }
        Price::Peak { eur_kw_month } => {
            faults.sane(format!("{path}.eur_kw_month"), *eur_kw_month, MOST_EUR_KW_MONTH, "EUR/kW and month");
            if *eur_kw_month < 0.0 {
                let remedy = "give 0 or more, or leave the component out";
                faults.add(format!("{path}.eur_kw_month"), number(*eur_kw_month), "is negative", remedy);
            }
            if component.direction == Direction::Export {
                let remedy = "leave direction out: a peak is one of import";
                faults.add(format!("components[{k}].direction"), quoted("export"), "has no peak price", remedy);
            }
        }
    }
}

fn bracket_faults(faults: &mut Faults, path: &str, brackets: &[Bracket]) {
    let Some(first) = brackets.first() else {
        faults.add(format!("{path}.brackets"), "[]".to_owned(), "is empty", "give a bracket from 0 kWh on");
        return;
    };
    if first.above_kwh != 0.0 {
        let remedy = "let the first bracket begin at 0";
        faults.add(format!("{path}.brackets[0].above_kwh"), number(first.above_kwh), "is not 0", remedy);
    }
    for (b, pair) in brackets.windows(2).enumerate() {
        if pair[0].above_kwh.partial_cmp(&pair[1].above_kwh) != Some(std::cmp::Ordering::Less) {
            let wrong = format!("is not above the bracket before it, {}", number(pair[0].above_kwh));
            let at = format!("{path}.brackets[{}].above_kwh", b + 1);
            faults.add(at, number(pair[1].above_kwh), wrong, "give brackets in ascending order");
        }
    }
    for (b, bracket) in brackets.iter().enumerate() {
        faults.sane(format!("{path}.brackets[{b}].eur_kwh"), bracket.eur_kwh, MOST_EUR_KWH, "EUR/kWh");
    }
}

fn window_faults(faults: &mut Faults, path: &str, window: &Window) {
    faults.sane(format!("{path}.eur_kwh"), window.eur_kwh, MOST_EUR_KWH, "EUR/kWh");
    if let Some(days) = window.days.as_deref().filter(|days| Weekdays::parse(days).is_none()) {
        let remedy = "write days such as mon-fri or sat,sun, or leave it out for every day";
        faults.add(format!("{path}.days"), quoted(days), "is no day of the week", remedy);
    }
    let ends = [("from", &window.from), ("until", &window.until)].map(|(field, text)| {
        let time = TimeOfDay::parse(text);
        if time.is_none() {
            faults.add(format!("{path}.{field}"), quoted(text), "is no time of day", "write HH:MM, up to 24:00");
        }
        time
    });
    if let [Some(from), Some(until)] = ends
        && from == until
    {
        let wrong = "is the end as well: the window is empty";
        faults.add(format!("{path}.from"), quoted(&window.from), wrong, "write 00:00 to 24:00 for the whole day");
    }
}

/// Of some kinds, one alone may be in force on a day: a spot price of each direction, a peak price.
fn alone(faults: &mut Faults, tariff: &Tariff, spans: &[Option<Span>]) {
    for (k, one) in tariff.components.iter().enumerate() {
        let kind = match one.price {
            Price::Spot { .. } => "spot price",
            Price::Peak { .. } => "peak price",
            _ => continue,
        };
        let alike = |other: &Component| {
            std::mem::discriminant(&other.price) == std::mem::discriminant(&one.price)
                && other.direction == one.direction
        };
        let Some(span) = spans[k] else { continue };
        let overlaps = |other: Span| span.from < other.until && other.from < span.until;
        let preset = tariff.begins_with().into_iter().flat_map(|preset| &preset.components);
        if let Some(of_preset) = preset.into_iter().find(|of| alike(of) && Span::of(of).is_some_and(overlaps)) {
            let wrong =
                format!("is a {kind}, and the preset has another on the same days, {}", quoted(&of_preset.name));
            let remedy = "leave it out, or give all components without a preset";
            faults.add(format!("components[{k}]"), quoted(&one.name), wrong, remedy);
        }
        let earlier = tariff.components[..k].iter().zip(spans).position(|(c, s)| alike(c) && s.is_some_and(overlaps));
        if let Some(earlier) = earlier {
            let wrong = format!(
                "is a {kind}, and components[{earlier}] ({}) is another on the same days",
                quoted(&tariff.components[earlier].name)
            );
            let remedy = "leave one of them out, or let it end (until) where the other begins (from)";
            faults.add(format!("components[{k}]"), quoted(&one.name), wrong, remedy);
        }
    }
}
