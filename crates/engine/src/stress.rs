//! The stress cover: could everyone under water be paid for if the price fell by S with nothing sold?
//!
//! With p = min(spot, guarded, own average) and q = p(1 − S):
//!
//! ```text
//! C = cash + reserves owed + inventory × q − backstop debt − unfunded credits − B(q)
//! B(q) = Σ over bands of the liquidation map: shares × max(0, index − q ÷ ρ)        ρ: the band's upper edge
//! ```
//!
//! B(q) is what the accounts' debts would exceed their collateral by. The map keeps its two sums N and M ([`crate::map`]), so
//!
//! ```text
//! C = cash + reserves owed + q × (inventory + M) − index × (backstop debt shares + N) − unfunded credits
//! ```
//!
//! which is two products, whatever the number of accounts. Cash includes the guardians' capital and excludes what is set aside
//! for keepers.
//!
//! | what | S | rule |
//! |---|---|---|
//! | borrowing, withdrawing against debt | [`Market::admission_fall`] | **A** = C − capital that has asked to leave: refused if A is negative after it and lower than before |
//! | withdrawing protocol equity | [`Market::volatile_fall`] | the same, without the announcement itself |
//! | partial liquidations | `stress_fall` | in full while C ≥ 0 after them, else within the pipeline: [`crate::actions`] |
//! | guardians' leaving | their request's own, from `stress_fall` to nothing | at most their part of max(0, C): [`crate::guardians`] |
//!
//! A **sentinel**, a key that watches other protocols' thresholds, may raise the S of borrowing and withdrawing against debt for some hours
//! ([`StressRaise`]). Nothing else looks at that, so a thief of the key holds nobody's money and stops no liquidation.
//!
//! A falling price may make C negative; that closes nothing else.

use crate::{
    backstop::Backstop,
    error::{Error, Result},
    guard::Prices,
    map::{LiquidationMap, Sums},
    market::{Books, Market},
    num::{self, Factor},
    position::MarginAccount,
    units::{Bps, Clock, Collateral, DebtShares, Index, Price, Quote},
};

/// A fallen price, and the first band of the liquidation map that is under water at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stress {
    /// q, quote atoms per collateral atom, rounded down.
    pub price: Price,
    pub(crate) threshold: u8,
    factor: Factor,
}

/// The stress cover as its two sides, quote atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Cash, reserves owed, inventory and the collateral under water at q, rounded down.
    pub assets: Quote,
    /// Debt of the backstop and of the accounts under water, rounded up, and unfunded credits.
    pub liabilities: Quote,
}

/// Most that a sentinel may raise the fall of admission by, bps.
pub const LARGEST_RAISE: Bps = Bps(1_000);
/// Time in which a raise falls to nothing, and time that it then rests, seconds.
pub const RAISE_SECONDS: i64 = 6 * 3_600;

stored! {
    /// What a sentinel has added to the fall of admission.
    StressRaise {
        /// When, seconds since 1970; zero if never.
        raised_at: i64,
        /// By how much at first, bps.
        points: Bps,
        /// Zeros.
        padding: [u8; 4],
    }
}

record! {
    /// A sentinel has raised the fall of admission.
    StressRaised {
        /// By how much, bps; from now on it falls on a straight line.
        points: Bps,
        /// When nothing of it is left, seconds since 1970.
        ends_at: i64,
        /// From when it can be raised again, seconds since 1970.
        rests_until: i64,
    }
}

/// Everything that the stress cover is made of. Quote atoms unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StressStatement {
    /// S, bps.
    pub fall: Bps,
    /// q, quote atoms per collateral atom.
    pub price: Price,
    /// B(q): what accounts under water at q would lack, rounded up.
    pub underwater: Quote,
    /// C at this S; negative where it does not suffice.
    pub cover: i128,
    /// Capital that has asked to leave: guardians' requests and the announced equity withdrawal.
    pub leaving: Quote,
}

impl Stress {
    /// After a fall of `fall` from `lowest`.
    ///
    /// # Errors
    /// [`Error::Overflow`], for prices that no reading can have.
    pub fn new(map: &LiquidationMap, index: Index, lowest: Price, fall: Bps) -> Result<Self> {
        let price = lowest.scale_down(fall.below_one())?;
        Ok(Self {
            price,
            threshold: map.threshold_at(price, index),
            factor: Factor::of(price.raw()),
        })
    }

