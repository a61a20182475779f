//! From arguments to the stations that run: who they are, where they stand, who comes, what goes wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use kwartier_data::local;
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plant::profiles::Edition;
use kwartier_engine::plant::world::{Fault, Noise, What, World};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use secrecy::SecretString;

use super::super::failure::Failure;
use super::super::{input, output, usable_site};
use super::simulate::{Args, Protocol};
use super::tls;
use crate::chargers::fleet::faults::{Outage, seconds};
use crate::chargers::fleet::meter::Target;
use crate::chargers::fleet::{Fleet, Member, electronics, stored_a, visits};
use crate::chargers::station::Make;
use crate::simulate::Play;

/// How many stations there are unless somebody says so.
const COUNT: usize = 10;

/// More sockets than this one process is not meant for.
const MOST: usize = 60_000;

/// What a building draws of the most that it may, on average, and how it wavers around that.
const BUILDING_SHARE: f64 = 0.5;
const BUILDING: Noise = Noise { sigma: 0.15, correlation_s: 60.0, motors_per_h: 6.0, motor_a: 12.0, motor_s: 3.0 };

/// Length of a step of what the building draws, in s.
const STEP_S: u32 = 900;

/// Where the stations stand, and what happens there.
struct Place {
    setup: Setup,
    world: World,
    judged: bool,
    /// Outages by device.
    outages: Vec<(usize, Outage)>,
}

/// Everything that is to run.
pub fn of(args: &Args, looks_every: Duration) -> Result<Fleet, Failure> {
    let now = Utc::now();
    let start = now - TimeDelta::nanoseconds(i64::from(now.nanosecond()));
    let until = start + TimeDelta::from_std(args.duration).unwrap_or(TimeDelta::days(1)) + TimeDelta::minutes(1);
    let mut place = match (&args.site, &args.scenario) {
        (Some(site), _) => of_site(site, args, (start, until))?,
        (None, Some(scenario)) => of_scenario(scenario, args, start)?,
        (None, None) => of_names(args, (start, until))?,
    };
    if args.meter_to.is_some() && !place.judged {
        let what = "--meter-to wants --site or --scenario beside it: nobody knows otherwise what the meters see";
        return Err(Failure::Arguments(what.to_owned()));
    }
    let passwords = Passwords::of(args)?;
    let mut chance = SmallRng::seed_from_u64(args.seed);
    let stations = (0..place.setup.devices.len())
        .filter(|&device| place.setup.devices[device].kind == Kind::Station && place.setup.devices[device].managed);
    let members: Vec<Member> = stations
        .take(args.count.unwrap_or(MOST))
        .enumerate()
        .map(|(k, device)| {
            let own = &place.setup.devices[device];
            let edition = match args.protocol {
                Protocol::Mixed if k % 2 == 0 => Edition::V16,
                Protocol::V16 => Edition::V16,
                Protocol::V201 | Protocol::Mixed => Edition::V2,
            };
            let phases = place.world.chargers.get(device).and_then(|charger| charger.true_phases.clone());
            let make = Make {
                id: own.id.clone(),
                edition,
                max_a: own.max_a,
                voltage_v: place.setup.voltage_v,
                phases: phases.unwrap_or_else(|| own.phases.clone()),
                switches_phases: own.switches_phases,
                chooses_phase: own.chooses_phase,
                iso15118: edition == Edition::V2 && chance.random::<f64>() < args.iso15118,
                boot_s: args.boot,
                stored_a: args.commissioned.then(|| stored_a(own)),
                quirks: args.quirks.draw(&mut chance),
            };
            let outages = place.outages.iter().filter(|(of, _)| *of == device).map(|(_, outage)| *outage).collect();
            Member { device, password: passwords.of_station(&make.id), make, outages }
        })
        .collect();
    // Who stands at a station that is not played is nobody's business.
    let played = |device: usize| {
        let own = &place.setup.devices[device];
        !own.managed || members.iter().any(|member| member.device == device)
    };
    place.world.stays.retain(|stay| played(stay.device));
    let certificate = args.certificate.as_deref().zip(args.certificate_key.as_deref());
    Ok(Fleet {
        url: args.url.clone(),
        tls: tls::config(args.roots.as_deref(), certificate)?,
        setup: place.setup,
        world: place.world,
        judged: place.judged,
        members,
        rates: args.faults,
        target: target(args)?,
        beside: None,
        seed: args.seed,
        lasts: args.duration,
        connects_per_s: args.connects,
        looks_every,
    })
}

fn target(args: &Args) -> Result<Option<Target>, Failure> {
    let (Some(url), Some(file)) = (&args.meter_to, &args.key_file) else { return Ok(None) };
    Ok(Some(Target { url: url.clone(), key: SecretString::from(line(file)?) }))
}

/// The first line of a file that holds a secret.
fn line(file: &Path) -> Result<String, Failure> {
    let bytes = input::bytes(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let first = text.lines().next().map(str::trim).filter(|line| !line.is_empty());
    first.map(str::to_owned).ok_or_else(|| Failure::Unreadable {
        name: file.display().to_string(),
        why: "it is empty".to_owned(),
        remedy: "put the secret on its first line",
    })
}

/// Passwords of all or by identity.
struct Passwords {
    all: Option<String>,
    by_id: BTreeMap<String, String>,
}

impl Passwords {
    fn of(args: &Args) -> Result<Passwords, Failure> {
        let mut passwords = Passwords { all: args.password.clone(), by_id: BTreeMap::new() };
        if let Some(file) = &args.password_file {
            let bytes = input::bytes(file)?;
            let text = String::from_utf8_lossy(&bytes);
            for one in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                match one.split_once(',') {
                    Some((id, password)) => {
                        passwords.by_id.insert(id.trim().to_owned(), password.trim().to_owned());
                    }
                    None => passwords.all = Some(one.to_owned()),
                }
            }
        }
        Ok(passwords)
    }

    fn of_station(&self, id: &str) -> Option<String> {
        self.by_id.get(id).or(self.all.as_ref()).cloned()
    }
}

