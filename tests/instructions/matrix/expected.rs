//! How a wrong account must be refused: by what the slot holds, and by what is put there. This is the table to read: a
//! cell that is refused with anything else fails, and so does one that goes through, but for those in `exceptions`.

use super::slots::{Class, impostor};
use crate::governance::idl::Slot;
use anchor_lang::{
    prelude::{ErrorCode, Pubkey},
    solana_program::instruction::error::InstructionError,
    system_program,
};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{ExpectedError, Failure};

/// A declared error.
#[derive(Clone, Debug)]
pub enum Code {
    /// The program's.
    Own(BreakwaterError),
    /// Anchor's, from the program.
    Anchor(ErrorCode),
    /// The runtime's, or a token library's.
    Runtime(InstructionError),
    /// The system program's, by number.
    System(u32),
}

impl Code {
    /// True if it is about an account alone: these are found before anything that is about two of them.
    fn is_of_one_account(&self) -> bool {
        use ErrorCode as Of;
        matches!(
            self,
            Self::Anchor(
                Of::AccountDiscriminatorMismatch
                    | Of::AccountNotInitialized
                    | Of::AccountNotProgramData
                    | Of::AccountNotSigner
                    | Of::AccountOwnedByWrongProgram
                    | Of::InvalidProgramId
            ) | Self::Runtime(InstructionError::InvalidAccountData | InstructionError::UninitializedAccount)
        )
    }
}

impl ExpectedError for Code {
    fn is(&self, failure: &Failure) -> bool {
        const SYSTEM: Pubkey = system_program::ID;
        match self {
            Self::Own(error) => error.is(failure),
            Self::Anchor(error) => error.is(failure),
            Self::Runtime(error) => error.is(failure),
            Self::System(code) => failure.program == Some(SYSTEM) && failure.code() == Some(*code),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Own(error) => error.describe(),
            Self::Anchor(error) => error.describe(),
            Self::Runtime(error) => error.describe(),
            Self::System(code) => format!("the system program's error {code}"),
        }
    }
}

impl From<BreakwaterError> for Code {
    fn from(error: BreakwaterError) -> Self {
        Self::Own(error)
    }
}

impl From<ErrorCode> for Code {
    fn from(error: ErrorCode) -> Self {
        Self::Anchor(error)
    }
}

impl From<InstructionError> for Code {
    fn from(error: InstructionError) -> Self {
        Self::Runtime(error)
    }
}

/// Account put in the place of the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Given {
    /// The right bytes, owned by a program nobody knows.
    Foreign,
    /// Lamports and no data: the system program's.
    Wallet,
    /// The wallet of the protocol's authority.
    Authority,
    /// Nothing at all, at the right address.
    Gone,
    /// The address of what the instruction is to create.
    NotYet,
    /// Zeros, at the right address and of the right owner.
    Zeroed,
    /// The first seven bytes, at the right address and of the right owner: not even a whole discriminator.
    Cut,
    /// Lamports at the right address, before the account is there.
    Prefunded,
    /// An account of Breakwater's, of another type.
    State,
    /// An entry of the queue, of another kind or number.
    OtherEntry,
    /// The entry of the queue that names an emergency admin.
    EmergencyAdminEntry,
    /// Another depth budget.
    OtherBudget,
    /// Another account of the same batch, a second time.
    Again,
    /// Another account of the same batch, whose place the right one has.
    Reordered,
    /// A mint.
    Mint,
    /// A token account.
    Tokens,
    /// A token account of another mint, which no other slot holds.
    OtherMint,
    /// A token account of the right mint, of another owner, which no other slot holds.
    OtherOwner,
    /// A price account.
    Feed,
    /// A program.
    Program,
    /// A token program, and not the right one.
    TokenProgram,
    /// The loader's account of a program.
    ProgramData,
    /// The same bytes and the same owner, at another address.
    Twin,
    /// The same program, deployed a second time.
    Clone,
    /// The same of the market of the same mints and feeds.
    Sibling,
    /// The same of the market of others.
    Stranger,
    /// The same of another user.
    OtherUser,
    /// The same of another market, with others of it.
    InConcert,
    /// The right account, which has not signed.
    Unsigned,
    /// The right account, which may only be read.
    ReadOnly,
    /// Nothing, where the account is optional and the market knows nothing instead.
    LeftOut,
    /// The same, but an earlier slot holds the account as well.
    ShownBefore,
    /// Nothing, at the end of the accounts.
    Missing,
    /// Everything, but the last byte of the arguments is missing.
    ShortArguments,
    /// Everything, but the last byte of the instruction's discriminator is missing, and there are no arguments.
    ShortDiscriminator,
}

