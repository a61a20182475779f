//! Programs that hang, say nothing, say nonsense, say no end, crash or do not exist, in the place of the solver.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kwartier_data::instance;
use kwartier_engine::settings::{Progress, Watch};
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver, Highs};

use super::{ChildSolver, protocol};

const SAMPLE: &[u8] = include_bytes!("../../../data/samples/guide-24.json");

/// Nobody cancels, or somebody has.
#[derive(Default)]
struct Quiet {
    cancelled: AtomicBool,
}

impl Watch for Quiet {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn progress(&self, _: &Progress) {}
}

fn ask(program: &str, arguments: &[&str], watch: &Quiet) -> Result<ExactAnswer, ExactFault> {
    let instance = instance::parse(SAMPLE).map_err(|refusal| ExactFault::Failed(refusal.to_string()))?;
    let request = ExactRequest { instance: &instance, abs_gap_eur: 0.1, time_limit: Duration::ZERO };
    ChildSolver::of(program, arguments, watch).solve(&request)
}

#[test]
fn one_that_hangs_is_stopped() {
    assert_eq!(ask("sleep", &["1000"], &Quiet::default()), Err(ExactFault::TimedOut));
}

#[test]
fn one_that_hangs_after_its_answer_began_is_stopped() {
    let endless = ask("sh", &["-c", "printf '{\"solved\":'; exec sleep 1000"], &Quiet::default());
    assert_eq!(endless, Err(ExactFault::TimedOut));
}

#[test]
fn cancelling_does_not_wait() {
    let watch = Quiet { cancelled: AtomicBool::new(true) };
    assert_eq!(ask("sleep", &["1000"], &watch), Err(ExactFault::Cancelled));
}

#[test]
fn silence_and_nonsense_are_told_apart_from_a_crash() {
    assert!(matches!(ask("true", &[], &Quiet::default()), Err(ExactFault::Garbage(_))));
    assert!(matches!(ask("echo", &["optimal!"], &Quiet::default()), Err(ExactFault::Garbage(_))));
    assert!(matches!(ask("sh", &["-c", "kill -SEGV $$"], &Quiet::default()), Err(ExactFault::Crashed(_))));
    assert!(matches!(ask("false", &[], &Quiet::default()), Err(ExactFault::Crashed(_))));
}

#[test]
fn one_that_is_not_there_is_not_started() {
    assert!(matches!(ask("/nowhere/solver", &[], &Quiet::default()), Err(ExactFault::NotStarted(_))));
}

#[test]
fn its_own_complaint_is_passed_on() {
    let complaint = ask("echo", &[r#"{"failed":"no licence"}"#], &Quiet::default());
    assert_eq!(complaint, Err(ExactFault::Failed("no licence".to_owned())));
}

#[test]
fn request_and_answer_survive_the_way() -> Result<(), String> {
    let instance = instance::parse(SAMPLE).map_err(|refusal| refusal.to_string())?;
    let request = ExactRequest { instance: &instance, abs_gap_eur: 1e9, time_limit: Duration::from_mins(1) };
    let line = protocol::request(&request)?;
    let answer = protocol::answer(&line, &Highs)?;
    let understood = protocol::understand(answer.as_bytes()).map_err(|useless| format!("{useless:?}"))?;
    let direct = Highs.solve(&request).map_err(|fault| fault.to_string())?;
    assert_eq!(understood.claims_optimal, direct.claims_optimal);
    assert!(protocol::answer(b"{}", &Highs).is_err_and(|why| why.contains("this is no request")));
    Ok(())
}
