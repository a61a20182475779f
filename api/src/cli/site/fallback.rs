//! `kwartier site fallback`.

use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use kwartier_data::compose::{self, Horizon, Need};
use kwartier_data::local::{self, TimeOfDay};
use kwartier_data::site::file::{Given, update};
use kwartier_data::site::{Hourly, Site};
use kwartier_data::{Finding, roster};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::fallback::full::{Filled, Visit, full_at};
use kwartier_engine::fallback::propose::propose;
use kwartier_engine::fallback::prove::prove;
use kwartier_engine::fallback::{ByHour, is_reliable};
use serde::Serialize;

use super::{proof, text};
use crate::cli::failure::Failure;
use crate::cli::output::Destination;
use crate::cli::{Verdict, input, output};

/// Find what each station may store for the time in which it hears nothing: the most that is safe whoever is offline.
///
/// With a roster, also which vehicles would be full if the link died.
///
/// Exit codes: 0 what stands in the file fits, or nothing stands there; 1 it does not fit; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site file.
    #[arg(value_name = "SITE.toml")]
    site: PathBuf,
    /// A station that can store only one value for all hours, or "all"; once for each.
    #[arg(long, value_name = "STATION")]
    constant: Vec<String>,
    /// Write the site file with the values in it; everything else stays as it is.
    #[arg(long, value_name = "SITE.toml")]
    out: Option<PathBuf>,
    /// Who stays where and when and needs how much: a CSV or XLSX file.
    #[arg(long, value_name = "ROSTER")]
    roster: Option<PathBuf>,
    /// Local time of day at which the link dies.
    #[arg(long, value_name = "HH:MM", default_value = "18:00", requires = "roster", value_parser = time_of_day)]
    link_dies: TimeOfDay,
    /// Local time of day until which it stays dead, the next day's where it is not later.
    #[arg(long, value_name = "HH:MM", default_value = "06:00", requires = "roster", value_parser = time_of_day)]
    until: TimeOfDay,
    /// The local day on which the link dies; without it, today at the site.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "roster")]
    date: Option<NaiveDate>,
    /// Print everything as one JSON object.
    #[arg(long)]
    json: bool,
}

fn time_of_day(text: &str) -> Result<TimeOfDay, String> {
    TimeOfDay::parse(text).ok_or_else(|| "a time of day is wanted, such as 18:00".to_owned())
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    site: String,
    /// Whether what stands in the file fits everywhere.
    stored_fits: bool,
    /// Boards whose building is unknown, so that nothing is proven there.
    unproven_boards: Vec<String>,
    stations: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outage: Option<Outage>,
}

/// A station's values by hour in A.
#[derive(Debug, Serialize)]
struct Row {
    station: String,
    stored_a: Option<ByHour>,
    fits_a: Option<ByHour>,
}

/// Who would be full if the link died.
#[derive(Debug, Serialize)]
struct Outage {
    from: String,
    until: String,
    vehicles: Vec<Vehicle>,
    #[serde(skip)]
    span: (DateTime<Utc>, DateTime<Utc>),
}

#[derive(Debug, Serialize)]
struct Vehicle {
    #[serde(rename = "vehicle")]
    name: String,
    station: String,
    need_kwh: f64,
    /// With what stands in the file.
    stored: Got,
    /// With what would fit.
    fits: Got,
}

#[derive(Debug, Serialize)]
struct Got {
    kwh: f64,
    full_at: Option<String>,
    #[serde(skip)]
    at: Option<DateTime<Utc>>,
}

