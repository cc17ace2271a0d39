//! Compute budgets: how many compute units an instruction needs, from the measured table `docs/cu.md`.
//!
//! Asking for what is needed and no more makes room for others and lowers the priority fee, which is paid for each unit asked
//! for.

use anchor_lang::{Discriminator, solana_program::instruction::Instruction};
use breakwater::instruction as ix;
use solana_compute_budget_interface::ComputeBudgetInstruction;

/// Units of one instruction of the compute budget program itself.
pub const BUDGET_INSTRUCTION: u32 = 150;
/// Each try more to find an address that is to be created costs so much; one in a thousand takes ten.
const TEN_TRIES: u32 = 15_000;
/// On top of the measured maximum, per cent.
const MARGIN: u32 = 15;
/// And for states that the table does not sample: interest of a long time, debt that is repaid on the way, many parameters at
/// once. 10,658 was the most that was missing without it. The testkit's world compares every transaction that goes through.
const UNSAMPLED: u32 = 12_000;
/// The most that a transaction can ask for.
pub const MOST: u32 = 1_400_000;

/// Accounts of `liquidate_batch` before the margin accounts: market, ledger, keeper, four feeds.
const BEFORE_BATCH: usize = 7;
/// What each further account of `liquidate_batch` takes, at the most that was measured.
const BATCH_ACCOUNT: u32 = 1_539;

/// The maxima of `docs/cu.md`, of each instruction the largest of its rows. Instructions that it does not list have none.
const MEASURED: [(&[u8], &str, u32); 38] = [
    (ix::AcceptAuthority::DISCRIMINATOR, "accept_authority", 4_736),
    (
        ix::AnnounceLiquidationLtv::DISCRIMINATOR,
        "announce_liquidation_ltv",
        4_153,
    ),
    (ix::Borrow::DISCRIMINATOR, "borrow", 14_777),
    (ix::BuyInventory::DISCRIMINATOR, "buy_inventory", 22_518),
    (ix::CancelChange::DISCRIMINATOR, "cancel_change", 3_893),
    (ix::CancelRamp::DISCRIMINATOR, "cancel_ramp", 3_715),
    (ix::CancelTakeOut::DISCRIMINATOR, "cancel_take_out", 3_559),
    (ix::ClaimBounty::DISCRIMINATOR, "claim_bounty", 8_600),
    (ix::CloseAccount::DISCRIMINATOR, "close_account", 1_225),
    (ix::CreateDepthBudget::DISCRIMINATOR, "create_depth_budget", 15_863),
    (ix::CreateMarket::DISCRIMINATOR, "create_market", 45_174),
    (ix::DepositCollateral::DISCRIMINATOR, "deposit_collateral", 8_981),
    (ix::ExecuteDepthShare::DISCRIMINATOR, "execute_depth_share", 5_294),
    (ix::ExecuteFeeds::DISCRIMINATOR, "execute_feeds", 14_478),
    (ix::ExecuteGuardian::DISCRIMINATOR, "execute_guardian", 5_525),
    (ix::ExecuteParameters::DISCRIMINATOR, "execute_parameters", 9_595),
    (ix::FundBackstop::DISCRIMINATOR, "fund_backstop", 8_735),
    (ix::Initialize::DISCRIMINATOR, "initialize", 8_208),
    (ix::Liquidate::DISCRIMINATOR, "liquidate", 9_801),
    (ix::LiquidateBatch::DISCRIMINATOR, "liquidate_batch", 37984),
    (ix::LowerDepthShare::DISCRIMINATOR, "lower_depth_share", 3_945),
    (ix::ObservePrice::DISCRIMINATOR, "observe_price", 6_913),
    (ix::OpenAccount::DISCRIMINATOR, "open_account", 18_085),
    (ix::OpenKeeperLedger::DISCRIMINATOR, "open_keeper_ledger", 5_989),
    (ix::Pause::DISCRIMINATOR, "pause", 3_816),
    (ix::ProposeAuthority::DISCRIMINATOR, "propose_authority", 4_813),
    (ix::PullBrake::DISCRIMINATOR, "pull_brake", 3_571),
    (ix::QueueDepthShare::DISCRIMINATOR, "queue_depth_share", 10_784),
    (ix::QueueFeeds::DISCRIMINATOR, "queue_feeds", 14_668),
    (ix::QueueGuardian::DISCRIMINATOR, "queue_guardian", 8_793),
    (ix::QueueParameters::DISCRIMINATOR, "queue_parameters", 11_507),
    (ix::QueueTakeOut::DISCRIMINATOR, "queue_take_out", 3_634),
    (ix::Repay::DISCRIMINATOR, "repay", 9_645),
    (ix::SetGuardian::DISCRIMINATOR, "set_guardian", 4_528),
    (ix::Supply::DISCRIMINATOR, "supply", 14_883),
    (ix::Tighten::DISCRIMINATOR, "tighten", 5_881),
    (ix::Withdraw::DISCRIMINATOR, "withdraw", 14_642),
    (ix::WithdrawCollateral::DISCRIMINATOR, "withdraw_collateral", 13_935),
];

