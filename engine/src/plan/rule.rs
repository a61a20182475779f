//! A plan at once, without an optimiser: everything off, then one unit after the other where it is cheapest.

use std::time::Duration;

use super::Search;
use crate::round::{choose, order};
use crate::schedule::{Schedule, Site};

/// How much longer than the time limit the plan of last resort may take.
const LENIENCE: Duration = Duration::from_millis(500);

/// Offers the plan of everything off, then that of one unit after the other.
pub fn plan(search: &mut Search<'_>) {
    search.progress("starting");
    let model = search.model;
    let mut site = Site::of(model, Schedule::idle(model), model.connection.peak_so_far_kw);
    search.offer(site.schedule.clone(), "rule");
    let order = order(model);
    if search.best.is_none() {
        // All sun is too much somewhere: plants and batteries make room.
        for &unit in order.iter().rev() {
            choose(&mut site, unit, &[]);
        }
        search.offer(site.schedule.clone(), "rule");
    }
    for &unit in &order {
        // With no time at all this is all there will be, and better than nothing; what is done by then is a plan.
        if search.watch.cancelled() || search.watch.elapsed() > search.settings.time_limit + LENIENCE {
            break;
        }
        choose(&mut site, unit, &[]);
    }
    search.offer(site.schedule, "rule");
    search.progress("starting");
}
