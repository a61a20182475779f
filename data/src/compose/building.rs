//! What the building draws, in A by board and phase, and in kW for money.

use super::{Context, NoteCode, listed};
use crate::instance::wire;
use crate::series::{BoardDraw, Building};
use crate::site::{Board, HourlyByPhase};
use chrono::Timelike;

/// What the building draws.
pub(super) struct Draw {
    /// Currents by board.
    pub(super) loads: Vec<wire::BaseLoad>,
    /// Active power of all of it, per slot.
    pub(super) kw: Vec<f64>,
}

/// Currents of L1, L2, L3 by slot.
type Phases = [Vec<f64>; 3];

/// Reads the building's draw from its series; boards without one draw what the site file says is the most.
pub(super) fn building(context: &mut Context<'_>) -> Draw {
    let inputs = context.inputs;
    let boards = inputs.building.iter().flat_map(|building| match building {
        Building::Boards(draws) => draws.as_slice(),
        Building::Total(_) | Building::Whole { .. } => &[],
    });
    let boards: Vec<&BoardDraw> = boards.collect();
    let totals = inputs.building.iter().filter(|building| !matches!(building, Building::Boards(_)));
    let totals: Vec<&Building> = totals.collect();
    match (totals.as_slice(), boards.as_slice()) {
        ([], boards) => by_board(context, boards),
        ([Building::Whole { phases_a, kw }], []) => {
            let what = "the building's values";
            let own = std::array::from_fn(|phase| context.slots(what, &phases_a[phase]));
            let kw = context.slots(what, kw);
            whole(context, own, kw)
        }
        ([Building::Total(total)], []) => {
            let kw = context.slots("the building's values", total);
            let a_per_kw = 1000.0 / (3.0 * context.site.voltage_v * context.site.building_power_factor);
            let own = std::array::from_fn(|_| kw.iter().map(|kw| kw * a_per_kw).collect());
            whole(context, own, kw)
        }
        _ => {
            let wrong = "hold a total and something else besides, which would count twice";
            context.fault("the building files", "", wrong, "give one total, or files by board");
            Draw { loads: Vec::new(), kw: vec![0.0; context.horizon.slots] }
        }
    }
}

/// A total at the grid connection. Boards below are taken at their most, and the connection's own entry is what remains, so
/// that it sees the total.
fn whole(context: &mut Context<'_>, mut own: Phases, kw: Vec<f64>) -> Draw {
    let Some(root) = context.site.boards.iter().find(|board| board.parent.is_none()) else {
        return Draw { loads: Vec::new(), kw };
    };
    let mut loads = Vec::new();
    for board in context.site.boards.iter().filter(|board| board.parent.is_some()) {
        let Some(most) = most(context, board) else { continue };
        for (own, most) in own.iter_mut().zip(&most) {
            own.iter_mut().zip(most).for_each(|(own, most)| *own -= most);
        }
        loads.push(base_load(board, most));
    }
    if !loads.is_empty() {
        let names: Vec<&str> = loads.iter().map(|load| load.node.as_str()).collect();
        let text = format!(
            "the building's total says nothing of single boards: {} are planned with the most that the site file lets the building draw there",
            listed(&names)
        );
        context.note(NoteCode::BuildingAtMost, text);
    }
    loads.push(base_load(root, own));
    unknown(context, &loads);
    Draw { loads, kw }
}

fn by_board(context: &mut Context<'_>, draws: &[&BoardDraw]) -> Draw {
    let slots = context.horizon.slots;
    let kw_per_a = context.site.voltage_v * context.site.building_power_factor / 1000.0;
    let (mut loads, mut kw) = (Vec::new(), vec![0.0; slots]);
    let mut add = |series: &[f64], factor: f64| kw.iter_mut().zip(series).for_each(|(kw, x)| *kw += x * factor);
    for (k, draw) in draws.iter().enumerate() {
        if draws[..k].iter().any(|other| other.board == draw.board) {
            let wrong = "stands in two building files";
            context.fault("the building file, board", &draw.board, wrong, "leave it out of one of them");
            continue;
        }
        let Some(board) = context.site.boards.iter().find(|board| board.id == draw.board) else {
            let remedy = super::nearest(&draw.board, context.site.boards.iter().map(|b| b.id.as_str()), "board");
            context.fault("the building file, board", &draw.board, "is no board of the site", remedy);
            continue;
        };
        let what = format!("the building's values at {}", board.id);
        let phases: Phases = std::array::from_fn(|phase| context.slots(&what, &draw.phases_a[phase]));
        match &draw.kw {
            Some(series) => add(&context.slots(&what, series), 1.0),
            None => phases.iter().for_each(|phase| add(phase, kw_per_a)),
        }
        loads.push(base_load(board, phases));
    }
    let mut at_most = Vec::new();
    for board in &context.site.boards {
        if draws.iter().any(|draw| draw.board == board.id) {
            continue;
        }
        if let Some(phases) = most(context, board) {
            for phase in &phases {
                add(phase, kw_per_a);
            }
            at_most.push(board.id.as_str());
            loads.push(base_load(board, phases));
        }
    }
    if !at_most.is_empty() {
        let text = format!(
            "no forecast of the building at {}: planned with the most that the site file lets it draw there, by hour; \
             safe, and dearer than needed",
            listed(&at_most)
        );
        context.note(NoteCode::BuildingAtMost, text);
    }
    unknown(context, &loads);
    Draw { loads, kw }
}

/// Says at which boards nothing is known of the building.
fn unknown(context: &mut Context<'_>, loads: &[wire::BaseLoad]) {
    let known = |id: &str| loads.iter().any(|load| load.node == id);
    let boards = context.site.boards.iter().map(|board| board.id.as_str());
    let unknown: Vec<&str> = boards.filter(|id| !known(id)).collect();
    if unknown.is_empty() {
        return;
    }
    let text = format!(
        "nothing is known of what the building draws at {}, so it is taken for nothing there; fuses may be overloaded. \
         Give --building by board, or building_max_a in the site file, 0 where it draws nothing",
        listed(&unknown)
    );
    context.note(NoteCode::BuildingUnknown, text);
}

fn base_load(board: &Board, [l1, l2, l3]: Phases) -> wire::BaseLoad {
    wire::BaseLoad { node: board.id.clone(), l1, l2, l3 }
}

/// The most that the building draws at a board, by slot; `None` where the site file does not say, or says it wrongly.
fn most(context: &mut Context<'_>, board: &Board) -> Option<Phases> {
    let horizon = context.horizon;
    match board.building_max_a.as_ref()? {
        HourlyByPhase::Constant(same) => Some(same.phases().map(|a| vec![a; horizon.slots])),
        HourlyByPhase::Hourly { l1, l2, l3 } => {
            if [l1, l2, l3].iter().any(|hours| hours.len() != 24) {
                let wrong = "does not hold 24 hours for each phase";
                context.fault("building_max_a of board", &board.id, wrong, "give l1, l2, l3 with 24 values each");
                return None;
            }
            let zone = context.zone;
            let hour = move |slot: usize| horizon.at(slot).with_timezone(&zone).hour() as usize;
            Some([l1, l2, l3].map(|hours| (0..horizon.slots).map(|slot| hours[hour(slot)]).collect()))
        }
    }
}
