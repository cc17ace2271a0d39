//! A market's parameters: what each means, and how they must fit together. The bounds of each alone are in one
//! [`table`].

use crate::{
    error::{Error, Result},
    math::{
        num::{self, BPS, wide},
        units::{Bps, Quote},
    },
};

pub mod table;

pub use table::{Parameter, Tighter};

/// How long guardians have to ask for their capital once equity is announced, if they are to leave before it, seconds.
const DAY_TO_ASK: u64 = 86_400;

/// Most debt that a market may have, in multiples of its depth.
const DEPTHS_OF_DEBT: u64 = 200;

stored! {
    /// The parameters of one market.
    Config {
        /// Smallest debt an account may have after borrowing or withdrawing, quote atoms.
        min_debt: Quote,
        /// Flat part of a keeper's bounty, quote atoms.
        bounty_tip: Quote,
        /// While Guarded: most debt taken over in steps at once, refilled over `guarded_window`, quote atoms.
        guarded_flow: Quote,
        /// Sales that move the market's price by 1%, quote atoms: this market's share of what is measured. The flow
        /// limit, the pipeline and the debt cap follow it.
        market_depth: Quote,
        /// Most that one bounty may be, quote atoms.
        bounty_cap: Quote,
        /// Most that the pool may hold and be owed after a supply, quote atoms.
        supply_cap: Quote,
        /// Most that the pool may be owed after a borrowing, what the backstop owes included, quote atoms.
        debt_cap: Quote,
        /// Most that one account may owe after a borrowing, quote atoms.
        account_debt_cap: Quote,
        /// Limit of debt ÷ collateral value for new borrowing and for withdrawals, bps.
        initial_ltv: Bps,
        /// Where a partial liquidation stops, bps.
        target_ltv: Bps,
        /// Above this an account can be liquidated (maintenance margin), bps.
        liquidation_ltv: Bps,
        /// From here the whole account is taken over (θ), bps.
        takeover_ltv: Bps,
        /// Penalty of a partial liquidation (β), bps of the debt repaid.
        penalty: Bps,
        /// Most of the margin that a take-over takes, bps of the debt: all that is left from `takeover_ltv` on.
        takeover_penalty: Bps,
        /// The keeper's share of the debt repaid, bps.
        bounty_share: Bps,
        /// Most that is sold in an hour (k), bps of `market_depth`: the promise to the market.
        flow_rate: Bps,
        /// The fall of the price that the backstop must be able to stand with nothing sold (S_base), bps.
        stress_fall: Bps,
        /// How many standard deviations of the price admission adds to `stress_fall`, 10,000 = one.
        stress_volatility: Bps,
        /// The largest fall that admission asks for, bps.
        stress_max: Bps,
        /// The part of the backstop's interest that guardians earn for standing by, if all of its capital were theirs,
        /// bps.
        standby_share: Bps,
        /// Growth of the auction discount per hour behind schedule, bps.
        auction_slope: Bps,
        /// Largest auction discount, bps.
        auction_max_discount: Bps,
        /// Largest premium while ahead of schedule, bps.
        auction_max_premium: Bps,
        /// How far below the moving average inventory may be sold, bps.
        auction_floor_band: Bps,
        /// Interest at zero utilization, bps a year.
        interest_base: Bps,
        /// Utilization at which the second slope begins, bps.
        interest_kink: Bps,
        /// Interest added from zero utilization to the kink, bps a year.
        interest_slope_low: Bps,
        /// Interest added from the kink to full utilization, bps a year.
        interest_slope_high: Bps,
        /// The backstop's share of all interest, bps.
        reserve_factor: Bps,
        /// How fast the guard's reference follows the price, bps per second of time since it last moved.
        max_velocity: Bps,
        /// How far from the reference a price is taken as it is, bps; beyond, it is clamped.
        velocity_slack: Bps,
        /// How far spot may be from the market's own EMA before the market is Guarded, bps of the average.
        own_ema_band: Bps,
        /// How far spot may be from Pyth's EMA before the market is Guarded, bps of the average.
        ema_band: Bps,
        /// A confidence interval wider than this makes the market Guarded, bps of the price, for each feed.
        confidence_guard: Bps,
        /// A confidence interval wider than this makes the market Halted, bps of the price, for each feed.
        confidence_halt: Bps,
        /// Furthest that the lower of spot and guarded price may be below the higher in a partial liquidation, bps of
        /// the higher.
        max_gap: Bps,
        /// While Guarded: the part of an account's debt that is taken over at once (a step), refilled over
        /// `guarded_refill`, bps.
        guarded_close_factor: Bps,
        /// The guardians' share of penalties, if all of the backstop's equity were theirs, bps.
        guardian_share: Bps,
        /// The part of the pool that suppliers may take out on balance at once, refilled over `outflow_window`, bps;
        /// 10,000 is no limit. See [`crate::pool::outflow`].
        outflow_limit: Bps,
        /// While the stress cover is negative, partial liquidations keep the inventory below what is sold in this time,
        /// seconds.
        pipeline: u32,
        /// How far sales may run ahead of the schedule, seconds.
        auction_burst: u32,
        /// Oldest price for borrowing, withdrawing against debt, and buying inventory, seconds.
        max_age_short: u32,
        /// Oldest price for liquidating and observing, seconds.
        max_age_long: u32,
        /// How far apart the dollar feeds of a price may have been published, seconds.
        max_skew: u32,
        /// Most time since the last reading that the velocity limit counts, seconds.
        velocity_horizon: u32,
        /// Time constant of the market's own EMA, seconds.
        own_ema_seconds: u32,
        /// Time without a cause after which the breaker falls one level, seconds.
        calm_seconds: u32,
        /// While Guarded: time in which an account's step is refilled, seconds; 0 is at once.
        guarded_refill: u32,
        /// While Guarded: time in which `guarded_flow` is refilled, seconds.
        guarded_window: u32,
        /// Longest that one emergency halt holds, seconds.
        halt_seconds: u32,
        /// After the emergency halt's expiry, time before the market can be halted again, seconds; at least
        /// `halt_seconds`.
        halt_cooldown: u32,
        /// Time between a guardian's request to leave and its opening, seconds. Each request keeps what it was when
        /// asked.
        guardian_cooldown: u32,
        /// Time from a request's opening in which the fall that its payment must leave cover for falls from
        /// `stress_fall` to nothing, seconds: so that nobody is kept for ever. Each request keeps what it was when
        /// asked.
        guardian_release: u32,
        /// Time between the announcement of taking equity out and doing it, seconds.
        equity_withdrawal_delay: u32,
        /// Time in which it may be done then, seconds.
        equity_withdrawal_window: u32,
        /// Time constant of the volatility estimate, seconds.
        volatility_seconds: u32,
        /// The time over which a standard deviation is meant, seconds.
        volatility_horizon: u32,
        /// Time in which `outflow_limit` is refilled, seconds.
        outflow_window: u32,
        /// Least time between two prices that the volatility estimate takes, seconds.
        volatility_sample: u32,
        /// Oldest redemption rate, seconds. It moves little, once an epoch; so it has an age of its own.
        max_age_rate: u32,
    }
}

