//! Replays Black Thursday through the compiled program and writes `target/demo/report.html` and `summary.json`.
//!
//! Exits with an error if anything that has to hold did not.

use std::{error::Error, fs, path::Path, process::ExitCode};

use breakwater_lab::{
    record::Record,
    report::{
        self,
        format::grouped,
        terminal::{Progress, table},
    },
    run,
    scenario::{Scenario, time_label},
};

const SCENARIO: &str = include_str!("../../scenarios/black-thursday.toml");
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn main() -> ExitCode {
    match demo() {
        Ok(record) if record.holds() => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("The demo failed: see the lines marked ✗ above.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("The demo could not finish: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<Record, Box<dyn Error>> {
    let scenario = Scenario::parse(SCENARIO)?;
    println!("{}\n{}", scenario.name, scenario.about);
    println!(
        "Opening {} margin accounts in a market on the compiled program, then replaying in steps of {} seconds …",
        scenario.accounts.count, scenario.step_seconds
    );
    let (base, quote) = (&scenario.market.collateral.symbol, &scenario.market.quote.symbol);
    let mut progress = Progress::new("replay");
    let record = run::run(&scenario, |now| {
        progress.at(now.step as u64, now.steps as u64, || {
            format!(
                "{}  {base} {:>6.2} {quote}  {:>4} liquidations  inventory {:>7} {base}",
                time_label(now.sample.unix),
                now.sample.price,
                now.liquidations,
                grouped(now.sample.inventory, 1)
            )
        });
    })?;
    progress.finish();

    let folder = fs::canonicalize(WORKSPACE)?.join("target/demo");
    fs::create_dir_all(&folder)?;
    let page = folder.join("report.html");
    fs::write(&page, report::html(&record)?)?;
    fs::write(
        folder.join("summary.json"),
        serde_json::to_string_pretty(&record.summary)? + "\n",
    )?;
    println!("{}", table(&record, Path::new(&page)));
    Ok(record)
}
