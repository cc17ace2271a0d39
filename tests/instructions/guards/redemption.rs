//! Collateral that can be redeemed: it counts at the lower of its market price and what it is redeemed for.

use super::{spec, without_interest};
use crate::{
    attack::{Attack, replace_slot},
    scene::{SOL, Scene, USDC, redeemable},
};
use breakwater::{
    error::BreakwaterError,
    events::{InventorySold, PriceObserved},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, Price, price::guard::Flags};
use breakwater_testkit::{MarketSpec, World, ix, pyth::usd};

/// A staked token at $125, redeemed for 1.25 SOL at $100, under these parameters.
fn staked(config: Config) -> Scene {
    let spec = MarketSpec { config, ..redeemable() };
    let mut scene = Scene::on(World::lite(), &spec);
    scene.world.advance(60);
    scene
}

/// Publishes market price, base price and rate, each without uncertainty and with its average, now.
fn show(scene: &mut Scene, market: i64, base: i64, rate: i64) {
    let (base_feed, rate_feed) = scene.market.redemption_feeds.unwrap();
    for (feed, price) in [
        (scene.market.collateral_feed, market),
        (base_feed, base),
        (rate_feed, rate),
        (scene.market.quote_feed, usd(1)),
    ] {
        scene.world.settle_price(&feed, price, 0);
    }
}

/// Dollars as quote atoms of 6 decimals for an atom of 9, from a mantissa with 8.
fn price(mantissa: i64) -> Price {
    let mantissa = u128::try_from(mantissa).unwrap();
    Price::from_raw((mantissa << 64) / 100_000_000_000)
}

/// The slots of base and rate feed: behind collateral and quote feed.
fn slots(keys: &MarketKeys, ix: &anchor_lang::solana_program::instruction::Instruction) -> (usize, usize) {
    let first = ix
        .accounts
        .iter()
        .position(|meta| meta.pubkey == keys.collateral_feed)
        .unwrap();
    (first + 2, first + 3)
}

#[test]
fn the_lower_of_market_and_redemption_counts() {
    let cent = usd(1) / 100;
    for (market, base, rate, spot) in [
        (usd(125), usd(100), 125 * cent, usd(125)),
        // A depeg of the market is seen at once.
        (usd(100), usd(100), 125 * cent, usd(100)),
        (usd(125) - 1, usd(100), 125 * cent, usd(125) - 1),
        // An inflated market price is not believed.
        (usd(125) + 1, usd(100), 125 * cent, usd(125)),
        (usd(10_000), usd(100), 125 * cent, usd(125)),
        // A base that falls takes it along, and so does a slashing.
        (usd(125), usd(80), 125 * cent, usd(100)),
        (usd(125), usd(100), 110 * cent, usd(110)),
    ] {
        let mut scene = staked(without_interest(Config::EXAMPLE));
        scene.world.forget_prices(&scene.market);
        show(&mut scene, market, base, rate);
        let observation = scene.observed();
        assert_eq!(observation.spot, price(spot), "{market} {base} {rate}");
        assert_eq!(observation.flags & !Flags::EMA.0, 0);
    }
}

#[test]
fn accounts_are_judged_at_the_lower_of_the_two() {
    // 100 tokens and $6,500 of debt are at their liquidation LTV at $81.25.
    let open = |scene: &mut Scene, market, base, rate| {
        scene.world.forget_prices(&scene.market);
        show(scene, market, base, rate);
    };
    let cent = usd(1) / 100;
    for (market, base, rate, liquidatable) in [
        (usd(125), usd(100), 125 * cent, false),
        (usd(81), usd(100), 125 * cent, true),
        (usd(82), usd(100), 125 * cent, false),
        // The market pays a premium; what it is redeemed for falls short.
        (usd(125), usd(65) - 1_000, 125 * cent, true),
        (usd(125), usd(65) + 1_000, 125 * cent, false),
        (usd(125), usd(100), 81 * cent, true),
    ] {
        let mut scene = staked(without_interest(Config::EXAMPLE));
        open(&mut scene, market, base, rate);
        if liquidatable {
            let outcome = scene.world.liquidate(&scene.kate, &scene.position).unwrap();
            let liquidation = outcome.liquidation();
            let lower = market.min(i64::try_from(i128::from(base) * i128::from(rate) / 100_000_000).unwrap());
            assert_eq!(liquidation.price, price(lower));
        } else {
            scene.liquidation_fails(BreakwaterError::AccountHealthy);
        }
    }
}

