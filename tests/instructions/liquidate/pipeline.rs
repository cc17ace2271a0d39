//! The stress cover and the pipeline: a partial liquidation is taken in full while the cover is not negative after it,
//! and else as far as the inventory stays within what is sold in twenty minutes; a take-over is taken whatever they
//! say.

use super::{formula::prices, no_interest, with};
use crate::{
    backing::{self, cents, interest_free},
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote, actions::Liquidation, price::oracle::PriceUse};
use breakwater_testkit::{Position, default_config, ix};

const BPS: u128 = 10_000;

/// A fall of 38%, and a market that sells 3,000 an hour: 1,000 in twenty minutes.
fn narrow() -> Config {
    let example = Config::EXAMPLE;
    Config {
        stress_fall: example.stress_fall,
        stress_max: example.stress_fall,
        flow_rate: Bps(15_000),
        market_depth: Quote(2_000 * USDC),
        debt_cap: Quote(400_000 * USDC),
        ..interest_free(default_config())
    }
}

/// A minute later the collateral stands at so many cents, where all averages stand.
fn stands_at(scene: &mut Scene, dollars: i64) {
    backing::stands_at(scene, cents(dollars));
    scene.world.forget_prices(&scene.market);
}

impl Scene {
    /// C, quote atoms, at the prices that are shown.
    fn cover(&mut self) -> i128 {
        let prices = prices(&mut self.world, &self.market, PriceUse::Liquidate);
        let clock = self.world.clock();
        let [cover, _] = self.world.market_state(&self.market).stress(&prices, clock).unwrap();
        cover.cover
    }

    /// How much debt the pipeline takes now, in plain numbers: of the quote value that is sold in its time, what the
    /// inventory does not fill, at the higher of the two EMAs; as much collateral, at the lower of spot and guarded
    /// price; and so much debt as that pays for with the penalty.
    fn pipeline_takes(&mut self) -> u64 {
        let prices = prices(&mut self.world, &self.market, PriceUse::Liquidate);
        let market = self.world.market_state(&self.market);
        let config = &market.config;
        let wide = |bps: Bps| u128::from(bps.0);
        let hourly = u128::from(config.market_depth.0) * wide(config.flow_rate) / BPS;
        let most = hourly * u128::from(config.pipeline) / 3_600;
        let trend = prices.max_ema().unwrap().raw();
        let held = (trend * u128::from(market.books.backstop.inventory.0)).div_ceil(1 << 64);
        let headroom = (most.saturating_sub(held) << 64) / trend;
        let worth = (prices.spot().min(prices.guarded()).raw() * headroom) >> 64;
        u64::try_from(worth * BPS / (BPS + wide(config.penalty))).unwrap()
    }

    #[track_caller]
    fn waits(&mut self) {
        let liquidate = ix::liquidate(&self.market, &self.position.address, &self.kate.key());
        self.world
            .assert_error_unchanged(&[liquidate], &[&self.kate], BreakwaterError::PipelineFull);
    }

    /// Mallory buys this much inventory.
    #[track_caller]
    fn sold(&mut self, amount: u64) {
        let Self {
            world, market, mallory, ..
        } = self;
        world.buy_inventory(market, mallory, amount, u64::MAX).unwrap();
    }
}

/// At $72 with this much capital: 90.3% of LTV, and 4,536 to the target.
fn crashed(config: Config, capital: u64) -> Scene {
    let mut scene = with(config, capital);
    stands_at(&mut scene, 72_00);
    scene
}

/// The capital after which C is zero when Alice has been liquidated to the target at $72.
fn just_enough(config: Config) -> u64 {
    let plenty = 100_000 * USDC;
    let mut scene = crashed(config, plenty);
    scene.liquidated();
    let spare = u64::try_from(scene.cover()).unwrap();
    assert!(spare < plenty - USDC, "{spare}");
    plenty - spare
}

#[test]
fn in_full_while_the_cover_is_not_negative_after_it_and_cut_to_the_pipeline_an_atom_below() {
    let config = narrow();
    let capital = just_enough(config);
    // More than the pipeline holds, for there is capital.
    let mut scene = crashed(config, capital);
    let wanted = scene.judged().expected(&config);
    let most = scene.pipeline_takes();
    assert!(wanted.repay > 2 * most, "{wanted:?} {most}");
    scene.liquidated();
    assert_eq!(scene.cover(), 0);

    let mut scene = crashed(config, capital - 1);
    let most = scene.pipeline_takes();
    // 1,000 less the penalty, and what rounding takes.
    assert!((990 * USDC..=990_099_010).contains(&most), "{most}");
    let liquidation = scene.liquidated_within(most);
    assert_eq!(liquidation.repaid, Quote(most));
    assert!(!liquidation.whole && !liquidation.taken_over);
    // Then it is full, to the last atom that collateral counts for.
    assert!(scene.pipeline_takes() < 10);
    scene.waits();
    // Another atom of capital, and all the rest is taken: each part is smaller than the whole, and costs cover by
    // itself.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 10 * USDC)
        .unwrap();
    scene.liquidated();
    assert!(scene.cover() >= 0);
}

