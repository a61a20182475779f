//! What a kWh costs where a vehicle stands, and what of that goes to which limit.

use std::collections::HashMap;

use kwartier_data::instance::{Instance, PhaseIndex, Session};
use kwartier_data::plan::{BoardLimit, Plan};

/// Prices below this are none, EUR per unit.
pub const NOTHING: f64 = 1e-6;

/// The prices of a plan, found by board and slot.
pub struct LocalPrices<'a> {
    instance: &'a Instance,
    /// What one more kWh at the grid connection costs, tariff, peak and caps together, EUR/kWh.
    pub energy_eur_kwh: Vec<f64>,
    /// What of it is the peak, EUR/kWh.
    pub peak_eur_kwh: Vec<f64>,
    /// What one more ampere is worth, by place and slot; only where something is.
    boards: HashMap<Place, Vec<f64>>,
}

/// A limit on the way of a current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The board.
    pub node: usize,
    /// The phase.
    pub phase: PhaseIndex,
    /// Whether it is the difference between phases that has the price, not the phase itself.
    pub imbalance: bool,
}

impl<'a> LocalPrices<'a> {
    /// Reads the prices of a plan; where it states none, the tariff is all there is.
    pub fn of(instance: &'a Instance, plan: &Plan) -> Self {
        let slots = instance.slots;
        let grid = &instance.grid;
        let stated = plan.prices.as_ref().filter(|prices| prices.energy_eur_kwh.len() == slots);
        let energy_eur_kwh = stated.map_or_else(|| grid.import_eur_kwh.clone(), |prices| prices.energy_eur_kwh.clone());
        let peak = stated.map(|prices| &prices.peak_eur_kw).filter(|peak| peak.len() == slots);
        // Beyond the peak price it is the cap that keeps the peak from rising: that share belongs to the cap.
        let sum: f64 = peak.iter().flat_map(|peak| peak.iter()).sum();
        let share = if sum > grid.peak_eur_kw { grid.peak_eur_kw / sum } else { 1.0 };
        let per_kwh = share / instance.slot_h();
        let peak_eur_kwh = peak.map_or_else(|| vec![0.0; slots], |peak| peak.iter().map(|eur| eur * per_kwh).collect());
        let nodes: HashMap<&str, usize> =
            instance.nodes.iter().enumerate().map(|(node, of)| (of.id.as_str(), node)).collect();
        let mut boards: HashMap<Place, Vec<f64>> = HashMap::new();
        for price in stated.iter().flat_map(|prices| &prices.boards).filter(|price| price.slot < slots) {
            let Some(&node) = nodes.get(price.node.as_str()) else { continue };
            let imbalance = !matches!(price.limit, BoardLimit::L1 | BoardLimit::L2 | BoardLimit::L3);
            for (phase, sign) in phases(price.limit) {
                let place = Place { node, phase, imbalance };
                boards.entry(place).or_insert_with(|| vec![0.0; slots])[price.slot] += sign * price.eur_a;
            }
        }
        LocalPrices { instance, energy_eur_kwh, peak_eur_kwh, boards }
    }

    /// What a session pays for the boards on its way in a slot, EUR per kWh at the charger.
    pub fn boards_eur_kwh(&self, session: &Session, slot: usize) -> f64 {
        self.on_the_way(session, slot).map(|(_, eur_kwh)| eur_kwh).sum()
    }

    /// The boards and phases on a session's way that have a price in a slot, with what it pays for each, EUR per kWh at the
    /// charger.
    pub fn on_the_way<'s>(&'s self, session: &'s Session, slot: usize) -> impl Iterator<Item = (Place, f64)> + 's {
        let phases = self.instance.session_phases(session);
        let kwh_per_a = self.kwh_per_a(session);
        let node = self.instance.chargers[session.charger].node;
        self.at(node, phases, slot).map(move |(at, eur_a)| (at, eur_a / kwh_per_a))
    }

    /// Energy at the charger per ampere and slot, in kWh.
    pub fn kwh_per_a(&self, session: &Session) -> f64 {
        self.instance.kw_per_a() * self.instance.slot_h() * session.phases as f64
    }

    /// The priced boards and phases that a current on `phases` at a board loads in a slot, in EUR per ampere of it.
    pub fn at<'s>(
        &'s self,
        node: usize,
        phases: &'s [PhaseIndex],
        slot: usize,
    ) -> impl Iterator<Item = (Place, f64)> + 's {
        self.instance.path(node).flat_map(move |node| {
            let places =
                phases.iter().flat_map(move |&phase| [false, true].map(|imbalance| Place { node, phase, imbalance }));
            places.filter_map(move |place| {
                let eur_a = self.boards.get(&place)?[slot];
                (eur_a.abs() > NOTHING).then_some((place, eur_a))
            })
        })
    }

    /// What one kW through a slot costs at the connection, in EUR.
    pub fn slot_eur_kw(&self, slot: usize) -> f64 {
        self.energy_eur_kwh[slot] * self.instance.slot_h()
    }

    /// What a kWh into the battery costs a session in a slot, all told, in EUR.
    pub fn kwh_eur(&self, session: &Session, slot: usize) -> f64 {
        (self.energy_eur_kwh[slot] + self.boards_eur_kwh(session, slot)) / session.efficiency
    }

    /// What a kWh into the battery costs in a slot by the tariff alone, in EUR.
    pub fn tariff_eur(&self, session: &Session, slot: usize) -> f64 {
        self.instance.grid.import_eur_kwh[slot] / session.efficiency
    }
}

/// The phases whose current counts towards a limit, with its sign.
fn phases(limit: BoardLimit) -> impl Iterator<Item = (usize, f64)> {
    let pair = match limit {
        BoardLimit::L1 => [Some((0, 1.0)), None],
        BoardLimit::L2 => [Some((1, 1.0)), None],
        BoardLimit::L3 => [Some((2, 1.0)), None],
        BoardLimit::L1L2 => [Some((0, 1.0)), Some((1, -1.0))],
        BoardLimit::L2L3 => [Some((1, 1.0)), Some((2, -1.0))],
        BoardLimit::L3L1 => [Some((2, 1.0)), Some((0, -1.0))],
    };
    pair.into_iter().flatten()
}