fn of_site(path: &Path, args: &Args, (start, until): (DateTime<Utc>, DateTime<Utc>)) -> Result<Place, Failure> {
    let site = usable_site(path)?;
    let zone = local::zone(&site.time_zone).map_err(Failure::Arguments)?;
    let setup = Setup::of(&site, zone, Settings::default());
    let mut world = World { chargers: electronics(&setup), step_s: STEP_S, ..World::empty(start, until) };
    let step = TimeDelta::seconds(i64::from(STEP_S));
    let begins = std::iter::successors(Some(start), |at| Some(*at + step)).take_while(|at| *at < until);
    let hours: Vec<usize> = begins.map(|at| setup.hour(at)).collect();
    for node in &setup.nodes {
        let own = node.building_max_a.map(|most_a| {
            most_a.map(|by_hour| hours.iter().map(|&hour| BUILDING_SHARE * by_hour[hour]).collect::<Vec<f64>>())
        });
        world.noise.push(if own.is_some() { BUILDING } else { Noise::default() });
        world.building_a.push(own.unwrap_or_default());
    }
    world.stays = visits::stays(&setup, start, until, args.speed, args.seed);
    Ok(Place { setup, world, judged: true, outages: Vec::new() })
}

fn of_scenario(path: &Path, args: &Args, start: DateTime<Utc>) -> Result<Place, Failure> {
    let days = Play::read(path, &[])?.days(args.seed)?;
    output::notes(&days.notes);
    let mut world = days.world;
    // The scenario's days begin now, and pass faster.
    let (begins, speed) = (world.start, args.speed);
    let now = |at: DateTime<Utc>| start + seconds((at - begins).as_seconds_f64() / speed);
    (world.start, world.end) = (start, now(world.end));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than a quarter of an hour")]
    let step_s = (f64::from(world.step_s) / speed).round().max(1.0) as u32;
    world.step_s = step_s;
    // Grid operators' limits go to whoever controls, and that is not here.
    world.signals.clear();
    for stay in &mut world.stays {
        (stay.plugs_in, stay.leaves) = (now(stay.plugs_in), now(stay.leaves));
        stay.soc_kwh /= speed;
        stay.need_kwh /= speed;
        stay.car.capacity_kwh /= speed;
    }
    for run in &mut world.runs {
        (run.from, run.until) = (now(run.from), now(run.until));
    }
    for charger in &mut world.chargers {
        charger.meter_every_s = None;
    }
    let (mut outages, mut left_out) = (Vec::new(), 0);
    let faults = std::mem::take(&mut world.faults);
    for Fault { from, until, what } in faults {
        let (at, until) = (now(from), now(until));
        match what {
            What::Link { devices, .. } => {
                let all = if devices.is_empty() { (0..days.setup.devices.len()).collect() } else { devices };
                let lasts = (until - at).to_std().ok();
                outages.extend(all.into_iter().map(|device| (device, Outage { at, lasts })));
            }
            What::Reboot { device } => outages.push((device, Outage { at, lasts: None })),
            What::Ignores { .. } | What::Rejects { .. } | What::Slow { .. } | What::Restart | What::Clock { .. } => {
                left_out += 1;
            }
            what => world.faults.push(Fault { from: at, until, what }),
        }
    }
    if left_out > 0 {
        let what = "faults of stations' electronics and of the controller are not played here; --quirks are";
        output::notes(&[format!("{left_out} {what}")]);
    }
    Ok(Place { setup: days.setup, world, judged: true, outages })
}

fn of_names(args: &Args, (start, until): (DateTime<Utc>, DateTime<Utc>)) -> Result<Place, Failure> {
    let ids = ids(args)?;
    if ids.len() > MOST {
        return Err(Failure::Arguments(format!(
            "{} stations are too many for one process; {MOST} are possible",
            ids.len()
        )));
    }
    let board = kwartier_data::site::Board::new("all".to_owned(), None, kwartier_data::site::PerPhase::Same(1e6));
    let stations = ids.into_iter().map(|id| {
        let station = kwartier_data::site::Station::new(id, "all".to_owned(), 32.0);
        kwartier_data::site::Station { rotation: Some("RST".to_owned()), ..station }
    });
    let site = kwartier_data::site::Site::new(String::new(), "UTC".to_owned(), vec![board], stations.collect());
    let setup = Setup::of(&site, chrono_tz::UTC, Settings::default());
    let mut world = World { chargers: electronics(&setup), ..World::empty(start, until) };
    world.stays = visits::stays(&setup, start, until, args.speed, args.seed);
    Ok(Place { setup, world, judged: false, outages: Vec::new() })
}

/// The identities of stations that belong to no site.
fn ids(args: &Args) -> Result<Vec<String>, Failure> {
    let Some(ids) = &args.ids else {
        let count = args.count.unwrap_or(COUNT);
        let digits = count.to_string().len();
        return Ok((1..=count).map(|k| format!("{}{k:0digits$}", args.prefix)).collect());
    };
    let path = Path::new(ids);
    let text = if path.is_file() { String::from_utf8_lossy(&input::bytes(path)?).into_owned() } else { ids.clone() };
    let all: Vec<String> =
        text.split(['\n', ',']).map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if all.is_empty() {
        return Err(Failure::Arguments(format!(
            "--ids {ids} names nobody; write names with commas between, or a file"
        )));
    }
    Ok(all)
}
