//! `buy_inventory_for`.

use crate::{
    attack::{Attack, levy_transfer_fee, replace_account},
    backing::{
        FIVE_YEARS, backed, cents, credits, interest_free, market_with, owed, sell_out, stands_at, take_over, usury,
    },
    bad_feeds::refuse_bad_feeds,
    scene::{SOL, Scene, USDC, all_feed_kinds, both_token_programs, purse, redeemable, vaults},
};
use breakwater::{error::BreakwaterError, events::InventorySold};
use breakwater_engine::{Collateral, Config, Quote, actions::Sale, price::oracle::PriceUse};
use breakwater_testkit::{MarketSpec, World, default_config, ix, pyth::usd};

/// A backstop that has just taken over all of Alice's 100 SOL at $60.
fn stocked(spec: &MarketSpec) -> Scene {
    stocked_by(spec, 100_000 * USDC)
}

fn stocked_by(spec: &MarketSpec, protocol: u64) -> Scene {
    let mut spec = spec.clone();
    spec.config = interest_free(spec.config);
    let (mut scene, _) = backed(World::program_test(), &spec, protocol, 0);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    scene
}

/// A market so shallow that 100 SOL at $60 are sold in a day.
fn paced() -> Config {
    Config {
        market_depth: Quote(250 * USDC * 2 / 3),
        debt_cap: Quote(10_000 * USDC),
        ..default_config()
    }
}

fn buy(scene: &Scene, budget: u64, min_amount: u64) -> anchor_lang::solana_program::instruction::Instruction {
    ix::buy_inventory_for(&scene.market, &scene.mallory.key(), budget, min_amount)
}

#[track_caller]
fn refused(scene: &mut Scene, (budget, min_amount): (u64, u64), expected: BreakwaterError) {
    let buy = buy(scene, budget, min_amount);
    scene.world.assert_error_unchanged(&[buy], &[&scene.mallory], expected);
}

/// Mallory spends a budget. It must do exactly what buying the amount by name does, and that amount must be the most
/// that the budget pays for.
#[track_caller]
fn bought_for(scene: &mut Scene, budget: u64) -> Sale {
    let Scene { market, mallory, .. } = &*scene;
    let (market, mallory) = (*market, mallory.clone());
    let before = scene.world.snapshot();
    let purse_before = purse(&mut scene.world, &market, &mallory);
    let vaults_before = vaults(&mut scene.world, &market);
    let outcome = scene.world.buy_inventory_for(&market, &mallory, budget).unwrap();
    let event = outcome.event::<InventorySold>();
    assert_eq!((event.market, event.buyer), (market.market, mallory.key()));
    let sale = event.sale;
    let after = (
        scene.world.market_state(&market),
        purse(&mut scene.world, &market, &mallory),
        vaults(&mut scene.world, &market),
    );
    let (amount, cost) = (sale.amount.0, sale.cost.0);
    assert_eq!(
        after.1,
        (purse_before.0 + amount, purse_before.1 - cost, purse_before.2)
    );
    assert_eq!(after.2, (vaults_before.0 - amount, vaults_before.1 + cost));
    let price = |amount: u64| (sale.ask.raw() * u128::from(amount)).div_ceil(1 << 64);
    assert_eq!(u128::from(cost), price(amount));
    // Nearly all of it is spent: each atom makes all of them dearer.
    assert!(cost <= budget && u128::from(cost + budget / 500_000 + 1) + price(1) > u128::from(budget));

    scene.world.restore(&before);
    let named = scene.world.buy_inventory(&market, &mallory, amount, cost).unwrap();
    assert_eq!(named.event::<InventorySold>(), event);
    let by_name = (
        scene.world.market_state(&market),
        purse(&mut scene.world, &market, &mallory),
        vaults(&mut scene.world, &market),
    );
    assert_eq!(after, by_name);
    sale
}

#[test]
fn a_budget_buys_the_most_that_it_pays_for() {
    for spec in both_token_programs().into_iter().chain(all_feed_kinds()) {
        let mut scene = stocked(&spec);
        // $60 for a SOL, rounded up: half a SOL and an atom of the cost less.
        let sale = bought_for(&mut scene, 30 * USDC);
        assert_eq!((sale.amount.0, sale.cost.0), (SOL / 2 - 1, 30 * USDC));
        assert_eq!(sale.inventory_after.0, 100 * SOL - sale.amount.0);
    }
}

