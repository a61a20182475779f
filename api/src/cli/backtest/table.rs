//! Scores as a table.

use comfy_table::{CellAlignment, Table};
use kwartier_forecast::backtest::{MethodScores, Report, Scores};

use crate::cli::forecast::quarters::number;
use crate::cli::history::Kind;
use crate::cli::summary::table;

/// A table of scores: each method, for each day ahead.
pub fn of(report: &Report, kind: Kind, unit: &str) -> Table {
    // By night the band of a PV plant holds the truth for sure, which says nothing about the band.
    let by_day = kind == Kind::Pv;
    let mut table = table();
    let mut header: Vec<String> =
        ["ahead", "method", "n", "MAE %", "RMSE %", "loss %", "CRPS %", "skill", "50 %", "80 %", "90 %"]
            .map(str::to_owned)
            .to_vec();
    if by_day {
        header.push("80 % by day".to_owned());
    }
    header.push(format!("width 80 %, {unit}"));
    header.extend(["fit s", "predict ms"].map(str::to_owned));
    let columns = header.len();
    table.set_header(header);
    let days = report.methods.iter().map(|method| method.lead_days.len()).max().unwrap_or(0);
    for day in 0..days {
        for (k, method) in report.methods.iter().enumerate() {
            let Some(scores) = method.lead_days.get(day).filter(|scores| scores.n > 0) else { continue };
            let ahead = if k == 0 { format!("{}-{} h", 24 * day, 24 * (day + 1)) } else { String::new() };
            table.add_row(row(ahead, method, scores, by_day));
        }
    }
    for column in 2..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn row(ahead: String, method: &MethodScores, scores: &Scores, by_day: bool) -> Vec<String> {
    let percent = |value: f64, digits: usize| format!("{:.digits$}", 100.0 * value);
    let mut row = vec![
        ahead,
        method.name.clone(),
        scores.n.to_string(),
        percent(scores.nmae, 1),
        percent(scores.nrmse, 1),
        percent(scores.npinball, 2),
        percent(scores.ncrps, 2),
        scores.skill.map_or_else(String::new, |skill| format!("{skill:+.2}")),
        percent(scores.coverage_50, 0),
        percent(scores.coverage_80, 0),
        percent(scores.coverage_90, 0),
    ];
    if by_day {
        row.push(percent(scores.coverage_80_awake, 0));
    }
    row.push(number(round3(scores.width_80)));
    row.push(format!("{:.1}", method.fit_s.median));
    row.push(format!("{:.1}", 1000.0 * method.predict_s.median));
    row
}

/// Three significant digits are enough to compare widths.
fn round3(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let unit = 10_f64.powf(value.abs().log10().floor() - 2.0);
    (value / unit).round() * unit
}
