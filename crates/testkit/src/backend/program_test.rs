//! The backend on `solana-program-test`.

use super::{Backend, Executed};
use crate::{
    program_file::upgradeable_program,
    pyth::{RECEIVERS, receiver},
};
use anchor_lang::prelude::Pubkey;
use solana_account::{Account, AccountSharedData};
use solana_clock::Clock;
use solana_hash::Hash;
use solana_program_test::{ProgramTest, ProgramTestContext, processor};
use solana_transaction::versioned::VersionedTransaction;
use tokio::runtime::{Builder, Runtime};

/// The accounts that one transaction may lock on mainnet; with all features on, the runtime would allow 128.
const ACCOUNT_LOCKS: usize = 64;

/// Agave's bank in the test's own process. It owns its async runtime, so tests stay plain functions.
pub struct ProgramTestBackend {
    // Dropped before the runtime on which its task runs.
    context: ProgramTestContext,
    runtime: Runtime,
}

impl ProgramTestBackend {
    /// A fresh bank that holds these upgradeable programs: (address, upgrade authority, ELF); and the Pyth receivers,
    /// as far as that they close accounts of theirs.
    ///
    /// # Panics
    /// If the async runtime cannot start.
    #[must_use]
    pub fn new(programs: &[(Pubkey, Pubkey, Vec<u8>)]) -> Self {
        Self::with(programs, |_| ())
    }

    /// [`ProgramTestBackend::new`] with whatever else `add` puts on the chain: programs written in the test itself,
    /// with [`solana_program_test::processor`].
    ///
    /// # Panics
    /// If the async runtime cannot start.
    #[must_use]
    pub fn with(programs: &[(Pubkey, Pubkey, Vec<u8>)], add: impl FnOnce(&mut ProgramTest)) -> Self {
        // One thread: the bank's background task runs only while a call waits, so nothing happens between calls.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("an async runtime");
        let mut test = ProgramTest::default();
        if std::env::var_os("RUST_LOG").is_none() {
            // ProgramTest prints every log line of every program by default.
            log::set_max_level(log::LevelFilter::Error);
        }
        test.prefer_bpf(false);
        for receiver in RECEIVERS {
            test.add_program("pyth receiver", receiver, processor!(receiver::process));
        }
        add(&mut test);
        test.prefer_bpf(true);
        test.set_transaction_account_lock_limit(ACCOUNT_LOCKS);
        for (program, authority, elf) in programs {
            for (address, account) in upgradeable_program(program, authority, elf) {
                test.add_account(address, account);
            }
        }
        let context = runtime.block_on(test.start_with_context());
        Self { context, runtime }
    }
}

impl Backend for ProgramTestBackend {
    fn blockhash(&mut self) -> Hash {
        self.runtime
            .block_on(self.context.banks_client.get_latest_blockhash())
            .expect("a blockhash from the bank")
    }

    fn send(&mut self, transaction: VersionedTransaction) -> Executed {
        let answer = self
            .runtime
            .block_on(self.context.banks_client.process_transaction_with_metadata(transaction))
            .expect("an answer from the bank");
        let (logs, compute_units) = answer.metadata.map_or_else(Default::default, |metadata| {
            (metadata.log_messages, metadata.compute_units_consumed)
        });
        Executed {
            result: answer.result,
            logs,
            compute_units,
        }
    }

    fn account(&mut self, address: &Pubkey) -> Option<Account> {
        self.runtime
            .block_on(self.context.banks_client.get_account(*address))
            .expect("an answer from the bank")
    }

    fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.context.set_account(address, &AccountSharedData::from(account));
    }

    fn set_clock(&mut self, unix: i64, slot: u64) {
        let clock = Clock {
            slot,
            unix_timestamp: unix,
            ..Clock::default()
        };
        self.context.set_sysvar(&clock);
    }
}
