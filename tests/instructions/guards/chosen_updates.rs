//! Whoever submits a pull update chooses which one: any that is young enough and newer than what the market knows.

use super::levels::stocked;
use crate::{
    bad_feeds::shown_aside,
    scene::{SOL, Scene, USDC, readings},
};
use breakwater::events::InventorySold;
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, backstop::auction::Offer, price::oracle::PriceUse};
use breakwater_testkit::{Position, ix, pyth::usd};

/// Seconds between two updates: the oldest of six is as old as a trade allows.
const APART: i64 = 2;
/// Prices of the last ten seconds in cents, oldest first; the newest is true. The market stood at $100 before.
const SERIES: [[i64; 6]; 8] = [
    [10_050, 9_950, 10_080, 9_920, 10_030, 10_000],
    [10_200, 9_800, 10_300, 9_700, 10_150, 10_000],
    [10_000, 12_500, 12_500, 7_500, 7_500, 10_000],
    [10_900, 10_900, 8_600, 8_600, 9_900, 10_000],
    [9_900, 9_600, 9_200, 8_800, 8_400, 8_000],
    [10_100, 10_400, 10_900, 11_300, 11_700, 12_000],
    [6_000, 6_000, 6_000, 6_000, 6_000, 10_000],
    [16_000, 16_000, 16_000, 16_000, 16_000, 10_000],
];

/// Mallory, who has a ledger and an empty account, in a market with some inventory; and the market's keys with each of
/// the updates to choose from.
struct Choice {
    scene: Scene,
    position: Position,
    updates: Vec<MarketKeys>,
    truth: i64,
}

impl Choice {
    /// With `known`, the market has looked at $100 ten seconds ago; without, never.
    fn new(series: &[i64], known: bool) -> Self {
        Self::owing(series, known, 0)
    }

    /// With a debt, quote atoms, against 10 SOL in Mallory's account.
    fn owing(series: &[i64], known: bool, debt: u64) -> Self {
        let mut scene = stocked();
        scene.world.check_identities(false);
        scene.world.open_keeper_ledger(&scene.market, &scene.mallory).unwrap();
        let position = scene.world.open(&scene.market, &scene.mallory, 1).unwrap();
        if debt > 0 {
            scene.settle_at(usd(115));
            scene.world.deposit(&position, 10 * SOL).unwrap();
            scene.world.borrow(&position, debt).unwrap();
            scene.settle_at(usd(100));
        }
        scene.tick(60, usd(100));
        if known {
            scene.observed();
        } else {
            scene.world.forget_prices(&scene.market);
        }
        let begun = scene.world.unix();
        let updates = (0..)
            .zip(series)
            .map(|(index, cents)| {
                let market = &scene.market;
                let name = format!("update {index}");
                let collateral_feed = shown_aside(&mut scene.world, &market.collateral_feed, &name, |feed| {
                    let shown = feed.quotation_mut();
                    (shown.price, shown.publish_time) = (cents * 1_000_000, begun + APART * index);
                });
                MarketKeys {
                    collateral_feed,
                    ..*market
                }
            })
            .collect();
        let age = Config::EXAMPLE.max_age_short;
        assert_eq!(i64::from(age), APART * (i64::try_from(series.len()).unwrap() - 1));
        scene.world.advance_silently(age);
        let truth = series[series.len() - 1];
        Self {
            scene,
            position,
            updates,
            truth,
        }
    }

    /// All that Mallory has, quote atoms, at the true price: tokens, bounties, and what her account is worth to her.
    fn wealth(&mut self) -> i128 {
        let Scene {
            world, market, mallory, ..
        } = &mut self.scene;
        let worth = |atoms: u64| i128::from(atoms) * i128::from(self.truth) / 100_000;
        let (collateral, quote, _) = crate::scene::purse(world, market, mallory);
        let account = world.margin_account(&self.position);
        let index = world.market_state(market).books_at(world.clock()).unwrap().pool.index;
        let owed = i128::from(index.debt(account.debt_shares).unwrap().0);
        let credit = i128::from(world.keeper_ledger(market, mallory).credit.0);
        worth(collateral) + i128::from(quote) + credit + (worth(account.collateral.0) - owed).max(0)
    }

    /// Borrows as much as this update gives.
    fn borrow(&mut self, update: usize) -> bool {
        let Scene { world, mallory, .. } = &mut self.scene;
        let keys = &self.updates[update];
        [11_100, 9_900, 8_500, 7_500, 7_000, 6_980, 6_900, 6_500, 5_500, 4_000]
            .into_iter()
            .any(|dollars| {
                let borrow = ix::borrow(keys, &self.position.address, &mallory.key(), dollars * USDC / 10);
                world.send(&[borrow], &[mallory]).is_ok()
            })
    }

