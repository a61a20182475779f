//! `kwartier tariff presets`.

use kwartier_data::site::tariff::presets;
use serde_json::json;

use super::super::failure::Failure;
use super::super::{Verdict, output, summary};

/// List the tariffs to begin with, with their sources and the day on which they were compared with those.
///
/// A site file names one as preset = "…" under [tariff] and adds its own components.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON, with all components.
    #[arg(long)]
    json: bool,
}

/// Lists them.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let presets = presets::ids().into_iter().filter_map(|id| Some((id, presets::preset(id)?)));
    if args.json {
        let all: Vec<_> = presets
            .map(|(id, preset)| {
                json!({ "id": id, "title": preset.title, "checked": preset.checked, "sources": preset.sources,
                        "missing": preset.missing, "tariff": preset.tariff })
            })
            .collect();
        output::print_json(&all)?;
        return Ok(Verdict::Fine);
    }
    let mut table = summary::table();
    table.set_header(["preset", "what it is", "checked", "sources", "to be added"]);
    for (id, preset) in presets {
        table.add_row([id, &preset.title, &preset.checked, &preset.sources.join("\n"), &preset.missing]);
    }
    output::print(&format!("{table}\n"))?;
    Ok(Verdict::Fine)
}