    /// C of a backstop beside these bands of the map.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline]
    pub(crate) fn cover(
        &self,
        backstop: &Backstop,
        reserves_owed: Quote,
        index: &Factor,
        (map, sums): (&LiquidationMap, Sums),
    ) -> Result<Cover> {
        let under = map.under(sums);
        let collateral = backstop.inventory.plus(under.collateral)?;
        let value = Quote(self.factor.floor(collateral.0)?);
        let debt = Quote(index.ceil(backstop.debt_shares.plus(under.shares)?.0)?);
        Ok(Cover {
            assets: backstop.cash.plus(reserves_owed)?.plus(value)?,
            liabilities: debt.plus(backstop.unfunded_credits)?,
        })
    }
}

impl StressRaise {
    /// What is left of it at a moment, bps, rounded up: all of it at first, nothing after [`RAISE_SECONDS`].
    #[must_use]
    pub fn at(&self, clock: Clock) -> Bps {
        let elapsed = clock.unix.saturating_sub(self.raised_at).clamp(0, RAISE_SECONDS);
        let left = RAISE_SECONDS.saturating_sub(elapsed).unsigned_abs();
        let points = num::mul_div_ceil(self.points.factor(), left, RAISE_SECONDS.unsigned_abs());
        Bps(u32::try_from(points.unwrap_or(0)).unwrap_or(0))
    }
}

impl Cover {
    /// Whether C is below zero.
    #[inline]
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.assets < self.liabilities
    }

    /// C, quote atoms.
    #[must_use]
    pub fn value(&self) -> i128 {
        i128::from(self.assets.0).saturating_sub(i128::from(self.liabilities.0))
    }

    /// max(0, C), quote atoms.
    #[must_use]
    pub fn spare(&self) -> Quote {
        Quote(self.assets.0.saturating_sub(self.liabilities.0))
    }

    /// The cover without `leaving`, capital that has asked to leave: of which there may be any amount, quote atoms.
    fn without(&self, leaving: Quote) -> i128 {
        self.value().saturating_sub(i128::from(leaving.0))
    }
}

/// An account before and after what its owner wants to do.
#[derive(Clone, Copy)]
pub(crate) struct Move<'a> {
    pub before: &'a MarginAccount,
    pub after: &'a MarginAccount,
}

impl Move<'_> {
    fn ends(&self, map: &LiquidationMap) -> [(DebtShares, u8); 2] {
        [self.before, self.after].map(|account| (account.debt_shares, map.band_at(account.place)))
    }
}

impl Market {
    /// The fall that new risk must leave cover for, bps: [`Market::volatile_fall`], and what a sentinel has added.
    #[must_use]
    pub fn admission_fall(&self, clock: Clock) -> Bps {
        let raised = self.stress_raise.at(clock);
        Bps(self.volatile_fall().0.saturating_add(raised.0))
    }

    /// The fall that the price's volatility asks cover for, bps: S_base + `stress_volatility` × σ, at least S_base, at most
    /// `stress_max`. Rounded down.
    #[must_use]
    pub fn volatile_fall(&self) -> Bps {
        let config = &self.config;
        let deviation = self.volatility.deviation(config).factor();
        let added = num::scaled(deviation, config.stress_volatility);
        let fall = u64::from(config.stress_fall.0).saturating_add(added);
        Bps(u32::try_from(fall)
            .unwrap_or(u32::MAX)
            .min(config.stress_max.0)
            .max(config.stress_fall.0))
    }

    /// Raises the fall of admission by `points`, of which nothing is left after [`RAISE_SECONDS`]; who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::StressRaiseTooLarge`] if it is zero or above [`LARGEST_RAISE`]; [`Error::StressRaiseResting`] while an earlier one
    /// lasts, and for as long again.
    pub fn raise_stress(&mut self, points: Bps, clock: Clock) -> Result<StressRaised> {
        if points == Bps(0) || points > LARGEST_RAISE {
            return Err(Error::StressRaiseTooLarge);
        }
        let ends = |since: i64| since.saturating_add(RAISE_SECONDS);
        if clock.unix < ends(ends(self.stress_raise.raised_at)) {
            return Err(Error::StressRaiseResting);
        }
        self.stress_raise = StressRaise {
            raised_at: clock.unix,
            points,
            padding: [0; 4],
        };
        let ends_at = ends(clock.unix);
        Ok(StressRaised {
            points,
            ends_at,
            rests_until: ends(ends_at),
        })
    }

