//! Guardians who join or leave at the right moment, give money away, or are the first.

use super::{ATOM, Trial, dollars};
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
fn guardian(trial: &mut Trial, name: &str, amount: u64) -> Actor {
    let actor = trial.world.guardian(&trial.market, name, amount);
    trial.world.guardian_deposit(&trial.market, &actor, amount).unwrap();
    actor
}

/// Lena's account of 1,000 SOL and 65,000, at $100.
#[track_caller]
fn lenas_loan(trial: &mut Trial) -> Position {
    let (market, lena) = (trial.market, trial.lena.clone());
    trial.world.fund(&lena, &market.collateral_mint, 1_000 * SOL);
    let position = trial.world.open(&market, &lena, 0).unwrap();
    trial.world.deposit(&position, 1_000 * SOL).unwrap();
    trial.world.borrow(&position, 65_000 * USDC).unwrap();
    trial.world.next_slot();
    position
}

/// A keeper of its own liquidates it at this price.
#[track_caller]
fn liquidated(trial: &mut Trial, position: &Position, price: i64) -> Liquidation {
    let kate = trial.world.actor("kate");
    let ledger = breakwater_client::addresses::keeper_ledger(&trial.market.market, &kate.key());
    if trial.world.account(&ledger).is_none() {
        trial.world.open_keeper_ledger(&trial.market, &kate).unwrap();
    }
    trial.stands_at(cents(price));
    let outcome = trial.world.liquidate(&kate, position).unwrap();
    outcome.liquidation()
}

fn penalty(liquidation: &Liquidation) -> u64 {
    liquidation.repaid.0 * u64::from(liquidation.penalty.0) / 10_000
}

/// Asks to leave with all shares. How much is claimed.
#[track_caller]
fn ask(trial: &mut Trial, guardian: &Actor) -> u64 {
    let shares = trial.world.guardian_position(&trial.market, guardian).shares.0;
    let outcome = trial.world.guardian_request(&trial.market, guardian, shares).unwrap();
    outcome.event::<GuardianRequested>().request.amount.0
}

#[track_caller]
fn leave(trial: &mut Trial, guardian: &Actor, amount: u64) -> u64 {
    let outcome = trial.world.guardian_withdraw(&trial.market, guardian, amount).unwrap();
    outcome.event::<GuardianWithdrawn>().withdrawal.amount.0
}

fn cooldown(trial: &mut Trial) -> u32 {
    trial.state().config.guardian_cooldown
}

#[test]
fn who_joins_just_before_a_liquidation_earns_the_part_of_his_capital_and_no_more() {
    // Protocol 60,000, Gina 40,000, and Mallory with anything from little to far more than all others.
    for joining in [100, 10_000, 100_000, 5_000_000] {
        let mut trial = Trial::with(quick(), 60_000 * USDC);
        let gina = guardian(&mut trial, "gina", 40_000 * USDC);
        let position = lenas_loan(&mut trial);
        let mallory = trial.mallory.clone();
        let before = trial.wealth(&mallory, &[]);
        trial.stands_at(cents(80_00));
        let held = trial.world.balance(&mallory, &trial.market.collateral_mint);
        let before = before - i128::from(held) * ((20 << 64) / 1_000);
        trial
            .world
            .guardian_deposit(&trial.market, &mallory, joining * USDC)
            .unwrap();
        let liquidation = liquidated(&mut trial, &position, 80_00);

        let penalty = i128::from(penalty(&liquidation));
        let all = i128::from(100_000 + joining);
        let gain = dollars(trial.wealth(&mallory, &[]) - before);
        let part = |capital: i128| penalty * capital / all / 2;
        let most = part(joining.into());
        // The rate is rounded to a basis point of the penalty, and each part to an atom.
        assert!(
            gain <= most + 3 && gain + penalty / 5_000 + 3 >= most,
            "{joining}: {gain}, not {most}"
        );
        let ginas = dollars(trial.wealth(&gina, &[])) - 40_000 * i128::from(USDC);
        assert!(
            ginas <= part(40_000) + 3 && ginas + penalty / 5_000 + 3 >= part(40_000),
            "{joining}: {ginas}"
        );
        // He cannot take it and go.
        let asked = ask(&mut trial, &mallory);
        let early = trial.world.guardian_withdraw(&trial.market, &mallory, asked);
        assert_fails_with(early, BreakwaterError::TimelockActive);
    }
}

#[test]
fn who_joins_after_a_liquidation_has_no_part_of_its_penalty() {
    let mut trial = Trial::with(quick(), 60_000 * USDC);
    guardian(&mut trial, "gina", 40_000 * USDC);
    let position = lenas_loan(&mut trial);
    liquidated(&mut trial, &position, 80_00);
    let claim = trial.state().books.guardians.claim.0;
    let mallory = trial.mallory.clone();
    trial
        .world
        .guardian_deposit(&trial.market, &mallory, 100_000 * USDC)
        .unwrap();
    let shares = ask(&mut trial, &mallory);
    let wait = cooldown(&mut trial);
    trial.world.advance(wait);
    let paid = leave(&mut trial, &mallory, shares);
    assert!((100_000 * USDC - 2..=100_000 * USDC).contains(&paid), "{paid}");
    assert!(trial.state().books.guardians.claim.0 >= claim);
}

