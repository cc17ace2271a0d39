//! A cluster of one node in this process: LiteSVM, which checks signatures, blockhashes, duplicates and compute limits
//! as a real one does. The test's world and the keeper's node share it. Time is what the world says.

use std::sync::{Arc, Mutex, MutexGuard};

use anchor_lang::prelude::Pubkey;
use breakwater::events::{AccountsLiquidated, Liquidated};
use breakwater_client::{decode, logs};
use breakwater_engine::Key;
use breakwater_keeper::{
    chain::{Answer, At, Blockhash, Chain, Simulated, Status, Tables},
    index::Entry,
    prices,
    rotation::Trouble,
};
use breakwater_testkit::{
    Account, Actor, World,
    backend::{Backend, Executed, LOG_BYTES},
    program_file::{breakwater_program, pyth_programs, upgradeable_program},
};
use litesvm::{
    LiteSVM,
    types::{FailedTransactionMetadata, TransactionMetadata},
};
use solana_clock::Clock;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

/// Transactions that are remembered: more than any test sends.
const HISTORY: usize = 100_000;

/// The machine, and what the keeper had it do.
struct Machine {
    svm: LiteSVM,
    sent: Vec<Sent>,
}

/// Fate of a transaction that a keeper sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When, seconds since 1970.
    pub unix: i64,
    /// Compute units asked for.
    pub limit: u64,
    /// Compute units taken.
    pub units: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// Whom it liquidated.
    pub liquidated: Vec<Liquidated>,
}

/// A handle on it.
#[derive(Clone)]
pub struct Cluster(Arc<Mutex<Machine>>);

impl Cluster {
    /// A cluster with the compiled program, and the world on it.
    pub fn start() -> (Self, World) {
        let authority = Actor::new("upgrade authority");
        let svm = LiteSVM::new()
            .with_log_bytes_limit(Some(LOG_BYTES))
            .with_transaction_history(HISTORY);
        let mut cluster = Self(Arc::new(Mutex::new(Machine { svm, sent: Vec::new() })));
        for (address, account) in upgradeable_program(&breakwater::ID, &authority.key(), &breakwater_program()) {
            cluster.set_account(&address, account);
        }
        let world = World::on(Box::new(cluster.clone()), &authority);
        (cluster, world)
    }

    /// Adds Pyth's programs, played by their double.
    pub fn install_pyth(&mut self) {
        for (program, authority, elf) in pyth_programs() {
            for (address, account) in upgradeable_program(&program, &authority, &elf) {
                self.set_account(&address, account);
            }
        }
    }

    /// Every transaction that a keeper has sent, in their order.
    pub fn sent(&self) -> Vec<Sent> {
        self.machine().sent.clone()
    }

    /// How many accounts a program has.
    pub fn of_program(&self, program: &Pubkey) -> usize {
        self.machine().svm.get_program_accounts(program).len()
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap()
    }

    fn slot(&self) -> u64 {
        self.machine().svm.get_sysvar::<Clock>().slot
    }
}

impl Backend for Cluster {
    fn blockhash(&mut self) -> Hash {
        self.machine().svm.latest_blockhash()
    }

    fn send(&mut self, transaction: VersionedTransaction) -> Executed {
        let (result, metadata) = match self.machine().svm.send_transaction(transaction) {
            Ok(metadata) => (Ok(()), metadata),
            Err(FailedTransactionMetadata { err, meta }) => (Err(err), meta),
        };
        Executed {
            result,
            logs: metadata.logs,
            compute_units: metadata.compute_units_consumed,
        }
    }

    fn account(&mut self, address: &Pubkey) -> Option<Account> {
        self.machine().svm.get_account(address)
    }

    fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.machine().svm.set_account(*address, account).unwrap();
    }

    fn set_clock(&mut self, unix: i64, slot: u64) {
        let svm = &mut self.machine().svm;
        svm.set_sysvar(&Clock {
            slot,
            unix_timestamp: unix,
            ..Clock::default()
        });
        // A new block: the same transaction is another one in it.
        svm.expire_blockhash();
    }
}

