//! The loop under a virtual clock.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::{Board, Hourly, HourlyByPhase, Meter, PerPhase, Site, Station, file};
use kwartier_data::{Instance, Plan};
use kwartier_engine::control::{self, Output, State};
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Progress, Settings, Watch};
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver};

use super::effect::{Effect, Held};
use super::event::Event;
use super::moment::Moment;
use super::sites::{Kept, Sites};
use crate::planning::compose::Outlook;
use crate::planning::ladder::{Climbed, Rungs, climb};
use crate::planning::{Made, Request};
use crate::resource::charger::Report;
use crate::resource::price::Price;
use crate::resource::session::{Action, KeptSession, Origin, Override, Session};
use crate::resource::setpoint::Setpoint;
use crate::resource::signal::{Basis, Signal};
use crate::resource::status::{SiteStatus, Steering};

const SITE: &str = "depot";

/// Two stations on one board of 40 A with a meter.
fn site() -> Site {
    let mut board = Board::new("HV".to_owned(), None, PerPhase::Same(40.0));
    board.building_max_a = Some(HourlyByPhase::Constant(PerPhase::Same(10.0)));
    let station = |id: &str| {
        let mut station = Station::new(id.to_owned(), "HV".to_owned(), 32.0);
        station.rotation = Some("RST".to_owned());
        station.fallback_a = Some(Hourly::Constant(6.0));
        station
    };
    let mut site =
        Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), vec![board], vec![station("A"), station("B")]);
    let includes = site_includes();
    site.meters.push(Meter { id: "M".to_owned(), board: "HV".to_owned(), includes });
    site
}

fn site_includes() -> Vec<kwartier_data::site::Included> {
    use kwartier_data::site::Included::{Batteries, Building, Loads, Pv, Stations};
    vec![Building, Stations, Pv, Batteries, Loads]
}

struct Patient;

impl Watch for Patient {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn progress(&self, _: &Progress) {}
}

struct NoExact;

impl ExactSolver for NoExact {
    fn solve(&self, _: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        Err(ExactFault::Cancelled)
    }
}

fn solve(instance: &Instance, settings: &Settings, watch: &dyn Watch) -> Result<Plan, String> {
    plan(instance, settings, watch, &NoExact).map(|outcome| outcome.plan).map_err(|none| none.to_string())
}

/// The loop and a world that obeys it.
struct Desk {
    sites: Sites,
    now: Moment,
    /// Whether plans that are ordered are made at once.
    plans: bool,
    orders: Vec<Request>,
    given: Vec<Setpoint>,
    status: Option<Arc<SiteStatus>>,
    effects: Vec<Effect>,
    /// What A and B hold, and whether they draw it.
    holds_a: [f64; 2],
    cars: [bool; 2],
    /// Whether they answer.
    obey: bool,
}

impl Desk {
    fn new(sites: Sites) -> Desk {
        let wall: DateTime<Utc> = "2026-01-14T10:01:00Z".parse().unwrap();
        Desk {
            sites,
            now: Moment { wall, run: Duration::from_secs(100) },
            plans: true,
            orders: Vec::new(),
            given: Vec::new(),
            status: None,
            effects: Vec::new(),
            holds_a: [0.0; 2],
            cars: [false; 2],
            obey: true,
        }
    }

    /// A depot whose chargers hold their own connection and hold nothing.
    fn connected() -> Desk {
        let mut desk = Desk::new(Sites::new());
        desk.begin(&[]);
        for device in 0..2 {
            let events =
                vec![control::Event::Link { device, up: true }, control::Event::Holds { device, amps: Some(0.0) }];
            desk.device(events);
        }
        desk
    }

    fn begin(&mut self, over_api: &[&str]) {
        let over_api = over_api.iter().map(|&id| id.to_owned()).collect();
        self.on(Event::Site { site: SITE.to_owned(), tenant: "main".to_owned(), what: Arc::new(site()), over_api });
        let prices = (0..48).map(|hour| self.price(hour, if hour < 2 { 0.05 } else { 0.3 })).collect();
        self.on(Event::Prices { site: SITE.to_owned(), prices });
    }

    #[expect(clippy::unused_self, reason = "read as what somebody does at the desk")]
    fn price(&self, hour: i64, eur: f64) -> Price {
        let start = "2026-01-14T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour);
        Price::put(start, 60, eur, None)
    }

    fn on(&mut self, event: Event) {
        let effects = self.sites.on(event, self.now);
        self.act(effects);
    }

    fn device(&mut self, events: Vec<control::Event>) {
        let setup = self.status.as_ref().map_or(1, |status| status.setup);
        self.on(Event::Device { site: SITE.to_owned(), setup, events });
    }

