//! The keeper's plans against the compiled program: it does what they say.

use std::collections::HashSet;

use anchor_lang::prelude::Pubkey;
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, Config, Error, Key, Quote, RawReading, Readings};
use breakwater_keeper::{
    index::{AccountIndex, Entry},
    plan::{Liquidatable, Plan, Scene, Skipped, plan},
};
use breakwater_testkit::{Actor, MarketSpec, Position, World, default_config, ix, pyth::usd};

const USDC: u64 = 1_000_000;
const SOL: u64 = 1_000_000_000;

struct Ledgers {
    world: World,
    keys: MarketKeys,
    positions: Vec<Position>,
    keeper: Actor,
}

/// Twenty accounts of 10 SOL at $100, with debts of 500 to 690 USDC; `backstop` quote atoms behind them.
fn ledgers(config: &Config, backstop: u64) -> Ledgers {
    let mut world = World::lite();
    let keys = world.market(&MarketSpec {
        config: *config,
        ..MarketSpec::default()
    });
    let lena = world.trader(&keys, "lena", 0, 2_000_000 * USDC);
    world.supply(&keys, &lena, 1_000_000 * USDC).unwrap();
    world.fund_backstop(&keys, &lena, backstop).unwrap();
    let positions = (0..20u64).map(|number| {
        let owner = world.trader(&keys, &format!("owner {number}"), 10 * SOL, 0);
        let position = world.open(&keys, &owner, 0).unwrap();
        world.deposit(&position, 10 * SOL).unwrap();
        world.borrow(&position, (500 + 10 * number) * USDC).unwrap();
        position
    });
    let positions = positions.collect();
    let keeper = world.keeper(&keys, "kate");
    world.next_slot();
    Ledgers {
        world,
        keys,
        positions,
        keeper,
    }
}

impl Ledgers {
    fn set_price(&mut self, dollars: i64) {
        let feed = self.keys.collateral_feed;
        self.world.settle_price(&feed, usd(dollars), 0);
    }

    fn index(&mut self) -> AccountIndex {
        let mut index = AccountIndex::new();
        for position in &self.positions {
            let account = self.world.margin_account(position);
            index.update(Entry::new(Key(position.address.to_bytes()), &account, 1));
        }
        index
    }

    fn plan(&mut self, most: usize, busy: &HashSet<[u8; 32]>) -> Plan {
        let market = self.world.market_state(&self.keys);
        let reading = |feed| {
            let shown = self.world.shown(feed);
            let q = shown.quotation();
            RawReading {
                price: q.price,
                conf: q.conf,
                expo: q.expo,
                ema_price: q.ema_price,
                publish_time: q.publish_time,
            }
        };
        let readings = Readings::of(reading(&self.keys.collateral_feed), reading(&self.keys.quote_feed));
        let clock = self.world.clock();
        let index = self.index();
        let scene = Scene {
            address: Key(self.keys.market.to_bytes()),
            market: &market,
            readings: &readings,
            clock,
        };
        plan(&scene, &index, most, |account| busy.contains(&account.0))
    }

    /// Sends the planned accounts to the program, and compares.
    fn assert_done_as_planned(&mut self, plan: &Plan) {
        let accounts: Vec<Pubkey> = plan
            .liquidatable
            .iter()
            .map(|due| Pubkey::new_from_array(due.account.0))
            .collect();
        let batch = ix::liquidate_batch(&self.keys, &self.keeper.key(), &accounts);
        let keeper = self.keeper.clone();
        let outcome = self.world.send(&[batch], &[&keeper]).unwrap();
        let done = outcome.liquidated();
        let done: Vec<Liquidatable> = done
            .iter()
            .map(|one| Liquidatable {
                account: Key(one.margin_account.to_bytes()),
                liquidation: one.liquidation,
            })
            .collect();
        assert_eq!(done, plan.liquidatable);
    }
}

