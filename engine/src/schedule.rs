//! What every unit does, and what the boards and the meter carry because of it.

use kwartier_data::instance::Instance;
use kwartier_data::plan::{BatteryPlan, FORMAT, LoadPlan, Plan, PvPlan, SessionPlan, Status};

use crate::model::Model;
use crate::model::boards::PAIRS;
use crate::model::unit::{Is, Store, Unit};
use crate::verify;

/// Quantities below this are 0.
pub const NOTHING: f64 = 1e-7;

/// What every unit does in the slots of its window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// Quantity up, per unit and slot of its window.
    pub up: Vec<Vec<f64>>,
    /// Quantity down; empty where a unit has no such direction.
    pub down: Vec<Vec<f64>>,
}

impl Schedule {
    /// Nothing runs; all PV is used.
    pub fn idle(model: &Model) -> Self {
        let up = |u: &Unit| if matches!(u.is, Is::Pv(_)) { u.up_max.clone() } else { vec![0.0; u.len()] };
        Self {
            up: model.units.iter().map(up).collect(),
            down: model.units.iter().map(|u| vec![0.0; u.down_max.len()]).collect(),
        }
    }

    /// Signed quantity of a unit in a slot of its window.
    pub fn z(&self, unit: usize, k: usize) -> f64 {
        self.up[unit][k] - self.down[unit].get(k).copied().unwrap_or(0.0)
    }

    /// The schedule as a plan, with nothing said yet about cost and shortfalls.
    pub fn plan(&self, instance: &Instance, model: &Model) -> Plan {
        let zeros = || vec![0.0; instance.slots];
        let named = |ids: &mut dyn Iterator<Item = &String>| ids.cloned().collect::<Vec<_>>();
        let session = |id: String| SessionPlan { id, charge_a: zeros(), discharge_a: zeros(), shortfall_kwh: 0.0 };
        let battery = |id: String| BatteryPlan { id, charge_kw: zeros(), discharge_kw: zeros() };
        let load = |id: String| LoadPlan { id, kw: zeros(), shortfall_kwh: 0.0 };
        let mut plan = Plan {
            format: FORMAT,
            status: Status::Feasible,
            objective_eur: 0.0,
            bound_eur: 0.0,
            solve_seconds: 0.0,
            gap: None,
            made: None,
            sessions: named(&mut instance.sessions.iter().map(|s| &s.id)).into_iter().map(session).collect(),
            batteries: named(&mut instance.batteries.iter().map(|b| &b.id)).into_iter().map(battery).collect(),
            pv: instance.pv.iter().map(|v| PvPlan { id: v.id.clone(), used_kw: v.kw.clone() }).collect(),
            loads: named(&mut instance.loads.iter().map(|l| &l.id)).into_iter().map(load).collect(),
            prices: None,
        };
        for (i, unit) in model.units.iter().enumerate() {
            let window = unit.from..unit.to();
            let (up, down) = (&self.up[i], &self.down[i]);
            match unit.is {
                Is::Session(s) => {
                    plan.sessions[s].charge_a[window.clone()].copy_from_slice(up);
                    if !down.is_empty() {
                        plan.sessions[s].discharge_a[window].copy_from_slice(down);
                    }
                }
                Is::Battery(b) => {
                    plan.batteries[b].charge_kw.copy_from_slice(up);
                    plan.batteries[b].discharge_kw.copy_from_slice(down);
                }
                Is::Pv(v) => plan.pv[v].used_kw.copy_from_slice(up),
                Is::Load(l) => plan.loads[l].kw[window].copy_from_slice(up),
            }
        }
        plan
    }

    /// The schedule as a plan that states its true cost and shortfalls, and that cost as its bound.
    pub fn priced_plan(&self, instance: &Instance, model: &Model) -> Plan {
        let mut plan = self.plan(instance, model);
        let price = verify::price(instance, &plan);
        plan.objective_eur = price.objective_eur;
        plan.bound_eur = price.objective_eur;
        for (session, short) in plan.sessions.iter_mut().zip(price.session_shortfall_kwh) {
            session.shortfall_kwh = short;
        }
        for (load, short) in plan.loads.iter_mut().zip(price.load_shortfall_kwh) {
            load.shortfall_kwh = short;
        }
        plan
    }

