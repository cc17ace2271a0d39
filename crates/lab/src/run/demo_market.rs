//! The set-up: a world with the compiled program, a market, and everybody who takes part, all through real
//! instructions.

use breakwater_client::MarketKeys;
use breakwater_engine::{
    Collateral, Error, Key, MarginAccount, Market, Prices, Quote, RawReading, Readings, price::oracle::PriceUse,
};
use breakwater_testkit::{
    Actor, Feed, FeedSpec, MarketSpec, MintSpec, Position, START_SLOT, World, ix, pyth::Quotation,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rand_distr::{Distribution, LogNormal};
use solana_message::AddressLookupTableAccount;

use super::{RunError, refused};
use crate::{
    path::Point,
    rounding::{nearest_i64, nearest_u64},
    scenario::{PRICE_DECIMALS, Scenario},
};

/// Confidence of the quote token's price, as a fraction of it: it is a stablecoin that stays stable.
const QUOTE_CONFIDENCE: f64 = 0.0001;
/// A slot takes 400 ms.
const SLOTS_IN_TWO_SECONDS: u64 = 5;
const TABLE_SIZE: usize = 256;
/// No account is so small that its debt would be below this many minimum debts.
const SMALLEST_IN_MIN_DEBTS: f64 = 2.0;

/// Everything that the replay acts on.
pub struct DemoMarket {
    pub world: World,
    pub keys: MarketKeys,
    pub keeper: Actor,
    pub suppliers: Vec<Actor>,
    pub borrowers: Vec<Position>,
    pub buyers: Vec<Actor>,
    /// Lookup tables with all margin accounts, so that many fit into one transaction.
    pub tables: Vec<AddressLookupTableAccount>,
    /// Loans that were granted only in part, and not at all.
    pub loans_cut: u32,
    pub loans_refused: u32,
    start: i64,
    quote_price: i64,
}

impl DemoMarket {
    /// Builds the world at the first point of the path.
    pub fn build(scenario: &Scenario, first: &Point) -> Result<Self, RunError> {
        let (market, quote_price) = (&scenario.market, mantissa(scenario.market.quote_price));
        let mut world = World::lite();
        // The replay counts the identities itself, after every step.
        world.check_identities(false);
        world.set_clock(first.unix, START_SLOT);
        let (base, quote) = (&market.collateral, &market.quote);
        let keys = world.market(&MarketSpec {
            id: 0,
            collateral: MintSpec::classic(&base.symbol, base.decimals),
            quote: MintSpec::classic(&quote.symbol, quote.decimals),
            collateral_feed: FeedSpec::pull(&format!("{}/USD", base.symbol), first.price),
            quote_feed: FeedSpec::pull(&format!("{}/USD", quote.symbol), quote_price),
            redemption_feeds: None,
            config: market.config(),
        });
        let mut demo = Self {
            keeper: world.keeper(&keys, "keeper"),
            suppliers: Vec::new(),
            borrowers: Vec::new(),
            buyers: Vec::new(),
            tables: Vec::new(),
            loans_cut: 0,
            loans_refused: 0,
            start: first.unix,
            quote_price,
            world,
            keys,
        };
        demo.show(first);
        demo.supply(scenario)?;
        demo.fund(scenario)?;
        demo.borrow(scenario)?;
        for i in 0..scenario.buyers.count {
            let funds = quote.atoms(scenario.buyers.funds);
            let buyer = demo.world.trader(&keys, &format!("buyer {i}"), 0, funds);
            demo.buyers.push(buyer);
        }
        let addresses: Vec<_> = demo.borrowers.iter().map(|position| position.address).collect();
        for (i, part) in addresses.chunks(TABLE_SIZE).enumerate() {
            let table = demo.world.lookup_table(&format!("margin accounts {i}"), part);
            demo.tables.push(table);
        }
        Ok(demo)
    }

    fn supply(&mut self, scenario: &Scenario) -> Result<(), RunError> {
        let pool = &scenario.pool;
        let part = scenario.market.quote.atoms(pool.supplied / f64::from(pool.suppliers));
        for i in 0..pool.suppliers {
            let supplier = self.world.trader(&self.keys, &format!("supplier {i}"), 0, part);
            self.world
                .supply(&self.keys, &supplier, part)
                .map_err(refused("supply"))?;
            self.suppliers.push(supplier);
        }
        Ok(())
    }

    fn fund(&mut self, scenario: &Scenario) -> Result<(), RunError> {
        let amount = scenario.market.quote.atoms(scenario.backstop.funded);
        if amount > 0 {
            let funder = self.world.trader(&self.keys, "funder of the backstop", 0, amount);
            self.world
                .fund_backstop(&self.keys, &funder, amount)
                .map_err(refused("fund_backstop"))?;
        }
        Ok(())
    }

    /// Opens, fills and draws every margin account, each in one transaction of its owner. Whose loan is refused takes
    /// less.
    fn borrow(&mut self, scenario: &Scenario) -> Result<(), RunError> {
        let shape = &scenario.accounts;
        let (base, quote) = (&scenario.market.collateral, &scenario.market.quote);
        let mut rng = ChaCha20Rng::seed_from_u64(scenario.seed);
        // A stream of its own, so that sizes do not depend on how long the path is.
        rng.set_stream(1);
        let sizes = LogNormal::new(shape.median_collateral.ln(), shape.size_spread).map_err(|_| RunError::Sizes)?;
        let (_, prices) = self.market_and_prices()?;
        let price = prices.spot();
        let unit_value = quote.tokens(price.quote_floor(Collateral(base.atoms(1.0)))?.0);
        for i in 0..shape.count {
            let spread = (f64::from(i) + 0.5) / f64::from(shape.count);
            let ltv = shape.lowest_ltv + (shape.highest_ltv - shape.lowest_ltv) * spread;
            let min_debt = quote.tokens(scenario.market.config().min_debt.0);
            let smallest = SMALLEST_IN_MIN_DEBTS * min_debt / (ltv * unit_value);
            let collateral = base.atoms(sizes.sample(&mut rng).max(smallest));
            let debt = quote.atoms(quote.tokens(price.quote_floor(Collateral(collateral))?.0) * ltv);

            let granted = self.granted(Collateral(collateral), Quote(debt))?;
            self.loans_cut += u32::from(granted.is_some_and(|granted| granted.0 < debt));
            self.loans_refused += u32::from(granted.is_none());
            let owner = self.world.trader(&self.keys, &format!("borrower {i}"), collateral, 0);
            let position = Position::new(&self.keys, &owner, 0);
            let (keys, address, key) = (&self.keys, &position.address, owner.key());
            let mut instructions = vec![
                ix::open_account(keys, &key, &key, position.id),
                ix::deposit_collateral(keys, address, &key, collateral),
            ];
            instructions.extend(granted.map(|granted| ix::borrow(keys, address, &key, granted.0)));
            self.world.send(&instructions, &[&owner]).map_err(refused("borrow"))?;
            self.borrowers.push(position);
        }
        Ok(())
    }

    /// How much of a loan the market grants against some collateral, in tenths: margin follows risk.
    fn granted(&mut self, collateral: Collateral, wanted: Quote) -> Result<Option<Quote>, RunError> {
        let (market, prices) = self.market_and_prices()?;
        for tenths in (1..=10).rev() {
            let mut market = market;
            let loan = Quote(wanted.0 - wanted.0 / 10 * (10 - tenths));
            let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
            market.deposit_collateral(&mut account, collateral)?;
            match market.borrow(&mut account, loan, &prices, self.world.clock()) {
                Ok(_) => return Ok(Some(loan)),
                Err(Error::InitialLtvExceeded | Error::StressCoverExceeded | Error::DebtBelowMinimum) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn market_and_prices(&mut self) -> Result<(Market, Prices), RunError> {
        let mut market = self.world.market_state(&self.keys);
        let prices = market.accept_prices(&self.readings(), PriceUse::Borrow, self.world.clock())?;
        Ok((market, prices))
    }

    /// Moves time and both Pyth accounts to a point of the path.
    pub fn show(&mut self, point: &Point) {
        let slot = START_SLOT + point.unix.abs_diff(self.start) * SLOTS_IN_TWO_SECONDS / 2;
        self.world.set_clock(point.unix, slot);
        let collateral = Quotation {
            price: point.price,
            conf: point.confidence,
            expo: -PRICE_DECIMALS,
            ema_price: point.ema,
            ema_conf: point.confidence,
            publish_time: point.unix,
        };
        let conf = nearest_u64(self.quote_price as f64 * QUOTE_CONFIDENCE);
        let quote = Quotation::settled(self.quote_price, -PRICE_DECIMALS, conf, point.unix);
        for (feed, quotation) in [(self.keys.collateral_feed, collateral), (self.keys.quote_feed, quote)] {
            self.world.edit_feed(&feed, |feed| {
                *feed.quotation_mut() = quotation;
                if let Feed::Pull(update) = feed {
                    update.posted_slot = slot;
                }
            });
        }
    }

    /// Readings of both Pyth accounts, as the engine takes them.
    pub fn readings(&self) -> Readings {
        let reading = |feed| {
            let shown = self.world.shown(feed);
            let Quotation {
                price,
                conf,
                expo,
                ema_price,
                publish_time,
                ..
            } = *shown.quotation();
            RawReading {
                price,
                conf,
                expo,
                ema_price,
                publish_time,
            }
        };
        Readings::of(reading(&self.keys.collateral_feed), reading(&self.keys.quote_feed))
    }
}

fn mantissa(price: f64) -> i64 {
    nearest_i64(price * 10f64.powi(PRICE_DECIMALS))
}
