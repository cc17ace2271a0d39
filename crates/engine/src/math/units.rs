//! Units as types: atoms of one token cannot be added to atoms of the other.

use crate::{
    error::{Error, Result},
    math::num,
};
use borsh::{BorshDeserialize, BorshSerialize};
use bytemuck::{Pod, Zeroable};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable, BorshSerialize, BorshDeserialize,
        )]
        pub struct $name(pub u64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0);

            /// self + other, or [`Error::Overflow`].
            #[inline]
            pub fn plus(self, other: Self) -> Result<Self> {
                // Not `checked_add`, of which the compiler makes more instructions.
                if other.0 > u64::MAX.wrapping_sub(self.0) {
                    return Err(Error::Overflow);
                }
                Ok(Self(self.0.wrapping_add(other.0)))
            }

            /// self − other, or [`Error::Overflow`] if other is larger. Where a caller can cause that, the action
            /// has checked it before, with an error of its own.
            #[inline]
            pub fn minus(self, other: Self) -> Result<Self> {
                self.0.checked_sub(other.0).map(Self).ok_or(Error::Overflow)
            }

            /// self, if it is not zero; otherwise [`Error::ZeroAmount`].
            #[inline]
            pub fn nonzero(self) -> Result<Self> {
                if self.0 == 0 { Err(Error::ZeroAmount) } else { Ok(self) }
            }
        }
    };
}

amount!(
    /// Atoms of the quote token: the token that is supplied and borrowed.
    Quote
);
amount!(
    /// Atoms of the collateral token.
    Collateral
);
amount!(
    /// Shares of the pool's debt. Debt in atoms is shares × [`Index`], rounded up.
    DebtShares
);
amount!(
    /// Shares of the pool's assets: atoms of the market's LP mint.
    LpShares
);

amount!(
    /// Shares of the guardians' claim on the backstop.
    GuardianShares
);

/// A ratio in basis points: 10,000 is one.
#[repr(transparent)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable, BorshSerialize, BorshDeserialize,
)]
pub struct Bps(pub u32);

impl Bps {
    /// The ratio as a factor for 64-bit products.
    #[inline]
    #[must_use]
    pub fn factor(self) -> u64 {
        u64::from(self.0)
    }

    /// one + self, in basis points.
    #[inline]
    #[must_use]
    pub fn above_one(self) -> u64 {
        num::BPS.wrapping_add(self.factor()) // both below 2^33
    }

    /// one + self, for penalties: far from the end of 32 bits.
    #[inline]
    #[must_use]
    pub fn plus_one(self) -> Self {
        Self(num::WHOLE.0.wrapping_add(self.0))
    }

    /// one − self, in basis points; zero if self is above one.
    #[inline]
    #[must_use]
    pub fn below_one(self) -> u64 {
        num::BPS.saturating_sub(self.factor())
    }
}

/// 32 bytes that name something on chain. The engine compares and stores them and reads nothing into them.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, BorshSerialize, BorshDeserialize)]
pub struct Key(pub [u8; 32]);

/// When an action happens, by the chain's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since 1970.
    pub unix: i64,
    /// The chain's slot.
    pub slot: u64,
}

impl Clock {
    /// Seconds since `moment`, seconds since 1970; zero where the clock has not reached it. Not by a saturating
    /// difference, which costs five times as much on chain.
    #[inline]
    #[must_use]
    pub fn since(self, moment: i64) -> u64 {
        if self.unix > moment {
            self.unix.abs_diff(moment)
        } else {
            0
        }
    }
}

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, BorshSerialize, BorshDeserialize)]
        pub struct $name([u64; 2]);

        impl $name {
            /// From Q64.64.
            #[inline]
            #[must_use]
            pub const fn from_raw(raw: u128) -> Self {
                let (high, low) = num::split(raw);
                Self([low, high])
            }

            /// As Q64.64.
            #[inline]
            #[must_use]
            pub fn raw(self) -> u128 {
                let [low, high] = self.0;
                num::join(high, low)
            }
        }
    };
}

