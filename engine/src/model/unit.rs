//! Everything flexible as one kind of thing: so much up, or so much down, in each slot of a window, and perhaps a store.

use kwartier_data::instance::{Battery, Instance, Load, PhaseIndex, Pv, Session};

/// Something flexible. Its quantity is in A per phase for a session and in kW for all else; up is what it was made for
/// (a session, battery or load consumes, a plant delivers), down the opposite.
#[derive(Debug, Clone)]
pub struct Unit {
    /// What it is.
    pub is: Is,
    /// Its board.
    pub node: usize,
    /// Which phases it loads.
    pub phases: [bool; 3],
    /// Current on each of its phases per unit of quantity, in A; negative where up delivers.
    pub amperes: f64,
    /// Power at the connection per unit of quantity, in kW; negative where up delivers.
    pub kw: f64,
    /// First slot of its window; its arrays begin there.
    pub from: usize,
    /// Lowest quantity up other than 0.
    pub up_min: f64,
    /// Highest quantity up in each slot of the window; 0 where it cannot run.
    pub up_max: Vec<f64>,
    /// Lowest quantity down other than 0.
    pub down_min: f64,
    /// Highest quantity down in each slot of the window; empty where it has no such direction.
    pub down_max: Vec<f64>,
    /// Cost per unit of quantity down and slot, in EUR.
    pub wear_eur: f64,
    /// What it fills.
    pub store: Store,
}

/// What a unit is, by index into the instance's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// A vehicle's stay.
    Session(usize),
    /// A stationary battery.
    Battery(usize),
    /// A curtailable PV plant.
    Pv(usize),
    /// A flexible load.
    Load(usize),
}

/// What a unit fills.
#[derive(Debug, Clone)]
pub enum Store {
    /// Nothing.
    None,
    /// A need: only the sum counts.
    Sum(Sum),
    /// A battery that may be emptied as well: the energy after each slot counts.
    Chain(Chain),
}

/// A need of which only the sum counts.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// Energy per unit of quantity and slot in kWh.
    pub gain_kwh: f64,
    /// Energy wanted in kWh; at most `room_kwh`.
    pub need_kwh: f64,
    /// Highest energy in kWh.
    pub room_kwh: f64,
    /// Cost of each kWh short in EUR.
    pub short_eur_kwh: f64,
}

/// A battery.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    /// Energy gained per unit of quantity up and slot in kWh.
    pub gain_kwh: f64,
    /// Energy lost per unit of quantity down and slot in kWh.
    pub drain_kwh: f64,
    /// Energy at the beginning of the window, above the floor, in kWh.
    pub start_kwh: f64,
    /// Highest energy above the floor in kWh.
    pub room_kwh: f64,
    /// Energy wanted at the end of the window, above the floor, in kWh; from 0 to `room_kwh`.
    pub target_kwh: f64,
    /// Cost of each kWh short at the end in EUR.
    pub short_eur_kwh: f64,
}

impl Unit {
    /// First slot after its window.
    pub fn to(&self) -> usize {
        self.from + self.up_max.len()
    }

    /// Length of its window in slots.
    pub fn len(&self) -> usize {
        self.up_max.len()
    }

    /// Whether its window has no slot.
    pub fn is_empty(&self) -> bool {
        self.up_max.is_empty()
    }

    /// Whether it can run down at all.
    pub fn has_down(&self) -> bool {
        !self.down_max.is_empty()
    }

    /// Highest quantity down in a slot of the window.
    pub fn down_at(&self, k: usize) -> f64 {
        self.down_max.get(k).copied().unwrap_or(0.0)
    }
}

/// All flexible units of an instance. Shortfalls that no plan can avoid are added to `constant_eur`.
pub fn all(instance: &Instance, constant_eur: &mut f64) -> Vec<Unit> {
    let sessions = instance.sessions.iter().enumerate().map(|(i, s)| session(instance, i, s, constant_eur));
    let mut units: Vec<Unit> = sessions.collect();
    units.extend(instance.batteries.iter().enumerate().map(|(i, b)| battery(instance, i, b)));
    let plants = instance.pv.iter().enumerate().filter(|(_, v)| v.curtailable);
    units.extend(plants.map(|(i, v)| pv(instance, i, v)));
    units.extend(instance.loads.iter().enumerate().map(|(i, l)| load(instance, i, l)));
    units
}