#[test]
fn an_inflated_market_price_lends_nothing() {
    let mut scene = staked(without_interest(Config::EXAMPLE));
    scene.world.forget_prices(&scene.market);
    show(&mut scene, usd(250), usd(100), usd(125) / 100);
    // 70% of 125 times 100 tokens.
    let left = 8_750 * USDC - 6_500 * USDC;
    let more = ix::borrow(&scene.market, &scene.position.address, &scene.alice.key(), left + 1);
    scene
        .world
        .assert_error_unchanged(&[more], &[&scene.alice], BreakwaterError::InitialLtvExceeded);
    scene.world.borrow(&scene.position, left).unwrap();
}

#[test]
fn a_depeg_is_guarded_like_any_fall() {
    // 20% below what it can be redeemed for, within a second: seen, and nobody is judged by it.
    let mut scene = staked(without_interest(Config::EXAMPLE));
    scene.observed();
    scene.world.advance(1);
    let feed = scene.market.collateral_feed;
    scene.world.set_price(&feed, usd(80), 0);
    scene.liquidation_fails(BreakwaterError::AccountHealthy);
    let observation = scene.observed();
    assert_eq!((observation.spot, observation.level), (price(usd(80)), 1));
    let borrow = ix::borrow(&scene.market, &scene.position.address, &scene.alice.key(), 1);
    scene
        .world
        .assert_error_unchanged(&[borrow], &[&scene.alice], BreakwaterError::MarketGuarded);
    // In ten minutes it is served.
    for _ in 0..120 {
        scene.tick(5, usd(80));
        scene.observed();
    }
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
}

#[test]
fn both_redemption_feeds_are_required_by_whatever_takes_a_price() {
    let mut scene = staked(breakwater_testkit::default_config());
    let spare = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&spare, 100 * SOL).unwrap();
    scene.world.borrow(&spare, 6_500 * USDC).unwrap();
    scene.world.advance(60);
    show(&mut scene, usd(81), usd(100), usd(125) / 100);
    scene.world.forget_prices(&scene.market);
    scene.world.liquidate(&scene.kate, &spare).unwrap();
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        kate,
        position,
        ..
    } = scene;
    let address = &position.address;
    for (honest, signer) in [
        (ix::observe_price(&market), None),
        (ix::liquidate(&market, address, &kate.key()), Some(&kate)),
        (ix::liquidate_batch(&market, &kate.key(), &[*address]), Some(&kate)),
        (
            ix::buy_inventory(&market, &mallory.key(), SOL / 1_000, u64::MAX),
            Some(&mallory),
        ),
        (ix::borrow(&market, address, &alice.key(), 1), Some(&alice)),
        (ix::withdraw_collateral(&market, address, &alice.key(), 1), Some(&alice)),
    ] {
        let (base, rate) = slots(&market, &honest);
        let signers: Vec<_> = signer.into_iter().collect();
        let mut attack = Attack::on(&mut world, honest.clone(), &signers);
        let known = attack.world.market_state(&market);
        for missing in [&[base][..], &[rate], &[base, rate]] {
            let bent = missing
                .iter()
                .fold(honest.clone(), |ix, slot| replace_slot(&ix, *slot, &breakwater::ID));
            let mut nothing = known;
            nothing.oracle.known.newest.base = bytemuck::Zeroable::zeroed();
            nothing.oracle.known.rate = bytemuck::Zeroable::zeroed();
            attack.world.set_market(&market, &nothing);
            attack.refused(&bent, BreakwaterError::RedemptionFeedsRequired);
        }
        attack.world.set_market(&market, &known);
        let exchanged = replace_slot(
            &replace_slot(&honest, base, &honest.accounts[rate].pubkey),
            rate,
            &honest.accounts[base].pubkey,
        );
        attack.refused(&exchanged, BreakwaterError::WrongFeed);
    }
}

