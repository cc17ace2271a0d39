//! Every address that the program derives, one function each.

use anchor_lang::{prelude::Pubkey, solana_program::bpf_loader_upgradeable};

fn derive(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &breakwater::ID).0
}

/// The protocol's configuration: one for the whole program.
#[must_use]
pub fn protocol() -> Pubkey {
    derive(&[b"protocol"])
}

/// The account in which the loader keeps the program's code and its upgrade authority.
#[must_use]
pub fn program_data() -> Pubkey {
    Pubkey::find_program_address(&[breakwater::ID.as_ref()], &bpf_loader_upgradeable::ID).0
}

/// A market. The same pair of mints may have several, told apart by `id`.
#[must_use]
pub fn market(collateral_mint: &Pubkey, quote_mint: &Pubkey, id: u16) -> Pubkey {
    derive(&[
        b"market",
        collateral_mint.as_ref(),
        quote_mint.as_ref(),
        &id.to_le_bytes(),
    ])
}

/// The token account that holds all collateral of a market.
#[must_use]
pub fn collateral_vault(market: &Pubkey) -> Pubkey {
    derive(&[b"collateral_vault", market.as_ref()])
}

/// The token account that holds all quote tokens of a market.
#[must_use]
pub fn quote_vault(market: &Pubkey) -> Pubkey {
    derive(&[b"quote_vault", market.as_ref()])
}

/// The mint of a market's LP shares.
#[must_use]
pub fn lp_mint(market: &Pubkey) -> Pubkey {
    derive(&[b"lp_mint", market.as_ref()])
}

/// One owner's margin account. An owner may have several in one market, told apart by `id`.
#[must_use]
pub fn margin_account(market: &Pubkey, owner: &Pubkey, id: u16) -> Pubkey {
    derive(&[b"margin_account", market.as_ref(), owner.as_ref(), &id.to_le_bytes()])
}

/// The ledger of what a market owes one keeper.
#[must_use]
pub fn keeper_ledger(market: &Pubkey, keeper: &Pubkey) -> Pubkey {
    derive(&[b"keeper_ledger", market.as_ref(), keeper.as_ref()])
}

/// One guardian's shares in a market's backstop.
#[must_use]
pub fn guardian_position(market: &Pubkey, guardian: &Pubkey) -> Pubkey {
    derive(&[b"guardian_position", market.as_ref(), guardian.as_ref()])
}

/// An entry of the queue: a change of `subject`, a market or the protocol, of a kind of
/// [`breakwater_engine::governance`]. Only changes of parameters have another `id` than zero.
#[must_use]
pub fn queued_change(subject: &Pubkey, kind: u8, id: u16) -> Pubkey {
    derive(&[b"queued_change", subject.as_ref(), &[kind], &id.to_le_bytes()])
}

/// The name of an asset as a depth budget holds it: ASCII, padded with zeros; cut off after 32 bytes.
#[must_use]
pub fn depth_name(asset: &str) -> [u8; 32] {
    let mut name = [0; 32];
    for (byte, letter) in name.iter_mut().zip(asset.bytes()) {
        *byte = letter;
    }
    name
}

/// The depth budget of an asset, by its name.
#[must_use]
pub fn depth_budget(asset: &str) -> Pubkey {
    derive(&[b"depth_budget", &depth_name(asset)])
}

/// The addresses that follow from a market's mints and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketAddresses {
    /// The market's own account.
    pub market: Pubkey,
    /// Where its collateral is.
    pub collateral_vault: Pubkey,
    /// Where its quote tokens are.
    pub quote_vault: Pubkey,
    /// The mint of its LP shares.
    pub lp_mint: Pubkey,
}

impl MarketAddresses {
    /// Derives all of them.
    #[must_use]
    pub fn derive(collateral_mint: &Pubkey, quote_mint: &Pubkey, id: u16) -> Self {
        let market = market(collateral_mint, quote_mint, id);
        Self {
            market,
            collateral_vault: collateral_vault(&market),
            quote_vault: quote_vault(&market),
            lp_mint: lp_mint(&market),
        }
    }
}