    /// Reads a plan for the same instance, as far as it names the same things; what is absent or out of shape is idle.
    pub fn of_plan(instance: &Instance, model: &Model, plan: &Plan) -> Self {
        let mut schedule = Self::idle(model);
        let fits = |series: &[f64]| series.len() == instance.slots && series.iter().all(|v| v.is_finite());
        for (i, unit) in model.units.iter().enumerate() {
            let (up, down): (Option<&[f64]>, Option<&[f64]>) = match unit.is {
                Is::Session(s) => {
                    let found = plan.sessions.get(s).filter(|p| p.id == instance.sessions[s].id);
                    (found.map(|p| &p.charge_a[..]), found.map(|p| &p.discharge_a[..]))
                }
                Is::Battery(b) => {
                    let found = plan.batteries.get(b).filter(|p| p.id == instance.batteries[b].id);
                    (found.map(|p| &p.charge_kw[..]), found.map(|p| &p.discharge_kw[..]))
                }
                Is::Pv(v) => (plan.pv.get(v).filter(|p| p.id == instance.pv[v].id).map(|p| &p.used_kw[..]), None),
                Is::Load(l) => (plan.loads.get(l).filter(|p| p.id == instance.loads[l].id).map(|p| &p.kw[..]), None),
            };
            for k in 0..unit.len() {
                if let Some(up) = up.filter(|s| fits(s)) {
                    schedule.up[i][k] = up[unit.from + k].clamp(0.0, unit.up_max[k]);
                }
                if let (true, Some(down)) = (unit.has_down(), down.filter(|s| fits(s))) {
                    schedule.down[i][k] = down[unit.from + k].clamp(0.0, unit.down_max[k]);
                }
            }
        }
        schedule
    }
}

/// What a unit is short of its need or target, in kWh.
pub fn shortfall_kwh(unit: &Unit, up: &[f64], down: &[f64]) -> f64 {
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    match &unit.store {
        Store::None => 0.0,
        Store::Sum(of) => (of.need_kwh - of.gain_kwh * sum(up)).max(0.0),
        Store::Chain(of) => {
            let end = of.start_kwh + of.gain_kwh * sum(up) - of.drain_kwh * sum(down);
            (of.target_kwh - end).max(0.0)
        }
    }
}

/// A schedule with what it loads, kept up to date unit by unit.
#[derive(Debug, Clone)]
pub struct Site<'a> {
    /// The problem.
    pub model: &'a Model,
    /// What every unit does.
    pub schedule: Schedule,
    /// Flexible current of each phase of each board, flat as in the boards of the model, in A.
    flow_a: Vec<f64>,
    /// Net power of each slot in kW.
    pub net_kw: Vec<f64>,
    /// Import up to here is free of peak price while units are chosen one by one, in kW.
    pub peak_kw: f64,
}

impl<'a> Site<'a> {
    /// A site under a schedule.
    pub fn of(model: &'a Model, schedule: Schedule, peak_kw: f64) -> Self {
        let mut site = Self {
            model,
            schedule,
            flow_a: vec![0.0; model.boards.high_a.len()],
            net_kw: model.connection.fixed_kw.clone(),
            peak_kw,
        };
        for (i, unit) in model.units.iter().enumerate() {
            for k in 0..unit.len() {
                let z = site.schedule.z(i, k);
                site.net_kw[unit.from + k] += unit.kw * z;
                for phase in (0..3).filter(|&p| unit.phases[p]) {
                    site.flow_a[model.boards.at(unit.node, phase, unit.from + k)] += unit.amperes * z;
                }
            }
        }
        model.boards.carry_up(&mut site.flow_a);
        site
    }

    /// Takes a unit's load off boards and meter, or puts it on (`sign` −1 or 1).
    fn load(&mut self, unit: usize, sign: f64) {
        let model = self.model;
        let of = &model.units[unit];
        for k in 0..of.len() {
            let z = sign * self.schedule.z(unit, k);
            if z != 0.0 {
                self.carry(of, k, z);
            }
        }
    }

    /// Adds a signed quantity of a unit to the meter and all boards above it.
    fn carry(&mut self, of: &Unit, k: usize, z: f64) {
        let boards = &self.model.boards;
        let slot = of.from + k;
        self.net_kw[slot] += of.kw * z;
        for node in boards.path(of.node) {
            for phase in (0..3).filter(|&p| of.phases[p]) {
                self.flow_a[boards.at(node, phase, slot)] += of.amperes * z;
            }
        }
    }

