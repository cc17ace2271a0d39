//! Events of each call, compared with the engine's answer.

use super::{chain::Chain, instruction::caller};
use anchor_lang::{AnchorDeserialize, Discriminator, prelude::Pubkey};
use breakwater::events::*;
use breakwater_engine::{ParameterChange, Prices};
use breakwater_invariants::{Call, Done, Step};
use breakwater_testkit::{Actor, Outcome};
use std::fmt::Debug;

/// Checks that the events are exactly those that the engine's answer asks for, with the addresses of who was involved.
#[allow(clippy::too_many_lines, reason = "one arm for each answer")]
pub fn events(chain: &Chain, step: &Step, call: &Call, outcome: &Outcome) -> Result<(), String> {
    let Ok(done) = &step.result else { return Ok(()) };
    let market = chain.market.market;
    let change = step.prices.as_ref().and_then(Prices::change);
    one_if(outcome, change.map(|change| LevelChanged { market, change }))?;

    let caller = caller(chain, call).as_ref().map_or_else(Pubkey::default, Actor::key);
    let address = |account: usize| chain.positions[account].address;
    macro_rules! told {
        ($event:expr) => {
            one_if(outcome, Some($event))
        };
    }
    match (call, done) {
        (_, Done::Supplied(supply)) => told!(Supplied {
            market,
            supplier: caller,
            supply: *supply
        }),
        (_, Done::Withdrawn(withdrawal)) => told!(Withdrawn {
            market,
            supplier: caller,
            withdrawal: *withdrawal
        }),
        (Call::Deposit { account, .. }, Done::Deposited(change)) => told!(CollateralDeposited {
            market,
            margin_account: address(*account),
            depositor: caller,
            change: *change
        }),
        (Call::WithdrawCollateral { account, .. }, Done::CollateralWithdrawn(change)) => told!(CollateralWithdrawn {
            market,
            margin_account: address(*account),
            change: *change
        }),
        (Call::Borrow { account, .. }, Done::Borrowed(borrowing)) => told!(Borrowed {
            market,
            margin_account: address(*account),
            borrowing: *borrowing
        }),
        (Call::Repay { account, .. }, Done::Repaid(repayment)) => told!(Repaid {
            market,
            margin_account: address(*account),
            payer: caller,
            repayment: *repayment
        }),
        (_, Done::Liquidated(all)) => {
            let liquidated: Vec<Liquidated> = all
                .iter()
                .map(|(account, liquidation)| Liquidated {
                    margin_account: address(*account),
                    liquidation: *liquidation,
                })
                .collect();
            let told = outcome.liquidated();
            (told == liquidated)
                .then_some(())
                .ok_or_else(|| format!("the engine says {liquidated:?}, the program {told:?}"))
        }
        (_, Done::Claimed(claim)) => told!(BountyClaimed {
            market,
            keeper: caller,
            claim: *claim
        }),
        (_, Done::Funded(funding)) => told!(BackstopFunded {
            market,
            funder: caller,
            funding: *funding
        }),
        (_, Done::Sold(sale)) => told!(InventorySold {
            market,
            buyer: caller,
            sale: *sale
        }),
        (_, Done::Settled(settlement)) => told!(DeficitSettled {
            market,
            settlement: *settlement
        }),
        (_, Done::GuardianDeposited(deposit)) => told!(GuardianDeposited {
            market,
            guardian: caller,
            deposit: *deposit
        }),
        (_, Done::GuardianRequested(request)) => told!(GuardianRequested {
            market,
            guardian: caller,
            request: *request
        }),
        (_, Done::GuardianWithdrawn(withdrawal)) => told!(GuardianWithdrawn {
            market,
            guardian: caller,
            withdrawal: *withdrawal
        }),
        (_, Done::EquityWithdrawalQueued(queued)) => told!(EquityWithdrawalAnnounced {
            market,
            queued: *queued
        }),
        (_, Done::EquityWithdrawalCanceled(canceled)) => told!(EquityWithdrawalCanceled {
            market,
            signer: caller,
            canceled: *canceled
        }),
        (_, Done::EquityWithdrawal(taken)) => told!(EquityWithdrawn { market, taken: *taken }),
        (_, Done::Observed(observation)) => told!(PriceObserved {
            market,
            observation: *observation
        }),
        (_, Done::EmergencyHalted(halt)) => told!(EmergencyHalted {
            market,
            signer: caller,
            halt: *halt
        }),
        (_, Done::StressRaised(raised)) => told!(StressFallRaised {
            market,
            sentinel: caller,
            raised: *raised
        }),
        (_, Done::Paused(pause)) => told!(ActionsPaused {
            market,
            signer: caller,
            pause: *pause
        }),
        (_, Done::LtvAnnounced(ramp)) => told!(LiquidationLtvAnnounced { market, ramp: *ramp }),
        (_, Done::RampCanceled(ramp)) => told!(RampCanceled {
            market,
            signer: caller,
            ramp: *ramp
        }),
        (Call::Tighten { parameter, to }, Done::Quietly) => {
            let from = step.before.parameter(*parameter);
            let (parameter, to) = (*parameter, *to);
            told!(Tightened {
                market,
                signer: caller,
                changes: vec![ParameterChange { parameter, from, to }]
            })
        }
        (Call::Reopen { account }, Done::Quietly) => {
            let (margin_account, owner) = (address(*account), caller);
            let id = chain.positions[*account].id;
            told!(AccountClosed { margin_account, owner })?;
            told!(AccountOpened {
                market,
                margin_account,
                owner,
                id
            })
        }
        (Call::ReopenPosition { .. }, Done::Quietly) => {
            let guardian = caller;
            told!(GuardianPositionClosed { market, guardian })?;
            told!(GuardianPositionOpened { market, guardian })
        }
        // A reading of one feed was kept while another is too old for a price.
        (Call::Observe, Done::Quietly) => one_if::<PriceObserved>(outcome, None),
        // Tokens that were given away are the token program's to tell.
        (Call::DonateQuote { .. } | Call::DonateCollateral { .. }, Done::Quietly) => Ok(()),
        _ => Err(format!("{done:?} is no answer to {call:?}")),
    }
}

/// Checks that this is the only event of its type, or that there is none.
fn one_if<E>(outcome: &Outcome, expected: Option<E>) -> Result<(), String>
where
    E: AnchorDeserialize + Discriminator + PartialEq + Debug,
{
    let told: Vec<E> = outcome.events();
    let expected: Vec<E> = expected.into_iter().collect();
    (told == expected)
        .then_some(())
        .ok_or_else(|| format!("the engine says {expected:?}, the program {told:?}"))
}
