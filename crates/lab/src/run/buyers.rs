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
        let clock = self.stage.world.clock();
        let spot = prices.spot();
        let Some(offer) = unless_halted(self.market.offer(prices, clock))? else {
            return Ok(false);
        };
        if offer.ask > spot.scale_down(Bps(shape.edge).below_one())? {
            return Ok(false);
        }
        let buyer = self.stage.buyers[self.next_buyer % self.stage.buyers.len()].clone();
        let funds = self.stage.world.balance(&buyer, &self.stage.keys.quote_mint);
        let amount = offer.available.min(offer.ask.divisor()?.worth(Quote(funds))?);
        let worth_it = spot.value(amount)?.0 >= quote.atoms(shape.smallest) || amount == inventory;
        if amount.0 == 0 || !worth_it {
            return Ok(false);
        }
        let mut market = self.market;
        let trade = market.accept_prices(&self.stage.readings(), PriceUse::Sell, clock)?;
        let sale = market.buy_inventory(amount, Quote(u64::MAX), &trade, clock)?;
        let world = &mut self.stage.world;
        world
            .buy_inventory(&self.stage.keys, &buyer, amount.0, sale.cost.0)
            .map_err(refused("buy_inventory"))?;

        self.next_buyer += 1;
        let spent = funds - world.balance(&buyer, &self.stage.keys.quote_mint);
        self.market = world.market_state(&self.stage.keys);
        self.tally.foretold(
            clock.unix,
            "buy_inventory",
            self.market == market && spent == sale.cost.0,
        );
        // As the limit counts it.
        self.sold.push(flow::Flow {
            unix: clock.unix,
            atoms: trade.flow_price().cost(amount)?.0,
        });
        self.sales.push(Sold {
            unix: clock.unix,
            amount: base.tokens(amount.0),
            paid: quote.tokens(sale.cost.0),
            worth: quote.tokens(spot.value(amount)?.0),
        });
        Ok(true)
    }
}
