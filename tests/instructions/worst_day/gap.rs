//! One update in which the price gaps below every account.

use super::Day;
use crate::{
    backing::{cents, interest_free, offer, quick},
    scene::USDC,
};
use breakwater_engine::{Config, Level};
use breakwater_testkit::ix;

/// From the safest to the one at the limit; 30 accounts.
fn loans() -> Vec<(u64, u64)> {
    (0..30).map(|number| (100, 4_000 + number * 100)).collect()
}

#[test]
fn everybody_is_taken_over_at_once_and_the_loss_is_told() {
    // At $20 the safest, 4,000 on 100 SOL, is at 200%.
    let mut day = Day::new(quick(), (10_000 * USDC, 5_000 * USDC), &loans());
    let debts: u64 = loans().iter().map(|(_, usdc)| usdc * USDC).sum();
    day.settle_at(20_00);
    day.world.next_slot();
    let taken = day.sweep();
    assert_eq!(taken.len(), 30);
    assert!(taken.iter().all(|(_, done)| done.taken_over && done.whole));
    assert_eq!(day.taken, debts);
    assert_eq!(day.inventory(), 3_000 * crate::scene::SOL);
    // Nothing is left to be done.
    assert!(day.sweep().is_empty());
    for loan in day.loans.clone() {
        let account = day.world.margin_account(&loan);
        assert_eq!((account.collateral.0, account.debt_shares.0), (0, 0));
    }

    day.sell_out();
    let settlement = day.settle();
    // 30 bounties, of which each is a tip and a quarter percent of 2,000; sold for 60,000 and an atom, and the mean of
    // what the ask rises by while they are sold as one block. The flow counts at the average, still $100: of 1.5 ×
    // 2^50 atoms an hour, 300,000 USDC take 178 millionths of one, at 3% an hour five whole millionths of the price;
    // half of them.
    assert_eq!(day.bounties, 30 * (50_000 + 1_999_999_999 / 400));
    let suppliers = debts + day.bounties - (60_000 * USDC + 60_000 * USDC * 5 / 2_000_000 + 1) - 15_000 * USDC;
    assert_eq!(
        (settlement.protocol.0, settlement.guardians.0, settlement.suppliers.0),
        (10_000 * USDC, 5_000 * USDC, suppliers)
    );
    day.assert_loss_is(suppliers);
    day.goes_on(20_00);
}

#[test]
fn behind_guards_it_takes_minutes_and_not_for_ever() {
    // As the parameters are meant: the guarded price follows at 6% a minute, whoever shows the price.
    let config = interest_free(Config::EXAMPLE);
    let mut day = Day::new(config, (10_000 * USDC, 0), &loans());
    day.world.advance(10);
    day.settle_at(20_00);
    let (mut seconds, mut taken) = (0, 0);
    // Nobody is judged by $20, nor settled in part while it is so far away; who is beyond 95% at the guarded price is
    // taken over. 100 × 0.999 ^ s is below 40 ÷ 0.95 after 865 seconds.
    while taken < 12 {
        day.world.observe_price(&day.market).unwrap();
        let all: Vec<_> = day.loans.iter().take(12).map(|loan| loan.address).collect();
        let batch = ix::liquidate_batch(&day.market, &day.kate.key(), &all);
        let outcome = day.world.send(&[batch], &[&day.kate]).unwrap();
        for one in outcome.liquidated() {
            assert!(one.liquidation.taken_over, "{one:?}");
            taken += 1;
        }
        assert!(seconds < 1_700, "stuck");
        seconds += 10;
        day.world.advance(10);
    }
    assert!((850..=950).contains(&seconds), "{seconds}");
    assert_eq!(day.sweep().len(), 18);
    let level = Level::from_byte(day.state().guard.level);
    assert_eq!(level, Level::Guarded);
    // Sales go on as well, when the averages have come down: at first only above the market.
    let feed = day.market.collateral_feed;
    day.world.advance(12 * 3_600);
    day.world.settle_price(&feed, cents(20_00), 0);
    let mut rounds = 0;
    while day.inventory() > 0 {
        day.world.advance(600);
        day.world.observe_price(&day.market).unwrap();
        let available = offer(&mut day.world, &day.market).available.0;
        day.buy(available);
        rounds += 1;
        assert!(rounds < 5_000, "stuck with {}", day.inventory());
    }
    // The reference follows by 3% a reading.
    for _ in 0..60 {
        day.world.advance(600);
        day.world.observe_price(&day.market).unwrap();
    }
    assert_eq!(Level::from_byte(day.state().guard.level), Level::Normal);
    let settlement = day.settle();
    assert!(settlement.suppliers.0 > 0);
}

#[test]
fn a_price_of_almost_nothing_is_no_different() {
    let mut day = Day::new(quick(), (10_000 * USDC, 5_000 * USDC), &loans()[..3]);
    let feed = day.market.collateral_feed;
    // A hundred-millionth of a dollar: a SOL is worth less than an atom.
    day.world.advance(60);
    day.world.settle_price(&feed, 1, 0);
    let taken = day.sweep();
    assert_eq!(taken.len(), 3);
    // All of the debt is loss but for an atom at most.
    assert!(taken.iter().all(|(_, done)| done.deficit.0 + 1 >= done.repaid.0));
    day.sell_out();
    assert!(day.proceeds <= 5, "{}", day.proceeds);
    // 12,300 are gone, of 15,000.
    day.assert_loss_is(0);
    assert_eq!(day.gina_leaves() / USDC, 2_699);
    day.goes_on(10_000);
}
