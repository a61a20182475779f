//! `kwartier feeds replay`.

use std::path::PathBuf;

use comfy_table::Table;
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::{Verdict, output, summary};
use crate::fetch::record;
use crate::fetch::replay::{Day, play};
use crate::fetch::{Chosen, PRICES};
use crate::resource::feed::Source;

/// Play the answers of feeds that the service has kept once more: through the same parsers, and the same choice.
///
/// The service keeps every answer as it came in the folder "feeds" within its folder of data. For each area and day this says
/// what each feed answered and when, which of them counts and what others say to it.
///
/// Exit codes: 0 every day has its prices, and no two feeds disagree; 1 some day has not, or two do; 2 there is nothing to play.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of answers, such as /var/lib/kwartier/feeds.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Which feed to prefer: the first.
    #[arg(long, value_name = "FEEDS", value_delimiter = ',', default_values_t = PRICES.map(str::to_owned))]
    rank: Vec<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Plays them.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let source = |name: &String| {
        let known =
            || Failure::Arguments(format!("--rank: {name:?} is no feed of prices; name some of {}", PRICES.join(", ")));
        Source::of(name).filter(|source| PRICES.contains(&source.name())).ok_or_else(known)
    };
    let rank = args.rank.iter().map(source).collect::<Result<Vec<Source>, Failure>>()?;
    let (records, damaged) = record::read(&args.folder);
    if records.is_empty() && damaged.is_empty() {
        let what = format!(
            "{} holds no answers of feeds; name the folder \"feeds\" in the service's folder of data",
            args.folder.display()
        );
        return Err(Failure::Arguments(what));
    }
    output::notes(&damaged);
    let days = play(&records, &rank);
    if args.json {
        output::print_json(&days.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        output::print(&format!("{}\n", table(&days)))?;
    }
    Ok(if days.iter().all(Day::is_sound) { Verdict::Fine } else { Verdict::Broken })
}

fn table(days: &[Day]) -> Table {
    let mut table = summary::table();
    table.set_header(["area", "day", "what came (UTC)", "in force", "known at", "what others say"]);
    for day in days {
        let came =
            day.came.iter().map(|(at, source, said)| format!("{} {}: {said}", at.format("%d %H:%M:%S"), source.name()));
        let chosen = day.chosen.as_ref();
        table.add_row([
            day.area.clone(),
            day.day.to_string(),
            came.collect::<Vec<_>>().join("\n"),
            chosen.map_or("none", |chosen| chosen.heard.source.name()).to_owned(),
            day.known.map(|at| at.format("%d %H:%M").to_string()).unwrap_or_default(),
            chosen.map(|chosen| chosen.notes().join("\n")).unwrap_or_default(),
        ]);
    }
    table
}

fn as_json(day: &Day) -> Value {
    let chosen = day.chosen.as_ref();
    let came = day.came.iter().map(|(at, source, said)| json!({ "at": at, "source": source, "said": said }));
    json!({
        "area": day.area,
        "day": day.day,
        "came": came.collect::<Vec<_>>(),
        "source": chosen.map(|chosen| chosen.heard.source),
        "known": day.known,
        "notes": chosen.map(Chosen::notes).unwrap_or_default(),
    })
}
