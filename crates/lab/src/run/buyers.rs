//! The buyers: they take inventory when it can be sold elsewhere with a gain.

use breakwater_engine::{Bps, Prices, Quote, price::oracle::PriceUse};

use super::{Replay, RunError, refused, unless_halted};
use crate::{flow, record::Sold};

impl Replay<'_> {
    /// Lets the next buyer take what is on offer, if the ask leaves the edge and the amount is worth a transaction.
    /// Returns whether a transaction was sent.
    pub(super) fn sell(&mut self, prices: &Prices) -> Result<bool, RunError> {
        let inventory = self.market.books.backstop.inventory;
        if inventory.0 == 0 {
            return Ok(false);
        }
        let shape = &self.scenario.buyers;
        let (base, quote) = (&self.scenario.market.collateral, &self.scenario.market.quote);
        let clock = self.demo.world.clock();
        let spot = prices.spot();
        let Some(offer) = unless_halted(self.market.offer(prices, clock))? else {
            return Ok(false);
        };
        if offer.ask > spot.scale_down(Bps(shape.edge).below_one())? {
            return Ok(false);
        }
        let buyer = self.demo.buyers[self.next_buyer % self.demo.buyers.len()].clone();
        let funds = self.demo.world.balance(&buyer, &self.demo.keys.quote_mint);
        let amount = offer
            .available
            .min(offer.ask.divisor()?.collateral_floor(Quote(funds))?);
        let worth_it = spot.quote_floor(amount)?.0 >= quote.atoms(shape.smallest) || amount == inventory;
        if amount.0 == 0 || !worth_it {
            return Ok(false);
        }
        let mut market = self.market;
        let trade = market.accept_prices(&self.demo.readings(), PriceUse::Sell, clock)?;
        let sale = market.buy_inventory(amount, Quote(u64::MAX), &trade, clock)?;
        let world = &mut self.demo.world;
        world
            .buy_inventory(&self.demo.keys, &buyer, amount.0, sale.cost.0)
            .map_err(refused("buy_inventory"))?;

        self.next_buyer += 1;
        let spent = funds - world.balance(&buyer, &self.demo.keys.quote_mint);
        self.market = world.market_state(&self.demo.keys);
        self.metrics.foretold(
            clock.unix,
            "buy_inventory",
            self.market == market && spent == sale.cost.0,
        );
        // As the limit counts it.
        self.sold.push(flow::Flow {
            unix: clock.unix,
            atoms: trade.flow_price().quote_ceil(amount)?.0,
        });
        self.sales.push(Sold {
            unix: clock.unix,
            amount: base.tokens(amount.0),
            paid: quote.tokens(sale.cost.0),
            worth: quote.tokens(spot.quote_floor(amount)?.0),
        });
        Ok(true)
    }
}
