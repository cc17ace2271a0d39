use breakwater_engine::{
    Clock, Collateral, Error, KeeperLedger, Key, Level, Price, Quote, Result, actions::Liquidation,
    price::oracle::PriceUse, unless_halted,
};

use super::{EDGE, Environment, Mechanism, Moment, WORTH_IT, atoms, per_token};
use crate::cascade::{
    lending::{Lending, Op},
    metrics::Case,
    setup::{COLLATERAL_UNIT, QUOTE_UNIT},
};

/// Accounts in one transaction of a keeper.
pub const BATCH: usize = 24;

/// The engine itself: a keeper without capital, and buyers of inventory.
pub struct Breakwater {
    ledger: KeeperLedger,
}

impl Breakwater {
    /// With its backstop funded.
    pub fn new(lending: &mut Lending, capital: Quote, clock: Clock) -> Result<Self> {
        if capital > Quote::ZERO {
            lending.market.fund_backstop(capital, clock)?;
        }
        Ok(Self {
            ledger: KeeperLedger::new(Key::default(), Key::default(), 0),
        })
    }

    /// Tries every account that is due, in batches, those nearest to insolvency first, until the rules let nobody
    /// further.
    fn liquidate(&mut self, judged: Price, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let threshold = environment.lending.due_from(judged);
        let mut aside = Vec::new();
        loop {
            let lending = &mut *environment.lending;
            let mut batch: Vec<u32> = std::iter::from_fn(|| lending.order.next(&lending.accounts, threshold))
                .take(BATCH)
                .collect();
            if batch.is_empty() {
                break;
            }
            aside.extend(&batch);
            let tried = self.batch(&batch, now, environment)?;
            let last = tried < BATCH;
            batch.truncate(tried);
            environment.lending.note(|| Op::Batch(batch));
            if last {
                break;
            }
        }
        for id in aside {
            environment
                .lending
                .order
                .push(id, &environment.lending.accounts[id as usize]);
        }
        Ok(())
    }

    /// One transaction. How many were tried: accounts come in the order of their LTV, so that once one has to wait
    /// nobody is left who would be taken over.
    fn batch(&mut self, batch: &[u32], now: &Moment, environment: &mut Environment<'_>) -> Result<usize> {
        let Lending { market, accounts, .. } = &mut *environment.lending;
        let index = market.books_at(now.clock)?.pool.index;
        let mut liquidations = market.liquidations(&now.prices, now.clock)?;
        let (mut tried, mut partials) = (0, 0);
        let mut changed = Vec::with_capacity(batch.len());
        for &id in batch {
            tried += 1;
            let account = &mut accounts[id as usize];
            let before = *account;
            match liquidations.liquidate(account, &mut self.ledger) {
                Ok(done) => {
                    if !done.taken_over {
                        partials += done.repaid.0;
                    }
                    let case = Case {
                        debt: index.debt(before.debt_shares)?,
                        collateral: before.collateral,
                        repaid: done.repaid,
                        seized: done.seized,
                        returned: Quote::ZERO,
                    };
                    changed.push((id, before, done, case));
                }
                Err(Error::AccountHealthy | Error::NoDebt | Error::AccountCooldown | Error::CollateralBelowDebt) => {}
                Err(Error::GuardedFlowUsed | Error::PipelineFull | Error::PriceGapTooWide) => break,
                Err(error) => return Err(error),
            }
        }
        for (id, before, done, case) in &changed {
            environment.lending.changed(*id, before);
            Self::count(done, case, environment);
        }
        if partials > 0 && environment.lending.market.stress(&now.prices, now.clock)?[0].cover < 0 {
            environment.metrics.uncovered += partials;
        }
        Ok(tried)
    }

    fn count(done: &Liquidation, case: &Case, environment: &mut Environment<'_>) {
        environment.metrics.bad_debt += done.deficit.0;
        environment.metrics.bounties += done.bounty.0;
        if done.taken_over {
            environment.metrics.taken_over += done.repaid.0;
        }
        let fair = environment.exchange.fair();
        environment
            .metrics
            .liquidation(&environment.lending.market.config, fair, case);
    }

