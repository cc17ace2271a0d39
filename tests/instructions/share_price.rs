//! The price of an LP share: only `settle_deficit` ever lowers it.

use crate::{
    backing::{cents, share_fell},
    scene::{SOL, USDC},
};
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{Bps, Config, Feeds, Market, Parameter, Pool, Quote, governance::pause::Kinds};
use breakwater_testkit::{Actor, Failure, MarketSpec, Outcome, Position, World, default_config, ix};
use std::collections::BTreeSet;

/// Every instruction of the program that is given a market to write to.
const WRITING: [&str; 29] = [
    "supply",
    "withdraw",
    "deposit_collateral",
    "withdraw_collateral",
    "borrow",
    "repay",
    "observe_price",
    "emergency_halt",
    "liquidate",
    "liquidate_batch",
    "fund_backstop",
    "buy_inventory",
    "buy_inventory_for",
    "settle_deficit",
    "queue_equity_withdrawal",
    "withdraw_equity",
    "guardian_deposit",
    "guardian_request",
    "guardian_withdraw",
    "claim_bounty",
    "tighten",
    "pause",
    "raise_stress",
    "cancel_ramp",
    "cancel_equity_withdrawal",
    "execute_parameters",
    "execute_feeds",
    "execute_depth_share",
    "lower_depth_share",
];

/// Interest high enough for every second to count, with a reserve of half of it; inventory can be sold at once.
fn config() -> Config {
    Config {
        interest_base: Bps(9_999),
        reserve_factor: Bps(4_999),
        market_depth: Quote(1 << 50),
        ..default_config()
    }
}

/// The suppliers' assets, quote atoms × 2^64.
fn exact(pool: &Pool) -> u128 {
    (u128::from(pool.cash.0) << 64) + pool.index.raw() * u128::from(pool.debt_shares.0) - pool.reserves_owed.raw()
}

/// The feeds that a market has.
fn feeds_of(market: &Market) -> Feeds {
    market.oracle.feeds().copied()
}

/// A market in which the pool is watched.
struct Watch {
    world: World,
    market: MarketKeys,
    lena: Actor,
    gina: Actor,
    kate: Actor,
    mallory: Actor,
    positions: [Position; 3],
    seen: BTreeSet<&'static str>,
}

impl Watch {
    fn new() -> Self {
        let mut world = World::lite();
        let market = world.market(&MarketSpec {
            config: config(),
            ..MarketSpec::default()
        });
        let lena = world.trader(&market, "lena", 0, 3_000_000 * USDC);
        let alice = world.trader(&market, "alice", 1_000 * SOL, 100_000 * USDC);
        let mallory = world.trader(&market, "mallory", 1_000 * SOL, 1_000_000 * USDC);
        let kate = world.keeper(&market, "kate");
        let gina = world.guardian(&market, "gina", 10_000 * USDC);
        let authority = world.authority().clone();
        world.fund(&authority, &market.quote_mint, 0);
        let positions = [0, 1, 2].map(|id| world.open(&market, &alice, id).unwrap());
        Self {
            world,
            market,
            lena,
            gina,
            kate,
            mallory,
            positions,
            seen: BTreeSet::new(),
        }
    }

    /// The pool with all interest up to now.
    fn pool(&mut self) -> Pool {
        let clock = self.world.clock();
        self.world.market_state(&self.market).books_at(clock).unwrap().pool
    }

    /// Does something to the market, some seconds later. Neither the interest until then nor what is done may lower the
    /// price of a share.
    #[track_caller]
    fn keeps(&mut self, name: &'static str, act: impl FnOnce(&mut World, &MarketKeys) -> Result<Outcome, Failure>) {
        let stored = self.world.market_state(&self.market).books.pool;
        self.world.advance(7);
        let before = self.pool();
        assert!(!share_fell(&stored, &before), "interest: {stored:?} {before:?}");
        act(&mut self.world, &self.market).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        let after = self.pool();
        assert!(!share_fell(&before, &after), "{name}: {before:?} {after:?}");
        // Where no share comes or goes, not even a fraction of an atom is lost.
        if before.lp_supply == after.lp_supply {
            assert!(exact(&after) >= exact(&before), "{name}: {before:?} {after:?}");
        }
        self.seen.insert(name);
    }

