//! Measures what each price guard costs and saves, and writes `docs/reports/guards.md`. The same program gives the same
//! page.

use crate::{Done, root};
use std::fs;

use breakwater_lab::{
    guards::{Experiment, document},
    scenario::Scenario,
};

const SCENARIO: &str = include_str!("../../lab/scenarios/black-thursday.toml");

/// Measures and writes it.
///
/// # Errors
/// If the engine refuses what the scenario does, or the page cannot be written.
pub fn run() -> Done {
    let file = root().join("docs/reports/guards.md");
    let experiment = Experiment::new(&Scenario::parse(SCENARIO)?)?;
    fs::write(&file, document::page(&experiment)?)?;
    println!("{}", file.display());
    Ok(true)
}
