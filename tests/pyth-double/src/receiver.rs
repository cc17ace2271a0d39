//! The receiver: writes prices that were signed to accounts of its own.

use crate::{
    accounts::{accounts, close, create, derived, of_kind, pay, signer, system, writable},
    bridge,
    bytes::{Bytes, MerklePriceUpdate, Message, NoPrice},
    error::ReceiverError,
    receiver_quorum,
    vaa::{Forged, SignerSet, Vaa, root},
};
use anchor_lang::{prelude::*, system_program};

/// `sha256("account:Config")[..8]`.
const CONFIG: [u8; 8] = [155, 12, 170, 224, 30, 250, 204, 130];
/// `sha256("account:PriceUpdateV2")[..8]`.
const PRICE_UPDATE: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];
/// Bytes of a price account.
const PRICE_UPDATE_BYTES: usize = 134;
/// Where a price account has its write authority.
const AUTHORITY: core::ops::Range<usize> = 8..40;

/// How far an update is verified, as a price account has it.
enum Level {
    Full,
    Partial(u8),
}

/// The receiver's configuration.
struct Config {
    bridge: Pubkey,
    sources: Vec<(u16, [u8; 32])>,
    fee: u64,
    minimum_signatures: u8,
}

impl Config {
    /// Reads the account's data behind the discriminator.
    fn read(data: &[u8]) -> Option<Self> {
        let mut from = Bytes(data);
        // Who governs it, and who is to.
        from.take(32)?;
        if from.byte()? != 0 {
            from.take(32)?;
        }
        let bridge = Pubkey::new_from_array(from.array()?);
        let count = from.count()?;
        let source = |_| Some((u16::from_le_bytes(from.array()?), from.array()?));
        let sources = (0..count).map(source).collect::<Option<_>>()?;
        Some(Self {
            bridge,
            sources,
            fee: u64::from_le_bytes(from.array()?),
            minimum_signatures: from.byte()?,
        })
    }
}

/// Accounts of both ways to post.
struct Post<'a, 'info> {
    payer: &'a AccountInfo<'info>,
    /// The signers' account, or that of a VAA.
    proof: &'a AccountInfo<'info>,
    treasury: &'a AccountInfo<'info>,
    account: &'a AccountInfo<'info>,
    authority: &'a AccountInfo<'info>,
    config: Config,
}

impl<'a, 'info> Post<'a, 'info> {
    fn new(
        program: &Pubkey,
        all: &'a [AccountInfo<'info>],
        treasury_id: u8,
        wrong_owner: ReceiverError,
    ) -> Result<Self> {
        let [
            payer,
            proof,
            configuration,
            treasury,
            account,
            system_program,
            authority,
        ] = accounts(all)?;
        signer(payer)?;
        of_kind(configuration, program, CONFIG)?;
        let config = Config::read(&configuration.try_borrow_data()?[8..]).ok_or(ErrorCode::AccountDidNotDeserialize)?;
        system(system_program)?;
        signer(authority)?;
        if *account.owner == system_program::ID {
            create(account, payer, PRICE_UPDATE_BYTES, program)?;
        } else {
            of_kind(account, program, PRICE_UPDATE)?;
        }
        writable(payer)?;
        require_keys_eq!(*proof.owner, config.bridge, wrong_owner);
        derived(configuration, &[b"config"], program)?;
        derived(treasury, &[b"treasury", &[treasury_id]], program)?;
        writable(treasury)?;
        writable(account)?;
        require!(account.is_signer, ErrorCode::ConstraintSigner);
        let post = Self {
            payer,
            proof,
            treasury,
            account,
            authority,
            config,
        };
        post.check_authority()?;
        Ok(post)
    }

    /// Whoever writes to an account first is the one who may.
    fn check_authority(&self) -> Result<()> {
        let data = self.account.try_borrow_data()?;
        let owner = data.get(AUTHORITY).unwrap_or_default();
        let may = *owner == [0; 32] || owner == self.authority.key.as_ref();
        require!(may, ReceiverError::WrongWriteAuthority);
        Ok(())
    }

    fn write(&self, vaa: &Vaa, update: &MerklePriceUpdate, level: &Level) -> Result<()> {
        pay(self.payer, self.treasury, self.config.fee)?;
        let known = self.config.sources.contains(&(vaa.chain, vaa.emitter));
        require!(known, ReceiverError::InvalidDataSource);
        let signed = vaa.root().ok_or(ReceiverError::InvalidWormholeMessage)?;
        let proven = root(update.message, update.proof) == signed;
        require!(proven, ReceiverError::InvalidPriceUpdate);
        let message = Message::read(update.message).map_err(|no_price| match no_price {
            NoPrice::Unsupported => ReceiverError::UnsupportedMessageType,
            NoPrice::Malformed => ReceiverError::DeserializeMessageFailed,
        })?;
        let mut bytes = PRICE_UPDATE.to_vec();
        bytes.extend_from_slice(self.authority.key.as_ref());
        match level {
            Level::Partial(signatures) => bytes.extend_from_slice(&[0, *signatures]),
            Level::Full => bytes.push(1),
        }
        bytes.extend(message.to_account());
        bytes.extend_from_slice(&Clock::get()?.slot.to_le_bytes());
        // What is written has a byte less for a fully verified update; the last one stays as it was.
        self.account.try_borrow_mut_data()?[..bytes.len()].copy_from_slice(&bytes);
        Ok(())
    }
}

