//! What is said between the program and the solver's process: one request, one answer, a line of JSON each.

use std::time::Duration;

use kwartier_data::instance::wire;
use kwartier_data::{Instance, Plan};
use kwartier_engine::solver::exact::{ExactAnswer, ExactRequest, ExactSolver};
use serde::{Deserialize, Serialize};

/// What is asked of the solver's process.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    instance: wire::Instance,
    abs_gap_eur: f64,
    time_limit_s: f64,
}

/// What the solver's process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The solver came to an end.
    Solved { plan: Option<Box<Plan>>, bound_eur: Option<f64>, claims_optimal: bool },
    /// The solver says why it did not.
    Failed(String),
}

/// Why an answer is of no use.
#[derive(Debug, PartialEq, Eq)]
pub enum Useless {
    /// The solver says itself that it failed.
    Failed(String),
    /// This is no answer.
    Garbage(String),
}

/// The line that asks.
pub fn request(request: &ExactRequest<'_>) -> Result<Vec<u8>, String> {
    let request = Request {
        instance: request.instance.to_wire(),
        abs_gap_eur: request.abs_gap_eur,
        time_limit_s: request.time_limit.as_secs_f64(),
    };
    let mut line = serde_json::to_vec(&request).map_err(|fault| fault.to_string())?;
    line.push(b'\n');
    Ok(line)
}

/// Solves what a line asks and words the answer.
pub fn answer(line: &[u8], solver: &dyn ExactSolver) -> Result<String, String> {
    let request: Request = serde_json::from_slice(line).map_err(|fault| format!("this is no request: {fault}"))?;
    let instance = Instance::from_wire(request.instance).map_err(|refusal| refusal.to_string())?;
    let time_limit = Duration::try_from_secs_f64(request.time_limit_s).map_err(|fault| fault.to_string())?;
    let solved = solver.solve(&ExactRequest { instance: &instance, abs_gap_eur: request.abs_gap_eur, time_limit });
    let answer = match solved {
        Ok(ExactAnswer { plan, bound_eur, claims_optimal }) => {
            Answer::Solved { plan: plan.map(Box::new), bound_eur, claims_optimal }
        }
        Err(fault) => Answer::Failed(fault.to_string()),
    };
    let text = serde_json::to_string(&answer).map_err(|fault| fault.to_string())?;
    Ok(text + "\n")
}

/// Understands an answer.
pub fn understand(bytes: &[u8]) -> Result<ExactAnswer, Useless> {
    match serde_json::from_slice(bytes) {
        Ok(Answer::Solved { plan, bound_eur, claims_optimal }) => {
            Ok(ExactAnswer { plan: plan.map(|plan| *plan), bound_eur, claims_optimal })
        }
        Ok(Answer::Failed(why)) => Err(Useless::Failed(why)),
        Err(fault) => Err(Useless::Garbage(fault.to_string())),
    }
}
