use super::*;

/// 10 SOL that owe 690 USDC: partly liquidated below 86.25, taken over from 72.6 on.
fn one(config: &Config, backstop: u64) -> (Quotes, MarginAccount) {
    // Lent while the backstop is rich; so a poor one has it to deal with as well.
    let (mut quotes, account) = scene(config, 1 << 40, &[], (10_000_000_000, 690_000_000));
    quotes.market.books.backstop.cash = Quote(backstop);
    quotes.market.config = *config;
    (quotes, account)
}

#[test]
fn what_the_cover_suffices_for_is_taken_to_the_target() {
    let (quotes, account) = one(&open_guards(), 1 << 40);
    let mut quotes = later(&quotes, 60, 80_0000_0000);
    let preview = quotes.preview(&account).unwrap();
    let (judged, settled) = (preview.judged_at, preview.settled_at);
    assert_eq!((judged, settled), (quotes.judged_at(), quotes.judged_at()));
    assert!((371_000_000..372_000_000).contains(&preview.wanted.0), "{preview:?}");
    assert_eq!((preview.liquidatable, preview.waiting), (preview.wanted, Quote::ZERO));
    assert!(!preview.done.unwrap().taken_over);

    let mut liquidated = account;
    let done = liquidate(&mut quotes, &mut liquidated).unwrap();
    assert_eq!(
        (preview.done, quotes.market.books.backstop.inventory),
        (Some(done), done.seized)
    );
    // What was taken over is offered from then on, cheaper by the hour.
    let asks = [0, 3_600, 7_200].map(|seconds| quotes.offer_in(seconds).unwrap());
    assert_eq!(asks.map(|offer| offer.discount), [0, 300, 500]);
    assert!(asks.is_sorted_by(|a, b| a.ask > b.ask));
}

#[test]
fn what_it_does_not_suffice_for_is_cut_by_the_pipeline_and_waits() {
    // The pipeline takes 100 USDC at the higher EMA: 1.5 x 200 an hour, 20 minutes.
    let config = Config {
        market_depth: Quote(200_000_000),
        flow_rate: Bps(15_000),
        ..open_guards()
    };
    let (quotes, account) = one(&config, 0);
    let mut quotes = later(&quotes, 60, 80_0000_0000);
    assert!(quotes.balance_sheet().unwrap().cover.cover < 0);
    let preview = quotes.preview(&account).unwrap();
    let done = preview.done.unwrap();
    let headroom = quotes
        .prices
        .flow_price()
        .divisor()
        .unwrap()
        .collateral_floor(Quote(100_000_000))
        .unwrap();
    let worth = preview.settled_at.quote_floor(headroom).unwrap();
    assert_eq!(done.repaid.0, worth.0 * 100 / 101, "less the penalty of 1%");
    assert_eq!(preview.waiting.0, preview.wanted.0 - done.repaid.0);

    let mut liquidated = account;
    assert_eq!(liquidate(&mut quotes, &mut liquidated), Ok(done));
    let full = quotes.preview(&liquidated).unwrap();
    assert_eq!((full.done, full.waiting), (None, full.wanted));
    assert_eq!(quotes.liquidation(&liquidated), Err(Error::PipelineFull));
    assert_eq!(liquidate(&mut quotes, &mut liquidated), Err(Error::PipelineFull));
    // From 95% on nothing waits.
    let mut deep = later(&quotes, 60, 70_0000_0000);
    let taken = deep.preview(&liquidated).unwrap();
    assert_eq!((taken.waiting, taken.done.unwrap().taken_over), (Quote::ZERO, true));
    assert_eq!(liquidate(&mut deep, &mut liquidated), Ok(taken.done.unwrap()));
}

#[test]
fn a_bounty_without_cash_for_it_is_in_the_balance_sheet() {
    let (quotes, account) = one(&open_guards(), 0);
    let mut quotes = later(&quotes, 60, 60_0000_0000);
    let (preview, mut liquidated) = (quotes.preview(&account).unwrap(), account);
    let done = preview.done.unwrap();
    assert!(done.taken_over && done.deficit > Quote::ZERO && done.bounty > Quote::ZERO);
    assert_eq!(liquidate(&mut quotes, &mut liquidated), Ok(done));
    let balance_sheet = quotes.balance_sheet().unwrap();
    assert_eq!(
        (balance_sheet.unfunded_credits, balance_sheet.funded_credits),
        (done.bounty, Quote::ZERO)
    );
    assert!(balance_sheet.cover.cover < 0);
}

/// A market whose price fell by 2% each 20 seconds, which is Normal, down to `price` SOL.
fn walked_down(quotes: &Quotes, to: i64) -> Quotes {
    let (mut quotes, mut price) = (quotes.clone(), 100_0000_0000);
    while price > to {
        price = to.max(price / 100 * 98);
        quotes = later(&quotes, 20, price);
        assert_eq!(quotes.prices.level(), Level::Normal);
    }
    quotes
}

