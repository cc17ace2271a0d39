use anchor_lang::prelude::*;

macro_rules! define_errors {
    ($($name:ident $message:tt,)*) => {
        /// Every error of the program: first the engine's, in its order, then those of the account checks.
        #[error_code]
        #[derive(PartialEq, Eq)]
        pub enum BreakwaterError {
            $(#[doc = $message] #[msg($message)] $name,)*
            /// The signer is not the protocol's authority
            #[msg("The signer is not the protocol's authority")]
            WrongAuthority,
            /// The signer is neither the emergency admin nor the authority
            #[msg("The signer is neither the emergency admin nor the authority")]
            WrongEmergencyAdmin,
            /// The signer is not the one that was proposed as the authority
            #[msg("The signer is not the one that was proposed as the authority")]
            NotProposed,
            /// There is an emergency admin: another one is named through the queue
            #[msg("There is an emergency admin: another one is named through the queue")]
            EmergencyAdminByQueue,
            /// The entry of the queue is of another market, or another kind of change
            #[msg("The entry of the queue is of another market, or another kind of change")]
            WrongChange,
            /// The signer is not the program's upgrade authority
            #[msg("The signer is not the program's upgrade authority")]
            WrongUpgradeAuthority,
            /// The signer does not own this account
            #[msg("The signer does not own this account")]
            WrongOwner,
            /// The ledger belongs to another keeper
            #[msg("The ledger belongs to another keeper")]
            WrongKeeper,
            /// The position belongs to another guardian
            #[msg("The position belongs to another guardian")]
            WrongGuardianPosition,
            /// The depth budget is not the one that the market draws on
            #[msg("The depth budget is not the one that the market draws on")]
            WrongDepthBudget,
            /// The mint is not the market's, or the token account is of another mint
            #[msg("The mint is not the market's, or the token account is of another mint")]
            WrongMint,
            /// The token account is not the market's vault
            #[msg("The token account is not the market's vault")]
            WrongVault,
            /// The token account belongs to somebody else
            #[msg("The token account belongs to somebody else")]
            WrongTokenOwner,
            /// The account is not a token account of the mint's token program
            #[msg("The account is not a token account of the mint's token program")]
            NotATokenAccount,
            /// Tokens that leave the vault would go to the vault itself
            #[msg("Tokens that leave the vault would go to the vault itself")]
            ReceiverIsVault,
            /// The token program does not own the mint
            #[msg("The token program does not own the mint")]
            WrongTokenProgram,
            /// Collateral and quote must be different mints
            #[msg("Collateral and quote must be different mints")]
            SameMint,
            /// The mint has a Token-2022 extension that is not on the allow-list
            #[msg("The mint has a Token-2022 extension that is not on the allow-list")]
            MintExtensionRefused,
            /// The vault did not receive exactly what was sent
            #[msg("The vault did not receive exactly what was sent")]
            TransferMismatch,
            /// The price account is not the one pinned for this market
            #[msg("The price account is not the one pinned for this market")]
            WrongFeed,
            /// The price account belongs to another program than the one expected
            #[msg("The price account belongs to another program than the one expected")]
            WrongFeedOwner,
            /// The price account's data is not a Pyth price of the pinned kind
            #[msg("The price account's data is not a Pyth price of the pinned kind")]
            FeedMalformed,
            /// The price update is not fully verified
            #[msg("The price update is not fully verified")]
            FeedNotVerified,
            /// The price feed is not trading
            #[msg("The price feed is not trading")]
            FeedNotTrading,
            /// The signer is not the sentinel
            #[msg("The signer is not the sentinel")]
            WrongSentinel,
        }

        impl From<breakwater_engine::Error> for BreakwaterError {
            fn from(error: breakwater_engine::Error) -> Self {
                match error { $(breakwater_engine::Error::$name => Self::$name,)* }
            }
        }
    };
}
breakwater_engine::with_errors!(define_errors);

/// Turns an engine result into the program's.
pub trait OrBreakwaterError<T> {
    /// The value, or the engine's error under its program code.
    fn or_program_error(self) -> Result<T>;
}

impl<T> OrBreakwaterError<T> for breakwater_engine::Result<T> {
    #[inline]
    fn or_program_error(self) -> Result<T> {
        self.map_err(|error| BreakwaterError::from(error).into())
    }
}
