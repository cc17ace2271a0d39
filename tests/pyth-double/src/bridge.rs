//! The Wormhole bridge, as far as an account for a VAA goes: discriminator, status, write authority, version, length of
//! the VAA and the VAA.

use crate::{
    accounts::{accounts, close as close_account, derived, of_kind, signer, writable},
    bytes::Bytes,
    error::BridgeError,
    vaa::{Forged, SignerSet, Vaa},
};
use anchor_lang::prelude::*;

/// `sha256("account:EncodedVaa")[..8]`.
const DISCRIMINATOR: [u8; 8] = [226, 101, 163, 4, 133, 160, 84, 245];
const STATUS: usize = 8;
const AUTHORITY: usize = 9;
const VERSION: usize = 41;
const LENGTH: usize = 42;
/// Where the VAA begins.
const START: usize = 46;

const WRITING: u8 = 1;
const VERIFIED: u8 = 2;

/// Takes an empty account for a VAA.
pub fn init(program: &Pubkey, all: &[AccountInfo]) -> Result<()> {
    let [authority, account] = accounts(all)?;
    signer(authority)?;
    owned(account, program)?;
    let mut data = account.try_borrow_mut_data()?;
    let Some(vaa) = data.len().checked_sub(START).filter(|vaa| *vaa > 0) else {
        return err!(BridgeError::InvalidCreatedAccountSize);
    };
    require!(data[..START] == [0; START], BridgeError::AccountNotZeroed);
    data[..STATUS].copy_from_slice(&DISCRIMINATOR);
    data[STATUS] = WRITING;
    data[AUTHORITY..VERSION].copy_from_slice(authority.key.as_ref());
    let length = u32::try_from(vaa).map_err(|_| BridgeError::InvalidCreatedAccountSize)?;
    data[LENGTH..START].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Writes part of a VAA.
pub fn write(program: &Pubkey, all: &[AccountInfo], data: &[u8]) -> Result<()> {
    let mut from = Bytes(data);
    let arguments = from.count().and_then(|index| Some((index, from.vector()?)));
    let (index, part) = arguments.ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    let [authority, account] = accounts(all)?;
    signer(authority)?;
    draft(authority, account, program)?;
    require!(!part.is_empty(), BridgeError::InvalidInstructionArgument);
    let mut data = account.try_borrow_mut_data()?;
    let to = data[START..].get_mut(index..index.saturating_add(part.len()));
    to.ok_or(BridgeError::DataOverflow)?.copy_from_slice(part);
    Ok(())
}

/// Checks the signatures of a VAA that was written.
pub fn verify(program: &Pubkey, all: &[AccountInfo]) -> Result<()> {
    let [authority, account, set] = accounts(all)?;
    signer(authority)?;
    of_kind(set, program, SignerSet::DISCRIMINATOR)?;
    let signers = SignerSet::read(&set.try_borrow_data()?[8..]).ok_or(ErrorCode::AccountDidNotDeserialize)?;
    draft(authority, account, program)?;
    derived(set, &[b"GuardianSet", &signers.index.to_be_bytes()], program)?;
    require!(signers.is_active()?, BridgeError::GuardianSetExpired);

    let mut data = account.try_borrow_mut_data()?;
    let vaa = Vaa::read(&data[START..]).ok_or(BridgeError::CannotParseVaa)?;
    require_eq!(vaa.version, 1, BridgeError::InvalidVaaVersion);
    require_eq!(vaa.set, signers.index, BridgeError::GuardianSetMismatch);
    let quorum = signers.addresses.len() / 2 + 1;
    require!(vaa.signature_count() >= quorum, BridgeError::NoQuorum);
    vaa.check(&signers).map_err(|forged| match forged {
        Forged::Order | Forged::Index => BridgeError::InvalidGuardianIndex,
        Forged::Signature => BridgeError::InvalidSignature,
        Forged::Key => BridgeError::InvalidGuardianKeyRecovery,
    })?;
    data[STATUS] = VERIFIED;
    data[VERSION] = 1;
    Ok(())
}

/// Closes an account for a VAA, in whatever state.
pub fn close(program: &Pubkey, all: &[AccountInfo]) -> Result<()> {
    let [authority, account] = accounts(all)?;
    signer(authority)?;
    writable(authority)?;
    owned(account, program)?;
    is_of(authority, account)?;
    close_account(account, authority)
}

/// The VAA in an account that the bridge has verified.
pub fn verified(data: &[u8]) -> Result<Vaa<'_>> {
    require!(data.starts_with(&DISCRIMINATOR), ErrorCode::AccountDidNotDeserialize);
    require!(data.get(STATUS) == Some(&VERIFIED), BridgeError::UnverifiedVaa);
    let vaa = data.get(START..).and_then(Vaa::read);
    Ok(vaa.ok_or(BridgeError::CannotParseVaa)?)
}

fn owned(account: &AccountInfo, program: &Pubkey) -> Result<()> {
    writable(account)?;
    require_keys_eq!(*account.owner, *program, ErrorCode::ConstraintOwner);
    Ok(())
}

/// An account that is being written to, by this authority.
fn draft(authority: &AccountInfo, account: &AccountInfo, program: &Pubkey) -> Result<()> {
    owned(account, program)?;
    {
        let data = account.try_borrow_data()?;
        require!(data.starts_with(&DISCRIMINATOR), ErrorCode::AccountDidNotDeserialize);
        require!(data.get(STATUS) == Some(&WRITING), BridgeError::NotInWritingStatus);
    }
    is_of(authority, account)
}

fn is_of(authority: &AccountInfo, account: &AccountInfo) -> Result<()> {
    let data = account.try_borrow_data()?;
    require!(data.starts_with(&DISCRIMINATOR), ErrorCode::AccountDidNotDeserialize);
    let own = data.get(AUTHORITY..VERSION) == Some(authority.key.as_ref());
    require!(own, BridgeError::WriteAuthorityMismatch);
    Ok(())
}
