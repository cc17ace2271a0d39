//! Measures of risk from the liquidation map, and the initial LTV that follows them.
//!
//! All of them take the market at a moment and a price; debts are at the present index. None changes anything.

use crate::{
    backstop::{BackstopPrices, Capacity},
    error::{Error, Result},
    guard::Prices,
    map,
    market::{Books, Market},
    num::{self, BPS},
    position::MarginAccount,
    units::{Bps, Clock, DebtShares, Price, Quote},
};

/// Debt that is liquidated at prices from `edge` up to the next band's edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceBand {
    /// Lower edge, quote atoms per collateral atom, rounded down.
    pub edge: Price,
    /// Debt of the accounts in it, quote atoms, rounded up.
    pub debt: Quote,
}

/// How far a new loan may go, and why not further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialLtv {
    /// The parameter, bps.
    pub base: Bps,
    /// What volatility takes off it, bps.
    pub volatility: Bps,
    /// What crowding takes off it, bps, rounded up.
    pub crowding: Bps,
    /// What is left, bps.
    pub limit: Bps,
}

/// The falls of the price, bps, at which [`Risk::depth_ratios`] are told.
pub const DROPS: [Bps; 5] = [Bps(100), Bps(200), Bps(500), Bps(1_000), Bps(2_000)];

/// What the map says about a market at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Risk {
    /// Debt that the backstop can still take over, quote atoms.
    pub room: Quote,
    /// Threshold proximity: how far the price must fall to the upper edge of the nearest band below it with debt, bps, rounded
    /// down; zero if that is the price's own band. `None` without any.
    pub proximity: Option<Bps>,
    /// Liquidity depth ratios: room ÷ debt that a fall of [`DROPS`] would liquidate, bps, rounded down; `u32::MAX` where it
    /// would liquidate nothing.
    pub depth_ratios: [Bps; 5],
    /// Cascade indicator: debt liquidated by the next 1% of a fall ÷ sales that cause such a fall (`market_depth`), bps. From
    /// 10,000 on, collateral dumped on the market at once would liquidate more than itself.
    pub cascade: Bps,
    /// Standard deviation of the price over the horizon, bps.
    pub deviation: Bps,
}

impl Market {
    /// The liquidation LTV at a moment, bps: it changes only along an announced [`crate::ramp`].
    #[must_use]
    pub fn liquidation_ltv(&self, clock: Clock) -> Bps {
        self.ramp.at(self.config.liquidation_ltv, clock)
    }

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
    /// Those of [`Prices::liquidation`]; [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn risk(&self, prices: &Prices, clock: Clock) -> Result<Risk> {
        let books = self.books_at(clock)?;
        let view = View::new(self, &books, &BackstopPrices::new(&self.config, prices)?, clock)?;
        let mut depth_ratios = [Bps(u32::MAX); 5];
        for (ratio, drop) in depth_ratios.iter_mut().zip(DROPS) {
            *ratio = ratio_of(view.room, view.debt_within(drop, None)?);
        }
        let next = view.debt_within(Bps(100), None)?;
        Ok(Risk {
            room: view.room,
            proximity: view.proximity()?,
            depth_ratios,
            cascade: ratio_of(next, self.config.market_depth),
            deviation: self.volatility.deviation(&self.config),
        })
    }

    /// The initial LTV for an account as it stands, and which haircuts apply. For quotes: the actions apply the same to the
    /// account as it would be afterwards.
    ///
    /// ```text
    /// limit = base − volatility haircut − crowding_max × (1 − min(LDR(crowding_drop), 1))
    /// ```
    ///
    /// # Errors
    /// Those of [`Market::risk`].
    pub fn initial_ltv(&self, account: &MarginAccount, prices: &Prices, clock: Clock) -> Result<InitialLtv> {
        let books = self.books_at(clock)?;
        let view = View::new(self, &books, &BackstopPrices::new(&self.config, prices)?, clock)?;
        view.initial_ltv(&Move {
            before: account,
            after: account,
        })
    }
}

/// An account as the map holds it, and as it would be, with its band.
pub(crate) struct Move<'a> {
    pub before: &'a MarginAccount,
    pub after: &'a MarginAccount,
}

/// A market at one moment and price.
pub(crate) struct View<'a> {
    market: &'a Market,
    books: &'a Books,
    price: Price,
    ltv: Bps,
    /// Where the map has the accounts that are liquidated at the price: see [`map::log_at`].
    log: i64,
    room: Quote,
}

