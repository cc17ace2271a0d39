//! Questions that change nothing: [`statement`], [`risk`], where a falling price would end ([`cascade`], off chain
//! only), and what must always be true of the money ([`identities`]).

#[cfg(not(target_os = "solana"))]
pub mod cascade;
pub mod identities;
pub mod risk;
pub mod statement;
