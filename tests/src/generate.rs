//! Planning instances drawn at random, of the structure of the public ones: a grid connection, sub-boards of twenty charge
//! points in groups of five, a building with an evening peak, PV, and, with everything on, a battery, a heat pump, V2G, caps
//! and a peak price, all in proportion to the number of vehicles.
//!
//! The same recipe gives the same instance in every run and on every machine.

use kwartier_data::Instance;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// What to draw.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)]
pub struct Recipe {
    /// Number of charge points; by night each has one vehicle, by day some have two.
    pub vehicles: usize,
    /// Number of slots of a quarter-hour.
    pub slots: usize,
    /// Two shifts by day instead of one night.
    pub day: bool,
    /// Battery, heat pump, V2G, caps and a peak price.
    pub everything: bool,
    /// Fraction of vehicles that can discharge.
    pub v2g: f64,
    /// Fraction of vehicles that use one phase.
    pub one_phase: f64,
    /// Factor on all fuses.
    pub fuses: f64,
    /// Whether L1, L2, L3 of each board differ.
    pub unequal: bool,
    /// Boards between the connection and the sub-boards.
    pub depth: usize,
    /// Hours around noon with a negative price.
    pub negative_hours: usize,
    /// Hours around noon in which feed-in is priced above import.
    pub feed_in_hours: usize,
    /// Whether all vehicles leave in the same slot.
    pub together: bool,
    /// Factor on what vehicles need.
    pub need: f64,
    /// What chance begins from.
    pub seed: u64,
}

impl Recipe {
    /// A depot by night, everything on.
    pub fn night(vehicles: usize, seed: u64) -> Self {
        Self {
            vehicles,
            slots: 96,
            day: false,
            everything: true,
            v2g: 0.1,
            one_phase: 0.25,
            fuses: 1.0,
            unequal: false,
            depth: 1,
            negative_hours: 0,
            feed_in_hours: 0,
            together: false,
            need: 1.0,
            seed,
        }
    }

    /// A depot by day, everything on.
    pub fn day(vehicles: usize, seed: u64) -> Self {
        Self { day: true, ..Self::night(vehicles, seed) }
    }

    /// The instance, as its file would be.
    pub fn json(&self) -> Value {
        Draw { recipe: self, chance: ChaCha8Rng::seed_from_u64(self.seed) }.instance()
    }

    /// The instance.
    ///
    /// # Panics
    ///
    /// When the recipe makes something the format refuses: a fault of this file.
    #[allow(clippy::panic)]
    pub fn instance(&self) -> Instance {
        let bytes = self.json().to_string();
        match kwartier_data::instance::parse(bytes.as_bytes()) {
            Ok(instance) => instance,
            Err(refusal) => panic!("{self:?} makes no instance: {refusal}"),
        }
    }
}

/// Charge points of a sub-board, and sub-boards of a group.
const POINTS: usize = 20;
const GROUP: usize = 5;
const PHASE_MAPS: [[&str; 3]; 3] = [["L1", "L2", "L3"], ["L2", "L3", "L1"], ["L3", "L1", "L2"]];

struct Draw<'a> {
    recipe: &'a Recipe,
    chance: ChaCha8Rng,
}

