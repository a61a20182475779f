//! All that charts and tables show. Nothing else computes.

use std::collections::HashMap;

use kwartier_data::{Instance, Plan, SessionPlan};
use kwartier_engine::figures::{Figures, SHORT_KWH};
use kwartier_engine::profile::Profile;

use super::clock::Clock;

/// All that charts and tables show.
#[derive(Debug)]
pub struct View<'a> {
    /// What was planned.
    pub instance: &'a Instance,
    /// Its local clock.
    pub clock: Clock,
    /// What stands on top.
    pub title: String,
    /// The plan.
    pub after: Side,
    /// What the site would do without it: equal share.
    pub before: Side,
    /// No plan can cost less, in EUR.
    pub bound_eur: f64,
    /// How much cheaper any plan can be at most, as a fraction of the flexible cost, where the plan says so.
    pub gap: Option<f64>,
    /// Boards, the fullest first.
    pub boards: Vec<Board>,
    /// Vehicles, in the order of the instance.
    pub vehicles: Vec<Vehicle>,
}

/// One of the two plans that are compared.
#[derive(Debug)]
pub struct Side {
    /// What it amounts to.
    pub figures: Figures,
    /// What flows.
    pub profile: Profile,
}

/// A board.
#[derive(Debug)]
pub struct Board {
    /// Its index.
    pub node: usize,
    /// Its name.
    pub id: String,
    /// Its limits, L1 to L3.
    pub limit_a: [f64; 3],
    /// The highest current of each phase with the plan.
    pub after: [Highest; 3],
    /// The same without.
    pub before: [Highest; 3],
    /// The phase that is nearest to its limit with the plan.
    pub fullest: usize,
}

/// The highest current of a phase, without sign.
#[derive(Debug, Clone, Copy)]
pub struct Highest {
    /// In A.
    pub a: f64,
    /// As a fraction of the limit.
    pub of_limit: f64,
    /// When.
    pub slot: usize,
}

/// A vehicle's stay.
#[derive(Debug)]
pub struct Vehicle {
    /// Its name.
    pub id: String,
    /// Its charger.
    pub charger: String,
    /// First slot of the stay.
    pub arrive: usize,
    /// First slot after it.
    pub depart: usize,
    /// Energy wanted in kWh.
    pub need_kwh: f64,
    /// Energy of it that is missing at departure, in kWh; 0 where none is.
    pub short_kwh: f64,
    /// The same without the plan.
    pub before_short_kwh: f64,
    /// Highest current in A.
    pub max_a: f64,
    /// Charging current with the plan, per slot.
    pub charge_a: Vec<f64>,
    /// Discharging current with the plan, per slot.
    pub discharge_a: Vec<f64>,
    /// Charging current without the plan, per slot.
    pub before_a: Vec<f64>,
    /// What the charger delivers with the plan, less what it takes back, in kWh.
    pub drawn_kwh: f64,
    /// Average tariff of what the charger delivers, EUR/kWh.
    pub tariff_eur_kwh: Option<f64>,
}

impl<'a> View<'a> {
    /// The view of a plan, and of what the site would do without it, each with its figures.
    pub fn of(
        instance: &'a Instance,
        (after, after_figures): (&Plan, &Figures),
        (before, before_figures): (&Plan, &Figures),
        clock: Clock,
        title: &str,
    ) -> Self {
        let side = |plan, figures: &Figures| Side { figures: figures.clone(), profile: Profile::of(instance, plan) };
        let sides = [side(after, after_figures), side(before, before_figures)];
        let (bound_eur, gap) = (after.bound_eur, after.gap);
        let mut boards: Vec<Board> =
            (0..instance.nodes.len()).map(|node| Board::of(instance, node, &sides[0], &sides[1])).collect();
        boards.sort_by(|a, b| b.fullness().total_cmp(&a.fullness()));
        let [before_entries, after_entries] = [entries(before), entries(after)];
        let vehicles = (0..instance.sessions.len())
            .map(|index| Vehicle::of(instance, index, &after_entries, &before_entries))
            .collect();
        let [after, before] = sides;
        View { instance, clock, title: title.to_owned(), after, before, bound_eur, gap, boards, vehicles }
    }

