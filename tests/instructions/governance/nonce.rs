//! Approvals that were signed with a durable nonce and kept back: real transactions with a real nonce account, on
//! Agave's own bank.

use super::{
    cast::DAY,
    entries::{Kind, Stand},
    parameters::change,
};
use crate::scene::USDC;
use anchor_lang::{
    prelude::{Pubkey, pubkey},
    solana_program::instruction::{AccountMeta, Instruction},
    system_program,
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Parameter, governance::LONGEST_APPROVAL};
use breakwater_testkit::{
    Account, Actor, BackendKind, World,
    backend::{Backend, Executed},
    ix,
    keys::address_for,
    program_file::{breakwater_program, rent_exempt},
};
use solana_hash::Hash;
use solana_message::{VersionedMessage, legacy};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::{cell::RefCell, rc::Rc};

const RECENT_BLOCKHASHES: Pubkey = pubkey!("SysvarRecentB1ockHashes11111111111111111111");

/// A backend that the world and the test both hold: the test sends what was signed before.
#[derive(Clone)]
struct Shared(Rc<RefCell<Box<dyn Backend>>>);

impl Backend for Shared {
    fn blockhash(&mut self) -> Hash {
        self.0.borrow_mut().blockhash()
    }

    fn send(&mut self, transaction: VersionedTransaction) -> Executed {
        self.0.borrow_mut().send(transaction)
    }

    fn account(&mut self, address: &Pubkey) -> Option<Account> {
        self.0.borrow_mut().account(address)
    }

    fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.0.borrow_mut().set_account(address, account);
    }

    fn set_clock(&mut self, unix: i64, slot: u64) {
        self.0.borrow_mut().set_clock(unix, slot);
    }
}

/// The stand of the queue, and a door to its chain for whoever holds signed transactions.
struct Drawer {
    stand: Stand,
    chain: Shared,
    /// Pays the fees and advances the nonces: the world does not know it.
    relayer: Actor,
    nonces: u8,
}

/// A transaction that was signed and not sent.
struct Approval {
    transaction: VersionedTransaction,
    nonce: Pubkey,
}

impl Drawer {
    fn new(kind: Kind) -> Self {
        let authority = Actor::new("upgrade authority");
        let programs = [(breakwater::ID, authority.key(), breakwater_program())];
        let mut chain = Shared(Rc::new(RefCell::new(BackendKind::ProgramTest.start(&programs))));
        let relayer = Actor::new("relayer");
        let world = World::on(Box::new(chain.clone()), &authority);
        let lamports = 1_000_000_000;
        let owner = system_program::ID;
        chain.set_account(
            &relayer.key(),
            Account {
                lamports,
                owner,
                ..Account::default()
            },
        );
        Self {
            stand: Stand::new(world, kind),
            chain,
            relayer,
            nonces: 0,
        }
    }

    /// Signs it with a nonce account of its own.
    fn sign(&mut self, ix: Instruction, signer: &Actor) -> Approval {
        self.nonces += 1;
        let nonce = address_for(&format!("nonce account {}", self.nonces));
        let value = Hash::new_from_array([self.nonces; 32]);
        self.chain
            .set_account(&nonce, nonce_account(&self.relayer.key(), &value));
        let advance = Instruction {
            program_id: system_program::ID,
            accounts: vec![
                AccountMeta::new(nonce, false),
                AccountMeta::new_readonly(RECENT_BLOCKHASHES, false),
                AccountMeta::new_readonly(self.relayer.key(), true),
            ],
            data: 4u32.to_le_bytes().to_vec(),
        };
        let message = legacy::Message::new_with_blockhash(&[advance, ix], Some(&self.relayer.key()), &value);
        let keypairs = [self.relayer.keypair(), signer.keypair()];
        let transaction = VersionedTransaction::try_new(VersionedMessage::Legacy(message), &keypairs).unwrap();
        Approval { transaction, nonce }
    }

    /// Sends it now, whenever it was signed.
    fn submit(&mut self, approval: &Approval) -> Executed {
        self.chain.send(approval.transaction.clone())
    }

