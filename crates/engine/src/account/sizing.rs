//! How much of an account is liquidated, and at what penalty: closed form, no search.
//!
//! Accounts are judged at the higher of spot and guarded price, h, and settled at the lower, l. With debt D, collateral
//! values V_h and V_l, target LTV τ and penalty β, repaying x and seizing x(1+β) of value at l, which is x(1+β)h/l
//! at h, leaves (D − x) = τ (V_h − x(1+β)h/l), so
//!
//! ```text
//! x = (D − τV_h) / (1 − τ(1+β)h/l)
//! ```
//!
//! From the take-over LTV θ on, all of the debt is taken, and all of the margin: that is at most 1/θ − 1 of the
//! debt, and `takeover_penalty` covers it. A partial liquidation never takes more than there is: β ≤ V_l/D − 1.

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, BPS, WHOLE, Width},
        units::{Bps, Collateral, Divisor, Quote},
    },
    price::guard::LiquidationPrices,
};

/// How far a liquidation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To the target LTV, or a part of that.
    Partial,
    /// All of the debt, because the target needs it or the rest would be dust: at a partial's penalty and limits.
    Whole,
    /// All of the debt, because the LTV is at the take-over LTV or beyond.
    TakeOver,
}

/// How much debt is to be taken off an account, before the collateral for it is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// How far it goes.
    pub extent: Extent,
    /// Debt to be taken off, quote atoms.
    pub repay: Quote,
    /// Penalty, bps of the debt repaid, rounded down.
    pub penalty: Bps,
    /// V_l: the account's collateral at the price of settling, quote atoms.
    pub value: Quote,
}

/// The terms of one liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The demand that is met: its repayment is the debt taken off the account.
    pub demand: Demand,
    /// Collateral taken for it, atoms.
    pub seize: Collateral,
    /// Value of that collateral at l, quote atoms.
    pub worth: Quote,
    /// Penalty, quote atoms, rounded down; nothing if the collateral does not cover the debt.
    pub penalty_amount: Quote,
    /// Excess of the debt over the collateral's value at l, quote atoms: the backstop's loss. Only of a take-over.
    pub deficit: Quote,
}

/// The value of an account's collateral, quote atoms, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    /// V_h: at the price that accounts are judged at.
    pub judged: Quote,
    /// V_l: at the price that they are settled at.
    pub settled: Quote,
}

/// True if debt > `ltv` × value.
#[inline]
#[must_use]
pub fn exceeds(debt: Quote, value: Quote, ltv: Bps) -> bool {
    num::wide_small(debt.0, WHOLE.0) > num::wide_small(value.0, ltv.0)
}

/// Rules that an account is judged by: a market's parameters, the liquidation LTV as a ramp may have moved it, and the
/// figures that follow from the two prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// See [`Config::target_ltv`].
    pub target_ltv: Bps,
    /// See [`Config::liquidation_ltv`].
    pub liquidation_ltv: Bps,
    /// See [`Config::takeover_ltv`].
    pub takeover_ltv: Bps,
    /// See [`Config::penalty`].
    pub penalty: Bps,
    /// See [`Config::takeover_penalty`].
    pub takeover_penalty: Bps,
    /// See [`Config::min_debt`].
    pub min_debt: Quote,
    /// h ÷ l in units of 2^-32, rounded up; `None` if the two are further apart than `max_gap`.
    pub spread: Option<u64>,
}

impl Rules {
    /// The parameters themselves, at these prices.
    #[must_use]
    pub fn new(config: &Config, liquidation_ltv: Bps, prices: &LiquidationPrices) -> Self {
        Self::with_spread(config, liquidation_ltv, prices.spread(config.max_gap))
    }

    pub(crate) fn with_spread(config: &Config, liquidation_ltv: Bps, spread: Option<u64>) -> Self {
        Self {
            target_ltv: config.target_ltv,
            liquidation_ltv,
            takeover_ltv: config.takeover_ltv,
            penalty: config.penalty,
            takeover_penalty: config.takeover_penalty,
            min_debt: config.min_debt,
            spread,
        }
    }
}

/// Where an account stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Healthy,
    /// Above the liquidation LTV.
    Partial,
    /// At the take-over LTV or beyond.
    TakeOver,
}