/// The compute units that one instruction of this program may take, with a margin over the measured maximum. `None` for
/// another program's, and for those that are not measured: simulate them.
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
    let creates = [
        "initialize",
        "create_market",
        "create_depth_budget",
        "open_account",
        "open_keeper_ledger",
    ]
    .contains(name);
    Some(with_margin(*most) + if creates { TEN_TRIES } else { 0 })
}

/// The same for a batch of so many margin accounts: the first costs what one costs alone.
#[must_use]
pub fn batch_units(accounts: u32) -> u32 {
    let alone = measured("liquidate");
    with_margin(alone.saturating_add(accounts.saturating_sub(1).saturating_mul(BATCH_ACCOUNT)))
}

/// Two instructions to put before a transaction's others: its limit of compute units, and the priority fee for each of them in
/// millionths of a lamport. `None` if one of `instructions` has no budget.
#[must_use]
pub fn budget(instructions: &[Instruction], micro_lamports: u64) -> Option<[Instruction; 2]> {
    let mut limit = 2 * BUDGET_INSTRUCTION;
    for instruction in instructions {
        limit = limit.saturating_add(units(instruction)?);
    }
    Some(limited(limit, micro_lamports))
}

/// The same for a limit from elsewhere, a simulation.
#[must_use]
pub fn limited(units: u32, micro_lamports: u64) -> [Instruction; 2] {
    [
        ComputeBudgetInstruction::set_compute_unit_limit(units.min(MOST)),
        price(micro_lamports),
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
    use std::collections::BTreeMap;

    /// Row by row, the table's maxima; variants of an instruction (`borrow_crowded`) under its own name.
    fn table() -> BTreeMap<String, u32> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cu.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut table = BTreeMap::new();
        for row in text.lines().filter_map(|line| line.strip_prefix("| `")) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let name = cells[0].trim_end_matches('`');
            let most: u32 = cells[2].parse().unwrap();
            let variant = ["_crowded", "_redeemable", "_widest", "_with_debt", "_guarded"];
            let name = if name.starts_with("liquidate_batch") {
                name
            } else {
                variant.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
            };
            let known = table.entry(name.to_owned()).or_insert(0);
            *known = most.max(*known);
        }
        table
    }

    /// The table moves with the program; the budgets may lag it a little, never so far that a transaction fails.
    #[test]
    fn every_measured_instruction_has_its_budget() {
        let mut table = table();
        assert!(
            table["liquidate_batch_per_account"].max(table["liquidate_batch_guarded_per_account"]) <= BATCH_ACCOUNT
        );
        table.retain(|name, _| !name.starts_with("liquidate_batch_"));
        for (name, most) in &table {
            let ours = MEASURED.iter().find(|(_, known, _)| known == name);
            let (.., ours) =
                ours.unwrap_or_else(|| panic!("docs/cu.md has {name}: add it to crates/client/src/budget.rs"));
            let apart = ours.abs_diff(*most) * 100 / most;
            assert!(
                apart <= 5,
                "{name}: docs/cu.md says {most}, crates/client/src/budget.rs {ours}"
            );
        }
        assert_eq!(table.len(), MEASURED.len());
    }

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
        assert_eq!(units(&instructions::settle_deficit(&keys)), None);
        let borrow = instructions::borrow(&keys, &key(6), &key(7), 1);
        let [limit, _] = budget(&[borrow.clone(), borrow], 5).unwrap();
        let alone = measured("borrow");
        let asked = 2 * (alone + alone / 100 * 15 + UNSAMPLED) + 300;
        assert_eq!(limit, ComputeBudgetInstruction::set_compute_unit_limit(asked));
    }
}
