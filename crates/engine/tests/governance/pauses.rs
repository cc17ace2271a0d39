//! Actions stopped by each kind of pause.

use super::scene::{NOW, SOL, USDC, later, market, prices};
use breakwater_engine::{
    Collateral, Error, GuardianPosition, GuardianShares, KeeperLedger, Key, LpShares, Market, Quote, Result,
    governance::pause::Kinds, price::oracle::PriceUse,
};

/// An action: the bit of the pause that stops it (zero: none does), its name, and how it is done.
type Act<'a> = (u8, &'static str, Box<dyn Fn(&mut Market) -> Result<()> + 'a>);

#[test]
#[allow(clippy::too_many_lines, reason = "a table of every action")]
fn a_pause_stops_its_kind_and_nothing_else() {
    let (mut market, mut account) = market();
    let calm = prices(&mut market, 100, NOW);
    market.borrow(&mut account, Quote(6_900 * USDC), &calm, NOW).unwrap();
    market.books.backstop.inventory = Collateral(SOL);
    let clock = later(1);
    let mut known = |usage| market.known_prices(usage, clock).unwrap();
    let (calm, due, sale) = (
        known(PriceUse::Borrow),
        known(PriceUse::Liquidate),
        known(PriceUse::Sell),
    );
    let position = GuardianPosition::new(Key([8; 32]), Key([12; 32]), 255);
    let ledger = KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255);
    let mut fresh = account;
    fresh.debt_shares = breakwater_engine::DebtShares(0);
    let acts: Vec<Act> = vec![
        (
            1,
            "supply",
            Box::new(|market| market.supply(Quote(USDC), LpShares(0), clock).map(drop)),
        ),
        (
            2,
            "borrow",
            Box::new(|market| market.borrow(&mut account.clone(), Quote(1), &calm, clock).map(drop)),
        ),
        (
            4,
            "withdraw against debt",
            Box::new(|market| {
                market
                    .withdraw_collateral(&mut account.clone(), Collateral(1), Some(&calm), clock)
                    .map(drop)
            }),
        ),
        (
            8,
            "liquidate",
            Box::new(|market| market.liquidations(&due, clock).map(drop)),
        ),
        (
            8,
            "liquidate",
            Box::new(|market| {
                let done = market
                    .liquidations(&due, clock)?
                    .liquidate(&mut account.clone(), &mut ledger.clone());
                done.map(drop)
            }),
        ),
        (
            16,
            "buy",
            Box::new(|market| market.buy_inventory(Collateral(1), Quote(9), &sale, clock).map(drop)),
        ),
        (
            16,
            "buy for",
            Box::new(|market| {
                market
                    .buy_inventory_for(Quote(9), Collateral(0), &sale, clock)
                    .map(drop)
            }),
        ),
        (
            32,
            "guardian's deposit",
            Box::new(|market| {
                market
                    .guardian_deposit(
                        &mut position.clone(),
                        Quote(9),
                        GuardianShares(0),
                        Quote(u64::MAX),
                        clock,
                    )
                    .map(drop)
            }),
        ),
        (
            0,
            "repay",
            Box::new(|market| market.repay(&mut account.clone(), Quote(9), clock).map(drop)),
        ),
        (
            0,
            "deposit",
            Box::new(|market| market.deposit_collateral(&mut account.clone(), Collateral(1)).map(drop)),
        ),
        (
            0,
            "withdraw",
            Box::new(|market| {
                market
                    .withdraw(LpShares(9_999), LpShares(u64::MAX), Quote(0), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "withdraw without debt",
            Box::new(|market| {
                market
                    .withdraw_collateral(&mut fresh.clone(), Collateral(1), None, clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "fund",
            Box::new(|market| market.fund_backstop(Quote(1), clock).map(drop)),
        ),
        (
            0,
            "claim",
            Box::new(|market| market.claim_bounty(&mut ledger.clone()).map(drop)),
        ),
        (
            0,
            "settle",
            Box::new(|market| market.settle_deficit(None, clock).map(drop)),
        ),
        (
            0,
            "request",
            Box::new(|market| {
                market
                    .guardian_request(&mut position.clone(), GuardianShares(0), Quote(0), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "guardian leaves",
            Box::new(|market| {
                market
                    .guardian_withdraw(&mut position.clone(), Quote(1), Quote(0), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "observe",
            Box::new(|market| {
                prices(market, 100, clock);
                Ok(())
            }),
        ),
    ];
    for kinds in 1..=Kinds::ALL.0 {
        let mut paused = market;
        paused.pause(Kinds(kinds), 10, NOW).unwrap();
        for (bits, name, act) in &acts {
            let free = act(&mut market.clone());
            assert_ne!(free, Err(Error::ActionPaused), "{name}");
            let expected = if bits & kinds == 0 {
                free
            } else {
                Err(Error::ActionPaused)
            };
            assert_eq!(act(&mut paused.clone()), expected, "{name} at {kinds}");
        }
    }
}
