//! Commands that look, and the price, from a crash to its sale.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use breakwater_client::{addresses, feeds, instructions as ix};
use serde_json::Value;
use solana_signer::Signer;

use crate::net::Localnet;

const TOKEN: Pubkey = anchor_spl::token::ID;

fn atoms(value: &Value) -> u64 {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no amount"))
        .parse()
        .unwrap()
}

#[track_caller]
fn account(net: &Localnet, name: &str) -> Value {
    let file = format!("localnet/{name}.json");
    net.json(&["account", "show", "--market", "SOL/USDC", "--owner", &file])[0].take()
}

/// Interest runs between two looks: the same but for a thousandth of a per mille.
#[track_caller]
fn near(a: u64, b: u64) {
    assert!(a.abs_diff(b) <= a / 1_000_000 + 1, "{a} {b}");
}

#[test]
#[allow(clippy::too_many_lines, reason = "one list, read from top to bottom")]
fn a_crash_from_the_price_to_the_sale() {
    let net = Localnet::start("crash", &[]);
    let state = net.state();
    let keys = net.keys();
    let list = net.json(&["market", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(
        (&list[0]["name"], &list[0]["level"]),
        (&"SOL/USDC".into(), &"Normal".into())
    );
    assert_eq!(list[0]["market"], net.market().to_string());
    let shown = net.json(&["market", "show", &net.market().to_string()]);
    assert_eq!(shown["prices"]["spot"], "150.00000");
    assert_eq!(shown["ltv"]["liquidation_bps"], 8_000);
    assert_eq!(atoms(&shown["parameters"]["min_debt"]), state.config.min_debt.0);
    near(atoms(&shown["pool"]["debt"]), 31_800_000_000);
    let loans = &shown["new_loans"];
    // The cap of an account, less what its shares may be rounded up by.
    assert_eq!(loans["bound_by"], "AccountDebtCapReached");
    assert!(
        (99_999_999_999..=100_000_000_000).contains(&atoms(&loans["most"])),
        "{loans}"
    );
    // At 93 for a SOL bob's 19,800 lack 1,200; the map counts a little more, and a calm market asks new loans for as
    // much.
    let stress = &shown["backstop"]["stress"];
    let underwater = atoms(&stress["underwater"]);
    assert!((1_200_000_000..2_000_000_000).contains(&underwater), "{underwater}");
    near(atoms(&stress["cover"]), 50_000_000_000 - underwater);
    assert_eq!(
        (&stress["admission"], &stress["leaving"]),
        (&stress["cover"], &"0".into())
    );
    assert_eq!(atoms(&shown["backstop"]["hourly_flow"]), state.config.hourly_flow().0);
    // Collateral atoms at 150.
    near(
        atoms(&shown["backstop"]["pipeline_headroom"]),
        state.config.pipeline_value().0 * 20 / 3,
    );

    let bob = account(&net, "bob");
    assert_eq!(
        (&bob["liquidatable"], &bob["liquidation"], &bob["liquidation_refused"]),
        (&false.into(), &Value::Null, &Value::Null)
    );
    assert_eq!(
        (bob["ltv_bps"].as_u64(), &bob["liquidation_price"]),
        (Some(6_601), &"123.75000".into())
    );
    assert_eq!(
        (&bob["borrow_bound_by"], &bob["withdraw_bound_by"]),
        (&"InitialLtvExceeded".into(), &"InitialLtvExceeded".into())
    );
    let taken_over_at = bob["takeover_price"].as_str().unwrap();
    assert!(taken_over_at.starts_with("104.21"), "{taken_over_at}");
    // The quote is true: so much is lent. The cent is for the interest until then.
    let most = atoms(&bob["max_borrow"]);
    let margin = addresses::margin_account(&net.market(), &net.keypair("bob").pubkey(), 0);
    net.send(
        &[ix::borrow(&keys, &margin, &net.keypair("bob").pubkey(), most - 10_000)],
        "bob",
    );
    let left = atoms(&account(&net, "bob")["max_borrow"]);
    assert!(left <= 10_000, "{left} of {most}");
    let check = [
        "account",
        "show",
        "--market",
        "SOL/USDC",
        "--owner",
        "localnet/bob.json",
        "--check",
    ];
    assert_eq!(net.run(&check).status.code(), Some(0));

    let moved = net.json(&["price", "SOL/USDC", "128"]);
    assert_eq!(
        (&moved["before"], &moved["price"], &moved["conf"]),
        (&"150".into(), &"128".into(), &"0.128".into())
    );
    assert_eq!(net.run(&check).status.code(), Some(3));
    let foretold = account(&net, "bob");
    assert_eq!(
        (&foretold["price"], &foretold["liquidatable"]),
        (&"128.00000".into(), &true.into())
    );
    net.send(
        &[ix::liquidate(&keys, &margin, &net.keypair("keeper").pubkey())],
        "keeper",
    );

    let events = net.run(&["events", "SOL/USDC", "--limit", "1", "--json"]).stdout;
    let event: Value = serde_json::from_slice(&events).unwrap();
    assert_eq!(event["event"], "AccountsLiquidated");
    let done = &event["data"]["liquidated"][0];
    assert_eq!(done["margin_account"], margin.to_string());
    for field in ["repaid", "seized", "bounty"] {
        near(
            atoms(&done["liquidation"][field]),
            atoms(&foretold["liquidation"][field]),
        );
    }
    assert_eq!(done["liquidation"]["penalty"], foretold["liquidation"]["penalty_bps"]);

    let backstop = net.json(&["backstop", "show", "SOL/USDC"]);
    assert_eq!(backstop["inventory"], done["liquidation"]["seized"]);
    let asks = backstop["schedule"].as_array().unwrap();
    assert_eq!(
        asks.iter()
            .map(|ask| ask["discount_bps"].as_i64().unwrap())
            .take(3)
            .collect::<Vec<_>>(),
        [0, 300, 500]
    );
    assert_eq!(backstop["stress"]["fall_bps"], 3_800);
    assert_eq!(
        (&backstop["unfunded_credits"], &foretold["liquidation_waits"]),
        (&"0".into(), &Value::Null)
    );
    assert_eq!(foretold["liquidation"]["taken_over"], false);
    let available = atoms(&asks[0]["available"]);
    net.send(
        &[ix::buy_inventory(
            &keys,
            &net.keypair("buyer").pubkey(),
            available,
            u64::MAX,
        )],
        "buyer",
    );

    the_map_and_the_log(&net);
    assert_eq!(net.end(), Some(0));
}

/// After a sale.
#[track_caller]
fn the_map_and_the_log(net: &Localnet) {
    let map = net.json(&["heatmap", "SOL/USDC"]);
    let bands = map["bands"].as_array().unwrap();
    let total: u64 = bands.iter().map(|band| atoms(&band["debt"])).sum();
    let names = ["alice", "bob", "carol"];
    near(total, names.iter().map(|name| atoms(&account(net, name)["debt"])).sum());
    assert_eq!(bands.len(), 3);
    let picture = String::from_utf8(net.run(&["heatmap", "SOL/USDC", "--width", "20"]).stdout).unwrap();
    assert_eq!(picture.lines().filter(|line| line.contains('│')).count(), 3);
    assert!(!picture.contains('\x1b'), "no colors into a pipe");
    // Oldest first, and all of them the program's own.
    let events = String::from_utf8(net.run(&["events", "SOL/USDC", "--json"]).stdout).unwrap();
    let names: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].take())
        .collect();
    assert_eq!(
        (names.first(), names.last()),
        (Some(&"MarketCreated".into()), Some(&"InventorySold".into()))
    );
}

