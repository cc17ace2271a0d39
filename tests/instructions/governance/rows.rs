//! Every instruction, and who may: one row for each way to use it. Here those that somebody has to be allowed; those of
//! everyone are in `rows_users`.

use super::cast::{ASSET, Cast, DAY, ID, NEXT_SHARE, Role, sibling_spec};
use crate::{attack::replace_account, scene::USDC};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_engine::{
    Parameter,
    governance::{DEPTH, EMERGENCY_ADMIN, FEEDS, PARAMETERS, SENTINEL, pause::Kinds},
};
use breakwater_testkit::{Account, Actor, ExpectedError, Failure, ix};

/// How it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By the program.
    Own(BreakwaterError),
    /// By the system program: the account to be created exists.
    Exists,
}

impl ExpectedError for Refusal {
    fn is(&self, failure: &Failure) -> bool {
        match self {
            Self::Own(error) => error.is(failure),
            Self::Exists => failure.program == Some(anchor_lang::system_program::ID) && failure.code() == Some(0),
        }
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

/// One way to use an instruction.
pub struct Row {
    /// Its name in the IDL.
    pub name: &'static str,
    /// The way in which it is used.
    pub what: &'static str,
    /// Sets the scene, and builds it for a signer; the last one is what is tried.
    pub build: fn(&mut Cast, &Actor) -> Vec<Instruction>,
    /// Refusal when this role signs; `None` if it goes through.
    pub refused: fn(Role) -> Option<Refusal>,
    /// The kind of pause that stops it.
    pub paused_by: Option<Kinds>,
}

impl Row {
    /// The first role that may, if there is one.
    pub fn allowed(&self) -> Option<Role> {
        Role::ALL.into_iter().find(|role| (self.refused)(*role).is_none())
    }

    /// The row as it is called in messages.
    pub fn title(&self) -> String {
        format!("{} ({})", self.name, self.what)
    }
}

/// Refused unless the role is one of these.
pub fn only(role: Role, allowed: &[Role], refusal: BreakwaterError) -> Option<Refusal> {
    (!allowed.contains(&role)).then_some(Refusal::Own(refusal))
}

fn authority(role: Role) -> Option<Refusal> {
    only(role, &[Role::Authority], BreakwaterError::WrongAuthority)
}

fn emergency_admin(role: Role) -> Option<Refusal> {
    only(
        role,
        &[Role::Authority, Role::EmergencyAdmin],
        BreakwaterError::WrongEmergencyAdmin,
    )
}

fn row(
    name: &'static str,
    what: &'static str,
    build: fn(&mut Cast, &Actor) -> Vec<Instruction>,
    refused: fn(Role) -> Option<Refusal>,
) -> Row {
    Row {
        name,
        what,
        build,
        refused,
        paused_by: None,
    }
}

/// Uses that need an office.
pub fn offices() -> Vec<Row> {
    vec![
        row("initialize", "again", initialize, |_| Some(Refusal::Exists)),
        row("create_market", "a second one", create_market, authority),
        row("propose_authority", "itself", propose_authority, authority),
        row("accept_authority", "", accept_authority, |role| {
            only(role, &[Role::Proposed], BreakwaterError::NotProposed)
        }),
        row(
            "set_emergency_admin",
            "while there is none",
            set_emergency_admin,
            authority,
        ),
        row(
            "set_emergency_admin",
            "in place of one",
            replace_emergency_admin,
            |role| {
                // The authority is told that there is a queue for it.
                authority(role).or(Some(Refusal::Own(BreakwaterError::EmergencyAdminByQueue)))
            },
        ),
        row("announce_liquidation_ltv", "", announce, authority),
        row("queue_equity_withdrawal", "", queue_equity_withdrawal, authority),
        row("withdraw_equity", "to itself", withdraw_equity, authority),
        row("queue_parameters", "", queue_parameters, authority),
        row("execute_parameters", "", execute_parameters, authority),
        row("queue_feeds", "", queue_feeds, authority),
        row("execute_feeds", "", execute_feeds, authority),
        row("queue_emergency_admin", "itself", queue_emergency_admin, authority),
        row("execute_emergency_admin", "", execute_emergency_admin, authority),
        row("queue_sentinel", "itself", queue_sentinel, authority),
        row("execute_sentinel", "", execute_sentinel, authority),
        row("raise_stress", "", raise_stress, |role| {
            only(role, &[Role::Sentinel], BreakwaterError::WrongSentinel)
        }),
        row(
            "create_depth_budget",
            "of another asset",
            create_depth_budget,
            authority,
        ),
        row("queue_depth_share", "", queue_depth_share, authority),
        row("execute_depth_share", "", execute_depth_share, authority),
        row("lower_depth_share", "", lower_depth_share, emergency_admin),
        row("tighten", "", tighten, emergency_admin),
        row("pause", "supply", pause, emergency_admin),
        row("emergency_halt", "", emergency_halt, emergency_admin),
        row("cancel_ramp", "", cancel_ramp, emergency_admin),
        row(
            "cancel_equity_withdrawal",
            "",
            cancel_equity_withdrawal,
            emergency_admin,
        ),
        row("cancel_change", "of parameters", cancel_parameters, emergency_admin),
        row("cancel_change", "of feeds", cancel_feeds, emergency_admin),
        row(
            "cancel_change",
            "of the depth share",
            cancel_depth_share,
            emergency_admin,
        ),
        row(
            "cancel_change",
            "of the emergency admin",
            cancel_emergency_admin,
            |role| only(role, &[Role::Authority], BreakwaterError::WrongEmergencyAdmin),
        ),
    ]
}

fn initialize(_: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::initialize(&signer.key())]
}

fn create_market(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let (_, create) = cast.world.prepare_market(&sibling_spec());
    vec![replace_account(&create, &cast.world.authority().key(), &signer.key())]
}

fn propose_authority(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let until = cast.world.longest_approval();
    vec![ix::propose_authority(&signer.key(), signer.key(), until)]
}

fn accept_authority(_: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::accept_authority(&signer.key())]
}