fn session(instance: &Instance, index: usize, of: &Session, constant_eur: &mut f64) -> Unit {
    let phases = instance.session_phases(of);
    let slot_kwh = instance.kw_per_a() * phases.len() as f64 * instance.slot_h();
    let room_kwh = (of.capacity_kwh - of.soc_kwh).max(0.0);
    let need_kwh = of.need_kwh.min(room_kwh);
    *constant_eur += (of.need_kwh - need_kwh) * of.shortfall_eur_kwh;
    let max_a = instance.session_max_a(of);
    let slots = of.depart - of.arrive;
    let gain_kwh = slot_kwh * of.efficiency;
    // A minimum above the maximum leaves nothing but 0.
    let up = if of.min_a > max_a { 0.0 } else { max_a };
    let down = of.v2g.as_ref().map(|v| (v, v.max_a.min(instance.chargers[of.charger].max_a)));
    let down = down.filter(|(v, max)| *max > 0.0 && v.min_a <= *max);
    let store = match &down {
        None => Store::Sum(Sum { gain_kwh, need_kwh, room_kwh, short_eur_kwh: of.shortfall_eur_kwh }),
        Some((v2g, _)) => {
            let floor_kwh = v2g.min_soc_kwh.min(of.soc_kwh);
            Store::Chain(Chain {
                gain_kwh,
                drain_kwh: slot_kwh / v2g.efficiency,
                start_kwh: of.soc_kwh - floor_kwh,
                room_kwh: of.capacity_kwh - floor_kwh,
                target_kwh: of.soc_kwh + need_kwh - floor_kwh,
                short_eur_kwh: of.shortfall_eur_kwh,
            })
        }
    };
    Unit {
        is: Is::Session(index),
        node: instance.chargers[of.charger].node,
        phases: mask(phases),
        amperes: 1.0,
        kw: instance.kw_per_a() * phases.len() as f64,
        from: of.arrive,
        up_min: of.min_a,
        up_max: vec![up; slots],
        down_min: down.map_or(0.0, |(v, _)| v.min_a),
        down_max: down.map_or_else(Vec::new, |(_, max)| vec![max; slots]),
        wear_eur: down.map_or(0.0, |(v, _)| v.wear_eur_kwh * slot_kwh),
        store,
    }
}

fn battery(instance: &Instance, index: usize, of: &Battery) -> Unit {
    let slot_h = instance.slot_h();
    Unit {
        is: Is::Battery(index),
        node: of.node,
        phases: [true; 3],
        amperes: 1.0 / (3.0 * instance.kw_per_a()),
        kw: 1.0,
        from: 0,
        up_min: 0.0,
        up_max: vec![of.max_charge_kw; instance.slots],
        down_min: 0.0,
        down_max: vec![of.max_discharge_kw; instance.slots],
        wear_eur: of.wear_eur_kwh * slot_h,
        store: Store::Chain(Chain {
            gain_kwh: slot_h * of.efficiency,
            drain_kwh: slot_h / of.efficiency,
            start_kwh: of.soc_kwh,
            room_kwh: of.capacity_kwh,
            target_kwh: of.end_soc_kwh,
            short_eur_kwh: of.shortfall_eur_kwh,
        }),
    }
}

fn pv(instance: &Instance, index: usize, of: &Pv) -> Unit {
    Unit {
        is: Is::Pv(index),
        node: of.node,
        phases: mask(&of.phases),
        amperes: -1.0 / (of.phases.len() as f64 * instance.kw_per_a()),
        kw: -1.0,
        from: 0,
        up_min: 0.0,
        up_max: of.kw.clone(),
        down_min: 0.0,
        down_max: Vec::new(),
        wear_eur: 0.0,
        store: Store::None,
    }
}

fn load(instance: &Instance, index: usize, of: &Load) -> Unit {
    let slots = of.latest - of.earliest;
    let gain_kwh = instance.slot_h();
    let max_kw = if of.min_kw > of.max_kw { 0.0 } else { of.max_kw };
    // A load may take more than it needs; the sum of its slots is its only end.
    let room_kwh = (gain_kwh * max_kw * slots as f64).max(of.need_kwh);
    Unit {
        is: Is::Load(index),
        node: of.node,
        phases: mask(&of.phases),
        amperes: 1.0 / (of.phases.len() as f64 * instance.kw_per_a()),
        kw: 1.0,
        from: of.earliest,
        up_min: of.min_kw,
        up_max: vec![max_kw; slots],
        down_min: 0.0,
        down_max: Vec::new(),
        wear_eur: 0.0,
        store: Store::Sum(Sum { gain_kwh, need_kwh: of.need_kwh, room_kwh, short_eur_kwh: of.shortfall_eur_kwh }),
    }
}

fn mask(phases: &[PhaseIndex]) -> [bool; 3] {
    [0, 1, 2].map(|p| phases.contains(&p))
}