/// Gina and Mallory with 20,000 each beside 10,000 of the protocol's, and Lena's loan.
fn two() -> (Trial, Actor, Actor, Position) {
    let mut trial = Trial::with(quick(), 10_000 * USDC);
    let gina = guardian(&mut trial, "gina", 20_000 * USDC);
    let mallory = trial.mallory.clone();
    trial
        .world
        .guardian_deposit(&trial.market, &mallory, 20_000 * USDC)
        .unwrap();
    let position = lenas_loan(&mut trial);
    (trial, gina, mallory, position)
}

/// All inventory goes to Lena.
#[track_caller]
fn sell_out(trial: &mut Trial) {
    let inventory = trial.state().books.backstop.inventory.0;
    trial
        .world
        .buy_inventory(&trial.market, &trial.lena, inventory, u64::MAX)
        .unwrap();
}

#[test]
fn a_loss_during_the_cooldown_is_shared() {
    // A loss of 15,000 and the largest bounty, 100, at $50: 10,000 of it are the protocol's. It comes in the last
    // second of Mallory's cooldown; Gina never asked to leave.
    let (mut trial, gina, mallory, position) = two();
    let shares = ask(&mut trial, &mallory);
    let wait = cooldown(&mut trial);
    trial.world.advance(wait - 61);
    let liquidation = liquidated(&mut trial, &position, 50_00);
    assert!(liquidation.deficit.0 >= 15_000 * USDC);
    let early = trial.world.guardian_withdraw(&trial.market, &mallory, shares);
    assert_fails_with(early, BreakwaterError::TimelockActive);
    sell_out(&mut trial);
    trial.world.advance(1);
    let paid = leave(&mut trial, &mallory, shares);
    let half = (40_000 * USDC - 5_000 * USDC - 100 * USDC) / 2;
    assert!((half - 2..=half + 1).contains(&paid), "{paid}, not {half}");
    // Gina is left with as much.
    let shares = ask(&mut trial, &gina);
    trial.world.advance(wait);
    let paid = leave(&mut trial, &gina, shares);
    assert!((half - 2..=half + 2).contains(&paid), "{paid}, not {half}");
}

#[test]
fn who_leaves_between_a_loss_and_its_settlement_takes_no_more_than_his_part() {
    // Out of 50,000, 64,999 are lost at $0.001: there is nothing to be taken, before or after.
    let (mut trial, gina, mallory, position) = two();
    let shares = ask(&mut trial, &mallory);
    let wait = cooldown(&mut trial);
    trial.world.advance(wait - 60);
    trial.stands_at(100_000);
    let kate = trial.world.actor("kate");
    trial.world.open_keeper_ledger(&trial.market, &kate).unwrap();
    trial.world.liquidate(&kate, &position).unwrap();
    assert_eq!(leave(&mut trial, &mallory, shares / 2), 0);
    sell_out(&mut trial);
    assert_eq!(leave(&mut trial, &mallory, shares / 2), 0);
    trial.world.settle_deficit(&trial.market).unwrap();
    assert_eq!(dollars(trial.wealth(&gina, &[])), 0);
}

#[test]
fn while_inventory_is_unsold_who_leaves_is_paid_no_more_than_who_stays() {
    let (mut trial, gina, mallory, position) = two();
    let shares = ask(&mut trial, &mallory);
    let wait = cooldown(&mut trial);
    trial.world.advance(wait - 60);
    // The protocol and a third of the claim are lost, and some of the claim is in inventory.
    liquidated(&mut trial, &position, 42_00);
    let fair = dollars(trial.wealth(&mallory, &[]))
        - i128::from(trial.world.balance(&mallory, &trial.market.quote_mint))
        - dollars(trial.price() * i128::from(trial.world.balance(&mallory, &trial.market.collateral_mint)));
    // Enough is sold for cash to be there.
    trial
        .world
        .buy_inventory(&trial.market, &trial.lena, 800 * SOL, u64::MAX)
        .unwrap();
    let paid = i128::from(leave(&mut trial, &mallory, shares));
    assert!(paid > 0 && paid <= fair + 4, "{paid} of {fair}");
    sell_out(&mut trial);
    let ginas = dollars(trial.wealth(&gina, &[]));
    assert!(ginas + 4 >= fair, "{ginas} {fair}");
}

