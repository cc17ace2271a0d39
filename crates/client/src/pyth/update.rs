//! The update that Hermes gives: prices with proofs, and one VAA for all of them. Format: `AccumulatorUpdateData` of
//! Pyth's `pythnet-sdk`, big endian.

use super::{
    Error, FeedId, Message, Result, SignerSet, Vaa, merkle,
    merkle::Hash,
    wire::{Reader, long_length, short_length},
};

const MAGIC: [u8; 4] = *b"PNAU";
const MAJOR: u8 = 1;
const MINOR: u8 = 0;
const MERKLE_UNDER_VAA: u8 = 0;

/// One price of an update, and the proof that it is in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceUpdate {
    /// The price.
    pub message: Message,
    /// The hashes beside its way up the tree, from the leaf on.
    pub proof: Vec<Hash>,
}

impl PriceUpdate {
    /// The bytes that the programs take (`MerklePriceUpdate` in Borsh): message and proof, each behind its length,
    /// which is little endian of 32 bits here.
    ///
    /// # Errors
    /// [`Error::TooLong`] with more than 2³² − 1 bytes or hashes.
    pub fn argument(&self) -> Result<Vec<u8>> {
        let length = |part, length| u32::try_from(length).map_err(|_| Error::TooLong(part));
        let message = self.message.bytes();
        let mut bytes = length("message", message.len())?.to_le_bytes().to_vec();
        bytes.extend(message);
        bytes.extend_from_slice(&length("proof", self.proof.len())?.to_le_bytes());
        bytes.extend_from_slice(self.proof.as_flattened());
        Ok(bytes)
    }
}

/// An update: prices of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The signed root of the tree that the prices are in.
    pub vaa: Vaa,
    /// Prices and their proofs.
    pub prices: Vec<PriceUpdate>,
}

impl Update {
    /// Reads an update: what is in Hermes' `binary.data`, once it is decoded from base64 or hexadecimal. Nothing is
    /// checked but the form; what follows the update is not looked at, for a later minor version may add to it.
    ///
    /// # Errors
    /// [`Error::NotAnUpdate`], [`Error::UpdateVersion`], [`Error::ProofKind`], [`Error::VaaVersion`],
    /// [`Error::NotARoot`], [`Error::RootKind`], [`Error::MessageKind`], [`Error::Truncated`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader(bytes);
        if from.array()? != MAGIC {
            return Err(Error::NotAnUpdate);
        }
        let (major, _minor) = (from.byte()?, from.byte()?);
        if major != MAJOR {
            return Err(Error::UpdateVersion(major));
        }
        let trailing = from.byte()?;
        from.take(usize::from(trailing))?;
        let kind = from.byte()?;
        if kind != MERKLE_UNDER_VAA {
            return Err(Error::ProofKind(kind));
        }
        let vaa = Vaa::parse(from.long()?.0)?;
        let count = from.byte()?;
        let one = |from: &mut Reader| {
            let message = Message::parse(from.long()?.0)?;
            let depth = from.byte()?;
            let proof = (0..depth).map(|_| from.array()).collect::<Result<_>>()?;
            Ok(PriceUpdate { message, proof })
        };
        let prices = (0..count).map(|_| one(&mut from)).collect::<Result<_>>()?;
        Ok(Self { vaa, prices })
    }

    /// The update's bytes, of version 1.0.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a part is longer than its length field can say: 65,535 bytes of VAA or message, 255
    /// signatures, prices, or hashes of a proof.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let vaa = self.vaa.bytes()?;
        let mut bytes = MAGIC.to_vec();
        // No trailing header.
        bytes.extend_from_slice(&[MAJOR, MINOR, 0, MERKLE_UNDER_VAA]);
        bytes.extend(long_length("VAA", vaa.len())?);
        bytes.extend(vaa);
        bytes.extend(short_length("prices", self.prices.len())?);
        for price in &self.prices {
            let message = price.message.bytes();
            bytes.extend(long_length("message", message.len())?);
            bytes.extend(message);
            bytes.extend(short_length("proof", price.proof.len())?);
            bytes.extend_from_slice(price.proof.as_flattened());
        }
        Ok(bytes)
    }

    /// Price of a feed.
    ///
    /// # Errors
    /// [`Error::FeedMissing`].
    pub fn price(&self, feed: &FeedId) -> Result<&PriceUpdate> {
        let price = self.prices.iter().find(|price| price.message.feed == *feed);
        price.ok_or(Error::FeedMissing(*feed))
    }

    /// Checks that every price is in the tree whose root the VAA has.
    ///
    /// # Errors
    /// [`Error::Proof`] with the feed of the first that is not.
    pub fn check_proofs(&self) -> Result<()> {
        for price in &self.prices {
            if merkle::root(&price.message.bytes(), &price.proof) != self.vaa.body.root {
                return Err(Error::Proof(price.message.feed));
            }
        }
        Ok(())
    }

    /// Checks proofs and signatures as the programs will at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Those of [`Vaa::check`] and [`Update::check_proofs`].
    pub fn check(&self, signers: &SignerSet, now: i64) -> Result<()> {
        self.vaa.check(signers, now)?;
        self.check_proofs()
    }
}