impl Draw<'_> {
    fn instance(&mut self) -> Value {
        let r = self.recipe;
        let size = r.vehicles as f64;
        let boards = r.vehicles.div_ceil(POINTS).max(1);
        let nodes = self.nodes(boards);
        let series: Vec<f64> = (0..r.slots).map(|t| building(self.hour(t))).collect();
        let noise: Vec<f64> = (0..r.slots).map(|_| 1.0 + self.chance.random_range(-0.06..0.06)).collect();
        let load = |share: [f64; 3], scale: f64| share.map(|s| round3(s, scale, &series, &noise));
        let mut base = vec![(nodes.first().cloned(), load([0.95, 1.0, 0.9], size.max(8.0)))];
        base.push((nodes.get(1).cloned(), load([1.0, 1.1, 0.9], 4.0)));
        let base_kw: Vec<f64> = (0..r.slots)
            .map(|t| 0.96 * 0.23 * base.iter().map(|(_, l)| l.iter().map(|p| p[t]).sum::<f64>()).sum::<f64>())
            .collect();
        let sun: Vec<f64> = (0..r.slots).map(|t| sun(self.hour(t))).collect();
        let pv_kw: Vec<f64> = sun.iter().map(|s| (1.146 * size * s * 1e4).round() / 1e4).collect();
        let small_kw: Vec<f64> = sun.iter().map(|s| (3.5 * s * 1e4).round() / 1e4).collect();
        let (chargers, sessions) = self.vehicles(boards);
        let id = |node: &Option<Value>| node.as_ref().map(|n| n["id"].clone());
        json!({
            "format": 1,
            "start": if r.day { "2023-06-13T04:00:00Z" } else { "2023-06-13T14:00:00Z" },
            "slot_minutes": 15,
            "slots": r.slots,
            "voltage_v": 230,
            "nodes": nodes,
            "base_load_a": base.iter().filter_map(|(node, l)| Some(
                json!({"node": id(node)?, "l1": l[0], "l2": l[1], "l3": l[2]})
            )).collect::<Vec<_>>(),
            "pv": [
                {"id": "PV1", "node": "HV", "phases": ["L1", "L2", "L3"], "kw": pv_kw, "curtailable": true},
                {"id": "PV2", "node": "HV", "phases": ["L2"], "kw": small_kw, "curtailable": false},
            ],
            "grid": self.grid(&base_kw),
            "chargers": chargers,
            "sessions": sessions,
            "batteries": if r.everything { json!([{
                "id": "B1", "node": "HV", "capacity_kwh": 1.5 * size, "soc_kwh": 0.5 * size, "end_soc_kwh": 0.5 * size,
                "max_charge_kw": 0.6 * size, "max_discharge_kw": 0.6 * size, "efficiency": 0.95, "wear_eur_kwh": 0.03,
                "shortfall_eur_kwh": 1.0,
            }]) } else { json!([]) },
            "loads": if r.everything { json!([{
                "id": "HP1", "node": "HV", "phases": ["L1", "L2", "L3"], "earliest": 8, "latest": r.slots - 6,
                "min_kw": 0.0, "max_kw": 0.3 * size, "need_kwh": 1.2 * size, "shortfall_eur_kwh": 2.0,
            }]) } else { json!([]) },
        })
    }

    /// Local hour of a slot.
    fn hour(&self, slot: usize) -> f64 {
        let start = if self.recipe.day { 6.0 } else { 16.0 };
        (start + slot as f64 / 4.0) % 24.0
    }

    fn limits(&mut self, amperes: f64) -> Value {
        let amperes = amperes * self.recipe.fuses;
        let unequal = self.recipe.unequal;
        json!([(); 3].map(|()| (amperes * if unequal { self.chance.random_range(0.7..1.1) } else { 1.0 }).round()))
    }

    fn nodes(&mut self, boards: usize) -> Vec<Value> {
        let size = self.recipe.vehicles as f64;
        let imbalance = self.recipe.everything.then(|| (1.12 * size).round().max(30.0));
        let limits = self.limits((6.2 * size).max(60.0));
        let mut nodes = vec![json!({"id": "HV", "parent": null, "limit_a": limits, "imbalance_limit_a": imbalance})];
        for group in 0..boards.div_ceil(GROUP) {
            let mut parent = "HV".to_owned();
            for level in 0..self.recipe.depth {
                let id = if level == 0 { format!("UV{}", group + 1) } else { format!("UV{}~{level}", group + 1) };
                let limits = self.limits(775.0);
                nodes.push(json!({"id": id, "parent": parent, "limit_a": limits, "imbalance_limit_a": null}));
                parent = id;
            }
            for board in group * GROUP..((group + 1) * GROUP).min(boards) {
                let limits = self.limits(232.0);
                let id = format!("UV{}.{}", group + 1, board % GROUP + 1);
                nodes.push(json!({"id": id, "parent": parent, "limit_a": limits, "imbalance_limit_a": null}));
            }
        }
        nodes
    }

    fn grid(&mut self, base_kw: &[f64]) -> Value {
        let r = self.recipe;
        let size = r.vehicles as f64;
        let hours: Vec<f64> = (0..r.slots.div_ceil(4)).map(|_| self.chance.random_range(-0.012..0.012)).collect();
        let about_noon = |hour: f64, hours: usize| (hour - 13.0).abs() < hours as f64 / 2.0;
        let import: Vec<f64> = (0..r.slots)
            .map(|t| {
                let hour = self.hour(t).floor();
                let humps = (-(hour - 8.0).powi(2) / 8.0).exp() + 1.3 * (-(hour - 19.0).powi(2) / 10.0).exp();
                let price = 0.11 + 0.06 * humps - 0.05 * (-(hour - 13.0).powi(2) / 8.0).exp() + hours[t / 4];
                ((if about_noon(hour, r.negative_hours) { price - 0.25 } else { price }) * 1e5).round() / 1e5
            })
            .collect();
        let export: Vec<f64> = (0..r.slots)
            .map(|t| {
                let above = about_noon(self.hour(t).floor(), r.feed_in_hours);
                ((if above { import[t] + 0.04 } else { import[t] - 0.0514 }) * 1e5).round() / 1e5
            })
            .collect();
        let cap: Vec<f64> = (0..r.slots)
            .map(|t| if (17.0..20.0).contains(&self.hour(t)) { 2.353 * size } else { 4.278 * size })
            .collect();
        let caps = r.everything;
        json!({
            "import_eur_kwh": import,
            "export_eur_kwh": export,
            "import_cap_kw": caps.then_some(cap),
            "export_cap_kw": caps.then(|| vec![0.642 * size; r.slots]),
            "peak_eur_kw": if caps { 1.53 } else { 0.0 },
            "peak_so_far_kw": if caps { 2.139 * size } else { 0.0 },
            "base_kw": base_kw,
        })
    }

    fn vehicles(&mut self, boards: usize) -> (Vec<Value>, Vec<Value>) {
        let r = self.recipe;
        let (mut chargers, mut sessions) = (Vec::new(), Vec::new());
        for i in 0..r.vehicles {
            let board = (i / POINTS).min(boards - 1);
            let node = format!("UV{}.{}", board / GROUP + 1, board % GROUP + 1);
            let max_a = if self.chance.random_bool(0.5) { 16 } else { 32 };
            let map = PHASE_MAPS[self.chance.random_range(0..3_usize)];
            chargers.push(json!({"id": format!("C{}", i + 1), "node": node, "phase_map": map, "max_a": max_a}));
            let last = r.slots - 2;
            let stays = if r.day {
                let arrive = self.chance.random_range(0..20).min(last - 4);
                let depart = (arrive + self.chance.random_range(12..38)).min(last - 2);
                let second = depart + self.chance.random_range(2..10);
                if second + 8 < last && self.chance.random_bool(0.3) {
                    vec![(arrive, depart), (second, (second + self.chance.random_range(8..24)).min(last))]
                } else {
                    vec![(arrive, depart)]
                }
            } else {
                let arrive = self.chance.random_range(2..26).min(last - 8);
                vec![(arrive, (arrive + self.chance.random_range(36..60)).min(last))]
            };
            for (n, (arrive, depart)) in stays.into_iter().enumerate() {
                let depart = if r.together { (r.slots * 5 / 8).max(arrive + 1) } else { depart };
                let suffix = if n == 0 { "" } else { "b" };
                sessions.push(self.session(&format!("S{}{suffix}", i + 1), i, arrive, depart));
            }
        }
        if r.together {
            let mut seen = std::collections::HashSet::new();
            sessions.retain(|s| seen.insert(s["charger"].to_string()));
        }
        (chargers, sessions)
    }

    fn session(&mut self, id: &str, charger: usize, arrive: usize, depart: usize) -> Value {
        let r = self.recipe;
        let phases = match self.chance.random_range(0.0..1.0) {
            x if x < r.one_phase => 1,
            x if x < r.one_phase + 0.1 => 2,
            _ => 3,
        };
        let capacity =
            if phases == 1 { 12.0 } else { [40.0, 52.0, 64.8, 77.0, 90.0][self.chance.random_range(0..5_usize)] };
        let soc: f64 = capacity * self.chance.random_range(0.1..0.5);
        let wanted = capacity * self.chance.random_range(0.75..0.95) - soc;
        let slot_kwh = 0.23 * f64::from(phases) * 16.0 * 0.25 * 0.9;
        let reachable = 0.8 * slot_kwh * (depart - arrive) as f64;
        let need = (wanted.min(reachable) * r.need).clamp(0.0, capacity);
        let min_a = [6, 6, 6, 6, 6, 6, 6, 6, 8, 10][self.chance.random_range(0..10_usize)];
        let mut session = json!({
            "id": id, "charger": format!("C{}", charger + 1), "arrive": arrive, "depart": depart, "phases": phases,
            "min_a": min_a, "max_a": if self.chance.random_bool(0.2) { 32 } else { 16 },
            "efficiency": (self.chance.random_range(86.0..93.0_f64)).round() / 100.0,
            "capacity_kwh": capacity, "soc_kwh": (soc * 100.0).round() / 100.0,
            "need_kwh": (need * 100.0).floor() / 100.0,
            "shortfall_eur_kwh": if self.chance.random_bool(0.2) { 5.0 } else { 2.0 },
        });
        if r.everything && self.chance.random_bool(r.v2g) {
            session["v2g"] = json!({
                "min_a": 6, "max_a": 16, "efficiency": 0.9, "min_soc_kwh": (capacity * 20.0).round() / 100.0,
                "wear_eur_kwh": 0.06,
            });
        }
        session
    }
}

/// What a building of one vehicle's size draws per phase at an hour, in A.
fn building(hour: f64) -> f64 {
    0.75 + 1.1 * (-(hour - 11.0).powi(2) / 18.0).exp() + 1.3 * (-(hour - 19.0).powi(2) / 8.0).exp()
}

/// What a plant makes of its peak power at an hour.
fn sun(hour: f64) -> f64 {
    (0.5 - 0.5 * ((hour - 1.5) / 24.0 * std::f64::consts::TAU).cos()).powi(3)
}

fn round3(share: f64, scale: f64, series: &[f64], noise: &[f64]) -> Vec<f64> {
    series.iter().zip(noise).map(|(s, n)| (share * scale * s * n * 1e3).round() / 1e3).collect()
}
