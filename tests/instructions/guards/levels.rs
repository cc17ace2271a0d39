//! Causes of each level, and the actions that each level lets happen.

use super::{cents, spec};
use crate::scene::{SOL, Scene, USDC};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::{
    error::BreakwaterError,
    events::{InventorySold, LevelChanged, PriceObserved},
};
use breakwater_engine::{
    Config, Level, Price,
    price::guard::{Flags, LevelChange},
};
use breakwater_testkit::{Actor, Feed, MarketSpec, World, ix, pyth::usd};

/// A scene in which the backstop holds some inventory, in a Normal market at $100.
pub fn stocked() -> Scene {
    let mut scene = Scene::on(World::lite(), &spec(Config::EXAMPLE));
    let spare = scene.indebted(0, 6_900);
    scene.settle_at(usd(80));
    scene.world.liquidate(&scene.kate, &spare).unwrap();
    scene.settle_at(usd(100));
    assert_eq!(scene.level(), Level::Normal);
    scene
}

fn edit_quotation(scene: &mut Scene, edit: impl FnOnce(&mut breakwater_testkit::pyth::Quotation)) {
    let feed = scene.market.collateral_feed;
    scene
        .world
        .edit_feed(&feed, |feed: &mut Feed| edit(feed.quotation_mut()));
}

/// Brings a reason for caution about, or nearly.
type Cause = fn(&mut Scene, bool);

/// Just enough of each reason for caution to raise its flag alone; with `false`, just not enough.
fn causes() -> [(Flags, Cause); 7] {
    [
        (Flags::VELOCITY, |scene, raise| {
            let slack = i64::from(Config::EXAMPLE.velocity_slack.0);
            scene.tick(0, usd(100) / 10_000 * (10_000 + slack) + i64::from(raise) * 1_000);
        }),
        (Flags::OWN_EMA, |scene, raise| {
            let band = u128::from(Config::EXAMPLE.own_ema_band.0);
            let spot = scene.observed().spot.raw();
            let own_ema = (spot * 10_000).div_ceil(10_000 + band) - u128::from(raise) * 1_000;
            scene.edit_guard(|guard| guard.own_ema = Price::from_raw(own_ema));
        }),
        (Flags::EMA, |scene, raise| {
            let band = i64::from(Config::EXAMPLE.ema_band.0);
            let ema = (usd(100) * 10_000 + 9_999 + band) / (10_000 + band) - i64::from(raise);
            edit_quotation(scene, |shown| shown.ema_price = ema);
        }),
        (Flags::NO_EMA, |scene, raise| {
            edit_quotation(scene, |shown| shown.ema_price = if raise { 0 } else { usd(100) });
        }),
        (Flags::CONFIDENCE_GUARD, |scene, raise| {
            let soft = usd(100).unsigned_abs() / 10_000 * Config::EXAMPLE.confidence_guard.factor();
            edit_quotation(scene, |shown| shown.conf = soft + u64::from(raise));
        }),
        (Flags::CONFIDENCE_HALT, |scene, raise| {
            // Below it there is still the soft limit.
            let Config {
                confidence_guard,
                confidence_halt,
                ..
            } = Config::EXAMPLE;
            let limit = if raise { confidence_halt } else { confidence_guard };
            let conf = usd(100).unsigned_abs() / 10_000 * limit.factor() + u64::from(raise);
            edit_quotation(scene, |shown| shown.conf = conf);
        }),
        (Flags::EMERGENCY_HALT, |scene, raise| {
            let authority = scene.world.authority().clone();
            if raise {
                scene.world.emergency_halt(&scene.market, &authority, 60).unwrap();
            }
        }),
    ]
}

/// The error of this action at each cause: no new risk while Guarded, nothing while Halted.
fn refusal(cause: Flags, action: Action) -> Option<BreakwaterError> {
    match (cause, action) {
        (Flags::NO_EMA, Action::Risk | Action::Buy) => Some(BreakwaterError::EmaUnavailable),
        (Flags::CONFIDENCE_HALT, _) => Some(BreakwaterError::ConfidenceTooWide),
        (Flags::EMERGENCY_HALT, _) => Some(BreakwaterError::MarketHalted),
        (_, Action::Risk) => Some(BreakwaterError::MarketGuarded),
        (_, Action::Liquidate) => Some(BreakwaterError::AccountHealthy),
        (_, Action::Buy) => None,
    }
}

