/// Hands the engine's error table, `Name "message",` a row, to another macro: the engine makes its [`Error`] of it, the
/// program its Anchor error codes. One table, so the two cannot drift apart. The errors that a batch skips, `NoDebt` to
/// `PipelineFull`, stand together: one comparison finds them.
#[macro_export]
macro_rules! with_errors {
    ($callback:ident) => {
        $callback! {
            ZeroAmount "The amount is zero",
            Overflow "A number does not fit its type",
            InvariantViolated "An internal identity of the books would break",
            WrongMarket "The account belongs to another market",
            ParameterOutOfBounds "A market parameter is outside its hard bounds",
            LtvOrder "LTVs must satisfy initial < target <= liquidation < take-over <= 100%",
            PenaltyTooLarge "With this penalty a partial liquidation could not reach its target at the largest gap",
            GapTooLarge "The largest gap would eat the margin that is left at the take-over LTV",
            BountyTooLarge "The bounty would be more than half of the penalty",
            TakeOverPenaltyTooSmall "A take-over would leave margin that the stress cover has counted",
            StressFallTooSmall "The stress fall must reach below the take-over LTV",
            PipelineTooSmall "The pipeline must take at least four times the minimum debt",
            DebtCapBeyondDepth "The debt cap is more than two hundred times the market's depth",
            AuctionStuck "The largest discount or the floor could keep the ask above spot for ever",
            NameInvalid "The name must be printable ASCII, followed by zeros",
            DepthBudgetExceeded "The markets that sell this asset would have more than all of its depth",
            DepthLoweredTooFar "The market's depth may be lowered at once by at most half in 24 hours",
            FirstLimitExceeded "A new market's parameters are beyond the first limits",
            ParameterUnknown "There is no parameter of this number",
            ParameterTwice "The same parameter is changed twice",
            TooManyChanges "More changes than one entry may have",
            NoChange "Nothing would change",
            StaleChange "A parameter is not what the change says it is",
            NotTighter "The change does not only limit: it must wait out the timelock",
            LiquidationLtvByRamp "The liquidation LTV changes only by an announced ramp",
            FeedKindUnknown "The price feed is neither a Pyth pull nor a Pyth push feed",
            FeedPinInvalid "The price feed pin is incomplete, or both feeds are the same",
            PriceNotPositive "The price is zero or negative",
            PriceExponentOutOfRange "The price exponent is outside -18..=12",
            PriceFromFuture "The price was published more than an hour ahead of the chain's clock",
            PriceTooOld "The price is older than this action allows",
            FeedsTooFarApart "The newest prices of the feeds were published too far apart, and the last that were not are too old",
            PricesForOtherUse "The prices were accepted for another use",
            PricesOfOtherMoment "The prices were accepted at another moment",
            RedemptionFeedsRequired "The market counts collateral by its redemption, and knows nothing yet of base or rate: show both feeds",
            ConfidenceTooWide "The confidence interval is too wide to price an action",
            PriceOutOfRange "The price of one collateral atom does not fit Q64.64",
            EmaUnavailable "The feed's moving average is missing, zero or negative",
            MarketGuarded "The market is guarded: no new risk until prices are calm again",
            MarketHalted "The market is halted: prices are not trusted for anything",
            HaltTooLong "The emergency halt must hold for at least a second and at most the market's limit",
            HaltCooldown "The emergency halt holds, or its cooldown since the last one is not over",
            PriceRequired "A price is needed, and the market knows none yet: show both feeds",
            SlippageExceeded "The result is worse than the limit the caller gave",
            InsufficientLpShares "More LP shares than the holder has",
            InsufficientLiquidity "The pool does not hold that much cash",
            InsufficientCollateral "More collateral than the account holds",
            DebtBelowMinimum "The debt would be below the market's minimum",
            InitialLtvExceeded "The debt would be above the initial LTV at the conservative price",
            StressCoverExceeded "The backstop could not stand the stress fall with this: its cover would be negative, and lower",
            RampTooSoon "The liquidation LTV changes only after its notice",
            RampTooSteep "The liquidation LTV would change too fast",
            RampTooLong "The liquidation LTV would be changing for too long",
            RampRunning "The liquidation LTV is changing: wait until it has",
            SupplyCapReached "The pool would hold more than its cap",
            DebtCapReached "The pool would be owed more than its cap",
            AccountDebtCapReached "The account would owe more than one account may",
            OutflowLimitReached "Suppliers have taken out as much as the outflow limit allows for now",
            AccountNotEmpty "The account still holds collateral or debt",
            NoDebt "The account has no debt",
            AccountHealthy "The account is at or below its liquidation LTV",
            BorrowedThisSlot "The account borrowed or withdrew in this slot",
            AccountCooldown "The account was liquidated by a step moments ago: its cooldown is not over",
            GuardedFlowUsed "The market's limit of guarded liquidations is used up for now",
            PriceGapTooWide "Spot and guarded price are too far apart for a partial liquidation",
            CollateralBelowDebt "At the lower of spot and guarded price the collateral is worth less than the debt: only a take-over",
            PipelineFull "The stress cover is used up, and the backstop sells what it has first: the account waits",
            BackstopCashInsufficient "The backstop does not hold that much cash",
            EquityBelowClaim "It would leave less equity than the guardians' claim",
            NothingQueued "Nothing is queued",
            TimelockActive "The waiting time is not over",
            Expired "The time in which it could be done is over",
            ApprovalExpired "The slot until which it was approved has passed",
            ApprovalTooLong "It is approved until a slot too far ahead",
            ChangeHashMismatch "It is not what was queued",
            ActionPaused "The action is paused",
            PauseKindUnknown "Nothing, or something that cannot be paused",
            PauseTooLong "A pause must hold for at least a second and at most the emergency halt's limit",
            PauseCooldown "It is paused, or the cooldown since the last pause is not over",
            InsufficientGuardianShares "More shares than the guardian has, or has asked to take out",
            NothingToSettle "The backstop has inventory or cash left, or owes nothing",
            InventoryInsufficient "The backstop does not hold that much inventory",
            AuctionRateLimited "The sale would run ahead of the auction's schedule",
            NothingToClaim "The keeper has no bounty to claim",
            FeedsDisagree "The new feeds show another price than the present ones",
            FeedAlive "A reading of a feed that was announced to be dead was accepted since",
            FeedsSettling "The market has other feeds since moments ago: no new risk until its averages have settled",
            CreditsUnfunded "The backstop has no cash for keepers' bounties yet: they stay owed",
            GuardedFlowTooSmall "While Guarded no account could be liquidated: the market's limit is below the minimum debt",
            EquityWithdrawalTooSoon "Equity could leave before the guardians who saw it announced: the delay must be their cooldown and a day",
            PoolImpaired "The pool has lost more than its books say yet: no supply until that is settled or made good",
            WrittenOff "Debt was written off that may still be paid back: nobody joins until it is, or is lost for good",
            ClaimImpaired "The guardians' claim lacks more than the guardian accepts",
            RequestRunning "The guardian has asked to leave already: one request at a time",
            NothingRequested "The guardian has not asked to leave, or has been paid",
            ClaimWorthless "The backstop has nothing to pay the claim with",
            StressRaiseTooLarge "The stress fall may be raised by at least a basis point and at most ten points",
            StressRaiseCooldown "The stress fall is raised, or the cooldown since is not over",
        }
    };
}

