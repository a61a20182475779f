//! A forecast as a fan: bands around the median, with what was measured before and, where it is known, after.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use kwartier_data::forecast::{Belief, MEDIAN};
use plotters::prelude::*;

use super::ReportFault;
use super::clock::Clock;
use super::ink::{Area, BELOW, BLUE, Dash, Fill, Frame, GREY, HEAD, INK, KEY_PX, Key, Plot, RED, WIDTH};
use super::ink::{corner, draw_key, heading, key_lines, polyline, rimmed, write};
use super::number::label;
use super::poster::picture;

/// The quantiles that bound each band, widest first, its name, and how much of the colour it gets: in grey it is as much
/// darker.
const BANDS: [(usize, usize, &str, f64); 3] =
    [(0, 6, "5 to 95 %", 0.18), (1, 5, "10 to 90 %", 0.36), (2, 4, "25 to 75 %", 0.58)];

/// Length of a slot of the picture in minutes.
const SLOT_MINUTES: i64 = 15;
/// Room left and right of the frame, in pixels.
const SIDES: [u32; 2] = [86, 34];
/// Height of the frame with its axis, in pixels.
const FRAME_PX: u32 = 380;

/// What is drawn.
pub struct Fan<'f> {
    /// What it is called.
    pub title: &'f str,
    /// The unit of the values.
    pub unit: &'f str,
    /// The zone of the axis.
    pub zone: Tz,
    /// When the forecast was made.
    pub made_at: DateTime<Utc>,
    /// Beginning of the first quarter-hour of the forecast.
    pub start: DateTime<Utc>,
    /// What is believed of each quarter-hour.
    pub beliefs: &'f [Belief],
    /// What was measured in the quarter-hours before the first, the last of them just before it.
    pub before: &'f [Option<f64>],
    /// What was measured in the quarter-hours of the forecast; empty where nobody knows yet.
    pub after: &'f [Option<f64>],
}

/// The fan alone, as a picture.
///
/// # Errors
///
/// [`ReportFault::Drawing`] if plotters cannot draw it.
pub fn svg(fan: &Fan<'_>) -> Result<String, ReportFault> {
    picture(height(fan), &alternative(fan), |area| draw(area, fan))
}

/// Height of the fan in pixels.
pub fn height(fan: &Fan<'_>) -> u32 {
    74 + FRAME_PX + u32::try_from(key_lines(&key(fan), WIDTH - 40) * KEY_PX).unwrap_or(0)
}

fn alternative(fan: &Fan<'_>) -> String {
    let of = |index: usize| fan.beliefs.iter().map(move |belief| belief.quantiles[index]);
    let most = of(MEDIAN).fold(f64::NEG_INFINITY, f64::max);
    let high = of(5).fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{}, {}. The median reaches {most:.3} {}, the 90 % quantile {high:.3}.",
        fan.title,
        clock(fan).horizon(),
        fan.unit
    )
}

fn clock(fan: &Fan<'_>) -> Clock {
    let before = TimeDelta::minutes(SLOT_MINUTES) * i32::try_from(fan.before.len()).unwrap_or(0);
    Clock::new(fan.start - before, SLOT_MINUTES, fan.before.len() + fan.beliefs.len(), fan.zone)
}

fn key(fan: &Fan<'_>) -> Vec<Key> {
    let mut keys = vec![Key::line("median", INK, Dash::Solid, 3)];
    for (_, _, name, share) in BANDS {
        keys.push(Key::area(name, shade(share), Fill::Plain));
    }
    if !fan.before.is_empty() || !fan.after.is_empty() {
        keys.push(Key::line("measured", RED, Dash::Dashed, 2));
    }
    keys
}

/// A colour on white.
fn shade(share: f64) -> RGBColor {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
    let mix = |part: u8| (255.0 - share * (255.0 - f64::from(part))).round() as u8;
    RGBColor(mix(BLUE.0), mix(BLUE.1), mix(BLUE.2))
}

/// A range that holds all that is drawn, with a little room; it begins at 0 unless something is below.
fn range(fan: &Fan<'_>) -> Range<f64> {
    let bounds = fan.beliefs.iter().flat_map(|belief| [belief.quantiles[0], belief.quantiles[6]]);
    super::ink::range(bounds.chain(fan.before.iter().chain(fan.after).flatten().copied()))
}