use BreakwaterError as Own;
use Given::{
    Authority, Cut, EmergencyAdminEntry, Feed, Foreign, Gone, LeftOut, Mint, Missing, NotYet, OtherBudget, OtherEntry,
    OtherMint, OtherOwner, OtherUser, Program, ProgramData, ReadOnly, ShortArguments, ShortDiscriminator, Sibling,
    State, Stranger, TokenProgram, Tokens, Twin, Unsigned, Wallet, Zeroed,
};

/// The errors that are right. Where there is more than one, the comment says why.
pub fn expected(instruction: &str, slot: &Slot, class: Class, given: Given) -> Vec<Code> {
    match (class, given) {
        (_, Unsigned) => one(ErrorCode::AccountNotSigner),
        (_, ReadOnly) => one(read_only(class)),
        (_, LeftOut) => one(left_out(&slot.name)),
        (_, Missing) => one(ErrorCode::AccountNotEnoughKeys),
        (_, ShortArguments) => one(ErrorCode::InstructionDidNotDeserialize),
        (_, ShortDiscriminator) => one(ErrorCode::InstructionFallbackNotFound),
        (Class::Protocol, Twin) => one(ErrorCode::ConstraintSeeds),
        // Anchor has its own word for nothing, where it looks through the data at once.
        (Class::Protocol | Class::ProgramData, Gone | NotYet) => one(ErrorCode::AccountNotInitialized),
        (Class::Market, Sibling | Stranger) => of_another_market(instruction, given),
        // Market and ledger of the batch are in use when its margin accounts are looked at.
        (Class::BatchMargin, State) => vec![
            ErrorCode::AccountDiscriminatorMismatch.into(),
            InstructionError::AccountBorrowFailed.into(),
        ],
        (_, _) if class.is_state() => one(state(class, given)),
        (Class::Created, _) => one(ErrorCode::ConstraintSeeds),
        (Class::Signer | Class::PayingSigner | Class::Payer, _) => signer(instruction, slot, class, given),
        (Class::RentReceiver, _) => one(Own::WrongAuthority),
        (Class::Mint | Class::LpMint | Class::NewMint, _) => one(mint(class, given)),
        (Class::Vault, _) => vault(instruction, &slot.name, given),
        (Class::Purse | Class::Receiver, _) => tokens(class, given),
        // A push feed is another program's; a pull feed says that it is another feed.
        (Class::PullFeed, Feed | Stranger) => vec![Own::WrongFeed.into(), Own::WrongFeedOwner.into()],
        (Class::PullFeed | Class::PushFeed, Zeroed | Cut) => one(Own::FeedMalformed),
        // It is at the right address.
        (Class::PullFeed, _) | (Class::PushFeed, Gone) => one(Own::WrongFeedOwner),
        (Class::PushFeed, _) => one(Own::WrongFeed),
        (Class::TokenProgram, _) => one(Own::WrongTokenProgram),
        // It is asked to make the vault, and refuses the mint.
        (Class::NewTokenProgram, TokenProgram) => one(InstructionError::IncorrectProgramId),
        (Class::NewTokenProgram | Class::FixedProgram, _) => one(ErrorCode::InvalidProgramId),
        (_, _) => program_data(given),
    }
}

