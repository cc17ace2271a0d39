//! Guardians who join or leave at the right moment, give money away, or are the first.

use super::{ATOM, Stage, dollars};
use crate::{
    attack::donate,
    backing::{cents, quick},
    scene::{SOL, USDC},
};
use breakwater::{
    error::BreakwaterError,
    events::{GuardianDeposited, GuardianRequested, GuardianWithdrawn},
};
use breakwater_engine::actions::Liquidation;
use breakwater_testkit::{Actor, Position, assert_fails_with, ix};

/// Another guardian with this much behind the backstop.
#[track_caller]
fn guardian(stage: &mut Stage, name: &str, amount: u64) -> Actor {
    let actor = stage.world.guardian(&stage.market, name, amount);
    stage.world.guardian_deposit(&stage.market, &actor, amount).unwrap();
    actor
}

/// Lena's account of 1,000 SOL and 65,000, at $100.
#[track_caller]
fn lenas_loan(stage: &mut Stage) -> Position {
    let (market, lena) = (stage.market, stage.lena.clone());
    stage.world.fund(&lena, &market.collateral_mint, 1_000 * SOL);
    let position = stage.world.open(&market, &lena, 0).unwrap();
    stage.world.deposit(&position, 1_000 * SOL).unwrap();
    stage.world.borrow(&position, 65_000 * USDC).unwrap();
    stage.world.next_slot();
    position
}

/// A keeper of its own liquidates it at this price.
#[track_caller]
fn liquidated(stage: &mut Stage, position: &Position, price: i64) -> Liquidation {
    let kate = stage.world.actor("kate");
    let ledger = breakwater_client::addresses::keeper_ledger(&stage.market.market, &kate.key());
    if stage.world.account(&ledger).is_none() {
        stage.world.open_keeper_ledger(&stage.market, &kate).unwrap();
    }
    stage.stands_at(cents(price));
    let outcome = stage.world.liquidate(&kate, position).unwrap();
    outcome.liquidation()
}

fn penalty(liquidation: &Liquidation) -> u64 {
    liquidation.repaid.0 * u64::from(liquidation.penalty.0) / 10_000
}

/// Asks to leave with all shares. How much is claimed.
#[track_caller]
fn ask(stage: &mut Stage, guardian: &Actor) -> u64 {
    let shares = stage.world.guardian_position(&stage.market, guardian).shares.0;
    let outcome = stage.world.guardian_request(&stage.market, guardian, shares).unwrap();
    outcome.event::<GuardianRequested>().request.amount.0
}

#[track_caller]
fn leave(stage: &mut Stage, guardian: &Actor, amount: u64) -> u64 {
    let outcome = stage.world.guardian_withdraw(&stage.market, guardian, amount).unwrap();
    outcome.event::<GuardianWithdrawn>().withdrawal.amount.0
}

fn cooldown(stage: &mut Stage) -> u32 {
    stage.state().config.guardian_cooldown
}

#[test]
fn who_joins_just_before_a_liquidation_earns_the_part_of_his_capital_and_no_more() {
    // Protocol 60,000, Gina 40,000, and Mallory with anything from little to far more than all others.
    for joining in [100, 10_000, 100_000, 5_000_000] {
        let mut stage = Stage::with(quick(), 60_000 * USDC);
        let gina = guardian(&mut stage, "gina", 40_000 * USDC);
        let position = lenas_loan(&mut stage);
        let mallory = stage.mallory.clone();
        let before = stage.wealth(&mallory, &[]);
        stage.stands_at(cents(80_00));
        let held = stage.world.balance(&mallory, &stage.market.collateral_mint);
        let before = before - i128::from(held) * ((20 << 64) / 1_000);
        stage
            .world
            .guardian_deposit(&stage.market, &mallory, joining * USDC)
            .unwrap();
        let liquidation = liquidated(&mut stage, &position, 80_00);

        let penalty = i128::from(penalty(&liquidation));
        let all = i128::from(100_000 + joining);
        let gain = dollars(stage.wealth(&mallory, &[]) - before);
        let part = |capital: i128| penalty * capital / all / 2;
        let most = part(joining.into());
        // The rate is rounded to a basis point of the penalty, and each part to an atom.
        assert!(
            gain <= most + 3 && gain + penalty / 5_000 + 3 >= most,
            "{joining}: {gain}, not {most}"
        );
        let ginas = dollars(stage.wealth(&gina, &[])) - 40_000 * i128::from(USDC);
        assert!(
            ginas <= part(40_000) + 3 && ginas + penalty / 5_000 + 3 >= part(40_000),
            "{joining}: {ginas}"
        );
        // He cannot take it and go.
        let asked = ask(&mut stage, &mallory);
        let early = stage.world.guardian_withdraw(&stage.market, &mallory, asked);
        assert_fails_with(early, BreakwaterError::TooEarly);
    }
}

