//! What a queued change is known by: one encoding, for the program, its clients and whoever watches the queue.

use anchor_lang::prelude::*;

/// SHA-256 of the kind of change, its subject and the Borsh bytes of the change itself.
/// The payload is a `Vec<ParameterChange>`, the market's `Feeds` and whether the present ones are dead, the guardian's or the
/// sentinel's key, or two `DepthAllocation`: the market's present
/// one and the new one.
///
/// # Errors
/// If the payload cannot be serialised.
pub fn change_hash(kind: u8, subject: &Pubkey, payload: &impl AnchorSerialize) -> Result<[u8; 32]> {
    let mut bytes = Vec::with_capacity(512);
    payload.serialize(&mut bytes)?;
    Ok(solana_sha256_hasher::hashv(&[&[kind], subject.as_ref(), &bytes]).to_bytes())
}
