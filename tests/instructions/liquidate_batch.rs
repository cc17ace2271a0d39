//! `liquidate_batch`.

mod accounts;

use crate::{
    backing::interest_free,
    scene::{SOL, Scene, USDC, all_feed_kinds, overgrown, readings, sibling, vaults},
};
use anchor_lang::prelude::Pubkey;
use breakwater::{error::BreakwaterError, events::Liquidated};
use breakwater_client::{MarketKeys, decode};
use breakwater_engine::{
    Bps, Collateral, Config, Error, MarginAccount, Quote, actions::Liquidation, price::oracle::PriceUse,
};
use breakwater_testkit::{Actor, MarketSpec, Outcome, Position, World, default_config, ix, pyth::usd};
use std::collections::BTreeMap;

/// A scene in which Alice's account is followed by those of many others, who each have put in one SOL and borrowed so
/// many dollars.
struct Crowd {
    scene: Scene,
    positions: Vec<Position>,
}

impl Crowd {
    #[track_caller]
    fn new(debts: &[u64]) -> Self {
        Self::on(&MarketSpec::default(), 100_000 * USDC, debts)
    }

    #[track_caller]
    fn on(spec: &MarketSpec, backstop: u64, debts: &[u64]) -> Self {
        let mut scene = Scene::funded(World::program_test(), spec, 1_000_000 * USDC, backstop);
        let mut positions = vec![scene.position.clone()];
        for (id, dollars) in (0..).zip(debts) {
            let position = scene.world.open(&scene.market, &scene.mallory, id).unwrap();
            scene.world.deposit(&position, SOL).unwrap();
            if *dollars > 0 {
                scene.world.borrow(&position, dollars * USDC).unwrap();
            }
            positions.push(position);
        }
        scene.world.next_slot();
        Self { scene, positions }
    }

    fn send(&mut self, accounts: &[Pubkey]) -> Outcome {
        let Scene {
            world, market, kate, ..
        } = &mut self.scene;
        world
            .send(&[ix::liquidate_batch(market, &kate.key(), accounts)], &[kate])
            .unwrap()
    }

    fn addresses(&self) -> Vec<Pubkey> {
        self.positions.iter().map(|position| position.address).collect()
    }

    /// Kate liquidates what can be of these accounts. Compares everything with what the engine does with the same
    /// state, and returns how each account fared.
    #[track_caller]
    fn liquidated(&mut self, accounts: &[Pubkey]) -> Vec<Result<Liquidation, Error>> {
        let Scene {
            world,
            market: keys,
            kate,
            ..
        } = &mut self.scene;
        let (mut market, mut ledger) = (world.market_state(keys), world.keeper_ledger(keys, kate));
        let mut states: BTreeMap<Pubkey, MarginAccount> =
            accounts.iter().map(|at| (*at, margin_account(world, at))).collect();
        let readings = readings(world, keys);
        let prices = market
            .accept_prices(&readings, PriceUse::Liquidate, world.clock())
            .unwrap();
        let feeds = [keys.collateral_feed, keys.quote_feed].map(|feed| world.shown(&feed).quotation().publish_time);
        let times = [
            market.oracle.known.newest.collateral.published,
            market.oracle.known.newest.quote.published,
        ];
        assert_eq!(times, feeds);
        let mut liquidations = market.liquidations(&prices, world.clock()).unwrap();
        let results: Vec<_> = accounts
            .iter()
            .map(|address| liquidations.liquidate(states.get_mut(address).unwrap(), &mut ledger))
            .collect();
        let tokens = vaults(world, keys);

        let outcome = self.send(accounts);

        let Scene {
            world,
            market: keys,
            kate,
            ..
        } = &mut self.scene;
        let liquidated = |(account, result): (&Pubkey, &Result<Liquidation, Error>)| {
            let (margin_account, liquidation) = (*account, result.ok()?);
            Some(Liquidated {
                margin_account,
                liquidation,
            })
        };
        let events: Vec<Liquidated> = accounts.iter().zip(&results).filter_map(liquidated).collect();
        assert_eq!(outcome.liquidated(), events);
        assert_eq!(world.market_state(keys), market);
        assert_eq!(world.keeper_ledger(keys, kate), ledger);
        for (address, state) in states {
            assert_eq!(margin_account(world, &address), state);
        }
        assert_eq!(vaults(world, keys), tokens);
        results
    }
}

fn margin_account(world: &mut World, address: &Pubkey) -> MarginAccount {
    decode::margin_account(&world.existing_account(address).data).unwrap()
}

