//! The stress cover of admission: A, the backstop after a fall with nothing sold, less the capital that has asked to
//! leave. Borrowing and withdrawing against debt are refused exactly where A would be negative and lower.

use crate::{
    backing::{cents, interest_free, market_with, stands_at},
    scene::{SOL, Scene, USDC, readings},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Clock, Collateral, Config, Market, Prices, Quote, price::oracle::PriceUse};
use breakwater_testkit::{Position, World, default_config, ix};

/// The example's falls: 38% whatever the volatility, and no interest.
pub fn stressed() -> Config {
    Config {
        stress_fall: Config::EXAMPLE.stress_fall,
        stress_max: Config::EXAMPLE.stress_max,
        ..interest_free(default_config())
    }
}

/// The same, and two standard deviations more, at most 50%.
pub fn volatile() -> Config {
    Config {
        stress_volatility: Config::EXAMPLE.stress_volatility,
        ..stressed()
    }
}

/// Alice's 6,500 on 100 SOL, which a fall of 38% to $62 puts under water; Mallory's 1,000 SOL without debt; and a
/// backstop of 5,000. All at $100 without uncertainty.
fn covered(config: Config) -> (Scene, Position) {
    let mut scene = Scene::funded(
        World::program_test(),
        &market_with(config),
        1_000_000 * USDC,
        5_000 * USDC,
    );
    stands_at(&mut scene, cents(10_000));
    let rich = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&rich, 1_000 * SOL).unwrap();
    (scene, rich)
}

/// The market and its prices once it has accepted what its feeds show now.
pub fn accepted(scene: &mut Scene) -> (Market, Prices) {
    let (clock, readings) = (scene.world.clock(), readings(&scene.world, &scene.market));
    let mut market = scene.world.market_state(&scene.market);
    let prices = market.accept_prices(&readings, PriceUse::Borrow, clock).unwrap();
    (market, prices)
}

fn admission_of(market: &Market, prices: &Prices, clock: Clock) -> i128 {
    let [_, admission] = market.stress(prices, clock).unwrap();
    admission.cover - i128::from(admission.leaving.0)
}

/// A at the prices shown now, quote atoms.
pub fn admission_cover(scene: &mut Scene) -> i128 {
    let (market, prices) = accepted(scene);
    admission_of(&market, &prices, scene.world.clock())
}

/// A with another loan on this account, were nobody to ask for cover.
fn cover_with(scene: &mut Scene, position: &Position, loan: u64) -> i128 {
    let clock = scene.world.clock();
    let ((mut market, prices), mut account) = (accepted(scene), scene.world.margin_account(position));
    let config = market.config;
    (market.config.stress_fall, market.config.stress_volatility) = (Bps(0), Bps(0));
    let leaving = market.announced_withdrawal.amount;
    market.announced_withdrawal.amount = Quote(0);
    market.borrow(&mut account, Quote(loan), &prices, clock).unwrap();
    (market.config, market.announced_withdrawal.amount) = (config, leaving);
    admission_of(&market, &prices, clock)
}

/// The largest loan that the engine would grant, quote atoms; at least the smallest debt.
fn largest_loan(scene: &mut Scene, position: &Position) -> u64 {
    let clock = scene.world.clock();
    let ((market, prices), account) = (accepted(scene), scene.world.margin_account(position));
    let passes = |amount| {
        let (mut market, mut account) = (market, account);
        market.borrow(&mut account, Quote(amount), &prices, clock).is_ok()
    };
    let (mut most, mut refused) = (10 * USDC, 1_000_000 * USDC);
    assert!(passes(most) && !passes(refused));
    while refused - most > 1 {
        let middle = most.midpoint(refused);
        *(if passes(middle) { &mut most } else { &mut refused }) = middle;
    }
    most
}