/// In the narrowest integers that hold the products: see [`Width`].
#[inline]
fn standing<W: Width>(rules: &Rules, debt: Quote, value: Quote) -> Standing {
    let debt = W::product(debt.0, WHOLE);
    if debt <= W::product(value.0, rules.liquidation_ltv) {
        Standing::Healthy
    } else if debt >= W::product(value.0, rules.takeover_ltv) {
        Standing::TakeOver
    } else {
        Standing::Partial
    }
}

/// The wanted penalty, or what the collateral has left for one: min(wanted, V_l/D − 1), bps, rounded down. `None` if
/// the collateral is worth less than the debt.
#[inline]
fn affordable<W: Width>(wanted: Bps, debt: Quote, value: Quote) -> Option<Bps> {
    if W::product(debt.0, wanted.plus_one()) <= W::product(value.0, WHOLE) {
        return Some(wanted);
    }
    let surplus = value.0.checked_sub(debt.0)?;
    let ratio = W::product(surplus, WHOLE).quotient(W::product(debt.0, Bps(1)))?;
    u32::try_from(ratio.narrow()?).ok().map(Bps)
}

/// x of the module's formula, rounded up, at most D; everything scaled by 10,000² to stay in integers.
#[inline]
fn repayment<W: Width>(rules: &Rules, spread: u64, debt: Quote, value: Quote, penalty: Bps) -> Option<Quote> {
    const SQUARE: u64 = BPS.wrapping_mul(BPS);
    let target = rules.target_ltv;
    let excess = W::product(debt.0, WHOLE).minus(W::product(value.0, target))?;
    // 10,000² × τ(1+β): below 2^28; h/l is below two: the product stays below 2^61.
    let given = target.factor().wrapping_mul(penalty.above_one());
    let given = given.wrapping_mul(spread).div_ceil(1 << 32);
    // 10,000² × (1 − τ(1+β)h/l)
    let divisor = SQUARE.checked_sub(given)?;
    // excess × 10,000 ÷ divisor, quotient and remainder apart: so the product is small whatever the account.
    let (whole, rest) = excess.divide(u32::try_from(divisor).ok()?)?;
    let Some(whole) = whole.narrow().filter(|whole| *whole < debt.0) else {
        return Some(debt);
    };
    let Some(whole) = W::product(whole, WHOLE).narrow() else {
        return Some(debt);
    };
    // rest < divisor ≤ 10,000²
    let repay = whole.saturating_add(rest.wrapping_mul(BPS).div_ceil(divisor));
    Some(Quote(repay).min(debt))
}

/// The terms on which an account of `debt` and `collateral` is liquidated at one price, h = l, were there no limit.
///
/// Rounding: the repayment up, the seizure down; so the account ends at the target LTV or below it, within one atom
/// of each token, and seized value ≤ repaid × (1 + β).
///
/// # Errors
/// The errors of [`Demand::of`].
pub fn terms(config: &Config, debt: Quote, collateral: Collateral, price: &Divisor) -> Result<Terms> {
    let value = price.quote_floor(collateral)?;
    let prices = LiquidationPrices {
        judged: price.price,
        settled: price.price,
    };
    let rules = Rules::new(config, config.liquidation_ltv, &prices);
    let values = Values {
        judged: value,
        settled: value,
    };
    Demand::of(&rules, debt, values)?.terms(&rules, collateral, price)
}

impl Demand {
    /// On an account of `debt` whose collateral has these values.
    ///
    /// # Errors
    /// [`Error::AccountHealthy`] unless debt > liquidation LTV × V_h; of a partial liquidation
    /// [`Error::PriceGapTooWide`] if the two prices are further apart than `max_gap`, [`Error::CollateralBelowDebt`] if
    /// V_l < debt.
    #[inline]
    pub fn of(rules: &Rules, debt: Quote, values: Values) -> Result<Self> {
        if num::are_native(debt.0, values.judged.0) {
            Self::of_width::<u64>(rules, debt, values)
        } else {
            Self::of_width::<u128>(rules, debt, values)
        }
    }

