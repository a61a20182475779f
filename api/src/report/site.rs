//! Power at the grid connection: what draws, what feeds, the net with the plan and without, and the limits.

use std::ops::Range;

use super::ReportFault;
use super::ink::{Area, BELOW, BLUE, Dash, Fill, Frame, GREEN, GREY, HEAD, INK, Key, ORANGE, PINK, Plot, RED, STONE};
use super::ink::{KEY_PX, WIDTH, corner, draw_key, fill_box, heading, key_lines, polyline, range, rimmed, steps, tag};
use super::number::grouped;
use super::price::SIDES;
use super::view::View;

/// A limit further away than this many times what is shown is named, not drawn.
const FAR: f64 = 1.6;

/// A kind of power, from the baseline outward.
struct Layer<'v> {
    name: &'static str,
    kw: &'v [f64],
    /// 1 for what draws, −1 for what feeds.
    sign: f64,
    look: (plotters::style::RGBColor, Fill),
}

/// Whether a kind of power is there at all.
const NOTHING_KW: f64 = 1e-3;

fn layers<'v>(view: &'v View<'_>) -> Vec<Layer<'v>> {
    let profile = &view.after.profile;
    let mut layers = vec![
        Layer { name: "building", kw: &profile.building_kw, sign: 1.0, look: (STONE, Fill::Plain) },
        Layer { name: "flexible loads", kw: &profile.loads_kw, sign: 1.0, look: (PINK, Fill::Flat) },
        Layer { name: "vehicles", kw: &profile.vehicles_kw, sign: 1.0, look: (BLUE, Fill::Plain) },
        Layer { name: "batteries", kw: &profile.batteries_kw, sign: 1.0, look: (GREEN, Fill::Diagonal) },
        Layer { name: "PV used", kw: &profile.pv_kw, sign: -1.0, look: (ORANGE, Fill::Upright) },
    ];
    layers.retain(|layer| layer.kw.iter().any(|kw| kw.abs() > NOTHING_KW));
    layers
}

/// What is drawn of the caps: those near enough to be seen in full.
struct Limits {
    shown: Vec<(Vec<f64>, Dash, String)>,
    far: Vec<String>,
}

fn limits(view: &View<'_>, range: &Range<f64>) -> Limits {
    let grid = &view.instance.grid;
    let mut limits = Limits { shown: Vec::new(), far: Vec::new() };
    let span = range.end.max(-range.start);
    let mut add = |name: &str, kw: Vec<f64>, dash: Dash| {
        let lowest = kw.iter().map(|kw| kw.abs()).fold(f64::INFINITY, f64::min);
        let highest = kw.iter().map(|kw| kw.abs()).fold(0.0, f64::max);
        let value = if highest - lowest < 0.05 {
            format!("{} kW", grouped(lowest, 0))
        } else {
            format!("{} to {} kW", grouped(lowest, 0), grouped(highest, 0))
        };
        if highest <= FAR * span {
            limits.shown.push((kw, dash, format!("{name} {value}")));
        } else {
            limits.far.push(format!("{name} {value}, outside the picture"));
        }
    };
    if let Some(cap) = &grid.import_cap_kw {
        add("import cap", cap.clone(), Dash::Long);
    }
    if let Some(cap) = &grid.export_cap_kw {
        add("export cap", cap.iter().map(|kw| -kw).collect(), Dash::Long);
    }
    if grid.peak_so_far_kw > 0.0 && grid.peak_eur_kw > 0.0 {
        add("peak so far", vec![grid.peak_so_far_kw; view.clock.slots], Dash::Dotted);
    }
    limits
}

/// The range of all that is drawn but the limits.
fn flows(view: &View<'_>) -> Range<f64> {
    let layers = layers(view);
    let slots = 0..view.clock.slots;
    let sum = |slot: usize, up: bool| -> f64 {
        let of = |layer: &Layer<'_>| layer.sign * layer.kw[slot];
        layers.iter().map(of).filter(|kw| (*kw > 0.0) == up).sum()
    };
    let stacks = slots.flat_map(|slot| [sum(slot, true), sum(slot, false)]);
    range(stacks.chain(view.after.profile.net_kw.iter().copied()).chain(view.before.profile.net_kw.iter().copied()))
}

