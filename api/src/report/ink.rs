//! What all charts share: palette, line styles, hatching, text, and the frame with its local-time axis.
//!
//! Nothing is told by colour alone. The colours are Okabe and Ito's, chosen so that their luminance differs as well, and
//! each goes with a line style or a hatching of its own.

use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ReportFault;
use super::clock::{Clock, Tick};

/// A piece of a picture, in pixels.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A frame with axes: slots to the right, a quantity upward.
pub type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Width of every picture in pixels.
pub const WIDTH: u32 = 1240;
/// Text and axes.
pub const INK: RGBColor = RGBColor(33, 33, 33);
/// What stays in the background.
pub const GREY: RGBColor = RGBColor(140, 140, 140);
/// Lines of the mesh, outlines.
pub const FAINT: RGBColor = RGBColor(222, 222, 222);
/// Building.
pub const STONE: RGBColor = RGBColor(190, 190, 190);
/// Vehicles.
pub const BLUE: RGBColor = RGBColor(0, 114, 178);
/// Batteries.
pub const GREEN: RGBColor = RGBColor(0, 158, 115);
/// PV, prices.
pub const ORANGE: RGBColor = RGBColor(230, 159, 0);
/// Limits, and what falls short.
pub const RED: RGBColor = RGBColor(190, 60, 0);
/// Flexible loads.
pub const PINK: RGBColor = RGBColor(204, 121, 167);

/// Sizes of text as plotters counts them; in pixels they are a quarter less.
pub const SMALL: u32 = 14;
pub const NORMAL: u32 = 16;
pub const HEAD: u32 = 22;
pub const TITLE: u32 = 36;

/// Room for one label of the hours in pixels.
const HOUR_LABEL_PX: f64 = 46.0;
/// Room for the name of a day in pixels.
const DAY_LABEL_PX: f64 = 74.0;
/// Distance between the lines of a hatching in pixels.
const HATCH_PX: i32 = 6;

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Long,
    Dashed,
    Dotted,
}

/// How an area is filled beside its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Plain,
    Diagonal,
    Upright,
    Flat,
}

/// One entry of a key.
#[derive(Debug, Clone)]
pub struct Key {
    pub text: String,
    pub color: RGBColor,
    pub mark: Mark,
}

/// The sample of an entry of a key.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    Line(Dash, u32),
    Area(Fill),
    /// An outlined box: a stay.
    Box,
    /// Text alone.
    None,
}

impl Key {
    pub fn line(text: impl Into<String>, color: RGBColor, dash: Dash, width: u32) -> Self {
        Key { text: text.into(), color, mark: Mark::Line(dash, width) }
    }

    pub fn area(text: impl Into<String>, color: RGBColor, fill: Fill) -> Self {
        Key { text: text.into(), color, mark: Mark::Area(fill) }
    }

    pub fn note(text: impl Into<String>) -> Self {
        Key { text: text.into(), color: INK, mark: Mark::None }
    }
}

/// How wide a text is, about, in pixels.
pub fn width_px(text: &str, size: u32) -> i32 {
    // Sans-serif letters are about half as wide as high, and a size is a quarter more than the height.
    let count = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    i32::try_from(count.saturating_mul(size).saturating_mul(12) / 25).unwrap_or(i32::MAX)
}

/// Writes a text; its left edge and its middle are at a point.
pub fn write(area: &Area<'_>, text: &str, at: (i32, i32), size: u32, color: RGBColor) -> Result<(), ReportFault> {
    write_at(area, text, at, size, color, HPos::Left)
}

/// Writes a text against a point.
pub fn write_at(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    size: u32,
    color: RGBColor,
    side: HPos,
) -> Result<(), ReportFault> {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&color).pos(Pos::new(side, VPos::Center));
    Ok(area.draw(&Text::new(text.to_owned(), at, style))?)
}

/// Writes a name beside a line: its right edge is at a point, on white.
pub fn tag(area: &Area<'_>, text: &str, (x, y): (i32, i32)) -> Result<(), ReportFault> {
    let wide = width_px(text, SMALL) + 6;
    area.draw(&Rectangle::new([(x - wide, y - 7), (x + 2, y + 7)], WHITE.mix(0.8).filled()))?;
    write_at(area, text, (x, y), SMALL, RED, HPos::Right)
}

/// Writes a heading in bold.
pub fn heading(area: &Area<'_>, text: &str, at: (i32, i32), size: u32) -> Result<(), ReportFault> {
    let font = ("sans-serif", size).into_font().style(FontStyle::Bold);
    let style = TextStyle::from(font).color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    Ok(area.draw(&Text::new(text.to_owned(), at, style))?)
}

/// How many lines a key takes.
pub fn key_lines(keys: &[Key], width: u32) -> i32 {
    placed(keys, width).last().map_or(0, |(_, line)| line + 1)
}

/// Height of a line of a key in pixels.
pub const KEY_PX: i32 = 20;

