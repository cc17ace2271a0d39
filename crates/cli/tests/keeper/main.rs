//! `breakwater keeper run`, the process itself, over JSON-RPC and WebSocket against a local validator.

mod cable;
mod deployment;
mod proxy;
mod subscription;

use std::{
    collections::HashMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater::events::Liquidated;
use deployment::Deployment;
use proxy::{Forgery, Lie, dead, lying};

/// Nothing here takes nearly as long.
const PATIENCE: Duration = Duration::from_mins(3);

/// A keeper's process. Ends with the test; if that fails, its log is printed.
struct Keeper {
    child: Child,
    log: PathBuf,
}

impl Keeper {
    fn start(deployment: &Deployment, keypair: &Path, urls: &[String], options: &[&str]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keeper {} of {}.log", COUNT.fetch_add(1, Relaxed), std::process::id());
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let stderr = fs::File::create(&log).unwrap();
        let child = command(deployment, keypair, urls, options)
            .stderr(stderr)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Tells it to stop and sees that it does, well and soon. Returns its log.
    fn stop(mut self, signal: &str) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let asked = Instant::now();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "exit on {signal}");
        assert!(
            asked.elapsed() < Duration::from_secs(8),
            "it took {:?}",
            asked.elapsed()
        );
        self.log()
    }

    /// Ends it without a word.
    fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log()
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            println!("{}", self.log());
        }
        let _ = fs::remove_file(&self.log);
    }
}

