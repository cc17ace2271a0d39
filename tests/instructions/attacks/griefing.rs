//! Keeping others from being liquidated, and leaving the backstop with what is not worth anybody's while.

use super::figures::passed;
use crate::{
    backing::{cents, interest_free, market_with, stands_at},
    risk::edit_market,
    scene::{SOL, Scene, USDC},
};
use breakwater_engine::{Config, DebtShares, Quote, actions::Liquidation};
use breakwater_testkit::{Outcome, Position, World, default_config, pyth::usd};

/// A flow of 1,000 quote tokens a minute while Guarded.
const FLOW: u64 = 1_000 * USDC;

/// The flat part of a bounty.
const TIP: u64 = 50_000;

/// A minute later, at this price, and Guarded: Pyth gives no average.
fn guarded_at(scene: &mut Scene, price: i64) {
    scene.world.advance(60);
    let feed = scene.market.collateral_feed;
    scene.world.set_price(&feed, price, 0);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
}

/// Mallory's account number `id` of 100 SOL and so many quote tokens.
#[track_caller]
fn hers(scene: &mut Scene, id: u16, debt: u64) -> Position {
    let position = scene.world.open(&scene.market, &scene.mallory, id).unwrap();
    scene.world.deposit(&position, 100 * SOL).unwrap();
    scene.world.borrow(&position, debt).unwrap();
    position
}

#[test]
fn who_uses_up_the_flow_of_guarded_liquidations_pays_penalties_for_it_and_keeps_no_takeover_out() {
    let config = Config {
        guarded_flow: Quote(FLOW),
        guarded_window: 60,
        guarded_refill: 60,
        ..interest_free(default_config())
    };
    let mut scene = Scene::on(World::lite(), &market_with(config));
    let (kate, mallory) = (scene.kate.clone(), scene.mallory.clone());
    scene.world.open_keeper_ledger(&scene.market, &mallory).unwrap();
    let positions: Vec<Position> = (0..4).map(|id| hers(&mut scene, id, 6_500 * USDC)).collect();
    scene.world.next_slot();
    let (mut paid, mut kept_out) = (0, 0);
    for _ in 0..5 {
        guarded_at(&mut scene, usd(76));
        for position in &positions {
            let Ok(outcome) = scene.world.liquidate(&mallory, position) else {
                continue;
            };
            let Liquidation {
                repaid,
                penalty,
                bounty,
                ..
            } = outcome.liquidation();
            let penalty = repaid.0 * u64::from(penalty.0) / 10_000;
            assert!(bounty.0 <= penalty / 2);
            paid += penalty - bounty.0;
        }
        if let Err(failure) = scene.world.liquidate(&kate, &scene.position) {
            assert!(
                ["GuardedFlowUsed", "AccountCooldown"].contains(&failure.name.as_str()),
                "{failure:?}"
            );
            kept_out += 1;
        }
    }
    // It works: others wait, at a hundredth or more of the flow each minute.
    assert!(kept_out > 0, "she keeps nobody out");
    assert!(paid >= kept_out * FLOW * u64::from(config.penalty.0) / 20_000, "{paid}");
    // But what hurts the backstop does not wait.
    guarded_at(&mut scene, usd(50));
    for position in &positions {
        let _ = scene.world.liquidate(&mallory, position);
    }
    let taken = scene.world.liquidate(&kate, &scene.position).unwrap().liquidation();
    assert!(taken.whole && taken.taken_over);
}

/// While Guarded she takes the least there is of a whale every twenty seconds, 10 USDC of 6,500: as much as her own
/// accounts leave of the flow. A crumb uses up a crumb of the whale's pace, and a keeper gets all the rest: a quarter
/// of the debt at once, and then a quarter of what is left of it in five minutes.
#[test]
fn crumbs_of_a_whale_use_up_crumbs_of_its_pace() {
    let config = Config {
        guarded_flow: Quote(100_000 * USDC),
        guarded_window: 60,
        ..interest_free(default_config())
    };
    let mut scene = Scene::on(World::lite(), &market_with(config));
    let (market, kate, mallory, whale) = (
        scene.market,
        scene.kate.clone(),
        scene.mallory.clone(),
        scene.position.clone(),
    );
    scene.world.open_keeper_ledger(&market, &mallory).unwrap();
    let feed = market.collateral_feed;
    let repaid = |outcome: Outcome| outcome.liquidation().repaid.0;
    // The flow as she leaves it, and refilled.
    let flow = |scene: &mut Scene, left: u64| {
        let now = scene.world.unix() * 1_000_000;
        edit_market(&mut scene.world, &market, |market| {
            market.guard.flow_used_until =
                now + 60_000_000 - i64::try_from(left * 60_000_000 / (100_000 * USDC)).unwrap();
        });
    };
    let (mut hers, mut kates, mut refused) = (0, Vec::new(), 0);
    for _ in 0..6 {
        scene.world.advance(20);
        scene.world.set_price(&feed, usd(100) * 65 / 85, 0);
        scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
        flow(&mut scene, 10 * USDC);
        hers += scene.world.liquidate(&mallory, &whale).map_or(0, repaid);
        flow(&mut scene, 100_000 * USDC);
        match scene.world.liquidate(&kate, &whale) {
            Ok(outcome) => kates.push(repaid(outcome)),
            Err(_) => refused += 1,
        }
    }
    // Six times; then it has come to its target.
    assert_eq!((hers, refused), (6 * 10 * USDC, 0));
    // At once a quarter of 6,500 less the crumb; then at least 200 USDC a minute.
    assert!((1_612 * USDC..1_613 * USDC).contains(&kates[0]), "{kates:?}");
    let minute: u64 = kates[1..4].iter().sum();
    assert!(minute >= 200 * USDC, "{kates:?}");
    assert!(kates.iter().sum::<u64>() >= 1_900 * USDC, "{kates:?}");
    passed("liquidate, crumbs of a whale", 3, 20 * refused, 0);
}