    fn act(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish { status, setpoints, .. } => {
                    for setpoint in &setpoints {
                        let device = usize::from(setpoint.charger == "B");
                        if self.obey {
                            self.holds_a[device] = setpoint.limit_a;
                            let (number, accepted) = (setpoint.number, true);
                            self.device(vec![control::Event::Answered { device, number, accepted }]);
                        }
                    }
                    self.given.extend(setpoints);
                    self.status = Some(status);
                }
                Effect::Plan(request) => {
                    self.orders.push((*request).clone());
                    if self.plans {
                        let made = self.make(&request);
                        self.planned(&request, made);
                    }
                }
                other => self.effects.push(other),
            }
        }
    }

    #[expect(clippy::unused_self, reason = "read as what somebody does at the desk")]
    fn make(&self, request: &Request) -> Arc<Made> {
        match climb(request, Outlook::default(), Rungs::All(&solve), &Patient).unwrap() {
            Climbed::Unchanged => Arc::clone(request.previous.as_ref().unwrap()),
            Climbed::New(kept) => Arc::new(Made::of(*kept, &request.setup, &request.present).unwrap()),
        }
    }

    fn planned(&mut self, request: &Request, made: Arc<Made>) {
        self.on(Event::Planned { site: SITE.to_owned(), number: request.number, outcome: Ok(made) });
    }

    /// Some seconds pass; the meter is read each second, chargers tell each fifth what they draw.
    fn pass(&mut self, seconds: u64) {
        for second in 0..seconds {
            let drawn = |desk: &Desk, device: usize| if desk.cars[device] { desk.holds_a[device] } else { 0.0 };
            let flows_a = 8.0 + drawn(self, 0) + drawn(self, 1) + 0.01 * f64::from(u32::try_from(second % 7).unwrap());
            let at = self.now.wall;
            let mut events = vec![control::Event::Meter { node: 0, at, phases_a: [flows_a; 3] }];
            if second % 5 == 0 {
                let shows =
                    |device| control::Event::Drawn { device, phases_a: [drawn(self, device); 3], session_kwh: None };
                events.extend([shows(0), shows(1)]);
            }
            self.device(events);
            self.plays(1);
        }
    }

    /// Some seconds pass in which nobody says anything of himself.
    fn plays(&mut self, seconds: u64) {
        for _ in 0..10 * seconds {
            self.now.wall += TimeDelta::milliseconds(100);
            self.now.run += Duration::from_millis(100);
            while let Some((effects, _)) = self.sites.step_one(self.now) {
                self.act(effects);
            }
        }
    }

    /// A charger over the API says that it holds 0 A: there is room for others.
    fn holds_nothing(&mut self, charger: &str) {
        let report = Report { limit_a: Some(0.0), ..report(self.now.wall) };
        self.on(Event::Reported { site: SITE.to_owned(), charger: charger.to_owned(), report });
    }

    fn arrives(&mut self, charger: &str, id: &str) {
        self.cars[usize::from(charger == "B")] = true;
        let stated = session(charger, Some(self.now.wall + TimeDelta::hours(6)));
        self.session(id, KeptSession::of(stated));
    }

    fn session(&mut self, id: &str, kept: KeptSession) {
        self.on(Event::Session { site: SITE.to_owned(), id: id.to_owned(), kept });
    }

    fn status(&self) -> &SiteStatus {
        self.status.as_ref().unwrap()
    }

    fn alarms(&self) -> Vec<&str> {
        self.status().alarms.iter().map(|alarm| alarm.kind.as_str()).collect()
    }

    fn last(&self, charger: &str) -> Option<&Setpoint> {
        self.given.iter().rfind(|setpoint| setpoint.charger == charger)
    }
}

/// A stay at a charger that needs 9 kWh.
pub fn session(charger: &str, departure: Option<DateTime<Utc>>) -> Session {
    Session {
        charger: charger.to_owned(),
        vehicle: None,
        group: None,
        arrival: None,
        departure,
        need_kwh: Some(9.0),
        soc_kwh: None,
        target_kwh: None,
        capacity_kwh: None,
        phases: Some(3),
        min_a: None,
        max_a: Some(16.0),
        priority: None,
    }
}

#[test]
fn an_arrival_makes_a_plan_and_the_plan_moves_the_setpoint() {
    let mut desk = Desk::connected();
    desk.pass(5);
    assert_eq!(desk.last("A").map(|setpoint| setpoint.limit_a), Some(0.0), "nobody is there: it is told 0 A");
    let plans = desk.orders.len();
    desk.arrives("A", "s1");
    desk.pass(70);
    assert!(desk.orders.len() > plans);
    let order = desk.orders.last().unwrap();
    assert_eq!(order.expected.len(), 1);
    assert!((order.expected[0].need_kwh - 10.0).abs() < 1e-9, "9 kWh at the battery are 10 at the charger");
    let last = desk.last("A").unwrap();
    assert!(last.limit_a >= 6.0, "{last:?}");
    assert_eq!(last.trace.why, "plan");
    assert_eq!(last.trace.plan, desk.status().plan.as_ref().map(|plan| plan.id));
    assert!((last.limit_w - last.limit_a * 230.0 * 3.0).abs() < 1e-6);
    assert_eq!(last.then_a, Some(6.0));
    assert!(last.valid_until > desk.now.wall);
    let charger = &desk.status().chargers[0];
    assert!(charger.setpoint.as_ref().unwrap().trace.confirmed.is_some());
    let session = charger.session.as_ref().unwrap();
    assert!(session.expected_kwh.unwrap() > 9.0, "{session:?}");
    assert_eq!(desk.status().steering, Steering::Plan);
    assert_eq!(desk.status().nodes[0].meter_believed, Some(true));
    // Setpoints and what is held are to be kept.
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Hold { charger, .. } if charger == "A")));
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Log(entry) if entry.body["charger"] == "A")));
}

