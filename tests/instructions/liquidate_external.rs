//! `liquidate_external`.

mod accounts;
mod discount;
mod guarded;
mod size;

use crate::{
    backing::{backed, cents, interest_free, market_with, stands_at},
    liquidate::formula::{Expected, Judged},
    risk::place,
    scene::{SOL, Scene, USDC, all_feed_kinds, both_token_programs, purse, readings, vaults},
};
use breakwater::{error::BreakwaterError, events::ExternallyLiquidated};
use breakwater_engine::{
    Bps, Collateral, Config, Level, MarginAccount, Price, Quote, actions::ExternalLiquidation, backstop::Shortage,
    oracle::Purpose,
};
use breakwater_testkit::{MarketSpec, World, default_config, ix};

/// What 6,500 wants at $80: 100 SOL are worth an atom less than 8,000 there, which wants three atoms more than 2,000.
const WANTED: u64 = 2_000 * USDC + 3;

/// What that buys without a discount.
const SOLD: u64 = 25 * SOL + 37;

/// Alice at 81.25% in a market whose backstop has nothing: no room for anybody.
fn roomless(world: World, spec: &MarketSpec) -> Scene {
    let mut spec = spec.clone();
    spec.config = interest_free(spec.config);
    let (mut scene, _) = backed(world, &spec, 0, 0);
    stands_at(&mut scene, cents(80_00));
    scene
}

/// On solana-program-test with the default parameters.
fn scene() -> Scene {
    roomless(World::program_test(), &MarketSpec::default())
}

fn external(
    scene: &Scene,
    max_repay: u64,
    min_collateral: u64,
) -> anchor_lang::solana_program::instruction::Instruction {
    ix::liquidate_external(
        &scene.market,
        &scene.position.address,
        &scene.mallory.key(),
        max_repay,
        min_collateral,
    )
}

#[track_caller]
fn refused(scene: &mut Scene, (max_repay, min_collateral): (u64, u64), expected: BreakwaterError) {
    let external = external(scene, max_repay, min_collateral);
    scene
        .world
        .assert_error_unchanged(&[external], &[&scene.mallory], expected);
}

/// These parameters with one penalty for all accounts. The formula itself caps it at what the account has left.
fn at_penalty(config: Config, penalty: u32) -> Config {
    Config {
        penalty_min: Bps(penalty),
        penalty_max: Bps(penalty),
        ..config
    }
}

/// The terms of Alice's account, worked out with the formulas of the tests of `liquidate`: what the backstop's penalty is,
/// and what comes of this `discount`, with at most `max_repay`.
fn terms(scene: &mut Scene, judged: Judged, discount: u64, max_repay: u64) -> Expected {
    let mut config = scene.world.market_state(&scene.market).config;
    if scene.world.market_state(&scene.market).guard.level == Level::Guarded.byte() {
        config.penalty_max = config.penalty_min;
    }
    let most = judged.expected(&config).penalty;
    let penalty = u32::try_from(discount).unwrap_or(u32::MAX).min(most);
    judged.expected_within(&at_penalty(config, penalty), max_repay)
}

/// Mallory liquidates Alice at Normal, when the backstop has been without room for `waited` seconds. Everything it does is
/// checked: terms, event, account, every number of the market, and all tokens.
#[track_caller]
fn liquidated(scene: &mut Scene, waited: u64, max_repay: u64) -> ExternalLiquidation {
    let judged = scene.judged();
    let mut expected = scene.world.market_state(&scene.market);
    let discount = u64::from(expected.config.external_slope.0) * waited / 60;
    let terms = terms(scene, judged, discount, max_repay);
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let account = scene.world.margin_account(&scene.position);
    let purse_before = purse(&mut scene.world, &market, &mallory);
    let vaults_before = vaults(&mut scene.world, &market);
    let clock = scene.world.clock();
    expected
        .accept_prices(&readings(&scene.world, &market), Purpose::Liquidate, clock)
        .unwrap();
    expected.books = expected.books_at(clock).unwrap();

    let exactly = external(scene, max_repay, terms.seize);
    let outcome = scene.world.send(&[exactly], &[&mallory]).unwrap();

    // All shares for all of the debt, otherwise rounded down.
    let index = expected.books.pool.index.raw();
    let shares = if u128::from(terms.repay) == judged.debt {
        account.debt_shares.0
    } else {
        u64::try_from((u128::from(terms.repay) << 64) / index).unwrap()
    };
    let left = account.debt_shares.0 - shares;
    let liquidation = ExternalLiquidation {
        price: Price::from_raw(judged.price),
        repaid: Quote(terms.repay),
        seized: Collateral(terms.seize),
        penalty: Bps(terms.penalty),
        waited,
        debt_after: Quote(u64::try_from((index * u128::from(left)).div_ceil(1 << 64)).unwrap()),
        collateral_after: Collateral(account.collateral.0 - terms.seize),
    };
    let event = ExternallyLiquidated {
        market: market.market,
        margin_account: scene.position.address,
        liquidator: mallory.key(),
        liquidation,
    };
    assert_eq!(outcome.event::<ExternallyLiquidated>(), event);
    expected.books.pool.cash.0 += terms.repay;
    expected.books.pool.debt_shares.0 -= shares;
    expected.shortage = Shortage {
        since: clock.unix - i64::try_from(waited).unwrap(),
        seen_at: clock.unix,
    };
    let mut after = MarginAccount {
        collateral: liquidation.collateral_after,
        debt_shares: breakwater_engine::DebtShares(left),
        ..account
    };
    place(&mut expected, &account, &mut after);
    assert_eq!(scene.world.market_state(&market), expected);
    assert_eq!(scene.world.margin_account(&scene.position), after);
    let (collateral, quote, lp) = purse_before;
    assert_eq!(
        purse(&mut scene.world, &market, &mallory),
        (collateral + terms.seize, quote - terms.repay, lp)
    );
    let (collateral, quote) = vaults_before;
    assert_eq!(
        vaults(&mut scene.world, &market),
        (collateral - terms.seize, quote + terms.repay)
    );
    liquidation
}

