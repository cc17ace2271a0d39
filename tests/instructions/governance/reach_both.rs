//! Protection left when nobody watches, when the emergency admin is the thief, and when both keys are stolen.

use super::{cast::present_feeds, heist::Heist, pause::LIMIT};
use crate::{
    backing::{cents, interest_free, market_with, stands_at, take_over},
    scene::{SOL, Scene, USDC},
};
use breakwater::{
    accounts,
    error::BreakwaterError,
    events::{InventorySold, PriceObserved},
};
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{
    Config, Parameter,
    governance::{EMERGENCY_ADMIN, FEEDS, PARAMETERS, pause::Kinds},
};
use breakwater_testkit::{FeedSpec, World, default_config, ix, pyth::usd};

const DAY: u32 = 86_400;

fn heist() -> Heist {
    Heist::new(World::program_test())
}

#[test]
fn equity_that_nobody_saved_is_the_protocols_alone() {
    let mut heist = heist();
    let (thief, market) = (heist.authority.clone(), heist.market);
    let exits = heist.exits();
    // All the cash of the backstop is more than the protocol's equity above its floor.
    let cash = heist.world.market_state(&market).books.backstop.cash.0;
    let withdraw_equity = [ix::withdraw_equity(&market, &thief.key())];
    heist.world.queue_equity_withdrawal(&market, cash).unwrap();
    let delay = heist.world.market_state(&market).config.equity_withdrawal_delay;
    heist.world.advance(delay - 1);
    heist.refused("early", &withdraw_equity, &[&thief], BreakwaterError::TimelockActive);
    heist.world.advance(1);
    heist.refused(
        "all of it",
        &withdraw_equity,
        &[&thief],
        BreakwaterError::EquityBelowClaim,
    );
    // What is above it goes to the thief. It was neither the pool's, nor an account's, nor the keeper's; Gina's claim
    // comes before it.
    let equity = cash - 10_000 * USDC - 2_000 * USDC;
    heist.world.queue_equity_withdrawal(&market, equity).unwrap();
    heist.world.advance(delay);
    let before = heist.loot();
    heist.world.send(&withdraw_equity, &[&thief]).unwrap();
    assert_eq!(heist.loot(), (before.0, before.1 + equity, before.2));
    assert_eq!(heist.exits(), exits);
}