#[test]
fn without_any_capital_the_pipeline_still_takes_its_part() {
    // 65% of $100 is more than 62%: without capital nobody could have borrowed. It was lost since.
    let mut config = narrow();
    (config.stress_fall, config.stress_max) = (default_config().stress_fall, default_config().stress_fall);
    let mut scene = with(config, 0);
    scene.world.set_config(&scene.market, narrow());
    stands_at(&mut scene, 72_00);
    let most = scene.pipeline_takes();
    assert!(scene.cover() < 0);
    let liquidation = scene.liquidated_within(most);
    assert_eq!((liquidation.paid_in_cash, liquidation.repaid), (Quote(0), Quote(most)));
    scene.waits();
}

/// A scene whose pipeline is full.
fn full() -> Scene {
    let config = narrow();
    let mut scene = crashed(config, just_enough(config) - 500 * USDC);
    let most = scene.pipeline_takes();
    scene.liquidated_within(most);
    scene.waits();
    scene
}

#[test]
fn what_sales_free_is_taken_at_once_from_the_minimum_debt_on() {
    let mut scene = full();
    let min_debt = narrow().min_debt.0;
    // Just too little: less than the minimum debt. 72 quote atoms are a thousand of collateral.
    let mut sold = min_debt * 1_000 / 72;
    scene.sold(sold);
    while scene.pipeline_takes() < min_debt {
        scene.waits();
        scene.sold(1_000_000);
        sold += 1_000_000;
    }
    // The penalty is a percent of it.
    assert!(sold.abs_diff(min_debt * 1_010 / 72) <= 2_000_000, "{sold}");
    let most = scene.pipeline_takes();
    let liquidation = scene.liquidated_within(most);
    assert_eq!(liquidation.repaid, Quote(most));
    scene.waits();
    // And all that two SOL free, in one piece.
    scene.sold(2 * SOL);
    let most = scene.pipeline_takes();
    assert!((142 * USDC..143 * USDC).contains(&most), "{most}");
    assert_eq!(scene.liquidated_within(most).repaid, Quote(most));
    scene.waits();
}

#[test]
fn what_is_wanted_may_be_less_than_the_minimum_debt() {
    // 32 on 0.5542 SOL at $72: 80.2%, of which 8.6 brings it to the target.
    let mut scene = full();
    stands_at(&mut scene, 10_000);
    let alice = scene.mallory_borrows(554_200_000, 32 * USDC);
    stands_at(&mut scene, 72_00);
    let wanted = scene.judged().expected(&narrow());
    assert!(
        wanted.repay < narrow().min_debt.0 && !wanted_whole(&wanted),
        "{wanted:?}"
    );
    scene.waits();
    while scene.pipeline_takes() < wanted.repay {
        scene.waits();
        scene.sold(1_000_000);
    }
    // Less than the minimum debt is freed, and it is enough.
    assert!(scene.pipeline_takes() < narrow().min_debt.0);
    let other = std::mem::replace(&mut scene.position, alice);
    scene.waits();
    scene.position = other;
    assert_eq!(scene.liquidated().repaid, Quote(wanted.repay));
}

fn wanted_whole(wanted: &super::formula::Expected) -> bool {
    wanted.extent == breakwater_engine::account::sizing::Extent::Whole
}

#[test]
fn what_is_cut_leaves_no_dust() {
    // 16 on 0.26 SOL at $72, of which all would be taken for the rest is dust: 6 at most are taken while 10 must stay,
    // but that is a crumb, so what fits is taken.
    let mut scene = full();
    stands_at(&mut scene, 10_000);
    scene.mallory_borrows(260_000_000, 16 * USDC);
    stands_at(&mut scene, 72_00);
    assert!(wanted_whole(&scene.judged().expected(&narrow())));
    scene.sold(150_000_000);
    let most = scene.pipeline_takes();
    assert!((10 * USDC..16 * USDC).contains(&most), "{most}");
    let liquidation = scene.liquidated_within(most);
    assert_eq!((liquidation.repaid, liquidation.whole), (Quote(most), false));
}

/// Everything that could be in the way of a take-over: no capital, a full pipeline and a negative cover.
#[test]
fn a_takeover_is_taken_whole_whatever_cover_and_pipeline_say() {
    for (price, deficit) in [(66_00, false), (60_00, true), (1_00, true)] {
        let mut scene = full();
        let (collateral, debt) = {
            let account = scene.world.margin_account(&scene.position);
            (account.collateral, scene.judged().debt)
        };
        stands_at(&mut scene, price);
        let before = scene.cover();
        assert!(before < 0);
        let liquidation = scene.liquidated();
        assert!(liquidation.taken_over && liquidation.whole);
        assert_eq!(u128::from(liquidation.repaid.0), debt);
        assert_eq!(liquidation.seized, collateral);
        assert_eq!(liquidation.deficit > Quote(0), deficit, "{price}");
        // C falls by no more than the bounty, and an atom that each rounding takes.
        let after = scene.cover();
        assert!(
            after + i128::from(liquidation.bounty.0) + 3 >= before,
            "{before} {after}"
        );
        scene.world.assert_identities();
    }
}

