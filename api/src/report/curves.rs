//! Curves over a plain axis of numbers: how reliable bands are, and how losses grow with the hours ahead.

use std::ops::Range;

use plotters::chart::ChartBuilder;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::ReportFault;
use super::fan::decimals;
use super::ink::{Area, BLUE, Dash, FAINT, GREEN, GREY, HEAD, INK, KEY_PX, Key, ORANGE, PINK, SMALL, WIDTH};
use super::ink::{corner, draw_key, heading, key_lines, polyline, rimmed, write, write_at};
use super::number::grouped;

/// How curves are told apart, without colour too.
const LOOKS: [(RGBColor, Dash, u32); 6] = [
    (INK, Dash::Solid, 3),
    (BLUE, Dash::Long, 2),
    (GREEN, Dash::Dashed, 2),
    (ORANGE, Dash::Dotted, 3),
    (PINK, Dash::Solid, 1),
    (GREY, Dash::Dashed, 1),
];

/// Height of a frame with its axis, in pixels.
const FRAME_PX: u32 = 330;
/// Room for the heading above the key, in pixels.
const HEAD_PX: i32 = 34;

/// A curve.
pub struct Curve {
    /// What it is.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

/// Curves with their axes.
#[expect(clippy::struct_field_names, reason = "curves have curves")]
pub struct Curves<'c> {
    /// What they show.
    pub title: &'c str,
    /// What the axes are called.
    pub axes: [&'c str; 2],
    /// The range of the axis to the right.
    pub x: Range<f64>,
    /// The range of the axis upward.
    pub y: Range<f64>,
    /// Where numbers stand on the axis to the right.
    pub marks: Vec<f64>,
    /// Whether the line on which both are equal is drawn.
    pub diagonal: Option<&'c str>,
    /// The curves, the most important first; those beyond the sixth look like the sixth.
    pub curves: Vec<Curve>,
}

impl Curves<'_> {
    fn key(&self) -> Vec<Key> {
        let look = |k: usize| LOOKS[k.min(LOOKS.len() - 1)];
        let of = |(k, curve): (usize, &Curve)| Key::line(curve.name.clone(), look(k).0, look(k).1, look(k).2);
        let diagonal = self.diagonal.map(|name| Key::line(name, GREY, Dash::Solid, 1));
        self.curves.iter().enumerate().map(of).chain(diagonal).collect()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        FRAME_PX + 40 + u32::try_from(key_lines(&self.key(), WIDTH - 40) * KEY_PX).unwrap_or(0)
    }

    /// Draws them.
    pub fn draw(&self, area: &Area<'_>) -> Result<(), ReportFault> {
        let keys = self.key();
        heading(area, self.title, (20, 16), HEAD)?;
        draw_key(area, &keys, HEAD_PX, 20, WIDTH - 40)?;
        let top = HEAD_PX + key_lines(&keys, WIDTH - 40) * KEY_PX + 24;
        let plot = ChartBuilder::on(area)
            .margin_top(top)
            .margin_right(34)
            .margin_bottom(46)
            .margin_left(86)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let at = |x: f64, y: f64| {
            let [x, y] = corner(area, &plot, (x, y));
            (x, y)
        };
        let (origin, end) = (at(self.x.start, self.y.start), at(self.x.end, self.y.end));
        let axis: plotters::coord::types::RangedCoordf64 = self.y.clone().into();
        for value in axis.key_points(7) {
            let (_, y) = at(self.x.start, value);
            polyline(area, &[(origin.0, y), (end.0, y)], FAINT, Dash::Solid, 1)?;
            let text = grouped(value, decimals(&self.y));
            write_at(area, &text, (origin.0 - 8, y), SMALL, INK, HPos::Right)?;
        }
        for mark in &self.marks {
            let (x, _) = at(*mark, self.y.start);
            polyline(area, &[(x, origin.1), (x, origin.1 + 4)], INK, Dash::Solid, 1)?;
            write_at(area, &grouped(*mark, 0), (x, origin.1 + 13), SMALL, INK, HPos::Center)?;
        }
        polyline(area, &[(origin.0, end.1), origin, (end.0, origin.1)], INK, Dash::Solid, 1)?;
        write(area, self.axes[1], (origin.0 - 66, end.1 - 18), SMALL, INK)?;
        write_at(area, self.axes[0], (end.0, origin.1 + 33), SMALL, INK, HPos::Right)?;
        if self.diagonal.is_some() {
            let (low, high) = (self.x.start.max(self.y.start), self.x.end.min(self.y.end));
            polyline(area, &[at(low, low), at(high, high)], GREY, Dash::Solid, 1)?;
        }
        // The most important comes last, on top of the others.
        for (k, curve) in self.curves.iter().enumerate().rev() {
            let (color, dash, width) = LOOKS[k.min(LOOKS.len() - 1)];
            let points: Vec<(i32, i32)> = curve.points.iter().map(|&(x, y)| at(x, y)).collect();
            rimmed(area, &points, color, dash, width)?;
        }
        Ok(())
    }
}
