//! From instructions to a transaction.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;
use breakwater::events::AccountsLiquidated;
use breakwater_client::{MarketKeys, addresses, budget, instructions as ix, logs, lookup, pyth};
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

use crate::{chain::Simulated, limits, outbox::Kind, pack::Fixed, table::Table};

/// A transaction to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its purpose.
    pub kind: Kind,
    /// Its instructions, without its budget.
    pub instructions: Vec<Instruction>,
    /// Most compute units it may take.
    pub units: u32,
    /// Most bytes of accounts and programs that it may load.
    pub loaded_bytes: u32,
    /// Margin accounts that it liquidates.
    pub accounts: Vec<Pubkey>,
    /// Which of the lookup tables it uses.
    pub tables: Lookup,
}

/// Lookup tables that a transaction uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This one of them, or none.
    One(Option<usize>),
    /// All in which there is something to look up.
    All,
}

impl Draft {
    /// `others`: compute units of those that are not Breakwater's.
    fn new(kind: Kind, others: u32, instructions: Vec<Instruction>) -> Self {
        let budgets = instructions.iter().filter_map(budget::units);
        let units = budgets.fold(others.saturating_add(budget::OWN_UNITS), u32::saturating_add);
        Self {
            kind,
            instructions,
            units,
            loaded_bytes: budget::LOADED_BYTES,
            accounts: Vec::new(),
            tables: Lookup::One(None),
        }
    }

    /// Liquidates a batch.
    #[must_use]
    pub fn batch(keys: &MarketKeys, keeper: &Pubkey, accounts: &[Pubkey], table: Option<usize>) -> Self {
        let batch = ix::liquidate_batch(keys, keeper, accounts);
        Self {
            tables: Lookup::One(table),
            accounts: accounts.to_vec(),
            ..Self::new(Kind::Liquidate, 0, vec![batch])
        }
    }

    /// Shows the market its feeds.
    #[must_use]
    pub fn observe(keys: &MarketKeys) -> Self {
        Self::new(Kind::Observe, 0, vec![ix::observe_price(keys)])
    }

    /// Settles a deficit.
    #[must_use]
    pub fn settle(keys: &MarketKeys) -> Self {
        Self::new(Kind::Settle, 0, vec![ix::settle_deficit(keys)])
    }

    /// Opens the keeper's ledger.
    #[must_use]
    pub fn open_ledger(keys: &MarketKeys, keeper: &Pubkey) -> Self {
        Self::new(Kind::OpenLedger, 0, vec![ix::open_keeper_ledger(keys, keeper)])
    }

    /// Claims the bounty, to the keeper's associated token account, which it opens if need be.
    #[must_use]
    pub fn claim(keys: &MarketKeys, keeper: &Pubkey) -> Self {
        let open =
            create_associated_token_account_idempotent(keeper, keeper, &keys.quote_mint, &keys.quote_token_program);
        Self::new(
            Kind::Claim,
            limits::TOKEN_ACCOUNT_UNITS,
            vec![open, ix::claim_bounty(keys, keeper)],
        )
    }

    /// Posts a part of an update, which was packed with all of the tables that there are.
    #[must_use]
    pub fn post(part: &pyth::Draft) -> Self {
        Self {
            tables: Lookup::All,
            loaded_bytes: part.loaded_bytes,
            ..Self::new(Kind::Post, part.units, part.instructions.clone())
        }
    }

    /// Closes accounts of postings that did not come to their end; their rent goes to the keeper.
    #[must_use]
    pub fn reclaim(keeper: &Pubkey, accounts: &[(pyth::Stack, Pubkey)]) -> Self {
        let close = |(stack, account): &(pyth::Stack, Pubkey)| {
            let poster = pyth::Poster {
                stack: *stack,
                payer: *keeper,
                treasury: 0,
            };
            poster.close_encoded_vaa(account)
        };
        let count = u32::try_from(accounts.len()).unwrap_or(u32::MAX);
        let units = count.saturating_mul(limits::CLOSE_VAA_UNITS);
        Self::new(Kind::Reclaim, units, accounts.iter().map(close).collect())
    }

    /// Looks after lookup tables.
    #[must_use]
    pub fn table(instructions: Vec<Instruction>) -> Self {
        Self::new(Kind::Table, limits::TABLE_UNITS, instructions)
    }

    /// Signs it, offering `price` micro-lamports for each compute unit.
    ///
    /// # Errors
    /// If it cannot be compiled: it names too many accounts, say.
    pub fn sign(
        &self,
        keeper: &Keypair,
        price: u64,
        tables: &[Table],
        blockhash: Hash,
    ) -> Result<VersionedTransaction, String> {
        let mut all = budget::limited(self.units, price, self.loaded_bytes).to_vec();
        all.extend_from_slice(&self.instructions);
        let used: Vec<_> = match self.tables {
            Lookup::One(number) => number.and_then(|number| tables.get(number)).into_iter().collect(),
            Lookup::All => tables.iter().collect(),
        };
        let used: Vec<_> = used.into_iter().map(Table::for_compiling).collect();
        let message = lookup::compile(&keeper.pubkey(), &all, &used, blockhash).map_err(|error| error.to_string())?;
        VersionedTransaction::try_new(message, &[keeper]).map_err(|error| error.to_string())
    }
}

/// Accounts that every batch names; see [`Fixed`].
#[must_use]
pub fn fixed(keys: &MarketKeys, keeper: &Pubkey) -> Fixed {
    let batch = ix::liquidate_batch(keys, keeper, &[]);
    let mut movable = vec![keys.market, addresses::keeper_ledger(&keys.market, keeper)];
    for meta in &batch.accounts {
        let stuck = meta.is_signer || meta.pubkey == breakwater::ID;
        if !stuck && !movable.contains(&meta.pubkey) {
            movable.push(meta.pubkey);
        }
    }
    Fixed {
        movable,
        // The keeper, this program, and the one that sets the budget.
        stuck: 3,
        named: batch.accounts.len(),
    }
}

/// Accounts that a simulated batch liquidates, and the bounties for them, quote atoms.
#[must_use]
pub fn liquidated(simulated: &Simulated) -> (Vec<Pubkey>, u64) {
    let events = logs::events::<AccountsLiquidated>(&simulated.logs);
    let all: Vec<_> = events.iter().flat_map(|event| &event.liquidated).collect();
    let bounty = all.iter().map(|one| one.liquidation.bounty.0).sum();
    (all.iter().map(|one| one.margin_account).collect(), bounty)
}
