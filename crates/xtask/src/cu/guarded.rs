//! Compute units that guards and redemption add.

use super::{Bench, SOL, Table, USDC};
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
    let mut bench = Bench::funded(&spec, table);
    let pulled = emergency_halt(&mut bench);
    bench.table.add("emergency_halt", &pulled);
    bench.world.advance(Config::EXAMPLE.halt_seconds);
    bench.minute(100);
    let positions: Vec<Position> = (0..25).map(|id| bench.borrower(id, 690, 1)).collect();
    for dollars in [98, 96, 94, 92, 90, 88, 86, 85, 84] {
        bench.minute(dollars);
    }
    bench.world.advance(1);
    let feed = bench.market.collateral_feed;
    let price = usd(83);
    bench.world.set_price(&feed, price, price.unsigned_abs() / 1_000);
    for position in &positions[..4] {
        let outcome = bench.world.liquidate(&bench.keeper, position).unwrap();
        let liquidation = outcome.liquidation();
        assert!(!liquidation.whole && liquidation.price.raw() > 0);
        bench.table.add("liquidate_guarded", &outcome);
    }
    let level = bench.world.market_state(&bench.market).guard.level;
    assert_eq!(Level::from_byte(level), Level::Guarded);
    let batch: Vec<&Position> = positions[4..].iter().collect();
    let alone = bench.send_batch(&batch[..1]);
    let outcome = bench.send_batch(&batch[1..]);
    assert_eq!(outcome.liquidated().len(), batch.len() - 1);
    bench.table.add("liquidate_batch_guarded", &outcome);
    let others = u64::try_from(batch.len() - 2).unwrap();
    let added = (outcome.compute_units - alone.compute_units).div_ceil(others);
    bench.table.push(super::GUARDED_PER_ACCOUNT, added);
    let resting = bench.send_batch(&positions.iter().collect::<Vec<_>>());
    assert_eq!(resting.liquidated(), []);
    bench.table.add("liquidate_batch_resting", &resting);
}

fn emergency_halt(bench: &mut Bench) -> Outcome {
    let authority = bench.world.authority().clone();
    let guardian = bench.world.set_emergency_admin(&authority.key()).unwrap();
    bench.table.add("set_emergency_admin", &guardian);
    bench
        .world
        .emergency_halt(&bench.market, &authority, Config::EXAMPLE.halt_seconds)
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
    let mut bench = Bench::funded(&spec, &mut apart);
    let position = bench.borrower(0, 800, 1);
    bench.world.advance(60);
    for (name, attempt) in attempts(&bench.market, &position, &bench.rich.key(), &bench.keeper.key()) {
        // Liquidated at the lower market price; the base stands where it stood.
        let dollars = if name.starts_with("borrow") || name.starts_with("observe") {
            125
        } else {
            95
        };
        bench.world.advance(60);
        let feed = bench.market.collateral_feed;
        bench.world.settle_price(&feed, usd(dollars), 0);
        let signers: Vec<&Actor> = [&bench.rich, &bench.keeper]
            .into_iter()
            .filter(|actor| {
                attempt
                    .accounts
                    .iter()
                    .any(|meta| meta.is_signer && meta.pubkey == actor.key())
            })
            .collect();
        let outcome = bench.world.send(&[attempt], &signers).unwrap();
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
