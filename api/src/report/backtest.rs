//! A backtest in one picture: one of its forecasts against what came, how reliable the bands are, and how losses grow with
//! the hours ahead.

use kwartier_data::forecast::LEVELS;
use kwartier_forecast::backtest::{MethodScores, Report};

use super::ReportFault;
use super::curves::{Curve, Curves};
use super::fan::{self, Fan};
use super::ink::{INK, TITLE, WIDTH, heading, write};
use super::number::label;
use super::poster::picture;

/// Space between charts in pixels.
const GAP_PX: u32 = 18;
/// Height of the title in pixels.
const HEAD_PX: u32 = 84;
/// Hours between numbers on the axis of hours ahead.
const MARK_H: usize = 6;

/// The picture. `example` is one of the forecasts, `summary` what is to be said in a line.
///
/// # Errors
///
/// [`ReportFault::Drawing`] if plotters cannot draw it.
pub fn svg(
    report: &Report,
    title: &str,
    unit: &str,
    example: Option<&Fan<'_>>,
    summary: &str,
) -> Result<String, ReportFault> {
    let (reliability, losses) = (reliability(report), losses(report, unit));
    let example_px = example.map_or(0, |fan| fan::height(fan) + GAP_PX);
    let height = HEAD_PX + example_px + reliability.height() + GAP_PX + losses.height() + GAP_PX;
    picture(height, &format!("{title}. {summary}"), |area| {
        heading(area, &label(title, 60), (20, 32), TITLE)?;
        write(area, &label(summary, 150), (20, 64), 18, INK)?;
        let mut top = HEAD_PX;
        if let Some(fan) = example {
            fan::draw(&area.clone().shrink((0, top), (WIDTH, fan::height(fan))), fan)?;
            top += example_px;
        }
        for curves in [&reliability, &losses] {
            curves.draw(&area.clone().shrink((0, top), (WIDTH, curves.height())))?;
            top += curves.height() + GAP_PX;
        }
        Ok(())
    })
}

/// Models first.
fn ordered(report: &Report) -> impl Iterator<Item = &MethodScores> {
    let models = report.methods.iter().filter(|method| !method.baseline);
    models.chain(report.methods.iter().filter(|method| method.baseline))
}

fn reliability(report: &Report) -> Curves<'static> {
    let curve = |method: &MethodScores| Curve {
        name: method.name.clone(),
        points: LEVELS.iter().zip(method.below).map(|(level, below)| (100.0 * level, 100.0 * below)).collect(),
    };
    Curves {
        title: "How often the truth stays below each quantile",
        axes: ["quantile, %", "% below"],
        x: 0.0..100.0,
        y: 0.0..100.0,
        marks: LEVELS.iter().map(|level| 100.0 * level).collect(),
        diagonal: Some("as promised"),
        curves: ordered(report).map(curve).collect(),
    }
}

fn losses<'u>(report: &Report, unit: &'u str) -> Curves<'u> {
    let curve = |method: &MethodScores| Curve {
        name: method.name.clone(),
        points: method.lead_hours.iter().map(|hour| (hour.hour as f64 + 0.5, hour.pinball)).collect(),
    };
    let curves: Vec<Curve> = ordered(report).map(curve).collect();
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let hours = points().map(|(hour, _)| hour.ceil()).fold(1.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of a horizon")]
    let last = hours as usize;
    let y = super::ink::range(points().map(|(_, loss)| *loss));
    Curves {
        title: "Mean pinball loss by hours ahead",
        axes: ["hours ahead", unit],
        x: 0.0..hours,
        y,
        marks: (0..=last).step_by(MARK_H).map(|hour| hour as f64).collect(),
        diagonal: None,
        curves,
    }
}
