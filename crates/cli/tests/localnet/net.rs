//! `breakwater localnet` as a process, and the command against it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::token;
use breakwater::state::address;
use breakwater_client::{MarketKeys, decode, feeds};
use breakwater_engine::Market;
use serde_json::Value;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::{Keypair, read_keypair_file};
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// The program that a test of the whole workspace builds first.
fn program() -> PathBuf {
    std::env::var_os("BREAKWATER_SO").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
                || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
                PathBuf::from,
            );
            target.join("deploy/breakwater.so")
        },
        PathBuf::from,
    )
}

/// A running localnet, ended with this.
pub struct Localnet {
    process: Child,
    /// Its output when it was ready.
    pub ready: Value,
    folder: PathBuf,
}

impl Localnet {
    /// `name` is that of the test, for its folder.
    pub fn start(name: &str, options: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("localnet-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_breakwater"))
            .args(["localnet", "--port", "0", "--json", "--program"])
            .arg(program())
            .args(options)
            // Unless the options say so themselves.
            .env("BREAKWATER_SLOT_MS", "100")
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = told(&mut process);
        Self { process, ready, folder }
    }

    pub fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// Base URL of Hermes.
    pub fn hermes(&self) -> &str {
        self.ready["hermes"].as_str().unwrap()
    }

    pub fn market(&self) -> Pubkey {
        self.ready["market"].as_str().unwrap().parse().unwrap()
    }

    /// The market's account.
    pub fn state(&self) -> Market {
        decode::market(&self.client().get_account_data(&self.market()).unwrap()).unwrap()
    }

    /// The market's keys, with the accounts that the sponsor posts to.
    pub fn keys(&self) -> MarketKeys {
        let market = self.state();
        let feed = |pin| feeds::default_account(pin).unwrap();
        MarketKeys::derive(
            (
                address(market.collateral_mint),
                token::ID,
                feed(&market.oracle.collateral_feed),
            ),
            (address(market.quote_mint), token::ID, feed(&market.oracle.quote_feed)),
            market.id,
        )
    }

    /// The command with these words, in the localnet's folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
        command
            .args(words)
            .current_dir(&self.folder)
            .env("BREAKWATER_URL", self.url())
            .env("BREAKWATER_SO", program());
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The same with this as its standard input.
    pub fn run_with(&self, words: &[&str], input: &[u8]) -> Output {
        let mut process = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Dropped at once, so that it ends.
        process.stdin.take().unwrap().write_all(input).unwrap();
        process.wait_with_output().unwrap()
    }

    /// Its output as JSON, of a run that went well.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Its complaint, of a run that failed.
    #[track_caller]
    pub fn complaint(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn keypair(&self, name: &str) -> Keypair {
        read_keypair_file(self.folder.join(format!("localnet/{name}.json"))).unwrap()
    }

    pub fn client(&self) -> RpcClient {
        RpcClient::new_with_commitment(self.url().to_owned(), CommitmentConfig::confirmed())
    }

    /// Sends instructions that `name` signs and pays.
    #[track_caller]
    pub fn send(&self, instructions: &[Instruction], name: &str) {
        let (client, keypair) = (self.client(), self.keypair(name));
        let blockhash = client.get_latest_blockhash().unwrap();
        let payer = keypair.pubkey();
        let transaction = Transaction::new_signed_with_payer(instructions, Some(&payer), &[&keypair], blockhash);
        client.send_and_confirm_transaction(&transaction).unwrap();
    }

    /// Asks it to end. Returns its exit code.
    pub fn end(mut self) -> Option<i32> {
        terminate(&self.process);
        self.process.wait().unwrap().code()
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        // Already ended in the tests that end it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// SIGTERM, which the standard library cannot send.
pub fn terminate(process: &Child) {
    let killed = Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert!(killed.success());
}

/// The first JSON document that a process prints.
#[track_caller]
pub fn told(process: &mut Child) -> Value {
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    let mut text = String::new();
    while !text.ends_with("\n}\n") {
        assert!(lines.read_line(&mut text).unwrap() > 0, "it ended after: {text}");
    }
    // Else it could not say more.
    std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
    serde_json::from_str(&text).unwrap()
}
