//! The guardians' earnings, and the payment of a request to leave.

use crate::Quotes;
use breakwater_engine::{
    Bps, Clock, Error, GuardianPosition, GuardianShares, Guardians, Quote, Result, actions::GuardianWithdrawal,
    math::num,
};

/// The fall of the price at which [`GuardianYield::in_a_crash`] is told, bps.
pub const CRASH: Bps = Bps(2_000);
const HOUR: i64 = 3_600;
const HOURS_A_YEAR: u64 = 365 * 24;

/// Yield of the guardians' claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardianYield {
    /// The claim, quote atoms.
    pub claim: Quote,
    /// For standing by, at present interest and claim: bps a year, not compounded, rounded down. It is
    ///
    /// ```text
    /// interest rate × debt × reserve_factor × standby_share ÷ (claim + the protocol's capital and reserves)
    /// ```
    ///
    /// as the engine pays it for the next hour, × 8,760.
    pub standing_by: Bps,
    /// The part of each penalty that the claim earns, bps, at present equity.
    pub rate: Bps,
    /// Earnings of the claim from penalties if all debt within a fall of [`CRASH`] were liquidated after that fall,
    /// quote atoms, rounded down: see [`Quotes::shock`]. Its part of the deficits is not taken off.
    pub earned: Quote,
    /// The same ÷ claim, bps, rounded down.
    pub in_a_crash: Bps,
}

/// Payment of a guardian's request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Unpaid part of the request before that, quote atoms.
    pub unpaid: Quote,
    /// Quote atoms that it pays.
    pub amount: Quote,
    /// Reason for no more: [`Error::NothingRequested`] if that is all, [`Error::BackstopCashInsufficient`],
    /// [`Error::StressCoverExceeded`], also where others' requests have their part of it, or [`Error::ClaimWorthless`]
    /// where the backstop has less than all claims.
    pub bound_by: Error,
}

impl Quotes {
    /// Yield of the guardians' claim once somebody has put `more` quote atoms into it; nothing for an empty one.
    ///
    /// # Errors
    /// The errors of [`breakwater_engine::Market::guardian_deposit`] unless `more` is zero;
    /// [`breakwater_engine::Error::PriceOutOfRange`], [`breakwater_engine::Error::Overflow`].
    pub fn guardian_yield(&self, more: Quote) -> Result<GuardianYield> {
        let Self { clock, .. } = *self;
        let mut after = self.clone();
        after.market.books = after.market.books_at(clock)?;
        if more > Quote::ZERO {
            let mut position: GuardianPosition = bytemuck::Zeroable::zeroed();
            after
                .market
                .guardian_deposit(&mut position, more, GuardianShares::ZERO, Quote(u64::MAX), clock)?;
        }
        let market = &after.market;
        let (now, claim) = (&market.books, market.books.guardians.claim);
        let later = Clock {
            unix: clock.unix.saturating_add(HOUR),
            ..clock
        };
        let hour = earned(&market.books_at(later)?.guardians).saturating_sub(earned(&now.guardians));
        let year = hour.saturating_mul(HOURS_A_YEAR.into());

        let [stressed, _] = market.stress(&self.prices, clock)?;
        let equity = now.equity(stressed.price)?.max(0);
        let rate = now
            .guardians
            .rate(&market.config, u64::try_from(equity).unwrap_or(u64::MAX));
        let shared = after.shock(CRASH)?.shared;
        let crash = num::mul_div_floor(shared.0, rate.factor(), num::BPS)?;
        Ok(GuardianYield {
            claim,
            // Both in units of 2^-32: so the product stays far below 128 bits.
            standing_by: part(year >> 32, u128::from(claim.0) << 32),
            rate,
            earned: Quote(crash),
            in_a_crash: part(crash.into(), claim.0.into()),
        })
    }

    /// Payment of a guardian's request now, of `amount` quote atoms.
    ///
    /// # Errors
    /// The errors of [`breakwater_engine::Market::guardian_withdraw`].
    pub fn guardian_withdrawal(&self, position: &GuardianPosition, amount: Quote) -> Result<GuardianWithdrawal> {
        let (mut market, mut position) = (self.market, *position);
        market.guardian_withdraw(&mut position, amount, Quote::ZERO, self.clock)
    }

    /// How much a guardian's request pays now, and why not more.
    ///
    /// # Errors
    /// Where the amount is not what stands in the way: [`Error::NothingRequested`], [`Error::TimelockActive`], the
    /// price is not trusted.
    pub fn leaving(&self, position: &GuardianPosition) -> Result<Leaving> {
        let books = self.market.books_at(self.clock)?;
        let unpaid = position.in_epoch(books.guardians.epoch).unpaid(&books.guardians)?;
        let paid = self.guardian_withdrawal(position, Quote(u64::MAX))?;
        let bound_by = if paid.amount == unpaid {
            Error::NothingRequested
        } else if paid.amount == books.backstop.cash {
            Error::BackstopCashInsufficient
        } else if paid.unpaid == Quote::ZERO {
            Error::ClaimWorthless
        } else {
            Error::StressCoverExceeded
        };
        Ok(Leaving {
            unpaid,
            amount: paid.amount,
            bound_by,
        })
    }
}

/// The claim with its fraction, Q64.64.
fn earned(guardians: &Guardians) -> u128 {
    num::join(guardians.claim.0, guardians.fraction)
}

/// a ÷ b, bps, rounded down; nothing of nothing.
fn part(a: u128, b: u128) -> Bps {
    let bps = a.saturating_mul(num::BPS.into()).checked_div(b).unwrap_or(0);
    Bps(u32::try_from(bps).unwrap_or(u32::MAX))
}
