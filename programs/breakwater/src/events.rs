//! Events: which accounts were involved, and the engine's own record of what happened.

use anchor_lang::prelude::*;
use breakwater_engine::{actions, oracle::Observation};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty,)* })*) => {
        $($(#[$doc])* #[event] #[derive(Clone, Copy, Debug, PartialEq, Eq)] pub struct $name {
            $(#[allow(missing_docs, reason = "named for the account, or for the engine's record")] pub $field: $ty,)*
        })*
    };
}

events! {
    /// The protocol was initialised.
    ProtocolInitialized { authority: Pubkey, }
    /// A market was created.
    MarketCreated { market: Pubkey, collateral_mint: Pubkey, quote_mint: Pubkey, id: u16, }
    /// Quote was supplied to a pool.
    Supplied { market: Pubkey, supplier: Pubkey, supply: actions::Supply, }
    /// A supplier left a pool.
    Withdrawn { market: Pubkey, supplier: Pubkey, withdrawal: actions::Withdrawal, }
    /// A margin account was opened.
    AccountOpened { market: Pubkey, margin_account: Pubkey, owner: Pubkey, id: u16, }
    /// A margin account was closed.
    AccountClosed { margin_account: Pubkey, owner: Pubkey, }
    /// Collateral was added to a margin account.
    CollateralDeposited { market: Pubkey, margin_account: Pubkey, depositor: Pubkey, change: actions::CollateralChange, }
    /// Collateral was taken out of a margin account.
    CollateralWithdrawn { market: Pubkey, margin_account: Pubkey, change: actions::CollateralChange, }
    /// A margin account borrowed.
    Borrowed { market: Pubkey, margin_account: Pubkey, borrowing: actions::Borrowing, }
    /// Debt of a margin account was repaid.
    Repaid { market: Pubkey, margin_account: Pubkey, payer: Pubkey, repayment: actions::Repayment, }
    /// A price was observed.
    PriceObserved { market: Pubkey, observation: Observation, }
    /// A margin account was liquidated.
    Liquidated { market: Pubkey, margin_account: Pubkey, keeper: Pubkey, liquidation: actions::Liquidation, }
    /// The backstop was funded.
    BackstopFunded { market: Pubkey, funder: Pubkey, funding: actions::Funding, }
    /// Inventory was sold.
    InventorySold { market: Pubkey, buyer: Pubkey, sale: actions::Sale, }
    /// A keeper's ledger was opened.
    KeeperLedgerOpened { market: Pubkey, keeper: Pubkey, }
    /// A keeper claimed its bounties.
    BountyClaimed { market: Pubkey, keeper: Pubkey, claim: actions::BountyClaim, }
}
