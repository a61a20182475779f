//! What of a site is still so after it has changed: what is known of that stays true.

use std::collections::HashMap;

use super::event::{Event, Scope, Signal, Targets};
use super::setup::{Device, Node, Setup};

/// What two states of a site have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// By device in the later state: the one in the earlier state that is the same in all that is known of it, on a board of the
    /// same name.
    pub devices: Vec<Option<usize>>,
    /// By board in the later state: the one of the same name whose meter sees the same. Its limits may be others: they are looked
    /// up each time.
    pub nodes: Vec<Option<usize>>,
    /// By device in the later state: the one of the same name.
    pub named: Vec<Option<usize>>,
    /// By device in the earlier state: the one of the same name in the later.
    moved_devices: Vec<Option<usize>>,
    /// By board in the earlier state: the one of the same name in the later.
    moved_nodes: Vec<Option<usize>>,
}

impl Stays {
    /// What is the same in two states of a site. Nothing but names, where the zone, the voltage or how the loop goes about it
    /// differ.
    pub fn of(before: &Setup, now: &Setup) -> Stays {
        #[expect(clippy::float_cmp, reason = "the same figure, or another")]
        let comparable =
            before.zone == now.zone && before.voltage_v == now.voltage_v && before.settings == now.settings;
        let (named, moved_devices) = names(before.devices.iter().map(|d| &*d.id), now.devices.iter().map(|d| &*d.id));
        let (boards, moved_nodes) = names(before.nodes.iter().map(|n| &*n.id), now.nodes.iter().map(|n| &*n.id));
        let same_device = |(device, found): (&Device, &Option<usize>)| {
            let found = found.filter(|_| comparable)?;
            let about = &before.devices[found];
            let stands = before.nodes[about.node].id == now.nodes[device.node].id;
            (stands && Device { node: device.node, ..about.clone() } == *device).then_some(found)
        };
        let same_board = |(node, found): (&Node, &Option<usize>)| {
            found.filter(|&found| comparable && before.nodes[found].meter == node.meter)
        };
        Stays {
            devices: now.devices.iter().zip(&named).map(same_device).collect(),
            nodes: now.nodes.iter().zip(&boards).map(same_board).collect(),
            named,
            moved_devices,
            moved_nodes,
        }
    }

    /// Whether a device of the earlier state is gone.
    pub fn leaves(&self) -> bool {
        self.moved_devices.contains(&None)
    }

    /// The index in the later state of a device of the earlier; `None`, it is gone.
    pub fn device(&self, before: usize) -> Option<usize> {
        self.moved_devices.get(before).copied().flatten()
    }

    /// An event of the earlier state as one of the later; `None`, what it is about is gone.
    pub fn event(&self, event: &Event) -> Option<Event> {
        let mut event = event.clone();
        match &mut event {
            Event::Meter { node, .. } => *node = self.node(*node)?,
            Event::Drawn { device, .. }
            | Event::Link { device, .. }
            | Event::Booted { device }
            | Event::Holds { device, .. }
            | Event::Answered { device, .. }
            | Event::Session { device, .. }
            | Event::Unplugged { device }
            | Event::Wish { device, .. }
            | Event::Override { device, .. } => *device = self.device(*device)?,
            Event::Signal(Signal { on: Scope::Node(node), .. }) => *node = self.node(*node)?,
            Event::Signal(Signal { on: Scope::Devices(devices), .. }) => {
                *devices = devices.iter().filter_map(|&device| self.device(device)).collect();
            }
            Event::Planned(targets) => *targets = self.targets(targets).into(),
            Event::Withdrawn { .. } => {}
        }
        Some(event)
    }

    /// A plan for the earlier state as one for the later. It does not know devices that are new.
    pub fn targets(&self, targets: &Targets) -> Targets {
        Targets { amps: self.by_device(&targets.amps), costs_eur_kwh: targets.costs_eur_kwh.clone(), ..*targets }
    }

    /// What is known by device of the earlier state, by device of the later.
    pub fn by_device<T: Clone>(&self, known: &[Option<T>]) -> Vec<Option<T>> {
        self.named.iter().map(|before| known.get((*before)?)?.clone()).collect()
    }

    fn node(&self, before: usize) -> Option<usize> {
        self.moved_nodes.get(before).copied().flatten()
    }
}

/// What has the same name: by later index, and by earlier index.
fn names<'l>(
    before: impl Iterator<Item = &'l str>,
    now: impl Iterator<Item = &'l str>,
) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let by_name: HashMap<&str, usize> = before.enumerate().map(|(index, name)| (name, index)).collect();
    let found: Vec<Option<usize>> = now.map(|name| by_name.get(name).copied()).collect();
    let mut moved = vec![None; by_name.len()];
    for (index, before) in found.iter().enumerate() {
        if let Some(before) = before {
            moved[*before] = Some(index);
        }
    }
    (found, moved)
}
