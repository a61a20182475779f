//! Boards, and how they hang together.

use std::collections::HashMap;

use axum::extract::State;
use kwartier_data::site::load::board_loads;
use kwartier_data::site::{Board, Site};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change;
use super::page::Listed;
use super::problem::Problem;
use super::read::Path;
use crate::access::{self, Caller, Permission};
use crate::resource::site::BoardBody;
use crate::service::Service;

/// The routes of boards.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_nodes)).routes(routes!(get_topology))
}

/// A board with all below it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Branch {
    /// Name of the board.
    pub id: String,
    /// Limit of L1, L2, L3 in A.
    pub limit_a: [f64; 3],
    /// The meters at it.
    pub meters: Vec<String>,
    /// The stations on it.
    pub chargers: Vec<String>,
    /// Batteries, PV plants and flexible loads on it.
    pub devices: Vec<String>,
    /// What the stations on it and below it draw at most on L1, L2, L3 together, in A.
    pub connected_a: [f64; 3],
    /// The boards that it feeds.
    #[schema(no_recursion)]
    pub boards: Vec<Branch>,
}

/// List the boards of a site
///
/// As the site says them, in its order. They are changed by putting the site.
#[utoipa::path(
    get, path = "/v1/sites/{site}/nodes", tag = "sites", params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "All boards; there is one page.", body = Listed<BoardBody>)),
)]
async fn list_nodes(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<Value>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    Ok(axum::Json(change::body(&Listed::<Board> { items: what.boards, next: None })?))
}

/// The tree of boards of a site
///
/// From the grid connection down, with what hangs on each board.
#[utoipa::path(
    get, path = "/v1/sites/{site}/topology", tag = "sites",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "The grid connection and all below it.", body = Branch)),
)]
async fn get_topology(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<Branch>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let root = what.boards.iter().find(|board| board.parent.is_none()).ok_or_else(Problem::internal)?;
    let loads = board_loads(&what).into_iter().map(|load| (load.board, load.stations_a)).collect();
    Ok(axum::Json(branch(&what, &loads, root)))
}

fn branch(site: &Site, connected_a: &HashMap<String, [f64; 3]>, board: &Board) -> Branch {
    let on = |of: &str| of == board.id;
    let batteries = site.batteries.iter().filter(|battery| on(&battery.board)).map(|battery| &battery.id);
    let pv = site.pv.iter().filter(|plant| on(&plant.board)).map(|plant| &plant.id);
    let loads = site.loads.iter().filter(|load| on(&load.board)).map(|load| &load.id);
    let below = site.boards.iter().filter(|other| other.parent.as_deref() == Some(&board.id));
    Branch {
        id: board.id.clone(),
        limit_a: board.limit_a.phases(),
        meters: site.meters.iter().filter(|meter| on(&meter.board)).map(|meter| meter.id.clone()).collect(),
        chargers: site.stations.iter().filter(|station| on(&station.board)).map(|one| one.id.clone()).collect(),
        devices: batteries.chain(pv).chain(loads).cloned().collect(),
        connected_a: connected_a.get(&board.id).copied().unwrap_or_default(),
        boards: below.map(|other| branch(site, connected_a, other)).collect(),
    }
}
