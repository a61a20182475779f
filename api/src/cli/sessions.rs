//! A log of charging sessions from the command line.

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use clap::ValueEnum;
use kwartier_data::local::{self, HolidayCalendar};
use kwartier_data::sessions::{self, Kind, SessionReading, SessionsFile};
use kwartier_forecast::sessions::{Clock, Place, Site};

use super::failure::Failure;
use super::{input, span};

/// The log, and what is known besides.
#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// Sessions that were: `session,arrival,departure,kwh[,vehicle,driver,group,station,stated_departure,stated_kwh]`; CSV, CSV
    /// packed with gzip, or Parquet.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// What a column is called in the files, and what it is called here; once for each column.
    #[arg(long, value_name = "THEIRS=OURS", value_parser = span::pair)]
    map: Vec<(String, String)>,
    /// Which rows are meant, where a file holds several sites; once for each column that tells them apart.
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = span::pair)]
    filter: Vec<(String, String)>,
    /// The site's time zone, which is also that of times without offset or Z.
    #[arg(long, value_name = "ZONE", value_parser = local::zone)]
    pub tz: Option<Tz>,
    /// Public holidays by country or Land, such as NL, BE, DE, DE-NW, or none; without it those of the time zone.
    #[arg(long, value_name = "CODE", value_parser = HolidayCalendar::parse)]
    holidays: Option<HolidayCalendar>,
    /// What kind of place it is: what counts until it has sessions of its own.
    #[arg(long, value_enum, default_value_t = PlaceName::Public)]
    place: PlaceName,
}

/// A kind of place, as it is named on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PlaceName {
    /// At home, or in the garage of a block of flats.
    Home,
    /// On the street or a public car park.
    Public,
    /// At work.
    Workplace,
    /// A depot, to which vehicles come back in the afternoon.
    Depot,
}

impl PlaceName {
    /// The place.
    pub fn place(self) -> Place {
        match self {
            PlaceName::Home => Place::Home,
            PlaceName::Public => Place::Public,
            PlaceName::Workplace => Place::Workplace,
            PlaceName::Depot => Place::Depot,
        }
    }
}

impl LogArgs {
    /// Reads a file of sessions.
    pub fn read(&self, path: &Path, kind: Kind) -> Result<SessionsFile, Failure> {
        let reading = SessionReading { kind, zone: self.tz, map: &self.map, filter: &self.filter };
        let what = match kind {
            Kind::History => "log of sessions",
            Kind::Arrivals => "list of arrivals",
        };
        input::parse(path, what, |bytes| sessions::read(bytes, &reading))
    }

    /// The zone of the site's wall clock, and whether nobody said it.
    pub fn zone(&self) -> (Tz, bool) {
        (self.tz.unwrap_or(Tz::UTC), self.tz.is_none())
    }

    /// The site.
    pub fn site(&self) -> Site {
        let (zone, _) = self.zone();
        let holidays = self.holidays.unwrap_or_else(|| HolidayCalendar::of_zone(zone));
        Site { clock: Clock { zone, holidays }, place: self.place.place() }
    }
}
