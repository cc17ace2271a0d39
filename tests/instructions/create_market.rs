//! `create_market`.

mod accounts;
mod mints;
mod native;
mod odd_mints;
mod parameters;
mod pins;

use crate::scene::redeemable;
use anchor_lang::{
    AccountDeserialize,
    prelude::Pubkey,
    solana_program::{
        instruction::{Instruction, error::InstructionError},
        program_option::COption,
    },
    system_program,
};
use anchor_spl::{
    token,
    token_2022::spl_token_2022::{extension::ExtensionType, state::AccountState},
    token_interface::{Mint, TokenAccount},
};
use breakwater::{error::BreakwaterError, events::MarketCreated, instructions::CreateMarketArgs, state};
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{
    AnnouncedWithdrawal, Auction, Backstop, DebtShares, EquitySources, FeedPin, Fixed, Guard, Guardians, Index, Key,
    LpShares, Pool, Quote, pool::EXTRA_LP_DECIMALS, price::oracle::Known,
};
use breakwater_testkit::{FeedSpec, MarketSpec, MintSpec, START, World, ix, program_file::rent_exempt, pyth::usd};
use bytemuck::Zeroable;

/// A market whose mints and feeds exist, and the arguments to create it with.
struct Draft {
    world: World,
    keys: MarketKeys,
    args: CreateMarketArgs,
}

impl Draft {
    fn of(spec: &MarketSpec) -> Self {
        let mut world = World::program_test();
        let (keys, _) = world.prepare_market(spec);
        let pin = |feed: &Pubkey| world.shown(feed).pin(feed);
        let redemption = keys.redemption_feeds;
        let args = CreateMarketArgs {
            id: spec.id,
            collateral_feed: pin(&keys.collateral_feed),
            quote_feed: pin(&keys.quote_feed),
            base_feed: redemption.map(|(base, _)| pin(&base)),
            rate_feed: redemption.map(|(_, rate)| pin(&rate)),
            depth_share: 100,
            config: spec.config.first(),
        };
        Self { world, keys, args }
    }

    /// The instruction with other arguments.
    fn with(&self, change: impl FnOnce(&mut CreateMarketArgs)) -> Instruction {
        let mut args = self.args;
        change(&mut args);
        let budget = addresses::depth_budget("TEST");
        ix::create_market(&self.keys, &self.world.authority().key(), &budget, args)
    }

    #[track_caller]
    fn refused(&mut self, change: impl FnOnce(&mut CreateMarketArgs), expected: BreakwaterError) {
        let authority = self.world.authority().clone();
        let create = self.with(change);
        self.world.assert_error_unchanged(&[create], &[&authority], expected);
    }

    /// Creates the market as it was drafted: it was the change that was refused before.
    #[track_caller]
    fn honest_passes(&mut self) {
        let authority = self.world.authority().clone();
        let create = self.with(|_| ());
        self.world.send(&[create], &[&authority]).unwrap();
    }
}

fn key(address: &Pubkey) -> Key {
    Key(address.to_bytes())
}

fn specs() -> [MarketSpec; 5] {
    let classic = MarketSpec::default();
    let descriptive = [
        ExtensionType::MetadataPointer,
        ExtensionType::GroupPointer,
        ExtensionType::GroupMemberPointer,
    ];
    let collateral_2022 = MarketSpec {
        id: 7,
        collateral: MintSpec::token_2022("wBTC", 8, &descriptive),
        collateral_feed: FeedSpec::push("BTC/USD", usd(60_000)),
        ..classic.clone()
    };
    let quote_2022 = MarketSpec {
        id: u16::MAX,
        quote: MintSpec::token_2022("PYUSD", 6, &[]),
        quote_feed: FeedSpec::push("PYUSD/USD", usd(1)),
        ..classic.clone()
    };
    let both_2022 = MarketSpec {
        collateral: collateral_2022.collateral.clone(),
        ..quote_2022.clone()
    };
    [classic, collateral_2022, quote_2022, both_2022, redeemable()]
}

