//! The outside market: where everything that was seized ends up. It pays what its price allows and moves.

use breakwater_engine::{Collateral, Quote};

use super::{
    impact::{Impact, Memory},
    setup::{BargainHunters, COLLATERAL_UNIT, DEBT, QUOTE_UNIT},
};
use crate::rounding::floor_u64;

/// Time constant of the average that tells stress, seconds.
const CALM_SECONDS: f64 = 3_600.0;
/// Halvings of an interval when an inverse is looked for.
const HALVINGS: u32 = 48;

/// The market that sales move. Prices are quote tokens per collateral token.
#[derive(Clone, Debug)]
pub struct Exchange {
    impact: Impact,
    fair: f64,
    memory: Memory,
    average: f64,
    /// Depth now, quote tokens a unit.
    depth: f64,
    hunters: BargainHunters,
    /// Capital that the bargain hunters have tied up, quote tokens.
    tied: f64,
    /// Collateral atoms taken in since the start.
    pub taken: u64,
    /// Quote atoms paid since the start.
    pub paid: u64,
    /// Sold in this step, quote tokens at the exogenous price.
    pub step_sold: f64,
    /// Sold in this step, calm depth-units.
    pub step_units: f64,
    /// Price before and after the sales of this step.
    pub step_prices: (f64, f64),
}

impl Exchange {
    /// A calm market.
    pub fn new(impact: &Impact, hunters: &BargainHunters, fair: f64) -> Self {
        Self {
            impact: *impact,
            hunters: *hunters,
            tied: 0.0,
            fair,
            memory: Memory::default(),
            average: fair,
            depth: impact.depth * DEBT,
            taken: 0,
            paid: 0,
            step_sold: 0.0,
            step_units: 0.0,
            step_prices: (fair, fair),
        }
    }

    /// The next step: a new exogenous price, memory fades, and whoever waits for a bargain buys. `buyers` is the part
    /// of shared depth that is left.
    pub fn advance(&mut self, fair: f64, seconds: f64, buyers: f64) {
        self.fair = fair;
        self.memory = self.memory.after(&self.impact, seconds);
        if self.hunters.capital > 0.0 {
            self.tied *= (-seconds / self.hunters.half_life * std::f64::consts::LN_2).exp();
            self.hunt();
        }
        let price = self.price();
        self.average += (price - self.average) * seconds / (CALM_SECONDS + seconds);
        let factor = self.impact.depth_factor(price, self.average);
        self.depth = self.impact.depth * DEBT * factor * buyers;
        (self.step_sold, self.step_units, self.step_prices) = (0.0, 0.0, (price, price));
    }

