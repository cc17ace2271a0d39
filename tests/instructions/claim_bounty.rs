//! `claim_bounty`.

mod credits;

use crate::{
    attack::replace_account,
    scene::{SOL, Scene, USDC, both_token_programs, purse, vaults},
};
use breakwater::{error::BreakwaterError, events::BountyClaimed};
use breakwater_engine::{Quote, actions::BountyClaim};
use breakwater_testkit::{MarketSpec, World, ix};

/// A scene in which Kate has liquidated Alice, and the bounty for it.
fn earned(spec: &MarketSpec) -> (Scene, u64) {
    let mut scene = Scene::on(World::program_test(), spec);
    scene.price(80);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    let credit = scene.world.keeper_ledger(&scene.market, &scene.kate).credit.0;
    assert!(credit > USDC, "{credit}");
    (scene, credit)
}

#[test]
fn all_that_is_owed_is_paid_out_at_once() {
    for spec in both_token_programs() {
        let (
            Scene {
                mut world,
                market,
                kate,
                ..
            },
            credit,
        ) = earned(&spec);
        let mut books = world.market_state(&market);
        let mut ledger = world.keeper_ledger(&market, &kate);
        let (collateral_vault, quote_vault) = vaults(&mut world, &market);
        assert_eq!(world.balance(&kate, &market.quote_mint), 0);

        let outcome = world.claim_bounty(&market, &kate).unwrap();

        let claim = BountyClaim {
            amount: Quote(credit),
            credit_after: Quote(0),
        };
        let event = BountyClaimed {
            market: market.market,
            keeper: kate.key(),
            claim,
        };
        assert_eq!(outcome.event::<BountyClaimed>(), event);
        books.books.backstop.funded_credits = Quote(0);
        ledger.credit = Quote(0);
        assert_eq!(world.market_state(&market), books);
        assert_eq!(world.keeper_ledger(&market, &kate), ledger);
        assert_eq!(world.balance(&kate, &market.quote_mint), credit);
        assert_eq!(vaults(&mut world, &market), (collateral_vault, quote_vault - credit));
    }
}

#[test]
fn nothing_is_paid_twice() {
    let (
        Scene {
            mut world,
            market,
            kate,
            ..
        },
        credit,
    ) = earned(&MarketSpec::default());
    let claim = ix::claim_bounty(&market, &kate.key());
    // Nor in the same transaction.
    let both = [claim.clone(), claim.clone()];
    world.assert_error_unchanged(&both, &[&kate], BreakwaterError::NothingToClaim);
    world.claim_bounty(&market, &kate).unwrap();
    world.assert_error_unchanged(&[claim], &[&kate], BreakwaterError::NothingToClaim);
    assert_eq!(world.balance(&kate, &market.quote_mint), credit);
}

#[test]
fn a_fresh_ledger_has_nothing_to_claim() {
    let Scene {
        mut world,
        market,
        kate,
        ..
    } = Scene::new();
    let claim = ix::claim_bounty(&market, &kate.key());
    world.assert_error_unchanged(&[claim], &[&kate], BreakwaterError::NothingToClaim);
}

#[test]
fn each_keeper_is_paid_its_own() {
    let (
        Scene {
            mut world,
            market,
            kate,
            mallory,
            ..
        },
        of_kate,
    ) = earned(&MarketSpec::default());
    // Mallory liquidates herself, a second account.
    world.open_keeper_ledger(&market, &mallory).unwrap();
    let position = world.open(&market, &mallory, 0).unwrap();
    world.deposit(&position, 10 * SOL).unwrap();
    world.borrow(&position, 500 * USDC).unwrap();
    world.advance(60);
    let feed = market.collateral_feed;
    world.set_price(&feed, 60_0000_0000, 6_000_000);
    world.liquidate(&mallory, &position).unwrap();
    let of_mallory = world.keeper_ledger(&market, &mallory).credit.0;
    assert_eq!(
        world.market_state(&market).books.backstop.funded_credits,
        Quote(of_kate + of_mallory)
    );

    let (_, before, _) = purse(&mut world, &market, &mallory);
    world.claim_bounty(&market, &mallory).unwrap();
    assert_eq!(purse(&mut world, &market, &mallory).1, before + of_mallory);
    assert_eq!(world.keeper_ledger(&market, &kate).credit, Quote(of_kate));
    world.claim_bounty(&market, &kate).unwrap();
    assert_eq!(world.market_state(&market).books.backstop.funded_credits, Quote(0));
}

#[test]
fn bounties_add_up_until_they_are_claimed() {
    let (mut scene, first) = earned(&MarketSpec::default());
    scene.price(72);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    let both = scene.world.keeper_ledger(&scene.market, &scene.kate).credit.0;
    assert!(both > first, "{first} {both}");
    let event = scene
        .world
        .claim_bounty(&scene.market, &scene.kate)
        .unwrap()
        .event::<BountyClaimed>();
    assert_eq!(event.claim.amount, Quote(both));
}

#[test]
fn a_bounty_is_safe_from_a_run_on_the_pool() {
    let (mut scene, credit) = earned(&MarketSpec::default());
    scene.drain_pool();
    scene.world.claim_bounty(&scene.market, &scene.kate).unwrap();
    assert_eq!(scene.world.balance(&scene.kate, &scene.market.quote_mint), credit);
}

#[test]
fn the_keeper_may_have_it_paid_to_anybody() {
    let (
        Scene {
            mut world,
            market,
            kate,
            mallory,
            ..
        },
        credit,
    ) = earned(&MarketSpec::default());
    let (_, before, _) = purse(&mut world, &market, &mallory);
    let claim = ix::claim_bounty(&market, &kate.key());
    let gift = replace_account(&claim, &market.quote_of(&kate.key()), &market.quote_of(&mallory.key()));
    let event = world.send(&[gift], &[&kate]).unwrap().event::<BountyClaimed>();
    assert_eq!((event.keeper, event.claim.amount), (kate.key(), Quote(credit)));
    assert_eq!(purse(&mut world, &market, &mallory).1, before + credit);
}

#[test]
fn claiming_needs_no_price() {
    let (
        Scene {
            mut world,
            market,
            kate,
            ..
        },
        _,
    ) = earned(&MarketSpec::default());
    world.advance_silently(30 * 86_400);
    world.give_lamports(&market.collateral_feed, 0);
    world.give_lamports(&market.quote_feed, 0);
    world.claim_bounty(&market, &kate).unwrap();
}