#[test]
fn every_account_that_can_be_is_liquidated() {
    for spec in all_feed_kinds() {
        let mut crowd = Crowd::on(&spec, 100_000 * USDC, &[60, 65, 69, 0, 68]);
        crowd.scene.price(80);
        let results = crowd.liquidated(&crowd.addresses());
        let taken: Vec<_> = results
            .iter()
            .map(|result| result.map(|done| (done.taken_over, done.whole)))
            .collect();
        assert_eq!(
            taken,
            [
                Ok((false, false)),
                Err(Error::AccountHealthy),
                Ok((false, false)),
                Ok((false, false)),
                Err(Error::NoDebt),
                Ok((false, false)),
            ]
        );
    }
}

#[test]
fn many_at_once_are_the_same_as_one_by_one() {
    let debts = [62, 63, 64, 65, 66, 67, 68, 69];
    let (mut batch, mut single) = (Crowd::new(&debts), Crowd::new(&debts));
    for crowd in [&mut batch, &mut single] {
        crowd.scene.price(74);
    }
    batch.send(&batch.addresses());
    for position in &single.positions {
        single.scene.world.liquidate(&single.scene.kate, position).unwrap();
    }
    let [mut batch, mut single] = [batch, single];
    let state = |crowd: &mut Crowd| {
        let Scene {
            world, market, kate, ..
        } = &mut crowd.scene;
        let accounts: Vec<_> = crowd
            .positions
            .iter()
            .map(|position| world.margin_account(position))
            .collect();
        (world.market_state(market), world.keeper_ledger(market, kate), accounts)
    };
    assert_eq!(state(&mut batch), state(&mut single));
}

#[test]
fn partial_liquidations_and_takeovers_go_together() {
    let mut crowd = Crowd::new(&[40, 50, 69]);
    crowd.scene.price(60);
    let results = crowd.liquidated(&crowd.addresses());
    let outcome = |result: &Result<Liquidation, Error>| result.map(|done| (done.taken_over, done.deficit.0 / USDC));
    assert_eq!(
        results.iter().map(outcome).collect::<Vec<_>>(),
        [
            Ok((true, 500)),
            Err(Error::AccountHealthy),
            Ok((false, 0)),
            Ok((true, 9))
        ]
    );
}

#[test]
fn an_account_named_twice_is_liquidated_once() {
    let mut crowd = Crowd::new(&[69, 69]);
    crowd.scene.price(80);
    let [alice, first, second] = crowd.addresses()[..] else {
        panic!("three accounts")
    };
    let results = crowd.liquidated(&[first, alice, first, first, second, alice]);
    let refused: Vec<_> = results.iter().map(|result| result.err()).collect();
    let healthy = Some(Error::AccountHealthy);
    assert_eq!(refused, [None, None, healthy, healthy, None, healthy]);
}

/// A market that holds no more than 1,000 while the stress cover is negative.
fn narrow() -> MarketSpec {
    MarketSpec {
        config: Config {
            flow_rate: Bps(15_000),
            market_depth: Quote(2_000 * USDC),
            debt_cap: Quote(400_000 * USDC),
            ..interest_free(default_config())
        },
        ..MarketSpec::default()
    }
}

#[test]
fn an_account_named_twice_can_fill_the_pipeline_only_once() {
    let mut crowd = Crowd::on(&narrow(), 20 * USDC, &[]);
    crowd.scene.price(75);
    let [alice] = crowd.addresses()[..] else {
        panic!("one account")
    };
    let results = crowd.liquidated(&[alice, alice, alice]);
    assert!(results[0].is_ok_and(|done| !done.whole));
    assert_eq!(results[1..], [Err(Error::PipelineFull), Err(Error::PipelineFull)]);
}

#[test]
fn who_waits_is_skipped_and_takeovers_after_it_still_go() {
    let mut crowd = Crowd::on(&narrow(), 0, &[60, 69, 60]);
    crowd.scene.price(71);
    let results = crowd.liquidated(&crowd.addresses());
    // 92% fills the pipeline, 85% finds it full, 97% goes whole.
    assert!(results[0].is_ok_and(|done| !done.whole && !done.taken_over));
    assert_eq!(results[1], Err(Error::PipelineFull));
    assert!(results[2].is_ok_and(|done| done.taken_over));
    assert_eq!(results[3], Err(Error::PipelineFull));
}

#[test]
fn who_borrowed_in_this_slot_is_skipped() {
    let mut crowd = Crowd::new(&[60, 69]);
    let Scene { world, market, .. } = &mut crowd.scene;
    world.borrow(&crowd.positions[1], USDC).unwrap();
    world.set_price(&market.collateral_feed, usd(70), 0);
    let results = crowd.liquidated(&crowd.addresses());
    assert!(results[0].is_ok());
    assert_eq!(results[1], Err(Error::BorrowedThisSlot));
    assert!(results[2].is_ok());
}

