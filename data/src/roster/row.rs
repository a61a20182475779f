//! The rows of a roster: every cell read, or a fault.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::columns::{Columns, Field, canonical};
use super::{Charge, Entry, Facts, When, first_day};
use crate::local::{self, Reading, Stamp, TimeOfDay, Weekdays};
use crate::refusal::{Fault, Faults, Refusal, number as shown, quoted};
use crate::text::{self, Row, Table, place};

/// Longest stay of a template in days.
const MOST_DAYS: u32 = 6;

/// What to do where a departure or a need is missing, besides giving it.
const OR_FORECAST: &str = "or have it forecast with --forecast --session-history";

/// All rows of a table; where they may be `open`, departure and need may be missing.
pub(super) fn entries(table: &Table, columns: &Columns, zone: Tz, open: bool) -> Result<Vec<Entry>, Refusal> {
    let mut faults = Faults::default();
    if table.rows.is_empty() {
        let remedy = "give a row for each vehicle";
        faults.add(Fault::of_table("the table", "", "has a header and nothing below it", remedy));
    }
    let mut entries = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut cells = Cells { table, columns, row, zone, open, faults: &mut faults };
        entries.extend(cells.entry());
    }
    faults.or(entries)
}

/// The cells of one row.
struct Cells<'a> {
    table: &'a Table,
    columns: &'a Columns,
    row: &'a Row,
    zone: Tz,
    open: bool,
    faults: &'a mut Faults,
}

