//! Posting Pyth's updates and using them: the client's transactions against the test double of Pyth's programs
//! (`tests/pyth-double`), which checks signatures and proofs for real, and the real program on what it wrote. On
//! LiteSVM.

mod flipped;
mod recorded;
mod refused;
mod vectors;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use breakwater::{error::BreakwaterError, events::PriceObserved};
use breakwater_client::{
    MarketKeys, budget,
    pyth::{Action, Draft, Error, FeedId, LOADED_BYTES, Poster, Posting, Stack, Update, stale_feeds},
};
use breakwater_engine::{Readings, price::oracle::PriceUse};
use breakwater_testkit::{
    Actor, FeedSpec, MarketSpec, Outcome, START, World, assert_fails_with, ix,
    program_file::rent_exempt,
    pyth::{PullUpdate, Quotation, RECEIVERS, Routers, SIGNATURES, Verification, feed_id_for, usd},
};

/// Shard of the accounts that are posted to.
const SHARD: u16 = 300;
const TREASURY: u8 = 7;
static NOTHING: Action = Action {
    instructions: Vec::new(),
    units: 0,
};

/// Who posts is the world's own payer: nobody else need sign.
fn payer() -> Actor {
    Actor::new("fee payer")
}

fn poster(stack: Stack) -> Poster {
    Poster {
        stack,
        payer: payer().key(),
        treasury: TREASURY,
    }
}

fn posting(stack: Stack, then: &Action) -> Posting<'_> {
    Posting {
        poster: poster(stack),
        shard: SHARD,
        seed: "a1",
        rent: rent_exempt(46 + 292),
        tables: &[],
        then,
    }
}

fn sol() -> FeedId {
    feed_id_for("SOL/USD")
}

fn usdc() -> FeedId {
    feed_id_for("USDC/USD")
}

/// The update that Pyth would serve now: SOL at this price, USDC at a dollar.
fn update(world: &World, routers: &Routers, price: i64) -> Update {
    update_at(routers, price, world.unix())
}

fn update_at(routers: &Routers, price: i64, time: i64) -> Update {
    let message = |feed, price: i64| Quotation::settled(price, -8, price.unsigned_abs() / 1_000, time).message(feed);
    routers.update(&[message(sol(), price), message(usdc(), usd(1))])
}

/// A world with Pyth's programs and a market of this stack that looks at the accounts of [`SHARD`], which do not exist.
fn world(stack: Stack, routers: &Routers) -> (World, MarketKeys) {
    let mut world = World::with_pyth(routers);
    let feed = |symbol: &str, price| FeedSpec {
        owner: stack.receiver,
        ..FeedSpec::pull(symbol, price)
    };
    let market = world.market(&MarketSpec {
        collateral_feed: feed("SOL/USD", usd(100)),
        quote_feed: feed("USDC/USD", usd(1)),
        ..MarketSpec::default()
    });
    let market = MarketKeys {
        collateral_feed: stack.price_account(SHARD, &sol()),
        quote_feed: stack.price_account(SHARD, &usdc()),
        ..market
    };
    (world, market)
}

/// Sends what the client has packed, within what it asks for. Of the three instructions of its budget the world has
/// two.
#[track_caller]
fn send(world: &mut World, draft: &Draft, signers: &[&Actor]) -> Outcome {
    let outcome = world.send(&draft.instructions, signers).unwrap();
    assert_eq!(outcome.bytes + 8, draft.bytes);
    assert!(draft.loaded_bytes == LOADED_BYTES && draft.bytes <= 1_232);
    let (used, asked) = (outcome.transaction_compute_units, u64::from(draft.units));
    assert!(used <= asked, "{used} compute units, asked for {asked}");
    println!("{} bytes, {used} of {asked} compute units", outcome.bytes);
    outcome
}

/// Posts both feeds and does `then`.
#[track_caller]
fn post(world: &mut World, stack: Stack, update: &Update, then: &Action, signers: &[&Actor]) {
    let drafts = posting(stack, then).transactions(update, &[sol(), usdc()]).unwrap();
    for draft in &drafts {
        let named: Vec<&Actor> = signers
            .iter()
            .copied()
            .filter(|signer| draft.signers.contains(&signer.key()))
            .collect();
        send(world, draft, &named);
    }
}

/// The account that an update of `update`'s first price makes, as the receiver writes it.
fn written(stack: Stack, quotation: Quotation, authority: Pubkey, verification: Verification, slot: u64) -> Vec<u8> {
    let update = PullUpdate {
        receiver: stack.receiver,
        feed_id: sol(),
        verification,
        quotation,
        posted_slot: slot,
        write_authority: authority,
    };
    update.data()
}

