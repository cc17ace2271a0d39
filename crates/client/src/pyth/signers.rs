//! Who may sign: the bridge's account of a set of signers (Wormhole: guardians; Pyth since August 2026: routers).

use super::{Error, Result, wire::Reader};

/// `sha256("account:GuardianSet")[..8]`.
const DISCRIMINATOR: [u8; 8] = [120, 77, 74, 98, 34, 83, 96, 125];

/// A set of signers, from [`Stack::signer_set`](super::Stack::signer_set).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerSet {
    /// Number of the set; each new set has the next one.
    pub index: u32,
    /// The signers' addresses, as Ethereum has them.
    pub addresses: Vec<[u8; 20]>,
    /// When it became the newest, in seconds since 1970.
    pub created: u32,
    /// When it ends, in seconds since 1970; 0 for never.
    pub expires: u32,
}

impl SignerSet {
    /// Decodes the bridge's account; all numbers are little endian.
    ///
    /// # Errors
    /// [`Error::NotASignerSet`] if it is another account's, [`Error::Truncated`].
    pub fn decode(data: &[u8]) -> Result<Self> {
        let mut from = Reader(data);
        if from.array()? != DISCRIMINATOR {
            return Err(Error::NotASignerSet);
        }
        let index = u32::from_le_bytes(from.array()?);
        let count = u32::from_le_bytes(from.array()?);
        let addresses = (0..count).map(|_| from.array()).collect::<Result<_>>()?;
        Ok(Self {
            index,
            addresses,
            created: u32::from_le_bytes(from.array()?),
            expires: u32::from_le_bytes(from.array()?),
        })
    }

    /// The account's data.
    ///
    /// # Errors
    /// [`Error::TooLong`] with more than 2³² − 1 signers.
    pub fn data(&self) -> Result<Vec<u8>> {
        let count = u32::try_from(self.addresses.len()).map_err(|_| Error::TooLong("signers"))?;
        let mut data = DISCRIMINATOR.to_vec();
        data.extend_from_slice(&self.index.to_le_bytes());
        data.extend_from_slice(&count.to_le_bytes());
        data.extend_from_slice(self.addresses.as_flattened());
        data.extend_from_slice(&self.created.to_le_bytes());
        data.extend_from_slice(&self.expires.to_le_bytes());
        Ok(data)
    }

    /// True if what it has signed counts at `now`, in seconds since 1970: up to the second in which it ends.
    #[must_use]
    pub fn is_active(&self, now: i64) -> bool {
        self.expires == 0 || i64::from(self.expires) >= now
    }

    /// How many of it must sign for the bridge: more than half.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.addresses.len() / 2 + 1
    }
}
