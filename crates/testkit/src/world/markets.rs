//! Markets ready to use, and their state.

use super::{FeedSpec, World};
use crate::{
    actor::Actor,
    ix,
    mint::MintSpec,
    outcome::{Failure, Outcome},
    pyth::usd,
};
use anchor_lang::{Discriminator, prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::instructions::CreateMarketArgs;
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::{Bps, Clock, Config, Guard, KeeperLedger, Market, Quote};

/// A market to make. The default is SOL/USDC with pull feeds at $100 and $1, and [`default_config`].
#[derive(Clone, Debug, PartialEq)]
pub struct MarketSpec {
    /// Tells apart the markets of one pair of mints.
    pub id: u16,
    /// Mint of the collateral.
    pub collateral: MintSpec,
    /// Mint of the quote token, supplied and borrowed.
    pub quote: MintSpec,
    /// The collateral's price.
    pub collateral_feed: FeedSpec,
    /// The quote token's price.
    pub quote_feed: FeedSpec,
    /// Base price and redemption rate, for collateral that can be redeemed.
    pub redemption_feeds: Option<(FeedSpec, FeedSpec)>,
    /// The market's parameters.
    pub config: Config,
}

impl Default for MarketSpec {
    fn default() -> Self {
        Self {
            id: 0,
            collateral: MintSpec::classic("SOL", 9),
            quote: MintSpec::classic("USDC", 6),
            collateral_feed: FeedSpec::pull("SOL/USD", usd(100)),
            quote_feed: FeedSpec::pull("USDC/USD", usd(1)),
            redemption_feeds: None,
            config: default_config(),
        }
    }
}

/// [`Config::EXAMPLE`] without caps, with the least stress cover, and with its price guards wide open, for tests that
/// move a price at will: no price down is clamped or far from an average, nor one up to twice, and the market's own
/// average follows at once. A confidence above 2% still halts. The stress fall is the smallest there may be: what a
/// test borrows needs no capital behind it.
#[must_use]
pub fn default_config() -> Config {
    Config {
        max_velocity: Bps(10_000),
        velocity_horizon: 3_600,
        velocity_slack: Bps(10_000),
        own_ema_band: Bps(10_000),
        own_ema_seconds: 1,
        ema_band: Bps(10_000),
        auction_floor_band: Bps(10_000),
        flow_rate: Bps(15_000),
        // So that a market's changes wait no longer than the protocol's.
        guardian_cooldown: 172_800,
        stress_fall: Bps(500),
        stress_volatility: Bps(0),
        stress_max: Bps(500),
        supply_cap: Quote(u64::MAX),
        market_depth: Quote(1_000_000_000_000),
        debt_cap: Quote(200_000_000_000_000),
        account_debt_cap: Quote(u64::MAX),
        confidence_guard: Bps(200),
        confidence_halt: Bps(200),
        ..Config::EXAMPLE
    }
}

/// Parameters that such a market is created with: `config` itself, unless it is valid but for the first limits.
fn created_with(config: &Config) -> Config {
    if config.validate().is_ok() && config.check_first_limits().is_err() {
        return Config::EXAMPLE.first();
    }
    *config
}

impl World {
    /// Makes a market with its mints and feeds, and initializes the protocol before the first one.
    ///
    /// # Panics
    /// If the program refuses.
    #[track_caller]
    pub fn market(&mut self, spec: &MarketSpec) -> MarketKeys {
        self.try_market(spec)
            .unwrap_or_else(|failure| panic!("no market: {failure:?}"))
    }

    /// [`World::market`] for specifications that the program may refuse.
    ///
    /// A new market has to begin within the program's first limits. Where the specification is beyond them, the market
    /// is created within, and then given its parameters as governance would have raised them over weeks: written into
    /// the account.
    ///
    /// # Errors
    /// [`Failure`] if it does.
    #[track_caller]
    pub fn try_market(&mut self, spec: &MarketSpec) -> Result<MarketKeys, Failure> {
        let (keys, create) = self.prepare_market(spec);
        let authority = self.authority().clone();
        self.send(&[create], &[&authority])?;
        self.adopt(keys);
        self.set_config(&keys, spec.config);
        Ok(keys)
    }

    /// Writes a market's parameters, whatever they were.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn set_config(&mut self, market: &MarketKeys, config: Config) {
        let mut state = self.market_state(market);
        if state.config != config {
            state.config = config;
            self.set_market(market, &state);
        }
    }

    /// Makes the mints and feeds of a market and initializes the protocol, but leaves the instruction that creates the
    /// market, within the first limits, to the caller. Once it was sent, [`World::adopt`] puts the market under the
    /// world's watch.
    ///
    /// # Panics
    /// If the program refuses to initialize.
    #[track_caller]
    pub fn prepare_market(&mut self, spec: &MarketSpec) -> (MarketKeys, Instruction) {
        if self.account(&addresses::protocol()).is_none() {
            self.initialize()
                .unwrap_or_else(|failure| panic!("no protocol: {failure:?}"));
        }
        let (collateral_mint, quote_mint) = (self.mint(&spec.collateral), self.mint(&spec.quote));
        let (collateral_feed, quote_feed) = (self.feed(&spec.collateral_feed), self.feed(&spec.quote_feed));
        let mut keys = MarketKeys::derive(
            (collateral_mint, spec.collateral.token_program, collateral_feed),
            (quote_mint, spec.quote.token_program, quote_feed),
            spec.id,
        );
        let redemption = spec.redemption_feeds.as_ref();
        keys.redemption_feeds = redemption.map(|(base, rate)| (self.feed(base), self.feed(rate)));
        let pin = |feed: Pubkey| self.shown(&feed).pin(&feed);
        let args = CreateMarketArgs {
            id: spec.id,
            collateral_feed: pin(collateral_feed),
            quote_feed: pin(quote_feed),
            base_feed: keys.redemption_feeds.map(|(base, _)| pin(base)),
            rate_feed: keys.redemption_feeds.map(|(_, rate)| pin(rate)),
            depth_share: 100,
            config: created_with(&spec.config),
        };
        let budget = self.depth_budget("TEST");
        let create = ix::create_market(&keys, &self.authority().key(), &budget, args);
        (keys, create)
    }

    /// The depth budget of an asset, created unless it is there. Every market of [`World::market`] has 1% of that of
    /// "TEST".
    ///
    /// # Panics
    /// If the program refuses to create it.
    #[track_caller]
    pub fn depth_budget(&mut self, asset: &str) -> Pubkey {
        let address = addresses::depth_budget(asset);
        if self.account(&address).is_none() {
            let authority = self.authority().clone();
            self.send(&[ix::create_depth_budget(&authority.key(), asset)], &[&authority])
                .unwrap_or_else(|failure| panic!("no depth budget: {failure:?}"));
        }
        address
    }

    /// Watches a market that was created by hand, as those that [`World::market`] makes are watched.
    pub fn adopt(&mut self, market: MarketKeys) {
        self.markets.push(market);
    }

    /// Initializes the protocol.
    ///
    /// # Errors
    /// [`Failure`] if the program refuses.
    #[track_caller]
    pub fn initialize(&mut self) -> Result<Outcome, Failure> {
        let authority = self.authority().clone();
        self.send(&[ix::initialize(&authority.key())], &[&authority])
    }

    /// Time, as the engine takes it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock {
            unix: self.unix(),
            slot: self.slot(),
        }
    }

    /// A market's state.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn market_state(&mut self, market: &MarketKeys) -> Market {
        let account = self.existing_account(&market.market);
        decode::market(&account.data).unwrap_or_else(|error| panic!("{}: {error}", market.market))
    }

    /// Makes a market's guards forget every price: the next reading is its first, and the average begins there.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn forget_prices(&mut self, market: &MarketKeys) {
        let mut state = self.market_state(market);
        let guard = &mut state.guard;
        (guard.reference, guard.own_ema, guard.spot) = Default::default();
        (guard.moved_at, guard.own_ema_at, guard.priced_at) = Default::default();
        state.oracle.known = bytemuck::Zeroable::zeroed();
        self.set_market(market, &state);
    }

    /// Writes the state of a market's guards.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn set_guard(&mut self, market: &MarketKeys, guard: Guard) {
        let mut state = self.market_state(market);
        state.guard = guard;
        self.set_market(market, &state);
    }

    /// Writes a market's state.
    ///
    /// # Panics
    /// If there is no such market.
    #[track_caller]
    pub fn set_market(&mut self, market: &MarketKeys, state: &Market) {
        let mut account = self.existing_account(&market.market);
        account.data[breakwater::state::Market::DISCRIMINATOR.len()..].copy_from_slice(bytemuck::bytes_of(state));
        self.set_account(&market.market, account);
    }

    /// A keeper's ledger.
    ///
    /// # Panics
    /// If it was not opened.
    #[track_caller]
    pub fn keeper_ledger(&mut self, market: &MarketKeys, keeper: &Actor) -> KeeperLedger {
        let address = addresses::keeper_ledger(&market.market, &keeper.key());
        let account = self.existing_account(&address);
        decode::keeper_ledger(&account.data).unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// An actor who holds these amounts of a market's two tokens, atoms, and has an account for its LP shares.
    #[track_caller]
    pub fn trader(&mut self, market: &MarketKeys, name: &str, collateral: u64, quote: u64) -> Actor {
        let actor = self.actor(name);
        self.fund(&actor, &market.collateral_mint, collateral);
        self.fund(&actor, &market.quote_mint, quote);
        self.fund(&actor, &market.lp_mint, 0);
        actor
    }

    /// An actor with an open keeper's ledger and an account to be paid to.
    ///
    /// # Panics
    /// If the program refuses.
    #[track_caller]
    pub fn keeper(&mut self, market: &MarketKeys, name: &str) -> Actor {
        let actor = self.actor(name);
        self.fund(&actor, &market.quote_mint, 0);
        self.open_keeper_ledger(market, &actor)
            .unwrap_or_else(|failure| panic!("no ledger: {failure:?}"));
        actor
    }
}
