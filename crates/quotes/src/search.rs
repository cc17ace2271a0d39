//! The largest amount that an action accepts, by trying it: what is tried is the method that the program calls.

use breakwater_engine::{Error, Result};

/// The largest number from `least` to `most` that `attempt` accepts, or zero. Within one `band` what is accepted is accepted
/// for all smaller numbers from `least` on too; `band` never falls.
///
/// # Errors
/// The attempt's own, where no number would change it.
pub fn largest(
    least: u64,
    most: u64,
    band: impl Fn(u64) -> Option<u8>,
    attempt: impl Fn(u64) -> Result<()>,
) -> Result<u64> {
    let mut high = most;
    let accepted = |amount| attempt(amount).is_ok();
    while high >= least {
        let here = band(high);
        let bottom = first(least, high, |amount| band(amount) == here);
        if accepted(bottom) {
            if accepted(high) {
                return Ok(high);
            }
            return Ok(first(bottom, high, |amount| !accepted(amount)) - 1);
        }
        high = bottom.saturating_sub(1);
    }
    match attempt(least) {
        Err(error) if !is_about_the_amount(error) => Err(error),
        _ => Ok(0),
    }
}

/// Whether another amount, or an account in another state, could do what was refused with this error.
pub fn is_about_the_amount(error: Error) -> bool {
    matches!(
        error,
        Error::InitialLtvExceeded
            | Error::BandOverloaded
            | Error::DebtBelowMinimum
            | Error::InsufficientLiquidity
            | Error::InsufficientCollateral
            | Error::AccountDebtCapReached
            | Error::DebtCapReached
            | Error::Overflow
    )
}

/// The smallest of `low..=high` for which `holds`, which holds for `high` and, once it does, for all above.
fn first(mut low: u64, mut high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The largest number up to `most` for which `holds`, if it holds for zero and, from some number on, no more.
pub fn last(most: u128, holds: impl Fn(u128) -> bool) -> u128 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = high - (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_found_at_both_ends_and_between() {
        for most in 0..20 {
            for end in 0..=most {
                assert_eq!(last(most, |n| n <= end), end);
            }
        }
        assert_eq!(last(u128::MAX, |_| true), u128::MAX);
    }

    /// Bands of ten; those of which the ten is listed refuse amounts ending above 4.
    fn accepted(limit: u64, overloaded: &'static [u64], min: u64, limit_error: Error) -> Result<u64> {
        let attempt = move |amount: u64| match amount {
            _ if amount > limit => Err(limit_error),
            _ if overloaded.contains(&(amount / 10)) && amount % 10 > 4 => Err(Error::BandOverloaded),
            _ => Ok(()),
        };
        largest(min, 100, |amount| u8::try_from(amount / 10).ok(), attempt)
    }

    #[test]
    fn an_overloaded_band_cuts_the_amount_or_sends_it_to_the_band_below() {
        let ltv = Error::InitialLtvExceeded;
        assert_eq!(accepted(57, &[], 1, ltv), Ok(57));
        assert_eq!(accepted(57, &[5], 1, ltv), Ok(54));
        assert_eq!(accepted(57, &[4, 5], 1, ltv), Ok(54));
        assert_eq!(accepted(57, &[], 58, ltv), Ok(0));
        assert_eq!(accepted(57, &[5], 55, ltv), Ok(0));
        assert_eq!(accepted(500, &[], 1, ltv), Ok(100));
    }

    #[test]
    fn a_cap_cuts_the_amount_too() {
        for cap in [Error::AccountDebtCapReached, Error::DebtCapReached] {
            assert_eq!(accepted(57, &[], 1, cap), Ok(57));
            assert_eq!(accepted(0, &[], 1, cap), Ok(0));
        }
    }

    #[test]
    fn a_band_that_refuses_everything_is_left_out() {
        let attempt = |amount: u64| {
            if (30..60).contains(&amount) {
                Err(Error::BandOverloaded)
            } else {
                Ok(())
            }
        };
        let band = |amount: u64| u8::try_from(amount / 10).ok();
        assert_eq!(largest(1, 55, band, attempt), Ok(29));
        assert_eq!(largest(1, 65, band, attempt), Ok(65));
    }

    #[test]
    fn what_no_amount_changes_is_an_error() {
        let refuse = |_| Err(Error::MarketHalted);
        assert_eq!(largest(1, 10, |_| Some(0), refuse), Err(Error::MarketHalted));
        // Nothing to withdraw from, and a halted market: the market is the reason.
        assert_eq!(largest(1, 0, |_| Some(0), refuse), Err(Error::MarketHalted));
    }
}
