//! `supply`.

use crate::{
    attack::{donate, levy_transfer_fee, replace_account},
    scene::{SOL, Scene, USDC, both_token_programs, overgrown, purse, sibling, vaults},
};
use breakwater::{
    error::BreakwaterError,
    events::{Supplied, Withdrawn},
};
use breakwater_engine::{Bps, LpShares, Quote, actions::Supply};
use breakwater_testkit::{MarketSpec, World, default_config, ix};

/// LP shares for one quote atom while no interest was ever paid.
const SHARES: u64 = 1_000;

const MONTH: u32 = 30 * 86_400;

#[test]
fn supplying_moves_the_tokens_and_mints_the_shares() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            mallory,
            ..
        } = Scene::on(World::program_test(), &spec);
        let mut expected = world.market_state(&market);
        let (purse_before, vaults_before) = (purse(&mut world, &market, &mallory), vaults(&mut world, &market));
        let lp_before = world.supply_of(&market.lp_mint);

        let outcome = world.supply(&market, &mallory, 1_234 * USDC).unwrap();

        let supply = Supply {
            amount: Quote(1_234 * USDC),
            shares: LpShares(1_234 * USDC * SHARES),
        };
        let event = Supplied {
            market: market.market,
            supplier: mallory.key(),
            supply,
        };
        assert_eq!(outcome.event::<Supplied>(), event);
        expected.books.pool.cash.0 += supply.amount.0;
        expected.books.pool.lp_supply.0 += supply.shares.0;
        // In the same second as the scene's first supply.
        expected.outflow.net -= (1_234 * USDC).cast_signed();
        assert_eq!(world.market_state(&market), expected);
        let (collateral, quote, lp) = purse_before;
        let purse_after = (collateral, quote - supply.amount.0, lp + supply.shares.0);
        assert_eq!(purse(&mut world, &market, &mallory), purse_after);
        assert_eq!(
            vaults(&mut world, &market),
            (vaults_before.0, vaults_before.1 + supply.amount.0)
        );
        assert_eq!(world.supply_of(&market.lp_mint), lp_before + supply.shares.0);
    }
}

#[test]
fn the_smallest_and_the_whole_balance_can_be_supplied() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    for (amount, shares) in [(1, SHARES), (1_000_000 * USDC - 1, (1_000_000 * USDC - 1) * SHARES)] {
        let event = world.supply(&market, &mallory, amount).unwrap().event::<Supplied>();
        assert_eq!(
            event.supply,
            Supply {
                amount: Quote(amount),
                shares: LpShares(shares)
            }
        );
    }
    assert_eq!(purse(&mut world, &market, &mallory).1, 0);
}

#[test]
fn interest_makes_shares_dearer_and_the_limit_is_exact() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.advance(MONTH);
    let mut expected = world.market_state(&market);
    let supply = expected
        .supply(Quote(1_000 * USDC), LpShares(0), world.clock())
        .unwrap();
    // 6,500 at 1.04% a year for 30 days is 5.56; four fifths of it belong to suppliers of 1,000,000.
    let cheaper = 1_000 * USDC * SHARES - supply.shares.0;
    assert_eq!(
        cheaper / (USDC * SHARES / 1_000_000),
        4_446,
        "millionths of one quote token's worth"
    );

    let too_many = ix::supply(&market, &mallory.key(), 1_000 * USDC, supply.shares.0 + 1);
    let exactly = ix::supply(&market, &mallory.key(), 1_000 * USDC, supply.shares.0);
    world.assert_error_unchanged(&[too_many], &[&mallory], BreakwaterError::SlippageExceeded);
    let outcome = world.send(&[exactly], &[&mallory]).unwrap();
    assert_eq!(outcome.event::<Supplied>().supply, supply);
    assert_eq!(world.market_state(&market), expected);
}

#[test]
fn supplying_and_leaving_again_gains_nothing() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.advance(MONTH);
    let (_, before, _) = purse(&mut world, &market, &mallory);
    // Each time, less than an atom is rounded in favor of the pool.
    for amount in [2, 7, 999_999, 12_345 * USDC + 1] {
        let supply = world
            .supply(&market, &mallory, amount)
            .unwrap()
            .event::<Supplied>()
            .supply;
        let back = world
            .withdraw(&market, &mallory, supply.shares.0)
            .unwrap()
            .event::<Withdrawn>()
            .withdrawal;
        assert_eq!(back.amount.0, amount - 1);
    }
    assert_eq!(purse(&mut world, &market, &mallory), (1_000 * SOL, before - 4, 0));
}

#[test]
fn a_donation_to_the_vault_moves_no_price() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let fresh = sibling(&mut world);
    world.fund(&mallory, &fresh.lp_mint, 0);
    world.supply(&fresh, &mallory, 1).unwrap();
    for keys in [&market, &fresh] {
        donate(&mut world, &keys.quote_mint, &keys.quote_vault, 5_000_000 * USDC);
        let supply = world
            .supply(keys, &mallory, 10 * USDC)
            .unwrap()
            .event::<Supplied>()
            .supply;
        assert_eq!(supply.shares.0, 10 * USDC * SHARES);
    }
}

