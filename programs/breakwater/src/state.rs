//! Accounts of the program. The engine's structs are stored as they are, behind Anchor's discriminator.

use crate::error::BreakwaterError;
use anchor_lang::{Discriminator, Owner, ZeroCopy, prelude::*};
use breakwater_engine as engine;
use bytemuck::{Pod, Zeroable};
use core::{
    cell::RefMut,
    ops::{Deref, DerefMut},
};

macro_rules! stored_account {
    ($(#[$doc:meta])* $name:ident, $discriminator:expr) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Pod, Zeroable)]
        pub struct $name(pub engine::$name);

        impl $name {
            /// Bytes of the account: discriminator and state.
            pub const SPACE: usize = 8 + size_of::<engine::$name>();
        }

        impl Discriminator for $name {
            const DISCRIMINATOR: &'static [u8] = &$discriminator;
        }
        impl Owner for $name {
            fn owner() -> Pubkey {
                crate::ID
            }
        }
        impl ZeroCopy for $name {}
        impl Deref for $name {
            type Target = engine::$name;
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }
        #[cfg(feature = "idl-build")]
        impl anchor_lang::IdlBuild for $name {
            fn create_type() -> Option<anchor_lang::idl::types::IdlTypeDef> {
                engine::$name::create_type()
            }
            fn insert_types(types: &mut std::collections::BTreeMap<String, anchor_lang::idl::types::IdlTypeDef>) {
                engine::$name::insert_types(types);
            }
            fn get_full_path() -> String {
                engine::$name::get_full_path()
            }
        }
    };
}

stored_account!(
    /// See [`engine::Market`]. Address: `["market", collateral mint, quote mint, id]`.
    Market,
    [219, 190, 213, 55, 0, 227, 198, 154]
);
stored_account!(
    /// See [`engine::MarginAccount`]. Address: `["margin_account", market, owner, id]`.
    MarginAccount,
    [133, 220, 173, 213, 179, 211, 43, 238]
);
stored_account!(
    /// See [`engine::KeeperLedger`]. Address: `["keeper_ledger", market, keeper]`.
    KeeperLedger,
    [236, 253, 234, 49, 252, 8, 152, 41]
);

stored_account!(
    /// See [`engine::GuardianPosition`]. Address: `["guardian_position", market, guardian]`.
    GuardianPosition,
    [122, 64, 177, 197, 89, 36, 84, 149]
);

stored_account!(
    /// See [`engine::QueuedChange`]. Address: `["queued_change", subject, kind, id]`; subject is a market or the
    /// protocol.
    QueuedChange,
    [178, 209, 212, 240, 49, 65, 50, 3]
);

stored_account!(
    /// See [`engine::DepthBudget`]. Address: `["depth_budget", name]`.
    DepthBudget,
    [122, 233, 72, 105, 40, 253, 137, 182]
);

/// The protocol's own account. Address: `["protocol"]`.
#[account]
#[derive(InitSpace)]
pub struct Protocol {
    /// Who may create markets, and change them after a timelock.
    pub authority: Pubkey,
    /// Emergency admin: may halt and pause for a limited time, tighten, and cancel what is queued. Nobody if all
    /// zeros.
    pub emergency_admin: Pubkey,
    /// Bump of its address.
    pub bump: u8,
    /// Who becomes the authority by accepting it. Nobody if all zeros.
    pub pending_authority: Pubkey,
    /// The last slot in which it can, as the signers of the proposal named it.
    pub pending_until_slot: u64,
    /// Sentinel: may raise the fall of admission a little, for some hours. Nobody if all zeros.
    pub sentinel: Pubkey,
    /// Zeros; room for governance.
    pub reserved: [u64; 19],
}

impl Protocol {
    /// True if `signer` may tighten, pause, halt and cancel: the emergency admin, or the authority.
    #[must_use]
    pub fn is_emergency_signer(&self, signer: &Pubkey) -> bool {
        [self.emergency_admin, self.authority].contains(signer)
    }
}

/// A public key as the engine stores it.
#[inline]
pub fn key(address: &Pubkey) -> engine::Key {
    engine::Key(address.to_bytes())
}

/// True if `address` is a stored key.
#[inline]
pub fn is_key(address: &Pubkey, key: &engine::Key) -> bool {
    same(address.as_array(), &key.0)
}

/// True if two addresses are the same. In words: comparing them by bytes is a call into the runtime.
#[inline]
pub fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = |bytes: &[u8; 32]| bytemuck::pod_read_unaligned::<[u64; 4]>(bytes);
    let [first, second, third, fourth] = words(one);
    let others = words(other);
    first == others[0] && second == others[1] && third == others[2] && fourth == others[3]
}

