//! Replays Black Thursday through the compiled program and writes `target/demo/report.html` and `summary.json`.

use crate::{Done, root};
use std::{fs, path::Path};

use breakwater_lab::{
    report::{
        self,
        format::grouped,
        terminal::{Progress, table},
    },
    run as lab,
    scenario::{Scenario, time_label},
};

const SCENARIO: &str = include_str!("../../lab/scenarios/black-thursday.toml");
/// Replays it, shows how it goes, and writes the report.
///
/// # Errors
/// If the program refuses what the scenario does, or a file cannot be written.
pub fn run() -> Done {
    let scenario = Scenario::parse(SCENARIO)?;
    println!("{}\n{}", scenario.name, scenario.about);
    println!(
        "Opening {} margin accounts in a market on the compiled program, then replaying in steps of {} seconds …",
        scenario.accounts.count, scenario.step_seconds
    );
    let (base, quote) = (&scenario.market.collateral.symbol, &scenario.market.quote.symbol);
    let mut progress = Progress::new("replay");
    let record = lab::run(&scenario, |now| {
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

    let folder = root().join("target/demo");
    fs::create_dir_all(&folder)?;
    let page = folder.join("report.html");
    fs::write(&page, report::html(&record)?)?;
    fs::write(
        folder.join("summary.json"),
        serde_json::to_string_pretty(&record.summary)? + "\n",
    )?;
    println!("{}", table(&record, Path::new(&page)));
    let holds = record.holds();
    if !holds {
        eprintln!("The demo failed: see the lines marked ✗ above.");
    }
    Ok(holds)
}
