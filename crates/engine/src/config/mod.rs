//! A market's parameters: what each means, and how they must fit together. The bounds of each alone are in one [`table`].

use crate::{
    error::{Error, Result},
    num::BPS,
    units::{Bps, Collateral, Quote},
};

pub mod table;

pub use table::{Parameter, Tighter};

stored! {
    /// The parameters of one market.
    Config {
        /// Smallest debt an account may have after borrowing or withdrawing, quote atoms.
        min_debt: Quote,
        /// Flat part of a keeper's bounty, quote atoms.
        bounty_tip: Quote,
        /// Most collateral the backstop may hold, collateral atoms. Insolvent accounts are absorbed beyond it.
        inventory_cap: Collateral,
        /// Slowest unwind, collateral atoms per second.
        unwind_min_rate: u64,
        /// Fastest unwind, collateral atoms per second: the promise to the market.
        unwind_max_rate: u64,
        /// While Guarded: most debt taken over in steps at once, refilled over `guarded_window`, quote atoms.
        guarded_flow: Quote,
        /// Debt that one price band may hold whatever the backstop's room, quote atoms.
        band_floor: Quote,
        /// Sales that move the market's price by 1%, quote atoms: what the cascade indicator is told.
        market_depth: Quote,
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
        /// From here the whole account is taken over, bps.
        insolvency_ltv: Bps,
        /// Penalty at the liquidation LTV, bps of the debt repaid.
        penalty_min: Bps,
        /// Penalty at the insolvency LTV, bps of the debt repaid.
        penalty_max: Bps,
        /// The keeper's share of the debt repaid, bps.
        bounty_share: Bps,
        /// Most (debt − cash) the backstop may owe per unit of its equity, bps.
        backstop_leverage: Bps,
        /// Discount on inventory when the backstop's equity is counted, bps.
        inventory_haircut: Bps,
        /// Growth of the unwind discount per hour behind schedule, bps.
        unwind_slope: Bps,
        /// Largest unwind discount, bps.
        unwind_max_discount: Bps,
        /// Largest premium while ahead of schedule, bps.
        unwind_max_premium: Bps,
        /// How far below the moving average inventory may be sold, bps.
        unwind_floor_band: Bps,
        /// Interest at zero utilisation, bps a year.
        interest_base: Bps,
        /// Utilisation at which the second slope begins, bps.
        interest_kink: Bps,
        /// Interest added from zero utilisation to the kink, bps a year.
        interest_slope_low: Bps,
        /// Interest added from the kink to full utilisation, bps a year.
        interest_slope_high: Bps,
        /// The backstop's share of all interest, bps.
        reserve_factor: Bps,
        /// How fast the guard's reference follows the price, bps per second of time since it last moved.
        max_velocity: Bps,
        /// How far from the reference a price is taken as it is, bps; beyond, it is clamped.
        velocity_slack: Bps,
        /// How far spot may be from the market's own average before the market is Guarded, bps of the average.
        average_band: Bps,
        /// How far spot may be from Pyth's average before the market is Guarded, bps of the average.
        ema_band: Bps,
        /// A confidence interval wider than this makes the market Guarded, bps of the price, for each feed.
        confidence_guard: Bps,
        /// A confidence interval wider than this makes the market Halted, bps of the price, for each feed.
        confidence_halt: Bps,
        /// Furthest that spot and guarded price may be apart for liquidations, bps of spot.
        max_gap: Bps,
        /// While Guarded: the part of the wanted repayment that is taken over at a time, bps.
        guarded_step: Bps,
        /// The guardians' share of penalties, if all of the backstop's equity were theirs, bps.
        guardian_share: Bps,
        /// Growth of the discount of external liquidations, bps per minute without room.
        external_slope: Bps,
        /// Equity of the protocol that taking out must leave, bps of the market's debt.
        equity_floor: Bps,
        /// How many standard deviations of the price are taken off the initial LTV, 10,000 = one.
        volatility_factor: Bps,
        /// Most that volatility takes off the initial LTV, bps.
        volatility_max: Bps,
        /// Most that crowding takes off the initial LTV, bps.
        crowding_max: Bps,
        /// The fall of the price that the backstop should have room for, bps.
        crowding_drop: Bps,
        /// Debt that a new loan's surroundings may hold, as a part of the backstop's room, bps.
        band_limit: Bps,
        /// The part of the pool that suppliers may take out on balance at once, refilled over `outflow_window`, bps; 10,000
        /// is no limit. See [`crate::outflow`].
        outflow_limit: Bps,
        /// Time in which the whole inventory is scheduled to be sold, seconds.
        unwind_time: u32,
        /// How far sales may run ahead of the schedule, seconds.
        unwind_burst: u32,
        /// Oldest price for borrowing, withdrawing against debt, and buying inventory, seconds.
        max_age_short: u32,
        /// Oldest price for liquidating and observing, seconds.
        max_age_long: u32,
        /// How far ahead of the chain's clock a publish time may be, seconds.
        future_tolerance: u32,
        /// Most time since the last reading that the velocity limit counts, seconds.
        velocity_horizon: u32,
        /// Time constant of the market's own average, seconds.
        average_seconds: u32,
        /// Time without a cause after which the breaker falls one level, seconds.
        calm_seconds: u32,
        /// While Guarded: time between two steps of one account, seconds.
        guarded_cooldown: u32,
        /// While Guarded: time in which `guarded_flow` is refilled, seconds.
        guarded_window: u32,
        /// Longest that one pull of the brake holds, seconds.
        brake_seconds: u32,
        /// After the brake's expiry, time before it can be pulled again, seconds; at least `brake_seconds`.
        brake_rest: u32,
        /// Time between a guardian's request to leave and its leaving, seconds.
        guardian_cooldown: u32,
        /// Time in which it may leave then, seconds.
        guardian_window: u32,
        /// How long it is remembered that the backstop had no room, seconds.
        external_memory: u32,
        /// Time between the announcement of taking equity out and doing it, seconds.
        take_out_delay: u32,
        /// Time in which it may be done then, seconds.
        take_out_window: u32,
        /// Time constant of the volatility estimate, seconds.
        volatility_seconds: u32,
        /// The time over which a standard deviation is meant, seconds.
        volatility_horizon: u32,
        /// Bands on each side of a new loan that count as its surroundings.
        crowding_bands: u32,
        /// Time in which `outflow_limit` is refilled, seconds.
        outflow_window: u32,
    }
}

