//! Nothing is gained by going back and forth, nor by doing in two parts what can be done at once. Tried on copies of
//! the state as it was before a call that was done.

use super::{
    Invariant, Verdict,
    auction::{asks, in_turn},
    demand, priced,
};
use crate::{
    Call, Done, State,
    exact::{ceil, int, whole},
    facts::Facts,
    history::History,
};
use breakwater_engine::{Collateral, LpShares, Quote};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "supply-and-leave-never-pays",
        statement: "Who supplies and leaves at once gets at most what was put in.",
        check: |facts, _| {
            let (Call::Supply { supplier, amount }, Done::Supplied(done)) = facts.call_done()? else {
                return None;
            };
            let leave = Call::Withdraw {
                supplier: *supplier,
                shares: done.shares,
            };
            let (_, done) = in_turn(&facts.step.after, &[leave])?;
            demand(paid(&done) <= amount.0, || {
                format!("{} atoms for {amount:?}", paid(&done))
            })
        },
    },
    Invariant {
        name: "borrow-and-repay-never-pays",
        statement: "Who borrows and repays as much at once owes at least what was owed before.",
        check: |facts, _| {
            let (Call::Borrow { account, amount }, _) = facts.call_done()? else {
                return None;
            };
            let repay = Call::Repay {
                account: *account,
                amount: *amount,
            };
            let (state, _) = in_turn(&facts.step.after, &[repay])?;
            let [before, after] = [&facts.step.before, &state].map(|state| state.accounts[*account].debt_shares);
            demand(after >= before, || format!("{before:?} became {after:?}"))
        },
    },
    Invariant {
        name: "deposit-and-withdraw-is-even",
        statement: "Who adds collateral to an account without debt and takes it out again has what was there before, to the atom, and so has the vault.",
        check: |facts, _| {
            let (Call::Deposit { account, amount }, _) = facts.call_done()? else {
                return None;
            };
            let withdraw = Call::WithdrawCollateral {
                account: *account,
                amount: *amount,
            };
            if facts.step.before.accounts[*account].has_debt() {
                return None;
            }
            let back = in_turn(&facts.step.after, &[withdraw]);
            let even = back.is_some_and(|(state, _)| {
                state.accounts == facts.step.before.accounts
                    && state.collateral_vault == facts.step.before.collateral_vault
                    && state.market.map == facts.step.before.market.map
            });
            demand(even, || format!("{amount:?} did not come back"))
        },
    },
    Invariant {
        name: "splitting-a-supply-never-pays",
        statement: "Two supplies get at most the shares of one of the same sum.",
        check: |facts, _| {
            let (Call::Supply { supplier, amount }, Done::Supplied(done)) = facts.call_done()? else {
                return None;
            };
            let parts = halves(amount.0)?.map(|part| Call::Supply {
                supplier: *supplier,
                amount: Quote(part),
            });
            let (_, twice) = in_turn(&facts.step.before, &parts)?;
            let shares: u64 = twice
                .iter()
                .map(|done| {
                    if let Done::Supplied(done) = done {
                        done.shares.0
                    } else {
                        0
                    }
                })
                .sum();
            demand(shares <= done.shares.0, || {
                format!("{shares} shares in two parts, {done:?} at once")
            })
        },
    },
    Invariant {
        name: "splitting-a-withdrawal-never-pays",
        statement: "A supplier who leaves in two parts gets at most what leaving at once pays.",
        check: |facts, _| {
            let (Call::Withdraw { supplier, shares }, Done::Withdrawn(done)) = facts.call_done()? else {
                return None;
            };
            let parts = halves(shares.0)?.map(|part| Call::Withdraw {
                supplier: *supplier,
                shares: LpShares(part),
            });
            let (_, twice) = in_turn(&facts.step.before, &parts)?;
            demand(paid(&twice) <= done.amount.0, || {
                format!("{} in two parts, {done:?} at once", paid(&twice))
            })
        },
    },
    Invariant {
        name: "splitting-a-loan-never-pays",
        statement: "Two loans create at least the debt of one of the same sum.",
        check: |facts, _| {
            let (Call::Borrow { account, amount }, Done::Borrowed(done)) = facts.call_done()? else {
                return None;
            };
            let parts = halves(amount.0)?.map(|part| Call::Borrow {
                account: *account,
                amount: Quote(part),
            });
            let (_, twice) = in_turn(&facts.step.before, &parts)?;
            let shares: u64 = twice
                .iter()
                .map(|done| {
                    if let Done::Borrowed(done) = done {
                        done.shares.0
                    } else {
                        0
                    }
                })
                .sum();
            demand(shares >= done.shares.0, || {
                format!("{shares} shares in two parts, {done:?} at once")
            })
        },
    },
    Invariant {
        name: "splitting-a-repayment-never-pays",
        statement: "Two repayments leave at least the debt that one of the same sum leaves.",
        check: |facts, _| {
            let (Call::Repay { account, .. }, Done::Repaid(done)) = facts.call_done()? else {
                return None;
            };
            let parts = halves(done.amount.0)?.map(|part| Call::Repay {
                account: *account,
                amount: Quote(part),
            });
            let (state, _) = in_turn(&facts.step.before, &parts)?;
            let [once, twice] = [&facts.step.after, &state].map(|state| state.accounts[*account].debt_shares);
            demand(twice >= once, || {
                format!("{twice:?} left in two parts, {once:?} at once")
            })
        },
    },
    Invariant {
        name: "splitting-a-purchase-never-pays",
        statement: "Inventory bought in two parts costs at least what it costs at once, but for a millionth, unless the floor bends the line in between.",
        check: |facts, _| {
            let (_, Done::Sold(sale)) = facts.call_done()? else {
                return None;
            };
            let parts = halves(sale.amount.0)?.map(|part| Call::Buy {
                amount: Collateral(part),
            });
            let (_, twice) = in_turn(&facts.step.before, &parts)?;
            let cost: u64 = twice
                .iter()
                .map(|done| if let Done::Sold(sale) = done { sale.cost.0 } else { 0 })
                .sum();
            let view = priced(facts)?;
            let trend = view.ema.as_ref()?.max(&view.own_ema);
            // The floor is the higher of two lines: the mean of both ends is above it where it is bent.
            let floor = ceil(&(trend * (10_000 - facts.config.auction_floor_band.0)), &whole());
            let [first, _] = asks(facts)?;
            if first <= floor {
                return None;
            }
            demand(cost + sale.cost.0 / 1_000_000 + 2 >= sale.cost.0, || {
                format!("{cost} atoms in two parts, {sale:?} at once")
            })
        },
    },
    Invariant {
        name: "splitting-a-liquidation-never-pays",
        statement: "An account liquidated again at once earns its keepers no second tip: both bounties together are at most one tip and the share of all that was repaid.",
        check: again,
    },
];

