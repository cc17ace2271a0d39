use breakwater_engine::{
    Clock, Collateral, Error, KeeperLedger, Key, Level, Price, Quote, Result, actions::Willing, oracle::Purpose,
};

use super::{EDGE, Mechanism, Moment, Stage, WORTH_IT, atoms, per_token};
use crate::cascade::{
    lending::{Lending, Op},
    setup::{COLLATERAL_UNIT, QUOTE_UNIT},
    tally::Case,
};

/// Accounts in one transaction of a keeper.
pub const BATCH: usize = 24;
/// How often an external liquidator halves what it wants until it pays.
const HALVINGS: u32 = 4;

/// The engine itself: a keeper without capital, buyers of inventory, and external liquidators when there is no room.
pub struct Breakwater {
    ledger: KeeperLedger,
}

/// Why a keeper stops for this step.
#[derive(Clone, Copy, PartialEq)]
enum Stop {
    NobodyDue,
    FlowUsed,
    Full,
}

/// What the breaker answers when prices are not good enough: nothing to be done now.
fn unless_stopped<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::MarketHalted | Error::ConfidenceTooWide | Error::PriceGapTooWide | Error::PriceTooOld) => Ok(None),
        Err(error) => Err(error),
    }
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

    /// Tries every account that is due, in batches, those nearest to insolvency first.
    fn liquidate(&mut self, price: Price, now: &Moment, stage: &mut Stage<'_>) -> Result<Stop> {
        let threshold = stage.lending.due_from(price);
        let mut aside = Vec::new();
        let mut stop = None;
        while stop.is_none() {
            let lending = &mut *stage.lending;
            let batch: Vec<u32> = std::iter::from_fn(|| lending.order.next(&lending.accounts, threshold))
                .take(BATCH)
                .collect();
            if batch.len() < BATCH {
                stop = Some(Stop::NobodyDue);
            }
            if batch.is_empty() {
                break;
            }
            aside.extend(&batch);
            if let Some(why) = self.batch(&batch, now, stage)? {
                stop = Some(why);
            }
            stage.lending.note(|| Op::Batch(batch));
        }
        for id in aside {
            stage.lending.order.push(id, &stage.lending.accounts[id as usize]);
        }
        Ok(stop.unwrap_or(Stop::NobodyDue))
    }

    fn batch(&mut self, batch: &[u32], now: &Moment, stage: &mut Stage<'_>) -> Result<Option<Stop>> {
        let Lending { market, accounts, .. } = &mut *stage.lending;
        let config = market.config;
        let index = market.books_at(now.clock)?.pool.index;
        let mut liquidations = market.liquidations(&now.prices, now.clock)?;
        let mut stop = None;
        let mut changed = Vec::with_capacity(batch.len());
        for &id in batch {
            let account = &mut accounts[id as usize];
            let before = *account;
            match liquidations.liquidate(account, &mut self.ledger) {
                Ok(done) => {
                    changed.push((id, before));
                    stage.tally.bad_debt += done.deficit.0;
                    let case = Case {
                        debt: index.debt(before.debt_shares)?,
                        collateral: before.collateral,
                        repaid: done.repaid,
                        seized: done.seized,
                        returned: Quote::ZERO,
                    };
                    stage.tally.liquidation(&config, stage.exchange.fair(), &case);
                }
                Err(Error::AccountHealthy | Error::NoDebt | Error::AccountCooling) => {}
                Err(Error::GuardedFlowUsed) => stop = Some(Stop::FlowUsed),
                Err(Error::BackstopFull) => {
                    liquidations.note_shortage();
                    stop = Some(Stop::Full);
                }
                Err(error) => return Err(error),
            }
        }
        for (id, before) in changed {
            stage.lending.changed(id, &before);
        }
        Ok(stop)
    }
}

impl Breakwater {
    /// While the backstop has no room: others liquidate with their own capital, as far as selling at once pays.
    fn external(price: Price, now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let threshold = stage.lending.due_from(price);
        let mut aside = Vec::new();
        while let Some(id) = stage.lending.order.next(&stage.lending.accounts, threshold) {
            aside.push(id);
            if !Self::external_one(id, now, stage)? {
                break;
            }
        }
        for id in aside {
            stage.lending.order.push(id, &stage.lending.accounts[id as usize]);
        }
        Ok(())
    }