    /// What the plan saves against equal share, in EUR.
    pub fn saves_eur(&self) -> f64 {
        self.before.figures.total_eur - self.after.figures.total_eur
    }

    /// The vehicles of a chart with room for so many: all, or those that fall short and then those that draw most; in the
    /// order in which they arrive.
    pub fn chosen_vehicles(&self, most: usize) -> Vec<&Vehicle> {
        let mut chosen: Vec<&Vehicle> = self.vehicles.iter().collect();
        chosen.sort_by(|a, b| {
            b.short_kwh.total_cmp(&a.short_kwh).then_with(|| b.drawn_kwh.abs().total_cmp(&a.drawn_kwh.abs()))
        });
        chosen.truncate(most);
        chosen.sort_by_key(|vehicle| (vehicle.arrive, vehicle.depart));
        chosen
    }
}

impl Board {
    fn of(instance: &Instance, node: usize, after: &Side, before: &Side) -> Self {
        let of = &instance.nodes[node];
        let highest = |side: &Side| {
            [0, 1, 2].map(|phase| {
                let series = &side.profile.boards_a[node][phase];
                let mut found = Highest { a: 0.0, of_limit: 0.0, slot: 0 };
                for (slot, a) in series.iter().enumerate() {
                    // A hair more than before: rounding must not move the moment.
                    if a.abs() > found.a + 1e-6 {
                        found = Highest { a: a.abs(), of_limit: a.abs() / of.limit_a[phase], slot };
                    }
                }
                found
            })
        };
        let (after, before) = (highest(after), highest(before));
        let fullest = (0..3).max_by(|&a, &b| after[a].of_limit.total_cmp(&after[b].of_limit)).unwrap_or(0);
        Board { node, id: of.id.clone(), limit_a: of.limit_a, after, before, fullest }
    }

    /// How full its fullest phase gets with the plan, as a fraction of the limit.
    pub fn fullness(&self) -> f64 {
        self.after[self.fullest].of_limit
    }
}

impl Vehicle {
    fn of(
        instance: &Instance,
        index: usize,
        after: &HashMap<&str, &SessionPlan>,
        before: &HashMap<&str, &SessionPlan>,
    ) -> Self {
        let session = &instance.sessions[index];
        let series = |entry: Option<&&SessionPlan>, which: fn(&SessionPlan) -> &Vec<f64>| -> Vec<f64> {
            let series = entry.map(|entry| which(entry)).filter(|series| series.len() == instance.slots);
            series.cloned().unwrap_or_else(|| vec![0.0; instance.slots])
        };
        let short = |entry: Option<&&SessionPlan>| {
            entry.map_or(0.0, |entry| if entry.shortfall_kwh > SHORT_KWH { entry.shortfall_kwh } else { 0.0 })
        };
        let (now, then) = (after.get(session.id.as_str()), before.get(session.id.as_str()));
        let charge_a = series(now, |entry| &entry.charge_a);
        let discharge_a = series(now, |entry| &entry.discharge_a);
        let kwh_per_a = instance.kw_per_a() * session.phases as f64 * instance.slot_h();
        let drawn_a: f64 = charge_a.iter().sum();
        let paid: f64 = charge_a.iter().zip(&instance.grid.import_eur_kwh).map(|(a, eur)| a * eur).sum();
        Vehicle {
            id: session.id.clone(),
            charger: instance.chargers[session.charger].id.clone(),
            arrive: session.arrive,
            depart: session.depart,
            need_kwh: session.need_kwh,
            short_kwh: short(now),
            before_short_kwh: short(then),
            max_a: instance.session_max_a(session).max(f64::MIN_POSITIVE),
            before_a: series(then, |entry| &entry.charge_a),
            drawn_kwh: (drawn_a - discharge_a.iter().sum::<f64>()) * kwh_per_a,
            tariff_eur_kwh: (drawn_a > 0.0).then(|| paid / drawn_a),
            charge_a,
            discharge_a,
        }
    }
}

fn entries(plan: &Plan) -> HashMap<&str, &SessionPlan> {
    plan.sessions.iter().map(|entry| (entry.id.as_str(), entry)).collect()
}
