//! `announce_liquidation_ltv`. Actions along the ramp, second by second, are in `ramp`.

mod ramp;

use crate::scene::sibling;
use breakwater::{error::BreakwaterError, events::LiquidationLtvAnnounced};
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Bps, Config, Market,
    governance::ramp::{Ramp, RampAnnounced},
};
use breakwater_testkit::{Actor, MarketSpec, World, default_config, ix};

/// Three days.
const NOTICE: i64 = 259_200;
const DAY: i64 = 86_400;
/// Least seconds for a basis point: a day for a hundred.
const SECONDS_PER_BPS: i64 = 864;

/// A world with a market of these parameters, and the authority.
fn governed(config: Config) -> (World, MarketKeys, Actor) {
    let mut world = World::program_test();
    let market = world.market(&MarketSpec {
        config,
        ..MarketSpec::default()
    });
    let authority = world.authority().clone();
    (world, market, authority)
}

/// The market once a ramp from `from` was announced.
fn announced(before: Market, from: u32, to: u32, starts_at: i64, ends_at: i64) -> Market {
    let mut after = before;
    after.config.liquidation_ltv = Bps(from);
    after.ramp = Ramp {
        starts_at,
        ends_at,
        to: Bps(to),
        padding: [0; 4],
    };
    after
}

#[test]
fn the_authority_announces_a_ramp_and_nothing_else_changes() {
    // Down, up, to where it is, as far as the other parameters let it, and for all time.
    for (to, length) in [
        (7_900, DAY),
        (8_100, DAY),
        (8_000, 1),
        (7_500, 500 * SECONDS_PER_BPS),
        (9_499, 1_499 * SECONDS_PER_BPS),
        (7_999, 180 * DAY),
    ] {
        let (mut world, market, _) = governed(default_config());
        let before = world.market_state(&market);
        let starts_at = world.unix() + NOTICE;
        let ends_at = starts_at + length;

        let outcome = world.announce_liquidation_ltv(&market, to, starts_at, ends_at).unwrap();

        let ramp = RampAnnounced {
            from: Bps(8_000),
            to: Bps(to),
            starts_at,
            ends_at,
        };
        let event = LiquidationLtvAnnounced {
            market: market.market,
            ramp,
        };
        assert_eq!(outcome.event::<LiquidationLtvAnnounced>(), event);
        let expected = announced(before, 8_000, to, starts_at, ends_at);
        assert_eq!(world.market_state(&market), expected);
        assert_eq!(expected.liquidation_ltv(world.clock()), Bps(8_000));
    }
}

#[test]
fn it_takes_half_a_year_at_most() {
    let (mut world, market, authority) = governed(default_config());
    let starts_at = world.unix() + NOTICE;
    for length in [180 * DAY + 1, 100 * 365 * DAY, i64::MAX - starts_at] {
        let bent = ix::announce_liquidation_ltv(&market, &authority.key(), 7_900, starts_at, starts_at + length);
        world.assert_error_unchanged(&[bent], &[&authority], BreakwaterError::RampTooLong);
    }
    world
        .announce_liquidation_ltv(&market, 7_900, starts_at, starts_at + 180 * DAY)
        .unwrap();
}

#[test]
fn the_notice_is_three_days_to_the_second() {
    let (mut world, market, authority) = governed(default_config());
    let now = world.unix();
    for starts_at in [i64::MIN, 0, now - 1, now, now + NOTICE - 1] {
        // However slow it is: a day after the earliest start at the least.
        for ends_at in [now + NOTICE + DAY, i64::MAX] {
            let early = ix::announce_liquidation_ltv(&market, &authority.key(), 7_900, starts_at, ends_at);
            world.assert_error_unchanged(&[early], &[&authority], BreakwaterError::RampTooSoon);
        }
    }
    world
        .announce_liquidation_ltv(&market, 7_900, now + NOTICE, now + NOTICE + DAY)
        .unwrap();
}

#[test]
fn it_is_no_steeper_than_one_percent_a_day_up_or_down() {
    for (to, shortest) in [
        (8_000, 1),
        (7_999, SECONDS_PER_BPS),
        (8_001, SECONDS_PER_BPS),
        (7_900, DAY),
        (8_100, DAY),
        (7_500, 5 * DAY),
        (9_499, 1_499 * SECONDS_PER_BPS),
    ] {
        let (mut world, market, authority) = governed(default_config());
        let starts_at = world.unix() + NOTICE;
        for length in [shortest - 1, 0, -1, -shortest, i64::MIN / 2] {
            let steep = ix::announce_liquidation_ltv(&market, &authority.key(), to, starts_at, starts_at + length);
            world.assert_error_unchanged(&[steep], &[&authority], BreakwaterError::RampTooSteep);
        }
        world
            .announce_liquidation_ltv(&market, to, starts_at, starts_at + shortest)
            .unwrap();
    }
    // The last moment there is leaves no time for anything.
    let (mut world, market, authority) = governed(default_config());
    let never = ix::announce_liquidation_ltv(&market, &authority.key(), 7_999, i64::MAX, i64::MAX);
    world.assert_error_unchanged(&[never], &[&authority], BreakwaterError::RampTooSteep);
}

