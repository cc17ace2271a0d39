//! Events: which accounts were involved, and the engine's own record of what happened.

use anchor_lang::{Discriminator, prelude::*, solana_program::log::sol_log_data};
use breakwater_engine::{
    Bps, Collateral, Feeds, ParameterChange, Price, Quote, actions,
    backstop::capacity,
    governance::{self, depth, pause, ramp},
    price::guard,
};
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
    /// The protocol was initialized.
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
    /// A change of the liquidation LTV was announced.
    LiquidationLtvAnnounced { market: Pubkey, ramp: ramp::RampAnnounced, }
    /// The emergency admin or the authority halted a market.
    EmergencyHalted { market: Pubkey, signer: Pubkey, halt: guard::HaltStarted, }
    /// The protocol has another emergency admin.
    EmergencyAdminSet { emergency_admin: Pubkey, }
    /// Another authority was proposed; all zeros if none is any more.
    AuthorityProposed { authority: Pubkey, proposed: Pubkey, expires_slot: u64, }
    /// The proposed authority accepted, and is the authority now.
    AuthorityAccepted { authority: Pubkey, }
    /// A change of a market's feeds was queued.
    FeedsQueued { market: Pubkey, queued: governance::ChangeQueued, feeds: Feeds, dead: bool, }
    /// A market has other feeds.
    FeedsChanged { market: Pubkey, feeds: Feeds, dead: bool, }
    /// Another depth budget or share was queued for a market.
    DepthShareQueued { market: Pubkey, queued: governance::ChangeQueued, allocation: depth::DepthAllocation, }
    /// A market has another depth budget or share.
    DepthShareChanged { market: Pubkey, allocation: depth::DepthAllocation, }
    /// Another emergency admin was queued.
    EmergencyAdminQueued { emergency_admin: Pubkey, queued: governance::ChangeQueued, }
    /// Another sentinel was queued.
    SentinelQueued { sentinel: Pubkey, queued: governance::ChangeQueued, }
    /// The protocol has another sentinel.
    SentinelSet { sentinel: Pubkey, }
    /// The sentinel raised the fall of admission.
    StressFallRaised { market: Pubkey, sentinel: Pubkey, raised: capacity::StressRaised, }
    /// A queued change was canceled. The subject is a market, or the protocol.
    ChangeCanceled { subject: Pubkey, kind: u8, id: u16, signer: Pubkey, }
    /// Kinds of action are paused in a market.
    ActionsPaused { market: Pubkey, signer: Pubkey, pause: pause::Pause, }
    /// An announced change of the liquidation LTV was taken back.
    RampCanceled { market: Pubkey, signer: Pubkey, ramp: ramp::RampCancellation, }
    /// The announcement that the protocol takes equity out was taken back.
    EquityWithdrawalCanceled { market: Pubkey, signer: Pubkey, canceled: actions::EquityWithdrawalCancellation, }
    /// The backstop was funded.
    BackstopFunded { market: Pubkey, funder: Pubkey, funding: actions::Funding, }
    /// A deficit was settled: who bore what.
    DeficitSettled { market: Pubkey, settlement: actions::Settlement, }
    /// The protocol announced that it will take equity out.
    EquityWithdrawalAnnounced { market: Pubkey, queued: actions::EquityWithdrawalQueued, }
    /// The protocol took equity out.
    EquityWithdrawn { market: Pubkey, taken: actions::EquityWithdrawal, }
    /// A guardian's position was opened.
    GuardianPositionOpened { market: Pubkey, guardian: Pubkey, }
    /// A guardian's position was closed.
    GuardianPositionClosed { market: Pubkey, guardian: Pubkey, }
    /// A guardian put capital in.
    GuardianDeposited { market: Pubkey, guardian: Pubkey, deposit: actions::GuardianDeposit, }
    /// A guardian asked to leave, or took that back.
    GuardianRequested { market: Pubkey, guardian: Pubkey, request: actions::GuardianRequest, }
    /// A guardian's request was paid, as far as it could be.
    GuardianWithdrawn { market: Pubkey, guardian: Pubkey, withdrawal: actions::GuardianWithdrawal, }
    /// Inventory was sold.
    InventorySold { market: Pubkey, buyer: Pubkey, sale: actions::Sale, }
    /// A keeper's ledger was opened.
    KeeperLedgerOpened { market: Pubkey, keeper: Pubkey, }
    /// A keeper claimed its bounties.
    BountyClaimed { market: Pubkey, keeper: Pubkey, claim: actions::BountyClaim, }
}

/// The depth budget of an asset was created.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthBudgetCreated {
    /// The budget.
    pub depth_budget: Pubkey,
    /// Name of the asset, ASCII padded with zeros.
    pub name: [u8; 32],
}

