//! Sizes of transactions, measured on what would be sent, with signatures and proofs that are as long as real ones.

use super::*;
use crate::{
    MarketKeys, instructions,
    pyth::{Body, Message, PriceUpdate, Signature, Stack, Vaa},
};
use anchor_lang::prelude::pubkey;

const FEEDS: [FeedId; 4] = [[1; 32], [2; 32], [3; 32], [4; 32]];

fn key(byte: u8) -> Pubkey {
    Pubkey::new_from_array([byte; 32])
}

/// An update of the four feeds, as Pyth serves it but for what it says.
fn update(depth: usize, signatures: u8) -> Update {
    let price = |feed: &FeedId| PriceUpdate {
        message: Message {
            feed: *feed,
            ..Message::parse(&[0; 85]).unwrap()
        },
        proof: vec![[9; 20]; depth],
    };
    let signature = |signer| Signature {
        signer,
        rs: [8; 64],
        recovery: 0,
    };
    let body = Body {
        time: 1,
        nonce: 0,
        chain: 26,
        emitter: [7; 32],
        sequence: 1,
        consistency: 1,
        slot: 1,
        ring: 1,
        root: [6; 20],
        rest: Vec::new(),
    };
    Update {
        vaa: Vaa {
            set: 1,
            signatures: (0..signatures).map(signature).collect(),
            body,
        },
        prices: FEEDS.iter().map(price).collect(),
    }
}

static NOTHING: Action = Action {
    instructions: Vec::new(),
    units: 0,
};

fn posting(stack: Stack) -> Posting<'static> {
    Posting {
        poster: Poster {
            stack,
            payer: key(100),
            treasury: 7,
        },
        shard: 300,
        seed: "a1",
        rent: 3_000_000,
        tables: &[],
        then: &NOTHING,
    }
}

/// A table with everything of the stack that stays the same.
fn table(posting: &Posting) -> AddressLookupTableAccount {
    let stack = posting.poster.stack;
    let mut addresses = vec![
        stack.receiver,
        stack.bridge,
        stack.price_feed_program,
        stack.config(),
        stack.treasury(posting.poster.treasury),
        stack.signer_set(1),
        system_program::ID,
    ];
    addresses.extend(FEEDS.iter().map(|feed| stack.price_account(posting.shard, feed)));
    AddressLookupTableAccount {
        key: key(101),
        addresses,
    }
}

/// First bytes of each instruction, by transaction.
fn shape(drafts: &[Draft]) -> Vec<Vec<&'static str>> {
    let name = |instruction: &Instruction| match instruction.data[0] {
        3 => "create",
        209 => "init",
        199 => "write",
        103 => "verify",
        28 => "price",
        48 => "close",
        49 => "atomic",
        _ => "then",
    };
    let of = |draft: &Draft| draft.instructions.iter().map(name).collect();
    drafts.iter().map(of).collect()
}

/// Signs in place of everybody and serializes: what goes over the wire.
fn wire_bytes(posting: &Posting, draft: &Draft) -> usize {
    let message = lookup::compile(
        &posting.poster.payer,
        &draft.with_budget(123_456),
        posting.tables,
        Hash::default(),
    )
    .unwrap();
    let signers = usize::from(message.header().num_required_signatures);
    assert_eq!(signers, draft.signers.len());
    1 + 64 * signers + message.serialize().len()
}

