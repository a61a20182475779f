//! What sites do without a plan, on the same instance, to compare with.
//!
//! | baseline | file | what it stands for |
//! |---|---|---|
//! | equal share | `equal_share.rs` | load management as it is sold: whoever is plugged in shares what the fuses leave |
//! | cheapest slots | `cheapest.rs` | each vehicle's own smart charging: its cheapest hours, with what the others leave |
//! | uncontrolled | `uncontrolled.rs` | no management at all: full power from arrival on, whatever the fuses say |
//!
//! The first two keep every limit that something flexible can keep, the third keeps none. In all of them PV is used unless
//! a limit forbids it, flexible loads run as early as they can, vehicles never discharge, and a stationary battery stores
//! surplus and covers import with it (`rules.rs`), as such batteries do by themselves.

mod cheapest;
mod equal_share;
mod rules;
mod uncontrolled;

use kwartier_data::instance::Instance;
use kwartier_data::plan::Plan;

use crate::model::Model;
use crate::schedule::{Schedule, Site};

/// A way to run a site without a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Equal-share load management: the headline comparison.
    EqualShare,
    /// Each vehicle in its cheapest slots, first come first served.
    CheapestSlots,
    /// Full power from arrival on, without regard to any limit.
    Uncontrolled,
}

impl Baseline {
    /// All of them, the headline comparison first.
    pub const ALL: [Baseline; 3] = [Baseline::EqualShare, Baseline::CheapestSlots, Baseline::Uncontrolled];
}

/// What the site would do, as a plan with its true cost. Its bound is that cost and proves nothing.
pub fn baseline(instance: &Instance, which: Baseline) -> Plan {
    let model = if which == Baseline::Uncontrolled { Model::stated(instance) } else { Model::of(instance) };
    let mut site = Site::of(&model, Schedule::idle(&model), model.connection.peak_so_far_kw);
    match which {
        Baseline::EqualShare => equal_share::run(&mut site),
        Baseline::CheapestSlots => cheapest::run(&mut site),
        Baseline::Uncontrolled => uncontrolled::run(&mut site),
    }
    site.schedule.priced_plan(instance, &model)
}
