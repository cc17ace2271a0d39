//! Breakwater's on-chain program: a shell around [`breakwater_engine`].
//!
//! Every instruction does the same in the same order: prove who is who, read prices, call the engine, move tokens, emit
//! the event. No rule and no formula lives here.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(test, allow(clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used))]
#![allow(
    clippy::needless_pass_by_value,
    clippy::result_large_err,
    clippy::wildcard_imports,
    missing_docs,
    reason = "Anchor hands every handler its context by value, has a large error type, writes items without docs, and \
              needs the modules it generates beside each accounts struct in scope where the struct is used"
)]

pub mod clock;
#[cfg(all(feature = "entry", not(any(feature = "cpi", feature = "idl-build"))))]
mod entry;
pub mod error;
pub mod events;
pub mod feeds;
pub mod governance;
pub mod instructions;
mod pyth;
pub mod shown;
pub mod state;
pub mod tokens;

use anchor_lang::prelude::*;
use breakwater_engine::{Feeds, ParameterChange};
use instructions::*;

declare_id!("BsubA17sbeLGJKnZSBGWfCN4JzuTKL5AFCGPcAtucnKA");

// Whom to tell of a weakness, for explorers to find in the deployed program. Data that no instruction reads. A program
// that calls this one, and the tools, must not carry it.
#[cfg(all(target_os = "solana", not(any(feature = "cpi", feature = "idl-build"))))]
solana_security_txt::security_txt! {
    name: "Breakwater",
    project_url: env!("CARGO_PKG_REPOSITORY"),
    contacts: concat!("link:", env!("CARGO_PKG_REPOSITORY"), "/security/advisories/new"),
    policy: concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/SECURITY.md"),
    preferred_languages: "en",
    source_code: env!("CARGO_PKG_REPOSITORY"),
    source_release: concat!("v", env!("CARGO_PKG_VERSION"))
}

/// The program's instructions.
#[program]
pub mod breakwater {
    use super::*;

    // Dispatch costs an instruction a few compute units for each that stands before it: what keepers call comes first,
    // and what only governance calls comes last.

    /// Liquidates one margin account against the backstop, for a bounty on the keeper's ledger. Anyone may.
    pub fn liquidate(ctx: Context<Liquidate>) -> Result<()> {
        instructions::liquidate(ctx)
    }

