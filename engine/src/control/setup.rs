//! What the fast loop knows of a site before anything happens: boards, devices and how they behave, with every name
//! resolved to an index.
//!
//! A *device* is whatever takes setpoints: a charging station, a flexible building load, a stationary battery. All are
//! steered in amperes per phase, so that one rule serves them all.

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;
use kwartier_data::instance::PhaseIndex;
use kwartier_data::site::rotation::Rotation;
use kwartier_data::site::tree::Tree;
use kwartier_data::site::{Board, Hourly, HourlyByPhase, Included, Site};

use super::settings::Settings;

/// Lowest current other than 0 that a vehicle may be offered, in A (IEC 61851-1, table A.8).
pub const LOWEST_A: f64 = 6.0;

/// A plant gives up to so many times its peak power for moments: cold panels, light from the edges of clouds. Inverters
/// seldom let more through.
const PEAKS: f64 = 1.25;

/// A site as the fast loop sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Zone of the hours of the day in [`Node::building_max_a`] and [`Device::fallback_a`].
    pub zone: Tz,
    /// Phase to neutral voltage in V.
    pub voltage_v: f64,
    /// Boards, in the order of the site file.
    pub nodes: Vec<Node>,
    /// The boards by index, each after the one that feeds it.
    pub downwards: Vec<usize>,
    /// Stations first, then loads, then batteries, each in the order of the site file.
    pub devices: Vec<Device>,
    /// Highest import on the average of a clock quarter-hour in kW, from the contract.
    pub import_cap_kw: Option<f64>,
    /// Highest export on the average of a clock quarter-hour in kW, from the contract.
    pub export_cap_kw: Option<f64>,
    /// How the loop goes about it.
    pub settings: Settings,
}

/// A distribution board.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Name.
    pub id: String,
    /// The board that feeds it; `None` for the grid connection.
    pub parent: Option<usize>,
    /// Operating limit of L1, L2, L3 in A, in both directions.
    pub limit_a: [f64; 3],
    /// For how long a phase may be above its limit before anything is shed, in s: motors start.
    pub tolerance_s: f64,
    /// Limit on the largest less the smallest phase current in A.
    pub imbalance_a: Option<f64>,
    /// The most that the building draws at this board itself, by phase and hour of the local day, in A; `None`, unknown.
    pub building_max_a: Option<[[f64; 24]; 3]>,
    /// The most that plants on it and on all boards below may feed in, by phase in A.
    pub feeds_a: [f64; 3],
    /// What its meter sees; `None`, it has none.
    pub meter: Option<Seen>,
}

/// Which devices a meter's reading has in it. The building always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Charging stations below the board.
    pub stations: bool,
    /// Flexible building loads.
    pub loads: bool,
    /// Batteries.
    pub batteries: bool,
}

impl Seen {
    /// Whether a kind of device is in the reading.
    pub fn sees(self, kind: Kind) -> bool {
        match kind {
            Kind::Station => self.stations,
            Kind::Load => self.loads,
            Kind::Battery => self.batteries,
        }
    }
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A charging station.
    Station,
    /// A flexible building load.
    Load,
    /// A stationary battery.
    Battery,
}

/// Something that takes setpoints.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Name.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Index of its board.
    pub node: usize,
    /// Grid phases behind its own L1, L2, L3, as documented; all three where that is unknown.
    pub phases: Vec<PhaseIndex>,
    /// Whether `phases` is documented. Where it is not, everything it may draw counts on every phase.
    pub phases_known: bool,
    /// Lowest current per phase other than 0, in A.
    pub min_a: f64,
    /// Highest current per phase in A; what it may draw when nobody controls it.
    pub max_a: f64,
    /// Highest current per phase that it may feed in, in A; 0, it cannot.
    pub max_discharge_a: f64,
    /// What it falls back to when it hears nothing, by hour of the local day, in A; `None`, to its full rating.
    pub fallback_a: Option<[f64; 24]>,
    /// Whether it still holds its fallback after it has lost power. Where not, it may draw its full rating then.
    pub keeps_fallback: bool,
    /// How long it and its vehicle take to obey, in s.
    pub reaction_s: f64,
    /// What a vehicle here gets before anything is shared out, in A per phase; 0, nothing.
    pub guaranteed_a: f64,
    /// Whether it can charge on one phase what could charge on three.
    pub switches_phases: bool,
    /// Whether it can choose on which of its phases a vehicle charges that charges on one. One that can may be on any of them
    /// until it shows on which.
    pub chooses_phase: bool,
    /// Whether it takes setpoints at all. One that does not always counts with its full rating.
    pub managed: bool,
    /// Who goes first: the higher number; a session may say otherwise.
    pub priority: u8,
}

