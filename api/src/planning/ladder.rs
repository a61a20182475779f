//! From a request to a plan, come what may: the planner's, else a simple rule's, else none, and then the loop goes on with
//! the plan that it has, or shares out what is free.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use kwartier_data::{Instance, Plan};
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::settings::{Method, Settings, Watch};
use uuid::{NoContext, Timestamp, Uuid};

use super::compose::{Composed, Outlook, compose};
use super::made::Summary;
use super::request::Request;
use crate::store::{KeptPlan, PlanHead};

/// Plans are good enough at this fraction of the flexible cost above the best.
const GAP: f64 = 0.001;

/// A plan is handed out after so long at the latest.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Makes a plan of an instance.
pub type Solve = dyn Fn(&Instance, &Settings, &dyn Watch) -> Result<Plan, String> + Send + Sync;

/// What came of it.
#[derive(Debug)]
pub enum Climbed {
    /// Nothing has changed since the plan in force was made.
    Unchanged,
    /// A new plan.
    New(Box<KeptPlan>),
}

/// Which rungs may be used.
#[derive(Clone, Copy)]
pub enum Rungs<'a> {
    /// All of them, the planner first.
    All(&'a Solve),
    /// The rule alone, as the planner has failed.
    Rule(&'a str),
}

/// Makes a plan.
///
/// # Errors
///
/// Why there is none: what is known makes no instance, or planner and rule have failed both.
pub fn climb(request: &Request, outlook: Outlook, rungs: Rungs<'_>, watch: &dyn Watch) -> Result<Climbed, String> {
    let Composed { wire, mut basis } = compose(request, outlook)?;
    let value = serde_json::to_value(&wire).map_err(|fault| fault.to_string())?;
    let inputs = blake3::hash(value.to_string().as_bytes()).to_hex().to_string();
    let previous = request.previous.as_ref();
    if previous.is_some_and(|previous| previous.summary.inputs == inputs) {
        return Ok(Climbed::Unchanged);
    }
    let instance = Instance::from_wire(wire).map_err(|refusal| refusal.to_string())?;
    let failed = match rungs {
        Rungs::Rule(why) => why.to_owned(),
        Rungs::All(solve) => {
            let settings = Settings {
                gap: GAP,
                time_limit: TIME_LIMIT,
                method: Method::Auto,
                previous: previous.map(|previous| Plan::clone(&previous.plan)),
            };
            match guarded(|| solve(&instance, &settings, watch)) {
                Ok(plan) => return kept(request, value, &plan, basis, inputs),
                Err(why) => why,
            }
        }
    };
    // The reason is for whoever runs the service, the basis for whoever looks at the plan.
    tracing::warn!(site = request.site, why = failed, "the planner failed, a rule plans instead");
    let plan = guarded(|| Ok(baseline(&instance, Baseline::CheapestSlots)))
        .map_err(|rule| format!("{failed}; and of the rule: {rule}"))?;
    basis.push("the planner failed: each vehicle charges in its own cheapest hours".to_owned());
    kept(request, value, &plan, basis, inputs)
}

/// What a computation says; a panic is an error like others.
fn guarded<T>(compute: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(compute)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(format!("it panicked: {}", said.unwrap_or_else(|| "it did not say why".to_owned())))
    })
}

fn kept(
    request: &Request,
    instance: serde_json::Value,
    plan: &Plan,
    basis: Vec<String>,
    inputs: String,
) -> Result<Climbed, String> {
    let method = plan.made.as_ref().map_or("rule", |made| made.method.as_str()).to_owned();
    let proven = plan.made.is_some();
    let summary = Summary {
        basis: if basis.is_empty() { vec!["fresh".to_owned()] } else { basis },
        method,
        reason: request.reason.to_owned(),
        cost_eur: plan.objective_eur,
        bound_eur: proven.then_some(plan.bound_eur),
        short: plan
            .sessions
            .iter()
            .filter(|session| session.shortfall_kwh > 0.05)
            .map(|session| (session.id.clone(), session.shortfall_kwh))
            .collect(),
        inputs,
    };
    let seconds = u64::try_from(request.at.timestamp()).unwrap_or(0);
    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, request.at.timestamp_subsec_nanos()));
    let json = |value: Result<serde_json::Value, serde_json::Error>| value.map_err(|fault| fault.to_string());
    let head =
        PlanHead { id, site: request.site.clone(), at: request.at, summary: json(serde_json::to_value(&summary))? };
    Ok(Climbed::New(Box::new(KeptPlan { head, instance, plan: json(serde_json::to_value(plan))? })))
}
