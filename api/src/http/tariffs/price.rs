//! What a kWh costs at an instant, with its parts.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::site::Site;
use kwartier_data::site::tariff::{Direction, Pricer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::change::{self, kept};
use super::super::problem::Problem;
use super::super::read::{Path, Query};
use crate::access::{self, Caller, Permission, SiteRef};
use crate::planning::prices::{FLAT_SPOT_EUR_KWH, price_at};
use crate::resource::feed::{Doubt, Source};
use crate::resource::price::Price;
use crate::service::Service;
use crate::store::{Key, Kind};

pub(super) fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(get_price))
}

/// When, and after how much use.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PriceQuery {
    /// At which instant; now where nothing is said.
    at: Option<DateTime<Utc>>,
    /// What was used this calendar year so far, in kWh: the next kWh pays the bracket that it falls into. Where nothing is said, what the
    /// meter has shown until then, and what the tariff says was used before.
    used_kwh: Option<f64>,
}

/// Where a price is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// It was put, all included: it has no parts that are known.
    Put,
    /// What a contract bills, all included: it has no parts that are known.
    Billed,
    /// A feed's day-ahead price within the tariff.
    Fetched,
    /// The tariff, which needs no day-ahead price then.
    Tariff,
    /// The tariff with a flat day-ahead price: none is known.
    Assumed,
}

/// What a kWh costs at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PriceView {
    /// The instant.
    at: DateTime<Utc>,
    /// Where it is from.
    basis: PriceBasis,
    /// From the grid.
    import: PriceParts,
    /// Into the grid.
    export: PriceParts,
    /// What a kW of the month's highest quarter-hour costs, in EUR; 0, nothing.
    peak_eur_kw_month: f64,
    /// The day-ahead price in it, in EUR/kWh.
    #[serde(skip_serializing_if = "Option::is_none")]
    spot_eur_kwh: Option<f64>,
    /// The feed that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    /// What is to be known of it before it is relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
}

/// A price and what adds up to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct PriceParts {
    /// The sum, in EUR/kWh.
    eur_kwh: f64,
    /// The parts in the order of the tariff, VAT in each where it counts.
    parts: Vec<PricePart>,
}

/// A part of a price.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PricePart {
    /// What people call it.
    name: String,
    /// What it adds, in EUR/kWh.
    eur_kwh: f64,
}

/// Read what a kWh costs
///
/// At an instant, with its parts: what was put then, or the tariff with the day-ahead price that was fetched.
#[utoipa::path(
    get, path = "/v1/sites/{site}/tariff/price", tag = "prices",
    params(("site" = String, Path, description = "The site's id."), PriceQuery),
    responses((status = 200, description = "The price.", body = PriceView)),
)]
async fn get_price(
    State(service): State<Service>,
    caller: Caller,
    Path(site): Path<String>,
    Query(query): Query<PriceQuery>,
) -> Result<axum::Json<PriceView>, Problem> {
    let site = access::at_site(&service, &caller, Permission::See, &site).await?;
    let (_, what) = change::site(&service, &site).await?;
    let at = query.at.unwrap_or(caller.at);
    let used_kwh = match query.used_kwh {
        Some(kwh) => kwh,
        None => service.used.kwh(&*service.store, &site.id, &what, at.min(caller.at)).await,
    };
    if !used_kwh.is_finite() || used_kwh < 0.0 {
        return Err(Problem::parameter("used_kwh", "is below 0 or no number; give kWh"));
    }
    let known = known(&service, &site, at).await?;
    let view = view(&what, at, known, used_kwh);
    view.map(axum::Json).ok_or_else(|| Problem::not_found("a price or a tariff then"))
}

/// The price that is kept of an instant.
async fn known(service: &Service, site: &SiteRef, at: DateTime<Utc>) -> Result<Option<Price>, Problem> {
    // An interval may have begun on the day before.
    for before in [TimeDelta::zero(), TimeDelta::hours(1)] {
        let key = Key::new(Kind::Prices, &site.id, (at - before).date_naive().to_string());
        let day = service.store.read(&key, None).await?;
        let day: Vec<Price> = day.as_ref().map(kept).transpose()?.unwrap_or_default();
        if let Some(price) = price_at(&day, at) {
            return Ok(Some(price));
        }
    }
    Ok(None)
}

