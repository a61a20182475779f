//! Public holidays by rule, for any year: days on which most offices, schools and workshops stand still.
//!
//! The rules are those in force since 1990; of years before, the West German ones. Days that only some communities
//! keep (Augsburg's peace festival, Corpus Christi in parts of Saxony and Thuringia) are left out. Easter Sunday and Whit Sunday
//! are in every calendar, though only some laws name them.
//!
//! Sources: Algemene termijnenwet (NL), the holiday acts of the Länder (DE), wet van 4 januari 1974 betreffende de
//! feestdagen (BE).

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Tz;

/// Whose public holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HolidayCalendar {
    /// Nobody's: there are none.
    #[default]
    None,
    /// The Netherlands. Liberation Day, 5 May, is one of them every five years only, as most collective agreements have
    /// it; Good Friday is none, as most people work.
    Netherlands,
    /// Germany: what all Länder share, or what one of them keeps.
    Germany(Option<Land>),
    /// Belgium.
    Belgium,
}

/// A German Land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the codes of ISO 3166-2:DE, with the names beside them in LANDS")]
pub enum Land {
    Bb,
    Be,
    Bw,
    By,
    Hb,
    He,
    Hh,
    Mv,
    Ni,
    Nw,
    Rp,
    Sh,
    Sl,
    Sn,
    St,
    Th,
}

/// The Länder with their ISO codes and names.
const LANDS: [(Land, &str, &str); 16] = [
    (Land::Bb, "BB", "Brandenburg"),
    (Land::Be, "BE", "Berlin"),
    (Land::Bw, "BW", "Baden-Württemberg"),
    (Land::By, "BY", "Bayern"),
    (Land::Hb, "HB", "Bremen"),
    (Land::He, "HE", "Hessen"),
    (Land::Hh, "HH", "Hamburg"),
    (Land::Mv, "MV", "Mecklenburg-Vorpommern"),
    (Land::Ni, "NI", "Niedersachsen"),
    (Land::Nw, "NW", "Nordrhein-Westfalen"),
    (Land::Rp, "RP", "Rheinland-Pfalz"),
    (Land::Sh, "SH", "Schleswig-Holstein"),
    (Land::Sl, "SL", "Saarland"),
    (Land::Sn, "SN", "Sachsen"),
    (Land::St, "ST", "Sachsen-Anhalt"),
    (Land::Th, "TH", "Thüringen"),
];

/// A public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holiday {
    /// The local day.
    pub day: NaiveDate,
    /// Its name in the language of the country.
    pub name: &'static str,
}

impl HolidayCalendar {
    /// The calendar of an ISO code: `NL`, `BE`, `DE`, or `DE-BY` for one Land; `none` for no holidays. Letters' case does
    /// not count.
    ///
    /// # Errors
    ///
    /// What to give instead.
    pub fn parse(code: &str) -> Result<Self, String> {
        let code = code.trim().to_uppercase();
        match code.as_str() {
            "NONE" => return Ok(HolidayCalendar::None),
            "NL" => return Ok(HolidayCalendar::Netherlands),
            "BE" => return Ok(HolidayCalendar::Belgium),
            "DE" => return Ok(HolidayCalendar::Germany(None)),
            _ => {}
        }
        let land = code.strip_prefix("DE-");
        if let Some((land, ..)) = LANDS.iter().find(|(_, known, _)| Some(*known) == land) {
            return Ok(HolidayCalendar::Germany(Some(*land)));
        }
        Err(if land.is_some() {
            let lands: Vec<String> = LANDS.iter().map(|(_, code, name)| format!("DE-{code} ({name})")).collect();
            format!("give one of {}", lands.join(", "))
        } else {
            "give NL, BE, DE, a Land such as DE-BY, or none".to_owned()
        })
    }

    /// The calendar of the country that a time zone is of; [`HolidayCalendar::None`] where its rules are not known here.
    pub fn of_zone(zone: Tz) -> Self {
        match zone {
            Tz::Europe__Amsterdam => HolidayCalendar::Netherlands,
            Tz::Europe__Berlin | Tz::Europe__Busingen => HolidayCalendar::Germany(None),
            Tz::Europe__Brussels => HolidayCalendar::Belgium,
            _ => HolidayCalendar::None,
        }
    }

