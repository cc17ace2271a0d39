//! Changes that wait, and those that do not have to.

use super::build;
use crate::{MarketKeys, addresses};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use breakwater::{accounts, instruction};
use breakwater_engine::{
    Feeds, ParameterChange,
    governance::{DEPTH, EMERGENCY_ADMIN, FEEDS, PARAMETERS, SENTINEL},
};

/// Proposes another authority, who can accept until `expires_slot`; the default key takes a proposal back. The
/// protocol's authority signs.
#[must_use]
pub fn propose_authority(authority: &Pubkey, proposed: Pubkey, expires_slot: u64) -> Instruction {
    build(
        &accounts::ProposeAuthority {
            protocol: addresses::protocol(),
            authority: *authority,
        },
        &instruction::ProposeAuthority { proposed, expires_slot },
    )
}

/// Makes `proposed` the authority. It signs.
#[must_use]
pub fn accept_authority(proposed: &Pubkey) -> Instruction {
    build(
        &accounts::AcceptAuthority {
            protocol: addresses::protocol(),
            proposed: *proposed,
        },
        &instruction::AcceptAuthority {},
    )
}

/// Tightens parameters of a market at once. The emergency admin or the protocol's authority signs.
#[must_use]
pub fn tighten(keys: &MarketKeys, signer: &Pubkey, changes: Vec<ParameterChange>) -> Instruction {
    build(
        &accounts::Tighten {
            protocol: addresses::protocol(),
            signer: *signer,
            market: keys.market,
        },
        &instruction::Tighten { changes },
    )
}

/// Pauses kinds of action in a market for `seconds`; `kinds` are the bits of
/// [`breakwater_engine::governance::pause::Kinds`]. The emergency admin or the protocol's authority signs.
#[must_use]
pub fn pause(keys: &MarketKeys, signer: &Pubkey, kinds: u8, seconds: u32) -> Instruction {
    build(
        &accounts::Pause {
            protocol: addresses::protocol(),
            signer: *signer,
            market: keys.market,
        },
        &instruction::Pause { kinds, seconds },
    )
}

/// Takes an announced change of the liquidation LTV back. The emergency admin or the protocol's authority signs.
#[must_use]
pub fn cancel_ramp(keys: &MarketKeys, signer: &Pubkey) -> Instruction {
    build(
        &accounts::CancelRamp {
            protocol: addresses::protocol(),
            signer: *signer,
            market: keys.market,
        },
        &instruction::CancelRamp {},
    )
}

/// Takes an announced withdrawal of equity back. The emergency admin or the protocol's authority signs.
#[must_use]
pub fn cancel_equity_withdrawal(keys: &MarketKeys, signer: &Pubkey) -> Instruction {
    build(
        &accounts::CancelEquityWithdrawal {
            protocol: addresses::protocol(),
            signer: *signer,
            market: keys.market,
        },
        &instruction::CancelEquityWithdrawal {},
    )
}

/// Queues changes of a market's parameters under `id`, which may be done until the slot `expires_slot`. The protocol's
/// authority signs and pays the entry's rent.
#[must_use]
pub fn queue_parameters(
    keys: &MarketKeys,
    authority: &Pubkey,
    id: u16,
    changes: Vec<ParameterChange>,
    expires_slot: u64,
) -> Instruction {
    build(
        &accounts::QueueParameters {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            queued_change: addresses::queued_change(&keys.market, PARAMETERS, id),
            system_program: system_program::ID,
        },
        &instruction::QueueParameters {
            id,
            changes,
            expires_slot,
        },
    )
}

/// Makes the changes that were queued under `id`. The protocol's authority signs and gets the entry's rent.
#[must_use]
pub fn execute_parameters(
    keys: &MarketKeys,
    authority: &Pubkey,
    id: u16,
    changes: Vec<ParameterChange>,
) -> Instruction {
    build(
        &accounts::ExecuteParameters {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            queued_change: addresses::queued_change(&keys.market, PARAMETERS, id),
        },
        &instruction::ExecuteParameters { changes },
    )
}

/// Queues other feeds for a market, and whether the present ones are `dead`, which may be done until the slot
/// `expires_slot`. The protocol's authority signs and pays the entry's rent.
#[must_use]
pub fn queue_feeds(keys: &MarketKeys, authority: &Pubkey, feeds: Feeds, dead: bool, expires_slot: u64) -> Instruction {
    build(
        &accounts::QueueFeeds {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            queued_change: addresses::queued_change(&keys.market, FEEDS, 0),
            system_program: system_program::ID,
        },
        &instruction::QueueFeeds {
            feeds,
            dead,
            expires_slot,
        },
    )
}

/// Pins the feeds that were queued, whose price accounts are `next`; those of the present ones are shown beside them,
/// unless they are `dead`. The protocol's authority signs and gets the entry's rent.
#[must_use]
pub fn execute_feeds(
    keys: &MarketKeys,
    authority: &Pubkey,
    feeds: Feeds,
    dead: bool,
    next: accounts::Feeds,
) -> Instruction {
    build(
        &accounts::ExecuteFeeds {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            queued_change: addresses::queued_change(&keys.market, FEEDS, 0),
            present: if dead { MarketKeys::KNOWN_FEEDS } else { keys.feeds() },
            next,
        },
        &instruction::ExecuteFeeds { feeds, dead },
    )
}

