//! The page: everything in one HTML file that needs nothing else, neither network nor script.

use askama::Template;
use kwartier_engine::explain::Explanation;
use kwartier_engine::figures::Figures;

use super::number::{eur, grouped, label, percent};
use super::tables::{self, Table};
use super::view::View;
use super::{ReportFault, boards, poster, price, site, vehicles, words};

/// How many boards and vehicles the charts of the page hold; the tables hold all.
const BOARDS: usize = 60;
const VEHICLES: usize = 300;
/// Longest title, in letters.
const TITLE: usize = 120;
/// How many overloads of one plan are named.
const OVERLOADS: usize = 3;

/// The page as the template sees it. All texts are escaped there; only the charts go in as they are.
#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    title: String,
    horizon: String,
    result: String,
    service: String,
    proof: String,
    comparison: Table,
    charts: Vec<Chart>,
    explanation: Option<Words>,
}

/// A chart with what it shows in words, and its table.
struct Chart {
    name: &'static str,
    alternative: String,
    svg: String,
    table: Table,
}

/// The explanation but for the vehicles, whose words stand in their table.
struct Words {
    prices: &'static str,
    limits: Vec<String>,
    savings: Vec<String>,
}

/// The page for a plan.
///
/// `others` are further plans to compare with, by name; plan and equal share come from the view. `notes` say what is
/// missing from the explanation.
///
/// # Errors
///
/// [`ReportFault`] if a chart cannot be drawn or the template not filled in.
pub fn html(
    view: &View<'_>,
    others: &[(&str, &Figures)],
    explanation: Option<&Explanation>,
    notes: &[String],
) -> Result<String, ReportFault> {
    let charts = vec![
        Chart {
            name: "Price",
            alternative: "Bars: the price of imported energy in every slot. Its numbers by hour are in the table."
                .to_owned(),
            svg: poster::picture(price::height(view), "Price of energy", |area| price::draw(area, view))?,
            table: tables::prices(view),
        },
        Chart {
            name: "Site power",
            alternative: format!(
                "What draws and feeds at the grid connection in every slot. {}",
                poster::service(view)
            ),
            svg: poster::picture(site::height(view), "Power at the grid connection", |area| site::draw(area, view))?,
            table: tables::site(view),
        },
        Chart {
            name: "Boards",
            alternative: format!("{}. All boards are in the table.", boards::title(view, BOARDS)),
            svg: poster::picture(boards::height(view, BOARDS), "Boards", |area| boards::draw(area, view, BOARDS))?,
            table: tables::boards(view),
        },
        Chart {
            name: "Vehicles",
            alternative: format!("{}. All vehicles are in the table.", vehicles::title(view, VEHICLES)),
            svg: poster::picture(vehicles::height(view, VEHICLES), "Vehicles", |area| {
                vehicles::draw(area, view, VEHICLES)
            })?,
            table: tables::vehicles(view, explanation),
        },
    ];
    let page = Page {
        title: label(&view.title, TITLE),
        horizon: poster::horizon(view),
        result: poster::result(view),
        service: poster::service(view),
        proof: poster::proof(view),
        comparison: comparison(view, others),
        charts,
        explanation: explanation.map(|of| Words::of(view, of, notes)),
    };
    Ok(page.render()?)
}

impl Words {
    fn of(view: &View<'_>, explanation: &Explanation, notes: &[String]) -> Self {
        let mut limits: Vec<String> = explanation.limits.iter().map(|of| words::limit(&view.clock, of)).collect();
        if limits.is_empty() {
            limits.push(words::no_limits(explanation.prices).to_owned());
        }
        Words {
            prices: explanation.prices.text(),
            limits,
            savings: explanation.savings.iter().map(words::saving).chain(notes.iter().cloned()).collect(),
        }
    }
}

/// The plan beside what the site would do without it.
fn comparison(view: &View<'_>, others: &[(&str, &Figures)]) -> Table {
    let mut columns = vec![("the plan", &view.after.figures), ("equal share", &view.before.figures)];
    columns.extend(others.iter().copied());
    let row = |name: &str, cell: &dyn Fn(&Figures) -> String| -> Vec<String> {
        std::iter::once(name.to_owned()).chain(columns.iter().map(|(_, figures)| cell(figures))).collect()
    };
    let mut rows = vec![
        row("energy bought", &|of| eur(of.cost.energy)),
        row("energy sold", &|of| eur(of.cost.export)),
        row("peak", &|of| eur(of.cost.peak)),
        row("energy not delivered", &|of| eur(of.cost.shortfall)),
        row("wear", &|of| eur(of.cost.wear)),
        row("total", &|of| eur(of.total_eur)),
        row("more than the plan", &|of| eur(of.total_eur - view.after.figures.total_eur)),
        row("highest import", &|of| format!("{} kW", grouped(of.highest_import_kw, 1))),
    ];
    if columns.iter().any(|(_, figures)| figures.co2_kg.is_some()) {
        rows.push(row("CO\u{2082}", &|of| of.co2_kg.map(|kg| format!("{} kg", grouped(kg, 1))).unwrap_or_default()));
    }
    rows.push(row("energy on time", &|of| format!("{} kWh, {}", grouped(of.on_time_kwh, 1), percent(of.on_time(), 1))));
    rows.push(row("vehicles short", &|of| grouped(of.vehicles_short as f64, 0)));
    rows.push(row("limits broken", &|of| overloads(view, of)));
    let mut head = vec![String::new()];
    head.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    Table {
        caption: "The plan compared: costs in EUR of the same day, with the same vehicles and prices".to_owned(),
        head,
        rows,
        texts: 0,
    }
}

/// The limits that a plan breaks, the worst first.
fn overloads(view: &View<'_>, figures: &Figures) -> String {
    let broken = figures.broken();
    let named = broken.iter().take(OVERLOADS).map(|overload| {
        format!(
            "{}: {} of {} {}, {}",
            words::broken_limit(view.instance, overload.limit),
            grouped(overload.highest, 0),
            grouped(overload.allowed, 0),
            overload.limit.unit(),
            view.clock.stretch(overload.from..overload.to)
        )
    });
    let named = named.collect::<Vec<_>>().join("; ");
    match broken.len() {
        0 => "none".to_owned(),
        count if count > OVERLOADS => format!("{named}; and {} more limits", count - OVERLOADS),
        _ => named,
    }
}