    /// Sends it, and it is refused with this error; nothing changes but its nonce.
    #[track_caller]
    fn refused(&mut self, approval: &Approval, expected: BreakwaterError) {
        let mut chain = self.chain.clone();
        let nonce = chain.account(&approval.nonce).unwrap();
        let executed = self
            .stand
            .world
            .expect_unchanged(|_| chain.send(approval.transaction.clone()));
        let code = anchor_lang::solana_program::instruction::error::InstructionError::Custom(expected.into());
        let error = Err(TransactionError::InstructionError(1, code));
        assert_eq!(executed.result, error, "{expected:?}: {:#?}", executed.logs);
        // It was taken for a transaction with a nonce.
        assert_ne!(chain.account(&approval.nonce).unwrap(), nonce);
    }

    #[track_caller]
    fn passes(&mut self, approval: &Approval) {
        let executed = self.submit(approval);
        assert_eq!(executed.result, Ok(()), "{:#?}", executed.logs);
    }
}

/// A nonce account as the system program writes it: version, state, authority, nonce, fee.
fn nonce_account(authority: &Pubkey, value: &Hash) -> Account {
    let mut data = [1u32.to_le_bytes(), 1u32.to_le_bytes()].concat();
    data.extend_from_slice(authority.as_ref());
    data.extend_from_slice(value.as_ref());
    data.extend_from_slice(&5_000u64.to_le_bytes());
    Account {
        lamports: rent_exempt(data.len()),
        data,
        owner: system_program::ID,
        ..Account::default()
    }
}

#[test]
fn a_transaction_with_a_nonce_keeps_for_days_and_goes_through_once() {
    let mut drawer = Drawer::new(Kind::Parameters);
    let authority = drawer.stand.authority.clone();
    let queue = drawer.stand.queue(&authority, false);
    let approval = drawer.sign(queue, &authority);
    drawer.stand.world.advance(10 * DAY);
    drawer.passes(&approval);
    assert_eq!(drawer.stand.queued().unwrap().queued_at, drawer.stand.world.unix());
    let again = drawer.submit(&approval);
    assert_ne!(again.result, Ok(()));
    assert!(
        !matches!(again.result, Err(TransactionError::InstructionError(..))),
        "{:?}",
        again.result
    );
}

#[test]
fn what_was_approved_is_queued_until_the_slot_that_its_signers_named_and_not_later() {
    for kind in Kind::ALL {
        for (late, passes) in [(0, true), (1, false), (100 * LONGEST_APPROVAL, false)] {
            let mut drawer = Drawer::new(kind);
            let authority = drawer.stand.authority.clone();
            let queue = drawer.stand.queue(&authority, false);
            let approval = drawer.sign(queue, &authority);
            let (unix, slot) = (drawer.stand.world.unix(), drawer.stand.world.slot());
            drawer.stand.world.set_clock(unix, slot + LONGEST_APPROVAL + late);
            if passes {
                drawer.passes(&approval);
                assert!(drawer.stand.queued().is_some());
            } else {
                drawer.refused(&approval, BreakwaterError::ApprovalExpired);
            }
        }
    }
}

#[test]
fn an_execution_that_was_approved_in_time_is_worth_nothing_once_the_entry_has_expired() {
    for kind in Kind::ALL {
        let mut drawer = Drawer::new(kind);
        let authority = drawer.stand.authority.clone();
        let queue = drawer.stand.queue(&authority, false);
        drawer.stand.world.send(&[queue], &[&authority]).unwrap();
        drawer.stand.world.wait_out_timelock();
        let execute = drawer.stand.execute(&authority, false);
        let approval = drawer.sign(execute, &authority);
        let world = &mut drawer.stand.world;
        world.set_clock(world.unix() + 3 * i64::from(DAY) + 1, world.slot());
        drawer.refused(&approval, BreakwaterError::Expired);
    }
}

