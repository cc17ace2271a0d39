//! Reasons for which an update is not read, not believed or not posted.

use super::FeedId;
use std::fmt;

/// Reason for which an update is not read, not believed or not posted: one for each cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes end before the update does.
    Truncated,
    /// The bytes do not begin as an update does, with "PNAU".
    NotAnUpdate,
    /// The update's major version, which is known up to 1.
    UpdateVersion(u8),
    /// The proof's kind; 0, a Merkle proof under a VAA, is the one there is.
    ProofKind(u8),
    /// The VAA's version; 1 is the one there is.
    VaaVersion(u8),
    /// What the VAA carries does not begin as a root does, with "AUWV".
    NotARoot,
    /// The root's kind; 0, a Merkle root, is the one there is.
    RootKind(u8),
    /// The message's kind; 0, a price, is the one that is read.
    MessageKind(u8),
    /// A part is longer than its length field can say; its name.
    TooLong(&'static str),
    /// The feed's message is not in the tree whose root was signed.
    Proof(FeedId),
    /// The account is no set of signers.
    NotASignerSet,
    /// The set of signers is another than the update's.
    SignerSet {
        /// Index that the update names.
        needed: u32,
        /// Index of the set at hand.
        found: u32,
    },
    /// The set of signers ended at this time, in seconds since 1970.
    SignerSetExpired(u32),
    /// There are fewer signatures than needed.
    Signatures {
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// The signatures are not in rising order of their signers; the signer that is out of order.
    SignerOrder(u8),
    /// The set has no signer of this index.
    SignerIndex(u8),
    /// What is there for this signer is no signature.
    Signature(u8),
    /// The signature is somebody else's than this signer's.
    Signer(u8),
    /// The update has no price of this feed.
    FeedMissing(FeedId),
    /// No feed is to be posted.
    NoFeeds,
    /// An instruction alone is too large for a transaction, which has this many bytes then.
    TooLarge(usize),
    /// An instruction alone names more accounts than a transaction may lock.
    TooManyAccounts,
    /// An instruction alone needs more compute units than a transaction may have.
    TooManyUnits(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the update ends too early"),
            Self::NotAnUpdate => f.write_str("these bytes are no Pyth update"),
            Self::UpdateVersion(version) => write!(f, "an update of version {version} is not known"),
            Self::ProofKind(kind) => write!(f, "a proof of kind {kind} is not known"),
            Self::VaaVersion(version) => write!(f, "a VAA of version {version} is not known"),
            Self::NotARoot => f.write_str("the VAA carries no root of a tree of prices"),
            Self::RootKind(kind) => write!(f, "a root of kind {kind} is not known"),
            Self::MessageKind(kind) => write!(f, "a message of kind {kind} is no price"),
            Self::TooLong(part) => write!(f, "{part}: too long for an update"),
            Self::Proof(feed) => write!(f, "the price of feed {} is not what was signed", Hex(feed)),
            Self::NotASignerSet => f.write_str("the account is no set of signers"),
            Self::SignerSet { needed, found } => {
                write!(f, "the update is signed by set {needed}, this is set {found}")
            }
            Self::SignerSetExpired(at) => write!(f, "the set of signers ended at {at} (seconds since 1970)"),
            Self::Signatures { needed, found } => write!(f, "{found} signatures, of which {needed} are needed"),
            Self::SignerOrder(index) => write!(f, "signer {index} is out of order"),
            Self::SignerIndex(index) => write!(f, "the set has no signer {index}"),
            Self::Signature(index) => write!(f, "the signature of signer {index} is none"),
            Self::Signer(index) => write!(f, "the signature of signer {index} is another's"),
            Self::FeedMissing(feed) => write!(f, "the update has no price of feed {}", Hex(feed)),
            Self::NoFeeds => f.write_str("no feed is to be posted"),
            Self::TooLarge(bytes) => write!(f, "a transaction of {bytes} bytes cannot be sent"),
            Self::TooManyAccounts => f.write_str("more accounts than a transaction may lock"),
            Self::TooManyUnits(units) => write!(f, "{units} compute units, more than a transaction may have"),
        }
    }
}

impl std::error::Error for Error {}

/// Bytes as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
