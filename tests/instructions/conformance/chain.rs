//! The chain's side: one market with everybody around it, put back to its beginning for each sequence.

use anchor_lang::prelude::Pubkey;
use anchor_spl::token_2022::spl_token_2022;
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{Bps, DepthAllocation, FeedPin, Feeds, Key, MarginAccount, NewMarket, RawReading};
use breakwater_invariants::{ACCOUNTS, Flavor, GUARDIANS, KEEPERS, SUPPLIERS, Setting, State};
use breakwater_testkit::{Actor, Failure, MarketSpec, Outcome, Position, Snapshot, World, ix, pyth::Quotation};
use std::collections::BTreeSet;

/// Tokens of everybody's: more than any sequence moves, so that the token program refuses nothing for want of them, and
/// so few that all of them can be counted.
const FORTUNE: u64 = 1 << 58;

/// Owners of the margin accounts; each has one or two.
const OWNERS: usize = 4;

pub struct Chain {
    pub world: World,
    pub market: MarketKeys,
    pub suppliers: [Actor; SUPPLIERS],
    pub positions: [Position; ACCOUNTS],
    pub keepers: [Actor; KEEPERS],
    pub guardians: [Actor; GUARDIANS],
    /// Funds, buys, and gives tokens away.
    pub buyer: Actor,
    pub authority: Actor,
    /// Emergency admin.
    pub emergency_admin: Actor,
    pub sentinel: Actor,
    /// Every program that was called by one of the program's instructions so far.
    pub callees: BTreeSet<String>,
    spec: MarketSpec,
    start: Snapshot,
}

impl Chain {
    /// A market on which nothing has happened yet, created and opened by instructions.
    #[track_caller]
    pub fn new(spec: MarketSpec) -> Self {
        let mut world = World::lite();
        // Every byte is compared after every action: that says more.
        world.check_identities(false);
        world.initialize().unwrap();
        let sentinel = world.actor("sentinel");
        world.queue_sentinel(&sentinel.key()).unwrap();
        world.wait_out_timelock();
        world.execute_sentinel(&sentinel.key()).unwrap();
        let market = world.market(&spec);
        let named = |name: &str, number: usize| format!("{name} {number}");
        let suppliers = core::array::from_fn(|number| world.trader(&market, &named("supplier", number), 0, FORTUNE));
        let owners: Vec<Actor> = (0..OWNERS)
            .map(|number| world.trader(&market, &named("owner", number), FORTUNE, FORTUNE))
            .collect();
        let positions = core::array::from_fn(|account| {
            let id = u16::try_from(account / OWNERS).unwrap();
            world.open(&market, &owners[account % OWNERS], id).unwrap()
        });
        let keepers = core::array::from_fn(|number| world.keeper(&market, &named("keeper", number)));
        let guardians = core::array::from_fn(|number| world.guardian(&market, &named("guardian", number), FORTUNE));
        let buyer = world.trader(&market, "buyer", FORTUNE, FORTUNE);
        let authority = world.authority().clone();
        world.fund(&authority, &market.quote_mint, 0);
        let emergency_admin = world.actor("emergency_admin");
        world.set_emergency_admin(&emergency_admin.key()).unwrap();
        let start = world.snapshot();
        Self {
            world,
            market,
            suppliers,
            positions,
            keepers,
            guardians,
            buyer,
            authority,
            emergency_admin,
            sentinel,
            callees: BTreeSet::new(),
            spec,
            start,
        }
    }

    /// Back to the beginning, with these parameters; and a state that begins at the same keys, bumps and time.
    #[track_caller]
    pub fn begin(&mut self, flavor: Flavor) -> State {
        self.world.restore(&self.start.clone());
        let setting = self.setting(flavor);
        self.world.set_config(&self.market, setting.config);
        let state = State::new(&setting).unwrap();
        self.follow(&state);
        state
    }

    /// Time and feeds become the state's.
    pub fn follow(&mut self, state: &State) {
        let clock = state.clock;
        if clock != self.world.clock() {
            self.world.set_clock(clock.unix, clock.slot);
        }
        let readings = &state.readings;
        let MarketKeys {
            collateral_feed,
            quote_feed,
            ..
        } = self.market;
        for (feed, reading) in [(collateral_feed, &readings.collateral), (quote_feed, &readings.quote)] {
            let RawReading {
                price,
                conf,
                expo,
                ema_price,
                publish_time,
            } = *reading;
            let quotation = Quotation {
                price,
                conf,
                expo,
                ema_price,
                ema_conf: conf,
                publish_time,
            };
            if *self.world.shown(&feed).quotation() != quotation {
                self.world.edit_feed(&feed, |feed| *feed.quotation_mut() = quotation);
            }
        }
    }

