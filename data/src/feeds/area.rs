//! Price areas, and what each feed calls them.

use chrono_tz::Tz;

/// A price area of the European day-ahead market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// What Energy-Charts calls it (`bzn`), and what people choose it by.
    pub name: &'static str,
    /// What ENTSO-E calls it: its energy identification code.
    pub eic: &'static str,
    /// What Nord Pool calls it; `None` where it has no prices of it.
    pub nordpool: Option<&'static str>,
    /// What people call it.
    pub title: &'static str,
}

/// The day of the coupled auction is that of this zone, in Finland and Portugal too.
const MARKET: Tz = chrono_tz::Europe::Brussels;

impl Area {
    /// The area of a name such as `NL`; letters' case does not count.
    pub fn parse(name: &str) -> Option<&'static Self> {
        AREAS.iter().find(|area| area.name.eq_ignore_ascii_case(name.trim()))
    }

    /// The zone whose days the auction is held for.
    pub fn market_zone(&self) -> Tz {
        MARKET
    }
}

/// All areas. The codes are those of ENTSO-E's list of approved codes; the last character of each checks the others, which
/// a test holds.
pub const AREAS: [Area; 38] = [
    area("NL", "10YNL----------L", Some("NL"), "Netherlands"),
    area("BE", "10YBE----------2", Some("BE"), "Belgium"),
    area("DE-LU", "10Y1001A1001A82H", Some("GER"), "Germany and Luxembourg"),
    area("AT", "10YAT-APG------L", Some("AT"), "Austria"),
    area("FR", "10YFR-RTE------C", Some("FR"), "France"),
    area("CH", "10YCH-SWISSGRIDZ", None, "Switzerland"),
    area("DK1", "10YDK-1--------W", Some("DK1"), "Denmark west"),
    area("DK2", "10YDK-2--------M", Some("DK2"), "Denmark east"),
    area("NO1", "10YNO-1--------2", Some("NO1"), "Norway, Oslo"),
    area("NO2", "10YNO-2--------T", Some("NO2"), "Norway, Kristiansand"),
    area("NO3", "10YNO-3--------J", Some("NO3"), "Norway, Trondheim"),
    area("NO4", "10YNO-4--------9", Some("NO4"), "Norway, Tromsø"),
    area("NO5", "10Y1001A1001A48H", Some("NO5"), "Norway, Bergen"),
    area("SE1", "10Y1001A1001A44P", Some("SE1"), "Sweden, Luleå"),
    area("SE2", "10Y1001A1001A45N", Some("SE2"), "Sweden, Sundsvall"),
    area("SE3", "10Y1001A1001A46L", Some("SE3"), "Sweden, Stockholm"),
    area("SE4", "10Y1001A1001A47J", Some("SE4"), "Sweden, Malmö"),
    area("FI", "10YFI-1--------U", Some("FI"), "Finland"),
    area("EE", "10Y1001A1001A39I", Some("EE"), "Estonia"),
    area("LV", "10YLV-1001A00074", Some("LV"), "Latvia"),
    area("LT", "10YLT-1001A0008Q", Some("LT"), "Lithuania"),
    area("PL", "10YPL-AREA-----S", Some("PL"), "Poland"),
    area("CZ", "10YCZ-CEPS-----N", None, "Czechia"),
    area("SK", "10YSK-SEPS-----K", None, "Slovakia"),
    area("HU", "10YHU-MAVIR----U", None, "Hungary"),
    area("SI", "10YSI-ELES-----O", None, "Slovenia"),
    area("HR", "10YHR-HEP------M", None, "Croatia"),
    area("RO", "10YRO-TEL------P", None, "Romania"),
    area("BG", "10YCA-BULGARIA-R", None, "Bulgaria"),
    area("GR", "10YGR-HTSO-----Y", None, "Greece"),
    area("ES", "10YES-REE------0", None, "Spain"),
    area("PT", "10YPT-REN------W", None, "Portugal"),
    area("IT-North", "10Y1001A1001A73I", None, "Italy, north"),
    area("IT-Centre-North", "10Y1001A1001A70O", None, "Italy, centre north"),
    area("IT-Centre-South", "10Y1001A1001A71M", None, "Italy, centre south"),
    area("IT-South", "10Y1001A1001A788", None, "Italy, south"),
    area("IT-Sardinia", "10Y1001A1001A74G", None, "Italy, Sardinia"),
    area("IT-Sicily", "10Y1001A1001A75E", None, "Italy, Sicily"),
];

const fn area(name: &'static str, eic: &'static str, nordpool: Option<&'static str>, title: &'static str) -> Area {
    Area { name, eic, nordpool, title }
}

#[cfg(test)]
mod tests {

    use super::*;

    /// The check character of an energy identification code, after ENTSO-E's reference manual, appendix B: digits count 0
    /// to 9, letters 10 to 35, the hyphen 36; weights go from 16 down to 2.
    fn check_character(code: &str) -> char {
        let worth = |c: char| if c == '-' { 36 } else { c.to_digit(36).unwrap() };
        let sum: u32 = code.chars().take(15).zip((2..=16).rev()).map(|(c, weight)| worth(c) * weight).sum();
        let check = 36 - (sum + 36) % 37;
        if check == 36 { '-' } else { char::from_digit(check, 36).unwrap().to_ascii_uppercase() }
    }

    #[test]
    fn no_code_is_misspelt() {
        for (k, area) in AREAS.iter().enumerate() {
            assert_eq!(area.eic.len(), 16, "{}", area.name);
            assert_eq!(area.eic.chars().last().unwrap(), check_character(area.eic), "{}", area.name);
            let same = |other: &Area| other.name == area.name || other.eic == area.eic;
            assert!(!AREAS[..k].iter().any(same), "{} stands twice", area.name);
        }
    }

    #[test]
    fn areas_by_name() {
        assert_eq!(Area::parse("nl").unwrap().eic, "10YNL----------L");
        assert_eq!(Area::parse("de-lu").unwrap().nordpool, Some("GER"));
        assert_eq!(Area::parse("GB"), None);
    }
}
