//! Pyth's updates on a localnet: signed by its Hermes, verified on its chain, and used.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater::state::address;
use breakwater_client::{MarketKeys, addresses, decode, instructions as ix, pyth::Stack};
use breakwater_engine::FeedPin;
use breakwater_keeper::post::own_shard;
use serde_json::Value;
use solana_signer::Signer;

use crate::net::{Localnet, terminate};

const KEEPER: [&str; 2] = ["--keypair", "localnet/keeper.json"];
/// A transaction's limit.
const PACKET: u64 = 1_232;

/// A localnet whose sponsor never posts: each price that its market sees is one that somebody posted.
fn silent(name: &str, options: &[&str]) -> Localnet {
    Localnet::start(name, &[&["--sponsor", "0"], options].concat())
}

fn borrow(net: &Localnet, keys: &MarketKeys, amount: u64) {
    let owner = net.keypair("alice").pubkey();
    let margin = addresses::margin_account(&net.market(), &owner, 0);
    net.send(&[ix::borrow(keys, &margin, &owner, amount)], "alice");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[test]
fn a_price_is_fetched_posted_and_borrowed_at() {
    let net = silent("posted", &[]);
    let from = ["--hermes", net.hermes()];
    let fetched = net.json(&[&["pyth", "fetch", "SOL/USDC"], &from[..]].concat());
    assert_eq!(fetched["feeds"].as_array().unwrap().len(), 2);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("localnet-posted/update.txt");
    fs::write(&file, text(&fetched["data"])).unwrap();
    let decoded = net.json(&["pyth", "decode", "update.txt"]);
    assert_eq!(decoded["signers"], serde_json::json!([0, 1, 2]));
    let mut prices: Vec<(&str, bool)> = decoded["prices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|price| (text(&price["price"]), price["proven"] == true))
        .collect();
    prices.sort_unstable();
    assert_eq!(prices, [("1", true), ("150", true)]);

    let post = [&["pyth", "post", "SOL/USDC"], &KEEPER[..]].concat();
    let dry = net.json(&[&post[..], &["--update", "update.txt", "--dry-run"]].concat());
    assert_eq!(
        (&dry["transactions"], &dry["lamports"]),
        (&serde_json::json!([]), &0.into())
    );
    let posted = net.json(&[&post[..], &["--update", "update.txt"]].concat());
    assert_eq!(posted["transactions"].as_array().unwrap().len(), 3);
    assert!(posted["largest_bytes"].as_u64().unwrap() <= PACKET, "{posted}");
    let shard = own_shard(&net.market());
    let own = |pin: FeedPin| {
        let stack = Stack::of_receiver(&address(pin.owner)).unwrap();
        stack.price_account(shard, &pin.key.0)
    };
    let oracle = net.state().oracle;
    let keys = MarketKeys {
        collateral_feed: own(oracle.collateral_feed),
        quote_feed: own(oracle.quote_feed),
        ..net.keys()
    };
    let accounts: Vec<&str> = posted["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| text(&account["account"]))
        .collect();
    let expected = [keys.collateral_feed, keys.quote_feed].map(|key| key.to_string());
    assert_eq!(accounts, expected);
    borrow(&net, &keys, 1_000_000);

    // The price moves at Hermes alone: in no account until it is posted there.
    net.json(&[&["price", "SOL/USDC", "149"], &from[..]].concat());
    let looked = ["--collateral-feed", &expected[0], "--quote-feed", &expected[1]];
    let spot = |more: &[&str]| {
        let shown = net.json(&[&["market", "show", "SOL/USDC"], more].concat());
        text(&shown["prices"]["spot"]).to_owned()
    };
    assert_eq!(
        (spot(&[]), spot(&looked)),
        ("150.00000".to_owned(), "150.00000".to_owned())
    );
    let posted = net.json(&[&post[..], &from[..]].concat());
    // Rent of the accounts was paid the first time.
    let lamports = posted["lamports"].as_u64().unwrap();
    assert!(lamports < 30_000, "{posted}");
    assert_eq!(
        (spot(&[]), spot(&looked)),
        ("150.00000".to_owned(), "149.00000".to_owned())
    );
    borrow(&net, &keys, 1_000_000);
    assert_eq!(net.end(), Some(0));
}

#[test]
fn what_hermes_and_the_chain_refuse_is_said() {
    let net = silent("refused", &["--hermes-key", "right"]);
    let fetch = ["pyth", "fetch", "SOL/USDC"];
    let complaint = net.complaint(&fetch);
    assert!(complaint.contains("name a server with --hermes"), "{complaint}");
    let asked = [&fetch[..], &["--hermes", net.hermes()]].concat();
    let complaint = net.complaint(&asked);
    assert!(complaint.contains("401"), "{complaint}");
    // A key is never shown, whether it is right or wrong.
    let with = |key: &str| net.command(&asked).env("BREAKWATER_HERMES_KEY", key).output().unwrap();
    let wrong = with("wrong-key");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&wrong.stderr).contains("wrong-key"));
    let right = with("right");
    assert_eq!(
        right.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&right.stderr)
    );

    // A page in a browser may ask for as much, and is told that it may before it shows a key.
    let address = net
        .hermes()
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/hermes")
        .unwrap();
    for (method, status) in [("OPTIONS", "200"), ("GET", "401")] {
        let mut stream = TcpStream::connect(address).unwrap();
        let path = "/hermes/v2/updates/price/latest";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        for header in [
            "access-control-allow-origin: *",
            "access-control-allow-headers: authorization",
        ] {
            assert!(answer.contains(header), "{answer}");
        }
    }

    // What was changed on the way is not sent: no fee is paid for it.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("localnet-refused");
    let mut update = breakwater_client::pyth::Update::parse(&decoded(&right.stdout)).unwrap();
    update.prices[0].message.price += 1;
    fs::write(folder.join("changed.bin"), update.bytes().unwrap()).unwrap();
    let before = net.client().get_balance(&net.keypair("keeper").pubkey()).unwrap();
    let post = [&["pyth", "post", "SOL/USDC", "--update", "changed.bin"], &KEEPER[..]].concat();
    let complaint = net.complaint(&post);
    assert!(complaint.contains("is not what was signed"), "{complaint}");
    assert_eq!(
        net.client().get_balance(&net.keypair("keeper").pubkey()).unwrap(),
        before
    );
    assert_eq!(net.end(), Some(0));
}

