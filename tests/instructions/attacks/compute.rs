//! Making an instruction so dear that it does not fit what honest senders ask for.

use crate::scene::{SOL, Scene, USDC, redeemable};
use anchor_lang::solana_program::instruction::Instruction;
use anchor_spl::token_2022::spl_token_2022::extension::ExtensionType;
use breakwater_client::budget;
use breakwater_engine::{Bps, Config};
use breakwater_testkit::{Actor, MarketSpec, MintSpec, World, ix, pyth::usd};

/// Compute units that one instruction gets if a transaction asks for nothing.
const UNASKED: u64 = 200_000;
/// Days without a transaction in the market.
const QUIET: u32 = 365;

/// Everything that follows the risk switched on: with four feeds, and with tokens that have extensions. Both at once do
/// not fit the transaction that creates a market.
fn dearest() -> [MarketSpec; 2] {
    let config = Config {
        outflow_limit: Bps(5_000),
        ..Config::EXAMPLE
    };
    let extended = |name, decimals| MintSpec::token_2022(name, decimals, &[ExtensionType::MetadataPointer]);
    [
        MarketSpec { config, ..redeemable() },
        MarketSpec {
            collateral: extended("SOL", 9),
            quote: extended("USDC", 6),
            config,
            ..MarketSpec::default()
        },
    ]
}

/// Sends it, and returns by how much it stays within its budget: negative if it does not.
#[track_caller]
fn left(world: &mut World, instruction: &Instruction, signer: &Actor) -> i64 {
    let outcome = world.send(std::slice::from_ref(instruction), &[signer]).unwrap();
    let budget = budget::units(instruction).map_or(UNASKED, u64::from);
    i64::try_from(budget).unwrap() - i64::try_from(outcome.compute_units).unwrap()
}

#[test]
fn the_budgets_hold_in_the_dearest_markets_after_a_year_of_silence() {
    for spec in dearest() {
        budgets_hold(Scene::on(World::lite(), &spec));
    }
}

#[track_caller]
fn budgets_hold(mut scene: Scene) {
    let (market, alice, mallory, kate, lena) = (
        scene.market,
        scene.alice.clone(),
        scene.mallory.clone(),
        scene.kate.clone(),
        scene.lena.clone(),
    );
    let account = scene.position.address;
    let silence = |world: &mut World| {
        world.advance(QUIET * 86_400);
        world.forget_prices(&market);
    };
    let everyday: [(&str, Instruction, &Actor); 8] = [
        ("supply", ix::supply(&market, &lena.key(), 1_000_000_007, 0), &lena),
        ("withdraw", ix::withdraw(&market, &lena.key(), 1_000_000_007, 0), &lena),
        (
            "deposit",
            ix::deposit_collateral(&market, &account, &mallory.key(), SOL + 7),
            &mallory,
        ),
        (
            "repay",
            ix::repay(&market, &account, &mallory.key(), 100 * USDC + 7),
            &mallory,
        ),
        (
            "borrow",
            ix::borrow(&market, &account, &alice.key(), 50 * USDC + 7),
            &alice,
        ),
        (
            "withdraw collateral",
            ix::withdraw_collateral(&market, &account, &alice.key(), 7),
            &alice,
        ),
        ("fund", ix::fund_backstop(&market, &lena.key(), USDC + 7), &lena),
        ("observe", ix::observe_price(&market), &lena),
    ];
    for (name, instruction, signer) in &everyday {
        // These two accrue no interest, and would leave two years to the next one.
        if !["deposit", "observe"].contains(name) {
            silence(&mut scene.world);
        }
        let signers: &[&Actor] = if *name == "observe" { &[] } else { &[signer] };
        let outcome = scene.world.send(std::slice::from_ref(instruction), signers).unwrap();
        let most = u64::from(budget::units(instruction).unwrap());
        assert!(
            outcome.compute_units <= most,
            "{name}: {} of {most}",
            outcome.compute_units
        );
    }
    // A fall that is told as a change of level as well.
    silence(&mut scene.world);
    scene.world.settle_price(&market.collateral_feed, usd(75), 0);
    if let Some((base, _)) = market.redemption_feeds {
        scene.world.settle_price(&base, usd(60), 0);
    }
    let crash = [
        ("liquidate", ix::liquidate(&market, &account, &kate.key()), &kate),
        ("claim", ix::claim_bounty(&market, &kate.key()), &kate),
        ("buy", ix::buy_inventory(&market, &mallory.key(), 7, u64::MAX), &mallory),
    ];
    for (name, instruction, signer) in &crash {
        let left = left(&mut scene.world, instruction, signer);
        assert!(left >= 0, "{name}: {left}");
    }
}

#[test]
fn a_market_that_nobody_touched_for_years_is_woken_by_anyone() {
    // Interest compounds month by month, so the first one pays for all of them; whoever asks for nothing pays for five
    // years.
    let mut scene = Scene::on(World::lite(), &dearest()[0]);
    let (market, lena, alice) = (scene.market, scene.lena.clone(), scene.alice.clone());
    scene.world.advance(5 * 365 * 86_400);
    scene.world.check_budgets(false);
    let wake = ix::fund_backstop(&market, &lena.key(), 1);
    let outcome = scene.world.send(&[wake], &[&lena]).unwrap();
    assert!(outcome.compute_units < UNASKED, "{}", outcome.compute_units);
    let next = ix::repay(&market, &scene.position.address, &alice.key(), USDC);
    assert!(left(&mut scene.world, &next, &alice) >= 0);
}