#[test]
fn it_moves_both_tokens_and_the_debt_goes() {
    for spec in both_token_programs().into_iter().chain(all_feed_kinds()) {
        let mut scene = roomless(World::program_test(), &spec);
        let liquidation = liquidated(&mut scene, 0, u64::MAX);
        // Without a discount 6,500 on 8,000 is at 75% again after 2,000, for 25 SOL.
        let terms = (liquidation.repaid.0, liquidation.seized.0, liquidation.penalty);
        assert_eq!(terms, (WANTED, SOLD, Bps(0)));
        refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountHealthy);
    }
}

#[test]
fn it_is_for_when_the_backstop_has_no_room() {
    // Capital of 100 has room for some 840 of what 86.7% wants, and that is taken by the backstop, not by Mallory.
    let spec = market_with(interest_free(default_config()));
    let (mut scene, _) = backed(World::program_test(), &spec, 100 * USDC, 0);
    stands_at(&mut scene, cents(75_00));
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::BackstopHasRoom);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    liquidated(&mut scene, 0, u64::MAX);
    // With room again it is closed again.
    stands_at(&mut scene, cents(68_00));
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 10_000 * USDC)
        .unwrap();
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::BackstopHasRoom);
}

#[test]
fn the_edge_of_room_is_the_smallest_debt() {
    // Without leverage there is room for what the cash pays: 10, or an atom less.
    let config = Config {
        backstop_leverage: Bps(0),
        ..interest_free(default_config())
    };
    for (cash, has_room) in [(10 * USDC, true), (10 * USDC - 1, false), (1, false)] {
        let (mut scene, _) = backed(World::program_test(), &market_with(config), cash, 0);
        stands_at(&mut scene, cents(80_00));
        if has_room {
            refused(&mut scene, (u64::MAX, 0), BreakwaterError::BackstopHasRoom);
            scene.world.liquidate(&scene.kate, &scene.position).unwrap();
        } else {
            liquidated(&mut scene, 0, u64::MAX);
        }
    }
}

#[test]
fn insolvent_accounts_are_the_backstops() {
    // 92% of 100 SOL at $70.65 is just below 6,500.
    for (price, insolvent) in [(70_66, false), (70_65, true), (60_00, true), (1, true)] {
        let mut scene = scene();
        stands_at(&mut scene, cents(price));
        if insolvent {
            refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountInsolvent);
            scene.world.liquidate(&scene.kate, &scene.position).unwrap();
        } else {
            liquidated(&mut scene, 0, u64::MAX);
        }
    }
}

#[test]
fn only_accounts_above_their_margin_can_be_liquidated() {
    let mut scene = scene();
    stands_at(&mut scene, cents(81_26));
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountHealthy);
    stands_at(&mut scene, cents(81_24));
    let before = scene.world.snapshot();
    liquidated(&mut scene, 0, u64::MAX);
    scene.world.restore(&before);
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::NoDebt);
}

#[test]
fn not_in_the_slot_in_which_it_borrowed() {
    let mut scene = scene();
    stands_at(&mut scene, cents(10_000));
    scene.world.borrow(&scene.position, 1).unwrap();
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, cents(80_00), 0);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::SameSlot);
    scene.world.next_slot();
    liquidated(&mut scene, 0, u64::MAX);
}

#[test]
fn liquidating_oneself_is_allowed() {
    let mut scene = scene();
    scene.world.fund(&scene.alice, &scene.market.quote_mint, 10_000 * USDC);
    let (market, alice) = (scene.market, scene.alice.clone());
    let before = purse(&mut scene.world, &market, &alice);
    scene
        .world
        .liquidate_external(&alice, &scene.position, u64::MAX)
        .unwrap();
    let after = purse(&mut scene.world, &market, &alice);
    assert_eq!((before.1 - after.1, after.0 - before.0), (WANTED, SOLD));
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let (mut scene, _) = backed(World::program_test(), &market_with(crate::backing::usury()), 0, 0);
    scene.drain_pool();
    scene.world.advance(crate::backing::FIVE_YEARS);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::Overflow);
}