#[test]
fn any_budget_is_spent_to_the_last_atom_of_collateral() {
    let mut scene = stocked(&MarketSpec::default());
    scene.world.advance(3_600);
    for budget in [1, 2, 59, 60, 61, 999_983, 12_345_678, 60 * USDC] {
        let sale = bought_for(&mut scene, budget);
        // An atom of collateral costs a fraction of an atom: next to nothing is left over.
        assert!(sale.cost.0 + budget / 500_000 >= budget, "{sale:?}");
    }
}

#[test]
fn it_follows_the_schedule_and_pays_the_pool_first() {
    // A backstop that owes all it took over, and the bounty for it, in a market that takes 250 dollars an hour.
    let mut scene = stocked_by(&market_with(paced()), 0);
    let (debt, bounty) = (owed(&mut scene), credits(&mut scene).1);
    let sale = bought_for(&mut scene, 30 * USDC);
    assert_eq!(sale.repaid.0, sale.cost.0 - bounty);
    assert_eq!(owed(&mut scene), debt - sale.repaid.0);
    assert_eq!(credits(&mut scene), (bounty, 0));
    // Ahead of schedule it is dearer, behind it cheaper.
    let ahead = bought_for(&mut scene, USDC).ask;
    scene.world.advance(7_200);
    let behind = bought_for(&mut scene, USDC).ask;
    assert!(behind < sale.ask && sale.ask < ahead);
}

#[test]
fn the_caller_sets_the_least_amount() {
    let mut scene = stocked(&MarketSpec::default());
    let least = SOL / 2 - 1;
    for min_amount in [least + 1, u64::MAX] {
        refused(&mut scene, (30 * USDC, min_amount), BreakwaterError::SlippageExceeded);
    }
    let exactly = buy(&scene, 30 * USDC, least);
    scene.world.send(&[exactly], &[&scene.mallory]).unwrap();
}

#[test]
fn budgets_are_checked() {
    let mut scene = stocked(&market_with(paced()));
    refused(&mut scene, (0, 0), BreakwaterError::ZeroAmount);
    // More than there is: it would pay for 101 SOL.
    let more = (6_200 * USDC, 100 * SOL + 1);
    refused(&mut scene, more, BreakwaterError::InventoryInsufficient);
    // More atoms than there are numbers.
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::Overflow);
    // More than the schedule lets go.
    refused(
        &mut scene,
        (3_000 * USDC, 40 * SOL),
        BreakwaterError::AuctionRateLimited,
    );
}

#[test]
fn what_the_flow_lets_go_is_sold_to_who_takes_less() {
    let mut scene = stocked(&market_with(paced()));
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let available = crate::backing::offer(&mut scene.world, &market).available.0;
    assert!((SOL / 2..SOL).contains(&available), "{available}");
    // An atom more than there is, and nothing is sold; by name nobody gets a part.
    refused(
        &mut scene,
        (3_000 * USDC, available + 1),
        BreakwaterError::AuctionRateLimited,
    );
    let named = ix::buy_inventory(&market, &mallory.key(), available + 1, u64::MAX);
    scene
        .world
        .assert_error_unchanged(&[named], &[&mallory], BreakwaterError::AuctionRateLimited);
    let partly = buy(&scene, 3_000 * USDC, available);
    let sale = scene
        .world
        .send(&[partly], &[&mallory])
        .unwrap()
        .event::<InventorySold>()
        .sale;
    assert_eq!(sale.amount.0, available);
    assert!(sale.cost.0 < 43 * USDC, "{sale:?}");
    // And then there is nothing.
    refused(&mut scene, (USDC, 0), BreakwaterError::AuctionRateLimited);
}

#[test]
fn without_inventory_there_is_nothing_to_buy() {
    let mut scene = Scene::new();
    refused(&mut scene, (USDC, 0), BreakwaterError::InventoryInsufficient);
    let config = Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    };
    let mut scene = stocked(&market_with(config));
    sell_out(&mut scene);
    refused(&mut scene, (USDC, 0), BreakwaterError::InventoryInsufficient);
}

