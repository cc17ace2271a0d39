//! Talking to Breakwater from Rust: where its accounts are, how its instructions are built, what its bytes mean.
//!
//! Nothing here touches a network: the caller fetches accounts and sends transactions with whatever it uses.
//!
//! ```no_run
//! use anchor_lang::prelude::Pubkey;
//! use breakwater_client::{MarketKeys, addresses, decode, instructions};
//!
//! # fn show(keys: MarketKeys, alice: Pubkey, fetch: impl Fn(&Pubkey) -> Vec<u8>) -> Result<(), decode::DecodeError> {
//! let account = addresses::margin_account(&keys.market, &alice, 0);
//! let borrow = instructions::borrow(&keys, &account, &alice, 25_000_000);
//! let margin = decode::margin_account(&fetch(&account))?;
//! println!("{} collateral atoms; borrows with {} accounts", margin.collateral.0, borrow.accounts.len());
//! # Ok(())
//! # }
//! ```

pub mod addresses;
pub mod budget;
pub mod decode;
pub mod feeds;
pub mod instructions;
mod keys;
pub mod logs;
pub mod lookup;
pub mod pyth;

/// The hash by which a queued change is known: see [`breakwater::governance`].
pub use breakwater::governance::change_hash;
pub use breakwater_quotes as quotes;
pub use keys::MarketKeys;
