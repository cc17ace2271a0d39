//! Limits of a transaction. The needs of Breakwater's own instructions are in [`breakwater_client::budget`].

/// Most bytes of a transaction.
pub const TRANSACTION_BYTES: usize = 1_232;
/// Most accounts that a transaction may name.
pub const ACCOUNT_LOCKS: usize = 64;

/// Compute units of opening a token account, or of seeing that it is there.
pub const TOKEN_ACCOUNT_UNITS: u32 = 40_000;
/// Compute units of a transaction about a lookup table, several times what was seen: it is not urgent, and pays for
/// little.
pub const TABLE_UNITS: u32 = 150_000;
/// Compute units of closing an account of a VAA, several times what was seen.
pub const CLOSE_VAA_UNITS: u32 = 8_000;
