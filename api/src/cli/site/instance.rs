//! `kwartier site instance`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, Utc};
use chrono_tz::Tz;
use kwartier_data::compose::{self, Horizon, Inputs, Note};
use kwartier_data::instance::wire;
use kwartier_data::local::{self, TimeOfDay};
use kwartier_data::series::{self, PlantPower, Quantity, Reading, Unit};
use kwartier_data::{roster, site};
use serde::Serialize;

use super::foresee::{self, ForecastArgs, Given};
use crate::cli::failure::Failure;
use crate::cli::output::Destination;
use crate::cli::{Verdict, input, output};

/// Length of a slot: what grid and markets are billed by.
const SLOT_MINUTES: u32 = 15;

/// Make a planning instance of a local day from a site, a roster, prices and forecasts.
///
/// What is assumed, because nothing says it, stands on standard error.
///
/// Exit codes: 0 made; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site file.
    #[arg(value_name = "SITE.toml")]
    site: PathBuf,
    /// Who stays where and when and needs how much: a CSV or XLSX file.
    #[arg(long, value_name = "ROSTER")]
    roster: PathBuf,
    /// Spot prices: a CSV file, packed with gzip or not, as are all series.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Unit of the prices, where their column's name does not end in it: EUR/MWh, EUR/kWh or ct/kWh.
    #[arg(long, value_name = "UNIT", requires = "prices", value_parser = price_unit)]
    price_unit: Option<Unit>,
    /// Column of the prices, where there are several.
    #[arg(long, value_name = "NAME", requires = "prices")]
    price_column: Option<String>,
    /// What the building draws, in kW or by board and phase in A.
    #[arg(
        long,
        value_name = "FILE",
        help = "What the building draws: start,kw, or start,board,l1_a,l2_a,l3_a for boards by themselves"
    )]
    building: Vec<PathBuf>,
    /// What PV plants deliver, in kW or in kW per kWp.
    #[arg(
        long,
        value_name = "FILE",
        help = "What PV plants deliver: start,kw, a column for each plant, or start,kw_per_kwp"
    )]
    pv: Vec<PathBuf>,
    /// Carbon intensity of imported energy, in kg/kWh or g/kWh.
    #[arg(long, value_name = "FILE")]
    co2: Option<PathBuf>,
    /// The local day; without it, tomorrow at the site.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    date: Option<NaiveDate>,
    /// Local time of day at which the plan begins; it ends when the clock shows it again the next day.
    #[arg(long, value_name = "HH:MM", default_value = "00:00", value_parser = time_of_day)]
    start: TimeOfDay,
    /// Zone of the stamps in series that have neither offset nor Z.
    #[arg(long, value_name = "ZONE", value_parser = local::zone)]
    tz: Option<Tz>,
    /// Highest import of this month before the plan, in kW.
    #[arg(long, value_name = "KW", value_parser = not_negative)]
    peak_so_far_kw: Option<f64>,
    /// Energy imported this calendar year before the plan, in kWh.
    #[arg(long, value_name = "KWH", value_parser = not_negative)]
    used_this_year_kwh: Option<f64>,
    /// Energy in a stationary battery when the plan begins, in kWh; once for each battery.
    #[arg(long, value_name = "ID=KWH", value_parser = battery_soc)]
    battery_soc: Vec<(String, f64)>,
    #[command(flatten)]
    foresee: ForecastArgs,
    /// Where the instance goes, a JSON file; - for standard output.
    #[arg(long, value_name = "INSTANCE.json")]
    out: PathBuf,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Summary {
    start: String,
    end: String,
    slots: u64,
    stays: usize,
    vehicles: usize,
    need_kwh: f64,
    import_eur_kwh_min: f64,
    import_eur_kwh_mean: f64,
    import_eur_kwh_max: f64,
    notes: Vec<Note>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forecast_notes: Vec<String>,
}

