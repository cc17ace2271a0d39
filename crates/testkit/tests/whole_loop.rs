//! The testkit with the real program in it: every action once, on both backends, with both kinds of feeds and both
//! token programs.

mod readme;

use anchor_lang::prelude::ErrorCode;
use anchor_spl::token_2022::spl_token_2022::extension::ExtensionType;
use breakwater::{
    error::BreakwaterError,
    events::{Borrowed, InventorySold, MarketCreated},
};
use breakwater_client::MarketKeys;
use breakwater_testkit::{
    Actor, BackendKind, Failure, FeedSpec, MarketSpec, MintSpec, Position, World, assert_fails_with, ix, mint,
    pyth::{Status, Verification, usd},
};

const SOL: u64 = 1_000_000_000;
const USDC: u64 = 1_000_000;

fn specs() -> [MarketSpec; 2] {
    [
        MarketSpec::default(),
        MarketSpec {
            collateral: MintSpec::token_2022("SOL22", 9, &[ExtensionType::MetadataPointer]),
            quote: MintSpec::token_2022("USDC22", 6, &[]),
            collateral_feed: FeedSpec::push("SOL/USD push", usd(100)),
            quote_feed: FeedSpec::push("USDC/USD push", usd(1)),
            ..MarketSpec::default()
        },
    ]
}

/// A market with 500,000 USDC supplied and 100,000 in the backstop.
fn funded(world: &mut World, spec: &MarketSpec) -> Result<(MarketKeys, Actor), Failure> {
    let market = world.market(spec);
    let lena = world.trader(&market, "lena", 0, 1_000_000 * USDC);
    world.supply(&market, &lena, 500_000 * USDC)?;
    world.fund_backstop(&market, &lena, 100_000 * USDC)?;
    Ok((market, lena))
}

/// 10 SOL, worth $1,000, and a debt of $650.
fn borrower(world: &mut World, market: &MarketKeys, name: &str) -> Result<Position, Failure> {
    let owner = world.trader(market, name, 10 * SOL, 0);
    let position = world.open(market, &owner, 0)?;
    world.deposit(&position, 10 * SOL)?;
    let borrowed: Borrowed = world.borrow(&position, 650 * USDC)?.event();
    assert_eq!(borrowed.margin_account, position.address);
    Ok(position)
}

#[test]
fn every_action_goes_through_on_both_backends() -> Result<(), Failure> {
    for backend in BackendKind::ALL {
        for spec in specs() {
            let mut world = World::new(backend);
            let (market, lena) = funded(&mut world, &spec)?;
            let alice = borrower(&mut world, &market, "alice")?;
            let bob = borrower(&mut world, &market, "bob")?;
            let kate = world.keeper(&market, "kate");
            assert_fails_with(world.liquidate(&kate, &alice), BreakwaterError::BorrowedThisSlot);
            world.next_slot();
            assert_fails_with(world.liquidate(&kate, &alice), BreakwaterError::AccountHealthy);

            world.advance(60);
            world.settle_price(&market.collateral_feed, usd(78), 1);
            world.observe_price(&market)?;
            let liquidated = world.liquidate(&kate, &alice)?.liquidated();
            assert_eq!(liquidated[0].margin_account, alice.address);
            let batch = world.liquidate_batch(&market, &kate, &[&alice, &bob])?;
            assert_eq!(batch.liquidated()[0].margin_account, bob.address);

            let credit = world.keeper_ledger(&market, &kate).credit.0;
            world.claim_bounty(&market, &kate)?;
            assert!(credit > 0);
            assert_eq!(world.balance(&kate, &market.quote_mint), credit);

            let inventory = world.market_state(&market).books.backstop.inventory.0;
            world.advance(3_600);
            let bought = world.buy_inventory(&market, &lena, inventory / 100, u64::MAX)?;
            assert_eq!(bought.event::<InventorySold>().buyer, lena.key());
            assert_eq!(world.balance(&lena, &market.collateral_mint), inventory / 100);

            world.fund(&bob.owner, &market.quote_mint, 1_000 * USDC);
            world.repay(&bob, 100 * USDC)?;
            world.repay_by(&lena, &bob, u64::MAX)?;
            let left = world.margin_account(&bob).collateral.0;
            world.withdraw_collateral(&bob, left)?;
            world.close(&bob)?;
            assert_eq!(world.account(&bob.address), None);

            let shares = world.balance(&lena, &market.lp_mint);
            world.withdraw(&market, &lena, shares / 2)?;
            world.deposit_by(&lena, &alice, 1)?;
        }
    }
    Ok(())
}

