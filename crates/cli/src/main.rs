//! `breakwater`: one command for what people do with Breakwater from a terminal.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 `account show --check` found an account that can be liquidated.

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};

mod account;
mod backstop;
mod cascade;
mod chain;
mod depth;
mod events;
mod format;
mod guardian;
mod heatmap;
mod hermes;
mod idl;
mod keeper;
mod lab;
mod localnet;
mod market;
mod migrate;
mod options;
mod price;
mod price_account;
mod pyth;
mod snapshot;
mod stop;

/// Borrowing against isolated collateral on Solana, without liquidation cascades.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage; 3 `account show --check` found an account that can be \
                        liquidated.\nEvery command's --help ends with an example for a localnet (`breakwater localnet`)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A local validator with the program, a market, people in it and prices to move
    Localnet(localnet::Options),
    /// Moves a price on a localnet
    Price(price::Options),
    /// Pyth's signed prices: fetch, read and post them
    #[command(subcommand)]
    Pyth(pyth::Command),
    /// Markets
    #[command(subcommand)]
    Market(market::Command),
    /// Margin accounts
    #[command(subcommand)]
    Account(account::Command),
    /// Where debt is liquidated
    Heatmap(heatmap::Options),
    /// Where a fall of the price by news ends
    Cascade(cascade::Options),
    /// How much of an asset a market bears to be sold
    Depth(depth::Options),
    /// The backstop
    #[command(subcommand)]
    Backstop(backstop::Command),
    /// Capital behind a backstop
    #[command(subcommand)]
    Guardian(guardian::Command),
    /// Events of the program
    Events(events::Options),
    /// Keepers: liquidate what can be liquidated, and earn the bounties
    Keeper(keeper::Options),
    /// The cascade laboratory: liquidation mechanisms on the same crash, and what each costs
    #[command(
        after_help = "Example:\n  breakwater lab --quick --scenario wick --mechanism none --depth 1 --seeds 1 --out target/lab-example"
    )]
    Lab(lab::Options),
    /// Initializes the protocol and creates markets from configuration files, as far as they are not there
    #[command(
        after_help = "Example:\n  breakwater migrate --url http://127.0.0.1:8899 --keypair localnet/authority.json \
                            --config localnet/market.toml --dry-run"
    )]
    Migrate(migrate::Options),
}

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("breakwater: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Localnet(options) => localnet::run(&options)?,
        Command::Price(options) => price::run(&options)?,
        Command::Pyth(command) => pyth::run(&command)?,
        Command::Market(command) => market::run(&command)?,
        Command::Account(command) => {
            if account::run(&command)? {
                return Ok(ExitCode::from(account::LIQUIDATABLE));
            }
        }
        Command::Heatmap(options) => heatmap::run(&options)?,
        Command::Cascade(options) => cascade::run(&options)?,
        Command::Depth(options) => depth::run(&options)?,
        Command::Backstop(command) => backstop::run(&command)?,
        Command::Guardian(command) => guardian::run(&command)?,
        Command::Events(options) => events::run(&options)?,
        Command::Keeper(options) => keeper::run(&options)?,
        Command::Lab(options) => lab::run(&options)?,
        Command::Migrate(options) => migrate::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction, CommandFactory};

    /// Every command without commands of its own, and the words that lead to it.
    fn leaves(command: &clap::Command, words: &str) -> Vec<(String, clap::Command)> {
        let words = format!("{words} {}", command.get_name());
        if !command.has_subcommands() {
            return vec![(words, command.clone())];
        }
        command.get_subcommands().flat_map(|one| leaves(one, &words)).collect()
    }

    /// Reads the value of an option's environment variable as the option does.
    fn read(flag: &Arg, value: &str) -> Option<bool> {
        // As an option with a value, so that the value can be given here.
        let flag = flag.clone().env(None).action(ArgAction::Set).num_args(1);
        let name = flag.get_id().to_string();
        let words = ["x".to_owned(), format!("--{}={value}", flag.get_long().unwrap())];
        let matches = clap::Command::new("x").arg(flag).try_get_matches_from(words).ok()?;
        matches.get_one(&name).copied()
    }

    #[test]
    fn every_option_has_an_environment_variable_and_those_of_flags_can_say_no() {
        let mut flags = 0;
        for (words, command) in leaves(&Cli::command(), "") {
            for option in command.get_arguments().filter(|option| !option.is_positional()) {
                let variable = option.get_env().and_then(|name| name.to_str());
                let name = format!("{words} --{}", option.get_id());
                let variable = variable.unwrap_or_else(|| panic!("{name} has none"));
                if variable == "NO_COLOR" {
                    // A convention of its own.
                    assert_eq!(
                        ["", "0", "1"].map(|value| read(option, value)),
                        [Some(false), Some(true), Some(true)]
                    );
                } else if matches!(option.get_action(), ArgAction::SetTrue) {
                    flags += 1;
                    for (value, yes) in [
                        ("", false),
                        ("0", false),
                        ("false", false),
                        ("no", false),
                        ("1", true),
                        ("true", true),
                    ] {
                        assert_eq!(read(option, value), Some(yes), "{name}: {variable}={value}");
                    }
                }
            }
        }
        assert!(flags > 15, "{flags}");
    }
}
