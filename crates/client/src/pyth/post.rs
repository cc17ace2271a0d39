//! From an update to transactions that the network carries.
//!
//! Through the bridge: the VAA is written to an account and verified, each price is then posted to the account of its
//! feed in a shard, and the VAA's account is closed. The account is made with a seed, so that the payer is the only one
//! who signs. Transactions are filled by their bytes, measured on what would be sent.

use super::{
    Error, FeedId, Result, Update,
    instructions::{Poster, VAA_START},
};
use crate::{budget, lookup};
use anchor_lang::{
    prelude::{AccountMeta, Pubkey},
    solana_program::instruction::Instruction,
    system_program,
};
use solana_hash::Hash;
use solana_message::AddressLookupTableAccount;

/// The largest transaction that the network carries, bytes.
pub const TRANSACTION_BYTES: usize = 1_232;
/// The most accounts that a transaction may lock.
const ACCOUNT_LOCKS: usize = 64;
/// Limit of the accounts and programs that a transaction loads, bytes. The cost of loading counts by it, 8 compute
/// units for each 32 KiB; without it as if 64 MiB were loaded. The programs of a stack and this one are far smaller.
pub const LOADED_BYTES: u32 = 12 * 1_024 * 1_024;

/// Compute units of one instruction, not counting signatures. Measured on the programs of August 2026: 85,000 to 92,000
/// for an account, `init`, `write` and `verify` of three signatures; 25,000 to 48,000 for a price; 97,000 to 114,000
/// for one that the receiver verifies.
mod units {
    pub const CREATE_AND_INIT: u32 = 10_000;
    pub const WRITE: u32 = 8_000;
    pub const VERIFY: u32 = 15_000;
    pub const SIGNATURE: u32 = 28_000;
    pub const PRICE: u32 = 60_000;
    pub const ATOMIC: u32 = 50_000;
    pub const CLOSE: u32 = 8_000;
}

/// What is done with prices once they are posted, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// Instructions, in order.
    pub instructions: Vec<Instruction>,
    /// The compute units that they may take together.
    pub units: u32,
}

/// How an update is posted.
#[derive(Clone, Copy, Debug)]
pub struct Posting<'a> {
    /// Who posts, on which stack.
    pub poster: Poster,
    /// Shard of the accounts that are written. 0 is Pyth's own, which others write to as well.
    pub shard: u16,
    /// Seed of the account for the VAA, at most 32 bytes: one that nobody foresees, and that no unfinished posting of
    /// the same payer has, for an account that has lamports cannot be created.
    pub seed: &'a str,
    /// Rent of the account for the VAA, lamports: what the node asks for [`Posting::vaa_account_bytes`].
    pub rent: u64,
    /// Lookup tables that may be used.
    pub tables: &'a [AddressLookupTableAccount],
    /// What is done once all prices are posted: in the transaction of the last ones if it fits there, else in one of
    /// its own. May be nothing.
    pub then: &'a Action,
}

/// A transaction to be signed and sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Instructions, in order, without the compute budget.
    pub instructions: Vec<Instruction>,
    /// Who must sign; the payer first.
    pub signers: Vec<Pubkey>,
    /// Compute units that the instructions may take.
    pub units: u32,
    /// Limit of what is loaded, bytes.
    pub loaded_bytes: u32,
    /// Bytes of the transaction, with its signatures and the three instructions of [`Draft::with_budget`].
    pub bytes: usize,
}

impl Draft {
    /// The instructions with the compute budget before them: limits of compute units and of what is loaded, and the
    /// priority fee in millionths of a lamport for each unit.
    #[must_use]
    pub fn with_budget(&self, micro_lamports: u64) -> Vec<Instruction> {
        let units = self.units.saturating_add(budget::OWN_UNITS);
        let mut all = budget::limited(units, micro_lamports, self.loaded_bytes).to_vec();
        all.extend_from_slice(&self.instructions);
        all
    }
}

