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
    /// All of the debt, because the target needs it or the rest would be dust. The account can pay.
    Whole,
    /// All of the debt, because the LTV is at or beyond the insolvency LTV.
    Insolvent,
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
    /// Penalty, bps of the debt repaid.
    pub penalty: Bps,
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
struct Judgement {
    penalty: Bps,
    /// To the target LTV, quote atoms; all of the debt if that is less, or if insolvent.
    repay: Quote,
    insolvent: bool,
}

/// Judges an account, in the narrowest integers that hold the products: see [`Width`].
#[inline]
fn judge(config: &Config, debt: Quote, value: Quote) -> Result<Judgement> {
    if num::are_native(debt.0, value.0) {
        judge_in::<u64>(config, debt, value)
    } else {
        judge_in::<u128>(config, debt, value)
    }
}

#[inline]
fn judge_in<W: Width>(config: &Config, debt: Quote, value: Quote) -> Result<Judgement> {
    let distance = Distance::<W>::of(config, debt, value).ok_or(Error::AccountHealthy)?;
    let insolvent = distance.is_insolvent();
    let penalty = distance.penalty(config, debt, value).ok_or(Error::Overflow)?;
    let repay = if insolvent {
        debt
    } else {
        repayment::<W>(config, debt, value, penalty).ok_or(Error::Overflow)?
    };
    Ok(Judgement {
        penalty,
        repay,
        insolvent,
    })
}

/// How far an account is between the liquidation LTV and the insolvency LTV; everything times 10,000.
struct Distance<W> {
    /// D − liquidation LTV × V.
    above: W,
    /// (insolvency LTV − liquidation LTV) × V.
    span: W,
}

impl<W: Width> Distance<W> {
    /// `None` for a healthy account: debt ≤ liquidation LTV × value.
    #[inline]
    fn of(config: &Config, debt: Quote, value: Quote) -> Option<Self> {
        let threshold = W::product(value.0, config.liquidation_ltv);
        let debt = W::product(debt.0, WHOLE);
        if debt <= threshold {
            return None;
        }
        let margin = Bps(config.insolvency_ltv.0.saturating_sub(config.liquidation_ltv.0));
        Some(Self {
            above: debt.minus(threshold)?,
            span: W::product(value.0, margin),
        })
    }

    #[inline]
    fn is_insolvent(&self) -> bool {
        self.above >= self.span
    }

    /// See [`penalty`].
    #[inline]
    fn penalty(&self, config: &Config, debt: Quote, value: Quote) -> Option<Bps> {
        let (low, high) = (config.penalty_min, config.penalty_max);
        let range = high.0.saturating_sub(low.0);
        let wanted = if self.is_insolvent() || range == 0 {
            high
        } else {
            // One basis point of penalty for so much above the threshold. Rounded up, so that the penalty is rounded
            // down; dividing twice keeps the numbers in 64 bits.
            let (unit, rest) = self.span.divide(range)?;
            let unit = unit.plus(u64::from(rest != 0))?;
            // above < span ≤ unit × range: the quotient is below the range, and the sum below high.
            Bps(low.0.wrapping_add(bps(self.above.quotient(unit)?)?.0))
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
    judge(config, debt, value).map(|judgement| judgement.penalty)
}

/// x of the module's formula, rounded up, at most D; everything scaled by 10,000² to stay in integers.
#[inline]
fn repayment<W: Width>(config: &Config, debt: Quote, value: Quote, penalty: Bps) -> Option<Quote> {
    const SQUARE: u64 = BPS.wrapping_mul(BPS);
    let target = config.target_ltv;
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
    let value = price.value(collateral)?;
    let Judgement {
        penalty,
        repay,
        insolvent,
    } = judge(config, debt, value)?;
    // repay ≤ debt
    let dust = debt.0.wrapping_sub(repay.0) < config.min_debt.0;
    let (extent, repay) = match (insolvent, dust) {
        (true, _) => (Extent::Insolvent, debt),
        (false, true) => (Extent::Whole, debt),
        (false, false) => (Extent::Partial, repay),
    };
    let (seize, deficit) = match debt.0.checked_sub(value.0) {
        Some(deficit) if deficit > 0 => (collateral, Quote(deficit)),
        _ => (seizure(repay, collateral, penalty, price)?, Quote::ZERO),
    };
    Ok(Terms {
        extent,
        repay,
        seize,
        penalty,
        deficit,
    })
}

impl Terms {
    /// The same liquidation cut down to `room` quote atoms. Insolvent accounts are never cut: hiding bad debt in
    /// accounts helps nobody.
    ///
    /// # Errors
    /// `otherwise` if nothing fits, or nothing without leaving dust.
    pub fn within(
        self,
        config: &Config,
        debt: Quote,
        collateral: Collateral,
        price: &Divisor,
        room: Quote,
        otherwise: Error,
    ) -> Result<Self> {
        if self.extent == Extent::Insolvent || self.repay <= room {
            return Ok(self);
        }
        let largest = debt.0.saturating_sub(config.min_debt.0);
        let repay = Quote(room.0.min(largest));
        if repay == Quote::ZERO {
            return Err(otherwise);
        }
        let seize = seizure(repay, collateral, self.penalty, price)?;
        Ok(Self {
            extent: Extent::Partial,
            repay,
            seize,
            ..self
        })
    }

    /// The keeper's bounty, quote atoms, rounded down: tip + share × repaid, at most half of the penalty. For an
    /// insolvent account, whose penalty may be nothing, the tip only, and only from the minimum debt on.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn bounty(&self, config: &Config) -> Result<Quote> {
        if self.extent == Extent::Insolvent {
            return Ok(if self.repay >= config.min_debt {
                config.bounty_tip
            } else {
                Quote::ZERO
            });
        }
        let share = num::part(self.repay.0, config.bounty_share);
        let half_penalty = num::part(self.repay.0, self.penalty) / 2;
        Ok(Quote(config.bounty_tip.0.saturating_add(share).min(half_penalty)))
    }
}

/// Collateral worth `repay` × (1 + β) at `price`, rounded down, at most all of it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "30 compute units less per liquidation")]
fn seizure(repay: Quote, collateral: Collateral, penalty: Bps, price: &Divisor) -> Result<Collateral> {
    let extra = num::part(repay.0, penalty);
    Ok(price.worth(repay.plus(Quote(extra))?)?.min(collateral))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::tests::CONFIG, units::Price};
    use proptest::prelude::*;