#[test]
fn owners_cannot_spoil_a_batch() {
    // Everything that an owner can do in the transaction before: each account is skipped, and Alice's is taken.
    let mut scene = Scene::on(World::lite(), &market_with(interest_free(default_config())));
    let (market, kate, mallory) = (scene.market, scene.kate.clone(), scene.mallory.clone());
    let positions: Vec<Position> = (0..6).map(|id| hers(&mut scene, id, 6_500 * USDC)).collect();
    scene.world.next_slot();
    stands_at(&mut scene, cents(80_00));
    let [repaid, emptied, closed, revived, topped, reopened] = &positions[..] else {
        panic!("six accounts")
    };
    let world = &mut scene.world;
    for position in [repaid, emptied, closed, revived, reopened] {
        world.repay(position, u64::MAX).unwrap();
    }
    for position in [emptied, closed, revived, reopened] {
        world.withdraw_collateral(position, 100 * SOL).unwrap();
    }
    for position in [closed, revived, reopened] {
        world.close(position).unwrap();
    }
    // A closed address that only holds lamports again.
    world.give_lamports(&revived.address, SOL);
    world.open(&market, &mallory, reopened.id).unwrap();
    world.deposit(topped, 50 * SOL).unwrap();
    let mut batch: Vec<&Position> = positions.iter().collect();
    batch.push(&scene.position);
    let outcome = world.liquidate_batch(&market, &kate, &batch).unwrap();
    let accounts: Vec<_> = outcome.liquidated().iter().map(|done| done.margin_account).collect();
    assert_eq!(accounts, [scene.position.address]);
}

#[test]
fn crumbs_of_debt_cost_the_backstop_what_they_are_and_a_tip_each() {
    // Fifty accounts on which a repayment left a crumb, and whose collateral is then worth nothing.
    let mut scene = Scene::on(World::lite(), &market_with(interest_free(default_config())));
    scene.world.check_identities(false);
    let (market, mallory) = (scene.market, scene.mallory.clone());
    scene.world.open_keeper_ledger(&market, &mallory).unwrap();
    let smallest = scene.world.market_state(&market).config.min_debt.0;
    let before = scene.world.balance(&mallory, &market.quote_mint);
    let crumbs = [1, 2, smallest / 2, smallest - 1];
    let positions: Vec<(Position, u64)> = (0..48)
        .zip(crumbs.into_iter().cycle())
        .map(|(id, crumb)| {
            let position = scene.world.open(&market, &mallory, id).unwrap();
            scene.world.deposit(&position, SOL / 6).unwrap();
            scene.world.borrow(&position, smallest).unwrap();
            scene.world.repay(&position, smallest - crumb).unwrap();
            (position, crumb)
        })
        .collect();
    scene.world.next_slot();
    stands_at(&mut scene, 1_000);
    let mut lost = 0;
    for (position, crumb) in &positions {
        let done = scene.world.liquidate(&mallory, position).unwrap().liquidation();
        assert!(
            done.whole && done.bounty.0 == TIP && done.deficit.0 <= *crumb,
            "{done:?}"
        );
        assert_eq!(scene.world.margin_account(position).debt_shares, DebtShares::ZERO);
        lost += done.deficit.0;
    }
    // What she kept is what was lost; and the collateral, which she paid with, was worth more when she did.
    let kept = scene.world.balance(&mallory, &market.quote_mint) - before;
    assert!(
        lost <= kept && kept <= positions.iter().map(|(_, crumb)| crumb).sum(),
        "{lost} {kept}"
    );
    // The tips are less than what she gave up to become worthless: a sixth of a SOL for each.
    scene.world.claim_bounty(&market, &mallory).unwrap();
    let tips = scene.world.balance(&mallory, &market.quote_mint) - before - kept;
    assert_eq!(tips, TIP * 48);
    assert!(tips * 100 < 48 * 100 * USDC / 6);
}
