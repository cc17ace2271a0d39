//! A day on which nobody buys.

use super::{Day, POOL};
use crate::{
    backing::{interest_free, offer},
    scene::{SOL, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::default_config;

const LOANS: [(u64, u64); 4] = [(2_000, 138_000), (1_000, 66_000), (1_000, 60_000), (1_000, 30_000)];

/// At most half a SOL of $80 a second: 144,000 an hour.
fn config() -> Config {
    Config {
        flow_rate: Bps(15_000),
        market_depth: Quote(96_000 * USDC),
        debt_cap: Quote(19_200_000 * USDC),
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
    let available = offer(&mut day.world, &day.market).available.0;
    assert!(
        (SOL / 2 * 600 - 100..=SOL / 2 * 600).contains(&available),
        "{available}"
    );
    let first = day.buy(available.min(inventory));
    let one_more = breakwater_testkit::ix::buy_inventory(&day.market, &day.mallory.key(), 1, u64::MAX);
    day.world
        .assert_error_unchanged(&[one_more], &[&day.mallory], BreakwaterError::AuctionRateLimited);
    // From 5% below $80 to 4.5%, as the block is sold, so 4.75% on the mean; ask and cost are rounded up.
    let exact = first.amount.0 * 762 / 10_000;
    assert!((exact..=exact + 2).contains(&first.cost.0), "{first:?}");
    let mut rounds = 0;
    while day.inventory() > 0 {
        day.world.advance(600);
        let available = offer(&mut day.world, &day.market).available.0;
        assert!(available > 0, "stuck with {}", day.inventory());
        day.buy(available);
        rounds += 1;
        assert!(rounds < 6 * 24 * 7, "stuck with {}", day.inventory());
    }
    // 5% of what was sold is less than the protocol has.
    assert_eq!(day.owed(), 0);
    assert!(day.pool().assets().unwrap().0 > POOL);
    let claim = day.state().books.guardians.claim.0;
    assert!(claim > 5_000 * USDC);
    // Rounded down; what she earns by standing by until she may go comes on top.
    let paid = day.gina_leaves();
    assert!((claim - 1..claim + claim / 100).contains(&paid), "{paid} of {claim}");
    day.assert_untouched(&[(2, 1_000, 60_000), (3, 1_000, 30_000)]);
    day.goes_on(80_00);
}

#[test]
fn while_nobody_buys_accounts_wait_and_the_next_sale_lets_the_next_part_in() {
    // No capital: only what is sold in twenty minutes is held, 30,000 of it.
    let config = Config {
        flow_rate: Bps(15_000),
        market_depth: Quote(60_000 * USDC),
        debt_cap: Quote(12_000_000 * USDC),
        ..interest_free(default_config())
    };
    let mut day = Day::new(config, (100 * USDC, 0), &LOANS);
    day.stands_at(78_00);
    day.world.forget_prices(&day.market);
    let taken = day.sweep();
    assert!(!taken.is_empty());
    let full = day.inventory();
    let most = config.market_depth.0 / 2 * 1_000 / 78;
    assert!(full <= most && full > most - 3 * SOL, "{full} {most}");
    // Two accounts are above their margin, and stay there as long as nobody buys.
    for _ in 0..6 {
        day.world.advance(600);
        assert!(day.sweep().is_empty());
    }
    // Then each sale lets as much in, until everybody is healthy again.
    let mut rounds = 0;
    while day.inventory() > 0 {
        day.world.advance(600);
        let available = offer(&mut day.world, &day.market).available.0;
        day.buy(available);
        day.sweep();
        assert!(day.inventory() <= most);
        rounds += 1;
        assert!(rounds < 100, "stuck with {}", day.inventory());
    }
    let (clock, state) = (day.world.clock(), day.state());
    let price = breakwater_engine::Price::from_raw((78 << 64) / 1_000);
    for loan in day.loans.clone() {
        let account = day.world.margin_account(&loan);
        assert_eq!(state.is_liquidatable(&account, price, clock), Ok(false));
    }
    day.assert_untouched(&[(2, 1_000, 60_000), (3, 1_000, 30_000)]);
    day.goes_on(78_00);
}
