//! The verifier: does a plan keep every rule of its instance, and what does it cost?
//!
//! It shares no code with the solvers and believes nothing a plan says about itself. Every rule of
//! `docs/formats/plan.md` is tested from the numbers of the instance and the plan alone, with the tolerances of the
//! format. The work is proportional to the size of instance and plan: flows are added up where they arise and then
//! carried up the tree of boards once, children first.
//!
//! | file | tests |
//! |---|---|
//! | `entries.rs` | that plan and instance name the same things, and that the arrays are numbers of the right length |
//! | `items.rs` | each vehicle, battery, plant and load by itself: ranges, windows, energy, shortfall, wear |
//! | `site.rs` | what they share: fuses, imbalance, caps, and the bill |
//! | `violation.rs` | what is found, in words |

mod entries;
mod items;
mod site;
mod violation;

use kwartier_data::instance::Instance;
use kwartier_data::plan::{FORMAT, Plan};
use serde::Serialize;

pub use violation::{Group, IdFault, Item, Moment, Side, Violation};

use entries::Entries;
use site::Site;

/// Tolerance on currents in A (`docs/formats/plan.md`: 5 mA).
pub const TOLERANCE_A: f64 = 5e-3;
/// Tolerance on powers in kW (5 W). Caps at the connection and the energy of batteries add up many powers and get four
/// times as much, as in the reference checker.
pub const TOLERANCE_KW: f64 = 5e-3;
/// Tolerance on energies in kWh (5 Wh).
pub const TOLERANCE_KWH: f64 = 5e-3;
/// Tolerance on a stated shortfall in kWh: rounded currents add up over the stay.
pub const TOLERANCE_SHORTFALL_KWH: f64 = 2e-2;
/// Tolerance on stated money in EUR.
pub const TOLERANCE_EUR: f64 = 2e-2;
/// Tolerance on the stated objective as a fraction of it, where that is more than [`TOLERANCE_EUR`].
const TOLERANCE_OBJECTIVE: f64 = 2e-5;
/// Sums of many powers get this many times the tolerance.
const SUM_FACTOR: f64 = 4.0;
/// At most so many violations are kept; all are counted.
pub const MAX_VIOLATIONS: usize = 100;
/// The flexible cost a gap is relative to is at least this many EUR.
const MIN_FLEXIBLE_EUR: f64 = 1.0;

/// What a plan costs, by kind, in EUR.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Imported energy.
    pub energy: f64,
    /// Exported energy; negative where it earns.
    pub export: f64,
    /// The price of the import peak above the one of the billing period so far.
    pub peak: f64,
    /// Energy short of what vehicles, batteries and loads need.
    pub shortfall: f64,
    /// Wear of batteries and of vehicles that discharge.
    pub wear: f64,
}

impl Cost {
    /// The sum of all kinds: the objective, in EUR.
    pub fn total(&self) -> f64 {
        self.energy + self.export + self.peak + self.shortfall + self.wear
    }
}

/// What a plan costs and what it leaves undone, whether or not it keeps the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// The objective in EUR.
    pub objective_eur: f64,
    /// The objective less [`idle_eur`], in EUR; may be negative.
    pub flexible_eur: f64,
    /// The objective by kind.
    pub cost: Cost,
    /// Energy short of its need per session, in the order of the instance, in kWh.
    pub session_shortfall_kwh: Vec<f64>,
    /// Energy short of its need per load, in the order of the instance, in kWh.
    pub load_shortfall_kwh: Vec<f64>,
}

/// What the verifier found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The objective as recomputed, in EUR.
    pub objective_eur: f64,
    /// The objective less what the site pays with nothing flexible running and all its PV used, in EUR; may be negative.
    pub flexible_eur: f64,
    /// The objective by kind.
    pub cost: Cost,
    /// The first [`MAX_VIOLATIONS`] broken rules.
    pub violations: Vec<Violation>,
    /// How many rules are broken in all, each slot counted.
    pub violation_count: usize,
    /// (objective − stated bound) ÷ flexible cost of at least 1 EUR, as a fraction; `None` where the bound is not a number.
    pub gap: Option<f64>,
}

impl Report {
    /// Whether every rule is kept and what the plan states of itself is true.
    pub fn is_clean(&self) -> bool {
        self.violation_count == 0
    }
}

/// Tests every rule of the format and recomputes the cost.
pub fn verify(instance: &Instance, plan: &Plan) -> Report {
    let mut found = Findings::default();
    if plan.format != FORMAT {
        found.add(|| Violation::Format { found: plan.format });
    }
    let price = examine(instance, plan, &mut found);
    let stated = plan.objective_eur;
    if (stated - price.objective_eur).abs() > TOLERANCE_EUR.max(TOLERANCE_OBJECTIVE * price.objective_eur.abs())
        || !stated.is_finite()
    {
        found.add(|| Violation::Objective { stated_eur: stated, found_eur: price.objective_eur });
    }
    let bound = plan.bound_eur;
    if bound > price.objective_eur + TOLERANCE_EUR || !bound.is_finite() {
        found.add(|| Violation::Bound { stated_eur: bound, objective_eur: price.objective_eur });
    }
    Report {
        objective_eur: price.objective_eur,
        flexible_eur: price.flexible_eur,
        cost: price.cost,
        gap: bound.is_finite().then(|| gap(price.objective_eur, bound, price.flexible_eur)),
        violations: found.list,
        violation_count: found.count,
    }
}

/// What the plan costs, without a word on whether it is allowed.
pub fn price(instance: &Instance, plan: &Plan) -> Price {
    examine(instance, plan, &mut Findings::default())
}

/// What the site pays with nothing flexible running and all its PV used, its import peak included, in EUR.
pub fn idle_eur(instance: &Instance) -> f64 {
    site::idle(instance).total()
}

/// The gap of the format: (objective − bound) ÷ flexible cost, the latter at least 1 EUR, as a fraction.
pub fn gap(objective_eur: f64, bound_eur: f64, flexible_eur: f64) -> f64 {
    (objective_eur - bound_eur) / flexible_eur.abs().max(MIN_FLEXIBLE_EUR)
}

/// Goes through the plan once: items, then boards, then the bill.
fn examine(instance: &Instance, plan: &Plan, found: &mut Findings) -> Price {
    let entries = Entries::of(instance, plan, found);
    let mut site = Site::of(instance);
    let mut cost = Cost::default();
    let session_shortfall_kwh = items::sessions(instance, &entries, &mut site, &mut cost, found);
    items::batteries(instance, &entries, &mut site, &mut cost, found);
    items::pv(instance, &entries, &mut site, found);
    let load_shortfall_kwh = items::loads(instance, &entries, &mut site, &mut cost, found);
    site.carry_up(instance);
    site.check_boards(instance, found);
    site.check_connection(instance, &mut cost, found);
    let objective_eur = cost.total();
    Price {
        objective_eur,
        flexible_eur: objective_eur - idle_eur(instance),
        cost,
        session_shortfall_kwh,
        load_shortfall_kwh,
    }
}

/// Broken rules as they are found: the first few kept, all counted.
#[derive(Debug, Default)]
struct Findings {
    list: Vec<Violation>,
    count: usize,
}

impl Findings {
    /// Counts a violation and, while there is room, keeps what `violation` makes.
    fn add(&mut self, violation: impl FnOnce() -> Violation) {
        if self.list.len() < MAX_VIOLATIONS {
            self.list.push(violation());
        }
        self.count += 1;
    }
}
