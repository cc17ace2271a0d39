//! A day on which nobody buys.

use super::{Day, POOL};
use crate::{
    backing::interest_free,
    scene::{SOL, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Collateral, Config};
use breakwater_testkit::default_config;

const LOANS: [(u64, u64); 4] = [(2_000, 138_000), (1_000, 66_000), (1_000, 60_000), (1_000, 30_000)];

/// The default unwind, at most half a SOL a second.
fn config() -> Config {
    Config {
        unwind_max_rate: SOL / 2,
        ..default_config()
    }
}

#[test]
fn the_backstop_waits_and_then_sells_no_faster_than_promised() {
    let mut day = Day::new(config(), (20_000 * USDC, 5_000 * USDC), &LOANS);
    day.stands_at(80_00);
    assert_eq!(day.sweep().len(), 2);
    let (inventory, debt) = (day.inventory(), day.owed());
    assert!(inventory > 100 * SOL && debt > 0);
    // A day passes. Interest grows on what it owes, and it can be liquidated against all the same.
    for _ in 0..24 {
        day.world.advance(3_600);
        day.sweep();
    }
    assert!(day.owed() > debt);
    assert_eq!(day.inventory(), inventory);

    // Buyers are back. The whole lag may not go at once, and the discount is at its largest.
    let state = day.state();
    let clock = day.world.clock();
    let available = state
        .books
        .unwind
        .available(&state.config, Collateral(inventory), clock)
        .unwrap()
        .0;
    assert_eq!(available, SOL / 2 * 600);
    let first = day.buy(available.min(inventory));
    let one_more = breakwater_testkit::ix::buy_inventory(&day.market, &day.mallory.key(), 1, u64::MAX);
    day.world
        .assert_error_unchanged(&[one_more], &[&day.mallory], BreakwaterError::UnwindTooFast);
    // 5% below $80; ask and cost are rounded up.
    let exact = first.amount.0 * 76 / 1_000;
    assert!((exact..=exact + 2).contains(&first.cost.0), "{first:?}");
    let mut rounds = 0;
    while day.inventory() > 0 {
        day.world.advance(600);
        let (state, clock) = (day.state(), day.world.clock());
        let inventory = state.books.backstop.inventory;
        let available = state.books.unwind.available(&state.config, inventory, clock).unwrap().0;
        assert!(available > 0, "stuck with {inventory:?}");
        day.buy(available);
        rounds += 1;
        assert!(rounds < 6 * 24 * 7, "stuck with {}", day.inventory());
    }
    // 5% of what was sold is less than the protocol has.
    assert_eq!(day.owed(), 0);
    assert!(day.pool().assets().unwrap().0 > POOL);
    let claim = day.state().guardians.claim.0;
    assert!(claim > 5_000 * USDC);
    // Rounded down.
    assert!((claim - 1..=claim).contains(&day.gina_leaves()));
    day.assert_untouched(&[(2, 1_000, 60_000), (3, 1_000, 30_000)]);
    day.goes_on(80_00);
}

#[test]
fn without_room_others_may_liquidate() {
    // 3,000 of capital: room for some 24,000, and far more is wanted.
    let mut day = Day::new(interest_free(config()), (2_000 * USDC, 1_000 * USDC), &LOANS);
    day.stands_at(80_00);
    let taken = day.sweep();
    assert!(!taken.is_empty());
    assert!(day.sweep().is_empty());
    // Two accounts are above their margin, and stay there as long as nobody comes.
    for _ in 0..6 {
        day.world.advance(600);
        assert!(day.sweep().is_empty());
    }
    let (market, mallory) = (day.market, day.mallory.clone());
    let first = day.loans[0].clone();
    let outcome = day.world.liquidate_external(&mallory, &first, u64::MAX).unwrap();
    let external = outcome.event::<breakwater::events::ExternallyLiquidated>().liquidation;
    // An hour at ten basis points a minute is more than its penalty of some 4%: so it is that.
    assert_eq!(external.waited, 3_600);
    assert!(
        external.penalty > Bps(200) && external.penalty < Bps(600),
        "{external:?}"
    );
    // It brought cash to the pool, and nothing to the backstop.
    let close = breakwater_testkit::ix::liquidate_external(&market, &first.address, &mallory.key(), u64::MAX, 0);
    day.world
        .assert_error_unchanged(&[close], &[&mallory], BreakwaterError::AccountHealthy);
    day.world
        .liquidate_external(&mallory, &day.loans[1].clone(), u64::MAX)
        .unwrap();
    assert!(day.sweep().is_empty());
    // Everybody is healthy again, so no account is stuck.
    let (clock, state) = (day.world.clock(), day.state());
    let price = breakwater_engine::Price::from_raw((80 << 64) / 1_000);
    for loan in day.loans.clone() {
        let account = day.world.margin_account(&loan);
        assert_eq!(state.is_liquidatable(&account, price, clock), Ok(false));
    }
    day.assert_untouched(&[(2, 1_000, 60_000), (3, 1_000, 30_000)]);
    day.goes_on(80_00);
}
