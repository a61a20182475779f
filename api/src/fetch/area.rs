//! Where a site's electricity is from: its price area, and what feeds of carbon intensity call that.

use kwartier_data::feeds::Area;
use kwartier_data::site::Site;

/// Great Britain, which has no area of the coupled market any more.
pub const BRITAIN: &str = "GB";

/// The zone of sites there.
const BRITISH_ZONE: &str = "Europe/London";

/// The name of a site's price area, as areas are written.
pub fn of_prices(site: &Site) -> Option<String> {
    Area::parse(site.price_area.as_ref()?).map(|area| area.name.to_owned())
}

/// The area whose carbon intensity a site's electricity has: its price area, else Great Britain by its clock.
pub fn of_carbon(site: &Site) -> Option<String> {
    of_prices(site).or_else(|| (site.time_zone == BRITISH_ZONE).then(|| BRITAIN.to_owned()))
}

/// The country of an area, as Energy-Charts calls it: `DE-LU` is `de`, `NO1` is `no`.
pub fn country(area: &str) -> String {
    area.chars().take(2).collect::<String>().to_ascii_lowercase()
}

/// What Electricity Maps calls an area.
pub fn zone(area: &str) -> String {
    let part = match area {
        "DE-LU" => return "DE".to_owned(),
        "IT-North" => "NO",
        "IT-Centre-North" => "CNO",
        "IT-Centre-South" => "CSO",
        "IT-South" => "SO",
        "IT-Sardinia" => "SAR",
        "IT-Sicily" => "SIC",
        numbered if numbered.ends_with(|digit: char| digit.is_ascii_digit()) => numbered,
        whole => return whole.to_owned(),
    };
    format!("{}-{part}", &area[..2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_have_other_names_at_other_feeds() {
        let names = ["NL", "DE-LU", "DK1", "SE4", "IT-Sicily", "GB"].map(|area| (country(area), zone(area)));
        let pair = |country: &str, zone: &str| (country.to_owned(), zone.to_owned());
        let expected = [
            pair("nl", "NL"),
            pair("de", "DE"),
            pair("dk", "DK-DK1"),
            pair("se", "SE-SE4"),
            pair("it", "IT-SIC"),
            pair("gb", "GB"),
        ];
        assert_eq!(names, expected);
        assert!(kwartier_data::feeds::AREAS.iter().all(|area| zone(area.name).starts_with(&area.name[..2])));
    }

    #[test]
    fn a_site_in_great_britain_has_its_own_intensity_and_no_market() {
        let site = |zone: &str| Site::new("Depot".to_owned(), zone.to_owned(), Vec::new(), Vec::new());
        assert_eq!((of_prices(&site(BRITISH_ZONE)), of_carbon(&site(BRITISH_ZONE))), (None, Some("GB".to_owned())));
        assert_eq!(of_carbon(&site("Europe/Berlin")), None);
        let german = Site { price_area: Some("de-lu".to_owned()), ..site(BRITISH_ZONE) };
        assert_eq!(of_carbon(&german), Some("DE-LU".to_owned()));
    }
}
