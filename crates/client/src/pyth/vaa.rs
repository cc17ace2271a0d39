//! The signed message (VAA) over the root of a tree of prices. Format: Wormhole's VAA of version 1, big endian.

use super::{
    Error, Result, SignerSet,
    merkle::Hash,
    wire::{Reader, short_length},
};
use solana_keccak_hasher::hash;
use solana_secp256k1_recover::secp256k1_recover;

const VERSION: u8 = 1;
const ROOT_MAGIC: [u8; 4] = *b"AUWV";
const MERKLE: u8 = 0;

/// One signature of a VAA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Index of the signer in its set.
    pub signer: u8,
    /// The signature's r and s, 32 bytes each.
    pub rs: [u8; 64],
    /// Which of the keys with this signature is meant, 0 to 3.
    pub recovery: u8,
}

/// What is signed: who says it, when, and the root of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Seconds since 1970.
    pub time: u32,
    /// A number that tells apart messages of one moment.
    pub nonce: u32,
    /// Wormhole's number of the chain that the message is from; 26 is Pyth's own.
    pub chain: u16,
    /// The account there that sent it.
    pub emitter: [u8; 32],
    /// Number of the message, of this emitter.
    pub sequence: u64,
    /// How final it had to be there.
    pub consistency: u8,
    /// Slot of Pyth's own chain whose prices are in the tree.
    pub slot: u64,
    /// Size of the ring in which that chain keeps its trees.
    pub ring: u32,
    /// Root of the tree of prices.
    pub root: Hash,
    /// What follows: nothing today. It is signed like the rest.
    pub rest: Vec<u8>,
}

impl Body {
    /// The bytes that are signed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(88 + self.rest.len());
        bytes.extend_from_slice(&self.time.to_be_bytes());
        bytes.extend_from_slice(&self.nonce.to_be_bytes());
        bytes.extend_from_slice(&self.chain.to_be_bytes());
        bytes.extend_from_slice(&self.emitter);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.push(self.consistency);
        bytes.extend_from_slice(&ROOT_MAGIC);
        bytes.push(MERKLE);
        bytes.extend_from_slice(&self.slot.to_be_bytes());
        bytes.extend_from_slice(&self.ring.to_be_bytes());
        bytes.extend_from_slice(&self.root);
        bytes.extend_from_slice(&self.rest);
        bytes
    }

    /// The hash that is signed: keccak-256 of the keccak-256 of the body.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        hash(hash(&self.bytes()).as_ref()).to_bytes()
    }

    fn parse(mut from: Reader) -> Result<Self> {
        let (time, nonce) = (from.array()?, from.array()?);
        let (chain, emitter, sequence) = (from.array()?, from.array()?, from.array()?);
        let consistency = from.byte()?;
        if from.array()? != ROOT_MAGIC {
            return Err(Error::NotARoot);
        }
        let kind = from.byte()?;
        if kind != MERKLE {
            return Err(Error::RootKind(kind));
        }
        Ok(Self {
            time: u32::from_be_bytes(time),
            nonce: u32::from_be_bytes(nonce),
            chain: u16::from_be_bytes(chain),
            emitter,
            sequence: u64::from_be_bytes(sequence),
            consistency,
            slot: u64::from_be_bytes(from.array()?),
            ring: u32::from_be_bytes(from.array()?),
            root: from.array()?,
            rest: from.rest(),
        })
    }
}

/// A signed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vaa {
    /// Index of the set of signers that it is to be checked with.
    pub set: u32,
    /// Signatures, in rising order of their signers.
    pub signatures: Vec<Signature>,
    /// What is signed.
    pub body: Body,
}

impl Vaa {
    /// Reads a VAA.
    ///
    /// # Errors
    /// [`Error::VaaVersion`], [`Error::NotARoot`], [`Error::RootKind`], [`Error::Truncated`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::VaaVersion(version));
        }
        let set = u32::from_be_bytes(from.array()?);
        let count = from.byte()?;
        let one = |from: &mut Reader| {
            Ok(Signature {
                signer: from.byte()?,
                rs: from.array()?,
                recovery: from.byte()?,
            })
        };
        let signatures = (0..count).map(|_| one(&mut from)).collect::<Result<_>>()?;
        Ok(Self {
            set,
            signatures,
            body: Body::parse(from)?,
        })
    }

    /// The VAA's bytes.
    ///
    /// # Errors
    /// [`Error::TooLong`] with more than 255 signatures.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.set.to_be_bytes());
        bytes.extend(short_length("signatures", self.signatures.len())?);
        for signature in &self.signatures {
            bytes.push(signature.signer);
            bytes.extend_from_slice(&signature.rs);
            bytes.push(signature.recovery);
        }
        bytes.extend(self.body.bytes());
        Ok(bytes)
    }

    /// Checks the signatures as the bridge does at `now`, in seconds since 1970: all of them, in order, and more than
    /// half of the set.
    ///
    /// # Errors
    /// [`Error::SignerSet`], [`Error::SignerSetExpired`], [`Error::Signatures`], [`Error::SignerOrder`],
    /// [`Error::SignerIndex`], [`Error::Signature`], [`Error::Signer`].
    pub fn check(&self, signers: &SignerSet, now: i64) -> Result<()> {
        if signers.index != self.set {
            return Err(Error::SignerSet {
                needed: self.set,
                found: signers.index,
            });
        }
        if !signers.is_active(now) {
            return Err(Error::SignerSetExpired(signers.expires));
        }
        let needed = signers.quorum();
        if self.signatures.len() < needed {
            return Err(Error::Signatures {
                needed,
                found: self.signatures.len(),
            });
        }
        let digest = self.body.digest();
        let mut last = None;
        for signature in &self.signatures {
            if last.is_some_and(|last| signature.signer <= last) {
                return Err(Error::SignerOrder(signature.signer));
            }
            last = Some(signature.signer);
            let address = signers.addresses.get(usize::from(signature.signer));
            let address = address.ok_or(Error::SignerIndex(signature.signer))?;
            if signature.address(&digest)? != *address {
                return Err(Error::Signer(signature.signer));
            }
        }
        Ok(())
    }
}

impl Signature {
    /// Address of who signed this digest: the last 20 bytes of the keccak-256 of the public key, as Ethereum has them.
    ///
    /// # Errors
    /// [`Error::Signature`] if nobody did.
    pub fn address(&self, digest: &[u8; 32]) -> Result<[u8; 20]> {
        let key = secp256k1_recover(digest, self.recovery, &self.rs).map_err(|_| Error::Signature(self.signer))?;
        let [_, _, _, _, _, _, _, _, _, _, _, _, address @ ..] = hash(&key.to_bytes()).to_bytes();
        Ok(address)
    }
}