#[test]
fn who_joins_after_a_liquidation_has_no_part_of_its_penalty() {
    let mut stage = Stage::with(quick(), 60_000 * USDC);
    guardian(&mut stage, "gina", 40_000 * USDC);
    let position = lenas_loan(&mut stage);
    liquidated(&mut stage, &position, 80_00);
    let claim = stage.state().books.guardians.claim.0;
    let mallory = stage.mallory.clone();
    stage
        .world
        .guardian_deposit(&stage.market, &mallory, 100_000 * USDC)
        .unwrap();
    let shares = ask(&mut stage, &mallory);
    let wait = cooldown(&mut stage);
    stage.world.advance(wait);
    let paid = leave(&mut stage, &mallory, shares);
    assert!((100_000 * USDC - 2..=100_000 * USDC).contains(&paid), "{paid}");
    assert!(stage.state().books.guardians.claim.0 >= claim);
}

/// Gina and Mallory with 20,000 each beside 10,000 of the protocol's, and Lena's loan.
fn two() -> (Stage, Actor, Actor, Position) {
    let mut stage = Stage::with(quick(), 10_000 * USDC);
    let gina = guardian(&mut stage, "gina", 20_000 * USDC);
    let mallory = stage.mallory.clone();
    stage
        .world
        .guardian_deposit(&stage.market, &mallory, 20_000 * USDC)
        .unwrap();
    let position = lenas_loan(&mut stage);
    (stage, gina, mallory, position)
}

/// All inventory goes to Lena.
#[track_caller]
fn sell_out(stage: &mut Stage) {
    let inventory = stage.state().books.backstop.inventory.0;
    stage
        .world
        .buy_inventory(&stage.market, &stage.lena, inventory, u64::MAX)
        .unwrap();
}

#[test]
fn a_loss_during_the_cooldown_is_shared() {
    // A loss of 15,000 and the largest bounty, 100, at $50: 10,000 of it are the protocol's. It comes in the last
    // second of Mallory's cool-down; Gina never asked to leave.
    let (mut stage, gina, mallory, position) = two();
    let shares = ask(&mut stage, &mallory);
    let wait = cooldown(&mut stage);
    stage.world.advance(wait - 61);
    let liquidation = liquidated(&mut stage, &position, 50_00);
    assert!(liquidation.deficit.0 >= 15_000 * USDC);
    let early = stage.world.guardian_withdraw(&stage.market, &mallory, shares);
    assert_fails_with(early, BreakwaterError::TooEarly);
    sell_out(&mut stage);
    stage.world.advance(1);
    let paid = leave(&mut stage, &mallory, shares);
    let half = (40_000 * USDC - 5_000 * USDC - 100 * USDC) / 2;
    assert!((half - 2..=half + 1).contains(&paid), "{paid}, not {half}");
    // Gina is left with as much.
    let shares = ask(&mut stage, &gina);
    stage.world.advance(wait);
    let paid = leave(&mut stage, &gina, shares);
    assert!((half - 2..=half + 2).contains(&paid), "{paid}, not {half}");
}

