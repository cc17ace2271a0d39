//! `guardian_deposit`.

mod standby;

use crate::{
    attack::{donate, levy_transfer_fee},
    backing::{
        BOUNTY_AT_60, FIVE_YEARS, backed, cash, cents, credits, deficit, market_with, owed, position_of, quick,
        stands_at, take_over, usury,
    },
    scene::{Scene, USDC, both_token_programs, vaults},
};
use breakwater::{error::BreakwaterError, events::GuardianDeposited};
use breakwater_engine::{GuardianPosition, GuardianShares, Quote, actions::GuardianDeposit};
use breakwater_testkit::{Actor, MarketSpec, World, ix};

/// Gina with an open position and 2,000, nobody's claim on the backstop's 100,000.
fn fresh(spec: &MarketSpec) -> (Scene, Actor) {
    let (mut scene, gina) = backed(World::program_test(), spec, 100_000 * USDC, 0);
    scene.world.fund(&gina, &scene.market.quote_mint, 2_000 * USDC);
    (scene, gina)
}

/// Makes a deposit, and returns its event.
#[track_caller]
fn deposit(scene: &mut Scene, guardian: &Actor, amount: u64) -> GuardianDeposit {
    let outcome = scene.world.guardian_deposit(&scene.market, guardian, amount).unwrap();
    outcome.event::<GuardianDeposited>().deposit
}

#[track_caller]
fn refused(scene: &mut Scene, guardian: &Actor, (amount, min_shares): (u64, u64), expected: BreakwaterError) {
    let deposit = ix::guardian_deposit(&scene.market, &guardian.key(), amount, min_shares, u64::MAX);
    scene.world.assert_error_unchanged(&[deposit], &[guardian], expected);
}

#[test]
fn it_moves_the_tokens_and_becomes_cash_and_claim() {
    for spec in both_token_programs() {
        let (mut scene, gina) = fresh(&spec);
        let mut expected = scene.world.market_state(&scene.market);
        let position = position_of(&mut scene, &gina);
        let tokens = vaults(&mut scene.world, &scene.market);

        let outcome = scene
            .world
            .guardian_deposit(&scene.market, &gina, 1_500 * USDC + 7)
            .unwrap();

        // A thousand shares an atom.
        let (amount, shares) = (1_500 * USDC + 7, (1_500 * USDC + 7) * 1_000);
        let event = GuardianDeposited {
            market: scene.market.market,
            guardian: gina.key(),
            deposit: GuardianDeposit {
                amount: Quote(amount),
                shares: GuardianShares(shares),
                repaid: Quote(0),
                impaired: Quote(0),
                claim_after: Quote(amount),
            },
        };
        assert_eq!(outcome.event::<GuardianDeposited>(), event);
        expected.books.backstop.cash.0 += amount;
        expected.books.guardians.claim.0 += amount;
        expected.books.guardians.shares.0 += shares;
        assert_eq!(scene.world.market_state(&scene.market), expected);
        let after = GuardianPosition {
            shares: GuardianShares(shares),
            ..position
        };
        assert_eq!(position_of(&mut scene, &gina), after);
        assert_eq!(
            scene.world.balance(&gina, &scene.market.quote_mint),
            2_000 * USDC - amount
        );
        assert_eq!(vaults(&mut scene.world, &scene.market), (tokens.0, tokens.1 + amount));
    }
}

#[test]
fn who_comes_after_a_gain_pays_for_it() {
    let (mut scene, gina) = backed(
        World::program_test(),
        &market_with(quick()),
        50_000 * USDC,
        30_000 * USDC,
    );
    stands_at(&mut scene, cents(80_00));
    let liquidation = take_over(&mut scene);
    // Half of the penalty, times three eighths.
    let penalty = liquidation.repaid.0 * u64::from(liquidation.penalty.0) / 10_000;
    let claim = 30_000 * USDC + penalty * 1_875 / 10_000;
    let guardians = scene.world.market_state(&scene.market).books.guardians;
    assert_eq!((guardians.claim.0, guardians.shares.0), (claim, 30_000_000 * USDC));

    let amount = 10_000 * USDC;
    let shares = u128::from(amount) * u128::from(30_000_000 * USDC + 1_000) / u128::from(claim + 1);
    let shares = u64::try_from(shares).unwrap();
    assert!(shares < amount * 1_000);
    refused(
        &mut scene,
        &gina,
        (amount, shares + 1),
        BreakwaterError::SlippageExceeded,
    );
    let exactly = ix::guardian_deposit(&scene.market, &gina.key(), amount, shares, 0);
    let event = scene
        .world
        .send(&[exactly], &[&gina])
        .unwrap()
        .event::<GuardianDeposited>();
    assert_eq!(
        (event.deposit.shares.0, event.deposit.claim_after.0),
        (shares, claim + amount)
    );
    assert_eq!(position_of(&mut scene, &gina).shares.0, 30_000_000 * USDC + shares);
}

