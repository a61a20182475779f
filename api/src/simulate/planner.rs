//! The slow loop of a simulation: what is known becomes an instance, as `kwartier site instance` makes it, and a plan.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::compose::{self, Horizon};
use kwartier_data::roster::{Charge, Entry, Facts, Roster, When};
use kwartier_data::series::{BoardDraw, Building, PlantPower, Series};
use kwartier_data::site::Site;
use kwartier_data::{Instance, Plan};
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::control::event::{Emergency, Event, Limit, Scope, Targets};
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Method, Progress, Settings, Watch};
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver};

use super::foresee::Foresee;
use super::inputs::QUARTER_S;
use super::live::Live;
use super::people::{Expected, People};
use super::scenario::{Planner as Who, Policy, seconds};
use super::world::Days;

/// A limit that is never reached: the planner's watch stands still here.
const PATIENCE: Duration = Duration::from_hours(24);

/// What is planned beyond the need, as a fraction of it and in kWh: vehicles ramp, taper, and take less than they are offered.
const RESERVE: (f64, f64) = (0.03, 0.3);

/// A vehicle is to be ready so long before it leaves, where that takes no more than half of the time that it has to spare: near
/// full its power falls, and not everybody leaves when he said.
const READY: TimeDelta = TimeDelta::minutes(30);

/// Least energy in kWh that is planned for.
const LEAST_KWH: f64 = 0.05;

/// What is foreseen of some days, whoever plays them: runs of the same days share what was fitted.
pub struct Foreseen<'d> {
    foresee: Foresee,
    people: People<'d>,
}

impl<'d> Foreseen<'d> {
    /// What is foreseen by the way that a policy names.
    pub fn of(days: &'d Days, policy: &Policy) -> Foreseen<'d> {
        Foreseen { foresee: Foresee::of(policy.forecast, days), people: People::of(days, policy.forecast) }
    }
}

/// Makes plans.
pub struct Planner<'d, 'f> {
    days: &'d Days,
    policy: &'d Policy,
    /// The site as plans see it: loads are part of the building, plants are never turned down.
    site: Site,
    foreseen: &'f mut Foreseen<'d>,
    previous: Option<Plan>,
    /// How many plans were made.
    pub made: u32,
    /// How often there was none.
    pub failed: u32,
    /// Why there was none the first time.
    pub why_failed: Option<String>,
}

impl<'d, 'f> Planner<'d, 'f> {
    /// A planner of some days.
    pub fn new(days: &'d Days, policy: &'d Policy, foreseen: &'f mut Foreseen<'d>) -> Planner<'d, 'f> {
        let mut site = days.site.clone();
        site.loads.clear();
        site.pv.iter_mut().for_each(|plant| plant.curtailable = false);
        Planner { days, policy, site, foreseen, previous: None, made: 0, failed: 0, why_failed: None }
    }

    /// What is told of a visit, as it is believed when it is told for the first time: the fast loop goes by that as well.
    pub fn believe(&self, event: &mut Event, at: DateTime<Utc>, live: &Live) {
        let Event::Session { device, session } = event else { return };
        *session = match &live.devices[*device].session {
            Some(known) if known.id == session.id => known.clone(),
            _ => self.foreseen.people.believed(session, at),
        };
    }

    /// A plan from now on, as the fast loop takes it; `None` where there is none to be had.
    pub fn plan(&mut self, now: DateTime<Utc>, live: &Live, watch: &dyn Watch) -> Option<Arc<Targets>> {
        match self.try_plan(now, live, watch) {
            Ok(targets) => {
                self.made += 1;
                Some(Arc::new(targets))
            }
            Err(why) => {
                self.failed += 1;
                self.why_failed.get_or_insert(why);
                None
            }
        }
    }

    fn try_plan(&mut self, now: DateTime<Utc>, live: &Live, watch: &dyn Watch) -> Result<Targets, String> {
        let start = compose::quarter_of(now);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 48 hours")]
        let mut slots = (self.policy.horizon_h * 4.0).round() as usize;
        let prices = self.foreseen.foresee.prices(now, start, slots);
        if let Some(prices) = &prices {
            slots = slots.min(prices.len());
        }
        if slots == 0 {
            return Err("no price is known".to_owned());
        }
        let horizon = Horizon { start, slot_minutes: 15, slots };
        let expected = self.foreseen.people.expected(now, horizon.end(), live);
        let roster = Roster::new(rows(&expected, &self.days.setup), self.days.times.zone);
        let (building, pv) = (self.building(now, &horizon), self.plants(now, &horizon));
        let series = |values: Vec<f64>| quarters(start, values);
        let prices = prices.map(series);
        let inputs = compose::Inputs {
            horizon,
            roster: &roster,
            prices: prices.as_ref(),
            building: &building,
            pv: &pv,
            co2: None,
            peak_so_far_kw: Some(live.peak_kw),
            used_this_year_kwh: Some(0.0),
            battery_soc_kwh: &live.stored_kwh,
        };
        let (mut wire, _) = compose::instance(&self.site, &inputs).map_err(|refusal| refusal.to_string())?;
        caps(&mut wire, &self.days.setup, &horizon, &live.signals);
        let instance = Instance::from_wire(wire).map_err(|refusal| refusal.to_string())?;
        let made = match self.policy.planner {
            Who::Rule => baseline(&instance, Baseline::CheapestSlots),
            Who::Optimal | Who::None => {
                let (gap, previous) = (self.policy.gap, self.previous.take());
                let settings = Settings { gap, time_limit: PATIENCE, method: Method::Decomposition, previous };
                plan(&instance, &settings, &Timeless(watch), &NoExact).map_err(|none| none.to_string())?.plan
            }
        };
        let setup = &self.days.setup;
        let present = (0..setup.devices.len()).filter(|&device| live.devices[device].session.is_some());
        let targets = targets(setup, &instance, &made, present);
        self.previous = Some(made);
        Ok(targets)
    }

