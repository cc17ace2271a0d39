//! `breakwater lab`.

use std::{error::Error, fs, path::PathBuf, time::Instant};

use breakwater_engine::Config;
use breakwater_lab::{
    cascade::{
        Kind,
        candles::Candles,
        cell::{Ground, Part},
        goals::{self, Goals},
        setup::Protocol,
        study::{self, Plan, SCENARIOS},
    },
    report::{cascade, terminal::Progress},
};
use clap::{Args, builder::FalseyValueParser};

use crate::migrate::Market;

/// Most time that a large market may take, seconds.
const LARGE_MARKET_SECONDS: f64 = 10.0;

/// The markets that are to exist on mainnet.
const MARKETS: [(&str, &str); 3] = [
    ("sol-usdc", include_str!("../../../migrations/sol-usdc.toml")),
    ("jitosol-usdc", include_str!("../../../migrations/jitosol-usdc.toml")),
    ("usdc-sol", include_str!("../../../migrations/usdc-sol.toml")),
];

/// Scenario files, mechanisms and depths to compare. Everything has a default; a run is reproducible from its scenario
/// file and its seed.
#[derive(Args)]
pub struct Options {
    /// Scenarios: names of the built-in ones, or TOML files
    #[arg(long, env = "BREAKWATER_LAB_SCENARIO", value_delimiter = ',', default_values = SCENARIOS.map(|(name, _)| name))]
    scenario: Vec<String>,
    /// Mechanisms to compare
    #[arg(long, env = "BREAKWATER_LAB_MECHANISM", value_delimiter = ',', default_values_t = Kind::ALL)]
    mechanism: Vec<Kind>,
    /// Depths at which they are compared: the percentage of all debt whose sale moves the price by 1%
    #[arg(long, env = "BREAKWATER_LAB_DEPTH", value_delimiter = ',', default_values = ["0.5", "3", "5"])]
    depth: Vec<f64>,
    /// First seed of every scenario, instead of its own
    #[arg(long, env = "BREAKWATER_LAB_SEED")]
    seed: Option<u64>,
    /// Number of seeds of the goals [default: 16]; everything else has an eighth of them [with --quick: 2]
    #[arg(long, env = "BREAKWATER_LAB_SEEDS")]
    seeds: Option<u64>,
    /// The comparison at the first depth only, no goals, no sweeps, no searches: seconds instead of minutes
    #[arg(long, env = "BREAKWATER_LAB_QUICK", value_parser = FalseyValueParser::new())]
    quick: bool,
    /// Hourly candles (CSV: unix_time,open,high,low,close): Black Thursday runs on them as well
    #[arg(long, env = "BREAKWATER_CANDLES")]
    candles: Option<PathBuf>,
    /// Folder for report.html, summary.json, study.json and goals.json
    #[arg(long, env = "BREAKWATER_LAB_OUT", default_value = "target/lab")]
    out: PathBuf,
    /// Write the document docs/reports/lab.md there; not with --quick
    #[arg(long, env = "BREAKWATER_LAB_DOCUMENT", conflicts_with = "quick")]
    document: Option<PathBuf>,
    /// Put the document's conclusions between the marks of this README, too
    #[arg(long, env = "BREAKWATER_LAB_README", requires = "document")]
    readme: Option<PathBuf>,
    /// Print summary.json instead of a table
    #[arg(long, env = "BREAKWATER_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

/// The example, and every market whose parameters are not the example's in proportion.
fn markets() -> Result<Vec<(String, Config)>, Box<dyn Error>> {
    let scaled = |base: Config| {
        Protocol {
            base,
            ..Protocol::default()
        }
        .config()
    };
    let mut markets = vec![("example".to_owned(), Config::EXAMPLE)];
    for (name, text) in MARKETS {
        let config = Market::parse(text)
            .map_err(|error| format!("{name}: {error}"))?
            .parameters
            .0;
        let example = scaled(Config::EXAMPLE)?;
        let mut other = scaled(config)?;
        // What one account owes at least, and one bounty, are no matter of a market's size.
        if config.min_debt == Config::EXAMPLE.min_debt {
            other.min_debt = example.min_debt;
            (other.bounty_tip, other.bounty_cap) = (example.bounty_tip, example.bounty_cap);
        }
        if other != example {
            markets.push((name.to_owned(), config));
        }
    }
    Ok(markets)
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
        let depths: Vec<Part> = self.depth.iter().map(|percent| Part::of(percent / 100.0)).collect();
        let seeds = self.seeds.unwrap_or(if self.quick { 2 } else { 16 });
        Ok(Plan {
            ground: Ground {
                scenarios,
                markets: markets()?,
                candles: self.candles.as_deref().map(Candles::read).transpose()?,
            },
            mechanisms: self.mechanism.clone(),
            depths: if self.quick {
                depths.into_iter().take(1).collect()
            } else {
                depths
            },
            seeds,
            few: if self.quick { seeds } else { seeds.div_ceil(8) },
            deep: !self.quick,
        })
    }
}