    fn stands_at(&mut self, price: i64) {
        self.world.advance(60);
        let MarketKeys {
            collateral_feed,
            quote_feed,
            ..
        } = self.market;
        self.world.settle_price(&collateral_feed, cents(price), 0);
        self.world.settle_price(&quote_feed, 100_000_000, 0);
    }

    /// Capital comes, is lent, and some of it leaves.
    #[track_caller]
    fn quiet_days(&mut self, odd: u64) {
        let (lena, gina) = (self.lena.clone(), self.gina.clone());
        let authority = self.world.authority().clone();
        self.stands_at(10_000);
        self.keeps("supply", |world, market| {
            world.supply(market, &lena, 100_000 * USDC + odd)
        });
        self.keeps("fund_backstop", |world, market| {
            world.fund_backstop(market, &lena, 50_000 * USDC + odd)
        });
        self.keeps("guardian_deposit", |world, market| {
            world.guardian_deposit(market, &gina, 1_000 * USDC + odd)
        });
        for position in self.positions.clone() {
            self.keeps("deposit_collateral", |world, _| {
                world.deposit(&position, 100 * SOL + odd)
            });
            self.keeps("borrow", |world, _| world.borrow(&position, 6_000 * USDC + odd));
        }
        let first = self.positions[0].clone();
        self.keeps("withdraw_collateral", |world, _| {
            world.withdraw_collateral(&first, SOL / 7)
        });
        self.keeps("repay", |world, _| world.repay(&first, 33 * USDC + odd));
        self.keeps("queue_equity_withdrawal", |world, market| {
            world.queue_equity_withdrawal(market, 45_000 * USDC + odd)
        });
        let shares = self.world.guardian_position(&self.market, &gina).shares.0;
        self.keeps("guardian_request", |world, market| {
            world.guardian_request(market, &gina, shares / 3)
        });
        // Interest at 100% a year: a week is two percent.
        let Config {
            equity_withdrawal_delay,
            guardian_cooldown,
            halt_cooldown,
            ..
        } = config();
        self.world.advance(equity_withdrawal_delay.max(guardian_cooldown));
        self.keeps("withdraw_equity", World::withdraw_equity);
        self.keeps("guardian_withdraw", |world, market| {
            world.guardian_withdraw(market, &gina, shares / 3_000 - odd)
        });
        self.keeps("withdraw", |world, market| {
            world.withdraw(market, &lena, 10_000_000_001 + odd)
        });
        self.keeps("observe_price", World::observe_price);
        self.keeps("emergency_halt", |world, market| {
            world.emergency_halt(market, &authority, 1)
        });
        self.world.advance(halt_cooldown);
        self.governance();
    }

