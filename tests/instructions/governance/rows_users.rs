//! The instructions that need no office: who does it with what is his, and who tries with what is somebody else's.

use super::{
    cast::{Cast, Role},
    rows::{Refusal, Row, only},
};
use crate::{
    attack::replace_account,
    backing::cents,
    scene::{SOL, USDC},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_engine::governance::pause::Kinds;
use breakwater_testkit::{Actor, ix};

fn anyone(_: Role) -> Option<Refusal> {
    None
}

fn token_owner(role: Role, owner: Role) -> Option<Refusal> {
    only(role, &[owner], BreakwaterError::WrongTokenOwner)
}

fn alice(role: Role) -> Option<Refusal> {
    only(role, &[Role::Owner], BreakwaterError::WrongOwner)
}

fn gina(role: Role) -> Option<Refusal> {
    only(role, &[Role::Backer], BreakwaterError::WrongGuardianPosition)
}

fn unless(role: Role, excepted: &[Role]) -> Option<Refusal> {
    excepted.contains(&role).then_some(Refusal::Exists)
}

type Build = fn(&mut Cast, &Actor) -> Vec<Instruction>;
type Refused = fn(Role) -> Option<Refusal>;

/// Uses that need no office.
pub fn users() -> Vec<Row> {
    let row = |name, what, build: Build, refused: Refused, paused_by| Row {
        name,
        what,
        build,
        refused,
        paused_by,
    };
    let lenas: Refused = |role| token_owner(role, Role::Supplier);
    let alices: Refused = |role| token_owner(role, Role::Owner);
    let kates: Refused = |role| only(role, &[Role::Keeper], BreakwaterError::WrongKeeper);
    let (supplying, selling) = (Some(Kinds::SUPPLY), Some(Kinds::SELL));
    let liquidating = Some(Kinds::LIQUIDATE);
    vec![
        row("supply", "its own", supply, anyone, supplying),
        row("supply", "Lena's tokens", supply_lenas, lenas, supplying),
        row("withdraw", "Lena's shares", withdraw_lenas, lenas, None),
        row("open_account", "its own", open_account, anyone, None),
        row("close_account", "Alice's", close_account, alice, None),
        row("deposit_collateral", "for Alice", deposit, anyone, None),
        row("deposit_collateral", "Alice's tokens", deposit_alices, alices, None),
        row(
            "withdraw_collateral",
            "against debt",
            withdraw_indebted,
            alice,
            Some(Kinds::WITHDRAW),
        ),
        row("withdraw_collateral", "without debt", withdraw_free, alice, None),
        row("borrow", "on Alice's", borrow, alice, Some(Kinds::BORROW)),
        row("repay", "for Alice", repay, anyone, None),
        row("repay", "Alice's tokens", repay_alices, alices, None),
        row(
            "observe_price",
            "",
            |cast, _| vec![ix::observe_price(&cast.market)],
            anyone,
            None,
        ),
        row("liquidate", "on its own ledger", liquidate, anyone, liquidating),
        row("liquidate", "on Kate's", liquidate_kates, kates, liquidating),
        row(
            "liquidate_batch",
            "on its own ledger",
            liquidate_batch,
            anyone,
            liquidating,
        ),
        row("fund_backstop", "its own", fund, anyone, None),
        row("fund_backstop", "Lena's tokens", fund_lenas, lenas, None),
        row("buy_inventory", "", buy_inventory, anyone, selling),
        row(
            "buy_inventory",
            "for Lena's tokens",
            buy_inventory_lenas,
            lenas,
            selling,
        ),
        row("buy_inventory_for", "", buy_inventory_for, anyone, selling),
        row(
            "settle_deficit",
            "without one",
            settle,
            |_| Some(Refusal::Own(BreakwaterError::NothingToSettle)),
            None,
        ),
        row(
            "open_guardian_position",
            "its own",
            open_position,
            |role| unless(role, &[Role::Backer, Role::OtherOwner]),
            None,
        ),
        row(
            "close_guardian_position",
            "Bob's",
            close_position,
            |role| only(role, &[Role::OtherOwner], BreakwaterError::WrongGuardianPosition),
            None,
        ),
        row(
            "guardian_deposit",
            "into Gina's",
            guardian_deposit,
            gina,
            Some(Kinds::GUARDIAN_DEPOSIT),
        ),
        row("guardian_request", "of Gina's", guardian_request, gina, None),
        row("guardian_withdraw", "Gina's", guardian_withdraw, gina, None),
        row(
            "open_keeper_ledger",
            "its own",
            open_ledger,
            |role| unless(role, &[Role::Keeper]),
            None,
        ),
        row("claim_bounty", "Kate's", claim_kates, kates, None),
    ]
}

/// Puts what is of one role in the place of what is the signer's own.
fn with(ix: &Instruction, signer: &Actor, role: Role, of: impl Fn(&Pubkey) -> Pubkey) -> Vec<Instruction> {
    vec![replace_account(ix, &of(&signer.key()), &of(&role.actor().key()))]
}

fn supply(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::supply(&cast.market, &signer.key(), USDC, 0)]
}

fn supply_lenas(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let [supply] = one(supply(cast, signer));
    with(&supply, signer, Role::Supplier, |key| cast.market.quote_of(key))
}

