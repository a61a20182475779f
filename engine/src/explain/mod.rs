//! Why a plan is as it is: what the limits cost, why each vehicle charges when it does, what would help.
//!
//! Everything here is read off the plan and its prices ([`Prices`](kwartier_data::Prices)): what one more kWh at the grid
//! connection, one more kW of peak, one more ampere of a phase of a board is worth in each slot. A vehicle that needs energy
//! does what is cheapest for itself at these prices; that is what makes them an explanation.
//!
//! | file | tells |
//! |---|---|
//! | `local.rs` | what a kWh costs a vehicle where it stands: energy, peak, cap, and every board on its way |
//! | `alone.rs` | fuses that one vehicle meets all by itself, which the planner has no price for |
//! | `limits.rs` | which limits bind, when, and what one more ampere or kW would save |
//! | `vehicles.rs` | why a vehicle charges when it does, why it falls short, what would help it |
//! | `upgrades.rs` | what a larger fuse, contract or battery would save on this day |

mod alone;
mod limits;
mod local;
mod upgrades;
mod vehicles;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::instance::Instance;
use kwartier_data::plan::{BoundBy, Plan};
use serde::Serialize;

pub use limits::{BindingLimit, Binds};
pub use upgrades::{Change, Saving, Upgrade, upgrades};
pub use vehicles::{Charging, Dearer, Help, Shortfall, ShortfallCause, VehicleReason};

/// An explanation of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What the prices mean.
    pub prices: PriceMeaning,
    /// The limits that bind, the most costly first.
    pub limits: Vec<BindingLimit>,
    /// Every vehicle, in the order of the instance.
    pub vehicles: Vec<VehicleReason>,
    /// What changes to the site would save on this day, the largest first; empty until they were planned.
    pub savings: Vec<Saving>,
}

/// What the prices of a plan mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceMeaning {
    /// They prove the plan's bound: each is what one more unit of its limit takes off that bound, to first order.
    ProveTheBound,
    /// The bound was raised beyond them by branching on the direction of the meter: they are those of the relaxation
    /// before it, and explain the plan but for the rest of the bound.
    BeforeBranching,
    /// The bound is that of the exact model, which has no prices: these are those of its linear relaxation, and a step of
    /// the real cost (6 A or nothing) may be larger or smaller.
    OfTheRelaxation,
    /// The plan states none.
    None,
}

impl PriceMeaning {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            PriceMeaning::ProveTheBound => {
                "The prices prove the plan's bound: each is what one more unit of its limit saves, for small changes."
            }
            PriceMeaning::BeforeBranching => {
                "The bound came from branching (feed-in is priced above import): the prices are those of the relaxation \
                 before it and explain all of the plan but that difference."
            }
            PriceMeaning::OfTheRelaxation => {
                "The bound came from the exact model, which branches on whether a vehicle charges at all and has no prices: \
                 those shown are of its linear relaxation. What a limit really costs moves in steps of 6 A and may differ."
            }
            PriceMeaning::None => "The plan states no prices: what limits cost is unknown.",
        }
    }
}

/// A stretch of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First slot.
    pub from_slot: usize,
    /// First slot after it.
    pub to_slot: usize,
    /// Its beginning.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
}

impl Span {
    /// The stretch of slots `from..to`.
    pub fn of(instance: &Instance, from: usize, to: usize) -> Self {
        let at = |slot: usize| {
            let minutes = i64::from(instance.slot_minutes).saturating_mul(i64::try_from(slot).unwrap_or(i64::MAX));
            TimeDelta::try_minutes(minutes)
                .and_then(|after| instance.start.checked_add_signed(after))
                .unwrap_or(instance.start)
        };
        Span { from_slot: from, to_slot: to, start: at(from), end: at(to) }
    }

    /// The stretches of consecutive slots in an ascending list.
    pub fn all(instance: &Instance, slots: &[usize]) -> Vec<Self> {
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for &slot in slots {
            match spans.last_mut() {
                Some((_, to)) if *to == slot => *to = slot + 1,
                _ => spans.push((slot, slot + 1)),
            }
        }
        spans.into_iter().map(|(from, to)| Span::of(instance, from, to)).collect()
    }
}

/// Explains a plan of an instance from its prices. What changes would save is left out: planning them takes a planner
/// ([`upgrades`]).
pub fn explain(instance: &Instance, plan: &Plan) -> Explanation {
    let meaning = match (&plan.prices, plan.made.as_ref().map(|made| made.bound_by)) {
        (None, _) => PriceMeaning::None,
        (Some(_), None | Some(BoundBy::Prices)) => PriceMeaning::ProveTheBound,
        (Some(_), Some(BoundBy::Branching)) => PriceMeaning::BeforeBranching,
        (Some(_), Some(BoundBy::Exact)) => PriceMeaning::OfTheRelaxation,
    };
    let local = local::LocalPrices::of(instance, plan);
    let alone = alone::alone(instance, &local);
    Explanation {
        prices: meaning,
        limits: limits::binding(instance, plan, &local, &alone),
        vehicles: vehicles::reasons(instance, plan, &local, &alone),
        savings: Vec::new(),
    }
}