#[test]
fn unchanged_inputs_move_nothing() {
    let mut desk = Desk::connected();
    desk.arrives("A", "s1");
    desk.pass(120);
    let plan = desk.status().plan.as_ref().unwrap().id;
    let (amps, orders) = (desk.last("A").unwrap().limit_a, desk.orders.len());
    let given = desk.given.len();
    for _ in 0..3 {
        desk.on(Event::PlanWanted { site: SITE.to_owned(), job: None });
        // The same prices and the same session once more.
        let prices = vec![desk.price(0, 0.05), desk.price(1, 0.05)];
        desk.on(Event::Prices { site: SITE.to_owned(), prices });
        desk.pass(65);
    }
    assert!(desk.orders.len() >= orders + 3, "plans were asked for");
    assert_eq!(desk.status().plan.as_ref().unwrap().id, plan, "the plan was not replaced");
    for setpoint in &desk.given[given..] {
        assert!((setpoint.limit_a - amps).abs() < 1e-9 || setpoint.charger == "B", "{setpoint:?}");
    }
}

#[test]
fn plans_are_some_time_apart_and_who_waits_is_answered() {
    let mut desk = Desk::connected();
    desk.pass(5);
    let before = desk.orders.len();
    for k in 0..40 {
        desk.arrives("A", &format!("s{k}"));
        desk.pass(1);
    }
    assert!(
        desk.orders.len() <= before + 4,
        "{} plans in 40 s while somebody comes each second",
        desk.orders.len() - before
    );
    desk.pass(60);
    let before = desk.orders.len();
    for k in 0..40 {
        desk.on(Event::Prices { site: SITE.to_owned(), prices: vec![desk.price(5, 0.2 + 0.01 * f64::from(k))] });
        desk.pass(1);
    }
    assert!(desk.orders.len() <= before + 1, "{} plans in 40 s for prices", desk.orders.len() - before);
    let job = uuid::Uuid::from_u128(7);
    desk.on(Event::PlanWanted { site: SITE.to_owned(), job: Some(job) });
    desk.pass(30);
    let answered = desk.effects.iter().find_map(|effect| match effect {
        Effect::Answered { job: answered, outcome } if *answered == job => Some(outcome.clone()),
        _ => None,
    });
    assert_eq!(answered, Some(Ok(desk.status().plan.as_ref().unwrap().id)));
}

#[test]
fn a_plan_for_an_older_state_of_the_site_is_dropped() {
    let mut desk = Desk::connected();
    desk.plans = false;
    desk.pass(5);
    let order = desk.orders.last().unwrap().clone();
    let mut changed = site();
    changed.stations[0].max_a = 20.0;
    let what = Arc::new(changed);
    desk.on(Event::Site { site: SITE.to_owned(), tenant: "main".to_owned(), what, over_api: Vec::new() });
    desk.pass(2);
    assert_eq!(desk.status().setup, 2);
    let made = desk.make(&order);
    desk.planned(&order, made);
    desk.pass(2);
    assert!(desk.status().plan.is_none());
    assert!(desk.sites.counts().dropped > 0);
}

/// Puts the site with one or two more stations, of which nobody has heard: `last` is the name of the last.
fn put_another(desk: &mut Desk, last: &str) {
    let mut more = site();
    for id in ["0", "1"].into_iter().filter(|id| *id <= last) {
        let mut another = more.stations[0].clone();
        id.clone_into(&mut another.id);
        // In the first places, so that all others move.
        more.stations.insert(usize::from(id == "1"), another);
    }
    let what = Arc::new(more);
    desk.on(Event::Site { site: SITE.to_owned(), tenant: "main".to_owned(), what, over_api: Vec::new() });
}

#[test]
fn a_charger_that_is_put_disturbs_nobody_else() {
    let mut desk = Desk::connected();
    desk.arrives("A", "s1");
    desk.pass(200);
    let before = desk.last("A").unwrap().clone();
    assert!(before.limit_a >= 6.0, "{before:?}");
    let plan = desk.status().plan.as_ref().unwrap().id;
    (desk.plans, desk.obey) = (false, false);
    let given = desk.given.len();
    put_another(&mut desk, "0");
    // What is told of the state before the change is still understood: B goes, and comes again.
    let told = |device, up| Event::Device {
        site: SITE.to_owned(),
        setup: 1,
        events: vec![control::Event::Link { device, up }],
    };
    desk.on(told(1, false));
    desk.plays(1);
    assert_eq!(desk.status().setup, 2);
    let online = |desk: &Desk| desk.status().chargers.iter().map(|charger| charger.online).collect::<Vec<_>>();
    assert_eq!(online(&desk)[1..3], [true, false]);
    desk.on(told(1, true));
    let passes = |desk: &mut Desk, seconds: u32| {
        for _ in 0..seconds {
            let (at, holds_a) = (desk.now.wall, desk.holds_a[0]);
            desk.device(vec![
                control::Event::Link { device: 1, up: true },
                control::Event::Meter { node: 0, at, phases_a: [8.0 + holds_a; 3] },
                control::Event::Drawn { device: 1, phases_a: [holds_a; 3], session_kwh: None },
            ]);
            desk.plays(1);
        }
    };
    passes(&mut desk, 8);
    assert_eq!(desk.status().plan.as_ref().map(|plan| plan.id), Some(plan), "the plan counts until there is another");
    let a = &desk.status().chargers[1];
    assert!(a.online && a.session.as_ref().is_some_and(|session| session.id == "s1"), "{a:?}");
    assert_eq!(desk.status().nodes[0].meter_believed, Some(true));
    let told: Vec<&Setpoint> = desk.given[given..].iter().filter(|setpoint| setpoint.charger == "A").collect();
    assert!(told.iter().all(|told| told.limit_a >= before.limit_a && told.number > before.number), "{told:?}");
    assert_eq!(desk.alarms(), Vec::<&str>::new());
    assert!(online(&desk)[2]);
    // Who does not say again that it is connected is not, after a while.
    put_another(&mut desk, "1");
    desk.plays(9);
    assert_eq!(online(&desk)[1..4], [false, true, true]);
    desk.plays(3);
    assert_eq!(online(&desk)[1..4], [false, false, false]);
}