#[track_caller]
fn borrowing_fails(scene: &mut Scene, position: &Position, amount: u64, expected: BreakwaterError) {
    let borrow = ix::borrow(&scene.market, &position.address, &position.owner.key(), amount);
    scene
        .world
        .assert_error_unchanged(&[borrow], &[&position.owner], expected);
}

/// Borrows to the last atom that the cover allows: an atom more is refused first. Returns the loan.
#[track_caller]
fn exhaust(scene: &mut Scene, position: &Position) -> u64 {
    let (before, most) = (admission_cover(scene), largest_loan(scene, position));
    let [with, beyond] = [most, most + 1].map(|loan| cover_with(scene, position, loan));
    assert!(with >= 0 && beyond < 0 && beyond < before, "{before} {with} {beyond}");
    borrowing_fails(scene, position, most + 1, BreakwaterError::StressCoverExceeded);
    scene.world.borrow(position, most).unwrap();
    assert_eq!(admission_cover(scene), with);
    scene.world.next_slot();
    most
}

#[test]
fn the_largest_loan_is_what_leaves_no_cover_to_the_atom() {
    let (mut scene, rich) = covered(stressed());
    let loan = exhaust(&mut scene, &rich);
    // More than what a fall to $62 leaves of 1,000 SOL, by the backstop's 5,000 less what Alice would lack; and less
    // than the initial LTV alone would lend.
    assert!((65_000 * USDC..68_000 * USDC).contains(&loan), "{loan}");
    for amount in [100 * USDC, 1_000 * USDC] {
        borrowing_fails(&mut scene, &rich, amount, BreakwaterError::StressCoverExceeded);
    }
    // More capital carries more.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 2_000 * USDC)
        .unwrap();
    assert!(exhaust(&mut scene, &rich) > 100 * USDC);
}

#[test]
fn what_does_not_make_it_worse_passes_though_it_is_negative() {
    let (mut scene, rich) = covered(stressed());
    exhaust(&mut scene, &rich);
    stands_at(&mut scene, cents(96_00));
    let short = admission_cover(&mut scene);
    assert!(short < -1_000 * i128::from(USDC), "{short}");
    // Another account, which the fall does not put under water, borrows and withdraws.
    let safe = scene.world.open(&scene.market, &scene.alice, 1).unwrap();
    scene.world.deposit(&safe, 10 * SOL).unwrap();
    scene.world.borrow(&safe, 400 * USDC).unwrap();
    scene.world.withdraw_collateral(&safe, SOL).unwrap();
    assert_eq!(admission_cover(&mut scene), short);
    // Who is under water adds to it, whatever his LTV.
    let alice = scene.position.clone();
    borrowing_fails(&mut scene, &alice, 10 * USDC, BreakwaterError::StressCoverExceeded);
    // So does who would come to be: 57% are 92% after the fall, and 65% are 105%.
    borrowing_fails(&mut scene, &safe, 162 * USDC, BreakwaterError::StressCoverExceeded);
    // Repaying and adding collateral always pass, and make it better.
    scene.world.repay(&alice, 1_000 * USDC).unwrap();
    scene.world.deposit(&alice, 5 * SOL).unwrap();
    assert!(admission_cover(&mut scene) > short);
    assert!(admission_cover(&mut scene) < 0);
}

#[test]
fn withdrawing_against_debt_is_refused_exactly_where_it_would_be_negative_and_lower() {
    let (mut scene, rich) = covered(stressed());
    let alice = scene.position.clone();
    scene.world.repay(&alice, 2_000 * USDC).unwrap();
    exhaust(&mut scene, &rich);
    let before = admission_cover(&mut scene);
    let market = scene.market;
    let withdraw = |amount| {
        [ix::withdraw_collateral(
            &market,
            &alice.address,
            &alice.owner.key(),
            amount,
        )]
    };
    // 4,500 on 65 SOL would be 112% after the fall, and lack 470.
    let expected = BreakwaterError::StressCoverExceeded;
    scene
        .world
        .assert_error_unchanged(&withdraw(35 * SOL), &[&alice.owner], expected);
    // On 80 SOL it is 91%, and nothing is lost.
    scene.world.send(&withdraw(20 * SOL), &[&alice.owner]).unwrap();
    assert_eq!(admission_cover(&mut scene), before);
    scene.world.next_slot();
    // Without debt nobody asks.
    scene.world.repay(&alice, u64::MAX).unwrap();
    let rest = scene.world.margin_account(&alice).collateral;
    scene.world.withdraw_collateral(&alice, rest.0).unwrap();
    assert_eq!(scene.world.margin_account(&alice).collateral, Collateral(0));
}

