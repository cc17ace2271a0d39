//! Random sequences of all actions by many accounts.

use super::{POOL, assert_followed};
use crate::{
    liquidate::any_size::Sequence,
    scene::{SOL, USDC},
};
use breakwater::events::{DeficitSettled, Liquidated};
use breakwater_client::MarketKeys;
use breakwater_engine::{Collateral, Config, Quote};
use breakwater_testkit::{Actor, Failure, MarketSpec, Outcome, Position, World, default_config, ix, pyth::usd};
use std::collections::BTreeMap;

/// Margin accounts, of three owners.
const ACCOUNTS: u16 = 12;

/// Actions, by name.
const ACTIONS: [&str; 13] = [
    "deposit",
    "withdraw",
    "borrow",
    "repay",
    "repay all",
    "liquidate",
    "batch",
    "settle",
    "buy",
    "fund",
    "reopen",
    "move",
    "crash",
];

/// Kinds of liquidation, counted beside the actions: these show in events only.
const KINDS: [&str; 3] = ["taken over", "partial", "whole"];

struct Run {
    world: World,
    market: MarketKeys,
    rich: Actor,
    kate: Actor,
    positions: Vec<Position>,
    random: Sequence,
    cents: i64,
    done: BTreeMap<&'static str, u32>,
}

impl Run {
    /// A small backstop that sells what it has within minutes, so that it runs out of room, and settles deficits.
    fn new(seed: u64, stressed: bool) -> Self {
        let mut config = Config {
            min_debt: Quote(10 * USDC),
            bounty_tip: Quote(10),
            auction_burst: 86_400,
            ..default_config()
        };
        if stressed {
            let Config {
                stress_fall,
                stress_max,
                stress_volatility,
                ..
            } = Config::EXAMPLE;
            (config.stress_fall, config.stress_max) = (stress_fall, stress_max);
            config.stress_volatility = stress_volatility;
        }
        let mut world = World::lite();
        let market = world.market(&MarketSpec {
            config,
            ..MarketSpec::default()
        });
        let rich = world.trader(&market, "rich", 0, 100 * POOL);
        let kate = world.keeper(&market, "kate");
        world.supply(&market, &rich, POOL).unwrap();
        world.fund_backstop(&market, &rich, 1_000 * USDC).unwrap();
        let owners = ["alice", "bob", "carol"].map(|name| world.trader(&market, name, 1_000_000 * SOL, POOL));
        let positions = (0..ACCOUNTS)
            .map(|id| world.open(&market, &owners[usize::from(id % 3)], id).unwrap())
            .collect();
        Self {
            world,
            market,
            rich,
            kate,
            positions,
            random: Sequence(seed),
            cents: 10_000,
            done: BTreeMap::new(),
        }
    }

    /// Any number from 1 up to `to`, small ones as often as large ones.
    fn amount(&mut self, to: u64) -> u64 {
        let bits = self.random.next(0, u64::from(to.max(1).ilog2()));
        self.random.next(1 << bits, (2 << bits) - 1).min(to.max(1))
    }

    fn position(&mut self) -> Position {
        let index = self.random.next(0, u64::from(ACCOUNTS) - 1);
        self.positions[usize::try_from(index).unwrap()].clone()
    }

    /// One of the two with most debt for their collateral.
    fn worst(&mut self) -> Position {
        let mut all: Vec<(i16, Position)> = Vec::new();
        for position in &self.positions {
            if self.world.account(&position.address).is_some() {
                all.push((self.world.margin_account(position).place.band, position.clone()));
            }
        }
        all.sort_by_key(|(band, _)| std::cmp::Reverse(*band));
        let index = self.random.next(0, 1).min(all.len() as u64 - 1);
        all.swap_remove(usize::try_from(index).unwrap()).1
    }

