//! Commands: what a charger that connects itself is to do once, and how that ended.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{self, Batch};
use super::problem::{Problem, ProblemKind};
use super::read::{Json, Path};
use crate::access::audit::{self, At, Did};
use crate::access::{self, Caller, Permission};
use crate::ocpp::{self, Command, Outcome, Record, known};
use crate::service::Service;
use crate::store::{Key, Kind};

/// The routes of commands.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(command_charger))
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CommandResult {
    /// `answered`: the charger has answered, and `answer` says what; `refused`: it does not know such a message; `no_answer`: it
    /// was sent and may have been done.
    pub result: CommandState,
    /// The charger's answer as OCPP has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The code of its refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// How it ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// The charger has answered.
    Answered,
    /// The charger has refused the message.
    Refused,
    /// It was sent, and no answer came.
    NoAnswer,
}

/// Command a charger
///
/// Something that it does once, such as `{"command": "reset"}`. The answer waits for the charger, ten seconds at most; for a
/// report of all variables (`configuration` without keys, OCPP 2), a minute. The same thing that waits already is done once.
#[utoipa::path(
    post, path = "/v1/sites/{site}/chargers/{charger}/commands", tag = "chargers",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("charger" = String, Path, description = "The charger's name."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body again gives the same answer."),
    ),
    request_body = Command,
    responses((status = 200, description = "It was sent; how that ended.", body = CommandResult)),
)]
async fn command_charger(
    State(service): State<Service>,
    caller: Caller,
    Path((site, charger)): Path<(String, String)>,
    Json(mut command): Json<Command>,
) -> Result<axum::Json<CommandResult>, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    if !what.stations.iter().any(|station| station.id == charger) {
        return Err(Problem::not_found(&format!("the charger {charger:?}")));
    }
    let gone = || {
        let detail = format!("{charger:?} is not connected over OCPP, or has too much to do; try again when it is");
        Problem::new(ProblemKind::NotConnected, detail)
    };
    let version = service.hub.version(&site.id, &charger).ok_or_else(gone)?;
    if let Command::Start { tag, .. } | Command::Reserve { tag, .. } = &command
        && !ocpp::is_let_in(&service, &site.id, tag, caller.at).await?
    {
        let detail = "is no card that may charge here now; state it first, or choose another";
        return Err(Problem::field("tag", detail));
    }
    if let Command::InstallCertificate { certificate: certificate @ None } = &mut command {
        let own = service.authority.pem().map_err(|fault| {
            tracing::error!(%fault, "chargers cannot be certified");
            Problem::new(ProblemKind::Storage, "there is no authority here; the service's log says why")
        })?;
        *certificate = Some(own);
    }
    let record: Record = known(&service, &site.id, &charger).await.unwrap_or_default();
    let (action, payload) =
        command.message(version, &record, caller.at).map_err(|(field, why)| Problem::field(field, why))?;
    let key = Key::new(Kind::Charger, &site.id, &charger);
    let mut batch = Batch::at_site(&caller, &site);
    let at = At { tenant: &site.tenant, site: Some(&site.id) };
    batch.also([audit::noted(&caller, at, &key, Did::Other("command"), command.name())]);
    batch.write(&service).await?;
    let outcome = service.hub.ask(&site.id, &charger, action, payload).ok_or_else(gone)?;
    let ended = |result, answer, code| CommandResult { result, answer, code };
    Ok(axum::Json(match outcome.await {
        Ok(Outcome::Answered(answer)) => ended(CommandState::Answered, Some(answer), None),
        Ok(Outcome::Refused(code)) => ended(CommandState::Refused, None, Some(code)),
        Ok(Outcome::NoAnswer) | Err(_) => ended(CommandState::NoAnswer, None, None),
    }))
}
