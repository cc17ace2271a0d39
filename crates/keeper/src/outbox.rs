//! Transactions under way: sent, repeated until they are confirmed or their blockhash expires, and then forgotten.
//! Their work is planned anew from the chain's state, so nothing depends on them.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use breakwater_engine::Key;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;

use crate::chain::Status;

/// How often a transaction is passed on again.
const REPEAT: Duration = Duration::from_secs(2);

/// Purpose of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Liquidating a batch.
    Liquidate,
    /// Showing the price.
    Observe,
    /// Settling a deficit.
    Settle,
    /// Claiming the bounty.
    Claim,
    /// Opening the ledger.
    OpenLedger,
    /// Looking after lookup tables.
    Table,
    /// Posting an update, or a part of it.
    Post,
    /// Closing what a posting has left behind.
    Reclaim,
}

impl Kind {
    /// For logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Liquidate => "liquidate",
            Self::Observe => "observe",
            Self::Settle => "settle",
            Self::Claim => "claim",
            Self::OpenLedger => "open_ledger",
            Self::Table => "table",
            Self::Post => "post",
            Self::Reclaim => "reclaim",
        }
    }
}

/// A transaction under way.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its purpose.
    pub kind: Kind,
    /// The transaction, signed.
    pub transaction: VersionedTransaction,
    /// Margin accounts that it liquidates: they are in no other one meanwhile.
    pub accounts: Vec<Key>,
    /// The last block height at which it is taken.
    pub last_valid: u64,
    /// When it was last passed on.
    pub sent: Instant,
}

impl Pending {
    /// Signature that the cluster knows it by.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.transaction.signatures.first().copied().unwrap_or_default()
    }
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Confirmed.
    Done,
    /// Confirmed, and failed: why.
    Failed(String),
    /// Its blockhash expired.
    Expired,
}

impl Outcome {
    /// For logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Expired => "expired",
        }
    }
}

/// All that is under way.
#[derive(Debug, Default)]
pub struct Outbox {
    pending: Vec<Pending>,
    /// How often in a row transactions expired and none was confirmed: they offered too little.
    pub expired_in_a_row: u32,
}

impl Outbox {
    /// One more.
    pub fn add(&mut self, pending: Pending) {
        self.pending.push(pending);
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// True if nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// How many of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.pending.iter().filter(|pending| pending.kind == kind).count()
    }

    /// The margin accounts that are being liquidated.
    #[must_use]
    pub fn busy(&self) -> HashSet<[u8; 32]> {
        self.pending
            .iter()
            .flat_map(|pending| pending.accounts.iter().map(|key| key.0))
            .collect()
    }

    /// Signatures that the cluster knows them by, in the order in which [`Outbox::settle`] takes the answers.
    #[must_use]
    pub fn signatures(&self) -> Vec<Signature> {
        self.pending.iter().map(Pending::signature).collect()
    }

    /// Takes out what has ended, given the statuses of all and the height of the newest block.
    pub fn settle(&mut self, statuses: &[Status], block_height: u64) -> Vec<(Pending, Outcome)> {
        let mut ended = Vec::new();
        let all = std::mem::take(&mut self.pending);
        for (number, pending) in all.into_iter().enumerate() {
            let outcome = match statuses.get(number).unwrap_or(&Status::Unknown) {
                Status::Done => Outcome::Done,
                Status::Failed(why) => Outcome::Failed(why.clone()),
                Status::Unknown if block_height > pending.last_valid => Outcome::Expired,
                Status::Unknown => {
                    self.pending.push(pending);
                    continue;
                }
            };
            ended.push((pending, outcome));
        }
        if ended.iter().any(|(_, outcome)| *outcome != Outcome::Expired) {
            self.expired_in_a_row = 0;
        } else if !ended.is_empty() {
            self.expired_in_a_row = self.expired_in_a_row.saturating_add(1);
        }
        ended
    }

    /// Transactions to pass on again now.
    pub fn to_repeat(&mut self, now: Instant) -> Vec<VersionedTransaction> {
        let due = self
            .pending
            .iter_mut()
            .filter(|pending| now.duration_since(pending.sent) >= REPEAT);
        due.map(|pending| {
            pending.sent = now;
            pending.transaction.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(kind: Kind, last_valid: u64, account: u8, sent: Instant) -> Pending {
        let transaction = VersionedTransaction {
            signatures: vec![Signature::from([account; 64])],
            ..VersionedTransaction::default()
        };
        Pending {
            kind,
            transaction,
            accounts: vec![Key([account; 32])],
            last_valid,
            sent,
        }
    }

    #[test]
    fn a_transaction_is_repeated_until_it_is_confirmed_fails_or_expires() {
        let start = Instant::now();
        let mut outbox = Outbox::default();
        for (account, last_valid) in [(1, 100), (2, 100), (3, 90), (4, 100)] {
            outbox.add(pending(Kind::Liquidate, last_valid, account, start));
        }
        assert_eq!(outbox.busy().len(), 4);
        assert!(outbox.to_repeat(start + Duration::from_millis(1_999)).is_empty());
        assert_eq!(outbox.to_repeat(start + REPEAT).len(), 4);
        assert!(outbox.to_repeat(start + REPEAT).is_empty(), "not twice");

        let failed = Status::Failed("x".to_owned());
        let ended = outbox.settle(&[Status::Done, failed, Status::Unknown, Status::Unknown], 91);
        let outcomes: Vec<(u8, Outcome)> = ended
            .into_iter()
            .map(|(pending, outcome)| (pending.accounts[0].0[0], outcome))
            .collect();
        assert_eq!(
            outcomes,
            [
                (1, Outcome::Done),
                (2, Outcome::Failed("x".to_owned())),
                (3, Outcome::Expired)
            ]
        );
        assert_eq!((outbox.busy(), outbox.expired_in_a_row), ([[4; 32]].into(), 0));
        for expired in 1..=2 {
            outbox.add(pending(Kind::Claim, 90, 5, start));
            outbox.settle(&[], 91);
            assert_eq!(outbox.expired_in_a_row, expired);
        }
        // A node that does not answer for all of them ends none.
        assert!(outbox.settle(&[], 100).is_empty());
        assert_eq!(outbox.settle(&[Status::Done], 100).len(), 1);
        assert_eq!((outbox.len(), outbox.expired_in_a_row), (0, 0));
    }
}
