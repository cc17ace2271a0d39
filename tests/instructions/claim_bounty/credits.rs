//! Bounties for which there is no cash yet: they stay owed by the backstop, the pool lends nothing for them, and what
//! comes in pays them first.

use crate::{
    backing::{BOUNTY_AT_60, backed, cash, cents, credits, market_with, owed, quick, stands_at, take_over},
    scene::{SOL, Scene, USDC},
};
use breakwater::{error::BreakwaterError, events::BountyClaimed};
use breakwater_engine::{Quote, actions::BountyClaim};
use breakwater_testkit::{World, ix};

/// A backstop of nothing takes Alice over at $60: it owes the pool 6,500, and Kate her bounty.
fn unfunded() -> Scene {
    let (mut scene, _) = backed(World::program_test(), &market_with(quick()), 0, 0);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    assert_eq!(credits(&mut scene), (0, BOUNTY_AT_60));
    assert_eq!((owed(&mut scene), cash(&mut scene)), (6_500 * USDC, 0));
    scene
}

#[track_caller]
fn refused(scene: &mut Scene, expected: BreakwaterError) {
    let claim = ix::claim_bounty(&scene.market, &scene.kate.key());
    scene.world.assert_error_unchanged(&[claim], &[&scene.kate], expected);
}

#[track_caller]
fn claim(scene: &mut Scene) -> BountyClaim {
    let before = scene.world.balance(&scene.kate, &scene.market.quote_mint);
    let outcome = scene.world.claim_bounty(&scene.market, &scene.kate).unwrap();
    let claim = outcome.event::<BountyClaimed>().claim;
    let after = scene.world.balance(&scene.kate, &scene.market.quote_mint);
    assert_eq!(after - before, claim.amount.0);
    let ledger = scene.world.keeper_ledger(&scene.market, &scene.kate);
    assert_eq!(ledger.credit, claim.credit_after);
    claim
}

#[test]
fn without_cash_there_is_nothing_to_be_paid_with_and_the_pool_lends_none() {
    let mut scene = unfunded();
    refused(&mut scene, BreakwaterError::CreditsUnfunded);
    // The pool has cash enough.
    assert!(scene.world.market_state(&scene.market).books.pool.cash.0 > 900_000 * USDC);
    // What somebody sends to the vault funds nothing.
    let (market, lena) = (scene.market, scene.lena.clone());
    scene.world.supply(&market, &lena, 1_000 * USDC).unwrap();
    refused(&mut scene, BreakwaterError::CreditsUnfunded);
}

#[test]
fn as_much_is_paid_as_there_is_cash_for() {
    let mut scene = unfunded();
    let (market, lena) = (scene.market, scene.lena.clone());
    scene.world.fund_backstop(&market, &lena, 4 * USDC).unwrap();
    let first = claim(&mut scene);
    let expected = BountyClaim {
        amount: Quote(4 * USDC),
        credit_after: Quote(BOUNTY_AT_60 - 4 * USDC),
    };
    assert_eq!(first, expected);
    assert_eq!(credits(&mut scene), (0, BOUNTY_AT_60 - 4 * USDC));
    refused(&mut scene, BreakwaterError::CreditsUnfunded);
    // An atom is an atom.
    scene.world.fund_backstop(&market, &lena, 1).unwrap();
    assert_eq!(claim(&mut scene).amount, Quote(1));
    scene.world.fund_backstop(&market, &lena, 1_000 * USDC).unwrap();
    assert_eq!(claim(&mut scene).credit_after, Quote(0));
    refused(&mut scene, BreakwaterError::NothingToClaim);
    assert_eq!(scene.world.balance(&scene.kate, &market.quote_mint), BOUNTY_AT_60);
    assert_eq!(owed(&mut scene), 5_500 * USDC - 4 * USDC - 1 + BOUNTY_AT_60);
}

#[test]
fn a_sale_a_gift_and_a_guardians_deposit_fund_them_before_the_pool_is_paid() {
    let part = 5 * USDC;
    for source in ["gift", "guardian", "sale"] {
        let mut scene = unfunded();
        let (market, lena, mallory) = (scene.market, scene.lena.clone(), scene.mallory.clone());
        match source {
            "gift" => {
                scene.world.fund_backstop(&market, &lena, part).unwrap();
            }
            "guardian" => {
                let hugo = scene.world.guardian(&market, "hugo", part);
                scene.world.guardian_deposit(&market, &hugo, part).unwrap();
            }
            _ => {
                scene.world.buy_inventory_for(&market, &mallory, part).unwrap();
            }
        }
        assert_eq!(credits(&mut scene), (part, BOUNTY_AT_60 - part), "{source}");
        assert_eq!((owed(&mut scene), cash(&mut scene)), (6_500 * USDC, 0), "{source}");
        assert_eq!(claim(&mut scene).amount, Quote(part));
        // The rest of it, and then the pool.
        scene.world.buy_inventory(&market, &mallory, SOL, u64::MAX).unwrap();
        assert_eq!(credits(&mut scene), (BOUNTY_AT_60 - part, 0), "{source}");
        assert!(owed(&mut scene) < 6_500 * USDC - 40 * USDC, "{source}");
    }
}

#[test]
fn who_comes_first_is_paid_first_and_nobody_more_than_his_own() {
    // Two keepers, each with an account; together they are owed more than there is cash for.
    let mut scene = unfunded();
    let market = scene.market;
    stands_at(&mut scene, cents(10_000));
    let karl = scene.world.keeper(&market, "karl");
    let position = scene.world.open(&market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, 10 * SOL).unwrap();
    scene.world.borrow(&position, 650 * USDC).unwrap();
    stands_at(&mut scene, cents(60_00));
    scene.world.liquidate(&karl, &position).unwrap();
    // The tip, and 25 bps of 600, rounded down.
    let of_karl = 1_549_999;
    assert_eq!(credits(&mut scene), (0, BOUNTY_AT_60 + of_karl));
    let lena = scene.lena.clone();
    scene.world.fund_backstop(&market, &lena, of_karl + 7).unwrap();
    let paid = scene
        .world
        .claim_bounty(&market, &karl)
        .unwrap()
        .event::<BountyClaimed>();
    assert_eq!((paid.claim.amount.0, paid.claim.credit_after.0), (of_karl, 0));
    assert_eq!(claim(&mut scene).amount, Quote(7));
    refused(&mut scene, BreakwaterError::CreditsUnfunded);
    assert_eq!(credits(&mut scene), (0, BOUNTY_AT_60 - 7));
}
