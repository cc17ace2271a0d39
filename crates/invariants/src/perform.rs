//! The program's work around the engine: who is asked for prices and when, and which tokens move.

use crate::{Call, Done, State};
use breakwater_engine::{
    Error, GuardianPosition, GuardianShares, LpShares, MarginAccount, Market, ParameterChange, Prices, Pricing, Quote,
    Result, actions::Liquidation, governance::pause::Kinds, price::oracle::PriceUse,
};

/// The answer to a call, and the prices that the market accepted on the way.
#[derive(Clone, Debug)]
pub struct Performed {
    /// Its effects.
    pub result: Result<Done>,
    /// The accepted prices, also if the call was then refused.
    pub prices: Option<Prices>,
}

/// Performs `call` in place; what a refused one leaves is for the caller to throw away.
pub(crate) fn perform(state: &mut State, call: &Call) -> Performed {
    let mut prices = None;
    let result = call_on(state, call, &mut prices);
    Performed { result, prices }
}

#[allow(clippy::too_many_lines, reason = "one arm for each call")]
fn call_on(state: &mut State, call: &Call, seen: &mut Option<Prices>) -> Result<Done> {
    let clock = state.clock;
    let shown = state.readings.shown();
    let mut accept = |market: &mut Market, usage| {
        let prices = market.accept_prices(&shown, usage, clock)?;
        *seen = Some(prices);
        Ok(prices)
    };
    let market = &mut state.market;
    Ok(match *call {
        Call::Supply { supplier, amount } => {
            exists(state.quote_vault, amount.0)?;
            let done = market.supply(amount, LpShares::ZERO, clock)?;
            into(&mut state.quote_vault, done.amount.0)?;
            into(&mut state.lp[supplier], done.shares.0)?;
            Done::Supplied(done)
        }
        Call::Withdraw { supplier, shares } => {
            let held = LpShares(state.lp[supplier]);
            let done = market.withdraw(shares, held, Quote::ZERO, clock)?;
            out_of(&mut state.lp[supplier], done.shares.0)?;
            out_of(&mut state.quote_vault, done.amount.0)?;
            Done::Withdrawn(done)
        }
        Call::Deposit { account, amount } => {
            exists(state.collateral_vault, amount.0)?;
            let done = market.deposit_collateral(&mut state.accounts[account], amount)?;
            into(&mut state.collateral_vault, done.amount.0)?;
            Done::Deposited(done)
        }
        Call::WithdrawCollateral { account, amount } => {
            let account = &mut state.accounts[account];
            let needed = market.needs_prices(Pricing::Withdraw(account));
            let prices = needed.then(|| accept(market, PriceUse::Borrow)).transpose()?;
            let done = market.withdraw_collateral(account, amount, prices.as_ref(), clock)?;
            out_of(&mut state.collateral_vault, done.amount.0)?;
            Done::CollateralWithdrawn(done)
        }
        Call::Borrow { account, amount } => {
            let prices = accept(market, PriceUse::Borrow)?;
            let done = market.borrow(&mut state.accounts[account], amount, &prices, clock)?;
            out_of(&mut state.quote_vault, done.amount.0)?;
            Done::Borrowed(done)
        }
        Call::Repay { account, amount } => {
            let done = market.repay(&mut state.accounts[account], amount, clock)?;
            into(&mut state.quote_vault, done.amount.0)?;
            Done::Repaid(done)
        }
        Call::Reopen { account } => {
            let account = &mut state.accounts[account];
            Market::check_closable(account)?;
            *account = MarginAccount::new(account.market, account.owner, account.id, account.bump);
            Done::Quietly
        }
        Call::Liquidate { keeper, account } => {
            let prices = accept(market, PriceUse::Liquidate)?;
            let mut liquidations = market.liquidations(&prices, clock)?;
            let done = liquidations.liquidate(&mut state.accounts[account], &mut state.ledgers[keeper])?;
            Done::Liquidated(vec![(account, done)])
        }
        Call::LiquidateBatch { keeper, ref accounts } => {
            let prices = accept(market, PriceUse::Liquidate)?;
            Done::Liquidated(batch(state, keeper, accounts, &prices)?)
        }
        Call::Claim { keeper } => {
            let done = market.claim_bounty(&mut state.ledgers[keeper])?;
            out_of(&mut state.quote_vault, done.amount.0)?;
            Done::Claimed(done)
        }
        Call::Fund { amount } => {
            exists(state.quote_vault, amount.0)?;
            let done = market.fund_backstop(amount, clock)?;
            into(&mut state.quote_vault, done.amount.0)?;
            Done::Funded(done)
        }
        Call::Buy { amount } => {
            let prices = accept(market, PriceUse::Sell)?;
            let done = market.buy_inventory(amount, Quote(u64::MAX), &prices, clock)?;
            into(&mut state.quote_vault, done.cost.0)?;
            out_of(&mut state.collateral_vault, done.amount.0)?;
            Done::Sold(done)
        }
        Call::BuyFor { budget, min_amount } => {
            let prices = accept(market, PriceUse::Sell)?;
            let done = market.buy_inventory_for(budget, min_amount, &prices, clock)?;
            into(&mut state.quote_vault, done.cost.0)?;
            out_of(&mut state.collateral_vault, done.amount.0)?;
            Done::Sold(done)
        }
        Call::Settle => {
            let needed = market.needs_prices(Pricing::Settle);
            let prices = needed.then(|| accept(market, PriceUse::Borrow)).transpose()?;
            Done::Settled(market.settle_deficit(prices.as_ref(), clock)?)
        }
        Call::GuardianDeposit { guardian, amount } => {
            exists(state.quote_vault, amount.0)?;
            let position = &mut state.guardians[guardian];
            let done = market.guardian_deposit(position, amount, GuardianShares::ZERO, Quote(u64::MAX), clock)?;
            into(&mut state.quote_vault, done.amount.0)?;
            Done::GuardianDeposited(done)
        }
        Call::GuardianRequest { guardian, shares } => {
            let position = &mut state.guardians[guardian];
            Done::GuardianRequested(market.guardian_request(position, shares, Quote::ZERO, clock)?)
        }
        Call::GuardianWithdraw {
            guardian,
            amount,
            shown,
        } => {
            for_leaving(market, shown && state.readings.hidden != 3, &mut accept)?;
            let position = &mut state.guardians[guardian];
            let done = market.guardian_withdraw(position, amount, Quote::ZERO, clock)?;
            out_of(&mut state.quote_vault, done.amount.0)?;
            Done::GuardianWithdrawn(done)
        }
        Call::ReopenPosition { guardian } => {
            let position = &mut state.guardians[guardian];
            market.check_position_closable(position)?;
            *position = GuardianPosition::new(position.market, position.guardian, position.bump);
            Done::Quietly
        }
        Call::QueueEquityWithdrawal { amount, expires_slot } => {
            Done::EquityWithdrawalQueued(market.queue_equity_withdrawal(amount, expires_slot, clock)?)
        }
        Call::CancelEquityWithdrawal => Done::EquityWithdrawalCanceled(market.cancel_equity_withdrawal()?),
        Call::WithdrawEquity { shown } => {
            for_leaving(market, shown && state.readings.hidden != 3, &mut accept)?;
            let done = market.withdraw_equity(clock)?;
            out_of(&mut state.quote_vault, done.amount.0)?;
            Done::EquityWithdrawal(done)
        }
        Call::Observe => match market.observe_price(&shown, clock) {
            Ok((prices, done)) => {
                *seen = Some(prices);
                Done::Observed(done)
            }
            Err(refused) => {
                market.keep_living_feeds(&shown, refused, clock)?;
                Done::Quietly
            }
        },
        Call::RaiseStress { points } => Done::StressRaised(market.raise_stress(points, clock)?),
        Call::EmergencyHalt { seconds } => Done::EmergencyHalted(market.emergency_halt(seconds, clock)?),
        Call::Pause { kinds, seconds } => Done::Paused(market.pause(Kinds(kinds), seconds, clock)?),
        Call::AnnounceLtv { to, starts_at, ends_at } => {
            Done::LtvAnnounced(market.announce_liquidation_ltv(to, starts_at, ends_at, clock)?)
        }
        Call::CancelRamp => Done::RampCanceled(market.cancel_ramp(clock)?),
        Call::Tighten { parameter, to } => {
            let from = state.parameter(parameter);
            state
                .market
                .tighten(&[ParameterChange { parameter, from, to }], clock)?;
            Done::Quietly
        }
        Call::DonateQuote { amount } => {
            exists(state.quote_vault, amount)?;
            into(&mut state.quote_vault, amount)?;
            Done::Quietly
        }
        Call::DonateCollateral { amount } => {
            exists(state.collateral_vault, amount)?;
            into(&mut state.collateral_vault, amount)?;
            Done::Quietly
        }
    })
}

