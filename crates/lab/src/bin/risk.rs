//! Measures what margin that follows risk does to a crash, and writes `docs/risk-experiment.md`. The same program gives the
//! same page.

use std::{error::Error, fs, path::Path, process::ExitCode};

use breakwater_lab::{
    risk::{Experiment, document},
    scenario::Scenario,
};

const SCENARIO: &str = include_str!("../../scenarios/black-thursday.toml");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/risk-experiment.md");

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The crashes could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), Box<dyn Error>> {
    let experiment = Experiment::new(&Scenario::parse(SCENARIO)?)?;
    let page = document::page(&experiment).map_err(|refusal| format!("the engine refused: {refusal:?}"))?;
    fs::write(PAGE, page)?;
    println!("{}", fs::canonicalize(Path::new(PAGE))?.display());
    Ok(())
}
