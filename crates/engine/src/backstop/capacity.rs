//! The stress cover: could everyone under water be paid for if the price fell by S with nothing sold?
//!
//! With p = min(spot, guarded, own EMA) and q = p(1 − S):
//!
//! ```text
//! C = cash + reserves owed + inventory × q − backstop debt − unfunded credits − B(q)
//! B(q) = Σ over bands of the liquidation map: shares × max(0, index − q ÷ ρ)        ρ: the band's upper edge
//! ```
//!
//! B(q) is what the accounts' debts would exceed their collateral by. The map keeps its two sums N and M
//! ([`crate::account::map`]), so
//!
//! ```text
//! C = cash + reserves owed + q × (inventory + M) − index × (backstop debt shares + N) − unfunded credits
//! ```
//!
//! which is two products, whatever the number of accounts. Cash includes the guardians' capital and excludes what is
//! set aside for keepers.
//!
//! | what | S | rule |
//! |---|---|---|
//! | borrowing, withdrawing against debt | [`crate::Market::admission_fall`] | **A** = C − capital that has asked to leave: refused if A is negative after it and lower than before |
//! | withdrawing protocol equity | [`crate::Market::volatile_fall`] | the same, without the announcement itself |
//! | partial liquidations | `stress_fall` | in full while C ≥ 0 after them, else within the pipeline: [`crate::actions`] |
//! | guardians' leaving | their request's own, from `stress_fall` to nothing | at most their part of max(0, C): [`crate::backstop::guardians`] |
//!
//! A **sentinel**, a key that watches other protocols' thresholds, may raise the S of borrowing and withdrawing against
//! debt for some hours ([`StressRaise`]). Nothing else looks at that, so a thief of the key holds nobody's money and
//! stops no liquidation.
//!
//! A falling price may make C negative; that closes nothing else.

use crate::{
    account::map::{LiquidationMap, Sums},
    backstop::Backstop,
    error::Result,
    math::{
        num::{self, Factor},
        units::{Bps, Clock, Collateral, Index, Price, Quote},
    },
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
    /// Points that a sentinel has added to the fall of admission.
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
pub struct StressBalanceSheet {
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
    /// The rest of it at a moment, bps, rounded up: all of it at first, nothing after [`RAISE_SECONDS`].
    #[must_use]
    pub fn at(&self, clock: Clock) -> Bps {
        let elapsed = clock.unix.saturating_sub(self.raised_at).clamp(0, RAISE_SECONDS);
        let left = RAISE_SECONDS.saturating_sub(elapsed).unsigned_abs();
        let points = num::mul_div_ceil(self.points.factor(), left, RAISE_SECONDS.unsigned_abs());
        Bps(u32::try_from(points.unwrap_or(0)).unwrap_or(0))
    }
}

impl Cover {
    /// True if C is below zero.
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
    pub(crate) fn without(&self, leaving: Quote) -> i128 {
        self.value().saturating_sub(i128::from(leaving.0))
    }
}

/// See [`crate::Market::pipeline_headroom`].
pub(crate) fn pipeline_headroom(config: &crate::Config, backstop: &Backstop, flow_price: Price) -> Result<Collateral> {
    // Pyth's EMA may say anything: what is more than can be counted leaves no room.
    let held = flow_price.quote_ceil(backstop.inventory).unwrap_or(Quote(u64::MAX));
    let left = config.pipeline_value().0.saturating_sub(held.0);
    if left == 0 {
        return Ok(Collateral::ZERO);
    }
    // Where that is more than collateral atoms can count, all that they can.
    Ok(flow_price
        .divisor()?
        .collateral_floor(Quote(left))
        .unwrap_or(Collateral(u64::MAX)))
}