    fn one() -> Divisor {
        Price::from_raw(1 << 64).divisor().unwrap()
    }

    fn at_par(debt: u64, collateral: u64) -> Result<Terms> {
        terms(&CONFIG, Quote(debt), Collateral(collateral), &one())
    }

    #[test]
    fn a_worked_example() {
        // D = 850, V = 1,000: LTV 85%. β = 2% + 4% × 5/12 = 3.66%. x = (850 − 750) / (1 − 0.75 × 1.0366) = 449.34…
        let terms = at_par(850_000_000, 1_000_000_000).unwrap();
        assert_eq!(terms.penalty, Bps(366));
        assert_eq!(terms.extent, Extent::Partial);
        assert_eq!(terms.repay, Quote(449_337_228));
        assert_eq!(terms.seize, Collateral(465_782_970));
        // what is left: 400.66 of debt on 534.22 of collateral: 75%
        assert!(!exceeds(
            Quote(850_000_000 - 449_337_228),
            Quote(1_000_000_000 - 465_782_970),
            Bps(7_500)
        ));
    }

    #[test]
    fn the_edges_of_each_extent() {
        assert_eq!(at_par(800_000_000, 1_000_000_000), Err(Error::AccountHealthy));
        assert_eq!(at_par(800_000_001, 1_000_000_000).unwrap().extent, Extent::Partial);
        assert_eq!(at_par(919_999_999, 1_000_000_000).unwrap().extent, Extent::Partial);
        assert_eq!(at_par(920_000_000, 1_000_000_000).unwrap().extent, Extent::Insolvent);
        // x would leave less than the minimum debt of 10,000,000
        let whole = at_par(16_500_000, 20_000_000).unwrap();
        assert_eq!((whole.extent, whole.repay), (Extent::Whole, Quote(16_500_000)));
        assert!(whole.seize < Collateral(20_000_000));
    }

    #[test]
    fn bad_debt_is_taken_at_par_and_its_size_is_told() {
        let terms = at_par(1_100_000_000, 1_000_000_000).unwrap();
        assert_eq!((terms.penalty, terms.deficit), (Bps(0), Quote(100_000_000)));
        assert_eq!(
            (terms.repay, terms.seize),
            (Quote(1_100_000_000), Collateral(1_000_000_000))
        );
        let nothing_left = at_par(1_100_000_000, 0).unwrap();
        assert_eq!(
            (nothing_left.extent, nothing_left.deficit),
            (Extent::Insolvent, Quote(1_100_000_000))
        );
    }

    #[test]
    fn a_cut_never_leaves_dust() {
        let terms = at_par(900_000_000, 1_000_000_000).unwrap();
        let within = |room| {
            terms.within(
                &CONFIG,
                Quote(900_000_000),
                Collateral(1_000_000_000),
                &one(),
                Quote(room),
                Error::BackstopFull,
            )
        };
        assert_eq!(within(0), Err(Error::BackstopFull));
        assert_eq!(within(1_000).unwrap().repay, Quote(1_000));
        assert_eq!(within(u64::MAX).unwrap(), terms);
        let small = at_par(16_500_000, 20_000_000).unwrap();
        let within = |room| {
            small.within(
                &CONFIG,
                Quote(16_500_000),
                Collateral(20_000_000),
                &one(),
                Quote(room),
                Error::BackstopFull,
            )
        };
        assert_eq!(within(16_499_999).unwrap().repay, Quote(6_500_000));
        assert_eq!(within(16_500_000).unwrap(), small);
    }

