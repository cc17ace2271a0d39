//! Tree of hashes under which Pyth's prices are signed: keccak-256, cut to its first 20 bytes, of a byte that says what
//! is hashed (0 a leaf, 1 a node, 2 an empty leaf) and the contents. Format: Pyth's `pythnet-sdk`.

use solana_keccak_hasher::hashv;

/// Hash of a leaf, a node or an empty leaf.
pub type Hash = [u8; 20];

fn hash(parts: &[&[u8]]) -> Hash {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _] = hashv(parts).to_bytes();
    first
}

/// Hash of a leaf.
#[must_use]
pub fn leaf(message: &[u8]) -> Hash {
    hash(&[&[0], message])
}

/// Hash of a node above these two, whichever is left: the smaller one comes first.
#[must_use]
pub fn node(one: &Hash, other: &Hash) -> Hash {
    hash(&[&[1], one.min(other), one.max(other)])
}

/// Hash of a leaf that is not there.
#[must_use]
pub fn empty() -> Hash {
    hash(&[&[2]])
}

/// Root of the tree in which `message` has this proof: the hashes beside its way up.
#[must_use]
pub fn root(message: &[u8], proof: &[Hash]) -> Hash {
    proof.iter().fold(leaf(message), |below, beside| node(&below, beside))
}