#[test]
fn the_protocol_is_initialized_by_the_upgrade_authority_alone() {
    for backend in BackendKind::ALL {
        let mut world = World::new(backend);
        let mallory = world.actor("mallory");
        let initialize = ix::initialize(&mallory.key());
        world.assert_error_unchanged(&[initialize], &[&mallory], BreakwaterError::WrongUpgradeAuthority);
        assert!(world.initialize().is_ok());
    }
}

#[test]
fn a_refused_market_names_the_reason() {
    let mut world = World::lite();
    let spec = MarketSpec {
        quote: MintSpec::token_2022("fee", 6, &[ExtensionType::TransferFeeConfig]),
        ..specs()[1].clone()
    };
    assert_fails_with(world.try_market(&spec), BreakwaterError::MintExtensionRefused);
    let (keys, create) = world.prepare_market(&specs()[0]);
    let authority = world.authority().clone();
    let created: MarketCreated = world.send(&[create], &[&authority]).unwrap().event();
    assert_eq!(created.market, keys.market);
    world.adopt(keys);
    world.assert_identities();
}

#[test]
fn feeds_age_unless_time_publishes_them() -> Result<(), Failure> {
    for backend in BackendKind::ALL {
        let mut world = World::new(backend);
        let market = world.market(&MarketSpec::default());
        world.advance(1_000);
        world.observe_price(&market)?;
        world.advance_silently(61);
        assert_fails_with(world.observe_price(&market), BreakwaterError::PriceTooOld);
        world.publish_all();
        world.observe_price(&market)?;
        world.edit_feed(&market.collateral_feed, |feed| {
            feed.quotation_mut().publish_time += 3_601;
        });
        assert_fails_with(world.observe_price(&market), BreakwaterError::PriceFromFuture);
    }
    Ok(())
}

#[test]
fn feeds_of_poor_standing_are_refused() {
    let mut world = World::lite();
    let [pull, push] = specs().map(|spec| world.market(&spec));
    world.edit_pull(&pull.quote_feed, |update| {
        update.verification = Verification::Partial(5);
    });
    assert_fails_with(world.observe_price(&pull), BreakwaterError::FeedNotVerified);
    world.edit_push(&push.quote_feed, |price| price.status = Status::Halted);
    assert_fails_with(world.observe_price(&push), BreakwaterError::FeedNotTrading);
}

#[test]
fn one_replaced_account_is_refused_and_changes_nothing() -> Result<(), Failure> {
    for backend in BackendKind::ALL {
        let mut world = World::new(backend);
        let (market, _) = funded(&mut world, &MarketSpec::default())?;
        let alice = borrower(&mut world, &market, "alice")?;
        let mallory = world.trader(&market, "mallory", SOL, 0);
        let mut steal = ix::borrow(&market, &alice.address, &mallory.key(), USDC);
        world.assert_error_unchanged(&[steal.clone()], &[&mallory], BreakwaterError::WrongOwner);
        steal.accounts[0].pubkey = market.collateral_feed;
        world.assert_error_unchanged(&[steal], &[&mallory], ErrorCode::AccountOwnedByWrongProgram);
    }
    Ok(())
}

#[test]
#[should_panic(expected = "identities broken")]
fn a_missing_atom_is_noticed() {
    let mut world = World::lite();
    let (market, _) = funded(&mut world, &MarketSpec::default()).unwrap();
    let of_mint = world.existing_account(&market.quote_mint);
    let held = world.token_balance(&market.quote_vault);
    let short = mint::token_account((&market.quote_mint, &of_mint), &market.market, held - 1);
    world.set_account(&market.quote_vault, short);
    world.assert_identities();
}