fn withdraw_lenas(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let withdraw = ix::withdraw(&cast.market, &signer.key(), 1_000 * USDC, 0);
    with(&withdraw, signer, Role::Supplier, |key| cast.market.lp_of(key))
}

fn open_account(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::open_account(&cast.market, &signer.key(), &signer.key(), 9)]
}

fn close_account(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::close_account(&cast.empty.address, &signer.key())]
}

fn deposit(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let address = &cast.indebted.address;
    vec![ix::deposit_collateral(&cast.market, address, &signer.key(), SOL)]
}

fn deposit_alices(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let [deposit] = one(deposit(cast, signer));
    with(&deposit, signer, Role::Owner, |key| cast.market.collateral_of(key))
}

fn withdraw_indebted(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let address = &cast.indebted.address;
    vec![ix::withdraw_collateral(&cast.market, address, &signer.key(), SOL)]
}

fn withdraw_free(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let address = &cast.free.address;
    vec![ix::withdraw_collateral_without_debt(
        &cast.market,
        address,
        &signer.key(),
        SOL,
    )]
}

fn borrow(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let address = &cast.indebted.address;
    vec![ix::borrow(&cast.market, address, &signer.key(), USDC)]
}

fn repay(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let address = &cast.indebted.address;
    vec![ix::repay(&cast.market, address, &signer.key(), USDC)]
}

fn repay_alices(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let [repay] = one(repay(cast, signer));
    with(&repay, signer, Role::Owner, |key| cast.market.quote_of(key))
}

/// Alice is at 81.25%.
fn crash(cast: &mut Cast) {
    let feed = cast.market.collateral_feed;
    cast.world.settle_price(&feed, cents(80_00), 0);
}

/// The signer's ledger is opened first, unless it is the one that is open.
fn on_own_ledger(cast: &mut Cast, signer: &Actor, liquidate: Instruction) -> Vec<Instruction> {
    crash(cast);
    if signer.key() == Role::Keeper.actor().key() {
        return vec![liquidate];
    }
    vec![ix::open_keeper_ledger(&cast.market, &signer.key()), liquidate]
}

fn liquidate(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let liquidate = ix::liquidate(&cast.market, &cast.indebted.address, &signer.key());
    on_own_ledger(cast, signer, liquidate)
}

fn liquidate_kates(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    crash(cast);
    let liquidate = ix::liquidate(&cast.market, &cast.indebted.address, &signer.key());
    on_kates(cast, &liquidate, signer)
}

fn on_kates(cast: &Cast, ix: &Instruction, signer: &Actor) -> Vec<Instruction> {
    let market = cast.market.market;
    with(ix, signer, Role::Keeper, |key| addresses::keeper_ledger(&market, key))
}

fn liquidate_batch(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let batch = ix::liquidate_batch(&cast.market, &signer.key(), &[cast.indebted.address]);
    on_own_ledger(cast, signer, batch)
}

fn fund(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::fund_backstop(&cast.market, &signer.key(), USDC)]
}

fn fund_lenas(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let [fund] = one(fund(cast, signer));
    with(&fund, signer, Role::Supplier, |key| cast.market.quote_of(key))
}

fn buy_inventory(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::buy_inventory(&cast.market, &signer.key(), SOL, u64::MAX)]
}

fn buy_inventory_lenas(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let [buy] = one(buy_inventory(cast, signer));
    with(&buy, signer, Role::Supplier, |key| cast.market.quote_of(key))
}

fn buy_inventory_for(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::buy_inventory_for(&cast.market, &signer.key(), USDC, 0)]
}

fn settle(cast: &mut Cast, _: &Actor) -> Vec<Instruction> {
    vec![ix::settle_deficit(&cast.market)]
}

fn open_position(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::open_guardian_position(&cast.market, &signer.key())]
}

fn on_position(cast: &Cast, ix: &Instruction, signer: &Actor, of: Role) -> Vec<Instruction> {
    let market = cast.market.market;
    with(ix, signer, of, |key| addresses::guardian_position(&market, key))
}

fn close_position(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let close = ix::close_guardian_position(&cast.market, &signer.key());
    on_position(cast, &close, signer, Role::OtherOwner)
}

fn guardian_deposit(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let deposit = ix::guardian_deposit(&cast.market, &signer.key(), USDC, 0, u64::MAX);
    on_position(cast, &deposit, signer, Role::Backer)
}

fn guardian_request(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let request = ix::guardian_request(&cast.market, &signer.key(), 0, 0);
    on_position(cast, &request, signer, Role::Backer)
}

fn guardian_withdraw(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let withdraw = ix::guardian_withdraw(&cast.market, &signer.key(), 1_000 * USDC, 0);
    on_position(cast, &withdraw, signer, Role::Backer)
}

fn open_ledger(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::open_keeper_ledger(&cast.market, &signer.key())]
}

fn claim_kates(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let claim = ix::claim_bounty(&cast.market, &signer.key());
    on_kates(cast, &claim, signer)
}

/// The only instruction of these.
fn one(instructions: Vec<Instruction>) -> [Instruction; 1] {
    instructions.try_into().unwrap()
}