impl From<Filled> for Got {
    fn from(filled: Filled) -> Self {
        let kwh = (filled.kwh * 1000.0).round() / 1000.0;
        Got { kwh, full_at: filled.full_at.map(stamp), at: filled.full_at }
    }
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Reads, computes, prints.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    input::one_dash(&[Some(&args.site), args.roster.as_ref()])?;
    if args.json && args.out.as_ref().is_some_and(|out| input::is_dash(out)) {
        let what = "--json and --out - both want standard output; name a file for --out, or leave --json out";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let destination = args.out.as_ref().map(|out| Destination::prepare(out)).transpose()?;
    let (file, toml) = super::input::site(&args.site)?;
    let of_fallback = |finding: &Finding| finding.code.contains("fallback") && finding.code != "bad-fallback";
    let errors: Vec<Finding> = file.check().into_iter().filter(|f| f.is_error() && !of_fallback(f)).collect();
    let setup = proof::setup(&file.site).filter(|_| errors.is_empty()).ok_or_else(|| Failure::Unfit {
        what: format!("{} has errors, and nothing is computed around them", args.site.display()),
        findings: text::list(&errors),
    })?;
    let site = file.site;
    let all = args.constant.iter().any(|name| name == "all");
    if let Some(unknown) = args.constant.iter().find(|name| *name != "all" && setup.device(name).is_none()) {
        return Err(Failure::Arguments(format!(
            "--constant {unknown}: the site has no such station; write its name as in the site file, or \"all\""
        )));
    }
    let values = propose(&setup, |k| all || args.constant.contains(&setup.devices[k].id));
    let stored: Vec<Option<ByHour>> =
        setup.devices.iter().map(|device| device.fallback_a.filter(|_| is_reliable(device))).collect();
    let outage = args.roster.as_ref().map(|_| outage(args, &site, &setup, &stored, &values)).transpose()?;
    let nothing_stored = site.stations.iter().all(|station| station.fallback_a.is_none());
    let rows = setup.devices.iter().zip(&values).take(site.stations.len());
    let report = Report {
        stored_fits: nothing_stored || prove(&setup).is_empty(),
        unproven_boards: setup.nodes.iter().filter(|n| n.building_max_a.is_none()).map(|n| n.id.clone()).collect(),
        stations: rows
            .map(|(device, value)| Row { station: device.id.clone(), stored_a: device.fallback_a, fits_a: *value })
            .collect(),
        outage,
        site: site.name.clone(),
    };
    if let Some(destination) = &destination {
        destination.write(with_values(&site, &toml, &setup, &values)?.as_bytes())?;
    }
    let shown = report.text(&setup, nothing_stored);
    match &destination {
        _ if args.json => output::print_json(&report)?,
        Some(Destination::Stdout) => output::note(&shown),
        _ => output::print(&shown)?,
    }
    Ok(if report.stored_fits { Verdict::Fine } else { Verdict::Broken })
}

/// The site file with the values in it.
fn with_values(site: &Site, toml: &str, setup: &Setup, values: &[Option<ByHour>]) -> Result<String, Failure> {
    let mut stations = site.stations.clone();
    for station in &mut stations {
        let Some(value) = setup.device(&station.id).and_then(|k| values[k]) else { continue };
        station.fallback_a = Some(Hourly::of(&value));
    }
    let given = Given { boards: None, stations: Some(&stations) };
    let written = update(toml, site, given).map(|(text, _)| text);
    written.map_err(|why| {
        Failure::Arguments(format!("--out wants a site file in TOML ({why}); write the values into it by hand"))
    })
}

fn outage(
    args: &Args,
    site: &Site,
    setup: &Setup,
    stored: &[Option<ByHour>],
    values: &[Option<ByHour>],
) -> Result<Outage, Failure> {
    let zone = setup.zone;
    let day = args.date.unwrap_or_else(|| local::day(zone, Utc::now()));
    let from = args.link_dies.on(zone, day);
    let until = Some(args.until.on(zone, day)).filter(|until| *until > from);
    let until = until.unwrap_or_else(|| args.until.on(zone, local::next_day(day)));
    let path = args.roster.as_ref().ok_or_else(|| Failure::Internal("no roster".to_owned()))?;
    let roster = input::parse(path, "roster", |bytes| roster::parse(bytes, zone))?;
    let slots = usize::try_from((until - from).num_minutes()).unwrap_or(0);
    let horizon = Horizon { start: from, slot_minutes: 1, slots };
    let refused =
        |refusal| Failure::Refused { name: path.display().to_string(), kind: "roster for this site", refusal };
    let (needs, notes) = compose::needs(site, &roster, horizon).map_err(refused)?;
    output::notes(&notes.into_iter().map(|note| note.text).collect::<Vec<_>>());
    let mut visits = Vec::with_capacity(needs.len());
    for need in &needs {
        visits.push(visit(setup, need)?);
    }
    let got = full_at(setup, stored, &visits, from, until);
    let would = full_at(setup, values, &visits, from, until);
    let vehicles = needs.iter().zip(got).zip(would).map(|((need, stored), fits)| Vehicle {
        name: need.stay.entry.vehicle.clone(),
        station: need.stay.entry.station.clone(),
        need_kwh: (need.charger_kwh * 1000.0).round() / 1000.0,
        stored: stored.into(),
        fits: fits.into(),
    });
    Ok(Outage { from: stamp(from), until: stamp(until), vehicles: vehicles.collect(), span: (from, until) })
}

fn visit(setup: &Setup, need: &Need<'_>) -> Result<Visit, Failure> {
    let station = &need.stay.entry.station;
    let unknown = || {
        Failure::Arguments(format!(
            "the roster, row {}: {station:?} is no station of the site; name one of them",
            need.stay.entry.row
        ))
    };
    Ok(Visit {
        device: setup.device(station).ok_or_else(unknown)?,
        phases: usize::from(need.phases),
        min_a: need.min_a,
        max_a: need.max_a,
        need_kwh: need.charger_kwh,
        arrival: need.stay.arrival,
        departure: need.stay.departure,
    })
}

impl Report {
    fn text(&self, setup: &Setup, nothing_stored: bool) -> String {
        let mut text = String::new();
        let rows = self.stations.iter().map(|row| {
            let stored = row.stored_a.map_or_else(|| "nothing".to_owned(), |value| ranges(&value));
            let fits = row.fits_a.map_or_else(|| "counts with its rating".to_owned(), |value| ranges(&value));
            vec![row.station.clone(), stored, fits]
        });
        table(&mut text, ["station", "in the file", "would fit"].map(str::to_owned).to_vec(), rows.collect());
        let fits = if nothing_stored {
            "nothing is stored yet"
        } else if self.stored_fits {
            "what stands in the file fits"
        } else {
            "what stands in the file does not fit; `kwartier site check` tells where"
        };
        let _ = writeln!(text, "\n{}: {fits}.", self.site);
        if !self.unproven_boards.is_empty() {
            let _ = writeln!(
                text,
                "Not proven: building_max_a is unknown on {}, and counts as 0 there.",
                self.unproven_boards.join(", ")
            );
        }
        if let Some(outage) = &self.outage {
            outage.text(&mut text, setup);
        }
        text
    }
}

impl Outage {
    fn text(&self, text: &mut String, setup: &Setup) {
        let zone = setup.zone;
        let clock = |at: DateTime<Utc>| at.with_timezone(&zone).format("%H:%M").to_string();
        let (from, until) = self.span;
        let _ = writeln!(
            text,
            "\nIf the link died at {} and stayed dead until {}, with nothing charged before:\n",
            local::shown(zone, from),
            clock(until)
        );
        let shown = |got: &Got, need_kwh: f64| match got.at {
            Some(at) => format!("full at {}", clock(at)),
            None => format!("{:.1} kWh, {:.0} %", got.kwh, (100.0 * got.kwh / need_kwh).floor()),
        };
        let rows = self.vehicles.iter().map(|of| {
            let need = format!("{:.1} kWh", of.need_kwh);
            let (stored, fits) = (shown(&of.stored, of.need_kwh), shown(&of.fits, of.need_kwh));
            vec![of.name.clone(), of.station.clone(), need, stored, fits]
        });
        let head = ["vehicle", "station", "wants", "as in the file", "as would fit"];
        table(text, head.map(str::to_owned).to_vec(), rows.collect());
        let full = |got: fn(&Vehicle) -> &Got| self.vehicles.iter().filter(|of| got(of).full_at.is_some()).count();
        let _ = writeln!(
            text,
            "\n{} of {} would be full as in the file, {} as would fit.",
            full(|of| &of.stored),
            self.vehicles.len(),
            full(|of| &of.fits)
        );
    }
}

/// Hours with the same value together: `00-07 16 A, 07-24 6 A`; one value alone where it never changes.
fn ranges(value: &ByHour) -> String {
    let mut parts = Vec::new();
    let mut first = 0;
    for hour in 1..=value.len() {
        if hour == value.len() || value[hour].total_cmp(&value[first]).is_ne() {
            parts.push((first, hour, value[first]));
            first = hour;
        }
    }
    match parts[..] {
        [(_, _, amps)] => format!("{amps} A"),
        _ => parts.iter().map(|(from, to, amps)| format!("{from:02}-{to:02} {amps} A")).collect::<Vec<_>>().join(", "),
    }
}

/// Columns as wide as their widest cell.
fn table(text: &mut String, head: Vec<String>, rows: Vec<Vec<String>>) {
    let all: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = all[0].len();
    let width = |k: usize| all.iter().map(|row| row[k].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &all {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
