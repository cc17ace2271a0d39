//! Memory of a sequence: some promises are about any stretch of time, and some about all that ever was.

use crate::{
    Call, Done, GUARDIANS, State, Step,
    exact::{Int, ceil, floor, int, whole},
    facts::View,
};
use breakwater_engine::Books;

/// A sequence so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Quote tokens given away past the program, atoms.
    pub(crate) donated_quote: u64,
    /// Collateral given away past the program, atoms.
    pub(crate) donated_collateral: u64,
    /// When collateral left the vault other than to the owners of accounts: seconds since 1970, and how long the flow
    /// limit of that moment takes for it, seconds with 32 fractional bits, rounded down.
    pub(crate) departures: Vec<(i64, Int)>,
    /// When debt was taken off accounts in guarded steps, and how much.
    pub(crate) steps: Vec<(i64, u64)>,
    /// Quote atoms that came to the backstop, given, put in by guardians, paid by buyers or by the pool, less what it
    /// spent: on debt, and on those who took their capital out.
    pub(crate) cash: i128,
    /// Quote atoms that keepers were paid.
    pub(crate) claimed: i128,
    /// When the market's depth was lowered without the timelock, seconds since 1970, and what it was before, quote
    /// atoms.
    pub(crate) lowered: Vec<(i64, u64)>,
    /// When a reading was last accepted at which the market was not Normal, seconds since 1970.
    pub(crate) doubted: Option<i64>,
    /// Suppliers' coming and leaving.
    pub(crate) outflows: Vec<Flow>,
    /// Most that each guardian may expect: its deposits, and its shares' part of the earnings of the claim and the open
    /// requests, less its payments; quote atoms with 64 fractional bits, rounded up.
    pub(crate) expected: [Int; GUARDIANS],
    /// Most that a guardian who has just been paid could expect before that.
    pub(crate) part: Int,
    /// When the sentinel raised the fall of admission the time before last, seconds since 1970.
    pub(crate) raised: Option<i64>,
    /// Publish time of the latest reading of collateral and quote that gave way to an older one, seconds since 1970.
    pub(crate) gave_way: [i64; 2],
    /// When it did last.
    last_raise: Option<i64>,
    /// How often guardians have come or left in this epoch: each time rounding may leave an atom to those who stay.
    pub(crate) roundings: u64,
}

/// A supply or a withdrawal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// When, seconds since 1970.
    pub at: i64,
    /// Amount taken out, less the amount put in, quote atoms.
    pub net: i128,
    /// Assets of the pool just before, those remembered as having left included, quote atoms.
    pub held: i128,
    /// Amount remembered just before as having come, quote atoms.
    pub lately: i128,
}

impl History {
    /// Remembers a step.
    pub(crate) fn note(&mut self, step: &Step) {
        let now = step.after.clock.unix;
        let (Some(call), Ok(done)) = (&step.call, &step.result) else {
            return;
        };
        self.note_departure(step, call);
        let [before, after] = [&step.before, &step.after].map(|state| {
            let newest = &state.market.oracle.known.newest;
            [newest.collateral.published, newest.quote.published]
        });
        for (gone, (before, after)) in self.gave_way.iter_mut().zip(before.into_iter().zip(after)) {
            if after < before {
                *gone = before;
            }
        }
        if step.after.market.guard.level != 0 && step.after.market.guard != step.before.market.guard {
            self.doubted = Some(now);
        }
        let [before, after] = [&step.before, &step.after].map(|state| &state.market.books);
        // Interest first: what guardians earn for standing by belongs to those who were there.
        let accrued = if after.pool.accrued_at == before.pool.accrued_at {
            *before
        } else {
            step.before.market.books_at(step.after.clock).unwrap_or(*before)
        };
        self.share_out(&step.before, claim(&accrued).saturating_sub(claim(before)));
        self.share_out_open(
            &step.before,
            accrued.guardians.open.0.saturating_sub(before.guardians.open.0),
        );
        self.cash += held(&accrued) - held(before);
        match (call, done) {
            (Call::DonateQuote { amount }, _) => self.donated_quote += amount,
            (Call::DonateCollateral { amount }, _) => self.donated_collateral += amount,
            (_, Done::Sold(sale)) => {
                self.cash += i128::from(sale.cost.0) - i128::from(sale.repaid.0) - i128::from(sale.recovered.0);
            }
            (_, Done::Funded(funding)) => {
                let spent = i128::from(funding.repaid.0) + i128::from(funding.recovered.0);
                self.cash += i128::from(funding.amount.0) - spent;
            }
            (_, Done::Claimed(claim)) => self.claimed += i128::from(claim.amount.0),
            (_, Done::EquityWithdrawal(taken)) => self.cash -= i128::from(taken.amount.0),
            (Call::Tighten { .. }, _) => self.note_depth(step),
            (_, Done::Supplied(supply)) => self.note_outflow(step, -i128::from(supply.amount.0)),
            (_, Done::Withdrawn(withdrawal)) => self.note_outflow(step, i128::from(withdrawal.amount.0)),
            (_, Done::Liquidated(done)) => {
                if is_guarded(&step.after) {
                    let steps = done.iter().filter(|(_, done)| !done.taken_over);
                    self.steps.extend(steps.map(|(_, done)| (now, done.repaid.0)));
                }
                let spent = done.iter().map(|(_, done)| i128::from(done.paid_in_cash.0));
                self.cash -= spent.sum::<i128>();
                self.share_out(&step.before, claim(after).saturating_sub(claim(&accrued)));
            }
            (Call::GuardianDeposit { guardian, amount }, Done::GuardianDeposited(deposit)) => {
                self.roundings += 1;
                self.cash += i128::from(amount.0) - i128::from(deposit.repaid.0);
                self.expected[*guardian] += int(amount.0) << 64;
            }
            (_, Done::GuardianRequested(_)) => self.roundings += 1,
            (_, Done::StressRaised(_)) => self.raised = self.last_raise.replace(now),
            (Call::GuardianWithdraw { guardian, .. }, Done::GuardianWithdrawn(withdrawal)) => {
                self.roundings += 1;
                self.cash -= i128::from(withdrawal.amount.0);
                self.part = self.expected[*guardian].clone();
                self.expected[*guardian] -= int(withdrawal.amount.0) << 64;
            }
            _ => {}
        }
        if before.guardians.epoch != after.guardians.epoch {
            (self.expected, self.roundings) = Default::default();
        }
    }