#[test]
fn a_stolen_emergency_admin_cancels_everything_but_its_own_replacement() {
    let mut heist = heist();
    let (authority, thief, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    let greta = heist.world.actor("greta");
    heist.world.queue_emergency_admin(&greta.key()).unwrap();
    let raise = vec![heist.world.change(&market, Parameter::initial_ltv, 7_400)];
    let feeds = heist.hostile_feeds();
    // It keeps every other change from happening, by cancelling or by tightening, as long as it is in office.
    heist.world.queue_parameters(&market, 0, &raise).unwrap();
    heist.world.queue_feeds(&market, feeds).unwrap();
    heist.world.cancel_change(&thief, &market.market, FEEDS, 0).unwrap();
    heist.world.advance(3 * DAY - 1);
    let own = ix::cancel_change(
        &thief.key(),
        &authority.key(),
        &addresses::queued_change(&addresses::protocol(), EMERGENCY_ADMIN, 0),
    );
    heist.refused(
        "its replacement",
        &[own],
        &[&thief],
        BreakwaterError::WrongEmergencyAdmin,
    );
    let lower = [heist.world.change(&market, Parameter::initial_ltv, 6_000)];
    heist.world.tighten(&market, &thief, &lower).unwrap();
    heist.world.advance(1);
    let execute = [ix::execute_parameters(&market, &authority.key(), 0, raise)];
    heist.refused(
        "what was made stale",
        &execute,
        &[&authority],
        BreakwaterError::StaleChange,
    );
    heist.world.execute_emergency_admin(&greta.key()).unwrap();
    // Out of office it can do nothing any more, and the change is made three days later.
    let key = thief.key();
    let entry = addresses::queued_change(&market.market, PARAMETERS, 0);
    for attempt in [
        ix::cancel_change(&key, &authority.key(), &entry),
        ix::pause(&market, &key, Kinds::ALL.0, 1),
        ix::emergency_halt(&market, &key, 1),
        ix::tighten(&market, &key, lower.to_vec()),
        ix::cancel_ramp(&market, &key),
        ix::cancel_equity_withdrawal(&market, &key),
        ix::lower_depth_share(&market, &key, &addresses::depth_budget("TEST"), 1),
    ] {
        heist.refused(
            "out of office",
            &[attempt],
            &[&thief],
            BreakwaterError::WrongEmergencyAdmin,
        );
    }
    heist
        .world
        .cancel_change(&greta, &market.market, PARAMETERS, 0)
        .unwrap();
    let raise = [heist.world.change(&market, Parameter::initial_ltv, 7_400)];
    heist.world.queue_parameters(&market, 0, &raise).unwrap();
    heist.world.wait_out_timelock();
    heist.world.execute_parameters(&market, 0, &raise).unwrap();
    assert_eq!(heist.world.market_state(&market).config.initial_ltv.0, 7_400);
}

#[test]
fn a_stolen_emergency_admin_cannot_keep_the_authority_from_acting_at_once() {
    let mut heist = heist();
    let (authority, thief, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    // Whatever it has paused or halted, the authority's own limits are its own, and an office is handed over.
    heist.world.pause(&market, &thief, Kinds::SUPPLY.0, LIMIT).unwrap();
    heist.world.pause(&market, &authority, Kinds::BORROW.0, LIMIT).unwrap();
    let pia = heist.world.actor("pia");
    heist.world.propose_authority(&pia.key()).unwrap();
    heist.world.accept_authority(&pia).unwrap();
    assert_eq!(heist.world.protocol().authority, pia.key());
    assert_eq!(heist.world.protocol().emergency_admin, thief.key());
}

#[test]
fn both_keys_leave_everybody_three_days_to_go_with_everything() {
    let mut heist = heist();
    let (authority, grace, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    let (exits, loot) = (heist.exits(), heist.loot());
    let key = authority.key();
    let (slot, feeds) = (heist.world.longest_approval(), heist.hostile_feeds());
    let worst = vec![
        heist.world.change(&market, Parameter::stress_volatility, 0),
        heist.world.change(&market, Parameter::outflow_limit, 500),
        heist
            .world
            .change(&market, Parameter::guardian_cooldown, 30 * u64::from(DAY)),
    ];
    let queue = [
        ix::queue_parameters(&market, &key, 0, worst.clone(), slot),
        ix::queue_feeds(&market, &key, feeds, false, slot),
        ix::queue_emergency_admin(&key, heist.mallory.key(), slot),
    ];
    heist.world.send(&queue, &[&authority]).unwrap();
    // Meanwhile he halts and pauses as often as he can.
    let opens = heist.world.unix() + i64::from(3 * DAY);
    let execute = [
        ix::execute_parameters(&market, &key, 0, worst),
        ix::execute_feeds(&market, &key, feeds, false, market.feeds()),
        ix::execute_emergency_admin(&key, heist.mallory.key()),
    ];
    let mut moments = 0;
    while heist.world.unix() + i64::from(LIMIT) < opens {
        if moments % 5 == 0 {
            heist.world.emergency_halt(&market, &grace, LIMIT).unwrap();
            heist.world.pause(&market, &grace, Kinds::ALL.0, LIMIT).unwrap();
        }
        assert_eq!(heist.exits(), exits);
        assert_eq!(heist.loot(), loot);
        moments += 1;
        heist.world.advance(LIMIT);
    }
    assert_eq!(moments, 71);
    heist.world.set_clock(opens - 1, heist.world.slot());
    for attempt in execute {
        heist.refused(
            "a second early",
            &[attempt],
            &[&authority],
            BreakwaterError::TimelockActive,
        );
    }
}

#[test]
fn sales_that_were_stopped_are_no_cheaper_afterwards() {
    // Else a thief of the emergency admin's key keeps every other buyer away, and is the first when it is over.
    for stop in ["pause", "emergency halt", "one after the other"] {
        let mut scene = Scene::on(World::program_test(), &market_with(interest_free(default_config())));
        let (market, grace, mallory) = (scene.market, scene.world.actor("grace"), scene.mallory.clone());
        scene.world.set_emergency_admin(&grace.key()).unwrap();
        stands_at(&mut scene, cents(80_00));
        take_over(&mut scene);
        let world = &mut scene.world;
        let ask = |world: &mut World| {
            let buy = ix::buy_inventory(&market, &mallory.key(), SOL / 1_000, u64::MAX);
            let outcome = world.send(&[buy], &[&mallory]).unwrap();
            outcome.event::<InventorySold>().sale.ask
        };
        let before = ask(world);
        if stop != "pause" {
            world.emergency_halt(&market, &grace, LIMIT).unwrap();
            world.advance(LIMIT);
        }
        if stop != "emergency halt" {
            world.pause(&market, &grace, Kinds::SELL.0, LIMIT).unwrap();
            world.advance(LIMIT);
        }
        let after = ask(world);
        assert!(after >= before, "after {stop}: {} of {}", after.raw(), before.raw());
    }
}

#[test]
fn a_feed_that_nobody_canceled_cannot_liquidate_or_lend_at_once_at_what_it_says() {
    // With the guards as they are meant. Both ways: to liquidate Alice at a tenth, or to borrow against ten times as
    // much.
    for (price, attempted) in [(usd(10), "liquidate"), (usd(1_000), "borrow")] {
        let config = Config {
            guardian_cooldown: 172_800,
            ..Config::EXAMPLE
        };
        let mut scene = Scene::on(World::program_test(), &market_with(interest_free(config)));
        let Scene {
            world,
            market,
            kate,
            alice,
            position,
            ..
        } = &mut scene;
        let hostile = world.feed(&FeedSpec::pull("MALLORY/USD", price));
        let mut feeds = present_feeds(world, market);
        feeds.collateral = world.shown(&hostile).pin(&hostile);
        world.queue_feeds(market, feeds).unwrap();
        world.wait_out_timelock();
        world.observe_price(market).unwrap();
        // It is not pinned while it says something else than the present one; so it says the same for a moment.
        let authority = world.authority().clone();
        let next = accounts::Feeds {
            collateral_feed: Some(hostile),
            ..market.feeds()
        };
        let execute = [ix::execute_feeds(market, &authority.key(), feeds, false, next)];
        world.assert_error_unchanged(&execute, &[&authority], BreakwaterError::FeedsDisagree);
        let present = world.shown(&market.collateral_feed).quotation().price;
        world.settle_price(&hostile, present, 0);
        world.send(&execute, &[&authority]).unwrap();
        world.settle_price(&hostile, price, 0);
        let market = MarketKeys {
            collateral_feed: hostile,
            ..*market
        };
        world.advance(1);
        let (attempt, signer, expected) = if attempted == "liquidate" {
            let liquidate = ix::liquidate(&market, &position.address, &kate.key());
            (liquidate, kate, BreakwaterError::AccountHealthy)
        } else {
            let borrow = ix::borrow(&market, &position.address, &alice.key(), 100_000 * USDC);
            (borrow, alice, BreakwaterError::FeedsSettling)
        };
        world.assert_error_unchanged(&[attempt], &[signer], expected);
        // Whoever looks sees it, and everybody may still leave.
        let observed: PriceObserved = world.observe_price(&market).unwrap().event();
        assert_eq!(observed.observation.level, 1);
        world.repay(position, u64::MAX).unwrap();
        world.withdraw_collateral(position, 100 * SOL).unwrap();
    }
}
