//! `settle_deficit`.

use crate::{
    backing::{
        BOUNTY_AT_60, FIVE_YEARS, backed, cash, cents, deficit, market_with, owed, quick, sell_out, share_fell,
        stands_at, take_over, usury,
    },
    scene::{SOL, Scene, USDC, vaults},
};
use breakwater::{error::BreakwaterError, events::DeficitSettled};
use breakwater_engine::{
    Bps, Collateral, Config, DebtShares, Fixed, GuardianShares, Quote, actions::Settlement, backstop::EquitySources,
};
use breakwater_testkit::{World, default_config, ix};

#[track_caller]
fn refused(scene: &mut Scene, expected: BreakwaterError) {
    let settle = ix::settle_deficit(&scene.market);
    scene.world.assert_error_unchanged(&[settle], &[], expected);
}

/// Settles the deficit, and returns the event.
#[track_caller]
fn settle(scene: &mut Scene) -> Settlement {
    let outcome = scene.world.settle_deficit(&scene.market).unwrap();
    outcome.event::<DeficitSettled>().settlement
}

#[test]
fn protocol_then_guardians_then_suppliers_bear_it() {
    // A loss of 500 and the keeper's bounty, less an atom by which the sale was rounded up.
    const LOSS: u64 = 500 * USDC + BOUNTY_AT_60 - 1;
    for (protocol, guardians) in [(0, 0), (100, 0), (0, 100), (150, 250), (250, 250)] {
        let (protocol, guardians) = (protocol * USDC, guardians * USDC);
        let (mut scene, gina) = deficit(World::program_test(), &market_with(quick()), protocol, guardians);
        let mut expected = scene.world.market_state(&scene.market);
        let assets = expected.books.pool.assets().unwrap().0;
        assert_eq!(assets, 1_000_000 * USDC);
        let tokens = vaults(&mut scene.world, &scene.market);

        let outcome = scene.world.settle_deficit(&scene.market).unwrap();

        let suppliers = LOSS - protocol - guardians;
        // 1,024 debt shares an atom.
        let shares = DebtShares(suppliers * 1_024);
        let event = DeficitSettled {
            market: scene.market.market,
            settlement: Settlement {
                protocol: Quote(protocol),
                guardians: Quote(guardians),
                suppliers: Quote(suppliers),
                shares,
                written_off: Quote(0),
                inventory: Collateral(0),
            },
        };
        assert_eq!(outcome.event::<DeficitSettled>(), event);
        expected.books.backstop.debt_shares = DebtShares(0);
        expected.books.pool.debt_shares.0 -= shares.0;
        expected.books.equity_sources = bytemuck::Zeroable::zeroed();
        expected.books.guardians.claim = Quote(0);
        expected.books.guardians.shares = GuardianShares(0);
        expected.books.guardians.epoch = 1;
        assert_eq!(scene.world.market_state(&scene.market), expected);
        assert_eq!(expected.books.pool.assets(), Ok(Quote(assets - suppliers)));
        // No token moves.
        assert_eq!(vaults(&mut scene.world, &scene.market), tokens);
        assert_eq!(
            scene.world.guardian_position(&scene.market, &gina).shares.0,
            guardians * 1_000
        );
    }
}

