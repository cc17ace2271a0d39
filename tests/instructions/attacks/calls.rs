//! Programs in between: one that calls Breakwater and forges what it leaves behind, and one in the place of a token
//! program that would call back.
//!
//! Breakwater lets itself be called, for a buyer composes a sale with a swap, and needs no guard against being
//! re-entered: it calls nobody but the two token programs and the system program (the test of `conformance` looks at
//! every call of every sequence), mints with a hook are refused, and the runtime lets no program be called again but by
//! itself. Nor does it read what others leave: return data, the instructions of the transaction.

use crate::scene::{SOL, Scene, USDC};
use anchor_lang::{
    prelude::{AccountInfo, ErrorCode, Pubkey},
    solana_program::{
        entrypoint::ProgramResult,
        instruction::{AccountMeta, Instruction},
    },
};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{
    Actor, MarketSpec, MintSpec, World, assert_fails_with, backend::ProgramTestBackend, ix, keys::address_for,
    program_file::breakwater_program,
};
use solana_program_test::processor;
use solana_sysvar::program_stubs::{sol_invoke_signed, sol_set_return_data};
use std::{fs, path::PathBuf};

/// Return data that the hostile program leaves behind before and after each call: for a reader, an enormous amount.
const FORGED: [u8; 8] = u64::MAX.to_le_bytes();

fn hostile() -> Pubkey {
    address_for("hostile program")
}

/// Calls what its data says, with forged return data before and after. As a token program it is called with data that
/// says nothing: then it calls the last of its accounts back, with all of them.
fn process(_program: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    sol_set_return_data(&FORGED);
    let (target, metas) = accounts.split_first().expect("whom to call");
    let instruction = Instruction::new_with_bytes(
        *target.key,
        data,
        metas
            .iter()
            .map(|info| AccountMeta {
                pubkey: *info.key,
                is_signer: info.is_signer,
                is_writable: info.is_writable,
            })
            .collect(),
    );
    sol_invoke_signed(&instruction, accounts, &[])?;
    sol_set_return_data(&FORGED);
    Ok(())
}

fn world() -> World {
    let authority = Actor::new("upgrade authority");
    let programs = [(breakwater::ID, authority.key(), breakwater_program())];
    let backend = ProgramTestBackend::with(&programs, |test| {
        test.prefer_bpf(false);
        test.add_program("hostile", hostile(), processor!(process));
        test.prefer_bpf(true);
    });
    World::on(Box::new(backend), &authority)
}

/// The same instruction, called by the hostile program.
fn called(direct: &Instruction) -> Instruction {
    let mut accounts = vec![AccountMeta::new_readonly(direct.program_id, false)];
    accounts.extend(direct.accounts.iter().cloned());
    Instruction::new_with_bytes(hostile(), &direct.data, accounts)
}

fn scene() -> Scene {
    Scene::on(world(), &MarketSpec::default())
}

#[test]
fn being_called_does_what_being_sent_does() {
    let forms: [fn(&Instruction) -> Instruction; 2] = [Instruction::clone, called];
    let states = forms.map(|form| {
        let mut scene = scene();
        let (market, alice, mallory, kate) = (
            scene.market,
            scene.alice.clone(),
            scene.mallory.clone(),
            scene.kate.clone(),
        );
        let account = scene.position.address;
        let quiet = [
            (ix::supply(&market, &mallory.key(), 1_000 * USDC, 0), &mallory),
            (ix::borrow(&market, &account, &alice.key(), 100 * USDC), &alice),
            (ix::repay(&market, &account, &alice.key(), 50 * USDC), &alice),
            (ix::withdraw(&market, &mallory.key(), 500 * USDC * 1_000, 0), &mallory),
        ];
        let after = [
            (ix::liquidate(&market, &account, &kate.key()), &kate),
            (ix::buy_inventory(&market, &mallory.key(), SOL / 10, u64::MAX), &mallory),
            (ix::claim_bounty(&market, &kate.key()), &kate),
        ];
        for (direct, signer) in &quiet {
            scene.world.send(&[form(direct)], &[signer]).unwrap();
        }
        scene.price(80);
        for (direct, signer) in &after {
            scene.world.send(&[form(direct)], &[signer]).unwrap();
        }
        let touched = quiet.iter().chain(&after).flat_map(|(direct, _)| &direct.accounts);
        touched
            .map(|meta| (meta.pubkey, scene.world.account(&meta.pubkey)))
            .collect::<Vec<_>>()
    });
    assert!(states[0] == states[1], "a call does something else than a transaction");
}