    /// Its code, as [`HolidayCalendar::parse`] reads it.
    pub fn code(self) -> String {
        match self {
            HolidayCalendar::None => "none".to_owned(),
            HolidayCalendar::Netherlands => "NL".to_owned(),
            HolidayCalendar::Belgium => "BE".to_owned(),
            HolidayCalendar::Germany(land) => {
                let code = LANDS.iter().find(|(known, ..)| Some(*known) == land).map(|(_, code, _)| *code);
                code.map_or_else(|| "DE".to_owned(), |code| format!("DE-{code}"))
            }
        }
    }

    /// The holidays of a year in order; two may share a day.
    pub fn holidays(self, year: i32) -> Vec<Holiday> {
        let easter = computus::gregorian(year).ok();
        let Some(easter) = easter.and_then(|day| NaiveDate::from_ymd_opt(day.year, day.month, day.day)) else {
            return Vec::new();
        };
        let mut list = List { year, easter, found: Vec::with_capacity(16) };
        match self {
            HolidayCalendar::None => {}
            HolidayCalendar::Netherlands => netherlands(&mut list),
            HolidayCalendar::Germany(land) => germany(&mut list, land),
            HolidayCalendar::Belgium => belgium(&mut list),
        }
        list.found.sort_unstable();
        list.found
    }

    /// The days that are holidays, from the first to the last of the years, sorted, each once.
    pub fn days(self, years: std::ops::RangeInclusive<i32>) -> Vec<NaiveDate> {
        let mut days: Vec<NaiveDate> = years.flat_map(|year| self.holidays(year)).map(|holiday| holiday.day).collect();
        days.dedup();
        days
    }

    /// The holiday on a day.
    pub fn on(self, day: NaiveDate) -> Option<Holiday> {
        self.holidays(day.year()).into_iter().find(|holiday| holiday.day == day)
    }
}

/// The holidays of one year as they are found.
struct List {
    year: i32,
    easter: NaiveDate,
    found: Vec<Holiday>,
}

impl List {
    fn fixed(&mut self, month: u32, day: u32, name: &'static str) {
        self.found.extend(NaiveDate::from_ymd_opt(self.year, month, day).map(|day| Holiday { day, name }));
    }

    /// A day so many days after Easter Sunday.
    fn after_easter(&mut self, days: i64, name: &'static str) {
        let day = self.easter + chrono::TimeDelta::days(days);
        self.found.push(Holiday { day, name });
    }
}

fn netherlands(list: &mut List) {
    let year = list.year;
    list.fixed(1, 1, "Nieuwjaarsdag");
    list.after_easter(0, "Eerste paasdag");
    list.after_easter(1, "Tweede paasdag");
    let is_sunday =
        |month, day| NaiveDate::from_ymd_opt(year, month, day).is_some_and(|day| day.weekday() == Weekday::Sun);
    match year {
        2014.. => list.fixed(4, if is_sunday(4, 27) { 26 } else { 27 }, "Koningsdag"),
        1980.. => list.fixed(4, if is_sunday(4, 30) { 29 } else { 30 }, "Koninginnedag"),
        _ if is_sunday(4, 30) => list.fixed(5, 1, "Koninginnedag"),
        _ => list.fixed(4, 30, "Koninginnedag"),
    }
    if year % 5 == 0 {
        list.fixed(5, 5, "Bevrijdingsdag");
    }
    list.after_easter(39, "Hemelvaartsdag");
    list.after_easter(49, "Eerste pinksterdag");
    list.after_easter(50, "Tweede pinksterdag");
    list.fixed(12, 25, "Eerste kerstdag");
    list.fixed(12, 26, "Tweede kerstdag");
}

fn belgium(list: &mut List) {
    list.fixed(1, 1, "Nieuwjaar");
    list.after_easter(0, "Pasen");
    list.after_easter(1, "Paasmaandag");
    list.fixed(5, 1, "Dag van de Arbeid");
    list.after_easter(39, "O.L.H. Hemelvaart");
    list.after_easter(49, "Pinksteren");
    list.after_easter(50, "Pinkstermaandag");
    list.fixed(7, 21, "Nationale feestdag");
    list.fixed(8, 15, "O.L.V. Hemelvaart");
    list.fixed(11, 1, "Allerheiligen");
    list.fixed(11, 11, "Wapenstilstand");
    list.fixed(12, 25, "Kerstmis");
}