#[test]
fn accounts_that_are_no_more_are_skipped() {
    let mut crowd = Crowd::new(&[0, 69]);
    let (closed, never_opened) = (
        crowd.positions[1].clone(),
        Position::new(&crowd.scene.market, &crowd.scene.alice, 99),
    );
    crowd.scene.world.withdraw_collateral(&closed, SOL).unwrap();
    crowd.scene.world.close(&closed).unwrap();
    crowd.scene.price(80);
    let [alice, _, last] = crowd.addresses()[..] else {
        panic!("three accounts")
    };
    let outcome = crowd.send(&[
        closed.address,
        alice,
        never_opened.address,
        crowd.scene.lena.key(),
        last,
    ]);
    let taken: Vec<_> = outcome.liquidated().iter().map(|event| event.margin_account).collect();
    assert_eq!(taken, [alice, last]);
}

#[test]
fn a_batch_may_be_empty_or_find_nothing_to_do() {
    let mut crowd = Crowd::new(&[60]);
    let healthy = Err(Error::AccountHealthy);
    for (accounts, results) in [(vec![], vec![]), (crowd.addresses(), vec![healthy, healthy])] {
        // The price is accepted and interest accrued; nothing else happens, as `liquidated` checks.
        crowd.scene.world.advance(7);
        assert_eq!(crowd.liquidated(&accounts), results);
        let now = crowd.scene.world.unix();
        let state = crowd.scene.world.market_state(&crowd.scene.market);
        assert_eq!(
            (
                state.oracle.known.newest.collateral.published,
                state.books.pool.accrued_at
            ),
            (now, now)
        );
    }
}

#[test]
fn the_keeper_earns_every_bounty() {
    let mut crowd = Crowd::new(&[66, 67, 68]);
    crowd.scene.price(78);
    let results = crowd.liquidated(&crowd.addresses());
    let earned: u64 = results.iter().map(|result| result.unwrap().bounty.0).sum();
    let Scene {
        mut world,
        market,
        kate,
        ..
    } = crowd.scene;
    assert_eq!(world.keeper_ledger(&market, &kate).credit, Quote(earned));
    world.claim_bounty(&market, &kate).unwrap();
    assert_eq!(world.balance(&kate, &market.quote_mint), earned);
}

#[test]
fn twenty_four_accounts_fit_into_a_transaction() {
    let mut crowd = Crowd::new(&[69; 24]);
    crowd.scene.price(80);
    let accounts = crowd.addresses().split_off(1);
    let Scene {
        world, market, kate, ..
    } = &mut crowd.scene;
    let MarketKeys {
        market: address,
        collateral_feed,
        quote_feed,
        ..
    } = *market;
    let table = world.lookup_table(
        "crowd",
        &[&accounts[..], &[address, collateral_feed, quote_feed]].concat(),
    );
    let batch = ix::liquidate_batch(market, &kate.key(), &accounts);
    let outcome = world.send_with_tables(&[batch], &[kate as &Actor], &[table]).unwrap();
    assert_eq!(outcome.liquidated().len(), 24);
    let inventory: u64 = outcome
        .liquidated()
        .iter()
        .map(|event| event.liquidation.seized.0)
        .sum();
    assert_eq!(
        world.market_state(market).books.backstop.inventory,
        Collateral(inventory)
    );
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let Scene {
        mut world,
        market,
        kate,
        position,
        ..
    } = overgrown();
    let batch = ix::liquidate_batch(&market, &kate.key(), &[position.address]);
    world.assert_error_unchanged(&[batch], &[&kate], BreakwaterError::Overflow);
}

#[test]
fn one_account_of_another_market_stops_the_batch() {
    let mut crowd = Crowd::new(&[69]);
    let other = sibling(&mut crowd.scene.world);
    let foreign = crowd.scene.world.open(&other, &crowd.scene.alice, 0).unwrap();
    crowd.scene.price(80);
    let [alice, first] = crowd.addresses()[..] else {
        panic!("two accounts")
    };
    let Scene {
        world, market, kate, ..
    } = &mut crowd.scene;
    for accounts in [
        [foreign.address, alice, first],
        [alice, foreign.address, first],
        [alice, first, foreign.address],
    ] {
        let batch = ix::liquidate_batch(market, &kate.key(), &accounts);
        world.assert_error_unchanged(&[batch], &[kate], BreakwaterError::WrongMarket);
    }
}