impl Config {
    /// A parameter set for examples and tests: a volatile collateral of 9 decimals against a stable quote token of 6.
    /// The parameters of the market SOL/USDC in `migrations`, with larger
    /// amounts; what the laboratory, the demo, the guards' and the risk document run. Measured in
    /// `docs/reports/guards.md` and `docs/reports/lab.md`.
    pub const EXAMPLE: Self = Self {
        min_debt: Quote(10_000_000),
        bounty_tip: Quote(50_000),
        bounty_cap: Quote(100_000_000),
        guarded_flow: Quote(250_000_000_000),
        market_depth: Quote(400_000_000_000),
        supply_cap: Quote(100_000_000_000_000),
        debt_cap: Quote(80_000_000_000_000),
        account_debt_cap: Quote(10_000_000_000_000),
        initial_ltv: Bps(7_000),
        target_ltv: Bps(7_500),
        liquidation_ltv: Bps(8_000),
        takeover_ltv: Bps(9_500),
        penalty: Bps(100),
        takeover_penalty: Bps(600),
        bounty_share: Bps(25),
        flow_rate: Bps(9_000),
        stress_fall: Bps(3_800),
        stress_volatility: Bps(20_000),
        stress_max: Bps(5_000),
        standby_share: Bps(5_000),
        auction_slope: Bps(300),
        auction_max_discount: Bps(500),
        auction_max_premium: Bps(300),
        auction_floor_band: Bps(1_500),
        interest_base: Bps(100),
        interest_kink: Bps(8_000),
        interest_slope_low: Bps(600),
        interest_slope_high: Bps(10_000),
        reserve_factor: Bps(2_000),
        max_velocity: Bps(10),
        velocity_slack: Bps(50),
        own_ema_band: Bps(800),
        ema_band: Bps(1_500),
        confidence_guard: Bps(100),
        confidence_halt: Bps(300),
        max_gap: Bps(200),
        guarded_close_factor: Bps(2_500),
        guardian_share: Bps(5_000),
        outflow_limit: Bps(10_000),
        pipeline: 1_200,
        auction_burst: 600,
        max_age_short: 10,
        max_age_long: 14,
        max_skew: 15,
        velocity_horizon: 30,
        own_ema_seconds: 600,
        calm_seconds: 60,
        guarded_refill: 300,
        guarded_window: 60,
        halt_seconds: 3_600,
        halt_cooldown: 14_400,
        guardian_cooldown: 604_800,
        guardian_release: 7_776_000,
        equity_withdrawal_delay: 691_200,
        equity_withdrawal_window: 172_800,
        volatility_seconds: 21_600,
        volatility_horizon: 86_400,
        outflow_window: 86_400,
        volatility_sample: 60,
        max_age_rate: 86_400,
    };