    /// Actions of governance on a market: none of them moves money.
    #[track_caller]
    fn governance(&mut self) {
        let authority = self.world.authority().clone();
        let state = self.world.market_state(&self.market);
        let tighter = self
            .world
            .change(&self.market, Parameter::debt_cap, state.config.debt_cap.0 - 1);
        self.keeps("tighten", |world, market| world.tighten(market, &authority, &[tighter]));
        self.keeps("pause", |world, market| {
            world.pause(market, &authority, Kinds::ALL.0, 1)
        });
        // A rate that makes a difference, and the feeds in another order of trust.
        let rate = self.world.change(
            &self.market,
            Parameter::interest_base,
            u64::from(state.config.interest_base.0 ^ 1),
        );
        let mut feeds = feeds_of(&state);
        (feeds.collateral.padding, feeds.base, feeds.rate) = ([0; 7], feeds.quote, feeds.collateral);
        feeds.rate.key.0[0] ^= 1;
        let same = feeds_of(&state);
        self.world.queue_parameters(&self.market, 0, &[rate]).unwrap();
        self.world.queue_feeds(&self.market, feeds).unwrap();
        let named = self.world.protocol().sentinel == authority.key();
        if !named {
            self.world.queue_sentinel(&authority.key()).unwrap();
        }
        // Half of its share of the depth, and all of it again.
        let budget = addresses::depth_budget("TEST");
        self.keeps("lower_depth_share", |world, market| {
            let lower = ix::lower_depth_share(market, &authority.key(), &budget, 50);
            world.send(&[lower], &[&authority])
        });
        let expires = self.world.longest_approval();
        let queue = ix::queue_depth_share(&self.market, &authority.key(), &budget, 100, expires);
        self.world.send(&[queue], &[&authority]).unwrap();
        self.world.queue_equity_withdrawal(&self.market, 1).unwrap();
        let starts_at = self.world.unix() + 4 * 86_400;
        self.world
            .announce_liquidation_ltv(&self.market, 7_900, starts_at, starts_at + 86_400)
            .unwrap();
        self.keeps("cancel_equity_withdrawal", |world, market| {
            world.cancel_equity_withdrawal(market, &authority)
        });
        self.keeps("cancel_ramp", |world, market| world.cancel_ramp(market, &authority));
        self.world.wait_out_timelock();
        if !named {
            self.world.execute_sentinel(&authority.key()).unwrap();
        }
        self.keeps("raise_stress", |world, market| {
            world.send(&[ix::raise_stress(market, &authority.key(), 1)], &[&authority])
        });
        self.keeps("execute_parameters", |world, market| {
            world.execute_parameters(market, 0, &[rate])
        });
        let next = self.world.next_feeds(&self.market, &feeds);
        self.keeps("execute_feeds", |world, market| world.execute_feeds(market, feeds));
        self.keeps("execute_depth_share", |world, market| {
            let execute = ix::execute_depth_share(market, &authority.key(), &budget, &budget, 100);
            world.send(&[execute], &[&authority])
        });
        // Back, so that the day goes on.
        self.world.queue_feeds(&self.market, same).unwrap();
        self.world.wait_out_timelock();
        let redeemable = MarketKeys {
            redemption_feeds: next.base_feed.zip(next.rate_feed),
            ..self.market
        };
        self.keeps("execute_feeds", |world, _| world.execute_feeds(&redeemable, same));
        // Until the averages have settled on the feeds, nobody may borrow.
        self.world.advance(3_700);
    }

    /// Liquidations with cash, with debt, without room, and by others, until all is sold at a loss.
    #[track_caller]
    fn worst_day(&mut self, odd: u64) {
        let (kate, mallory) = (self.kate.clone(), self.mallory.clone());
        let positions = self.positions.clone();
        let all = [&positions[0], &positions[1], &positions[2]];
        self.stands_at(75_00);
        self.keeps("liquidate", |world, _| world.liquidate(&kate, all[0]));
        self.keeps("buy_inventory", |world, market| {
            world.buy_inventory(market, &mallory, SOL / 3 + odd, u64::MAX)
        });
        self.keeps("buy_inventory_for", |world, market| {
            world.buy_inventory_for(market, &mallory, 12_345_678 + odd)
        });
        for price in [68_00, 30_00] {
            self.stands_at(price);
            self.keeps("liquidate_batch", |world, market| {
                world.liquidate_batch(market, &kate, &all)
            });
        }
        self.keeps("claim_bounty", |world, market| world.claim_bounty(market, &kate));
        let inventory = self.world.market_state(&self.market).books.backstop.inventory.0;
        self.keeps("buy_inventory", |world, market| {
            world.buy_inventory(market, &mallory, inventory, u64::MAX)
        });
    }
}

#[test]
fn only_a_settlement_lowers_it() {
    // Odd amounts, so that every rounding shows.
    for odd in [0, 1, 777_777] {
        let mut watch = Watch::new();
        // The second time with interest on everything, after a loss was settled.
        for _ in 0..2 {
            watch.quiet_days(odd);
            watch.worst_day(odd);
            watch.world.advance(7);
            let before = watch.pool();
            watch.world.settle_deficit(&watch.market).unwrap();
            watch.seen.insert("settle_deficit");
            let after = watch.pool();
            assert!(share_fell(&before, &after));
        }
        assert_eq!(watch.seen, WRITING.into());
    }
}