fn set_emergency_admin(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let mut account = cast.world.existing_account(&addresses::protocol());
    // Behind the discriminator and the authority.
    account.data[40..72].copy_from_slice(Pubkey::default().as_ref());
    cast.world.set_account(&addresses::protocol(), account);
    assert_eq!(cast.world.protocol().emergency_admin, Pubkey::default());
    replace_emergency_admin(cast, signer)
}

fn replace_emergency_admin(_: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::set_emergency_admin(&signer.key(), signer.key())]
}

fn announce(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let start = cast.world.unix() + i64::from(5 * DAY);
    let end = start + i64::from(DAY);
    vec![ix::announce_liquidation_ltv(
        &cast.market,
        &signer.key(),
        8_100,
        start,
        end,
    )]
}

fn queue_equity_withdrawal(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let expires = cast.world.slot();
    vec![ix::queue_equity_withdrawal(
        &cast.market,
        &signer.key(),
        2_000 * USDC,
        expires,
    )]
}

fn withdraw_equity(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::withdraw_equity(&cast.market, &signer.key())]
}

fn queue_parameters(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let (changes, expires) = (cast.changes.clone(), cast.world.slot());
    vec![ix::queue_parameters(
        &cast.market,
        &signer.key(),
        ID + 1,
        changes,
        expires,
    )]
}

fn execute_parameters(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::execute_parameters(
        &cast.market,
        &signer.key(),
        ID,
        cast.changes.clone(),
    )]
}

/// Removes an entry of the queue, as if it had never been.
fn forget(cast: &mut Cast, subject: &Pubkey, kind: u8) {
    let entry = addresses::queued_change(subject, kind, 0);
    cast.world.set_account(&entry, Account::default());
}

fn queue_feeds(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let (market, expires) = (cast.market, cast.world.slot());
    forget(cast, &market.market, FEEDS);
    vec![ix::queue_feeds(&market, &signer.key(), cast.feeds, false, expires)]
}

fn execute_feeds(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::execute_feeds(
        &cast.market,
        &signer.key(),
        cast.feeds,
        false,
        cast.next_feeds,
    )]
}

fn queue_emergency_admin(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    forget(cast, &addresses::protocol(), EMERGENCY_ADMIN);
    // The emergency admin is that already: it would name another.
    let next = if *signer.name() == *Role::EmergencyAdmin.actor().name() {
        cast.next_emergency_admin
    } else {
        signer.key()
    };
    vec![ix::queue_emergency_admin(&signer.key(), next, cast.world.slot())]
}

fn execute_emergency_admin(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::execute_emergency_admin(&signer.key(), cast.next_emergency_admin)]
}

fn queue_sentinel(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    forget(cast, &addresses::protocol(), SENTINEL);
    vec![ix::queue_sentinel(&signer.key(), cast.next_sentinel, cast.world.slot())]
}

fn execute_sentinel(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::execute_sentinel(&signer.key(), cast.next_sentinel)]
}

fn raise_stress(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::raise_stress(&cast.market, &signer.key(), 1_000)]
}

fn create_depth_budget(_: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::create_depth_budget(&signer.key(), "ANOTHER")]
}

fn queue_depth_share(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let (market, expires) = (cast.market, cast.world.slot());
    forget(cast, &market.market, DEPTH);
    vec![ix::queue_depth_share(
        &market,
        &signer.key(),
        &cast.next_budget,
        NEXT_SHARE,
        expires,
    )]
}

fn execute_depth_share(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let present = addresses::depth_budget(ASSET);
    vec![ix::execute_depth_share(
        &cast.market,
        &signer.key(),
        &present,
        &cast.next_budget,
        NEXT_SHARE,
    )]
}

fn lower_depth_share(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let present = addresses::depth_budget(ASSET);
    vec![ix::lower_depth_share(&cast.market, &signer.key(), &present, 50)]
}

fn tighten(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    let change = cast.world.change(&cast.market, Parameter::initial_ltv, 6_999);
    vec![ix::tighten(&cast.market, &signer.key(), vec![change])]
}

fn pause(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::pause(&cast.market, &signer.key(), Kinds::SUPPLY.0, 60)]
}

fn emergency_halt(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::emergency_halt(&cast.market, &signer.key(), 60)]
}

fn cancel_ramp(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::cancel_ramp(&cast.market, &signer.key())]
}

fn cancel_equity_withdrawal(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    vec![ix::cancel_equity_withdrawal(&cast.market, &signer.key())]
}

fn cancel(subject: &Pubkey, kind: u8, id: u16, signer: &Actor) -> Vec<Instruction> {
    let entry = addresses::queued_change(subject, kind, id);
    let authority = Role::Authority.actor().key();
    vec![ix::cancel_change(&signer.key(), &authority, &entry)]
}

fn cancel_parameters(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    cancel(&cast.market.market, PARAMETERS, ID, signer)
}

fn cancel_feeds(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    cancel(&cast.market.market, FEEDS, 0, signer)
}

fn cancel_depth_share(cast: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    cancel(&cast.market.market, DEPTH, 0, signer)
}

fn cancel_emergency_admin(_: &mut Cast, signer: &Actor) -> Vec<Instruction> {
    cancel(&addresses::protocol(), EMERGENCY_ADMIN, 0, signer)
}
