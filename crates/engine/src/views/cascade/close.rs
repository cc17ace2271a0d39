//! How much of a debt is repaid at a price, and how much is sold for it.

use crate::{
    error::{Error, Result},
    math::{
        num::{self, BPS, WHOLE},
        units::Bps,
    },
};

/// How accounts are liquidated: what has been repaid of a debt when the price has fallen to u × the price at which the
/// account first was due, u ≤ 1, is the part
///
/// ```text
/// first + slope × (1 − u), and all from u = whole on
/// ```
///
/// That is exact where an account is found at that price; one that was liquidated before, at a better price, has repaid
/// no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The part of the debt that is repaid as soon as it is due, bps, rounded up.
    pub first: Bps,
    /// The addition to it as the price falls on, bps of the debt for each 10,000 of 1 − u, rounded up.
    pub slope: Bps,
    /// The u from which all of the debt is repaid, bps, rounded up.
    pub whole: Bps,
    /// Sales for a partial repayment, bps of it.
    pub sold_for: Bps,
    /// Sales for a whole debt, bps of it; no less than for a part.
    pub whole_for: Bps,
}

impl Close {
    /// All of the debt at once, selling `sold_for` times as much, bps.
    #[must_use]
    pub fn whole(sold_for: Bps) -> Self {
        Self {
            first: WHOLE,
            slope: Bps(0),
            whole: WHOLE,
            sold_for,
            whole_for: sold_for,
        }
    }

    /// A part of the debt, c, for collateral with a bonus b; the same of the rest when the account is due again. From
    /// λ the first leaves it at the LTV λ(1 − c) ÷ (1 − cλ(1 + b)), so it is due again at u₂ = (1 − c) ÷
    /// (1 − cλ(1 + b)). `slope` goes through what is repaid then, c + c(1 − c), and never below the steps.
    ///
    /// # Errors
    /// [`Error::Overflow`] if a liquidation does not lower the LTV: u₂ ≥ 1.
    pub fn in_parts(liquidation_ltv: Bps, part: Bps, bonus: Bps) -> Result<Self> {
        let sold_for = bonus.plus_one();
        if part >= WHOLE {
            return Ok(Self::whole(sold_for));
        }
        // 1 − u₂ = (c − cλ(1 + b)) ÷ (1 − cλ(1 + b)), so slope = c(1 − c) ÷ (1 − u₂) =
        // (1 − c)(1 − cλ(1 + b)) ÷ (1 − λ(1 + b)).
        let left = left_after(liquidation_ltv, sold_for)?;
        // cλ(1 + b) × 10,000², rounded down.
        let seized = num::part(CENT_MILLION.saturating_sub(left), part);
        let slope = num::mul_div_ceil(part.below_one(), CENT_MILLION.saturating_sub(seized), left)?;
        let slope = Bps(u32::try_from(slope).map_err(|_| Error::Overflow)?);
        // All is repaid where first + slope × (1 − u) = 1.
        let down = num::mul_div_floor(part.below_one(), BPS, slope.factor())?;
        Ok(Self {
            first: part,
            slope,
            whole: Bps(u32::try_from(BPS.saturating_sub(down)).unwrap_or(WHOLE.0)),
            sold_for,
            whole_for: sold_for,
        })
    }

    /// Liquidation back to a target LTV τ: with the LTV λ ÷ u, (1 − τu ÷ λ) ÷ (1 − τ(1 + β)) of the debt
    /// (see [`crate::account::sizing`]). From the LTV θ on all of it, and all of the collateral is sold.
    ///
    /// # Errors
    /// [`Error::Overflow`] if an LTV is zero, or τ(1 + β) not below one.
    pub fn to_target(liquidation_ltv: Bps, target_ltv: Bps, penalty: Bps, takeover_ltv: Bps) -> Result<Self> {
        let sold_for = penalty.plus_one();
        // λ(1 − τ(1 + β)), × 10,000³: below 2^47.
        let divisor = liquidation_ltv
            .factor()
            .saturating_mul(left_after(target_ltv, sold_for)?);
        let over = |part: u64| -> Result<Bps> {
            let part = num::mul_div_ceil(part, CENT_MILLION.saturating_mul(BPS), divisor)?;
            u32::try_from(part).map(Bps).map_err(|_| Error::Overflow)
        };
        let above = liquidation_ltv.factor().saturating_sub(target_ltv.factor());
        let whole = num::mul_div_ceil(liquidation_ltv.factor(), BPS, takeover_ltv.factor())?;
        let all = CENT_MILLION
            .checked_div(takeover_ltv.factor())
            .and_then(|all| u32::try_from(all.saturating_add(1)).ok())
            .ok_or(Error::Overflow)?;
        Ok(Self {
            first: over(above)?.min(WHOLE),
            slope: over(target_ltv.factor())?,
            whole: Bps(u32::try_from(whole).unwrap_or(WHOLE.0)).min(WHOLE),
            sold_for,
            whole_for: Bps(all).max(sold_for),
        })
    }
}

/// One, of two ratios in bps multiplied.
const CENT_MILLION: u64 = 100_000_000;

/// 1 − ltv × sold_for, × 10,000².
fn left_after(ltv: Bps, sold_for: Bps) -> Result<u64> {
    let seized = ltv.factor().saturating_mul(sold_for.factor());
    CENT_MILLION
        .checked_sub(seized)
        .filter(|left| *left > 0)
        .ok_or(Error::Overflow)
}
