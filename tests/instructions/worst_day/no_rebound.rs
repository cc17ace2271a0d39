//! A crash from $100 to $55 in an hour and a half, after which the price stays there; guards as they are meant.

use super::Day;
use crate::{
    backing::share_fell,
    scene::{SOL, USDC},
};
use breakwater::{error::BreakwaterError, events::InventorySold};
use breakwater_engine::{Config, Level, price::oracle::PriceUse};
use breakwater_testkit::{Position, ix};

const PYTH_AVERAGE: i64 = 3_600;

impl Day {
    /// Moves time on and publishes a price with a confidence of a thousandth. Pyth's EMA follows slowly.
    fn crash_tick(&mut self, seconds: u32, price: i64) {
        self.world.advance(seconds);
        let feed = self.market.collateral_feed;
        self.world.set_price(&feed, price, price.unsigned_abs() / 1_000);
        self.world.edit_feed(&feed, |feed| {
            let shown = feed.quotation_mut();
            shown.ema_price += (price - shown.ema_price) * i64::from(seconds).min(PYTH_AVERAGE) / PYTH_AVERAGE;
        });
    }

    /// Kate's keeper, at whatever level.
    fn keep(&mut self) {
        self.world.observe_price(&self.market).unwrap();
        let loans: Vec<&Position> = self.loans.iter().collect();
        let outcome = self.world.liquidate_batch(&self.market, &self.kate, &loans).unwrap();
        for event in outcome.liquidated() {
            self.taken += event.liquidation.repaid.0;
            self.bounties += event.liquidation.bounty.0;
        }
    }

    /// Mallory buys what she may, if the ask is no more than a thousandth above spot.
    fn arbitrage(&mut self) {
        let (clock, mut state) = (self.world.clock(), self.state());
        let readings = crate::scene::readings(&self.world, &self.market);
        let prices = state.accept_prices(&readings, PriceUse::Sell, clock).unwrap();
        let Ok(offer) = state.offer(&prices, clock) else { return };
        if offer.available.0 == 0 || offer.ask.raw() > prices.spot().raw() / 1_000 * 1_001 {
            return;
        }
        let (market, mallory) = (self.market, self.mallory.clone());
        let outcome = self
            .world
            .buy_inventory(&market, &mallory, offer.available.0, u64::MAX)
            .unwrap();
        self.proceeds += outcome.event::<InventorySold>().sale.cost.0;
    }
}

#[test]
fn everything_is_absorbed_sold_and_paid_for() {
    // Twelve of 45% to 69%, who are above their margin at $55, and two who can pay there.
    let mut loans: Vec<(u64, u64)> = (0..12).map(|number| (100, 4_500 + number * 215)).collect();
    loans.extend([(100, 4_300), (100, 2_000)]);
    let config = Config {
        interest_base: breakwater_engine::Bps(0),
        interest_slope_low: breakwater_engine::Bps(0),
        interest_slope_high: breakwater_engine::Bps(0),
        ..Config::EXAMPLE
    };
    let mut day = Day::new(config, (12_000 * USDC, 4_000 * USDC), &loans);
    day.world.check_identities(false);
    let before = day.pool();
    day.crash_tick(60, 10_000_000_000);
    day.world.observe_price(&day.market).unwrap();
    let mut worst = 0;
    for tick in 0..540 {
        // 0.11% every ten seconds: 45% in all.
        let price = 10_000_000_000 - 8_333_333 * (tick + 1);
        day.crash_tick(10, price.max(5_500_000_000));
        day.keep();
        day.arbitrage();
        if tick % 60 == 0 {
            day.world.assert_identities();
            assert!(!share_fell(&before, &day.pool()));
        }
        worst = worst.max(day.owed());
    }
    assert!(worst > 0, "the backstop was never in debt");
    // It stays there. Whatever is above its margin is brought below it, and all inventory goes.
    let mut rounds = 0;
    loop {
        day.crash_tick(60, 5_500_000_000);
        day.keep();
        day.arbitrage();
        rounds += 1;
        if day.inventory() == 0 && rounds > 60 {
            break;
        }
        assert!(rounds < 5 * 1_440, "stuck with {}", day.inventory());
    }
    println!("sold after {rounds} minutes; at worst {} was owed", worst / USDC);
    assert_eq!(Level::from_byte(day.state().guard.level), Level::Normal);
    day.world.check_identities(true);
    day.world.assert_identities();
    let (state, clock) = (day.state(), day.world.clock());
    let price = breakwater_engine::Price::from_raw((55 << 64) / 1_000);
    for loan in day.loans.clone() {
        let account = day.world.margin_account(&loan);
        assert_eq!(state.is_liquidatable(&account, price, clock), Ok(false));
    }

    // The penalties paid for what the sales lost, or the protocol did: nobody else.
    assert!(day.taken > 30_000 * USDC, "{}", day.taken);
    day.assert_loss_is(0);
    assert!(!share_fell(&before, &day.pool()));
    let claim = day.state().books.guardians.claim.0;
    assert!(claim >= 4_000 * USDC);
    // A fall by another 38% would need her capital as long as the twelve stay at their target: then they repay.
    let shares = day.world.guardian_position(&day.market, &day.gina).shares.0;
    day.world.guardian_request(&day.market, &day.gina, shares).unwrap();
    let cooldown = day.state().config.guardian_cooldown;
    day.world.advance(cooldown);
    let leave = ix::guardian_withdraw(&day.market, &day.gina.key(), u64::MAX, claim);
    let stays = BreakwaterError::SlippageExceeded;
    day.world.assert_error_unchanged(&[leave], &[&day.gina], stays);
    let payer = day.mallory.clone();
    for loan in &day.loans[..12] {
        if day.world.margin_account(loan).has_debt() {
            day.world.repay_by(&payer, loan, u64::MAX).unwrap();
        }
    }
    // Rounded down.
    assert!((claim - 1..=claim).contains(&day.gina_leaves()));
    day.assert_untouched(&[(12, 100, 4_300), (13, 100, 2_000)]);
    day.goes_on(55_00);
    assert!(day.inventory() < 100 * SOL);
}
