//! Mints and balances.

use super::World;
use crate::{
    actor::Actor,
    mint::{self, MintSpec},
    program_file::rent_exempt,
    real_mint::{self, freeze_authority, mint_authority},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::{associated_token::get_associated_token_address_with_program_id, token_2022::spl_token_2022};
use solana_account::Account;

/// More than a mint with every extension needs.
const LARGE_MINT: usize = 10_000;

impl World {
    /// Makes a mint, unless this world has it.
    pub fn mint(&mut self, spec: &MintSpec) -> Pubkey {
        let address = spec.address();
        if self.account(&address).is_none() {
            self.set_account(&address, spec.account());
        }
        address
    }

    /// Makes a mint by the instructions of its token program, which may refuse a combination of extensions. It
    /// overwrites any account in its place. A mint that is a member of a group gets a group to be a member of.
    ///
    /// # Panics
    /// If the token program refuses.
    #[track_caller]
    pub fn create_mint(&mut self, spec: &MintSpec) -> Pubkey {
        if let Some(group) = real_mint::group_of(spec) {
            self.create_mint(&group);
        }
        self.create_mint_with(spec, real_mint::space(spec), &real_mint::instructions(spec))
    }

    /// Makes a mint at the address of `spec` out of a blank account of `space` bytes with these instructions; the mint
    /// authority signs.
    ///
    /// # Panics
    /// If the token program refuses.
    #[track_caller]
    pub fn create_mint_with(&mut self, spec: &MintSpec, space: usize, instructions: &[Instruction]) -> Pubkey {
        let address = spec.address();
        // Where the system program would have put it; some extensions ask for more room later, and rent for it.
        let blank = Account {
            lamports: rent_exempt(LARGE_MINT),
            data: vec![0; space],
            owner: spec.token_program,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.set_account(&address, blank);
        let authority = mint_authority();
        let signs = |instruction: &Instruction| instruction.accounts.iter().any(|meta| meta.is_signer);
        for instruction in instructions {
            let signers: &[&Actor] = if signs(instruction) { &[&authority] } else { &[] };
            self.send(std::slice::from_ref(instruction), signers)
                .unwrap_or_else(|failure| panic!("mint {}: {failure:?}", spec.name));
        }
        address
    }

    /// Freezes a token account, as the freeze authority of its mint.
    ///
    /// # Panics
    /// If its mint is not freezable, or it is frozen already.
    #[track_caller]
    pub fn freeze(&mut self, account: &Pubkey) {
        self.set_frozen(account, true);
    }

    /// Thaws a token account, as the freeze authority of its mint.
    ///
    /// # Panics
    /// If it is not frozen.
    #[track_caller]
    pub fn thaw(&mut self, account: &Pubkey) {
        self.set_frozen(account, false);
    }

    #[track_caller]
    fn set_frozen(&mut self, account: &Pubkey, frozen: bool) {
        let state = self.existing_account(account);
        let mint = mint::mint_of(&state).expect("a token account");
        let build = if frozen {
            spl_token_2022::instruction::freeze_account
        } else {
            spl_token_2022::instruction::thaw_account
        };
        let authority = freeze_authority();
        let instruction = build(&state.owner, account, &mint, &authority.key(), &[]).expect("a token program");
        self.send(&[instruction], &[&authority])
            .unwrap_or_else(|failure| panic!("{account}: {failure:?}"));
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

    /// An actor's balance of a mint, atoms; zero without an account.
    ///
    /// # Panics
    /// If there is no such mint.
    #[track_caller]
    pub fn balance(&mut self, actor: &Actor, mint: &Pubkey) -> u64 {
        let address = self.token_address(&actor.key(), mint);
        self.token_balance(&address)
    }

    /// Balance of a token account, atoms; zero if there is none.
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
