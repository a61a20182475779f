//! What photovoltaic plants deliver: one plant, one column for each, or kW per kWp for all.

use chrono_tz::Tz;

use super::columns::{Wanted, columns};
use super::read::unit;
use super::{Quantity, Series, Unit, stamps};
use crate::refusal::{Fault, Refusal, quoted};
use crate::site::PvPlant;
use crate::table;
use crate::text::words;

/// The power of a plant in kW.
#[derive(Debug, Clone, PartialEq)]
pub struct PlantPower {
    /// Name of the plant.
    pub plant: String,
    /// Its power.
    pub kw: Series,
}

/// Reads a PV file for the plants of a site: a column named like a plant (its unit after it, or kW), one column `kw`
/// where there is one plant, or one `kw_per_kwp` for all that have no column of their own.
///
/// # Errors
///
/// [`Refusal`] as [`read`](fn@super::read) gives, or with the choices where it cannot be known whose a column is.
pub fn read_pv(bytes: &[u8], plants: &[PvPlant], zone: Option<Tz>) -> Result<Vec<PlantPower>, Refusal> {
    let table = table::read(bytes)?;
    let stamp = stamps::column(&table, None)?;
    let mut wanted: Vec<(usize, Unit)> = Vec::new();
    let mut owners: Vec<Option<&PvPlant>> = Vec::new();
    for (column, header) in table.header().iter().enumerate().filter(|&(k, header)| k != stamp && !header.is_empty()) {
        if let Some(plant) = owner(header, plants) {
            let said = Unit::of_header(header).or_else(|| Unit::parse("kW"));
            wanted.push((column, unit(header, Quantity::Power, said)?));
            owners.push(Some(plant));
        } else if let Some(unit) = Unit::of_header(header).filter(|unit| unit.quantity == Quantity::PowerPerPeak) {
            wanted.push((column, unit));
            owners.push(None);
        } else if let ([plant], true) = (plants, table.header().len() == 2) {
            wanted.push((column, unit(header, Quantity::Power, None)?));
            owners.push(Some(plant));
        } else {
            let names = crate::refusal::names(plants.iter().map(|plant| plant.id.as_str()));
            let wrong = format!("is no plant of the site; its plants are {names}");
            let remedy = "name the column after the plant, or give one column kw_per_kwp for all plants";
            return Err(Fault::of_table("the header", header, wrong, remedy).into());
        }
    }
    let rows: Vec<usize> = (0..table.rows()).filter(|&row| !table.is_blank(row)).collect();
    let series = columns(&table, &rows, &Wanted { stamp, columns: &wanted, zone })?.series;
    let mut powers: Vec<PlantPower> = Vec::new();
    let mut scaled: Option<Series> = None;
    for (kw, owner) in series.into_iter().zip(owners) {
        match owner {
            Some(plant) if powers.iter().any(|power| power.plant == plant.id) => {
                let wrong = format!("has two columns for the plant {}", quoted(&plant.id));
                return Err(Fault::of_table("the header", "", wrong, "leave one of them out").into());
            }
            Some(plant) => powers.push(PlantPower { plant: plant.id.clone(), kw }),
            None => scaled = Some(kw),
        }
    }
    if let Some(per_peak) = scaled {
        for plant in plants {
            if !powers.iter().any(|power| power.plant == plant.id) {
                powers.push(PlantPower { plant: plant.id.clone(), kw: per_peak.clone().times(plant.peak_kw) });
            }
        }
    }
    Ok(powers)
}

/// The plant that a header names, with or without a unit after it.
fn owner<'a>(header: &str, plants: &'a [PvPlant]) -> Option<&'a PvPlant> {
    let header = words(header);
    plants.iter().find(|plant| {
        let name = words(&plant.id);
        header == name
            || (header.len() == name.len() + 1
                && header.starts_with(&name)
                && ["kw", "w", "kwh", "wh"].contains(&header[name.len()].as_str()))
    })
}
