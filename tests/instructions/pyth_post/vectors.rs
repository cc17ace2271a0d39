//! What the JavaScript client must make of an update, byte for byte: the Rust client's transactions and what they are
//! made of. `BREAKWATER_WRITE=1` writes the file.

use std::{env, fs};

use super::*;
use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::pyth::routers::{ProgramAccount, ROUTERS};

use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/js/test/pyth.json");
const PRICE: i64 = 10_012_345_678;

fn instruction(instruction: &Instruction) -> Value {
    let account = |meta: &anchor_lang::prelude::AccountMeta| json!({ "address": meta.pubkey.to_string(), "signer": meta.is_signer, "writable": meta.is_writable });
    json!({
        "program": instruction.program_id.to_string(),
        "accounts": instruction.accounts.iter().map(account).collect::<Vec<_>>(),
        "data": BASE64_STANDARD.encode(&instruction.data),
    })
}

fn transaction(draft: &Draft) -> Value {
    let instructions: Vec<Value> = draft.with_budget(5).iter().map(instruction).collect();
    json!({ "bytes": draft.bytes, "instructions": instructions })
}

fn stack(name: &str, stack: Stack) -> Value {
    let routers = Routers::new(1);
    let update = update_at(&routers, PRICE, START);
    let posting = posting(stack, &NOTHING);
    let account = Actor::new("an account of the receiver").key();
    let drafts = posting.transactions(&update, &[sol(), usdc()]).unwrap();
    let accounts = routers.accounts(&stack, 0).into_iter().map(|(address, account)| {
        let ProgramAccount { owner, data } = account;
        json!({ "address": address.to_string(), "owner": owner.to_string(), "data": BASE64_STANDARD.encode(data) })
    });
    let signers = usize::from(ROUTERS);
    let atomic = posting.atomic(&update, &sol(), &account, signers);
    json!({
        "name": name,
        "receiver": stack.receiver.to_string(),
        "accounts": accounts.collect::<Vec<_>>(),
        "priceAccounts": ([sol(), usdc()].map(|feed| stack.price_account(SHARD, &feed).to_string())),
        "transactions": drafts.iter().map(transaction).collect::<Vec<_>>(),
        "atomicAccount": account.to_string(),
        "atomic": atomic.ok().map(|draft| transaction(&draft)),
    })
}

#[test]
fn the_javascript_clients_vectors_are_the_rust_clients() {
    let update = update_at(&Routers::new(1), PRICE, START);
    let id = |feed: FeedId| Pubkey::new_from_array(feed).to_string();
    let told = json!({
        "update": BASE64_STANDARD.encode(update.bytes().unwrap()),
        "time": START,
        "price": PRICE.to_string(),
        "feeds": [id(sol()), id(usdc())],
        "payer": payer().key().to_string(),
        "shard": SHARD,
        "treasury": TREASURY,
        "seed": "a1",
        "rent": rent_exempt(46 + 292),
        "signers": ROUTERS,
        "stacks": [stack("rec5", Stack::REC5), stack("rec2", Stack::REC2)],
    });
    if env::var_os("BREAKWATER_WRITE").is_some() {
        fs::write(FILE, serde_json::to_string_pretty(&told).unwrap() + "\n").unwrap();
    }
    let there: Value = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    assert!(there == told, "run this test with BREAKWATER_WRITE=1 and commit {FILE}");
}
