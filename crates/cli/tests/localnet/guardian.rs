//! `breakwater guardian run`: from the first look to the last atom out.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use crate::net::{Localnet, terminate};

const WEEK: u64 = 7 * 86_400;

/// One look, with limits that fit the localnet's small market.
#[track_caller]
fn run_once(net: &Localnet, more: &[&str]) -> Value {
    let words = [
        "guardian",
        "run",
        "SOL/USDC",
        "--keypair",
        "localnet/guardian.json",
        "--capital",
        "10000",
        "--once",
        "--calm",
        "0",
    ];
    net.json(&[&words[..], more].concat())
}

#[track_caller]
fn decided(decision: &Value, step: &str, why: &str) {
    let said = decision["why"].as_str().unwrap();
    assert_eq!(decision["step"], step, "{said}");
    assert!(said.contains(why), "{said}");
}

fn claim(net: &Localnet) -> u64 {
    net.json(&["backstop", "show", "SOL/USDC"])["guardians_claim"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn it_joins_asks_to_leave_and_leaves() {
    let net = Localnet::start("guardian", &[]);
    decided(&run_once(&net, &[]), "wait", "the nearest debt is");
    net.json(&["price", "SOL/USDC", "130"]);
    decided(&run_once(&net, &[]), "wait", "but the backstop has");
    decided(&run_once(&net, &["--depth-ratio", "1000000"]), "wait", "less than 50");
    let join = ["--depth-ratio", "1000000", "--least-return", "10"];
    let dry = run_once(&net, &[&join[..], &["--dry-run"]].concat());
    decided(&dry, "join", "would earn");
    assert_eq!(
        (&dry["signature"], &dry["dry_run"], claim(&net)),
        (&Value::Null, &true.into(), 0)
    );

    let joined = run_once(&net, &join);
    decided(&joined, "join", "would earn");
    assert_eq!(
        (joined["amount"].as_str(), claim(&net)),
        (Some("10000000000"), 10_000_000_000)
    );
    decided(&run_once(&net, &join), "wait", "inside, and debt is");
    // One that runs goes on until it is asked to end, and says the same only once.
    let words = [
        "guardian",
        "run",
        "SOL/USDC",
        "--keypair",
        "localnet/guardian.json",
        "--capital",
        "10000",
        "--interval",
        "1",
    ];
    let mut bot = net.command(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(bot.stdout.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    assert!(first.contains(" wait: "), "{first}");
    let events = net.run(&["events", "SOL/USDC", "--limit", "1", "--json"]).stdout;
    let last = String::from_utf8(events).unwrap().lines().last().unwrap().to_owned();
    assert_eq!(
        serde_json::from_str::<Value>(&last).unwrap()["event"],
        "GuardianDeposited"
    );
    terminate(&bot);
    assert_eq!(bot.wait().unwrap().code(), Some(0));
    assert!(said.next().is_none(), "it said the same twice");

    net.json(&["price", "SOL/USDC", "200", "--settle"]);
    // Who follows is told what comes.
    let words = ["events", "SOL/USDC", "--follow", "--json", "--limit", "1"];
    let mut follower = net.command(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut event = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap()["event"].take();
    assert_eq!(
        (event(), event()),
        ("GuardianPositionOpened".into(), "GuardianDeposited".into())
    );
    decided(&run_once(&net, &[]), "ask", "the nearest debt is");
    assert_eq!(event(), "GuardianRequested");
    terminate(&follower);
    assert_eq!(follower.wait().unwrap().code(), Some(0));
    decided(&run_once(&net, &[]), "wait", "asked to leave, ");
    let now = net.json(&["market", "show", "SOL/USDC"])["unix_time"].as_u64().unwrap();
    let travel = RpcRequest::Custom {
        method: "surfnet_timeTravel",
    };
    let then = (now + WEEK + 60) * 1_000;
    net.client()
        .send::<Value>(travel, json!([{ "absoluteTimestamp": then }]))
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while net.json(&["market", "show", "SOL/USDC"])["prices"].is_null() {
        assert!(std::time::Instant::now() < deadline, "no prices after the journey");
    }
    let left = run_once(&net, &[]);
    decided(&left, "leave", "the wait is over");
    // What the virtual shares keep of what the claim has earned for standing by.
    assert!(claim(&net) <= 1);
    let again = run_once(&net, &[]);
    decided(&again, "wait", "the nearest debt is");
}
