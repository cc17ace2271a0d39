//! What the liquidator gets for it: nothing at first, and more each minute, up to the account's penalty.

use super::{WANTED, liquidated, refused, roomless, scene};
use crate::{
    backing::{cents, deficit, interest_free, market_with, quick, stands_at},
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote, backstop::Shortage};
use breakwater_testkit::{World, default_config};

/// Kate tries Alice in a batch, which notes that there is no room.
#[track_caller]
fn note(scene: &mut Scene) {
    scene
        .world
        .liquidate_batch(&scene.market, &scene.kate, &[&scene.position])
        .unwrap();
}

fn shortage(scene: &mut Scene) -> Shortage {
    scene.world.market_state(&scene.market).shortage
}

/// Lets time pass while somebody notes every ten minutes that there is still no room.
fn wait(scene: &mut Scene, seconds: u32) {
    for _ in 0..seconds / 600 {
        scene.world.advance(600);
        note(scene);
    }
    scene.world.advance(seconds % 600);
}

#[test]
fn it_grows_from_nothing_to_the_penalty() {
    // Ten basis points a minute; 6,500 on 8,000 would lose 2.41% to the backstop.
    for (seconds, bps) in [
        (0, 0),
        (5, 0),
        (6, 1),
        (59, 9),
        (60, 10),
        (600, 100),
        (1_200, 200),
        (1_445, 240),
        (1_446, 241),
        (1_500, 241),
        (86_400, 241),
    ] {
        let mut scene = roomless(World::lite(), &market_with(default_config()));
        note(&mut scene);
        wait(&mut scene, seconds);
        let liquidation = liquidated(&mut scene, seconds.into(), u64::MAX);
        assert_eq!(liquidation.penalty, Bps(bps), "{seconds}");
    }
}

#[test]
fn the_slope_is_the_markets() {
    let config = Config {
        external_slope: Bps(60),
        ..interest_free(default_config())
    };
    let mut scene = roomless(World::program_test(), &market_with(config));
    note(&mut scene);
    scene.world.advance(120);
    assert_eq!(liquidated(&mut scene, 120, u64::MAX).penalty, Bps(120));
}

#[test]
fn the_cap_is_what_the_backstop_would_take_from_this_account() {
    for price in [81_20, 80_00, 76_50, 72_00, 70_70] {
        let mut scene = roomless(World::lite(), &market_with(default_config()));
        stands_at(&mut scene, cents(price));
        let config = scene.world.market_state(&scene.market).config;
        let most = scene.judged().expected(&config).penalty;
        note(&mut scene);
        wait(&mut scene, 86_400);
        assert_eq!(liquidated(&mut scene, 86_400, u64::MAX).penalty, Bps(most));
    }
}

#[test]
fn the_first_liquidation_begins_the_clock_as_well() {
    let mut scene = scene();
    assert_eq!(shortage(&mut scene), Shortage { since: 0, seen_at: 0 });
    liquidated(&mut scene, 0, 100 * USDC);
    scene.world.advance(300);
    assert_eq!(liquidated(&mut scene, 300, 100 * USDC).penalty, Bps(50));
    scene.world.advance(300);
    assert_eq!(liquidated(&mut scene, 600, u64::MAX).penalty, Bps(100));
}

#[test]
fn a_refused_liquidation_begins_nothing() {
    let mut scene = scene();
    refused(&mut scene, (u64::MAX, u64::MAX), BreakwaterError::SlippageExceeded);
    scene.world.advance(60);
    liquidated(&mut scene, 0, u64::MAX);
}

#[test]
fn a_note_that_nobody_renews_is_forgotten() {
    for (seconds, waited) in [(600, 600), (601, 0)] {
        let mut scene = scene();
        note(&mut scene);
        scene.world.advance(seconds);
        assert_eq!(liquidated(&mut scene, waited, u64::MAX).waited, waited);
    }
    // Renewing it counts from the renewal, and the time from the beginning.
    let mut scene = scene();
    note(&mut scene);
    scene.world.advance(600);
    note(&mut scene);
    scene.world.advance(600);
    assert_eq!(liquidated(&mut scene, 1_200, u64::MAX).waited, 1_200);
}

#[test]
fn a_batch_notes_only_what_it_had_no_room_for() {
    let mut scene = scene();
    let market = scene.market;
    stands_at(&mut scene, cents(10_000));
    note(&mut scene);
    assert_eq!(shortage(&mut scene), Shortage { since: 0, seen_at: 0 });
    stands_at(&mut scene, cents(80_00));
    scene.world.liquidate_batch(&market, &scene.kate, &[]).unwrap();
    assert_eq!(shortage(&mut scene), Shortage { since: 0, seen_at: 0 });
    note(&mut scene);
    let now = scene.world.unix();
    assert_eq!(
        shortage(&mut scene),
        Shortage {
            since: now,
            seen_at: now
        }
    );
}

#[test]
fn room_ends_it() {
    let mut scene = scene();
    note(&mut scene);
    scene.world.advance(600);
    // Capital for some of it: the backstop takes that, and the clock begins anew.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 20 * USDC)
        .unwrap();
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::BackstopHasRoom);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    assert_eq!(shortage(&mut scene), Shortage { since: 0, seen_at: 0 });
    assert_eq!(liquidated(&mut scene, 0, u64::MAX).penalty, Bps(0));
}

#[test]
fn taking_over_an_insolvent_account_is_no_room() {
    let mut scene = scene();
    let market = scene.market;
    // Lena's 695 on 10 SOL, which at $75 is at 93%.
    stands_at(&mut scene, cents(10_000));
    let sunk = scene.world.open(&market, &scene.lena, 0);
    let sunk = sunk.unwrap();
    scene.world.fund(&scene.lena, &market.collateral_mint, 10 * SOL);
    scene.world.deposit(&sunk, 10 * SOL).unwrap();
    scene.world.borrow(&sunk, 695 * USDC).unwrap();
    stands_at(&mut scene, cents(75_00));
    note(&mut scene);
    let since = scene.world.unix();
    scene.world.advance(600);
    note(&mut scene);
    // It is taken over always, room or not, and leaves no more room than there was.
    scene.world.liquidate(&scene.kate, &sunk).unwrap();
    assert_eq!(
        shortage(&mut scene),
        Shortage {
            since,
            seen_at: since + 600
        }
    );
    scene.world.advance(60);
    assert_eq!(liquidated(&mut scene, 660, 100 * USDC).penalty, Bps(110));
}

#[test]
fn a_deficit_closes_the_room_for_good_until_it_is_settled() {
    let (mut scene, _) = deficit(World::program_test(), &market_with(quick()), 0, 0);
    let market = scene.market;
    stands_at(&mut scene, cents(10_000));
    scene.position = scene.world.open(&market, &scene.alice, 1).unwrap();
    scene.world.deposit(&scene.position, 100 * SOL).unwrap();
    scene.world.borrow(&scene.position, 6_500 * USDC).unwrap();
    stands_at(&mut scene, cents(80_00));
    // A capital less than what is owed opens nothing.
    scene.world.fund_backstop(&market, &scene.lena, 400 * USDC).unwrap();
    let before = scene.world.snapshot();
    assert_eq!(liquidated(&mut scene, 0, u64::MAX).repaid, Quote(WANTED));
    // After a settlement the same capital is equity.
    scene.world.restore(&before);
    scene.world.settle_deficit(&market).unwrap();
    scene.world.fund_backstop(&market, &scene.lena, 400 * USDC).unwrap();
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::BackstopHasRoom);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
}
