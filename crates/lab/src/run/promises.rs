//! Promises that the breaker's rules make of every liquidation, computed here in other ways than the engine does.

use breakwater_engine::{Bps, Collateral, Config, Level, Price, Prices, Quote, Result, actions::Liquidation};

const BPS: i128 = 10_000;
/// Microseconds in a second.
const MICROS: i128 = 1_000_000;

/// One liquidation and what was known before it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub config: &'a Config,
    pub level: Level,
    pub spot: Price,
    pub guarded: Price,
    /// Debt before.
    pub debt: Quote,
    /// Up to where the account's pace of steps while Guarded is used, microseconds since 1970, and now, seconds.
    pub stepped_until: i64,
    pub now: i64,
    pub outcome: &'a Liquidation,
}

impl<'a> Case<'a> {
    pub fn new(
        config: &'a Config,
        prices: &Prices,
        (debt, stepped_until): (Quote, i64),
        now: i64,
        outcome: &'a Liquidation,
    ) -> Self {
        Self {
            config,
            level: prices.level(),
            spot: prices.spot(),
            guarded: prices.guarded(),
            debt,
            stepped_until,
            now,
            outcome,
        }
    }

    /// Never while Halted; settled at spot while Normal, at the lower of spot and guarded price while Guarded, and of
    /// an account that is not taken over only where the two are no further apart than the largest gap.
    pub fn is_at_the_price_of_its_level(&self) -> bool {
        let price = self.outcome.price;
        match self.level {
            Level::Normal => price == self.spot && price == self.guarded,
            Level::Guarded => price == self.settled() && (self.outcome.taken_over || self.is_within_gap()),
            Level::Halted => false,
        }
    }

    /// The price that accounts are judged at.
    fn judged(&self) -> Price {
        self.spot.max(self.guarded)
    }

    /// The price that they are settled at.
    fn settled(&self) -> Price {
        self.spot.min(self.guarded)
    }

    fn is_within_gap(&self) -> bool {
        let gap = self.spot.raw().abs_diff(self.guarded.raw());
        gap * BPS.unsigned_abs() <= self.judged().raw() * u128::from(self.config.max_gap.0)
    }

    /// Debt above the liquidation LTV at the price of the market itself, not only at the guarded one.
    pub fn was_due_at_spot(&self) -> Result<bool> {
        let value = i128::from(self.spot.quote_floor(self.collateral())?.0);
        Ok(i128::from(self.debt.0) * BPS > value * ratio(self.config.liquidation_ltv))
    }

    /// True if the limits of steps apply: Guarded, and not taken over.
    pub fn is_step(&self) -> bool {
        self.level == Level::Guarded && !self.outcome.taken_over
    }

    /// For steps: at the penalty of partial liquidations at most, and within what is refilled of the account's step.
    pub fn keeps_step(&self) -> Result<bool> {
        let config = self.config;
        let (wanted, least, debt) = (self.wanted()?, i128::from(config.min_debt.0), i128::from(self.debt.0));
        let step = (debt * ratio(config.guarded_close_factor) / BPS).max(least);
        let (now, refill) = (
            i128::from(self.now) * MICROS,
            i128::from(config.guarded_refill) * MICROS,
        );
        let used = now.max(self.stepped_until.into());
        // Where a step would leave dust it may take all that is wanted.
        let leaves_dust = used == now && debt - step < least;
        let largest = match refill {
            _ if leaves_dust => wanted,
            0 => step,
            _ => step * (now + refill - used).max(0) / refill,
        };
        let repaid = i128::from(self.outcome.repaid.0);
        Ok(self.outcome.penalty <= config.penalty && repaid <= largest.min(wanted))
    }

    /// True if less was taken than takes the account to the target LTV: only the pipeline asks for that while Normal.
    pub fn is_cut(&self) -> Result<bool> {
        Ok(!self.outcome.taken_over && i128::from(self.outcome.repaid.0) < self.wanted()?)
    }

    /// Repayment that takes the account to the target LTV, or all of the debt if the rest would be dust. The ratio of
    /// the two prices is rounded as the engine does, to 2^-32.
    fn wanted(&self) -> Result<i128> {
        let (target, grossed) = (ratio(self.config.target_ltv), BPS + ratio(self.outcome.penalty));
        let (debt, value) = (
            i128::from(self.debt.0),
            i128::from(self.judged().quote_floor(self.collateral())?.0),
        );
        let spread = (self.judged().raw() << 32).div_ceil(self.settled().raw()).cast_signed();
        let given = (target * grossed * spread + (1 << 32) - 1) >> 32;
        let divisor = BPS * BPS - given;
        let exact = BPS * (BPS * debt - target * value);
        let wanted = (exact + divisor - 1) / divisor;
        Ok(if debt - wanted < i128::from(self.config.min_debt.0) {
            debt
        } else {
            wanted
        })
    }

