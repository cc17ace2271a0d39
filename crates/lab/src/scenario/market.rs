//! The market of a scenario: its tokens and its size.

use breakwater_engine::{Config, Quote};
use serde::Deserialize;

use crate::rounding::nearest_u64;

use super::{ScenarioError, in_range, require};

/// A token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Symbol that people know it by.
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

/// The tokens, and how large the market is. Its parameters are those of [`Config::EXAMPLE`], no others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketShape {
    /// The token deposited.
    pub collateral: Token,
    /// The token borrowed.
    pub quote: Token,
    /// Price of the quote token in USD, the same at every step.
    pub quote_price: f64,
    /// Its depth, caps and flows, in those of [`Config::EXAMPLE`].
    pub size: f64,
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
        )?;
        in_range("market.size", self.size, 1e-4..=1e4, "from 0.0001 to 10000")
    }

    /// The parameters as the program takes them.
    pub fn config(&self) -> Config {
        let example = Config::EXAMPLE;
        let scaled = |amount: Quote| Quote(nearest_u64(amount.0 as f64 * self.size));
        Config {
            guarded_flow: scaled(example.guarded_flow),
            market_depth: scaled(example.market_depth),
            supply_cap: scaled(example.supply_cap),
            debt_cap: scaled(example.debt_cap),
            account_debt_cap: scaled(example.account_debt_cap),
            ..example
        }
    }
}