#[test]
fn a_charger_that_has_not_connected_yet_counts_with_its_fallback_after_a_while() {
    let mut desk = Desk::new(Sites::new());
    desk.begin(&[]);
    desk.device(vec![
        control::Event::Link { device: 0, up: true },
        control::Event::Holds { device: 0, amps: Some(0.0) },
    ]);
    desk.arrives("A", "s1");
    desk.pass(100);
    assert!(desk.holds_a[0] < 6.0, "B may still hold what it was told before this loop began: {}", desk.holds_a[0]);
    desk.pass(100);
    assert!(desk.holds_a[0] >= 6.0, "{}", desk.holds_a[0]);
}

#[test]
fn a_limit_of_the_grid_operator_and_an_override_count_at_once() {
    let mut desk = Desk::connected();
    desk.arrives("A", "s1");
    desk.pass(120);
    assert!(desk.holds_a[0] >= 6.0);
    let signal = Signal {
        limit_kw: None,
        limit_a: Some([10.0; 3]),
        node: None,
        group: None,
        from: desk.now.wall - TimeDelta::seconds(1),
        until: None,
        basis: Basis::Instant,
        priority: None,
    };
    desk.on(Event::Signal { site: SITE.to_owned(), id: "g".to_owned(), signal: Some(signal) });
    desk.pass(2);
    assert!(desk.holds_a[0] < 6.0, "{}", desk.holds_a[0]);
    desk.on(Event::Signal { site: SITE.to_owned(), id: "g".to_owned(), signal: None });
    desk.pass(400);
    assert!(desk.holds_a[0] >= 6.0);
    let stated = session("A", Some(desk.now.wall + TimeDelta::hours(6)));
    let until = Some(desk.now.wall + TimeDelta::minutes(10));
    let stop = Some(Override { action: Action::Stop, until });
    desk.session("s1", KeptSession { r#override: stop, ..KeptSession::of(stated) });
    desk.pass(2);
    assert!(desk.holds_a[0].abs() < 1e-9);
}

#[test]
fn what_is_about_nothing_is_dropped_and_counted() {
    let mut desk = Desk::connected();
    let before = desk.sites.counts().dropped;
    desk.device(vec![
        control::Event::Link { device: 99, up: true },
        control::Event::Meter { node: 99, at: desk.now.wall, phases_a: [0.0; 3] },
    ]);
    desk.on(Event::Device {
        site: SITE.to_owned(),
        setup: 77,
        events: vec![control::Event::Link { device: 0, up: false }],
    });
    desk.on(Event::SiteGone { site: "elsewhere".to_owned() });
    desk.on(Event::Measured { site: "elsewhere".to_owned(), rows: Vec::new() });
    assert_eq!(desk.sites.counts().dropped, before + 4);
    desk.pass(2);
    assert!(desk.status().chargers[0].online);
}

thread_local! {
    /// How many steps of sites with a tolerance of 7 s are still to panic.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

fn stepping(state: State, now: DateTime<Utc>, events: &[control::Event]) -> (State, Output) {
    let chosen = state.setup().nodes[0].tolerance_s > 6.0;
    if chosen && PANICS.get() > 0 {
        PANICS.set(PANICS.get() - 1);
        panic!("as it was told to");
    }
    control::step(state, now, events)
}

#[test]
fn a_panic_costs_the_plan_two_in_a_row_silence_and_both_come_back_by_themselves() {
    let mut desk = Desk::connected();
    desk.sites = Sites::stepping(stepping);
    let mut fragile = site();
    fragile.boards[0].tolerance_s = 7.0;
    let what = Arc::new(fragile);
    desk.on(Event::Site { site: SITE.to_owned(), tenant: "main".to_owned(), what, over_api: Vec::new() });
    let other = Arc::new(site());
    let id = "other".to_owned();
    desk.on(Event::Site { site: id, tenant: "main".to_owned(), what: other, over_api: Vec::new() });
    for device in 0..2 {
        let holds = control::Event::Holds { device, amps: Some(0.0) };
        desk.device(vec![control::Event::Link { device, up: true }, holds]);
    }
    desk.status = None;
    desk.arrives("A", "s1");
    // The other site must not be mistaken for this one.
    desk.sites.on(Event::SiteGone { site: "other".to_owned() }, desk.now);
    desk.pass(90);
    assert_eq!(desk.status().steering, Steering::Plan);
    let held = desk.holds_a[0];
    assert!(held >= 6.0);

    PANICS.set(1);
    desk.pass(2);
    assert_eq!(desk.status().steering, Steering::Share, "without the plan at once");
    assert_eq!(desk.sites.counts().panics, 1);
    assert!(desk.status().chargers[0].online && desk.status().chargers[0].session.is_some(), "it knows who is there");
    desk.pass(130);
    assert_eq!(desk.status().steering, Steering::Plan, "after a while with the plan again");

    PANICS.set(6);
    let numbers = desk.last("A").unwrap().number;
    desk.pass(2);
    assert_eq!(desk.status().steering, Steering::Fallback);
    assert!(desk.alarms().contains(&"fallback"));
    let given = desk.given.len();
    desk.pass(1);
    assert_eq!(desk.given.len(), given, "nothing is sent");
    desk.pass(200);
    assert_ne!(desk.status().steering, Steering::Fallback);
    assert!(!desk.alarms().contains(&"fallback"));
    assert_eq!(PANICS.get(), 0);
    assert!(desk.last("A").unwrap().number > numbers, "numbers go on rising");
}

#[test]
fn the_others_go_on_while_one_site_panics() {
    let mut sites = Sites::stepping(stepping);
    let now = Moment { wall: "2026-01-14T10:00:00Z".parse().unwrap(), run: Duration::from_secs(1) };
    for (id, tolerance_s) in [("good", 2.0), ("bad", 7.0)] {
        let mut what = site();
        what.boards[0].tolerance_s = tolerance_s;
        let (site, tenant) = (id.to_owned(), "main".to_owned());
        sites.on(Event::Site { site, tenant, what: Arc::new(what), over_api: Vec::new() }, now);
    }
    PANICS.set(1000);
    let mut steering = std::collections::BTreeMap::new();
    while let Some((effects, _)) = sites.step_one(now) {
        for effect in effects {
            if let Effect::Publish { site, status, .. } = effect {
                steering.insert(site, status.steering);
            }
        }
    }
    PANICS.set(0);
    assert_eq!(steering["good"], Steering::Share);
    assert_eq!(steering["bad"], Steering::Fallback);
}

fn kept(held: Vec<(String, Held)>, sessions: Vec<(String, KeptSession)>, over_api: &[&str]) -> Kept {
    Kept {
        site: SITE.to_owned(),
        tenant: "main".to_owned(),
        what: Arc::new(site()),
        over_api: over_api.iter().map(|&id| id.to_owned()).collect(),
        held,
        sessions,
        ended: Vec::new(),
        prices: Vec::new(),
        signals: Vec::new(),
        plan: None,
        peak_kw: 12.5,
    }
}

fn held(limit_a: f64, valid_until: DateTime<Utc>) -> Held {
    let session = Some(("s1".to_owned(), 4.0));
    Held { number: 2_000_000_000_000, limit_a, valid_until, confirmed: None, fallback_a: None, session }
}

#[test]
fn a_loop_that_starts_again_begins_from_what_chargers_hold() {
    let mut desk = Desk::new(Sites::new());
    let until = desk.now.wall + TimeDelta::seconds(60);
    let stated = session("A", Some(desk.now.wall + TimeDelta::hours(6)));
    let session = KeptSession::of(stated);
    let old = kept(vec![("A".to_owned(), held(14.0, until))], vec![("s1".to_owned(), session)], &[]);
    desk.sites.load(old, desk.now);
    desk.holds_a = [14.0, 0.0];
    desk.cars = [true, false];
    desk.pass(1);
    // Nobody has been heard: A may hold what it held; nothing is known of B, which may draw all it can.
    let status = desk.status();
    assert!(!status.chargers[0].online);
    assert!((status.chargers[0].session.as_ref().unwrap().energy_kwh - 4.0).abs() < 1e-9);
    let building_a = 8.0;
    assert!(status.nodes[0].counted_a[0] >= building_a);
    desk.device(vec![control::Event::Link { device: 0, up: true }, control::Event::Link { device: 1, up: true }]);
    desk.device(vec![control::Event::Holds { device: 1, amps: Some(0.0) }]);
    desk.pass(20);
    let a: Vec<f64> = desk.given.iter().filter(|one| one.charger == "A").map(|one| one.limit_a).collect();
    assert!(a.iter().all(|amps| *amps >= 6.0), "it was not stopped to find out what it holds: {a:?}");
    assert!(desk.given.iter().all(|one| one.number > 2_000_000_000_000), "numbers go on rising");
    let order = desk.orders.last().unwrap();
    assert!((order.expected[0].need_kwh - 6.0).abs() < 1e-9, "of 10 kWh it had 4");
    assert!((order.peak_kw - 12.5).abs() < 1e-9);
}

#[test]
fn what_has_lapsed_while_nobody_ran_is_not_held_any_more() {
    let mut desk = Desk::new(Sites::new());
    let until = desk.now.wall - TimeDelta::seconds(30);
    desk.sites.load(
        kept(vec![("A".to_owned(), held(32.0, until)), ("B".to_owned(), held(32.0, until))], Vec::new(), &[]),
        desk.now,
    );
    desk.pass(2);
    // Both count with their fallback of 6 A: the board is not full.
    let by_clamp = desk.status().nodes[0].counted_a[0];
    assert!(by_clamp < 40.0, "{by_clamp}");
}

/// A charger that is out of reach goes on storing what it was told last, whatever the site says since.
#[test]
fn a_fallback_that_is_lowered_counts_once_the_charger_has_stored_it() {
    let mut desk = Desk::connected();
    desk.plans = false;
    desk.arrives("B", "s1");
    let now = |setup: u64, events: Vec<control::Event>| Event::Device { site: SITE.to_owned(), setup, events };
    let put = |desk: &mut Desk, setup: u64, fallback_a: f64| {
        let mut what = site();
        what.stations[0].fallback_a = Some(Hourly::Constant(fallback_a));
        let (site, tenant) = (SITE.to_owned(), "main".to_owned());
        desk.on(Event::Site { site, tenant, what: Arc::new(what), over_api: Vec::new() });
        desk.on(now(setup, vec![control::Event::Link { device: 1, up: true }]));
        desk.pass(300);
        desk.holds_a[1]
    };
    desk.device(vec![control::Event::Link { device: 0, up: false }]);
    // 40 A, less the building and what A may draw, which may have stored it or not.
    let with_16_a = put(&mut desk, 2, 16.0);
    assert!((12.0..15.0).contains(&with_16_a), "{with_16_a}");
    let with_either = put(&mut desk, 3, 8.0);
    assert!((12.0..15.0).contains(&with_either), "{with_either}");
    // It comes back, takes the new one, and is gone again.
    let held = control::Event::Holds { device: 0, amps: Some(0.0) };
    desk.on(now(3, vec![control::Event::Link { device: 0, up: true }, held]));
    desk.on(now(3, vec![control::Event::Stores { device: 0, by_hour_a: [8.0; 24] }]));
    desk.pass(5);
    desk.on(now(3, vec![control::Event::Link { device: 0, up: false }]));
    desk.pass(300);
    assert!((desk.holds_a[1] - 16.0).abs() < 0.1, "all that its vehicle takes: {}", desk.holds_a[1]);
}

#[test]
fn what_chargers_have_stored_is_kept() {
    let counted_a = |fallback_a: Option<Hourly>| {
        let mut desk = Desk::new(Sites::new());
        let until = desk.now.wall - TimeDelta::seconds(30);
        let held = Held { fallback_a, ..held(32.0, until) };
        desk.sites.load(kept(vec![("A".to_owned(), held)], Vec::new(), &[]), desk.now);
        // Neither a meter nor a charger is heard.
        desk.plays(15);
        desk.status().nodes[0].counted_a[0]
    };
    let more_a = counted_a(Some(Hourly::Constant(16.0))) - counted_a(None);
    assert!((more_a - 10.0).abs() < 0.1, "16 A instead of 6 A: {more_a} A");
    // What is told is what is kept.
    let mut desk = Desk::connected();
    desk.pass(2);
    desk.device(vec![control::Event::Stores { device: 0, by_hour_a: [16.0; 24] }]);
    desk.pass(2);
    let kept = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Hold { charger, held, .. } if charger == "A" => held.fallback_a.clone(),
        _ => None,
    });
    assert_eq!(kept, Some(Hourly::Constant(16.0)));
}

fn report(at: DateTime<Utc>) -> Report {
    Report {
        at,
        online: None,
        l1_a: Some(0.0),
        l2_a: Some(0.0),
        l3_a: Some(0.0),
        session_kwh: None,
        limit_a: None,
        setpoint: None,
        accepted: None,
    }
}

#[test]
fn a_charger_over_the_api_counts_as_silent_when_nobody_takes_its_setpoints() {
    let mut desk = Desk::new(Sites::new());
    desk.obey = false;
    desk.begin(&["A", "B"]);
    desk.pass(2);
    assert!(!desk.status().chargers[0].online);
    let tell = |desk: &mut Desk, report: Report| {
        desk.on(Event::Reported { site: SITE.to_owned(), charger: "A".to_owned(), report });
        desk.pass(1);
    };
    desk.holds_nothing("B");
    let first = Report { limit_a: Some(0.0), ..report(desk.now.wall) };
    tell(&mut desk, first);
    // It is told 0 A, and is given nothing more before it has answered that.
    let idle = Report { setpoint: Some(desk.last("A").unwrap().number), ..report(desk.now.wall) };
    tell(&mut desk, idle);
    assert!(desk.status().chargers[0].online);
    desk.arrives("A", "s1");
    desk.pass(10);
    let last = desk.last("A").unwrap().clone();
    assert!(last.limit_a >= 6.0);
    assert!(desk.status().chargers[0].setpoint.as_ref().unwrap().trace.confirmed.is_none(), "it has not answered");
    let answer = Report { setpoint: Some(last.number), ..report(desk.now.wall) };
    tell(&mut desk, answer);
    assert!(desk.status().chargers[0].setpoint.as_ref().unwrap().trace.confirmed.is_some());
    desk.pass(80);
    assert!(!desk.status().chargers[0].online);
    assert!(desk.alarms().contains(&"silent"));
    desk.on(Event::Taken { site: SITE.to_owned(), number: last.number });
    desk.pass(1);
    assert!(desk.status().chargers.iter().all(|charger| charger.online));
    assert!(!desk.alarms().contains(&"silent"));
}

/// What a system does that passes setpoints on and reports nothing.
fn takes_all(desk: &mut Desk) {
    let number = ["A", "B"].iter().filter_map(|charger| Some(desk.last(charger)?.number)).max();
    desk.on(Event::Taken { site: SITE.to_owned(), number: number.unwrap_or(0) });
    desk.pass(1);
}

#[test]
fn who_takes_setpoints_and_reports_nothing_answers_for_them() {
    let mut desk = Desk::new(Sites::new());
    desk.obey = false;
    desk.begin(&["A", "B"]);
    desk.arrives("A", "s1");
    desk.pass(20);
    assert!(desk.last("A").is_none_or(|last| last.limit_a <= 0.0), "nobody passes anything on");
    for _ in 0..30 {
        takes_all(&mut desk);
    }
    let setpoint = desk.last("A").unwrap().clone();
    assert!(setpoint.limit_a >= 6.0, "{setpoint:?}");
    let shown = desk.status().chargers[0].setpoint.clone().unwrap();
    assert!(shown.trace.taken.is_some() && shown.trace.confirmed.is_none(), "{shown:?}");
    assert!(desk.alarms().contains(&"unconfirmed"));
    // From the first report on reports alone count.
    let holds = Report { limit_a: Some(setpoint.limit_a), ..report(desk.now.wall) };
    desk.on(Event::Reported { site: SITE.to_owned(), charger: "A".to_owned(), report: holds });
    desk.pass(1);
    assert!(!desk.alarms().contains(&"unconfirmed"));
    for _ in 0..90 {
        takes_all(&mut desk);
    }
    let shown = desk.status().chargers[0].setpoint.clone().unwrap();
    let renewed = shown.number > setpoint.number;
    assert!(renewed && shown.trace.taken.is_none() && shown.trace.confirmed.is_none(), "{shown:?}");
}

#[test]
fn what_a_charger_draws_shows_that_it_obeys() {
    let mut desk = Desk::new(Sites::new());
    desk.obey = false;
    desk.begin(&["A", "B"]);
    desk.holds_nothing("B");
    let first = Report { limit_a: Some(0.0), ..report(desk.now.wall) };
    desk.on(Event::Reported { site: SITE.to_owned(), charger: "A".to_owned(), report: first });
    desk.pass(2);
    let idle = Report { setpoint: Some(desk.last("A").unwrap().number), ..report(desk.now.wall) };
    desk.on(Event::Reported { site: SITE.to_owned(), charger: "A".to_owned(), report: idle });
    desk.arrives("A", "s1");
    desk.pass(5);
    let told = desk.last("A").unwrap().clone();
    assert!(told.limit_a >= 6.0);
    let draws = |desk: &Desk, amps: f64| Report {
        l1_a: Some(amps),
        l2_a: Some(amps),
        l3_a: Some(amps),
        ..report(desk.now.wall)
    };
    let early = draws(&desk, told.limit_a);
    desk.on(Event::Reported { site: SITE.to_owned(), charger: "A".to_owned(), report: early });
    desk.pass(1);
    let confirmed = |desk: &Desk| desk.status().chargers[0].setpoint.as_ref().unwrap().trace.confirmed.is_some();
    assert!(!confirmed(&desk), "it may not have followed yet");
    // It is raised a few times before it has all that there is room for.
    for _ in 0..4 {
        desk.pass(15);
        let later = draws(&desk, desk.last("A").unwrap().limit_a);
        desk.on(Event::Reported { site: SITE.to_owned(), charger: "A".to_owned(), report: later });
        desk.pass(1);
    }
    assert!(confirmed(&desk));
}

#[test]
fn the_example_site_is_steered_too() {
    let bytes = include_bytes!("../../../data/samples/depot-site.toml");
    let what = Arc::new(file::parse(bytes).unwrap().site);
    let mut desk = Desk::new(Sites::new());
    desk.plans = false;
    desk.on(Event::Site { site: SITE.to_owned(), tenant: "main".to_owned(), what, over_api: Vec::new() });
    desk.pass(3);
    assert_eq!(desk.status().chargers.len(), 26);
    let order = desk.orders.last().unwrap();
    let Climbed::New(kept) = climb(order, Outlook::default(), Rungs::Rule("a test"), &Patient).unwrap() else {
        panic!("no plan")
    };
    let basis = kept.head.summary["basis"].as_array().unwrap();
    assert!(
        basis.iter().any(|text| text.as_str().unwrap().contains("the tariff and a flat day-ahead price")),
        "{basis:?}"
    );
}

/// A van of a group whose stays usually end at half past six, and should begin by eight in the evening.
fn site_with_template() -> Site {
    let mut site = site();
    site.groups = vec![toml::from_str("id = \"Vans\"").unwrap()];
    site.vehicles = vec![toml::from_str("id = \"Van 1\"\ngroup = \"Vans\"").unwrap()];
    let template = "id = \"night\"\ngroup = \"Vans\"\narrival = \"11:00\"\ndeparture = \"06:30\"\nneed_kwh = 18\n\
                    plugged_in_by = \"11:30\"";
    site.templates = vec![toml::from_str(template).unwrap()];
    site
}

fn with_site(what: Site) -> Desk {
    let mut desk = Desk::connected();
    let what = Arc::new(what);
    desk.on(Event::Site { site: SITE.to_owned(), tenant: "main".to_owned(), what, over_api: Vec::new() });
    desk.pass(3);
    desk
}

fn session_at<'d>(desk: &'d Desk, charger: &str) -> &'d crate::resource::status::SessionStatus {
    let found = desk.status().chargers.iter().find(|known| known.id == charger).unwrap();
    found.session.as_ref().unwrap()
}

