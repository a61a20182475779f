//! `kwartier site export`.

use std::fs;
use std::path::PathBuf;

use clap::ValueEnum;
use kwartier_data::tables::write::{Delimiter, Language, csv, xlsx};

use super::input;
use crate::cli::failure::Failure;
use crate::cli::output::Destination;
use crate::cli::{Verdict, output};

/// Write a site's boards and stations as tables.
///
/// Exit codes: 0 written; 2 input that cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site file; - for standard input.
    #[arg(value_name = "SITE.toml")]
    site: PathBuf,
    /// A workbook, or a folder for two CSV files; tables that are there already are replaced.
    #[arg(long, value_name = "FOLDER|FILE.xlsx")]
    out: PathBuf,
    /// The language of the headers.
    #[arg(long, value_enum, default_value_t = Headers::Nl)]
    language: Headers,
    /// CSV with commas and decimal points instead of semicolons and decimal commas.
    #[arg(long)]
    comma: bool,
}

/// A language, as it is named on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Headers {
    /// Dutch.
    Nl,
    /// English.
    En,
    /// German.
    De,
}

impl From<Headers> for Language {
    fn from(headers: Headers) -> Self {
        match headers {
            Headers::Nl => Language::Dutch,
            Headers::En => Language::English,
            Headers::De => Language::German,
        }
    }
}

/// Reads, writes.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let (file, _) = input::site(&args.site)?;
    let language: Language = args.language.into();
    let ending = args.out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    if ending.as_deref() == Some("xlsx") && !args.out.is_dir() {
        let destination = Destination::prepare(&args.out)?;
        destination.write(&xlsx(&file.site, language).map_err(|fault| Failure::Internal(fault.to_string()))?)?;
        output::print(&format!("The tables are in {}.\n", args.out.display()))?;
        return Ok(Verdict::Fine);
    }
    if args.out.is_file() || matches!(ending.as_deref(), Some("csv" | "xls" | "ods")) {
        let what =
            format!("--out {} is neither a folder nor an .xlsx file; two tables need one of them", args.out.display());
        return Err(Failure::Arguments(what));
    }
    fs::create_dir_all(&args.out).map_err(|fault| Failure::Unwritable {
        name: args.out.display().to_string(),
        why: fault.to_string(),
        remedy: "name a folder that you may make or write to",
    })?;
    let delimiter = if args.comma { Delimiter::Comma } else { Delimiter::Semicolon };
    let (boards, stations) = csv(&file.site, language, delimiter);
    let names = language.table_names();
    let paths = [names.0, names.1].map(|name| args.out.join(format!("{}.csv", name.to_lowercase())));
    let destinations = [Destination::prepare(&paths[0])?, Destination::prepare(&paths[1])?];
    destinations[0].write(boards.as_bytes())?;
    destinations[1].write(stations.as_bytes())?;
    output::print(&format!("The tables are in {} and {}.\n", paths[0].display(), paths[1].display()))?;
    Ok(Verdict::Fine)
}