    /// One informed owner; whether it paid.
    fn by_owner(&mut self, id: u32, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let lending = &mut *environment.lending;
        let before = lending.accounts[id as usize];
        let mut market = lending.market;
        let debt = lending.index.debt(before.debt_shares)?;
        // Not this account, or not now.
        let Ok(mut liquidations) = market.liquidations(&now.prices, now.clock) else {
            return Ok(());
        };
        let Ok(assessed) = liquidations.assess(&before) else {
            return Ok(());
        };
        let done = liquidations.liquidation(&assessed);
        let given = done.seized.0 as f64 / COLLATERAL_UNIT * environment.exchange.price() * QUOTE_UNIT;
        let gain = done.repaid.0 as f64 + done.bounty.0 as f64 - given;
        if gain <= 0.0 {
            return Ok(());
        }
        liquidations.liquidate(&mut lending.accounts[id as usize], &mut self.ledger)?;
        lending.market = market;
        lending.changed(id, &before);
        let case = Case {
            debt,
            collateral: before.collateral,
            repaid: done.repaid,
            seized: done.seized,
            returned: Quote::ZERO,
        };
        Self::count(&done, &case, environment);
        environment.metrics.informed += gain;
        environment.metrics.by_informed += done.repaid.0;
        Ok(())
    }

    /// A buyer takes what can be sold again with a gain.
    fn sell(now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let inventory = environment.lending.market.books.backstop.inventory;
        if inventory == Collateral::ZERO {
            return Ok(());
        }
        // An older reading serves to liquidate, but not to trade.
        let market = &mut environment.lending.market;
        let Some(prices) = unless_halted(market.known_prices(PriceUse::Sell, now.clock))? else {
            return Ok(());
        };
        let Some(offer) = unless_halted(market.offer(&prices, now.clock))? else {
            return Ok(());
        };
        let floor = per_token(offer.ask) * (1.0 + EDGE);
        if floor > environment.exchange.price() {
            return Ok(());
        }
        let amount = atoms(
            environment.exchange.down_to(floor).min(1e18 / COLLATERAL_UNIT),
            offer.available,
        );
        let cost = offer.ask.quote_ceil(amount)?;
        if amount == Collateral::ZERO || ((cost.0 as f64) < WORTH_IT * QUOTE_UNIT && amount < inventory) {
            return Ok(());
        }
        // A block costs the mean of the ask before and after it, a little more than its first atom's.
        let sale = environment
            .lending
            .market
            .buy_inventory(amount, Quote(u64::MAX), &prices, now.clock)?;
        environment.lending.note(|| Op::Buy(amount, sale.cost));
        let proceeds = environment.exchange.sell(amount);
        environment.metrics.agents += i128::from(proceeds.0) - i128::from(sale.cost.0);
        Ok(())
    }

    /// A deficit is settled as soon as there is one: what is left unpaid is the suppliers' loss.
    fn settle(now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let backstop = &environment.lending.market.books.backstop;
        let empty = backstop.inventory == Collateral::ZERO && backstop.cash == Quote::ZERO;
        if empty && backstop.debt_shares.0 > 0 {
            let settlement = environment.lending.market.settle_deficit(None, now.clock)?;
            environment.lending.note(|| Op::Settle);
            environment.metrics.written_off += settlement.suppliers.0;
        }
        Ok(())
    }
}

impl Mechanism for Breakwater {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        if let Some(prices) = unless_halted(now.prices.liquidation())? {
            self.liquidate(prices.judged, now, environment)?;
        }
        Self::sell(now, environment)?;
        Self::settle(now, environment)
    }

    fn informed(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let Some(prices) = unless_halted(now.prices.liquidation())? else {
            return Ok(());
        };
        let threshold = environment.lending.due_from(prices.judged);
        let mut aside = Vec::new();
        while let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) {
            aside.push(id);
            if environment.lending.informed[id as usize] {
                self.by_owner(id, now, environment)?;
            }
        }
        for id in aside {
            environment
                .lending
                .order
                .push(id, &environment.lending.accounts[id as usize]);
        }
        Ok(())
    }

    fn inventory(&self, lending: &Lending) -> Collateral {
        lending.market.books.backstop.inventory
    }

    fn equity(&self, lending: &Lending, price: Price) -> Result<i128> {
        let books = &lending.market.books;
        books.equity(price)
    }

    fn level(&self, now: &Moment) -> Level {
        now.prices.level()
    }
}