#[test]
#[allow(clippy::too_many_lines, reason = "one list, read from top to bottom")]
fn a_market_begins_empty_with_what_it_was_given() {
    for spec in specs() {
        let Draft { mut world, keys, args } = Draft::of(&spec);
        let authority = world.authority().clone();
        let outcome = world
            .send(
                &[ix::create_market(
                    &keys,
                    &authority.key(),
                    &addresses::depth_budget("TEST"),
                    args,
                )],
                &[&authority],
            )
            .unwrap();
        world.adopt(keys);
        world.assert_identities();

        let MarketKeys {
            market,
            collateral_mint,
            quote_mint,
            ..
        } = keys;
        let event = MarketCreated {
            market,
            collateral_mint,
            quote_mint,
            id: spec.id,
        };
        assert_eq!(outcome.event::<MarketCreated>(), event);

        let state = world.market_state(&keys);
        let seeds: [&[u8]; 4] = [
            b"market",
            collateral_mint.as_ref(),
            quote_mint.as_ref(),
            &spec.id.to_le_bytes(),
        ];
        assert_eq!(
            Pubkey::find_program_address(&seeds, &breakwater::ID),
            (market, state.bump)
        );
        assert_eq!((state.id, state.padding), (spec.id, [0; 3]));
        let decimals = (state.collateral_decimals, state.quote_decimals);
        assert_eq!(decimals, (spec.collateral.decimals, spec.quote.decimals));
        let mints = (state.collateral_mint, state.quote_mint, state.lp_mint);
        assert_eq!(mints, (key(&collateral_mint), key(&quote_mint), key(&keys.lp_mint)));
        let vaults = (state.collateral_vault, state.quote_vault);
        assert_eq!(vaults, (key(&keys.collateral_vault), key(&keys.quote_vault)));
        assert_eq!(
            (state.oracle.collateral_feed, state.oracle.quote_feed),
            (args.collateral_feed, args.quote_feed)
        );
        assert_eq!(
            (state.oracle.base_feed, state.oracle.rate_feed),
            (
                args.base_feed.unwrap_or(FeedPin::NONE),
                args.rate_feed.unwrap_or(FeedPin::NONE)
            )
        );
        assert_eq!(state.oracle.known, Known::zeroed());
        assert_eq!(state.guard, Guard::zeroed());
        assert_eq!(state.config, args.config);
        let pool = Pool {
            index: Index::from_raw(1 << 54), // 1,024 shares an atom
            reserves_owed: Fixed::from_raw(0),
            cash: Quote(0),
            debt_shares: DebtShares(0),
            lp_supply: LpShares(0),
            accrued_at: START,
        };
        assert_eq!((state.books.pool, state.books.backstop), (pool, Backstop::zeroed()));
        assert_eq!(
            state.books.auction,
            Auction {
                anchor: 0,
                used_until: 0
            }
        );
        let account = world.existing_account(&market);
        assert_eq!(
            (account.owner, account.data.len()),
            (breakwater::ID, state::Market::SPACE)
        );
        assert_eq!(account.lamports, rent_exempt(state::Market::SPACE));
        assert_eq!(
            (state.books.guardians, state.books.equity_sources),
            (Guardians::zeroed(), EquitySources::zeroed())
        );
        assert_eq!(state.announced_withdrawal, AnnouncedWithdrawal::zeroed());
        assert_eq!(state.books.recovery, Zeroable::zeroed());
        let reserved = [
            &state.reserved_config[..],
            &state.reserved_guard,
            &state.reserved_backstop,
            &state.reserved_map,
            &state.reserved_governance,
        ];
        assert!(reserved.concat().iter().all(|word| *word == 0));
        let risk = (state.map, state.volatility, state.ramp, state.stress_raise);
        let none = (
            Zeroable::zeroed(),
            Zeroable::zeroed(),
            Zeroable::zeroed(),
            Zeroable::zeroed(),
        );
        assert_eq!(risk, none);
        assert_eq!((state.outflow, state.pauses), (Zeroable::zeroed(), Zeroable::zeroed()));
    }
}

#[test]
fn the_market_owns_its_vaults_and_its_lp_mint() {
    for spec in specs() {
        let mut world = World::program_test();
        let keys = world.market(&spec);
        for (vault, mint, program) in [
            (
                keys.collateral_vault,
                keys.collateral_mint,
                spec.collateral.token_program,
            ),
            (keys.quote_vault, keys.quote_mint, spec.quote.token_program),
        ] {
            let account = world.existing_account(&vault);
            assert_eq!(account.owner, program);
            let vault = TokenAccount::try_deserialize(&mut account.data.as_slice()).unwrap();
            assert_eq!((vault.mint, vault.owner, vault.amount), (mint, keys.market, 0));
            assert_eq!((vault.delegate, vault.close_authority), (COption::None, COption::None));
            assert_eq!(vault.state, AccountState::Initialized);
        }
        let account = world.existing_account(&keys.lp_mint);
        assert_eq!(account.owner, token::ID);
        let lp = Mint::try_deserialize(&mut account.data.as_slice()).unwrap();
        assert_eq!((lp.decimals, lp.supply), (spec.quote.decimals + EXTRA_LP_DECIMALS, 0));
        assert_eq!(
            (lp.mint_authority, lp.freeze_authority),
            (COption::Some(keys.market), COption::None)
        );
    }
}

#[test]
fn the_same_mints_may_have_many_markets_but_each_once() {
    let mut world = World::program_test();
    let authority = world.authority().clone();
    let spec = MarketSpec::default();
    let first = world.market(&spec);
    let second = world.market(&MarketSpec { id: 1, ..spec.clone() });
    let short = world.market(&MarketSpec {
        collateral: spec.quote.clone(),
        quote: spec.collateral.clone(),
        collateral_feed: spec.quote_feed.clone(),
        quote_feed: spec.collateral_feed.clone(),
        ..spec.clone()
    });
    assert!(first.market != second.market && first.market != short.market);

    let lena = world.trader(&first, "lena", 0, 1_000);
    world.supply(&first, &lena, 1_000).unwrap();
    let (_, again) = world.prepare_market(&spec);
    // The system program's own error: the address is in use.
    let failure = world.assert_error_unchanged(&[again], &[&authority], InstructionError::Custom(0));
    assert_eq!(failure.program, Some(system_program::ID));
}

#[test]
fn lamports_sent_to_its_addresses_in_advance_do_no_harm() {
    for lamports in [1, 10_000_000_000] {
        let mut draft = Draft::of(&MarketSpec::default());
        let MarketKeys {
            market,
            collateral_vault,
            quote_vault,
            lp_mint,
            ..
        } = draft.keys;
        for address in [market, collateral_vault, quote_vault, lp_mint] {
            draft.world.give_lamports(&address, lamports);
        }
        draft.honest_passes();
    }
}

#[test]
fn a_market_needs_no_price_when_it_is_created() {
    let mut draft = Draft::of(&MarketSpec::default());
    draft.world.advance_silently(86_400);
    draft.world.give_lamports(&draft.keys.collateral_feed, 0);
    draft.honest_passes();
}
