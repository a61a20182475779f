//! The tables beside the charts: the same numbers for those who want to read them, or cannot see the picture.

use std::collections::HashMap;
use std::ops::Range;

use kwartier_data::PHASE_NAMES;
use kwartier_engine::explain::{Explanation, VehicleReason};

use super::clock::Clock;
use super::number::{grouped, label, percent};
use super::view::{Highest, Vehicle, View};
use super::words;

/// Currents below this are none, in A.
const NO_CURRENT_A: f64 = 5e-3;
/// How many stretches a cell names without an explanation.
const STRETCHES: usize = 4;

/// A table. The first column names the row.
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// One cell a column.
    pub rows: Vec<Vec<String>>,
    /// How many columns at the end are texts, not numbers.
    pub texts: usize,
}

impl Table {
    fn new(caption: &str, head: &[&str], rows: Vec<Vec<String>>, texts: usize) -> Self {
        Table { caption: caption.to_owned(), head: head.iter().map(|&name| name.to_owned()).collect(), rows, texts }
    }
}

fn average(series: &[f64], slots: &Range<usize>) -> f64 {
    series[slots.clone()].iter().sum::<f64>() / slots.len().max(1) as f64
}

/// Prices by hour.
pub fn prices(view: &View<'_>) -> Table {
    let grid = &view.instance.grid;
    let rows = view.clock.hours().into_iter().map(|(hour, slots)| {
        let price = |series: &[f64]| grouped(average(series, &slots), 4);
        vec![hour, price(&grid.import_eur_kwh), price(&grid.export_eur_kwh)]
    });
    let head = ["hour", "import, EUR/kWh", "export, EUR/kWh"];
    Table::new("Average price by hour, local time", &head, rows.collect(), 0)
}

/// Power at the grid connection by hour.
pub fn site(view: &View<'_>) -> Table {
    let after = &view.after.profile;
    let rows = view.clock.hours().into_iter().map(|(hour, slots)| {
        let series = [
            &after.building_kw,
            &after.loads_kw,
            &after.vehicles_kw,
            &after.batteries_kw,
            &after.pv_kw,
            &after.net_kw,
            &view.before.profile.net_kw,
        ];
        std::iter::once(hour).chain(series.iter().map(|kw| grouped(average(kw, &slots), 1))).collect()
    });
    let head =
        ["hour", "building", "loads", "vehicles", "batteries", "PV used", "net with the plan", "net with equal share"];
    Table::new("Average power by hour in kW, local time; fed in is negative", &head, rows.collect(), 0)
}

/// Boards, the fullest first.
pub fn boards(view: &View<'_>) -> Table {
    let cell = |highest: &Highest| format!("{} ({})", grouped(highest.a, 1), percent(highest.of_limit, 0));
    let rows = view.boards.iter().map(|board| {
        let same = board.limit_a.iter().all(|a| (a - board.limit_a[0]).abs() < 1e-9);
        let limits: Vec<String> = board.limit_a[..if same { 1 } else { 3 }].iter().map(|a| grouped(*a, 0)).collect();
        let worst = board.before.iter().max_by(|a, b| a.of_limit.total_cmp(&b.of_limit));
        let mut row = vec![label(&board.id, usize::MAX), limits.join("/")];
        row.extend(board.after.iter().map(cell));
        let fullest = &board.after[board.fullest];
        row.push(format!("{} {}", PHASE_NAMES[board.fullest], view.clock.moment(fullest.slot)));
        row.push(worst.map(cell).unwrap_or_default());
        row
    });
    let head = ["board", "limit, A", "L1, A", "L2, A", "L3, A", "fullest", "worst with equal share, A"];
    Table::new("Highest current of each phase with the plan, and the fullest moment", &head, rows.collect(), 0)
}

/// Vehicles in the order of the instance, with the reasons where they are known.
pub fn vehicles(view: &View<'_>, explanation: Option<&Explanation>) -> Table {
    let reasons: HashMap<&str, &VehicleReason> =
        explanation.iter().flat_map(|of| &of.vehicles).map(|of| (of.session.as_str(), of)).collect();
    let clock = &view.clock;
    let rows = view.vehicles.iter().map(|vehicle| {
        let reason = reasons.get(vehicle.id.as_str());
        let price = reason
            .and_then(|reason| reason.charging.as_ref())
            .map(|charging| charging.paid_eur_kwh)
            .or(vehicle.tariff_eur_kwh);
        vec![
            label(&vehicle.id, usize::MAX),
            label(&vehicle.charger, usize::MAX),
            clock.stretch(vehicle.arrive..vehicle.depart),
            grouped(vehicle.need_kwh, 1),
            short(vehicle.short_kwh),
            short(vehicle.before_short_kwh),
            price.map(|price| grouped(price, 3)).unwrap_or_default(),
            reason.map_or_else(|| charges(clock, vehicle), |reason| capital(&words::reasons(clock, reason))),
        ]
    });
    let price = if explanation.is_some() { "price with limits, EUR/kWh" } else { "tariff paid, EUR/kWh" };
    let head = [
        "vehicle",
        "charger",
        "stay",
        "needs, kWh",
        "short, kWh",
        "short with equal share, kWh",
        price,
        "when and why",
    ];
    Table::new("Vehicles: stay, energy and when they charge, local time", &head, rows.collect(), 1)
}

fn short(kwh: f64) -> String {
    if kwh > 0.0 { grouped(-kwh, 2) } else { String::new() }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// When a vehicle charges, read off its plan.
fn charges(clock: &Clock, vehicle: &Vehicle) -> String {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (slot, _) in vehicle.charge_a.iter().enumerate().filter(|(_, a)| **a > NO_CURRENT_A) {
        match stretches.last_mut() {
            Some(last) if last.end == slot => last.end = slot + 1,
            _ => stretches.push(slot..slot + 1),
        }
    }
    if stretches.is_empty() {
        return "Does not charge.".to_owned();
    }
    let named: Vec<String> = stretches.iter().take(STRETCHES).map(|slots| clock.stretch(slots.clone())).collect();
    let more = match stretches.len().saturating_sub(STRETCHES) {
        0 => String::new(),
        1 => " and once more".to_owned(),
        more => format!(" and {more} more times"),
    };
    format!("Charges {}{more}.", named.join(", "))
}
