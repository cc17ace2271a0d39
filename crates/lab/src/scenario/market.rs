//! The market of a scenario: its tokens, and its parameters as the file writes them.

use breakwater_engine::{Bps, Collateral, Config, Quote};
use serde::Deserialize;

use crate::rounding::nearest_u64;

use super::{ScenarioError, in_range, require};

/// A token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What people call it.
    pub symbol: String,
    /// Decimal places of one token.
    pub decimals: u8,
}

impl Token {
    /// Atoms of `tokens` whole tokens, rounded to the nearest.
    pub fn atoms(&self, tokens: f64) -> u64 {
        nearest_u64(tokens * self.unit())
    }

    /// Whole tokens of some atoms, for people.
    pub fn tokens(&self, atoms: u64) -> f64 {
        atoms as f64 / self.unit()
    }

    /// Atoms of one token.
    pub fn unit(&self) -> f64 {
        10f64.powi(i32::from(self.decimals))
    }
}

/// The tokens, and the parameters of [`Config`] by their names there. Amounts are in whole tokens (rates: tokens per
/// second), ratios in basis points, times in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "the parameters are documented in the engine, under the same names"
)]
pub struct MarketShape {
    /// What is deposited.
    pub collateral: Token,
    /// What is borrowed.
    pub quote: Token,
    /// Price of the quote token in USD, the same at every step.
    pub quote_price: f64,
    pub min_debt: f64,
    pub bounty_tip: f64,
    pub inventory_cap: f64,
    pub unwind_min_rate: f64,
    pub unwind_max_rate: f64,
    pub guarded_flow: f64,
    pub initial_ltv: u32,
    pub target_ltv: u32,
    pub liquidation_ltv: u32,
    pub insolvency_ltv: u32,
    pub penalty_min: u32,
    pub penalty_max: u32,
    pub bounty_share: u32,
    pub backstop_leverage: u32,
    pub inventory_haircut: u32,
    pub unwind_slope: u32,
    pub unwind_max_discount: u32,
    pub unwind_max_premium: u32,
    pub unwind_floor_band: u32,
    pub interest_base: u32,
    pub interest_kink: u32,
    pub interest_slope_low: u32,
    pub interest_slope_high: u32,
    pub reserve_factor: u32,
    pub max_velocity: u32,
    pub velocity_slack: u32,
    pub average_band: u32,
    pub ema_band: u32,
    pub confidence_guard: u32,
    pub confidence_halt: u32,
    pub max_gap: u32,
    pub guarded_step: u32,
    pub unwind_time: u32,
    pub unwind_burst: u32,
    pub max_age_short: u32,
    pub max_age_long: u32,
    pub future_tolerance: u32,
    pub velocity_horizon: u32,
    pub average_seconds: u32,
    pub calm_seconds: u32,
    pub guarded_cooldown: u32,
    pub guarded_window: u32,
    pub brake_seconds: u32,
    pub brake_rest: u32,
    pub guardian_share: u32,
    pub external_slope: u32,
    pub equity_floor: u32,
    pub guardian_cooldown: u32,
    pub guardian_window: u32,
    pub external_memory: u32,
    pub take_out_delay: u32,
    pub take_out_window: u32,
    pub volatility_factor: u32,
    pub volatility_max: u32,
    pub volatility_seconds: u32,
    pub volatility_horizon: u32,
    pub crowding_max: u32,
    pub crowding_drop: u32,
    pub crowding_bands: u32,
    pub band_limit: u32,
    pub band_floor: f64,
    pub market_depth: f64,
    pub supply_cap: f64,
    pub debt_cap: f64,
    pub account_debt_cap: f64,
    pub outflow_limit: u32,
    pub outflow_window: u32,
}

