//! `kwartier forecast load`, `pv` and `price`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::forecast::Belief;
use kwartier_forecast::prior::{Building, usual_building};

use super::chain::{self, LONGEST, Wanted};
use super::model;
use super::quarters::{Quarters, measured};
use crate::cli::failure::Failure;
use crate::cli::history::{HistoryArgs, Kind, Known, Until, ends_early};
use crate::cli::input::is_dash;
use crate::cli::methods::Methods;
use crate::cli::output::Destination;
use crate::cli::span::{self, When};
use crate::cli::usage::Usage;
use crate::cli::{Verdict, output};
use crate::report::fan::{self, Fan};

/// How much of what was measured the chart shows before the forecast.
const SHOWN_BEFORE: usize = 2 * 96;

/// What stands below the options.
pub const AFTER_HELP: &str = "\
The forecast is CSV with the columns start,mean,q05,q10,q25,q50,q75,q90,q95: one row for each quarter-hour from --at on, \
in UTC, in the unit of the history; where that is an energy per interval, in the power it means. What was found wrong or \
assumed stands on standard error.

Exit codes: 0 forecast; 1 an internal fault; 2 input that cannot be used.";

/// What to forecast, from what, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// What is known ends here; without it, with the history. A time without offset or Z is one of --tz.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    at: Option<When>,
    /// Prices of --history up to then had been published at --at, and are known: auction for those of the European day-ahead
    /// auction, the day after from 13:00 in Brussels on. Without it nothing after --at is known.
    #[arg(long, value_name = "auction|TIME", requires = "at", value_parser = Until::parse)]
    published_until: Option<Until>,
    /// How far ahead.
    #[arg(long, value_name = "LENGTH", default_value = "48h", value_parser = span::length)]
    horizon: TimeDelta,
    /// What the building is used for: what counts before there is a history.
    #[arg(long, value_enum)]
    building_type: Option<Usage>,
    /// What the building draws in a year, in kWh.
    #[arg(long, value_name = "KWH", requires = "building_type", value_parser = span::positive)]
    annual_kwh: Option<f64>,
    /// Use the model that --save-model wrote instead of fitting one.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Save the fitted model.
    #[arg(long, value_name = "FILE")]
    save_model: Option<PathBuf>,
    /// Draw the forecast with its bands as SVG.
    #[arg(long, value_name = "CHART.svg")]
    chart: Option<PathBuf>,
    /// What then happened, a file like the history: it is drawn in, and how far off the forecast was stands on standard
    /// error. The forecast does not see it.
    #[arg(long, value_name = "FILE", requires = "history")]
    happened: Option<PathBuf>,
    /// Where the forecast goes, a CSV file; without it, or with -, to standard output.
    #[arg(long, value_name = "FORECAST.csv")]
    out: Option<PathBuf>,
}

impl Args {
    /// The building, where its use is said.
    fn building(&self) -> Option<Building> {
        let usage = self.building_type?.into();
        Some(Building { usage, annual_kwh: self.annual_kwh })
    }
}

/// The places of the outputs, checked.
struct Places {
    out: Destination,
    chart: Option<Destination>,
    model: Option<Destination>,
}