impl Cells<'_> {
    fn entry(&mut self) -> Option<Entry> {
        let vehicle = self.name(Field::Vehicle, "name the vehicle; a number or a nickname will do");
        let station = self.name(Field::Station, "name the station as the site file does");
        let when = self.when();
        let soc = self.charge([Field::Soc, Field::SocPercent, Field::SocKwh]);
        let target = self.charge([Field::Target, Field::TargetPercent, Field::TargetKwh]);
        let need_kwh = self.number(Field::NeedKwh, 0.0, 1e4, "give the energy to be added in kWh, 0 or more");
        if !self.open && self.all_empty(&[Field::Soc, Field::SocPercent, Field::SocKwh, Field::NeedKwh]) {
            let wrong = "says neither how full the vehicle arrives nor how much it needs";
            let remedy = format!("give soc or need_kwh, {OR_FORECAST}");
            self.faults.add(Fault::of_table(format!("row {}", self.row.line), "", wrong, remedy));
        }
        let vehicle_facts = Facts {
            group: self.text(Field::Group).map(str::to_owned),
            phases: self.phases(),
            min_a: self.number(Field::MinA, 0.0, 1e3, "give the lowest charging current in amperes, usually 6"),
            max_a: self.number(Field::MaxA, 0.5, 1e3, "give the highest charging current in amperes"),
            efficiency: self.efficiency(),
            capacity_kwh: self.number(Field::CapacityKwh, 0.1, 1e4, "give the battery's capacity in kWh"),
        };
        Some(Entry {
            row: self.row.line,
            vehicle: vehicle?,
            station: station?,
            when: when?,
            soc,
            target,
            need_kwh,
            vehicle_facts,
        })
    }

    /// A cell that is not empty.
    fn text(&self, field: Field) -> Option<&str> {
        self.columns.get(field).map(|column| self.row.cell(column)).filter(|cell| !cell.is_empty())
    }

    fn all_empty(&self, fields: &[Field]) -> bool {
        fields.iter().all(|&field| self.text(field).is_none())
    }

    fn fault(&mut self, field: Field, wrong: &str, remedy: &str) {
        let header = self.columns.get(field).map(|column| self.table.header[column].clone());
        let place = place(self.row.line, &header.unwrap_or_else(|| canonical(field)));
        let value = self.text(field).unwrap_or_default().to_owned();
        self.faults.add(Fault::of_table(place, &value, wrong, remedy));
    }

    fn name(&mut self, field: Field, remedy: &str) -> Option<String> {
        let name = self.text(field).map(str::to_owned);
        if name.is_none() {
            self.fault(field, "is empty", remedy);
        }
        name
    }

    fn number(&mut self, field: Field, least: f64, most: f64, remedy: &str) -> Option<f64> {
        match text::number(self.text(field)?, self.table.decimal_comma) {
            Ok(value) if (least..=most).contains(&value) => Some(value),
            Ok(_) => {
                self.fault(field, &format!("is not from {} to {}", shown(least), shown(most)), remedy);
                None
            }
            Err(no) => {
                self.fault(field, no.wrong, no.remedy);
                None
            }
        }
    }

    fn phases(&mut self) -> Option<u8> {
        match self.text(Field::Phases)? {
            "1" => Some(1),
            "2" => Some(2),
            "3" => Some(3),
            _ => {
                self.fault(Field::Phases, "is not 1, 2 or 3", "give how many phases the vehicle charges on");
                None
            }
        }
    }

    /// A fraction, or percent with its sign.
    fn efficiency(&mut self) -> Option<f64> {
        let cell = self.text(Field::Efficiency)?;
        let (digits, factor) = cell.strip_suffix('%').map_or((cell, 1.0), |digits| (digits, 0.01));
        match text::number(digits, self.table.decimal_comma).map(|value| value * factor) {
            Ok(value) if (0.01..=1.0).contains(&value) => Some(value),
            _ => {
                self.fault(Field::Efficiency, "is no efficiency", "give a fraction such as 0.9, or 90 %");
                None
            }
        }
    }

    /// An amount of energy: in the column without unit, with its unit in the cell; in the others as their name says.
    fn charge(&mut self, [open, percent, kwh]: [Field; 3]) -> Option<Charge> {
        let given: Vec<Field> = [open, percent, kwh].into_iter().filter(|&f| self.text(f).is_some()).collect();
        if let [_, second, ..] = given[..] {
            self.fault(second, "is a second statement of the same", "give percent or kWh, not both");
            return None;
        }
        let field = *given.first()?;
        let cell = self.text(field)?.to_lowercase();
        let (digits, in_percent) = if let Some(digits) = cell.strip_suffix('%') {
            (digits, true)
        } else if let Some(digits) = cell.strip_suffix("kwh") {
            (digits, false)
        } else if field == open {
            self.fault(
                field,
                "says neither % nor kWh",
                "write 35 % or 20 kWh, or call the column soc_percent or soc_kwh",
            );
            return None;
        } else {
            (cell.as_str(), field == percent)
        };
        if (field == kwh && in_percent) || (field == percent && !in_percent) {
            self.fault(field, "is not in the unit of its column", "give the unit that the column's name says");
            return None;
        }
        let value = match text::number(digits, self.table.decimal_comma) {
            Ok(value) => value,
            Err(no) => {
                self.fault(field, no.wrong, no.remedy);
                return None;
            }
        };
        if !in_percent {
            if (0.0..=1e4).contains(&value) {
                return Some(Charge::Kwh(value));
            }
            self.fault(field, "is not from 0 to 10000", "give the energy in the battery in kWh");
            return None;
        }
        if value > 0.0 && value <= 1.0 {
            let remedy =
                format!("write {} %; a spreadsheet may have turned percent into a fraction", shown(value * 100.0));
            self.fault(field, "is at most one percent", &remedy);
            return None;
        }
        if (0.0..=100.0).contains(&value) {
            return Some(Charge::Percent(value));
        }
        self.fault(field, "is not from 0 to 100 %", "give percent of the battery's capacity");
        None
    }

    fn when(&mut self) -> Option<When> {
        let (arrival, departure) = (self.text(Field::Arrival).is_some(), self.text(Field::Departure).is_some());
        let remedy = "give a time of day (with days) or a date and time";
        if !arrival {
            self.fault(Field::Arrival, "is empty", remedy);
        }
        if !departure && !self.open {
            self.fault(Field::Departure, "is empty", &format!("{remedy}, {OR_FORECAST}"));
        }
        if !(arrival && (departure || self.open)) {
            return None;
        }
        if TimeOfDay::parse(self.text(Field::Arrival)?).is_some() { self.weekly() } else { self.once() }
    }

    fn weekly(&mut self) -> Option<When> {
        let arrival = TimeOfDay::parse(self.text(Field::Arrival)?)?;
        let Some(text) = self.text(Field::Days) else {
            let remedy = "give days such as mon-fri in the column days, or a date with the time";
            self.fault(Field::Arrival, "is a time of day without a day", remedy);
            return None;
        };
        let Some(days) = Weekdays::parse(text) else {
            self.fault(Field::Days, "is no day of the week", "write days such as mon-fri, ma-vr, Mo-Fr or daily");
            return None;
        };
        let Some(text) = self.text(Field::Departure).map(str::to_owned) else {
            return Some(When::Weekly { days, arrival, departure: None, plus_days: 0 });
        };
        let (time, later) = later(&text);
        let Some(departure) = TimeOfDay::parse(time) else {
            let remedy = "write HH:MM, with +1 or +2 behind it for a later day";
            self.fault(Field::Departure, "is no time of day, as the arrival is", remedy);
            return None;
        };
        let plus_days = match later {
            Later::Unsaid => u32::from(departure <= arrival),
            Later::Days(0) if departure <= arrival => {
                self.fault(Field::Departure, "is not after the arrival", "write +1 behind it for the next day");
                return None;
            }
            Later::Days(days) if days <= MOST_DAYS => days,
            _ => {
                let remedy = "write +1 to +6; a longer stay needs a row with dates";
                self.fault(Field::Departure, "is not within a week of the arrival", remedy);
                return None;
            }
        };
        Some(When::Weekly { days, arrival, departure: Some(departure), plus_days })
    }

    fn once(&mut self) -> Option<When> {
        if self.text(Field::Days).is_some() {
            if local::stamp(self.text(Field::Arrival)?).is_none() {
                self.fault(Field::Arrival, "is no time of day", "write HH:MM, from 00:00 to 24:00");
                return None;
            }
            let remedy = "leave the days empty where arrival has a date, or give a time of day alone";
            self.fault(Field::Days, "stands beside a date of arrival", remedy);
            return None;
        }
        let arrival = self.moment(Field::Arrival);
        let Some(text) = self.text(Field::Departure).map(str::to_owned) else {
            return Some(When::Once { arrival: arrival?, departure: None });
        };
        let (time, later) = later(&text);
        let departure = match (TimeOfDay::parse(time), later) {
            (Some(time), Later::Unsaid | Later::Days(0..=MOST_DAYS)) => {
                let arrival = arrival?;
                let day = first_day(self.zone, arrival);
                let days = match later {
                    Later::Days(days) => days,
                    _ => u32::from(time.on(self.zone, day) <= arrival),
                };
                Some(time.on(self.zone, (0..days).fold(day, |day, _| local::next_day(day))))
            }
            _ => self.moment(Field::Departure),
        };
        let (arrival, departure) = (arrival?, departure?);
        if departure <= arrival {
            let wrong = format!("is not after the arrival, {}", quoted(self.text(Field::Arrival).unwrap_or_default()));
            self.fault(Field::Departure, &wrong, "let the vehicle leave after it has come");
            return None;
        }
        Some(When::Once { arrival, departure: Some(departure) })
    }

    /// A date with a time of day. A departure in the hour that the clock repeats is taken in its first run, as is an
    /// arrival; an offset says which is meant.
    fn moment(&mut self, field: Field) -> Option<DateTime<Utc>> {
        let text = self.text(field)?;
        match local::stamp(text) {
            Some(Stamp::Absolute(at)) => Some(at),
            Some(Stamp::Local(wall)) => match local::instant(self.zone, wall) {
                (_, Reading::Skipped) => {
                    let wrong = format!("is a time that the clock skips in {}", self.zone.name());
                    self.fault(field, &wrong, "give the time the clock shows, an hour later");
                    None
                }
                (at, _) => Some(at),
            },
            None => {
                let only_date = local::date(text).is_some();
                let wrong = if only_date { "has no time of day" } else { "is no date and time" };
                self.fault(field, wrong, "write 2026-11-25 17:30, 25-11-2026 17:30, or a time of day with days");
                None
            }
        }
    }
}

/// How many days after the arrival a departure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Later {
    /// It is not said: the next time the clock shows it.
    Unsaid,
    /// So many.
    Days(u32),
    /// What is said is no number.
    Unreadable,
}

/// A time, and the `+N` days behind it.
fn later(text: &str) -> (&str, Later) {
    let Some((time, days)) = text.split_once('+') else { return (text, Later::Unsaid) };
    let digits = days.trim().trim_end_matches(char::is_alphabetic).trim();
    (time.trim(), digits.parse().map_or(Later::Unreadable, Later::Days))
}