    /// Checks every parameter against its hard bounds and against the others:
    ///
    /// - initial < target ≤ liquidation < take-over LTV;
    /// - τ(1 + β) < 1 − max_gap: a partial liquidation reaches its target however far spot and guarded price may be
    ///   apart;
    /// - max_gap < 1 − θ: nobody is settled under water by the gap alone;
    /// - bounty_share ≤ β/2 and tip ≤ half of β × min_debt: a bounty is at most half of what the smallest
    ///   partial liquidation earns;
    /// - θ(1 + takeover_penalty) ≥ 1: a take-over takes all of the margin, so it lowers the stress cover by no more
    ///   than the bounty;
    /// - 1 − S_base ≤ θ: what is taken over whole is counted by the stress cover;
    /// - k × market_depth × pipeline ≥ 4 × min_debt: the pipeline always takes more than crumbs;
    /// - debt_cap ≤ 200 × market_depth;
    /// - guarded_flow ≥ min_debt: while Guarded there is always a step that the market's limit lets go;
    /// - equity_withdrawal_delay ≥ guardian_cooldown + a day: who sees equity announced has a day to ask, and is out
    ///   before it leaves;
    /// - the ask can come down to spot.
    ///
    /// # Errors
    /// [`Error::ParameterOutOfBounds`], [`Error::LtvOrder`], [`Error::PenaltyTooLarge`], [`Error::GapTooLarge`],
    /// [`Error::BountyTooLarge`], [`Error::TakeOverPenaltyTooSmall`], [`Error::StressFallTooSmall`],
    /// [`Error::PipelineTooSmall`], [`Error::DebtCapBeyondDepth`], [`Error::GuardedFlowTooSmall`],
    /// [`Error::EquityWithdrawalTooSoon`], [`Error::AuctionStuck`].
    pub fn validate(&self) -> Result<()> {
        self.check_bounds()?;
        let ordered = self.initial_ltv < self.target_ltv
            && self.target_ltv <= self.liquidation_ltv
            && self.liquidation_ltv < self.takeover_ltv;
        if !ordered {
            return Err(Error::LtvOrder);
        }
        // By two units of 10^-8: at the largest gap what is left of one for the division is rounded down by one.
        let taken = wide(self.target_ltv.factor(), self.penalty.above_one());
        if taken.saturating_add(1) >= wide(BPS, self.max_gap.below_one()) {
            return Err(Error::PenaltyTooLarge);
        }
        if self.max_gap.factor() >= self.takeover_ltv.below_one() {
            return Err(Error::GapTooLarge);
        }
        let smallest_penalty = wide(self.min_debt.0, self.penalty.factor());
        if self.bounty_share.factor().saturating_mul(2) > self.penalty.factor()
            || wide(self.bounty_tip.0, BPS.saturating_mul(2)) > smallest_penalty
        {
            return Err(Error::BountyTooLarge);
        }
        if wide(self.takeover_ltv.factor(), self.takeover_penalty.above_one()) < wide(BPS, BPS) {
            return Err(Error::TakeOverPenaltyTooSmall);
        }
        if self.stress_fall.below_one() > self.takeover_ltv.factor() {
            return Err(Error::StressFallTooSmall);
        }
        if self.pipeline_value().0 < self.min_debt.0.saturating_mul(4) {
            return Err(Error::PipelineTooSmall);
        }
        if self.debt_cap.0 > self.market_depth.0.saturating_mul(DEPTHS_OF_DEBT) {
            return Err(Error::DebtCapBeyondDepth);
        }
        if self.guarded_flow < self.min_debt {
            return Err(Error::GuardedFlowTooSmall);
        }
        if u64::from(self.equity_withdrawal_delay) < u64::from(self.guardian_cooldown).saturating_add(DAY_TO_ASK) {
            return Err(Error::EquityWithdrawalTooSoon);
        }
        if !self.ask_can_meet_spot() {
            return Err(Error::AuctionStuck);
        }
        Ok(())
    }

