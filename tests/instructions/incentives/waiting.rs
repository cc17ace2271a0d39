//! Waiting for the take-over.

use super::{ATOM, Trial, dollars};
use crate::{
    backing::cents,
    scene::{SOL, USDC},
};
use breakwater_engine::Quote;
use breakwater_testkit::Position;

/// From the first price at which 650 on 10 SOL is above its margin down to where nothing is left.
const PRICES: [i64; 12] = [
    81_20, 80_00, 78_00, 76_00, 74_00, 72_00, 70_00, 68_43, 68_41, 67_00, 66_00, 64_00,
];

/// Mallory's account, at $100.
fn trial() -> (Trial, Position) {
    let mut trial = Trial::new(500_000 * USDC);
    let position = trial.borrow(0, 10 * SOL, 650 * USDC);
    (trial, position)
}

/// Mallory liquidates herself until nothing more can be. Returns her wealth.
fn cleared(trial: &mut Trial, position: &Position) -> i128 {
    let mallory = trial.mallory.clone();
    while trial.world.liquidate(&mallory, position).is_ok() {}
    trial.wealth(&mallory, &[position])
}

#[test]
fn the_later_it_comes_the_less_is_left() {
    let (mut trial, position) = trial();
    let before = trial.world.snapshot();
    // Only the account and the bounties: tokens beside it are worth less each time, too.
    let mut left = Vec::new();
    for price in PRICES {
        trial.stands_at(cents(price));
        let mallory = trial.mallory.clone();
        let bystanding = trial.wealth(&mallory, &[]);
        left.push(dollars(cleared(&mut trial, &position) - bystanding));
        trial.world.restore(&before);
    }
    assert!(left.is_sorted_by(|sooner, later| sooner >= later), "{left:?}");
    // In the end it is the bounty of a take-over: a tip and a quarter percent of what the collateral pays.
    assert_eq!(left[11], 50_000 + 639_999_999 / 400);
}

#[test]
fn who_is_taken_over_at_once_is_never_worse_off_than_who_evades_it() {
    let (mut trial, position) = trial();
    let fresh = trial.world.snapshot();
    for (number, first) in PRICES[..8].iter().enumerate() {
        for last in &PRICES[number..] {
            // At once, and then whatever is to be done at the end.
            trial.stands_at(cents(*first));
            cleared(&mut trial, &position);
            trial.stands_at(cents(*last));
            let at_once = cleared(&mut trial, &position);
            trial.world.restore(&fresh);
            // Only at the end.
            trial.world.advance(60);
            trial.stands_at(cents(*last));
            let late = cleared(&mut trial, &position);
            trial.world.restore(&fresh);
            // The tip comes with each liquidation.
            assert!(
                late <= at_once + 100_004 * ATOM,
                "{first} {last}: {} instead of {}",
                dollars(late),
                dollars(at_once)
            );
        }
    }
}

#[test]
fn a_keeper_who_waits_for_a_takeover_or_for_a_lower_price_never_gets_more_a_dollar() {
    for (collateral, debt) in [
        (1_000 * SOL, 65_000 * USDC),
        (10 * SOL, 650 * USDC),
        (SOL, 65 * USDC),
        (200_000_000, 13 * USDC),
    ] {
        let mut trial = Trial::new(500_000 * USDC);
        let position = trial.borrow(0, collateral, debt);
        let before = trial.world.snapshot();
        let bounties = |trial: &mut Trial, prices: &[i64]| {
            let mallory = trial.mallory.clone();
            for price in prices {
                trial.stands_at(cents(*price));
                while trial.world.liquidate(&mallory, &position).is_ok() {}
            }
            let credit = trial.world.keeper_ledger(&trial.market, &mallory).credit;
            trial.world.restore(&before);
            credit
        };
        // Taken over at 95.6%, and at less and less collateral for the debt.
        let late: Vec<Quote> = [68_00, 66_00, 60_00, 30_00, 1_00]
            .into_iter()
            .map(|price| bounties(&mut trial, &[price]))
            .collect();
        assert!(late.is_sorted_by(|sooner, later| sooner >= later), "{late:?}");
        // And for a part in time a keeper gets no less, for what is taken, than for the whole later on.
        let smallest = 20 * USDC;
        for first in [81_00, 78_00, 74_00, 70_00] {
            trial.stands_at(cents(first));
            let outcome = trial.world.liquidate(&trial.mallory, &position).unwrap();
            let done = outcome.liquidation();
            trial.world.restore(&before);
            // Below that the tip is more than half of the penalty allows: a known exception, of half a tip at most.
            if done.repaid.0 >= smallest {
                let in_time = u128::from(done.bounty.0) * u128::from(debt);
                assert!(
                    in_time >= u128::from(late[0].0 - 1) * u128::from(done.repaid.0),
                    "{first}: {done:?}"
                );
            } else {
                assert!(done.bounty.0 >= done.repaid.0 / 200 - 1, "{first}: {done:?}");
            }
        }
    }
}