/// The sizes that were measured on mainnet's programs, of which some asked for no limit on what is loaded (8 bytes), or
/// for neither that nor a price of units (20 bytes).
#[test]
fn sizes_are_those_that_were_measured() {
    for stack in Stack::ALL {
        let posting = posting(stack);
        let drafts = posting.transactions(&update(12, 3), &FEEDS[..2]).unwrap();
        assert_eq!(
            shape(&drafts),
            [
                vec!["create", "init", "write", "verify"],
                vec!["price", "price"],
                vec!["close"]
            ]
        );
        // A seed of two characters.
        assert_eq!(drafts[0].bytes, 756 + 8);
        assert_eq!(drafts[1].bytes, 1_218 + 8);
        assert!(drafts.iter().all(|draft| draft.signers == [posting.poster.payer]));
    }
    let posting = posting(Stack::REC2);
    let account = key(102);
    let draft = posting.atomic(&update(12, 3), &FEEDS[0], &account, 5).unwrap();
    assert_eq!(draft.bytes, 1_081 + 20);
    assert_eq!(draft.signers, [posting.poster.payer, account]);
    assert_eq!(draft.units, 50_000 + 3 * 28_000);
}

#[test]
fn a_receiver_that_would_verify_in_part_is_refused() {
    let atomic =
        |stack, signatures, signers| posting(stack).atomic(&update(12, signatures), &FEEDS[0], &key(102), signers);
    assert_eq!(
        atomic(Stack::REC5, 3, 5),
        Err(Error::Signatures { needed: 4, found: 3 })
    );
    assert!(atomic(Stack::REC5, 4, 5).is_ok());
    assert_eq!(
        atomic(Stack::REC2, 3, 7),
        Err(Error::Signatures { needed: 4, found: 3 })
    );
}

#[test]
fn every_transaction_fits_at_every_depth_with_and_without_a_table() {
    let liquidate = liquidate();
    let mut largest = 0;
    for (stack, depth, feeds) in Stack::ALL
        .into_iter()
        .flat_map(|stack| (11..=14).flat_map(move |depth| (1..=4).map(move |feeds| (stack, depth, feeds))))
    {
        let without = posting(stack);
        let tables = [table(&without)];
        for (tables, then) in [
            (&[][..], &NOTHING),
            (&tables, &NOTHING),
            (&[], &liquidate),
            (&tables, &liquidate),
        ] {
            let posting = Posting {
                tables,
                then,
                ..without
            };
            let update = update(depth, 3);
            let drafts = posting.transactions(&update, &FEEDS[..feeds]).unwrap();
            for draft in &drafts {
                assert_eq!(wire_bytes(&posting, draft), draft.bytes);
                assert!(draft.bytes <= TRANSACTION_BYTES, "{} bytes", draft.bytes);
                assert!(draft.units <= budget::MOST);
                largest = largest.max(draft.bytes);
            }
            let all: Vec<&str> = shape(&drafts).concat();
            let mut expected = vec!["create", "init", "write", "verify"];
            expected.extend(vec!["price"; feeds]);
            expected.extend(vec!["then"; then.instructions.len()]);
            expected.push("close");
            assert_eq!(all, expected, "in order, each once");
        }
    }
    println!("figure tx_bytes_max {largest}");
}

fn liquidate() -> Action {
    let token = anchor_spl::token::ID;
    let stack = Stack::REC2;
    let feed = |id| stack.price_account(300, &FEEDS[id]);
    let keys = MarketKeys::derive((key(110), token, feed(0)), (key(111), token, feed(1)), 0);
    let liquidate = instructions::liquidate(&keys, &key(100), &key(112));
    Action {
        units: budget::units(&liquidate).unwrap(),
        instructions: vec![liquidate],
    }
}

