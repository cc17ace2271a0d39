//! `breakwater lab`.

use std::{error::Error, fs, path::PathBuf, time::Instant};

use breakwater_lab::{
    cascade::{
        Kind,
        candles::Candles,
        study::{self, Plan, Study},
    },
    report::{cascade, terminal::Progress},
};
use clap::{Args, builder::FalseyValueParser};

/// What a large market may take, seconds.
const LARGE_MARKET_SECONDS: f64 = 10.0;

/// Scenario files, mechanisms and depths to compare. Everything has a default; a run is reproducible from its scenario
/// file and its seed.
#[derive(Args)]
pub struct Options {
    /// Scenarios: names of the built-in ones, or TOML files
    #[arg(long, env = "BREAKWATER_LAB_SCENARIO", value_delimiter = ',', default_values = ["black-thursday", "crash", "wick", "slow-bleed"])]
    scenario: Vec<String>,
    /// Mechanisms to compare
    #[arg(long, env = "BREAKWATER_LAB_MECHANISM", value_delimiter = ',', default_values_t = Kind::ALL)]
    mechanism: Vec<Kind>,
    /// Depths: the percentage of all debt whose sale moves the price by 1%
    #[arg(long, env = "BREAKWATER_LAB_DEPTH", value_delimiter = ',', default_values = ["0.5", "1", "2", "5"])]
    depth: Vec<f64>,
    /// First seed of every scenario, instead of its own
    #[arg(long, env = "BREAKWATER_LAB_SEED")]
    seed: Option<u64>,
    /// Number of seeds [default: 8, with --quick 2]
    #[arg(long, env = "BREAKWATER_LAB_SEEDS")]
    seeds: Option<u64>,
    /// The first depth only, no sweeps, no searches but the critical shock: seconds instead of minutes
    #[arg(long, env = "BREAKWATER_LAB_QUICK", value_parser = FalseyValueParser::new())]
    quick: bool,
    /// Hourly candles (CSV: unix_time,open,high,low,close): Black Thursday runs on them as well
    #[arg(long, env = "BREAKWATER_CANDLES")]
    candles: Option<PathBuf>,
    /// Folder for report.html, summary.json and study.json
    #[arg(long, env = "BREAKWATER_LAB_OUT", default_value = "target/lab")]
    out: PathBuf,
    /// Print summary.json instead of a table
    #[arg(long, env = "BREAKWATER_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

impl Options {
    fn plan(&self) -> Result<Plan, Box<dyn Error>> {
        let mut scenarios = Vec::new();
        for name in &self.scenario {
            let mut setup = Plan::scenario(name)?;
            setup.seed = self.seed.unwrap_or(setup.seed);
            let on_candles = setup.on_candles().filter(|_| self.candles.is_some());
            scenarios.extend([Some(setup), on_candles].into_iter().flatten());
        }
        let depths: Vec<f64> = self.depth.iter().map(|percent| percent / 100.0).collect();
        Ok(Plan {
            scenarios,
            mechanisms: self.mechanism.clone(),
            depths: if self.quick {
                depths.into_iter().take(1).collect()
            } else {
                depths
            },
            seeds: self.seeds.unwrap_or(if self.quick { 2 } else { 8 }),
            deep: !self.quick,
            candles: self.candles.as_deref().map(Candles::read).transpose()?,
        })
    }
}

/// Measures, writes the files, and prints the result.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let plan = options.plan()?;
    let began = Instant::now();
    let mut progress = Progress::new("lab");
    let study = plan.study(|done, all| {
        progress.at(done as u64, all as u64, || format!("{done} of {all} measurements"));
    })?;
    progress.finish();

    fs::create_dir_all(&options.out)?;
    let summary = serde_json::to_string_pretty(&cascade::summary(&study))? + "\n";
    fs::write(options.out.join("summary.json"), &summary)?;
    fs::write(
        options.out.join("study.json"),
        serde_json::to_string_pretty(&study)? + "\n",
    )?;
    let page = options.out.join("report.html");
    fs::write(&page, cascade::html(&study)?)?;
    print(options, &study, &summary, began.elapsed().as_secs_f64());
    if options.quick {
        return Ok(());
    }
    let seconds = study::speed()?;
    eprintln!("  100,000 accounts over 72 h in steps of 10 s, Breakwater and dump: {seconds:.1} s on one core.");
    if seconds > LARGE_MARKET_SECONDS {
        return Err(
            format!("that is more than {LARGE_MARKET_SECONDS} s: work must not grow with accounts × steps").into(),
        );
    }
    Ok(())
}

fn print(options: &Options, study: &Study, summary: &str, seconds: f64) {
    if options.json {
        print!("{summary}");
        return;
    }
    println!("{}", cascade::table(study));
    println!(
        "  {seconds:.1} s.  Report: {}",
        options.out.join("report.html").display()
    );
}
