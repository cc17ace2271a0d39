//! Who has what: samples for the plots, holdings for profit and loss, and the final record.

use breakwater_engine::{Collateral, Market, Price, Prices, Quote, price::oracle::PriceUse};

use super::{Ltvs, Replay, RunError, checks::Results, unless_halted};
use crate::{
    flow::{self, FlowBound},
    profit::{self, Everyone, Holdings, Overflow, Profits, debt_raw},
    record::{self, Beside, Limits, Record, Sample, Summary},
    rounding::fraction,
};

/// Holdings of the suppliers together, in units of 2^-64 quote atoms: the pool's cash and loans less its debt to the
/// backstop.
pub fn supplied(market: &Market) -> Result<i128, Overflow> {
    pool(market)?.value(0)
}

fn pool(market: &Market) -> Result<Holdings, Overflow> {
    let pool = &market.books.pool;
    Holdings::default()
        .quote(pool.cash.0)?
        .quote_raw(debt_raw(pool.debt_shares.0, pool.index.raw())?)?
        .quote_raw(-due(market)?)
}

fn due(market: &Market) -> Result<i128, Overflow> {
    i128::try_from(market.books.pool.reserves_owed.raw()).map_err(|_| Overflow)
}

impl Replay<'_> {
    /// Notes a fall of what suppliers own. Nobody supplies or withdraws during a replay and interest only adds, so a
    /// fall is a write-off.
    pub(super) fn write_offs(&mut self) -> Result<(), RunError> {
        let now = supplied(&self.market)?;
        self.written_off += (self.supplied - now).max(0);
        self.supplied = now;
        Ok(())
    }

    /// Everybody's holdings, from the token accounts and the books.
    pub(super) fn everyone(&mut self) -> Result<Everyone, RunError> {
        let keys = self.demo.keys;
        let (index, backstop) = (self.market.books.pool.index.raw(), self.market.books.backstop);
        let credit = self.ledger().credit.0;
        let world = &mut self.demo.world;
        let mut everyone = Everyone {
            suppliers: pool(&self.market)?,
            backstop: Holdings::default()
                .quote(backstop.cash.0)?
                .quote_raw(-(i128::from(backstop.unfunded_credits.0) << 64))?
                .quote_raw(due(&self.market)?)?
                .collateral(backstop.inventory.0)?
                .debt(backstop.debt_shares.0, index)?,
            keeper: Holdings::default().quote(credit)?,
            ..Everyone::default()
        };
        for account in &self.accounts {
            everyone.borrowers = everyone
                .borrowers
                .collateral(account.collateral.0)?
                .debt(account.debt_shares.0, index)?;
        }
        let borrowers = self.demo.borrowers.iter().map(|position| &position.owner);
        for (group, holdings) in [
            (self.demo.suppliers.iter().collect::<Vec<_>>(), &mut everyone.suppliers),
            (borrowers.collect(), &mut everyone.borrowers),
            (vec![&self.demo.keeper], &mut everyone.keeper),
            (self.demo.buyers.iter().collect(), &mut everyone.buyers),
        ] {
            for actor in group {
                *holdings = holdings
                    .quote(world.balance(actor, &keys.quote_mint))?
                    .collateral(world.balance(actor, &keys.collateral_mint))?;
            }
        }
        Ok(everyone)
    }

    /// LTV of every account that has debt, at the price of the moment.
    pub(super) fn ltvs(&self) -> Result<Vec<f64>, RunError> {
        let with_debt = self.debts_and_values()?.into_iter().filter(|(debt, _)| debt.0 > 0);
        Ok(with_debt.map(|(debt, value)| debt.0 as f64 / value.0 as f64).collect())
    }

    pub(super) fn debts_and_values(&self) -> Result<Vec<(Quote, Quote)>, RunError> {
        let price = self.prices(PriceUse::Observe)?.spot();
        let index = self.market.books_at(self.demo.world.clock())?.pool.index;
        let mut all = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            all.push((index.debt(account.debt_shares)?, price.quote_floor(account.collateral)?));
        }
        Ok(all)
    }

    /// Adds the market as it is now to the series.
    pub(super) fn sample(&mut self, prices: &Prices) -> Result<Sample, RunError> {
        let clock = self.demo.world.clock();
        let (base, quote) = (&self.scenario.market.collateral, &self.scenario.market.quote);
        let books = self.market.books_at(clock)?;
        let (pool, backstop) = (&books.pool, &books.backstop);
        let spot = prices.spot();
        let debt = pool.index.debt(backstop.debt_shares)?;
        let ask = if backstop.inventory == Collateral::ZERO {
            None
        } else {
            unless_halted(self.market.offer(prices, clock))?.map(|offer| offer.ask)
        };
        let sample = Sample {
            unix: clock.unix,
            level: prices.level(),
            price: self.per_token(spot),
            ema: self.per_token(prices.oracle_price().ema()?),
            inventory: base.tokens(backstop.inventory.0),
            cash: quote.tokens(backstop.cash.0),
            debt: quote.tokens(debt.0),
            equity: books.equity(spot)? as f64 / quote.unit(),
            discount: ask.map(|ask| 1.0 - ask.raw() as f64 / spot.raw() as f64),
            risk: self.measures(prices)?,
        };
        self.draw_map()?;
        self.samples.push(sample);
        Ok(sample)
    }

    /// A price is per atom; the same power of ten turns any of them into one per token.
    pub(super) fn per_token(&self, price: Price) -> f64 {
        let market = &self.scenario.market;
        price.raw() as f64 * market.collateral.unit() / market.quote.unit() / 2f64.powi(64)
    }

    /// Everything about the run.
    pub(super) fn record(self, profits: Profits, ltvs: Ltvs, beside: Beside, seconds: f64) -> Result<Record, RunError> {
        let market = &self.scenario.market;
        let (base, quote) = (&market.collateral, &market.quote);
        let config = &self.market.config;
        let sales_bound = FlowBound {
            atoms: config.hourly_flow().0,
            period: 3_600,
            burst: config.auction_burst,
        };
        let steps_bound = FlowBound {
            atoms: config.guarded_flow.0,
            period: config.guarded_window,
            burst: config.guarded_window,
        };
        let peak_sales = flow::peak(&self.sold, sales_bound);
        let peak_steps = flow::peak(&self.stepped, steps_bound);
        let bad_debt: u64 = self
            .debts_and_values()?
            .iter()
            .map(|(debt, value)| debt.0.saturating_sub(value.0))
            .sum();
        let equity = |sample: Option<&Sample>| sample.map_or(0.0, |s| s.equity);
        let measures = || self.samples.iter().filter_map(|sample| sample.risk);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let summary = Summary {
            accounts: count(self.accounts.len()),
            loans_cut: self.demo.loans_cut,
            loans_refused: self.demo.loans_refused,
            steps: count(self.samples.len().saturating_sub(1)),
            liquidations: count(self.liquidations.len()),
            accounts_liquidated: count(self.liquidated.len()),
            repaid: self.liquidations.iter().map(|l| l.repaid).sum(),
            seized: self.liquidations.iter().map(|l| l.seized).sum(),
            bad_debt_left: quote.tokens(bad_debt),
            supplier_loss: profit::atoms(self.written_off) / quote.unit(),
            identities_checked: self.metrics.identities_checked(),
            identities_failed: self.metrics.identities_failed(),
            peak_flow_over_bound: peak_sales.map_or(0.0, |peak| peak.ratio()),
            peak_steps_over_bound: peak_steps.map_or(0.0, |peak| peak.ratio()),
            seconds_at: record::seconds_at(&self.samples),
            level_changes: record::level_changes(&self.samples),
            backstop_equity_start: equity(self.samples.first()),
            backstop_equity_worst: self.samples.iter().map(|s| s.equity).fold(f64::INFINITY, f64::min),
            backstop_equity_end: equity(self.samples.last()),
            inventory_peak: self.samples.iter().map(|s| s.inventory).fold(0.0, f64::max),
            inventory_end: self.samples.last().map_or(0.0, |s| s.inventory),
            depth_ratio_lowest: measures().map(|m| m.depth_ratio).fold(f64::INFINITY, f64::min),
            gearing_highest: measures().map(|m| m.gearing).fold(0.0, f64::max),
            lowest_with: beside.with.lowest,
            lowest_without: beside.without.lowest,
            bad_debt_without: beside.without.bad_debt,
            seconds,
        };
        let checks = self.metrics.checks(&Results {
            peak_sales,
            peak_steps,
            bad_debt,
            written_off: self.written_off,
            profits: &profits,
        })?;
        Ok(Record {
            name: self.scenario.name.clone(),
            about: self.scenario.about.clone(),
            symbols: (base.symbol.clone(), quote.symbol.clone()),
            seed: self.scenario.seed,
            limits: Limits {
                target_ltv: fraction(config.target_ltv),
                liquidation_ltv: fraction(config.liquidation_ltv),
                takeover_ltv: fraction(config.takeover_ltv),
                max_discount: fraction(config.auction_max_discount),
                hourly_flow: quote.tokens(config.hourly_flow().0),
                burst: config.auction_burst,
            },
            samples: self.samples,
            map: self.map,
            liquidations: self.liquidations,
            sales: self.sales,
            before: ltvs.before,
            at_lowest: ltvs.at_lowest,
            after: ltvs.after,
            beside,
            profits,
            quote_unit: quote.unit(),
            checks,
            summary,
        })
    }
}
