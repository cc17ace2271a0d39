//! How much of an account is liquidated, and at what penalty: closed form, no search.
//!
//! With debt D, collateral value V, target LTV τ and penalty β, repaying x and seizing x(1+β) of value leaves
//! (D − x) = τ (V − x(1+β)), so
//!
//! ```text
//! x = (D − τV) / (1 − τ(1+β))
//! ```

use crate::{
    config::Config,
    error::{Error, Result},
    num::{self, BPS, WHOLE, Width},
    units::{Bps, Collateral, Divisor, Quote},
};

/// How far a liquidation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To the target LTV.
    Partial,
    /// As far as the backstop has room.
    Cut,
    /// All of the debt, because the target needs it or the rest would be dust. The account can pay.
    Whole,
    /// All of the debt, because the LTV is at or beyond the insolvency LTV.
    Insolvent,
}

/// How much debt is to be taken off an account, before the collateral for it is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// How far it goes.
    pub extent: Extent,
    /// Debt to be taken off, quote atoms.
    pub repay: Quote,
    /// Penalty, bps of the debt repaid.
    pub penalty: Bps,
    /// What the debt exceeds the collateral by, quote atoms.
    pub deficit: Quote,
}

/// The terms of one liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How far it goes.
    pub extent: Extent,
    /// Debt taken off the account, quote atoms.
    pub repay: Quote,
    /// Collateral taken for it, atoms.
    pub seize: Collateral,
    /// What that collateral counts for, quote atoms: debt repaid and penalty, or the debt less the deficit.
    pub worth: Quote,
    /// Penalty, bps of the debt repaid.
    pub penalty: Bps,
    /// The same in quote atoms, rounded down; nothing if the collateral does not cover the debt.
    pub penalty_amount: Quote,
    /// What the debt exceeds the collateral by, quote atoms: the taker's loss.
    pub deficit: Quote,
}

/// Whether debt > `ltv` × value.
#[inline]
#[must_use]
pub fn exceeds(debt: Quote, value: Quote, ltv: Bps) -> bool {
    num::wide_small(debt.0, WHOLE.0) > num::wide_small(value.0, ltv.0)
}

/// What follows from debt and collateral value alone.
/// What an account is judged by: a market's parameters, but for those that a ramp or the guards replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// See [`Config::target_ltv`].
    pub target_ltv: Bps,
    /// See [`Config::liquidation_ltv`].
    pub liquidation_ltv: Bps,
    /// See [`Config::insolvency_ltv`].
    pub insolvency_ltv: Bps,
    /// See [`Config::penalty_min`].
    pub penalty_min: Bps,
    /// See [`Config::penalty_max`].
    pub penalty_max: Bps,
    /// See [`Config::min_debt`].
    pub min_debt: Quote,
}

impl Rules {
    /// The parameters themselves.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            target_ltv: config.target_ltv,
            liquidation_ltv: config.liquidation_ltv,
            insolvency_ltv: config.insolvency_ltv,
            penalty_min: config.penalty_min,
            penalty_max: config.penalty_max,
            min_debt: config.min_debt,
        }
    }
}

struct Judgement {
    penalty: Bps,
    /// To the target LTV, quote atoms; all of the debt if that is less, or if insolvent.
    repay: Quote,
    insolvent: bool,
}

/// Judges an account, in the narrowest integers that hold the products: see [`Width`].
#[inline]
fn judge(rules: &Rules, debt: Quote, value: Quote) -> Result<Judgement> {
    if num::are_native(debt.0, value.0) {
        judge_in::<u64>(rules, debt, value)
    } else {
        judge_in::<u128>(rules, debt, value)
    }
}

#[inline]
fn judge_in<W: Width>(rules: &Rules, debt: Quote, value: Quote) -> Result<Judgement> {
    let standing = Standing::<W>::of(rules, debt, value).ok_or(Error::AccountHealthy)?;
    let penalty = standing.penalty(rules, debt, value).ok_or(Error::Overflow)?;
    let insolvent = matches!(standing, Standing::Insolvent);
    let repay = if insolvent {
        debt
    } else {
        repayment::<W>(rules, debt, value, penalty).ok_or(Error::Overflow)?
    };
    Ok(Judgement {
        penalty,
        repay,
        insolvent,
    })
}

