//! The optimisation problem a second time, written from the format's text and from nothing of the engine, with `good_lp`:
//! slow, small, and right.

use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolutionStatus, SolverModel, Variable, constraint, highs,
    variable,
};
use kwartier_data::Instance;

/// What the reference found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// Cost of the best plan in EUR, to 1e-6 relative.
    Optimum(f64),
    /// No plan respects every limit.
    NoPlan,
    /// It is not known: the case is too hard for a plain model.
    Unknown,
}

/// How long the reference may take for a case, in seconds. Nearly all take less than one; a few in a thousand take for ever.
const PATIENCE_S: f64 = 20.0;

/// Solves the whole problem plainly.
pub fn reference(instance: &Instance) -> Reference {
    let mut model = Model::new(instance);
    model.sessions();
    model.batteries();
    model.sun();
    model.loads();
    model.solve()
}

struct Model<'a> {
    instance: &'a Instance,
    variables: ProblemVariables,
    constraints: Vec<good_lp::Constraint>,
    cost: Expression,
    /// Flexible current by node, phase, slot: what arises at the node and below.
    flow_a: Vec<[Vec<Expression>; 3]>,
    net_kw: Vec<Expression>,
}

impl<'a> Model<'a> {
    fn new(instance: &'a Instance) -> Self {
        let zeros = || vec![Expression::from(0.0); instance.slots];
        Self {
            instance,
            variables: ProblemVariables::new(),
            constraints: Vec::new(),
            cost: Expression::from(0.0),
            flow_a: (0..instance.nodes.len()).map(|_| [zeros(), zeros(), zeros()]).collect(),
            net_kw: (0..instance.slots).map(|t| Expression::from(instance.fixed_kw(t))).collect(),
        }
    }

    /// 0, or from min to max; returns the quantity and its switch.
    fn switched(&mut self, min: f64, max: f64) -> (Variable, Variable) {
        let x = self.variables.add(variable().min(0.0).max(max.max(0.0)));
        let on = self.variables.add(variable().binary());
        self.constraints.push(constraint!(x <= max * on));
        self.constraints.push(constraint!(x >= min * on));
        (x, on)
    }

    fn load(&mut self, node: usize, phases: &[usize], slot: usize, x: Variable, amperes: f64, kw: f64) {
        let path: Vec<usize> = self.instance.path(node).collect();
        for node in path {
            for &phase in phases {
                self.flow_a[node][phase][slot] += amperes * x;
            }
        }
        self.net_kw[slot] += kw * x;
    }

    fn sessions(&mut self) {
        let instance = self.instance;
        let h = instance.slot_h();
        for s in &instance.sessions {
            let charger = &instance.chargers[s.charger];
            let phases = charger.phase_map[..s.phases].to_vec();
            let kw = instance.voltage_v / 1000.0 * s.phases as f64;
            let floor = s.v2g.as_ref().map_or(0.0, |v| v.min_soc_kwh.min(s.soc_kwh));
            let mut energy = Expression::from(s.soc_kwh);
            for slot in s.arrive..s.depart {
                let (up, up_on) = self.switched(s.min_a, s.max_a.min(charger.max_a));
                self.load(charger.node, &phases, slot, up, 1.0, kw);
                energy += h * kw * s.efficiency * up;
                if let Some(v) = &s.v2g {
                    let (down, down_on) = self.switched(v.min_a, v.max_a.min(charger.max_a));
                    self.constraints.push(constraint!(up_on + down_on <= 1));
                    self.load(charger.node, &phases, slot, down, -1.0, -kw);
                    energy += -h * kw / v.efficiency * down;
                    self.cost += h * kw * v.wear_eur_kwh * down;
                    self.constraints.push(constraint!(energy.clone() >= floor));
                }
                self.constraints.push(constraint!(energy.clone() <= s.capacity_kwh));
            }
            let short = self.variables.add(variable().min(0.0));
            self.constraints.push(constraint!(energy + short >= s.soc_kwh + s.need_kwh));
            self.cost += s.shortfall_eur_kwh * short;
        }
    }

    fn batteries(&mut self) {
        let h = self.instance.slot_h();
        let per_a = 3.0 * self.instance.voltage_v / 1000.0;
        for b in &self.instance.batteries {
            let mut energy = Expression::from(b.soc_kwh);
            for slot in 0..self.instance.slots {
                let (up, up_on) = self.switched(0.0, b.max_charge_kw);
                let (down, down_on) = self.switched(0.0, b.max_discharge_kw);
                self.constraints.push(constraint!(up_on + down_on <= 1));
                self.load(b.node, &[0, 1, 2], slot, up, 1.0 / per_a, 1.0);
                self.load(b.node, &[0, 1, 2], slot, down, -1.0 / per_a, -1.0);
                energy += h * b.efficiency * up - h / b.efficiency * down;
                self.cost += h * b.wear_eur_kwh * down;
                self.constraints.push(constraint!(energy.clone() >= 0.0));
                self.constraints.push(constraint!(energy.clone() <= b.capacity_kwh));
            }
            let short = self.variables.add(variable().min(0.0));
            self.constraints.push(constraint!(energy + short >= b.end_soc_kwh));
            self.cost += b.shortfall_eur_kwh * short;
        }
    }

