//! A market with its borrowers, made by the engine's own actions: the same for every mechanism.

use std::{cmp::Reverse, collections::BinaryHeap};

use breakwater_engine::{
    Bps, Clock, Collateral, Config, DepthAllocation, FeedPin, Feeds, Index, Key, LpShares, MarginAccount, Market,
    NewMarket, Price, Prices, Quote, RawReading, Readings, Result,
    price::oracle::{FEED_PULL, PriceUse},
};
use bytemuck::Zeroable;

use super::{
    Path,
    borrowers::{self, Borrower, Savings},
    map::DebtMap,
    order::{self, Order},
    setup::{COLLATERAL_UNIT, QUOTE_UNIT, Setup, quote},
};
use crate::{path::Point, rounding::nearest_i64, scenario::PRICE_DECIMALS};

/// How much higher the price was when everybody borrowed, percent: so that there are LTVs beyond the initial one.
pub const OPENED_ABOVE: i64 = 25;
/// Seconds between that and the start.
pub const OPENED_BEFORE: i64 = 60;
/// The slot in which everybody borrowed. Nobody borrows later, so it is the only one that matters.
pub const OPENED_IN: u64 = 1;
/// Supplied amount, as a multiple of all debt: a utilization of 80%.
pub const SUPPLIED: f64 = 1.25;

/// Something done to the market, in order: enough to do it again elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A borrower repaid.
    Repay(u32, Quote),
    /// A borrower added collateral.
    Add(u32, Collateral),
    /// A keeper tried these accounts in one transaction.
    Batch(Vec<u32>),
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
    /// Everything done, by step, if it is recorded.
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
    /// Owners who see the true price before the oracle shows it, by number.
    pub informed: Vec<bool>,
    /// Withdrawals by suppliers so far, quote atoms.
    pub withdrawn: u64,
}

/// The engine's time of a moment. Slots do not matter: nobody borrows.
pub fn clock(unix: i64) -> Clock {
    Clock {
        unix,
        slot: OPENED_IN + 1,
    }
}

/// A price as Pyth writes it.
pub fn mantissa(price: f64) -> i64 {
    nearest_i64(price * 10f64.powi(PRICE_DECIMALS)).max(1)
}

/// The oracle's output: the collateral's reading, and its redemption value in the same units, if it can be redeemed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// The collateral's reading.
    pub point: Point,
    /// Its redemption value.
    pub redeemed: Option<i64>,
}

impl Shown {
    /// The first price of a path, told without doubt.
    pub fn first(path: &Path) -> Self {
        let price = mantissa(path.first());
        Self {
            point: Point {
                unix: path.start,
                price,
                confidence: 0,
                ema: price,
            },
            redeemed: path.redeemed(0).map(mantissa),
        }
    }

    /// As the engine takes it; the quote token stands at one dollar, and redemption is for a base token at that price,
    /// one for one.
    pub fn readings(&self) -> Readings {
        let feed = |price: i64| RawReading {
            price,
            conf: 0,
            expo: -PRICE_DECIMALS,
            ema_price: price,
            publish_time: self.point.unix,
        };
        let dollar = feed(10i64.pow(PRICE_DECIMALS.unsigned_abs()));
        let readings = Readings::of(
            RawReading {
                conf: self.point.confidence,
                ema_price: self.point.ema,
                ..feed(self.point.price)
            },
            dollar,
        );
        match self.redeemed {
            Some(price) => readings.with_redemption(feed(price), dollar),
            None => readings,
        }
    }
}

/// The reading at which everybody borrows.
pub fn opening(first: &Shown) -> Shown {
    let price = first.point.price / 100 * (100 + OPENED_ABOVE);
    Shown {
        point: Point {
            unix: first.point.unix - OPENED_BEFORE,
            price,
            confidence: 0,
            ema: price,
        },
        redeemed: first.redeemed.map(|_| price),
    }
}