/// What a kWh costs; `None`, nothing is known of it.
fn view(what: &Site, at: DateTime<Utc>, known: Option<Price>, used_kwh: f64) -> Option<PriceView> {
    let zone = local::zone(&what.time_zone).ok()?;
    let day = local::day(zone, at);
    let pricer = what.tariff.as_ref().and_then(|tariff| Pricer::new(tariff, zone).ok());
    let peak_eur_kw_month = pricer.as_ref().map_or(0.0, |pricer| pricer.peak_eur_kw(day));
    let pricer = pricer.filter(|pricer| pricer.in_force(Direction::Import, day));
    let spot_eur_kwh = known.and_then(|price| price.spot_eur_kwh);
    let (source, doubt) = (known.and_then(|price| price.source), known.and_then(|price| price.doubt));
    let view =
        |basis, import, export| PriceView { at, basis, import, export, peak_eur_kw_month, spot_eur_kwh, source, doubt };
    if let Some(price) = known.filter(|price| price.source.is_some_and(Source::is_contract)) {
        let export = alone(price.export_eur_kwh.unwrap_or(0.0));
        return Some(view(PriceBasis::Billed, alone(price.import_eur_kwh), export));
    }
    match (known, spot_eur_kwh, pricer) {
        (Some(price), None, _) => {
            Some(view(PriceBasis::Put, alone(price.import_eur_kwh), alone(price.export_eur_kwh.unwrap_or(0.0))))
        }
        (Some(price), Some(_), None) => {
            Some(view(PriceBasis::Fetched, alone(price.import_eur_kwh), alone(price.export_eur_kwh.unwrap_or(0.0))))
        }
        (_, spot, Some(pricer)) => {
            let needs = [Direction::Import, Direction::Export].map(|direction| pricer.needs_spot(direction, day));
            let basis = match spot {
                Some(_) => PriceBasis::Fetched,
                None if needs.contains(&true) => PriceBasis::Assumed,
                None => PriceBasis::Tariff,
            };
            let parts = |direction| {
                let parts = pricer.parts(direction, at, spot.unwrap_or(FLAT_SPOT_EUR_KWH), used_kwh);
                let parts: Vec<PricePart> =
                    parts.map(|part| PricePart { name: part.name.to_owned(), eur_kwh: part.eur_kwh }).collect();
                PriceParts { eur_kwh: parts.iter().map(|part| part.eur_kwh).sum(), parts }
            };
            Some(view(basis, parts(Direction::Import), parts(Direction::Export)))
        }
        (None, _, None) => None,
    }
}

/// A price without parts.
fn alone(eur_kwh: f64) -> PriceParts {
    PriceParts { eur_kwh, parts: Vec::new() }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn site(tariff: &str) -> Site {
        let mut site = Site::new("Depot".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
        site.tariff = (!tariff.is_empty()).then(|| toml::from_str(tariff).unwrap());
        site
    }

    const NOON: &str = "2026-11-28T11:00:00Z";

    #[test]
    fn the_parts_add_up_and_brackets_follow_what_was_used() {
        let fetched = Price {
            source: Some(Source::EnergyCharts),
            spot_eur_kwh: Some(0.1),
            ..Price::put(at(NOON), 15, 0.23, Some(0.1))
        };
        let site = site("preset = \"nl-home\"");
        let view = view(&site, at(NOON), Some(fetched), 0.0).unwrap();
        assert_eq!((view.basis, view.source), (PriceBasis::Fetched, Some(Source::EnergyCharts)));
        let names: Vec<&str> = view.import.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["Day-ahead price", "Energy tax 2026"]);
        assert!((view.import.eur_kwh - (0.1 + 0.09161) * 1.21).abs() < 1e-9, "{}", view.import.eur_kwh);
        assert!((view.export.eur_kwh - 0.1).abs() < 1e-9, "no VAT on what is fed in");
        let later = super::view(&site, at(NOON), Some(fetched), 20_000.0).unwrap();
        assert!((later.import.eur_kwh - (0.1 + 0.06671) * 1.21).abs() < 1e-9, "{}", later.import.eur_kwh);
    }

    #[test]
    fn what_was_put_has_no_parts_and_what_is_assumed_says_so() {
        let put = Price::put(at(NOON), 15, 0.3, None);
        let known = view(&site("preset = \"nl-home\""), at(NOON), Some(put), 0.0).unwrap();
        assert_eq!((known.basis, known.import), (PriceBasis::Put, alone(0.3)));
        let billed = Price { source: Some(Source::Tibber), spot_eur_kwh: Some(0.1), ..put };
        let known = view(&site("preset = \"nl-home\""), at(NOON), Some(billed), 0.0).unwrap();
        assert_eq!((known.basis, known.import), (PriceBasis::Billed, alone(0.3)), "the tariff is in it already");
        let assumed = view(&site("preset = \"nl-home\""), at(NOON), None, 0.0).unwrap();
        assert_eq!((assumed.basis, assumed.spot_eur_kwh), (PriceBasis::Assumed, None));
        let fixed = "components = [{ name = \"all in\", price = { kind = \"fixed\", eur_kwh = 0.25 } }]";
        let fixed = view(&site(fixed), at(NOON), None, 0.0).unwrap();
        assert_eq!((fixed.basis, fixed.import.eur_kwh), (PriceBasis::Tariff, 0.25));
        assert_eq!(view(&site(""), at(NOON), None, 0.0), None);
    }
}
