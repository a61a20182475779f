//! The boards as small multiples: each phase against its limit, the fullest board first.

use plotters::style::RGBColor;

use super::ReportFault;
use super::ink::{Area, BLUE, Dash, Frame, GREEN, GREY, HEAD, INK, Key, Plot, RED, WIDTH};
use super::ink::{KEY_PX, NORMAL, corner, draw_key, heading, key_lines, polyline, steps};
use super::number::{grouped, label, percent};
use super::view::{Board, View};
use kwartier_data::PHASE_NAMES;

/// Height of one board in pixels.
const CELL_PX: u32 = 196;
/// How the phases are drawn.
const PHASES: [(RGBColor, Dash, u32); 3] = [(BLUE, Dash::Solid, 2), (GREEN, Dash::Dashed, 2), (INK, Dash::Dotted, 2)];
/// Longest name of a board, in characters.
const NAME: usize = 22;

fn key() -> Vec<Key> {
    let mut keys: Vec<Key> = PHASES
        .iter()
        .zip(PHASE_NAMES)
        .map(|((color, dash, width), name)| Key::line(name, *color, *dash, *width))
        .collect();
    keys.push(Key::line("limit", RED, Dash::Solid, 3));
    keys.push(Key::line("worst phase with equal share", GREY, Dash::Solid, 1));
    keys
}

fn columns(boards: usize) -> usize {
    boards.clamp(1, 3)
}

/// Height of the chart in pixels, with at most so many boards.
pub fn height(view: &View<'_>, most: usize) -> u32 {
    let shown = view.boards.len().min(most);
    let rows = u32::try_from(shown.div_ceil(columns(shown))).unwrap_or(0);
    let keys = u32::try_from(key_lines(&key(), WIDTH - 40) * KEY_PX).unwrap_or(0);
    44 + keys + rows * CELL_PX
}

/// The heading: what is shown, and of how many.
pub fn title(view: &View<'_>, most: usize) -> String {
    let all = view.boards.len();
    if all > most {
        format!("Boards: current of each phase in A ({most} of {} boards shown, the fullest)", grouped(all as f64, 0))
    } else {
        "Boards: current of each phase in A, the fullest first".to_owned()
    }
}

/// Draws the chart, with at most so many boards.
pub fn draw(area: &Area<'_>, view: &View<'_>, most: usize) -> Result<(), ReportFault> {
    let keys = key();
    heading(area, &title(view, most), (20, 16), HEAD)?;
    draw_key(area, &keys, 34, 20, WIDTH - 40)?;
    let top = 40 + u32::try_from(key_lines(&keys, WIDTH - 40) * KEY_PX).unwrap_or(0);
    let shown = view.boards.len().min(most);
    let columns = columns(shown);
    let wide = (WIDTH - 40) / u32::try_from(columns).unwrap_or(1);
    for (index, board) in view.boards.iter().take(most).enumerate() {
        let (row, column) = (index / columns, index % columns);
        let x = 20 + u32::try_from(column).unwrap_or(0) * wide;
        let y = top + u32::try_from(row).unwrap_or(0) * CELL_PX;
        cell(&area.clone().shrink((x, y), (wide, CELL_PX)), view, board)?;
    }
    Ok(())
}

fn cell(area: &Area<'_>, view: &View<'_>, board: &Board) -> Result<(), ReportFault> {
    let name = label(&board.id, NAME);
    let limit = board.limit_a[board.fullest];
    let text = format!(
        "{name} \u{b7} {} of {} A on {}",
        percent(board.fullness(), 0),
        grouped(limit, 0),
        PHASE_NAMES[board.fullest]
    );
    heading(area, &text, (6, 10), NORMAL)?;
    let after = &view.after.profile.boards_a[board.node];
    let worst = worst(&view.before.profile.boards_a[board.node], board);
    let highest_limit = board.limit_a.into_iter().fold(0.0, f64::max);
    let values = || after.iter().flatten().chain(&worst).copied();
    let (low, high) = values().fold((0.0_f64, highest_limit), |(low, high), a| (low.min(a), high.max(a)));
    // Current that flows back is drawn below 0 and has its limit there.
    let low = if low < -0.02 * highest_limit { low.min(-highest_limit) * 1.08 } else { 0.0 };
    let frame = Frame {
        clock: &view.clock,
        range: low..1.08 * high,
        room: [34, 44, 50, 18],
        unit: "",
        numbers: 4,
        decimals: 0,
    };
    let plot = frame.draw(area)?;
    limits(area, &plot, view, board, low < 0.0)?;
    polyline(area, &steps(area, &plot, &worst), GREY, Dash::Solid, 1)?;
    for (series, (color, dash, width)) in after.iter().zip(PHASES).rev() {
        polyline(area, &steps(area, &plot, series), color, dash, width)?;
    }
    Ok(())
}

/// The current of the phase that is nearest to its limit, slot by slot.
fn worst(phases: &[Vec<f64>; 3], board: &Board) -> Vec<f64> {
    let share = |phase: usize, slot: usize| phases[phase][slot].abs() / board.limit_a[phase];
    (0..phases[0].len())
        .map(|slot| {
            let worst = (0..3).max_by(|&a, &b| share(a, slot).total_cmp(&share(b, slot))).unwrap_or(0);
            phases[worst][slot]
        })
        .collect()
}

/// The limit line; one a phase where they differ.
fn limits(area: &Area<'_>, plot: &Plot<'_>, view: &View<'_>, board: &Board, both: bool) -> Result<(), ReportFault> {
    let same = board.limit_a.iter().all(|a| (a - board.limit_a[0]).abs() < 1e-9);
    let drawn = if same { &board.limit_a[..1] } else { &board.limit_a[..] };
    for (limit_a, (_, dash, _)) in drawn.iter().zip(PHASES) {
        for sign in if both { &[1.0, -1.0][..] } else { &[1.0][..] } {
            let [x0, y] = corner(area, plot, (0.0, sign * limit_a));
            let [x1, _] = corner(area, plot, (view.clock.slots as f64, sign * limit_a));
            polyline(area, &[(x0, y), (x1, y)], RED, dash, 3)?;
        }
    }
    Ok(())
}
