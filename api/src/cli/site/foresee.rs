//! What a planning instance takes from forecasts: the building's draw, PV, prices and stays beyond what is given.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::compose::Horizon;
use kwartier_data::forecast::Belief;
use kwartier_data::history::{Position, Weather, read_weather};
use kwartier_data::local;
use kwartier_data::roster::Roster;
use kwartier_data::series::{self, Building, PlantPower, Quantity, Reading, Series};
use kwartier_data::site::Site;

use super::stays;
use crate::cli::failure::Failure;
use crate::cli::forecast::chain::{self, LONGEST, Wanted};
use crate::cli::history::{Kind, Known, cut, ends_early, nothing};
use crate::cli::input;
use crate::cli::methods::Methods;
use crate::cli::sessions::PlaceName;
use crate::cli::span::{self, When};

/// The lowest and the highest level that may be asked for: those of a forecast.
const LEVELS: std::ops::RangeInclusive<f64> = 0.05..=0.95;

/// What is forecast from what, and which part of the forecast is planned with.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Forecasts")]
pub struct ForecastArgs {
    /// Forecast what is not given: building, PV, prices and stays, from histories as known at --at.
    #[arg(long)]
    pub forecast: bool,
    /// What is known ends here: nothing later in a history is used. Without it, the beginning of the plan. A time without
    /// offset or Z is what the site's clock shows.
    #[arg(long, value_name = "TIME", requires = "forecast", value_parser = When::parse)]
    at: Option<When>,
    /// What the building drew in the past weeks, in kW: start,kw. Values of --building count before its forecast.
    #[arg(long, value_name = "FILE", requires = "forecast")]
    pub building_history: Option<PathBuf>,
    /// What PV plants delivered, columns as in --pv. Without it, from where the site is and its peak power alone.
    #[arg(long, value_name = "FILE", requires = "forecast")]
    pub pv_history: Option<PathBuf>,
    /// Spot prices of the past weeks. Those of --prices are known at any --at, and count before their forecast.
    #[arg(long, value_name = "FILE", requires = "forecast")]
    pub price_history: Option<PathBuf>,
    /// Weather for all forecasts: runs of a forecast by when they became known, or measured.
    #[arg(long, value_name = "FILE", requires = "forecast")]
    pub weather: Option<PathBuf>,
    /// Which part of the building's forecast is planned with: a level from 0.05 to 0.95, or mean. High is safe: at 0.75
    /// three quarters of all quarter-hours draw no more, and fuses and peak have that reserve.
    #[arg(long, value_name = "LEVEL", requires = "forecast", default_value = "0.75", value_parser = part)]
    building_quantile: Part,
    /// The same for PV: low is safe, as what is not delivered is imported; 0.5 is as often too much as too little.
    #[arg(long, value_name = "LEVEL", requires = "forecast", default_value = "0.5", value_parser = part)]
    pv_quantile: Part,
    /// The same for prices: mean is what an expected bill is made of.
    #[arg(long, value_name = "LEVEL", requires = "forecast", default_value = "mean", value_parser = part)]
    price_quantile: Part,
    /// Sessions that were, as of `forecast sessions --history`: rows of the roster may leave departure
    /// and need empty, and get what is forecast of them.
    #[arg(long, value_name = "FILE", requires = "forecast")]
    pub session_history: Option<PathBuf>,
    /// What a column is called in --session-history, and what it is called here; once for each column.
    #[arg(long, value_name = "THEIRS=OURS", requires = "session_history", value_parser = span::pair)]
    pub map: Vec<(String, String)>,
    /// What kind of place it is: what counts for stays until there are sessions enough.
    #[arg(long, requires = "session_history", value_enum, default_value_t = PlaceName::Depot)]
    pub place: PlaceName,
    /// Which part of a departure's forecast is planned with. Early is safe: at 0.25 a quarter leave earlier.
    #[arg(long, value_name = "LEVEL", requires = "session_history", default_value = "0.25", value_parser = part)]
    pub departure_quantile: Part,
    /// The same for the energy that a stay takes: high is safe.
    #[arg(long, value_name = "LEVEL", requires = "session_history", default_value = "0.75", value_parser = part)]
    pub energy_quantile: Part,
    /// Plan for vehicles too that are not in the roster: those that are there at --at, and as many as are expected to come,
    /// at stations of the site that are free.
    #[arg(long, requires = "session_history")]
    pub expect_sessions: bool,
}

