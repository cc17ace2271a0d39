//! A pool that has lent all it has.

use super::{Day, POOL};
use crate::{
    backing::{quick, share_fell},
    scene::{SOL, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::Quote;
use breakwater_testkit::{assert_fails_with, ix};

const LOANS: [(u64, u64); 4] = [(1_000, 69_000), (500, 33_000), (100, 5_000), (1_000, 40_000)];

/// Lena has left with all the cash; her shares are worth the loans.
fn drained(protocol: u64, guardians: u64) -> Day {
    let mut day = Day::new(quick(), (protocol, guardians), &LOANS);
    let cash = day.pool().cash.0;
    day.world.withdraw(&day.market, &day.lena, cash * 1_000).unwrap();
    assert_eq!(day.pool().cash, Quote(0));
    assert_eq!(day.pool().assets(), Ok(Quote(POOL - cash)));
    day
}

#[test]
fn liquidating_needs_no_cash_and_what_cannot_be_paid_is_told() {
    let mut day = drained(0, 0);
    let before = day.pool();
    day.stands_at(60_00);
    let taken = day.sweep();
    // The third is no more than above its margin: without capital the pipeline takes it.
    assert_eq!(taken.len(), 3);
    for (_, liquidation) in &taken {
        assert_eq!(
            (liquidation.paid_in_cash, liquidation.bounty > Quote(0)),
            (Quote(0), true)
        );
    }
    let after = day.pool();
    // The pool neither gains nor loses.
    assert_eq!((after.cash, after.debt_shares), (Quote(0), before.debt_shares));
    assert!(!share_fell(&before, &after));
    let nothing = ix::claim_bounty(&day.market, &day.kate.key());
    day.world
        .assert_error_unchanged(&[nothing], &[&day.kate], BreakwaterError::CreditsUnfunded);
}

#[test]
fn suppliers_wait_and_are_paid_as_inventory_is_sold() {
    let mut day = drained(20_000 * USDC, 0);
    day.stands_at(60_00);
    day.sweep();
    // The backstop's 20,000 are the pool's first cash again.
    let cash = day.pool().cash.0;
    assert!(cash > 19_000 * USDC && cash <= 20_000 * USDC, "{cash}");
    let shares = |amount: u64| amount * 1_000;
    let market = day.market;
    let too_much = ix::withdraw(&market, &day.lena.key(), shares(cash + USDC), 0);
    day.world
        .assert_error_unchanged(&[too_much], &[&day.lena], BreakwaterError::InsufficientLiquidity);
    day.world.withdraw(&market, &day.lena, shares(cash)).unwrap();
    let none = ix::withdraw(&market, &day.lena.key(), shares(1), 0);
    day.world
        .assert_error_unchanged(&[none], &[&day.lena], BreakwaterError::InsufficientLiquidity);
    // Nobody can borrow what is not there; paying and adding collateral goes on.
    let last = day.loans[3].clone();
    let borrow = ix::borrow(&market, &last.address, &last.owner.key(), 1);
    day.world
        .assert_error_unchanged(&[borrow], &[&last.owner], BreakwaterError::InsufficientLiquidity);
    day.world.repay(&last, 1_000 * USDC).unwrap();
    // Keepers come first, then the pool.
    let keepers = day.state().books.backstop.unfunded_credits.0;
    let paid = day.buy(100 * SOL).cost.0 - keepers;
    assert_eq!(day.pool().cash.0, paid + 1_000 * USDC);
    day.world.withdraw(&market, &day.lena, shares(paid)).unwrap();
    day.sell_out();
    day.assert_loss_is(0);
    day.goes_on(60_00);
}

#[test]
fn a_loss_is_settled_without_cash_too() {
    let mut day = drained(1_000 * USDC, 500 * USDC);
    let owned = day.pool().assets().unwrap().0;
    day.stands_at(50_00);
    day.sweep();
    day.sell_out();
    let cash = day.pool().cash.0;
    // Who leaves before the loss is settled bears it: the cash takes more shares than it would without one.
    day.world.withdraw(&day.market, &day.lena, cash * 1_000).unwrap();
    for _ in 0..100 {
        let left = day.pool().cash.0;
        if left < USDC {
            break;
        }
        day.world.withdraw(&day.market, &day.lena, left * 1_000).unwrap();
    }
    let left = day.pool().cash.0;
    assert!(left < USDC, "{left}");
    // Hers and what she has earned of a penalty.
    let claim = day.state().books.guardians.claim;
    assert!(claim > Quote(500 * USDC));
    let settlement = day.settle();
    assert_eq!(
        (settlement.protocol, settlement.guardians),
        (Quote(1_000 * USDC), claim)
    );
    day.assert_loss_is(settlement.suppliers.0);
    assert_eq!(
        day.pool().assets(),
        Ok(Quote(owned - (cash - left) - settlement.suppliers.0))
    );
    day.goes_on(50_00);
}

#[test]
fn guardians_wait_for_the_pool() {
    // The protocol has nothing, so all that is left after the loss is Gina's; the pool's cash is not what she waits
    // for, but its debt.
    let mut day = drained(0, 30_000 * USDC);
    let shares = 30_000_000 * USDC;
    day.world.guardian_request(&day.market, &day.gina, shares).unwrap();
    let cooldown = day.state().config.guardian_cooldown;
    day.world.advance(cooldown - 60);
    day.stands_at(60_00);
    day.sweep();
    assert!(day.owed() > 0);
    let leave = ix::guardian_withdraw(&day.market, &day.gina.key(), u64::MAX, 1);
    let waits = BreakwaterError::SlippageExceeded;
    day.world.assert_error_unchanged(&[leave], &[&day.gina], waits);
    day.sell_out();
    assert_eq!(day.owed(), 0);
    let cash = day.state().books.backstop.cash.0;
    day.world.guardian_withdraw(&day.market, &day.gina, u64::MAX).unwrap();
    let paid = day.world.balance(&day.gina, &day.market.quote_mint);
    assert!((cash - 1..=cash).contains(&paid), "{paid} of {cash}");
    day.goes_on(60_00);
}

#[test]
fn a_keeper_is_paid_as_soon_as_there_is_cash() {
    let mut day = drained(0, 0);
    day.stands_at(60_00);
    let (first, second) = (day.loans[0].clone(), day.loans[1].clone());
    let unpaid = day.world.liquidate(&day.kate, &first).unwrap();
    assert!(unpaid.liquidation().bounty > Quote(0));
    let waits = ix::claim_bounty(&day.market, &day.kate.key());
    day.world
        .assert_error_unchanged(&[waits], &[&day.kate], BreakwaterError::CreditsUnfunded);
    // The first sale pays her before it pays the pool.
    let Day {
        world, market, mallory, ..
    } = &mut day;
    world.buy_inventory(market, mallory, 10 * SOL, u64::MAX).unwrap();
    let later = day.world.liquidate(&day.kate, &second).unwrap();
    day.world.claim_bounty(&day.market, &day.kate).unwrap();
    let owed = day.world.keeper_ledger(&day.market, &day.kate).credit;
    assert_eq!(owed, later.liquidation().bounty);
    day.sell_out();
    day.world.claim_bounty(&day.market, &day.kate).unwrap();
    assert_fails_with(
        day.world.claim_bounty(&day.market, &day.kate),
        BreakwaterError::NothingToClaim,
    );
}
