//! Who asks for which loan, and what they do when it is refused.

use breakwater_engine::{Bps, Quote, math::num::BPS};

use super::paths::Day;

/// How the loan-to-values that people ask for are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Everybody asks for [`HIGHEST`].
    Crowded,
    /// Evenly from [`LOWEST`] to [`HIGHEST`].
    Spread,
}

/// Borrowers.
pub const COUNT: u64 = 180;
/// Loans asked for, whole quote tokens, in turn.
pub const SIZES: [u64; 6] = [5_000, 10_000, 20_000, 50_000, 100_000, 200_000];
/// Highest loan-to-value asked for: half a point below the initial LTV, for the price that counts is below spot.
pub const HIGHEST: Bps = Bps(6_950);
/// Lowest loan-to-value asked for.
pub const LOWEST: Bps = Bps(4_000);
/// Who is refused asks again at a loan-to-value so much lower …
pub const RUNG: u32 = 100;
/// … but not below this.
pub const GIVES_UP_BELOW: Bps = Bps(3_000);
/// Quote atoms of a token.
pub const QUOTE_UNIT: u64 = 1_000_000;

/// Somebody who will ask for a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borrower {
    /// When, seconds since 1970.
    pub at: i64,
    /// How much.
    pub loan: Quote,
    /// Against how much collateral: loan ÷ value at spot.
    pub ltv: Bps,
    /// True if there is more collateral: then the loan stays and the collateral grows when it is refused. Otherwise the
    /// collateral stays and the loan shrinks.
    pub has_more: bool,
}

/// One request: a loan, and the value of the collateral for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Quote atoms.
    pub loan: Quote,
    /// Quote atoms at spot.
    pub value: Quote,
}

impl Borrower {
    /// Requests made, one after the other, until something is granted.
    pub fn requests(self) -> impl Iterator<Item = Request> {
        let own = self.loan.0 * BPS / u64::from(self.ltv.0);
        let rungs = (GIVES_UP_BELOW.0..=self.ltv.0).rev().step_by(RUNG as usize);
        rungs.map(move |ltv| {
            let ltv = u64::from(ltv);
            if self.has_more {
                Request {
                    loan: self.loan,
                    value: Quote(self.loan.0 * BPS / ltv),
                }
            } else {
                Request {
                    loan: Quote((own * ltv).div_ceil(BPS)),
                    value: Quote(own),
                }
            }
        })
    }
}

/// Everybody, in the order in which they come: evenly over a day, their loan-to-values in no order.
pub fn borrowers(shape: Shape, day: &Day) -> Vec<Borrower> {
    /// Has no factor in common with [`COUNT`].
    const STRIDE: u64 = 77;
    const SIZE_COUNT: u64 = 6;
    let (Some(first), Some(last)) = (day.prints.first(), day.prints.last()) else {
        return Vec::new();
    };
    let length = last.unix - first.unix;
    let one = |i: u64| {
        let place = i * STRIDE % COUNT;
        let ltv = match shape {
            Shape::Crowded => u64::from(HIGHEST.0),
            Shape::Spread => u64::from(LOWEST.0) + u64::from(HIGHEST.0 - LOWEST.0) * place / (COUNT - 1),
        };
        Borrower {
            at: first.unix + length * i64::try_from(i).unwrap_or(0) / i64::try_from(COUNT).unwrap_or(1),
            loan: Quote(SIZES[usize::try_from(i).unwrap_or(0) % SIZES.len()] * QUOTE_UNIT),
            ltv: Bps(u32::try_from(ltv).unwrap_or(HIGHEST.0)),
            has_more: (i / SIZE_COUNT).is_multiple_of(2),
        }
    };
    (0..COUNT).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::paths;

    #[test]
    fn who_has_more_adds_to_it_and_the_others_take_less() {
        let borrower = |has_more| Borrower {
            at: 0,
            loan: Quote(69_500_000),
            ltv: HIGHEST,
            has_more,
        };
        let request = |loan, value| Request {
            loan: Quote(loan),
            value: Quote(value),
        };
        let more: Vec<_> = borrower(true).requests().collect();
        assert_eq!(more[0], request(69_500_000, 100_000_000));
        assert_eq!(more[20], request(69_500_000, 140_404_040));
        let less: Vec<_> = borrower(false).requests().collect();
        assert_eq!(less[0], request(69_500_000, 100_000_000));
        assert_eq!(less[20], request(49_500_000, 100_000_000));
        // 69.5%, 68.5%, … 30.5%
        assert_eq!((more.len(), less.len()), (40, 40));
    }

    #[test]
    fn both_shapes_ask_for_the_same_loans_at_the_same_times() {
        let day = paths::day(false);
        let (crowded, spread) = (borrowers(Shape::Crowded, &day), borrowers(Shape::Spread, &day));
        for (one, other) in crowded.iter().zip(&spread) {
            assert_eq!((one.at, one.loan, one.has_more), (other.at, other.loan, other.has_more));
            assert_eq!(one.ltv, HIGHEST);
        }
        let mut ltvs: Vec<_> = spread.iter().map(|borrower| borrower.ltv).collect();
        ltvs.sort();
        ltvs.dedup();
        assert_eq!(ltvs.len() as u64, COUNT);
        assert_eq!((ltvs[0], ltvs[ltvs.len() - 1]), (LOWEST, HIGHEST));
        assert!(crowded.is_sorted_by_key(|borrower| borrower.at));
        assert!(crowded[crowded.len() - 1].at < day.prints[day.prints.len() - 1].unix);
    }
}