/// Where each entry of a key stands: x in pixels, and its line.
fn placed(keys: &[Key], width: u32) -> Vec<(i32, i32)> {
    let (mut x, mut line) = (0, 0);
    let right = i32::try_from(width).unwrap_or(i32::MAX);
    keys.iter()
        .map(|key| {
            let sample = if matches!(key.mark, Mark::None) { 0 } else { 38 };
            let wide = sample + width_px(&key.text, NORMAL) + 22;
            if x > 0 && x + wide > right {
                (x, line) = (0, line + 1);
            }
            let at = (x, line);
            x += wide;
            at
        })
        .collect()
}

/// Draws a key: samples of lines and areas with what they are.
pub fn draw_key(area: &Area<'_>, keys: &[Key], top: i32, left: i32, width: u32) -> Result<(), ReportFault> {
    for (key, (x, line)) in keys.iter().zip(placed(keys, width)) {
        let (x, y) = (left + x, top + line * KEY_PX + KEY_PX / 2);
        let at = match key.mark {
            Mark::None => x,
            _ => x + 38,
        };
        match key.mark {
            Mark::Line(dash, width) => polyline(area, &[(x, y), (x + 30, y)], key.color, dash, width)?,
            Mark::Area(fill) => fill_box(area, (x, y - 6), (x + 30, y + 6), key.color, fill)?,
            Mark::Box => area.draw(&Rectangle::new([(x, y - 6), (x + 30, y + 6)], key.color))?,
            Mark::None => {}
        }
        write(area, &key.text, (at, y), NORMAL, INK)?;
    }
    Ok(())
}

/// A line through points.
pub fn polyline(
    area: &Area<'_>,
    points: &[(i32, i32)],
    color: RGBColor,
    dash: Dash,
    width: u32,
) -> Result<(), ReportFault> {
    let style = color.stroke_width(width);
    let points = points.iter().copied();
    match dash {
        Dash::Solid => area.draw(&PathElement::new(points.collect::<Vec<_>>(), style))?,
        Dash::Long => area.draw(&DashedPathElement::new(points, 18, 4, style))?,
        Dash::Dashed => area.draw(&DashedPathElement::new(points, 8, 5, style))?,
        Dash::Dotted => area.draw(&DashedPathElement::new(points, 2, 4, style))?,
    }
    Ok(())
}

/// A box with its hatching.
pub fn fill_box(
    area: &Area<'_>,
    (x0, y0): (i32, i32),
    (x1, y1): (i32, i32),
    color: RGBColor,
    fill: Fill,
) -> Result<(), ReportFault> {
    if x1 <= x0 || y1 <= y0 {
        return Ok(());
    }
    let ground = if fill == Fill::Plain { color.mix(1.0) } else { color.mix(0.22) };
    area.draw(&Rectangle::new([(x0, y0), (x1, y1)], ground.filled()))?;
    let stroke = |from: (i32, i32), to: (i32, i32)| -> Result<(), ReportFault> {
        Ok(area.draw(&PathElement::new(vec![from, to], color.stroke_width(1)))?)
    };
    let multiples =
        |from: i32, to: i32| (from.div_euclid(HATCH_PX) + 1..=to.div_euclid(HATCH_PX)).map(|k| k * HATCH_PX);
    match fill {
        Fill::Plain => {}
        Fill::Upright => multiples(x0, x1).try_for_each(|x| stroke((x, y0), (x, y1)))?,
        Fill::Flat => multiples(y0, y1).try_for_each(|y| stroke((x0, y), (x1, y)))?,
        Fill::Diagonal => multiples(x0 + y0, x1 + y1).try_for_each(|sum| {
            let (left, right) = (x0.max(sum - y1), x1.min(sum - y0));
            stroke((left, sum - left), (right, sum - right))
        })?,
    }
    Ok(())
}

/// A frame: where it is and what its axes show.
pub struct Frame<'f> {
    /// The local clock of the axis.
    pub clock: &'f Clock,
    /// The quantity's range.
    pub range: Range<f64>,
    /// Room above, below (hours and days), on the left and on the right, in pixels.
    pub room: [u32; 4],
    /// The quantity's unit, at the top of its axis.
    pub unit: &'f str,
    /// How many numbers stand on the axis at most; 0 for none.
    pub numbers: usize,
    /// Digits after the point.
    pub decimals: usize,
}

/// Room below a frame for its hours and days.
pub const BELOW: u32 = 46;