#[test]
fn the_double_is_of_the_clients_stacks() {
    let stacks = Stack::ALL.map(|stack| [stack.receiver, stack.bridge, stack.price_feed_program]);
    assert_eq!(pyth_double::STACKS, stacks);
    assert_eq!(Stack::ALL.map(|stack| stack.receiver), RECEIVERS);
}

#[test]
fn what_is_posted_is_what_was_signed_and_every_lamport_of_rent_comes_back() {
    for stack in Stack::ALL {
        let routers = Routers::new(1);
        let (mut world, market) = world(stack, &routers);
        let update = update(&world, &routers, usd(143));
        let vaa_account = posting(stack, &NOTHING).vaa_account().unwrap();
        post(&mut world, stack, &update, &NOTHING, &[]);
        let account = world.existing_account(&market.collateral_feed);
        assert_eq!(account.owner, stack.receiver);
        let quotation = Quotation::settled(usd(143), -8, usd(143).unsigned_abs() / 1_000, START);
        let expected = written(
            stack,
            quotation,
            market.collateral_feed,
            Verification::Full,
            world.slot(),
        );
        assert_eq!(account.data, expected);
        assert_eq!(world.account(&vaa_account), None, "closed");
        // The same seed may be used again.
        post(&mut world, stack, &update, &NOTHING, &[]);
        let outcome = world.observe_price(&market).unwrap();
        let observation = outcome.event::<PriceObserved>().observation;
        assert_eq!(observation.collateral_published, START);
    }
}

/// With a table of what stays the same, a price takes one transaction and one signature.
#[test]
fn a_table_makes_one_transaction_of_a_price() {
    for stack in Stack::ALL {
        let routers = Routers::new(1);
        let (mut world, market) = world(stack, &routers);
        let stays = [
            stack.receiver,
            stack.config(),
            stack.treasury(TREASURY),
            stack.signer_set(1),
            market.collateral_feed,
            system_program::ID,
        ];
        let tables = [world.lookup_table("pyth", &stays)];
        let update = update(&world, &routers, usd(100));
        let posting = Posting {
            tables: &tables,
            ..posting(stack, &NOTHING)
        };
        let drafts = posting.transactions(&update, &[sol()]).unwrap();
        assert_eq!(drafts.len(), 1);
        let outcome = world.send_with_tables(&drafts[0].instructions, &[], &tables).unwrap();
        assert_eq!(outcome.bytes + 8, drafts[0].bytes);
        assert!(outcome.transaction_compute_units <= u64::from(drafts[0].units));
        assert_eq!(world.account(&posting.vaa_account().unwrap()), None, "closed");
        assert_eq!(world.existing_account(&market.collateral_feed).owner, stack.receiver);
    }
}

#[test]
fn borrowing_and_liquidating_need_no_sponsor() {
    for stack in Stack::ALL {
        let routers = Routers::new(1);
        let (mut world, market) = world(stack, &routers);
        let lena = world.trader(&market, "lena", 0, 1_000_000_000_000);
        let alice = world.trader(&market, "alice", 10_000_000_000, 0);
        let keeper = world.keeper(&market, "kate");
        post_plain(&mut world, stack, &routers, usd(100));
        world.observe_price(&market).unwrap();
        world.supply(&market, &lena, 500_000_000_000).unwrap();
        world.fund_backstop(&market, &lena, 100_000_000_000).unwrap();
        let position = world.open(&market, &alice, 0).unwrap();
        world.deposit(&position, 10_000_000_000).unwrap();

        // Ten minutes of silence: nobody borrows, until he posts himself.
        world.advance_silently(600);
        let borrow = ix::borrow(&market, &position.address, &alice.key(), 650_000_000);
        world.assert_error_unchanged(std::slice::from_ref(&borrow), &[&alice], BreakwaterError::PriceTooOld);
        let stale = |world: &mut World, usage| {
            let (state, clock) = (world.market_state(&market), world.clock());
            stale_feeds(&stack, &state, &Readings::NONE, usage, clock).unwrap()
        };
        assert_eq!(stale(&mut world, PriceUse::Borrow), [sol(), usdc()]);
        let update_now = update(&world, &routers, usd(100));
        post(&mut world, stack, &update_now, &action(borrow), &[&alice]);
        assert_eq!(stale(&mut world, PriceUse::Borrow), [] as [FeedId; 0]);
        assert_ne!(world.margin_account(&position).debt_shares.0, 0);

        // And a crash that no sponsor shows.
        world.advance_silently(600);
        let liquidate = ix::liquidate(&market, &position.address, &keeper.key());
        world.assert_error_unchanged(
            std::slice::from_ref(&liquidate),
            &[&keeper],
            BreakwaterError::PriceTooOld,
        );
        let update_now = update(&world, &routers, usd(80));
        post(&mut world, stack, &update_now, &action(liquidate), &[&keeper]);
        assert_ne!(world.keeper_ledger(&market, &keeper), bytemuck::Zeroable::zeroed());
        let margin = world.margin_account(&position);
        assert!(margin.collateral.0 < 10_000_000_000, "seized");
    }
}

