//! The tariff: a bar a slot for import, a thin line for export where it differs.

use super::ReportFault;
use super::ink::{Area, BELOW, BLUE, Dash, Fill, Frame, Key, ORANGE, corner, draw_key, fill_box, heading, key_lines};
use super::ink::{GREY, HEAD, KEY_PX, WIDTH, polyline, range, steps};
use super::number::eur_kwh;
use super::view::View;

/// Room left and right of the frame.
pub const SIDES: [u32; 2] = [86, 34];

/// What the chart's parts are.
fn key(view: &View<'_>) -> Vec<Key> {
    let import = &view.instance.grid.import_eur_kwh;
    let mut keys = vec![Key::area("import price", ORANGE, Fill::Plain)];
    if differs(view) {
        keys.push(Key::line("paid for export", BLUE, Dash::Dashed, 2));
    }
    let pick = |better: fn(f64, f64) -> bool| {
        (0..import.len()).reduce(|best, slot| if better(import[slot], import[best]) { slot } else { best })
    };
    if let (Some(low), Some(high)) = (pick(|a, b| a < b), pick(|a, b| a > b)) {
        let text = |what: &str, slot: usize| format!("{what} {} at {}", eur_kwh(import[slot]), view.clock.moment(slot));
        keys.push(Key::note(text("lowest", low)));
        keys.push(Key::note(text("highest", high)));
    }
    keys
}

fn differs(view: &View<'_>) -> bool {
    view.instance.grid.import_eur_kwh != view.instance.grid.export_eur_kwh
}

/// Height of the chart in pixels.
pub fn height(view: &View<'_>) -> u32 {
    250 + u32::try_from(key_lines(&key(view), WIDTH - 40) * KEY_PX).unwrap_or(0)
}

/// Draws the chart.
pub fn draw(area: &Area<'_>, view: &View<'_>) -> Result<(), ReportFault> {
    let keys = key(view);
    let grid = &view.instance.grid;
    heading(area, "Price of energy", (20, 16), HEAD)?;
    draw_key(area, &keys, 34, 20, WIDTH - 40)?;
    let export = if differs(view) { &grid.export_eur_kwh[..] } else { &[] };
    let frame = Frame {
        clock: &view.clock,
        range: range(grid.import_eur_kwh.iter().chain(export).copied()),
        room: [34 + u32::try_from(key_lines(&keys, WIDTH - 40) * KEY_PX).unwrap_or(0) + 24, BELOW, SIDES[0], SIDES[1]],
        unit: "EUR/kWh",
        numbers: 5,
        decimals: 2,
    };
    let plot = frame.draw(area)?;
    for (slot, price) in grid.import_eur_kwh.iter().enumerate() {
        let [x0, y0] = corner(area, &plot, (slot as f64, price.max(0.0)));
        let [x1, y1] = corner(area, &plot, ((slot + 1) as f64, price.min(0.0)));
        // A gap between bars, where they are wide enough to spare it.
        let gap = i32::from(x1 - x0 > 4);
        fill_box(area, (x0 + gap, y0), (x1, y1.max(y0 + 1)), ORANGE, Fill::Plain)?;
    }
    if frame.range.start < 0.0 {
        let [x0, y] = corner(area, &plot, (0.0, 0.0));
        let [x1, _] = corner(area, &plot, (view.clock.slots as f64, 0.0));
        polyline(area, &[(x0, y), (x1, y)], GREY, Dash::Solid, 1)?;
    }
    if !export.is_empty() {
        polyline(area, &steps(area, &plot, export), BLUE, Dash::Dashed, 2)?;
    }
    Ok(())
}
