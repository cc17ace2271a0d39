//! Class of each slot of each instruction. A slot that is not here fails the matrix: whoever adds one says what it is.

use super::expected::Code;
use crate::governance::idl::Slot;
use anchor_lang::prelude::ErrorCode;
use breakwater::error::BreakwaterError as Own;

/// Class of a slot's account, as far as it decides how a wrong account is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The protocol's account, at its derived address.
    Protocol,
    /// A market.
    Market,
    /// A margin account of anybody.
    AnyMargin,
    /// A margin account of who signs.
    OwnMargin,
    /// One of the accounts of a batch, behind the declared ones.
    BatchMargin,
    /// The keeper's ledger.
    Ledger,
    /// The guardian's position.
    Position,
    /// An entry of the queue, of the market or of the protocol.
    Entry,
    /// An entry of the queue, of whatever.
    AnyEntry,
    /// A depth budget that the authority names.
    Budget,
    /// The depth budget that the market draws on.
    OwnBudget,
    /// Created by the instruction, at a derived address.
    Created,
    /// A signer who is somebody in particular.
    Signer,
    /// A signer who pays rent, and is somebody in particular.
    PayingSigner,
    /// A signer who is anybody, and pays rent.
    Payer,
    /// Gets rent; does not sign.
    RentReceiver,
    /// A mint of the market.
    Mint,
    /// The mint of the market's LP shares.
    LpMint,
    /// A mint of the market to be.
    NewMint,
    /// One of the market's vaults.
    Vault,
    /// A token account from which the signer pays.
    Purse,
    /// A token account of the signer's choice, to be paid to.
    Receiver,
    /// A price account that is known by what it says: anybody posts it, at any address.
    PullFeed,
    /// A price account that is known by its address.
    PushFeed,
    /// The token program of a mint.
    TokenProgram,
    /// The token program of a mint of the market to be.
    NewTokenProgram,
    /// A program that is named by the program itself.
    FixedProgram,
    /// The loader's account of this program.
    ProgramData,
}

use Class::*;

impl Class {
    /// True if it is an account of Breakwater's that exists.
    pub fn is_state(self) -> bool {
        [
            Protocol,
            Market,
            AnyMargin,
            OwnMargin,
            BatchMargin,
            Ledger,
            Position,
            Entry,
            AnyEntry,
            Budget,
            OwnBudget,
        ]
        .contains(&self)
    }

    /// True if its constraints bind it to the market that the instruction names. A feed is bound as well, but only when
    /// it is read, and not to anything else.
    pub fn is_of_market(self) -> bool {
        match self {
            Protocol | AnyEntry | Budget => false,
            Mint | LpMint | Vault | Purse | Receiver => true,
            _ => self.is_state(),
        }
    }

    /// Class at a slot; `None` if nobody has said.
    pub fn of(instruction: &str, slot: &Slot) -> Option<Self> {
        Some(match (instruction, slot.name.as_str()) {
            ("create_market", "market" | "collateral_vault" | "quote_vault" | "lp_mint")
            | ("initialize", "protocol")
            | ("open_account", "margin_account")
            | ("open_guardian_position", "position")
            | ("open_keeper_ledger", "keeper_ledger")
            | ("create_depth_budget", "depth_budget")
            | (
                "queue_depth_share" | "queue_feeds" | "queue_emergency_admin" | "queue_parameters" | "queue_sentinel",
                "queued_change",
            ) => Created,
            ("create_market" | "queue_depth_share", "depth_budget") | (_, "new_budget") => Budget,
            (_, "depth_budget" | "old_budget") => OwnBudget,
            ("create_market", "collateral_mint" | "quote_mint") => NewMint,
            ("create_market", "collateral_token_program" | "quote_token_program") => NewTokenProgram,
            ("cancel_change", "authority") => RentReceiver,
            ("cancel_change", "queued_change") => AnyEntry,
            ("open_account", "payer") => Payer,
            ("borrow" | "withdraw_collateral" | "close_account", "margin_account") => OwnMargin,
            // Shares are for whom the supplier says; they are burned from his own.
            ("supply", "supplier_lp") | ("withdraw", "supplier_quote") | ("guardian_withdraw", "guardian_quote") => {
                Receiver
            }
            (_, "protocol") => Protocol,
            (_, "market") => Market,
            (_, "margin_account") => AnyMargin,
            ("liquidate_batch", name) if name.starts_with(REMAINING) => BatchMargin,
            (_, "keeper_ledger") => Ledger,
            (_, "position") => Position,
            (_, "queued_change") => Entry,
            (
                _,
                "authority" | "signer" | "proposed" | "owner" | "keeper" | "guardian" | "supplier" | "depositor"
                | "payer" | "funder" | "buyer" | "liquidator" | "sentinel",
            ) if slot.signer => {
                if creates(instruction) {
                    PayingSigner
                } else {
                    Signer
                }
            }
            (_, "collateral_mint" | "quote_mint") => Mint,
            (_, "lp_mint") => LpMint,
            (_, "collateral_vault" | "quote_vault") => Vault,
            (
                _,
                "supplier_quote"
                | "supplier_lp"
                | "depositor_collateral"
                | "payer_quote"
                | "funder_quote"
                | "guardian_quote"
                | "buyer_quote"
                | "liquidator_quote",
            ) => Purse,
            (
                _,
                "owner_quote"
                | "owner_collateral"
                | "keeper_quote"
                | "receiver_quote"
                | "buyer_collateral"
                | "liquidator_collateral",
            ) => Receiver,
            // As the matrix's market has them.
            (_, "collateral_feed" | "base_feed") => PullFeed,
            (_, "quote_feed" | "rate_feed") => PushFeed,
            (_, "collateral_token_program" | "quote_token_program") => TokenProgram,
            (_, "token_program" | "system_program" | "program") => FixedProgram,
            (_, "program_data") => ProgramData,
            _ => return None,
        })
    }
}

/// How the slots behind the declared ones are called.
pub const REMAINING: &str = "remaining account ";

/// True if an instruction creates an account for which the signer pays the rent.
fn creates(instruction: &str) -> bool {
    matches!(
        instruction,
        "initialize"
            | "create_depth_budget"
            | "create_market"
            | "open_guardian_position"
            | "open_keeper_ledger"
            | "queue_depth_share"
            | "queue_feeds"
            | "queue_emergency_admin"
            | "queue_parameters"
            | "queue_sentinel"
    )
}

/// Error for anybody else who signs in the place of the one whose signature it takes.
pub fn impostor(instruction: &str, slot: &str) -> Code {
    match (instruction, slot) {
        ("initialize", "authority") => Code::Own(Own::WrongUpgradeAuthority),
        // What is opened is at an address that is derived from the signer's.
        ("open_account", "owner") | ("open_keeper_ledger", "keeper") | ("open_guardian_position", "guardian") => {
            Code::Anchor(ErrorCode::ConstraintSeeds)
        }
        (_, "authority") => Code::Own(Own::WrongAuthority),
        (_, "signer") => Code::Own(Own::WrongEmergencyAdmin),
        (_, "proposed") => Code::Own(Own::NotProposed),
        (_, "owner") => Code::Own(Own::WrongOwner),
        (_, "keeper") => Code::Own(Own::WrongKeeper),
        (_, "guardian") => Code::Own(Own::WrongGuardianPosition),
        (_, "sentinel") => Code::Own(Own::WrongSentinel),
        _ => Code::Own(Own::WrongTokenOwner),
    }
}