#[test]
fn the_bounty_of_a_takeover_is_owed_by_an_empty_backstop_and_paid_first() {
    let mut scene = with(no_interest(), 0);
    stands_at(&mut scene, 60_00);
    let liquidation = scene.liquidated();
    let (market, kate) = (scene.market, scene.kate.clone());
    let backstop = scene.world.market_state(&market).books.backstop;
    assert_eq!(
        (backstop.funded_credits, backstop.unfunded_credits),
        (Quote(0), liquidation.bounty)
    );
    let claim = ix::claim_bounty(&market, &kate.key());
    scene
        .world
        .assert_error_unchanged(&[claim], &[&kate], BreakwaterError::CreditsUnfunded);
    // The first sale pays her.
    scene.sold(SOL);
    scene.world.claim_bounty(&market, &kate).unwrap();
    assert_eq!(scene.world.balance(&kate, &market.quote_mint), liquidation.bounty.0);
}

#[test]
fn a_batch_skips_who_waits_and_takes_takeovers_after_them() {
    let mut scene = full();
    let alice = scene.position.clone();
    stands_at(&mut scene, 10_000);
    let waiting = scene.mallory_borrows_more(0, 10 * SOL, 640 * USDC);
    let sunk = scene.mallory_borrows_more(1, 10 * SOL, 690 * USDC);
    stands_at(&mut scene, 72_00);
    let before = [&alice, &waiting].map(|position| scene.world.margin_account(position));
    let outcome = scene
        .world
        .liquidate_batch(&scene.market, &scene.kate, &[&alice, &waiting, &sunk, &waiting])
        .unwrap();
    let taken: Vec<_> = outcome.liquidated().iter().map(|one| one.margin_account).collect();
    assert_eq!(taken, [sunk.address]);
    assert!(outcome.liquidation().taken_over);
    let after = [&alice, &waiting].map(|position| scene.world.margin_account(position));
    assert_eq!(before, after);
}

impl Scene {
    /// Mallory's account of this number, without making it the one in question.
    #[track_caller]
    fn mallory_borrows_more(&mut self, id: u16, collateral: u64, amount: u64) -> Position {
        let position = self.world.open(&self.market, &self.mallory, id).unwrap();
        self.world.deposit(&position, collateral).unwrap();
        self.world.borrow(&position, amount).unwrap();
        self.world.next_slot();
        position
    }
}

#[test]
fn one_account_after_another_is_a_batch() {
    // 200 of cover are missing: the pipeline takes two and a part of the next, and then everybody waits but those that
    // are taken over.
    const DEBTS: [u64; 9] = [640, 641, 642, 643, 690, 644, 645, 690, 646];
    let crowd = |capital: u64| {
        let mut scene = with(narrow(), capital);
        let mut positions: Vec<Position> = (0..)
            .zip(DEBTS)
            .map(|(id, debt)| scene.mallory_borrows_more(id, 10 * SOL, debt * USDC))
            .collect();
        positions.push(scene.position.clone());
        stands_at(&mut scene, 72_00);
        (scene, positions)
    };
    let plenty = 100_000 * USDC;
    let spare = u64::try_from(crowd(plenty).0.cover()).unwrap();
    let run = |batch: bool| {
        let (mut scene, positions) = crowd(plenty - spare - 200 * USDC);
        let mut done: Vec<Liquidation> = Vec::new();
        if batch {
            let all: Vec<&Position> = positions.iter().collect();
            let outcome = scene.world.liquidate_batch(&scene.market, &scene.kate, &all).unwrap();
            done.extend(outcome.liquidated().iter().map(|one| one.liquidation));
        } else {
            for position in &positions {
                match scene.world.liquidate(&scene.kate, position) {
                    Ok(outcome) => done.push(outcome.liquidation()),
                    Err(failure) => assert_eq!(failure.name, BreakwaterError::PipelineFull.name()),
                }
            }
        }
        let accounts: Vec<_> = positions
            .iter()
            .map(|position| scene.world.margin_account(position))
            .collect();
        let ledger = scene.world.keeper_ledger(&scene.market, &scene.kate);
        (done, accounts, ledger, scene.world.market_state(&scene.market))
    };
    let (batch, single) = (run(true), run(false));
    assert_eq!(batch, single);
    let done = &batch.0;
    assert_eq!(done.iter().filter(|one| one.taken_over).count(), 2);
    let parts = done
        .iter()
        .filter(|one| !one.taken_over)
        .map(|one| one.repaid.0)
        .sum::<u64>();
    assert!((980 * USDC..1_000 * USDC).contains(&parts), "{parts}");
    assert_eq!(done.len(), 5, "{done:?}");
}
