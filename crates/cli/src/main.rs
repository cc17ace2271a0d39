//! `breakwater`: one command for what people do with Breakwater from a terminal.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod lab;
mod migrate;

/// Borrowing against isolated collateral on Solana, without liquidation cascades.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The cascade laboratory: liquidation mechanisms on the same crash, and what each costs
    Lab(lab::Options),
    /// Initialises the protocol and creates markets from configuration files, as far as they are not there
    Migrate(migrate::Options),
}

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let result = match command {
        Command::Lab(options) => lab::run(&options),
        Command::Migrate(options) => migrate::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("breakwater: {error}");
            ExitCode::FAILURE
        }
    }
}