/// How many transactions a refresh takes: what docs and callers rely on.
#[test]
fn a_table_and_a_shorter_proof_save_transactions() {
    let count = |depth, feeds: usize, with_table: bool| {
        let without = posting(Stack::REC2);
        let tables = [table(&without)];
        let tables = if with_table { &tables[..] } else { &[] };
        let posting = Posting { tables, ..without };
        posting.transactions(&update(depth, 3), &FEEDS[..feeds]).unwrap().len()
    };
    let row = |depth, with_table| [1, 2, 3, 4].map(|feeds| count(depth, feeds, with_table));
    let rows = [11, 12, 13, 14].map(|depth| [row(depth, false), row(depth, true)]);
    let expected = [
        [[2, 2, 3, 3], [1, 2, 2, 3]],
        [[2, 3, 3, 4], [1, 2, 2, 3]],
        [[2, 3, 4, 5], [1, 2, 2, 3]],
        [[2, 3, 4, 5], [2, 2, 2, 3]],
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_refresh_and_a_liquidation_take_two_transactions_with_a_table() {
    let without = posting(Stack::REC2);
    let mut table = table(&without);
    let then = liquidate();
    let named = then.instructions[0].accounts.iter().filter(|meta| !meta.is_signer);
    table.addresses.extend(named.map(|meta| meta.pubkey));
    let posting = Posting {
        tables: &[table],
        then: &then,
        ..without
    };
    let drafts = posting.transactions(&update(12, 3), &FEEDS[..2]).unwrap();
    let sizes: Vec<usize> = drafts.iter().map(|draft| draft.bytes).collect();
    let expected = [
        vec!["create", "init", "write", "verify", "price"],
        vec!["price", "then", "close"],
    ];
    assert_eq!((shape(&drafts), sizes), (expected.into(), vec![1_190, 881]));
}

/// A VAA with the signatures of a larger set is written in parts.
#[test]
fn a_long_vaa_is_written_in_parts() {
    let posting = posting(Stack::REC5);
    let update = update(12, 19);
    let vaa = update.vaa.bytes().unwrap();
    let drafts = posting.transactions(&update, &FEEDS[..1]).unwrap();
    let mut written = Vec::new();
    for instruction in drafts.iter().flat_map(|draft| &draft.instructions) {
        if instruction.data.starts_with(&[199, 208, 110, 177, 150, 76, 118, 42]) {
            let index = u32::from_le_bytes(instruction.data[8..12].try_into().unwrap());
            assert_eq!(usize::try_from(index).unwrap(), written.len());
            written.extend_from_slice(&instruction.data[16..]);
        }
    }
    assert_eq!(written, vaa);
    assert_eq!(
        shape(&drafts),
        [
            vec!["create", "init", "write"],
            vec!["write", "verify"],
            vec!["price", "close"]
        ]
    );
    assert!(drafts.iter().all(|draft| draft.bytes <= TRANSACTION_BYTES));
    assert_eq!(drafts[0].bytes, TRANSACTION_BYTES);
}

#[test]
fn what_cannot_be_posted_is_refused_by_its_cause() {
    let plain = posting(Stack::REC2);
    let update12 = update(12, 3);
    assert_eq!(plain.transactions(&update12, &[]), Err(Error::NoFeeds));
    assert_eq!(
        plain.transactions(&update12, &[FEEDS[0], [5; 32]]),
        Err(Error::FeedMissing([5; 32]))
    );
    let twice = plain.transactions(&update12, &[FEEDS[0], FEEDS[0]]).unwrap();
    assert_eq!(twice, plain.transactions(&update12, &FEEDS[..1]).unwrap());
    let long = Posting {
        seed: "thirty-three characters are a lot",
        ..plain
    };
    assert_eq!(long.transactions(&update12, &FEEDS), Err(Error::TooLong("seed")));
    assert!(matches!(
        plain.transactions(&update(60, 3), &FEEDS),
        Err(Error::TooLarge(1_233..))
    ));
    let instruction = |accounts: u8| {
        let metas = (0..accounts).map(|byte| AccountMeta::new(key(byte), false)).collect();
        Instruction::new_with_bytes(pubkey!("11111111111111111111111111111111"), &[], metas)
    };
    let mut action = Action {
        instructions: vec![instruction(70)],
        units: 1,
    };
    let crowded = |action: &Action| Posting { then: action, ..plain }.transactions(&update12, &FEEDS);
    assert_eq!(crowded(&action), Err(Error::TooManyAccounts));
    action.instructions = vec![instruction(1)];
    action.units = 1_400_001;
    assert_eq!(crowded(&action), Err(Error::TooManyUnits(1_400_001)));
}
