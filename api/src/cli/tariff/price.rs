//! `kwartier tariff price`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use comfy_table::CellAlignment;
use kwartier_data::local;
use kwartier_data::site::tariff::{Direction, Pricer};
use serde_json::json;

use super::super::failure::Failure;
use super::super::{Verdict, output, summary, usable_site};
use super::faults;

/// Tell what a kWh costs at an instant by a site's tariff, with its parts.
///
/// Exit codes: 0 told; 1 no price is in force then; 2 the site file cannot be used, or it has no tariff.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site file.
    #[arg(value_name = "FILE")]
    site: PathBuf,
    /// When, as in 2026-11-28T12:00:00+01:00.
    #[arg(long, value_name = "RFC3339")]
    at: DateTime<Utc>,
    /// The day-ahead price then, in EUR/kWh.
    #[arg(long, value_name = "EUR_KWH", default_value_t = 0.0, allow_hyphen_values = true)]
    spot: f64,
    /// What was used this calendar year so far, in kWh.
    #[arg(long, value_name = "KWH", default_value_t = 0.0)]
    used_kwh: f64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Tells it.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let site = usable_site(&args.site)?;
    let zone = local::zone(&site.time_zone).map_err(|remedy| Failure::Arguments(format!("time_zone: {remedy}")))?;
    let none = || Failure::Arguments(format!("{} has no [tariff]; add one", args.site.display()));
    let tariff = site.tariff.as_ref().ok_or_else(none)?;
    let unfit = |wrong: Vec<_>| Failure::Unfit { what: args.site.display().to_string(), findings: faults(&wrong) };
    let pricer = Pricer::new(tariff, zone).map_err(unfit)?;
    let parts = |direction| pricer.parts(direction, args.at, args.spot, args.used_kwh).collect::<Vec<_>>();
    let all = [("import", parts(Direction::Import)), ("export", parts(Direction::Export))];
    let peak_eur_kw = pricer.peak_eur_kw(local::day(zone, args.at));
    if args.json {
        let told = all.iter().map(|(name, parts)| {
            let sum: f64 = parts.iter().map(|part| part.eur_kwh).sum();
            let parts = parts.iter().map(|part| json!({ "name": part.name, "eur_kwh": part.eur_kwh }));
            ((*name).to_owned(), json!({ "eur_kwh": sum, "parts": parts.collect::<Vec<_>>() }))
        });
        let mut told: serde_json::Map<String, serde_json::Value> = told.collect();
        told.insert("at".to_owned(), json!(args.at));
        told.insert("peak_eur_kw_month".to_owned(), json!(peak_eur_kw));
        output::print_json(&told)?;
    } else {
        let mut table = summary::table();
        table.set_header(["", "part", "EUR/kWh"]);
        for (name, parts) in &all {
            for part in parts {
                table.add_row([(*name).to_owned(), part.name.to_owned(), format!("{:.5}", part.eur_kwh)]);
            }
            let sum: f64 = parts.iter().map(|part| part.eur_kwh).sum();
            table.add_row([(*name).to_owned(), "all together".to_owned(), format!("{sum:.5}")]);
        }
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let peak = format!("a kW of the month's highest quarter-hour: {peak_eur_kw:.2} EUR");
        output::print(&format!("{}\n{table}\n{peak}\n", local::shown(zone, args.at)))?;
    }
    Ok(if all[0].1.is_empty() { Verdict::Broken } else { Verdict::Fine })
}