    /// Before.
    fn collateral(&self) -> Collateral {
        Collateral(self.outcome.collateral_after.0 + self.outcome.seized.0)
    }
}

fn ratio(Bps(bps): Bps) -> i128 {
    i128::from(bps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collateral atoms are worth one quote atom each.
    const ONE: Price = Price::from_raw(1 << 64);
    const CONFIG: Config = Config {
        min_debt: Quote(1),
        bounty_tip: Quote(0),
        penalty: Bps(200),
        max_gap: Bps(200),
        guarded_close_factor: Bps(2_500),
        guarded_refill: 20,
        ..Config::EXAMPLE
    };

    /// 8,500 on 10,000: to a target of 75% at a penalty of 2% it takes 4,255.3….
    fn outcome(repaid: u64) -> Liquidation {
        let seized = repaid * 102 / 100;
        Liquidation {
            price: ONE,
            repaid: Quote(repaid),
            paid_in_cash: Quote(0),
            seized: Collateral(seized),
            deficit: Quote(0),
            bounty: Quote(0),
            debt_after: Quote(8_500 - repaid),
            collateral_after: Collateral(10_000 - seized),
            penalty: Bps(200),
            taken_over: false,
            whole: false,
        }
    }

    fn guarded(outcome: &Liquidation) -> Case<'_> {
        Case {
            config: &CONFIG,
            level: Level::Guarded,
            spot: ONE,
            guarded: ONE,
            debt: Quote(8_500),
            stepped_until: 120 * 1_000_000,
            now: 120,
            outcome,
        }
    }

    #[test]
    fn a_step_is_a_quarter_of_the_debt_refilled_in_time_at_the_smallest_penalty() {
        assert_eq!(guarded(&outcome(2_125)).keeps_step(), Ok(true));
        assert_eq!(guarded(&outcome(2_126)).keeps_step(), Ok(false));
        let at = |now, repaid| {
            let early = outcome(repaid);
            Case { now, ..guarded(&early) }.keeps_step()
        };
        // In a tenth of the time a tenth of it.
        assert_eq!((at(102, 212), at(102, 213)), (Ok(true), Ok(false)));
        assert_eq!(at(99, 1), Ok(false));
        let dear = Liquidation {
            penalty: Bps(201),
            ..outcome(1_000)
        };
        assert_eq!(guarded(&dear).keeps_step(), Ok(false));
    }

    #[test]
    fn small_accounts_are_not_nibbled_at() {
        let config = Config {
            min_debt: Quote(2_000),
            ..CONFIG
        };
        let outcome = outcome(2_000);
        let case = Case {
            config: &config,
            ..guarded(&outcome)
        };
        assert_eq!(case.keeps_step(), Ok(true));
    }

    #[test]
    fn the_price_belongs_to_the_level() {
        // Two percent of the higher.
        let below = Price::from_raw((1u128 << 64) - (1 << 64) / 50);
        let far = Price::from_raw(below.raw() - 1);
        let at = |price| Liquidation {
            price,
            ..outcome(1_000)
        };
        let (at_spot, at_below, at_far) = (at(ONE), at(below), at(far));
        let whole = Liquidation {
            taken_over: true,
            ..at_far
        };
        let case = |level, guarded_price, outcome| Case {
            level,
            guarded: guarded_price,
            ..guarded(outcome)
        };
        assert!(case(Level::Normal, ONE, &at_spot).is_at_the_price_of_its_level());
        assert!(!case(Level::Normal, below, &at_below).is_at_the_price_of_its_level());
        assert!(case(Level::Guarded, below, &at_below).is_at_the_price_of_its_level());
        assert!(!case(Level::Guarded, below, &at_spot).is_at_the_price_of_its_level());
        assert!(!case(Level::Guarded, far, &at_far).is_at_the_price_of_its_level());
        assert!(case(Level::Guarded, far, &whole).is_at_the_price_of_its_level());
        assert!(!case(Level::Halted, ONE, &at_spot).is_at_the_price_of_its_level());
    }

    #[test]
    fn who_is_healthy_at_spot_was_not_due() {
        let outcome = outcome(1_000);
        assert_eq!(guarded(&outcome).was_due_at_spot(), Ok(true));
        let higher = Price::from_raw((1 << 64) / 16 * 17);
        let case = Case {
            spot: higher,
            ..guarded(&outcome)
        };
        // 8,500 of 10,625 is the liquidation LTV exactly.
        assert_eq!(case.was_due_at_spot(), Ok(false));
    }
}