#[derive(Clone, Copy)]
enum Action {
    Risk,
    Liquidate,
    Buy,
}

/// Everything that needs a price, with who signs it.
fn priced(scene: &Scene) -> Vec<(Action, Instruction, Actor)> {
    let Scene {
        market,
        alice,
        mallory,
        kate,
        position,
        ..
    } = scene;
    let (address, owner) = (&position.address, &alice.key());
    let buy = ix::buy_inventory(market, &mallory.key(), SOL / 1_000, u64::MAX);
    vec![
        (Action::Risk, ix::borrow(market, address, owner, 1), alice.clone()),
        (
            Action::Risk,
            ix::withdraw_collateral(market, address, owner, 1),
            alice.clone(),
        ),
        (
            Action::Liquidate,
            ix::liquidate(market, address, &kate.key()),
            kate.clone(),
        ),
        (Action::Buy, buy, mallory.clone()),
    ]
}

#[test]
fn each_cause_raises_its_flag_and_its_level_is_obeyed() {
    for (cause, raise) in causes() {
        let mut scene = stocked();
        raise(&mut scene, true);
        let halted = cause == Flags::EMERGENCY_HALT;
        for (action, attempt, signer) in priced(&scene) {
            let Some(error) = refusal(cause, action) else { continue };
            scene.world.assert_error_unchanged(&[attempt], &[&signer], error);
        }
        let outcome = scene.world.observe_price(&scene.market).unwrap();
        let observation = outcome.event::<PriceObserved>().observation;
        assert_eq!(Flags(observation.flags), cause);
        let level = if halted || cause == Flags::CONFIDENCE_HALT {
            2
        } else {
            1
        };
        assert_eq!(observation.level, level, "{cause:?}");
        let change = LevelChange {
            from: 0,
            to: level,
            flags: cause.0,
            spot: observation.spot,
            guarded: observation.guarded,
            own_ema: observation.own_ema,
        };
        let told: Vec<LevelChange> = outcome
            .events::<LevelChanged>()
            .iter()
            .map(|event| event.change)
            .collect();
        // The emergency halt's own event has told it.
        assert_eq!(told, if halted { vec![] } else { vec![change] }, "{cause:?}");
        assert_eq!(scene.level().byte(), level);
        // Told once.
        let again = scene.world.observe_price(&scene.market).unwrap();
        assert_eq!(again.events::<LevelChanged>(), []);
    }
}