#[test]
fn only_what_nothing_can_pay_is_settled() {
    // Nothing was ever taken over.
    for protocol in [0, 100 * USDC] {
        let (mut scene, _) = backed(World::program_test(), &market_with(quick()), protocol, 0);
        refused(&mut scene, BreakwaterError::NothingToSettle);
    }
    // Taken over, and it can pay.
    let (mut scene, _) = backed(World::program_test(), &market_with(quick()), 10_000 * USDC, 0);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    refused(&mut scene, BreakwaterError::NothingToSettle);
    sell_out(&mut scene);
    refused(&mut scene, BreakwaterError::NothingToSettle);
    // Under water, with inventory: what it cannot bring at the highest price, once.
    let (mut scene, _) = backed(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    stands_at(&mut scene, cents(60_00));
    scene.world.forget_prices(&scene.market);
    take_over(&mut scene);
    let debt = owed(&mut scene);
    let part = settle(&mut scene);
    let lacking = 400 * USDC + BOUNTY_AT_60;
    assert!(part.suppliers.0.abs_diff(lacking) <= 2, "{part:?}");
    assert_eq!((part.protocol, part.guardians), (Quote(0), Quote(0)));
    assert_eq!(
        (part.written_off, part.inventory),
        (part.suppliers, Collateral(100 * SOL))
    );
    assert_eq!(owed(&mut scene), debt - part.suppliers.0);
    refused(&mut scene, BreakwaterError::NothingToSettle);
    // So that nothing is left but a crumb of it, and all that was written off.
    let Scene {
        world, market, mallory, ..
    } = &mut scene;
    world.buy_inventory(market, mallory, 100 * SOL - 1, u64::MAX).unwrap();
    assert!(owed(&mut scene) <= 2);
    let sale = sell_out(&mut scene);
    assert!(sale.lost.0.abs_diff(lacking) <= 2, "{sale:?}");
    assert_eq!(sale.guardians_lost, Quote(100 * USDC));
    if owed(&mut scene) == 0 {
        refused(&mut scene, BreakwaterError::NothingToSettle);
    }
}

#[test]
fn an_atom_of_debt_is_enough_and_none_is_not() {
    for (left, settled) in [(2, true), (1, true), (0, false)] {
        let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 0, 100 * USDC);
        let debt = owed(&mut scene);
        scene
            .world
            .fund_backstop(&scene.market, &scene.lena, debt - left)
            .unwrap();
        if settled {
            let expected = Settlement {
                protocol: Quote(debt - left),
                guardians: Quote(100 * USDC),
                suppliers: Quote(left),
                shares: DebtShares(left * 1_024),
                written_off: Quote(0),
                inventory: Collateral(0),
            };
            assert_eq!(settle(&mut scene), expected);
        } else {
            refused(&mut scene, BreakwaterError::NothingToSettle);
            // The claim stands, and what comes later can pay it.
            assert_eq!(
                scene.world.market_state(&scene.market).books.guardians.claim,
                Quote(100 * USDC)
            );
        }
    }
}

#[test]
fn interest_is_accrued_first_and_the_reserve_is_the_protocols_loss() {
    let config = Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    };
    let (mut scene, _) = backed(World::program_test(), &market_with(config), 100 * USDC, 50 * USDC);
    // A year of interest, of which the reserve becomes cash.
    scene.world.advance(365 * 86_400);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    sell_out(&mut scene);
    // Of the interest on what it owes itself a fifth is the backstop's own.
    scene.world.advance(30 * 86_400);
    let mut expected = scene.world.market_state(&scene.market);
    let stored = expected
        .books
        .pool
        .index
        .debt(expected.books.backstop.debt_shares)
        .unwrap();
    let books = expected.books_at(scene.world.clock()).unwrap();
    let (reserve, debt) = (
        books.backstop.reserve,
        books.pool.index.debt(books.backstop.debt_shares).unwrap(),
    );
    // Less what the guardians earned of it for standing by.
    let standby = books.equity_sources.standby;
    assert!(
        reserve > Quote(10 * USDC) && standby > Quote(USDC),
        "{reserve:?} {standby:?}"
    );
    assert_ne!(debt, stored);
    let by_engine = expected.settle_deficit(None, scene.world.clock()).unwrap();
    assert_eq!(
        (by_engine.protocol.0, by_engine.suppliers),
        (100 * USDC + reserve.0 - standby.0, debt)
    );

    assert_eq!(settle(&mut scene), by_engine);
    assert_eq!(scene.world.market_state(&scene.market), expected);
    assert_eq!(expected.books.backstop.reserve, Quote(0));
}

#[test]
fn each_settlement_tells_of_its_own_losses() {
    let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 100 * USDC, 50 * USDC);
    settle(&mut scene);
    // New capital, new guardians, a new account that goes under.
    let (market, lena) = (scene.market, scene.lena.clone());
    scene.world.fund_backstop(&market, &lena, 7 * USDC).unwrap();
    let hugo = scene.world.guardian(&market, "hugo", 3 * USDC);
    scene.world.guardian_deposit(&market, &hugo, 3 * USDC).unwrap();
    stands_at(&mut scene, cents(10_000));
    scene.position = scene.world.open(&market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&scene.position, 10 * SOL).unwrap();
    scene.world.borrow(&scene.position, 650 * USDC).unwrap();
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    sell_out(&mut scene);
    let second = settle(&mut scene);
    assert_eq!(
        (second.protocol, second.guardians, second.suppliers),
        (
            Quote(7 * USDC),
            Quote(3 * USDC),
            // The tip, and 25 bps of 600, rounded down.
            Quote(50 * USDC + 1_549_999 - 10 * USDC - 1)
        )
    );
    assert_eq!(scene.world.market_state(&market).books.guardians.epoch, 2);
}

