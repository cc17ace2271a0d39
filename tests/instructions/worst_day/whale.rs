//! One account with nine tenths of all debt.

use super::{Day, POOL};
use crate::{backing::quick, scene::USDC};
use breakwater::{error::BreakwaterError, events::ExternallyLiquidated};
use breakwater_engine::{Bps, Quote};
use breakwater_testkit::ix;

/// 585,000 of 650,000.
const LOANS: [(u64, u64); 3] = [(9_000, 585_000), (500, 30_000), (1_000, 35_000)];

#[test]
fn it_is_taken_over_as_far_as_there_is_room_and_the_rest_by_others() {
    let mut day = Day::new(quick(), (10_000 * USDC, 5_000 * USDC), &LOANS);
    let whole_debt: u64 = LOANS.iter().map(|(_, usdc)| usdc * USDC).sum();
    assert_eq!(585_000 * USDC * 10 / whole_debt, 9);
    day.stands_at(78_00);
    let taken = day.sweep();
    // The whale alone is above its margin, at 83%, and wants more than there is room for.
    let [(0, first)] = taken.as_slice() else {
        panic!("{taken:?}")
    };
    assert!(!first.whole && first.repaid.0 > 100_000 * USDC && first.repaid.0 < 140_000 * USDC);
    // Where the rest is healthy again there is nothing left to do; at $75 there is.
    day.stands_at(75_00);
    let mut rounds = 0;
    loop {
        // Nobody has room: Mallory takes 50,000 at a time, each time at a larger discount.
        let whale = day.loans[0].clone();
        assert!(day.sweep().is_empty());
        let result = day.world.liquidate_external(&day.mallory, &whale, 50_000 * USDC);
        match result {
            Ok(outcome) => {
                let external = outcome.event::<ExternallyLiquidated>().liquidation;
                assert!(external.penalty <= Bps(600) && external.debt_after < Quote(585_000 * USDC));
            }
            Err(failure) => {
                assert_eq!(failure.name, BreakwaterError::AccountHealthy.name());
                break;
            }
        }
        day.world.advance(60);
        rounds += 1;
        assert!(rounds < 20, "stuck");
    }
    assert!(rounds > 1);
    assert_eq!(day.pool().assets(), Ok(Quote(POOL)));
    day.sell_out();
    day.assert_untouched(&[(1, 500, 30_000), (2, 1_000, 35_000)]);
    day.goes_on(75_00);
}

#[test]
fn what_is_sold_makes_room_for_the_next_part() {
    let mut day = Day::new(quick(), (15_000 * USDC, 10_000 * USDC), &LOANS);
    day.stands_at(75_00);
    let whale = day.loans[0].clone();
    let mut rounds = 0;
    loop {
        let result = day.world.liquidate(&day.kate, &whale);
        match result {
            Ok(outcome) => {
                let liquidation = outcome.liquidation();
                day.taken += liquidation.repaid.0;
                day.bounties += liquidation.bounty.0;
            }
            Err(failure) => {
                assert_eq!(failure.name, BreakwaterError::AccountHealthy.name());
                break;
            }
        }
        day.sell_out();
        day.world.advance(600);
        rounds += 1;
        assert!(rounds < 20, "stuck");
    }
    assert!(rounds > 1, "{rounds}");
    day.assert_loss_is(0);
    // Everybody gained: the penalties are more than bounties and sales cost.
    let state = day.state();
    assert!(state.books.backstop.cash.0 > 25_000 * USDC && state.guardians.claim.0 > 10_000 * USDC);
    day.assert_untouched(&[(1, 500, 30_000), (2, 1_000, 35_000)]);
    day.goes_on(75_00);
}

#[test]
fn when_it_goes_under_the_others_stay_and_the_suppliers_bear_what_is_left() {
    let mut day = Day::new(quick(), (20_000 * USDC, 10_000 * USDC), &LOANS);
    day.stands_at(60_00);
    // Room for a third of it, but insolvent accounts are taken whole.
    let taken = day.sweep();
    let of_whale: Vec<_> = taken.iter().filter(|(number, _)| *number == 0).collect();
    assert!(of_whale.len() == 1 && of_whale[0].1.whole && of_whale[0].1.insolvent);
    assert_eq!(of_whale[0].1.repaid, Quote(585_000 * USDC));
    // The second, 30,000 on 500 SOL, is under by nothing: at 100%.
    assert_eq!(taken.len(), 2);
    day.sell_out();
    // 540,000 for it, and 30,000 for the other.
    let loss = 45_000 * USDC + 2 * 100_000 - 1;
    assert_eq!(day.owed(), loss - 30_000 * USDC);
    let settlement = day.settle();
    assert_eq!(
        (settlement.protocol.0, settlement.guardians.0, settlement.suppliers.0),
        (20_000 * USDC, 10_000 * USDC, loss - 30_000 * USDC)
    );
    day.assert_loss_is(loss - 30_000 * USDC);
    day.assert_untouched(&[(2, 1_000, 35_000)]);
    day.goes_on(60_00);
}

#[test]
fn without_any_capital_at_all_it_still_ends() {
    let mut day = Day::new(quick(), (0, 0), &LOANS);
    day.stands_at(78_00);
    assert!(day.sweep().is_empty());
    // Mallory would have to bring a fortune, and brings an atom.
    let whale = day.loans[0].clone();
    let external = ix::liquidate_external(&day.market, &whale.address, &day.mallory.key(), 1, 0);
    day.world.send(&[external], &[&day.mallory]).unwrap();
    day.stands_at(10_00);
    assert_eq!(day.sweep().len(), 3);
    day.sell_out();
    let settlement = day.settle();
    assert_eq!((settlement.protocol, settlement.guardians), (Quote(0), Quote(0)));
    day.goes_on(10_00);
}
