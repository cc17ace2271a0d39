//! The keeper: no capital, only transactions.

use breakwater_engine::{
    Error, KeeperLedger, Level, MarginAccount, Price, Prices, Quote, actions::Liquidation, price::oracle::PriceUse,
};
use breakwater_testkit::ix;

use super::{Replay, RunError, promises::Case, refused, target, unless_halted};
use crate::{flow, record};

/// The engine's forecast for one account of a batch.
struct Foretold {
    account: usize,
    debt_before: Quote,
    stepped_before: i64,
    after: MarginAccount,
    outcome: Liquidation,
}

impl Replay<'_> {
    /// Liquidates every account that is due, in batches. Returns whether a transaction was sent.
    pub(super) fn liquidate(&mut self, prices: &Prices) -> Result<bool, RunError> {
        let Some(at) = unless_halted(prices.liquidation())? else {
            return Ok(false);
        };
        let price = at.judged;
        let due = self.due(price)?;
        let mut sent = false;
        for batch in due.chunks(self.scenario.keeper.batch) {
            sent |= self.liquidate_batch(batch)?;
        }
        if !due.is_empty() && prices.level() == Level::Normal {
            self.left_due(&self.due(price)?)?;
        }
        Ok(sent)
    }

    /// Counts who is still due: those that wait for the pipeline, and those that nothing excuses.
    fn left_due(&mut self, due: &[usize]) -> Result<(), RunError> {
        let (clock, mut market) = (self.demo.world.clock(), self.market);
        let prices = market.accept_prices(&self.demo.readings(), PriceUse::Liquidate, clock)?;
        let liquidations = market.liquidations(&prices, clock)?;
        for &account in due {
            match liquidations.assess(&self.accounts[account]) {
                Err(Error::PipelineFull) => self.metrics.waiting += 1,
                _ => self.metrics.left_due += 1,
            }
        }
        Ok(())
    }

    /// The accounts above their liquidation LTV.
    fn due(&self, price: Price) -> Result<Vec<usize>, RunError> {
        let clock = self.demo.world.clock();
        let mut due = Vec::new();
        for (i, account) in self.accounts.iter().enumerate() {
            if self.market.is_liquidatable(account, price, clock)? {
                due.push(i);
            }
        }
        Ok(due)
    }

    fn liquidate_batch(&mut self, batch: &[usize]) -> Result<bool, RunError> {
        let clock = self.demo.world.clock();
        let keeper = self.demo.keeper.clone();
        let mut market = self.market;
        let prices = market.accept_prices(&self.demo.readings(), PriceUse::Liquidate, clock)?;
        let mut ledger = self.ledger();
        let mut foretold = Vec::new();
        let index = market.books_at(clock)?.pool.index;
        let mut liquidations = market.liquidations(&prices, clock)?;
        for &account in batch {
            let mut after = self.accounts[account];
            let debt_before = index.debt(after.debt_shares)?;
            match liquidations.liquidate(&mut after, &mut ledger) {
                Ok(outcome) => foretold.push(Foretold {
                    account,
                    debt_before,
                    stepped_before: self.accounts[account].stepped_until,
                    after,
                    outcome,
                }),
                // Not now.
                Err(error) if error.skips_account() => {}
                Err(error) => return Err(error.into()),
            }
        }
        if foretold.is_empty() {
            return Ok(false);
        }
        let addresses: Vec<_> = foretold
            .iter()
            .map(|f| self.demo.borrowers[f.account].address)
            .collect();
        let instruction = ix::liquidate_batch(&self.demo.keys, &keeper.key(), &addresses);
        let tables = self.demo.tables.clone();
        self.demo
            .world
            .send_with_tables(&[instruction], &[&keeper], &tables)
            .map_err(refused("liquidate_batch"))?;

        self.market = self.demo.world.market_state(&self.demo.keys);
        let same = self.market == market && self.ledger() == ledger;
        self.metrics.foretold(clock.unix, "liquidate_batch", same);
        let headroom = prices.spot().quote_floor(self.market.pipeline_headroom(&prices)?)?;
        let full = headroom < self.market.config.min_debt;
        for Foretold {
            account,
            debt_before,
            stepped_before,
            after,
            outcome,
        } in foretold
        {
            self.accounts[account] = self.demo.world.margin_account(&self.demo.borrowers[account]);
            self.metrics
                .foretold(clock.unix, "an account's liquidation", self.accounts[account] == after);
            let config = &self.market.config;
            let case = Case::new(config, &prices, (debt_before, stepped_before), clock.unix, &outcome);
            self.metrics.promises(&case)?;
            if case.is_step() {
                self.stepped.push(flow::Flow {
                    unix: clock.unix,
                    atoms: outcome.repaid.0,
                });
            }
            if prices.level() == Level::Normal {
                if case.is_cut()? {
                    self.metrics.cut(full);
                } else {
                    self.metrics.target(target::miss(config, debt_before, &outcome)?);
                }
            }
            self.liquidated.insert(account);
            let (base, quote) = (&self.scenario.market.collateral, &self.scenario.market.quote);
            self.liquidations.push(record::Liquidation {
                unix: clock.unix,
                repaid: quote.tokens(outcome.repaid.0),
                seized: base.tokens(outcome.seized.0),
                worth: quote.tokens(outcome.price.quote_floor(outcome.seized)?.0),
                whole: outcome.whole,
            });
        }
        Ok(true)
    }

    /// The keeper takes its bounties.
    pub(super) fn claim(&mut self) -> Result<(), RunError> {
        if self.ledger().credit.0 > 0 {
            let keeper = self.demo.keeper.clone();
            self.demo
                .world
                .claim_bounty(&self.demo.keys, &keeper)
                .map_err(refused("claim_bounty"))?;
            self.market = self.demo.world.market_state(&self.demo.keys);
        }
        self.audit();
        Ok(())
    }

    pub(super) fn ledger(&mut self) -> KeeperLedger {
        self.demo.world.keeper_ledger(&self.demo.keys, &self.demo.keeper)
    }
}
