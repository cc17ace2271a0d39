//! How a market begins: who is around it, and with which parameters.

use crate::Action;
use breakwater_engine::{
    Bps, Clock, Config, FeedPin, Feeds, Key, NewMarket, Quote, governance::depth::DepthAllocation,
    price::oracle::FEED_PULL,
};

/// Margin accounts.
pub const ACCOUNTS: usize = 6;
/// Suppliers.
pub const SUPPLIERS: usize = 3;
/// Guardians.
pub const GUARDIANS: usize = 2;
/// Keepers.
pub const KEEPERS: usize = 2;

/// Everything that a market's state and those of the accounts around it are made of. On a chain the keys and bumps are
/// the chain's; elsewhere any will do.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The market's address.
    pub market: Key,
    /// Arguments that the market is created with; within the first limits.
    pub new: NewMarket,
    /// Its parameters from then on, as governance would have raised them.
    pub config: Config,
    /// Amount supplied first, quote atoms.
    pub supply: u64,
    /// Owner, id and bump of each margin account.
    pub accounts: [(Key, u16, u8); ACCOUNTS],
    /// Address and bump of each keeper's ledger.
    pub keepers: [(Key, u8); KEEPERS],
    /// Address and bump of each guardian's position.
    pub guardians: [(Key, u8); GUARDIANS],
}

/// Kinds of parameters worth trying, each on its own or together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is on its own")]
pub struct Flavor {
    /// The price guards of the example; else they are wide open, and prices fall as far as they like.
    pub guarded: bool,
    /// Suppliers may take out a fifth at once, and no more.
    pub slow_outflow: bool,
    /// A thin market: little is sold in an hour, and the pipeline is soon full.
    pub narrow: bool,
    /// Caps on new loans that bite, and a stress fall of the example's that does.
    pub strict: bool,
    /// A pool that is soon lent out.
    pub lean: bool,
}

impl Flavor {
    /// One of thirty-two.
    #[must_use]
    pub fn of(byte: u8) -> Self {
        let bit = |number: u8| byte >> number & 1 == 1;
        Self {
            guarded: bit(0),
            slow_outflow: bit(1),
            narrow: bit(2),
            strict: bit(3),
            lean: bit(4),
        }
    }

    /// The example's parameters, seasoned. Waiting times are short, so that a sequence lives to see their end.
    #[must_use]
    pub fn config(self) -> Config {
        let mut config = Config::EXAMPLE;
        (config.guardian_cooldown, config.guardian_release) = (3_600, 86_400);
        (config.equity_withdrawal_delay, config.equity_withdrawal_window) = (90_000, 400_000);
        (config.auction_burst, config.auction_slope) = (1_200, Bps(1_500));
        (config.market_depth, config.debt_cap) = (Quote(2_000_000_000), Quote(30_000_000_000));
        (config.halt_seconds, config.halt_cooldown) = (600, 1_200);
        config.guarded_flow = Quote(150_000_000);
        if !self.guarded {
            (config.max_velocity, config.velocity_horizon) = (Bps(10_000), 3_600);
            (config.velocity_slack, config.own_ema_band, config.ema_band) = (Bps(10_000), Bps(10_000), Bps(10_000));
            config.auction_floor_band = Bps(10_000);
            config.own_ema_seconds = 60;
        }
        if self.slow_outflow {
            (config.outflow_limit, config.outflow_window) = (Bps(2_000), 7_200);
        }
        if self.narrow {
            config.market_depth = Quote(200_000_000);
            // Shorter than a price may be old: so what is known is looked at again after it.
            config.calm_seconds = 3;
        }
        if self.lean {
            // Shorter than a price may be old: so two feeds can be too far apart, and young enough.
            config.max_skew = 3;
        }
        if self.strict {
            config.supply_cap = Quote(600_000_000_000);
            config.debt_cap = Quote(12_000_000_000);
            config.account_debt_cap = Quote(1_250_000_000);
        } else {
            (config.stress_fall, config.stress_volatility) = (Bps(1_000), Bps(0));
        }
        config
    }
}

impl Setting {
    /// Actions that bring the market to life: a supplier, a little of the protocol's own, and collateral in every
    /// account.
    #[must_use]
    pub fn opening(&self) -> Vec<Action> {
        let mut actions = vec![Action::Supply(0, self.supply), Action::Fund(300_000_000)];
        actions.extend((0..ACCOUNTS).map(|account| Action::Deposit(account, 20_000_000_000)));
        actions
    }

    /// A market that is nobody's: SOL against USDC by the decimals, keys that name nothing. Four owners have six
    /// accounts.
    #[must_use]
    pub fn example(flavor: Flavor) -> Self {
        let config = flavor.config();
        let key = |kind: u8, number: usize| {
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            Key(core::array::from_fn(|at| if at == 0 { kind } else { number }))
        };
        let pin = |number| FeedPin {
            key: key(3, number),
            owner: key(4, 0),
            kind: FEED_PULL,
            padding: [0; 7],
        };
        let owner = |account: usize| (key(5, account % 4), u16::try_from(account / 4).unwrap_or(0), 255);
        Self {
            market: key(1, 0),
            new: NewMarket {
                id: 0,
                bump: 255,
                collateral: (key(2, 0), 9, key(2, 1)),
                quote: (key(2, 2), 6, key(2, 3)),
                lp_mint: key(2, 4),
                feeds: Feeds {
                    collateral: pin(0),
                    quote: pin(1),
                    base: FeedPin::NONE,
                    rate: FeedPin::NONE,
                },
                config: config.first(),
                depth: DepthAllocation {
                    budget: key(8, 0),
                    share: Bps(10_000),
                },
                clock: Clock {
                    unix: 1_700_000_000,
                    slot: 1_000_000,
                },
            },
            config,
            supply: if flavor.lean { 9_000_000_000 } else { 400_000_000_000 },
            accounts: core::array::from_fn(owner),
            keepers: core::array::from_fn(|number| (key(6, number), 255)),
            guardians: core::array::from_fn(|number| (key(7, number), 255)),
        }
    }
}
