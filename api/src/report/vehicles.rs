//! A row a vehicle: its stay, when it charges without the plan (upper half) and with it (lower half).

use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::ReportFault;
use super::ink::{Area, BELOW, BLUE, Dash, Fill, Frame, GREY, HEAD, INK, KEY_PX, Key, Mark, Plot, RED, SMALL, WIDTH};
use super::ink::{corner, draw_key, fill_box, heading, key_lines, polyline, write, write_at};
use super::number::{grouped, label};
use super::view::{Vehicle, View};

/// Height of a row in pixels.
const ROW_PX: u32 = 20;
/// Room for names on the left and energies on the right.
const SIDES: [u32; 2] = [150, 190];
/// Longest name of a vehicle, in characters.
const NAME: usize = 18;
/// Currents below this are none, in A.
const NO_CURRENT_A: f64 = 5e-3;
/// Darkness is told apart in so many steps.
const SHADES: f64 = 4.0;

fn key() -> Vec<Key> {
    vec![
        Key { text: "stay: arrival to departure".to_owned(), color: GREY, mark: Mark::Box },
        Key::area("charges with equal share (upper, thin)", GREY, Fill::Plain),
        Key::area("charges with the plan (lower; the darker the faster)", BLUE, Fill::Plain),
        Key::area("feeds back", RED, Fill::Diagonal),
    ]
}

/// The heading: what is shown, and of how many.
pub fn title(view: &View<'_>, most: usize) -> String {
    let all = view.vehicles.len();
    if all > most {
        format!(
            "Vehicles ({most} of {} shown: those that fall short, then those that draw most)",
            grouped(all as f64, 0)
        )
    } else {
        "Vehicles, in the order of arrival".to_owned()
    }
}

/// Height of the chart in pixels, with at most so many vehicles.
pub fn height(view: &View<'_>, most: usize) -> u32 {
    let rows = u32::try_from(view.vehicles.len().clamp(1, most.max(1))).unwrap_or(1);
    u32::try_from(key_lines(&key(), WIDTH - 40) * KEY_PX).unwrap_or(0) + 64 + rows * ROW_PX + BELOW
}

/// Draws the chart, with at most so many vehicles.
pub fn draw(area: &Area<'_>, view: &View<'_>, most: usize) -> Result<(), ReportFault> {
    let keys = key();
    heading(area, &title(view, most), (20, 16), HEAD)?;
    draw_key(area, &keys, 34, 20, WIDTH - 40)?;
    let rows = view.chosen_vehicles(most);
    let frame = Frame {
        clock: &view.clock,
        range: 0.0..rows.len().max(1) as f64,
        room: [34 + u32::try_from(key_lines(&keys, WIDTH - 40) * KEY_PX).unwrap_or(0) + 24, BELOW, SIDES[0], SIDES[1]],
        unit: "vehicle",
        numbers: 0,
        decimals: 0,
    };
    let plot = frame.draw(area)?;
    for (index, vehicle) in rows.iter().enumerate() {
        // The first to arrive stands on top.
        row(area, &plot, view, vehicle, (rows.len() - 1 - index) as f64)?;
    }
    Ok(())
}

fn row(area: &Area<'_>, plot: &Plot<'_>, view: &View<'_>, vehicle: &Vehicle, bottom: f64) -> Result<(), ReportFault> {
    let at = |slot: usize, height: f64| {
        let [x, y] = corner(area, plot, (slot as f64, bottom + height));
        (x, y)
    };
    let [left, middle] = corner(area, plot, (0.0, bottom + 0.5));
    let [right, _] = corner(area, plot, (view.clock.slots as f64, bottom));
    write_at(area, &label(&vehicle.id, NAME), (left - 8, middle), SMALL, INK, HPos::Right)?;

    let (top_left, bottom_right) = (at(vehicle.arrive, 0.88), at(vehicle.depart, 0.12));
    area.draw(&Rectangle::new([top_left, bottom_right], RGBColor(250, 250, 250).filled()))?;
    for (from, to, _) in runs(&vehicle.before_a, vehicle.max_a) {
        fill_box(area, at(from, 0.8), at(to, 0.62), GREY, Fill::Plain)?;
    }
    for (from, to, level) in runs(&vehicle.charge_a, vehicle.max_a) {
        let shade = BLUE.mix(0.25 + 0.75 * level);
        area.draw(&Rectangle::new([at(from, 0.56), at(to, 0.16)], shade.filled()))?;
    }
    for (from, to, _) in runs(&vehicle.discharge_a, vehicle.max_a) {
        fill_box(area, at(from, 0.56), at(to, 0.16), RED, Fill::Diagonal)?;
    }
    area.draw(&Rectangle::new([top_left, bottom_right], GREY.stroke_width(1)))?;
    for slot in [vehicle.arrive, vehicle.depart] {
        let ends = vec![at(slot, 0.98), at(slot, 0.02)];
        area.draw(&PathElement::new(ends, INK.stroke_width(2)))?;
    }
    let digits = usize::from(vehicle.need_kwh < 1000.0);
    let got_kwh = (vehicle.need_kwh - vehicle.short_kwh).max(0.0);
    let energy = format!("{} of {} kWh", grouped(got_kwh, digits), grouped(vehicle.need_kwh, digits));
    write(area, &energy, (right + 8, middle), SMALL, INK)?;
    if vehicle.short_kwh > 0.0 {
        let short = format!("\u{2212}{} kWh", grouped(vehicle.short_kwh, if vehicle.short_kwh < 0.1 { 2 } else { 1 }));
        write_at(area, &short, (right + i32::try_from(SIDES[1]).unwrap_or(0) - 4, middle), SMALL, RED, HPos::Right)?;
    }
    let [x0, y] = corner(area, plot, (0.0, bottom));
    polyline(area, &[(x0, y), (right, y)], super::ink::FAINT, Dash::Solid, 1)
}

/// The stretches of one darkness: first slot, first slot after, darkness from 0 to 1.
fn runs(series: &[f64], max_a: f64) -> Vec<(usize, usize, f64)> {
    let mut runs: Vec<(usize, usize, f64)> = Vec::new();
    for (slot, a) in series.iter().enumerate().filter(|(_, a)| **a > NO_CURRENT_A) {
        let level = (SHADES * (a / max_a).min(1.0)).ceil() / SHADES;
        match runs.last_mut() {
            Some((_, to, last)) if *to == slot && (*last - level).abs() < 1e-9 => *to = slot + 1,
            _ => runs.push((slot, slot + 1, level)),
        }
    }
    runs
}