    /// The building by board: fuses against a high quantile, money against the mean. Loads that run count with it.
    fn building(&mut self, now: DateTime<Utc>, horizon: &Horizon) -> Vec<Building> {
        let setup = &self.days.setup;
        let kw_per_a = setup.voltage_v / 1000.0;
        let mut amps = vec![[(); 3].map(|()| vec![0.0; horizon.slots]); setup.nodes.len()];
        let mut kw = vec![vec![0.0; horizon.slots]; setup.nodes.len()];
        for (entry, draw) in self.days.inputs.building.iter().enumerate() {
            let shares = shares(&draw.phases_a, now);
            let beliefs = self.foreseen.foresee.building(entry, now, horizon.start, horizon.slots);
            for (slot, belief) in beliefs.iter().enumerate() {
                let high = belief.quantile(self.policy.risk).max(belief.mean);
                (0..3).for_each(|phase| amps[draw.node][phase][slot] += shares[phase] * high);
                kw[draw.node][slot] += belief.mean * kw_per_a;
            }
        }
        for run in &self.days.world.runs {
            let device = &setup.devices[run.device];
            for slot in 0..horizon.slots {
                let (from, until) = (horizon.at(slot), horizon.at(slot + 1));
                let inside = (run.until.min(until) - run.from.max(from)).as_seconds_f64().max(0.0) / QUARTER_S as f64;
                for &phase in &device.phases {
                    amps[device.node][phase][slot] += run.amps * inside;
                }
                kw[device.node][slot] += setup.kw(run.amps, device.phases.len()) * inside;
            }
        }
        let draw = |(node, (amps, kw)): (usize, ([Vec<f64>; 3], Vec<f64>))| BoardDraw {
            board: setup.nodes[node].id.clone(),
            phases_a: amps.map(|values| quarters(horizon.start, values)),
            kw: Some(quarters(horizon.start, kw)),
        };
        vec![Building::Boards(amps.into_iter().zip(kw).enumerate().map(draw).collect())]
    }