/// Where an account stands above the liquidation LTV.
enum Standing<W> {
    /// Below the insolvency LTV; everything times 10,000.
    Between {
        /// D − liquidation LTV × V.
        above: W,
        /// (insolvency LTV − liquidation LTV) × V; more than `above`.
        span: W,
    },
    /// At the insolvency LTV or beyond.
    Insolvent,
}

impl<W: Width> Standing<W> {
    /// `None` for a healthy account: debt ≤ liquidation LTV × value.
    #[inline]
    fn of(rules: &Rules, debt: Quote, value: Quote) -> Option<Self> {
        let debt = W::product(debt.0, WHOLE);
        let from = W::product(value.0, rules.liquidation_ltv);
        let to = W::product(value.0, rules.insolvency_ltv);
        if debt <= from {
            None
        } else if debt >= to {
            Some(Self::Insolvent)
        } else {
            Some(Self::Between {
                above: debt.minus(from)?,
                span: to.minus(from)?,
            })
        }
    }

    /// See [`penalty`].
    #[inline]
    fn penalty(&self, rules: &Rules, debt: Quote, value: Quote) -> Option<Bps> {
        let (low, high) = (rules.penalty_min, rules.penalty_max);
        let range = high.0.saturating_sub(low.0);
        let wanted = match self {
            Self::Between { above, span } if range > 0 => {
                // One basis point of penalty for so much above the threshold. Rounded up, so that the penalty is rounded
                // down; dividing twice keeps the numbers in 64 bits.
                let unit = span.divide_up(range)?;
                // above < span ≤ unit × range: the quotient is below the range, and the sum below high.
                Bps(low.0.wrapping_add(bps(above.quotient(unit)?)?.0))
            }
            Self::Between { .. } | Self::Insolvent => high,
        };
        // D(1 + β) ≤ V, or else β = V/D − 1.
        if W::product(debt.0, wanted.plus_one()) <= W::product(value.0, WHOLE) {
            return Some(wanted);
        }
        let surplus = value.0.saturating_sub(debt.0);
        bps(W::product(surplus, WHOLE).quotient(W::product(debt.0, Bps(1)))?)
    }
}

fn bps<W: Width>(ratio: W) -> Option<Bps> {
    u32::try_from(ratio.narrow()?).ok().map(Bps)
}

/// The penalty for an account of debt D and collateral value V, bps, rounded down: at most one basis point below the
/// exact value's own floor (for values of a few thousand atoms, a few), in favour of the account.
///
/// It rises linearly with LTV = D/V from β_min at the liquidation LTV to β_max at the insolvency LTV, and never
/// exceeds V/D − 1: so it never creates bad debt.
///
/// ```text
/// β = min( β_min + (β_max − β_min) × (D/V − liquidation) / (insolvency − liquidation),  β_max,  V/D − 1 )
/// ```
///
/// # Errors
/// [`Error::AccountHealthy`] unless debt > liquidation LTV × value; [`Error::Overflow`] for an invalid [`Config`].
pub fn penalty(config: &Config, debt: Quote, value: Quote) -> Result<Bps> {
    judge(&Rules::of(config), debt, value).map(|judgement| judgement.penalty)
}