fn germany(list: &mut List, land: Option<Land>) {
    let year = list.year;
    list.fixed(1, 1, "Neujahr");
    list.after_easter(-2, "Karfreitag");
    list.after_easter(0, "Ostersonntag");
    list.after_easter(1, "Ostermontag");
    list.fixed(5, 1, "Tag der Arbeit");
    list.after_easter(39, "Christi Himmelfahrt");
    list.after_easter(49, "Pfingstsonntag");
    list.after_easter(50, "Pfingstmontag");
    if year <= 1990 {
        list.fixed(6, 17, "Tag der deutschen Einheit");
    }
    if year >= 1990 {
        list.fixed(10, 3, "Tag der Deutschen Einheit");
    }
    // Given up in 1995 for the long-term care insurance, by all but Saxony.
    if year <= 1994 || land == Some(Land::Sn) {
        list.found.extend(repentance_day(year));
    }
    list.fixed(12, 25, "Erster Weihnachtstag");
    list.fixed(12, 26, "Zweiter Weihnachtstag");
    // 500 years of the Reformation: everywhere, once.
    if year == 2017 || land.is_some_and(|land| keeps_reformation_day(land, year)) {
        list.fixed(10, 31, "Reformationstag");
    }
    if let Some(land) = land {
        of_land(list, land);
    }
}

fn of_land(list: &mut List, land: Land) {
    let year = list.year;
    if matches!(land, Land::Bw | Land::By | Land::St) {
        list.fixed(1, 6, "Heilige Drei Könige");
    }
    if (land == Land::Be && year >= 2019) || (land == Land::Mv && year >= 2023) {
        list.fixed(3, 8, "Internationaler Frauentag");
    }
    // 75 and 80 years after the war, and 75 after the rising in East Berlin: Berlin alone, once each.
    if land == Land::Be && matches!(year, 2020 | 2025) {
        list.fixed(5, 8, "Tag der Befreiung");
    }
    if land == Land::Be && year == 2028 {
        list.fixed(6, 17, "Gedenktag des 17. Juni 1953");
    }
    if matches!(land, Land::Bw | Land::By | Land::He | Land::Nw | Land::Rp | Land::Sl) {
        list.after_easter(60, "Fronleichnam");
    }
    // In Bavaria not everywhere, but in five of six communities.
    if matches!(land, Land::By | Land::Sl) {
        list.fixed(8, 15, "Mariä Himmelfahrt");
    }
    if land == Land::Th && year >= 2019 {
        list.fixed(9, 20, "Weltkindertag");
    }
    if matches!(land, Land::Bw | Land::By | Land::Nw | Land::Rp | Land::Sl) {
        list.fixed(11, 1, "Allerheiligen");
    }
}

/// Whether a Land keeps 31 October in a year other than 2017: the eastern ones, and since 2018 the northern ones.
fn keeps_reformation_day(land: Land, year: i32) -> bool {
    match land {
        Land::Bb | Land::Mv | Land::Sn | Land::St | Land::Th => year >= 1990,
        Land::Hb | Land::Hh | Land::Ni | Land::Sh => year >= 2018,
        _ => false,
    }
}

/// The Wednesday before 23 November.
fn repentance_day(year: i32) -> Option<Holiday> {
    let mut day = NaiveDate::from_ymd_opt(year, 11, 22)?;
    while day.weekday() != Weekday::Wed {
        day = day.checked_sub_days(Days::new(1))?;
    }
    Some(Holiday { day, name: "Buß- und Bettag" })
}

#[cfg(test)]
mod tests {

    use super::*;