fn key(view: &View<'_>) -> Vec<Key> {
    let mut keys: Vec<Key> =
        layers(view).iter().map(|layer| Key::area(layer.name, layer.look.0, layer.look.1)).collect();
    let peak = |kw: f64| format!("highest {} kW", grouped(kw, 1));
    let [after, before] = [&view.after, &view.before].map(|side| peak(side.profile.highest_import_kw()));
    keys.push(Key::line(format!("net with the plan, {after}"), INK, Dash::Solid, 3));
    keys.push(Key::line(format!("net with equal share, {before}"), GREY, Dash::Dashed, 2));
    let limits = limits(view, &flows(view));
    keys.extend(limits.shown.into_iter().map(|(_, dash, text)| Key::line(text, RED, dash, 2)));
    keys.extend(limits.far.into_iter().map(Key::note));
    keys
}

/// Height of the chart in pixels.
pub fn height(view: &View<'_>) -> u32 {
    390 + u32::try_from(key_lines(&key(view), WIDTH - 40) * KEY_PX).unwrap_or(0)
}

/// Draws the chart.
pub fn draw(area: &Area<'_>, view: &View<'_>) -> Result<(), ReportFault> {
    let keys = key(view);
    heading(area, "Power at the grid connection (above 0: drawn, below 0: fed in)", (20, 16), HEAD)?;
    draw_key(area, &keys, 34, 20, WIDTH - 40)?;
    let flows = flows(view);
    let limits = limits(view, &flows);
    let ends = [flows.start / 1.06, flows.end / 1.06];
    let all = limits.shown.iter().flat_map(|(kw, _, _)| kw.iter().copied()).chain(ends);
    let frame = Frame {
        clock: &view.clock,
        range: range(all),
        room: [34 + u32::try_from(key_lines(&keys, WIDTH - 40) * KEY_PX).unwrap_or(0) + 24, BELOW, SIDES[0], SIDES[1]],
        unit: "kW",
        numbers: 7,
        decimals: 0,
    };
    let plot = frame.draw(area)?;
    stack(area, &plot, view)?;
    let [x0, y] = corner(area, &plot, (0.0, 0.0));
    let [x1, _] = corner(area, &plot, (view.clock.slots as f64, 0.0));
    polyline(area, &[(x0, y), (x1, y)], INK, Dash::Solid, 1)?;
    for (kw, dash, _) in &limits.shown {
        rimmed(area, &steps(area, &plot, kw), RED, *dash, 2)?;
    }
    rimmed(area, &steps(area, &plot, &view.before.profile.net_kw), GREY, Dash::Dashed, 2)?;
    rimmed(area, &steps(area, &plot, &view.after.profile.net_kw), INK, Dash::Solid, 3)?;
    for (kw, _, text) in &limits.shown {
        // The name stands on the side that is away from 0, where the picture is empty.
        let end = kw.last().copied().unwrap_or_default();
        let [x, y] = corner(area, &plot, (view.clock.slots as f64, end));
        let name = text.split_once(|c: char| c.is_ascii_digit()).map_or(&text[..], |(name, _)| name);
        tag(area, name.trim(), (x - 6, if end < 0.0 { y + 10 } else { y - 9 }))?;
    }
    Ok(())
}

/// The kinds of power on top of each other: what draws upward, what feeds downward.
fn stack(area: &Area<'_>, plot: &Plot<'_>, view: &View<'_>) -> Result<(), ReportFault> {
    let layers = layers(view);
    for slot in 0..view.clock.slots {
        let (mut up, mut down) = (0.0, 0.0);
        for layer in &layers {
            let kw = layer.sign * layer.kw[slot];
            let base = if kw > 0.0 { &mut up } else { &mut down };
            let (from, to) = (*base, *base + kw);
            *base = to;
            let [x0, y0] = corner(area, plot, (slot as f64, from.max(to)));
            let [x1, y1] = corner(area, plot, ((slot + 1) as f64, from.min(to)));
            fill_box(area, (x0, y0), (x1, y1), layer.look.0, layer.look.1)?;
        }
    }
    Ok(())
}
