//! A market with its borrowers, made by the engine's own actions: the same for every mechanism.

use std::{cmp::Reverse, collections::BinaryHeap};

use breakwater_engine::{
    Clock, Collateral, Config, Index, Key, LpShares, MarginAccount, Market, Price, Prices, Quote, Result,
    oracle::Purpose,
};
use bytemuck::Zeroable;

use super::{
    borrowers::{self, Borrower, Savings},
    map::DebtMap,
    order::{self, Order},
    setup::{Setup, quote},
};
use crate::{
    guards::{
        paths::Print,
        population::{empty_market, readings},
    },
    path::Point,
};

/// How much higher the price was when everybody borrowed, percent: so that there are LTVs beyond the initial one.
pub const OPENED_ABOVE: i64 = 25;
/// Seconds between that and the start.
pub const OPENED_BEFORE: i64 = 60;
/// The slot in which everybody borrowed. Nobody borrows later, so it is the only one that matters.
pub const OPENED_IN: u64 = 1;
/// What suppliers lend, as a multiple of all debt: a utilisation of 80%.
pub const SUPPLIED: f64 = 1.25;

/// What was done to the market, in order: enough to do it again elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A borrower repaid.
    Repay(u32, Quote),
    /// A borrower added collateral.
    Add(u32, Collateral),
    /// A keeper tried these accounts in one transaction.
    Batch(Vec<u32>),
    /// Somebody liquidated an account with capital: most debt to repay.
    External(u32, Quote),
    /// Inventory was bought, for at most this.
    Buy(Collateral, Quote),
    /// A deficit was settled.
    Settle,
}

/// A market, its accounts, and what its borrowers hold outside.
#[derive(Clone)]
pub struct Lending {
    /// The engine's market: the pool, its interest, and for Breakwater everything else.
    pub market: Market,
    /// Margin accounts, by number.
    pub accounts: Vec<MarginAccount>,
    /// The accounts, nearest to liquidation first.
    pub order: Order,
    /// Debt by liquidation price.
    pub map: DebtMap,
    /// What was done, by step, if it is recorded.
    pub journal: Option<Vec<(usize, Op)>>,
    /// The step.
    pub step: usize,
    /// The pool's index now. The market's own is that of the last action, as on chain.
    pub index: Index,
    savings: Vec<Savings>,
    delays: Vec<i64>,
    watched: Order,
    alarms: BinaryHeap<Reverse<(i64, u32)>>,
    attention: f64,
}

/// The engine's time of a moment. Slots do not matter: nobody borrows.
pub fn clock(unix: i64) -> Clock {
    Clock {
        unix,
        slot: OPENED_IN + 1,
    }
}

/// A reading of the oracle, as the engine takes it.
pub fn print(point: &Point) -> Print {
    Print {
        unix: point.unix,
        price: point.price,
        confidence: point.confidence,
        ema: point.ema,
        fair: point.price,
    }
}

/// The reading at which everybody borrows.
pub fn opening(first: &Point) -> Point {
    let price = first.price / 100 * (100 + OPENED_ABOVE);
    Point {
        unix: first.unix - OPENED_BEFORE,
        price,
        confidence: 0,
        ema: price,
    }
}

impl Lending {
    /// Everybody supplies and borrows before the first reading. The market's guards begin with that reading.
    ///
    /// # Errors
    /// Those of the parameters; none for healthy ones.
    pub fn open(setup: &Setup, config: &Config, first: &Point) -> Result<(Self, Vec<Borrower>)> {
        config.validate()?;
        let opening = opening(first);
        let clock = Clock {
            unix: opening.unix,
            slot: OPENED_IN,
        };
        let mut market = empty_market(clock)?;
        let at_first = Print {
            unix: clock.unix,
            ..print(first)
        };
        let mut seen = market;
        let first_price = seen.accept_prices(&readings(&at_first), Purpose::Trade, clock)?.spot();
        let people = borrowers::draw(&setup.borrowers, setup.seed, config, &first_price.divisor()?)?;

        market.config = *config;
        let prices = market.accept_prices(&readings(&print(&opening)), Purpose::Trade, clock)?;
        market.supply(quote(SUPPLIED), LpShares(0), clock)?;
        let mut accounts = Vec::with_capacity(people.len());
        for person in &people {
            let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
            market.deposit_collateral(&mut account, person.collateral)?;
            market.borrow(&mut account, person.debt, &prices, clock)?;
            accounts.push(account);
        }
        market.guard = Zeroable::zeroed();

        let index = market.books.pool.index;
        let mut lending = Self {
            map: DebtMap::around(order::limit(config.liquidation_ltv, first_price, index)),
            market,
            order: Order::default(),
            journal: None,
            step: 0,
            index,
            savings: people.iter().map(|person| person.savings).collect(),
            delays: people.iter().map(|person| person.delay).collect(),
            watched: Order::default(),
            alarms: BinaryHeap::new(),
            attention: setup.borrowers.attention,
            accounts,
        };
        for (id, account) in (0u32..).zip(&lending.accounts) {
            lending.order.push(id, account);
            lending.map.add(account);
            if lending.savings[id as usize] != Savings::None {
                lending.watched.push(id, account);
            }
        }
        Ok((lending, people))
    }

