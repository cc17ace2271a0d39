use super::*;
use breakwater_engine::{
    Bps, Clock, Collateral, Config, DepthAllocation, FeedPin, Feeds, MarginAccount, Market, NewMarket, Price, Quote,
    governance::ramp::Ramp,
};
use proptest::prelude::*;
use std::collections::HashMap;

const START: i64 = 1_735_000_000;

fn market() -> Box<Market> {
    let feed = |byte| FeedPin {
        key: Key([byte; 32]),
        owner: Key([9; 32]),
        kind: 1,
        padding: [0; 7],
    };
    let mut market: Box<Market> = Box::new(bytemuck::Zeroable::zeroed());
    let new = NewMarket {
        id: 0,
        bump: 255,
        collateral: (Key([3; 32]), 9, Key([4; 32])),
        quote: (Key([5; 32]), 6, Key([6; 32])),
        lp_mint: Key([7; 32]),
        feeds: Feeds {
            collateral: feed(1),
            quote: feed(2),
            base: FeedPin::NONE,
            rate: FeedPin::NONE,
        },
        depth: DepthAllocation {
            budget: Key([8; 32]),
            share: Bps(10_000),
        },
        config: Config::EXAMPLE.first(),
        clock: Clock { unix: START, slot: 1 },
    };
    market.initialize(&new).unwrap();
    market.books.pool.debt_shares = DebtShares(1 << 50);
    market.books.pool.cash = Quote(1 << 38);
    market
}

fn address(name: u16) -> Key {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&name.to_le_bytes());
    Key(bytes)
}

#[derive(Clone, Debug)]
enum Event {
    /// An account is now like this.
    Seen(u16, u64, u64),
    /// It is on the edge of a price: as many collateral atoms more or less than its debt asks for.
    Edge(u16, u64, i64),
    Closed(u16),
    /// So much time goes by.
    Wait(i64),
    Price(u128),
    Ramp(u32, i64, i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let name = 0u16..120;
    let shares = prop_oneof![
        1 => 0u64..100_000,
        1 => SMALL - 5..SMALL + 5,
        6 => SMALL..1 << 45,
        1 => any::<u64>(),
    ];
    let collateral = prop_oneof![1 => 0u64..100, 6 => 1u64..1 << 40, 1 => any::<u64>()];
    let price = prop_oneof![4 => 1u128 << 50..1 << 66, 1 => 1u128..1 << 100];
    let event = prop_oneof![
        6 => (name.clone(), shares.clone(), collateral).prop_map(|(name, shares, collateral)| Event::Seen(name, shares, collateral)),
        6 => (name.clone(), shares, -3i64..=3).prop_map(|(name, shares, off)| Event::Edge(name, shares, off)),
        2 => name.prop_map(Event::Closed),
        1 => (0i64..5_000_000).prop_map(Event::Wait),
        2 => price.prop_map(Event::Price),
        1 => (5_000u32..9_500, 0i64..1_000_000, 1i64..50_000_000).prop_map(|(to, from, length)| Event::Ramp(to, from, length)),
    ];
    prop::collection::vec(event, 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// After any sequence of actions on accounts, prices, interest and ramps, the index finds what a scan of all
    /// accounts with the engine's own question finds.
    #[test]
    fn it_finds_what_a_scan_finds(events in events()) {
        let mut market = market();
        let mut clock = Clock { unix: START, slot: 1 };
        let mut price = Price::from_raw(3 << 62);
        let mut accounts: HashMap<u16, MarginAccount> = HashMap::new();
        let mut index = AccountIndex::new();
        for event in events {
            clock.slot += 1;
            let mut put = |name, shares, collateral| {
                let account = MarginAccount {
                    debt_shares: DebtShares(shares),
                    collateral: Collateral(collateral),
                    ..bytemuck::Zeroable::zeroed()
                };
                accounts.insert(name, account);
                index.update(Entry::new(address(name), &account, clock.slot));
            };
            match event {
                Event::Seen(name, shares, collateral) => put(name, shares, collateral),
                Event::Edge(name, shares, off) => {
                    let moment = Moment::new(&market, price, clock).unwrap();
                    let Ok(debt) = moment.index.debt(DebtShares(shares)) else { continue };
                    let value = u128::from(debt.0) * 10_000 / u128::from(moment.ltv.0);
                    let Some(edge) = (value << 60).checked_div(price.raw() >> 4) else { continue };
                    let Ok(edge) = u64::try_from(edge) else { continue };
                    put(name, shares, edge.saturating_add_signed(off));
                }
                Event::Closed(name) => {
                    let known = accounts.remove(&name).is_some_and(|account| account.has_debt());
                    prop_assert_eq!(index.remove(&address(name), clock.slot), known);
                }
                Event::Wait(seconds) => clock.unix += seconds,
                Event::Price(raw) => price = Price::from_raw(raw),
                Event::Ramp(to, from, length) => {
                    market.config.liquidation_ltv = market.liquidation_ltv(clock);
                    let starts_at = clock.unix + from;
                    market.ramp = Ramp { starts_at, ends_at: starts_at + length, to: Bps(to), padding: [0; 4] };
                }
            }
            let mut expected: Vec<Key> = accounts
                .iter()
                .filter(|(_, account)| market.is_liquidatable(account, price, clock) == Ok(true))
                .map(|(name, _)| address(*name))
                .collect();
            let moment = Moment::new(&market, price, clock).unwrap();
            let mut found: Vec<Key> = index.liquidatable(&moment).map(|entry| entry.address).collect();
            expected.sort_by_key(|key| key.0);
            found.sort_by_key(|key| key.0);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(index.len(), accounts.values().filter(|account| account.has_debt()).count());
            prop_assert_eq!(index.debt_shares(), accounts.values().map(|account| u128::from(account.debt_shares.0)).sum::<u128>());
        }
    }
}

#[test]
fn the_worst_comes_first_and_old_news_changes_nothing() {
    let mut index = AccountIndex::new();
    let entry = |name: u16, shares: u64, seen| Entry {
        address: address(name),
        collateral: Collateral(1_000),
        debt_shares: DebtShares(shares << 30),
        last_risk_slot: 0,
        stepped_until: 0,
        place: bytemuck::Zeroable::zeroed(),
        seen,
    };
    for (name, shares) in [(1, 5), (2, 9), (3, 7)] {
        assert!(index.update(entry(name, shares, 10)));
    }
    assert!(!index.update(entry(1, 5, 11)), "nothing new");
    assert!(!index.update(entry(2, 1, 9)), "older than what is known");
    assert!(!index.remove(&address(3), 9), "older than what is known");
    let order: Vec<Key> = index.nearest().map(|entry| entry.address).collect();
    assert_eq!(order, [address(2), address(3), address(1)]);
    assert!(index.update(entry(2, 0, 12)), "debt-free");
    assert_eq!(index.get(&address(2)), None);
    assert_eq!(index.get(&address(1)), Some(&entry(1, 5, 11)));
    assert_eq!(index.debt_shares(), 12 << 30);
}
