//! Measures what margin that follows risk does to a crash, and writes `docs/reports/risk-experiment.md`. The same
//! program gives the same page.

use crate::{Done, root};
use std::fs;

use breakwater_lab::{
    risk::{Experiment, document},
    scenario::Scenario,
};

const SCENARIO: &str = include_str!("../../lab/scenarios/black-thursday.toml");

/// Measures and writes it.
///
/// # Errors
/// If the engine refuses what the scenario does, or the page cannot be written.
pub fn run() -> Done {
    let file = root().join("docs/reports/risk-experiment.md");
    let experiment = Experiment::new(&Scenario::parse(SCENARIO)?)?;
    let page = document::page(&experiment).map_err(|refusal| format!("the engine refused: {refusal:?}"))?;
    fs::write(&file, page)?;
    println!("{}", file.display());
    Ok(true)
}