/// A stored key as an address.
#[inline]
pub fn address(key: engine::Key) -> Pubkey {
    Pubkey::new_from_array(key.0)
}

// Who is who. Here and not as constraints, each of which would load the account once more.

/// A margin account, if it is of this market.
///
/// # Errors
/// [`BreakwaterError::WrongMarket`], those of [`AccountLoader::load_mut`].
pub fn margin_account<'a>(
    account: &'a AccountLoader<MarginAccount>,
    market: &Pubkey,
) -> Result<RefMut<'a, MarginAccount>> {
    let state = account.load_mut()?;
    require!(is_key(market, &state.market), BreakwaterError::WrongMarket);
    Ok(state)
}

/// A margin account, if it is of this market and this owner.
///
/// # Errors
/// [`BreakwaterError::WrongOwner`], those of [`margin_account`].
pub fn own_margin_account<'a>(
    account: &'a AccountLoader<MarginAccount>,
    market: &Pubkey,
    owner: &Pubkey,
) -> Result<RefMut<'a, MarginAccount>> {
    let state = margin_account(account, market)?;
    require!(is_key(owner, &state.owner), BreakwaterError::WrongOwner);
    Ok(state)
}

/// The ledger of a keeper in a market.
///
/// # Errors
/// [`BreakwaterError::WrongMarket`], [`BreakwaterError::WrongKeeper`], those of [`AccountLoader::load_mut`].
pub fn keeper_ledger<'a>(
    account: &'a AccountLoader<KeeperLedger>,
    market: &Pubkey,
    keeper: &Pubkey,
) -> Result<RefMut<'a, KeeperLedger>> {
    let ledger = account.load_mut()?;
    require!(is_key(market, &ledger.market), BreakwaterError::WrongMarket);
    require!(is_key(keeper, &ledger.keeper), BreakwaterError::WrongKeeper);
    Ok(ledger)
}

/// The position of a guardian in a market.
///
/// # Errors
/// [`BreakwaterError::WrongMarket`], [`BreakwaterError::WrongGuardianPosition`], those of [`AccountLoader::load_mut`].
pub fn guardian_position<'a>(
    account: &'a AccountLoader<GuardianPosition>,
    market: &Pubkey,
    guardian: &Pubkey,
) -> Result<RefMut<'a, GuardianPosition>> {
    let position = account.load_mut()?;
    require!(is_key(market, &position.market), BreakwaterError::WrongMarket);
    require!(
        is_key(guardian, &position.guardian),
        BreakwaterError::WrongGuardianPosition
    );
    Ok(position)
}

/// The seeds with which a market signs for its vaults and its LP mint.
pub struct MarketSeeds {
    collateral_mint: [u8; 32],
    quote_mint: [u8; 32],
    id: [u8; 2],
    bump: [u8; 1],
}

impl MarketSeeds {
    /// Seeds of this market.
    pub fn of(market: &engine::Market) -> Self {
        Self {
            collateral_mint: market.collateral_mint.0,
            quote_mint: market.quote_mint.0,
            id: market.id.to_le_bytes(),
            bump: [market.bump],
        }
    }

    /// As `invoke_signed` takes them.
    pub fn as_slices(&self) -> [&[u8]; 5] {
        [b"market", &self.collateral_mint, &self.quote_mint, &self.id, &self.bump]
    }
}