/// The instruction with the client's budget.
fn action(instruction: Instruction) -> Action {
    Action {
        units: budget::units(&instruction).unwrap(),
        instructions: vec![instruction],
    }
}

#[track_caller]
fn post_plain(world: &mut World, stack: Stack, routers: &Routers, price: i64) {
    let update = update(world, routers, price);
    post(world, stack, &update, &NOTHING, &[]);
}

#[test]
fn one_transaction_posts_and_observes_on_the_newer_stack() {
    let (stack, routers) = (Stack::REC2, Routers::new(1));
    let (mut world, market) = world(stack, &routers);
    let accounts = [Actor::new("collateral's price"), Actor::new("quote's price")];
    let market = MarketKeys {
        collateral_feed: accounts[0].key(),
        quote_feed: accounts[1].key(),
        ..market
    };
    let update = update(&world, &routers, usd(99));
    let quote = posting(stack, &NOTHING)
        .atomic(&update, &usdc(), &accounts[1].key(), 5)
        .unwrap();
    send(&mut world, &quote, &[&accounts[1]]);
    let observe = action(ix::observe_price(&market));
    let both = posting(stack, &observe)
        .atomic(&update, &sol(), &accounts[0].key(), 5)
        .unwrap();
    let outcome = send(&mut world, &both, &[&accounts[0]]);
    assert_eq!(outcome.event::<PriceObserved>().observation.collateral_published, START);
    let quotation = Quotation::settled(usd(99), -8, usd(99).unsigned_abs() / 1_000, START);
    let expected = written(stack, quotation, payer().key(), Verification::Full, world.slot());
    assert_eq!(world.existing_account(&accounts[0].key()).data, expected);
    // An account of one's own may go back in time, and is closed by who posted to it.
    world.advance_silently(5);
    let older = update_at(&routers, usd(98), START - 5);
    let back = posting(stack, &NOTHING)
        .atomic(&older, &sol(), &accounts[0].key(), 5)
        .unwrap();
    send(&mut world, &back, &[&accounts[0]]);
    world
        .send(&[poster(stack).reclaim_rent(&accounts[0].key())], &[])
        .unwrap();
    assert_eq!(world.account(&accounts[0].key()), None);
}

/// The older stack's receiver calls three of five signatures partly verified, and the program believes no such update.
#[test]
fn the_older_stack_verifies_in_part_what_it_checks_itself() {
    let (stack, routers) = (Stack::REC5, Routers::new(1));
    let (mut world, market) = world(stack, &routers);
    let account = Actor::new("collateral's price");
    let update = update(&world, &routers, usd(99));
    let price = update.price(&sol()).unwrap();
    let atomic = poster(stack)
        .post_update_atomic(&update.vaa, price, &account.key())
        .unwrap();
    world.send(&[atomic], &[&account]).unwrap();
    let quotation = Quotation::settled(usd(99), -8, usd(99).unsigned_abs() / 1_000, START);
    let partial = Verification::Partial(SIGNATURES);
    let expected = written(stack, quotation, payer().key(), partial, world.slot());
    assert_eq!(world.existing_account(&account.key()).data, expected);
    post(&mut world, stack, &update, &NOTHING, &[]);
    let market = MarketKeys {
        collateral_feed: account.key(),
        ..market
    };
    assert_fails_with(world.observe_price(&market), BreakwaterError::FeedNotVerified);
    assert_eq!(
        posting(stack, &NOTHING).atomic(&update, &sol(), &account.key(), 5),
        Err(Error::Signatures { needed: 4, found: 3 })
    );
}

#[test]
fn an_account_of_the_price_feed_program_never_goes_back_in_time() {
    for stack in Stack::ALL {
        let routers = Routers::new(1);
        let (mut world, market) = world(stack, &routers);
        post_plain(&mut world, stack, &routers, usd(100));
        let before = world.existing_account(&market.collateral_feed);
        world.next_slot();
        for (price, time) in [(usd(90), START), (usd(90), START - 1)] {
            post(&mut world, stack, &update_at(&routers, price, time), &NOTHING, &[]);
            assert_eq!(world.existing_account(&market.collateral_feed), before);
        }
        post(
            &mut world,
            stack,
            &update_at(&routers, usd(90), START + 1),
            &NOTHING,
            &[],
        );
        assert_ne!(world.existing_account(&market.collateral_feed), before);
    }
}