fn decoded(stdout: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(stdout);
    BASE64_STANDARD.decode(text.trim()).unwrap()
}

/// The whole way of a price on a laptop: Hermes, keeper, chain, liquidation. Nobody else posts.
#[test]
fn a_keeper_liquidates_by_its_own_posts() {
    let net = silent("keeper", &[]);
    let run = [
        &[
            "keeper",
            "run",
            "--market",
            "SOL/USDC",
            "--once",
            "--hermes",
            net.hermes(),
        ],
        &KEEPER[..],
    ]
    .concat();
    net.json(&["price", "SOL/USDC", "115", "--hermes", net.hermes()]);
    let debt = || {
        let shown = net.json(&[
            "account",
            "show",
            "--market",
            "SOL/USDC",
            "--owner",
            "localnet/bob.json",
        ]);
        text(&shown[0]["debt"]).parse::<u64>().unwrap()
    };
    let before = debt();
    let output = net.run(&run);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(debt() < before, "{log}");
    // The market keeps the newest, and nobody writes to the sponsor's account.
    let shown = net.json(&["market", "show", "SOL/USDC"]);
    assert_eq!(text(&shown["prices"]["spot"]), "115.00000");
    assert_eq!(net.end(), Some(0));
}

/// Accounts of dave's, each of which a fall of the price by a little more makes liquidatable: this much below the one
/// before.
const STEP_BPS: u64 = 14;