    fn sun(&mut self) {
        for v in self.instance.pv.iter().filter(|v| v.curtailable) {
            let per_a = v.phases.len() as f64 * self.instance.voltage_v / 1000.0;
            for slot in 0..self.instance.slots {
                let used = self.variables.add(variable().min(0.0).max(v.kw[slot]));
                self.load(v.node, &v.phases, slot, used, -1.0 / per_a, -1.0);
            }
        }
    }

    fn loads(&mut self) {
        let h = self.instance.slot_h();
        for l in &self.instance.loads {
            let per_a = l.phases.len() as f64 * self.instance.voltage_v / 1000.0;
            let mut energy = Expression::from(0.0);
            for slot in l.earliest..l.latest {
                let (x, _) = self.switched(l.min_kw, l.max_kw);
                self.load(l.node, &l.phases, slot, x, 1.0 / per_a, 1.0);
                energy += h * x;
            }
            let short = self.variables.add(variable().min(0.0));
            self.constraints.push(constraint!(energy + short >= l.need_kwh));
            self.cost += l.shortfall_eur_kwh * short;
        }
    }

    fn solve(mut self) -> Reference {
        self.boards();
        let grid = &self.instance.grid;
        let h = self.instance.slot_h();
        let sun_kw = |t: usize| self.instance.pv.iter().filter(|v| v.curtailable).map(|v| v.kw[t]).sum::<f64>();
        let peak = self.variables.add(variable().min(grid.peak_so_far_kw));
        self.cost += grid.peak_eur_kw * peak - grid.peak_eur_kw * grid.peak_so_far_kw;
        let most = 1e4;
        for (t, net) in std::mem::take(&mut self.net_kw).into_iter().enumerate() {
            let fixed = self.instance.fixed_kw(t);
            let high = grid.import_cap_kw.as_ref().map_or(most, |c| c[t].max(fixed - sun_kw(t)));
            let low = grid.export_cap_kw.as_ref().map_or(most, |c| c[t].max(-fixed));
            let (import, export) = (self.variables.add(variable().min(0.0)), self.variables.add(variable().min(0.0)));
            let way = self.variables.add(variable().binary());
            self.constraints.push(constraint!(net == import - export));
            self.constraints.push(constraint!(import <= high.max(0.0) * way));
            self.constraints.push(constraint!(export <= low.max(0.0) - low.max(0.0) * way));
            self.constraints.push(constraint!(import <= peak));
            self.cost += h * grid.import_eur_kwh[t] * import - h * grid.export_eur_kwh[t] * export;
        }
        let mut model =
            self.variables.minimise(self.cost.clone()).using(highs).set_threads(1).set_mip_rel_gap(0.0).expect("a gap");
        model = model.set_time_limit(PATIENCE_S);
        for constraint in self.constraints {
            model = model.with(constraint);
        }
        match model.solve() {
            Ok(solution) if matches!(solution.status(), SolutionStatus::TimeLimit) => Reference::Unknown,
            Ok(solution) => Reference::Optimum(solution.eval(&self.cost)),
            Err(ResolutionError::Infeasible) => Reference::NoPlan,
            // Out of time before the first plan.
            Err(ResolutionError::Other("NoSolutionFound")) => Reference::Unknown,
            Err(fault) => panic!("the reference model: {fault}"),
        }
    }

    fn boards(&mut self) {
        let instance = self.instance;
        let below = |ancestor: usize, node: usize| instance.path(node).any(|n| n == ancestor);
        for (n, node) in instance.nodes.iter().enumerate() {
            for t in 0..instance.slots {
                let per_a = |v: &kwartier_data::instance::Pv| 1000.0 / instance.voltage_v / v.phases.len() as f64;
                let made = |phase: usize, curtailable: bool| -> f64 {
                    let plants =
                        instance.pv.iter().filter(|v| v.curtailable == curtailable && v.phases.contains(&phase));
                    plants.filter(|v| below(n, v.node)).map(|v| v.kw[t] * per_a(v)).sum()
                };
                let base = [0, 1, 2].map(|p| {
                    let load: f64 =
                        (0..instance.nodes.len()).filter(|&m| below(n, m)).map(|m| instance.base_load_a[m][p][t]).sum();
                    load - made(p, false)
                });
                let sunny = [0, 1, 2].map(|p| base[p] - made(p, true));
                for p in 0..3 {
                    let flow = self.flow_a[n][p][t].clone();
                    let high = node.limit_a[p].max(sunny[p]);
                    let low = -node.limit_a[p].max(-base[p]);
                    self.constraints.push(constraint!(flow.clone() <= high - base[p]));
                    self.constraints.push(constraint!(flow >= low - base[p]));
                }
                let Some(limit) = node.imbalance_limit_a else { continue };
                let spread = |a: [f64; 3]| a[0].max(a[1]).max(a[2]) - a[0].min(a[1]).min(a[2]);
                let limit = limit.max(spread(base)).max(spread(sunny));
                for (p, q) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)] {
                    let difference = self.flow_a[n][p][t].clone() - self.flow_a[n][q][t].clone();
                    self.constraints.push(constraint!(difference <= limit - base[p] + base[q]));
                }
            }
        }
    }
}
