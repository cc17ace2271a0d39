//! Compute budgets: how many compute units an instruction needs, from the measured table `docs/reports/cu.md`, which
//! `make cu` writes together with this module's.
//!
//! Asking for what is needed and no more makes room for others and lowers the priority fee, which is paid for each unit
//! asked for.

mod measured;

use anchor_lang::{Discriminator, solana_program::instruction::Instruction};
use breakwater::instruction as ix;
use measured::{BATCH_ACCOUNT, MEASURED};
use solana_compute_budget_interface::ComputeBudgetInstruction;

/// Units of the instructions that set the budget themselves: three of 150.
pub const OWN_UNITS: u32 = 3 * 150;
/// Limit of the accounts and programs that a transaction loads, bytes. A block counts the cost of loading by it, 8 compute
/// units for each 32 KiB: 2,048 on the accounts that are written, where it is 16,384 without a limit. This program has
/// 1.8 MB, the token programs less, and accounts some kilobytes.
pub const LOADED_BYTES: u32 = 8 * 1_024 * 1_024;
/// Each try more to find an address that is to be created costs so much; one in a thousand takes ten.
const TEN_TRIES: u32 = 15_000;
/// On top of the measured maximum, per cent.
const MARGIN: u32 = 15;
/// And for states that the table does not sample: interest of a long time, debt that is repaid on the way, many
/// parameters at once. 14,814 was the most that was missing without it. The testkit's world compares every transaction
/// that goes through.
const UNSAMPLED: u32 = 18_000;
/// The most that a transaction can ask for.
pub const MOST: u32 = 1_400_000;

/// Accounts of `liquidate_batch` before the margin accounts: market, ledger, keeper, four feeds.
const BEFORE_BATCH: usize = 7;

/// The compute units that one instruction of this program may take, with a margin over the measured maximum. `None` for
/// another program's: simulate them.
#[must_use]
pub fn units(instruction: &Instruction) -> Option<u32> {
    if instruction.program_id != breakwater::ID {
        return None;
    }
    let (discriminator, ..) = instruction.data.split_at_checked(8)?;
    if discriminator == ix::LiquidateBatch::DISCRIMINATOR {
        let accounts = instruction.accounts.len().saturating_sub(BEFORE_BATCH);
        return Some(batch_units(u32::try_from(accounts).unwrap_or(u32::MAX)));
    }
    let (.., name, most) = MEASURED.iter().find(|(known, ..)| *known == discriminator)?;
    let creates = ["initialize", "create_", "open_", "queue_"]
        .iter()
        .any(|start| name.starts_with(start));
    Some(with_margin(*most) + if creates { TEN_TRIES } else { 0 })
}

/// The same for a batch of so many margin accounts: the first costs what one costs alone.
#[must_use]
pub fn batch_units(accounts: u32) -> u32 {
    let alone = measured("liquidate");
    with_margin(alone.saturating_add(accounts.saturating_sub(1).saturating_mul(BATCH_ACCOUNT)))
}

/// Instructions to put before a transaction's others: its limit of compute units, the priority fee for each of them in
/// millionths of a lamport, and its limit of what is loaded, [`LOADED_BYTES`]. `None` if one of `instructions` has no
/// budget.
#[must_use]
pub fn budget(instructions: &[Instruction], micro_lamports: u64) -> Option<[Instruction; 3]> {
    let mut limit = OWN_UNITS;
    for instruction in instructions {
        limit = limit.saturating_add(units(instruction)?);
    }
    Some(limited(limit, micro_lamports, LOADED_BYTES))
}

/// The same for limits from elsewhere, a simulation.
#[must_use]
pub fn limited(units: u32, micro_lamports: u64, loaded_bytes: u32) -> [Instruction; 3] {
    [
        ComputeBudgetInstruction::set_compute_unit_limit(units.min(MOST)),
        price(micro_lamports),
        ComputeBudgetInstruction::set_loaded_accounts_data_size_limit(loaded_bytes),
    ]
}

/// The priority fee alone, in millionths of a lamport for each compute unit.
#[must_use]
pub fn price(micro_lamports: u64) -> Instruction {
    ComputeBudgetInstruction::set_compute_unit_price(micro_lamports)
}

fn measured(name: &str) -> u32 {
    let row = MEASURED.iter().find(|(_, known, _)| *known == name);
    row.map_or(MOST, |(.., most)| *most)
}

fn with_margin(units: u32) -> u32 {
    units
        .saturating_add(units / 100 * MARGIN)
        .saturating_add(UNSAMPLED)
        .min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MarketKeys, instructions};
    use anchor_lang::prelude::Pubkey;

    #[test]
    fn a_batch_costs_by_its_accounts_and_others_are_left_to_simulation() {
        let token = anchor_spl::token::ID;
        let key = |byte: u8| Pubkey::new_from_array([byte; 32]);
        let keys = MarketKeys::derive((key(1), token, key(2)), (key(3), token, key(4)), 0);
        let accounts: Vec<Pubkey> = (10..35).map(key).collect();
        let batch = instructions::liquidate_batch(&keys, &key(5), &accounts);
        assert_eq!(units(&batch), Some(batch_units(25)));
        // The table's own batches are of 25 at most.
        assert!(batch_units(25) > measured("liquidate_batch"));
        let transfer = anchor_spl::token::spl_token::instruction::sync_native(&token, &key(8)).unwrap();
        assert_eq!(units(&transfer), None);
        let borrow = instructions::borrow(&keys, &key(6), &key(7), 1);
        let [limit, ..] = budget(&[borrow.clone(), borrow], 5).unwrap();
        let alone = measured("borrow");
        let asked = 2 * (alone + alone / 100 * 15 + UNSAMPLED) + 450;
        assert_eq!(limit, ComputeBudgetInstruction::set_compute_unit_limit(asked));
    }
}
