//! Pictures and words for people: of a plan charts, a poster, a page and the explanation; of forecasts fans and curves.
//!
//! | file | holds |
//! |---|---|
//! | `view.rs` | all that charts and tables show, computed once from the instance and two plans |
//! | `clock.rs` | slots as local time: hours, days, and the days on which the clock changes |
//! | `number.rs` | numbers as people write them |
//! | `ink.rs` | palette, line styles, hatching, text, and the frame all charts share |
//! | `price.rs`, `site.rs`, `boards.rs`, `vehicles.rs` | one chart each |
//! | `poster.rs` | all charts in one SVG |
//! | `page.rs`, `tables.rs` | one HTML page (`api/templates/page.html`) with a table beside each chart |
//! | `fan.rs` | a forecast with its bands |
//! | `curves.rs`, `backtest.rs` | how good forecasts were |
//! | `words.rs` | the explanation in plain sentences, for page and terminal alike |

pub mod backtest;
mod boards;
pub mod clock;
mod curves;
pub mod fan;
mod ink;
pub mod number;
pub mod page;
pub mod poster;
mod price;
mod site;
mod tables;
#[cfg(test)]
mod tests;
mod vehicles;
pub mod view;
pub mod words;

use plotters::drawing::DrawingAreaErrorKind;
use thiserror::Error;

pub use view::View;

/// Why a report could not be made. Neither is the fault of the plan.
#[derive(Debug, Error)]
pub enum ReportFault {
    /// A chart could not be drawn.
    #[error("the chart could not be drawn: {0}")]
    Drawing(String),
    /// The page could not be filled in.
    #[error("the page could not be filled in: {0}")]
    Page(#[from] askama::Error),
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ReportFault {
    fn from(fault: DrawingAreaErrorKind<E>) -> Self {
        ReportFault::Drawing(fault.to_string())
    }
}
