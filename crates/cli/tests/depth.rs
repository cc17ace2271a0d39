//! `breakwater depth`, the command itself: quotes of a server on this machine and of a command.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use serde_json::{Value, json};

const SOL: &str = "So11111111111111111111111111111111111111112";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// A market of constant product on this machine, that holds `y` quote atoms beside 100,000 SOL.
struct Server {
    url: String,
    /// Quote atoms. Zero answers with an error.
    y: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Server {
    fn start(y: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/quotes?key=1", listener.local_addr().unwrap());
        let (y, asked) = (Arc::new(AtomicU64::new(y)), Arc::new(AtomicU64::new(0)));
        let (held, count) = (Arc::clone(&y), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Relaxed);
                answer(&mut stream.unwrap(), held.load(Relaxed));
            }
        });
        Self { url, y, asked }
    }
}

fn answer(stream: &mut TcpStream, y: u64) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    while !lines.ends_with(&["\r\n".to_owned()]) {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        lines.push(line);
    }
    assert!(lines[0].starts_with("POST /quotes?key=1 HTTP/1.0"), "{lines:?}");
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let question: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&question["sell"], &question["for"]), (&SOL.into(), &USDC.into()));
    let amount: u128 = question["amount"].as_str().unwrap().parse().unwrap();
    let said = if y == 0 {
        json!({ "error": "the route is down" })
    } else {
        let received = u128::from(y) * amount / (100_000_000_000_000 + amount);
        json!({ "received": received.to_string() })
    };
    let said = said.to_string();
    write!(
        stream,
        "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{said}"
    )
    .unwrap();
}

/// A file of this test's, not there yet.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("depth-{name}"));
    let _ = fs::remove_file(&path);
    path
}

fn depth(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .arg("depth")
        .args(words)
        .output()
        .unwrap()
}

#[track_caller]
fn report(words: &[&str]) -> Value {
    let output = depth(&[words, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn refused(words: &[&str], code: i32, why: &str) {
    let output = depth(words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why), "{said}");
}

fn atoms(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// A pool of x and y at a constant product pays y ÷ (x + a) in the mean for a. That is 99.5% of what it pays for a
/// probe of x ÷ n when it has paid y × (1 − 0.995 ÷ (1 + 1 ÷ n)) in all. Found to a thousandth.
#[track_caller]
fn near(value: &Value, y: u64, n: u64) {
    let (found, expected) = (atoms(value), y - y / 1_000 * 995 / (n + 1) * n);
    assert!(
        found <= expected && expected - found < expected / 1_000,
        "{found} for {expected}"
    );
}

#[test]
fn samples_are_kept_and_the_lowest_of_them_decides() {
    let server = Server::start(15_000_000_000_000);
    let path = file("kept.json");
    let path = path.to_str().unwrap();
    let words = ["SOL", "--hook", &server.url, "--file", path, "--interval", "0"];
    let first = report(&[&words[..], &["--samples", "3"]].concat());
    assert_eq!(
        (&first["samples"], &first["asset"], &first["quote"]),
        (&3.into(), &SOL.into(), &USDC.into())
    );
    near(&first["stress"], 15_000_000_000_000, 100_000);
    assert_eq!(first["market_depth"], first["stress"]);
    let each = server.asked.load(Relaxed) / 3;
    assert!((10..80).contains(&each), "{each} questions for a sample");

    // A thinner market, and then one that is not there.
    server.y.store(3_000_000_000_000, Relaxed);
    let second = report(&[&words[..], &["--share", "2500"]].concat());
    assert_eq!((&second["samples"], &second["share_bps"]), (&4.into(), &2_500.into()));
    near(&second["stress"], 3_000_000_000_000, 100_000);
    assert_eq!(second["lowest"], second["newest"]);
    assert_eq!(second["highest"], first["highest"]);
    assert_eq!(atoms(&second["market_depth"]), atoms(&second["stress"]) / 4);
    server.y.store(0, Relaxed);
    let before = fs::read_to_string(path).unwrap();
    refused(
        &words,
        1,
        "the hook: the route is down\nbreakwater: no sample could be taken",
    );
    assert_eq!(fs::read_to_string(path).unwrap(), before);

    // The file alone, read otherwise; it says so from then on. The upper half of four is the third.
    let asked = server.asked.load(Relaxed);
    let again = report(&["SOL", "--file", path, "--quantile", "7500"]);
    assert_eq!((&again["samples"], &again["share_bps"]), (&4.into(), &2_500.into()));
    near(&again["stress"], 15_000_000_000_000, 100_000);
    assert_eq!(report(&["SOL", "--file", path])["quantile_bps"], 7_500);
    assert_eq!(server.asked.load(Relaxed), asked);
    let text = String::from_utf8(depth(&["SOL", "--file", path]).stdout).unwrap();
    for part in [
        "SOL sold for USDC",
        "of the lowest 75.00%",
        "the market's 25.00% of that",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_command_can_be_asked_as_well() {
    let script = file("hook.sh");
    // bc and the like are not everywhere, the shell's own arithmetic is: 63 bits.
    let words = "#!/bin/sh\namount=$(sed 's/.*\"amount\":\"\\([0-9]*\\)\".*/\\1/')\n\
                 echo \"{\\\"received\\\":\\\"$((12000000000 * (amount / 100) / (100000000000 + amount / 100)))\\\"}\"\n";
    fs::write(&script, words).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let found = report(&["SOL", "--hook", script.to_str().unwrap()]);
    near(&found["stress"], 12_000_000_000, 10_000);
    refused(&["SOL", "--hook", "false"], 1, "false ended with exit status: 1");
    refused(&["SOL", "--hook", "echo hello"], 1, "the hook answered \"hello\\n\"");
    refused(&["SOL", "--hook", "nowhere.sh"], 1, "nowhere.sh: No such file");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    refused(&["SOL"], 2, "neither a --hook to ask nor a --file to report");
    refused(&["SOL", "--hook", "http://192.0.2.1:80/"], 2, "is not this machine");
    refused(
        &["BONK", "--hook", "true"],
        1,
        "BONK is neither a known symbol nor a mint's address",
    );
    let mint = "J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPm";
    refused(&[mint, "--hook", "true"], 1, "are not known: give them with --decimals");
    let missing = file("missing.json");
    refused(
        &["SOL", "--file", missing.to_str().unwrap()],
        1,
        "is not there, and without --hook nothing can be measured",
    );
    let server = Server::start(15_000_000_000_000);
    let path = file("other.json");
    let path = path.to_str().unwrap();
    report(&["SOL", "--hook", &server.url, "--file", path]);
    refused(&["JitoSOL", "--file", path], 1, "the file has samples of So1111");
}
