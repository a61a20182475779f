//! Planners that panic, hang, fail, and have nothing new to say.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::file;
use kwartier_data::{Instance, Plan, local};
use kwartier_engine::control::event::{Event, Limit, Scope, Signal};
use kwartier_engine::control::{Setup, settings};
use kwartier_engine::plan::plan;
use kwartier_engine::settings::{Progress, Settings, Watch};
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver};
use tokio::sync::mpsc;

use super::compose::{Outlook, compose};
use super::ladder::{Climbed, Rungs, climb};
use super::workers::Workers;
use super::{Made, Request};
use crate::app::handle::Board;
use crate::app::{self, Handle, Writer};
use crate::simulate::people::Expected;
use crate::store;

/// Nobody hurries it.
pub struct Patient;

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

/// Plans without the exact model.
pub fn solve(instance: &Instance, settings: &Settings, watch: &dyn Watch) -> Result<Plan, String> {
    plan(instance, settings, watch, &NoExact).map(|outcome| outcome.plan).map_err(|none| none.to_string())
}

/// The guide's depot, with four vans that have just come for the night.
pub fn request() -> Request {
    let what = file::parse(include_bytes!("../../../data/samples/depot-site.toml")).unwrap().site;
    let zone = local::zone(&what.time_zone).unwrap();
    let at: DateTime<Utc> = "2026-01-14T17:07:30Z".parse().unwrap();
    let visit = |k: usize| Expected {
        id: format!("v{k}"),
        device: k,
        from: at - TimeDelta::seconds(450),
        until: at + TimeDelta::hours(12),
        need_kwh: 20.0,
        phases: 3,
        min_a: 6.0,
        max_a: 16.0,
        group: None,
        feeds_in: None,
    };
    Request {
        site: "depot".to_owned(),
        number: 1,
        at,
        reason: "test",
        setup: Arc::new(Setup::of(&what, zone, settings::Settings::default())),
        what: Arc::new(what),
        expected: (0..4).map(visit).collect(),
        present: (0..4).collect(),
        assumed: Vec::new(),
        prices: Vec::new(),
        signals: Vec::new(),
        peak_kw: 50.0,
        stored_kwh: vec![("Battery".to_owned(), 40.0)],
        previous: None,
    }
}

/// The plan that came of it.
pub fn made(request: &Request, climbed: Result<Climbed, String>) -> Made {
    let Climbed::New(kept) = climbed.unwrap() else { panic!("nothing new") };
    Made::of(*kept, &request.setup, &request.present).unwrap()
}

#[test]
fn a_plan_gives_everybody_what_they_need_and_says_what_it_rests_on() {
    let request = request();
    let made = made(&request, climb(&request, Outlook::default(), Rungs::All(&solve), &Patient));
    assert!(made.summary.short.is_empty(), "{:?}", made.summary.short);
    assert!(made.summary.bound_eur.unwrap() <= made.summary.cost_eur + 1e-6);
    for device in 0..4 {
        // A little more than 20 kWh at the charger: vehicles ramp and taper.
        let kwh = made.remaining_kwh(device, request.at - TimeDelta::seconds(450)).unwrap();
        assert!((20.0..23.0).contains(&kwh), "{kwh}");
        let later = made.remaining_kwh(device, request.at + TimeDelta::hours(6)).unwrap();
        assert!(later <= kwh + 1e-9);
    }
    assert!(made.remaining_kwh(10, request.at).is_none());
    assert!(made.covers(request.at) && !made.covers(request.at + TimeDelta::hours(25)));
    let charged: f64 = made.status.charging_kw.iter().sum::<f64>() / 4.0;
    assert!((80.0..92.0).contains(&charged), "{charged}");
}

#[test]
fn unchanged_inputs_make_no_new_plan_and_changed_ones_do() {
    let mut request = request();
    let first = Arc::new(made(&request, climb(&request, Outlook::default(), Rungs::All(&solve), &Patient)));
    request.previous = Some(Arc::clone(&first));
    request.at += TimeDelta::minutes(3);
    assert!(matches!(climb(&request, Outlook::default(), Rungs::All(&solve), &Patient), Ok(Climbed::Unchanged)));
    request.expected[0].need_kwh += 1.0;
    let second = made(&request, climb(&request, Outlook::default(), Rungs::All(&solve), &Patient));
    assert_ne!(second.summary.inputs, first.summary.inputs);
}

#[test]
fn a_limit_of_the_grid_operator_caps_the_import() {
    let mut request = request();
    let (from, until) = (request.at, Some(request.at + TimeDelta::hours(1)));
    let signal = Signal { id: "g".to_owned(), on: Scope::Node(0), limit: Limit::Power(33.0), from, until };
    request.signals.push(Event::Signal(signal));
    let caps = compose(&request, Outlook::default()).unwrap().wire.grid.import_cap_kw.unwrap();
    assert!((caps[0] - 33.0).abs() < 1e-9 && (caps[4] - 33.0).abs() < 1e-9);
    assert!((caps[5] - 120.0).abs() < 1e-9, "the contract's");
}

#[test]
fn where_the_planner_panics_or_fails_a_rule_plans() {
    let request = request();
    let panics = |_: &Instance, _: &Settings, _: &dyn Watch| -> Result<Plan, String> { panic!("out of its mind") };
    let fails = |_: &Instance, _: &Settings, _: &dyn Watch| -> Result<Plan, String> { Err("no".to_owned()) };
    for rungs in [Rungs::All(&panics), Rungs::All(&fails), Rungs::Rule("it hangs")] {
        let made = made(&request, climb(&request, Outlook::default(), rungs, &Patient));
        assert_eq!(made.summary.method, "rule");
        assert!(made.summary.bound_eur.is_none(), "nothing is proven");
        assert!(made.summary.basis.iter().any(|text| text.contains("the planner failed")), "{:?}", made.summary.basis);
        assert!(made.status.charging_kw.iter().any(|kw| *kw > 0.0));
    }
}

#[test]
fn what_makes_no_instance_is_refused_in_words() {
    let mut request = request();
    let mut what = kwartier_data::site::Site::clone(&request.what);
    what.time_zone = "Mars/Olympus".to_owned();
    request.what = Arc::new(what);
    let why = climb(&request, Outlook::default(), Rungs::All(&solve), &Patient).unwrap_err();
    assert!(why.contains("time_zone \"Mars/Olympus\"") && why.contains("IANA"), "{why}");
}

#[tokio::test]
async fn a_planner_that_hangs_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(folder.path().to_str().unwrap()).await.unwrap();
    let (events, mut queue) = mpsc::channel(8);
    let app = Handle::new(events, Board::default());
    let hangs = |_: &Instance, _: &Settings, watch: &dyn Watch| -> Result<Plan, String> {
        // It hears that it is given up only so that the test ends.
        while !watch.cancelled() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Err("too late".to_owned())
    };
    let (writer, longest) = (Writer::default(), Duration::from_millis(100));
    let workers = Workers::solving(Arc::clone(&store), app, writer.clone(), 1, Arc::new(hangs), longest);
    workers.order(request());
    let Some(app::Event::Planned { site, number, outcome }) = queue.recv().await else { panic!("nothing came") };
    assert_eq!((site.as_str(), number), ("depot", 1));
    let made = outcome.unwrap();
    assert_eq!(made.summary.method, "rule");
    // And it is kept, with what it was made from.
    writer.flush(&*store, Utc::now()).await.unwrap();
    let kept = store.plan(made.kept.head.id).await.unwrap().unwrap();
    assert_eq!(kept.instance, made.kept.instance);
    assert_eq!(kept.plan, made.kept.plan);
    store.close().await;
}
