//! Events: which accounts were involved, and the engine's own record of what happened.

use anchor_lang::{Discriminator, prelude::*, solana_program::log::sol_log_data};
use breakwater_engine::{Bps, Collateral, Price, Quote, actions, guard};
use bytemuck::{NoUninit, Zeroable};

// The types are matched token by token: Anchor's IDL generator drops an event without a word when a field's type is a
// `ty` fragment.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $($ty:ident)::+,)* })*) => {
        $($(#[$doc])* #[event] #[derive(Clone, Copy, Debug, PartialEq, Eq)] pub struct $name {
            $(#[allow(missing_docs, reason = "named for the account, or for the engine's record")] pub $field: $($ty)::+,)*
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
    PriceObserved { market: Pubkey, observation: actions::Observation, }
    /// The breaker changed its level, for the flags it names.
    LevelChanged { market: Pubkey, change: guard::LevelChange, }
    /// The guardian or the authority pulled a market's brake.
    BrakePulled { market: Pubkey, signer: Pubkey, pull: guard::BrakePull, }
    /// The protocol has another guardian of the brakes.
    GuardianSet { guardian: Pubkey, }
    /// A margin account was liquidated. The account names its market, and the transaction the keeper: every byte of an event
    /// costs a compute unit, and this one is emitted for each account of a batch.
    Liquidated { margin_account: Pubkey, liquidation: actions::Liquidation, }
    /// The backstop was funded.
    BackstopFunded { market: Pubkey, funder: Pubkey, funding: actions::Funding, }
    /// A margin account was liquidated by somebody's own capital.
    ExternallyLiquidated { market: Pubkey, margin_account: Pubkey, liquidator: Pubkey, liquidation: actions::ExternalLiquidation, }
    /// A deficit was settled: who bore what.
    DeficitSettled { market: Pubkey, settlement: actions::Settlement, }
    /// The protocol announced that it will take equity out.
    TakeOutAnnounced { market: Pubkey, queued: actions::TakeOutQueued, }
    /// The protocol took equity out.
    EquityTakenOut { market: Pubkey, taken: actions::TakenOut, }
    /// A guardian's position was opened.
    GuardianPositionOpened { market: Pubkey, guardian: Pubkey, }
    /// A guardian's position was closed.
    GuardianPositionClosed { market: Pubkey, guardian: Pubkey, }
    /// A guardian put capital in.
    GuardianDeposited { market: Pubkey, guardian: Pubkey, deposit: actions::GuardianDeposit, }
    /// A guardian asked to leave.
    GuardianRequested { market: Pubkey, guardian: Pubkey, request: actions::GuardianRequest, }
    /// A guardian left.
    GuardianWithdrawn { market: Pubkey, guardian: Pubkey, withdrawal: actions::GuardianWithdrawal, }
    /// Inventory was sold.
    InventorySold { market: Pubkey, buyer: Pubkey, sale: actions::Sale, }
    /// A keeper's ledger was opened.
    KeeperLedgerOpened { market: Pubkey, keeper: Pubkey, }
    /// A keeper claimed its bounties.
    BountyClaimed { market: Pubkey, keeper: Pubkey, claim: actions::BountyClaim, }
}

/// The bytes of the event [`Liquidated`], field by field, behind its discriminator.
#[derive(Clone, Copy, NoUninit, Zeroable)]
#[repr(C, packed)]
struct LiquidatedBytes {
    discriminator: [u8; 8],
    margin_account: [u8; 32],
    price: Price,
    repaid: Quote,
    paid_in_cash: Quote,
    seized: Collateral,
    deficit: Quote,
    bounty: Quote,
    bounty_unpaid: Quote,
    debt_after: Quote,
    collateral_after: Collateral,
    penalty: Bps,
    insolvent: bool,
    whole: bool,
}

/// Emits the event [`Liquidated`]. It writes in place what `emit!` would serialise into a growing vector: a batch does it
/// for every account.
pub struct LiquidatedLog(LiquidatedBytes);

impl Default for LiquidatedLog {
    fn default() -> Self {
        let mut discriminator = [0; 8];
        discriminator.copy_from_slice(Liquidated::DISCRIMINATOR);
        Self(LiquidatedBytes {
            discriminator,
            ..Zeroable::zeroed()
        })
    }
}

impl LiquidatedLog {
    /// Emits the event.
    #[inline]
    pub fn emit(&mut self, margin_account: &Pubkey, liquidation: &actions::Liquidation) {
        sol_log_data(&[self.fill(margin_account, liquidation)]);
    }

    #[inline]
    fn fill(&mut self, margin_account: &Pubkey, liquidation: &actions::Liquidation) -> &[u8] {
        let actions::Liquidation {
            price,
            repaid,
            paid_in_cash,
            seized,
            deficit,
            bounty,
            bounty_unpaid,
            debt_after,
            collateral_after,
            penalty,
            insolvent,
            whole,
        } = *liquidation;
        self.0 = LiquidatedBytes {
            discriminator: self.0.discriminator,
            margin_account: margin_account.to_bytes(),
            price,
            repaid,
            paid_in_cash,
            seized,
            deficit,
            bounty,
            bounty_unpaid,
            debt_after,
            collateral_after,
            penalty,
            insolvent,
            whole,
        };
        bytemuck::bytes_of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::Event;

    #[test]
    fn the_log_is_the_event() {
        let margin_account = Pubkey::new_unique();
        let mut log = LiquidatedLog::default();
        for (insolvent, whole) in [(false, true), (true, false)] {
            let liquidation = actions::Liquidation {
                price: Price::from_raw(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
                repaid: Quote(0x1112_1314_1516_1718),
                paid_in_cash: Quote(2),
                seized: Collateral(3),
                deficit: Quote(4),
                bounty: Quote(5),
                bounty_unpaid: Quote(6),
                debt_after: Quote(7),
                collateral_after: Collateral(8),
                penalty: Bps(9),
                insolvent,
                whole,
            };
            let event = Liquidated {
                margin_account,
                liquidation,
            };
            assert_eq!(log.fill(&margin_account, &liquidation), event.data());
        }
    }
}
