//! What of a site is still so after it has changed: what is known of that stays true.

use std::collections::HashMap;
use std::hash::Hash;

use super::event::{About, Event, Targets};
use super::setup::{Device, Setup};

/// What two states of a site have in common. Devices go by kind and name, boards by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// By device in the later state: the one in the earlier state that is the same in all that is known of it, on a board of the
    /// same name.
    pub devices: Vec<Option<usize>>,
    /// By board in the later state: the one of the same name whose meter sees the same, below and above the same boards. Its limits
    /// may be others: they are looked up each time.
    pub nodes: Vec<Option<usize>>,
    /// By device in the later state: the one of the same name.
    pub named: Vec<Option<usize>>,
    /// Devices of the earlier state that are gone, or hang on another board now.
    pub away: Vec<usize>,
    /// Where everything is now.
    pub moves: Moves,
}

impl Stays {
    /// What is the same in two states of a site. Nothing but names, where the zone, the voltage or how the loop goes about it
    /// differ.
    pub fn of(before: &Setup, now: &Setup) -> Stays {
        #[expect(clippy::float_cmp, reason = "the same figure, or another")]
        let comparable =
            before.zone == now.zone && before.voltage_v == now.voltage_v && before.settings == now.settings;
        let device_name = |device: &Device| (device.kind, device.id.clone());
        let named = names(before.devices.iter().map(device_name), now.devices.iter().map(device_name));
        let boards = names(before.nodes.iter().map(|node| &node.id), now.nodes.iter().map(|node| &node.id));
        let moves =
            Moves { devices: inverse(&named, before.devices.len()), nodes: inverse(&boards, before.nodes.len()) };
        let families = [families(before), families(now)];
        let same_device = |(device, found): (&Device, &Option<usize>)| {
            let found = found.filter(|_| comparable)?;
            let about = &before.devices[found];
            let stands = boards[device.node] == Some(about.node);
            (stands && Device { node: device.node, ..about.clone() } == *device).then_some(found)
        };
        let same_board = |(node, found): (usize, &Option<usize>)| {
            found.filter(|&found| {
                let meters = before.nodes[found].meter == now.nodes[node].meter;
                comparable && meters && families[0][found] == families[1][node]
            })
        };
        let away = (0..before.devices.len()).filter(|&device| {
            let stands = moves.devices[device]
                .is_some_and(|at| boards[now.devices[at].node] == Some(before.devices[device].node));
            !stands
        });
        Stays {
            devices: now.devices.iter().zip(&named).map(same_device).collect(),
            nodes: boards.iter().enumerate().map(same_board).collect(),
            away: away.collect(),
            named,
            moves,
        }
    }

    /// Whether a device of the earlier state is gone.
    pub fn leaves(&self) -> bool {
        self.moves.devices.contains(&None)
    }

    /// A plan for the earlier state as one for the later. It does not know devices that are new.
    pub fn targets(&self, targets: &Targets) -> Targets {
        Targets { amps: self.by_device(&targets.amps), costs_eur_kwh: targets.costs_eur_kwh.clone(), ..*targets }
    }

    /// What is known by device of the earlier state, by device of the later.
    pub fn by_device<T: Clone>(&self, known: &[Option<T>]) -> Vec<Option<T>> {
        self.named.iter().map(|before| known.get((*before)?)?.clone()).collect()
    }
}

/// Where the devices and boards of an earlier state of a site are in a later one; `None`, they are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    devices: Vec<Option<usize>>,
    nodes: Vec<Option<usize>>,
}

impl Moves {
    /// The index in the later state of a device of the earlier.
    pub fn device(&self, before: usize) -> Option<usize> {
        self.devices.get(before).copied().flatten()
    }

    /// The index in the later state of a board of the earlier.
    pub fn node(&self, before: usize) -> Option<usize> {
        self.nodes.get(before).copied().flatten()
    }

    /// These and then those.
    #[must_use]
    pub fn then(&self, next: &Moves) -> Moves {
        Moves {
            devices: self.devices.iter().map(|at| next.device((*at)?)).collect(),
            nodes: self.nodes.iter().map(|at| next.node((*at)?)).collect(),
        }
    }

    /// An event of the earlier state as one of the later; `None`, what it is about is gone, or it is a plan, which is made for one state.
    pub fn event(&self, event: &Event) -> Option<Event> {
        if matches!(event, Event::Planned(_)) {
            return None;
        }
        let mut event = event.clone();
        match event.about() {
            About::Device(device) => *device = self.device(*device)?,
            About::Devices(devices) => *devices = devices.iter().filter_map(|&device| self.device(device)).collect(),
            About::Node(node) => *node = self.node(*node)?,
            About::Nothing => {}
        }
        Some(event)
    }
}

/// By later index, the earlier one of the same name.
fn names<K: Eq + Hash>(before: impl Iterator<Item = K>, now: impl Iterator<Item = K>) -> Vec<Option<usize>> {
    let by_name: HashMap<K, usize> = before.enumerate().map(|(index, name)| (name, index)).collect();
    now.map(|name| by_name.get(&name).copied()).collect()
}

/// By earlier index, the later one.
fn inverse(found: &[Option<usize>], earlier: usize) -> Vec<Option<usize>> {
    let mut inverse = vec![None; earlier];
    for (index, before) in found.iter().enumerate() {
        if let Some(before) = before {
            inverse[*before] = Some(index);
        }
    }
    inverse
}

/// By board, the names of the board above it and of those below.
fn families(setup: &Setup) -> Vec<Vec<&str>> {
    let above = |node: usize| setup.nodes[node].parent.map_or("", |parent| &*setup.nodes[parent].id);
    let mut families: Vec<Vec<&str>> = (0..setup.nodes.len()).map(|node| vec![above(node)]).collect();
    for node in &setup.nodes {
        if let Some(parent) = node.parent {
            families[parent].push(&node.id);
        }
    }
    for family in &mut families {
        family[1..].sort_unstable();
    }
    families
}
