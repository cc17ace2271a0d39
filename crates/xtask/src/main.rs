//! The chores of this repository: what measures, generates and checks. `make help` lists them by what they are for.

mod assurance;
mod cu;
mod demo;
mod guards;
mod idl;
mod index;
mod instructions;
mod links;
mod planted;
mod risk;

use clap::Parser;
use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Outcome of a chore: true if everything that has to hold did.
type Done = Result<bool, Box<dyn Error>>;

/// The chores of this repository
#[derive(Parser)]
enum Task {
    /// Joins the figures of all checks in docs/reports/assurance.md
    Assurance {
        /// Only compares them
        #[arg(long)]
        check: bool,
    },
    /// Measures compute units: docs/reports/cu.md
    Cu,
    /// Replays Black Thursday on the compiled program: target/demo/report.html
    Demo,
    /// Measures the price guards: docs/reports/guards.md
    Guards,
    /// Writes the program's IDL
    Idl {
        /// The program's folder
        program: PathBuf,
        /// The file to be written
        file: PathBuf,
    },
    /// Measures the keeper's index
    Index {
        /// Accounts in it
        #[arg(default_value_t = 1_000_000)]
        accounts: usize,
        /// Accounts that a tick makes liquidatable
        #[arg(default_value_t = 1_000)]
        liquidatable: usize,
    },
    /// Writes what each instruction takes and answers: docs/instructions.md
    Instructions,
    /// Looks for links and file names in docs and comments that lead nowhere
    Links,
    /// Plants mistakes in the engine, which its promises must notice
    Planted {
        /// Only those for these promises
        promises: Vec<String>,
    },
    /// Prints the types of the quotes' questions and answers
    QuotesIdl,
    /// Measures margin that follows risk: docs/reports/risk-experiment.md
    Risk,
}

/// The root of the repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn run(task: Task) -> Done {
    match task {
        Task::Assurance { check } => assurance::run(check),
        Task::Cu => {
            cu::run();
            Ok(true)
        }
        Task::Demo => demo::run(),
        Task::Guards => guards::run(),
        Task::Idl { program, file } => idl::run(&program, &file),
        Task::Index { accounts, liquidatable } => Ok(index::run(accounts, liquidatable)),
        Task::Instructions => instructions::run(),
        Task::Links => links::run(),
        Task::Planted { promises } => planted::run(&promises),
        Task::QuotesIdl => {
            println!("{:#}", breakwater_wasm::idl());
            Ok(true)
        }
        Task::Risk => risk::run(),
    }
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
