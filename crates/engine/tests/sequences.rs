//! Random sequences of all actions on one market, with the tokens counted outside the engine. After every action: the
//! money identities hold, the index and the LP share price have not fallen, and a refused action has changed nothing.

use breakwater_engine::{
    Bps, Clock, Collateral, Config, DebtShares, Error, FeedPin, Feeds, KeeperLedger, Key, Level, LpShares,
    MarginAccount, Market, NewMarket, Prices, Quote, RawReading, Readings, Result,
    audit::{self, Totals},
    oracle::{FEED_PULL, Purpose},
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{cell::RefCell, collections::BTreeMap};

const ACCOUNTS: usize = 4;
const START: i64 = 1_700_000_000;

#[derive(Clone, Debug)]
enum Action {
    Supply(u64),
    Withdraw(u64),
    Deposit(usize, u64),
    WithdrawCollateral(usize, u64),
    /// Thousandths of what the account's collateral is worth.
    Borrow(usize, u64),
    Repay(usize, u64),
    Liquidate(usize),
    Fund(u64),
    Buy(u64),
    Claim,
    /// Seconds, and the new price in percent of the old one.
    Move(u32, i64),
    /// Readings of the same price every half minute, this many.
    Calm(u32),
}

impl Action {
    fn kind(&self) -> &'static str {
        match self {
            Self::Supply(_) => "supply",
            Self::Withdraw(_) => "withdraw",
            Self::Deposit(..) => "deposit",
            Self::WithdrawCollateral(..) => "withdraw collateral",
            Self::Borrow(..) => "borrow",
            Self::Repay(..) => "repay",
            Self::Liquidate(_) => "liquidate",
            Self::Fund(_) => "fund",
            Self::Buy(_) => "buy",
            Self::Claim => "claim",
            Self::Move(..) => "move",
            Self::Calm(_) => "calm",
        }
    }
}

fn action() -> impl Strategy<Value = Action> {
    let account = 0..ACCOUNTS;
    let quote = prop_oneof![0u64..5, 1u64..2_000_000_000, Just(u64::MAX)];
    let collateral = prop_oneof![0u64..5, 1u64..20_000_000_000];
    prop_oneof![
        1 => quote.clone().prop_map(Action::Supply),
        1 => quote.clone().prop_map(Action::Withdraw),
        1 => (account.clone(), collateral.clone()).prop_map(|(a, n)| Action::Deposit(a, n)),
        1 => (account.clone(), collateral.clone()).prop_map(|(a, n)| Action::WithdrawCollateral(a, n)),
        4 => (account.clone(), 300u64..750).prop_map(|(a, n)| Action::Borrow(a, n)),
        1 => (account.clone(), quote.clone()).prop_map(|(a, n)| Action::Repay(a, n)),
        8 => account.prop_map(Action::Liquidate),
        1 => quote.prop_map(Action::Fund),
        2 => collateral.prop_map(Action::Buy),
        1 => Just(Action::Claim),
        4 => (0u32..10_000, 70i64..=135).prop_map(|(s, p)| Action::Move(s, p)),
        2 => (0u32..300, 97i64..=102).prop_map(|(s, p)| Action::Move(s, p)),
        2 => (1u32..60).prop_map(Action::Calm),
    ]
}

/// A market, its accounts, and the tokens that its vaults must hold.
#[derive(Clone, PartialEq, Debug)]
struct Stage {
    market: Market,
    accounts: [MarginAccount; ACCOUNTS],
    ledger: KeeperLedger,
    quote_vault: u64,
    collateral_vault: u64,
    lp_held: u64,
    clock: Clock,
    cents: i64,
}

