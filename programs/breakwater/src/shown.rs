//! Accounts as the runtime shows them, by whichever entry they came in.

use anchor_lang::prelude::*;
use core::ops::{Deref, DerefMut};
use std::cell::{Ref, RefMut};

/// An account of an instruction. Copied, it is the same account.
pub trait Shown: Copy {
    /// Its address.
    fn address(&self) -> &Pubkey;
    /// The program that owns it.
    fn owner(&self) -> &Pubkey;
    /// True if the transaction lets it be written.
    fn is_writable(&self) -> bool;
    /// Its data.
    ///
    /// # Errors
    /// If they are borrowed to be written.
    fn data(&self) -> Result<impl Deref<Target = [u8]>>;
    /// Its data, to be written.
    ///
    /// # Errors
    /// If they are borrowed.
    fn data_mut(&mut self) -> Result<impl DerefMut<Target = [u8]>>;
}

impl Shown for &AccountInfo<'_> {
    #[inline]
    fn address(&self) -> &Pubkey {
        self.key
    }
    #[inline]
    fn owner(&self) -> &Pubkey {
        self.owner
    }
    #[inline]
    fn is_writable(&self) -> bool {
        self.is_writable
    }
    #[inline]
    fn data(&self) -> Result<impl Deref<Target = [u8]>> {
        Ok(Ref::map(self.try_borrow_data()?, |data| &**data))
    }
    #[inline]
    fn data_mut(&mut self) -> Result<impl DerefMut<Target = [u8]>> {
        Ok(RefMut::map(self.try_borrow_mut_data()?, |data| &mut **data))
    }
}
