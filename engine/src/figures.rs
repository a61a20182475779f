//! What a plan amounts to: cost, peak, CO₂, energy on time, and the limits it breaks, if any.

use kwartier_data::instance::{Instance, PhaseIndex};
use kwartier_data::plan::Plan;
use serde::Serialize;

use crate::model::Model;
use crate::profile::Profile;
use crate::schedule::Schedule;
use crate::verify::{self, Cost, TOLERANCE_A, TOLERANCE_KW};

/// A shortfall below this is rounding, in kWh: what the plan format grants.
pub const SHORT_KWH: f64 = verify::TOLERANCE_SHORTFALL_KWH;

/// Sums of many powers get this many times the tolerance, as in the verifier.
const SUM_FACTOR: f64 = 4.0;

/// What a plan amounts to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// What it costs in all, in EUR.
    pub total_eur: f64,
    /// What it costs by kind, in EUR.
    #[serde(rename = "cost_eur")]
    pub cost: Cost,
    /// Energy imported in kWh.
    pub import_kwh: f64,
    /// Energy exported in kWh.
    pub export_kwh: f64,
    /// Highest slot-average import in kW.
    pub highest_import_kw: f64,
    /// CO₂ of the imported energy in kg, where the instance knows its intensity.
    pub co2_kg: Option<f64>,
    /// Energy that vehicles need in kWh.
    pub needed_kwh: f64,
    /// Energy of it that they have when they leave, in kWh.
    pub on_time_kwh: f64,
    /// How many vehicles leave with less than they need.
    pub vehicles_short: usize,
    /// Limits it breaks beyond what the building breaks by itself, the worst of each limit first.
    pub overloads: Vec<Overload>,
}

/// A limit that is broken, from a slot to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overload {
    /// Which limit.
    pub limit: Limit,
    /// First slot above it.
    pub from: usize,
    /// First slot no longer above it.
    pub to: usize,
    /// The highest value in between, in A or kW.
    pub highest: f64,
    /// The limit in that slot, in A or kW.
    pub allowed: f64,
}

/// A limit of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The current of a phase of a board, by index, in A.
    Phase {
        /// The board.
        node: usize,
        /// The phase.
        phase: PhaseIndex,
    },
    /// The difference between the phases of a board, in A.
    Imbalance {
        /// The board.
        node: usize,
    },
    /// The cap on import, in kW.
    Import,
    /// The cap on export, in kW.
    Export,
}

impl Limit {
    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Limit::Phase { .. } | Limit::Imbalance { .. } => "A",
            Limit::Import | Limit::Export => "kW",
        }
    }
}

/// By how much the figures of a plan are above those of another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Cost in all, in EUR.
    pub total_eur: f64,
    /// Cost without what is put on energy that is not delivered, in EUR.
    pub bill_eur: f64,
    /// Highest import in kW.
    pub highest_import_kw: f64,
    /// CO₂ in kg, where it is known.
    pub co2_kg: Option<f64>,
    /// Energy on time in kWh.
    pub on_time_kwh: f64,
    /// Vehicles that leave with less than they need.
    pub vehicles_short: i64,
}

impl Figures {
    /// The worst overload of each limit that is broken, the worst first.
    pub fn broken(&self) -> Vec<&Overload> {
        let mut worst: Vec<&Overload> = Vec::new();
        for overload in &self.overloads {
            if worst.iter().all(|known| known.limit != overload.limit) {
                worst.push(overload);
            }
        }
        worst
    }

    /// By how much these are above `other`.
    pub fn less(&self, other: &Figures) -> Difference {
        let count = |figures: &Figures| i64::try_from(figures.vehicles_short).unwrap_or(i64::MAX);
        Difference {
            total_eur: self.total_eur - other.total_eur,
            bill_eur: self.bill_eur() - other.bill_eur(),
            highest_import_kw: self.highest_import_kw - other.highest_import_kw,
            co2_kg: self.co2_kg.zip(other.co2_kg).map(|(kg, other)| kg - other),
            on_time_kwh: self.on_time_kwh - other.on_time_kwh,
            vehicles_short: count(self) - count(other),
        }
    }