impl Posting<'_> {
    /// Account that the VAA is written to.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the seed has more than 32 bytes.
    pub fn vaa_account(&self) -> Result<Pubkey> {
        Pubkey::create_with_seed(&self.poster.payer, self.seed, &self.poster.stack.bridge)
            .map_err(|_| Error::TooLong("seed"))
    }

    /// Bytes of the account that an update's VAA is written to.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn vaa_account_bytes(update: &Update) -> Result<usize> {
        Ok(VAA_START + update.vaa.bytes()?.len())
    }

    /// Transactions that post these feeds of an update through the bridge, to be sent one after the other: the VAA
    /// first, its account closed last. A feed that is named twice is posted once. Every transaction fits
    /// [`TRANSACTION_BYTES`].
    ///
    /// # Errors
    /// [`Error::NoFeeds`], [`Error::FeedMissing`], [`Error::TooLong`]; [`Error::TooLarge`], [`Error::TooManyAccounts`],
    /// [`Error::TooManyUnits`] if one instruction, or the action, does not fit a transaction.
    pub fn transactions(&self, update: &Update, feeds: &[FeedId]) -> Result<Vec<Draft>> {
        let (poster, account) = (&self.poster, self.vaa_account()?);
        if feeds.is_empty() {
            return Err(Error::NoFeeds);
        }
        let vaa = update.vaa.bytes()?;
        let mut packer = Packer::new(poster.payer, self.tables);
        // Together: an account that is created and not yet taken is anybody's.
        let create = vec![
            self.create_account(&account, vaa.len())?,
            poster.init_encoded_vaa(&account),
        ];
        packer.add(create, units::CREATE_AND_INIT)?;
        self.write(&mut packer, &account, &vaa)?;
        let verify = poster.verify_encoded_vaa_v1(&account, update.vaa.set);
        packer.add(vec![verify], with_signatures(units::VERIFY, update))?;
        for (number, feed) in feeds.iter().enumerate() {
            if feeds.iter().take(number).any(|before| before == feed) {
                continue;
            }
            let price = poster.update_price_feed(&account, update.price(feed)?, self.shard)?;
            packer.add(vec![price], units::PRICE)?;
        }
        if !self.then.instructions.is_empty() {
            packer.add(self.then.instructions.clone(), self.then.units)?;
        }
        packer.add(vec![poster.close_encoded_vaa(&account)], units::CLOSE)?;
        Ok(packer.finish())
    }

    /// One transaction that posts one feed to `account`, an account of the receiver whose key must sign too, and does
    /// the action. Only on a stack whose receiver calls this number of signatures, out of a set of `signers`, fully
    /// verified: what is less the market refuses. Read `signers` from the account of the set
    /// ([`SignerSet::decode`](super::SignerSet::decode)).
    ///
    /// # Errors
    /// [`Error::Signatures`] if the receiver would call it partly verified; [`Error::FeedMissing`], [`Error::TooLong`],
    /// [`Error::TooLarge`], [`Error::TooManyAccounts`], [`Error::TooManyUnits`].
    pub fn atomic(&self, update: &Update, feed: &FeedId, account: &Pubkey, signers: usize) -> Result<Draft> {
        let (needed, found) = (self.poster.stack.atomic_quorum(signers), update.vaa.signatures.len());
        if found < needed {
            return Err(Error::Signatures { needed, found });
        }
        let post = self
            .poster
            .post_update_atomic(&update.vaa, update.price(feed)?, account)?;
        let mut instructions = vec![post];
        instructions.extend_from_slice(&self.then.instructions);
        let units = with_signatures(units::ATOMIC, update).saturating_add(self.then.units);
        Packer::new(self.poster.payer, self.tables).alone(instructions, units)
    }

    /// `create_account_with_seed` of the system program, whose arguments are in bincode.
    fn create_account(&self, account: &Pubkey, vaa_bytes: usize) -> Result<Instruction> {
        const CREATE_ACCOUNT_WITH_SEED: u32 = 3;
        let length = |length: usize| u64::try_from(length).map_err(|_| Error::TooLong("VAA"));
        let poster = &self.poster;
        let mut data = CREATE_ACCOUNT_WITH_SEED.to_le_bytes().to_vec();
        data.extend_from_slice(poster.payer.as_ref());
        data.extend_from_slice(&length(self.seed.len())?.to_le_bytes());
        data.extend_from_slice(self.seed.as_bytes());
        data.extend_from_slice(&self.rent.to_le_bytes());
        data.extend_from_slice(&length(VAA_START.saturating_add(vaa_bytes))?.to_le_bytes());
        data.extend_from_slice(poster.stack.bridge.as_ref());
        let accounts = vec![AccountMeta::new(poster.payer, true), AccountMeta::new(*account, false)];
        Ok(Instruction::new_with_bytes(system_program::ID, &data, accounts))
    }

    /// Writes the VAA in as few parts as fit.
    fn write(&self, packer: &mut Packer, account: &Pubkey, vaa: &[u8]) -> Result<()> {
        let mut rest = vaa;
        while !rest.is_empty() {
            let index = u32::try_from(vaa.len() - rest.len()).map_err(|_| Error::TooLong("VAA"))?;
            let part = |length| {
                let part = rest.get(..length).unwrap_or_default();
                self.poster
                    .write_encoded_vaa(account, index, part)
                    .map(|write| vec![write])
            };
            let whole = packer.joined(&part(rest.len())?, units::WRITE);
            let excess = whole.bytes.saturating_sub(TRANSACTION_BYTES);
            let length = rest.len().saturating_sub(excess);
            if length == 0 {
                packer.close(Error::TooLarge(whole.bytes))?;
                continue;
            }
            packer.add(part(length)?, units::WRITE)?;
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(())
    }
}