    /// C of `books` after a fall of `fall`, quote atoms.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn cover_of(&self, books: &Books, lowest: Price, fall: Bps) -> Result<Cover> {
        let stress = Stress::new(&self.map, books.pool.index, lowest, fall)?;
        let sums = self.map.sums_from(stress.threshold);
        let index = Factor::of(books.pool.index.raw());
        stress.cover(&books.backstop, books.reserves_owed(), &index, (&self.map, sums))
    }

    /// Refuses a move that leaves A negative and lower than it was.
    ///
    /// # Errors
    /// [`Error::StressCoverExceeded`], [`Error::Overflow`].
    pub(crate) fn check_admission(&self, books: &Books, moved: &Move, lowest: Price, clock: Clock) -> Result<()> {
        let stress = Stress::new(&self.map, books.pool.index, lowest, self.admission_fall(clock))?;
        let index = Factor::of(books.pool.index.raw());
        let leaving = self.leaving(books)?;
        let admission = |sums| {
            let owed = books.reserves_owed();
            let cover = stress.cover(&books.backstop, owed, &index, (&self.map, sums))?;
            Ok(cover.without(leaving))
        };
        let before = self.map.sums_from(stress.threshold);
        let [from, to] = moved.ends(&self.map);
        let after = admission(before.moved(stress.threshold, from, to))?;
        if after < 0 && after < admission(before)? {
            return Err(Error::StressCoverExceeded);
        }
        Ok(())
    }

    /// What has asked to leave: guardians' fixed claims, and the equity that is announced, quote atoms.
    fn leaving(&self, books: &Books) -> Result<Quote> {
        let requested = books.guardians.requested()?;
        // Any amount can be announced.
        Ok(Quote(requested.0.saturating_add(self.take_out.amount.0)))
    }

    /// Refuses to take protocol equity out of `books`, already without it, if what stays does not cover the fall of
    /// [`Market::volatile_fall`] beside what guardians have asked for, who come first. Without an accepted price nobody has a debt, and
    /// nothing is refused.
    ///
    /// # Errors
    /// [`Error::StressCoverExceeded`], [`Error::Overflow`].
    pub(crate) fn check_equity_withdrawal(&self, books: &Books, lowest: Price) -> Result<()> {
        let cover = self.cover_of(books, lowest, self.volatile_fall())?;
        if cover.without(books.guardians.requested()?) < 0 {
            return Err(Error::StressCoverExceeded);
        }
        Ok(())
    }

    /// C at `stress_fall` (first) and what A is made of, at the fall of admission (second), interest included; stores nothing.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn stress(&self, prices: &Prices, clock: Clock) -> Result<[StressStatement; 2]> {
        let books = self.books_at(clock)?;
        let leaving = self.leaving(&books)?;
        let at = |fall| {
            let stress = Stress::new(&self.map, books.pool.index, prices.lowest(), fall)?;
            let under = self.map.under(self.map.sums_from(stress.threshold));
            let debt = books.pool.index.debt(under.shares)?;
            let value = stress.price.value(under.collateral)?;
            Ok(StressStatement {
                fall,
                price: stress.price,
                underwater: Quote(debt.0.saturating_sub(value.0)),
                cover: self.cover_of(&books, prices.lowest(), fall)?.value(),
                leaving,
            })
        };
        Ok([at(self.config.stress_fall)?, at(self.admission_fall(clock))?])
    }

    /// The inventory that fits the pipeline beside what is held, collateral atoms, rounded down: (P − inventory), P at the
    /// higher EMA.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn pipeline_room(&self, prices: &Prices) -> Result<Collateral> {
        pipeline_room(&self.config, &self.books.backstop, prices.flow_price())
    }
}

/// See [`Market::pipeline_room`].
pub(crate) fn pipeline_room(config: &crate::Config, backstop: &Backstop, flow_price: Price) -> Result<Collateral> {
    // Pyth's average may say anything: what is more than can be counted leaves no room.
    let held = flow_price.cost(backstop.inventory).unwrap_or(Quote(u64::MAX));
    let left = config.pipeline_value().0.saturating_sub(held.0);
    if left == 0 {
        return Ok(Collateral::ZERO);
    }
    // Where that is more than collateral atoms can count, all that they can.
    Ok(flow_price.divisor()?.worth(Quote(left)).unwrap_or(Collateral(u64::MAX)))
}

#[cfg(test)]
mod tests;