#[test]
fn who_leaves_between_a_loss_and_its_settlement_takes_no_more_than_his_part() {
    // Out of 50,000, 64,999 are lost at $0.001: there is nothing to be taken, before or after.
    let (mut stage, gina, mallory, position) = two();
    let shares = ask(&mut stage, &mallory);
    let wait = cooldown(&mut stage);
    stage.world.advance(wait - 60);
    stage.stands_at(100_000);
    let kate = stage.world.actor("kate");
    stage.world.open_keeper_ledger(&stage.market, &kate).unwrap();
    stage.world.liquidate(&kate, &position).unwrap();
    assert_eq!(leave(&mut stage, &mallory, shares / 2), 0);
    sell_out(&mut stage);
    assert_eq!(leave(&mut stage, &mallory, shares / 2), 0);
    stage.world.settle_deficit(&stage.market).unwrap();
    assert_eq!(dollars(stage.wealth(&gina, &[])), 0);
}

#[test]
fn while_inventory_is_unsold_who_leaves_is_paid_no_more_than_who_stays() {
    let (mut stage, gina, mallory, position) = two();
    let shares = ask(&mut stage, &mallory);
    let wait = cooldown(&mut stage);
    stage.world.advance(wait - 60);
    // The protocol and a third of the claim are lost, and some of the claim is in inventory.
    liquidated(&mut stage, &position, 42_00);
    let fair = dollars(stage.wealth(&mallory, &[]))
        - i128::from(stage.world.balance(&mallory, &stage.market.quote_mint))
        - dollars(stage.price() * i128::from(stage.world.balance(&mallory, &stage.market.collateral_mint)));
    // Enough is sold for cash to be there.
    stage
        .world
        .buy_inventory(&stage.market, &stage.lena, 800 * SOL, u64::MAX)
        .unwrap();
    let paid = i128::from(leave(&mut stage, &mallory, shares));
    assert!(paid > 0 && paid <= fair + 4, "{paid} of {fair}");
    sell_out(&mut stage);
    let ginas = dollars(stage.wealth(&gina, &[]));
    assert!(ginas + 4 >= fair, "{ginas} {fair}");
}

#[test]
fn giving_money_away_never_pays() {
    // Mallory is the only guardian, and gives the backstop something before or after a liquidation, or at a loss.
    for price in [80_00, 72_00, 60_00, 50_00] {
        let mut stage = Stage::with(quick(), 10_000 * USDC);
        let mallory = stage.mallory.clone();
        let market = stage.market;
        stage.world.guardian_deposit(&market, &mallory, 20_000 * USDC).unwrap();
        let position = lenas_loan(&mut stage);
        let start = stage.world.snapshot();
        liquidated(&mut stage, &position, price);
        let without = stage.wealth(&mallory, &[]);
        stage.world.restore(&start);
        for gift in [1, 1_000 * USDC, 500_000 * USDC] {
            for (before, to_backstop) in [(true, true), (false, true), (true, false), (false, false)] {
                let give = |stage: &mut Stage| {
                    if to_backstop {
                        stage.world.fund_backstop(&market, &mallory, gift).unwrap();
                    } else {
                        // Straight into the vault.
                        let quote = stage.world.token_address(&mallory.key(), &market.quote_mint);
                        let held = stage.world.token_balance(&quote);
                        donate(&mut stage.world, &market.quote_mint, &market.quote_vault, gift);
                        burn(stage, &mallory, gift);
                        assert_eq!(stage.world.token_balance(&quote), held - gift);
                    }
                };
                if before {
                    give(&mut stage);
                }
                liquidated(&mut stage, &position, price);
                if !before {
                    give(&mut stage);
                }
                let with = stage.wealth(&mallory, &[]);
                // What it makes good of her own claim it does not exceed.
                assert!(with <= without + 2 * ATOM, "{price} {gift} {before} {to_backstop}");
                stage.world.restore(&start);
            }
        }
    }
}

