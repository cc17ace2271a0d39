//! `breakwater migrate`, the command itself, over JSON-RPC against a local validator inside the test (Surfpool), with
//! the configurations of `migrations/`. There is no mainnet behind it: the test writes mints of the right decimals to
//! their mainnet addresses. Price feeds are not needed to create a market.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anchor_lang::prelude::Pubkey;
use breakwater_client::{addresses, decode};
use breakwater_engine::Market;
use breakwater_testkit::{
    MintSpec,
    program_file::{breakwater_program, upgradeable_program},
};
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;
use surfpool_sdk::{Surfnet, cheatcodes::builders::SetAccount};

const SOL: &str = "So11111111111111111111111111111111111111112";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
const JITOSOL: &str = "J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn";

/// The configurations, and the mints of each: collateral, quote.
const MARKETS: [(&str, &str, &str); 3] = [
    ("sol-usdc", SOL, USDC),
    ("usdc-sol", USDC, SOL),
    ("jitosol-usdc", JITOSOL, USDC),
];

fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations")
}

/// A local validator with the program and the mints, and its upgrade authority's keypair in a file.
struct Cluster {
    net: Surfnet,
    runtime: tokio::runtime::Runtime,
    authority: Pubkey,
    keypair: PathBuf,
}

impl Cluster {
    /// `name` is that of the test, for the keypair's file.
    fn start(name: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let keypair = Keypair::new_from_array([7; 32]);
        let authority = keypair.pubkey();
        let builder = Surfnet::builder().offline(true).airdrop_addresses(vec![authority]);
        let net = runtime.block_on(builder.start()).unwrap();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.json"));
        write_keypair_file(&keypair, &file).unwrap();
        let cluster = Self {
            net,
            runtime,
            authority,
            keypair: file,
        };
        for (address, account) in upgradeable_program(&breakwater::ID, &authority, &breakwater_program()) {
            cluster.write(&address, account);
        }
        for (mint, decimals) in [(SOL, 9), (USDC, 6), (JITOSOL, 9)] {
            cluster.mint(mint, decimals);
        }
        cluster
    }

    fn write(&self, address: &Pubkey, account: breakwater_testkit::Account) {
        let _guard = self.runtime.enter();
        let set = SetAccount::new(*address)
            .lamports(account.lamports)
            .data(account.data)
            .owner(account.owner)
            .executable(account.executable);
        self.net.cheatcodes().execute(set).unwrap();
    }

    fn mint(&self, address: &str, decimals: u8) {
        self.write(
            &address.parse().unwrap(),
            MintSpec::classic(address, decimals).account(),
        );
    }

    /// The command with these options.
    fn migrate(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
        command
            .args(["migrate", "--url", self.net.rpc_url(), "--keypair"])
            .arg(&self.keypair);
        command.args(options).output().unwrap()
    }

    /// The command on all three configurations.
    fn migrate_all(&self, options: &[&str]) -> Output {
        let files = MARKETS.map(|(name, ..)| migrations().join(format!("{name}.toml")));
        let files = files.iter().flat_map(|file| ["--config", file.to_str().unwrap()]);
        self.migrate(&files.chain(options.iter().copied()).collect::<Vec<_>>())
    }

    fn account(&self, address: &Pubkey) -> Option<breakwater_testkit::Account> {
        let client = self.net.rpc_client();
        let commitment = client.commitment();
        client.get_account_with_commitment(address, commitment).unwrap().value
    }

    fn market(&self, (_, collateral, quote): (&str, &str, &str)) -> Option<Market> {
        let address = addresses::market(&collateral.parse().unwrap(), &quote.parse().unwrap(), 0);
        self.account(&address)
            .map(|account| decode::market(&account.data).unwrap())
    }

    /// Every account that a migration creates, as it is now.
    fn everything(&self) -> Vec<Option<breakwater_testkit::Account>> {
        let of_markets = MARKETS.iter().flat_map(|(_, collateral, quote)| {
            let keys = addresses::MarketAddresses::derive(&collateral.parse().unwrap(), &quote.parse().unwrap(), 0);
            [keys.market, keys.collateral_vault, keys.quote_vault, keys.lp_mint]
        });
        let all: Vec<Pubkey> = std::iter::once(addresses::protocol()).chain(of_markets).collect();
        all.iter().map(|address| self.account(address)).collect()
    }
}

/// The lines it printed, of a run that went well.
#[track_caller]
fn printed(output: &Output) -> Vec<String> {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    out.lines().map(str::to_owned).collect()
}

/// Its complaint, of a run that did not go well.
#[track_caller]
fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn lines(cluster: &Cluster, protocol: &str, market: &str) -> Vec<String> {
    let first = [
        format!("program {}, signer {}", breakwater::ID, cluster.authority),
        format!("protocol: {protocol}, authority {}", cluster.authority),
    ];
    let markets = [
        ("SOL/USDC", SOL, USDC),
        ("USDC/SOL", USDC, SOL),
        ("JitoSOL/USDC", JITOSOL, USDC),
    ];
    let markets = markets.map(|(name, collateral, quote)| {
        let address = addresses::market(&collateral.parse().unwrap(), &quote.parse().unwrap(), 0);
        market.replace("NAME", name).replace("ADDRESS", &address.to_string())
    });
    first.into_iter().chain(markets).collect()
}