    #[track_caller]
    fn setting(&mut self, flavor: Flavor) -> Setting {
        let example = Setting::example(flavor);
        let market = self.market;
        let bump = self.world.market_state(&market).bump;
        let pin = |feed: &Pubkey| self.world.shown(feed).pin(feed);
        let new = NewMarket {
            id: self.spec.id,
            bump,
            collateral: (
                key(&market.collateral_mint),
                self.spec.collateral.decimals,
                key(&market.collateral_vault),
            ),
            quote: (
                key(&market.quote_mint),
                self.spec.quote.decimals,
                key(&market.quote_vault),
            ),
            lp_mint: key(&market.lp_mint),
            feeds: Feeds {
                collateral: pin(&market.collateral_feed),
                quote: pin(&market.quote_feed),
                base: FeedPin::NONE,
                rate: FeedPin::NONE,
            },
            depth: DepthAllocation {
                budget: key(&addresses::depth_budget("TEST")),
                share: Bps(100),
            },
            config: example.config.first(),
            clock: self.world.clock(),
        };
        let Self {
            world,
            positions,
            keepers,
            guardians,
            ..
        } = self;
        Setting {
            market: key(&market.market),
            new,
            accounts: core::array::from_fn(|account| {
                let position = &positions[account];
                let MarginAccount { bump, .. } = world.margin_account(position);
                (key(&position.owner.key()), position.id, bump)
            }),
            keepers: core::array::from_fn(|number| {
                let keeper = &keepers[number];
                (key(&keeper.key()), world.keeper_ledger(&market, keeper).bump)
            }),
            guardians: core::array::from_fn(|number| {
                let guardian = &guardians[number];
                (key(&guardian.key()), world.guardian_position(&market, guardian).bump)
            }),
            ..example
        }
    }

    /// Tokens straight into a vault, past the program.
    pub fn donate(&mut self, mint: Pubkey, vault: &Pubkey, amount: u64) -> Result<Outcome, Failure> {
        let from = self.world.token_address(&self.buyer.key(), &mint);
        let token_program = self.world.existing_account(&mint).owner;
        let decimals = if mint == self.market.quote_mint {
            &self.spec.quote
        } else {
            &self.spec.collateral
        }
        .decimals;
        let owner = self.buyer.key();
        let transfer = spl_token_2022::instruction::transfer_checked(
            &token_program,
            &from,
            &mint,
            vault,
            &owner,
            &[],
            amount,
            decimals,
        );
        self.world.send(&[transfer.unwrap()], &[&self.buyer])
    }

    /// Notes which programs were called by instructions: the runtime logs each call with its depth.
    pub fn called(&mut self, outcome: &Outcome) {
        for line in &outcome.logs {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["Program", program, "invoke", depth] = words[..]
                && depth != "[1]"
            {
                self.callees.insert(program.to_owned());
            }
        }
    }

    /// A parameter's value in the market.
    pub fn parameter(&mut self, number: u8) -> u64 {
        let config = self.world.market_state(&self.market).config;
        breakwater_engine::Parameter::from_id(number).map_or(0, |parameter| parameter.get(&config))
    }

    /// Closes an account and opens it again, in one transaction.
    pub fn reopen(&mut self, account: usize) -> Result<Outcome, Failure> {
        let Position { address, owner, id, .. } = &self.positions[account];
        let close = ix::close_account(address, &owner.key());
        let open = ix::open_account(&self.market, &owner.key(), &owner.key(), *id);
        self.world.send(&[close, open], &[owner])
    }

    /// The same with a guardian's position.
    pub fn reopen_position(&mut self, guardian: usize) -> Result<Outcome, Failure> {
        let guardian = &self.guardians[guardian];
        let close = ix::close_guardian_position(&self.market, &guardian.key());
        let open = ix::open_guardian_position(&self.market, &guardian.key());
        self.world.send(&[close, open], &[guardian])
    }
}

fn key(address: &Pubkey) -> Key {
    Key(address.to_bytes())
}