/// As the program's `liquidate_batch`: what is not an account's turn is skipped.
fn batch(state: &mut State, keeper: usize, accounts: &[usize], prices: &Prices) -> Result<Vec<(usize, Liquidation)>> {
    let mut done = Vec::new();
    let mut liquidations = state.market.liquidations(prices, state.clock)?;
    for account in accounts {
        match liquidations.liquidate(&mut state.accounts[*account], &mut state.ledgers[keeper]) {
            Ok(liquidation) => done.push((*account, liquidation)),
            Err(error) if error.skips_account() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Prices that are shown are accepted only while what leaves depends on them.
fn for_leaving(
    market: &mut Market,
    shown: bool,
    accept: &mut impl FnMut(&mut Market, PriceUse) -> Result<Prices>,
) -> Result<()> {
    if shown && market.needs_prices(Pricing::Leave) {
        accept(market, PriceUse::Borrow)?;
    }
    Ok(())
}

/// Checks that anybody can have so many tokens beside those of the vault. Else the transfer fails, and on a chain with
/// it whatever the engine did; here the engine is not asked.
fn exists(vault: u64, amount: u64) -> Result<()> {
    vault
        .checked_add(amount)
        .map(|_| ())
        .ok_or(Error::InsufficientLiquidity)
}

/// Tokens arrive. There are fewer than 2^64 of any.
fn into(balance: &mut u64, amount: u64) -> Result<()> {
    *balance = balance.checked_add(amount).ok_or(Error::Overflow)?;
    Ok(())
}

/// Tokens leave: more than there are is the token program's refusal.
fn out_of(balance: &mut u64, amount: u64) -> Result<()> {
    *balance = balance.checked_sub(amount).ok_or(Error::InsufficientLiquidity)?;
    Ok(())
}