/// A change of a market's parameters was queued.
#[event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParametersQueued {
    /// The market.
    pub market: Pubkey,
    /// Tells apart the entries of the market.
    pub id: u16,
    /// When it can be executed.
    pub queued: governance::ChangeQueued,
    /// Changes to be made.
    pub changes: Vec<ParameterChange>,
}

/// A market's parameters were changed as it was queued.
#[event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParametersChanged {
    /// The market.
    pub market: Pubkey,
    /// The entry of the queue.
    pub id: u16,
    /// Changes made.
    pub changes: Vec<ParameterChange>,
}

/// A market's parameters were tightened.
#[event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tightened {
    /// The market.
    pub market: Pubkey,
    /// The emergency admin, or the authority.
    pub signer: Pubkey,
    /// Changes made.
    pub changes: Vec<ParameterChange>,
}

/// Margin accounts were liquidated by one instruction, in this order. One event for all: each would cost a hundred
/// compute units for itself, and a batch of fifty would not fit a transaction's log. The transaction names market and
/// keeper.
#[event]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountsLiquidated {
    /// Liquidation of each account.
    pub liquidated: Vec<Liquidated>,
}

/// A margin account was liquidated.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidated {
    /// The account.
    pub margin_account: Pubkey,
    /// Liquidation of the account.
    pub liquidation: actions::Liquidation,
}

/// The bytes of [`Liquidated`], field by field.
#[derive(Clone, Copy, NoUninit, Zeroable)]
#[repr(C, packed)]
struct LiquidatedBytes {
    margin_account: [u8; 32],
    price: Price,
    repaid: Quote,
    paid_in_cash: Quote,
    seized: Collateral,
    deficit: Quote,
    bounty: Quote,
    debt_after: Quote,
    collateral_after: Collateral,
    penalty: Bps,
    taken_over: bool,
    whole: bool,
}

/// Collects the event [`AccountsLiquidated`]. It copies in one piece what `emit!` would serialize field by field.
pub struct LiquidatedLog {
    bytes: Vec<u8>,
    count: u32,
}

/// Bytes before the first account: discriminator and number of accounts.
const HEAD: usize = 12;

impl LiquidatedLog {
    /// With room for so many accounts.
    pub fn with_capacity(accounts: usize) -> Self {
        // A transaction names a few dozen accounts.
        let space = accounts.wrapping_mul(size_of::<LiquidatedBytes>()).wrapping_add(HEAD);
        let mut bytes = Vec::with_capacity(space);
        bytes.extend_from_slice(AccountsLiquidated::DISCRIMINATOR);
        bytes.extend_from_slice(&[0; 4]);
        Self { bytes, count: 0 }
    }

    /// Adds an account.
    #[inline]
    pub fn add(&mut self, margin_account: &Pubkey, liquidation: &actions::Liquidation) {
        let actions::Liquidation {
            price,
            repaid,
            paid_in_cash,
            seized,
            deficit,
            bounty,
            debt_after,
            collateral_after,
            penalty,
            taken_over,
            whole,
        } = *liquidation;
        let bytes = LiquidatedBytes {
            margin_account: margin_account.to_bytes(),
            price,
            repaid,
            paid_in_cash,
            seized,
            deficit,
            bounty,
            debt_after,
            collateral_after,
            penalty,
            taken_over,
            whole,
        };
        self.bytes.extend_from_slice(bytemuck::bytes_of(&bytes));
        // A transaction names a few dozen accounts.
        self.count = self.count.wrapping_add(1);
    }

    /// Emits the event, unless no account was liquidated.
    pub fn emit(mut self) {
        if self.count > 0 {
            sol_log_data(&[self.event()]);
        }
    }

    fn event(&mut self) -> &[u8] {
        if let Some(count) = self.bytes.get_mut(8..HEAD) {
            count.copy_from_slice(&self.count.to_le_bytes());
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::Event;

    #[test]
    fn the_log_is_the_event() {
        let mut log = LiquidatedLog::with_capacity(2);
        let liquidated = [(false, true), (true, false)].map(|(taken_over, whole)| Liquidated {
            margin_account: Pubkey::new_unique(),
            liquidation: actions::Liquidation {
                price: Price::from_raw(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
                repaid: Quote(0x1112_1314_1516_1718),
                paid_in_cash: Quote(2),
                seized: Collateral(3),
                deficit: Quote(4),
                bounty: Quote(5),
                debt_after: Quote(7),
                collateral_after: Collateral(8),
                penalty: Bps(9),
                taken_over,
                whole,
            },
        });
        for one in &liquidated {
            log.add(&one.margin_account, &one.liquidation);
        }
        let capacity = log.bytes.capacity();
        let event = AccountsLiquidated {
            liquidated: liquidated.to_vec(),
        };
        assert_eq!(log.event(), event.data());
        assert_eq!(
            log.bytes.capacity(),
            capacity,
            "it must not grow: the heap is never freed"
        );
    }
}