impl Stage {
    /// With the guards of the example, or wide open.
    fn new(guarded: bool) -> Self {
        let mut config = Config::EXAMPLE;
        if !guarded {
            (config.max_velocity, config.velocity_horizon) = (Bps(10_000), 3_600);
            (config.velocity_slack, config.average_band, config.ema_band) = (Bps(10_000), Bps(10_000), Bps(10_000));
        }
        let pin = |id| FeedPin {
            key: Key([id; 32]),
            owner: Key([11; 32]),
            kind: FEED_PULL,
            padding: [0; 7],
        };
        let clock = Clock { unix: START, slot: 1 };
        let mut market: Market = bytemuck::Zeroable::zeroed();
        market
            .initialise(&NewMarket {
                id: 0,
                bump: 255,
                collateral: (Key([1; 32]), 9, Key([2; 32])),
                quote: (Key([3; 32]), 6, Key([4; 32])),
                lp_mint: Key([5; 32]),
                feeds: Feeds {
                    collateral: pin(6),
                    quote: pin(7),
                    base: FeedPin::NONE,
                    rate: FeedPin::NONE,
                },
                config,
                clock,
            })
            .unwrap();
        let account = |id: usize| MarginAccount::new(Key([8; 32]), Key([9; 32]), u16::try_from(id).unwrap(), 255);
        Self {
            market,
            accounts: core::array::from_fn(account),
            ledger: KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255),
            quote_vault: 0,
            collateral_vault: 0,
            lp_held: 0,
            clock,
            cents: 10_000,
        }
    }

    fn prices(&mut self, purpose: Purpose) -> Result<Prices> {
        let reading = |price: i64| RawReading {
            price,
            conf: price.unsigned_abs() / 1_000,
            expo: -2,
            ema_price: price,
            publish_time: self.clock.unix,
        };
        let readings = Readings {
            collateral: reading(self.cents),
            quote: reading(100),
            redemption: None,
        };
        self.market.accept_prices(&readings, purpose, self.clock)
    }

    /// Does one action, tokens included; on an error nothing may have changed but the accepted publish times and the
    /// interest that accrued.
    fn act(&mut self, action: &Action) -> Result<()> {
        let clock = self.clock;
        match *action {
            Action::Supply(amount) => {
                let supply = self.market.supply(Quote(amount.min(1 << 40)), LpShares::ZERO, clock)?;
                self.quote_vault += supply.amount.0;
                self.lp_held += supply.shares.0;
            }
            Action::Withdraw(shares) => {
                let held = LpShares(self.lp_held);
                let withdrawal = self.market.withdraw(LpShares(shares), held, Quote::ZERO, clock)?;
                self.quote_vault -= withdrawal.amount.0;
                self.lp_held -= withdrawal.shares.0;
            }
            Action::Deposit(index, amount) => {
                let change = self
                    .market
                    .deposit_collateral(&mut self.accounts[index], Collateral(amount))?;
                self.collateral_vault += change.amount.0;
            }
            Action::WithdrawCollateral(index, amount) => {
                let prices = self.prices(Purpose::Trade)?;
                let account = &mut self.accounts[index];
                let change = self
                    .market
                    .withdraw_collateral(account, Collateral(amount), Some(&prices), clock)?;
                self.collateral_vault -= change.amount.0;
            }
            Action::Borrow(index, amount) => {
                let prices = self.prices(Purpose::Trade)?;
                let value = prices.spot().value(self.accounts[index].collateral)?;
                let amount = Quote(value.0 / 1_000 * amount);
                let borrowing = self.market.borrow(&mut self.accounts[index], amount, &prices, clock)?;
                self.quote_vault -= borrowing.amount.0;
            }
            Action::Repay(index, amount) => {
                let repayment = self.market.repay(&mut self.accounts[index], Quote(amount), clock)?;
                self.quote_vault += repayment.amount.0;
            }
            Action::Liquidate(index) => self.liquidate(index)?,
            Action::Fund(amount) => {
                let funding = self.market.fund_backstop(Quote(amount.min(1 << 36)), clock)?;
                self.quote_vault += funding.amount.0;
            }
            Action::Buy(amount) => {
                let prices = self.prices(Purpose::Trade)?;
                let sale = self
                    .market
                    .buy_inventory(Collateral(amount), Quote(u64::MAX), &prices, clock)?;
                self.quote_vault += sale.cost.0;
                self.collateral_vault -= sale.amount.0;
            }
            Action::Claim => self.quote_vault -= self.market.claim_bounty(&mut self.ledger)?.amount.0,
            Action::Move(seconds, percent) => {
                self.clock = Clock {
                    unix: clock.unix + i64::from(seconds),
                    slot: clock.slot + 1,
                };
                self.cents = (self.cents * percent / 100).clamp(1_000, 100_000);
            }
            Action::Calm(count) => {
                for _ in 0..count {
                    self.clock.unix += 30;
                    self.clock.slot += 1;
                    self.prices(Purpose::Observe)?;
                }
            }
        }
        Ok(())
    }

    /// Liquidates, and checks that the account was due and is better off or done.
    fn liquidate(&mut self, index: usize) -> Result<()> {
        let prices = self.prices(Purpose::Liquidate)?;
        let before = self.accounts[index];
        let debt = self.market.books_at(self.clock)?.pool.index.debt(before.debt_shares)?;
        let due = |price| self.market.is_liquidatable(&before, price, self.clock);
        let due = due(prices.spot())? && due(prices.guarded())?;
        let spot = prices.spot().max(prices.guarded());
        let config = self.market.config;
        let mut liquidations = self.market.liquidations(&prices, self.clock)?;
        let done = liquidations.liquidate(&mut self.accounts[index], &mut self.ledger)?;
        assert!(due, "a healthy account was liquidated: {done:?}");
        assert_ne!(prices.level(), Level::Halted);
        if prices.level() == Level::Guarded && !done.insolvent {
            assert!(done.penalty <= config.penalty_min);
            assert!(before.stepped_at + i64::from(config.guarded_cooldown) <= self.clock.unix);
            // No step is more than its part of the whole debt, but for small accounts.
            let part = debt.0 / 10_000 * u64::from(config.guarded_step.0) + u64::from(config.guarded_step.0);
            assert!(done.repaid.0 <= part.max(config.min_debt.0), "{done:?}");
        }
        let after = &self.accounts[index];
        assert!(done.debt_after.0 <= debt.0 - done.repaid.0 + 1);
        assert_eq!(after.collateral.0, before.collateral.0 - done.seized.0);
        if done.whole {
            assert_eq!(after.debt_shares, DebtShares::ZERO);
        } else {
            let (old, new) = (spot.value(before.collateral)?, spot.value(after.collateral)?);
            // the LTV has not risen, but for an atom of rounding on each side
            let (debt_after, debt) = (u128::from(done.debt_after.0), u128::from(debt.0));
            assert!(
                debt_after.saturating_sub(1) * u128::from(old.0) <= debt * u128::from(new.0 + 1),
                "{done:?}"
            );
        }
        Ok(())
    }

    fn totals(&self) -> Totals {
        Totals {
            quote_vault: self.quote_vault,
            collateral_vault: self.collateral_vault,
            account_collateral: self
                .accounts
                .iter()
                .map(|account| u128::from(account.collateral.0))
                .sum(),
            account_debt_shares: self
                .accounts
                .iter()
                .map(|account| u128::from(account.debt_shares.0))
                .sum(),
            keeper_credits: u128::from(self.ledger.credit.0),
            lp_mint_supply: self.lp_held,
            lp_held: u128::from(self.lp_held),
        }
    }

    /// Tokens in the vaults beyond all claims on them.
    fn unclaimed(&self) -> (u64, u64) {
        let books = &self.market.books;
        let quote = books.pool.cash.0 + books.backstop.cash.0 + books.backstop.keeper_credits.0;
        let collateral: u64 = self.accounts.iter().map(|account| account.collateral.0).sum();
        (
            self.quote_vault - quote,
            self.collateral_vault - collateral - books.backstop.inventory.0,
        )
    }

    /// What one whole LP share of the virtual and real ones is worth, in 2^-64 atoms: exact enough to compare.
    fn share_price(&self) -> u128 {
        let pool = &self.market.books.pool;
        (u128::from(pool.assets().unwrap().0 + 1) << 64) / u128::from(pool.lp_supply.0 + 1_000)
    }
}