#[test]
fn just_below_each_limit_nothing_is_raised() {
    for (cause, raise) in causes() {
        let mut scene = stocked();
        // Low averages lend less; here they only must not refuse.
        scene.world.repay(&scene.position, 3_500 * USDC).unwrap();
        raise(&mut scene, false);
        let observation = scene.observed();
        assert_eq!((observation.level, observation.flags), (0, 0), "{cause:?}");
        for (action, attempt, signer) in priced(&scene) {
            scene.world.next_slot();
            match action {
                Action::Liquidate => {
                    scene
                        .world
                        .assert_error_unchanged(&[attempt], &[&signer], BreakwaterError::AccountHealthy);
                }
                Action::Risk | Action::Buy => {
                    scene.world.send(&[attempt], &[&signer]).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_level_is_told_by_whatever_finds_it() {
    // A sale goes through while Guarded, and records the level as an observation would.
    let mut scene = stocked();
    scene.tick(1, cents(10_200));
    let outcome = scene
        .world
        .buy_inventory(&scene.market, &scene.mallory, SOL / 1_000, u64::MAX)
        .unwrap();
    let change = outcome.event::<LevelChanged>().change;
    assert_eq!((change.from, change.to, Flags(change.flags)), (0, 1, Flags::VELOCITY));
    assert_eq!(outcome.events::<InventorySold>().len(), 1);
    assert_eq!(scene.level(), Level::Guarded);
}

#[test]
fn while_guarded_inventory_goes_without_discount_at_the_highest_price_there_is() {
    let highest = |scene: &mut Scene| -> Vec<u64> {
        let now = scene.world.unix();
        let pyth = scene.world.shown(&scene.market.collateral_feed).quotation().ema_price;
        let observation = scene.observed();
        assert_eq!((observation.level, now), (1, scene.world.unix()));
        let dollars = |price: Price| u64::try_from((price.raw() * u128::from(SOL)) >> 64).unwrap();
        vec![
            dollars(observation.spot),
            dollars(observation.guarded),
            dollars(observation.own_ema),
            pyth.unsigned_abs() / 100,
        ]
    };
    for (spot, own_ema, ema) in [
        (10_200, 10_000, 100),
        (9_800, 10_000, 100),
        (9_800, 10_300, 100),
        (9_800, 10_000, 105),
    ] {
        let mut scene = stocked();
        // Six hours behind schedule: 5% would be the discount.
        scene.world.advance(6 * 3_600);
        scene.settle_at(usd(100));
        let shown = Price::from_raw((own_ema << 64) / 100_000);
        scene.edit_guard(|guard| guard.own_ema = shown);
        scene.tick(1, cents(spot));
        edit_quotation(&mut scene, |quotation| quotation.ema_price = usd(ema));
        let prices = highest(&mut scene);
        let most = *prices.iter().max().unwrap();
        let outcome = scene
            .world
            .buy_inventory(&scene.market, &scene.mallory, SOL / 10, u64::MAX)
            .unwrap();
        let sale = outcome.event::<InventorySold>().sale;
        // A thousandth of both feeds on top: 0.2% of spot, at least.
        let confidence = u64::try_from(spot).unwrap() * 10_000 * 2 / 1_000;
        let cost = sale.cost.0 * 10;
        let expected = most + confidence;
        assert!(cost.abs_diff(expected) < 10_000, "{prices:?} {cost} {expected}");
        assert!(cost >= most);
    }
}

/// Everything that needs no price, each possible at once.
fn unpriced(scene: &Scene) -> Vec<(Instruction, Actor)> {
    let Scene {
        market,
        lena,
        alice,
        mallory,
        kate,
        position,
        ..
    } = scene;
    let fresh = breakwater_testkit::Position::new(market, mallory, 77);
    vec![
        (ix::repay(market, &position.address, &alice.key(), USDC), alice.clone()),
        (
            ix::repay(market, &position.address, &mallory.key(), USDC),
            mallory.clone(),
        ),
        (
            ix::deposit_collateral(market, &position.address, &alice.key(), SOL),
            alice.clone(),
        ),
        (
            ix::deposit_collateral(market, &position.address, &mallory.key(), SOL),
            mallory.clone(),
        ),
        (ix::supply(market, &lena.key(), USDC, 0), lena.clone()),
        (ix::withdraw(market, &lena.key(), 1_000 * USDC, 0), lena.clone()),
        (ix::fund_backstop(market, &lena.key(), USDC), lena.clone()),
        (
            ix::open_account(market, &mallory.key(), &mallory.key(), 77),
            mallory.clone(),
        ),
        (
            ix::deposit_collateral(market, &fresh.address, &mallory.key(), SOL),
            mallory.clone(),
        ),
        (
            ix::withdraw_collateral_without_debt(market, &fresh.address, &mallory.key(), SOL),
            mallory.clone(),
        ),
        (ix::close_account(&fresh.address, &mallory.key()), mallory.clone()),
        (ix::open_keeper_ledger(market, &mallory.key()), mallory.clone()),
        (ix::claim_bounty(market, &kate.key()), kate.clone()),
        (ix::repay_all(market, &position.address, &alice.key()), alice.clone()),
    ]
}

#[test]
fn what_needs_no_price_is_never_blocked() {
    for (cause, raise) in causes() {
        let mut scene = stocked();
        raise(&mut scene, true);
        assert_ne!(scene.observed().level, 0, "{cause:?}");
        let level = scene.level();
        for (action, signer) in unpriced(&scene) {
            scene.world.send(&[action], &[&signer]).unwrap();
        }
        // Without debt, all of Alice's collateral leaves, too.
        let held = scene.world.margin_account(&scene.position).collateral.0;
        let all =
            ix::withdraw_collateral_without_debt(&scene.market, &scene.position.address, &scene.alice.key(), held);
        scene.world.send(&[all], &[&scene.alice]).unwrap();
        assert_eq!(scene.level(), level);
    }
}

#[test]
fn the_wide_open_market_of_other_tests_is_normal() {
    let mut scene = Scene::on(World::lite(), &MarketSpec::default());
    scene.price(50);
    assert_eq!(scene.observed().level, 0);
}