    /// The highest import, at least the peak so far, in kW.
    pub fn highest_kw(&self) -> f64 {
        self.net_kw.iter().copied().fold(self.model.connection.peak_so_far_kw, f64::max)
    }

    /// Takes a unit out: boards and meter carry the others alone, until [`put`](Self::put).
    pub fn take_out(&mut self, unit: usize) {
        self.load(unit, -1.0);
    }

    /// Puts a unit back with what it does from now on.
    pub fn put(&mut self, unit: usize, up: Vec<f64>, down: Vec<f64>) {
        self.schedule.up[unit] = up;
        self.schedule.down[unit] = down;
        self.load(unit, 1.0);
    }

    /// Adds to the signed quantity of a unit in a slot of its window; what is added has the sign of the direction that runs,
    /// or takes it back to 0.
    pub fn add(&mut self, unit: usize, k: usize, z: f64) {
        let model = self.model;
        let of = &model.units[unit];
        let sum = self.schedule.z(unit, k) + z;
        let sum = if sum.abs() < NOTHING { 0.0 } else { sum };
        self.schedule.up[unit][k] = sum.max(0.0);
        if of.has_down() {
            self.schedule.down[unit][k] = (-sum).max(0.0);
        }
        self.carry(of, k, z);
    }

    /// What a unit costs where it is, all others held: the slots of its window, shortfall and wear, in EUR. Only
    /// differences for the same others mean something.
    pub fn unit_eur(&self, unit: usize) -> f64 {
        self.units_eur(&[unit])
    }

    /// What some units cost where they are, all others held: the slots from the first of their windows to the last,
    /// shortfall and wear, in EUR. Only differences for the same others mean something.
    pub fn units_eur(&self, units: &[usize]) -> f64 {
        let of = |unit: &usize| &self.model.units[*unit];
        let from = units.iter().map(|unit| of(unit).from).min().unwrap_or(0);
        let to = units.iter().map(|unit| of(unit).to()).max().unwrap_or(0);
        let connection = &self.model.connection;
        let slots = self.net_kw[from..to.max(from)].iter().enumerate().map(|(k, &net)| {
            self.model.slot_h * connection.eur_h(from + k, net) + connection.peak_eur_kw * (net - self.peak_kw).max(0.0)
        });
        let own = units.iter().map(|unit| own_eur(of(unit), &self.schedule.up[*unit], &self.schedule.down[*unit]));
        slots.sum::<f64>() + own.sum::<f64>()
    }

    /// What is left of the upward limit of a phase of a board in a slot, in A.
    pub fn left_a(&self, node: usize, phase: usize, slot: usize) -> f64 {
        let i = self.model.boards.at(node, phase, slot);
        self.model.boards.high_a[i] - self.flow_a[i]
    }

    /// By how much the difference of a pair of phases (one of [`PAIRS`]) of a board may grow in the direction of `sign`, in
    /// A; infinite where it is not limited.
    pub fn left_of_spread_a(&self, node: usize, pair: usize, slot: usize, sign: f64) -> f64 {
        let boards = &self.model.boards;
        let Some(spread) = boards.spread_of[node] else { return f64::INFINITY };
        let spread = &boards.spreads[spread];
        let (p, q) = PAIRS[pair];
        let difference_a =
            spread.base_a[pair][slot] + self.flow_a[boards.at(node, p, slot)] - self.flow_a[boards.at(node, q, slot)];
        spread.limit_a[slot] - sign * difference_a
    }

