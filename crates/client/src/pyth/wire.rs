//! Reading and writing of big-endian bytes, as updates have them.

use super::{Error, Result};

/// Bytes that are still to be read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there is none.
    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// A length of 16 bits, and as many bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if there are fewer.
    pub(super) fn long(&mut self) -> Result<Reader<'a>> {
        let count = u16::from_be_bytes(self.array()?);
        self.take(usize::from(count)).map(Reader)
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// A length of one byte.
///
/// # Errors
/// [`Error::TooLong`] with the part's name.
pub(super) fn short_length(part: &'static str, length: usize) -> Result<[u8; 1]> {
    let length = u8::try_from(length).map_err(|_| Error::TooLong(part))?;
    Ok(length.to_be_bytes())
}

/// A length of two bytes.
///
/// # Errors
/// [`Error::TooLong`] with the part's name.
pub(super) fn long_length(part: &'static str, length: usize) -> Result<[u8; 2]> {
    let length = u16::try_from(length).map_err(|_| Error::TooLong(part))?;
    Ok(length.to_be_bytes())
}