#[test]
fn what_a_market_has_not_pinned_is_not_looked_at() {
    let mut scene = Scene::on(World::lite(), &spec(Config::EXAMPLE));
    let observe = ix::observe_price(&scene.market);
    let (base, rate) = slots(&scene.market, &observe);
    for shown in [scene.market.market, scene.market.quote_vault, crate::attack::nowhere()] {
        let bent = replace_slot(&replace_slot(&observe, base, &shown), rate, &shown);
        scene.world.send(&[bent], &[]).unwrap();
    }
}

#[test]
fn each_feed_moves_forward_in_time_only() {
    let mut scene = staked(without_interest(Config::EXAMPLE));
    let (base, rate) = scene.market.redemption_feeds.unwrap();
    scene.observed();
    let now = scene.world.unix();
    let times = |scene: &mut Scene| {
        let oracle = scene.world.market_state(&scene.market).oracle;
        (oracle.known.newest.base.published, oracle.known.rate.published)
    };
    assert_eq!(times(&mut scene), (now, now));
    for feed in [base, rate] {
        scene
            .world
            .edit_feed(&feed, |feed| feed.quotation_mut().publish_time -= 1);
        let before = times(&mut scene);
        scene.observed();
        assert_eq!(times(&mut scene), before);
        scene
            .world
            .edit_feed(&feed, |feed| feed.quotation_mut().publish_time += 3);
        scene.observed();
    }
    assert_eq!(times(&mut scene), (now + 2, now + 2));
}

#[test]
fn the_confidence_of_each_feed_counts() {
    for of_base in [true, false] {
        let mut scene = staked(without_interest(Config::EXAMPLE));
        let (base, rate) = scene.market.redemption_feeds.unwrap();
        let feed = if of_base { base } else { rate };
        let wide = scene.world.shown(&feed).quotation().price.unsigned_abs() * 4 / 100;
        scene.world.edit_feed(&feed, |feed| feed.quotation_mut().conf = wide);
        scene.liquidation_fails(BreakwaterError::ConfidenceTooWide);
        let outcome = scene.world.observe_price(&scene.market).unwrap();
        let observation = outcome.event::<PriceObserved>().observation;
        assert_eq!(
            (observation.level, Flags(observation.flags)),
            (2, Flags::CONFIDENCE_HALT)
        );
        // "The widest confidence interval among the feeds."
        assert_eq!(observation.confidence.0, 400);
    }
}

#[test]
fn inventory_is_sold_at_the_market_price() {
    let cent = usd(1) / 100;
    let mut scene = staked(breakwater_testkit::default_config());
    show(&mut scene, usd(81), usd(100), 125 * cent);
    scene.world.forget_prices(&scene.market);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    for (market, base) in [
        (usd(125), usd(100)),
        (usd(150), usd(100)),
        (usd(120), usd(100)),
        (usd(150), usd(60)),
    ] {
        scene.world.advance(1);
        show(&mut scene, market, base, 125 * cent);
        scene.world.forget_prices(&scene.market);
        let outcome = scene
            .world
            .buy_inventory(&scene.market, &scene.mallory, SOL / 1_000, u64::MAX)
            .unwrap();
        let sale = outcome.event::<InventorySold>().sale;
        // On schedule but for some seconds: a hundredth of a percent of discount at most.
        let asked = sale.ask.raw() * 10_000;
        assert!(
            asked <= price(market).raw() * 10_001 && asked >= price(market).raw() * 9_998,
            "{market} {base}"
        );
    }
}