    /// The days of a year as `MM-DD`.
    fn days(code: &str, year: i32) -> String {
        let days = HolidayCalendar::parse(code).unwrap().days(year..=year);
        days.iter().map(|day| day.format("%m-%d").to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn known_years() {
        for (code, year, expected) in [
            ("NL", 2013, "01-01 03-31 04-01 04-30 05-09 05-19 05-20 12-25 12-26"),
            ("NL", 2006, "01-01 04-16 04-17 04-29 05-25 06-04 06-05 12-25 12-26"),
            ("NL", 1978, "01-01 03-26 03-27 05-01 05-04 05-14 05-15 12-25 12-26"),
            ("NL", 2014, "01-01 04-20 04-21 04-26 05-29 06-08 06-09 12-25 12-26"),
            ("NL", 2020, "01-01 04-12 04-13 04-27 05-05 05-21 05-31 06-01 12-25 12-26"),
            ("NL", 2025, "01-01 04-20 04-21 04-26 05-05 05-29 06-08 06-09 12-25 12-26"),
            ("NL", 2026, "01-01 04-05 04-06 04-27 05-14 05-24 05-25 12-25 12-26"),
            ("BE", 2024, "01-01 03-31 04-01 05-01 05-09 05-19 05-20 07-21 08-15 11-01 11-11 12-25"),
            // Ascension on Labour Day.
            ("DE", 2008, "01-01 03-21 03-23 03-24 05-01 05-11 05-12 10-03 12-25 12-26"),
            ("DE", 2017, "01-01 04-14 04-16 04-17 05-01 05-25 06-04 06-05 10-03 10-31 12-25 12-26"),
            ("DE", 1994, "01-01 04-01 04-03 04-04 05-01 05-12 05-22 05-23 10-03 11-16 12-25 12-26"),
            (
                "DE-BY",
                2026,
                "01-01 01-06 04-03 04-05 04-06 05-01 05-14 05-24 05-25 06-04 08-15 10-03 11-01 12-25 12-26",
            ),
            ("DE-SN", 2023, "01-01 04-07 04-09 04-10 05-01 05-18 05-28 05-29 10-03 10-31 11-22 12-25 12-26"),
            ("DE-NI", 2016, "01-01 03-25 03-27 03-28 05-01 05-05 05-15 05-16 10-03 12-25 12-26"),
            ("DE-NI", 2018, "01-01 03-30 04-01 04-02 05-01 05-10 05-20 05-21 10-03 10-31 12-25 12-26"),
            ("de-be", 2025, "01-01 03-08 04-18 04-20 04-21 05-01 05-08 05-29 06-08 06-09 10-03 12-25 12-26"),
            ("DE-TH", 2019, "01-01 04-19 04-21 04-22 05-01 05-30 06-09 06-10 09-20 10-03 10-31 12-25 12-26"),
            ("none", 2026, ""),
        ] {
            assert_eq!(days(code, year), expected, "{code} {year}");
        }
    }

    #[test]
    fn codes_are_read_as_they_are_written() {
        let lands = LANDS.map(|(land, ..)| HolidayCalendar::Germany(Some(land)));
        let countries = ["none", "NL", "BE", "DE"].map(|code| HolidayCalendar::parse(code).unwrap());
        for calendar in countries.into_iter().chain(lands) {
            assert_eq!(HolidayCalendar::parse(&calendar.code()), Ok(calendar));
        }
        assert!(HolidayCalendar::parse("DE-XX").unwrap_err().contains("DE-BY (Bayern)"));
        assert!(HolidayCalendar::parse("Holland").unwrap_err().contains("NL"));
    }

    #[test]
    fn the_country_of_a_zone() {
        assert_eq!(HolidayCalendar::of_zone(chrono_tz::Europe::Amsterdam).code(), "NL");
        assert_eq!(HolidayCalendar::of_zone(chrono_tz::Europe::Berlin).code(), "DE");
        assert_eq!(HolidayCalendar::of_zone(chrono_tz::UTC), HolidayCalendar::None);
        let kings_day = NaiveDate::from_ymd_opt(2026, 4, 27).unwrap();
        assert_eq!(HolidayCalendar::Netherlands.on(kings_day).map(|holiday| holiday.name), Some("Koningsdag"));
    }

    #[test]
    fn every_year_has_its_holidays() {
        for year in super::super::YEARS {
            for code in ["NL", "BE", "DE", "DE-BY"] {
                let found = HolidayCalendar::parse(code).unwrap().holidays(year);
                assert!((9..=17).contains(&found.len()), "{code} {year}: {}", found.len());
                assert!(found.iter().all(|holiday| holiday.day.year() == year));
            }
        }
    }
}
