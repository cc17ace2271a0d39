//! The largest amount that an action accepts, by trying it: what is tried is the method that the program calls.

use breakwater_engine::{Error, Result};

/// The largest number that `attempt` accepts, or zero, and what one more is refused for. `attempt` accepts no number
/// beyond one that it refuses.
///
/// # Errors
/// The attempt's own, where no number would change it.
pub fn largest(attempt: impl Fn(u64) -> Result<()>) -> Result<(u64, Error)> {
    let accepted = |number: u128| u64::try_from(number).is_ok_and(|number| attempt(number).is_ok());
    let most = u64::try_from(last(u64::MAX.into(), accepted)).unwrap_or(u64::MAX);
    let refusal = most.checked_add(1).and_then(|more| attempt(more).err());
    match refusal.unwrap_or(Error::Overflow) {
        error if most == 0 && !is_about_the_amount(error) => Err(error),
        error => Ok((most, error)),
    }
}

/// True if another amount, or an account or a market in another state, could pass where this error refused.
pub fn is_about_the_amount(error: Error) -> bool {
    matches!(
        error,
        Error::InitialLtvExceeded
            | Error::StressCoverExceeded
            | Error::DebtBelowMinimum
            | Error::InsufficientLiquidity
            | Error::InsufficientCollateral
            | Error::AccountDebtCapReached
            | Error::DebtCapReached
            | Error::InsufficientGuardianShares
            | Error::BackstopCashInsufficient
            | Error::Overflow
    )
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

    #[test]
    fn the_largest_is_the_last_that_is_accepted_and_the_next_says_why() {
        let attempt = |limit: u64| {
            move |number: u64| {
                if number > limit {
                    Err(Error::DebtCapReached)
                } else {
                    Ok(())
                }
            }
        };
        for limit in [0, 1, 57, 1 << 40, u64::MAX - 1] {
            assert_eq!(largest(attempt(limit)), Ok((limit, Error::DebtCapReached)));
        }
        assert_eq!(
            largest(|_| Ok(())),
            Ok((u64::MAX, Error::Overflow)),
            "64 bits are the limit"
        );
    }

    #[test]
    fn what_no_amount_changes_is_an_error() {
        assert_eq!(largest(|_| Err(Error::MarketHalted)), Err(Error::MarketHalted));
        assert_eq!(
            largest(|_| Err(Error::StressCoverExceeded)),
            Ok((0, Error::StressCoverExceeded))
        );
    }
}
