//! From the checked instance back to its JSON shape.

use chrono::SecondsFormat;

use super::{Instance, PHASE_NAMES, PhaseIndex, Session, wire};

impl Instance {
    /// The instance as a file holds it: [`Instance::from_wire`] of it is equal to `self`.
    ///
    /// Boards that draw nothing get no base load entry, and boards that had several get one.
    pub fn to_wire(&self) -> wire::Instance {
        wire::Instance {
            format: 1,
            start: self.start.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            name: self.name.clone(),
            time_zone: self.time_zone.map(|zone| zone.name().to_owned()),
            slot_minutes: u64::from(self.slot_minutes),
            slots: self.slots as u64,
            voltage_v: self.voltage_v,
            nodes: self.wire_nodes(),
            base_load_a: self.wire_base_load(),
            pv: self.wire_pv(),
            grid: self.wire_grid(),
            chargers: self.wire_chargers(),
            sessions: self.sessions.iter().map(|session| self.wire_session(session)).collect(),
            batteries: self.wire_batteries(),
            loads: self.wire_loads(),
        }
    }

    fn node_id(&self, node: usize) -> String {
        self.nodes[node].id.clone()
    }

    fn wire_nodes(&self) -> Vec<wire::Node> {
        let nodes = self.nodes.iter().map(|node| wire::Node {
            id: node.id.clone(),
            parent: node.parent.map(|parent| self.node_id(parent)),
            limit_a: node.limit_a.to_vec(),
            imbalance_limit_a: node.imbalance_limit_a,
        });
        nodes.collect()
    }

    fn wire_base_load(&self) -> Vec<wire::BaseLoad> {
        let drawing =
            self.base_load_a.iter().enumerate().filter(|(_, phases)| phases.iter().flatten().any(|&a| a != 0.0));
        let entries = drawing.map(|(node, [l1, l2, l3])| wire::BaseLoad {
            node: self.node_id(node),
            l1: l1.clone(),
            l2: l2.clone(),
            l3: l3.clone(),
        });
        entries.collect()
    }

    fn wire_pv(&self) -> Vec<wire::Pv> {
        let plants = self.pv.iter().map(|pv| wire::Pv {
            id: pv.id.clone(),
            node: self.node_id(pv.node),
            phases: phase_names(&pv.phases),
            kw: pv.kw.clone(),
            curtailable: pv.curtailable,
        });
        plants.collect()
    }

    fn wire_grid(&self) -> wire::Grid {
        let grid = &self.grid;
        wire::Grid {
            import_eur_kwh: grid.import_eur_kwh.clone(),
            export_eur_kwh: grid.export_eur_kwh.clone(),
            import_cap_kw: grid.import_cap_kw.clone(),
            export_cap_kw: grid.export_cap_kw.clone(),
            peak_eur_kw: grid.peak_eur_kw,
            peak_so_far_kw: grid.peak_so_far_kw,
            base_kw: grid.base_kw.clone(),
            co2_kg_kwh: grid.co2_kg_kwh.clone(),
        }
    }

    fn wire_chargers(&self) -> Vec<wire::Charger> {
        let chargers = self.chargers.iter().map(|charger| wire::Charger {
            id: charger.id.clone(),
            node: self.node_id(charger.node),
            phase_map: phase_names(&charger.phase_map),
            max_a: charger.max_a,
        });
        chargers.collect()
    }

    fn wire_session(&self, session: &Session) -> wire::Session {
        let v2g = session.v2g.as_ref().map(|v2g| wire::V2g {
            min_a: v2g.min_a,
            max_a: v2g.max_a,
            efficiency: v2g.efficiency,
            min_soc_kwh: v2g.min_soc_kwh,
            wear_eur_kwh: v2g.wear_eur_kwh,
        });
        wire::Session {
            id: session.id.clone(),
            charger: self.chargers[session.charger].id.clone(),
            arrive: session.arrive as u64,
            depart: session.depart as u64,
            phases: session.phases as u64,
            min_a: session.min_a,
            max_a: session.max_a,
            efficiency: session.efficiency,
            capacity_kwh: session.capacity_kwh,
            soc_kwh: session.soc_kwh,
            need_kwh: session.need_kwh,
            shortfall_eur_kwh: session.shortfall_eur_kwh,
            v2g,
        }
    }

    fn wire_batteries(&self) -> Vec<wire::Battery> {
        let batteries = self.batteries.iter().map(|battery| wire::Battery {
            id: battery.id.clone(),
            node: self.node_id(battery.node),
            capacity_kwh: battery.capacity_kwh,
            soc_kwh: battery.soc_kwh,
            end_soc_kwh: battery.end_soc_kwh,
            shortfall_eur_kwh: battery.shortfall_eur_kwh,
            max_charge_kw: battery.max_charge_kw,
            max_discharge_kw: battery.max_discharge_kw,
            efficiency: battery.efficiency,
            wear_eur_kwh: battery.wear_eur_kwh,
        });
        batteries.collect()
    }

    fn wire_loads(&self) -> Vec<wire::Load> {
        let loads = self.loads.iter().map(|load| wire::Load {
            id: load.id.clone(),
            node: self.node_id(load.node),
            phases: phase_names(&load.phases),
            earliest: load.earliest as u64,
            latest: load.latest as u64,
            min_kw: load.min_kw,
            max_kw: load.max_kw,
            need_kwh: load.need_kwh,
            shortfall_eur_kwh: load.shortfall_eur_kwh,
        });
        loads.collect()
    }
}

fn phase_names(phases: &[PhaseIndex]) -> Vec<String> {
    phases.iter().map(|&phase| PHASE_NAMES[phase].to_owned()).collect()
}
