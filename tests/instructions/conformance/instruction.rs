//! A call of the state as a transaction of the chain.

use super::chain::Chain;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater_client::MarketKeys;
use breakwater_engine::ParameterChange;
use breakwater_invariants::Call;
use breakwater_testkit::{Actor, Failure, Outcome, ix};

/// The calls, in order of their names: the program's instructions, those of the queue and of depth budgets apart, which
/// the state leaves to `governance`; two pairs that close something and open it again; and gifts, which need no
/// program.
pub const NAMES: [&str; 30] = [
    "announce_liquidation_ltv",
    "borrow",
    "buy_inventory",
    "buy_inventory_for",
    "cancel_equity_withdrawal",
    "cancel_ramp",
    "claim_bounty",
    "close_account, open_account",
    "close_guardian_position, open_guardian_position",
    "deposit_collateral",
    "emergency_halt",
    "fund_backstop",
    "gift of collateral",
    "gift of quote tokens",
    "guardian_deposit",
    "guardian_request",
    "guardian_withdraw",
    "liquidate",
    "liquidate_batch",
    "observe_price",
    "pause",
    "queue_equity_withdrawal",
    "raise_stress",
    "repay",
    "settle_deficit",
    "supply",
    "tighten",
    "withdraw",
    "withdraw_collateral",
    "withdraw_equity",
];

/// Name of a call.
pub fn name(call: &Call) -> &'static str {
    match call {
        Call::Supply { .. } => "supply",
        Call::Withdraw { .. } => "withdraw",
        Call::Deposit { .. } => "deposit_collateral",
        Call::WithdrawCollateral { .. } => "withdraw_collateral",
        Call::Borrow { .. } => "borrow",
        Call::Repay { .. } => "repay",
        Call::Reopen { .. } => "close_account, open_account",
        Call::Liquidate { .. } => "liquidate",
        Call::LiquidateBatch { .. } => "liquidate_batch",
        Call::Claim { .. } => "claim_bounty",
        Call::Fund { .. } => "fund_backstop",
        Call::Buy { .. } => "buy_inventory",
        Call::BuyFor { .. } => "buy_inventory_for",
        Call::Settle => "settle_deficit",
        Call::GuardianDeposit { .. } => "guardian_deposit",
        Call::GuardianRequest { .. } => "guardian_request",
        Call::GuardianWithdraw { .. } => "guardian_withdraw",
        Call::ReopenPosition { .. } => "close_guardian_position, open_guardian_position",
        Call::QueueEquityWithdrawal { .. } => "queue_equity_withdrawal",
        Call::CancelEquityWithdrawal => "cancel_equity_withdrawal",
        Call::WithdrawEquity { .. } => "withdraw_equity",
        Call::RaiseStress { .. } => "raise_stress",
        Call::Observe => "observe_price",
        Call::EmergencyHalt { .. } => "emergency_halt",
        Call::Pause { .. } => "pause",
        Call::AnnounceLtv { .. } => "announce_liquidation_ltv",
        Call::CancelRamp => "cancel_ramp",
        Call::Tighten { .. } => "tighten",
        Call::DonateQuote { .. } => "gift of quote tokens",
        Call::DonateCollateral { .. } => "gift of collateral",
    }
}

/// Who sends a call, and whose tokens it moves; nobody where anybody may.
pub fn caller(chain: &Chain, call: &Call) -> Option<Actor> {
    let actor = match *call {
        Call::Supply { supplier, .. } | Call::Withdraw { supplier, .. } => &chain.suppliers[supplier],
        Call::Deposit { account, .. }
        | Call::WithdrawCollateral { account, .. }
        | Call::Borrow { account, .. }
        | Call::Repay { account, .. }
        | Call::Reopen { account } => &chain.positions[account].owner,
        Call::Liquidate { keeper, .. } | Call::LiquidateBatch { keeper, .. } | Call::Claim { keeper } => {
            &chain.keepers[keeper]
        }
        Call::GuardianDeposit { guardian, .. }
        | Call::GuardianRequest { guardian, .. }
        | Call::GuardianWithdraw { guardian, .. }
        | Call::ReopenPosition { guardian } => &chain.guardians[guardian],
        Call::Fund { .. }
        | Call::Buy { .. }
        | Call::BuyFor { .. }
        | Call::DonateQuote { .. }
        | Call::DonateCollateral { .. } => &chain.buyer,
        Call::QueueEquityWithdrawal { .. } | Call::WithdrawEquity { .. } | Call::AnnounceLtv { .. } => &chain.authority,
        Call::RaiseStress { .. } => &chain.sentinel,
        Call::CancelEquityWithdrawal
        | Call::EmergencyHalt { .. }
        | Call::Pause { .. }
        | Call::CancelRamp
        | Call::Tighten { .. } => &chain.emergency_admin,
        Call::Settle | Call::Observe => return None,
    };
    Some(actor.clone())
}