/// Reads everything, composes, writes, summarises.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let others = args.building.iter().chain(&args.pv).chain(&args.prices).chain(&args.co2).chain(args.foresee.files());
    let files: Vec<&PathBuf> = [&args.site, &args.roster].into_iter().chain(others).collect();
    input::one_dash(&files.iter().map(|&path| Some(path)).collect::<Vec<_>>())?;
    if args.json && input::is_dash(&args.out) {
        let what = "--json and --out - both want standard output; name a file for --out, or leave --json out";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let destination = Destination::apart("--out", &args.out, files.iter().copied())?;

    let site = super::input::usable(&args.site)?;
    let zone = local::zone(&site.time_zone).map_err(|remedy| {
        let what = format!("{}: time_zone {:?} is no time zone; {remedy}", args.site.display(), site.time_zone);
        Failure::Arguments(what)
    })?;
    let read = if args.foresee.session_history.is_some() { roster::parse_open } else { roster::parse };
    let mut roster = input::parse(&args.roster, "roster", |bytes| read(bytes, zone))?;
    let reading =
        Reading { zone: args.tz, column: args.price_column.as_deref(), unit: args.price_unit, ..Reading::default() };
    let prices = |path: &PathBuf| input::parse(path, "price file", |b| series::read(b, Quantity::Price, &reading));
    let prices = args.prices.as_ref().map(prices).transpose()?;
    let reading = Reading { zone: args.tz, ..Reading::default() };
    let co2 = |path: &PathBuf| {
        input::parse(path, "file of carbon intensity", |b| series::read(b, Quantity::Carbon, &reading))
    };
    let co2 = args.co2.as_ref().map(co2).transpose()?;
    let building = args.building.iter();
    let building = building.map(|path| input::parse(path, "building file", |b| series::read_building(b, args.tz)));
    let building = building.collect::<Result<Vec<_>, _>>()?;
    let pv = plants(&args.pv, &site.pv, args.tz)?;

    let day = args.date.unwrap_or_else(|| local::next_day(local::day(zone, Utc::now())));
    let horizon = Horizon::of_day(zone, day, args.start, SLOT_MINUTES);
    let mut given = Given { building, pv, prices };
    let mut forecast_notes = Vec::new();
    if args.foresee.forecast {
        given = foresee::complete(&args.foresee, &site, horizon, args.tz, given, &mut roster, &mut forecast_notes)?;
    }
    let inputs = Inputs {
        horizon,
        roster: &roster,
        prices: given.prices.as_ref(),
        building: &given.building,
        pv: &given.pv,
        co2: co2.as_ref(),
        peak_so_far_kw: args.peak_so_far_kw,
        used_this_year_kwh: args.used_this_year_kwh,
        battery_soc_kwh: &args.battery_soc,
    };
    let (instance, notes) = compose::instance(&site, &inputs).map_err(|refusal| Failure::Refused {
        name: "what was given".to_owned(),
        kind: "basis for a planning instance",
        refusal,
    })?;
    let mut content = serde_json::to_vec(&instance).map_err(|fault| Failure::Internal(fault.to_string()))?;
    content.push(b'\n');
    destination.write(&content)?;

    let summary = Summary { forecast_notes, ..Summary::of(&instance, zone, &inputs.horizon, notes) };
    if args.json {
        output::print_json(&summary)?;
        return Ok(Verdict::Fine);
    }
    output::notes(&summary.forecast_notes);
    for note in &summary.notes {
        let kind = if note.code.is_warning() { "warning" } else { "note" };
        output::note(&format!("{kind}: {}\n", note.text));
    }
    let text = summary.text(&site.name, zone);
    match &destination {
        Destination::Stdout => output::note(&text),
        _ => output::print(&format!("{text}The instance is in {}.\n", args.out.display()))?,
    }
    Ok(Verdict::Fine)
}

/// The plants of all PV files, each in one of them.
fn plants(paths: &[PathBuf], plants: &[site::PvPlant], zone: Option<Tz>) -> Result<Vec<PlantPower>, Failure> {
    let mut all: Vec<(PlantPower, &Path)> = Vec::new();
    for path in paths {
        for power in input::parse(path, "PV file", |bytes| series::read_pv(bytes, plants, zone))? {
            if let Some((_, first)) = all.iter().find(|(other, _)| other.plant == power.plant) {
                let what = format!(
                    "{} and {} both hold the plant {}; leave it out of one of them",
                    first.display(),
                    path.display(),
                    power.plant
                );
                return Err(Failure::Arguments(what));
            }
            all.push((power, path));
        }
    }
    Ok(all.into_iter().map(|(power, _)| power).collect())
}

impl Summary {
    fn of(instance: &wire::Instance, zone: Tz, horizon: &Horizon, notes: Vec<Note>) -> Self {
        let prices = &instance.grid.import_eur_kwh;
        let mut vehicles: Vec<&str> =
            instance.sessions.iter().map(|session| session.id.split('@').next().unwrap_or_default()).collect();
        vehicles.sort_unstable();
        vehicles.dedup();
        Summary {
            start: local::shown(zone, horizon.start),
            end: local::shown(zone, horizon.end()),
            slots: instance.slots,
            stays: instance.sessions.len(),
            vehicles: vehicles.len(),
            need_kwh: instance.sessions.iter().map(|session| session.need_kwh).sum(),
            import_eur_kwh_min: prices.iter().copied().fold(f64::INFINITY, f64::min),
            import_eur_kwh_mean: prices.iter().sum::<f64>() / prices.len() as f64,
            import_eur_kwh_max: prices.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            notes,
            forecast_notes: Vec::new(),
        }
    }

    fn text(&self, site: &str, zone: Tz) -> String {
        let mut text =
            format!("{site}, {} to {}, {}: {} quarter-hours\n", self.start, self.end, zone.name(), self.slots);
        let _ = writeln!(
            text,
            "{} of {} need {:.1} kWh in all",
            counted(self.stays, "stay", "stays"),
            counted(self.vehicles, "vehicle", "vehicles"),
            self.need_kwh
        );
        let _ = writeln!(
            text,
            "import costs {:.4} to {:.4} EUR/kWh, {:.4} on average",
            self.import_eur_kwh_min, self.import_eur_kwh_max, self.import_eur_kwh_mean
        );
        text
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn date(text: &str) -> Result<NaiveDate, String> {
    local::date(text).ok_or_else(|| "a date is wanted, such as 2026-11-25".to_owned())
}

fn time_of_day(text: &str) -> Result<TimeOfDay, String> {
    let time = TimeOfDay::parse(text).filter(|time| time.minutes() < 24 * 60);
    time.ok_or_else(|| "a time of day is wanted, such as 06:00".to_owned())
}

fn price_unit(text: &str) -> Result<Unit, String> {
    let unit = Unit::parse(text).filter(|unit| unit.quantity == Quantity::Price);
    unit.ok_or_else(|| format!("one of {} is wanted", Quantity::Price.units().join(", ")))
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("a number is wanted, 0 or more".to_owned()),
    }
}

fn battery_soc(text: &str) -> Result<(String, f64), String> {
    let wanted = || "the battery's name and its energy in kWh are wanted, such as B1=12.5".to_owned();
    let (name, kwh) = text.rsplit_once('=').ok_or_else(wanted)?;
    Ok((name.to_owned(), not_negative(kwh).map_err(|_| wanted())?))
}
