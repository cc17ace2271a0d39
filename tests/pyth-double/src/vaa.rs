//! VAAs, signers and proofs.

use crate::bytes::Bytes;
use anchor_lang::prelude::*;
use solana_keccak_hasher::{hash, hashv};
use solana_secp256k1_recover::secp256k1_recover;

/// A set of signers, as its account has it.
pub struct SignerSet {
    pub index: u32,
    pub addresses: Vec<[u8; 20]>,
    expires: u32,
}

impl SignerSet {
    /// `sha256("account:GuardianSet")[..8]`.
    pub const DISCRIMINATOR: [u8; 8] = [120, 77, 74, 98, 34, 83, 96, 125];

    /// Reads the account's data behind the discriminator.
    pub fn read(data: &[u8]) -> Option<Self> {
        let mut from = Bytes(data);
        let index = u32::from_le_bytes(from.array()?);
        let count = from.count()?;
        let addresses = (0..count).map(|_| from.array()).collect::<Option<_>>()?;
        from.take(4)?;
        Some(Self {
            index,
            addresses,
            expires: u32::from_le_bytes(from.array()?),
        })
    }

    /// True up to the second in which it ends.
    pub fn is_active(&self) -> Result<bool> {
        let now = Clock::get()?.unix_timestamp;
        Ok(self.expires == 0 || i64::from(self.expires) >= now)
    }
}

/// A signed message.
pub struct Vaa<'a> {
    pub version: u8,
    pub set: u32,
    /// 66 bytes each: index, r, s, recovery id.
    signatures: &'a [u8],
    pub chain: u16,
    pub emitter: [u8; 32],
    pub payload: &'a [u8],
    body: &'a [u8],
}

/// Why signatures are not those of a set.
pub enum Forged {
    Order,
    Index,
    Signature,
    Key,
}

impl<'a> Vaa<'a> {
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Bytes(bytes);
        let version = from.byte()?;
        let set = u32::from_be_bytes(from.array()?);
        let count = usize::from(from.byte()?);
        let signatures = from.take(count * 66)?;
        let body = from.0;
        // Time and nonce; behind the emitter sequence and consistency.
        from.take(4 + 4)?;
        let chain = u16::from_be_bytes(from.array()?);
        let emitter = from.array()?;
        from.take(8 + 1)?;
        Some(Self {
            version,
            set,
            signatures,
            chain,
            emitter,
            payload: from.0,
            body,
        })
    }

    pub fn signature_count(&self) -> usize {
        self.signatures.len() / 66
    }

    /// Checks every signature.
    pub fn check(&self, signers: &SignerSet) -> core::result::Result<(), Forged> {
        let digest = hash(hash(self.body).as_ref()).to_bytes();
        let mut last = None;
        for signature in self.signatures.chunks_exact(66) {
            let (index, rs, recovery) = (signature[0], &signature[1..65], signature[65]);
            if last.is_some_and(|last| index <= last) {
                return Err(Forged::Order);
            }
            last = Some(index);
            let address = signers.addresses.get(usize::from(index)).ok_or(Forged::Index)?;
            let key = secp256k1_recover(&digest, recovery, rs).map_err(|_| Forged::Signature)?;
            if hash(&key.to_bytes()).to_bytes()[12..] != *address {
                return Err(Forged::Key);
            }
        }
        Ok(())
    }

    /// The root of a tree of prices; `None` if the VAA carries something else.
    pub fn root(&self) -> Option<[u8; 20]> {
        let mut from = Bytes(self.payload);
        if from.array()? != *b"AUWV" || from.byte()? != 0 {
            return None;
        }
        // Slot and size of the ring.
        from.take(8 + 4)?;
        from.array()
    }
}

/// Root of the tree in which a message has this proof.
pub fn root(message: &[u8], proof: &[u8]) -> [u8; 20] {
    let cut = |parts: &[&[u8]]| {
        let mut short = [0; 20];
        short.copy_from_slice(&hashv(parts).to_bytes()[..20]);
        short
    };
    proof.chunks_exact(20).fold(cut(&[&[0], message]), |below, beside| {
        let (first, second) = if below[..] <= *beside {
            (&below[..], beside)
        } else {
            (beside, &below[..])
        };
        cut(&[&[1], first, second])
    })
}