/// A new market of a collateral with 9 decimals and a quote token with 6; with feeds for a redemption, if there is one.
fn market(clock: Clock, redeemable: bool) -> Result<Market> {
    let pin = |byte| FeedPin {
        key: Key([byte; 32]),
        owner: Key([9; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    };
    let redemption = |byte| if redeemable { pin(byte) } else { FeedPin::NONE };
    let mut market = Market::zeroed();
    market.initialize(&NewMarket {
        id: 0,
        bump: 0,
        collateral: (Key([1; 32]), 9, Key([2; 32])),
        quote: (Key([3; 32]), 6, Key([4; 32])),
        lp_mint: Key([5; 32]),
        feeds: Feeds {
            collateral: pin(6),
            quote: pin(7),
            base: redemption(10),
            rate: redemption(11),
        },
        config: Config::EXAMPLE.first(),
        depth: DepthAllocation {
            budget: Key([12; 32]),
            share: Bps(10_000),
        },
        clock,
    })?;
    Ok(market)
}

/// The parameters while everybody borrows: nobody is refused, so that every mechanism meets the same borrowers, also
/// more than the stress cover would admit.
pub fn welcoming(config: &Config) -> Config {
    Config {
        stress_fall: Bps(0),
        stress_max: Bps(0),
        supply_cap: Quote(u64::MAX),
        debt_cap: Quote(u64::MAX),
        account_debt_cap: Quote(u64::MAX),
        ..*config
    }
}

impl Lending {
    /// Who borrows, and the first price, quote atoms per collateral atom.
    fn drawn(setup: &Setup, config: &Config, first: &Shown) -> Result<(Vec<Borrower>, Price)> {
        let clock = Clock {
            unix: first.point.unix,
            slot: OPENED_IN,
        };
        let mut market = market(clock, first.redeemed.is_some())?;
        let price = market.accept_prices(&first.readings(), PriceUse::Borrow, clock)?.spot();
        let people = match &setup.people {
            Some(people) => borrowers::given(people, &price.divisor()?)?,
            None => borrowers::draw(&setup.borrowers, setup.seed, config, &price.divisor()?)?,
        };
        Ok((people, price))
    }

    /// Everybody supplies and borrows before the first reading. The market's guards begin with that reading.
    ///
    /// # Errors
    /// The errors of the parameters; none for healthy ones.
    pub fn open(setup: &Setup, config: &Config, first: &Shown) -> Result<(Self, Vec<Borrower>)> {
        config.validate()?;
        let (people, first_price) = Self::drawn(setup, config, first)?;
        let opening = opening(first);
        let clock = Clock {
            unix: opening.point.unix,
            slot: OPENED_IN,
        };
        let mut market = market(clock, first.redeemed.is_some())?;

        market.config = welcoming(config);
        let prices = market.accept_prices(&opening.readings(), PriceUse::Borrow, clock)?;
        market.supply(quote(SUPPLIED), LpShares(0), clock)?;
        let mut accounts = Vec::with_capacity(people.len());
        for person in &people {
            let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
            market.deposit_collateral(&mut account, person.collateral)?;
            market.borrow(&mut account, person.debt, &prices, clock)?;
            accounts.push(account);
        }
        market.config = *config;
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
            informed: people.iter().map(|person| person.informed).collect(),
            withdrawn: 0,
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

    /// The borrowers of a scenario.
    ///
    /// # Errors
    /// None for a scenario that was checked.
    pub fn people(setup: &Setup, config: &Config, path: &Path) -> Result<Vec<Borrower>> {
        Self::drawn(setup, config, &Shown::first(path)).map(|(people, _)| people)
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

    /// Suppliers take whatever cash there is.
    ///
    /// # Errors
    /// Overflow.
    pub fn run(&mut self, clock: Clock) -> Result<()> {
        let books = self.market.books_at(clock)?;
        let pool = books.pool;
        let (cash, assets) = (u128::from(pool.cash.0), u128::from(pool.assets()?.0.max(1)));
        let shares = u128::from(pool.lp_supply.0) * cash / assets;
        let shares = LpShares(u64::try_from(shares).unwrap_or(u64::MAX)).min(pool.lp_supply);
        if shares > LpShares(0) && self.market.lp_value(shares, clock)?.amount > Quote::ZERO {
            let taken = self.market.withdraw(shares, pool.lp_supply, Quote::ZERO, clock)?;
            self.withdrawn += taken.amount.0;
        }
        Ok(())
    }

    /// Wealth of the owners, savings included, quote atoms at a price in quote tokens; an account under water is worth
    /// nothing.
    ///
    /// # Errors
    /// None for healthy books.
    pub fn wealth(&self, price: f64) -> Result<f64> {
        let in_quote = |amount: Collateral| amount.0 as f64 / COLLATERAL_UNIT * price * QUOTE_UNIT;
        let mut sum = 0.0;
        for (account, savings) in self.accounts.iter().zip(&self.savings) {
            let debt = self.index.debt(account.debt_shares)?.0 as f64;
            sum += (in_quote(account.collateral) - debt).max(0.0);
            sum += match savings {
                Savings::None => 0.0,
                Savings::Quote(amount) => amount.0 as f64,
                Savings::Collateral(amount) => in_quote(*amount),
            };
        }
        Ok(sum)
    }

    /// Quote and collateral atoms in the market and with its borrowers.
    pub fn holdings(&self) -> (i128, i128) {
        let books = &self.market.books;
        let cash = [books.pool.cash, books.backstop.cash, books.backstop.funded_credits];
        let mut quote: i128 = cash.iter().map(|part| i128::from(part.0)).sum();
        quote += i128::from(self.withdrawn);
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

    /// Debts of all accounts above their collateral, quote atoms.
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
                .saturating_sub(price.quote_floor(account.collateral)?.0);
        }
        Ok(sum)
    }
}