    /// Most that is sold in an hour, quote atoms at the higher EMA, rounded down: k × market_depth.
    #[inline]
    #[must_use]
    pub fn hourly_flow(&self) -> Quote {
        Quote(num::scaled(self.market_depth.0, self.flow_rate))
    }

    /// P: the inventory that the flow limit sells in `pipeline` seconds, quote atoms at the higher EMA, rounded down.
    #[inline]
    #[must_use]
    pub fn pipeline_value(&self) -> Quote {
        let flow = num::mul_div_floor(self.hourly_flow().0, u64::from(self.pipeline), 3_600);
        Quote(flow.unwrap_or(u64::MAX))
    }

    /// True if at Normal the ask comes down to spot in time, whatever the prices.
    ///
    /// At Normal spot is within both bands of the averages, so a floor no nearer to them is below spot. And the ask
    /// starts from the upper end of the interval, at most (1 + c) ÷ (1 − c) × spot for two feeds of confidence c,
    /// so the largest discount d must bring it down: (1 + c)(1 − d) ≤ 1 − c.
    fn ask_can_meet_spot(&self) -> bool {
        let bands = self.own_ema_band.max(self.ema_band);
        let confidence = self.confidence_guard;
        let down = wide(confidence.above_one(), self.auction_max_discount.below_one());
        self.auction_floor_band >= bands && down <= wide(confidence.below_one(), BPS)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const CONFIG: Config = Config::EXAMPLE;

    fn with(change: impl FnOnce(&mut Config)) -> Result<()> {
        let mut config = CONFIG;
        change(&mut config);
        config.validate()
    }

    #[test]
    fn the_test_config_is_valid() {
        assert_eq!(CONFIG.validate(), Ok(()));
    }

    #[test]
    fn ltvs_must_be_in_order() {
        assert_eq!(with(|c| c.initial_ltv = c.target_ltv), Err(Error::LtvOrder));
        assert_eq!(
            with(|c| c.target_ltv = Bps(c.liquidation_ltv.0 + 1)),
            Err(Error::LtvOrder)
        );
        assert_eq!(with(|c| c.target_ltv = c.liquidation_ltv), Ok(()));
        assert_eq!(with(|c| c.takeover_ltv = c.liquidation_ltv), Err(Error::LtvOrder));
        assert_eq!(with(|c| c.takeover_ltv = Bps(10_001)), Err(Error::ParameterOutOfBounds));
    }

    #[test]
    fn the_penalty_must_leave_a_target_to_reach() {
        // 75% × (1 + β) < 98%
        assert_eq!(
            with(|c| (c.takeover_penalty, c.penalty) = (Bps(2_500), Bps(2_500))),
            Ok(())
        );
        let at = |target: u32, penalty: u32, gap| {
            with(|c| {
                (c.initial_ltv, c.target_ltv, c.liquidation_ltv) = (Bps(100), Bps(target), Bps(target));
                (c.max_gap, c.penalty, c.takeover_penalty) = (Bps(gap), Bps(penalty), Bps(2_500));
            })
        };
        // 80% × 1.225 = 98%
        assert_eq!(at(8_000, 2_250, 200), Err(Error::PenaltyTooLarge));
        assert_eq!(at(8_000, 2_249, 200), Ok(()));
        // 89.27% × 1.1137 is 10^-8 less than 99.42%, and 85.02% × 1.1749 is 2 × 10^-8 less than 99.89%.
        assert_eq!(at(8_927, 1_137, 58), Err(Error::PenaltyTooLarge));
        assert_eq!(at(8_502, 1_749, 11), Ok(()));
    }

    #[test]
    fn the_gap_must_stay_within_the_margin_at_the_take_over() {
        assert_eq!(with(|c| c.max_gap = Bps(500)), Err(Error::GapTooLarge));
        assert_eq!(with(|c| c.max_gap = Bps(499)), Ok(()));
    }

    #[test]
    fn a_bounty_is_at_most_half_of_a_penalty() {
        assert_eq!(with(|c| c.bounty_share = Bps(50)), Ok(()));
        assert_eq!(with(|c| c.bounty_share = Bps(51)), Err(Error::BountyTooLarge));
        // half of 1% of 10 USDC
        assert_eq!(with(|c| c.bounty_tip = Quote(50_000)), Ok(()));
        assert_eq!(with(|c| c.bounty_tip = Quote(50_001)), Err(Error::BountyTooLarge));
    }

    #[test]
    fn a_take_over_takes_all_of_the_margin() {
        // 94.34% × 1.06 is 100.0004%, and 95% × 1.0527 is 100.0065%.
        assert_eq!(with(|c| c.takeover_ltv = Bps(9_434)), Ok(()));
        assert_eq!(
            with(|c| c.takeover_ltv = Bps(9_433)),
            Err(Error::TakeOverPenaltyTooSmall)
        );
        assert_eq!(with(|c| c.takeover_penalty = Bps(527)), Ok(()));
        assert_eq!(
            with(|c| c.takeover_penalty = Bps(526)),
            Err(Error::TakeOverPenaltyTooSmall)
        );
        // 80% × 1.25 is one.
        let exact = |penalty| {
            with(|c| {
                (c.initial_ltv, c.target_ltv, c.liquidation_ltv, c.takeover_ltv) = (Bps(1), Bps(2), Bps(3), Bps(8_000));
                c.takeover_penalty = Bps(penalty);
            })
        };
        assert_eq!(exact(2_500), Ok(()));
        assert_eq!(exact(2_499), Err(Error::TakeOverPenaltyTooSmall));
    }

    #[test]
    fn the_stress_fall_reaches_below_the_take_over() {
        let at = |takeover| {
            with(|c| {
                (c.takeover_ltv, c.takeover_penalty) = (Bps(takeover), Bps(1_200));
                (c.stress_fall, c.max_gap) = (Bps(1_000), Bps(100));
            })
        };
        assert_eq!(at(9_000), Ok(()));
        assert_eq!(at(8_999), Err(Error::StressFallTooSmall));
    }

    #[test]
    fn the_pipeline_is_four_smallest_debts() {
        // 0.9 × depth × 20 min = 0.3 × depth
        let depth = |atoms| with(|c| (c.market_depth, c.debt_cap) = (Quote(atoms), Quote(0)));
        assert_eq!(depth(133_333_334), Ok(()));
        assert_eq!(depth(133_333_333), Err(Error::PipelineTooSmall));
    }

    #[test]
    fn flow_and_pipeline_follow_depth_and_are_rounded_down() {
        let config = |depth, rate, pipeline| Config {
            market_depth: Quote(depth),
            flow_rate: Bps(rate),
            pipeline,
            ..CONFIG
        };
        let told = |config: Config| (config.hourly_flow().0, config.pipeline_value().0);
        assert_eq!(told(config(1_000_000, 15_000, 1_200)), (1_500_000, 500_000));
        assert_eq!(told(config(3, 15_000, 3_599)), (4, 3));
        assert_eq!(told(config(3, 15_000, 3_600)), (4, 4));
        assert_eq!(told(config(u64::MAX, 30_000, 86_400)), (u64::MAX, u64::MAX));
    }

    #[test]
    fn a_guarded_market_lets_the_smallest_step_go() {
        assert_eq!(with(|c| c.guarded_flow = c.min_debt), Ok(()));
        assert_eq!(
            with(|c| c.guarded_flow = Quote(c.min_debt.0 - 1)),
            Err(Error::GuardedFlowTooSmall)
        );
    }

    #[test]
    fn guardians_have_a_day_to_ask_before_equity_leaves() {
        assert_eq!(
            with(|c| c.equity_withdrawal_delay = c.guardian_cooldown + 86_400),
            Ok(())
        );
        assert_eq!(
            with(|c| c.equity_withdrawal_delay = c.guardian_cooldown + 86_399),
            Err(Error::EquityWithdrawalTooSoon)
        );
    }

    #[test]
    fn debt_is_at_most_two_hundred_depths() {
        assert_eq!(with(|c| c.debt_cap = Quote(c.market_depth.0 * 200)), Ok(()));
        assert_eq!(
            with(|c| c.debt_cap = Quote(c.market_depth.0 * 200 + 1)),
            Err(Error::DebtCapBeyondDepth)
        );
    }
}