impl<'a> View<'a> {
    pub fn new(market: &'a Market, books: &'a Books, at: &BackstopPrices, clock: Clock) -> Result<Self> {
        let config = &market.config;
        let capacity = Capacity::of(&books.backstop, &books.pool, at.stressed)?;
        let ltv = market.liquidation_ltv(clock);
        Ok(Self {
            market,
            books,
            price: at.price,
            ltv,
            log: map::log_at(at.price, books.pool.index, ltv),
            room: capacity.room(config, at, config.penalty_min)?,
        })
    }

    /// base − volatility − crowding; see [`Market::initial_ltv`].
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn initial_ltv(&self, moved: &Move) -> Result<InitialLtv> {
        let config = &self.market.config;
        let volatility = self.market.volatility.haircut(config);
        let crowding = self.crowding(self.debt_within(config.crowding_drop, Some(moved))?);
        let limit = config
            .initial_ltv
            .0
            .saturating_sub(volatility.0)
            .saturating_sub(crowding.0);
        Ok(InitialLtv {
            base: config.initial_ltv,
            volatility,
            crowding,
            limit: Bps(limit),
        })
    }

    /// crowding_max × (1 − min(room ÷ debt, 1)), rounded up.
    fn crowding(&self, debt: Quote) -> Bps {
        let most = self.market.config.crowding_max;
        let missing = debt.0.saturating_sub(self.room.0);
        if missing == 0 || most == Bps(0) {
            return Bps(0);
        }
        let (missing, debt) = if num::are_native(debt.0, 0) {
            (missing, debt.0)
        } else {
            // Of the leading bits alone, rounded up: less than 0.01 bps too much.
            ((missing >> 15).wrapping_add(1), debt.0 >> 15)
        };
        // missing > 0, and so debt.
        let haircut = missing.wrapping_mul(most.factor()).div_ceil(debt.max(1));
        Bps(u32::try_from(haircut).unwrap_or(u32::MAX)).min(most)
    }

    /// Refuses an account whose surroundings, `crowding_bands` on each side, would hold more than `band_limit` of the
    /// backstop's room, and more than `band_floor`.
    ///
    /// # Errors
    /// [`Error::BandOverloaded`], [`Error::Overflow`].
    pub fn check_band(&self, moved: &Move) -> Result<()> {
        let config = &self.market.config;
        let band = moved.after.band;
        let reach = u8::try_from(config.crowding_bands).unwrap_or(u8::MAX);
        let debt = self.debt_between(band.saturating_sub(reach), band.saturating_add(reach), Some(moved))?;
        let limit = num::scaled(self.room.0, config.band_limit);
        if debt.0 > limit.max(config.band_floor.0) {
            return Err(Error::BandOverloaded);
        }
        Ok(())
    }

    /// Debt that would be liquidated by a fall of `drop`, what is due already included only as far as its band is the
    /// price's own.
    fn debt_within(&self, drop: Bps, moved: Option<&Move>) -> Result<Quote> {
        let fallen = self.log.wrapping_add(map::log_of(drop.below_one()));
        self.debt_between(self.market.map.band_of(fallen), self.own_band(), moved)
    }

    /// The band of accounts that are liquidated at the price.
    fn own_band(&self) -> u8 {
        self.market.map.band_of(self.log)
    }

    /// Debt in the bands `from` to `to`, rounded up; with `moved`, as it would be after it.
    fn debt_between(&self, from: u8, to: u8, moved: Option<&Move>) -> Result<Quote> {
        let mut shares = self.market.map.shares_between(from, to);
        if let Some(Move { before, after }) = moved {
            let within = |account: &MarginAccount| {
                if (from..=to).contains(&account.band) {
                    account.debt_shares.0
                } else {
                    0
                }
            };
            shares = shares.saturating_sub(within(before)).saturating_add(within(after));
        }
        self.books.pool.index.debt(DebtShares(shares))
    }

    /// See [`Risk::proximity`].
    fn proximity(&self) -> Result<Option<Bps>> {
        let map = &self.market.map;
        let own = self.own_band();
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

/// a ÷ b, bps, rounded down; `u32::MAX` if b is nothing, or the ratio too large.
fn ratio_of(a: Quote, b: Quote) -> Bps {
    let ratio = num::mul_div_floor(a.0, BPS, b.0).ok();
    Bps(ratio.and_then(|ratio| u32::try_from(ratio).ok()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