/// Sum that withdrawals paid, quote atoms.
fn paid(done: &[Done]) -> u64 {
    done.iter()
        .map(|done| {
            if let Done::Withdrawn(done) = done {
                done.amount.0
            } else {
                0
            }
        })
        .sum()
}

/// Two parts, a third and the rest; nothing of what cannot be parted.
fn halves(amount: u64) -> Option<[u64; 2]> {
    (amount >= 3).then(|| [amount / 3, amount - amount / 3])
}

fn again(facts: &Facts, _: &History) -> Verdict {
    let (Call::Liquidate { account, keeper }, Done::Liquidated(first)) = facts.call_done()? else {
        return None;
    };
    let state: &State = &facts.step.after;
    let (_, first) = first.first()?;
    if first.taken_over || first.whole {
        return None;
    }
    let other = Call::Liquidate {
        account: *account,
        keeper: 1 - *keeper,
    };
    let Some((_, done)) = in_turn(state, &[other]) else {
        // It is refused: the account is healthy, or rests, or there is no room.
        return Some(Ok(()));
    };
    let [Done::Liquidated(second)] = &done[..] else {
        return None;
    };
    let (_, second) = second.first()?;
    let earned = int(first.bounty.0) + second.bounty.0;
    let share = (int(first.repaid.0) + second.repaid.0) * facts.config.bounty_share.0;
    demand(
        earned * 10_000 <= share + int(facts.config.bounty_tip.0) * 10_000,
        || format!("{first:?}, then {second:?}"),
    )
}
