//! What a site looks like right now.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_engine::control::setup::{Device, Kind};

use super::SiteLoop;
use crate::resource::session::Origin;
use crate::resource::status::{ChargerStatus, NodeStatus, SessionStatus, SiteStatus};

/// What was measured longer ago shows nothing any more.
const FRESH: TimeDelta = TimeDelta::seconds(90);

impl SiteLoop {
    /// What it looks like.
    pub fn show(&self, now: DateTime<Utc>) -> SiteStatus {
        let made = self.planned.made().filter(|made| made.covers(now));
        SiteStatus {
            site: self.id.clone(),
            name: self.site.name.clone(),
            at: now,
            setup: self.version,
            nodes: self.nodes(now),
            chargers: (0..self.setup.devices.len()).map(|device| self.charger(device, now)).collect(),
            plan: made.map(|made| made.status.clone()),
            steering: self.wheel.steering(made.is_some()),
            alarms: self.alarms.list(),
        }
    }

    fn nodes(&self, now: DateTime<Utc>) -> Vec<NodeStatus> {
        let (setup, state) = (&*self.setup, self.wheel.state());
        // What devices may draw, and show that they draw, goes up the tree.
        let mut most_a: Vec<[f64; 3]> = (0..setup.nodes.len()).map(|node| state.building_a(node)).collect();
        let mut drawn_a = most_a.clone();
        for (k, device) in setup.devices.iter().enumerate() {
            let may_a = state.most_a(k);
            let shows_a = self.drawn(k, now).map(|own| on_grid(device, own));
            for node in setup.chain(device.node) {
                for phase in 0..3 {
                    let counts = !device.phases_known || device.phases.contains(&phase);
                    most_a[node][phase] += if counts { may_a } else { 0.0 };
                    drawn_a[node][phase] += shows_a.map_or(0.0, |amps| amps[phase]);
                }
            }
        }
        let nodes = setup.nodes.iter().enumerate().map(|(k, node)| {
            let believed = state.meter_believed(k);
            let measured_a = self.metering.meters[k].filter(|_| believed).map(|reading| reading.phases_a);
            NodeStatus {
                id: node.id.clone(),
                parent: node.parent.map(|parent| setup.nodes[parent].id.clone()),
                limit_a: node.limit_a,
                measured_a,
                drawn_a: measured_a.unwrap_or(drawn_a[k]),
                counted_a: measured_a.unwrap_or(most_a[k]),
                meter_believed: node.meter.map(|_| believed),
            }
        });
        nodes.collect()
    }

    /// What a device shows that it draws, on its own phases.
    fn drawn(&self, device: usize, now: DateTime<Utc>) -> Option<[f64; 3]> {
        self.metering.drawn[device].filter(|(at, _)| now - *at <= FRESH).map(|(_, amps)| amps)
    }

    fn charger(&self, device: usize, now: DateTime<Utc>) -> ChargerStatus {
        let about = &self.setup.devices[device];
        let known = &self.live.devices[device];
        let session = known.session.as_ref().filter(|_| about.kind == Kind::Station).map(|session| {
            let remaining_kwh = self.planned.made().and_then(|made| made.remaining_kwh(device, now));
            let of_stay = self.sessions.get(&session.id).map(|kept| self.expected(&session.id, kept));
            let origins = of_stay.map(|(_, _, origins)| origins);
            let stated = self.sessions.get(&session.id).map(|kept| &kept.stated);
            SessionStatus {
                id: session.id.clone(),
                vehicle: stated.and_then(|stated| stated.vehicle.clone()),
                group: stated.and_then(|stated| stated.group.clone()),
                arrival: stated.and_then(|stated| stated.arrival),
                departure: session.departure,
                need_kwh: session.need_kwh,
                departure_from: origins.map_or(Origin::Assumed, |of| of.departure),
                need_from: origins.map_or(Origin::Assumed, |of| of.need),
                planned_until: of_stay.map(|(until, _, _)| until),
                energy_kwh: known.energy_kwh,
                // Plans reckon with a reserve; nobody takes more than is needed.
                expected_kwh: remaining_kwh.map(|kwh| {
                    let most_kwh = session.need_kwh.map_or(f64::INFINITY, |need_kwh| need_kwh.max(known.energy_kwh));
                    (known.energy_kwh + kwh).min(most_kwh)
                }),
            }
        });
        ChargerStatus {
            id: about.id.clone(),
            node: self.setup.nodes[about.node].id.clone(),
            online: self.links.up(device),
            drawn_a: self.drawn(device, now),
            setpoint: self.told[device].last.clone(),
            session,
        }
    }
}

/// Currents on a device's own phases as currents on the grid's; where it is unknown how it is wired, the highest on each.
fn on_grid(device: &Device, own_a: [f64; 3]) -> [f64; 3] {
    if !device.phases_known {
        return [own_a.into_iter().fold(0.0, f64::max); 3];
    }
    let mut grid_a = [0.0; 3];
    for (own, &phase) in device.phases.iter().enumerate().take(3) {
        grid_a[phase] += own_a[own];
    }
    grid_a
}