#[test]
fn capital_that_has_asked_to_leave_carries_no_new_risk() {
    let (mut scene, rich) = covered(stressed());
    let market = scene.market;
    let alone = admission_cover(&mut scene);
    let gina = scene.world.guardian(&market, "gina", 1_000 * USDC);
    scene.world.guardian_deposit(&market, &gina, 1_000 * USDC).unwrap();
    let backed = i128::from(1_000 * USDC) + alone;
    assert_eq!(admission_cover(&mut scene), backed);
    let most = largest_loan(&mut scene, &rich);
    let borrow = [ix::borrow(&market, &rich.address, &rich.owner.key(), most)];
    let shares = scene.world.guardian_position(&market, &gina).shares.0;
    // All of it asks to leave, or the protocol announces to take as much of its own: each counts, and both.
    for (asked, announced) in [(4, 0), (0, 1_000), (2, 500), (4, 300)] {
        let plain = scene.world.snapshot();
        if asked > 0 {
            scene
                .world
                .guardian_request(&market, &gina, shares / 4 * asked)
                .unwrap();
        }
        scene.world.queue_equity_withdrawal(&market, announced * USDC).unwrap();
        let left = backed - i128::from((250 * asked + announced) * USDC);
        assert_eq!(admission_cover(&mut scene), left);
        scene
            .world
            .assert_error_unchanged(&borrow, &[&rich.owner], BreakwaterError::StressCoverExceeded);
        let begun = scene.world.snapshot();
        assert!(exhaust(&mut scene, &rich) < most);
        scene.world.restore(&begun);
        if (asked, announced) != (4, 300) {
            scene.world.restore(&plain);
        }
    }
    // Both are taken back, the request once it is open.
    let state = scene.world.market_state(&market);
    scene.world.advance(state.config.guardian_cooldown);
    stands_at(&mut scene, cents(10_000));
    scene.world.guardian_request(&market, &gina, 0).unwrap();
    scene.world.queue_equity_withdrawal(&market, 0).unwrap();
    assert_eq!(admission_cover(&mut scene), backed);
    scene.world.send(&borrow, &[&rich.owner]).unwrap();
}

#[test]
fn an_announcement_of_any_size_breaks_nothing() {
    let (mut scene, rich) = covered(stressed());
    let market = scene.market;
    let gina = scene.world.guardian(&market, "gina", 1_000 * USDC);
    scene.world.guardian_deposit(&market, &gina, 1_000 * USDC).unwrap();
    let shares = scene.world.guardian_position(&market, &gina).shares.0;
    scene.world.guardian_request(&market, &gina, shares).unwrap();
    scene.world.queue_equity_withdrawal(&market, u64::MAX).unwrap();
    // Nobody under water borrows; who is not may.
    let alice = scene.position.clone();
    borrowing_fails(&mut scene, &alice, 10 * USDC, BreakwaterError::StressCoverExceeded);
    scene.world.borrow(&rich, 10_000 * USDC).unwrap();
}

