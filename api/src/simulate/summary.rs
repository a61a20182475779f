//! What a run amounts to: the same numbers for the same scenario and seed. `docs/simulation.md` explains each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::judge::{Class, Finding, Report, Rule};
use kwartier_engine::plant::possible::Room;
use kwartier_engine::plant::record::{Peak, Record, Window, Worst};
use kwartier_engine::plant::world::{Fault, What};
use serde::Serialize;

use super::bill::{Bill, Rates};
use super::runner::Played;
use super::scenario::{Policy, Scenario};
use super::trace;
use super::world::Days;

/// A vehicle that lacks less, in kWh, has got what was possible.
const ENOUGH_KWH: f64 = 0.2;

/// A vehicle that lacks a smaller share of what was possible has got it: stations take seconds to follow.
const ENOUGH: f64 = 0.01;

/// A run in short.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// When it began.
    pub start: DateTime<Utc>,
    /// Up to when it was played.
    pub until: DateTime<Utc>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// Who decided.
    pub policy: Policy,
    /// What was paid.
    pub bill: Bill,
    /// Vehicles.
    pub vehicles: Vehicles,
    /// How near each board came to its limits.
    pub boards: Vec<Board>,
    /// What the judges say.
    pub judged: Judged,
    /// What each fault did.
    pub faults: Vec<FaultEffect>,
    /// Setpoints sent, and how many of them changed anything.
    pub setpoints: [u64; 2],
    /// How many setpoints of the fast loop the last clamp has lowered.
    pub clamped: u64,
    /// How often the fast loop was asked.
    pub steps: u64,
    /// Plans made, and how often there was none.
    pub plans: [u32; 2],
    /// How often operators were told what.
    pub notices: BTreeMap<&'static str, u32>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// What all that flowed hashes to: the same for the same scenario, seed and version.
    pub trace_hash: String,
}

/// Vehicles of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Vehicles {
    /// How many plugged in.
    pub came: usize,
    /// How many of them left.
    pub left: usize,
    /// How many did not come, or found no place.
    pub did_not_come: usize,
    /// Energy that those who left needed, in kWh.
    pub needed_kwh: f64,
    /// What of it was possible.
    pub possible_kwh: f64,
    /// What all got.
    pub got_kwh: f64,
    /// Share of those who left with what was possible for them.
    pub served: f64,
    /// How often a vehicle began to draw, on average and at most.
    pub starts: [f64; 2],
    /// Those who left with less than was possible, the worst first.
    pub missed: Vec<Missed>,
}

/// A vehicle that left with less than was possible.
#[derive(Debug, Clone, Serialize)]
pub struct Missed {
    /// The stay.
    pub stay: String,
    /// The station.
    pub station: String,
    /// When it left.
    pub left: DateTime<Utc>,
    /// What it needed in kWh.
    pub needed_kwh: f64,
    /// What it got.
    pub got_kwh: f64,
    /// What was possible for it alone.
    pub possible_kwh: f64,
}

/// How near a board came to its limits.
#[derive(Debug, Clone, Serialize)]
pub struct Board {
    /// Name.
    #[serde(rename = "board")]
    pub id: String,
    /// L1, L2, L3.
    pub phases: [Phase; 3],
    /// The largest difference of phases in A.
    pub imbalance_a: f64,
    /// Its limit.
    pub imbalance_limit_a: Option<f64>,
}

/// The highest current of a phase.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Phase {
    /// In A.
    pub max_a: f64,
    /// As a share of the limit.
    pub share: f64,
    /// When it began.
    pub at: Option<DateTime<Utc>>,
    /// For how long it was above the limit, in s, the building's own share included.
    pub over_s: f64,
}

/// What the judges say.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Judged {
    /// How many limits were broken, by the rule: fuses, imbalance, quarter-hours, grid operators' orders.
    pub broken: usize,
    /// All that was found, guaranteed minimum, starts and the balance of energy included.
    pub findings: Vec<Finding>,
    /// The same in words.
    pub words: Vec<String>,
    /// How evenly energy was shared among those who got less than they could have, by priority.
    pub fairness: Vec<Class>,
}

/// What a fault did.
#[derive(Debug, Clone, Serialize)]
pub struct FaultEffect {
    /// In words.
    pub what: String,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended.
    pub until: DateTime<Utc>,
    /// Where a phase came nearest to its limit while it lasted.
    pub during: Option<Closest>,
    /// The same in the ten minutes after it.
    pub after: Option<Closest>,
    /// How many setpoints changed from its beginning to ten minutes after it.
    pub setpoints: u32,
    /// Energy in kWh that vehicles got less in that time than they get without any fault; below 0, more. Absent where
    /// nobody steers, or no twin was played.
    pub energy_lost_kwh: Option<f64>,
    /// How many s after its end every station held what it should and every meter was believed again; absent, never.
    pub normal_after_s: Option<f64>,
}