    /// Who waits for a bargain takes what was sold off the market's hands, until the price is where they no longer want
    /// it or their capital is tied up.
    fn hunt(&mut self) {
        let unit = self.impact.depth * DEBT;
        let most = (self.hunters.capital * DEBT - self.tied).max(0.0) / unit;
        let displaced = |units: f64| self.memory.without(units).displacement(&self.impact);
        if self.impact.off || most <= 0.0 || displaced(0.0) <= self.hunters.from {
            return;
        }
        let (mut low, mut high) = (0.0, most);
        if displaced(high) <= self.hunters.from {
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if displaced(middle) > self.hunters.from {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        self.tied += high * unit;
        self.memory = self.memory.without(high);
    }

    /// The market's memory of all sales, to be shared with another market that sells here: see [`Self::adopt`].
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The same market seen from another simulation: its memory is what that one left.
    pub fn adopt(&mut self, memory: Memory) {
        self.memory = memory;
        self.step_prices = (self.price(), self.price());
    }

    /// The price of a very small sale.
    pub fn price(&self) -> f64 {
        self.at(self.memory)
    }

    /// The price if nobody had sold anything.
    pub fn fair(&self) -> f64 {
        self.fair
    }

    fn at(&self, memory: Memory) -> f64 {
        if self.impact.off {
            self.fair
        } else {
            self.fair * (-memory.displacement(&self.impact)).exp()
        }
    }

    fn units(&self, tokens: f64) -> f64 {
        tokens * self.fair / self.depth
    }

    /// Average price that a sale would bring, per token.
    pub fn average_price(&self, tokens: f64) -> f64 {
        if self.impact.off {
            self.fair
        } else {
            self.fair * (-self.memory.mean_displacement(&self.impact, self.units(tokens))).exp()
        }
    }

    /// The tokens that can be sold until the price is `floor`.
    pub fn down_to(&self, floor: f64) -> f64 {
        self.most(|tokens| self.at(self.memory.and(self.units(tokens))) >= floor)
    }

    /// The tokens that can be sold for `floor` on average.
    pub fn for_at_least(&self, floor: f64) -> f64 {
        self.most(|tokens| self.average_price(tokens) >= floor)
    }

    /// The largest amount that `holds`, which does up to some amount and not beyond; infinite if it always holds.
    fn most(&self, holds: impl Fn(f64) -> bool) -> f64 {
        if !holds(0.0) {
            return 0.0;
        }
        // All debt a hundred times over.
        let (mut low, mut high) = (0.0, 100.0 * DEBT / self.fair);
        if holds(high) {
            return f64::INFINITY;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if holds(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Proceeds of selling these atoms, rounded down.
    pub fn worth(&self, amount: Collateral) -> Quote {
        let tokens = amount.0 as f64 / COLLATERAL_UNIT;
        Quote(floor_u64(tokens * self.average_price(tokens) * QUOTE_UNIT))
    }

    /// Sells, and pays.
    pub fn sell(&mut self, amount: Collateral) -> Quote {
        let proceeds = self.worth(amount);
        let tokens = amount.0 as f64 / COLLATERAL_UNIT;
        self.memory = self.memory.and(self.units(tokens));
        self.taken += amount.0;
        self.paid += proceeds.0;
        self.step_sold += tokens * self.fair;
        self.step_units += tokens * self.fair / (self.impact.depth * DEBT);
        self.step_prices.1 = self.price();
        proceeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Collateral = Collateral(1_000_000_000);

    fn linear() -> Exchange {
        let impact = Impact {
            thinning: 0.0,
            permanent: 0.0,
            ..Impact::default()
        };
        Exchange::new(&impact, &BargainHunters::default(), 100.0)
    }

    #[test]
    fn selling_one_depth_costs_one_percent() {
        let mut exchange = linear();
        // 0.5% of 100 million at a price of 100.
        let proceeds = exchange.sell(Collateral(5_000 * ONE.0));
        assert!((exchange.price() - 100.0 * (-0.01f64).exp()).abs() < 1e-9);
        let exact = 500_000.0 * (-0.005f64).exp() * 1e6;
        assert!((proceeds.0 as f64 - exact).abs() <= 1.0, "{proceeds:?} {exact}");
        assert_eq!((exchange.taken, exchange.paid), (5_000 * ONE.0, proceeds.0));
        assert!((exchange.step_units - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_can_be_sold_is_the_inverse_of_impact() {
        let exchange = linear();
        let tokens = exchange.down_to(100.0 * (-0.03f64).exp());
        assert!((tokens - 15_000.0).abs() < 1e-3, "{tokens}");
        let tokens = exchange.for_at_least(100.0 * (-0.03f64).exp());
        assert!((tokens - 30_000.0).abs() < 1e-3, "{tokens}");
        assert!(exchange.down_to(100.1).abs() < f64::EPSILON);
    }

    #[test]
    fn bargain_hunters_hold_the_price_until_their_capital_is_gone() {
        let hunters = BargainHunters {
            capital: 0.05,
            from: 0.02,
            half_life: 1e7,
        };
        let impact = Impact {
            thinning: 0.0,
            permanent: 0.0,
            half_life: 1e7,
            ..Impact::default()
        };
        let mut exchange = Exchange::new(&impact, &hunters, 100.0);
        let displaced = |exchange: &Exchange| -(exchange.price() / 100.0).ln();
        // 8 units of 0.5% move the price by 8%: six are taken, 3% of all debt.
        exchange.sell(Collateral(40_000 * ONE.0));
        exchange.advance(100.0, 1.0, 1.0);
        assert!((displaced(&exchange) - 0.02).abs() < 1e-6, "{}", displaced(&exchange));
        // They have 2% left: four units.
        exchange.sell(Collateral(40_000 * ONE.0));
        exchange.advance(100.0, 1.0, 1.0);
        assert!((displaced(&exchange) - 0.06).abs() < 1e-5, "{}", displaced(&exchange));
    }

    #[test]
    fn without_feedback_nothing_moves() {
        let mut exchange = Exchange::new(
            &Impact {
                off: true,
                ..Impact::default()
            },
            &BargainHunters::default(),
            100.0,
        );
        assert_eq!(exchange.sell(Collateral(1_000_000 * ONE.0)), Quote(100_000_000_000_000));
        assert!((exchange.price() - 100.0).abs() < f64::EPSILON);
        assert!(exchange.down_to(99.9).is_infinite());
        assert!(exchange.down_to(100.1).abs() < f64::EPSILON);
    }
}