/// Measures, writes the files, and prints the result. Fails if a goal is missed.
pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let plan = options.plan()?;
    let began = Instant::now();
    let mut progress = Progress::new("lab");
    let study = plan.study(|done, all| {
        progress.at(done as u64, all as u64, || format!("{done} of {all} measurements"));
    })?;
    progress.finish();
    let goals = if plan.deep {
        goals::goals(&plan, &study)
    } else {
        Goals::new()
    };

    fs::create_dir_all(&options.out)?;
    let write = |name: &str, text: String| fs::write(options.out.join(name), text);
    let summary = serde_json::to_string_pretty(&cascade::summary(&plan, &study))? + "\n";
    write("report.html", cascade::html(&plan, &study, &goals)?)?;
    write("goals.json", serde_json::to_string_pretty(&goals)? + "\n")?;
    write("study.json", serde_json::to_string_pretty(&study)? + "\n")?;
    if options.json {
        print!("{summary}");
    } else {
        println!("{}", cascade::table(&plan, &study));
        println!(
            "  {:.1} s.  Report: {}",
            began.elapsed().as_secs_f64(),
            options.out.join("report.html").display()
        );
    }
    write("summary.json", summary)?;
    if let Some(path) = &options.document {
        let document = cascade::document(&plan, &study, &goals);
        if let Some(readme) = &options.readme {
            let text = with_conclusions(&fs::read_to_string(readme)?, &document)?;
            fs::write(readme, text)?;
        }
        fs::write(path, document)?;
    }
    if options.quick {
        return Ok(());
    }
    judge(&goals)
}

/// Where README shows what the figures say.
const MARKS: (&str, &str) = (
    "<!-- written by make lab -->\n",
    "<!-- end of what make lab wrote -->\n",
);
/// The document's section with it.
const SECTION: &str = "## What the figures say\n\n";

/// README with the conclusions of `document` between its marks.
fn with_conclusions(readme: &str, document: &str) -> Result<String, Box<dyn Error>> {
    let section = document.split_once(SECTION).ok_or("the document has no conclusions")?.1;
    let conclusions = section.split("\n\n").next().unwrap_or(section).trim_end();
    let (before, rest) = readme.split_once(MARKS.0).ok_or("README has no mark")?;
    let (_, after) = rest.split_once(MARKS.1).ok_or("README has no second mark")?;
    Ok(format!("{before}{}\n{conclusions}\n\n{}{after}", MARKS.0, MARKS.1))
}

/// Fails with the goals that are missed, and if a large market takes too long.
fn judge(goals: &Goals) -> Result<(), Box<dyn Error>> {
    eprint!("{}", cascade::goals(goals));
    let seconds = study::speed()?;
    eprintln!("  100,000 accounts over 72 h in steps of 10 s, Breakwater and dump: {seconds:.1} s on one core.");
    if seconds > LARGE_MARKET_SECONDS {
        return Err(
            format!("that is more than {LARGE_MARKET_SECONDS} s: work must not grow with accounts × steps").into(),
        );
    }
    let missed: Vec<&str> = goals
        .iter()
        .filter(|(_, goal)| !goal.ok)
        .map(|(name, _)| name.as_str())
        .collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(format!("goals missed: {}", missed.join("; ")).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/reports/lab.md");

    /// The document for people was measured with the parameters that ship.
    #[test]
    fn the_document_was_measured_with_these_markets() {
        for (name, config) in markets().unwrap() {
            assert!(
                cascade::measured_with(DOCUMENT, &name, &config),
                "{name} `{}` has other parameters than docs/reports/lab.md was measured with: run `make lab`",
                cascade::fingerprint(&config)
            );
        }
    }

    #[test]
    fn readme_says_what_the_document_says() {
        let readme = include_str!("../../../README.md");
        let written = with_conclusions(readme, DOCUMENT).unwrap();
        assert!(
            written == readme,
            "README's conclusions are not those of docs/reports/lab.md: run `make lab`"
        );
    }

    #[test]
    fn sol_usdc_is_the_example() {
        let names: Vec<String> = markets().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[0], "example");
        assert!(!names.contains(&"sol-usdc".to_owned()), "{names:?}");
    }
}