impl Config {
    /// A parameter set for examples and tests: a volatile collateral of 9 decimals against a stable quote token of 6.
    /// Plausible, but chosen by nobody for real money. The values of the price guards and of the margin
    /// that follows risk come from measurements: `docs/guards.md`, `docs/risk-experiment.md`.
    pub const EXAMPLE: Self = Self {
        min_debt: Quote(10_000_000),
        bounty_tip: Quote(100_000),
        inventory_cap: Collateral(u64::MAX),
        unwind_min_rate: 1_000_000,
        unwind_max_rate: 50_000_000_000,
        guarded_flow: Quote(250_000_000_000),
        band_floor: Quote(100_000_000_000),
        market_depth: Quote(1_000_000_000_000),
        supply_cap: Quote(100_000_000_000_000),
        debt_cap: Quote(80_000_000_000_000),
        account_debt_cap: Quote(10_000_000_000_000),
        initial_ltv: Bps(7_000),
        target_ltv: Bps(7_500),
        liquidation_ltv: Bps(8_000),
        insolvency_ltv: Bps(9_200),
        penalty_min: Bps(200),
        penalty_max: Bps(600),
        bounty_share: Bps(25),
        backstop_leverage: Bps(80_000),
        inventory_haircut: Bps(500),
        unwind_slope: Bps(100),
        unwind_max_discount: Bps(500),
        unwind_max_premium: Bps(300),
        unwind_floor_band: Bps(1_500),
        interest_base: Bps(100),
        interest_kink: Bps(8_000),
        interest_slope_low: Bps(600),
        interest_slope_high: Bps(10_000),
        reserve_factor: Bps(2_000),
        max_velocity: Bps(10),
        velocity_slack: Bps(50),
        average_band: Bps(800),
        ema_band: Bps(1_500),
        confidence_guard: Bps(100),
        confidence_halt: Bps(300),
        max_gap: Bps(200),
        guarded_step: Bps(2_500),
        guardian_share: Bps(5_000),
        external_slope: Bps(10),
        equity_floor: Bps(1_000),
        volatility_factor: Bps(20_000),
        volatility_max: Bps(1_500),
        crowding_max: Bps(2_000),
        crowding_drop: Bps(3_000),
        band_limit: Bps(4_000),
        outflow_limit: Bps(10_000),
        unwind_time: 86_400,
        unwind_burst: 600,
        max_age_short: 30,
        max_age_long: 60,
        future_tolerance: 5,
        velocity_horizon: 30,
        average_seconds: 600,
        calm_seconds: 60,
        guarded_cooldown: 20,
        guarded_window: 60,
        brake_seconds: 3_600,
        brake_rest: 14_400,
        guardian_cooldown: 604_800,
        guardian_window: 172_800,
        external_memory: 600,
        take_out_delay: 604_800,
        take_out_window: 172_800,
        volatility_seconds: 21_600,
        volatility_horizon: 3_600,
        crowding_bands: 2,
        outflow_window: 86_400,
    };

