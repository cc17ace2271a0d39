use breakwater_engine::{Bps, Clock, Index, Market, Price, Result, account::sizing, math::num};

use super::{Entry, SMALL};

/// The figures that decide which accounts are liquidatable at one moment and price. Worked out once for all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Quote atoms for a debt share, interest included.
    pub index: Index,
    /// Quote atoms for a collateral atom.
    pub price: Price,
    /// The liquidation LTV, ramps included.
    pub ltv: Bps,
    /// From here an account is taken over whole.
    pub takeover_ltv: Bps,
}

impl Moment {
    /// The moment of a market at a price.
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn new(market: &Market, price: Price, clock: Clock) -> Result<Self> {
        Ok(Self {
            index: market.books_at(clock)?.pool.index,
            price,
            ltv: market.liquidation_ltv(clock),
            takeover_ltv: market.config.takeover_ltv,
        })
    }

    /// Agrees with [`Market::is_liquidatable`]. An account whose debt or value does not fit its type is not: the engine
    /// refuses it.
    #[must_use]
    pub fn is_liquidatable(&self, entry: &Entry) -> bool {
        self.exceeds(entry, self.ltv)
    }

    /// True if an account is beyond the take-over LTV. One that is at it to the atom is taken over too: the order in
    /// which accounts are looked at is all that this decides.
    #[must_use]
    pub fn is_taken_over(&self, entry: &Entry) -> bool {
        self.exceeds(entry, self.takeover_ltv)
    }

    fn exceeds(&self, entry: &Entry, ltv: Bps) -> bool {
        let (Ok(debt), Ok(value)) = (
            self.index.debt(entry.debt_shares),
            self.price.quote_floor(entry.collateral),
        ) else {
            return false;
        };
        sizing::exceeds(debt, value, ltv)
    }

    /// No account of [`SMALL`] shares or more with a ρ below this is liquidatable. As the bits of [`Entry::key`].
    ///
    /// With shares s, collateral c, index I, price P, LTV λ the engine asks for ⌈I s⌉ > λ ⌊P c⌋. That implies
    /// I s + 1 > λ (P c − 1), so
    ///
    /// ```text
    /// s/c  >  λ P/I  ÷  (1 + (1 + λ) / (I s))
    /// ```
    ///
    /// and s is at least [`SMALL`]. The factor before it stands for the roundings of the floating-point numbers, a
    /// millionfold.
    #[allow(clippy::cast_precision_loss, reason = "see above")]
    pub(super) fn bound(&self) -> u64 {
        let (index, price) = (self.index.raw() as f64, self.price.raw() as f64);
        let ltv = f64::from(self.ltv.0) / num::BPS as f64;
        let one = num::ONE as f64;
        let least_debt = index / one * SMALL as f64;
        let bound = (1.0 - 1e-9) * ltv * price / index / (1.0 + (1.0 + ltv) / least_debt);
        bound.to_bits()
    }
}
