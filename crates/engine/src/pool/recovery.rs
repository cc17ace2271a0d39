//! Debt that was written off, and what still comes back of it.
//!
//! A settlement writes off what even the highest price cannot bring ([`crate::actions`]). Proceeds of the inventory of
//! then beyond that belong to those who bore the loss: as long as some of it is held, the backstop's assets beyond its
//! debt pay back the written-off debt, before guardians and protocol get anything.
//!
//! ```text
//! keepers' credits → debt to the pool → written off → guardians' claim → protocol
//! ```
//!
//! While something is written off nobody joins: new suppliers would take part of what comes back, and new guardians'
//! capital would pay for an old loss. Gifts are welcome, and go to the suppliers.
//!
//! Each sale lowers the count of the inventory of then. With the last of it the account is closed: what has not come
//! back by then is lost for good, the guardians' claim with it, for it ranks behind, and the protocol's capital. If all
//! came back, the claim stands.
//!
//! Proceeds pay all debt first, also that of what was taken over since. So with the last of the inventory of then its
//! gain may be in what is held by then: if that is worth more than the debt by at least a tenth of what is written off
//! ([`CARRIED`](crate::market::CARRIED)), at the highest price, the account stays open, for that inventory; and while
//! the market is not Normal. Less is not worth keeping newcomers out for.

use crate::{
    error::{Error, Result},
    math::units::{Collateral, Quote},
};

stored! {
    /// Debt that was written off and may still be paid back. Zeros if there is none.
    Recovery {
        /// Written off and not yet paid back, quote atoms.
        written_off: Quote,
        /// The rest of the inventory that may pay it back, collateral atoms: sales count as of it first.
        inventory: Collateral,
    }
}

impl Recovery {
    /// Refuses who would join while something is written off.
    ///
    /// # Errors
    /// [`Error::WrittenOff`].
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.written_off == Quote::ZERO {
            Ok(())
        } else {
            Err(Error::WrittenOff)
        }
    }
}