    /// Liquidates every liquidatable margin account among the remaining accounts; others are skipped. Anyone may.
    pub fn liquidate_batch<'info>(ctx: Context<'info, LiquidateBatch<'info>>) -> Result<()> {
        instructions::liquidate_batch(ctx)
    }

    /// Shows a market its feeds, whatever their quality: moves its guards and its breaker. Anyone may.
    pub fn observe_price(ctx: Context<ObservePrice>) -> Result<()> {
        instructions::observe_price(ctx)
    }

    /// Supplies `amount` quote atoms to the pool for at least `min_shares` LP shares. Anyone may.
    pub fn supply(ctx: Context<Supply>, amount: u64, min_shares: u64) -> Result<()> {
        instructions::supply(ctx, amount, min_shares)
    }

    /// Burns `shares` LP shares for their part of what is there at the stored price, at least `min_amount` quote atoms.
    /// Their holder may; who wants a fresh price shows it first, in the same transaction.
    pub fn withdraw(ctx: Context<Withdraw>, shares: u64, min_amount: u64) -> Result<()> {
        instructions::withdraw(ctx, shares, min_amount)
    }

    /// Opens the owner's margin account number `id` in a market. The owner signs; anyone may pay the rent.
    pub fn open_account(ctx: Context<OpenAccount>, id: u16) -> Result<()> {
        instructions::open_account(ctx, id)
    }

    /// Closes an empty margin account; its owner gets the rent.
    pub fn close_account(ctx: Context<CloseAccount>) -> Result<()> {
        instructions::close_account(ctx)
    }

    /// Adds `amount` collateral atoms to a margin account. Anyone may, for anyone.
    pub fn deposit_collateral(ctx: Context<DepositCollateral>, amount: u64) -> Result<()> {
        instructions::deposit_collateral(ctx, amount)
    }

    /// Takes `amount` collateral atoms out of a margin account. Its owner may; the price feeds are needed only when
    /// the account has debt.
    pub fn withdraw_collateral(ctx: Context<WithdrawCollateral>, amount: u64) -> Result<()> {
        instructions::withdraw_collateral(ctx, amount)
    }

    /// Borrows `amount` quote atoms against a margin account's collateral. Its owner may.
    pub fn borrow(ctx: Context<Borrow>, amount: u64) -> Result<()> {
        instructions::borrow(ctx, amount)
    }

    /// Repays up to `amount` quote atoms of a margin account's debt; `u64::MAX` means all. Anyone may, for anyone.
    pub fn repay(ctx: Context<Repay>, amount: u64) -> Result<()> {
        instructions::repay(ctx, amount)
    }

    /// Gives the backstop `amount` quote atoms, for good. Anyone may.
    pub fn fund_backstop(ctx: Context<FundBackstop>, amount: u64) -> Result<()> {
        instructions::fund_backstop(ctx, amount)
    }

    /// Buys `amount` collateral atoms of the backstop's inventory at the scheduled ask, for at most `max_cost` quote
    /// atoms. Anyone may.
    pub fn buy_inventory(ctx: Context<BuyInventory>, amount: u64, max_cost: u64) -> Result<()> {
        instructions::buy_inventory(ctx, amount, max_cost)
    }

    /// Buys as much of the backstop's inventory as `budget` quote atoms pay for at the scheduled ask, and at least
    /// `min_amount` collateral atoms. Anyone may.
    pub fn buy_inventory_for(ctx: Context<BuyInventory>, budget: u64, min_amount: u64) -> Result<()> {
        instructions::buy_inventory_for(ctx, budget, min_amount)
    }

    /// Writes off what the backstop owes and could not pay even at the highest price. Anyone may; the price feeds are
    /// needed only while it has inventory.
    pub fn settle_deficit(ctx: Context<SettleDeficit>) -> Result<()> {
        instructions::settle_deficit(ctx)
    }

    /// Opens the signer's position as a guardian of a market's backstop.
    pub fn open_guardian_position(ctx: Context<OpenGuardianPosition>) -> Result<()> {
        instructions::open_guardian_position(ctx)
    }

    /// Closes a guardian's position without shares; the guardian gets the rent.
    pub fn close_guardian_position(ctx: Context<CloseGuardianPosition>) -> Result<()> {
        instructions::close_guardian_position(ctx)
    }

    /// Puts `amount` quote atoms behind the backstop for at least `min_shares` shares of the guardians' claim, if the
    /// claim lacks at most `max_impairment` quote atoms at the stored price. Anyone may.
    pub fn guardian_deposit(
        ctx: Context<GuardianDeposit>,
        amount: u64,
        min_shares: u64,
        max_impairment: u64,
    ) -> Result<()> {
        instructions::guardian_deposit(ctx, amount, min_shares, max_impairment)
    }

    /// Gives `shares` up for a fixed claim of at least `min_amount` quote atoms, which opens after the cooldown; zero
    /// takes an open request back.
    pub fn guardian_request(ctx: Context<GuardianRequest>, shares: u64, min_amount: u64) -> Result<()> {
        instructions::guardian_request(ctx, shares, min_amount)
    }

    /// Pays an open request as much of `amount` quote atoms as can leave, and at least `min_amount`; `u64::MAX` means
    /// all. The price feeds are needed only while there is inventory or debt, and the market's stored prices are too
    /// old.
    pub fn guardian_withdraw(ctx: Context<GuardianWithdraw>, amount: u64, min_amount: u64) -> Result<()> {
        instructions::guardian_withdraw(ctx, amount, min_amount)
    }

    /// Opens the ledger on which the signer's bounties of a market are credited.
    pub fn open_keeper_ledger(ctx: Context<OpenKeeperLedger>) -> Result<()> {
        instructions::open_keeper_ledger(ctx)
    }

    /// Pays out the bounties on a ledger, as far as there is cash for them. Its keeper may.
    pub fn claim_bounty(ctx: Context<ClaimBounty>) -> Result<()> {
        instructions::claim_bounty(ctx)
    }

    // What only governance calls.

    /// Creates the protocol account and makes the signer its authority. Only the program's upgrade authority may, once.
    pub fn initialize(ctx: Context<Initialize>) -> Result<()> {
        instructions::initialize(ctx)
    }

    /// Creates a market with its two vaults and its LP mint. Only the protocol's authority may.
    pub fn create_market(ctx: Context<CreateMarket>, args: CreateMarketArgs) -> Result<()> {
        instructions::create_market(ctx, args)
    }

    /// Names the first emergency admin. Only the protocol's authority may, and only while there is none: another
    /// one is named through the queue.
    pub fn set_emergency_admin(ctx: Context<SetEmergencyAdmin>, emergency_admin: Pubkey) -> Result<()> {
        instructions::set_emergency_admin(ctx, emergency_admin)
    }

    /// Halts a market for `seconds`, at most its limit, and not again before it has rested. The emergency admin
    /// may, or the authority. Actions that need no price go on.
    pub fn emergency_halt(ctx: Context<EmergencyHalt>, seconds: u32) -> Result<()> {
        instructions::emergency_halt(ctx, seconds)
    }

    /// Announces that the liquidation LTV will go to `to` bps on a straight line from `starts_at` to `ends_at`, seconds
    /// since 1970; not before its notice, and not faster than the limit. Only the protocol's authority may.
    pub fn announce_liquidation_ltv(
        ctx: Context<AnnounceLiquidationLtv>,
        to: u32,
        starts_at: i64,
        ends_at: i64,
    ) -> Result<()> {
        instructions::announce_liquidation_ltv(ctx, to, starts_at, ends_at)
    }

    /// Announces that `amount` quote atoms of the protocol's equity will be taken out of the backstop; zero takes an
    /// announcement back. It may be announced until the slot `expires_slot`. Only the protocol's authority may.
    pub fn queue_equity_withdrawal(ctx: Context<QueueEquityWithdrawal>, amount: u64, expires_slot: u64) -> Result<()> {
        instructions::queue_equity_withdrawal(ctx, amount, expires_slot)
    }

    /// Takes the announced equity out, after its waiting time and as far as the stress cover allows. Only the
    /// protocol's authority may.
    pub fn withdraw_equity(ctx: Context<WithdrawEquity>) -> Result<()> {
        instructions::withdraw_equity(ctx)
    }

    /// Proposes another authority, who can accept until `expires_slot`; all zeros take a proposal back. Only the
    /// protocol's authority may.
    pub fn propose_authority(ctx: Context<ProposeAuthority>, proposed: Pubkey, expires_slot: u64) -> Result<()> {
        instructions::propose_authority(ctx, proposed, expires_slot)
    }

    /// Makes the signer the protocol's authority. Only who was proposed may.
    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        instructions::accept_authority(ctx)
    }

    /// Changes a market's parameters at once, each in the direction that does nothing but limit. The emergency
    /// admin may, or the authority.
    pub fn tighten(ctx: Context<Tighten>, changes: Vec<ParameterChange>) -> Result<()> {
        instructions::tighten(ctx, changes)
    }

    /// Pauses kinds of action in a market for `seconds`: 1 supply, 2 borrow, 4 withdraw against debt, 8 liquidate, 16
    /// sell inventory, 32 guardians' deposits, added up. At most as long as the emergency halt, and no kind again
    /// before it has rested. The emergency admin may, or the authority.
    pub fn pause(ctx: Context<Pause>, kinds: u8, seconds: u32) -> Result<()> {
        instructions::pause(ctx, kinds, seconds)
    }

    /// Queues changes of a market's parameters under the number `id`, which may be done until the slot `expires_slot`.
    /// Only the protocol's authority may; it pays the rent of the entry.
    pub fn queue_parameters(
        ctx: Context<QueueParameters>,
        id: u16,
        changes: Vec<ParameterChange>,
        expires_slot: u64,
    ) -> Result<()> {
        instructions::queue_parameters(ctx, id, changes, expires_slot)
    }

    /// Makes queued changes of a market's parameters, after the timelock. Only the protocol's authority may; it gets
    /// the rent of the entry.
    pub fn execute_parameters(ctx: Context<ExecuteParameters>, changes: Vec<ParameterChange>) -> Result<()> {
        instructions::execute_parameters(ctx, changes)
    }

    /// Queues other feeds for a market, and whether the present ones are `dead`, which may be done until the slot
    /// `expires_slot`. Only the protocol's authority may; it pays the rent of the entry.
    pub fn queue_feeds(ctx: Context<QueueFeeds>, feeds: Feeds, dead: bool, expires_slot: u64) -> Result<()> {
        instructions::queue_feeds(ctx, feeds, dead, expires_slot)
    }

    /// Pins queued feeds, after the timelock, in sight of the present ones: both show their price, and they must agree.
    /// Or in place of `dead` ones, of which no reading was accepted since. Only the protocol's authority may; it gets
    /// the rent of the entry.
    pub fn execute_feeds(ctx: Context<ExecuteFeeds>, feeds: Feeds, dead: bool) -> Result<()> {
        instructions::execute_feeds(ctx, feeds, dead)
    }

    /// Creates the depth budget of an asset that markets sell, named in ASCII padded with zeros. Only the protocol's
    /// authority may; it pays the rent.
    pub fn create_depth_budget(ctx: Context<CreateDepthBudget>, name: [u8; 32]) -> Result<()> {
        instructions::create_depth_budget(ctx, name)
    }

    /// Queues a share of a depth budget for a market, bps, which may be done until the slot `expires_slot`. Only the
    /// protocol's authority may; it pays the rent of the entry.
    pub fn queue_depth_share(ctx: Context<QueueDepthShare>, share: u32, expires_slot: u64) -> Result<()> {
        instructions::queue_depth_share(ctx, share, expires_slot)
    }

    /// Gives a market the queued share, after the timelock. Only the protocol's authority may; it gets the rent of the
    /// entry.
    pub fn execute_depth_share(ctx: Context<ExecuteDepthShare>, share: u32) -> Result<()> {
        instructions::execute_depth_share(ctx, share)
    }

    /// Lowers a market's share of its depth budget to `share` bps, at once. The emergency admin may, or the
    /// authority.
    pub fn lower_depth_share(ctx: Context<LowerDepthShare>, share: u32) -> Result<()> {
        instructions::lower_depth_share(ctx, share)
    }

    /// Queues another emergency admin, all zeros for nobody, which may be done until the slot `expires_slot`.
    /// Only the protocol's authority may; it pays the rent of the entry.
    pub fn queue_emergency_admin(
        ctx: Context<QueueEmergencyAdmin>,
        emergency_admin: Pubkey,
        expires_slot: u64,
    ) -> Result<()> {
        instructions::queue_emergency_admin(ctx, emergency_admin, expires_slot)
    }

    /// Names the queued emergency admin, after the timelock. Only the protocol's authority may; it gets the rent
    /// of the entry.
    pub fn execute_emergency_admin(ctx: Context<ExecuteEmergencyAdmin>, emergency_admin: Pubkey) -> Result<()> {
        instructions::execute_emergency_admin(ctx, emergency_admin)
    }

    /// Queues another sentinel, all zeros for nobody, which may be done until the slot `expires_slot`. Only the
    /// protocol's authority may; it pays the rent of the entry.
    pub fn queue_sentinel(ctx: Context<QueueSentinel>, sentinel: Pubkey, expires_slot: u64) -> Result<()> {
        instructions::queue_sentinel(ctx, sentinel, expires_slot)
    }

    /// Names the queued sentinel, after the timelock. Only the protocol's authority may; it gets the rent of the entry.
    pub fn execute_sentinel(ctx: Context<ExecuteSentinel>, sentinel: Pubkey) -> Result<()> {
        instructions::execute_sentinel(ctx, sentinel)
    }

    /// Raises the fall that new risk must leave cover for by `points` bps, at most ten points; it falls to nothing in
    /// six hours, and rests for six. Only the sentinel may.
    pub fn raise_stress(ctx: Context<RaiseStress>, points: u32) -> Result<()> {
        instructions::raise_stress(ctx, points)
    }

    /// Cancels what is queued, at any time. The authority may, and the emergency admin, but not the change of an
    /// emergency admin.
    pub fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
        instructions::cancel_change(ctx)
    }

    /// Takes an announced change of the liquidation LTV back before it begins. The emergency admin may, or the
    /// authority.
    pub fn cancel_ramp(ctx: Context<CancelRamp>) -> Result<()> {
        instructions::cancel_ramp(ctx)
    }

    /// Takes the announcement that equity will be taken out back. The emergency admin may, or the authority.
    pub fn cancel_equity_withdrawal(ctx: Context<CancelEquityWithdrawal>) -> Result<()> {
        instructions::cancel_equity_withdrawal(ctx)
    }
}
