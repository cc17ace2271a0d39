//! Frozen token accounts. Who may freeze a mint's accounts can freeze a vault, or a user. That stops what moves tokens
//! from or to that account, with the token program's own error, and nothing else: not liquidations, and no other
//! market.

mod moves;

use crate::{
    backing::{cents, interest_free, stands_at},
    scene::{SOL, Scene, USDC, vaults},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::error::InstructionError};
use breakwater_testkit::{BackendKind, Failure, MarketSpec, MintSpec, World, default_config, ix};
use moves::{Case, Move};

/// `AccountFrozen` of both token programs.
const ACCOUNT_FROZEN: InstructionError = InstructionError::Custom(17);

/// The default market without interest, with freezable mints of this token program.
fn freezable(make: fn(&str, u8) -> MintSpec) -> MarketSpec {
    MarketSpec {
        collateral: make("SOL", 9).freezable(),
        quote: make("USDC", 6).freezable(),
        config: interest_free(default_config()),
        ..MarketSpec::default()
    }
}

fn token_2022(name: &str, decimals: u8) -> MintSpec {
    MintSpec::token_2022(name, decimals, &[])
}

#[track_caller]
fn refused_by_the_token_program(world: &mut World, attempt: &Move, token_program: &Pubkey) -> Failure {
    let Move {
        instruction, signer, ..
    } = attempt;
    let failure = world.assert_error_unchanged(std::slice::from_ref(instruction), &[signer], ACCOUNT_FROZEN);
    assert_eq!(failure.program, Some(*token_program), "{}", attempt.name);
    failure
}

/// Freezes every token account that any instruction moves tokens from or to, one after the other, and tries every
/// instruction: those that name the frozen account are refused and go through once it is thawed, all others go through
/// at once.
fn freeze_each(case: &mut Case, token_program: &Pubkey) {
    let moves = case.moves();
    for account in case.token_accounts() {
        for attempt in &moves {
            let Move {
                name,
                instruction,
                signer,
            } = attempt;
            let world = &mut case.scene.world;
            let before = world.snapshot();
            world.freeze(&account);
            if attempt.names(&account) {
                refused_by_the_token_program(world, attempt, token_program);
                world.thaw(&account);
            }
            if let Err(failure) = world.send(std::slice::from_ref(instruction), &[signer]) {
                panic!("{name} with {account} frozen: {failure:?}");
            }
            world.restore(&before);
        }
    }
}

#[test]
fn what_moves_tokens_of_a_frozen_account_is_refused_and_nothing_else() {
    for backend in BackendKind::ALL {
        for spec in [freezable(MintSpec::classic), freezable(token_2022)] {
            let token_program = spec.quote.token_program;
            freeze_each(&mut Case::with_headroom(World::new(backend), &spec), &token_program);
            freeze_each(&mut Case::without_headroom(World::new(backend), &spec), &token_program);
        }
    }
}

#[test]
fn every_instruction_that_has_a_vault_is_tried() {
    let case = Case::with_headroom(World::lite(), &freezable(MintSpec::classic));
    let roomless = Case::without_headroom(World::lite(), &freezable(MintSpec::classic));
    let [quote, collateral] = [
        |case: &Case| case.scene.market.quote_vault,
        |case: &Case| case.scene.market.collateral_vault,
    ];
    for (vault, name) in [
        (quote as fn(&Case) -> Pubkey, "quote_vault"),
        (collateral, "collateral_vault"),
    ] {
        let mut tried: Vec<&str> = [&case, &roomless]
            .into_iter()
            .flat_map(|case| {
                case.moves()
                    .into_iter()
                    .filter(|attempt| attempt.names(&vault(case)))
                    .map(|attempt| attempt.name)
            })
            .collect();
        tried.sort_unstable();
        tried.dedup();
        assert_eq!(tried, moves::with_account(name), "{name}");
    }
}

#[test]
fn liquidations_go_on_while_both_vaults_are_frozen() {
    for spec in [freezable(MintSpec::classic), freezable(token_2022)] {
        let mut scene = Scene::on(World::program_test(), &spec);
        let market = scene.market;
        for vault in [market.quote_vault, market.collateral_vault] {
            scene.world.freeze(&vault);
        }
        // Alice's own accounts as well: she could not repay if she wanted to.
        for mint in [market.quote_mint, market.collateral_mint] {
            let account = scene.world.token_address(&scene.alice.key(), &mint);
            scene.world.freeze(&account);
        }
        stands_at(&mut scene, cents(80_00));
        let held = vaults(&mut scene.world, &market);
        scene.world.liquidate(&scene.kate, &scene.position).unwrap();
        stands_at(&mut scene, cents(60_00));
        scene
            .world
            .liquidate_batch(&market, &scene.kate, &[&scene.position])
            .unwrap();
        assert_eq!(scene.world.margin_account(&scene.position).debt_shares.0, 0);
        assert_eq!(vaults(&mut scene.world, &market), held);

        // The bounty is credited, and paid when it can be.
        let credit = scene.world.keeper_ledger(&market, &scene.kate).credit.0;
        assert!(credit > 0);
        let claim = ix::claim_bounty(&market, &scene.kate.key());
        let attempt = Move {
            name: "claim_bounty",
            instruction: claim,
            signer: scene.kate.clone(),
        };
        refused_by_the_token_program(&mut scene.world, &attempt, &spec.quote.token_program);
        scene.world.thaw(&market.quote_vault);
        scene.world.claim_bounty(&market, &scene.kate).unwrap();
        assert_eq!(scene.world.balance(&scene.kate, &market.quote_mint), credit);
    }
}

#[test]
fn another_market_of_the_same_mints_goes_on() {
    for spec in [freezable(MintSpec::classic), freezable(token_2022)] {
        let mut scene = Scene::on(World::program_test(), &spec);
        let frozen = scene.market;
        for vault in [frozen.quote_vault, frozen.collateral_vault] {
            scene.world.freeze(&vault);
        }
        let before = scene.world.market_state(&frozen);
        let world = &mut scene.world;
        let other = world.market(&MarketSpec { id: 1, ..spec.clone() });
        let mallory = world.trader(&other, "mallory", 0, 0);
        world.supply(&other, &mallory, 10_000 * USDC).unwrap();
        let position = world.open(&other, &mallory, 0).unwrap();
        world.deposit(&position, 10 * SOL).unwrap();
        world.borrow(&position, 500 * USDC).unwrap();
        world.next_slot();
        world.repay(&position, u64::MAX).unwrap();
        world.withdraw_collateral(&position, 10 * SOL).unwrap();
        world.withdraw(&other, &mallory, 10_000 * USDC * 1_000).unwrap();
        assert_eq!(vaults(world, &other), (0, 0));
        assert_eq!(world.market_state(&frozen), before);
    }
}
