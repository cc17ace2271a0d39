//! What is remembered of a sequence: some promises are about any stretch of time, and some about all that ever was.

use crate::{
    Call, Done, GUARDIANS, Stage, Step,
    exact::{Int, ceil, int},
};

/// A sequence so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Quote tokens given away past the program, atoms.
    pub(crate) donated_quote: u64,
    /// Collateral given away past the program, atoms.
    pub(crate) donated_collateral: u64,
    /// When inventory was sold, and how much.
    pub(crate) sales: Vec<(i64, u64)>,
    /// When debt was taken off accounts in guarded steps, and how much.
    pub(crate) steps: Vec<(i64, u64)>,
    /// Suppliers' coming and leaving.
    pub(crate) outflows: Vec<Flow>,
    /// What each guardian may expect at most: what it put in and its shares' part of what the claim earned, less what left with
    /// those shares it took out; quote atoms with 64 fractional bits, rounded up.
    pub(crate) expected: [Int; GUARDIANS],
    /// What a guardian who has just taken shares out could expect for them.
    pub(crate) part: Int,
    /// How often guardians have come or left in this era: each time rounding may leave an atom to those who stay.
    pub(crate) roundings: u64,
}

/// A supply or a withdrawal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// When, seconds since 1970.
    pub at: i64,
    /// What was taken out, less what was put in, quote atoms.
    pub net: i128,
    /// What the pool held just before, what was remembered as having left included.
    pub held: i128,
    /// What was remembered just before as having come.
    pub lately: i128,
}

impl History {
    /// Remembers a step.
    pub(crate) fn note(&mut self, step: &Step) {
        let now = step.after.clock.unix;
        let (Some(call), Ok(done)) = (&step.call, &step.result) else {
            return;
        };
        match (call, done) {
            (Call::DonateQuote { amount }, _) => self.donated_quote += amount,
            (Call::DonateCollateral { amount }, _) => self.donated_collateral += amount,
            (_, Done::Sold(sale)) => self.sales.push((now, sale.amount.0)),
            (_, Done::Supplied(supply)) => self.note_outflow(step, -i128::from(supply.amount.0)),
            (_, Done::Withdrawn(withdrawal)) => self.note_outflow(step, i128::from(withdrawal.amount.0)),
            (_, Done::ExternallyLiquidated(done)) if is_guarded(&step.after) => self.steps.push((now, done.repaid.0)),
            (_, Done::Liquidated(done)) => {
                if is_guarded(&step.after) {
                    let steps = done.iter().filter(|(_, done)| !done.insolvent);
                    self.steps.extend(steps.map(|(_, done)| (now, done.repaid.0)));
                }
                let claim = |stage: &Stage| stage.market.guardians.claim.0;
                self.share_out(&step.before, claim(&step.after).saturating_sub(claim(&step.before)));
            }
            (Call::GuardianDeposit { guardian, amount }, _) => {
                self.roundings += 1;
                self.expected[*guardian] += int(amount.0) << 64;
            }
            (Call::GuardianWithdraw { guardian, shares }, _) => {
                self.roundings += 1;
                let held = step.before.guardians[*guardian].shares.0;
                let of_all = |shares: u64| ceil(&(&self.expected[*guardian] * shares), &int(held.max(1)));
                self.part = of_all(shares.0);
                self.expected[*guardian] = of_all(held.saturating_sub(shares.0));
            }
            (_, Done::Settled(_)) => (self.expected, self.roundings) = Default::default(),
            _ => {}
        }
    }

    /// What the claim has earned belongs to those who hold shares of it.
    fn share_out(&mut self, before: &Stage, earned: u64) {
        let guardians = &before.market.guardians;
        if guardians.shares.0 == 0 {
            return;
        }
        for (expected, position) in self.expected.iter_mut().zip(&before.guardians) {
            let shares = position.in_era(guardians.era).shares.0;
            *expected += ceil(&((int(earned) * shares) << 64), &int(guardians.shares.0));
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

/// Whether the market's newest reading made it Guarded.
pub(crate) fn is_guarded(stage: &Stage) -> bool {
    stage.market.guard.level == 1
}