/// Opens them, `count`, with loans from 69% of their collateral downwards. Returns their addresses, and for each the
/// price in cents at which it is liquidatable.
fn ladder(net: &Localnet, count: u16) -> Vec<(Pubkey, u64)> {
    const COLLATERAL: u64 = 900_000_000;
    let keys = net.keys();
    let owner = net.keypair("dave").pubkey();
    let margin = |id| addresses::margin_account(&net.market(), &owner, id);
    let rungs: Vec<(Pubkey, u64)> = (0..count)
        .map(|id| (margin(id), 6_900 - STEP_BPS * u64::from(id)))
        .collect();
    for ids in (0..count).collect::<Vec<_>>().chunks(4) {
        let open = |id: &u16| {
            [
                ix::open_account(&keys, &owner, &owner, *id),
                ix::deposit_collateral(&keys, &margin(*id), &owner, COLLATERAL),
            ]
        };
        net.send(&ids.iter().flat_map(open).collect::<Vec<_>>(), "dave");
    }
    for rungs in rungs.chunks(4) {
        net.json(
            &[
                &["pyth", "post", "SOL/USDC", "--shard", "0", "--hermes", net.hermes()],
                &KEEPER[..],
            ]
            .concat(),
        );
        // 0.9 SOL at 150.
        let borrow = |(margin, ltv): &(Pubkey, u64)| ix::borrow(&keys, margin, &owner, 135_000_000 * ltv / 10_000);
        net.send(&rungs.iter().map(borrow).collect::<Vec<_>>(), "dave");
    }
    // Liquidated above 80%. The confidence of the feeds is not counted there.
    rungs
        .into_iter()
        .map(|(margin, ltv)| (margin, 15_000 * ltv / 8_000 - 3))
        .collect()
}

/// A keeper that runs, and prices at Hermes, each of which makes one account liquidatable: the seconds from the price to
/// the liquidation, confirmed. As many as BREAKWATER_PYTH_ROUNDS says are measured, in slots of 250 ms as on mainnet;
/// `make pyth` does that.
#[test]
fn a_price_at_hermes_ends_in_a_liquidation() {
    let rounds: u16 = std::env::var("BREAKWATER_PYTH_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    let net = silent("latency", &["--slot-ms", "250"]);
    let ladder = ladder(&net, rounds);
    let mut keeper = net
        .command(
            &[
                &["keeper", "run", "--market", "SOL/USDC", "--hermes", net.hermes()],
                &KEEPER[..],
            ]
            .concat(),
        )
        .stderr(fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("localnet-latency/keeper.log")).unwrap())
        .spawn()
        .unwrap();
    let client = net.client();
    let collateral = |margin: &Pubkey| {
        let data = client.get_account_data(margin).unwrap();
        decode::margin_account(&data).unwrap().collateral
    };
    let mut seconds = Vec::new();
    for (number, (margin, cents)) in ladder.iter().enumerate() {
        // Prices come at any moment between two looks.
        thread::sleep(Duration::from_millis(370 * number as u64 % 1_000));
        let before = collateral(margin);
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        let begun = Instant::now();
        net.json(&["price", "SOL/USDC", &price, "--hermes", net.hermes()]);
        while collateral(margin) == before {
            assert!(begun.elapsed() < Duration::from_mins(1), "nobody liquidated at {price}");
            thread::sleep(Duration::from_millis(20));
        }
        seconds.push(begun.elapsed().as_secs_f64());
    }
    terminate(&keeper);
    assert_eq!(keeper.wait().unwrap().code(), Some(0));
    assert_eq!(net.end(), Some(0));
    seconds.sort_by(f64::total_cmp);
    let at = |percent: usize| seconds[(seconds.len() * percent).div_ceil(100) - 1];
    println!("figure p50_s {:.2}\nfigure p95_s {:.2}", at(50), at(95));
}
