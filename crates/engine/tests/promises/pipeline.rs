//! I2: at Normal and without cover, a partial liquidation passes as far as the pipeline goes, whenever that is worth
//! it.

use super::scene::{DOLLAR, Random, SOL, USDC, World, open};
use breakwater_engine::{
    Bps, Collateral, Config, DebtShares, Error, Level, Quote,
    account::sizing::{Demand, Extent, Rules, Values},
    price::{guard::LiquidationPrices, oracle::PriceUse},
};

#[test]
fn what_fits_the_pipeline_passes_and_nothing_more() {
    let (mut full, mut cut, mut waits) = (0, 0, 0);
    for seed in 0..4_000 {
        let mut random = Random(seed);
        let config = open(&Config {
            market_depth: Quote(random.within(400 * USDC, 40_000 * USDC)),
            flow_rate: Bps(u32::try_from(random.within(5_000, 30_001)).unwrap()),
            debt_cap: Quote(80_000 * USDC),
            min_debt: Quote(random.within(USDC, 40 * USDC)),
            bounty_tip: Quote(0),
            ..Config::EXAMPLE
        });
        if config.validate().is_err() {
            continue;
        }
        let mut world = World::new(&config);

        let prices = world.at(100 * DOLLAR, 100 * DOLLAR);
        world.open(random.within(SOL, 100 * SOL), random.within(6_000, 7_001), &prices);
        world.open(1_000 * SOL, 7_000, &prices);
        world.wait(600);
        // Both averages lag: the flow counts above the price.
        let cents = i64::try_from(random.within(7_650, 8_700)).unwrap();
        let ema = i64::try_from(random.within(80, 121)).unwrap() * DOLLAR;
        let prices = world.at(cents * DOLLAR / 100, ema);
        assert_eq!(prices.level(), Level::Normal);
        let backstop = &mut world.market.books.backstop;
        backstop.inventory = Collateral(random.within(0, 300 * SOL) * random.within(0, 2));
        backstop.debt_shares = DebtShares(1 << 50);
        world.market.books.pool.debt_shares.0 += 1 << 50;
        assert!(world.cover(&prices) < 0);

        let account = world.accounts[0];
        let books = world.market.books_at(world.clock).unwrap();
        let debt = books.pool.index.debt(account.debt_shares).unwrap();
        let value = prices.spot().quote_floor(account.collateral).unwrap();
        let at = LiquidationPrices {
            judged: prices.spot(),
            settled: prices.spot(),
        };
        let rules = Rules::new(&config, config.liquidation_ltv, &at);
        let values = Values {
            judged: value,
            settled: value,
        };
        let demand = Demand::of(&rules, debt, values);
        let headroom = world.market.pipeline_headroom(&prices).unwrap();
        let held = world.market.books.backstop.inventory;
        let World {
            market,
            accounts,
            ledger,
            clock,
        } = &mut world;
        let prices = market.known_prices(PriceUse::Liquidate, *clock).unwrap();
        let mut running = market.liquidations(&prices, *clock).unwrap();
        let told = running.liquidate(&mut accounts[0], ledger);
        let wanted = match demand {
            Ok(demand) if demand.extent != Extent::TakeOver => demand,
            Ok(_) => {
                assert!(told.unwrap().taken_over, "{seed}");
                continue;
            }
            Err(error) => {
                assert_eq!(told.unwrap_err(), error, "{seed}");
                continue;
            }
        };
        // (P − inventory) × l ÷ (1 + β)
        let worth = u128::from(prices.spot().quote_floor(headroom).unwrap().0);
        let most = u64::try_from(worth * 10_000 / u128::from(wanted.penalty.above_one())).unwrap();
        let least = config.min_debt.min(wanted.repay).0;
        if most < least {
            assert_eq!(told.unwrap_err(), Error::PipelineFull, "{seed}");
            waits += 1;
            continue;
        }
        let told = told.unwrap();
        let expected = match wanted.extent {
            // Of an account that would go whole, what leaves the minimum debt, if the pipeline takes that much.
            Extent::Whole if most < wanted.repay.0 && debt.0 - config.min_debt.0.min(debt.0) >= least => {
                most.min(debt.0 - config.min_debt.0)
            }
            // No rest below the minimum debt.
            _ if most < wanted.repay.0 => most.min((debt.0 - config.min_debt.0).max(least)),
            _ => wanted.repay.0,
        };
        assert_eq!(told.repaid.0, expected, "{seed}");
        assert!(told.repaid.0 >= least, "{seed}");
        // The inventory after it is within the pipeline: but for what was in it.
        let after = market.books.backstop.inventory;
        assert!(after.0 - held.0 <= headroom.0, "{seed}");
        full += u32::from(told.repaid == wanted.repay);
        cut += u32::from(told.repaid < wanted.repay);
    }
    assert!(
        full > 100 && cut > 50 && waits > 100,
        "{full} in full, {cut} cut, {waits} waited"
    );
}
