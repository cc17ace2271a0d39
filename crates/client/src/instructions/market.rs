//! Protocol, market, pool and price.

use super::build;
use crate::{MarketKeys, addresses};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use breakwater::{accounts, instruction, instructions::CreateMarketArgs};

/// Creates the protocol's configuration. `authority` must be the program's upgrade authority; it signs and pays.
#[must_use]
pub fn initialize(authority: &Pubkey) -> Instruction {
    build(
        &accounts::Initialize {
            protocol: addresses::protocol(),
            authority: *authority,
            program: breakwater::ID,
            program_data: addresses::program_data(),
            system_program: system_program::ID,
        },
        &instruction::Initialize {},
    )
}

/// Creates a market, its vaults and its LP mint. The protocol's authority signs and pays.
#[must_use]
pub fn create_market(
    keys: &MarketKeys,
    authority: &Pubkey,
    depth_budget: &Pubkey,
    args: CreateMarketArgs,
) -> Instruction {
    build(
        &accounts::CreateMarket {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            depth_budget: *depth_budget,
            collateral_mint: keys.collateral_mint,
            quote_mint: keys.quote_mint,
            collateral_vault: keys.collateral_vault,
            quote_vault: keys.quote_vault,
            lp_mint: keys.lp_mint,
            collateral_token_program: keys.collateral_token_program,
            quote_token_program: keys.quote_token_program,
            token_program: anchor_spl::token::ID,
            system_program: system_program::ID,
        },
        &instruction::CreateMarket { args },
    )
}

/// Supplies `amount` quote atoms for at least `min_shares` LP shares. The LP account must exist.
#[must_use]
pub fn supply(keys: &MarketKeys, supplier: &Pubkey, amount: u64, min_shares: u64) -> Instruction {
    build(
        &accounts::Supply {
            market: keys.market,
            supplier: *supplier,
            quote: keys.quote_token(),
            supplier_quote: keys.quote_of(supplier),
            lp: keys.lp_token(),
            supplier_lp: keys.lp_of(supplier),
        },
        &instruction::Supply { amount, min_shares },
    )
}

/// Redeems `shares` LP shares for at least `min_amount` quote atoms, at the stored price: after [`observe_price`], at a
/// fresh one.
#[must_use]
pub fn withdraw(keys: &MarketKeys, supplier: &Pubkey, shares: u64, min_amount: u64) -> Instruction {
    build(
        &accounts::Withdraw {
            market: keys.market,
            supplier: *supplier,
            quote: keys.quote_token(),
            supplier_quote: keys.quote_of(supplier),
            lp: keys.lp_token(),
            supplier_lp: keys.lp_of(supplier),
        },
        &instruction::Withdraw { shares, min_amount },
    )
}

/// Shows the market its feeds. Nobody signs.
#[must_use]
pub fn observe_price(keys: &MarketKeys) -> Instruction {
    build(
        &accounts::ObservePrice {
            market: keys.market,
            feeds: keys.feeds(),
        },
        &instruction::ObservePrice {},
    )
}

/// Names the first emergency admin. The protocol's authority signs.
#[must_use]
pub fn set_emergency_admin(authority: &Pubkey, emergency_admin: Pubkey) -> Instruction {
    build(
        &accounts::SetEmergencyAdmin {
            protocol: addresses::protocol(),
            authority: *authority,
        },
        &instruction::SetEmergencyAdmin { emergency_admin },
    )
}

/// Halts a market for `seconds`. The emergency admin or the protocol's authority signs.
#[must_use]
pub fn emergency_halt(keys: &MarketKeys, signer: &Pubkey, seconds: u32) -> Instruction {
    build(
        &accounts::EmergencyHalt {
            protocol: addresses::protocol(),
            signer: *signer,
            market: keys.market,
        },
        &instruction::EmergencyHalt { seconds },
    )
}

/// Announces that the liquidation LTV will go to `to` bps between two moments. The protocol's authority signs.
#[must_use]
pub fn announce_liquidation_ltv(
    keys: &MarketKeys,
    authority: &Pubkey,
    to: u32,
    starts_at: i64,
    ends_at: i64,
) -> Instruction {
    build(
        &accounts::AnnounceLiquidationLtv {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
        },
        &instruction::AnnounceLiquidationLtv { to, starts_at, ends_at },
    )
}