    /// Checks every parameter against its hard bounds and against the others.
    ///
    /// The LTV order and the two penalty rules are what makes sizing well defined (see [`crate::sizing`]).
    ///
    /// # Errors
    /// [`Error::ParameterOutOfBounds`], [`Error::LtvOrder`], [`Error::PenaltyTooLarge`], [`Error::UnwindStuck`].
    pub fn validate(&self) -> Result<()> {
        self.check_bounds()?;
        let ordered = self.initial_ltv < self.target_ltv
            && self.target_ltv <= self.liquidation_ltv
            && self.liquidation_ltv < self.insolvency_ltv;
        if !ordered {
            return Err(Error::LtvOrder);
        }
        // τ(1 + β_max) < 1 follows from the same with the liquidation LTV, because τ ≤ liquidation LTV.
        let grossed = crate::num::wide(self.liquidation_ltv.factor(), self.penalty_max.above_one());
        if self.penalty_min > self.penalty_max || grossed >= crate::num::wide(BPS, BPS) {
            return Err(Error::PenaltyTooLarge);
        }
        if !self.ask_can_meet_spot() {
            return Err(Error::UnwindStuck);
        }
        Ok(())
    }

    /// Whether at Normal the ask comes down to spot in time, whatever the prices.
    ///
    /// At Normal spot is within both bands of the averages, so a floor no nearer to them is below spot. And the ask starts
    /// from the upper end of the interval, at most (1 + c) ÷ (1 − c) × spot for two feeds of confidence c, so the largest
    /// discount d must bring it down: (1 + c)(1 − d) ≤ 1 − c.
    fn ask_can_meet_spot(&self) -> bool {
        let bands = self.average_band.max(self.ema_band);
        let confidence = self.confidence_guard;
        let down = crate::num::wide(confidence.above_one(), self.unwind_max_discount.below_one());
        self.unwind_floor_band >= bands && down <= crate::num::wide(confidence.below_one(), BPS)
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
        assert_eq!(with(|c| c.insolvency_ltv = c.liquidation_ltv), Err(Error::LtvOrder));
        assert_eq!(
            with(|c| c.insolvency_ltv = Bps(10_001)),
            Err(Error::ParameterOutOfBounds)
        );
    }

    #[test]
    fn the_penalty_must_leave_room_below_one() {
        assert_eq!(
            with(|c| c.penalty_min = Bps(c.penalty_max.0 + 1)),
            Err(Error::PenaltyTooLarge)
        );
        // 80% × 1.25 = 1: the penalty would eat the whole margin.
        assert_eq!(with(|c| c.penalty_max = Bps(2_500)), Err(Error::PenaltyTooLarge));
        assert_eq!(with(|c| c.penalty_max = Bps(2_499)), Ok(()));
    }
}
