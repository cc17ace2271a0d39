use std::{path::PathBuf, time::Duration};

use anchor_lang::prelude::Pubkey;

use crate::{crank::Cranks, fee::FeePolicy};

/// Settings of a keeper.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The market.
    pub market: Pubkey,
    /// Time between two looks at the market; a price that changes is looked at before.
    pub interval: Duration,
    /// Time between two loads of all accounts.
    pub resync: Duration,
    /// Most transactions with liquidations under way.
    pub in_flight: usize,
    /// Send nothing.
    pub dry_run: bool,
    /// Prices offered for a place in a block.
    pub fees: FeePolicy,
    /// The other cranks.
    pub cranks: Cranks,
    /// Lookup tables.
    pub tables: TableSettings,
    /// Move of the price between the chain's accounts and the newest update that alone is a reason to post it, bps.
    pub post_bps: u64,
    /// File of the collateral's depth measured by `breakwater depth`: to warn of a market that sells more than that.
    pub depth_file: Option<PathBuf>,
    /// How far the cluster's clock may be from this machine's, s; `None` does not look.
    pub clock_drift: Option<i64>,
}

/// About lookup tables.
#[derive(Clone, Debug)]
pub struct TableSettings {
    /// Most tables in use; each holds about 250 accounts and locks about 0.06 SOL. Zero uses none.
    pub most: usize,
    /// Accounts that this much of a fall would liquidate are put into tables, bps.
    pub within: u64,
    /// Tables to use besides those that are found by the keeper's authority over them: some nodes do not answer that
    /// question.
    pub given: Vec<Pubkey>,
}
