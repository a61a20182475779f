//! Vehicles that a site knows. They stand in the site's document, so a change of one is a change of the site.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change;
use super::edit::{Wanted, edit_there, place_in};
use super::page::Listed;
use super::problem::Problem;
use super::read::{Json, Path};
use super::version::{etag, tagged};
use crate::access::{self, Caller, Permission};
use crate::resource::site::VehicleBody;
use crate::service::Service;

/// The routes of vehicles.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list_vehicles)).routes(routes!(get_vehicle, put_vehicle, delete_vehicle))
}

/// List vehicles
///
/// All that the site knows, each with its `id`.
#[utoipa::path(
    get, path = "/v1/sites/{site}/vehicles", tag = "vehicles",
    params(("site" = String, Path, description = "The site's id.")),
    responses((status = 200, description = "All vehicles; there is one page.", body = Listed<crate::resource::site::SiteVehicle>)),
)]
async fn list_vehicles(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
) -> Result<axum::Json<Value>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    Ok(axum::Json(change::body(&Listed { items: what.vehicles, next: None })?))
}

/// Read a vehicle
#[utoipa::path(
    get, path = "/v1/sites/{site}/vehicles/{vehicle}", tag = "vehicles",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("vehicle" = String, Path, description = "The vehicle's name."),
    ),
    responses((status = 200, description = "The vehicle; its `ETag` is that of the site.", body = VehicleBody)),
)]
async fn get_vehicle(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (document, what) = change::site(&service, &site).await?;
    let vehicle = what.vehicles.iter().find(|vehicle| vehicle.id == id).ok_or_else(|| unknown(&id))?;
    Ok(tagged(&headers, document.version, &without_id(change::body(vehicle)?)))
}

/// Put a vehicle
///
/// What differs from the site's `vehicle_defaults`. No plate, no name of a person: the id is yours to choose.
#[utoipa::path(
    put, path = "/v1/sites/{site}/vehicles/{vehicle}", tag = "vehicles",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("vehicle" = String, Path, description = "The vehicle's name."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    request_body = VehicleBody,
    responses(
        (status = 200, description = "Changed.", body = VehicleBody),
        (status = 201, description = "Made.", body = VehicleBody),
    ),
)]
async fn put_vehicle(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
    Json(mut vehicle): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    if vehicle.contains_key("id") {
        return Err(Problem::field("id", "is said by the path; remove it"));
    }
    vehicle.insert("id".to_owned(), Value::String(id.clone()));
    let vehicle = Value::Object(vehicle);
    let new = std::sync::atomic::AtomicBool::new(false);
    let edited = edit_there(&service, &caller, &site, &headers, |mut what| {
        let (vehicles, at, there) = place_in(&mut what, "vehicles", &id)?;
        new.store(!there, std::sync::atomic::Ordering::Relaxed);
        if there {
            vehicles[at] = vehicle.clone();
        } else {
            vehicles.push(vehicle.clone());
        }
        Ok(Wanted::site(what, format!("vehicles[{at}]")))
    })
    .await?;
    let vehicle = edited.site.vehicles.iter().find(|vehicle| vehicle.id == id).ok_or_else(Problem::internal)?;
    let status = if new.into_inner() { StatusCode::CREATED } else { StatusCode::OK };
    let body = axum::Json(without_id(change::body(vehicle)?));
    Ok((status, [(header::ETAG, etag(edited.version))], body).into_response())
}

/// Delete a vehicle
#[utoipa::path(
    delete, path = "/v1/sites/{site}/vehicles/{vehicle}", tag = "vehicles",
    params(
        ("site" = String, Path, description = "The site's id."),
        ("vehicle" = String, Path, description = "The vehicle's name."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the site's version to be changed."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
async fn delete_vehicle(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let site = access::at_site(&service, &caller, Permission::Operate, &site).await?;
    edit_there(&service, &caller, &site, &headers, |mut what| {
        let (vehicles, at, there) = place_in(&mut what, "vehicles", &id)?;
        if !there {
            return Err(unknown(&id));
        }
        vehicles.remove(at);
        Ok(Wanted::site(what, ""))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn without_id(mut vehicle: Value) -> Value {
    if let Some(vehicle) = vehicle.as_object_mut() {
        vehicle.remove("id");
    }
    vehicle
}

fn unknown(vehicle: &str) -> Problem {
    Problem::not_found(&format!("the vehicle {vehicle:?}"))
}
