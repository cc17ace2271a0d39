//! One honest instruction for each of the program's, in the scene in which it goes through.

use super::fixture::{Fixture, OPENED, spec};
use crate::{
    attack::replace_account,
    governance::{
        cast::Role,
        rows::{Row, offices},
        rows_users::users,
    },
};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater_client::addresses;
use breakwater_testkit::{Account, ix};

/// How an honest instruction is come by.
enum Honest {
    /// A row of the table of roles, by what it is of, signed by this role.
    Row(&'static str, Role),
    /// One that the table has no use for.
    Own(fn(&mut Fixture) -> Instruction),
}

use Honest::{Own, Row as Of};

/// Every instruction, and its honest form.
const HONEST: [(&str, Honest); 49] = [
    ("accept_authority", Of("", Role::Proposed)),
    ("announce_liquidation_ltv", Of("", Role::Authority)),
    ("borrow", Of("on Alice's", Role::Owner)),
    ("buy_inventory", Of("", Role::Supplier)),
    ("buy_inventory_for", Of("", Role::Supplier)),
    ("cancel_change", Of("of parameters", Role::EmergencyAdmin)),
    ("cancel_ramp", Of("", Role::EmergencyAdmin)),
    ("cancel_equity_withdrawal", Of("", Role::EmergencyAdmin)),
    ("claim_bounty", Of("Kate's", Role::Keeper)),
    ("close_account", Of("Alice's", Role::Owner)),
    ("close_guardian_position", Of("Bob's", Role::OtherOwner)),
    ("create_depth_budget", Of("of another asset", Role::Authority)),
    ("create_market", Own(create_market)),
    ("deposit_collateral", Of("Alice's tokens", Role::Owner)),
    ("execute_depth_share", Of("", Role::Authority)),
    ("execute_feeds", Of("", Role::Authority)),
    ("execute_emergency_admin", Of("", Role::Authority)),
    ("execute_parameters", Of("", Role::Authority)),
    ("execute_sentinel", Of("", Role::Authority)),
    ("fund_backstop", Of("Lena's tokens", Role::Supplier)),
    ("guardian_deposit", Of("into Gina's", Role::Backer)),
    ("guardian_request", Of("of Gina's", Role::Backer)),
    ("guardian_withdraw", Of("Gina's", Role::Backer)),
    ("initialize", Own(initialize)),
    ("liquidate", Of("on Kate's", Role::Keeper)),
    ("liquidate_batch", Own(liquidate_batch)),
    ("lower_depth_share", Of("", Role::EmergencyAdmin)),
    ("observe_price", Of("", Role::Supplier)),
    ("open_account", Own(open_account)),
    ("open_guardian_position", Of("its own", Role::Owner)),
    ("open_keeper_ledger", Of("its own", Role::Owner)),
    ("pause", Of("supply", Role::EmergencyAdmin)),
    ("propose_authority", Of("itself", Role::Authority)),
    ("emergency_halt", Of("", Role::EmergencyAdmin)),
    ("queue_depth_share", Of("", Role::Authority)),
    ("queue_feeds", Of("", Role::Authority)),
    ("queue_emergency_admin", Of("itself", Role::Authority)),
    ("queue_parameters", Of("", Role::Authority)),
    ("queue_sentinel", Of("itself", Role::Authority)),
    ("queue_equity_withdrawal", Of("", Role::Authority)),
    ("raise_stress", Of("", Role::Sentinel)),
    ("repay", Of("Alice's tokens", Role::Owner)),
    ("set_emergency_admin", Of("while there is none", Role::Authority)),
    ("settle_deficit", Own(|fixture| ix::settle_deficit(&fixture.sibling))),
    ("supply", Of("Lena's tokens", Role::Supplier)),
    ("withdraw_equity", Of("to itself", Role::Authority)),
    ("tighten", Of("", Role::EmergencyAdmin)),
    ("withdraw", Of("Lena's shares", Role::Supplier)),
    ("withdraw_collateral", Of("against debt", Role::Owner)),
];

/// The instructions that have an honest form.
pub fn names() -> impl Iterator<Item = &'static str> {
    HONEST.iter().map(|(name, _)| *name)
}

/// Sets the scene for the honest form of this instruction, and builds it.
///
/// # Panics
/// If there is none.
pub fn honest(fixture: &mut Fixture, name: &str) -> Instruction {
    let found = HONEST.iter().find(|(of, _)| *of == name);
    match &found.unwrap_or_else(|| panic!("no honest {name}")).1 {
        Own(build) => build(fixture),
        Of(what, role) => {
            let row = row(name, what);
            assert_eq!((row.refused)(*role), None, "{role:?} may not {}", row.title());
            let actor = role.actor();
            let mut built = (row.build)(&mut fixture.cast, &actor);
            let last = built.pop().expect("an instruction");
            if !built.is_empty() {
                fixture.cast.world.send(&built, &[&actor]).expect("what comes before");
            }
            last
        }
    }
}

fn row(name: &str, what: &str) -> Row {
    let mut rows = offices().into_iter().chain(users());
    rows.find(|row| row.name == name && row.what == what)
        .unwrap_or_else(|| panic!("there is no row {name} ({what})"))
}

/// Before there is a protocol.
fn initialize(fixture: &mut Fixture) -> Instruction {
    fixture
        .cast
        .world
        .set_account(&addresses::protocol(), Account::default());
    ix::initialize(&Role::Upgrade.actor().key())
}

fn create_market(fixture: &mut Fixture) -> Instruction {
    let world = &mut fixture.cast.world;
    let former = world.authority().key();
    let (keys, create) = world.prepare_market(&spec(2));
    fixture.relate_created(&keys);
    replace_account(&create, &former, &Role::Authority.actor().key())
}

/// Somebody else pays the rent.
fn open_account(fixture: &mut Fixture) -> Instruction {
    let (owner, payer) = (Role::Owner.actor(), Role::Supplier.actor());
    ix::open_account(&fixture.cast.market, &owner.key(), &payer.key(), OPENED)
}

/// Alice and Bob, at a price at which both can be liquidated.
fn liquidate_batch(fixture: &mut Fixture) -> Instruction {
    let single = honest(fixture, "liquidate");
    let kate = Role::Keeper.actor().key();
    let market = fixture.cast.market;
    let bob = addresses::margin_account(&market.market, &Role::OtherOwner.actor().key(), 0);
    let (alice, feeds) = (fixture.cast.indebted.address, &single.accounts[4..]);
    let batch = ix::liquidate_batch(&market, &kate, &[alice, bob]);
    assert_eq!(&batch.accounts[3..7], feeds, "the same feeds as for one");
    batch
}
