//! Measures what each price guard costs and saves, and writes `docs/guards.md`. The same program gives the same page.

use std::{error::Error, fs, path::Path, process::ExitCode};

use breakwater_lab::{
    guards::{Experiment, document},
    scenario::Scenario,
};

const SCENARIO: &str = include_str!("../../scenarios/black-thursday.toml");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guards.md");

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The guards could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), Box<dyn Error>> {
    let experiment = Experiment::new(&Scenario::parse(SCENARIO)?)?;
    fs::write(PAGE, document::page(&experiment)?)?;
    println!("{}", fs::canonicalize(Path::new(PAGE))?.display());
    Ok(())
}
