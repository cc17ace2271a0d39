//! Questions that change nothing: [`balance_sheet`], [`risk`], where a falling price would end ([`cascade`], off chain
//! only), and what must always be true of the money ([`identities`]).

pub mod balance_sheet;
#[cfg(not(target_os = "solana"))]
pub mod cascade;
pub mod identities;
pub mod risk;