/// Reads, fits, forecasts, writes.
pub fn run(args: &Args, kind: Kind) -> Result<Verdict, Failure> {
    args.history.one_dash()?;
    if args.horizon > LONGEST {
        let what =
            format!("--horizon reaches {} days ahead; {} is the most", args.horizon.num_days(), LONGEST.num_days());
        return Err(Failure::Arguments(what));
    }
    if args.published_until.is_some() && kind != Kind::Price {
        let what = format!("--published-until is of prices; {} is known when it was measured", kind.name());
        return Err(Failure::Arguments(what));
    }
    let places = Places::prepare(args)?;
    let at = span::instant("--at", args.at, args.history.tz)?;
    let (known, at) = args.history.read_published(kind, at, args.published_until)?;
    let mut known = known.clean(kind, at);
    let past = known.history.as_of(at);
    let mut notes = std::mem::take(&mut known.notes);
    notes.extend(ends_early(known.history.truth(), at));
    let mut methods = Methods::of(kind, &known);
    match args.building() {
        Some(building) if kind == Kind::Load => methods.prior = Some(usual_building(building)),
        Some(_) => notes.push(format!("--building-type says nothing about {}; it is not used", kind.name())),
        None => {}
    }
    let remedy = match kind {
        Kind::Load => "give a longer one, or say what is known of the building: --building-type and --annual-kwh",
        Kind::Pv => "give a longer one, or say what is known of the plant: --lat, --lon and --kwp",
        Kind::Price => "give a longer one",
    };
    let wanted = Wanted { kind, at, length: args.horizon, model: args.model.as_deref(), remedy };
    let (chosen, quarters) = chain::believe(&methods, &known, &wanted, &mut notes)?;
    notes.push(format!("{} by {}, in {}", kind.title(), chosen.method.name(), known.unit.name));
    let happened = args.happened.as_ref().map(|path| args.history.happened(kind, path)).transpose()?;
    let happened = happened.map_or_else(Vec::new, |series| measured(&series, quarters.start, quarters.beliefs.len()));
    if args.happened.is_some() {
        notes.push(quarters.against(&happened, known.unit));
    }
    if let Some(place) = &places.model {
        model::save(place, &chosen, kind, &past, &mut notes)?;
    }
    if let Some(place) = &places.chart {
        let title = format!("{} forecast {}", kind.title(), args.history.name());
        place.write(chart(title.trim(), &known, at, &quarters, happened)?.as_bytes())?;
    }
    output::notes(&notes);
    places.out.write(quarters.csv(known.unit).as_bytes())?;
    Ok(Verdict::Fine)
}

fn chart(
    title: &str,
    known: &Known,
    at: DateTime<Utc>,
    quarters: &Quarters,
    mut happened: Vec<Option<f64>>,
) -> Result<String, Failure> {
    let unit = known.unit;
    // The picture ends where nothing is said any more.
    let beliefs: Vec<Belief> = quarters
        .beliefs
        .iter()
        .map_while(|belief| belief.map(|belief| belief.map(|value| unit.value(value))))
        .collect();
    let start = quarters.start - TimeDelta::minutes(15) * i32::try_from(SHOWN_BEFORE).unwrap_or(0);
    let mut before = measured(known.history.truth(), start, SHOWN_BEFORE);
    before.iter_mut().flatten().for_each(|value| *value = unit.value(*value));
    happened.truncate(beliefs.len());
    happened.iter_mut().flatten().for_each(|value| *value = unit.value(*value));
    if before.iter().all(Option::is_none) {
        before.clear();
    }
    let zone = known.history.as_of(at).zone();
    let fan = Fan {
        title,
        unit: unit.name,
        zone,
        made_at: at,
        start: quarters.start,
        beliefs: &beliefs,
        before: &before,
        after: &happened,
    };
    fan::svg(&fan).map_err(|fault| Failure::Internal(fault.to_string()))
}

impl Places {
    fn prepare(args: &Args) -> Result<Self, Failure> {
        let out = args.out.as_deref().unwrap_or(Path::new("-"));
        let named =
            [("--out", Some(out)), ("--chart", args.chart.as_deref()), ("--save-model", args.save_model.as_deref())];
        let mut prepared: Vec<Option<Destination>> = Vec::new();
        for (option, path) in named {
            let Some(path) = path else {
                prepared.push(None);
                continue;
            };
            let place =
                Destination::apart(option, path, args.history.files().chain(&args.model).chain(&args.happened))?;
            let taken =
                |other: &&Destination| place.same(other) || (is_dash(path) && matches!(other, Destination::Stdout));
            if prepared.iter().flatten().any(|other| taken(&other)) {
                let what = format!("{option} {} is taken by another output; name another file", path.display());
                return Err(Failure::Arguments(what));
            }
            prepared.push(Some(place));
        }
        let mut prepared = prepared.into_iter();
        let mut next = || prepared.next().flatten();
        Ok(Places { out: next().unwrap_or(Destination::Stdout), chart: next(), model: next() })
    }
}