    /// Time passes, and the price goes to so many per cent of what it was.
    fn move_to(&mut self, percent: u64) {
        let seconds = self.random.next(1, 40_000);
        self.world.advance(u32::try_from(seconds).unwrap());
        self.cents = (self.cents * i64::try_from(percent).unwrap() / 100).clamp(500, 200_000);
        let feed = self.market.collateral_feed;
        let price = usd(self.cents) / 100;
        self.world.settle_price(&feed, price, price.unsigned_abs() / 1_000);
    }

    /// Tries one action.
    fn act(&mut self, action: &'static str) -> Result<Outcome, Failure> {
        let position = match action {
            "liquidate" => self.worst(),
            _ => self.position(),
        };
        let account = self
            .world
            .account(&position.address)
            .map(|_| self.world.margin_account(&position));
        let (collateral, shares) = account.map_or((0, 0), |account| (account.collateral.0, account.debt_shares.0));
        let state = self.world.market_state(&self.market);
        match action {
            "deposit" => {
                let amount = self.amount(1_000 * SOL);
                self.world.deposit(&position, amount)
            }
            "withdraw" => {
                let all = self.random.next(0, 3) == 0;
                let amount = if all { collateral } else { self.amount(collateral) };
                self.world.withdraw_collateral(&position, amount)
            }
            "borrow" => {
                let worth = collateral / 100_000 * self.cents.unsigned_abs();
                let amount = if self.random.next(0, 1) == 0 {
                    self.amount(worth)
                } else {
                    let percent = self.random.next(20, 69);
                    worth / 100 * percent
                };
                self.world.borrow(&position, amount.min(20_000 * USDC))
            }
            "repay" => {
                let amount = self.amount((shares >> 10).max(1));
                let payer = self.rich.clone();
                self.world.repay_by(&payer, &position, amount)
            }
            "repay all" => {
                let payer = self.rich.clone();
                self.world.repay_by(&payer, &position, u64::MAX)
            }
            "liquidate" => self.world.liquidate(&self.kate, &position),
            "batch" => {
                let first = usize::try_from(self.random.next(0, 6)).unwrap();
                let accounts: Vec<_> = self.positions[first..first + 6].iter().map(|one| one.address).collect();
                // Each named twice.
                let batch = ix::liquidate_batch(&self.market, &self.kate.key(), &[&accounts[..], &accounts].concat());
                self.world.send(&[batch], &[&self.kate])
            }
            "settle" => self.world.settle_deficit(&self.market),
            "buy" => {
                let Collateral(inventory) = state.books.backstop.inventory;
                let amount = if self.random.next(0, 1) == 0 {
                    inventory
                } else {
                    self.amount(inventory)
                };
                self.world.buy_inventory(&self.market, &self.rich, amount, u64::MAX)
            }
            "fund" => {
                let amount = self.amount(100 * USDC);
                self.world.fund_backstop(&self.market, &self.rich, amount)
            }
            "reopen" => {
                self.world.close(&position)?;
                let Position { owner, id, .. } = &position;
                let open = ix::open_account(&self.market, &owner.key(), &owner.key(), *id);
                self.world.send(&[open], &[owner])
            }
            "crash" => {
                let percent = self.random.next(55, 80);
                self.move_to(percent);
                self.world.observe_price(&self.market)
            }
            _ => {
                let percent = self.random.next(88, 113);
                self.move_to(percent);
                self.world.observe_price(&self.market)
            }
        }
    }

    /// Does what chance will have, and recounts after each transaction, whether it went through or not.
    fn play(&mut self, steps: u32) {
        for _ in 0..steps {
            // Mostly what moves debt; rarely a crash.
            let action = match self.random.next(0, 99) {
                0..=9 => "deposit",
                10..=17 => "withdraw",
                18..=39 => "borrow",
                40..=45 => "repay",
                46..=48 => "repay all",
                49..=57 => "liquidate",
                58..=62 => "batch",
                63..=68 => "settle",
                69..=84 => "buy",
                85 => "fund",
                86..=88 => "reopen",
                89..=95 => "move",
                96..=97 => "crash",
                // The price comes back, sooner or later.
                _ => {
                    let percent = self.random.next(120, 180);
                    self.move_to(percent);
                    "move"
                }
            };
            match self.act(action) {
                Ok(outcome) => self.count(action, &outcome),
                Err(failure) => assert!(
                    failure.program == Some(breakwater::ID)
                        && failure.name != "InvariantViolated"
                        && failure.name != "Overflow",
                    "{action}: {failure:?}"
                ),
            }
            assert_followed(&mut self.world, &self.market, &self.positions);
        }
    }

