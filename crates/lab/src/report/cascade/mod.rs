//! The report of the cascade laboratory: `summary.json`, a page, `docs/reports/lab.md`, and tables for the terminal.

mod document;
mod figures;
mod page;
mod plots;
mod summary;
mod table;
mod tables;
mod terminal;

use super::ReportError;
use crate::cascade::{
    goals::Goals,
    study::{Plan, Study},
};

pub use document::{document, fingerprint, measured_with};
pub use figures::{Line, lines};
pub use summary::{Entry, summary};
pub use terminal::{goals, table};

/// The whole HTML page.
///
/// # Errors
/// [`ReportError`] if a plot cannot be drawn.
pub fn html(plan: &Plan, study: &Study, goals: &Goals) -> Result<String, ReportError> {
    page::page(plan, study, goals)
}