#[test]
fn giving_money_away_never_pays() {
    // Mallory is the only guardian, and gives the backstop something before or after a liquidation, or at a loss.
    for price in [80_00, 72_00, 60_00, 50_00] {
        let mut trial = Trial::with(quick(), 10_000 * USDC);
        let mallory = trial.mallory.clone();
        let market = trial.market;
        trial.world.guardian_deposit(&market, &mallory, 20_000 * USDC).unwrap();
        let position = lenas_loan(&mut trial);
        let start = trial.world.snapshot();
        liquidated(&mut trial, &position, price);
        let without = trial.wealth(&mallory, &[]);
        trial.world.restore(&start);
        for gift in [1, 1_000 * USDC, 500_000 * USDC] {
            for (before, to_backstop) in [(true, true), (false, true), (true, false), (false, false)] {
                let give = |trial: &mut Trial| {
                    if to_backstop {
                        trial.world.fund_backstop(&market, &mallory, gift).unwrap();
                    } else {
                        // Straight into the vault.
                        let quote = trial.world.token_address(&mallory.key(), &market.quote_mint);
                        let held = trial.world.token_balance(&quote);
                        donate(&mut trial.world, &market.quote_mint, &market.quote_vault, gift);
                        burn(trial, &mallory, gift);
                        assert_eq!(trial.world.token_balance(&quote), held - gift);
                    }
                };
                if before {
                    give(&mut trial);
                }
                liquidated(&mut trial, &position, price);
                if !before {
                    give(&mut trial);
                }
                let with = trial.wealth(&mallory, &[]);
                // What it makes good of her own claim it does not exceed.
                assert!(with <= without + 2 * ATOM, "{price} {gift} {before} {to_backstop}");
                trial.world.restore(&start);
            }
        }
    }
}

/// Takes tokens from somebody, as a transfer into the vault would.
fn burn(trial: &mut Trial, who: &Actor, amount: u64) {
    let mint = trial.market.quote_mint;
    let address = trial.world.token_address(&who.key(), &mint);
    let mut account = trial.world.existing_account(&address);
    // The amount is behind mint and owner.
    let left = trial.world.token_balance(&address) - amount;
    account.data[64..72].copy_from_slice(&left.to_le_bytes());
    trial.world.set_account(&address, account);
}

#[test]
fn the_first_guardian_cannot_take_from_the_second() {
    // An atom first; then tokens into the vault, money to the backstop, or both; then the victim.
    for (to_vault, to_backstop) in [(0, 0), (1_000_000, 0), (0, 1_000_000), (1_000_000, 1_000_000)] {
        for victim in [1, 999, 1_000 * USDC, 500_000 * USDC] {
            let mut trial = Trial::with(quick(), 0);
            let market = trial.market;
            let mallory = trial.mallory.clone();
            trial.world.guardian_deposit(&market, &mallory, 1).unwrap();
            if to_vault > 0 {
                donate(
                    &mut trial.world,
                    &market.quote_mint,
                    &market.quote_vault,
                    to_vault * USDC,
                );
            }
            if to_backstop > 0 {
                trial
                    .world
                    .fund_backstop(&market, &mallory, to_backstop * USDC)
                    .unwrap();
            }
            let gina = guardian(&mut trial, "gina", victim);
            let hers = ask(&mut trial, &gina);
            let his = ask(&mut trial, &mallory);
            assert!(hers + 1 >= victim, "{hers} of {victim}");
            let wait = cooldown(&mut trial);
            trial.world.advance(wait);
            assert!(leave(&mut trial, &mallory, his) <= 1);
            assert!(leave(&mut trial, &gina, hers) >= victim - 1);
        }
    }
}

#[test]
fn a_claim_that_penalties_have_inflated_takes_from_nobody() {
    // Mallory's atom earns half of the penalty of her own account, which is taken over whole: a share is worth a
    // fortune.
    let mut trial = Trial::with(quick(), 0);
    let market = trial.market;
    let mallory = trial.mallory.clone();
    trial.world.guardian_deposit(&market, &mallory, 1).unwrap();
    let position = trial.borrow(0, 1_000 * SOL, 69_900 * USDC);
    trial.stands_at(cents(75_00));
    let before = trial.wealth(&mallory, &[&position]);
    trial.world.liquidate(&mallory, &position).unwrap();
    let now = trial.state();
    let per_share = now.books.guardians.claim.0 / (now.books.guardians.shares.0 + 1_000) + 1;
    assert!(per_share > USDC / 10, "{per_share}");
    for (number, victim) in [10 * per_share + 7, 1_000 * USDC, 100_000 * USDC]
        .into_iter()
        .enumerate()
    {
        let gina = trial.world.guardian(&market, &format!("gina {number}"), victim);
        let outcome = trial.world.guardian_deposit(&market, &gina, victim).unwrap();
        let shares = outcome.event::<GuardianDeposited>().deposit.shares.0;
        let worth = dollars(trial.wealth(&gina, &[]));
        // Less than the share that rounding did not give, and what the virtual shares are worth of it.
        let least = i128::from(victim) - i128::from(2 * per_share);
        assert!(worth >= least, "{worth} of {victim}");
        assert!(shares > 0);
        let after = trial.wealth(&mallory, &[&position]);
        assert!(after < before, "she gains {}", dollars(after - before));
    }
    // And who would get no share for it is refused.
    let poor = trial.world.guardian(&market, "poor", 1_000);
    let crumb = ix::guardian_deposit(&market, &poor.key(), 1_000, 0, u64::MAX);
    trial
        .world
        .assert_error_unchanged(&[crumb], &[&poor], BreakwaterError::ZeroAmount);
}