/// The part of a forecast that is planned with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    Level(f64),
    Mean,
}

impl Part {
    /// The value of a belief.
    pub fn of(self, belief: &Belief) -> f64 {
        match self {
            Part::Level(level) => belief.quantile(level),
            Part::Mean => belief.mean,
        }
    }

    /// Its name in a note.
    pub fn name(self) -> String {
        match self {
            Part::Level(level) => format!("quantile {level}"),
            Part::Mean => "mean".to_owned(),
        }
    }
}

fn part(text: &str) -> Result<Part, String> {
    if text == "mean" {
        return Ok(Part::Mean);
    }
    let level = text.parse().ok().filter(|level| LEVELS.contains(level));
    level.map(Part::Level).ok_or_else(|| "a level from 0.05 to 0.95 is wanted, such as 0.75, or mean".to_owned())
}

/// What was given of a plan's inputs.
pub struct Given {
    pub building: Vec<Building>,
    pub pv: Vec<PlantPower>,
    pub prices: Option<Series>,
}

impl ForecastArgs {
    /// All files that are read.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let series = [&self.building_history, &self.pv_history, &self.price_history, &self.weather];
        series.into_iter().chain([&self.session_history]).flatten()
    }
}

/// Completes what was given by forecasts; what they were made with stands in the notes.
pub fn complete(
    args: &ForecastArgs,
    site: &Site,
    horizon: Horizon,
    stamps: Option<Tz>,
    given: Given,
    roster: &mut Roster,
    notes: &mut Vec<String>,
) -> Result<Given, Failure> {
    let zone = local::zone(&site.time_zone).map_err(Failure::Arguments)?;
    let at = span::instant("--at", args.at, Some(zone))?.unwrap_or(horizon.start);
    let wrong = if at >= horizon.end() {
        Some("is not before the end of the plan, so that there is nothing to forecast")
    } else if horizon.end() - at > LONGEST {
        Some("is more than 15 days before the end of the plan; nothing worth planning on can be said so far ahead")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        let what = format!(
            "--at, {}, {wrong}; the plan is from {} to {} ({})",
            local::shown(zone, at),
            local::shown(zone, horizon.start),
            local::shown(zone, horizon.end()),
            zone.name()
        );
        return Err(Failure::Arguments(what));
    }
    let reading = Reading { zone: stamps, ..Reading::default() };
    let weather = |bytes: &[u8]| read_weather(bytes, &reading);
    let weather = args.weather.as_ref().map(|path| input::parse(path, "weather file", weather)).transpose()?;
    let weather = weather.map(|file| {
        notes.extend(file.notes);
        file.weather
    });
    if let Some(path) = &args.session_history {
        let read = stays::Reading { path, args, stamps };
        stays::complete(&read, site, (horizon, at), roster, notes)?;
    }
    let mut foresight = Foresight { site, horizon, zone, at, weather, notes };
    let read = |path: &Option<PathBuf>, what, quantity| {
        let read = |path: &PathBuf| input::parse(path, what, |bytes| series::read(bytes, quantity, &reading));
        path.as_ref().map(read).transpose()
    };
    let building = read(&args.building_history, "history of a building", Quantity::Power)?;
    let prices = read(&args.price_history, "history of prices", Quantity::Price)?;
    let pv_history =
        |path: &PathBuf| input::parse(path, "history of PV plants", |bytes| series::read_pv(bytes, &site.pv, stamps));
    let pv_history = args.pv_history.as_ref().map(pv_history).transpose()?;

    let building = match building {
        Some(history) => vec![foresight.building(args, &given.building, history)?],
        None => given.building,
    };
    let pv = foresight.pv(args, given.pv, pv_history.as_deref())?;
    let histories = [&args.building_history, &args.price_history, &args.session_history];
    if pv.is_empty() && histories.iter().all(|history| history.is_none()) {
        let what = "--forecast has nothing to forecast from; give --building-history, --pv-history, --price-history or \
                    --session-history";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let prices = match prices {
        Some(history) => Some(foresight.prices(args, given.prices.as_ref(), &history)?),
        None => given.prices,
    };
    Ok(Given { building, pv, prices })
}

/// What forecasts share.
struct Foresight<'a> {
    site: &'a Site,
    horizon: Horizon,
    zone: Tz,
    at: DateTime<Utc>,
    weather: Option<Weather>,
    notes: &'a mut Vec<String>,
}