#[test]
fn the_caller_sets_the_least_shares() {
    let (mut scene, gina) = fresh(&MarketSpec::default());
    for min_shares in [1_000 * 500 + 1, u64::MAX] {
        refused(&mut scene, &gina, (500, min_shares), BreakwaterError::SlippageExceeded);
    }
    let exactly = ix::guardian_deposit(&scene.market, &gina.key(), 500, 500 * 1_000, 0);
    scene.world.send(&[exactly], &[&gina]).unwrap();
}

#[test]
fn keepers_credits_are_funded_first_and_then_debt_to_the_pool_is_repaid() {
    // The backstop has assumed 6,500 and owes the keeper a bounty; nothing is sold.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 0, 0);
    scene.world.fund(&gina, &scene.market.quote_mint, 7_000 * USDC);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    let pool = scene.world.market_state(&scene.market).books.pool.cash.0;
    assert_eq!(
        (owed(&mut scene), credits(&mut scene)),
        (6_500 * USDC, (0, BOUNTY_AT_60))
    );

    let first = deposit(&mut scene, &gina, 6_000 * USDC);
    assert_eq!(
        (first.repaid.0, first.claim_after.0),
        (6_000 * USDC - BOUNTY_AT_60, 6_000 * USDC)
    );
    assert_eq!(credits(&mut scene), (BOUNTY_AT_60, 0));
    assert_eq!((owed(&mut scene), cash(&mut scene)), (500 * USDC + BOUNTY_AT_60, 0));
    let second = deposit(&mut scene, &gina, 1_000 * USDC);
    assert_eq!(
        (second.repaid.0, second.claim_after.0),
        (500 * USDC + BOUNTY_AT_60, 7_000 * USDC)
    );
    assert_eq!((owed(&mut scene), cash(&mut scene)), (0, 500 * USDC - BOUNTY_AT_60));
    let after = scene.world.market_state(&scene.market);
    assert_eq!(after.books.pool.cash.0, pool + 6_500 * USDC);
    // What it paid for is none of the claim's business: all of it is Gina's.
    assert_eq!(after.books.guardians.shares, GuardianShares(7_000_000 * USDC));
}

#[test]
fn interest_is_accrued_first() {
    let (mut scene, gina) = fresh(&MarketSpec::default());
    scene.world.advance(365 * 86_400);
    let mut expected = scene.world.market_state(&scene.market);
    let before = expected.books.backstop.cash.0;
    let mut position = position_of(&mut scene, &gina);
    let clock = scene.world.clock();
    let by_engine = expected
        .guardian_deposit(&mut position, Quote(1_000 * USDC), GuardianShares(0), Quote(0), clock)
        .unwrap();
    // About 1% a year on 6,500, of which a fifth is the backstop's.
    let reserve = expected.books.backstop.cash.0 - before - 1_000 * USDC;
    assert!((10 * USDC..15 * USDC).contains(&reserve), "{reserve}");
    assert_eq!(deposit(&mut scene, &gina, 1_000 * USDC), by_engine);
    assert_eq!(scene.world.market_state(&scene.market), expected);
    assert_eq!(position_of(&mut scene, &gina), position);
}

#[test]
fn an_atom_and_the_whole_balance_can_be_put_in() {
    let (mut scene, gina) = fresh(&MarketSpec::default());
    assert_eq!(deposit(&mut scene, &gina, 1).shares, GuardianShares(1_000));
    let rest = 2_000 * USDC - 1;
    assert_eq!(deposit(&mut scene, &gina, rest).shares, GuardianShares(rest * 1_000));
    assert_eq!(scene.world.balance(&gina, &scene.market.quote_mint), 0);
}

