//! Owners who liquidate themselves.

use super::{ATOM, Trial, dollars};
use crate::{
    backing::{cents, offer},
    scene::{SOL, USDC},
};
/// The flat tip of the default parameters.
const TIP: i128 = 50_000;

/// Collateral and debt, atoms: large, medium, and so small that the bounty is half of the penalty.
const SIZES: [(u64, u64); 4] = [
    (1_000 * SOL, 69_900 * USDC),
    (10 * SOL, 650 * USDC),
    (SOL / 2, 25 * USDC),
    (SOL / 5, 10 * USDC),
];

/// LTVs in bps: barely above the margin, in between, around the take-over LTV, and beyond par.
const LTVS: [u64; 11] = [
    8_001, 8_100, 8_400, 8_800, 9_300, 9_499, 9_501, 9_600, 9_800, 9_990, 10_500,
];

/// The price at which this account is at this LTV, in units of the feed, rounded down.
fn price_for((collateral, debt): (u64, u64), ltv: u64) -> i64 {
    // debt ÷ (collateral × ltv), from 6 and 9 decimals to 8.
    let price = u128::from(debt) * 1_000 * 100_000_000 * 10_000 / (u128::from(collateral) * u128::from(ltv));
    i64::try_from(price).unwrap()
}

/// Runs `attack` on an account of each size at each LTV, with each part of the backstop's capital hers, and returns
/// what Mallory gained by it. The market is restored each time.
fn gains(mut attack: impl FnMut(&mut Trial, &breakwater_testkit::Position)) -> Vec<(String, i128, i128)> {
    let mut gains = Vec::new();
    for (protocol, hers) in [(500_000, 0), (250_000, 250_000), (1, 500_000)] {
        let mut trial = Trial::new(protocol * USDC);
        if hers > 0 {
            let mallory = trial.mallory.clone();
            trial
                .world
                .guardian_deposit(&trial.market, &mallory, hers * USDC)
                .unwrap();
        }
        for size in SIZES {
            let before_loan = trial.world.snapshot();
            let position = trial.borrow(0, size.0, size.1);
            let before = trial.world.snapshot();
            for ltv in LTVS {
                trial.stands_at(price_for(size, ltv));
                let mallory = trial.mallory.clone();
                let wealth = trial.wealth(&mallory, &[&position]);
                attack(&mut trial, &position);
                let gain = trial.wealth(&mallory, &[&position]) - wealth;
                let what = format!("{size:?} at {ltv} with {hers} of the backstop hers: {}", dollars(gain));
                gains.push((what, bounty_for(size, ltv), gain));
                trial.world.restore(&before);
            }
            trial.world.restore(&before_loan);
        }
    }
    assert_eq!(gains.len(), 3 * SIZES.len() * LTVS.len());
    gains
}

/// Bounty of anybody for taking this account over: a tip and a quarter percent of the debt. Nothing below that LTV.
fn bounty_for((_, debt): (u64, u64), ltv: u64) -> i128 {
    if ltv >= 9_500 { TIP + i128::from(debt) / 400 } else { 0 }
}

/// Nobody gains; of a take-over where less is left than the bounty, the bounty at most, which is anybody's.
#[track_caller]
fn assert_never_worth_it(gains: &[(String, i128, i128)]) {
    for (what, bounty, gain) in gains {
        // An atom for each rounding.
        assert!(*gain <= (bounty + 4) * ATOM, "{what}");
    }
}

#[track_caller]
fn liquidate(trial: &mut Trial, position: &breakwater_testkit::Position) -> breakwater_engine::actions::Liquidation {
    let outcome = trial.world.liquidate(&trial.mallory, position).unwrap();
    outcome.liquidation()
}

#[test]
fn as_keeper_and_guardian_she_never_gains() {
    let gains = gains(|trial, position| {
        liquidate(trial, position);
        trial.world.claim_bounty(&trial.market, &trial.mallory).unwrap();
    });
    assert_never_worth_it(&gains);
    // It is no empty promise: most of the time it costs her something.
    assert!(gains.iter().filter(|(_, _, gain)| *gain < -1_000 * ATOM).count() > gains.len() / 2);
}