impl Foresight<'_> {
    fn building(&mut self, args: &ForecastArgs, given: &[Building], history: Series) -> Result<Building, Failure> {
        let total = match given {
            [] => None,
            [Building::Total(total)] => Some(total),
            _ => {
                let what = "--building-history forecasts a total, and --building gives boards or several files; give a total in both, or leave one out";
                return Err(Failure::Arguments(what.to_owned()));
            }
        };
        let past = cut(history, self.at);
        let remedy = "give a longer --building-history, or the values themselves with --building";
        let wanted = (Kind::Load, args.building_quantile, self.at, remedy);
        Ok(Building::Total(self.series("the building", total, past, None, wanted)?))
    }

    fn pv(
        &mut self,
        args: &ForecastArgs,
        mut given: Vec<PlantPower>,
        history: Option<&[PlantPower]>,
    ) -> Result<Vec<PlantPower>, Failure> {
        let located = self.site.latitude_deg.is_some() && self.site.longitude_deg.is_some();
        for plant in &self.site.pv {
            let known = given.iter().position(|power| power.plant == plant.id);
            let past = history.and_then(|all| all.iter().find(|power| power.plant == plant.id));
            // A plant that is given is complete unless there is a history to go on from.
            if past.is_none() && (known.is_some() || !located) {
                continue;
            }
            let values = known.map(|k| given.swap_remove(k).kw);
            let past =
                past.map_or_else(|| nothing(self.at.min(self.horizon.start)), |power| cut(power.kw.clone(), self.at));
            let remedy = "give a longer --pv-history, or latitude_deg and longitude_deg in the site file, or --pv";
            let wanted = (Kind::Pv, args.pv_quantile, self.at, remedy);
            let kw = self.series(&plant.id, values.as_ref(), past, Some(plant.peak_kw), wanted)?;
            given.push(PlantPower { plant: plant.id.clone(), kw });
        }
        Ok(given)
    }

    /// Prices are published ahead: those given are known, and the forecast begins where they end.
    fn prices(&mut self, args: &ForecastArgs, given: Option<&Series>, history: &Series) -> Result<Series, Failure> {
        let mut past = cut(history.clone(), self.at);
        let mut origin = self.at;
        if let Some(given) = given {
            let last =
                given.values.iter().rposition(Option::is_some).map_or(given.start, |last| given.start_of(last + 1));
            origin = origin.max(last.min(self.horizon.end() - self.horizon.slot()));
            let steps = (origin - past.start).num_seconds().max(0) / past.step.num_seconds().max(1);
            past.values.resize(usize::try_from(steps).unwrap_or(0), None);
            for k in 0..past.values.len() {
                let known = given.mean(past.start_of(k), past.start_of(k + 1));
                past.values[k] = known.or(past.values[k]);
            }
        }
        let remedy = "give a longer --price-history, or --prices for the whole plan";
        self.series("prices", given, past, None, (Kind::Price, args.price_quantile, origin, remedy))
    }

    /// The quarter-hours of the plan: as given, else as measured before the forecast, else as forecast.
    fn series(
        &mut self,
        name: &str,
        given: Option<&Series>,
        past: Series,
        peak_kw: Option<f64>,
        (kind, part, at, remedy): (Kind, Part, DateTime<Utc>, &str),
    ) -> Result<Series, Failure> {
        let horizon = self.horizon;
        if let Some(given) = given.filter(|given| given.means(horizon.start, horizon.slot(), horizon.slots).is_ok()) {
            return Ok(given.clone());
        }
        // Of what has passed of the plan already, all that was not measured is forecast too.
        let last = past.values.iter().rposition(Option::is_some).map_or(past.start, |last| past.start_of(last + 1));
        let at = if at > horizon.start { last.max(horizon.start).min(at) } else { at };
        let first = past.values.iter().position(Option::is_some).map(|k| past.start_of(k));
        let known_d = past.values.iter().flatten().count() as f64 * past.step.num_seconds() as f64 / 86_400.0;
        let measured = past.clone();
        let mut known = Known::of_site(past, kind, at, self.zone)?.clean(kind, at);
        if let Some(weather) = &self.weather {
            known.history = known.history.with_weather(weather.clone());
        }
        let place = self.site.latitude_deg.zip(self.site.longitude_deg);
        known.position = place.map(|(latitude_deg, longitude_deg)| Position { latitude_deg, longitude_deg });
        known.peak_kw = peak_kw;
        let mut notes = std::mem::take(&mut known.notes);
        notes.extend(ends_early(known.history.truth(), at));
        let methods = Methods::of(kind, &known);
        let wanted = Wanted { kind, at, length: horizon.end() - at, model: None, remedy };
        let (chosen, quarters) = chain::believe(&methods, &known, &wanted, &mut notes)?;
        let believed = |slot: DateTime<Utc>| {
            let k = (slot - quarters.start).num_seconds().div_euclid(horizon.slot().num_seconds().max(1));
            Some(part.of(quarters.beliefs.get(usize::try_from(k).ok()?)?.as_ref()?))
        };
        let (mut values, mut forecast) = (Vec::with_capacity(horizon.slots), 0);
        for slot in 0..horizon.slots {
            let (from, to) = (horizon.at(slot), horizon.at(slot + 1));
            let fact = given.and_then(|given| given.mean(from, to)).or_else(|| measured.mean(from, to));
            forecast += usize::from(fact.is_none());
            values.push(fact.or_else(|| believed(from)));
        }
        let made = if let Some(first) = first {
            format!("{known_d:.0} days of history from {} on", local::shown(self.zone, first))
        } else {
            "no history".to_owned()
        };
        notes.push(format!(
            "{forecast} of {} quarter-hours are forecast at {} by {} from {made}; planned with the {}",
            horizon.slots,
            local::shown(self.zone, at),
            chosen.method.name(),
            part.name()
        ));
        self.notes.extend(notes.into_iter().map(|note| format!("{name}: {note}")));
        Ok(Series { start: horizon.start, step: TimeDelta::minutes(i64::from(horizon.slot_minutes)), values })
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_level_or_the_mean() {
        assert_eq!(part("mean"), Ok(Part::Mean));
        assert_eq!(part("0.75"), Ok(Part::Level(0.75)));
        for wrong in ["0.99", "75", "nan", "0.04", "median", ""] {
            assert!(part(wrong).unwrap_err().contains("0.05 to 0.95"), "{wrong}");
        }
        let belief = Belief::of([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!((Part::Level(0.625).of(&belief) - 3.5).abs() < 1e-12);
        assert!((Part::Mean.of(&belief) - 3.0).abs() < 1e-12);
    }
}