/// Until it holds.
#[track_caller]
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not in time");
        thread::yield_now();
    }
}

#[test]
fn a_price_stays_and_stays_fresh() {
    let net = Localnet::start("fresh", &["--guards", "real", "--price", "100"]);
    let state = net.state();
    let (pin, keys) = (state.oracle.collateral_feed, net.keys());
    let reading = || {
        let account = net.client().get_account(&keys.collateral_feed).unwrap();
        feeds::read(&pin, &keys.collateral_feed, &account.owner, &account.data).unwrap()
    };
    let first = reading();
    assert_eq!(
        net.json(&["price", "SOL/USDC", "80.5", "--conf", "0.08"])["average"],
        "100"
    );
    let moved = reading();
    assert_eq!((moved.price, moved.conf, moved.expo), (8_050_000_000, 8_000_000, -8));
    assert!(moved.publish_time > first.publish_time);
    for _ in 0..2 {
        let last = reading();
        wait_for("published again", || reading().publish_time > last.publish_time);
        assert_eq!((reading().price, reading().conf), (8_050_000_000, 8_000_000));
    }
    assert!(reading().ema_price < first.ema_price, "Pyth's EMA follows");
    // The guards are real: a fall of a fifth is not believed at once.
    let prices = net.json(&["market", "show", "SOL/USDC"])["prices"].take();
    assert_eq!(
        (&prices["level"], &prices["liquidations_refused"], &prices["spot"]),
        (&"Guarded".into(), &Value::Null, &"80.500000".into())
    );
    let bob = account(&net, "bob");
    assert_eq!(
        (&bob["max_borrow"], &bob["borrow_bound_by"]),
        (&"0".into(), &"MarketGuarded".into())
    );
    assert_eq!(
        (&bob["liquidatable"], &bob["liquidation"]),
        (&false.into(), &Value::Null)
    );

    // By the account instead of the market, and the average with it.
    let settled = net.json(&["price", &keys.quote_feed.to_string(), "0.97", "--settle"]);
    assert_eq!(
        (&settled["price"], &settled["average"]),
        (&"0.97".into(), &"0.97".into())
    );
    assert_eq!(
        net.json(&["price", "SOL/USDC", "1", "--side", "quote"])["before"],
        "0.97"
    );
    assert!(
        net.complaint(&["price", "SOL/USDC", "1", "--side", "rate"])
            .contains("no rate feed")
    );
    assert!(net.complaint(&["price", "SOL/USDC", "0"]).contains("a price of zero"));
    assert!(
        net.complaint(&["price", &TOKEN.to_string(), "1"])
            .contains("is no Pyth account")
    );
    let stranger = net.complaint(&["market", "show", "USDC/SOL"]);
    assert!(stranger.contains("there is no market"), "{stranger}");
    assert_eq!(net.run(&["market", "show", "SOL"]).status.code(), Some(2));
}