#[test]
fn amounts_are_checked() {
    for spec in both_token_programs() {
        let (mut scene, gina) = fresh(&spec);
        refused(&mut scene, &gina, (0, 0), BreakwaterError::ZeroAmount);
        // A thousand shares an atom: these would not fit.
        for amount in [u64::MAX, u64::MAX / 1_000 + 1] {
            refused(&mut scene, &gina, (amount, 0), BreakwaterError::Overflow);
        }
        let too_much = ix::guardian_deposit(&scene.market, &gina.key(), 2_000 * USDC + 1, 0, 0);
        let failure = scene.world.assert_error_unchanged(&[too_much], &[&gina], "Custom(1)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
    }
}

#[test]
fn the_virtual_shares_must_fit_as_well() {
    // Without interest: nothing is earned for standing by.
    let (mut scene, gina) = fresh(&market_with(quick()));
    // The most atoms whose shares leave room for a thousand virtual ones.
    let most = (u64::MAX - 1_000) / 1_000;
    scene
        .world
        .fund(&gina, &scene.market.quote_mint, most + 1 - 2_000 * USDC);
    refused(&mut scene, &gina, (most + 1, 0), BreakwaterError::Overflow);
    deposit(&mut scene, &gina, most);
    refused(&mut scene, &gina, (1, 0), BreakwaterError::Overflow);
    // And they can all be paid out again.
    let shares = position_of(&mut scene, &gina).shares.0;
    scene.world.guardian_request(&scene.market, &gina, shares).unwrap();
    let cooldown = scene.world.market_state(&scene.market).config.guardian_cooldown;
    scene.world.advance(cooldown);
    scene.world.guardian_withdraw(&scene.market, &gina, shares).unwrap();
    assert_eq!(scene.world.balance(&gina, &scene.market.quote_mint), most + 1);
}

#[test]
fn too_little_for_a_share_is_refused() {
    // An atom behind an empty backstop earns half of a partial liquidation's penalty of an account that is taken over:
    // now a share is worth many atoms.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 0, 1);
    scene.world.fund(&gina, &scene.market.quote_mint, 1_000 * USDC);
    stands_at(&mut scene, cents(67_00));
    let liquidation = take_over(&mut scene);
    assert!(liquidation.taken_over);
    let claim = 1 + liquidation.repaid.0 / 100 / 2;
    let guardians = scene.world.market_state(&scene.market).books.guardians;
    assert_eq!((guardians.claim.0, guardians.shares.0), (claim, 1_000));

    // a × (1,000 + 1,000) ÷ (claim + 1) must be one.
    let least = (claim + 1).div_ceil(2_000);
    assert!(least > 16_000, "{least}");
    for amount in [1, least - 1] {
        refused(&mut scene, &gina, (amount, 0), BreakwaterError::ZeroAmount);
    }
    assert_eq!(deposit(&mut scene, &gina, least).shares, GuardianShares(1));
}

#[test]
fn a_donation_to_the_vault_is_no_deposit() {
    let (mut scene, gina) = fresh(&MarketSpec::default());
    let Scene { world, market, .. } = &mut scene;
    donate(world, &market.quote_mint, &market.quote_vault, 50_000 * USDC);
    let event = deposit(&mut scene, &gina, USDC);
    assert_eq!(
        (event.shares, event.claim_after),
        (GuardianShares(1_000 * USDC), Quote(USDC))
    );
    assert_eq!(cash(&mut scene), 100_001 * USDC);
}

#[test]
fn it_needs_no_price_at_any_level() {
    let (mut scene, gina) = fresh(&MarketSpec::default());
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 3_600).unwrap();
    deposit(&mut scene, &gina, USDC);
    scene.world.advance_silently(30 * 86_400);
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene.world.give_lamports(&feed, 0);
    }
    deposit(&mut scene, &gina, USDC);
}

#[test]
fn after_a_settlement_a_new_epoch_begins_at_a_thousand_shares_an_atom() {
    let (mut scene, gina) = deficit(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    scene.world.settle_deficit(&scene.market).unwrap();
    let event = deposit(&mut scene, &gina, 10 * USDC);
    assert_eq!((event.shares.0, event.claim_after.0), (10_000 * USDC, 10 * USDC));
    let position = position_of(&mut scene, &gina);
    // The old shares do not come back.
    assert_eq!((position.shares.0, position.epoch), (10_000 * USDC, 1));
    assert!(!position.has_request());
}

#[test]
fn less_arriving_than_was_sent_is_refused() {
    let [_, spec] = both_token_programs();
    let (mut scene, gina) = fresh(&spec);
    let Scene { world, market, .. } = &mut scene;
    let taxed = [market.quote_of(&gina.key()), market.quote_vault];
    levy_transfer_fee(world, &market.quote_mint, &taxed);
    refused(&mut scene, &gina, (1_000, 0), BreakwaterError::TransferMismatch);
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let (mut scene, gina) = fresh(&market_with(usury()));
    scene.drain_pool();
    scene.world.advance(FIVE_YEARS);
    refused(&mut scene, &gina, (USDC, 0), BreakwaterError::Overflow);
}

#[test]
fn a_guardian_joins_no_claim_that_lacks_more_than_she_accepts() {
    // Alice was taken over at $60 for 6,500: the backstop lacks 500 and the keeper's bounty, less the guardians'
    // own 100.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    let lacks = 100 * USDC;
    let market = scene.market;
    let deposit = |most| ix::guardian_deposit(&market, &gina.key(), 100 * USDC, 0, most);
    scene
        .world
        .assert_error_unchanged(&[deposit(0)], &[&gina], BreakwaterError::ClaimImpaired);
    scene
        .world
        .assert_error_unchanged(&[deposit(lacks - 1)], &[&gina], BreakwaterError::ClaimImpaired);
    let told = scene.world.send(&[deposit(lacks)], &[&gina]).unwrap();
    assert_eq!(told.event::<GuardianDeposited>().deposit.impaired, Quote(lacks));
}
