//! The guardians' earnings for standing by: of each reserve part of interest the standby share, in proportion to their
//! part of the backstop at book. It accrues before every deposit and request.

use super::deposit;
use crate::{
    backing::{backed, market_with, position_of},
    scene::{Scene, USDC},
};
use breakwater_engine::{Bps, Config, Guardians};
use breakwater_testkit::{Actor, World, default_config};

const YEAR: u32 = 365 * 86_400;

/// A year with Gina's 30,000 beside 60,000 of the protocol's, in a market without liquidations.
fn a_year(config: Config) -> (Scene, Actor) {
    let (mut scene, gina) = backed(
        World::program_test(),
        &market_with(config),
        60_000 * USDC,
        30_000 * USDC,
    );
    scene.world.advance(YEAR);
    (scene, gina)
}

fn guardians(scene: &mut Scene) -> Guardians {
    scene.world.market_state(&scene.market).books.guardians
}

/// Earnings of a year, quote atoms: the reserve part of interest, and the guardians' part of that.
fn earned(scene: &mut Scene) -> (u64, u64) {
    let before = guardians(scene).claim.0;
    let books = scene
        .world
        .market_state(&scene.market)
        .books_at(scene.world.clock())
        .unwrap();
    assert_eq!(books.equity_sources.standby.0, books.guardians.claim.0 - before);
    (books.backstop.reserve.0, books.equity_sources.standby.0)
}

#[test]
fn it_is_half_of_the_reserve_part_as_far_as_the_backstop_is_theirs() {
    let (mut scene, _) = a_year(default_config());
    let (reserve, standby) = earned(&mut scene);
    assert!(reserve > 10 * USDC, "{reserve}");
    // A third of the backstop is theirs; the ratio is rounded down to 2^-23, all to an atom.
    let exact = reserve / 2 / 3;
    assert!((exact - 10..=exact).contains(&standby), "{standby}, not {exact}");
    // The larger share, and none.
    for (share, least, most) in [(10_000, 2 * exact - 20, 2 * exact + 1), (0, 0, 0)] {
        let config = Config {
            standby_share: Bps(share),
            ..default_config()
        };
        let (mut scene, _) = a_year(config);
        let (_, standby) = earned(&mut scene);
        assert!((least..=most).contains(&standby), "{share}: {standby}");
    }
}

#[test]
fn who_comes_later_has_no_part_of_it() {
    let (mut scene, _) = a_year(default_config());
    let (_, standby) = earned(&mut scene);
    let market = scene.market;
    let hugo = scene.world.guardian(&market, "hugo", 30_000 * USDC);
    let all = guardians(&mut scene).shares.0;

    let given = deposit(&mut scene, &hugo, 30_000 * USDC);

    let claim = 30_000 * USDC + standby;
    let shares = u128::from(30_000 * USDC) * u128::from(all + 1_000) / u128::from(claim + 1);
    assert_eq!(u128::from(given.shares.0), shares);
    assert_eq!(given.claim_after.0, claim + 30_000 * USDC);
    assert!(given.shares.0 < all);
}

#[test]
fn it_accrues_before_a_request() {
    let (mut scene, gina) = a_year(default_config());
    let (_, standby) = earned(&mut scene);
    let shares = position_of(&mut scene, &gina).shares.0;
    scene.world.guardian_request(&scene.market, &gina, shares).unwrap();
    let all = guardians(&mut scene).all_claims().unwrap().0;
    assert_eq!(all, 30_000 * USDC + standby);
    // Who has asked to leave earns nothing until it opens.
    let cooldown = scene.world.market_state(&scene.market).config.guardian_cooldown;
    scene.world.advance(cooldown);
    let pay = |scene: &mut Scene, amount| {
        let outcome = scene.world.guardian_withdraw(&scene.market, &gina, amount).unwrap();
        outcome.event::<breakwater::events::GuardianWithdrawn>().withdrawal
    };
    let first = pay(&mut scene, 10_000 * USDC);
    let asked = 30_000 * USDC + standby;
    let left = first.amount.0 + first.unpaid.0;
    assert!((asked - 2..=asked).contains(&left), "{left} of {asked}");
    // Nor what could have left, and did not.
    scene.world.advance(YEAR);
    let rest = pay(&mut scene, u64::MAX);
    assert_eq!((rest.amount, rest.unpaid.0), (first.unpaid, 0));
}

#[test]
fn without_guardians_nobody_earns_it() {
    let (mut scene, gina) = backed(World::program_test(), &market_with(default_config()), 60_000 * USDC, 0);
    scene.world.fund(&gina, &scene.market.quote_mint, USDC);
    scene.world.advance(YEAR);
    let (reserve, standby) = earned(&mut scene);
    assert!(reserve > 10 * USDC && standby == 0, "{reserve} {standby}");
    // Nor does who comes then earn what was before.
    let given = deposit(&mut scene, &gina, USDC);
    assert_eq!((given.shares.0, given.claim_after.0), (1_000 * USDC, USDC));
}