/// The errors that are right where several accounts are wrong, given those of each in the order of their slots. Each is
/// looked at alone, in this order, and then what they have to do with each other, in this order as well.
pub fn first_found(of_each: Vec<(Class, Vec<Code>)>) -> Vec<Code> {
    // Feeds are read by the instruction, and `execute_feeds` reads the next ones before the present ones.
    let is_feed = |class: &Class| [Class::PullFeed, Class::PushFeed].contains(class);
    if of_each.iter().all(|(class, _)| is_feed(class)) {
        return of_each.into_iter().flat_map(|(_, codes)| codes).collect();
    }
    let is_found_early = |(class, codes): &(Class, Vec<Code>)| {
        // The accounts of a batch are looked at after all that are declared.
        *class != Class::BatchMargin && codes.iter().all(Code::is_of_one_account)
    };
    let first = of_each.iter().position(is_found_early).unwrap_or(0);
    of_each
        .into_iter()
        .nth(first)
        .map(|(_, codes)| codes)
        .unwrap_or_default()
}

fn one(code: impl Into<Code>) -> Vec<Code> {
    vec![code.into()]
}

fn read_only(class: Class) -> Code {
    match class {
        // The system program is to write to it.
        Class::Created | Class::PayingSigner | Class::Payer => InstructionError::PrivilegeEscalation.into(),
        Class::BatchMargin => ErrorCode::AccountNotMutable.into(),
        _ => ErrorCode::ConstraintMut.into(),
    }
}

fn left_out(slot: &str) -> Code {
    match slot {
        "base_feed" | "rate_feed" => Own::RedemptionFeedsRequired.into(),
        _ => Own::PriceRequired.into(),
    }
}

/// Another market, and everything else of the right one: the error of the first account that is bound to the market.
fn of_another_market(instruction: &str, given: Given) -> Vec<Code> {
    match instruction {
        // What is opened or queued is at an address that is derived from the market's.
        "open_account"
        | "open_guardian_position"
        | "open_keeper_ledger"
        | "queue_depth_share"
        | "queue_feeds"
        | "queue_parameters" => one(ErrorCode::ConstraintSeeds),
        // It draws on another budget.
        "execute_depth_share" | "lower_depth_share" if given == Stranger => one(Own::WrongDepthBudget),
        "execute_depth_share" | "execute_feeds" | "execute_parameters" => one(Own::WrongChange),
        // For any market, and there is nothing of the kind in the other.
        "cancel_ramp" | "cancel_equity_withdrawal" => one(Own::NothingQueued),
        "settle_deficit" => one(Own::NothingToSettle),
        "observe_price" => one(Own::WrongFeed),
        "buy_inventory" | "buy_inventory_for" | "fund_backstop" | "supply" | "withdraw_equity" | "withdraw" => {
            match given {
                Sibling => one(Own::WrongVault),
                _ => one(Own::WrongMint),
            }
        }
        _ => one(Own::WrongMarket),
    }
}

/// An account of Breakwater's.
fn state(class: Class, given: Given) -> Code {
    match (class, given) {
        (_, State | Zeroed) => ErrorCode::AccountDiscriminatorMismatch.into(),
        (_, Cut) => ErrorCode::AccountDiscriminatorNotFound.into(),
        (Class::Entry, Sibling | Stranger | OtherEntry | EmergencyAdminEntry) => Own::WrongChange.into(),
        (Class::AnyEntry, EmergencyAdminEntry) => Own::WrongEmergencyAdmin.into(),
        (Class::OwnBudget, Stranger | OtherBudget) => Own::WrongDepthBudget.into(),
        // It is not the one that was queued.
        (Class::Budget, Stranger | OtherBudget) => Own::ChangeHashMismatch.into(),
        (_, Sibling | Stranger) => Own::WrongMarket.into(),
        (Class::OwnMargin, OtherUser) => Own::WrongOwner.into(),
        (Class::Ledger, OtherUser) => Own::WrongKeeper.into(),
        (Class::Position, OtherUser) => Own::WrongGuardianPosition.into(),
        _ => ErrorCode::AccountOwnedByWrongProgram.into(),
    }
}