    /// Liquidates her own account at this update; returns the debt that she is relieved of.
    fn liquidate(&mut self, update: usize) -> Option<u64> {
        let Scene { world, mallory, .. } = &mut self.scene;
        let liquidate = ix::liquidate(&self.updates[update], &self.position.address, &mallory.key());
        let outcome = world.send(&[liquidate], &[mallory]).ok()?;
        Some(outcome.liquidation().repaid.0)
    }

    /// Buys all the inventory that can be bought at this update; returns what it is truly worth, quote atoms.
    fn buy(&mut self, update: usize) -> i128 {
        let Scene { world, mallory, .. } = &mut self.scene;
        let (keys, clock) = (self.updates[update], world.clock());
        let mut state = world.market_state(&keys);
        let readings = readings(world, &keys);
        // Refused as the sale would be.
        let Ok(prices) = state.accept_prices(&readings, PriceUse::Borrow, clock) else {
            return 0;
        };
        let Ok(Offer { available, .. }) = state.offer(&prices, clock) else {
            return 0;
        };
        if available.0 == 0 {
            return 0;
        }
        let buy = ix::buy_inventory(&self.updates[update], &mallory.key(), available.0, u64::MAX);
        world.send(&[buy], &[mallory]).map_or(0, |outcome| {
            let sale = outcome.event::<InventorySold>().sale;
            i128::from(sale.amount.0) * i128::from(self.truth) / 100_000
        })
    }
}

/// Every choice of one update for each of three steps, in order of time.
fn triples() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..6).flat_map(|first| (first..6).flat_map(move |second| (second..6).map(move |third| (first, second, third))))
}

#[test]
fn no_choice_makes_who_borrows_and_liquidates_herself_richer() {
    for series in &SERIES {
        for known in [true, false] {
            let mut choice = Choice::new(series, known);
            let (mut loans, before) = (0, choice.wealth());
            let start = choice.scene.world.snapshot();
            for (first, second, third) in triples() {
                choice.scene.world.restore(&start);
                let position = choice.position.clone();
                choice.scene.world.deposit(&position, 10 * SOL).unwrap();
                loans += u32::from(choice.borrow(first));
                // Not in this slot.
                assert_eq!(choice.liquidate(second), None);
                choice.scene.world.next_slot();
                choice.liquidate(second);
                choice.scene.world.next_slot();
                choice.liquidate(third);
                let gain = choice.wealth() - before;
                assert!(gain <= 0, "{series:?} {known} {first} {second} {third}: {gain}");
                // And again when the oldest is as old as a liquidation allows. A step's rest outlasts all of them.
                choice
                    .scene
                    .world
                    .advance_silently(Config::EXAMPLE.max_age_long - Config::EXAMPLE.max_age_short);
                choice.liquidate(third);
                let gain = choice.wealth() - before;
                assert!(gain <= 0, "{series:?} {known} {first} {second} {third}: {gain}");
            }
            assert!(loans > 0, "{series:?}");
        }
    }
}

#[test]
fn who_buys_at_a_chosen_update_gains_no_more_than_the_guards_let_the_price_move() {
    // Ten seconds in which nobody has looked: beyond this, the highest price there is would be asked.
    let reach =
        i128::from(Config::EXAMPLE.velocity_slack.0 + Config::EXAMPLE.max_age_short * Config::EXAMPLE.max_velocity.0);
    for series in &SERIES {
        let mut choice = Choice::new(series, true);
        let before = choice.wealth();
        let start = choice.scene.world.snapshot();
        let mut sales = 0;
        for (first, second, _) in triples().filter(|(_, second, third)| second == third) {
            choice.scene.world.restore(&start);
            let bought = choice.buy(first) + choice.buy(second);
            sales += u32::from(bought > 0);
            let gain = choice.wealth() - before;
            // A true price that rose within the last ten seconds is not known to the market: as if it were bought then.
            let newest = series[first].max(10_000);
            let stale = (i128::from(choice.truth) - i128::from(newest)).max(0) * 10_000 / i128::from(choice.truth);
            assert!(
                gain * 10_000 <= bought * (reach + stale),
                "{series:?} {first} {second}: {gain} on {bought}"
            );
        }
        assert!(sales > 0, "{series:?}");
    }
}

#[test]
fn borrowing_and_liquidating_in_one_transaction_at_different_updates_is_refused() {
    for series in [&SERIES[0], &SERIES[4]] {
        let mut choice = Choice::new(series, true);
        let position = choice.position.clone();
        choice.scene.world.deposit(&position, 10 * SOL).unwrap();
        let mallory = choice.scene.mallory.clone();
        for (first, second, _) in triples().filter(|(first, second, third)| first < second && second == third) {
            let both = [
                ix::borrow(&choice.updates[first], &position.address, &mallory.key(), 600 * USDC),
                ix::liquidate(&choice.updates[second], &position.address, &mallory.key()),
            ];
            let failure = choice.scene.world.send(&both, &[&mallory]).unwrap_err();
            let expected = [
                "BorrowedThisSlot",
                "MarketGuarded",
                "InitialLtvExceeded",
                "PriceGapTooWide",
            ];
            assert!(expected.contains(&failure.name.as_str()), "{first} {second}: {failure}");
        }
    }
}

