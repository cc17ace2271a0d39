//! Prices that are hardly known.

use super::spec;
use crate::scene::{Scene, USDC};
use breakwater::{
    error::BreakwaterError,
    events::{LevelChanged, PriceObserved},
};
use breakwater_engine::{
    Config, Level,
    price::guard::{Flags, LevelChange},
};
use breakwater_testkit::{FeedSpec, MarketSpec, MintSpec, Position, World, ix, pyth::usd};

/// One bitcoin of 8 decimals, atoms.
const BTC: u64 = 100_000_000;

/// Price and confidence that Pyth published for BTC/USD on 20 September 2021, and the value of a bitcoin.
const PRINT: (i64, u64) = (usd(5_402), usd(21_623).unsigned_abs());
const WORTH: i64 = usd(43_000);

/// A BTC market at $43,000 with an account of one BTC and $29,000 of debt: an LTV of 67%.
fn september_2021() -> Scene {
    let spec = MarketSpec {
        collateral: MintSpec::classic("BTC", 8),
        collateral_feed: FeedSpec::pull("BTC/USD", WORTH),
        ..spec(Config::EXAMPLE)
    };
    let mut scene = Scene::on(World::lite(), &spec);
    scene.world.advance(60);
    let position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, BTC).unwrap();
    scene.world.borrow(&position, 29_000 * USDC).unwrap();
    scene.world.next_slot();
    scene.position = position;
    scene
}

/// Publishes the print of September 2021.
fn misprint(scene: &mut Scene) {
    scene.world.advance(1);
    let feed = scene.market.collateral_feed;
    scene.world.set_price(&feed, PRINT.0, PRINT.1);
}

fn good(scene: &mut Scene, seconds: u32) -> Option<LevelChange> {
    scene.tick(seconds, WORTH);
    let outcome = scene.world.observe_price(&scene.market).unwrap();
    let changes = outcome.events::<LevelChanged>();
    assert!(changes.len() <= 1);
    changes.first().map(|event| {
        assert_eq!(event.market, scene.market.market);
        event.change
    })
}

#[test]
fn the_print_of_september_2021_liquidates_nobody_and_halts() {
    let mut scene = september_2021();
    let before = scene.world.market_state(&scene.market);
    misprint(&mut scene);
    // Whether anybody has told the market or not.
    scene.liquidation_fails(BreakwaterError::ConfidenceTooWide);
    let outcome = scene.world.observe_price(&scene.market).unwrap();
    let flags = Flags::CONFIDENCE_HALT
        .with(Flags::VELOCITY)
        .with(Flags::OWN_EMA)
        .with(Flags::EMA);
    let observation = outcome.event::<PriceObserved>().observation;
    assert_eq!((observation.level, Flags(observation.flags)), (2, flags));
    let change = LevelChange {
        from: 0,
        to: 2,
        flags: flags.0,
        spot: observation.spot,
        guarded: observation.guarded,
        own_ema: observation.own_ema,
    };
    let event = LevelChanged {
        market: scene.market.market,
        change,
    };
    assert_eq!(outcome.event::<LevelChanged>(), event);
    // It has taught the market nothing.
    let after = scene.world.market_state(&scene.market).guard;
    assert_eq!(
        (after.reference, after.own_ema, after.moved_at),
        (before.guard.reference, before.guard.own_ema, before.guard.moved_at)
    );
    scene.liquidation_fails(BreakwaterError::ConfidenceTooWide);
    let Scene {
        world,
        market,
        kate,
        position,
        mallory,
        ..
    } = &mut scene;
    let accounts = [position.address];
    for (attempt, signer) in [
        (ix::liquidate_batch(market, &kate.key(), &accounts), &*kate),
        (ix::borrow(market, &position.address, &mallory.key(), 1), &*mallory),
        (
            ix::withdraw_collateral(market, &position.address, &mallory.key(), 1),
            mallory,
        ),
    ] {
        world.assert_error_unchanged(&[attempt], &[signer], BreakwaterError::ConfidenceTooWide);
    }
}

#[test]
fn it_leaves_by_itself_when_quality_returns() {
    let mut scene = september_2021();
    misprint(&mut scene);
    scene.observed();
    let halted_at = scene.world.unix();
    let mut changes = Vec::new();
    for _ in 0..60 {
        let change = good(&mut scene, 1);
        let since = scene.world.unix() - halted_at;
        if let Some(LevelChange { from, to, flags, .. }) = change {
            changes.push((since, from, to, Flags(flags)));
        }
        match scene.level() {
            Level::Halted => scene.liquidation_fails(BreakwaterError::ConfidenceTooWide),
            Level::Guarded | Level::Normal => scene.liquidation_fails(BreakwaterError::AccountHealthy),
        }
    }
    // With the first reading that is narrow again.
    assert_eq!(changes, [(1, 2, 0, Flags::NONE)]);
    // And everything is as before.
    let Scene { world, position, .. } = &mut scene;
    world.borrow(position, USDC).unwrap();
}

#[test]
fn a_wide_update_a_minute_halts_nobody_who_shows_a_narrow_one() {
    let mut scene = september_2021();
    let soft = WORTH.unsigned_abs() * u64::from(Config::EXAMPLE.confidence_guard.0) / 10_000 + 1;
    let mut stopped = 0;
    for second in 0..600 {
        let feed = scene.market.collateral_feed;
        if second % 60 == 0 {
            misprint(&mut scene);
            scene.observed();
        } else if second % 60 == 30 {
            // One that only the soft limit minds.
            scene.tick(1, WORTH);
            scene.world.set_price(&feed, WORTH, soft);
            let observation = scene.observed();
            assert_eq!(
                (observation.level, Flags(observation.flags)),
                (1, Flags::CONFIDENCE_GUARD)
            );
        } else {
            good(&mut scene, 1);
        }
        stopped += usize::from(scene.level() != Level::Normal);
    }
    // Only at those readings themselves.
    assert_eq!(stopped, 20);
}

#[test]
fn an_hour_of_such_prints_leaves_the_market_where_it_was() {
    let mut scene = september_2021();
    for _ in 0..60 {
        scene.world.advance(60);
        let feed = scene.market.collateral_feed;
        scene.world.set_price(&feed, PRINT.0, PRINT.1);
        assert_eq!(scene.observed().level, 2);
        scene.liquidation_fails(BreakwaterError::ConfidenceTooWide);
    }
    good(&mut scene, 1);
    let guard = scene.world.market_state(&scene.market).guard;
    let spot = scene.observed().spot;
    assert_eq!(guard.reference, spot);
    let Position { address, owner, .. } = scene.position.clone();
    let repay = ix::repay(&scene.market, &address, &owner.key(), USDC);
    scene.world.send(&[repay], &[&owner]).unwrap();
}
