//! Compute units that guards and redemption add.

use super::{SOL, Stage, Table, USDC};
use anchor_lang::prelude::Pubkey;
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, Level};
use breakwater_testkit::{Actor, FeedSpec, MarketSpec, MintSpec, Outcome, Position, ix, pyth::usd};

/// Guarded steps of single accounts and of a batch, behind the example's guards: at a price that fell by more than
/// 15% in some minutes, and by more than the guards let it in the last second.
pub fn steps(spec: &MarketSpec, table: &mut Table) {
    let spec = MarketSpec {
        config: Config::EXAMPLE,
        ..spec.clone()
    };
    let mut stage = Stage::funded(&spec, table);
    let pulled = brake(&mut stage);
    stage.table.add("pull_brake", &pulled);
    stage.world.advance(Config::EXAMPLE.brake_seconds);
    stage.minute(100);
    let positions: Vec<Position> = (0..25).map(|id| stage.borrower(id, 690, 1)).collect();
    for dollars in [98, 96, 94, 92, 90, 88, 86, 85, 84] {
        stage.minute(dollars);
    }
    stage.world.advance(1);
    let feed = stage.market.collateral_feed;
    let price = usd(83);
    stage.world.set_price(&feed, price, price.unsigned_abs() / 1_000);
    for position in &positions[..4] {
        let outcome = stage.world.liquidate(&stage.keeper, position).unwrap();
        let liquidation = outcome.liquidation();
        assert!(!liquidation.whole && liquidation.price.raw() > 0);
        stage.table.add("liquidate_guarded", &outcome);
    }
    let level = stage.world.market_state(&stage.market).guard.level;
    assert_eq!(Level::from_byte(level), Level::Guarded);
    let batch: Vec<&Position> = positions[4..].iter().collect();
    let alone = stage.send_batch(&batch[..1]);
    let outcome = stage.send_batch(&batch[1..]);
    assert_eq!(outcome.liquidated().len(), batch.len() - 1);
    stage.table.add("liquidate_batch_guarded", &outcome);
    let others = u64::try_from(batch.len() - 2).unwrap();
    let added = (outcome.compute_units - alone.compute_units).div_ceil(others);
    stage.table.push(super::GUARDED_PER_ACCOUNT, added);
    let resting = stage.send_batch(&positions.iter().collect::<Vec<_>>());
    assert_eq!(resting.liquidated(), []);
    stage.table.add("liquidate_batch_resting", &resting);
}

fn brake(stage: &mut Stage) -> Outcome {
    let authority = stage.world.authority().clone();
    let guardian = stage.world.set_guardian(&authority.key()).unwrap();
    stage.table.add("set_guardian", &guardian);
    stage
        .world
        .pull_brake(&stage.market, &authority, Config::EXAMPLE.brake_seconds)
        .unwrap()
}

/// Whatever takes a price, in a market that counts collateral by its redemption.
pub fn redeemable(table: &mut Table) {
    let spec = MarketSpec {
        collateral: MintSpec::classic("JitoSOL", 9),
        collateral_feed: FeedSpec::pull("JITOSOL/USD", usd(125)),
        redemption_feeds: Some((
            FeedSpec::pull("SOL/USD", usd(100)),
            FeedSpec::pull("JITOSOL/SOL.RR", usd(125) / 100),
        )),
        ..MarketSpec::default()
    };
    // Its other instructions are not entered: they are those of any market.
    let mut apart = Table::default();
    let mut stage = Stage::funded(&spec, &mut apart);
    let position = stage.borrower(0, 800, 1);
    stage.world.advance(60);
    for (name, attempt) in attempts(&stage.market, &position, &stage.rich.key(), &stage.keeper.key()) {
        // Liquidated at the lower market price; the base stands where it stood.
        let dollars = if name.starts_with("borrow") || name.starts_with("observe") {
            125
        } else {
            95
        };
        stage.world.advance(60);
        let feed = stage.market.collateral_feed;
        stage.world.settle_price(&feed, usd(dollars), 0);
        let signers: Vec<&Actor> = [&stage.rich, &stage.keeper]
            .into_iter()
            .filter(|actor| {
                attempt
                    .accounts
                    .iter()
                    .any(|meta| meta.is_signer && meta.pubkey == actor.key())
            })
            .collect();
        let outcome = stage.world.send(&[attempt], &signers).unwrap();
        table.add(name, &outcome);
    }
}

fn attempts(
    market: &MarketKeys,
    position: &Position,
    owner: &Pubkey,
    keeper: &Pubkey,
) -> Vec<(&'static str, anchor_lang::solana_program::instruction::Instruction)> {
    let address = &position.address;
    vec![
        ("observe_price_redeemable", ix::observe_price(market)),
        ("borrow_redeemable", ix::borrow(market, address, owner, USDC)),
        ("liquidate_redeemable", ix::liquidate(market, address, keeper)),
        (
            "buy_inventory_redeemable",
            ix::buy_inventory(market, owner, SOL / 100, u64::MAX),
        ),
    ]
}