#[test]
fn while_guarded_a_step_is_due_and_the_lower_price_settles() {
    let (quotes, account) = one(&velocity_only(), 1 << 40);
    let calm = walked_down(&quotes, 85_0000_0000);
    let mut quotes = later(&calm, 20, 82_0000_0000);
    assert_eq!(quotes.prices.level(), Level::Guarded);
    let preview = quotes.preview(&account).unwrap();
    assert!(preview.settled_at < preview.judged_at, "{preview:?}");
    assert_eq!(preview.settled_at, quotes.prices.spot());
    // A quarter of the debt.
    let done = preview.done.unwrap();
    assert_eq!(preview.liquidatable.0, (done.repaid.0 + done.debt_after.0) / 4);
    assert!(preview.liquidatable < preview.wanted);
    assert_eq!(
        (preview.waiting, preview.done.unwrap().repaid),
        (Quote::ZERO, preview.liquidatable)
    );
    let mut liquidated = account;
    assert_eq!(liquidate(&mut quotes, &mut liquidated), Ok(preview.done.unwrap()));
    // That is more than it takes to be healthy.
    assert_eq!(quotes.preview(&liquidated), Err(Error::AccountHealthy));
    // A gap beyond 2%: it waits for the two prices to meet.
    let wide = later(&calm, 20, 79_0000_0000);
    assert_eq!(wide.preview(&account), Err(Error::PriceGapTooWide));
    assert_eq!(wide.liquidation(&account), Err(Error::PriceGapTooWide));
}

#[test]
fn in_the_slot_of_a_loan_nothing_is_due() {
    let (quotes, mut account) = one(&open_guards(), 1 << 40);
    let quotes = later(&quotes, 60, 80_0000_0000);
    account.last_risk_slot = quotes.clock.slot;
    assert_eq!(quotes.preview(&account), Err(Error::BorrowedThisSlot));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// In a market that has liquidated others before, with little cash or none, Normal or Guarded with a gap: what is
    /// foretold happens; and what is due but for the pipeline is what a backstop takes that can pay for everything.
    #[test]
    fn a_liquidation_is_foretold(
        // So that each of the loans is granted: else its stand-in would take another's shares off the map.
        others in prop::collection::vec((1_000_000_000u64..1 << 40, 6_000u64..=6_950), 1..6),
        part in 6_500u64..=6_990, collateral in 1_000_000_000u64..1 << 40, cash in 0u64..1 << 34, depth in 23u32..38,
        to in 72i64..88, fall in 0i64..30, guarded: bool,
    ) {
        let config = Config { market_depth: Quote(1 << depth), ..if guarded { velocity_only() } else { open_guards() } };
        let debt = |collateral: u64, part: u64| collateral / 10 / 10_000 * part;
        let loans: Vec<_> = others.iter().map(|(collateral, part)| (*collateral, debt(*collateral, *part))).collect();
        let (mut quotes, account) = scene(&config, 1 << 50, &loans, (collateral, debt(collateral, part)));
        quotes.market.books.backstop.cash = Quote(cash);
        let calm = walked_down(&quotes, to * 1_0000_0000);
        let mut quotes = later(&calm, 20, (to * 100 - if guarded { 200 + fall * 10 } else { fall * 50 }) * 100_0000);
        prop_assume!(account.has_debt());
        for (collateral, debt) in &loans {
            // Stand-ins for the others, which cost the pool's index nothing.
            let mut other = super::account(*collateral);
            other.debt_shares = quotes.market.books.pool.index.shares_for_loan(Quote(*debt)).unwrap();
            let map = &quotes.market.map;
            other.place = map.place(other.debt_shares, map.band(other.debt_shares, other.collateral));
            if *debt >= config.min_debt.0 {
                let _ = liquidate(&mut quotes, &mut other);
            }
        }
        let (preview, foretold) = (quotes.preview(&account), quotes.liquidation(&account));
        let (mut real, mut liquidated) = (quotes.clone(), account);
        let done = liquidate(&mut real, &mut liquidated);
        prop_assert_eq!(foretold, done);
        let mut rich = quotes.clone();
        rich.market.fund_backstop(Quote(1 << 52), rich.clock).unwrap();
        let unhindered = rich.liquidation(&account);
        match (preview, done) {
            (Ok(preview), Ok(done)) => {
                prop_assert_eq!(preview.done, Some(done));
                prop_assert_eq!(preview.liquidatable, unhindered.unwrap().repaid);
                prop_assert_eq!(preview.waiting.0, preview.liquidatable.0 - done.repaid.0);
                prop_assert_eq!(preview.settled_at, done.price);
                prop_assert!(preview.liquidatable <= preview.wanted);
                prop_assert!(preview.waiting == Quote::ZERO || !done.taken_over);
                prop_assert!(preview.liquidatable == preview.wanted || quotes.prices.level() == Level::Guarded);
            }
            (Ok(preview), Err(Error::PipelineFull)) => {
                prop_assert_eq!((preview.done, preview.waiting), (None, preview.liquidatable));
                prop_assert_eq!(preview.liquidatable, unhindered.unwrap().repaid);
                prop_assert!(quotes.balance_sheet().unwrap().cover.cover < i128::from(preview.liquidatable.0));
            }
            (Err(error), Err(refusal)) => prop_assert_eq!(error, refusal),
            (preview, done) => prop_assert!(false, "{:?} {:?}", preview, done),
        }
    }
}