/// Where a phase came nearest to its limit.
#[derive(Debug, Clone, Serialize)]
pub struct Closest {
    /// The board.
    pub board: String,
    /// The phase, from `L1` to `L3`.
    pub phase: &'static str,
    /// Current less limit in A; below 0, so much was left.
    pub over_a: f64,
}

/// All that a summary is made of.
pub struct Whole<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its seed.
    pub seed: u64,
    /// Its days.
    pub days: &'a Days,
    /// Its prices.
    pub rates: &'a Rates,
    /// How it went.
    pub played: &'a Played<'a>,
    /// How it would have gone without faults, where there were some.
    pub without: Option<&'a Played<'a>>,
}

impl Whole<'_> {
    /// The summary.
    pub fn summary(&self) -> Summary {
        let (days, played) = (self.days, self.played);
        let record = &played.record;
        let mut notes = days.notes.clone();
        if let Some(why) = &played.why_no_plan {
            notes.push(format!("{} plans failed, the first one because {}", played.plans.1, why.replace('\n', "; ")));
        }
        let vehicles = self.vehicles();
        let judged = played.report.as_ref().map(|report| judged(&days.setup, report)).unwrap_or_default();
        Summary {
            scenario: self.scenario.name.clone(),
            seed: self.seed,
            start: days.world.start,
            until: played.until,
            stopped: played.until < days.world.end,
            policy: self.scenario.policy.clone(),
            bill: self.rates.bill(&record.quarters_kwh),
            vehicles,
            boards: boards(&days.setup, record),
            judged,
            faults: self.faults(),
            setpoints: [record.sent, record.changes],
            clamped: played.clamped,
            steps: played.steps,
            plans: [played.plans.0, played.plans.1],
            notices: played.told.clone(),
            notes,
            trace_hash: trace::hash(&record.trace),
        }
    }

    fn vehicles(&self) -> Vehicles {
        let room = Room::of(&self.days.setup, &self.days.world);
        let mut all = Vehicles {
            came: 0,
            left: 0,
            did_not_come: self.days.visits.turned_away,
            needed_kwh: 0.0,
            possible_kwh: 0.0,
            got_kwh: 0.0,
            served: 1.0,
            starts: [0.0, 0.0],
            missed: Vec::new(),
        };
        for (stay, truth) in self.days.world.stays.iter().zip(&self.played.stays) {
            let Some(from) = truth.plugged_in else {
                all.did_not_come += 1;
                continue;
            };
            all.came += 1;
            all.got_kwh += truth.energy_kwh;
            let starts = f64::from(truth.starts);
            all.starts = [all.starts[0] + starts, all.starts[1].max(starts)];
            let Some(left) = truth.left else { continue };
            all.left += 1;
            let possible_kwh = room.possible_kwh(stay, from, left);
            all.needed_kwh += stay.need_kwh;
            all.possible_kwh += possible_kwh;
            if truth.energy_kwh < possible_kwh - (ENOUGH * possible_kwh).max(ENOUGH_KWH) {
                all.missed.push(Missed {
                    stay: stay.id.clone(),
                    station: self.days.setup.devices[stay.device].id.clone(),
                    left,
                    needed_kwh: stay.need_kwh,
                    got_kwh: truth.energy_kwh,
                    possible_kwh,
                });
            }
        }
        all.starts[0] /= all.came.max(1) as f64;
        all.served = if all.left == 0 { 1.0 } else { 1.0 - all.missed.len() as f64 / all.left as f64 };
        let lacks = |missed: &Missed| missed.possible_kwh - missed.got_kwh;
        all.missed.sort_by(|a, b| lacks(b).total_cmp(&lacks(a)).then_with(|| a.stay.cmp(&b.stay)));
        all
    }

    fn faults(&self) -> Vec<FaultEffect> {
        let setup = &self.days.setup;
        let windows = self.played.record.windows.iter().enumerate();
        let effect = |(k, window): (usize, &Window)| {
            let without = self.without.and_then(|without| without.record.windows.get(k));
            let normal_after_s = window.normal_at.map(|at| (at - window.until).as_seconds_f64());
            FaultEffect {
                what: words(&self.days.world.faults[k], self.days),
                from: window.from,
                until: window.until,
                during: window.during.map(|worst| closest(setup, worst)),
                after: window.after.map(|worst| closest(setup, worst)),
                setpoints: window.setpoints,
                energy_lost_kwh: without.map(|without| without.energy_kwh - window.energy_kwh),
                normal_after_s,
            }
        };
        windows.filter(|(_, window)| window.from <= self.played.until).map(effect).collect()
    }
}

