//! The poster: title, result and all charts in one tall picture.

use plotters::prelude::*;

use super::ink::{Area, INK, NORMAL, TITLE, WIDTH, heading, write};
use super::number::{eur, grouped, label, percent};
use super::view::View;
use super::{ReportFault, boards, price, site, vehicles};

/// How many boards and vehicles the poster has room for.
const BOARDS: usize = 12;
const VEHICLES: usize = 60;
/// Height of the title in pixels.
const HEAD_PX: u32 = 152;
/// Space between charts in pixels.
const GAP_PX: u32 = 18;

/// One picture with everything.
///
/// # Errors
///
/// [`ReportFault::Drawing`] if plotters cannot draw it.
pub fn svg(view: &View<'_>) -> Result<String, ReportFault> {
    let heights =
        [price::height(view), site::height(view), boards::height(view, BOARDS), vehicles::height(view, VEHICLES)];
    let height = HEAD_PX + heights.iter().map(|height| height + GAP_PX).sum::<u32>() + 30;
    picture(height, &alternative(view), |area| {
        head(area, view)?;
        let mut top = HEAD_PX;
        for (index, height) in heights.into_iter().enumerate() {
            let part = area.clone().shrink((0, top), (WIDTH, height));
            match index {
                0 => price::draw(&part, view)?,
                1 => site::draw(&part, view)?,
                2 => boards::draw(&part, view, BOARDS)?,
                _ => vehicles::draw(&part, view, VEHICLES)?,
            }
            top += height + GAP_PX;
        }
        let y = i32::try_from(height).unwrap_or(i32::MAX) - 18;
        write(area, &foot(view), (20, y), NORMAL, INK)
    })
}

/// A picture on white, with a text for those who cannot see it.
pub fn picture(
    height: u32,
    alternative: &str,
    draw: impl FnOnce(&Area<'_>) -> Result<(), ReportFault>,
) -> Result<String, ReportFault> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    let escaped = label(alternative, usize::MAX).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Ok(svg.replacen(">\n", &format!(" role=\"img\">\n<title>{escaped}</title>\n"), 1))
}

fn head(area: &Area<'_>, view: &View<'_>) -> Result<(), ReportFault> {
    heading(area, &label(&view.title, 60), (20, 32), TITLE)?;
    write(area, &horizon(view), (20, 64), 20, INK)?;
    write(area, &result(view), (20, 90), 20, INK)?;
    write(area, &service(view), (20, 114), 20, INK)?;
    write(area, &proof(view), (20, 138), 20, INK)
}

/// From when to when, and whether the clock changes in between.
pub fn horizon(view: &View<'_>) -> String {
    let change = view.clock.change().map(|change| format!("; {change}")).unwrap_or_default();
    view.clock.horizon() + &change
}

/// What the plan costs and saves.
pub fn result(view: &View<'_>) -> String {
    let (after, before) = (view.after.figures.total_eur, view.before.figures.total_eur);
    let saves = view.saves_eur();
    let share = if before > 0.0 { format!(" ({})", percent(saves.abs() / before, 1)) } else { String::new() };
    let compared = if saves >= 0.0 { "less" } else { "more" };
    format!("The plan costs {}, equal share {}: {}{share} {compared}.", eur(after), eur(before), eur(saves.abs()))
}

/// What the vehicles get, and the highest import.
pub fn service(view: &View<'_>) -> String {
    let [after, before] = [&view.after, &view.before].map(|side| {
        let highest = grouped(side.figures.highest_import_kw, 0);
        (percent(side.figures.on_time(), 1), highest)
    });
    format!(
        "Energy on time: {}, with equal share {}. Highest import: {} kW, with equal share {} kW.",
        after.0, before.0, after.1, before.1
    )
}

/// How good it is.
pub fn proof(view: &View<'_>) -> String {
    let left = (view.after.figures.total_eur - view.bound_eur).max(0.0);
    let share = view.gap.map(|gap| format!(" ({} of the flexible cost)", percent(gap, 3))).unwrap_or_default();
    format!("No plan can cost less than {}: at most {}{share} is left to save.", eur(view.bound_eur), eur(left))
}

fn foot(view: &View<'_>) -> String {
    format!("Times are local, {}. Made with Kwartier.", view.clock.zone())
}

fn alternative(view: &View<'_>) -> String {
    format!("{}, {}. {}", view.title, view.clock.horizon(), result(view))
}