    #[test]
    fn the_bounty_is_at_most_half_the_penalty() {
        let terms = at_par(850_000_000, 1_000_000_000).unwrap();
        assert_eq!(terms.bounty(&CONFIG), Ok(Quote(100_000 + 1_123_343)));
        let tiny = Terms {
            repay: Quote(1_000_000),
            ..terms
        };
        assert_eq!(tiny.bounty(&CONFIG), Ok(Quote(18_300)));
        let insolvent = at_par(950_000_000, 1_000_000_000).unwrap();
        assert_eq!(insolvent.bounty(&CONFIG), Ok(Quote(100_000)));
        let dust = at_par(9_999_999, 10_000_000).unwrap();
        assert_eq!(dust.bounty(&CONFIG), Ok(Quote::ZERO));
    }

    prop_compose! {
        fn config()(
            insolvency in 200u32..=10_000, a in 1u32..10_000, b in 0u32..10_000, c in 1u32..10_000,
            penalty_max in 0u32..=2_500, penalty_min in 0u32..=2_500,
        ) -> Config {
            let liquidation = 100 + a % (insolvency - 100);
            let target = 1 + liquidation - 1 - b % (liquidation - 1);
            Config {
                insolvency_ltv: Bps(insolvency),
                liquidation_ltv: Bps(liquidation.min(insolvency - 1)),
                target_ltv: Bps(target.min(insolvency - 1)),
                initial_ltv: Bps(c % target.max(2)),
                penalty_min: Bps(penalty_min.min(penalty_max)),
                penalty_max: Bps(penalty_max),
                ..CONFIG
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_liquidation_keeps_its_promises(
            config in config(), collateral in 1u64..1 << 53, raw in 1u128 << 40..1 << 80, ltv in 1u64..20_000,
        ) {
            prop_assume!(config.validate().is_ok());
            let price = Price::from_raw(raw);
            let Ok(value) = price.value(Collateral(collateral)) else { return Ok(()) };
            prop_assume!(value.0 > 0 && value.0 < 1 << 53);
            let debt = Quote((u128::from(value.0) * u128::from(ltv) / u128::from(BPS)) as u64);
            let result = terms(&config, debt, Collateral(collateral), &price.divisor().unwrap());
            if !exceeds(debt, value, config.liquidation_ltv) {
                prop_assert_eq!(result, Err(Error::AccountHealthy));
                return Ok(());
            }
            let terms = result.unwrap();
            prop_assert!(terms.repay <= debt && terms.seize.0 <= collateral);
            prop_assert!(terms.penalty <= config.penalty_max);
            // seized value ≤ repaid × (1 + β), unless the whole account is taken at par
            if terms.deficit == Quote::ZERO {
                let seized = price.value(terms.seize).unwrap();
                prop_assert!(num::wide(seized.0, BPS) <= num::wide(terms.repay.0, terms.penalty.above_one()));
            }
            let (debt_after, left) = (debt.0 - terms.repay.0, Collateral(collateral - terms.seize.0));
            let value_after = price.value(left).unwrap();
            match terms.extent {
                Extent::Partial => {
                    prop_assert!(debt_after >= config.min_debt.0);
                    // the account improves, and ends at the target within one atom of each token
                    prop_assert!(num::wide(debt_after, value.0) <= num::wide(debt.0, value_after.0 + 1));
                    prop_assert!(!exceeds(Quote(debt_after), Quote(value_after.0 + 1), config.target_ltv));
                    let one = price.cost(Collateral(1)).unwrap().0 + 2;
                    let gap = num::wide(value_after.0, config.target_ltv.factor()) as f64 - num::wide(debt_after, BPS) as f64;
                    prop_assert!(gap <= num::wide(one + 2, BPS) as f64 , "gap {}", gap);
                }
                Extent::Whole | Extent::Insolvent => prop_assert_eq!(debt_after, 0),
            }
            // the bounty never exceeds half of what the account paid
            if terms.extent != Extent::Insolvent {
                let bounty = terms.bounty(&config).unwrap();
                prop_assert!(num::wide(bounty.0, 2 * BPS) <= num::wide(terms.repay.0, terms.penalty.factor()));
            }
        }

        #[test]
        fn the_penalty_rises_with_the_ltv_until_it_would_create_bad_debt(debt in 1u64..1 << 50, more in 0u64..1 << 40) {
            let value = Quote(1 << 50);
            let debt = (1 << 49) + debt;
            let (Ok(a), Ok(b)) = (penalty(&CONFIG, Quote(debt), value), penalty(&CONFIG, Quote(debt + more), value)) else {
                prop_assert!(!exceeds(Quote(debt), value, CONFIG.liquidation_ltv));
                return Ok(());
            };
            // the formula of the doc comment, in floating point
            let (ltv, span) = (debt as f64 / value.0 as f64, 0.12);
            let exact = (200.0 + 400.0 * ((ltv - 0.8) / span).min(1.0)).min((1.0 / ltv - 1.0) * 1e4).max(0.0);
            prop_assert!(f64::from(a.0) <= exact + 1e-6 && f64::from(a.0) > exact - 1.001, "{a:?} {exact}");
            let cap_binds = num::wide(debt + more, b.above_one() + 1) > num::wide(value.0, BPS);
            prop_assert!(a <= b || cap_binds);
            if debt <= value.0 {
                prop_assert!(num::wide(debt, a.above_one()) <= num::wide(value.0, BPS));
            }
        }
    }
}