#[test]
fn supplying_needs_no_price() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.advance_silently(MONTH);
    world.give_lamports(&market.collateral_feed, 0);
    world.give_lamports(&market.quote_feed, 0);
    world.supply(&market, &mallory, USDC).unwrap();
}

#[test]
fn the_shares_may_go_to_somebody_else() {
    let Scene {
        mut world,
        market,
        lena,
        mallory,
        ..
    } = Scene::new();
    let (_, _, before) = purse(&mut world, &market, &lena);
    let supply = ix::supply(&market, &mallory.key(), USDC, 0);
    let gift = replace_account(&supply, &market.lp_of(&mallory.key()), &market.lp_of(&lena.key()));
    let event = world.send(&[gift], &[&mallory]).unwrap().event::<Supplied>();
    assert_eq!(event.supplier, mallory.key());
    assert_eq!(purse(&mut world, &market, &lena).2, before + USDC * SHARES);
    assert_eq!(purse(&mut world, &market, &mallory).2, 0);
}

#[test]
fn amounts_are_checked() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let all = 1_000_000 * USDC;
    let cases = [
        (0, 0, BreakwaterError::ZeroAmount),
        (0, u64::MAX, BreakwaterError::ZeroAmount),
        (1, SHARES + 1, BreakwaterError::SlippageExceeded),
        (all, all * SHARES + 1, BreakwaterError::SlippageExceeded),
        (1, u64::MAX, BreakwaterError::SlippageExceeded),
        (u64::MAX, 0, BreakwaterError::Overflow),
        (u64::MAX / SHARES + 1, 0, BreakwaterError::Overflow),
    ];
    for (amount, min_shares, error) in cases {
        let supply = ix::supply(&market, &mallory.key(), amount, min_shares);
        world.assert_error_unchanged(&[supply], &[&mallory], error);
    }
}

#[test]
fn more_than_held_is_refused_by_the_token_program() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            mallory,
            ..
        } = Scene::on(World::program_test(), &spec);
        let supply = ix::supply(&market, &mallory.key(), 1_000_000 * USDC + 1, 0);
        let failure = world.assert_error_unchanged(&[supply], &[&mallory], "Custom(1)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
    }
}

#[test]
fn an_amount_that_buys_no_share_is_refused() {
    // At 500% a year for two years the pool's assets grow more than a thousandfold.
    let mut config = default_config();
    (config.interest_base, config.interest_slope_low) = (Bps(10_000), Bps(10_000));
    (config.interest_slope_high, config.reserve_factor) = (Bps(30_000), Bps(0));
    let mut world = World::program_test();
    let market = world.market(&MarketSpec {
        config,
        ..MarketSpec::default()
    });
    let lena = world.trader(&market, "lena", 0, 1_000 * USDC);
    let alice = world.trader(&market, "alice", 1_000_000_000, 0);
    world.supply(&market, &lena, 20 * USDC).unwrap();
    let position = world.open(&market, &alice, 0).unwrap();
    world.deposit(&position, 1_000_000_000).unwrap();
    world.borrow(&position, 20 * USDC).unwrap();
    world.advance(2 * 365 * 86_400);

    let one_atom = ix::supply(&market, &lena.key(), 1, 0);
    world.assert_error_unchanged(&[one_atom], &[&lena], BreakwaterError::ZeroAmount);
    // Nor is more: the debt is far beyond its collateral by now, and the pool has lost that.
    let more = ix::supply(&market, &lena.key(), USDC, 0);
    world.assert_error_unchanged(&[more], &[&lena], BreakwaterError::PoolImpaired);
}

#[test]
fn a_pool_cannot_be_filled_so_far_that_nobody_gets_out() {
    let Scene {
        mut world,
        market,
        lena,
        ..
    } = Scene::new();
    let whale = world.trader(&market, "whale", 0, u64::MAX - 10_000_000 * USDC);
    // One LP share is a thousandth of an atom: this much fills their number but for 615.
    let most = u64::MAX / SHARES - 1_000_000 * USDC;
    let too_much = ix::supply(&market, &whale.key(), most, 0);
    world.assert_error_unchanged(&[too_much], &[&whale], BreakwaterError::Overflow);
    world.supply(&market, &whale, most - 1).unwrap();
    world.withdraw(&market, &lena, USDC * SHARES).unwrap();
    world.withdraw(&market, &whale, SHARES).unwrap();
}

#[test]
fn a_debt_that_fits_no_number_keeps_suppliers_out() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = overgrown();
    let supply = ix::supply(&market, &mallory.key(), USDC, 0);
    world.assert_error_unchanged(&[supply], &[&mallory], BreakwaterError::Overflow);
}

#[test]
fn less_arriving_than_was_sent_is_refused() {
    let [_, spec] = both_token_programs();
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::on(World::program_test(), &spec);
    levy_transfer_fee(
        &mut world,
        &market.quote_mint,
        &[market.quote_of(&mallory.key()), market.quote_vault],
    );
    let supply = ix::supply(&market, &mallory.key(), 1_000, 0);
    world.assert_error_unchanged(&[supply], &[&mallory], BreakwaterError::TransferMismatch);
}
