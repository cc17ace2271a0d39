//! The report of the cascade laboratory: `summary.json`, a page, and tables for the terminal.

mod figures;
mod page;
mod plots;
mod summary;
mod tables;
mod terminal;

use super::ReportError;
use crate::cascade::study::Study;

pub use figures::{Line, lines};
pub use summary::{Entry, summary};
pub use terminal::table;

/// The whole HTML page.
///
/// # Errors
/// [`ReportError`] if a plot cannot be drawn.
pub fn html(study: &Study) -> Result<String, ReportError> {
    page::page(study)
}
