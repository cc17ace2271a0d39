//! Proof that a refused transaction has changed nothing.

use super::World;
use crate::{
    actor::Actor,
    outcome::{ExpectedError, Failure, assert_fails_with},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use std::collections::BTreeMap;

impl World {
    /// Runs `run`, then asserts that no account has changed by a single byte: neither one that the world knows nor
    /// one that a transaction sent by `run` names. Only the fee payer is exempt.
    ///
    /// # Panics
    /// If an account has changed.
    #[track_caller]
    pub fn expect_unchanged<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.watched.replace(BTreeMap::new());
        let known: Vec<Pubkey> = self.known.iter().copied().collect();
        self.watch(&known);
        let value = run(self);
        let before = std::mem::replace(&mut self.watched, outer).unwrap_or_default();
        for (address, before) in before {
            let after = self.account(&address);
            assert!(after == before, "{address} has changed from {before:?} to {after:?}");
        }
        value
    }

    /// Asserts that a transaction is refused with exactly this error and changes nothing. Returns the failure.
    ///
    /// # Panics
    /// If it goes through, is refused with another error, or changes an account.
    #[track_caller]
    pub fn assert_error_unchanged(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Actor],
        expected: impl ExpectedError,
    ) -> Failure {
        let result = self.expect_unchanged(|world| world.send(instructions, signers));
        assert_fails_with(result, expected)
    }

    /// While watching: remembers these accounts as they are now, unless they are remembered already.
    pub(super) fn watch(&mut self, addresses: &[Pubkey]) {
        if self.watched.is_none() {
            return;
        }
        for address in addresses {
            let account = self.account(address);
            let payer = self.payer.key();
            if let Some(watched) = &mut self.watched
                && *address != payer
            {
                watched.entry(*address).or_insert(account);
            }
        }
    }
}