    /// The figures of a plan.
    pub fn of(instance: &Instance, plan: &Plan) -> Self {
        let price = verify::price(instance, plan);
        let profile = Profile::of(instance, plan);
        let slot_h = instance.slot_h();
        let import = |net_kw: &f64| net_kw.max(0.0) * slot_h;
        let co2 = instance.grid.co2_kg_kwh.as_ref();
        let needed_kwh: f64 = instance.sessions.iter().map(|session| session.need_kwh).fold(0.0, |sum, kwh| sum + kwh);
        Figures {
            total_eur: price.objective_eur,
            cost: price.cost,
            import_kwh: profile.net_kw.iter().map(import).sum(),
            export_kwh: profile.net_kw.iter().map(|net_kw| (-net_kw).max(0.0) * slot_h).sum(),
            highest_import_kw: profile.highest_import_kw(),
            co2_kg: co2.map(|co2| profile.net_kw.iter().map(import).zip(co2).map(|(kwh, kg)| kwh * kg).sum()),
            needed_kwh,
            on_time_kwh: delivered_kwh(instance, &price.session_shortfall_kwh),
            vehicles_short: price.session_shortfall_kwh.iter().filter(|kwh| **kwh > SHORT_KWH).count(),
            overloads: overloads(instance, &profile),
        }
    }

    /// What is paid: all but what is put on energy that is not delivered, in EUR.
    pub fn bill_eur(&self) -> f64 {
        self.total_eur - self.cost.shortfall
    }

    /// Energy on time as a fraction of what is needed; 1 where nothing is.
    pub fn on_time(&self) -> f64 {
        if self.needed_kwh > 0.0 { self.on_time_kwh / self.needed_kwh } else { 1.0 }
    }
}

/// What vehicles have of what they need when they leave, in kWh. One that discharged below its charge on arrival has none of
/// it, and takes nothing from the others.
pub fn delivered_kwh(instance: &Instance, short_kwh: &[f64]) -> f64 {
    let sessions = instance.sessions.iter().zip(short_kwh);
    sessions.map(|(session, short_kwh)| (session.need_kwh - short_kwh).max(0.0)).fold(0.0, |sum, kwh| sum + kwh)
}

/// Every stretch of slots in which a limit is broken by more than the building breaks it, the longest overshoot first.
fn overloads(instance: &Instance, profile: &Profile) -> Vec<Overload> {
    // What the building makes alone: with all its PV, and without what of it can be turned down.
    let model = Model::stated(instance);
    let sunny = Profile::of(instance, &Schedule::idle(&model).plan(instance, &model));
    let mut dark = Schedule::idle(&model).plan(instance, &model);
    dark.pv.iter_mut().for_each(|plant| plant.used_kw.fill(0.0));
    let dark = Profile::of(instance, &dark);

    let mut found = Vec::new();
    for (node, of) in instance.nodes.iter().enumerate() {
        for phase in 0..3 {
            let limit = Limit::Phase { node, phase };
            let series = |slot: usize| {
                let current_a = profile.boards_a[node][phase][slot];
                let alone_a =
                    if current_a < 0.0 { -dark.boards_a[node][phase][slot] } else { sunny.boards_a[node][phase][slot] };
                (current_a.abs(), of.limit_a[phase].max(alone_a))
            };
            stretches(limit, instance.slots, TOLERANCE_A, series, &mut found);
        }
        if let Some(limit_a) = of.imbalance_limit_a {
            let spread = |profile: &Profile, slot: usize| {
                let [a, b, c] = [0, 1, 2].map(|phase| profile.boards_a[node][phase][slot]);
                a.max(b).max(c) - a.min(b).min(c)
            };
            let series =
                |slot: usize| (spread(profile, slot), limit_a.max(spread(&sunny, slot)).max(spread(&dark, slot)));
            stretches(Limit::Imbalance { node }, instance.slots, TOLERANCE_A, series, &mut found);
        }
    }
    let tolerance_kw = SUM_FACTOR * TOLERANCE_KW;
    if let Some(cap_kw) = &instance.grid.import_cap_kw {
        let series = |slot: usize| (profile.net_kw[slot], cap_kw[slot].max(sunny.net_kw[slot]));
        stretches(Limit::Import, instance.slots, tolerance_kw, series, &mut found);
    }
    if let Some(cap_kw) = &instance.grid.export_cap_kw {
        let series = |slot: usize| (-profile.net_kw[slot], cap_kw[slot].max(-dark.net_kw[slot]));
        stretches(Limit::Export, instance.slots, tolerance_kw, series, &mut found);
    }
    found.sort_by(|a, b| (b.highest / b.allowed).total_cmp(&(a.highest / a.allowed)));
    found
}

/// Adds the stretches of slots whose (value, allowed) is broken.
fn stretches(
    limit: Limit,
    slots: usize,
    tolerance: f64,
    series: impl Fn(usize) -> (f64, f64),
    found: &mut Vec<Overload>,
) {
    let mut open: Option<Overload> = None;
    for slot in 0..slots {
        let (value, allowed) = series(slot);
        if value <= allowed + tolerance {
            found.extend(open.take());
            continue;
        }
        let overload = open.get_or_insert(Overload { limit, from: slot, to: slot, highest: value, allowed });
        overload.to = slot + 1;
        if value > overload.highest {
            (overload.highest, overload.allowed) = (value, allowed);
        }
    }
    found.extend(open);
}