#[test]
fn volatility_raises_the_fall() {
    let (mut scene, rich) = covered(volatile());
    let market = scene.market;
    let quiet = largest_loan(&mut scene, &rich);
    // 3% a day: two of them more make 44%. And a storm: no more than 50%.
    for (variance, fall) in [(735_000, 4_400), (1 << 40, 5_000)] {
        let mut state = scene.world.market_state(&market);
        state.volatility.variance = variance;
        state.volatility.updated_at = scene.world.unix();
        scene.world.set_market(&market, &state);
        assert_eq!(state.admission_fall(scene.world.clock()), Bps(fall));
        let most = largest_loan(&mut scene, &rich);
        // So much less is left of each of 1,000 SOL; bands are 2.2% wide.
        let less = u64::from(fall - 3_800) * 10 * USDC;
        assert!(quiet - most > less / 2, "{quiet} {most}");
        let before = scene.world.snapshot();
        exhaust(&mut scene, &rich);
        scene.world.restore(&before);
    }
    borrowing_fails(&mut scene, &rich, quiet, BreakwaterError::StressCoverExceeded);
}

#[test]
fn a_sentinel_raises_the_fall_for_six_hours_and_rests_for_six() {
    let (mut scene, rich) = covered(stressed());
    let market = scene.market;
    let sid = scene.world.actor("sid");
    scene.world.queue_sentinel(&sid.key()).unwrap();
    scene.world.wait_out_timelock();
    scene.world.execute_sentinel(&sid.key()).unwrap();
    stands_at(&mut scene, cents(10_000));
    let quiet = largest_loan(&mut scene, &rich);
    let raise = |points| ix::raise_stress(&market, &sid.key(), points);
    for points in [0, 1_001, u32::MAX] {
        let expected = BreakwaterError::StressRaiseTooLarge;
        scene.world.assert_error_unchanged(&[raise(points)], &[&sid], expected);
    }
    let mut expected = scene.world.market_state(&market);

    let outcome = scene.world.send(&[raise(1_000)], &[&sid]).unwrap();

    let now = scene.world.unix();
    let told = outcome.event::<breakwater::events::StressFallRaised>();
    assert_eq!((told.market, told.sentinel), (market.market, sid.key()));
    let raised = (told.raised.points, told.raised.ends_at, told.raised.rests_until);
    assert_eq!(raised, (Bps(1_000), now + 6 * 3_600, now + 12 * 3_600));
    (expected.stress_raise.points, expected.stress_raise.raised_at) = (Bps(1_000), now);
    assert_eq!(scene.world.market_state(&market), expected);
    // Ten points of 1,000 SOL; bands are 2.2% wide. It falls on a straight line.
    let mut before = 0;
    for (hours, left) in [(0, 10), (3, 5), (5, 2)] {
        let wait = now + hours * 3_600 - scene.world.unix() - 60;
        scene.world.advance(u32::try_from(wait.max(0)).unwrap());
        stands_at(&mut scene, cents(10_000));
        let most = largest_loan(&mut scene, &rich);
        assert!(quiet - most > left * 500 * USDC, "{hours}: {quiet} {most}");
        assert!(most >= before, "{hours}: {most} {before}");
        before = most;
    }
    let start = scene.world.snapshot();
    exhaust(&mut scene, &rich);
    scene.world.restore(&start);
    borrowing_fails(&mut scene, &rich, quiet, BreakwaterError::StressCoverExceeded);
    // Nothing is left after six hours, and for six more nothing can be raised.
    for hours in [6, 9, 12] {
        let wait = now + hours * 3_600 - scene.world.unix() - 61;
        scene.world.advance(u32::try_from(wait.max(0)).unwrap());
        stands_at(&mut scene, cents(10_000));
        let expected = BreakwaterError::StressRaiseCooldown;
        scene.world.assert_error_unchanged(&[raise(1)], &[&sid], expected);
    }
    scene.world.advance(1);
    stands_at(&mut scene, cents(10_000));
    let again = largest_loan(&mut scene, &rich);
    assert!(again.abs_diff(quiet) <= USDC, "{again} {quiet}");
    scene.world.send(&[raise(1)], &[&sid]).unwrap();
}