impl Setup {
    /// The fast loop's view of a site. The site should have passed `kwartier_data::site::check`: stations on unknown boards
    /// are left out, and boards in a circle stand alone.
    pub fn of(site: &Site, zone: Tz, settings: Settings) -> Setup {
        let tree = Tree::of(site);
        let mut nodes =
            site.boards.iter().enumerate().map(|(k, board)| node(site, board, tree.parent(k))).collect::<Vec<_>>();
        for plant in &site.pv {
            let phases = phases_of(&plant.phases);
            let per_phase_a = PEAKS * plant.peak_kw * 1000.0 / site.voltage_v / count(&phases);
            let above = std::iter::successors(tree.board(&plant.board), |&board| tree.parent(board));
            for board in above.take(site.boards.len()) {
                for &phase in &phases {
                    nodes[board].feeds_a[phase] += per_phase_a;
                }
            }
        }
        let mut downwards: Vec<usize> = tree.roots().collect();
        let mut next = 0;
        while let Some(&board) = downwards.get(next) {
            downwards.extend(tree.children(board));
            next += 1;
        }
        let mut devices: Vec<Device> = Vec::new();
        for station in &site.stations {
            let Some(node) = tree.board(&station.board) else { continue };
            let rotation = station.rotation.as_deref().and_then(|text| Rotation::parse(text).ok());
            devices.push(Device {
                id: station.id.clone(),
                kind: Kind::Station,
                node,
                phases: rotation.map_or_else(|| vec![0, 1, 2], |rotation| rotation.phases().collect()),
                phases_known: rotation.is_some(),
                min_a: LOWEST_A,
                max_a: station.max_a,
                max_discharge_a: station.max_discharge_a.unwrap_or(0.0),
                fallback_a: station.fallback_a.as_ref().map(Hourly::by_hour),
                keeps_fallback: station.keeps_fallback,
                reaction_s: station.reaction_s,
                guaranteed_a: station.guaranteed_a.unwrap_or(0.0),
                switches_phases: station.switches_phases,
                chooses_phase: station.chooses_phase,
                managed: station.managed,
                priority: 0,
            });
        }
        for load in &site.loads {
            let Some(node) = tree.board(&load.board) else { continue };
            let phases = phases_of(&load.phases);
            let per_phase = 1000.0 / site.voltage_v / count(&phases);
            devices.push(Device {
                min_a: load.min_kw * per_phase,
                max_a: load.max_kw * per_phase,
                priority: load.priority,
                ..steady(&load.id, Kind::Load, node, phases)
            });
        }
        for battery in &site.batteries {
            let Some(node) = tree.board(&battery.board) else { continue };
            let per_phase = 1000.0 / site.voltage_v / 3.0;
            devices.push(Device {
                max_a: battery.max_charge_kw * per_phase,
                max_discharge_a: battery.max_discharge_kw * per_phase,
                ..steady(&battery.id, Kind::Battery, node, vec![0, 1, 2])
            });
        }
        Setup {
            zone,
            voltage_v: site.voltage_v,
            nodes,
            downwards,
            devices,
            import_cap_kw: site.connection.import_cap_kw,
            export_cap_kw: site.connection.export_cap_kw,
            settings,
        }
    }

    /// A board and all that feed it, from below.
    pub fn chain(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(node), |&node| self.nodes[node].parent)
    }

    /// The grid connection; `None`, there are no boards.
    pub fn root(&self) -> Option<usize> {
        self.downwards.first().copied()
    }

    /// Whether a device hangs on a board or on one below it.
    pub fn hangs_below(&self, device: usize, node: usize) -> bool {
        self.chain(self.devices[device].node).any(|above| above == node)
    }

    /// The devices on a board and below it.
    pub fn below(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.devices.len()).filter(move |&device| self.hangs_below(device, node))
    }

    /// The hour of the local day, 0 to 23.
    pub fn hour(&self, at: DateTime<Utc>) -> usize {
        usize::try_from(at.with_timezone(&self.zone).hour()).unwrap_or(0)
    }

    /// The index of a device by name.
    pub fn device(&self, id: &str) -> Option<usize> {
        self.devices.iter().position(|device| device.id == id)
    }

    /// The index of a board by name.
    pub fn node(&self, id: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// kW of a current per phase on so many phases.
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    pub fn kw(&self, amps: f64, phases: usize) -> f64 {
        amps * self.voltage_v / 1000.0 * phases as f64
    }
}

/// A device that stops by itself when it hears nothing, and reacts within seconds.
fn steady(id: &str, kind: Kind, node: usize, phases: Vec<PhaseIndex>) -> Device {
    Device {
        id: id.to_owned(),
        kind,
        node,
        phases,
        phases_known: true,
        min_a: 0.0,
        max_a: 0.0,
        max_discharge_a: 0.0,
        fallback_a: Some([0.0; 24]),
        keeps_fallback: true,
        reaction_s: 5.0,
        guaranteed_a: 0.0,
        switches_phases: false,
        chooses_phase: false,
        managed: true,
        priority: 0,
    }
}

fn node(site: &Site, board: &Board, parent: Option<usize>) -> Node {
    let meter = site.meters.iter().find(|meter| meter.board == board.id).map(|meter| Seen {
        stations: meter.includes.contains(&Included::Stations),
        loads: meter.includes.contains(&Included::Loads),
        batteries: meter.includes.contains(&Included::Batteries),
    });
    Node {
        id: board.id.clone(),
        parent,
        limit_a: board.limit_a.phases(),
        tolerance_s: board.tolerance_s,
        imbalance_a: board.imbalance_a(),
        building_max_a: board.building_max_a.as_ref().map(HourlyByPhase::by_hour),
        feeds_a: [0.0; 3],
        meter,
    }
}

fn phases_of(names: &[String]) -> Vec<PhaseIndex> {
    (0..3).filter(|&phase| names.iter().any(|name| name == kwartier_data::instance::PHASE_NAMES[phase])).collect()
}

#[expect(clippy::cast_precision_loss, reason = "at most three")]
fn count(phases: &[PhaseIndex]) -> f64 {
    phases.len().max(1) as f64
}