#[test]
fn nor_by_buying_it_all_back_at_once() {
    let gains = gains(|trial, position| {
        liquidate(trial, position);
        trial.buy_all_she_may();
    });
    assert_never_worth_it(&gains);
}

#[test]
fn nor_step_by_step() {
    // Again and again, while anything is left to be done.
    let gains = gains(|trial, position| {
        for _ in 0..5 {
            trial.world.advance(60);
            if trial.world.liquidate(&trial.mallory, position).is_err() {
                break;
            }
            trial.buy_all_she_may();
        }
    });
    assert_never_worth_it(&gains);
}

/// The same in a market with a crumb of inventory that nobody has bought for hours: the discount is at its largest.
fn behind_schedule(attack: impl Fn(&mut Trial, &breakwater_testkit::Position)) -> Vec<(String, i128)> {
    let mut gains = Vec::new();
    for (size, ltvs) in SIZES.into_iter().map(|size| (size, [8_001, 8_400, 9_400])) {
        for ltv in ltvs {
            let mut trial = Trial::new(500_000 * USDC);
            let (market, lena) = (trial.market, trial.lena.clone());
            // Lena's account of ten dollars goes under, and is bought but for an atom.
            trial.world.fund(&lena, &market.collateral_mint, SOL);
            let crumb = trial.world.open(&market, &lena, 0).unwrap();
            trial.world.deposit(&crumb, SOL / 6).unwrap();
            trial.world.borrow(&crumb, 10 * USDC).unwrap();
            trial.stands_at(cents(60_00));
            trial.world.liquidate(&trial.mallory, &crumb).unwrap();
            trial.world.claim_bounty(&market, &trial.mallory).unwrap();
            let mut left = SOL / 6;
            while left > 1 {
                trial.world.advance(600);
                let available = offer(&mut trial.world, &market).available.0;
                let amount = available.min(left - 1);
                trial.world.buy_inventory(&market, &lena, amount, u64::MAX).unwrap();
                left -= amount;
            }
            trial.stands_at(cents(10_000));
            let position = trial.borrow(0, size.0, size.1);
            // Nobody wants an atom.
            trial.world.advance(6 * 3_600);
            trial.stands_at(price_for(size, ltv));
            let mallory = trial.mallory.clone();
            let before = trial.wealth(&mallory, &[&position]);
            attack(&mut trial, &position);
            let gain = trial.wealth(&mallory, &[&position]) - before;
            gains.push((format!("{size:?} at {ltv}: {}", dollars(gain)), gain));
        }
    }
    gains
}

#[test]
fn a_crumb_of_old_inventory_does_not_make_it_worth_it() {
    let gains = behind_schedule(|trial, position| {
        liquidate(trial, position);
        trial.buy_all_she_may();
    });
    for (what, gain) in gains {
        assert!(gain <= 4 * ATOM, "{what}");
    }
}

#[test]
fn new_inventory_is_not_sold_at_the_discount_of_a_crumb() {
    // The backstop has just taken over a thousand SOL's worth: it is not behind schedule with those.
    let mut trial = Trial::new(500_000 * USDC);
    let (market, lena) = (trial.market, trial.lena.clone());
    trial.world.fund(&lena, &market.collateral_mint, SOL);
    let crumb = trial.world.open(&market, &lena, 0).unwrap();
    trial.world.deposit(&crumb, SOL / 6).unwrap();
    trial.world.borrow(&crumb, 10 * USDC).unwrap();
    trial.stands_at(cents(60_00));
    trial.world.liquidate(&trial.mallory, &crumb).unwrap();
    trial.stands_at(cents(10_000));
    let position = trial.borrow(0, 1_000 * SOL, 69_900 * USDC);
    trial.world.advance(6 * 3_600);
    trial.stands_at(cents(85_00));
    liquidate(&mut trial, &position);
    // An hour of an atom is no hour of what has just arrived: no discount.
    assert!(trial.state().books.backstop.inventory.0 > 100 * SOL);
    assert_eq!(offer(&mut trial.world, &market).discount, 0);
}
