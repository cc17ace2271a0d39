//! Liquidation of an account, as it would be, and the part of it that waits.

use crate::Quotes;
use breakwater_engine::{
    Bps, Config, Error, MarginAccount, Market, Price, Quote, Result,
    account::sizing::{Demand, Rules, Values},
    actions::Liquidation,
    price::oracle::PriceUse,
};

/// Liquidation of an account, as it would be now, and its limits. Quote atoms unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    /// h: decides whether the account is liquidated, and how far.
    pub judged_at: Price,
    /// l: what its collateral counts for when it changes hands.
    pub settled_at: Price,
    /// Debt that would be taken off it were there no limit: to the target, or all of it.
    pub wanted: Quote,
    /// The part of that whose turn it is now: while Guarded a step, else all of it.
    pub liquidatable: Quote,
    /// Liquidation that the program would make. `None` if it refuses with [`Error::PipelineFull`]: the account waits.
    pub done: Option<Liquidation>,
    /// The part of `due` that waits until the backstop has sold some of its inventory.
    pub waiting: Quote,
}

impl Quotes {
    /// Liquidation of the account, as it would be now.
    ///
    /// # Errors
    /// The errors of [`Market::liquidations`] and of liquidating one account: [`Error::AccountHealthy`] and the others
    /// of [`breakwater_engine::actions::Liquidations`].
    pub fn liquidation(&self, account: &MarginAccount) -> Result<Liquidation> {
        self.liquidation_in(self.market, account)
    }

    /// The same, with what limits it.
    ///
    /// # Errors
    /// The errors of [`Quotes::liquidation`] but for [`Error::PipelineFull`].
    pub fn preview(&self, account: &MarginAccount) -> Result<Preview> {
        let Self { market, prices, clock } = self;
        let at = prices.liquidation()?;
        let done = match self.liquidation(account) {
            Ok(done) => Some(done),
            Err(Error::PipelineFull) => None,
            Err(error) => return Err(error),
        };
        let rules = Rules::new(&market.config, market.liquidation_ltv(*clock), &at);
        let debt = market.books_at(*clock)?.pool.index.debt(account.debt_shares)?;
        let values = Values {
            judged: at.judged.quote_floor(account.collateral)?,
            settled: at.settled.quote_floor(account.collateral)?,
        };
        let wanted = Demand::of(&rules, debt, values)?.repay;
        let liquidatable = self.liquidation_in(self.with_headroom_for(account)?, account)?.repaid;
        let taken = done.map_or(Quote::ZERO, |done| done.repaid);
        Ok(Preview {
            judged_at: at.judged,
            settled_at: at.settled,
            wanted,
            liquidatable,
            done,
            waiting: liquidatable.minus(taken)?,
        })
    }

    fn liquidation_in(&self, mut market: Market, account: &MarginAccount) -> Result<Liquidation> {
        let prices = self.prices_for(PriceUse::Liquidate)?;
        let liquidations = market.liquidations(&prices, self.clock)?;
        Ok(liquidations.liquidation(&liquidations.assess(account)?))
    }

    /// The market, were its pipeline just large enough for all of the account's collateral beside what is held.
    fn with_headroom_for(&self, account: &MarginAccount) -> Result<Market> {
        let market = self.market;
        let all = market.books.backstop.inventory.plus(account.collateral)?;
        // Either of two costs is rounded by less than an atom.
        let headroom = self.prices.flow_price().quote_ceil(all)?.plus(Quote(2))?;
        Ok(Market {
            config: Config {
                market_depth: headroom,
                flow_rate: Bps(10_000),
                pipeline: 3_600,
                ..market.config
            },
            ..market
        })
    }
}
