//! What is known of a site as a planning instance.

use kwartier_data::compose::{self, Horizon, NoteCode};
use kwartier_data::instance::wire;
use kwartier_data::local;
use kwartier_data::roster::Roster;
use kwartier_data::series::Building;

use super::prices::{Expected, Priced, priced};
use super::request::Request;
use crate::resource::price::Price;
use crate::simulate::people;
use crate::simulate::planner::{caps, quarters, rows};

/// Length of a slot: what grid and markets are billed by.
const SLOT_MINUTES: u32 = 15;

/// How far plans reach: a day.
const SLOTS: usize = 96;

/// An instance, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    /// The instance.
    pub wire: wire::Instance,
    /// What was missing, and what stands for it.
    pub basis: Vec<String>,
}

/// Which slots a plan made now has.
pub fn horizon(request: &Request) -> Horizon {
    Horizon { start: compose::quarter_of(request.at), slot_minutes: SLOT_MINUTES, slots: SLOTS }
}

/// What is expected of the hours to come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// What the building is expected to draw, where that is known, PV included: what meters show.
    pub building: Option<Building>,
    /// Prices as they are expected, for hours whose price is not known.
    pub prices: Vec<Price>,
    /// What was used this calendar year, in kWh, where the tariff asks.
    pub used_kwh: f64,
    /// What was missing for it, and what stands for that.
    pub basis: Vec<String>,
}

/// The instance of a request.
pub fn compose(request: &Request, outlook: Outlook) -> Result<Composed, String> {
    let site = &request.what;
    let zone = local::zone(&site.time_zone)
        .map_err(|remedy| format!("time_zone {:?} is no time zone; {remedy}", site.time_zone))?;
    let horizon = horizon(request);
    let expected = Expected { forecast: &outlook.prices, used_kwh: outlook.used_kwh };
    let Priced { import_eur_kwh, export_eur_kwh, peak_eur_kw, basis } =
        priced(site, zone, &request.prices, &expected, &horizon);
    let mut basis = basis;
    basis.extend(outlook.basis);
    basis.extend(request.assumed.iter().cloned());
    // Loads are part of the building; prices are worked out already; plants are part of what meters show.
    let mut planned = kwartier_data::site::Site::clone(site);
    planned.loads.clear();
    planned.tariff = None;
    planned.pv.clear();
    let roster = Roster::new(rows(&request.expected, &request.setup), zone);
    let series = quarters(horizon.start, import_eur_kwh);
    let building: Vec<Building> = outlook.building.into_iter().collect();
    let inputs = compose::Inputs {
        horizon,
        roster: &roster,
        prices: Some(&series),
        building: &building,
        pv: &[],
        co2: None,
        peak_so_far_kw: Some(request.peak_kw),
        used_this_year_kwh: None,
        battery_soc_kwh: &request.stored_kwh,
    };
    let (mut wire, notes) = compose::instance(&planned, &inputs).map_err(|refusal| refusal.to_string())?;
    wire.grid.export_eur_kwh = export_eur_kwh;
    wire.grid.peak_eur_kw = peak_eur_kw;
    feeding(&mut wire, &request.expected);
    caps(&mut wire, &request.setup, &horizon, &request.signals);
    // What stays of the notes is what an operator can mend; the others are said in the basis already, or are how it is done.
    let mend = |code| match code {
        NoteCode::BuildingUnknown | NoteCode::StayLeftOut => true,
        NoteCode::BuildingAtMost => building.is_empty(),
        _ => false,
    };
    basis.extend(notes.into_iter().filter(|note| mend(note.code)).map(|note| note.text));
    Ok(Composed { wire, basis })
}

/// What vehicles may feed in: rows of rosters say nothing of that.
fn feeding(wire: &mut wire::Instance, expected: &[people::Expected]) {
    for visit in expected {
        let Some(car) = &visit.feeds_in else { continue };
        for session in wire.sessions.iter_mut().filter(|session| session.id == visit.id) {
            session.v2g = Some(wire::V2g::from(&car.v2g));
        }
    }
}
