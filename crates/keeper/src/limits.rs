//! What fits into a transaction. The compute units are those of docs/cu.md with something to spare; a test compares them.

/// Most bytes of a transaction.
pub const TRANSACTION_BYTES: usize = 1_232;
/// Most accounts that a transaction may name.
pub const ACCOUNT_LOCKS: usize = 64;
/// Most compute units that a transaction may ask for.
pub const TRANSACTION_UNITS: u32 = 1_400_000;

/// Compute units of `liquidate_batch` before its first account; with four feeds, the two instructions that set the
/// budget, and the interest of a year in which nothing happened, 540 for each month.
pub const BATCH_UNITS: u32 = 17_000;
/// Compute units of each account of `liquidate_batch`.
pub const ACCOUNT_UNITS: u32 = 1_700;
/// Compute units of a transaction that observes the price.
pub const OBSERVE_UNITS: u32 = 8_000;
/// Compute units of a transaction that opens a keeper's ledger.
pub const OPEN_LEDGER_UNITS: u32 = 15_000;
/// Compute units of a transaction that opens a keeper's token account, unless it is there, and claims its bounty.
pub const CLAIM_UNITS: u32 = 60_000;
/// Compute units of a transaction that settles a deficit.
pub const SETTLE_UNITS: u32 = 20_000;
/// Compute units of a transaction about a lookup table, several times what was seen: it is not urgent, and pays for little.
pub const TABLE_UNITS: u32 = 150_000;

/// Compute units of a batch.
#[must_use]
pub fn batch_units(accounts: usize) -> u32 {
    let accounts = u32::try_from(accounts).unwrap_or(u32::MAX);
    BATCH_UNITS.saturating_add(ACCOUNT_UNITS.saturating_mul(accounts))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest figure of an instruction in docs/cu.md.
    fn measured(name: &str) -> u32 {
        let table = include_str!("../../../docs/cu.md");
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .expect(name);
        row.split('|').nth(3).unwrap().trim().parse().unwrap()
    }

    #[test]
    fn every_limit_has_a_tenth_to_spare_over_what_was_measured() {
        let covers = |limit: u32, measured: u32, what: &str| {
            assert!(limit >= measured + measured / 10, "{what}: {limit} for {measured}");
        };
        for name in ["liquidate_batch_per_account", "liquidate_batch_guarded_per_account"] {
            covers(ACCOUNT_UNITS, measured(name), name);
        }
        for name in ["liquidate", "liquidate_guarded", "liquidate_redeemable"] {
            covers(batch_units(1), measured(name), name);
        }
        for name in ["liquidate_batch", "liquidate_batch_guarded", "liquidate_batch_resting"] {
            covers(batch_units(25), measured(name), name);
        }
        for name in ["observe_price", "observe_price_redeemable"] {
            covers(OBSERVE_UNITS, measured(name), name);
        }
        covers(OPEN_LEDGER_UNITS, measured("open_keeper_ledger"), "open_keeper_ledger");
        covers(CLAIM_UNITS, measured("claim_bounty"), "claim_bounty");
    }
}