#[test]
fn what_nobody_says_is_the_templates_then_what_was_before_then_what_is_usual_and_it_is_shown() {
    let mut desk = with_site(site_with_template());
    let mut stated = session("A", None);
    stated.vehicle = Some("Van 1".to_owned());
    stated.need_kwh = None;
    desk.session("s1", KeptSession::of(stated.clone()));
    desk.pass(3);
    let shown = session_at(&desk, "A");
    assert_eq!((shown.departure_from, shown.need_from), (Origin::Template, Origin::Template));
    // Half past six in Amsterdam, and 18 kWh in the battery.
    assert_eq!(shown.departure.unwrap(), "2026-01-15T05:30:00Z".parse::<DateTime<Utc>>().unwrap());
    assert!((shown.need_kwh.unwrap() - 20.0).abs() < 1e-9);
    // What its driver says counts before it, each by itself.
    let departure = desk.now.wall + TimeDelta::hours(3);
    stated.departure = Some(departure);
    desk.session("s1", KeptSession::of(stated.clone()));
    desk.pass(3);
    let shown = session_at(&desk, "A");
    assert_eq!((shown.departure_from, shown.need_from), (Origin::Driver, Origin::Template));
    assert_eq!(shown.departure, Some(departure));
    // A vehicle that is in no template: nobody knows, until three stays have ended.
    let mut other = session("B", None);
    other.vehicle = Some("Car".to_owned());
    other.need_kwh = None;
    desk.session("s2", KeptSession::of(other.clone()));
    desk.pass(3);
    assert_eq!(session_at(&desk, "B").departure_from, Origin::Assumed);
    for days in 1..=3 {
        let arrival = desk.now.wall - TimeDelta::days(days);
        let past = KeptSession {
            ended: Some(arrival + TimeDelta::hours(5)),
            energy_kwh: Some(11.0),
            ..KeptSession::of(Session { arrival: Some(arrival), ..other.clone() })
        };
        desk.session(&format!("past-{days}"), past);
    }
    desk.pass(70);
    let shown = session_at(&desk, "B");
    assert_eq!((shown.departure_from, shown.need_from), (Origin::History, Origin::History));
    assert_eq!(shown.departure, None, "nobody has said it");
    let stay = shown.planned_until.unwrap() - desk.now.wall;
    assert!((4..=5).contains(&stay.num_hours()), "{stay}");
    let said = &desk.orders.last().unwrap().assumed;
    assert!(said.iter().any(|text| text == "the departure of 1 vehicle is what was usual before"), "{said:?}");
}

