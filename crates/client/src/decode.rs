//! From account bytes to the engine's structs.

use anchor_lang::{AccountDeserialize, Discriminator, Space};
use breakwater::state;
use breakwater_engine::{DepthBudget, GuardianPosition, KeeperLedger, MarginAccount, Market, QueuedChange};
use bytemuck::Pod;
use std::fmt;

/// Why bytes are not the account they were taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The account is of another kind, or of another program.
    Discriminator {
        /// The kind it was taken for.
        expected: &'static str,
    },
    /// The account has another size than its kind.
    Length {
        /// The kind it was taken for.
        expected: &'static str,
        /// Bytes of that kind, with the discriminator.
        bytes: usize,
        /// Bytes there are.
        found: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discriminator { expected } => write!(f, "the account is not a Breakwater {expected}"),
            Self::Length { expected, bytes, found } => {
                write!(f, "a Breakwater {expected} has {bytes} bytes, this account has {found}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes a market.
///
/// # Errors
/// [`DecodeError`] if the bytes are not one.
pub fn market(data: &[u8]) -> Result<Market, DecodeError> {
    pod::<state::Market, Market>(data, "market")
}

/// Decodes a margin account.
///
/// # Errors
/// [`DecodeError`] if the bytes are not one.
pub fn margin_account(data: &[u8]) -> Result<MarginAccount, DecodeError> {
    pod::<state::MarginAccount, MarginAccount>(data, "margin account")
}

/// Decodes a depth budget.
///
/// # Errors
/// [`DecodeError`] if the bytes are not one.
pub fn depth_budget(data: &[u8]) -> Result<DepthBudget, DecodeError> {
    pod::<state::DepthBudget, DepthBudget>(data, "depth budget")
}

/// Decodes a keeper ledger.
///
/// # Errors
/// [`DecodeError`] if the bytes are not one.
pub fn keeper_ledger(data: &[u8]) -> Result<KeeperLedger, DecodeError> {
    pod::<state::KeeperLedger, KeeperLedger>(data, "keeper ledger")
}

/// Decodes a guardian's position.
///
/// # Errors
/// [`DecodeError`] if the bytes are not one.
pub fn guardian_position(data: &[u8]) -> Result<GuardianPosition, DecodeError> {
    pod::<state::GuardianPosition, GuardianPosition>(data, "guardian position")
}

/// Decodes an entry of the queue.
///
/// # Errors
/// [`DecodeError`] if the bytes are not one.
pub fn queued_change(data: &[u8]) -> Result<QueuedChange, DecodeError> {
    pod::<state::QueuedChange, QueuedChange>(data, "queued change")
}

/// Decodes the protocol's account.
///
/// # Errors
/// [`DecodeError`] if the bytes are not it.
pub fn protocol(data: &[u8]) -> Result<state::Protocol, DecodeError> {
    let expected = "protocol";
    if !data.starts_with(state::Protocol::DISCRIMINATOR) {
        return Err(DecodeError::Discriminator { expected });
    }
    state::Protocol::try_deserialize(&mut &*data).map_err(|_| DecodeError::Length {
        expected,
        bytes: state::Protocol::DISCRIMINATOR.len() + state::Protocol::INIT_SPACE,
        found: data.len(),
    })
}

fn pod<A: Discriminator, T: Pod>(data: &[u8], expected: &'static str) -> Result<T, DecodeError> {
    let body = data
        .strip_prefix(A::DISCRIMINATOR)
        .ok_or(DecodeError::Discriminator { expected })?;
    // Account data is not aligned for the struct in general, so it is copied.
    bytemuck::try_pod_read_unaligned(body).map_err(|_| DecodeError::Length {
        expected,
        bytes: A::DISCRIMINATOR.len() + size_of::<T>(),
        found: data.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn a_ledger_is_read_back_and_nothing_else_passes_for_one() {
        let ledger = KeeperLedger::zeroed();
        let mut data = [state::KeeperLedger::DISCRIMINATOR, bytemuck::bytes_of(&ledger)].concat();
        assert_eq!(keeper_ledger(&data), Ok(ledger));
        assert_eq!(
            market(&data).unwrap_err(),
            DecodeError::Discriminator { expected: "market" }
        );
        data.push(0);
        let bytes = data.len() - 1;
        assert_eq!(
            keeper_ledger(&data),
            Err(DecodeError::Length {
                expected: "keeper ledger",
                bytes,
                found: bytes + 1
            })
        );
        assert_eq!(
            keeper_ledger(&[]),
            Err(DecodeError::Discriminator {
                expected: "keeper ledger"
            })
        );
    }
}
