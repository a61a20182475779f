//! How long fits, forecasts and refreshes take: `bench-refresh [SITES]`, 1,000 where nothing is said. Development only; here and
//! not in `src`, which knows no clock.
//!
//! Made-up buildings and plants with a year of quarter-hours each. Fit and forecast are on one thread. A refresh is what a
//! service does each day with a model that it keeps: read it, learn mix and bands anew from what has come since, forecast 48
//! hours; the sites go over two threads.

use std::process::ExitCode;
use std::time::Instant;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use kwartier_data::history::{History, Position};
use kwartier_data::series::Series;
use kwartier_forecast::load;
use kwartier_forecast::method::{Horizon, Method};
use kwartier_forecast::pv::{PvPlant, clear_sky};
use rayon::prelude::*;

/// How many different sites there are; more are the same again.
const DIFFERENT: usize = 6;
/// Days of history that a model is fitted on, and that have come since.
const DAYS: [i64; 2] = [365, 2];
/// Threads of the refresh.
const THREADS: usize = 2;
/// Where the plants are.
const PLACE: Position = Position { latitude_deg: 52.1, longitude_deg: 5.1 };

/// A name, a method, and sites for it by seed.
type Kind = (&'static str, Box<dyn Method>, fn(u64) -> History);

fn main() -> ExitCode {
    let sites = std::env::args().nth(1).map_or(Ok(1_000), |word| word.parse::<usize>());
    let Ok(sites) = sites else {
        eprintln!("bench-refresh [SITES]: SITES is a number");
        return ExitCode::from(2);
    };
    let single = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let both = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build();
    let (Ok(single), Ok(both)) = (single, both) else {
        eprintln!("no threads to measure with");
        return ExitCode::FAILURE;
    };
    let plant = PvPlant { position: Some(PLACE), peak_kw: None };
    let kinds: [Kind; 2] = [("load", load::method(), building), ("pv", clear_sky(plant), roof)];
    for (name, method, made) in kinds {
        let histories: Vec<History> = (0..DIFFERENT as u64).map(made).collect();
        match measure(&*method, &histories, sites, &single, &both) {
            Ok(text) => println!("{name}: {text}"),
            Err(fault) => {
                eprintln!("{name}: {fault}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn measure(
    method: &dyn Method,
    histories: &[History],
    sites: usize,
    single: &rayon::ThreadPool,
    both: &rayon::ThreadPool,
) -> Result<String, String> {
    let length = TimeDelta::hours(48);
    let (mut fit_s, mut predict_s, mut kept) = (0.0, 0.0, Vec::new());
    for history in histories {
        let past = history.as_of(history.truth().start + TimeDelta::days(DAYS[0]));
        let began = Instant::now();
        let fitted = single.install(|| method.fit(&past)).map_err(|cannot| cannot.to_string())?;
        fit_s += began.elapsed().as_secs_f64();
        let began = Instant::now();
        single.install(|| fitted.predict(&past, Horizon::from_origin(&past, length)));
        predict_s += began.elapsed().as_secs_f64();
        kept.push(fitted.save().ok_or("a fit cannot be kept")?.to_string());
    }
    let one = |site: usize| -> Result<usize, String> {
        let history = &histories[site % histories.len()];
        let past = history.as_of(history.truth().start + TimeDelta::days(DAYS[0] + DAYS[1]));
        let saved = serde_json::from_str(&kept[site % kept.len()]).map_err(|fault| fault.to_string())?;
        let mut fitted = method.restore(saved)?;
        fitted.refresh(&past);
        Ok(fitted.predict(&past, Horizon::from_origin(&past, length)).iter().flatten().count())
    };
    let began = Instant::now();
    let said = both.install(|| (0..sites).into_par_iter().map(one).collect::<Result<Vec<usize>, String>>())?;
    let all_s = began.elapsed().as_secs_f64();
    let count = histories.len() as f64;
    Ok(format!(
        "a year of quarter-hours fitted in {:.2} s, 48 h forecast in {:.1} ms (one thread); {sites} sites refreshed and \
         forecast in {all_s:.1} s ({THREADS} threads), {} quarter-hours; a kept model has {} kB",
        fit_s / count,
        1e3 * predict_s / count,
        said.iter().sum::<usize>(),
        kept.iter().map(String::len).sum::<usize>() / kept.len().max(1) / 1_000
    ))
}

/// Numbers from 0 to 1 that are the same on every run (SplitMix64; Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn series(seed: u64, value: impl Fn(DateTime<Utc>, &mut Chance) -> f64) -> History {
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(19_000);
    let mut chance = Chance(seed);
    let quarters = u32::try_from(96 * (DAYS[0] + DAYS[1])).unwrap_or(0);
    let at = |quarter: u32| start + TimeDelta::minutes(15 * i64::from(quarter));
    let values = (0..quarters).map(|quarter| Some(value(at(quarter), &mut chance))).collect();
    History::new(Series { start, step: TimeDelta::minutes(15), values }, chrono_tz::Europe::Amsterdam)
}

/// A building that works by day, more in winter.
fn building(seed: u64) -> History {
    series(seed, |at, chance| {
        let works = at.weekday().num_days_from_monday() < 5 && (7..17).contains(&at.hour());
        let winter = (std::f64::consts::TAU * f64::from(at.ordinal()) / 365.0).cos();
        15.0 + if works { 40.0 + 5.0 * winter } else { 0.0 } + 8.0 * chance.draw()
    })
}

/// A roof under broken skies.
fn roof(seed: u64) -> History {
    series(seed, |at, chance| {
        let noon =
            (std::f64::consts::PI * (f64::from(at.hour() * 60 + at.minute()) / 60.0 - 5.5) / 12.5).sin().max(0.0);
        let summer = 0.6 - 0.4 * (std::f64::consts::TAU * f64::from(at.ordinal()) / 365.0).cos();
        let cloudy = f64::from((at.ordinal() * 7_919 + u32::try_from(seed).unwrap_or(0)) % 10) / 10.0;
        20.0 * noon * summer * (1.0 - 0.8 * cloudy * (0.5 + 0.5 * chance.draw()))
    })
}
