//! The two sides, compared: what they answered and told, whose tokens moved, and every byte that they hold.

use super::{
    chain::Chain,
    instruction::{caller, send},
    told,
};
use anchor_lang::{Discriminator, prelude::Pubkey};
use breakwater::{error::BreakwaterError, state};
use breakwater_client::addresses;
use breakwater_engine::{Error, GuardianShares, LpShares};
use breakwater_invariants::{Call, State, Step};
use breakwater_testkit::{Actor, ExpectedError, Failure, Outcome};

/// Sends what the state has just done, and compares.
pub fn step(chain: &mut Chain, step: &Step) -> Result<(), String> {
    let Some(call) = &step.call else {
        return states(chain, &step.after);
    };
    let caller = caller(chain, call);
    let before = purse(chain, caller.as_ref());
    let answer = send(chain, call, step.before.readings.hidden);
    answers(chain, step, call, &answer)?;
    // What left a vault went to the caller, and what came to it was his.
    let after = purse(chain, caller.as_ref());
    if caller.is_some() && before != after {
        return Err(format!("caller and vault had {before:?} together, now {after:?}"));
    }
    states(chain, &step.after)
}

/// Balances of somebody together with the vaults, atoms: quote tokens, collateral.
fn purse(chain: &mut Chain, who: Option<&Actor>) -> (u128, u128) {
    let market = chain.market;
    let world = &mut chain.world;
    let mut together = |mint, vault: &Pubkey| {
        let held = who.map_or(0, |who| world.balance(who, mint));
        u128::from(held) + u128::from(world.token_balance(vault))
    };
    (
        together(&market.quote_mint, &market.quote_vault),
        together(&market.collateral_mint, &market.collateral_vault),
    )
}

/// Checks that both went through, or both were refused for the same reason.
fn answers(chain: &mut Chain, step: &Step, call: &Call, answer: &Result<Outcome, Failure>) -> Result<(), String> {
    match (&step.result, answer) {
        (Ok(_), Ok(outcome)) => {
            chain.called(outcome);
            told::events(chain, step, call, outcome)
        }
        (Ok(done), Err(failure)) => Err(format!(
            "the engine does it, {done:?}, the program refuses: {failure:?}"
        )),
        (Err(error), Ok(_)) => Err(format!("the engine refuses with {error:?}, the program does it")),
        (Err(error), Err(failure)) => {
            let same = match call {
                // More than there is: the token program's own refusal.
                Call::DonateQuote { .. } | Call::DonateCollateral { .. } => "Custom(1)".is(failure),
                _ => BreakwaterError::from(beyond_count(step, call).unwrap_or(*error)).is(failure),
            };
            let told = format!("the engine refuses with {error:?}, the program with {failure:?}");
            same.then_some(()).ok_or(told)
        }
    }
}

/// How the program refuses tokens beyond all that a vault can count. The state does not even ask the engine for them;
/// the program does, and where it has no objection the transfer has.
fn beyond_count(step: &Step, call: &Call) -> Option<Error> {
    let mut state = step.before.clone();
    let (market, clock) = (&mut state.market, state.clock);
    let (vault, amount, refused) = match *call {
        Call::Supply { amount, .. } => {
            let refused = market.supply(amount, LpShares::ZERO, clock).err();
            (state.quote_vault, amount.0, refused)
        }
        Call::Deposit { account, amount } => {
            let refused = market.deposit_collateral(&mut state.accounts[account], amount).err();
            (state.collateral_vault, amount.0, refused)
        }
        Call::Fund { amount } => {
            let refused = market.fund_backstop(amount, clock).err();
            (state.quote_vault, amount.0, refused)
        }
        Call::GuardianDeposit { guardian, amount } => {
            let position = &mut state.guardians[guardian];
            let refused = market
                .guardian_deposit(
                    position,
                    amount,
                    GuardianShares::ZERO,
                    breakwater_engine::Quote(u64::MAX),
                    clock,
                )
                .err();
            (state.quote_vault, amount.0, refused)
        }
        _ => return None,
    };
    let counts = vault.checked_add(amount).is_some();
    (!counts).then(|| refused.unwrap_or(Error::Overflow))
}

/// Checks that the chain holds what the state holds.
pub fn states(chain: &mut Chain, state: &State) -> Result<(), String> {
    let market = chain.market;
    stored::<state::Market, _>(chain, &market.market, &state.market)?;
    for (account, expected) in state.accounts.iter().enumerate() {
        let address = chain.positions[account].address;
        stored::<state::MarginAccount, _>(chain, &address, expected)?;
    }
    for (keeper, expected) in state.ledgers.iter().enumerate() {
        let address = addresses::keeper_ledger(&market.market, &chain.keepers[keeper].key());
        stored::<state::KeeperLedger, _>(chain, &address, expected)?;
    }
    for (guardian, expected) in state.guardians.iter().enumerate() {
        let address = addresses::guardian_position(&market.market, &chain.guardians[guardian].key());
        stored::<state::GuardianPosition, _>(chain, &address, expected)?;
    }
    let world = &mut chain.world;
    let mut tokens = vec![
        (
            "quote vault",
            state.quote_vault,
            world.token_balance(&market.quote_vault),
        ),
        (
            "collateral vault",
            state.collateral_vault,
            world.token_balance(&market.collateral_vault),
        ),
        ("LP supply", state.lp.iter().sum(), world.supply_of(&market.lp_mint)),
    ];
    for (supplier, held) in chain.suppliers.iter().zip(state.lp) {
        tokens.push((
            "LP shares of a supplier",
            held,
            world.balance(supplier, &market.lp_mint),
        ));
    }
    let differs = tokens.into_iter().find(|(_, expected, found)| expected != found);
    differs.map_or(Ok(()), |(what, expected, found)| {
        Err(format!("{what}: {expected} on the state, {found} on the chain"))
    })
}

/// Compares an account byte by byte: discriminator and state, and nothing behind it.
fn stored<A: Discriminator, S: bytemuck::Pod + std::fmt::Debug>(
    chain: &mut Chain,
    address: &Pubkey,
    expected: &S,
) -> Result<(), String> {
    let account = chain.world.account(address).ok_or("there is no account")?;
    let (discriminator, state) = account.data.split_at(A::DISCRIMINATOR.len());
    if account.owner == breakwater::ID && discriminator == A::DISCRIMINATOR && state == bytemuck::bytes_of(expected) {
        return Ok(());
    }
    let name = std::any::type_name::<S>();
    if state.len() != size_of::<S>() {
        return Err(format!("{name} {address} has {} bytes", state.len()));
    }
    let found: S = bytemuck::pod_read_unaligned(state);
    let (found, expected) = (format!("{found:#?}"), format!("{expected:#?}"));
    let lines = expected.lines().zip(found.lines());
    let differing: Vec<String> = lines
        .filter(|(expected, found)| expected != found)
        .map(|(expected, found)| format!("{} on the state, {} on the chain", expected.trim(), found.trim()))
        .collect();
    Err(format!("{name} {address}: {}", differing.join("; ")))
}
