//! `kwartier tariff import`.

use std::path::PathBuf;

use kwartier_data::site::Tariff;
use kwartier_data::site::tariff::{check, read_components};
use serde::Serialize;

use super::super::failure::Failure;
use super::super::output::Destination;
use super::super::{Verdict, input, output};
use super::faults;

/// Make the [tariff] of a site file from a table of components.
///
/// Columns are those of docs/formats/inputs.md. What is written is TOML, to stand in a site file.
///
/// Exit codes: 0 written; 2 the table cannot be used: nothing is written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The table, CSV.
    #[arg(value_name = "FILE")]
    table: PathBuf,
    /// A preset to begin with.
    #[arg(long, value_name = "ID")]
    preset: Option<String>,
    /// Value added tax in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, conflicts_with = "preset")]
    vat_percent: f64,
    /// Whether VAT is a cost, as it is for homes.
    #[arg(long, conflicts_with = "preset")]
    vat_counts: bool,
    /// Where to write it; standard output where nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What stands in a site file.
#[derive(Serialize)]
struct Section {
    tariff: Tariff,
}

/// Makes it.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let out = args.out.as_deref().map(Destination::prepare).transpose()?;
    let components = input::parse(&args.table, "table of a tariff's components", read_components)?;
    let tariff = Tariff {
        preset: args.preset.clone(),
        vat_percent: args.vat_percent,
        vat_counts: args.vat_counts,
        used: None,
        components,
    };
    let wrong = check(&tariff);
    if !wrong.is_empty() {
        let what = format!("{} makes no usable tariff", args.table.display());
        return Err(Failure::Unfit { what, findings: faults(&wrong) });
    }
    let text = toml::to_string(&Section { tariff }).map_err(|why| Failure::Internal(why.to_string()))?;
    match out {
        Some(out) => out.write(text.as_bytes())?,
        None => output::print(&text)?,
    }
    Ok(Verdict::Fine)
}