    /// Between which signed quantities a unit that is out may run in a slot of its window, for all limits to hold; the
    /// lower one may be above the higher where the others break a limit by themselves. Of a unit that is in: by how much its
    /// quantity may change.
    pub fn room(&self, unit: usize, k: usize) -> (f64, f64) {
        let model = self.model;
        let of = &model.units[unit];
        let slot = of.from + k;
        let mut room = (f64::NEG_INFINITY, f64::INFINITY);
        let mut within = |factor: f64, low: f64, high: f64| {
            let (a, b) = (low / factor, high / factor);
            room.0 = room.0.max(a.min(b));
            room.1 = room.1.min(a.max(b));
        };
        let (net, connection) = (self.net_kw[slot], &model.connection);
        within(of.kw, connection.low_kw[slot] - net, connection.high_kw[slot] - net);
        for node in model.boards.path(of.node) {
            for phase in (0..3).filter(|&p| of.phases[p]) {
                let i = model.boards.at(node, phase, slot);
                within(of.amperes, model.boards.low_a[i] - self.flow_a[i], model.boards.high_a[i] - self.flow_a[i]);
            }
            let Some(spread) = model.boards.spread_of[node] else { continue };
            let spread = &model.boards.spreads[spread];
            for (pair, (p, q)) in PAIRS.into_iter().enumerate() {
                let sign = f64::from(u8::from(of.phases[p])) - f64::from(u8::from(of.phases[q]));
                if sign != 0.0 {
                    let difference = spread.base_a[pair][slot] + self.flow_a[model.boards.at(node, p, slot)]
                        - self.flow_a[model.boards.at(node, q, slot)];
                    let limit = spread.limit_a[slot];
                    within(of.amperes * sign, -limit - difference, limit - difference);
                }
            }
        }
        room
    }

    /// Whether no limit that a unit can do something about is broken while it runs as it does.
    pub fn fits(&mut self, unit: usize) -> bool {
        const A: f64 = 1e-3;
        self.take_out(unit);
        let fits = (0..self.model.units[unit].len()).all(|k| {
            let (low, high) = self.room(unit, k);
            (low - A..=high + A).contains(&self.schedule.z(unit, k))
        });
        self.load(unit, 1.0);
        fits
    }

    /// Whether every shared limit holds, within half of what the format grants.
    pub fn holds(&self) -> bool {
        const A: f64 = 2.5e-3;
        const KW: f64 = 5e-3;
        let model = self.model;
        let boards = &model.boards;
        let within = |value: f64, low: f64, high: f64, by: f64| (low - by..=high + by).contains(&value);
        let limits = boards.low_a.iter().zip(&boards.high_a);
        let fuses = self.flow_a.iter().zip(limits).all(|(flow, (low, high))| within(*flow, *low, *high, A));
        let caps = (0..model.slots)
            .all(|t| within(self.net_kw[t], model.connection.low_kw[t], model.connection.high_kw[t], KW));
        let spreads = boards.spreads.iter().all(|spread| {
            PAIRS.into_iter().enumerate().all(|(pair, (p, q))| {
                (0..model.slots).all(|t| {
                    let flow = |phase| self.flow_a[boards.at(spread.node, phase, t)];
                    let difference = spread.base_a[pair][t] + flow(p) - flow(q);
                    within(difference, -spread.limit_a[t], spread.limit_a[t], A)
                })
            })
        });
        fuses && caps && spreads
    }

    /// What a slot costs with a unit that is out at this quantity, in EUR, wear included.
    pub fn slot_eur(&self, unit: usize, k: usize, z: f64) -> f64 {
        let of = &self.model.units[unit];
        let slot = of.from + k;
        let net = self.net_kw[slot] + of.kw * z;
        let connection = &self.model.connection;
        let peak = connection.peak_eur_kw * (net - self.peak_kw).max(0.0);
        self.model.slot_h * connection.eur_h(slot, net) + peak + of.wear_eur * (-z).max(0.0)
    }

    /// What the schedule costs in all, in EUR.
    pub fn objective_eur(&self) -> f64 {
        let model = self.model;
        let connection = &model.connection;
        let energy: f64 = self.net_kw.iter().enumerate().map(|(t, net)| connection.eur_h(t, *net)).sum();
        let units = model.units.iter().zip(self.schedule.up.iter().zip(&self.schedule.down));
        let own: f64 = units.map(|(unit, (up, down))| own_eur(unit, up, down)).sum();
        let peak = connection.peak_eur_kw * (self.highest_kw() - connection.peak_so_far_kw);
        model.constant_eur + energy * model.slot_h + peak + own
    }
}

/// Shortfall and wear of a unit in EUR.
pub fn own_eur(unit: &Unit, up: &[f64], down: &[f64]) -> f64 {
    let price = match &unit.store {
        Store::None => 0.0,
        Store::Sum(of) => of.short_eur_kwh,
        Store::Chain(of) => of.short_eur_kwh,
    };
    price * shortfall_kwh(unit, up, down) + unit.wear_eur * down.iter().sum::<f64>()
}