/// Sends a call, which leaves out the accounts of the feeds that are `hidden`: bit 0 the collateral's, bit 1 the
/// quote's.
pub fn send(chain: &mut Chain, call: &Call, hidden: u8) -> Result<Outcome, Failure> {
    let market = chain.market;
    match *call {
        Call::Reopen { account } => return chain.reopen(account),
        Call::ReopenPosition { guardian } => return chain.reopen_position(guardian),
        Call::DonateQuote { amount } => return chain.donate(market.quote_mint, &market.quote_vault, amount),
        Call::DonateCollateral { amount } => {
            return chain.donate(market.collateral_mint, &market.collateral_vault, amount);
        }
        _ => {}
    }
    let caller = caller(chain, call);
    let key = caller.as_ref().map_or_else(Pubkey::default, Actor::key);
    let mut instruction = instruction(chain, call, &key);
    for (bit, feed) in [(1, market.collateral_feed), (2, market.quote_feed)] {
        let named = instruction.accounts.iter_mut().filter(|meta| meta.pubkey == feed);
        named
            .filter(|_| hidden & bit != 0)
            .for_each(|meta| meta.pubkey = breakwater::ID);
    }
    let signers: Vec<&Actor> = caller.iter().collect();
    chain.world.send(&[instruction], &signers)
}

/// Keys of a market with its feeds, or without.
fn leaving(market: &MarketKeys, shown: bool) -> MarketKeys {
    if shown { *market } else { market.without_feeds() }
}

fn instruction(chain: &mut Chain, call: &Call, caller: &Pubkey) -> Instruction {
    let market = &chain.market.clone();
    let address = |account: usize| chain.positions[account].address;
    match *call {
        Call::Supply { amount, .. } => ix::supply(market, caller, amount.0, 0),
        Call::Withdraw { shares, .. } => ix::withdraw(market, caller, shares.0, 0),
        Call::Deposit { account, amount } => ix::deposit_collateral(market, &address(account), caller, amount.0),
        Call::WithdrawCollateral { account, amount } => {
            ix::withdraw_collateral(market, &address(account), caller, amount.0)
        }
        Call::Borrow { account, amount } => ix::borrow(market, &address(account), caller, amount.0),
        Call::Repay { account, amount } => ix::repay(market, &address(account), caller, amount.0),
        Call::Liquidate { account, .. } => ix::liquidate(market, &address(account), caller),
        Call::LiquidateBatch { ref accounts, .. } => {
            let accounts: Vec<Pubkey> = accounts.iter().map(|account| address(*account)).collect();
            ix::liquidate_batch(market, caller, &accounts)
        }
        Call::Claim { .. } => ix::claim_bounty(market, caller),
        Call::Fund { amount } => ix::fund_backstop(market, caller, amount.0),
        Call::Buy { amount } => ix::buy_inventory(market, caller, amount.0, u64::MAX),
        Call::BuyFor { budget, min_amount } => ix::buy_inventory_for(market, caller, budget.0, min_amount.0),
        Call::Settle => ix::settle_deficit(market),
        Call::GuardianDeposit { amount, .. } => ix::guardian_deposit(market, caller, amount.0, 0, u64::MAX),
        Call::GuardianRequest { shares, .. } => ix::guardian_request(market, caller, shares.0, 0),
        Call::GuardianWithdraw { amount, shown, .. } => {
            ix::guardian_withdraw(&leaving(market, shown), caller, amount.0, 0)
        }
        Call::QueueEquityWithdrawal { amount, expires_slot } => {
            ix::queue_equity_withdrawal(market, caller, amount.0, expires_slot)
        }
        Call::CancelEquityWithdrawal => ix::cancel_equity_withdrawal(market, caller),
        Call::WithdrawEquity { shown } => ix::withdraw_equity(&leaving(market, shown), caller),
        Call::RaiseStress { points } => ix::raise_stress(market, caller, points.0),
        Call::Observe => ix::observe_price(market),
        Call::EmergencyHalt { seconds } => ix::emergency_halt(market, caller, seconds),
        Call::Pause { kinds, seconds } => ix::pause(market, caller, kinds, seconds),
        Call::AnnounceLtv { to, starts_at, ends_at } => {
            ix::announce_liquidation_ltv(market, caller, to.0, starts_at, ends_at)
        }
        Call::CancelRamp => ix::cancel_ramp(market, caller),
        Call::Tighten { parameter, to } => {
            let from = chain.parameter(parameter);
            ix::tighten(market, caller, vec![ParameterChange { parameter, from, to }])
        }
        Call::Reopen { .. }
        | Call::ReopenPosition { .. }
        | Call::DonateQuote { .. }
        | Call::DonateCollateral { .. } => {
            unreachable!("these are sent otherwise")
        }
    }
}
