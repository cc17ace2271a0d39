//! The backend on LiteSVM.

use super::{Backend, Executed, LOG_BYTES};
use crate::program_file::upgradeable_program;
use anchor_lang::prelude::Pubkey;
use litesvm::LiteSVM;
use solana_account::Account;
use solana_clock::Clock;
use solana_hash::Hash;
use solana_transaction::versioned::VersionedTransaction;

/// The virtual machine with a map of accounts.
pub struct LiteSvmBackend {
    svm: LiteSVM,
}

impl LiteSvmBackend {
    /// A fresh chain that holds these upgradeable programs: (address, upgrade authority, ELF).
    ///
    /// # Panics
    /// If an ELF does not verify.
    #[must_use]
    pub fn new(programs: &[(Pubkey, Pubkey, Vec<u8>)]) -> Self {
        // The world signs every transaction that it sends, so verifying would only cost time: most of it, in a debug
        // build. solana-program-test's bank does not verify either.
        let svm = LiteSVM::new()
            .with_log_bytes_limit(Some(LOG_BYTES))
            .with_transaction_history(0)
            .with_sigverify(false);
        let mut backend = Self { svm };
        for (program, authority, elf) in programs {
            for (address, account) in upgradeable_program(program, authority, elf) {
                backend.set_account(&address, account);
            }
        }
        backend
    }
}

impl Backend for LiteSvmBackend {
    fn blockhash(&mut self) -> Hash {
        self.svm.latest_blockhash()
    }

    fn send(&mut self, transaction: VersionedTransaction) -> Executed {
        let (result, metadata) = match self.svm.send_transaction(transaction) {
            Ok(metadata) => (Ok(()), metadata),
            Err(failed) => (Err(failed.err), failed.meta),
        };
        Executed {
            result,
            logs: metadata.logs,
            compute_units: metadata.compute_units_consumed,
        }
    }

    fn account(&mut self, address: &Pubkey) -> Option<Account> {
        self.svm.get_account(address)
    }

    fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.svm
            .set_account(*address, account)
            .expect("an account that LiteSVM can load");
    }

    fn set_clock(&mut self, unix: i64, slot: u64) {
        let clock = Clock {
            slot,
            unix_timestamp: unix,
            ..Clock::default()
        };
        self.svm.set_sysvar(&clock);
    }
}