/// Takes tokens from somebody, as a transfer into the vault would.
fn burn(stage: &mut Stage, who: &Actor, amount: u64) {
    let mint = stage.market.quote_mint;
    let address = stage.world.token_address(&who.key(), &mint);
    let mut account = stage.world.existing_account(&address);
    // The amount is behind mint and owner.
    let left = stage.world.token_balance(&address) - amount;
    account.data[64..72].copy_from_slice(&left.to_le_bytes());
    stage.world.set_account(&address, account);
}

#[test]
fn the_first_guardian_cannot_take_from_the_second() {
    // An atom first; then tokens into the vault, money to the backstop, or both; then the victim.
    for (to_vault, to_backstop) in [(0, 0), (1_000_000, 0), (0, 1_000_000), (1_000_000, 1_000_000)] {
        for victim in [1, 999, 1_000 * USDC, 500_000 * USDC] {
            let mut stage = Stage::with(quick(), 0);
            let market = stage.market;
            let mallory = stage.mallory.clone();
            stage.world.guardian_deposit(&market, &mallory, 1).unwrap();
            if to_vault > 0 {
                donate(
                    &mut stage.world,
                    &market.quote_mint,
                    &market.quote_vault,
                    to_vault * USDC,
                );
            }
            if to_backstop > 0 {
                stage
                    .world
                    .fund_backstop(&market, &mallory, to_backstop * USDC)
                    .unwrap();
            }
            let gina = guardian(&mut stage, "gina", victim);
            let hers = ask(&mut stage, &gina);
            let his = ask(&mut stage, &mallory);
            assert!(hers + 1 >= victim, "{hers} of {victim}");
            let wait = cooldown(&mut stage);
            stage.world.advance(wait);
            assert!(leave(&mut stage, &mallory, his) <= 1);
            assert!(leave(&mut stage, &gina, hers) >= victim - 1);
        }
    }
}

#[test]
fn a_claim_that_penalties_have_inflated_takes_from_nobody() {
    // Mallory's atom earns half of the penalty of her own account, which is taken over whole: a share is worth a
    // fortune.
    let mut stage = Stage::with(quick(), 0);
    let market = stage.market;
    let mallory = stage.mallory.clone();
    stage.world.guardian_deposit(&market, &mallory, 1).unwrap();
    let position = stage.borrow(0, 1_000 * SOL, 69_900 * USDC);
    stage.stands_at(cents(75_00));
    let before = stage.wealth(&mallory, &[&position]);
    stage.world.liquidate(&mallory, &position).unwrap();
    let now = stage.state();
    let per_share = now.books.guardians.claim.0 / (now.books.guardians.shares.0 + 1_000) + 1;
    assert!(per_share > USDC / 10, "{per_share}");
    for (number, victim) in [10 * per_share + 7, 1_000 * USDC, 100_000 * USDC]
        .into_iter()
        .enumerate()
    {
        let gina = stage.world.guardian(&market, &format!("gina {number}"), victim);
        let outcome = stage.world.guardian_deposit(&market, &gina, victim).unwrap();
        let shares = outcome.event::<GuardianDeposited>().deposit.shares.0;
        let worth = dollars(stage.wealth(&gina, &[]));
        // Less than the share that rounding did not give, and what the virtual shares are worth of it.
        let least = i128::from(victim) - i128::from(2 * per_share);
        assert!(worth >= least, "{worth} of {victim}");
        assert!(shares > 0);
        let after = stage.wealth(&mallory, &[&position]);
        assert!(after < before, "she gains {}", dollars(after - before));
    }
    // And who would get no share for it is refused.
    let poor = stage.world.guardian(&market, "poor", 1_000);
    let crumb = ix::guardian_deposit(&market, &poor.key(), 1_000, 0, u64::MAX);
    stage
        .world
        .assert_error_unchanged(&[crumb], &[&poor], BreakwaterError::ZeroAmount);
}