#[test]
fn the_share_price_falls_once_and_nobody_is_diluted() {
    let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 0, 0);
    let before = scene.world.market_state(&scene.market).books.pool;
    let loss = settle(&mut scene).suppliers.0;
    let after = scene.world.market_state(&scene.market).books.pool;
    assert!(share_fell(&before, &after));
    assert_eq!(after.lp_supply, before.lp_supply);
    // Lena has all shares: with all debt gone they pay out all that is left.
    let Scene {
        world, market, lena, ..
    } = &mut scene;
    let (shares, quote) = (
        world.balance(lena, &market.lp_mint),
        world.balance(lena, &market.quote_mint),
    );
    world.withdraw(market, lena, shares).unwrap();
    let paid = world.balance(lena, &market.quote_mint) - quote;
    assert!((1_000_000 * USDC - loss - 1..=1_000_000 * USDC - loss).contains(&paid));
}

#[test]
fn what_is_due_from_the_pool_pays_before_anything_is_written_off() {
    // All cash is lent for two months at 107% a year, and half of it is the backstop's, which nobody has cash to pay.
    let config = Config {
        market_depth: Quote(1 << 50),
        reserve_factor: Bps(5_000),
        ..default_config()
    };
    let (mut scene, _) = backed(World::program_test(), &market_with(config), 0, 200 * USDC);
    let market = scene.market;
    scene.drain_pool();
    scene.world.advance(60 * 86_400);
    stands_at(&mut scene, cents(75_00));
    // All in one second: Alice is taken over whole, what she had is sold, and less is still owed than is due.
    take_over(&mut scene);
    sell_out(&mut scene);
    let books = scene.world.market_state(&market).books;
    let due = u64::try_from(books.pool.reserves_owed.raw() >> 64).unwrap();
    let debt = owed(&mut scene);
    assert_eq!((cash(&mut scene), books.backstop.inventory.0), (0, 0));
    assert!(debt > 0 && due > debt, "owed {debt}, due {due}");
    // So the backstop is worth something, and with it the guardians' claim.
    refused(&mut scene, BreakwaterError::NothingToSettle);
    assert_ne!(
        scene.world.market_state(&market).books.pool.reserves_owed,
        Fixed::default()
    );
}

#[test]
fn anyone_may_without_a_price_or_a_signature() {
    let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 0, 0);
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 3_600).unwrap();
    scene.world.advance_silently(60);
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene.world.give_lamports(&feed, 0);
    }
    settle(&mut scene);
}

#[test]
fn with_inventory_it_takes_a_fresh_price_at_normal() {
    let (mut scene, _) = backed(World::program_test(), &market_with(quick()), 0, 0);
    stands_at(&mut scene, cents(60_00));
    scene.world.forget_prices(&scene.market);
    take_over(&mut scene);
    let bare = |scene: &Scene| ix::settle_deficit(&scene.market.without_feeds());
    // What the market knows is too old for it after ten seconds.
    let without = bare(&scene);
    scene.world.advance_silently(11);
    scene
        .world
        .assert_error_unchanged(&[without], &[], BreakwaterError::PriceTooOld);
    scene.world.publish_all();
    let before = scene.world.snapshot();
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 60).unwrap();
    refused(&mut scene, BreakwaterError::MarketHalted);
    scene.world.restore(&before);
    // At the higher of all prices: Pyth's EMA, and the confidence on top.
    let feed = scene.market.collateral_feed;
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = cents(64_00));
    let at_average = settle(&mut scene).suppliers.0;
    scene.world.restore(&before);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().conf = cents(1_00).unsigned_abs());
    let with_confidence = settle(&mut scene).suppliers.0;
    scene.world.restore(&before);
    let at_spot = settle(&mut scene).suppliers.0;
    assert!(at_average.abs_diff(at_spot - 400 * USDC) <= 2, "{at_average} {at_spot}");
    assert!(
        with_confidence.abs_diff(at_spot - 100 * USDC) <= 2,
        "{with_confidence} {at_spot}"
    );
    scene.world.restore(&before);
    scene.world.advance_silently(60);
    refused(&mut scene, BreakwaterError::PriceTooOld);
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let (mut scene, _) = backed(World::program_test(), &market_with(usury()), 0, 0);
    scene.drain_pool();
    scene.world.advance(FIVE_YEARS);
    refused(&mut scene, BreakwaterError::Overflow);
}

#[test]
fn the_books_start_again_from_nothing() {
    let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 100 * USDC, 50 * USDC);
    assert_ne!(
        scene.world.market_state(&scene.market).books.equity_sources.deficits,
        Quote(0)
    );
    settle(&mut scene);
    let state = scene.world.market_state(&scene.market);
    assert_eq!(
        state.books.equity_sources,
        EquitySources {
            ..bytemuck::Zeroable::zeroed()
        }
    );
    // The keeper's bounty stays owed and paid for.
    assert_eq!(state.books.backstop.funded_credits, Quote(BOUNTY_AT_60));
    scene.world.claim_bounty(&scene.market, &scene.kate).unwrap();
}