    /// Whether to look at the next account.
    fn external_one(id: u32, now: &Moment, stage: &mut Stage<'_>) -> Result<bool> {
        let before = stage.lending.accounts[id as usize];
        let debt = stage.lending.debt(id)?;
        for halvings in 0..=HALVINGS {
            let max_repay = Quote((debt.0 >> halvings).max(1));
            let (mut market, mut account) = (stage.lending.market, before);
            let willing = Willing {
                max_repay,
                min_collateral: Collateral::ZERO,
            };
            let done = match market.liquidate_external(&mut account, willing, &now.prices, now.clock) {
                Ok(done) => done,
                // Not this account, or not now.
                Err(
                    Error::AccountInsolvent
                    | Error::AccountHealthy
                    | Error::AccountCooling
                    | Error::NoDebt
                    | Error::RepaymentTooSmall,
                ) => return Ok(true),
                Err(Error::BackstopHasRoom | Error::GuardedFlowUsed | Error::DebtBelowMinimum) => return Ok(false),
                Err(error) => return Err(error),
            };
            let worth = stage.exchange.worth(done.seized).0 as f64;
            if worth < done.repaid.0 as f64 * (1.0 + EDGE) {
                continue;
            }
            stage.lending.market = market;
            stage.lending.accounts[id as usize] = account;
            stage.lending.changed(id, &before);
            stage.lending.note(|| Op::External(id, max_repay));
            let case = Case {
                debt,
                collateral: before.collateral,
                repaid: done.repaid,
                seized: done.seized,
                returned: Quote::ZERO,
            };
            stage
                .tally
                .liquidation(&stage.lending.market.config, stage.exchange.fair(), &case);
            let proceeds = stage.exchange.sell(done.seized);
            stage.tally.agents += i128::from(proceeds.0) - i128::from(done.repaid.0);
            return Ok(halvings == 0);
        }
        Ok(false)
    }

    /// A buyer takes what can be sold again with a gain.
    fn sell(now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let inventory = stage.lending.market.books.backstop.inventory;
        if inventory == Collateral::ZERO {
            return Ok(());
        }
        // An older reading serves to liquidate, but not to trade.
        let market = &mut stage.lending.market;
        let Some(prices) = unless_stopped(market.accept_prices(&now.readings, Purpose::Trade, now.clock))? else {
            return Ok(());
        };
        let Some(offer) = unless_stopped(market.offer(&prices, now.clock))? else {
            return Ok(());
        };
        let floor = per_token(offer.ask) * (1.0 + EDGE);
        if floor > stage.exchange.price() {
            return Ok(());
        }
        let amount = atoms(
            stage.exchange.down_to(floor).min(1e18 / COLLATERAL_UNIT),
            offer.available,
        );
        let cost = offer.ask.cost(amount)?;
        if amount == Collateral::ZERO || ((cost.0 as f64) < WORTH_IT * QUOTE_UNIT && amount < inventory) {
            return Ok(());
        }
        let sale = stage.lending.market.buy_inventory(amount, cost, &prices, now.clock)?;
        stage.lending.note(|| Op::Buy(amount, cost));
        let proceeds = stage.exchange.sell(amount);
        stage.tally.agents += i128::from(proceeds.0) - i128::from(sale.cost.0);
        Ok(())
    }

    /// A deficit is settled as soon as there is one: what is left unpaid is the suppliers' loss.
    fn settle(now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let backstop = &stage.lending.market.books.backstop;
        let empty = backstop.inventory == Collateral::ZERO && backstop.cash == Quote::ZERO;
        if empty && backstop.debt_shares.0 > 0 {
            let settlement = stage.lending.market.settle_deficit(now.clock)?;
            stage.lending.note(|| Op::Settle);
            stage.tally.written_off += settlement.suppliers.0;
        }
        Ok(())
    }
}

impl Mechanism for Breakwater {
    fn step(&mut self, now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let price = unless_stopped(now.prices.liquidation(&stage.lending.market.config))?;
        if let Some(price) = price
            && self.liquidate(price, now, stage)? == Stop::Full
        {
            Self::external(price, now, stage)?;
        }
        Self::sell(now, stage)?;
        Self::settle(now, stage)
    }

    fn inventory(&self, lending: &Lending) -> Collateral {
        lending.market.books.backstop.inventory
    }

    fn equity(&self, lending: &Lending, price: Price) -> Result<i128> {
        let books = &lending.market.books;
        books.backstop.equity(&books.pool, price)
    }

    fn level(&self, now: &Moment) -> Level {
        now.prices.level()
    }
}
