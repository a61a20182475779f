//! The meter at the grid connection: what a slot's net power costs and between which caps it stays.

use kwartier_data::instance::Instance;

/// Prices, caps and peak of the grid connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Price of import per slot, EUR/kWh.
    pub import_eur_kwh: Vec<f64>,
    /// Price paid for export per slot, EUR/kWh.
    pub export_eur_kwh: Vec<f64>,
    /// Net power of everything that cannot be changed, per slot in kW.
    pub fixed_kw: Vec<f64>,
    /// Highest net power per slot in kW (infinite without a cap).
    pub high_kw: Vec<f64>,
    /// Lowest net power per slot in kW: minus the highest export.
    pub low_kw: Vec<f64>,
    /// Price of the import peak above `peak_so_far_kw`, EUR/kW.
    pub peak_eur_kw: f64,
    /// The import that is free of peak price, kW.
    pub peak_so_far_kw: f64,
}

impl Connection {
    /// Reads the grid connection of an instance; where the building breaks a cap by itself, the cap is what it makes
    /// (`docs/formats/plan.md`, rule 4).
    pub fn of(instance: &Instance) -> Self {
        let grid = &instance.grid;
        let fixed_kw: Vec<f64> = (0..instance.slots).map(|t| instance.fixed_kw(t)).collect();
        let sun_kw = |t: usize| instance.pv.iter().filter(|v| v.curtailable).map(|v| v.kw[t]).sum::<f64>();
        let cap =
            |cap: &Option<Vec<f64>>, t: usize, alone: f64| cap.as_ref().map_or(f64::INFINITY, |c| c[t].max(alone));
        let slots = 0..instance.slots;
        Self {
            import_eur_kwh: grid.import_eur_kwh.clone(),
            export_eur_kwh: grid.export_eur_kwh.clone(),
            high_kw: slots.clone().map(|t| cap(&grid.import_cap_kw, t, fixed_kw[t] - sun_kw(t))).collect(),
            low_kw: slots.map(|t| -cap(&grid.export_cap_kw, t, -fixed_kw[t])).collect(),
            fixed_kw,
            peak_eur_kw: grid.peak_eur_kw,
            peak_so_far_kw: grid.peak_so_far_kw,
        }
    }

    /// What a net power of `net_kw` costs in EUR/h, without the peak.
    pub fn eur_h(&self, slot: usize, net_kw: f64) -> f64 {
        if net_kw >= 0.0 { net_kw * self.import_eur_kwh[slot] } else { net_kw * self.export_eur_kwh[slot] }
    }
}