#[test]
fn an_execution_that_was_kept_back_does_only_what_is_queued_now() {
    let mut drawer = Drawer::new(Kind::Parameters);
    let authority = drawer.stand.authority.clone();
    let execute = drawer.stand.execute(&authority, false);
    let approval = drawer.sign(execute, &authority);
    // Another change is queued under the same number.
    let queue = drawer.stand.queue(&authority, true);
    drawer.stand.world.send(&[queue], &[&authority]).unwrap();
    drawer.stand.world.wait_out_timelock();
    drawer.refused(&approval, BreakwaterError::ChangeHashMismatch);
}

#[test]
fn what_else_was_approved_a_year_ago_is_worth_nothing() {
    let mut drawer = Drawer::new(Kind::Parameters);
    let (authority, market) = (drawer.stand.authority.clone(), drawer.stand.market);
    let key = authority.key();
    let world = &mut drawer.stand.world;
    let (start, longest) = (world.unix() + i64::from(4 * DAY), world.longest_approval());
    let tighter = vec![change(Parameter::initial_ltv, 6_999)];
    let end = start + i64::from(30 * DAY);
    let approvals = [
        (
            ix::announce_liquidation_ltv(&market, &key, 7_900, start, end),
            BreakwaterError::RampTooSoon,
        ),
        (
            ix::queue_equity_withdrawal(&market, &key, 1, longest),
            BreakwaterError::ApprovalExpired,
        ),
        (
            ix::queue_equity_withdrawal(&market, &key, 0, longest),
            BreakwaterError::ApprovalExpired,
        ),
        (ix::withdraw_equity(&market, &key), BreakwaterError::Expired),
        (ix::tighten(&market, &key, tighter), BreakwaterError::StaleChange),
        (
            ix::set_emergency_admin(&key, key),
            BreakwaterError::EmergencyAdminByQueue,
        ),
        (ix::accept_authority(&key), BreakwaterError::NotProposed),
    ]
    .map(|(ix, expected)| (drawer.sign(ix, &authority), expected));
    let world = &mut drawer.stand.world;
    world.fund(&authority, &market.quote_mint, 0);
    world.queue_equity_withdrawal(&market, USDC).unwrap();
    let tighter = [change(Parameter::initial_ltv, 6_500)];
    world.tighten(&market, &authority, &tighter).unwrap();
    world.advance(365 * DAY);
    for (approval, expected) in &approvals {
        drawer.refused(approval, *expected);
    }
}

#[test]
fn a_hand_over_that_was_approved_a_year_ago_is_worth_nothing() {
    let mut drawer = Drawer::new(Kind::Parameters);
    let (authority, mallory) = (drawer.stand.authority.clone(), drawer.stand.world.actor("mallory"));
    let until = drawer.stand.world.longest_approval();
    let propose = ix::propose_authority(&authority.key(), mallory.key(), until);
    let approval = drawer.sign(propose, &authority);
    drawer.stand.world.advance(365 * DAY);
    drawer.refused(&approval, BreakwaterError::ApprovalExpired);
}

#[test]
fn a_proposal_is_accepted_in_its_last_slot_and_not_after() {
    for (late, expected) in [(0, None), (1, Some(BreakwaterError::Expired))] {
        let mut stand = Drawer::new(Kind::Parameters).stand;
        let (authority, pia) = (stand.authority.clone(), stand.world.actor("pia"));
        let until = stand.world.slot() + 1_000;
        let propose = ix::propose_authority(&authority.key(), pia.key(), until);
        stand.world.send(&[propose], &[&authority]).unwrap();
        let now = stand.world.unix();
        stand.world.set_clock(now, until + late);
        let accept = ix::accept_authority(&pia.key());
        if let Some(error) = expected {
            stand.world.assert_error_unchanged(&[accept], &[&pia], error);
        } else {
            stand.world.send(&[accept], &[&pia]).unwrap();
            assert_eq!(stand.world.protocol().authority, pia.key());
        }
    }
}

#[test]
fn a_proposal_cannot_be_approved_for_ever() {
    let mut stand = Drawer::new(Kind::Parameters).stand;
    let (authority, longest) = (stand.authority.clone(), stand.world.longest_approval());
    let propose = ix::propose_authority(&authority.key(), authority.key(), longest + 1);
    stand
        .world
        .assert_error_unchanged(&[propose], &[&authority], BreakwaterError::ApprovalTooLong);
}
