//! Hash of a queued change: one encoding, for the program, its clients and whoever watches the queue.

use crate::{
    clock,
    error::OrBreakwaterError,
    state::{QueuedChange, address},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{ChangeQueued, Entry};

/// SHA-256 of the kind of change, its subject and the Borsh bytes of the change itself. The payload is a
/// `Vec<ParameterChange>`, the market's `Feeds` and whether the present ones are dead, the emergency admin's or the
/// sentinel's key, or two `DepthAllocation`: the market's present one and the new one.
///
/// # Errors
/// If the payload cannot be serialized.
pub fn change_hash(kind: u8, subject: &Pubkey, payload: &impl AnchorSerialize) -> Result<[u8; 32]> {
    let mut bytes = Vec::with_capacity(512);
    payload.serialize(&mut bytes)?;
    Ok(solana_sha256_hasher::hashv(&[&[kind], subject.as_ref(), &bytes]).to_bytes())
}

/// Queues a change, known by its [`change_hash`], in the account that was just created for its entry. It opens `delay`
/// seconds from now, and was approved to be queued until `expires_slot`.
///
/// # Errors
/// The errors of [`change_hash`] and of the engine's `QueuedChange::queue`.
pub fn queue(
    account: &AccountLoader<QueuedChange>,
    entry: Entry,
    payload: &impl AnchorSerialize,
    bump: u8,
    expires_slot: u64,
    delay: i64,
) -> Result<ChangeQueued> {
    let hash = change_hash(entry.kind, &address(entry.subject), payload)?;
    account
        .load_init()?
        .queue(entry, hash, bump, expires_slot, delay, clock::now()?)
        .or_program_error()
}
