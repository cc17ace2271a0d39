//! A market's price feeds as one value, by name.

use super::FeedPin;

/// One thing for each feed of a market: by default where its price comes from, [`FeedPin`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct Feeds<T = FeedPin> {
    /// USD price of the collateral token.
    pub collateral: T,
    /// USD price of the quote token.
    pub quote: T,
    /// USD price of what the collateral can be redeemed for, or no feed.
    pub base: T,
    /// The redemption rate, or no feed.
    pub rate: T,
}

idl_struct!(Feeds<FeedPin>, Borsh, None, [r" Where a market's prices come from."],
    [r" USD price of the collateral token."] collateral: FeedPin,
    [r" USD price of the quote token."] quote: FeedPin,
    [r" USD price of what the collateral can be redeemed for, or no feed."] base: FeedPin,
    [r" The redemption rate, or no feed."] rate: FeedPin,
);

impl Feeds<&str> {
    /// Their names.
    pub const NAMES: Self = Self {
        collateral: "collateral",
        quote: "quote",
        base: "base",
        rate: "rate",
    };
}

impl<T: Copy> Feeds<&T> {
    /// The same by value.
    #[inline]
    #[must_use]
    pub fn copied(self) -> Feeds<T> {
        self.map(|of| *of)
    }
}

impl<T> Feeds<T> {
    /// All four: collateral, quote, base, rate.
    #[inline]
    pub fn each(self) -> [T; 4] {
        [self.collateral, self.quote, self.base, self.rate]
    }

    /// The same by reference.
    #[inline]
    #[must_use]
    pub const fn as_ref(&self) -> Feeds<&T> {
        Feeds {
            collateral: &self.collateral,
            quote: &self.quote,
            base: &self.base,
            rate: &self.rate,
        }
    }

    /// `change` made to each, in the order of [`Feeds::each`].
    #[inline]
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Feeds<U> {
        Feeds {
            collateral: change(self.collateral),
            quote: change(self.quote),
            base: change(self.base),
            rate: change(self.rate),
        }
    }

    /// `change` made to each, in the order of [`Feeds::each`], until one fails.
    ///
    /// # Errors
    /// The first of `change`.
    #[inline]
    pub fn try_map<U, E>(self, mut change: impl FnMut(T) -> Result<U, E>) -> Result<Feeds<U>, E> {
        Ok(Feeds {
            collateral: change(self.collateral)?,
            quote: change(self.quote)?,
            base: change(self.base)?,
            rate: change(self.rate)?,
        })
    }

    /// Each beside the other's of the same feed.
    #[inline]
    pub fn zip<U>(self, other: Feeds<U>) -> Feeds<(T, U)> {
        Feeds {
            collateral: (self.collateral, other.collateral),
            quote: (self.quote, other.quote),
            base: (self.base, other.base),
            rate: (self.rate, other.rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_keeps_its_name() {
        let numbers = Feeds {
            collateral: 1,
            quote: 2,
            base: 3,
            rate: 4,
        };
        let named = Feeds::NAMES.zip(numbers.map(|number| number * 10));
        let all = [("collateral", 10), ("quote", 20), ("base", 30), ("rate", 40)];
        assert_eq!(named.each(), all);
        assert_eq!(named.as_ref().map(|(_, number)| *number).each(), [10, 20, 30, 40]);
        let odd = |number: u32| if number < 3 { Ok(number) } else { Err(number) };
        assert_eq!(numbers.try_map(odd), Err(3), "the first one");
        assert_eq!(
            numbers.map(|_| 1).try_map(odd),
            Ok(Feeds {
                collateral: 1,
                quote: 1,
                base: 1,
                rate: 1
            })
        );
    }
}