#[test]
fn a_budget_that_pays_for_no_atom_is_refused() {
    // A market where an atom of collateral costs several of the quote token: USDC in SOL of 9 decimals.
    let MarketSpec {
        collateral,
        quote,
        collateral_feed,
        quote_feed,
        ..
    } = MarketSpec::default();
    let spec = MarketSpec {
        collateral: quote,
        quote: collateral,
        collateral_feed: quote_feed,
        quote_feed: collateral_feed,
        config: interest_free(default_config()),
        ..MarketSpec::default()
    };
    let mut world = World::program_test();
    let market = world.market(&spec);
    let lena = world.trader(&market, "lena", 0, 100 * SOL);
    let alice = world.trader(&market, "alice", 1_000 * USDC, 100 * SOL);
    let kate = world.keeper(&market, "kate");
    world.supply(&market, &lena, 50 * SOL).unwrap();
    world.fund_backstop(&market, &lena, 10 * SOL).unwrap();
    let position = world.open(&market, &alice, 0).unwrap();
    world.deposit(&position, 1_000 * USDC).unwrap();
    world.borrow(&position, 6_500_000_000).unwrap();
    world.advance(60);
    world.settle_price(&market.collateral_feed, usd(1) * 60 / 100, 0);
    world.settle_price(&market.quote_feed, usd(100), 0);
    world.liquidate(&kate, &position).unwrap();
    // 0.6 ÷ 100 SOL for a USDC: 6 atoms for one.
    let buy = |budget, min_amount| ix::buy_inventory_for(&market, &alice.key(), budget, min_amount);
    for budget in [1, 5] {
        for min_amount in [0, 1] {
            let buy = buy(budget, min_amount);
            world.assert_error_unchanged(&[buy], &[&alice], BreakwaterError::ZeroAmount);
        }
    }
    let sale = world
        .send(&[buy(11, 1)], &[&alice])
        .unwrap()
        .event::<InventorySold>()
        .sale;
    // What no whole atom could be bought for is not spent.
    assert_eq!((sale.amount.0, sale.cost.0), (1, 6));
}

#[test]
fn who_cannot_pay_gets_nothing() {
    for spec in both_token_programs() {
        let mut scene = stocked(&spec);
        let pauper = scene.world.trader(&scene.market, "pauper", 0, 30 * USDC - 1);
        let buy = ix::buy_inventory_for(&scene.market, &pauper.key(), 30 * USDC, 0);
        let failure = scene
            .world
            .assert_error_unchanged(std::slice::from_ref(&buy), &[&pauper], "Custom(1)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
        scene.world.fund(&pauper, &scene.market.quote_mint, 1);
        scene.world.send(&[buy], &[&pauper]).unwrap();
        assert_eq!(purse(&mut scene.world, &scene.market, &pauper), (SOL / 2 - 1, 0, 0));
    }
}

#[test]
fn each_level_has_its_price() {
    let mut scene = stocked(&MarketSpec::default());
    let feed = scene.market.collateral_feed;
    let normal = bought_for(&mut scene, USDC).ask;
    // Far above Pyth's EMA: no discount, and the highest of all prices.
    scene.world.advance(4 * 3_600);
    assert!(bought_for(&mut scene, USDC).ask < normal);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(20));
    assert!(bought_for(&mut scene, USDC).ask >= normal);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
    refused(&mut scene, (USDC, 0), BreakwaterError::EmaUnavailable);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(60));
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 60).unwrap();
    refused(&mut scene, (USDC, 0), BreakwaterError::MarketHalted);
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let (mut scene, _) = backed(World::program_test(), &market_with(usury()), 0, 0);
    scene.drain_pool();
    scene.world.advance(FIVE_YEARS);
    // There is something to buy.
    scene.world.check_identities(false);
    let mut state = scene.world.market_state(&scene.market);
    state.books.backstop.inventory = Collateral(SOL);
    scene.world.set_market(&scene.market, &state);
    refused(&mut scene, (USDC, 0), BreakwaterError::Overflow);
}

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let mut scene = stocked(&spec);
        let honest = buy(&scene, USDC, 0);
        let mut attack = Attack::on(&mut scene.world, honest, &[&scene.mallory]);
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Borrow);
        attack.honest_passes();
    }
}

#[test]
fn less_arriving_than_was_paid_is_refused() {
    let [_, spec] = both_token_programs();
    let mut scene = stocked(&spec);
    let Scene {
        world, market, mallory, ..
    } = &mut scene;
    let taxed = [market.quote_of(&mallory.key()), market.quote_vault];
    levy_transfer_fee(world, &market.quote_mint, &taxed);
    refused(&mut scene, (USDC, 0), BreakwaterError::TransferMismatch);
}

#[test]
fn the_collateral_may_go_to_somebody_else() {
    let mut scene = stocked(&MarketSpec::default());
    let [own, other] = [&scene.mallory, &scene.lena].map(|actor| scene.market.collateral_of(&actor.key()));
    let gift = replace_account(&buy(&scene, 30 * USDC, 1), &own, &other);
    scene.world.send(&[gift], &[&scene.mallory]).unwrap();
    let Scene {
        world, market, lena, ..
    } = &mut scene;
    assert_eq!(purse(world, market, lena).0, SOL / 2 - 1);
}