    fn note_depth(&mut self, step: &Step) {
        let [before, after] = [&step.before, &step.after].map(|state| state.market.config.market_depth.0);
        if after < before {
            self.lowered.push((step.after.clock.unix, before));
        }
    }

    /// Notes collateral that has left the vault, whoever took it, unless it is the owner of an account.
    fn note_departure(&mut self, step: &Step, call: &Call) {
        let left = step.before.collateral_vault.saturating_sub(step.after.collateral_vault);
        if left == 0 || matches!(call, Call::WithdrawCollateral { .. }) {
            return;
        }
        let config = &step.before.market.config;
        let flow = int(config.market_depth.0) * config.flow_rate.0;
        let value = View::of(&step.after).trend * left * whole() * 3_600;
        let seconds = floor(&(value << 32), &(flow << 64));
        self.departures.push((step.after.clock.unix, seconds));
    }

    /// Shares the earnings of the claim among those who hold shares of it.
    fn share_out(&mut self, before: &State, earned: u64) {
        let guardians = &before.market.books.guardians;
        if guardians.shares.0 == 0 {
            return;
        }
        for (expected, position) in self.expected.iter_mut().zip(&before.guardians) {
            let shares = position.in_epoch(guardians.epoch).shares.0;
            *expected += ceil(&((int(earned) * shares) << 64), &int(guardians.shares.0));
        }
    }

    /// Shares the earnings of open requests among those who hold shares of them.
    fn share_out_open(&mut self, before: &State, earned: u64) {
        let guardians = &before.market.books.guardians;
        if guardians.open_shares.0 == 0 {
            return;
        }
        for (expected, position) in self.expected.iter_mut().zip(&before.guardians) {
            let shares = position.in_epoch(guardians.epoch).open_shares.0;
            *expected += ceil(&((int(earned) * shares) << 64), &int(guardians.open_shares.0));
        }
    }

    fn note_outflow(&mut self, step: &Step, net: i128) {
        let assets = step
            .before
            .market
            .books_at(step.after.clock)
            .and_then(|books| books.pool.assets());
        let remembered = i128::from(step.before.market.outflow.net);
        self.outflows.push(Flow {
            at: step.after.clock.unix,
            net,
            held: i128::from(assets.map_or(0, |assets| assets.0)) + remembered.max(0),
            lately: -remembered.min(0),
        });
    }

    /// For every stretch of time that ends with the last entry: its seconds, and the sum of its amounts.
    pub(crate) fn stretches(entries: &[(i64, u64)]) -> impl Iterator<Item = (i128, i128, i128)> {
        let end = entries.last().map_or(0, |(at, _)| *at);
        let mut sum = 0;
        entries.iter().rev().enumerate().map(move |(index, (at, amount))| {
            sum += i128::from(*amount);
            (i128::from(end - at), sum, i128::try_from(index).unwrap_or(0) + 1)
        })
    }
}

/// The guardians' claim on these books, quote atoms.
fn claim(books: &Books) -> u64 {
    books.guardians.claim.0
}

/// The backstop's cash, and what it has set aside for keepers, quote atoms.
fn held(books: &Books) -> i128 {
    i128::from(books.backstop.cash.0) + i128::from(books.backstop.funded_credits.0)
}

/// True if the market's newest reading made it Guarded.
pub(crate) fn is_guarded(state: &State) -> bool {
    state.market.guard.level == 1
}