#[test]
fn the_list_is_complete() {
    // An instruction that is given a market to write to is one that could touch the pool. Each builder of the client is
    // asked; what takes a market to read only, or none, cannot.
    let mut world = World::lite();
    let market = world.market(&MarketSpec::default());
    let key = world.authority().key();
    let position = key;
    let feeds = feeds_of(&world.market_state(&market));
    let all = [
        ("supply", ix::supply(&market, &key, 1, 0)),
        ("withdraw", ix::withdraw(&market, &key, 1, 0)),
        ("open_account", ix::open_account(&market, &key, &key, 0)),
        ("close_account", ix::close_account(&position, &key)),
        (
            "deposit_collateral",
            ix::deposit_collateral(&market, &position, &key, 1),
        ),
        (
            "withdraw_collateral",
            ix::withdraw_collateral(&market, &position, &key, 1),
        ),
        ("borrow", ix::borrow(&market, &position, &key, 1)),
        ("repay", ix::repay(&market, &position, &key, 1)),
        ("observe_price", ix::observe_price(&market)),
        ("set_emergency_admin", ix::set_emergency_admin(&key, key)),
        ("emergency_halt", ix::emergency_halt(&market, &key, 1)),
        ("liquidate", ix::liquidate(&market, &position, &key)),
        ("liquidate_batch", ix::liquidate_batch(&market, &key, &[])),
        ("fund_backstop", ix::fund_backstop(&market, &key, 1)),
        ("buy_inventory", ix::buy_inventory(&market, &key, 1, 1)),
        ("buy_inventory_for", ix::buy_inventory_for(&market, &key, 1, 1)),
        ("settle_deficit", ix::settle_deficit(&market)),
        (
            "queue_equity_withdrawal",
            ix::queue_equity_withdrawal(&market, &key, 1, 1),
        ),
        ("withdraw_equity", ix::withdraw_equity(&market, &key)),
        ("open_guardian_position", ix::open_guardian_position(&market, &key)),
        ("close_guardian_position", ix::close_guardian_position(&market, &key)),
        ("guardian_deposit", ix::guardian_deposit(&market, &key, 1, 0, 0)),
        ("guardian_request", ix::guardian_request(&market, &key, 1, 0)),
        ("guardian_withdraw", ix::guardian_withdraw(&market, &key, 1, 0)),
        ("open_keeper_ledger", ix::open_keeper_ledger(&market, &key)),
        ("claim_bounty", ix::claim_bounty(&market, &key)),
        ("propose_authority", ix::propose_authority(&key, key, 0)),
        ("accept_authority", ix::accept_authority(&key)),
        ("tighten", ix::tighten(&market, &key, Vec::new())),
        ("pause", ix::pause(&market, &key, 1, 1)),
        ("cancel_ramp", ix::cancel_ramp(&market, &key)),
        ("cancel_equity_withdrawal", ix::cancel_equity_withdrawal(&market, &key)),
        (
            "queue_parameters",
            ix::queue_parameters(&market, &key, 0, Vec::new(), 1),
        ),
        (
            "execute_parameters",
            ix::execute_parameters(&market, &key, 0, Vec::new()),
        ),
        ("queue_feeds", ix::queue_feeds(&market, &key, feeds, false, 1)),
        (
            "execute_feeds",
            ix::execute_feeds(&market, &key, feeds, false, market.feeds()),
        ),
        ("queue_emergency_admin", ix::queue_emergency_admin(&key, key, 1)),
        ("execute_emergency_admin", ix::execute_emergency_admin(&key, key)),
        ("queue_sentinel", ix::queue_sentinel(&key, key, 1)),
        ("execute_sentinel", ix::execute_sentinel(&key, key)),
        ("raise_stress", ix::raise_stress(&market, &key, 1)),
        ("cancel_change", ix::cancel_change(&key, &key, &key)),
        ("create_depth_budget", ix::create_depth_budget(&key, "ANOTHER")),
        ("queue_depth_share", ix::queue_depth_share(&market, &key, &key, 1, 1)),
        (
            "execute_depth_share",
            ix::execute_depth_share(&market, &key, &key, &key, 1),
        ),
        ("lower_depth_share", ix::lower_depth_share(&market, &key, &key, 1)),
    ];
    let writing: BTreeSet<&str> = all
        .iter()
        .filter(|(_, ix)| {
            ix.accounts
                .iter()
                .any(|meta| meta.pubkey == market.market && meta.is_writable)
        })
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(writing, WRITING.into());
}