#[test]
fn it_creates_what_is_missing_and_a_second_run_changes_nothing() {
    let cluster = Cluster::start("twice");
    let before = cluster.everything();
    assert!(before.iter().all(Option::is_none));
    let dry = printed(&cluster.migrate_all(&["--dry-run"]));
    assert_eq!(
        dry,
        lines(
            &cluster,
            "would be initialized",
            "market NAME: would be created at ADDRESS"
        )
    );
    assert_eq!(cluster.everything(), before);

    let program = breakwater::ID.to_string();
    let first = printed(&cluster.migrate_all(&["--program-id", &program]));
    assert_eq!(
        first,
        lines(
            &cluster,
            "initialized",
            "market NAME: created at ADDRESS, as the file says"
        )
    );
    let after = cluster.everything();
    assert!(after.iter().all(Option::is_some));
    // The file's own words, read by another reader than the command's.
    for names in MARKETS {
        let file: toml::Value =
            toml::from_str(&std::fs::read_to_string(migrations().join(names.0).with_extension("toml")).unwrap())
                .unwrap();
        let config = cluster.market(names).unwrap().config;
        let parameter = |name: &str| file["parameters"][name].as_integer().unwrap();
        assert_eq!(i64::from(config.liquidation_ltv.0), parameter("liquidation_ltv"));
        assert_eq!(i64::try_from(config.min_debt.0).unwrap(), parameter("min_debt"));
        assert_eq!(i64::from(config.pipeline), parameter("pipeline"));
        assert_eq!(i64::try_from(config.market_depth.0).unwrap(), parameter("market_depth"));
        let share = cluster.market(names).unwrap().depth.share;
        assert_eq!(i64::from(share.0), file["depth"]["share"].as_integer().unwrap());
    }
    let [_, _, jitosol] = MARKETS.map(|names| cluster.market(names).unwrap().oracle);
    assert!(jitosol.has_redemption());

    let second = printed(&cluster.migrate_all(&[]));
    assert_eq!(
        second,
        lines(&cluster, "exists", "market NAME: exists at ADDRESS, as the file says")
    );
    assert_eq!(cluster.everything(), after);
}

#[test]
fn anchor_runs_the_script_with_its_cluster_and_its_wallet() {
    if let Err(error) = Command::new("node").arg("--version").output() {
        assert!(std::env::var_os("CI").is_none(), "no node: {error}");
        // Past what the test harness keeps to itself: a test that did not run should not look like one that did.
        let told = writeln!(
            std::io::stderr(),
            "SKIPPED: migrations/deploy.js was not run, for there is no node: {error}"
        );
        return told.unwrap();
    }
    let cluster = Cluster::start("script");
    // What the host that `anchor migrate` writes does, without the package of Anchor's that it needs for it.
    let host = "require(process.argv[1])({ connection: { rpcEndpoint: process.argv[2] } })";
    let run = |wallet: &Path| {
        Command::new("node")
            .args(["-e", host])
            .arg(migrations().join("deploy.js"))
            .arg(cluster.net.rpc_url())
            .env("ANCHOR_WALLET", wallet)
            .env("BREAKWATER_CLI", env!("CARGO_BIN_EXE_breakwater"))
            .output()
            .unwrap()
    };
    let failed = run(Path::new("nowhere.json"));
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stderr).contains("breakwater migrate failed: exit status 1"));
    printed(&run(&cluster.keypair));
    assert!(MARKETS.iter().all(|names| cluster.market(*names).is_some()));
}

#[test]
fn it_refuses_before_it_sends_anything() {
    let cluster = Cluster::start("refusals");
    let before = cluster.everything();
    let other = SOL;
    let refused = complaint(&cluster.migrate_all(&["--program-id", other]));
    assert!(
        refused.contains(&format!("built for the program {}", breakwater::ID)),
        "{refused}"
    );
    cluster.mint(JITOSOL, 6);
    let refused = complaint(&cluster.migrate_all(&["--dry-run"]));
    assert!(refused.contains("has 6 decimals, the file says 9"), "{refused}");
    assert_eq!(cluster.everything(), before);
}

#[test]
fn a_market_that_differs_is_named_and_left_alone() {
    let cluster = Cluster::start("differs");
    printed(&cluster.migrate_all(&[]));
    let after = cluster.everything();
    let text = std::fs::read_to_string(migrations().join("sol-usdc.toml")).unwrap();
    let changed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("changed.toml");
    std::fs::write(&changed, text.replace("reserve_factor = 2000", "reserve_factor = 2500")).unwrap();
    let refused = complaint(&cluster.migrate(&["--config", changed.to_str().unwrap()]));
    assert!(
        refused.contains("reserve_factor: 2500 in the file, 2000 on the chain"),
        "{refused}"
    );
    assert_eq!(cluster.everything(), after);
}

#[test]
fn only_the_upgrade_authority_initializes_and_only_the_authority_creates() {
    let mut cluster = Cluster::start("strangers");
    let stranger = Keypair::new_from_array([8; 32]);
    let own = cluster.keypair.clone();
    cluster.keypair = own.with_file_name("stranger.json");
    write_keypair_file(&stranger, &cluster.keypair).unwrap();
    let refused = complaint(&cluster.migrate_all(&[]));
    assert!(
        refused.contains("only the program's upgrade authority can initialize"),
        "{refused}"
    );
    let strangers = std::mem::replace(&mut cluster.keypair, own);
    let sol_usdc = migrations().join("sol-usdc.toml");
    printed(&cluster.migrate(&["--config", sol_usdc.to_str().unwrap()]));
    cluster.keypair = strangers;
    let refused = complaint(&cluster.migrate_all(&[]));
    assert!(refused.contains("only the protocol's authority"), "{refused}");
}
