//! Addresses and keypairs that are the same in every run.

use anchor_lang::prelude::Pubkey;
use solana_keypair::Keypair;
use solana_sha256_hasher::hashv;

/// 32 bytes that depend on nothing but `name`.
#[must_use]
pub fn bytes_for(name: &str) -> [u8; 32] {
    hashv(&[b"breakwater testkit", name.as_bytes()]).to_bytes()
}

/// The keypair of a name.
#[must_use]
pub fn keypair_for(name: &str) -> Keypair {
    Keypair::new_from_array(bytes_for(name))
}

/// An address that nobody signs for: mints, feeds, token accounts.
#[must_use]
pub fn address_for(name: &str) -> Pubkey {
    Pubkey::new_from_array(bytes_for(name))
}