/// Creates the depth budget of an asset. The protocol's authority signs and pays its rent.
#[must_use]
pub fn create_depth_budget(authority: &Pubkey, asset: &str) -> Instruction {
    build(
        &accounts::CreateDepthBudget {
            protocol: addresses::protocol(),
            authority: *authority,
            depth_budget: addresses::depth_budget(asset),
            system_program: system_program::ID,
        },
        &instruction::CreateDepthBudget {
            name: addresses::depth_name(asset),
        },
    )
}

/// Queues a share of a depth budget for a market, bps, which may be done until the slot `expires_slot`. The protocol's
/// authority signs and pays the entry's rent.
#[must_use]
pub fn queue_depth_share(
    keys: &MarketKeys,
    authority: &Pubkey,
    depth_budget: &Pubkey,
    share: u32,
    expires_slot: u64,
) -> Instruction {
    build(
        &accounts::QueueDepthShare {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            depth_budget: *depth_budget,
            queued_change: addresses::queued_change(&keys.market, DEPTH, 0),
            system_program: system_program::ID,
        },
        &instruction::QueueDepthShare { share, expires_slot },
    )
}

/// Gives a market the queued share, of another budget or of the one that it has. The protocol's authority signs and
/// gets the entry's rent.
#[must_use]
pub fn execute_depth_share(
    keys: &MarketKeys,
    authority: &Pubkey,
    old_budget: &Pubkey,
    new_budget: &Pubkey,
    share: u32,
) -> Instruction {
    build(
        &accounts::ExecuteDepthShare {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            old_budget: *old_budget,
            new_budget: *new_budget,
            queued_change: addresses::queued_change(&keys.market, DEPTH, 0),
        },
        &instruction::ExecuteDepthShare { share },
    )
}

/// Lowers a market's share of its depth budget, bps. The emergency admin signs, or the authority.
#[must_use]
pub fn lower_depth_share(keys: &MarketKeys, signer: &Pubkey, depth_budget: &Pubkey, share: u32) -> Instruction {
    build(
        &accounts::LowerDepthShare {
            protocol: addresses::protocol(),
            signer: *signer,
            market: keys.market,
            depth_budget: *depth_budget,
        },
        &instruction::LowerDepthShare { share },
    )
}

/// Queues another emergency admin, which may be done until the slot `expires_slot`; the default key means
/// nobody. The protocol's authority signs and pays the entry's rent.
#[must_use]
pub fn queue_emergency_admin(authority: &Pubkey, emergency_admin: Pubkey, expires_slot: u64) -> Instruction {
    let protocol = addresses::protocol();
    build(
        &accounts::QueueEmergencyAdmin {
            protocol,
            authority: *authority,
            queued_change: addresses::queued_change(&protocol, EMERGENCY_ADMIN, 0),
            system_program: system_program::ID,
        },
        &instruction::QueueEmergencyAdmin {
            emergency_admin,
            expires_slot,
        },
    )
}

/// Names the emergency admin that was queued. The protocol's authority signs and gets the entry's rent.
#[must_use]
pub fn execute_emergency_admin(authority: &Pubkey, emergency_admin: Pubkey) -> Instruction {
    let protocol = addresses::protocol();
    build(
        &accounts::ExecuteEmergencyAdmin {
            protocol,
            authority: *authority,
            queued_change: addresses::queued_change(&protocol, EMERGENCY_ADMIN, 0),
        },
        &instruction::ExecuteEmergencyAdmin { emergency_admin },
    )
}

/// Queues another sentinel, which may be done until the slot `expires_slot`; the default key means nobody. The
/// protocol's authority signs and pays the entry's rent.
#[must_use]
pub fn queue_sentinel(authority: &Pubkey, sentinel: Pubkey, expires_slot: u64) -> Instruction {
    let protocol = addresses::protocol();
    build(
        &accounts::QueueSentinel {
            protocol,
            authority: *authority,
            queued_change: addresses::queued_change(&protocol, SENTINEL, 0),
            system_program: system_program::ID,
        },
        &instruction::QueueSentinel { sentinel, expires_slot },
    )
}

/// Names the sentinel that was queued. The protocol's authority signs and gets the entry's rent.
#[must_use]
pub fn execute_sentinel(authority: &Pubkey, sentinel: Pubkey) -> Instruction {
    let protocol = addresses::protocol();
    build(
        &accounts::ExecuteSentinel {
            protocol,
            authority: *authority,
            queued_change: addresses::queued_change(&protocol, SENTINEL, 0),
        },
        &instruction::ExecuteSentinel { sentinel },
    )
}

/// Raises the fall that new risk must leave cover for by `points` bps, for six hours. The sentinel signs.
#[must_use]
pub fn raise_stress(keys: &MarketKeys, sentinel: &Pubkey, points: u32) -> Instruction {
    build(
        &accounts::RaiseStress {
            protocol: addresses::protocol(),
            sentinel: *sentinel,
            market: keys.market,
        },
        &instruction::RaiseStress { points },
    )
}

/// Cancels an entry of the queue. The protocol's authority signs or the emergency admin; the rent goes to
/// `authority`.
#[must_use]
pub fn cancel_change(signer: &Pubkey, authority: &Pubkey, queued_change: &Pubkey) -> Instruction {
    build(
        &accounts::CancelChange {
            protocol: addresses::protocol(),
            signer: *signer,
            authority: *authority,
            queued_change: *queued_change,
        },
        &instruction::CancelChange {},
    )
}
