//! The first supplier who makes shares so dear that the next one gets too few of them.

use crate::scene::{SOL, USDC};
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_testkit::{Actor, MarketSpec, World, assert_fails_with, ix};

/// Tokens go straight into the quote vault.
#[track_caller]
fn donate(world: &mut World, market: &MarketKeys, from: &Actor, amount: u64) {
    let source = world.token_address(&from.key(), &market.quote_mint);
    let transfer = anchor_spl::token::spl_token::instruction::transfer(
        &anchor_spl::token::ID,
        &source,
        &market.quote_vault,
        &from.key(),
        &[],
        amount,
    )
    .unwrap();
    world.send(&[transfer], &[from]).unwrap();
}

#[track_caller]
fn leave(world: &mut World, market: &MarketKeys, supplier: &Actor) {
    let shares = world.balance(supplier, &market.lp_mint);
    if let Err(failure) = world.withdraw(market, supplier, shares) {
        // What is left after burning may be worth less than an atom.
        assert_eq!((failure.name.as_str(), shares <= 1_000), ("ZeroAmount", true));
    }
}

/// Mallory supplies first, gives away `gifts` (to the vault, to the backstop), lets interest of `days` days grow on a
/// loan of hers, and burns `burnt` thousandths of her shares; a victim supplies `victim`; both leave. Returns the gain
/// of each, atoms.
#[track_caller]
fn played(first: u64, gifts: (u64, u64), burnt: u64, victim: u64) -> (i128, i128) {
    let mut world = World::lite();
    let market = world.market(&MarketSpec::default());
    let mallory = world.trader(&market, "mallory", 0, 10_000_000 * USDC);
    let vera = world.trader(&market, "vera", 0, victim);
    let held = |world: &mut World, who: &Actor| i128::from(world.balance(who, &market.quote_mint));
    let before = (held(&mut world, &mallory), held(&mut world, &vera));

    world.supply(&market, &mallory, first).unwrap();
    if gifts.0 > 0 {
        donate(&mut world, &market, &mallory, gifts.0);
    }
    if gifts.1 > 0 {
        world.fund_backstop(&market, &mallory, gifts.1).unwrap();
    }
    let shares = world.balance(&mallory, &market.lp_mint) / 1_000 * burnt;
    if shares > 0 {
        let lp = world.token_address(&mallory.key(), &market.lp_mint);
        let token = anchor_spl::token::ID;
        let burn =
            anchor_spl::token::spl_token::instruction::burn(&token, &lp, &market.lp_mint, &mallory.key(), &[], shares);
        world.send(&[burn.unwrap()], &[&mallory]).unwrap();
    }
    world.supply(&market, &vera, victim).unwrap();
    leave(&mut world, &market, &mallory);
    leave(&mut world, &market, &vera);
    (
        held(&mut world, &mallory) - before.0,
        held(&mut world, &vera) - before.1,
    )
}

#[test]
fn the_first_supplier_cannot_take_from_the_second() {
    for first in [1, 1_000, 1_000 * USDC] {
        for gifts in [(0, 0), (1_000_000 * USDC, 0), (0, 1_000_000 * USDC)] {
            for burnt in [0, 999] {
                for victim in [1, 999, 1_000 * USDC] {
                    let (hers, victims) = played(first, gifts, burnt, victim);
                    let what = format!("{first} {gifts:?} {burnt} {victim}: {hers} {victims}");
                    assert!(hers <= -i128::from(gifts.0 + gifts.1), "{what}");
                    assert!((-1..=0).contains(&victims), "{what}");
                }
            }
        }
    }
}

#[test]
fn interest_on_an_empty_pool_makes_no_share_dear() {
    // The only way to raise the price of a share is to pay interest. Mallory borrows the whole of a pool of ten dollars
    // that is hers alone, and pays a year of it.
    let mut world = World::lite();
    let market = world.market(&MarketSpec::default());
    let mallory = world.trader(&market, "mallory", 1_000 * SOL, 1_000_000 * USDC);
    let vera = world.trader(&market, "vera", 0, 1_000 * USDC);
    let before = world.balance(&mallory, &market.quote_mint);
    world.supply(&market, &mallory, 10 * USDC).unwrap();
    let position = world.open(&market, &mallory, 0).unwrap();
    world.deposit(&position, SOL).unwrap();
    world.borrow(&position, 10 * USDC).unwrap();
    world.advance(365 * 86_400);
    world.repay(&position, u64::MAX).unwrap();
    let pool = world.market_state(&market).books.pool;
    let dearer = pool.assets().unwrap().0;
    assert!(dearer > 10 * USDC && dearer < 30 * USDC, "{dearer}");
    // What is too little for a share is refused, not swallowed: a thousandth of an atom is worth a share.
    for victim in [1, 7, 999 * USDC] {
        let held = world.balance(&vera, &market.quote_mint);
        world.supply(&market, &vera, victim).unwrap();
        leave(&mut world, &market, &vera);
        assert!(held - world.balance(&vera, &market.quote_mint) <= 1);
    }
    leave(&mut world, &market, &mallory);
    assert!(world.balance(&mallory, &market.quote_mint) < before);
    let nothing = world.send(&[ix::supply(&market, &vera.key(), 0, 0)], &[&vera]);
    assert_fails_with(nothing, BreakwaterError::ZeroAmount);
}
