//! Routers with keys that everybody knows, for tests and local chains: what they sign is believed where the accounts of
//! [`Routers::accounts`] stand, and nowhere else.

use super::{
    Body, Message, PriceUpdate, Signature, SignerSet, Stack, Update, Vaa,
    merkle::{self, Hash},
};
use anchor_lang::prelude::Pubkey;
use libsecp256k1::{PublicKey, SecretKey, sign};
use solana_keccak_hasher::hash;

/// Wormhole's number of Pyth's own chain.
pub const PYTHNET: u16 = 26;
/// Depth of the tree in the updates that Pyth serves: enough for 4,096 feeds.
pub const DEPTH: u8 = 12;
/// Signatures of the updates that Pyth serves.
pub const SIGNATURES: u8 = 3;
/// Routers that there are.
pub const ROUTERS: u8 = 5;

/// `sha256("account:Config")[..8]`.
const CONFIG: [u8; 8] = [155, 12, 170, 224, 30, 250, 204, 130];
/// Bytes of a receiver's configuration.
const CONFIG_BYTES: usize = 370;
/// Fee of a receiver for one price, lamports.
pub const FEE: u64 = 1;

/// An account of Pyth's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramAccount {
    /// The program that it belongs to.
    pub owner: Pubkey,
    /// Its contents.
    pub data: Vec<u8>,
}

/// A set of signers with their keys.
#[derive(Clone)]
pub struct Routers {
    set: u32,
    keys: Vec<SecretKey>,
}

impl Routers {
    /// Five routers, whose keys depend on the index of their set alone.
    ///
    /// # Panics
    /// Never: the bytes are keys of the curve.
    #[must_use]
    pub fn new(set: u32) -> Self {
        let key = |number| {
            let bytes = named(&format!("pyth router {number} of set {set}"));
            SecretKey::parse(&bytes).expect("a key of the curve")
        };
        Self {
            set,
            keys: (0..ROUTERS).map(key).collect(),
        }
    }

    /// The set, as the bridge has it; it ends at `expires` seconds since 1970, or never if that is 0.
    #[must_use]
    pub fn signer_set(&self, expires: u32) -> SignerSet {
        let address = |key: &SecretKey| {
            let [_, point @ ..] = PublicKey::from_secret_key(key).serialize();
            let [_, _, _, _, _, _, _, _, _, _, _, _, address @ ..] = hash(&point).to_bytes();
            address
        };
        SignerSet {
            index: self.set,
            addresses: self.keys.iter().map(address).collect(),
            created: 0,
            expires,
        }
    }

    /// What this router signs.
    ///
    /// # Panics
    /// If there is no such router.
    #[must_use]
    pub fn sign(&self, signer: u8, body: &Body) -> Signature {
        let message = libsecp256k1::Message::parse(&body.digest());
        let (signature, recovery) = sign(&message, &self.keys[usize::from(signer)]);
        Signature {
            signer,
            rs: signature.serialize(),
            recovery: recovery.serialize(),
        }
    }

    /// The update of these messages, as Pyth serves it: signed by the first three, in a tree of [`DEPTH`].
    #[must_use]
    pub fn update(&self, messages: &[Message]) -> Update {
        self.update_of(messages, DEPTH, SIGNATURES)
    }

    /// The update of these messages in a tree of this depth, signed by the first so many.
    ///
    /// # Panics
    /// If there are not as many routers, or more messages than leaves.
    #[must_use]
    pub fn update_of(&self, messages: &[Message], depth: u8, signatures: u8) -> Update {
        let leaves: Vec<Hash> = messages.iter().map(|message| merkle::leaf(&message.bytes())).collect();
        let tree = Tree::new(leaves, depth);
        let newest = messages.iter().map(|message| message.publish_time).max().unwrap_or(0);
        let body = Body {
            time: u32::try_from(newest).unwrap_or(0),
            nonce: 0,
            chain: PYTHNET,
            emitter: emitter(),
            sequence: u64::try_from(newest).unwrap_or(0),
            consistency: 1,
            slot: u64::try_from(newest).unwrap_or(0),
            ring: 10_000,
            root: tree.root(),
            rest: Vec::new(),
        };
        let prices = (0..).zip(messages).map(|(index, message)| PriceUpdate {
            message: message.clone(),
            proof: tree.proof(index),
        });
        Update {
            prices: prices.collect(),
            vaa: Vaa {
                set: self.set,
                signatures: (0..signatures).map(|signer| self.sign(signer, &body)).collect(),
                body,
            },
        }
    }

    /// Accounts that make a stack believe these routers: the bridge's account of their set, which ends at `expires` (0:
    /// never), and the receiver's configuration.
    ///
    /// # Panics
    /// Never: five signers fit an account.
    #[must_use]
    pub fn accounts(&self, stack: &Stack, expires: u32) -> [(Pubkey, ProgramAccount); 2] {
        let account = |owner, data| ProgramAccount { owner, data };
        let set = self.signer_set(expires).data().expect("five signers");
        [
            (stack.signer_set(self.set), account(stack.bridge, set)),
            (stack.config(), account(stack.receiver, config(stack))),
        ]
    }
}

/// 32 bytes that depend on nothing but a name.
fn named(name: &str) -> [u8; 32] {
    hash(format!("breakwater {name}").as_bytes()).to_bytes()
}

/// The account on Pyth's own chain that sends the updates.
#[must_use]
pub fn emitter() -> [u8; 32] {
    named("pyth emitter")
}

/// A receiver's configuration, in Borsh: who governs it, nobody who is to, the bridge, one source of updates, the fee
/// for a price, and the least number of signatures.
fn config(stack: &Stack) -> Vec<u8> {
    let mut data = CONFIG.to_vec();
    data.extend(named("pyth governance"));
    data.push(0);
    data.extend_from_slice(stack.bridge.as_ref());
    data.extend_from_slice(&1u32.to_le_bytes());
    data.extend_from_slice(&PYTHNET.to_le_bytes());
    data.extend(emitter());
    data.extend_from_slice(&FEE.to_le_bytes());
    data.push(SIGNATURES);
    data.resize(CONFIG_BYTES, 0);
    data
}

/// A tree of hashes whose last leaves are empty; what is below an empty node is not kept.
struct Tree {
    /// Nodes from the leaves up to the root.
    levels: Vec<Vec<Hash>>,
    /// The empty node of each level.
    empty: Vec<Hash>,
}

impl Tree {
    fn new(leaves: Vec<Hash>, depth: u8) -> Self {
        assert!(leaves.len() <= 1 << depth, "more messages than leaves");
        let (mut levels, mut empty) = (vec![leaves], vec![merkle::empty()]);
        for level in 0..usize::from(depth) {
            let beside = empty[level];
            let node = |pair: &[Hash]| merkle::node(&pair[0], pair.get(1).unwrap_or(&beside));
            levels.push(levels[level].chunks(2).map(node).collect());
            empty.push(merkle::node(&beside, &beside));
        }
        Self { levels, empty }
    }

    fn root(&self) -> Hash {
        let (root, empty) = (self.levels.last(), self.empty.last());
        root.and_then(|level| level.first())
            .or(empty)
            .copied()
            .unwrap_or_default()
    }

    fn proof(&self, index: usize) -> Vec<Hash> {
        let below_root = self.levels.len() - 1;
        let beside = |level: usize| {
            let at = (index >> level) ^ 1;
            *self.levels[level].get(at).unwrap_or(&self.empty[level])
        };
        (0..below_root).map(beside).collect()
    }
}
