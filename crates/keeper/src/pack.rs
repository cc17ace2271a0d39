//! Which accounts go into which transaction: as many as fit in bytes, account locks and compute units, the most urgent
//! first, and those of one lookup table together.

use anchor_lang::prelude::Pubkey;
use breakwater_client::budget;

use crate::{
    limits::{ACCOUNT_LOCKS, TRANSACTION_BYTES},
    table::Table,
};

/// Accounts that every batch of a market names besides its margin accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Accounts that a lookup table may hold: market, ledger, feeds. Each once.
    pub movable: Vec<Pubkey>,
    /// Number of those that it may not: the keeper, who signs and pays, and the programs that are called.
    pub stuck: usize,
    /// Accounts of the instruction before its margin accounts; the same one may count twice.
    pub named: usize,
}

/// One transaction's margin accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Which of the tables it uses.
    pub table: Option<usize>,
    /// The accounts, the most urgent first.
    pub accounts: Vec<Pubkey>,
}

/// Bytes of a signed transaction with one `liquidate_batch` and the three instructions that set the budget.
///
/// `inside`: margin accounts in the lookup table, if there is one; `outside`: the others.
#[must_use]
pub fn bytes(fixed: &Fixed, table: Option<&Table>, inside: usize, outside: usize) -> usize {
    const SIGNATURE: usize = 1 + 64;
    const HEADER: usize = 1 + 3;
    const BLOCKHASH: usize = 32;
    /// Program, no accounts, discriminant and value: unit limit, unit price, limit of what is loaded.
    const BUDGET: usize = (3 + 1 + 4) + (3 + 1 + 8) + (3 + 1 + 4);
    const DISCRIMINATOR: usize = 8;
    let in_table = table.map_or(0, |table| fixed.movable.iter().filter(|key| table.holds(key)).count());
    let keys = fixed.stuck + fixed.movable.len() - in_table + outside;
    let named = fixed.named + inside + outside;
    let instruction = 1 + compact(named) + named + 1 + DISCRIMINATOR;
    // Address, and the positions of writable and of other accounts.
    let lookups = 1 + table.map_or(0, |_| 32 + 2 + in_table + inside);
    SIGNATURE + HEADER + compact(keys) + 32 * keys + BLOCKHASH + 1 + BUDGET + instruction + lookups
}

/// Bytes of a length in the network's own form.
fn compact(length: usize) -> usize {
    if length < 0x80 { 1 } else { 2 }
}

/// True if so many accounts fit.
fn fits(fixed: &Fixed, table: Option<&Table>, inside: usize, outside: usize) -> bool {
    let accounts = inside + outside;
    let locks = fixed.stuck + fixed.movable.len() + accounts;
    bytes(fixed, table, inside, outside) <= TRANSACTION_BYTES
        && locks <= ACCOUNT_LOCKS
        && u32::try_from(accounts).is_ok_and(|accounts| budget::batch_units(accounts) < budget::MOST)
}

/// Packs accounts, given the most urgent first. Each batch takes the most urgent one that is left, uses the table that
/// holds it (or the fullest, for the fixed accounts), takes what that table holds, and then whatever else fits.
#[must_use]
pub fn pack(fixed: &Fixed, tables: &[Table], accounts: &[Pubkey]) -> Vec<Batch> {
    let mut left: Vec<Pubkey> = accounts.to_vec();
    let mut batches = Vec::new();
    while let Some(first) = left.first() {
        let holding = tables.iter().position(|table| table.holds(first));
        let number = holding.or_else(|| (0..tables.len()).max_by_key(|number| tables[*number].len()));
        let table = number.and_then(|number| tables.get(number));
        let held: Vec<bool> = left
            .iter()
            .map(|key| table.is_some_and(|table| table.holds(key)))
            .collect();
        let (mut counts, mut taken) = ([0, 0], vec![false; left.len()]);
        // The first one in any case, then what costs 32 bytes less, so that more fits.
        let all = 0..left.len();
        let ordered = all
            .clone()
            .take(1)
            .chain(all.clone().skip(1).filter(|at| held[*at]))
            .chain(all.skip(1).filter(|at| !held[*at]));
        for at in ordered {
            let mut more = counts;
            more[usize::from(held[at])] += 1;
            if fits(fixed, table, more[1], more[0]) {
                (counts, taken[at]) = (more, true);
            }
        }
        let chosen = |wanted: bool| {
            left.iter()
                .zip(&taken)
                .filter(move |(_, taken)| **taken == wanted)
                .map(|(key, _)| *key)
        };
        let (now, later): (Vec<Pubkey>, Vec<Pubkey>) = (chosen(true).collect(), chosen(false).collect());
        if now.is_empty() {
            // Not even one account: the market's own accounts fill a transaction, which they do not.
            return batches;
        }
        batches.push(Batch {
            table: number,
            accounts: now,
        });
        left = later;
    }
    batches
}

#[cfg(test)]
mod tests;
