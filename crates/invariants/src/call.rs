use breakwater_engine::{
    Bps, Collateral, GuardianShares, LpShares, Quote,
    actions::{
        Borrowing, BountyClaim, CollateralChange, EquityWithdrawal, EquityWithdrawalCancellation,
        EquityWithdrawalQueued, Funding, GuardianDeposit, GuardianRequest, GuardianWithdrawal, Liquidation,
        Observation, Repayment, Sale, Settlement, Supply, Withdrawal,
    },
    backstop::capacity::StressRaised,
    governance::{
        pause::Pause,
        ramp::{RampAnnounced, RampCancellation},
    },
    price::guard::HaltStarted,
};

/// One instruction with every number in it, as the program would be sent it. Limits of the caller's (least shares,
/// highest cost) are left wide open, but where they decide something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the program's instructions and their arguments are")]
pub enum Call {
    Supply {
        supplier: usize,
        amount: Quote,
    },
    Withdraw {
        supplier: usize,
        shares: LpShares,
    },
    Deposit {
        account: usize,
        amount: Collateral,
    },
    WithdrawCollateral {
        account: usize,
        amount: Collateral,
    },
    Borrow {
        account: usize,
        amount: Quote,
    },
    Repay {
        account: usize,
        amount: Quote,
    },
    /// Closes an empty account, and opens it again.
    Reopen {
        account: usize,
    },
    Liquidate {
        keeper: usize,
        account: usize,
    },
    LiquidateBatch {
        keeper: usize,
        accounts: Vec<usize>,
    },
    Claim {
        keeper: usize,
    },
    Fund {
        amount: Quote,
    },
    Buy {
        amount: Collateral,
    },
    BuyFor {
        budget: Quote,
        min_amount: Collateral,
    },
    Settle,
    GuardianDeposit {
        guardian: usize,
        amount: Quote,
    },
    /// No shares take an open request back.
    GuardianRequest {
        guardian: usize,
        shares: GuardianShares,
    },
    GuardianWithdraw {
        guardian: usize,
        amount: Quote,
        /// True if the feeds are shown with it; else the stored prices have to do.
        shown: bool,
    },
    /// Closes an empty position, and opens it again.
    ReopenPosition {
        guardian: usize,
    },
    QueueEquityWithdrawal {
        amount: Quote,
        expires_slot: u64,
    },
    CancelEquityWithdrawal,
    WithdrawEquity {
        /// True if the feeds are shown with it; else the stored prices have to do.
        shown: bool,
    },
    Observe,
    RaiseStress {
        points: Bps,
    },
    EmergencyHalt {
        seconds: u32,
    },
    Pause {
        kinds: u8,
        seconds: u32,
    },
    AnnounceLtv {
        to: Bps,
        starts_at: i64,
        ends_at: i64,
    },
    CancelRamp,
    /// Changes the parameter of this number from what it is now.
    Tighten {
        parameter: u8,
        to: u64,
    },
    /// A transfer of tokens straight into the quote vault, past the program.
    DonateQuote {
        amount: u64,
    },
    /// The same into the collateral vault.
    DonateCollateral {
        amount: u64,
    },
}

/// Effects of a call, in the engine's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the engine's records are")]
pub enum Done {
    Supplied(Supply),
    Withdrawn(Withdrawal),
    Deposited(CollateralChange),
    CollateralWithdrawn(CollateralChange),
    Borrowed(Borrowing),
    Repaid(Repayment),
    /// Which accounts were liquidated, in the order of the call; those that were skipped are not among them.
    Liquidated(Vec<(usize, Liquidation)>),
    Claimed(BountyClaim),
    Funded(Funding),
    Sold(Sale),
    Settled(Settlement),
    GuardianDeposited(GuardianDeposit),
    GuardianRequested(GuardianRequest),
    GuardianWithdrawn(GuardianWithdrawal),
    EquityWithdrawalQueued(EquityWithdrawalQueued),
    EquityWithdrawalCanceled(EquityWithdrawalCancellation),
    EquityWithdrawal(EquityWithdrawal),
    Observed(Observation),
    StressRaised(StressRaised),
    EmergencyHalted(HaltStarted),
    Paused(Pause),
    LtvAnnounced(RampAnnounced),
    RampCanceled(RampCancellation),
    /// Nothing to tell: parameters were tightened, something was reopened, tokens were given away, or the world moved
    /// on.
    Quietly,
}
