//! The peers against closed forms: one borrower, no impact, a price that falls to a known LTV and stays there.

use super::Kind;
use crate::cascade::{
    Outcome, Path, Setup,
    setup::DEBT,
    simulation::{recorded, run},
};

/// One borrower of all debt at an LTV of about 50% at a price of 100, who does nothing.
fn alone(points: &str) -> Setup {
    let text = format!(
        "name = 'test'\nabout = 'test'\n[path]\nkind = 'trend'\nhours = 12\npoints = {points}\nhourly_volatility = 0.0\n\
         [borrowers]\ncount = 1\nattentive = 0.0\nalpha = 100.0\nbeta = 55.2\nlargest = 1.0\n[oracle]\nlatency_steps = 0\n"
    );
    let mut setup = Setup::parse(&text).expect("valid");
    setup.impact.off = true;
    setup
}

/// The price at which that borrower is due, as a fraction of the first.
fn due() -> f64 {
    let setup = alone("[[0, 1.0], [1, 0.9]]");
    let path = Path::of(&setup, None).expect("valid");
    let (_, simulation) = recorded(&setup, &path.flat(), Kind::None, false).expect("valid");
    let collateral = simulation.lending.accounts[0].collateral.0 as f64 / 1e9;
    DEBT / (0.8 * collateral) / 100.0
}