#[test]
fn the_new_ltv_must_fit_the_other_parameters() {
    let (mut world, market, authority) = governed(default_config());
    let starts_at = world.unix() + NOTICE;
    let ends_at = starts_at + 100 * DAY;
    for (to, error) in [
        (0, BreakwaterError::ParameterOutOfBounds),
        (10_001, BreakwaterError::ParameterOutOfBounds),
        (u32::MAX, BreakwaterError::ParameterOutOfBounds),
        // Below the target; at the take-over LTV and above it.
        (1, BreakwaterError::LtvOrder),
        (7_499, BreakwaterError::LtvOrder),
        (9_500, BreakwaterError::LtvOrder),
        (10_000, BreakwaterError::LtvOrder),
    ] {
        // That is looked at before times are.
        for (starts_at, ends_at) in [(starts_at, ends_at), (0, 0)] {
            let unfit = ix::announce_liquidation_ltv(&market, &authority.key(), to, starts_at, ends_at);
            world.assert_error_unchanged(&[unfit], &[&authority], error);
        }
    }
    for to in [7_500, 9_499] {
        world.announce_liquidation_ltv(&market, to, starts_at, ends_at).unwrap();
    }
}

#[test]
fn until_it_starts_another_may_take_its_place() {
    let (mut world, market, _) = governed(default_config());
    let begun = world.unix();
    let first = begun + NOTICE;
    world
        .announce_liquidation_ltv(&market, 7_900, first, first + DAY)
        .unwrap();
    // A second before it starts.
    world.set_clock(first - 1, world.slot() + 1);
    let before = world.market_state(&market);
    let (starts_at, ends_at) = (first - 1 + NOTICE, first - 1 + NOTICE + SECONDS_PER_BPS);
    let outcome = world
        .announce_liquidation_ltv(&market, 8_001, starts_at, ends_at)
        .unwrap();
    let ramp = outcome.event::<LiquidationLtvAnnounced>().ramp;
    assert_eq!((ramp.from, ramp.to), (Bps(8_000), Bps(8_001)));
    let after = world.market_state(&market);
    assert_eq!(after, announced(before, 8_000, 8_001, starts_at, ends_at));
    // Of the first nothing is left.
    for (unix, ltv) in [
        (first + DAY / 2, 8_000),
        (first + 2 * DAY, 8_000),
        (starts_at, 8_000),
        (starts_at + 1, 8_001),
    ] {
        let clock = breakwater_engine::Clock { unix, slot: 0 };
        assert_eq!(after.liquidation_ltv(clock), Bps(ltv), "{unix}");
    }
}

#[test]
fn while_it_runs_none_may_be_announced() {
    let (mut world, market, authority) = governed(default_config());
    let starts_at = world.unix() + NOTICE;
    let ends_at = starts_at + DAY;
    world
        .announce_liquidation_ltv(&market, 7_900, starts_at, ends_at)
        .unwrap();
    for now in [starts_at, starts_at + 1, ends_at - 1] {
        world.set_clock(now, world.slot() + 1);
        // Not even one that would be refused for other reasons.
        for to in [8_000, 7_900, 0] {
            let second = ix::announce_liquidation_ltv(&market, &authority.key(), to, now + NOTICE, now + 10 * DAY);
            world.assert_error_unchanged(&[second], &[&authority], BreakwaterError::RampRunning);
        }
    }
    // At its end it is done, and the next begins where it ended.
    world.set_clock(ends_at, world.slot() + 1);
    let before = world.market_state(&market);
    assert_eq!(before.liquidation_ltv(world.clock()), Bps(7_900));
    let (starts_at, ends_at) = (ends_at + NOTICE, ends_at + NOTICE + DAY);
    let outcome = world
        .announce_liquidation_ltv(&market, 8_000, starts_at, ends_at)
        .unwrap();
    assert_eq!(outcome.event::<LiquidationLtvAnnounced>().ramp.from, Bps(7_900));
    let after = world.market_state(&market);
    assert_eq!(after, announced(before, 7_900, 8_000, starts_at, ends_at));
    assert_eq!(after.liquidation_ltv(world.clock()), Bps(7_900));
    // And the notice counts from where it is, too: a percent more than a day's worth is too much.
    let steep = ix::announce_liquidation_ltv(&market, &authority.key(), 8_001, starts_at, ends_at);
    world.assert_error_unchanged(&[steep], &[&authority], BreakwaterError::RampTooSteep);
}

#[test]
fn nobody_else_may_not_even_the_guardian() {
    let (mut world, market, authority) = governed(default_config());
    let (mallory, grace) = (world.actor("mallory"), world.actor("grace"));
    world.set_emergency_admin(&grace.key()).unwrap();
    let starts_at = world.unix() + NOTICE;
    let announce =
        |signer: &Actor| ix::announce_liquidation_ltv(&market, &signer.key(), 7_900, starts_at, starts_at + DAY);
    for signer in [&mallory, &grace] {
        world.assert_error_unchanged(&[announce(signer)], &[signer], BreakwaterError::WrongAuthority);
    }
    world.send(&[announce(&authority)], &[&authority]).unwrap();
}

#[test]
fn it_concerns_one_market() {
    let (mut world, market, _) = governed(default_config());
    let sibling = sibling(&mut world);
    let before = world.market_state(&sibling);
    let starts_at = world.unix() + NOTICE;
    world
        .announce_liquidation_ltv(&market, 7_900, starts_at, starts_at + DAY)
        .unwrap();
    assert_eq!(world.market_state(&sibling), before);
    world
        .announce_liquidation_ltv(&sibling, 8_100, starts_at, starts_at + DAY)
        .unwrap();
    assert_eq!(world.market_state(&market).ramp.to, Bps(7_900));
}