fn signer(instruction: &str, slot: &Slot, class: Class, given: Given) -> Vec<Code> {
    match (class, given) {
        // The system program takes no lamports of another program's account, and is asked before the signer's name.
        (Class::PayingSigner, Foreign) => vec![
            impostor(instruction, &slot.name),
            InstructionError::ExternalAccountLamportSpend.into(),
        ],
        (Class::Payer, Foreign) => one(InstructionError::ExternalAccountLamportSpend),
        // Not enough lamports.
        (Class::PayingSigner | Class::Payer, Gone) => vec![Code::System(1)],
        (_, Foreign | Wallet | Authority | OtherUser) => one(impostor(instruction, &slot.name)),
        // Nobody has the key.
        _ => one(ErrorCode::AccountNotSigner),
    }
}

fn mint(class: Class, given: Given) -> Code {
    if class == Class::NewMint {
        return match given {
            // The new market's address is derived from its mints'.
            Mint | Sibling | Stranger | Twin => ErrorCode::ConstraintSeeds.into(),
            Tokens | Cut => InstructionError::InvalidAccountData.into(),
            Zeroed => InstructionError::UninitializedAccount.into(),
            Gone | NotYet => ErrorCode::AccountNotInitialized.into(),
            _ => ErrorCode::AccountOwnedByWrongProgram.into(),
        };
    }
    match (class, given) {
        // At the right address: the token program is the first to look into it.
        (_, Zeroed) => InstructionError::UninitializedAccount.into(),
        (Class::Mint, Gone) => Own::WrongTokenProgram.into(),
        (_, Cut | Gone) => InstructionError::InvalidAccountData.into(),
        _ => Own::WrongMint.into(),
    }
}

fn vault(instruction: &str, slot: &str, given: Given) -> Vec<Code> {
    let is_paid_into = match instruction {
        "buy_inventory" | "buy_inventory_for" => slot == "quote_vault",
        _ => [
            "deposit_collateral",
            "fund_backstop",
            "guardian_deposit",
            "repay",
            "supply",
        ]
        .contains(&instruction),
    };
    match given {
        // At the right address. What is paid into is read before and after; out of it, only the token program looks.
        Gone | Cut if is_paid_into => one(Own::NotATokenAccount),
        // Each of the two token programs has its own word.
        Gone => vec![
            InstructionError::IncorrectProgramId.into(),
            InstructionError::InvalidAccountData.into(),
        ],
        Cut => one(InstructionError::InvalidAccountData),
        Zeroed => one(InstructionError::UninitializedAccount),
        _ => one(Own::WrongVault),
    }
}

fn tokens(class: Class, given: Given) -> Vec<Code> {
    match (class, given) {
        // Another slot's, of this or the other mint, or of the other token program.
        (Class::Purse, Tokens) => vec![
            Own::WrongMint.into(),
            Own::WrongTokenOwner.into(),
            Own::NotATokenAccount.into(),
        ],
        (_, Tokens) => vec![
            Own::WrongMint.into(),
            Own::ReceiverIsVault.into(),
            Own::NotATokenAccount.into(),
        ],
        // Of either token program.
        (_, Mint | OtherMint) => vec![Own::WrongMint.into(), Own::NotATokenAccount.into()],
        (_, Zeroed | Sibling | Stranger) => one(Own::WrongMint),
        (Class::Purse, OtherUser | OtherOwner) => one(Own::WrongTokenOwner),
        _ => one(Own::NotATokenAccount),
    }
}

fn program_data(given: Given) -> Vec<Code> {
    match given {
        // Not that of this program, as its account says.
        Twin | ProgramData => one(Own::WrongUpgradeAuthority),
        // Of the loader, but not where it keeps code; or of the loader of the network's own programs.
        Program => vec![
            ErrorCode::AccountNotProgramData.into(),
            ErrorCode::AccountOwnedByWrongProgram.into(),
        ],
        Zeroed => one(ErrorCode::AccountNotProgramData),
        Cut => one(InstructionError::InvalidAccountData),
        _ => one(ErrorCode::AccountOwnedByWrongProgram),
    }
}