/// Posts a price whose VAA the receiver checks itself.
pub fn post_update_atomic(program: &Pubkey, all: &[AccountInfo], data: &[u8]) -> Result<()> {
    let mut from = Bytes(data);
    let vaa = from.vector();
    let arguments = MerklePriceUpdate::read(&mut from).zip(from.byte()).zip(vaa);
    let ((update, treasury_id), vaa) = arguments.ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    let post = Post::new(program, all, treasury_id, ReceiverError::WrongGuardianSetOwner)?;

    let signers = {
        let data = post.proof.try_borrow_data()?;
        let behind = data.strip_prefix(&SignerSet::DISCRIMINATOR);
        behind
            .and_then(SignerSet::read)
            .ok_or(ErrorCode::AccountDidNotDeserialize)?
    };
    let seeds: [&[u8]; 2] = [b"GuardianSet", &signers.index.to_be_bytes()];
    let (address, _) = Pubkey::find_program_address(&seeds, &post.config.bridge);
    require_keys_eq!(*post.proof.key, address, ReceiverError::InvalidGuardianSetPda);
    require!(signers.is_active()?, ReceiverError::GuardianSetExpired);

    let vaa = Vaa::read(vaa).ok_or(ReceiverError::DeserializeVaaFailed)?;
    require_eq!(vaa.version, 1, ReceiverError::InvalidVaaVersion);
    require_eq!(vaa.set, signers.index, ReceiverError::GuardianSetMismatch);
    let count = vaa.signature_count();
    let enough = count >= usize::from(post.config.minimum_signatures);
    require!(enough, ReceiverError::InsufficientGuardianSignatures);
    vaa.check(&signers).map_err(|forged| match forged {
        Forged::Order => ReceiverError::InvalidGuardianOrder,
        Forged::Index => ReceiverError::InvalidGuardianIndex,
        Forged::Signature => ReceiverError::InvalidSignature,
        Forged::Key => ReceiverError::InvalidGuardianKeyRecovery,
    })?;
    let level = if count >= receiver_quorum(program, signers.addresses.len()) {
        Level::Full
    } else {
        Level::Partial(u8::try_from(count).unwrap_or(u8::MAX))
    };
    post.write(&vaa, &update, &level)
}

/// Posts a price whose VAA the bridge has verified.
pub fn post_update(program: &Pubkey, all: &[AccountInfo], data: &[u8]) -> Result<()> {
    let mut from = Bytes(data);
    let arguments = MerklePriceUpdate::read(&mut from).zip(from.byte());
    let (update, treasury_id) = arguments.ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    let post = Post::new(program, all, treasury_id, ReceiverError::WrongVaaOwner)?;
    let data = post.proof.try_borrow_data()?;
    post.write(&bridge::verified(&data)?, &update, &Level::Full)
}

/// Closes a price account.
pub fn reclaim_rent(program: &Pubkey, all: &[AccountInfo]) -> Result<()> {
    let [payer, account] = accounts(all)?;
    signer(payer)?;
    of_kind(account, program, PRICE_UPDATE)?;
    writable(payer)?;
    writable(account)?;
    let own = account.try_borrow_data()?.get(AUTHORITY) == Some(payer.key.as_ref());
    require!(own, ReceiverError::WrongWriteAuthority);
    close(account, payer)
}

/// When the price in an account was published, in seconds since 1970.
pub fn publish_time(data: &[u8]) -> Option<i64> {
    let behind = data.strip_prefix(&PRICE_UPDATE)?;
    let mut from = Bytes(behind);
    from.take(32)?;
    if from.byte()? == 0 {
        from.byte()?;
    }
    from.take(32 + 8 + 8 + 4)?;
    Some(i64::from_le_bytes(from.array()?))
}

/// The feed whose price is in an account.
pub fn feed(data: &[u8]) -> Option<[u8; 32]> {
    let mut from = Bytes(data.strip_prefix(&PRICE_UPDATE)?);
    from.take(32)?;
    if from.byte()? == 0 {
        from.byte()?;
    }
    from.array()
}
