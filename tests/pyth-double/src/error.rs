//! Errors of the three programs, by the names and numbers of the real ones.

#![allow(missing_docs, reason = "the names are what there is to say")]

use anchor_lang::prelude::*;

/// The receiver's.
#[error_code]
pub enum ReceiverError {
    InvalidWormholeMessage,
    DeserializeMessageFailed,
    InvalidPriceUpdate,
    UnsupportedMessageType,
    InvalidDataSource,
    InsufficientFunds,
    WrongWriteAuthority = 12,
    WrongVaaOwner,
    DeserializeVaaFailed,
    InsufficientGuardianSignatures,
    InvalidVaaVersion,
    GuardianSetMismatch,
    InvalidGuardianOrder,
    InvalidGuardianIndex,
    InvalidSignature,
    InvalidGuardianKeyRecovery,
    WrongGuardianSetOwner,
    InvalidGuardianSetPda,
    GuardianSetExpired,
}

/// The bridge's.
#[error_code]
pub enum BridgeError {
    InvalidInstructionArgument = 0x2,
    AccountNotZeroed = 0x3,
    NoQuorum = 0x203,
    GuardianSetMismatch = 0x700,
    GuardianSetExpired = 0x706,
    InvalidGuardianKeyRecovery = 0x708,
    InvalidGuardianIndex = 0x1070,
    InvalidSignature = 0x1080,
    UnverifiedVaa = 0x10a0,
    NotInWritingStatus = 0x10a6,
    InvalidVaaVersion = 0x10ac,
    InvalidCreatedAccountSize = 0x10ae,
    DataOverflow = 0x10b0,
    CannotParseVaa = 0x10b4,
    WriteAuthorityMismatch = 0x10ba,
}

/// The price feed program's.
#[error_code]
pub enum PriceFeedError {
    UpdatesNotMonotonic,
    PriceFeedMessageMismatch,
    UnsupportedMessageType,
    DeserializeMessageFailed,
}
