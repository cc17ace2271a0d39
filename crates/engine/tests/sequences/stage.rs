//! A market with its accounts, and the tokens that its vaults must hold.

use crate::action::Action;
use breakwater_engine::{
    Bps, Clock, Collateral, Config, DebtShares, FeedPin, Feeds, GuardianPosition, GuardianShares, KeeperLedger, Key,
    Level, LpShares, MarginAccount, Market, NewMarket, Prices, Quote, RawReading, Readings, Result,
    actions::{Liquidation, Willing},
    audit::Totals,
    map::BANDS,
    oracle::{FEED_PULL, Purpose},
};

pub const ACCOUNTS: usize = 4;
pub const GUARDIANS: usize = 2;
const START: i64 = 1_700_000_000;

/// A market, its accounts, and the tokens that its vaults must hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    pub market: Market,
    pub accounts: [MarginAccount; ACCOUNTS],
    ledger: KeeperLedger,
    pub guardians: [GuardianPosition; GUARDIANS],
    /// What each guardian may expect at most: what it put in, and its shares' part of what the claim earned.
    expected: [f64; GUARDIANS],
    quote_vault: u64,
    collateral_vault: u64,
    lp_held: u64,
    pub clock: Clock,
    cents: i64,
}

impl Stage {
    /// With the guards of the example, or wide open.
    pub fn new(guarded: bool) -> Self {
        let mut config = Config::EXAMPLE;
        if !guarded {
            (config.max_velocity, config.velocity_horizon) = (Bps(10_000), 3_600);
            (config.velocity_slack, config.average_band, config.ema_band) = (Bps(10_000), Bps(10_000), Bps(10_000));
            config.unwind_floor_band = Bps(10_000);
        }
        (config.guardian_cooldown, config.guardian_window) = (3_600, 86_400);
        (config.take_out_delay, config.take_out_window) = (86_400, 400_000);
        (config.unwind_time, config.unwind_burst, config.external_memory) = (600, 86_400, 3_600);
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
                config: config.first(),
                clock,
            })
            .unwrap();
        // As governance would have raised it.
        market.config = config;
        let account = |id: usize| MarginAccount::new(Key([8; 32]), Key([9; 32]), u16::try_from(id).unwrap(), 255);
        Self {
            market,
            accounts: core::array::from_fn(account),
            ledger: KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255),
            guardians: core::array::from_fn(|_| GuardianPosition::new(Key([8; 32]), Key([12; 32]), 255)),
            expected: [0.0; GUARDIANS],
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
    pub fn act(&mut self, action: &Action) -> Result<()> {
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
            Action::BuyAll => {
                let prices = self.prices(Purpose::Trade)?;
                let offer = self.market.offer(&prices, clock)?;
                let budget = offer.ask.cost(offer.available)?;
                let sale = self.market.buy_inventory_for(budget, offer.available, &prices, clock)?;
                assert!(sale.cost <= budget && sale.amount >= offer.available);
                self.quote_vault += sale.cost.0;
                self.collateral_vault -= sale.amount.0;
            }
            Action::Crash(percent) => {
                self.act(&Action::Move(60, percent))?;
                for index in 0..ACCOUNTS {
                    // Whoever is healthy, or does not fit, is none of this action's business.
                    let _ = self.act(&Action::Liquidate(index));
                }
            }
            Action::Unwind => {
                for _ in 0..144 {
                    self.act(&Action::Move(600, 100))?;
                    self.prices(Purpose::Observe)?;
                    let _ = self.act(&Action::BuyAll);
                }
            }
            Action::External(index, max_repay) => {
                let prices = self.prices(Purpose::Liquidate)?;
                let willing = Willing {
                    max_repay: Quote(max_repay),
                    min_collateral: Collateral::ZERO,
                };
                let account = &mut self.accounts[index];
                let done = self.market.liquidate_external(account, willing, &prices, clock)?;
                assert!(done.penalty <= self.market.config.penalty_max && done.repaid.0 <= max_repay);
                self.quote_vault += done.repaid.0;
                self.collateral_vault -= done.seized.0;
            }
            Action::Settle => {
                let owed = self.market.books_at(clock)?.backstop.debt_shares;
                let claim = self.market.guardians.claim;
                let done = self.market.settle_deficit(clock)?;
                assert_eq!((done.shares, done.guardians), (owed, claim));
                self.expected = [0.0; GUARDIANS];
            }
            Action::GuardianDeposit(index, amount) => {
                let position = &mut self.guardians[index];
                let none = GuardianShares::ZERO;
                let amount = Quote(amount.min(100_000_000));
                let done = self.market.guardian_deposit(position, amount, none, clock)?;
                self.expected[index] += done.amount.0 as f64;
                self.quote_vault += done.amount.0;
            }
            Action::GuardianRequest(index, hundredths) => {
                let position = &mut self.guardians[index];
                let shares = GuardianShares(position.shares.0 / 100 * hundredths);
                self.market.guardian_request(position, shares, clock)?;
            }
            Action::GuardianWithdraw(index) => {
                let prices = self.prices(Purpose::Trade)?;
                let before = self.market;
                let position = &mut self.guardians[index];
                let (held, shares) = (position.shares.0, position.requested);
                let done = self
                    .market
                    .guardian_withdraw(position, shares, Quote::ZERO, Some(&prices), clock)?;
                // No more than its part of what it put in and earned, and of what the backstop is worth by now.
                let part = shares.0 as f64 / held as f64;
                let paid = done.amount.0 as f64;
                assert!(paid <= self.expected[index] * part * (1.0 + 1e-9) + 2.0, "{done:?}");
                let books = before.books_at(clock)?;
                let equity = books.backstop.equity(&books.pool, prices.spot())? as f64;
                let part_of_all = shares.0 as f64 / before.guardians.shares.0 as f64;
                assert!(paid <= (equity * part_of_all).max(0.0) + 2.0, "{done:?}");
                self.expected[index] *= 1.0 - part;
                self.quote_vault -= done.amount.0;
            }
            Action::TakeOutQueue(amount) => {
                let queued = self.market.queue_take_out(Quote(amount), clock.slot + 1_000, clock)?;
                assert_eq!(queued.amount, Quote(amount));
            }
            Action::TakeOut => {
                let prices = self.prices(Purpose::Trade)?;
                let done = self.market.take_out(Some(&prices), clock)?;
                assert!(done.equity_after >= done.floor);
                self.quote_vault -= done.amount.0;
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
        let claim = self.market.guardians.claim.0;
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
        self.share_out(self.market.guardians.claim.0 - claim, &done);
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

    /// The claim has earned: no more than the configured part of the penalty, and each guardian its shares' part of it.
    fn share_out(&mut self, earned: u64, done: &Liquidation) {
        let penalty = done.repaid.0 as f64 * f64::from(done.penalty.0) / 1e4;
        let share = f64::from(self.market.config.guardian_share.0) / 1e4;
        assert!(earned as f64 <= penalty * share, "{earned} of {done:?}");
        let all = self.market.guardians.shares.0 as f64;
        for (expected, position) in self.expected.iter_mut().zip(&self.guardians) {
            if earned > 0 {
                let shares = position.in_era(self.market.guardians.era).shares.0;
                *expected += earned as f64 * shares as f64 / all;
            }
        }
    }

    pub fn totals(&self) -> Totals {
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
            guardian_shares: self
                .guardians
                .iter()
                .map(|position| u128::from(position.in_era(self.market.guardians.era).shares.0))
                .sum(),
        }
    }

    /// The liquidation map, counted over all accounts.
    pub fn recount(&self) -> Vec<DebtShares> {
        let mut bands = vec![DebtShares::ZERO; BANDS];
        for account in self.accounts.iter().filter(|account| account.has_debt()) {
            let band = self.market.map.band(account.debt_shares, account.collateral);
            bands[usize::from(band)].0 += account.debt_shares.0;
        }
        bands
    }

    /// Tokens in the vaults beyond all claims on them.
    pub fn unclaimed(&self) -> (u64, u64) {
        let books = &self.market.books;
        let quote = books.pool.cash.0 + books.backstop.cash.0 + books.backstop.keeper_credits.0;
        let collateral: u64 = self.accounts.iter().map(|account| account.collateral.0).sum();
        (
            self.quote_vault - quote,
            self.collateral_vault - collateral - books.backstop.inventory.0,
        )
    }

    /// What one whole LP share of the virtual and real ones is worth, in 2^-64 atoms: exact enough to compare.
    pub fn share_price(&self) -> u128 {
        let pool = &self.market.books.pool;
        (u128::from(pool.assets().unwrap().0 + 1) << 64) / u128::from(pool.lp_supply.0 + 1_000)
    }
}