/// Compute units that the first instruction of a keeper's transaction asks for.
fn limit(transaction: &VersionedTransaction) -> u64 {
    let first = &transaction.message.instructions()[0].data;
    let [2, limit @ ..] = first.as_slice() else {
        panic!("not SetComputeUnitLimit: {first:?}")
    };
    u32::from_le_bytes(limit.try_into().unwrap()).into()
}

fn read(account: Account) -> prices::Account {
    prices::Account {
        owner: account.owner,
        data: account.data,
        lamports: account.lamports,
    }
}

impl Chain for Cluster {
    async fn genesis(&self) -> Answer<String> {
        Ok("this one".to_owned())
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Answer<At<Vec<Option<prices::Account>>>> {
        let slot = self.slot();
        let svm = &self.machine().svm;
        let value = addresses
            .iter()
            .map(|address| svm.get_account(address).map(read))
            .collect();
        Ok(At { slot, value })
    }

    async fn margin_accounts(&self, market: &Key) -> Answer<At<Vec<Entry>>> {
        let slot = self.slot();
        let all = self.machine().svm.get_program_accounts(&breakwater::ID);
        let of_market = all.into_iter().filter_map(|(address, account)| {
            let margin = decode::margin_account(&account.data).ok()?;
            (margin.market == *market).then(|| Entry::new(Key(address.to_bytes()), &margin, slot))
        });
        let value = of_market.collect();
        Ok(At { slot, value })
    }

    async fn lookup_tables(&self, _: &Pubkey) -> Answer<At<Tables>> {
        Err(Trouble::Failed("not asked for here".to_owned()))
    }

    async fn encoded_vaas(&self, bridge: &Pubkey, authority: &Pubkey) -> Answer<Vec<Pubkey>> {
        let all = self.machine().svm.get_program_accounts(bridge);
        let owned = all
            .into_iter()
            .filter(|(_, account)| account.data.get(9..41) == Some(authority.as_ref()));
        Ok(owned.map(|(address, _)| address).collect())
    }

    async fn rent(&self, bytes: usize) -> Answer<u64> {
        Ok(self.machine().svm.minimum_balance_for_rent_exemption(bytes))
    }

    async fn recent_fees(&self, _: &Pubkey) -> Answer<Vec<u64>> {
        Ok(Vec::new())
    }

    async fn blockhash(&self) -> Answer<Blockhash> {
        let last_valid = self.slot() + 150;
        let hash = self.machine().svm.latest_blockhash();
        Ok(Blockhash { hash, last_valid })
    }

    async fn block_height(&self) -> Answer<u64> {
        Ok(self.slot())
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Answer<Simulated> {
        let (error, meta) = match self.machine().svm.simulate_transaction(transaction.clone()) {
            Ok(simulated) => (None, simulated.meta),
            Err(failed) => (Some(failed.err.to_string()), failed.meta),
        };
        let TransactionMetadata {
            logs,
            compute_units_consumed: units,
            ..
        } = meta;
        Ok(Simulated { error, logs, units })
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Answer<()> {
        let mut machine = self.machine();
        let unix = machine.svm.get_sysvar::<Clock>().unix_timestamp;
        let limit = limit(transaction);
        let (error, meta) = match machine.svm.send_transaction(transaction.clone()) {
            Ok(meta) => (None, meta),
            Err(failed) => (Some(failed.err.to_string()), failed.meta),
        };
        let events = logs::events::<AccountsLiquidated>(&meta.logs);
        machine.sent.push(Sent {
            unix,
            limit,
            units: meta.compute_units_consumed,
            error,
            liquidated: events.into_iter().flat_map(|event| event.liquidated).collect(),
        });
        Ok(())
    }

    async fn statuses(&self, signatures: &[Signature]) -> Answer<Vec<Status>> {
        let svm = &self.machine().svm;
        let status = |signature| match svm.get_transaction(signature) {
            None => Status::Unknown,
            Some(Ok(_)) => Status::Done,
            Some(Err(failed)) => Status::Failed(failed.err.to_string()),
        };
        Ok(signatures.iter().map(status).collect())
    }
}