/// Digits after the point, so that an axis of this range tells its numbers apart.
pub fn decimals(range: &Range<f64>) -> usize {
    let span = range.end - range.start;
    match span {
        span if span >= 20.0 => 0,
        span if span >= 2.0 => 1,
        span if span >= 0.2 => 2,
        _ => 3,
    }
}

/// Draws the fan.
pub fn draw(area: &Area<'_>, fan: &Fan<'_>) -> Result<(), ReportFault> {
    let keys = key(fan);
    let clock = clock(fan);
    heading(area, &label(fan.title, 90), (20, 18), HEAD)?;
    write(area, &format!("{}; hours are local", clock.horizon()), (20, 42), 16, INK)?;
    draw_key(area, &keys, 56, 20, WIDTH - 40)?;
    let top = 56 + u32::try_from(key_lines(&keys, WIDTH - 40) * KEY_PX).unwrap_or(0) + 24;
    let range = range(fan);
    let decimals = decimals(&range);
    let frame =
        Frame { clock: &clock, range, room: [top, BELOW, SIDES[0], SIDES[1]], unit: fan.unit, numbers: 7, decimals };
    let plot = frame.draw(area)?;
    let first = fan.before.len();
    for (low, high, _, share) in BANDS {
        band(area, &plot, fan.beliefs, first, (low, high), shade(share))?;
    }
    let [x0, y] = corner(area, &plot, (0.0, 0.0));
    let [x1, _] = corner(area, &plot, (clock.slots as f64, 0.0));
    polyline(area, &[(x0, y), (x1, y)], INK, Dash::Solid, 1)?;
    if first > 0 {
        let since = (fan.made_at - clock.at(0).to_utc()).num_seconds() as f64 / (SLOT_MINUTES * 60) as f64;
        let [x, top] = corner(area, &plot, (since, frame.range.end));
        let [_, bottom] = corner(area, &plot, (since, frame.range.start));
        polyline(area, &[(x, top), (x, bottom)], GREY, Dash::Long, 1)?;
        write(area, "forecast made", (x + 5, top + 8), 14, INK)?;
    }
    let median: Vec<Option<f64>> = fan.beliefs.iter().map(|belief| Some(belief.quantiles[MEDIAN])).collect();
    for points in stretches(area, &plot, &median, first) {
        rimmed(area, &points, INK, Dash::Solid, 3)?;
    }
    for (values, from) in [(fan.before, 0), (fan.after, first)] {
        for points in stretches(area, &plot, values, from) {
            rimmed(area, &points, RED, Dash::Dashed, 2)?;
        }
    }
    Ok(())
}

/// The area between two quantiles, in steps.
fn band(
    area: &Area<'_>,
    plot: &Plot<'_>,
    beliefs: &[Belief],
    first: usize,
    (low, high): (usize, usize),
    color: RGBColor,
) -> Result<(), ReportFault> {
    let edge = |index: usize| {
        let point = move |(k, belief): (usize, &Belief)| {
            [first + k, first + k + 1].map(|slot| {
                let [x, y] = corner(area, plot, (slot as f64, belief.quantiles[index]));
                (x, y)
            })
        };
        beliefs.iter().enumerate().flat_map(point).collect::<Vec<_>>()
    };
    let mut outline = edge(high);
    outline.extend(edge(low).into_iter().rev());
    Ok(area.draw(&Polygon::new(outline, color.filled()))?)
}

/// The lines through known values, from slot `first` on, each until the next gap.
fn stretches(area: &Area<'_>, plot: &Plot<'_>, values: &[Option<f64>], first: usize) -> Vec<Vec<(i32, i32)>> {
    let mut lines: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut open = false;
    for (k, value) in values.iter().enumerate() {
        let Some(value) = value else {
            open = false;
            continue;
        };
        let ends = [first + k, first + k + 1].map(|slot| {
            let [x, y] = corner(area, plot, (slot as f64, *value));
            (x, y)
        });
        match lines.last_mut().filter(|_| open) {
            Some(line) => line.extend(ends),
            None => lines.push(ends.to_vec()),
        }
        open = true;
    }
    lines
}