    fn plants(&mut self, now: DateTime<Utc>, horizon: &Horizon) -> Vec<PlantPower> {
        let mut plants = Vec::new();
        for (entry, delivery) in self.days.inputs.pv.iter().enumerate() {
            let beliefs = self.foreseen.foresee.pv(entry, now, horizon.start, horizon.slots);
            let kw = beliefs.iter().map(|belief| belief.mean.max(0.0)).collect();
            let plant = self.days.site.pv[delivery.plant].id.clone();
            plants.push(PlantPower { plant, kw: quarters(horizon.start, kw) });
        }
        plants
    }
}

/// What a grid operator has said of the connection's power, as caps on import.
pub fn caps(wire: &mut kwartier_data::instance::wire::Instance, setup: &Setup, horizon: &Horizon, signals: &[Event]) {
    // Above the fuses of the connection nothing is cap.
    let fuses_kw =
        setup.root().map_or(0.0, |root| setup.nodes[root].limit_a.iter().map(|&amps| setup.kw(amps, 1)).sum());
    for event in signals {
        let Event::Signal(signal) = event else { continue };
        let root = matches!(signal.on, Scope::Node(node) if setup.nodes[node].parent.is_none());
        let kw = match signal.limit {
            Limit::Power(kw) | Limit::Quarter(kw) | Limit::Emergency(Emergency { kw, .. }) if root => kw,
            _ => continue,
        };
        let caps = wire.grid.import_cap_kw.get_or_insert_with(|| vec![fuses_kw; horizon.slots]);
        for (slot, cap) in caps.iter_mut().enumerate() {
            let within =
                horizon.at(slot + 1) > signal.from && signal.until.is_none_or(|until| horizon.at(slot) < until);
            *cap = if within { cap.min(kw) } else { *cap };
        }
    }
}

/// How a building's current is spread over its phases, by what was measured in the last week.
fn shares(phases: &[Series; 3], now: DateTime<Utc>) -> [f64; 3] {
    let from = (now - TimeDelta::days(7)).max(phases[0].start);
    let sums = [0, 1, 2].map(|phase| phases[phase].between(from, now).values.iter().flatten().sum::<f64>());
    let all: f64 = sums.iter().sum();
    if all > 0.0 { sums.map(|sum| sum / all) } else { [1.0 / 3.0; 3] }
}

/// Values of quarter-hours as a series.
pub fn quarters(start: DateTime<Utc>, values: Vec<f64>) -> Series {
    Series { start, step: TimeDelta::seconds(QUARTER_S), values: values.into_iter().map(Some).collect() }
}

/// The rows of a roster: no two at one station at once.
pub fn rows(expected: &[Expected], setup: &Setup) -> Vec<Entry> {
    let mut rows: Vec<Entry> = Vec::new();
    let mut free_from = vec![DateTime::<Utc>::MIN_UTC; setup.devices.len()];
    for (k, visit) in expected.iter().enumerate() {
        let worth = visit.need_kwh >= LEAST_KWH || visit.feeds_in.is_some();
        if !worth || !setup.devices[visit.device].managed {
            continue;
        }
        let need_kwh = visit.need_kwh * (1.0 + RESERVE.0) + RESERVE.1;
        // Needs are told at the station: what the vehicle loses is within them, unless its battery itself is planned with.
        let (soc_kwh, need_at_battery_kwh, efficiency, capacity_kwh) = match &visit.feeds_in {
            Some(car) => {
                let need_kwh = (need_kwh * car.efficiency).min(car.capacity_kwh - car.soc_kwh);
                (car.soc_kwh, need_kwh, car.efficiency, car.capacity_kwh)
            }
            None => (0.0, need_kwh, 1.0, 1.05 * need_kwh),
        };
        let arrival = visit.from.max(free_from[visit.device]);
        if arrival >= visit.until {
            continue;
        }
        free_from[visit.device] = visit.until;
        let full_kw = setup.kw(visit.max_a.min(setup.devices[visit.device].max_a), usize::from(visit.phases)).max(0.1);
        let spare = visit.until - arrival - seconds(3600.0 * need_kwh / full_kw);
        let ready = visit.until - READY.min(spare / 2).max(TimeDelta::zero());
        // What holds no whole slot would not be planned at all; any time as long as two of them does.
        let ready = ready.max((arrival + compose::QUARTER * 2).min(visit.until));
        rows.push(Entry {
            row: k as u64 + 1,
            vehicle: visit.id.clone(),
            station: setup.devices[visit.device].id.clone(),
            when: When::Once { arrival, departure: Some(ready) },
            soc: Some(Charge::Kwh(soc_kwh)),
            target: None,
            need_kwh: Some(need_at_battery_kwh),
            vehicle_facts: Facts {
                group: visit.group.clone(),
                phases: Some(visit.phases),
                min_a: Some(visit.min_a),
                max_a: Some(visit.max_a.max(visit.min_a)),
                efficiency: Some(efficiency),
                capacity_kwh: Some(capacity_kwh),
            },
        });
    }
    rows
}

/// The plan by device. A device where somebody is (`present`) who needs nothing more gets nothing.
pub fn targets(setup: &Setup, instance: &Instance, plan: &Plan, present: impl Iterator<Item = usize>) -> Targets {
    let mut amps: Vec<Option<Vec<f64>>> = vec![None; setup.devices.len()];
    for device in present {
        amps[device].get_or_insert_with(|| vec![0.0; instance.slots]);
    }
    for session in &plan.sessions {
        let Some(known) = instance.sessions.iter().find(|known| known.id == session.id) else { continue };
        let Some(device) = setup.device(&instance.chargers[known.charger].id) else { continue };
        let target = amps[device].get_or_insert_with(|| vec![0.0; instance.slots]);
        for (slot, target) in target.iter_mut().enumerate() {
            let of = |values: &[f64]| values.get(slot).copied().unwrap_or(0.0);
            *target += of(&session.charge_a) - of(&session.discharge_a);
        }
    }
    for battery in &plan.batteries {
        let device = setup.devices.iter().position(|d| d.kind == Kind::Battery && d.id == battery.id);
        let Some(device) = device else { continue };
        let a_per_kw = 1000.0 / (3.0 * setup.voltage_v);
        let of = |values: &[f64], slot: usize| values.get(slot).copied().unwrap_or(0.0);
        let net = |slot: usize| (of(&battery.charge_kw, slot) - of(&battery.discharge_kw, slot)) * a_per_kw;
        amps[device] = Some((0..instance.slots).map(net).collect());
    }
    // What a kWh costs says all where nothing else does: who charges sooner than planned makes peaks.
    let peaks = instance.grid.peak_eur_kw > 0.0;
    let costs_eur_kwh =
        plan.prices.as_ref().filter(|_| !peaks).map_or_else(Vec::new, |prices| prices.energy_eur_kwh.clone());
    Targets { start: instance.start, slot_s: instance.slot_minutes * 60, amps, costs_eur_kwh }
}

/// A watch that stands still, so that plans depend on nothing but what is planned; it can be cancelled.
struct Timeless<'a>(&'a dyn Watch);

impl Watch for Timeless<'_> {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }

    fn progress(&self, _progress: &Progress) {}
}

/// Nobody solves exact models here.
struct NoExact;

impl ExactSolver for NoExact {
    fn solve(&self, _request: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        Err(ExactFault::Cancelled)
    }
}
