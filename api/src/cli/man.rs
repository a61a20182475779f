//! `kwartier man`.

use std::fs;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::failure::Failure;
use super::output::Destination;
use super::{Cli, Verdict, output};

/// Print the manual page, or write the pages of all commands into a folder.
///
/// To read it at once: kwartier man | man -l -
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder to write kwartier.1, kwartier-plan.1 and so on into.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Prints or writes the pages.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.out else {
        output::print(&String::from_utf8_lossy(&page(&command)?))?;
        return Ok(Verdict::Fine);
    };
    fs::create_dir_all(folder).map_err(|fault| Failure::Unwritable {
        name: folder.display().to_string(),
        why: fault.to_string(),
        remedy: "name a folder that you may write to",
    })?;
    let mut pages = Vec::new();
    collect(&command, "kwartier", &mut pages);
    let pages = pages.into_iter().map(|(name, command)| {
        let destination = Destination::prepare(&folder.join(format!("{name}.1")))?;
        Ok((destination, page(&command.clone().display_name(name))?))
    });
    for (destination, content) in pages.collect::<Result<Vec<_>, Failure>>()? {
        destination.write(&content)?;
    }
    Ok(Verdict::Fine)
}

/// A command and those below it, by the names of their pages; hidden ones have none.
fn collect<'c>(command: &'c Command, name: &str, pages: &mut Vec<(String, &'c Command)>) {
    pages.push((name.to_owned(), command));
    let below = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    for below in below {
        collect(below, &format!("{name}-{}", below.get_name()), pages);
    }
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    Man::new(command.clone()).render(&mut content).map_err(|fault| Failure::Internal(fault.to_string()))?;
    Ok(content)
}