    fn count(&mut self, action: &'static str, outcome: &Outcome) {
        let mut add = |what| *self.done.entry(what).or_default() += 1;
        for Liquidated { liquidation, .. } in outcome.liquidated() {
            add(match (liquidation.taken_over, liquidation.whole) {
                (true, _) => KINDS[0],
                (false, false) => KINDS[1],
                (false, true) => KINDS[2],
            });
        }
        let told = match action {
            "batch" => !outcome.liquidated().is_empty(),
            "settle" => !outcome.events::<DeficitSettled>().is_empty(),
            _ => true,
        };
        if told {
            add(action);
        }
    }
}

#[test]
fn after_every_transaction_the_map_is_a_recount() {
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    let mut bands = Vec::new();
    for (seed, stressed) in [(1, false), (2, false), (3, true), (4, true)] {
        let mut run = Run::new(seed, stressed);
        for _ in 0..14 {
            run.play(200);
            bands.extend(run.positions.iter().map(|position| {
                let open = run.world.account(&position.address).is_some();
                if open {
                    run.world.margin_account(position).place.band
                } else {
                    0
                }
            }));
        }
        for (what, count) in run.done {
            *done.entry(what).or_default() += count;
        }
    }
    // It means something only if everything went through again and again, in many bands.
    for what in ACTIONS.iter().chain(&KINDS[..2]) {
        assert!(done.get(what).is_some_and(|count| *count >= 10), "{what}: {done:?}");
    }
    assert!(done.contains_key(KINDS[2]), "{done:?}");
    bands.sort_unstable();
    bands.dedup();
    assert!(bands.len() > 40, "{bands:?}");
}

#[test]
fn a_batch_moves_every_account_it_takes() {
    let mut run = Run::new(7, false);
    let positions = run.positions.clone();
    run.world.fund_backstop(&run.market, &run.rich, 100_000 * USDC).unwrap();
    // From 73% of $55 up to 122%: healthy ones, partial ones, and three from 95% on. The first is small: what was left
    // would be dust, as of the one at 94.5%.
    let loans = [
        (260, 12),
        (1_000, 67),
        (1_000, 60),
        (1_000, 55),
        (1_000, 52),
        (1_000, 51),
    ];
    let more = [
        (1_000, 50),
        (1_000, 49),
        (1_000, 48),
        (1_000, 46),
        (1_000, 42),
        (1_000, 40),
    ];
    for (position, (collateral, debt)) in positions.iter().zip(loans.into_iter().chain(more)) {
        run.world.deposit(position, collateral * SOL / 1_000).unwrap();
        run.world.borrow(position, debt * USDC).unwrap();
    }
    run.world.next_slot();
    let before = run.world.market_state(&run.market).map;
    run.cents = 5_500;
    run.move_to(100);
    let accounts: Vec<&Position> = positions.iter().collect();
    let outcome = run.world.liquidate_batch(&run.market, &run.kate, &accounts).unwrap();
    run.count("batch", &outcome);
    assert_followed(&mut run.world, &run.market, &positions);
    assert_eq!(KINDS.map(|kind| run.done[kind]), [3, 5, 2]);
    let after = run.world.market_state(&run.market).map;
    assert!(after.shares_between(0, u8::MAX) < before.shares_between(0, u8::MAX));
    let none = run.world.liquidate_batch(&run.market, &run.kate, &accounts).unwrap();
    assert_eq!(none.liquidated(), []);
    assert_eq!(run.world.market_state(&run.market).map, after);
}
