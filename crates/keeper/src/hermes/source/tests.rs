use super::*;
use breakwater_client::pyth::{self, Message};
use breakwater_testkit::pyth::Routers;

const A: FeedId = [1; 32];
const B: FeedId = [2; 32];

fn update(publish_time: i64) -> Update {
    let message = Message {
        feed: A,
        price: 1,
        conf: 1,
        expo: 0,
        publish_time,
        previous_publish_time: 0,
        ema_price: 1,
        ema_conf: 1,
        rest: Vec::new(),
    };
    Routers::new(0).update(&[message])
}

fn later(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

#[test]
fn a_refused_feed_is_found_by_asking_for_each_alone() {
    for refusal in [Error::Forbidden, Error::NotFound] {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!(state.ask(&[A, B, A], now), [A, B]);
        assert_eq!(state.take(&[A, B], Err(refusal.clone()), now), Some(refusal.clone()));
        assert_eq!(state.ask(&[A, B], now), [A]);
        assert_eq!(state.take(&[A], Ok(update(1)), now), None);
        assert_eq!(state.newest, None, "an update of one feed is not for posting");
        assert_eq!(state.ask(&[A, B], now), [B]);
        state.take(&[B], Err(refusal.clone()), now);
        assert_eq!(state.ask(&[A, B], now), [A]);
        assert_eq!(state.take(&[A], Ok(update(2)), now), None);
        assert_eq!((state.newest.clone(), &state.trouble), (Some(update(2)), &None));
        assert_eq!(state.ask(&[A, B], later(now, 599)), [A]);
        assert_eq!(state.ask(&[A, B], later(now, 600)), [A, B], "it is tried again");
    }
}

#[test]
fn a_feed_that_the_market_no_longer_pins_is_not_asked_for() {
    let (mut state, now) = (State::default(), Instant::now());
    state.take(&[A, B], Err(Error::Forbidden), now);
    assert_eq!(state.ask(&[B], now), [B]);
    state.take(&[B], Err(Error::Forbidden), now);
    assert_eq!(state.ask(&[B], now), [] as [FeedId; 0]);
}

#[test]
fn it_rests_as_long_as_the_trouble_asks_for() {
    let rests = |error: Error, seconds: u64| {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!(state.take(&[A], Err(error.clone()), now), Some(error.clone()));
        assert_eq!(
            state.ask(
                &[A],
                now + (Duration::from_secs(seconds).saturating_sub(Duration::from_millis(1)))
            ),
            [] as [FeedId; 0],
            "{error}"
        );
        assert_eq!(state.ask(&[A], later(now, seconds)), [A], "{error}");
        // What is known is not told again.
        assert_eq!(state.take(&[A], Err(error), later(now, seconds)), None);
    };
    let limited = |seconds| Error::RateLimited(Some(Duration::from_secs(seconds)));
    rests(Error::RateLimited(None), 60);
    rests(limited(7), 7);
    rests(limited(0), 1);
    rests(limited(u64::MAX), 600);
    rests(Error::Unauthorized, 30);
    rests(Error::Key("x".to_owned()), 30);
    rests(Error::TimedOut, 1);
    rests(Error::Status(500), 1);
    rests(Error::Update(pyth::Error::Truncated), 1);
}

#[test]
fn other_troubles_double_the_rest_until_there_is_an_answer() {
    let (mut state, start) = (State::default(), Instant::now());
    let mut now = start;
    for rest in [1, 2, 4, 8, 16, 32, 32, 32] {
        state.take(&[A], Err(Error::TimedOut), now);
        assert!(state.ask(&[A], later(now, rest - 1)).is_empty());
        now = later(now, rest);
        assert_eq!(state.ask(&[A], now), [A]);
    }
    state.take(&[A], Ok(update(1)), now);
    state.take(&[A], Err(Error::TimedOut), now);
    assert_eq!(state.ask(&[A], later(now, 1)), [A]);
}

#[test]
fn the_newest_update_is_kept() {
    let (mut state, now) = (State::default(), Instant::now());
    for (given, kept) in [(5, 5), (4, 5), (6, 6)] {
        state.take(&[A], Ok(update(given)), now);
        assert_eq!(state.newest, Some(update(kept)));
    }
}

/// One that is ahead of the clock gives way to any other: else no honest one would ever be newer.
#[test]
fn an_update_from_the_future_is_not_kept_for_ever() {
    let (mut state, now) = (State::default(), Instant::now());
    for (given, kept) in [(i64::MAX, i64::MAX), (5, 5)] {
        state.take(&[A], Ok(update(given)), now);
        assert_eq!(state.newest, Some(update(kept)));
    }
}

/// However often the market is looked at.
#[tokio::test]
async fn a_server_is_not_asked_again_within_the_spacing() {
    struct Counting(Arc<std::sync::atomic::AtomicU32>);
    impl Fetch for Counting {
        async fn latest(&self, _: &[FeedId]) -> Result<Update, Error> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(update(5))
        }
    }
    for (spacing, expected) in [(Duration::ZERO, 3), (Duration::from_hours(1), 1)] {
        let count = Arc::default();
        let live = Live::new(Counting(Arc::clone(&count)), Posted::default(), 9, Arc::default());
        let mut live = live.spaced(spacing);
        for _ in 0..3 {
            live.refresh(&[A]).await;
        }
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), expected);
        assert_eq!(live.newest(), Some(&update(5)));
        live.forget();
        assert_eq!(live.newest(), None);
    }
}

#[test]
fn its_own_account_is_shown_beside_those_of_others() {
    struct Nothing;
    impl Fetch for Nothing {
        async fn latest(&self, _: &[FeedId]) -> Result<Update, Error> {
            Err(Error::TimedOut)
        }
    }
    let live = |shard| Live::new(Nothing, Posted::default(), shard, Arc::default());
    let stack = Stack::REC2;
    let mut pin = FeedPin {
        key: breakwater_engine::Key(A),
        owner: breakwater_engine::Key(stack.receiver.to_bytes()),
        kind: breakwater_engine::price::oracle::FEED_PULL,
        padding: [0; 7],
    };
    let accounts = [0, 9].map(|shard| stack.price_account(shard, &A));
    assert_eq!(live(9).candidates(&pin), accounts);
    assert_eq!(live(0).candidates(&pin), accounts[..1]);
    pin.owner = breakwater_engine::Key([7; 32]);
    assert_eq!(live(9).candidates(&pin), [] as [Pubkey; 0]);
}