/// Slowly to just above the price at which the borrower is due, then in one step so far below it, where it stays.
fn fallen(kind: Kind, below: f64, capital: f64) -> Outcome {
    let due = due();
    let mut setup = alone(&format!(
        "[[0, 1.0], [6, {}], [6.002, {}]]",
        due * 1.001,
        due * (1.0 - below)
    ));
    setup.protocol.equity = capital;
    let path = Path::of(&setup, None).expect("valid");
    run(&setup, &path, kind).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn near(value: f64, wanted: f64, what: &str) {
    // Debts have six hours of interest.
    assert!(
        (value - wanted).abs() <= 5e-4 + 5e-3 * wanted.abs(),
        "{what}: {value}, not {wanted}"
    );
}

#[test]
fn kamino_takes_a_tenth_for_what_the_ltv_exceeds_its_limit_by() {
    // 1% below: an LTV of 80.8%, a bonus of 0.8%.
    let outcome = fallen(Kind::Kamino, 0.01, 0.1);
    assert_eq!(outcome.liquidations, 1);
    near(outcome.liquidated, 0.1, "a tenth");
    near(outcome.borrower_loss, 0.1 * (0.8 / 0.99 - 0.8), "the bonus");
}

#[test]
fn kamino_goes_on_until_an_account_is_healthy() {
    // 6% below: 85.1%, a bonus of 5.1% at first; a tenth is not enough.
    let outcome = fallen(Kind::Kamino, 0.06, 0.1);
    assert!(outcome.liquidations > 2, "{}", outcome.liquidations);
    assert!((0.25..0.5).contains(&outcome.liquidated), "{}", outcome.liquidated);
}

#[test]
fn aave_takes_half_for_five_percent_and_everything_from_a_health_of_95_percent_on() {
    let half = fallen(Kind::Aave, 0.01, 0.1);
    near(half.liquidated, 0.5, "half");
    near(half.borrower_loss, 0.025, "5% of half");
    let whole = fallen(Kind::Aave, 0.051, 0.1);
    near(whole.liquidated, 1.0, "everything");
    near(whole.borrower_loss, 0.05, "5% of everything");
}

#[test]
fn euler_sells_at_what_health_lacks() {
    let outcome = fallen(Kind::Euler, 0.01, 0.1);
    near(outcome.liquidated, 1.0, "everything");
    near(outcome.borrower_loss, 1.0 / 0.99 - 1.0, "1% off");
}

#[test]
fn fluid_goes_to_the_limit_and_no_further() {
    let outcome = fallen(Kind::Fluid, 0.01, 0.1);
    let value = 0.99 / 0.8;
    let repaid = (1.0 - 0.8 * value) / (1.0 - 0.8 * 1.01);
    near(outcome.liquidated, repaid, "the least");
    near(outcome.borrower_loss, 0.01 * repaid, "1% of it");
}

#[test]
fn fluid_absorbs_whole_accounts_beyond_the_second_limit() {
    // 7% below: 86%.
    let outcome = fallen(Kind::Fluid, 0.07, 0.1);
    near(outcome.liquidated, 1.0, "everything");
    near(outcome.borrower_loss, 0.93 / 0.8 - 1.0, "all that was left");
    near(outcome.final_equity, 0.1, "the vault earns nothing");
}

#[test]
fn a_stability_pool_burns_the_debt_for_five_percent_more_and_holds() {
    let outcome = fallen(Kind::LiquityHold, 0.01, 2.0);
    near(outcome.liquidated, 1.0, "everything");
    near(outcome.borrower_loss, 0.05, "5%");
    near(outcome.final_equity, 2.05, "which are the depositors'");
    near(outcome.left_over, 1.05, "all of it is held");
}

#[test]
fn half_of_a_stability_pool_sells() {
    let outcome = fallen(Kind::LiquityHalf, 0.01, 2.0);
    near(outcome.final_equity, 2.05, "at the same price");
    near(outcome.left_over, 0.525, "half of it is held");
}

#[test]
fn the_last_account_is_not_liquidated_by_an_empty_pool() {
    let outcome = fallen(Kind::LiquityHold, 0.01, 0.5);
    assert_eq!(outcome.liquidations, 0);
}

#[test]
fn an_empty_pool_leaves_all_debt_with_the_others() {
    let text = "name = 'test'\nabout = 'test'\n[path]\nkind = 'trend'\nhours = 12\npoints = [[1, 1.0], [4, 0.8]]\n\
                hourly_volatility = 0.0\n[borrowers]\ncount = 60\nattentive = 0.0\n[oracle]\nlatency_steps = 0\n";
    let mut setup = Setup::parse(text).expect("valid");
    setup.protocol.equity = 0.0;
    let path = Path::of(&setup, None).expect("valid");
    let outcome = run(&setup, &path, Kind::LiquityHold).expect("conserved");
    assert!(outcome.liquidated > 0.05, "{}", outcome.liquidated);
    near(outcome.final_equity, 0.0, "nobody paid");
    near(outcome.bad_debt, 0.0, "collateral suffices");
    near(outcome.borrower_loss, 0.0, "what one loses the others gain");
}

#[test]
fn sky_does_not_see_what_was_over_within_an_hour() {
    let due = due();
    let wick = format!("[[1.4, 1.0], [1.5, {}], [1.7, {}], [1.8, 1.0]]", due * 0.97, due * 0.97);
    let setup = alone(&wick);
    let path = Path::of(&setup, None).expect("valid");
    let liquidations = |kind| run(&setup, &path, kind).expect("conserved").liquidations;
    assert_eq!((liquidations(Kind::Dutch), liquidations(Kind::Sky)), (1, 0));
}

#[test]
fn crvusd_sells_in_bands_while_the_price_falls_and_buys_back_while_it_rises() {
    let due = due();
    let path = |points: String| {
        let setup = alone(&points);
        let path = Path::of(&setup, None).expect("valid");
        run(&setup, &path, Kind::Crvusd).expect("conserved")
    };
    // Five of ten bands, slowly.
    let half = path(format!(
        "[[0, 1.0], [1, {}], [11, {}]]",
        due * 1.01,
        due * 0.99f64.powi(5)
    ));
    // All collateral is 1.25 of the debt, half of it is sold for 2.5% below the first band's edge.
    assert!((half.liquidated - 0.625 * 0.975).abs() < 0.04, "{}", half.liquidated);
    assert!(half.borrower_loss < 0.01, "{}", half.borrower_loss);
    // And back up: what is sold and bought again is counted once, and costs fees and lag.
    let back = path(format!(
        "[[0, 1.0], [1, {}], [6, {}], [11, {}]]",
        due * 1.01,
        due * 0.99f64.powi(5),
        due * 1.03
    ));
    assert!(
        (back.liquidated - half.liquidated).abs() < 0.05,
        "{} {}",
        back.liquidated,
        half.liquidated
    );
    assert!(
        back.borrower_loss > half.borrower_loss && back.borrower_loss < 0.03,
        "{}",
        back.borrower_loss
    );
}

#[test]
fn crvusd_closes_an_account_whose_bands_are_worth_too_little() {
    let due = due();
    // Far below its bands in one step: nothing was sold in them for what it was worth.
    let outcome = fallen(Kind::Crvusd, 0.16, 0.1);
    assert!(outcome.liquidated > 0.9, "{} {due}", outcome.liquidated);
    near(outcome.bad_debt, 0.0, "the debt is paid");
}