/// x of the module's formula, rounded up, at most D; everything scaled by 10,000² to stay in integers.
#[inline]
fn repayment<W: Width>(rules: &Rules, debt: Quote, value: Quote, penalty: Bps) -> Option<Quote> {
    const SQUARE: u64 = BPS.wrapping_mul(BPS);
    let target = rules.target_ltv;
    let excess = W::product(debt.0, WHOLE).minus(W::product(value.0, target))?;
    // 10,000² × (1 − τ − τβ); the factors are below 2^32.
    let divisor = SQUARE
        .checked_sub(target.factor().wrapping_mul(BPS))?
        .checked_sub(target.factor().wrapping_mul(penalty.factor()))?;
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

/// The terms on which an account of `debt` and `collateral` is liquidated at `price`, were there room without limit.
///
/// Rounding: the repayment up, the seizure down; so the account ends at the target LTV or below it, within one atom
/// of each token, and seized value ≤ repaid × (1 + β).
///
/// # Errors
/// [`Error::AccountHealthy`] unless debt > liquidation LTV × value.
pub fn terms(config: &Config, debt: Quote, collateral: Collateral, price: &Divisor) -> Result<Terms> {
    Demand::of(&Rules::of(config), debt, price.value(collateral)?)?.terms(collateral, price)
}

impl Demand {
    /// On an account of `debt` whose collateral has this `value`.
    ///
    /// # Errors
    /// [`Error::AccountHealthy`] unless debt > liquidation LTV × value.
    #[inline]
    pub fn of(rules: &Rules, debt: Quote, value: Quote) -> Result<Self> {
        let Judgement {
            penalty,
            repay,
            insolvent,
        } = judge(rules, debt, value)?;
        // repay ≤ debt
        let dust = debt.0.wrapping_sub(repay.0) < rules.min_debt.0;
        let (extent, repay) = match (insolvent, dust) {
            (true, _) => (Extent::Insolvent, debt),
            (false, true) => (Extent::Whole, debt),
            (false, false) => (Extent::Partial, repay),
        };
        Ok(Self {
            extent,
            repay,
            penalty,
            deficit: Quote(debt.0.saturating_sub(value.0)),
        })
    }

    /// The same cut down to `room` quote atoms, for an account of `debt`. Insolvent accounts are never cut: hiding bad debt
    /// in accounts helps nobody.
    ///
    /// # Errors
    /// `otherwise` if nothing fits, or nothing without leaving dust.
    #[inline]
    pub fn within(self, config: &Config, debt: Quote, room: Quote, otherwise: Error) -> Result<Self> {
        if self.extent == Extent::Insolvent || self.repay <= room {
            return Ok(self);
        }
        let largest = debt.0.saturating_sub(config.min_debt.0);
        let repay = Quote(room.0.min(largest));
        if repay == Quote::ZERO {
            return Err(otherwise);
        }
        Ok(Self {
            extent: Extent::Partial,
            repay,
            ..self
        })
    }

    /// The terms for an account of `collateral` at `price`: collateral worth the debt repaid and the penalty, rounded down,
    /// at most all of it.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "handing the result over costs as much as a good part of the work"
    )]
    pub fn terms(self, collateral: Collateral, price: &Divisor) -> Result<Terms> {
        let Self {
            extent,
            repay,
            penalty,
            deficit,
        } = self;
        let (seize, worth, penalty_amount) = if deficit > Quote::ZERO {
            (collateral, Quote(repay.0.saturating_sub(deficit.0)), Quote::ZERO)
        } else {
            let extra = Quote(num::part(repay.0, penalty));
            let worth = repay.plus(extra)?;
            (price.worth(worth)?.min(collateral), worth, extra)
        };
        Ok(Terms {
            extent,
            repay,
            seize,
            worth,
            penalty,
            penalty_amount,
            deficit,
        })
    }
}

impl Terms {
    /// The same liquidation cut down to `room` quote atoms: see [`Demand::within`].
    ///
    /// # Errors
    /// `otherwise` if nothing fits, or nothing without leaving dust.
    #[inline]
    pub fn within(
        self,
        config: &Config,
        debt: Quote,
        collateral: Collateral,
        price: &Divisor,
        room: Quote,
        otherwise: Error,
    ) -> Result<Self> {
        let whole = self.demand();
        let cut = whole.within(config, debt, room, otherwise)?;
        if cut == whole {
            Ok(self)
        } else {
            cut.terms(collateral, price)
        }
    }

    /// What they were worked out for.
    #[inline]
    #[must_use]
    pub fn demand(&self) -> Demand {
        Demand {
            extent: self.extent,
            repay: self.repay,
            penalty: self.penalty,
            deficit: self.deficit,
        }
    }

    /// The keeper's bounty, quote atoms, rounded down: tip + share × repaid, at most half of the penalty. For an
    /// insolvent account, whose penalty may be nothing, the tip only, and only from the minimum debt on. No tip for what was
    /// cut to the backstop's room: making room by crumbs would earn a tip for each.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline]
    pub fn bounty(&self, config: &Config) -> Result<Quote> {
        if self.extent == Extent::Insolvent {
            return Ok(if self.repay >= config.min_debt {
                config.bounty_tip
            } else {
                Quote::ZERO
            });
        }
        let share = num::part(self.repay.0, config.bounty_share);
        let half_penalty = self.penalty_amount.0 / 2;
        let tip = if self.extent == Extent::Cut {
            0
        } else {
            config.bounty_tip.0
        };
        Ok(Quote(tip.saturating_add(share).min(half_penalty)))
    }
}

#[cfg(test)]
mod tests;
