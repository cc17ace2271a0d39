//! A crash larger than all equity, and smaller ones: who bears how much.

use super::{Day, POOL};
use crate::{backing::quick, scene::USDC};
use breakwater::error::BreakwaterError;
use breakwater_engine::Quote;
use breakwater_testkit::assert_fails_with;

/// Two that go under at $60 and one that can pay there.
const LOANS: [(u64, u64); 3] = [(1_000, 69_000), (500, 33_000), (1_000, 40_000)];

/// 102,000 on 1,500 SOL at $60 lose 12,000; the bounties are the cap of 100, and 0.05 and a quarter percent of 30,000;
/// less an atom that the sale is rounded up by, and the mean of what the ask rises by while 90,000 are sold as one
/// block: the flow of 1.5 × 2^50 atoms takes 53 millionths of an hour for them, at 3% an hour a whole millionth of the
/// price; half of it.
const LOSS: u64 = 12_000 * USDC + 100_000_000 + 75_049_999 - 1 - 90_000 * USDC / 2_000_000;

/// The day on which the first two are taken over and sold.
fn crashed(protocol: u64, guardians: u64) -> Day {
    let mut day = Day::new(quick(), (protocol, guardians), &LOANS);
    day.stands_at(60_00);
    let taken = day.sweep();
    let who: Vec<usize> = taken.iter().map(|(number, _)| *number).collect();
    assert_eq!(who, [0, 1]);
    assert!(
        taken
            .iter()
            .all(|(_, liquidation)| liquidation.taken_over && liquidation.whole)
    );
    let deficits: u64 = taken.iter().map(|(_, liquidation)| liquidation.deficit.0).sum();
    // Values are rounded down, deficits with them up.
    assert!((12_000 * USDC..=12_000 * USDC + 2).contains(&deficits), "{deficits}");
    day.sell_out();
    day
}

#[test]
fn within_the_protocols_equity_nobody_else_loses() {
    for protocol in [20_000 * USDC, LOSS + 1, LOSS] {
        let mut day = crashed(protocol, 5_000 * USDC);
        assert_fails_with(day.world.settle_deficit(&day.market), BreakwaterError::NothingToSettle);
        let state = day.state();
        assert_eq!(state.books.backstop.cash.0, protocol + 5_000 * USDC - LOSS);
        assert_eq!(state.books.pool.assets(), Ok(Quote(POOL)));
        day.assert_loss_is(0);
        assert_eq!(day.gina_leaves(), 5_000 * USDC);
        day.assert_untouched(&[(2, 1_000, 40_000)]);
        day.goes_on(60_00);
    }
}

#[test]
fn beyond_it_the_guardians_lose_and_nobody_else() {
    for protocol in [LOSS - 1, 10_000 * USDC, 0] {
        let guardians = 15_000 * USDC;
        let mut day = crashed(protocol, guardians);
        assert_fails_with(day.world.settle_deficit(&day.market), BreakwaterError::NothingToSettle);
        assert_eq!(day.pool().assets(), Ok(Quote(POOL)));
        day.assert_loss_is(0);
        // All that is left is hers, rounded down.
        let left = protocol + guardians - LOSS;
        let paid = day.gina_leaves();
        assert!((left - 1..=left).contains(&paid), "{paid} of {left}");
        assert_eq!(day.state().books.backstop.cash.0, left - paid);
        day.assert_untouched(&[(2, 1_000, 40_000)]);
        day.goes_on(60_00);
    }
}

#[test]
fn beyond_both_the_suppliers_lose_the_rest() {
    for (protocol, guardians) in [
        (LOSS - 2, 1),
        (1, LOSS - 2),
        (5_000 * USDC, 5_000 * USDC),
        (0, 5_000 * USDC),
        (5_000 * USDC, 0),
        (0, 0),
    ] {
        let mut day = crashed(protocol, guardians);
        let suppliers = LOSS - protocol - guardians;
        assert_eq!(day.owed(), suppliers);
        // Not before it is settled; who leaves does without it at once.
        assert_eq!(day.pool().assets(), Ok(Quote(POOL)));
        let clock = day.world.clock();
        assert_eq!(day.state().impaired(clock), Ok(Quote(suppliers)));
        let settlement = day.settle();
        assert_eq!(
            (settlement.protocol.0, settlement.guardians.0, settlement.suppliers.0),
            (protocol, guardians, suppliers)
        );
        day.assert_loss_is(suppliers);
        assert_eq!(day.pool().assets(), Ok(Quote(POOL - suppliers)));
        day.assert_untouched(&[(2, 1_000, 40_000)]);
        // With all debt repaid Lena is paid what is left, whenever she comes.
        let shares = day.world.balance(&day.lena, &day.market.lp_mint);
        let before = day.world.snapshot();
        let held = day.world.balance(&day.lena, &day.market.quote_mint);
        day.world.withdraw(&day.market, &day.lena, shares).unwrap();
        let paid = day.world.balance(&day.lena, &day.market.quote_mint) - held;
        assert!((POOL - suppliers - 1..=POOL - suppliers).contains(&paid), "{paid}");
        day.world.restore(&before);
        day.goes_on(60_00);
    }
}

#[test]
fn the_guardians_lose_what_they_earned_as_well() {
    // At $82 the first account pays a penalty, half of which times two thirds is the guardians'; then all is lost.
    let mut day = Day::new(quick(), (2_000 * USDC, 4_000 * USDC), &LOANS);
    day.stands_at(82_00);
    let first = day.sweep();
    assert_eq!(first.len(), 2);
    let claim = day.state().books.guardians.claim.0;
    let penalties: u64 = first
        .iter()
        .map(|(_, done)| done.repaid.0 * u64::from(done.penalty.0) / 10_000)
        .sum();
    let earned = claim - 4_000 * USDC;
    assert!(earned > 0 && earned <= penalties / 2, "{earned} of {penalties}");
    day.sell_out();
    day.stands_at(20_00);
    day.sweep();
    day.sell_out();
    let settlement = day.settle();
    assert_eq!((settlement.protocol.0, settlement.guardians.0), (2_000 * USDC, claim));
    day.assert_loss_is(settlement.suppliers.0);
    day.goes_on(20_00);
}

#[test]
fn new_capital_between_the_loss_and_its_settlement_bears_it_too() {
    let mut day = crashed(1_000 * USDC, 1_000 * USDC);
    let suppliers = LOSS - 2_000 * USDC;
    // A guardian who joins now pays the pool: nobody is asked to, and it is no way around the order.
    let hugo = day.world.guardian(&day.market, "hugo", 3_000 * USDC);
    day.world.guardian_deposit(&day.market, &hugo, 3_000 * USDC).unwrap();
    let settlement = day.settle();
    assert_eq!(
        (settlement.guardians.0, settlement.suppliers.0),
        (4_000 * USDC, suppliers - 3_000 * USDC)
    );
}

#[test]
fn a_supplier_who_comes_after_the_settlement_bears_nothing_of_it() {
    let mut day = crashed(0, 0);
    day.settle();
    let nina = day.world.trader(&day.market, "nina", 0, 1_000 * USDC);
    day.world.supply(&day.market, &nina, 1_000 * USDC).unwrap();
    let shares = day.world.balance(&nina, &day.market.lp_mint);
    day.world.withdraw(&day.market, &nina, shares).unwrap();
    assert!(day.world.balance(&nina, &day.market.quote_mint) >= 1_000 * USDC - 1);
}
