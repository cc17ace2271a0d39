//! Profit and loss of every actor, exact to the last bit.
//!
//! An actor's holdings and debts are a number of collateral atoms and a Q64.64 number of quote atoms (a debt is shares
//! × index, which is not a whole number of atoms). Both are valued at one price, in units of 2^-64 quote atoms,
//! without any rounding: so the profits of all actors together are zero if and only if no token appeared or vanished
//! and the books split them without a gap.

use thiserror::Error;

/// A number left the range of 127 bits.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a value exceeds 127 bits")]
pub struct Overflow;

/// Holdings of one actor: own tokens and claims less debts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Holdings {
    quote: i128,
    collateral: i128,
}

impl Holdings {
    /// Adds quote atoms.
    pub fn quote(self, atoms: u64) -> Result<Self, Overflow> {
        self.quote_raw(i128::from(atoms) << 64)
    }

    /// Adds a quote amount in units of 2^-64 atoms; negative for a debt.
    pub fn quote_raw(self, raw: i128) -> Result<Self, Overflow> {
        Ok(Self {
            quote: self.quote.checked_add(raw).ok_or(Overflow)?,
            ..self
        })
    }

    /// Adds collateral atoms.
    pub fn collateral(self, atoms: u64) -> Result<Self, Overflow> {
        let collateral = self.collateral.checked_add(i128::from(atoms)).ok_or(Overflow)?;
        Ok(Self { collateral, ..self })
    }

    /// Subtracts a debt of `shares` at `index` (Q64.64).
    pub fn debt(self, shares: u64, index: u128) -> Result<Self, Overflow> {
        self.quote_raw(-debt_raw(shares, index)?)
    }

    /// Value at `price` (quote atoms per collateral atom, Q64.64), in units of 2^-64 quote atoms.
    pub fn value(&self, price: u128) -> Result<i128, Overflow> {
        let price = i128::try_from(price).map_err(|_| Overflow)?;
        let collateral = self.collateral.checked_mul(price).ok_or(Overflow)?;
        self.quote.checked_add(collateral).ok_or(Overflow)
    }
}

/// Debt of `shares` at `index` (Q64.64), in units of 2^-64 quote atoms.
pub fn debt_raw(shares: u64, index: u128) -> Result<i128, Overflow> {
    let raw = u128::from(shares).checked_mul(index).ok_or(Overflow)?;
    i128::try_from(raw).map_err(|_| Overflow)
}

/// All actors of a market, grouped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Everyone {
    /// Suppliers: own tokens and the pool's assets, less what the pool owes the backstop.
    pub suppliers: Holdings,
    /// Borrowers: own tokens and collateral, less debts.
    pub borrowers: Holdings,
    /// The backstop: cash, inventory and what the pool owes it, less debt and bounties owed.
    pub backstop: Holdings,
    /// The keeper: own tokens and bounties credited.
    pub keeper: Holdings,
    /// Buyers of inventory: own tokens.
    pub buyers: Holdings,
}

/// Profit of every group, in units of 2^-64 quote atoms.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Profits {
    /// Profit of the suppliers.
    pub suppliers: i128,
    /// Profit of the borrowers.
    pub borrowers: i128,
    /// Profit of the backstop.
    pub backstop: i128,
    /// Profit of the keeper.
    pub keeper: i128,
    /// Profit of the buyers.
    pub buyers: i128,
}

impl Profits {
    /// Value at the end less value in the beginning, both at the same price.
    pub fn between(start: &Everyone, end: &Everyone, price: u128) -> Result<Self, Overflow> {
        let profit = |start: &Holdings, end: &Holdings| -> Result<i128, Overflow> {
            end.value(price)?.checked_sub(start.value(price)?).ok_or(Overflow)
        };
        Ok(Self {
            suppliers: profit(&start.suppliers, &end.suppliers)?,
            borrowers: profit(&start.borrowers, &end.borrowers)?,
            backstop: profit(&start.backstop, &end.backstop)?,
            keeper: profit(&start.keeper, &end.keeper)?,
            buyers: profit(&start.buyers, &end.buyers)?,
        })
    }

    /// Every group by name.
    pub fn named(&self) -> [(&'static str, i128); 5] {
        [
            ("suppliers", self.suppliers),
            ("borrowers", self.borrowers),
            ("backstop", self.backstop),
            ("keeper", self.keeper),
            ("buyers", self.buyers),
        ]
    }

    /// The sum over all groups: zero, or tokens were made, lost or counted wrongly.
    pub fn sum(&self) -> Result<i128, Overflow> {
        self.named()
            .iter()
            .try_fold(0i128, |sum, (_, profit)| sum.checked_add(*profit))
            .ok_or(Overflow)
    }
}

/// A raw value as whole and fractional quote atoms, for people.
pub fn atoms(raw: i128) -> f64 {
    raw as f64 / 2f64.powi(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u128 = 1 << 64;

    fn holdings(quote: u64, collateral: u64) -> Holdings {
        Holdings::default()
            .quote(quote)
            .and_then(|h| h.collateral(collateral))
            .expect("small")
    }

    #[test]
    fn value_keeps_every_bit() {
        // Three shares at an index of 1 + 2^-64, and collateral at a price of 2 + 2^-64.
        let holdings = holdings(10, 5).debt(3, ONE + 1).expect("small");
        assert_eq!(holdings.value(2 * ONE + 1), Ok((17 << 64) + 5 - 3));
    }

    #[test]
    fn a_liquidation_is_zero_sum_however_uneven_the_index() {
        let (index, price) = (ONE + 0x1234_5678_9abc, 3 * ONE + 7);
        let start = Everyone {
            borrowers: holdings(0, 1_000).debt(2_000, index).expect("small"),
            suppliers: Holdings::default()
                .quote_raw(debt_raw(2_000, index).expect("small"))
                .expect("small"),
            ..Everyone::default()
        };
        // The backstop takes over 700 shares of debt and 400 atoms of collateral.
        let end = Everyone {
            borrowers: holdings(0, 600).debt(1_300, index).expect("small"),
            backstop: holdings(0, 400).debt(700, index).expect("small"),
            ..start
        };
        let profits = Profits::between(&start, &end, price).expect("small");
        assert_eq!(profits.sum(), Ok(0));
        assert_eq!(profits.suppliers, 0);
        assert_eq!(
            profits.backstop,
            (400 * price).cast_signed() - (700 * index).cast_signed()
        );
        assert_eq!(profits.borrowers, -profits.backstop);
    }

    #[test]
    fn one_missing_atom_shows_in_the_sum() {
        let start = Everyone {
            buyers: holdings(100, 0),
            ..Everyone::default()
        };
        let end = Everyone {
            buyers: holdings(99, 0),
            ..Everyone::default()
        };
        let profits = Profits::between(&start, &end, ONE).expect("small");
        assert_eq!(profits.sum(), Ok(-(1i128 << 64)));
        assert!((atoms(profits.buyers) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn overflow_is_an_error() {
        assert_eq!(holdings(0, u64::MAX).value(u128::MAX / 2), Err(Overflow));
        assert_eq!(Holdings::default().debt(u64::MAX, u128::MAX), Err(Overflow));
    }
}
