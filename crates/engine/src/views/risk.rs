//! Measures of risk from the liquidation map.
//!
//! All of them take the market at a moment and a price; debts are at the present index. None changes anything.

use crate::{
    account::map,
    error::Result,
    market::{Books, Market},
    math::{
        num::{self, BPS},
        units::{Bps, Clock, DebtShares, Price, Quote},
    },
    price::guard::Prices,
};

/// Debt that is liquidated at prices from `edge` up to the next band's edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceBand {
    /// Lower edge, quote atoms per collateral atom, rounded down.
    pub edge: Price,
    /// Debt of the accounts in it, quote atoms, rounded up.
    pub debt: Quote,
}

/// The falls of the price, bps, at which [`Risk::debt_within`] is told.
pub const DROPS: [Bps; 5] = [Bps(100), Bps(200), Bps(500), Bps(1_000), Bps(2_000)];

/// A market's measures of risk at one price, by its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Risk {
    /// Threshold proximity: how far the price must fall to the upper edge of the nearest band below it with debt, bps,
    /// rounded down; zero if that is the price's own band. `None` without any.
    pub proximity: Option<Bps>,
    /// Debt of the accounts that falls of [`DROPS`] make liquidatable, quote atoms, rounded up.
    pub debt_within: [Quote; 5],
    /// Standard deviation of the price over the horizon, bps.
    pub deviation: Bps,
    /// S of admission, bps.
    pub admission_fall: Bps,
}

impl Market {
    /// One band of the liquidation map as prices and debt.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn price_band(&self, band: u8, clock: Clock) -> Result<PriceBand> {
        let index = self.books_at(clock)?.pool.index;
        let shares = self
            .map
            .bands
            .get(usize::from(band))
            .copied()
            .unwrap_or(DebtShares::ZERO);
        Ok(PriceBand {
            edge: self.map.edge(band, index, self.liquidation_ltv(clock))?,
            debt: index.debt(shares)?,
        })
    }

    /// All measures at these prices.
    ///
    /// # Errors
    /// The errors of [`Prices::liquidation`]; [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn risk(&self, prices: &Prices, clock: Clock) -> Result<Risk> {
        let books = self.books_at(clock)?;
        let price = prices.liquidation()?.judged;
        let view = View::new(self, &books, price, clock);
        let mut debt_within = [Quote::ZERO; 5];
        for (debt, drop) in debt_within.iter_mut().zip(DROPS) {
            *debt = view.debt_within(drop)?;
        }
        Ok(Risk {
            proximity: view.proximity()?,
            debt_within,
            deviation: self.volatility.deviation(&self.config),
            admission_fall: self.admission_fall(clock),
        })
    }
}

/// A market at one price.
struct View<'a> {
    market: &'a Market,
    books: &'a Books,
    price: Price,
    ltv: Bps,
    /// Where the map has the accounts that are liquidated at the price: see [`map::log_at`].
    log: i64,
}

impl<'a> View<'a> {
    fn new(market: &'a Market, books: &'a Books, price: Price, clock: Clock) -> Self {
        let ltv = market.liquidation_ltv(clock);
        Self {
            market,
            books,
            price,
            ltv,
            log: map::log_at(price, books.pool.index, ltv),
        }
    }

    /// Debt that would be liquidated by a fall of `drop`, what is due already included only as far as its band is the
    /// price's own. Rounded up.
    fn debt_within(&self, drop: Bps) -> Result<Quote> {
        let map = &self.market.map;
        let fallen = self.log.wrapping_add(map::log_of(drop.below_one()));
        let shares = map.shares_between(map.band_of(fallen), map.band_of(self.log));
        self.books.pool.index.debt(DebtShares(shares))
    }

    /// See [`Risk::proximity`].
    fn proximity(&self) -> Result<Option<Bps>> {
        let map = &self.market.map;
        let own = map.band_of(self.log);
        for band in (0..=own).rev() {
            if map.shares_between(band, band) == 0 {
                continue;
            }
            if band == own {
                return Ok(Some(Bps(0)));
            }
            let edge = map.edge(band.saturating_add(1), self.books.pool.index, self.ltv)?;
            let fall = num::q_times(self.price.raw().saturating_sub(edge.raw()), BPS)?;
            let fall = num::div_floor(fall, self.price.raw())?;
            return Ok(Some(Bps(u32::try_from(fall).unwrap_or(u32::MAX))));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