impl MarketShape {
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        for (field, token) in [("market.collateral", &self.collateral), ("market.quote", &self.quote)] {
            require(
                token.decimals <= 12,
                &format!("{field}.decimals"),
                &token.decimals,
                "at most 12",
            )?;
        }
        in_range(
            "market.quote_price",
            self.quote_price,
            1e-4..=1e4,
            "from 0.0001 to 10000",
        )
    }

    /// The parameters as the program takes them.
    pub fn config(&self) -> Config {
        let (collateral, quote) = (
            |tokens| self.collateral.atoms(tokens),
            |tokens| self.quote.atoms(tokens),
        );
        Config {
            min_debt: Quote(quote(self.min_debt)),
            bounty_tip: Quote(quote(self.bounty_tip)),
            inventory_cap: Collateral(collateral(self.inventory_cap)),
            unwind_min_rate: collateral(self.unwind_min_rate),
            unwind_max_rate: collateral(self.unwind_max_rate),
            guarded_flow: Quote(quote(self.guarded_flow)),
            initial_ltv: Bps(self.initial_ltv),
            target_ltv: Bps(self.target_ltv),
            liquidation_ltv: Bps(self.liquidation_ltv),
            insolvency_ltv: Bps(self.insolvency_ltv),
            penalty_min: Bps(self.penalty_min),
            penalty_max: Bps(self.penalty_max),
            bounty_share: Bps(self.bounty_share),
            backstop_leverage: Bps(self.backstop_leverage),
            inventory_haircut: Bps(self.inventory_haircut),
            unwind_slope: Bps(self.unwind_slope),
            unwind_max_discount: Bps(self.unwind_max_discount),
            unwind_max_premium: Bps(self.unwind_max_premium),
            unwind_floor_band: Bps(self.unwind_floor_band),
            interest_base: Bps(self.interest_base),
            interest_kink: Bps(self.interest_kink),
            interest_slope_low: Bps(self.interest_slope_low),
            interest_slope_high: Bps(self.interest_slope_high),
            reserve_factor: Bps(self.reserve_factor),
            max_velocity: Bps(self.max_velocity),
            velocity_slack: Bps(self.velocity_slack),
            average_band: Bps(self.average_band),
            ema_band: Bps(self.ema_band),
            confidence_guard: Bps(self.confidence_guard),
            confidence_halt: Bps(self.confidence_halt),
            max_gap: Bps(self.max_gap),
            guarded_step: Bps(self.guarded_step),
            unwind_time: self.unwind_time,
            unwind_burst: self.unwind_burst,
            max_age_short: self.max_age_short,
            max_age_long: self.max_age_long,
            future_tolerance: self.future_tolerance,
            velocity_horizon: self.velocity_horizon,
            average_seconds: self.average_seconds,
            calm_seconds: self.calm_seconds,
            guarded_cooldown: self.guarded_cooldown,
            guarded_window: self.guarded_window,
            brake_seconds: self.brake_seconds,
            brake_rest: self.brake_rest,
            guardian_share: Bps(self.guardian_share),
            external_slope: Bps(self.external_slope),
            equity_floor: Bps(self.equity_floor),
            guardian_cooldown: self.guardian_cooldown,
            guardian_window: self.guardian_window,
            external_memory: self.external_memory,
            take_out_delay: self.take_out_delay,
            take_out_window: self.take_out_window,
            volatility_factor: Bps(self.volatility_factor),
            volatility_max: Bps(self.volatility_max),
            volatility_seconds: self.volatility_seconds,
            volatility_horizon: self.volatility_horizon,
            crowding_max: Bps(self.crowding_max),
            crowding_drop: Bps(self.crowding_drop),
            crowding_bands: self.crowding_bands,
            band_limit: Bps(self.band_limit),
            band_floor: Quote(quote(self.band_floor)),
            market_depth: Quote(quote(self.market_depth)),
            supply_cap: Quote(quote(self.supply_cap)),
            debt_cap: Quote(quote(self.debt_cap)),
            account_debt_cap: Quote(quote(self.account_debt_cap)),
            outflow_limit: Bps(self.outflow_limit),
            outflow_window: self.outflow_window,
        }
    }
}