impl Frame<'_> {
    /// Draws the frame with its mesh and labels.
    pub fn draw<'a>(&self, area: &Area<'a>) -> Result<Plot<'a>, ReportFault> {
        let [top, below, left, right] = self.room;
        let (width, _) = area.dim_in_pixel();
        let inner_px = f64::from(width.saturating_sub(left + right).max(1));
        let ticks = self.ticks(inner_px);
        let plot = ChartBuilder::on(area)
            .margin_top(top)
            .margin_right(right)
            .margin_bottom(below)
            .margin_left(left)
            .build_cartesian_2d(0.0..self.clock.slots as f64, self.range.clone())?;
        self.mesh(area, &plot, &ticks)?;
        Ok(plot)
    }

    /// The hours that are labelled: as many as there is room for.
    fn ticks(&self, inner_px: f64) -> Vec<Tick> {
        let all = self.clock.ticks();
        let room = (inner_px / HOUR_LABEL_PX).max(1.0);
        let chosen = [1, 2, 3, 6, 12, 24].into_iter().find(|step| {
            all.iter().filter(|tick| tick.hour % step == 0).map(|tick| tick.label.len()).sum::<usize>() as f64 / 5.0
                <= room
        });
        all.into_iter().filter(|tick| tick.hour % chosen.unwrap_or(24) == 0).collect()
    }

    fn mesh(&self, area: &Area<'_>, plot: &Plot<'_>, ticks: &[Tick]) -> Result<(), ReportFault> {
        let [x0, y0] = corner(area, plot, (0.0, self.range.start));
        let [x1, y1] = corner(area, plot, (self.clock.slots as f64, self.range.end));
        for value in self.values() {
            let [_, y] = corner(area, plot, (0.0, value));
            polyline(area, &[(x0, y), (x1, y)], FAINT, Dash::Solid, 1)?;
            write_at(area, &super::number::grouped(value, self.decimals), (x0 - 8, y), SMALL, INK, HPos::Right)?;
        }
        write_at(area, self.unit, (x0, y1 - 12), SMALL, INK, HPos::Right)?;
        polyline(area, &[(x0, y1), (x0, y0), (x1, y0)], INK, Dash::Solid, 1)?;
        for tick in ticks {
            let [x, y] = corner(area, plot, (tick.at, self.range.start));
            polyline(area, &[(x, y), (x, y + 4)], INK, Dash::Solid, 1)?;
        }
        self.hours(area, plot, ticks)?;
        self.days(area, plot)
    }

    /// The numbers on the axis, each with a line across.
    fn values(&self) -> Vec<f64> {
        if self.numbers == 0 {
            return Vec::new();
        }
        let axis: RangedCoordf64 = self.range.clone().into();
        axis.key_points(self.numbers)
    }

    fn hours(&self, area: &Area<'_>, plot: &Plot<'_>, ticks: &[Tick]) -> Result<(), ReportFault> {
        let mut free = i32::MIN;
        for tick in ticks {
            let [x, y] = corner(area, plot, (tick.at, self.range.start));
            let half = width_px(&tick.label, SMALL) / 2;
            if x - half >= free {
                write_at(area, &tick.label, (x, y + 13), SMALL, INK, HPos::Center)?;
                free = x + half + 4;
            }
        }
        Ok(())
    }

    fn days(&self, area: &Area<'_>, plot: &Plot<'_>) -> Result<(), ReportFault> {
        let mut free = i32::MIN;
        let days = self.clock.days();
        let [left, _] = corner(area, plot, (0.0, self.range.start));
        let [right, _] = corner(area, plot, (self.clock.slots as f64, self.range.start));
        let roomy = f64::from(right - left) / days.len() as f64 >= DAY_LABEL_PX || days.len() < 3;
        for (date, range) in days {
            let [x, y] = corner(area, plot, (range.start, self.range.start));
            let [end, top] = corner(area, plot, (range.end, self.range.end));
            if range.start > 0.0 {
                polyline(area, &[(x, top), (x, y + 40)], GREY, Dash::Solid, 1)?;
            }
            // A day too short for its name goes without, unless all are.
            if x >= free
                && (!roomy || f64::from(end - x) >= DAY_LABEL_PX)
                && f64::from(right - x) >= DAY_LABEL_PX - 14.0
            {
                write(area, &date.format("%a %-d %b").to_string(), (x + 4, y + 33), SMALL, INK)?;
                free = x + 80;
            }
        }
        Ok(())
    }
}

/// Where a point of a frame is, in pixels of the area around it.
pub fn corner(area: &Area<'_>, plot: &Plot<'_>, at: (f64, f64)) -> [i32; 2] {
    let (x, y) = plot.backend_coord(&at);
    let (left, top) = area.get_base_pixel();
    [x - left, y - top]
}

/// A line on a white rim, to be seen on dark and light.
pub fn rimmed(
    area: &Area<'_>,
    points: &[(i32, i32)],
    color: RGBColor,
    dash: Dash,
    width: u32,
) -> Result<(), ReportFault> {
    let rim = WHITE.mix(0.85).stroke_width(width + 3);
    area.draw(&PathElement::new(points.to_vec(), rim))?;
    polyline(area, points, color, dash, width)
}

/// The points of a line that holds each value for its slot.
pub fn steps(area: &Area<'_>, plot: &Plot<'_>, values: &[f64]) -> Vec<(i32, i32)> {
    let mut points: Vec<(i32, i32)> = Vec::new();
    for (slot, value) in values.iter().enumerate() {
        for at in [slot, slot + 1] {
            let [x, y] = corner(area, plot, (at as f64, *value));
            // Level stretches need their two ends alone.
            if points.len() > 1 && points[points.len() - 1].1 == y && points[points.len() - 2].1 == y {
                points.pop();
            }
            points.push((x, y));
        }
    }
    points
}

/// A range that holds all values, with a little room.
pub fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let room = 0.06 * (high - low);
    if room > 0.0 { (if low < 0.0 { low - room } else { 0.0 })..high + room } else { 0.0..1.0 }
}