    #[inline]
    fn of_width<W: Width>(rules: &Rules, debt: Quote, values: Values) -> Result<Self> {
        let value = values.settled;
        match standing::<W>(rules, debt, values.judged) {
            Standing::Healthy => Err(Error::AccountHealthy),
            Standing::TakeOver => Ok(Self {
                extent: Extent::TakeOver,
                repay: debt,
                penalty: affordable::<W>(rules.takeover_penalty, debt, value).unwrap_or(Bps(0)),
                value,
            }),
            Standing::Partial => {
                let spread = rules.spread.ok_or(Error::PriceGapTooWide)?;
                let penalty = affordable::<W>(rules.penalty, debt, value).ok_or(Error::CollateralBelowDebt)?;
                let repay = repayment::<W>(rules, spread, debt, values.judged, penalty).ok_or(Error::Overflow)?;
                // repay ≤ debt
                let dust = debt.0.wrapping_sub(repay.0) < rules.min_debt.0;
                let (extent, repay) = if dust {
                    (Extent::Whole, debt)
                } else {
                    (Extent::Partial, repay)
                };
                Ok(Self {
                    extent,
                    repay,
                    penalty,
                    value,
                })
            }
        }
    }

    /// The same cut down to `limit` quote atoms, for an account of `debt`. A rest below the minimum debt is left only
    /// where the cut would be a crumb otherwise. Take-overs are never cut: hiding bad debt in accounts helps nobody.
    ///
    /// # Errors
    /// `otherwise` if the limit is below the minimum debt and below what is wanted.
    #[inline]
    pub fn within(self, config: &Config, debt: Quote, limit: Quote, otherwise: Error) -> Result<Self> {
        let repay = self.most_within(config, debt, limit, otherwise)?;
        Ok(self.capped_to(repay))
    }

    /// Repayment that [`Demand::within`] leaves, quote atoms.
    #[inline]
    pub(crate) fn most_within(&self, config: &Config, debt: Quote, limit: Quote, otherwise: Error) -> Result<Quote> {
        if self.extent == Extent::TakeOver || self.repay <= limit {
            return Ok(self.repay);
        }
        let least = config.min_debt.min(self.repay);
        if limit < least {
            return Err(otherwise);
        }
        let largest = Quote(debt.0.saturating_sub(config.min_debt.0));
        Ok(if largest < least { limit } else { limit.min(largest) })
    }

    /// The same for `repay` quote atoms: a part of it, unless that is all.
    #[inline]
    pub(crate) fn capped_to(self, repay: Quote) -> Self {
        if repay == self.repay {
            return self;
        }
        Self {
            extent: Extent::Partial,
            repay,
            ..self
        }
    }

    /// The terms for an account of `collateral` at the price of settling: collateral worth the debt repaid and the
    /// penalty, rounded down, at most all of it; of a take-over all, but for what the rounding of the penalty leaves.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "handing the result over costs as much as a good part of the work"
    )]
    pub fn terms(self, rules: &Rules, collateral: Collateral, settled: &Divisor) -> Result<Terms> {
        let Self {
            extent,
            repay,
            penalty,
            value,
        } = self;
        if extent == Extent::TakeOver && penalty < rules.takeover_penalty {
            return Ok(Terms {
                demand: self,
                seize: collateral,
                worth: value,
                penalty_amount: Quote(value.0.saturating_sub(repay.0)),
                deficit: Quote(repay.0.saturating_sub(value.0)),
            });
        }
        let penalty_amount = Quote(num::part(repay.0, penalty));
        let worth = repay.plus(penalty_amount)?;
        Ok(Terms {
            demand: self,
            seize: settled.collateral_floor(worth)?.min(collateral),
            worth,
            penalty_amount,
            deficit: Quote::ZERO,
        })
    }
}

impl Terms {
    /// The keeper's bounty, quote atoms, rounded down: of a partial liquidation tip + share × repaid, at most half of
    /// the penalty; of a take-over tip + share × what the collateral pays of the debt, whatever the margin. At most
    /// `bounty_cap`.
    #[inline]
    #[must_use]
    pub fn bounty(&self, config: &Config) -> Quote {
        let paid = self.demand.repay.min(self.worth);
        let earned = config
            .bounty_tip
            .0
            .saturating_add(num::part(paid.0, config.bounty_share))
            .min(config.bounty_cap.0);
        Quote(match self.demand.extent {
            Extent::TakeOver => earned,
            Extent::Partial | Extent::Whole => earned.min(self.penalty_amount.0 / 2),
        })
    }

    /// The part of the penalty that guardians have a share of, quote atoms, rounded down: that of a partial
    /// liquidation.
    #[inline]
    #[must_use]
    pub fn shared_penalty(&self, config: &Config) -> Quote {
        match self.demand.extent {
            Extent::TakeOver => Quote(num::part(self.demand.repay.0, config.penalty)).min(self.penalty_amount),
            Extent::Partial | Extent::Whole => self.penalty_amount,
        }
    }
}

#[cfg(test)]
mod tests;