#[test]
fn a_van_that_should_have_plugged_in_is_an_alarm_until_it_has() {
    let mut desk = with_site(site_with_template());
    // It is a minute past eleven in Amsterdam.
    assert!(!desk.alarms().contains(&"not_plugged_in"));
    desk.pass(30 * 60);
    let alarm = desk.status().alarms.iter().find(|alarm| alarm.kind == "not_plugged_in").unwrap().clone();
    assert_eq!(alarm.about, "vehicle/Van 1");
    assert!(alarm.text.contains("11:30") && alarm.text.contains("night"), "{}", alarm.text);
    let mut stated = session("A", None);
    stated.vehicle = Some("Van 1".to_owned());
    desk.session("s1", KeptSession::of(stated));
    desk.pass(2);
    assert!(!desk.alarms().contains(&"not_plugged_in"));
}

#[test]
fn a_price_takes_the_place_of_all_that_it_overlaps() {
    let mut desk = Desk::connected();
    desk.arrives("A", "s1");
    let hour = desk.now.wall.date_naive().and_hms_opt(10, 0, 0).unwrap().and_utc();
    let known = |desk: &Desk| -> Vec<(i64, u32)> {
        let prices = &desk.orders.last().unwrap().prices;
        let known = prices.iter().map(|price| ((price.start - hour).num_minutes(), price.minutes));
        known.filter(|(minute, _)| *minute < 120).collect()
    };
    let put = |desk: &mut Desk, prices: &[(i64, u32)]| {
        let price =
            |(minute, minutes): &(i64, u32)| Price::put(hour + TimeDelta::minutes(*minute), *minutes, 0.1, None);
        desk.on(Event::Prices { site: SITE.to_owned(), prices: prices.iter().map(price).collect() });
        desk.pass(75);
    };
    put(&mut desk, &[(0, 60), (60, 60)]);
    assert_eq!(known(&desk), [(0, 60), (60, 60)]);
    put(&mut desk, &[(15, 15), (30, 15)]);
    assert_eq!(known(&desk), [(15, 15), (30, 15), (60, 60)], "the hour is gone");
    put(&mut desk, &[(0, 60)]);
    assert_eq!(known(&desk), [(0, 60), (60, 60)]);
}
