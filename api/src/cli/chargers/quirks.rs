//! `--quirks`: which of the stations do what wrong.

use std::str::FromStr;

use clap::ValueEnum;
use rand::RngExt;
use rand::rngs::SmallRng;

use crate::chargers::station::{Quirk, Quirks};

/// Shares of stations with quirks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quirky {
    /// This one at that share of them.
    named: Vec<(Quirk, f64)>,
    /// Any one at that share of them.
    any: f64,
}

impl FromStr for Quirky {
    type Err = String;

    fn from_str(text: &str) -> Result<Quirky, String> {
        let mut quirky = Quirky::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, share) = part.split_once('=').unwrap_or((part, "1"));
            let share: f64 =
                share.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
                    format!("{part:?}: a share from 0 to 1 of the stations is wanted, such as {}=0.1", name.trim())
                })?;
            match name.trim() {
                "any" => quirky.any = share,
                name => {
                    let quirk = Quirk::from_str(name, false).map_err(|_| unknown(name))?;
                    quirky.named.push((quirk, share));
                }
            }
        }
        Ok(quirky)
    }
}

fn unknown(name: &str) -> String {
    let known: Vec<String> =
        Quirk::all().iter().filter_map(|quirk| Some(quirk.to_possible_value()?.get_name().to_owned())).collect();
    format!("{name:?} is no quirk; there are any, {}", known.join(", "))
}

impl Quirky {
    /// The quirks of one station.
    pub fn draw(&self, chance: &mut SmallRng) -> Quirks {
        let mut all: Vec<Quirk> =
            self.named.iter().filter(|(_, share)| chance.random::<f64>() < *share).map(|(quirk, _)| *quirk).collect();
        if chance.random::<f64>() < self.any {
            all.push(Quirk::all()[chance.random_range(0..Quirk::all().len())]);
        }
        Quirks::new(all)
    }
}

#[cfg(test)]
mod tests {

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn quirks_are_read_by_name_and_share() {
        let quirky: Quirky = "ignores-limits=0.5, clock-off".parse().unwrap();
        assert_eq!(quirky.named, [(Quirk::IgnoresLimits, 0.5), (Quirk::ClockOff, 1.0)]);
        let mut chance = SmallRng::seed_from_u64(3);
        let drawn: Vec<Quirks> = (0..200).map(|_| quirky.draw(&mut chance)).collect();
        assert!(drawn.iter().all(|quirks| quirks.has(Quirk::ClockOff)));
        let ignoring = drawn.iter().filter(|quirks| quirks.has(Quirk::IgnoresLimits)).count();
        assert!((60..140).contains(&ignoring), "{ignoring}");
        assert_eq!("".parse(), Ok(Quirky::default()));
        let wrong = "sings".parse::<Quirky>().unwrap_err();
        assert!(wrong.contains("refuses-zero"), "{wrong}");
        assert!("clock-off=2".parse::<Quirky>().is_err());
    }
}
