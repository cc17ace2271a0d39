//! Mints and balances.

use super::World;
use crate::{
    actor::Actor,
    mint::{self, MintSpec},
};
use anchor_lang::prelude::Pubkey;
use anchor_spl::associated_token::get_associated_token_address_with_program_id;

impl World {
    /// Makes a mint, unless this world has it.
    pub fn mint(&mut self, spec: &MintSpec) -> Pubkey {
        let address = spec.address();
        if self.account(&address).is_none() {
            self.set_account(&address, spec.account());
        }
        address
    }

    /// The associated token account of an owner, whether it exists or not.
    ///
    /// # Panics
    /// If there is no such mint.
    #[track_caller]
    pub fn token_address(&mut self, owner: &Pubkey, mint: &Pubkey) -> Pubkey {
        let token_program = self.existing_account(mint).owner;
        get_associated_token_address_with_program_id(owner, mint, &token_program)
    }

    /// Mints `amount` atoms to an actor, and opens the account if need be. `amount` may be zero. Returns the account.
    ///
    /// # Panics
    /// If there is no such mint.
    #[track_caller]
    pub fn fund(&mut self, actor: &Actor, mint: &Pubkey, amount: u64) -> Pubkey {
        self.fund_key(&actor.key(), mint, amount)
    }

    /// [`World::fund`] for an owner who is no actor.
    ///
    /// # Panics
    /// If there is no such mint.
    #[track_caller]
    pub fn fund_key(&mut self, owner: &Pubkey, mint: &Pubkey, amount: u64) -> Pubkey {
        let address = self.token_address(owner, mint);
        let mut of_mint = self.existing_account(mint);
        let mut account = self
            .account(&address)
            .unwrap_or_else(|| mint::token_account((mint, &of_mint), owner, 0));
        mint::mint_to(&mut of_mint, &mut account, amount);
        self.set_account(mint, of_mint);
        self.set_account(&address, account);
        address
    }

    /// What an actor holds of a mint, atoms; zero without an account.
    ///
    /// # Panics
    /// If there is no such mint.
    #[track_caller]
    pub fn balance(&mut self, actor: &Actor, mint: &Pubkey) -> u64 {
        let address = self.token_address(&actor.key(), mint);
        self.token_balance(&address)
    }

    /// What a token account holds, atoms; zero if there is none.
    pub fn token_balance(&mut self, account: &Pubkey) -> u64 {
        self.account(account).map_or(0, |account| mint::balance(&account))
    }

    /// How many atoms of a mint exist.
    ///
    /// # Panics
    /// If there is no such mint.
    #[track_caller]
    pub fn supply_of(&mut self, mint: &Pubkey) -> u64 {
        mint::supply(&self.existing_account(mint))
    }
}
