//! What energy cost, by the site's tariff, as plans count it.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::compose::{self, Horizon};
use kwartier_data::roster::Roster;
use kwartier_data::series::{BoardDraw, Building, Series};
use serde::Serialize;

use super::inputs::QUARTER_S;
use super::world::Days;
use crate::cli::failure::Failure;

/// Quarter-hours priced at once: any number below what an instance holds.
const AT_ONCE: usize = 960;

/// Prices of all quarter-hours of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    import_eur_kwh: Vec<f64>,
    export_eur_kwh: Vec<f64>,
    peak_eur_kw: f64,
}

/// What was paid, in EUR, and for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bill {
    /// All of it.
    pub total_eur: f64,
    /// For imported energy.
    pub import_eur: f64,
    /// For exported energy; below 0 is income.
    pub export_eur: f64,
    /// For the highest quarter-hour.
    pub peak_eur: f64,
    /// Imported energy.
    pub import_kwh: f64,
    /// Exported energy.
    pub export_kwh: f64,
    /// Highest import on the average of a quarter-hour.
    pub peak_kw: f64,
}

impl Rates {
    /// The prices of some days.
    pub fn of(days: &Days) -> Result<Rates, Failure> {
        let mut site = days.site.clone();
        (site.stations, site.batteries, site.loads, site.pv) = <_>::default();
        let roster = Roster::new(Vec::new(), days.times.zone);
        let mut rates = Rates::default();
        let mut at = days.world.start;
        while at < days.world.end {
            let left = usize::try_from(((days.world.end - at).num_seconds() + QUARTER_S - 1) / QUARTER_S).unwrap_or(1);
            let horizon = Horizon { start: at, slot_minutes: 15, slots: left.min(AT_ONCE) };
            let building = [Building::Boards(site.boards.iter().map(|board| nothing(&board.id, &horizon)).collect())];
            let inputs = compose::Inputs {
                horizon,
                roster: &roster,
                prices: days.inputs.prices.as_ref(),
                building: &building,
                pv: &[],
                co2: None,
                peak_so_far_kw: Some(0.0),
                used_this_year_kwh: Some(0.0),
                battery_soc_kwh: &[],
            };
            let (instance, _) = compose::instance(&site, &inputs).map_err(|refusal| Failure::Unfit {
                what: "what energy costs cannot be known; give [prices] in the scenario, or a tariff in the site file"
                    .to_owned(),
                findings: refusal.to_string(),
            })?;
            if rates.import_eur_kwh.is_empty() {
                rates.peak_eur_kw = instance.grid.peak_eur_kw;
            }
            rates.import_eur_kwh.extend(instance.grid.import_eur_kwh);
            rates.export_eur_kwh.extend(instance.grid.export_eur_kwh);
            at = horizon.end();
        }
        Ok(rates)
    }

    /// What energy by quarter-hours costs.
    pub fn bill(&self, quarters_kwh: &[f64]) -> Bill {
        let mut bill = Bill::default();
        for ((kwh, import), export) in quarters_kwh.iter().zip(&self.import_eur_kwh).zip(&self.export_eur_kwh) {
            if *kwh >= 0.0 {
                bill.import_kwh += kwh;
                bill.import_eur += kwh * import;
                bill.peak_kw = bill.peak_kw.max(kwh * 4.0);
            } else {
                bill.export_kwh -= kwh;
                bill.export_eur += kwh * export;
            }
        }
        bill.peak_eur = bill.peak_kw * self.peak_eur_kw;
        bill.total_eur = bill.import_eur + bill.export_eur + bill.peak_eur;
        bill
    }
}

fn nothing(board: &str, horizon: &Horizon) -> BoardDraw {
    let zeros = |start: DateTime<Utc>| Series {
        start,
        step: TimeDelta::seconds(QUARTER_S),
        values: vec![Some(0.0); horizon.slots],
    };
    let series = zeros(horizon.start);
    BoardDraw { board: board.to_owned(), phases_a: std::array::from_fn(|_| series.clone()), kw: Some(series) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fed_in_earns_and_the_peak_costs_once() {
        let rates = Rates { import_eur_kwh: vec![0.2, 0.3, 0.1], export_eur_kwh: vec![0.05; 3], peak_eur_kw: 2.0 };
        let bill = rates.bill(&[10.0, -4.0, 5.0]);
        assert!((bill.import_eur - 2.5).abs() < 1e-12);
        assert!((bill.export_eur + 0.2).abs() < 1e-12);
        assert!((bill.peak_kw - 40.0).abs() < 1e-12);
        assert!((bill.total_eur - (2.5 - 0.2 + 80.0)).abs() < 1e-12);
    }
}
