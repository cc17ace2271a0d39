//! Sending.

use super::World;
use crate::{
    actor::Actor,
    backend::LOG_BYTES,
    keys,
    outcome::{self, Failure, Outcome},
    program_file::rent_exempt,
};
use anchor_lang::{
    prelude::{Pubkey, pubkey},
    solana_program::instruction::Instruction,
};
use breakwater_client::budget;
use solana_account::Account;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0};
use solana_transaction::versioned::VersionedTransaction;

/// The largest transaction that the network carries, bytes.
pub const TRANSACTION_BYTES: usize = 1_232;

/// The most compute units that a transaction may ask for.
const COMPUTE_UNITS: u32 = 1_400_000;

const LOOKUP_TABLES: Pubkey = pubkey!("AddressLookupTab1e1111111111111111111111111");

impl World {
    /// Sends instructions in one transaction. The world's own payer pays the fee; `signers` sign as well.
    ///
    /// # Errors
    /// [`Failure`] if it was refused.
    ///
    /// # Panics
    /// If a signature is missing or the transaction is too large, if it took more compute units than the client would
    /// have asked for, and if afterwards an identity is broken.
    #[track_caller]
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Actor]) -> Result<Outcome, Failure> {
        self.send_with_tables(instructions, signers, &[])
    }

    /// [`World::send`] with address lookup tables.
    ///
    /// # Errors
    /// [`Failure`] if it was refused.
    ///
    /// # Panics
    /// As [`World::send`].
    #[track_caller]
    pub fn send_with_tables(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Actor],
        tables: &[AddressLookupTableAccount],
    ) -> Result<Outcome, Failure> {
        let touched: Vec<Pubkey> = instructions
            .iter()
            .flat_map(|ix| ix.accounts.iter().map(|meta| meta.pubkey))
            .collect();
        self.watch(&touched);
        let transaction = self.sign(instructions, signers, tables);
        let bytes = size(&transaction);
        assert!(
            bytes <= TRANSACTION_BYTES,
            "the transaction has {bytes} bytes, more than {TRANSACTION_BYTES}"
        );
        let executed = self.backend.send(transaction);
        assert_log_is_whole(&executed.logs);
        let outcome = outcome::read(executed, bytes)?;
        if self.check_budgets {
            assert_within_budget(instructions, outcome.transaction_compute_units);
        }
        self.learn(&touched);
        if self.check_identities {
            self.assert_identities();
        }
        Ok(outcome)
    }

    /// How large a transaction would be, bytes; at most [`TRANSACTION_BYTES`] can be sent.
    ///
    /// # Panics
    /// If a signature is missing.
    #[track_caller]
    pub fn transaction_size(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Actor],
        tables: &[AddressLookupTableAccount],
    ) -> usize {
        size(&self.sign(instructions, signers, tables))
    }

    fn sign(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Actor],
        tables: &[AddressLookupTableAccount],
    ) -> VersionedTransaction {
        // The price differs each time, so that a repeated action is another transaction and not a duplicate.
        self.transactions += 1;
        let mut all = vec![
            ComputeBudgetInstruction::set_compute_unit_limit(COMPUTE_UNITS),
            ComputeBudgetInstruction::set_compute_unit_price(self.transactions),
        ];
        all.extend_from_slice(instructions);
        let blockhash = self.backend.blockhash();
        let message = v0::Message::try_compile(&self.payer.key(), &all, tables, blockhash)
            .unwrap_or_else(|error| panic!("the message does not compile: {error}"));
        let mut keypairs: Vec<&Keypair> = vec![self.payer.keypair()];
        keypairs.extend(signers.iter().map(|actor| actor.keypair()));
        VersionedTransaction::try_new(VersionedMessage::V0(message), &keypairs)
            .unwrap_or_else(|error| panic!("signers do not match the instructions: {error}"))
    }

    /// Writes an address lookup table that holds these addresses and is already active.
    pub fn lookup_table(&mut self, name: &str, addresses: &[Pubkey]) -> AddressLookupTableAccount {
        let key = keys::address_for(&format!("lookup table {name}"));
        // The program's state in its bincode form, padded to 56 bytes: tag, deactivation slot (never), slot and
        // start index of the last extension, no authority.
        let mut data = 1u32.to_le_bytes().to_vec();
        data.extend_from_slice(&u64::MAX.to_le_bytes());
        data.resize(56, 0);
        data.extend(addresses.iter().flat_map(Pubkey::to_bytes));
        let account = Account {
            lamports: rent_exempt(data.len()),
            data,
            owner: LOOKUP_TABLES,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.set_account(&key, account);
        AddressLookupTableAccount {
            key,
            addresses: addresses.to_vec(),
        }
    }
}

fn size(transaction: &VersionedTransaction) -> usize {
    const SIGNATURE_BYTES: usize = 64;
    const COUNT_BYTES: usize = 1;
    COUNT_BYTES + SIGNATURE_BYTES * transaction.signatures.len() + transaction.message.serialize().len()
}

/// Whoever sends these instructions with the client's budget has them done.
#[track_caller]
fn assert_within_budget(instructions: &[Instruction], units: u64) {
    let budgets: Option<Vec<u32>> = instructions.iter().map(budget::units).collect();
    let Some(budgets) = budgets else { return };
    let asked = budgets.into_iter().map(u64::from).sum::<u64>() + u64::from(budget::OWN_UNITS);
    assert!(
        units <= asked,
        "{units} compute units, of which the client's budget has {asked}"
    );
}

/// A log that the cluster would cut off may lose an event: whoever reads events would never know.
#[track_caller]
fn assert_log_is_whole(logs: &[String]) {
    let bytes: usize = logs.iter().map(String::len).sum();
    let cut = logs.iter().any(|line| line == "Log truncated");
    assert!(
        !cut && bytes <= LOG_BYTES,
        "the log has {bytes} bytes, more than {LOG_BYTES}, or was cut off"
    );
}