#[test]
fn who_is_called_with_nobodys_signature_does_nothing() {
    let mut scene = scene();
    let (market, alice, mallory) = (scene.market, scene.alice.clone(), scene.mallory.clone());
    let borrow = ix::borrow(&market, &scene.position.address, &alice.key(), 100 * USDC);
    let mut unsigned = called(&borrow);
    for meta in &mut unsigned.accounts {
        meta.is_signer = false;
    }
    scene
        .world
        .assert_error_unchanged(&[unsigned], &[], ErrorCode::AccountNotSigner);
    // Nor with the wrong one's.
    let mut hers = called(&borrow);
    for meta in &mut hers.accounts {
        if meta.pubkey == alice.key() {
            meta.pubkey = mallory.key();
        }
    }
    scene
        .world
        .assert_error_unchanged(&[hers], &[&mallory], BreakwaterError::WrongOwner);
}

#[test]
fn calls_of_one_transaction_are_as_close_together_as_its_instructions() {
    // A loan and its liquidation in one slot, one of them or both called.
    let mut scene = scene();
    let (market, alice, kate) = (scene.market, scene.alice.clone(), scene.kate.clone());
    let account = scene.position.address;
    let borrow = ix::borrow(&market, &account, &alice.key(), USDC);
    let liquidate = ix::liquidate(&market, &account, &kate.key());
    for pair in [
        [called(&borrow), liquidate.clone()],
        [borrow.clone(), called(&liquidate)],
        [called(&borrow), called(&liquidate)],
    ] {
        scene
            .world
            .assert_error_unchanged(&pair, &[&alice, &kate], BreakwaterError::BorrowedThisSlot);
    }
}

#[test]
fn what_would_call_back_is_never_called() {
    // In the place of each token program; and as the token program of a mint that somebody made for it.
    let mut scene = scene();
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let before = scene.world.balance(&mallory, &market.quote_mint);
    let honest = [
        ix::supply(&market, &mallory.key(), USDC, 0),
        ix::fund_backstop(&market, &mallory.key(), USDC),
        ix::withdraw(&market, &mallory.key(), 1, 0),
    ];
    for direct in honest {
        let slots: Vec<usize> = direct
            .accounts
            .iter()
            .enumerate()
            .filter(|(_, meta)| meta.pubkey == anchor_spl::token::ID)
            .map(|(slot, _)| slot)
            .collect();
        assert!(!slots.is_empty());
        for (nth, slot) in slots.into_iter().enumerate() {
            let mut bent = direct.clone();
            bent.accounts[slot].pubkey = hostile();
            let (world, signers) = (&mut scene.world, [&mallory]);
            let failure = match nth {
                0 => world.assert_error_unchanged(&[bent], &signers, BreakwaterError::WrongTokenProgram),
                // That of the LP mint is a fixed one.
                _ => world.assert_error_unchanged(&[bent], &signers, ErrorCode::InvalidProgramId),
            };
            never_called(&failure.logs);
        }
    }
    assert_eq!(scene.world.balance(&mallory, &market.quote_mint), before);

    let odd = MintSpec {
        token_program: hostile(),
        ..MintSpec::classic("ODD", 6)
    };
    let spec = MarketSpec {
        id: 7,
        ..MarketSpec::default()
    };
    let (_, create) = scene.world.prepare_market(&spec);
    let mut mint = scene.world.existing_account(&market.quote_mint);
    mint.owner = hostile();
    scene.world.set_account(&odd.address(), mint);
    let authority = scene.world.authority().clone();
    let mut bent = create;
    for meta in &mut bent.accounts {
        if meta.pubkey == market.quote_mint {
            meta.pubkey = odd.address();
        }
    }
    let failure = scene.world.expect_unchanged(|world| world.send(&[bent], &[&authority]));
    let failure = assert_fails_with(failure, ErrorCode::AccountOwnedByWrongProgram);
    never_called(&failure.logs);
}

#[test]
fn nothing_is_read_that_others_leave() {
    // What a program before this one left, or the other instructions of the transaction, could be somebody's forgery.
    let mut open = vec![PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../programs/breakwater/src"
    ))];
    let mut seen = 0;
    while let Some(file) = open.pop() {
        if file.is_dir() {
            open.extend(fs::read_dir(&file).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for reader in [
            "return_data",
            "load_instruction_at",
            "get_instruction_relative",
            "sibling_instruction",
        ] {
            assert!(!text.contains(reader), "{} has {reader}", file.display());
        }
        seen += 1;
    }
    assert!(seen > 40, "{seen} files");
}

#[track_caller]
fn never_called(logs: &[String]) {
    let hostile = hostile().to_string();
    assert!(
        !logs.iter().any(|line| line.contains(&format!("{hostile} invoke"))),
        "{logs:#?}"
    );
}
