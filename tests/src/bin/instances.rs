//! Writes generated planning instances to files: `instances FOLDER NAME=VALUE...`, such as
//! `instances /tmp day=true vehicles=200 seed=7`.

use std::path::PathBuf;
use std::process::ExitCode;

use kwartier_tests::generate::Recipe;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(folder) = words.next().map(PathBuf::from) else {
        eprintln!("instances FOLDER NAME=VALUE...");
        return ExitCode::from(2);
    };
    let mut recipe = Recipe::night(24, 1);
    let mut name = String::from("gen");
    for word in words {
        name.push('-');
        name.push_str(&word.replace('=', ""));
        if !set(&mut recipe, &word) {
            eprintln!("what is {word}?");
            return ExitCode::from(2);
        }
    }
    let path = folder.join(format!("{name}.json"));
    match std::fs::write(&path, recipe.json().to_string()) {
        Ok(()) => {
            println!("{}", path.display());
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{}: {fault}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn set(recipe: &mut Recipe, word: &str) -> bool {
    fn to<T: std::str::FromStr>(field: &mut T, value: &str) -> bool {
        value.parse().map(|value| *field = value).is_ok()
    }
    let Some((name, value)) = word.split_once('=') else { return false };
    match name {
        "vehicles" => to(&mut recipe.vehicles, value),
        "slots" => to(&mut recipe.slots, value),
        "day" => to(&mut recipe.day, value),
        "everything" => to(&mut recipe.everything, value),
        "v2g" => to(&mut recipe.v2g, value),
        "one_phase" => to(&mut recipe.one_phase, value),
        "fuses" => to(&mut recipe.fuses, value),
        "unequal" => to(&mut recipe.unequal, value),
        "depth" => to(&mut recipe.depth, value),
        "negative_hours" => to(&mut recipe.negative_hours, value),
        "feed_in_hours" => to(&mut recipe.feed_in_hours, value),
        "together" => to(&mut recipe.together, value),
        "need" => to(&mut recipe.need, value),
        "seed" => to(&mut recipe.seed, value),
        _ => false,
    }
}
