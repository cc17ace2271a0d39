//! Where transactions run. Both backends execute the compiled program in the real virtual machine.

mod lite_svm;
mod program_test;

pub use lite_svm::LiteSvmBackend;
pub use program_test::ProgramTestBackend;

use anchor_lang::prelude::Pubkey;
use solana_account::Account;
use solana_hash::Hash;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

/// Bytes of a transaction's log that the cluster keeps; what comes after them is cut off.
pub const LOG_BYTES: usize = 10_000;

/// Result of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The runtime's verdict.
    pub result: Result<(), TransactionError>,
    /// The log's lines, as far as the cluster would keep them.
    pub logs: Vec<String>,
    /// Compute units of the whole transaction.
    pub compute_units: u64,
}

/// A local chain without a clock of its own: time is what the test says.
pub trait Backend {
    /// A blockhash that the next transaction may carry.
    fn blockhash(&mut self) -> Hash;

    /// Executes a signed transaction. A failed one changes nothing but the fee payer's balance.
    fn send(&mut self, transaction: VersionedTransaction) -> Executed;

    /// The account at an address, `None` if there is none.
    fn account(&mut self, address: &Pubkey) -> Option<Account>;

    /// Writes an account, whoever owns it.
    fn set_account(&mut self, address: &Pubkey, account: Account);

    /// Sets what programs read from the clock.
    fn set_clock(&mut self, unix: i64, slot: u64);
}

/// Which backend a world runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// `solana-program-test`: Agave's own bank, with every feature of the runtime switched on.
    ProgramTest,
    /// LiteSVM: the same virtual machine without a bank around it; thousands of transactions a second. Features
    /// as on mainnet.
    LiteSvm,
}

impl BackendKind {
    /// Both, for tests that must hold on either.
    pub const ALL: [Self; 2] = [Self::ProgramTest, Self::LiteSvm];

    /// A fresh chain that holds these programs: (address, upgrade authority, ELF).
    #[must_use]
    pub fn start(self, programs: &[(Pubkey, Pubkey, Vec<u8>)]) -> Box<dyn Backend> {
        match self {
            Self::ProgramTest => Box::new(ProgramTestBackend::new(programs)),
            Self::LiteSvm => Box::new(LiteSvmBackend::new(programs)),
        }
    }
}