fn command(deployment: &Deployment, keypair: &Path, urls: &[String], options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    command.args([
        "keeper",
        "run",
        "--interval-ms",
        "200",
        "--reader-seconds",
        "2",
        "--timeout-ms",
        "2000",
    ]);
    command
        .args([
            "--clock-drift-seconds",
            "5",
            "--market",
            &deployment.keys.market.to_string(),
            "--keypair",
        ])
        .arg(keypair);
    let honest = deployment.net.rpc_url();
    for url in urls {
        let socket = if url == honest {
            deployment.socket.clone()
        } else {
            url.replacen("http", "ws", 1)
        };
        command.args(["--url", url, "--ws-url", &socket]);
    }
    let feeds = [
        (&deployment.keys.collateral_feed, "SOL/USD"),
        (&deployment.keys.quote_feed, "USDC/USD"),
    ];
    for (account, symbol) in feeds {
        let id = hex::encode(breakwater_testkit::pyth::feed_id_for(symbol));
        command.args(["--price-account", &format!("{id}:{account}")]);
    }
    command.args(options).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "still not after {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Asserts that the events of all keepers are the changes of the accounts, the backstop and the ledgers.
fn assert_counted_once(deployment: &Deployment, keepers: &[Pubkey]) -> Vec<Liquidated> {
    let mut all = Vec::new();
    for keeper in keepers {
        let (liquidations, _) = deployment.liquidations(keeper);
        let earned: u64 = liquidations.iter().map(|one| one.liquidation.bounty.0).sum();
        assert_eq!(
            deployment.ledger(keeper).unwrap().credit.0,
            earned,
            "the bounties of {keeper}"
        );
        all.extend(liquidations);
    }
    let market = deployment.market();
    let index = market.books.pool.index;
    let mut of_account: HashMap<Pubkey, (u64, u64)> = HashMap::new();
    for one in &all {
        let sum = of_account.entry(one.margin_account).or_default();
        sum.0 += one.liquidation.repaid.0;
        sum.1 += one.liquidation.seized.0;
    }
    for ((address, before), after) in deployment.accounts.iter().zip(deployment.margin_accounts()) {
        let (repaid, seized) = of_account.remove(address).unwrap_or_default();
        let gone = index.debt(before.debt_shares).unwrap().0 - index.debt(after.debt_shares).unwrap().0;
        assert!(
            gone.abs_diff(repaid) <= 1,
            "{address}: {repaid} repaid by its events, {gone} on the chain"
        );
        assert_eq!(before.collateral.0 - after.collateral.0, seized, "{address}");
    }
    assert!(
        of_account.is_empty(),
        "events of accounts that are not there: {of_account:?}"
    );
    let seized: u64 = all.iter().map(|one| one.liquidation.seized.0).sum();
    assert_eq!(market.books.backstop.inventory.0, seized);
    all
}

#[test]
fn two_keepers_clear_a_crash_among_dead_and_lying_nodes_and_one_is_killed_on_the_way() {
    let mut deployment = Deployment::build(200);
    let honest = deployment.net.rpc_url().to_owned();
    let genesis = deployment.net.rpc_client().get_genesis_hash().unwrap().to_string();
    // One lies with today's slot and clock, and the price from before the crash: that cannot be told from the truth.
    let forgery: Arc<Mutex<Forgery>> = Arc::default();
    let forged = lying(&honest, Lie::Forged(Arc::clone(&forgery)));
    let urls = [
        dead(),
        lying(&honest, Lie::Genesis),
        lying(&honest, Lie::Frozen),
        forged,
        honest,
    ];
    let ((ann, ann_file), (bob, bob_file)) = (deployment.keeper(101), deployment.keeper(102));
    let options = ["--genesis", &genesis, "--in-flight", "1"];

    deployment.set_price(100);
    let calm = BASE64_STANDARD.encode(deployment.feed_data());
    let first = Keeper::start(&deployment, &ann_file, &urls, &options);
    until("the ledger is open", || deployment.ledger(&ann).is_some());
    assert_eq!(deployment.liquidatable(100), 0);
    deployment.set_price(72);
    *forgery.lock().unwrap() = Forgery {
        truth: BASE64_STANDARD.encode(deployment.feed_data()),
        lie: calm,
        told: 0,
    };
    let due = deployment.liquidatable(72);
    assert!((150..200).contains(&due), "{due}");

    until("some are liquidated", || deployment.liquidatable(72) < due);
    let log = first.kill();
    let left = deployment.liquidatable(72);
    assert!(left > 0, "all were liquidated before it was killed:\n{log}");
    for trouble in ["failed", "it is of another cluster"] {
        assert!(log.contains(trouble), "{trouble}:\n{log}");
    }

    let started = Instant::now();
    let second = Keeper::start(&deployment, &ann_file, &urls, &options);
    let third = Keeper::start(&deployment, &bob_file, &urls, &options);
    until("all are liquidated", || deployment.liquidatable(72) == 0);
    println!(
        "{left} of {due} accounts were left to two keepers, which took {:.1?} from their start",
        started.elapsed()
    );
    // What came too late is confirmed too, and counted.
    thread::sleep(Duration::from_secs(2));
    let logs = [second.stop("-TERM"), third.stop("-INT")];
    for log in &logs {
        assert!(log.contains("stopped"), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
    assert!(logs.iter().any(|log| log.contains("its clock is")), "{}", logs.concat());
    assert!(forgery.lock().unwrap().told > 0, "nobody asked the forger");
    let all = assert_counted_once(&deployment, &[ann, bob]);
    assert!(all.len() >= due, "{} events for {due} accounts", all.len());
    println!(
        "{} liquidations, {:?}",
        all.len(),
        [&ann, &bob].map(|keeper| deployment.liquidations(keeper).0.len())
    );
}

#[test]
fn lookup_tables_are_made_ahead_and_found_again() {
    let mut deployment = Deployment::build(120);
    let urls = [deployment.net.rpc_url().to_owned()];
    let (ann, file) = deployment.keeper(103);
    deployment.set_price(100);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let options = [
        "--tables",
        "1",
        "--tables-within",
        "3000",
        "--listen",
        &listen,
        "--log",
        "json",
    ];
    let keeper = Keeper::start(&deployment, &file, &urls, &options);
    let held = || metric(port, "breakwater_keeper_table_addresses");
    until("the tables hold all accounts", || held() >= 120);
    let log = keeper.stop("-TERM");
    let of = |message: &str| log.lines().filter(|line| line.contains(message)).count();
    assert_eq!(of("making a lookup table"), 1, "{log}");
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{log}"
    );

    deployment.set_price(72);
    let due = deployment.liquidatable(72);
    let keeper = Keeper::start(&deployment, &file, &urls, &options);
    until("all are liquidated", || deployment.liquidatable(72) == 0);
    assert_eq!(http(port, "/healthz").0, 200);
    // Each of them was changed, and it heard of that; and what it follows has the debt of the market's books.
    let value = |name: &str| metric(port, &format!("breakwater_keeper_{name}"));
    let in_debt = deployment.margin_accounts().iter().filter(|one| one.has_debt()).count();
    until("all news are taken in", || {
        let [updates, accounts] = [due, in_debt].map(|number| i128::try_from(number).unwrap());
        value("updates_total") >= updates && value("accounts") == accounts && value("debt_shares_missing") == 0
    });
    let log = keeper.stop("-TERM");
    assert!(!log.contains("making a lookup table"), "{log}");
    let all = assert_counted_once(&deployment, &[ann]);
    let (_, with_table) = deployment.liquidations(&ann);
    // 57 fit with a table, 26 without.
    assert_eq!((all.len(), with_table), (due, due.div_ceil(57)));
}

#[test]
fn once_does_what_there_is_to_do_and_a_dry_run_does_nothing() {
    let mut deployment = Deployment::build(30);
    let urls = [deployment.net.rpc_url().to_owned()];
    let (ann, file) = deployment.keeper(104);
    deployment.set_price(72);
    let due = deployment.liquidatable(72);
    let run = |options: &[&str]| -> Output { command(&deployment, &file, &urls, options).output().unwrap() };
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let before = deployment.account(&ann).unwrap().lamports;
    let dry = run(&["--once", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", said(&dry));
    assert!(said(&dry).contains("would send"), "{}", said(&dry));
    assert_eq!(
        (deployment.liquidatable(72), deployment.account(&ann).unwrap().lamports),
        (due, before)
    );

    // Opens the ledger, liquidates, and claims: 10 USDC of bounties come in a few transactions.
    let once = run(&["--once", "--claim-above", "1"]);
    assert_eq!(once.status.code(), Some(0), "{}", said(&once));
    assert_eq!(deployment.liquidatable(72), 0, "{}", said(&once));
    let paid = deployment.account(&deployment.keys.quote_of(&ann)).unwrap();
    let paid = u64::from_le_bytes(paid.data[64..72].try_into().unwrap());
    let earned: u64 = deployment
        .liquidations(&ann)
        .0
        .iter()
        .map(|one| one.liquidation.bounty.0)
        .sum();
    assert!(earned > 0);
    assert_eq!((paid, deployment.ledger(&ann).unwrap().credit.0), (earned, 0));

    let nowhere = command(&deployment, &file, &[dead()], &["--once", "--ws-url", "b"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2), "{}", said(&nowhere));
    assert!(
        said(&nowhere).contains("2 of --ws-url for 1 of --url"),
        "{}",
        said(&nowhere)
    );
    let missing = run(&["--once", "--keypair", "nowhere.json"]);
    assert_eq!(missing.status.code(), Some(2), "given twice: {}", said(&missing));
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Status and body.
fn http(port: u16, path: &str) -> (u16, String) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return (0, String::new());
    };
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: keeper\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Value of a metric that counts up, or of one that tells a lack or an excess: a whole number.
fn metric(port: u16, name: &str) -> i128 {
    let (_, body) = http(port, "/metrics");
    let line = body
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
    line.map_or(0, |value| value.parse().unwrap())
}
