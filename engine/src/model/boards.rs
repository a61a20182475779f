//! The tree of boards: what the flexible units together may add to each phase of each board in each slot.

use kwartier_data::instance::Instance;

/// Two phases of which the difference is limited, in the order of the rows: L1−L2, L2−L3, L3−L1.
pub const PAIRS: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 0)];

/// The tree of boards. Arrays by board, phase and slot are flat, see [`Boards::at`].
#[derive(Debug, Clone)]
pub struct Boards {
    /// Number of slots.
    pub slots: usize,
    /// Parent of each board.
    pub parent: Vec<Option<usize>>,
    /// All boards, each before its parent.
    pub children_first: Vec<usize>,
    /// The grid connection.
    pub root: usize,
    /// Highest flexible current (signed, consumption positive) in A: limit less base.
    pub high_a: Vec<f64>,
    /// Lowest flexible current in A.
    pub low_a: Vec<f64>,
    /// Boards with an imbalance limit.
    pub spreads: Vec<Spread>,
    /// Index into `spreads` for each board that has one.
    pub spread_of: Vec<Option<usize>>,
}

/// The imbalance limit of a board.
#[derive(Debug, Clone)]
pub struct Spread {
    /// The board.
    pub node: usize,
    /// Highest difference of two phases per slot in A, base included.
    pub limit_a: Vec<f64>,
    /// Difference that base makes for each of [`PAIRS`], per slot in A.
    pub base_a: [Vec<f64>; 3],
}

impl Boards {
    /// Reads limits and base load of an instance.
    ///
    /// Where the building breaks a limit by itself, the limit is what it makes: upward less all PV, downward without the
    /// PV that can be turned down (`docs/formats/plan.md`, rules 2 and 3).
    pub fn of(instance: &Instance) -> Self {
        let slots = instance.slots;
        let parent: Vec<Option<usize>> = instance.nodes.iter().map(|n| n.parent).collect();
        let children_first = children_first(&parent);
        let size = parent.len() * 3 * slots;
        let (mut base, mut sun) = (vec![0.0; size], vec![0.0; size]);
        for (node, series) in instance.base_load_a.iter().enumerate() {
            for (phase, values) in series.iter().enumerate() {
                let from = (node * 3 + phase) * slots;
                base[from..from + slots].iter_mut().zip(values).for_each(|(b, a)| *b += a);
            }
        }
        for plant in &instance.pv {
            let a_per_kw = 1.0 / (instance.kw_per_a() * plant.phases.len() as f64);
            for &phase in &plant.phases {
                let from = (plant.node * 3 + phase) * slots;
                for (slot, kw) in plant.kw.iter().enumerate() {
                    if plant.curtailable {
                        sun[from + slot] += a_per_kw * kw;
                    } else {
                        base[from + slot] -= a_per_kw * kw;
                    }
                }
            }
        }
        carry_up(&mut base, slots, &parent, &children_first);
        carry_up(&mut sun, slots, &parent, &children_first);
        let (mut high_a, mut low_a) = (vec![0.0; size], vec![0.0; size]);
        for (node, of) in instance.nodes.iter().enumerate() {
            for phase in 0..3 {
                let limit = of.limit_a[phase];
                for i in (node * 3 + phase) * slots..(node * 3 + phase + 1) * slots {
                    high_a[i] = limit.max(base[i] - sun[i]) - base[i];
                    low_a[i] = -limit.max(-base[i]) - base[i];
                }
            }
        }
        let mut spread_of = vec![None; parent.len()];
        let mut spreads = Vec::new();
        for (node, of) in instance.nodes.iter().enumerate() {
            let Some(limit) = of.imbalance_limit_a else { continue };
            spread_of[node] = Some(spreads.len());
            spreads.push(Spread::of(node, limit, slots, &base, &sun));
        }
        let root = instance.root();
        Self { slots, parent, children_first, root, high_a, low_a, spreads, spread_of }
    }

    /// Index of a board's phase in a slot.
    pub fn at(&self, node: usize, phase: usize, slot: usize) -> usize {
        (node * 3 + phase) * self.slots + slot
    }

    /// The board itself and its ancestors.
    pub fn path(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(node), |&n| self.parent[n])
    }

    /// Adds what each board carries to its parent, children first.
    pub fn carry_up(&self, flow: &mut [f64]) {
        carry_up(flow, self.slots, &self.parent, &self.children_first);
    }
}

impl Spread {
    fn of(node: usize, limit: f64, slots: usize, base: &[f64], sun: &[f64]) -> Self {
        let at = |field: &[f64], phase: usize, slot: usize| field[(node * 3 + phase) * slots + slot];
        let spread = |a: [f64; 3]| a[0].max(a[1]).max(a[2]) - a[0].min(a[1]).min(a[2]);
        let limit_a = (0..slots)
            .map(|t| {
                let cloudy = [0, 1, 2].map(|p| at(base, p, t));
                let sunny = [0, 1, 2].map(|p| at(base, p, t) - at(sun, p, t));
                limit.max(spread(cloudy)).max(spread(sunny))
            })
            .collect();
        let base_a = PAIRS.map(|(p, q)| (0..slots).map(|t| at(base, p, t) - at(base, q, t)).collect());
        Self { node, limit_a, base_a }
    }
}

fn carry_up(flow: &mut [f64], slots: usize, parent: &[Option<usize>], children_first: &[usize]) {
    let width = 3 * slots;
    for &node in children_first {
        let Some(up) = parent[node] else { continue };
        for i in 0..width {
            flow[up * width + i] += flow[node * width + i];
        }
    }
}

/// All boards, each before its parent, by a queue: a tree may be as deep as it has boards.
fn children_first(parent: &[Option<usize>]) -> Vec<usize> {
    let mut waiting = vec![0_usize; parent.len()];
    for &up in parent.iter().flatten() {
        waiting[up] += 1;
    }
    let mut order: Vec<usize> = (0..parent.len()).filter(|&n| waiting[n] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        if let Some(up) = parent[order[next]] {
            waiting[up] -= 1;
            if waiting[up] == 0 {
                order.push(up);
            }
        }
        next += 1;
    }
    order
}