macro_rules! define_error {
    ($($name:ident $message:literal,)*) => {
        /// Why an action was refused. A refused action has changed nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Error { $(#[doc = $message] $name,)* }

        impl core::fmt::Display for Error {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(match self { $(Self::$name => $message,)* })
            }
        }
        impl core::error::Error for Error {}
    };
}
with_errors!(define_error);

impl Error {
    /// True if it says that it is not this account's turn to be liquidated: a batch skips the account, and a keeper
    /// tries again.
    #[inline]
    #[must_use]
    pub const fn skips_account(self) -> bool {
        matches!(
            self,
            Self::NoDebt
                | Self::AccountHealthy
                | Self::BorrowedThisSlot
                | Self::AccountCooldown
                | Self::GuardedFlowUsed
                | Self::PriceGapTooWide
                | Self::CollateralBelowDebt
                | Self::PipelineFull
        )
    }
}

/// The engine's result.
pub type Result<T> = core::result::Result<T, Error>;

/// The answer, or `None` where prices are not good enough for trading now: the market is halted, or what it knows is
/// too wide or too old. Nothing is to be done but to try again at the next price.
///
/// # Errors
/// Every other one.
pub fn unless_halted<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::MarketHalted | Error::ConfidenceTooWide | Error::PriceTooOld) => Ok(None),
        Err(error) => Err(error),
    }
}
