//! One account with nine tenths of all debt.

use super::Day;
use crate::{
    backing::{offer, quick},
    scene::USDC,
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote};

/// Sells 90,000 an hour: the pipeline is 30,000.
fn waiting() -> Config {
    Config {
        flow_rate: Bps(15_000),
        market_depth: Quote(60_000 * USDC),
        debt_cap: Quote(12_000_000 * USDC),
        ..quick()
    }
}

/// 585,000 of 650,000.
const LOANS: [(u64, u64); 3] = [(9_000, 585_000), (500, 30_000), (1_000, 35_000)];

/// Mallory buys what she may.
fn buy(day: &mut Day) {
    let available = offer(&mut day.world, &day.market).available.0;
    if available > 0 {
        day.buy(available);
    }
}

#[test]
fn what_is_sold_lets_the_next_part_in() {
    let mut day = Day::new(waiting(), (2_000 * USDC, 1_000 * USDC), &LOANS);
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
        buy(&mut day);
        day.world.advance(600);
        rounds += 1;
        assert!(rounds < 60, "stuck");
    }
    assert!(rounds > 10, "{rounds}");
    while day.inventory() > 0 {
        day.world.advance(600);
        buy(&mut day);
    }
    day.assert_loss_is(0);
    // Everybody gained: the penalties are more than bounties and sales cost.
    let state = day.state();
    assert!(state.books.backstop.cash.0 > 3_000 * USDC && state.books.guardians.claim.0 > 1_000 * USDC);
    day.assert_untouched(&[(1, 500, 30_000), (2, 1_000, 35_000)]);
    day.goes_on(75_00);
}

#[test]
fn when_it_goes_under_the_others_stay_and_the_suppliers_bear_what_is_left() {
    let mut day = Day::new(quick(), (20_000 * USDC, 10_000 * USDC), &LOANS);
    day.stands_at(60_00);
    // Capital for a twentieth of it, but who is beyond 95% is taken whole.
    let taken = day.sweep();
    let of_whale: Vec<_> = taken.iter().filter(|(number, _)| *number == 0).collect();
    assert!(of_whale.len() == 1 && of_whale[0].1.whole && of_whale[0].1.taken_over);
    assert_eq!(of_whale[0].1.repaid, Quote(585_000 * USDC));
    // The second, 30,000 on 500 SOL, is under by nothing: at 100%.
    assert_eq!(taken.len(), 2);
    day.sell_out();
    // 540,000 for it, and 30,000 for the other; the largest bounty, and that for the other; less the mean of what the
    // ask rises by while all is sold as one block: 337 millionths of an hour, at 3% an hour ten whole millionths.
    let loss = 45_000 * USDC + 100_000_000 + 75_049_999 - 1 - 570_000 * USDC * 10 / 2_000_000;
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
    let mut day = Day::new(waiting(), (0, 0), &LOANS);
    day.stands_at(78_00);
    // The pipeline takes its 30,000, and then everybody waits.
    assert_eq!(day.sweep().len(), 1);
    assert!(day.sweep().is_empty());
    day.stands_at(10_00);
    assert_eq!(day.sweep().len(), 3);
    day.world.set_config(&day.market, quick());
    day.sell_out();
    let settlement = day.settle();
    assert_eq!((settlement.protocol, settlement.guardians), (Quote(0), Quote(0)));
    day.goes_on(10_00);
}
