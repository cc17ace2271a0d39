//! How far the reference goes at most, and a clock that goes back.

use super::*;

#[test]
fn no_price_is_followed_further_than_a_hundred_times_the_reference() {
    let price = Price::from_raw;
    let center = price(1_000);
    let near = |to, allowed| near(price(to), center, allowed).unwrap().raw();
    assert_eq!(near(1_000, 0), 1_000);
    assert_eq!((near(1_001, 0), near(999, 0)), (1_000, 1_000));
    assert_eq!((near(2_000, 100), near(1, 100)), (1_010, 990));
    assert_eq!((near(1_005, 100), near(995, 100)), (1_005, 995));
    assert_eq!((near(9_000_000, u64::MAX), near(0, u64::MAX)), (101_000, 0));
    assert_eq!(near(50_000, 1_000_000), 50_000);
}

#[test]
fn a_clock_that_goes_back_moves_nothing() {
    let mut run = BreakerRun::new();
    run.cents(0, 100_00);
    run.cents(60, 101_00);
    let before = run.guard;
    let earlier = Clock {
        unix: run.clock.unix - 10,
        ..run.clock
    };
    let spot = Price::from_raw(before.reference.raw() * 2);
    let guarded = run.guard.clamp(&run.config, spot);
    assert_eq!(run.guard.follow(&run.config, spot, true, earlier), guarded);
    assert_eq!(run.guard, before);
}

#[test]
fn a_print_up_is_clamped_as_well() {
    let mut run = BreakerRun::settled(10);
    let prices = run.cents(10, 20_000);
    assert_eq!(cents(prices.guarded()), 10_151); // 100 × 101% × 100.5%
    let at = prices.liquidation().unwrap();
    assert_eq!((at.judged, at.settled), (prices.spot(), prices.guarded()));
}