fn with_signatures(units: u32, update: &Update) -> u32 {
    let signatures = u32::try_from(update.vaa.signatures.len()).unwrap_or(u32::MAX);
    signatures.saturating_mul(units::SIGNATURE).saturating_add(units)
}

/// Fills transactions one after the other.
struct Packer<'a> {
    payer: Pubkey,
    tables: &'a [AddressLookupTableAccount],
    full: Vec<Draft>,
    open: Draft,
}

impl<'a> Packer<'a> {
    fn new(payer: Pubkey, tables: &'a [AddressLookupTableAccount]) -> Self {
        Self {
            payer,
            tables,
            full: Vec::new(),
            open: Draft::default(),
        }
    }

    /// Puts instructions that belong together into the open transaction, or into the next.
    ///
    /// # Errors
    /// The errors of [`Packer::check`] if they do not fit one alone.
    fn add(&mut self, instructions: Vec<Instruction>, units: u32) -> Result<()> {
        let joined = self.joined(&instructions, units);
        if !self.open.instructions.is_empty() && self.check(&joined).is_err() {
            self.full.push(std::mem::take(&mut self.open));
            self.open = self.alone(instructions, units)?;
            return Ok(());
        }
        self.check(&joined)?;
        self.open = joined;
        Ok(())
    }

    /// Ends the open transaction.
    ///
    /// # Errors
    /// `otherwise` if there is nothing in it: what comes next fits nowhere.
    fn close(&mut self, otherwise: Error) -> Result<()> {
        let open = std::mem::take(&mut self.open);
        if open.instructions.is_empty() {
            return Err(otherwise);
        }
        self.full.push(open);
        Ok(())
    }

    fn finish(mut self) -> Vec<Draft> {
        if !self.open.instructions.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }

    /// A transaction of its own.
    ///
    /// # Errors
    /// The errors of [`Packer::check`].
    fn alone(&self, instructions: Vec<Instruction>, units: u32) -> Result<Draft> {
        let draft = self.draft(instructions, units);
        self.check(&draft)?;
        Ok(draft)
    }

    /// The open transaction with these instructions behind it.
    fn joined(&self, instructions: &[Instruction], units: u32) -> Draft {
        let all = [&self.open.instructions[..], instructions].concat();
        self.draft(all, self.open.units.saturating_add(units))
    }

    fn draft(&self, instructions: Vec<Instruction>, units: u32) -> Draft {
        let mut signers = vec![self.payer];
        for meta in instructions.iter().flat_map(|instruction| &instruction.accounts) {
            if meta.is_signer && !signers.contains(&meta.pubkey) {
                signers.push(meta.pubkey);
            }
        }
        let mut draft = Draft {
            instructions,
            signers,
            units,
            loaded_bytes: LOADED_BYTES,
            bytes: usize::MAX,
        };
        // Whatever the price of a unit, its bytes are as many. What cannot be compiled cannot be sent.
        let compiled = lookup::compile(&self.payer, &draft.with_budget(0), self.tables, Hash::default());
        if let Ok(message) = compiled {
            draft.bytes = 1 + 64 * draft.signers.len() + message.serialize().len();
        }
        draft
    }

    /// Whether a transaction can be sent.
    ///
    /// # Errors
    /// [`Error::TooManyAccounts`], [`Error::TooManyUnits`], [`Error::TooLarge`].
    fn check(&self, draft: &Draft) -> Result<()> {
        let mut locked = vec![self.payer, solana_compute_budget_interface::ID];
        for instruction in &draft.instructions {
            let accounts = instruction.accounts.iter().map(|meta| meta.pubkey);
            locked.extend(accounts.chain([instruction.program_id]));
        }
        locked.sort_unstable();
        locked.dedup();
        if locked.len() > ACCOUNT_LOCKS {
            return Err(Error::TooManyAccounts);
        }
        if draft.units > budget::MOST {
            return Err(Error::TooManyUnits(draft.units));
        }
        if draft.bytes > TRANSACTION_BYTES {
            return Err(Error::TooLarge(draft.bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