/// Runs one sequence; counts the successes of each kind of action.
fn run(
    guarded: bool,
    actions: &[Action],
    done: &mut BTreeMap<&'static str, usize>,
) -> core::result::Result<(), TestCaseError> {
    let mut stage = Stage::new(guarded);
    let deposits = (0..ACCOUNTS).map(|account| Action::Deposit(account, 20_000_000_000));
    for first in [Action::Supply(1_000_000_000_000), Action::Fund(50_000_000_000)]
        .into_iter()
        .chain(deposits)
    {
        prop_assert_eq!(stage.act(&first), Ok(()));
    }
    for action in actions {
        let before = stage.clone();
        let result = stage.act(action);
        prop_assert!(
            result != Err(Error::BooksBroken) && result != Err(Error::Overflow),
            "{action:?}: {result:?}"
        );
        if result.is_ok() {
            *done.entry(action.kind()).or_default() += 1;
        } else {
            // Accepting a price is a step of its own, and so is the interest accrued before a liquidation.
            let mut expected = before.clone();
            expected.market.oracle = stage.market.oracle;
            expected.market.guard = stage.market.guard;
            // A market that is halted, or whose prices are too far apart, refuses before interest is looked at.
            if matches!(action, Action::Liquidate(_)) && stage.market.books != before.market.books {
                expected.market.books = before.market.books_at(before.clock).unwrap();
            }
            prop_assert_eq!(&stage, &expected, "a refused action changed something: {:?}", action);
        }
        for (identity, holds) in audit::identities(&stage.market, &stage.totals()) {
            prop_assert!(holds, "{identity:?} is broken by {action:?}");
        }
        prop_assert_eq!(stage.unclaimed(), (0, 0), "tokens without a claim after {:?}", action);
        let (old, new) = (&before.market.books.pool, &stage.market.books.pool);
        prop_assert!(new.index.raw() >= old.index.raw());
        prop_assert!(
            stage.share_price() >= before.share_price(),
            "the share price fell with {action:?}"
        );
    }
    Ok(())
}

#[test]
fn money_is_accounted_for_whatever_the_order() {
    let sequences = (any::<bool>(), prop::collection::vec(action(), 1..200));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
    let done = RefCell::new(BTreeMap::new());
    runner
        .run(&sequences, |(guarded, actions)| {
            run(guarded, &actions, &mut done.borrow_mut())
        })
        .unwrap();
    // The sequences mean something only if every kind of action went through many times.
    let done = done.into_inner();
    assert_eq!(done.len(), 12, "{done:?}");
    assert!(done.values().all(|count| *count > 50), "{done:?}");
}