#[test]
fn no_order_of_updates_in_one_transaction_moves_the_guards() {
    // The low, the high, the low again as often as a transaction holds: time has not moved, and nor have they.
    let mut choice = Choice::new(&SERIES[2], true);
    let Choice {
        scene: Scene { world, market, .. },
        updates,
        ..
    } = &mut choice;
    world.send(&[ix::observe_price(&updates[0])], &[]).unwrap();
    let before = world.market_state(market).guard;
    for chosen in [[1, 1, 2, 3, 4], [1, 2, 3, 3, 4], [2, 2, 2, 4, 4]] {
        let observe: Vec<_> = chosen.map(|update| ix::observe_price(&updates[update])).into();
        let start = world.snapshot();
        world.send(&observe, &[]).unwrap();
        let after = world.market_state(market).guard;
        assert_eq!(
            (after.reference, after.own_ema, after.moved_at),
            (before.reference, before.own_ema, before.moved_at)
        );
        world.restore(&start);
    }
}

#[test]
fn an_older_update_than_the_newest_accepted_counts_for_nothing() {
    let mut choice = Choice::new(&SERIES[0], true);
    let Choice {
        scene:
            Scene {
                world,
                market,
                mallory,
                alice,
                position,
                ..
            },
        updates,
        ..
    } = &mut choice;
    world.send(&[ix::observe_price(&updates[3])], &[]).unwrap();
    let start = world.snapshot();
    let mut outcomes = Vec::new();
    for update in [&updates[3], &updates[0], &updates[1], &updates[2]] {
        for (attempt, signer) in [
            (ix::observe_price(update), None),
            (ix::borrow(update, &position.address, &alice.key(), 1), Some(&*alice)),
            (
                ix::withdraw_collateral(update, &position.address, &alice.key(), 1),
                Some(&*alice),
            ),
            (
                ix::liquidate(update, &position.address, &mallory.key()),
                Some(&*mallory),
            ),
            (ix::buy_inventory(update, &mallory.key(), 1, u64::MAX), Some(&*mallory)),
        ] {
            world.restore(&start);
            let signers: Vec<_> = signer.into_iter().collect();
            let passed = world
                .send(&[attempt], &signers)
                .map(|_| ())
                .map_err(|failure| format!("{failure}"));
            outcomes.push((passed, world.market_state(market)));
        }
    }
    // The newest first: then each of the others does what it does.
    let (newest, others) = outcomes.split_at(5);
    assert!(
        newest[0].0.is_ok() && newest[1].0.is_ok() && newest[2].0.is_ok() && newest[4].0.is_ok(),
        "{newest:?}"
    );
    for other in others.chunks(5) {
        assert!(other == newest);
    }
}

#[test]
fn what_remains_is_bounded_by_the_move_that_nobody_has_shown() {
    // Mallory's account is short at 98.5 already; the price is at 80 by now, and only she knows.
    let series = [9_850, 9_400, 9_000, 8_600, 8_300, 8_000];
    let debt = 799 * USDC;
    let mut choice = Choice::owing(&series, true, debt);
    let start = choice.scene.world.snapshot();
    let before = choice.wealth();
    let reduced = i128::from(choice.liquidate(0).unwrap());
    let gain = choice.wealth() - before;
    // What she is relieved of was sold at 98.5 instead of 80.
    assert!(
        gain > 0 && gain * 8_000 < reduced * (9_850 - 8_000),
        "{gain} of {reduced}"
    );
    // If anybody tells the market, she cannot.
    choice.scene.world.restore(&start);
    let newest = ix::observe_price(&choice.updates[5]);
    choice.scene.world.send(&[newest], &[]).unwrap();
    assert!((0..5).all(|update| choice.liquidate(update).is_none()));
    assert_eq!(choice.wealth(), before);
}

#[test]
fn nobody_is_served_at_a_chosen_update_who_is_not_at_the_newest() {
    // Alice is at 65% of LTV at $100; nothing that Mallory may choose makes her liquidatable while the truth is $100.
    for series in SERIES.iter().filter(|series| series[5] == 10_000) {
        let mut choice = Choice::new(series, true);
        let start = choice.scene.world.snapshot();
        for (first, second, _) in triples().filter(|(_, second, third)| second == third) {
            choice.scene.world.restore(&start);
            let Scene {
                world,
                mallory,
                position,
                ..
            } = &mut choice.scene;
            for update in [first, second] {
                let keys = &choice.updates[update];
                let liquidate = ix::liquidate(keys, &position.address, &mallory.key());
                let observe = ix::observe_price(keys);
                for attempt in [vec![observe, liquidate.clone()], vec![liquidate]] {
                    if let Ok(outcome) = world.send(&attempt, &[mallory]) {
                        panic!("{series:?}: {:?}", outcome.liquidation());
                    }
                }
            }
        }
    }
}
