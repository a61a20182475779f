//! What it amounts to.

use std::time::Duration;

use kwartier_data::PHASE_NAMES;
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::Plant;
use kwartier_engine::plant::judge::{Finding, Report};
use serde::Serialize;

use super::depot::Glance;
use super::tally::Numbers;

/// The outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// How many stations there were.
    pub stations: usize,
    /// For how long, in s.
    pub seconds: f64,
    /// What was counted.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// Vehicles that came, and energy that all got, in kWh.
    pub vehicles: usize,
    /// Energy that all got, in kWh.
    pub energy_kwh: f64,
    /// Boards, in the order of the site; none where there is no site.
    pub boards: Vec<Board>,
    /// Limits that were broken; `None`, nobody judged.
    pub broken: Option<Vec<Broken>>,
}

/// A board.
#[derive(Debug, Clone, Serialize)]
pub struct Board {
    /// Its name.
    pub id: String,
    /// Limit of L1, L2, L3 in A.
    pub limit_a: [f64; 3],
    /// The most that flowed, however briefly, in A.
    pub worst_a: [f64; 3],
}

/// A limit that was broken, by the rule that every run is judged by.
#[derive(Debug, Clone, Serialize)]
pub struct Broken {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// The same in words.
    pub words: String,
}

impl Summary {
    pub(super) fn new(
        setup: &Setup,
        stations: usize,
        lasted: Duration,
        numbers: Numbers,
        glance: &Glance,
        plant: Option<&Plant>,
        report: Option<Report>,
    ) -> Summary {
        let judged = report.is_some();
        let boards = setup.nodes.iter().zip(&glance.worst_a).filter(|_| judged).map(|(node, worst_a)| Board {
            id: node.id.clone(),
            limit_a: node.limit_a,
            worst_a: *worst_a,
        });
        let came = |plant: &Plant| plant.stays().iter().filter(|stay| stay.plugged_in.is_some()).count();
        let energy_kwh = |plant: &Plant| plant.truth().devices.iter().map(|device| device.energy_kwh).sum();
        Summary {
            stations,
            seconds: lasted.as_secs_f64(),
            numbers,
            vehicles: plant.map_or(0, came),
            energy_kwh: plant.map_or(0.0, energy_kwh),
            boards: boards.collect(),
            broken: report.map(|report| {
                let broken = report.findings.into_iter();
                broken.map(|finding| Broken { words: words(setup, &finding), finding }).collect()
            }),
        }
    }

    /// Whether a limit was broken.
    pub fn is_broken(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| !broken.is_empty())
    }
}

fn words(setup: &Setup, finding: &Finding) -> String {
    let node = finding.node.and_then(|node| setup.nodes.get(node)).map(|node| node.id.as_str());
    let device = finding.device.and_then(|device| setup.devices.get(device)).map(|device| device.id.as_str());
    let phase = finding.phase.and_then(|phase| PHASE_NAMES.get(phase)).copied();
    let place: Vec<&str> = [node, device, phase].into_iter().flatten().collect();
    let rule = serde_json::to_value(finding.rule).ok().and_then(|rule| rule.as_str().map(str::to_owned));
    format!(
        "{} at {} from {}: {:.1} of {:.1} for {:.0} s",
        rule.unwrap_or_default(),
        place.join(" "),
        finding.from.format("%H:%M:%S"),
        finding.value,
        finding.limit,
        finding.seconds
    )
}