    /// Notes what was done, if it is recorded.
    pub fn note(&mut self, op: impl FnOnce() -> Op) {
        if let Some(journal) = &mut self.journal {
            journal.push((self.step, op()));
        }
    }

    /// The debt of an account.
    ///
    /// # Errors
    /// None for accounts of this market.
    pub fn debt(&self, id: u32) -> Result<Quote> {
        self.index.debt(self.accounts[id as usize].debt_shares)
    }

    /// The ratio from which accounts are due at a price.
    pub fn due_from(&self, price: Price) -> u128 {
        order::limit(self.market.config.liquidation_ltv, price, self.index)
    }

    /// After an account was changed from `before`: it is due at another price now.
    pub fn changed(&mut self, id: u32, before: &MarginAccount) {
        self.map.remove(before);
        self.map.add(&self.accounts[id as usize]);
    }

    /// Interest up to now, as the next action will find it.
    ///
    /// # Errors
    /// Overflow.
    pub fn accrue(&mut self, clock: Clock) -> Result<()> {
        self.index = self.market.books_at(clock)?.pool.index;
        Ok(())
    }

    /// Borrowers who watch see the oracle's price: some decide to act, some act.
    ///
    /// # Errors
    /// None for healthy books.
    pub fn watch(&mut self, prices: &Prices, clock: Clock) -> Result<()> {
        let config = &self.market.config;
        let ltv = f64::from(config.liquidation_ltv.0) / 1e4 * self.attention;
        let threshold = order::threshold(ltv, prices.spot(), self.index);
        while let Some(id) = self.watched.next(&self.accounts, threshold) {
            self.alarms.push(Reverse((clock.unix + self.delays[id as usize], id)));
        }
        while let Some(Reverse((_, id))) = self.alarms.peek().copied().filter(|Reverse((at, _))| *at <= clock.unix) {
            self.alarms.pop();
            self.save(id, clock)?;
        }
        Ok(())
    }

    /// A borrower puts everything kept outside into the account, if there is still debt.
    fn save(&mut self, id: u32, clock: Clock) -> Result<()> {
        let mut account = self.accounts[id as usize];
        let before = account;
        if !account.has_debt() {
            return Ok(());
        }
        let left = match self.savings[id as usize] {
            Savings::None => Savings::None,
            Savings::Quote(Quote(0)) | Savings::Collateral(Collateral(0)) => return Ok(()),
            Savings::Quote(amount) => {
                let paid = self.market.repay(&mut account, amount, clock)?.amount;
                self.note(|| Op::Repay(id, amount));
                Savings::Quote(amount.minus(paid)?)
            }
            Savings::Collateral(amount) => {
                self.market.deposit_collateral(&mut account, amount)?;
                self.note(|| Op::Add(id, amount));
                Savings::Collateral(Collateral::ZERO)
            }
        };
        self.savings[id as usize] = left;
        self.accounts[id as usize] = account;
        self.changed(id, &before);
        Ok(())
    }

    /// Quote and collateral atoms in the market and with its borrowers.
    pub fn holdings(&self) -> (i128, i128) {
        let books = &self.market.books;
        let cash = [books.pool.cash, books.backstop.cash, books.backstop.keeper_credits];
        let mut quote: i128 = cash.iter().map(|part| i128::from(part.0)).sum();
        let mut collateral: i128 = i128::from(books.backstop.inventory.0);
        collateral += self
            .accounts
            .iter()
            .map(|account| i128::from(account.collateral.0))
            .sum::<i128>();
        for savings in &self.savings {
            match savings {
                Savings::None => {}
                Savings::Quote(amount) => quote += i128::from(amount.0),
                Savings::Collateral(amount) => collateral += i128::from(amount.0),
            }
        }
        (quote, collateral)
    }

    /// What the debts of all accounts exceed their collateral by, quote atoms.
    ///
    /// # Errors
    /// None for healthy books.
    pub fn under_water(&self, price: Price) -> Result<u64> {
        let index = self.index;
        let mut sum = 0;
        for account in &self.accounts {
            sum += index
                .debt(account.debt_shares)?
                .0
                .saturating_sub(price.value(account.collateral)?.0);
        }
        Ok(sum)
    }
}
