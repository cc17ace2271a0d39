//! The keeper's questions to a node.

use anchor_lang::prelude::Pubkey;
use breakwater_engine::Key;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use crate::{index::Entry, prices::Account, rotation::Trouble};

/// A node's answer, or what is wrong with it.
pub type Answer<T> = Result<T, Trouble>;

/// Accounts as they were at one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The slot.
    pub slot: u64,
    /// The value asked for.
    pub value: T,
}

/// A recent blockhash, and the last block height at which transactions with it are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash.
    pub hash: solana_hash::Hash,
    /// The last block height.
    pub last_valid: u64,
}

/// Effects that a transaction would have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Why it would fail.
    pub error: Option<String>,
    /// Log that it would write.
    pub logs: Vec<String>,
    /// Compute units it would take.
    pub units: u64,
}

/// How far a transaction is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not seen, or not confirmed yet.
    Unknown,
    /// Confirmed.
    Done,
    /// Confirmed, and failed.
    Failed(String),
}

/// Lookup tables: address, and data.
pub type Tables = Vec<(Pubkey, Vec<u8>)>;

/// A node of a cluster. Everything is at the commitment `confirmed`.
pub trait Chain: Send + Sync {
    /// The cluster's genesis hash, base58.
    fn genesis(&self) -> impl Future<Output = Answer<String>> + Send;

    /// Accounts, all of one slot.
    fn accounts(&self, addresses: &[Pubkey]) -> impl Future<Output = Answer<At<Vec<Option<Account>>>>> + Send;

    /// All margin accounts of a market, those without debt too.
    fn margin_accounts(&self, market: &Key) -> impl Future<Output = Answer<At<Vec<Entry>>>> + Send;

    /// All lookup tables of an authority, with their data.
    fn lookup_tables(&self, authority: &Pubkey) -> impl Future<Output = Answer<At<Tables>>> + Send;

    /// The accounts of VAAs in this Wormhole bridge that an authority may close.
    fn encoded_vaas(&self, bridge: &Pubkey, authority: &Pubkey) -> impl Future<Output = Answer<Vec<Pubkey>>> + Send;

    /// Least balance of an account of so many bytes, lamports.
    fn rent(&self, bytes: usize) -> impl Future<Output = Answer<u64>> + Send;

    /// Prices paid by the cheapest transaction on an account in each of the last blocks, micro-lamports for a compute
    /// unit.
    fn recent_fees(&self, account: &Pubkey) -> impl Future<Output = Answer<Vec<u64>>> + Send;

    /// A recent blockhash.
    fn blockhash(&self) -> impl Future<Output = Answer<Blockhash>> + Send;

    /// The height of the newest block.
    fn block_height(&self) -> impl Future<Output = Answer<u64>> + Send;

    /// Effects that a transaction would have now.
    fn simulate(&self, transaction: &VersionedTransaction) -> impl Future<Output = Answer<Simulated>> + Send;

    /// Passes a transaction on.
    fn send(&self, transaction: &VersionedTransaction) -> impl Future<Output = Answer<()>> + Send;

    /// How far transactions are, in this order.
    fn statuses(&self, signatures: &[Signature]) -> impl Future<Output = Answer<Vec<Status>>> + Send;
}