fixed!(
    /// Quote atoms for one collateral atom, Q64.64. Two words, low one first: a `u128` has another alignment on
    /// chain than on the host.
    Price
);
fixed!(
    /// Quote atoms of debt for one debt share, Q64.64. It only grows.
    Index
);
fixed!(
    /// Quote atoms with a fraction, Q64.64.
    Fixed
);

impl Price {
    /// The value of some collateral, rounded down: what an owner may borrow against is never overstated.
    #[inline]
    pub fn quote_floor(self, amount: Collateral) -> Result<Quote> {
        num::q_mul_floor(self.raw(), amount.0).map(Quote)
    }

    /// The cost of some collateral, rounded up, in favor of the seller.
    #[inline]
    pub fn quote_ceil(self, amount: Collateral) -> Result<Quote> {
        num::q_mul_ceil(self.raw(), amount.0).map(Quote)
    }

    /// The same price, prepared for many calls of [`Divisor::quote_floor`] and [`Divisor::collateral_floor`].
    ///
    /// # Errors
    /// [`Error::Overflow`] if the price is zero.
    pub fn divisor(self) -> Result<Divisor> {
        Ok(Divisor {
            price: self,
            reciprocal: num::Reciprocal::of(self.raw())?,
        })
    }

    /// self × `factor` ÷ 10,000, rounded down.
    #[inline]
    pub fn scale_down(self, factor: u64) -> Result<Self> {
        num::div_floor_small(num::q_times(self.raw(), factor)?, num::WHOLE.0).map(Self::from_raw)
    }

    /// self × `factor` ÷ 10,000, rounded up.
    #[inline]
    pub fn scale_up(self, factor: u64) -> Result<Self> {
        num::div_ceil(num::q_times(self.raw(), factor)?, u128::from(num::BPS)).map(Self::from_raw)
    }
}

/// A price prepared for many multiplications and divisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divisor {
    /// The price itself.
    pub price: Price,
    reciprocal: num::Reciprocal,
}

impl Divisor {
    /// See [`Price::quote_floor`].
    #[inline]
    pub fn quote_floor(&self, amount: Collateral) -> Result<Quote> {
        self.reciprocal.factor().floor(amount.0).map(Quote)
    }

    /// `part` ÷ the price, both in units of 2^-64, in the same units, rounded up.
    #[inline]
    pub(crate) fn fraction_up(&self, part: u64) -> Result<u64> {
        self.reciprocal.divide_up(part)
    }

    /// The collateral that some quote is worth, rounded down.
    #[inline]
    pub fn collateral_floor(&self, amount: Quote) -> Result<Collateral> {
        self.reciprocal.divide(amount.0).map(Collateral)
    }
}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Price {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.raw().cmp(&other.raw())
    }
}

impl Index {
    /// The debt of some shares, rounded up, in favor of the pool.
    #[inline]
    pub fn debt(self, shares: DebtShares) -> Result<Quote> {
        num::q_mul_ceil(self.raw(), shares.0).map(Quote)
    }

    /// The shares that a new loan creates, rounded up, in favor of the pool.
    #[inline]
    pub fn shares_for_loan(self, amount: Quote) -> Result<DebtShares> {
        num::q_div_ceil(amount.0, self.raw()).map(DebtShares)
    }

    /// The shares that a payment cancels, rounded down, in favor of the pool.
    #[inline]
    pub fn shares_for_payment(self, amount: Quote) -> Result<DebtShares> {
        num::q_div_floor(amount.0, self.raw()).map(DebtShares)
    }

    /// For many calls of [`num::Reciprocal::divide`], which then does what [`Index::shares_for_payment`] does.
    #[inline]
    pub fn reciprocal(self) -> Result<num::Reciprocal> {
        num::Reciprocal::of(self.raw())
    }
}