/// What the judges found.
fn judged(setup: &Setup, report: &Report) -> Judged {
    let limits = [Rule::Overload, Rule::Imbalance, Rule::Quarter, Rule::Order];
    Judged {
        broken: report.findings.iter().filter(|finding| limits.contains(&finding.rule)).count(),
        words: report.findings.iter().map(|finding| found(setup, finding)).collect(),
        findings: report.findings.clone(),
        fairness: report.fairness.clone(),
    }
}

/// A finding in words.
fn found(setup: &Setup, finding: &Finding) -> String {
    let (what, unit) = match finding.rule {
        Rule::Overload => ("over its limit", "A"),
        Rule::Imbalance => ("out of balance", "A"),
        Rule::Quarter => ("a quarter-hour above its cap", "kW"),
        Rule::Order => ("over a grid operator's limit", if finding.phase.is_some() { "A" } else { "kW" }),
        Rule::Guaranteed => ("less than the guaranteed minimum", "A"),
        Rule::Starts => ("too many starts", "times"),
        Rule::Balance => ("energy that does not add up", "kWh"),
    };
    let node = finding.node.map(|node| setup.nodes[node].id.as_str());
    let device = finding.device.map(|device| setup.devices[device].id.as_str());
    let phase = finding.phase.map_or("", |phase| kwartier_data::PHASE_NAMES[phase]);
    let place: Vec<&str> = node.into_iter().chain(device).chain(Some(phase).filter(|name| !name.is_empty())).collect();
    format!(
        "{}: {what}, {:.1} of {:.1} {unit} for {:.0} s from {}",
        place.join(" "),
        finding.value,
        finding.limit,
        finding.seconds,
        finding.from.format("%Y-%m-%dT%H:%M:%SZ")
    )
}

fn closest(setup: &Setup, worst: Worst) -> Closest {
    Closest {
        board: setup.nodes[worst.node].id.clone(),
        phase: kwartier_data::PHASE_NAMES[worst.phase],
        over_a: worst.over_a,
    }
}

fn boards(setup: &Setup, record: &Record<'_>) -> Vec<Board> {
    let board = |(node, peaks): (usize, &[Peak; 3])| {
        let known = &setup.nodes[node];
        let phase = |k: usize| Phase {
            max_a: peaks[k].amps,
            share: peaks[k].amps / known.limit_a[k].max(1e-9),
            at: peaks[k].at,
            over_s: peaks[k].over_s,
        };
        Board {
            id: known.id.clone(),
            phases: [phase(0), phase(1), phase(2)],
            imbalance_a: record.spreads[node].0,
            imbalance_limit_a: known.imbalance_a,
        }
    };
    record.peaks.iter().enumerate().map(board).collect()
}

/// A fault in words.
fn words(fault: &Fault, days: &Days) -> String {
    let (nodes, devices) = (&days.setup.nodes, &days.setup.devices);
    match &fault.what {
        What::Meter { node, how } => {
            let how = serde_json::to_value(how).ok().map(|value| value.to_string().replace(['"', '{', '}'], ""));
            format!("meter at {}: {}", nodes[*node].id, how.unwrap_or_default())
        }
        What::Link { devices: cut, .. } if cut.is_empty() => "link to all devices cut".to_owned(),
        What::Link { devices: cut, .. } => format!("link to {} devices cut", cut.len()),
        What::Reboot { device } => format!("{} reboots", devices[*device].id),
        What::Ignores { device } => format!("{} ignores its commands", devices[*device].id),
        What::Rejects { device } => format!("{} rejects its commands", devices[*device].id),
        What::Overdraws { device, by_a } => format!("{} draws {by_a:.1} A too much", devices[*device].id),
        What::Slow { device, latency_s } => format!("{} takes {latency_s:.0} s for commands", devices[*device].id),
        What::Building { node, amps } => {
            format!("building at {} draws {:.0}, {:.0}, {:.0} A more", nodes[*node].id, amps[0], amps[1], amps[2])
        }
        What::Pv { plant, share } => {
            let plant = days.inputs.pv.get(*plant).map_or("a plant", |entry| days.site.pv[entry.plant].id.as_str());
            format!("{plant} delivers {:.0} %", 100.0 * share)
        }
        What::Restart => "controller restarts".to_owned(),
        What::Clock { jump_s, drift_ppm } => {
            format!("controller's clock jumps {jump_s:+.0} s, drifts {drift_ppm:+.0} ppm")
        }
    }
}