/// A public cluster's answer to a request for something that it does not know.
const UNKNOWN: &str = r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#;

/// The localnet as a cluster without cheatcodes: everything else goes through. Serves until the test is over.
fn without_cheatcodes(url: &str) -> String {
    let behind = url.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, behind) = (stream.unwrap(), behind.clone());
            thread::spawn(move || while answer(&mut stream, &behind).is_some() {});
        }
    });
    format!("http://{address}")
}

/// Reads a message with a body.
fn message(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).ok()?.to_lowercase();
    let length = head.split_once("content-length: ")?.1.lines().next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

fn answer(stream: &mut TcpStream, behind: &str) -> Option<()> {
    let body = message(stream)?;
    let answer = if body.contains("surfnet_") {
        UNKNOWN.to_owned()
    } else {
        let mut behind = TcpStream::connect(behind).ok()?;
        let length = body.len();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        behind.write_all((head + &body).as_bytes()).ok()?;
        message(&mut behind)?
    };
    let length = answer.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + &answer).as_bytes()).ok()
}

#[test]
fn other_clusters_prices_cannot_be_moved() {
    let net = Localnet::start("cheatcodes", &[]);
    let public = without_cheatcodes(net.url());
    assert_eq!(net.json(&["market", "list", "--url", &public])[0]["name"], "SOL/USDC");
    let refused = net.complaint(&["price", "SOL/USDC", "120", "--url", &public]);
    assert!(refused.contains("this cluster has no cheatcodes"), "{refused}");
    assert_eq!(net.json(&["market", "show", "SOL/USDC"])["prices"]["spot"], "150.00000");
    let nowhere = net.complaint(&["market", "list", "--url", "http://127.0.0.1:1"]);
    assert!(nowhere.contains("127.0.0.1:1"), "{nowhere}");
}