#[test]
fn the_program_does_what_was_planned_and_then_nothing_is_left() {
    let mut ledgers = ledgers(&default_config(), 100_000 * USDC);
    let nobody = HashSet::new();
    assert_eq!(ledgers.plan(100, &nobody), Plan::default());
    ledgers.set_price(70);
    let plan = ledgers.plan(100, &nobody);
    // 80% of 700, and more: a debt of 560 has some interest by now.
    assert_eq!(
        (plan.found, plan.liquidatable.len(), plan.skipped),
        (14, 14, Skipped::default())
    );
    assert_eq!(
        plan.liquidatable[0].account,
        Key(ledgers.positions[19].address.to_bytes()),
        "the furthest under water first"
    );
    // 95% of 700 is 665: those are taken over, before any other.
    let taken_over: Vec<bool> = plan.liquidatable.iter().map(|due| due.liquidation.taken_over).collect();
    assert_eq!(taken_over, [[true; 3].as_slice(), &[false; 11]].concat());
    let three = ledgers.plan(3, &nobody);
    assert_eq!(three.liquidatable, plan.liquidatable[..3]);
    let busy: HashSet<[u8; 32]> = plan.liquidatable[..2].iter().map(|due| due.account.0).collect();
    let others = ledgers.plan(100, &busy);
    assert_eq!((others.skipped.busy, others.liquidatable.len()), (2, 12));
    ledgers.assert_done_as_planned(&plan);
    assert_eq!(ledgers.plan(100, &nobody).found, 0);
}

#[test]
fn guarded_steps_rests_and_the_flow_limit_are_foreseen() {
    let config = Config {
        guarded_flow: Quote(1_000 * USDC),
        guarded_window: 3_600,
        guarded_close_factor: Bps(5_000),
        guarded_refill: 600,
        // Guarded after a fall of more than 15%.
        own_ema_band: Bps(1_500),
        own_ema_seconds: 86_400,
        ..default_config()
    };
    let mut ledgers = ledgers(&config, 100_000 * USDC);
    ledgers.set_price(78);
    let nobody = HashSet::new();
    let plan = ledgers.plan(100, &nobody);
    assert!(!plan.liquidatable.is_empty() && plan.skipped.flow > 0, "{plan:?}");
    assert_eq!(plan.found, plan.liquidatable.len() + plan.skipped.flow);
    ledgers.assert_done_as_planned(&plan);
    let after = ledgers.plan(100, &nobody);
    assert!(after.liquidatable.is_empty(), "{after:?}");
    let waiting = after.skipped.cooldown + after.skipped.flow;
    assert!(waiting > 0 && waiting == after.found, "{after:?}");
}

#[test]
fn without_cover_the_pipeline_is_filled_take_overs_go_on_and_the_rest_waits() {
    // Less than the least that a test may have behind it, and a pipeline of 300 USDC.
    let config = Config {
        market_depth: Quote(600 * USDC),
        flow_rate: Bps(15_000),
        debt_cap: Quote(120_000 * USDC),
        ..default_config()
    };
    let mut ledgers = ledgers(&config, 1);
    ledgers.set_price(75);
    let nobody = HashSet::new();
    let plan = ledgers.plan(100, &nobody);
    // 80% of 750: 610 and above, of which one is cut to what fits.
    assert_eq!(
        (plan.found, plan.liquidatable.len(), plan.skipped.pipeline),
        (10, 1, 9),
        "{plan:?}"
    );
    assert_eq!(
        plan.liquidatable[0].account,
        Key(ledgers.positions[19].address.to_bytes())
    );
    assert!(plan.liquidatable[0].liquidation.repaid.0 < 300 * USDC);
    ledgers.assert_done_as_planned(&plan);

    // 95% of 710 is 674.5: 680 is beyond, and the pipeline is full.
    ledgers.set_price(71);
    let plan = ledgers.plan(100, &nobody);
    let over: Vec<Key> = plan.liquidatable.iter().map(|due| due.account).collect();
    assert_eq!(over[0], Key(ledgers.positions[18].address.to_bytes()));
    assert!(
        plan.liquidatable.iter().all(|due| due.liquidation.taken_over),
        "{plan:?}"
    );
    assert!(plan.skipped.pipeline > 0);
    ledgers.assert_done_as_planned(&plan);
}

#[test]
fn prices_that_the_market_refuses_are_a_reason_not_an_empty_plan() {
    let mut ledgers = ledgers(&default_config(), 100_000 * USDC);
    ledgers.set_price(70);
    ledgers.world.advance_silently(3_600);
    let plan = ledgers.plan(100, &HashSet::new());
    assert_eq!((plan.refused, plan.found), (Some(Error::PriceTooOld), 0));
}
