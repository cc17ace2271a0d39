//! Bending an instruction that is right as it stands: other accounts, missing signatures, accounts that only look like
//! the right ones. Each must be refused with its own error and change nothing.

use anchor_lang::{
    prelude::{ErrorCode, Pubkey},
    solana_program::instruction::{AccountMeta, Instruction},
};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{
        BaseStateWithExtensionsMut, ExtensionType, StateWithExtensions, StateWithExtensionsMut,
        transfer_fee::{TransferFee, TransferFeeConfig},
    },
    state,
};
use breakwater_testkit::{Actor, ExpectedError, MintSpec, Outcome, World, keys::address_for, mint};

/// An honest instruction, and everybody who may have to sign it in its bent forms.
pub struct Attack<'a> {
    /// Where it is sent.
    pub world: &'a mut World,
    /// The instruction that is bent; [`Attack::honest_passes`] sends it as it stands.
    pub honest: Instruction,
    actors: Vec<Actor>,
}

impl<'a> Attack<'a> {
    /// On `honest`, which some of `actors` sign; the others sign where an attack puts them in.
    pub fn on(world: &'a mut World, honest: Instruction, actors: &[&Actor]) -> Self {
        let actors = actors.iter().map(|actor| (*actor).clone()).collect();
        Self { world, honest, actors }
    }

    /// Sends `bent`, which must be refused with this error and change nothing.
    #[track_caller]
    pub fn refused(&mut self, bent: &Instruction, expected: impl ExpectedError) -> &mut Self {
        self.all_refused(std::slice::from_ref(bent), expected)
    }

    /// Sends `bent` in one transaction, which must be refused with this error and change nothing.
    #[track_caller]
    pub fn all_refused(&mut self, bent: &[Instruction], expected: impl ExpectedError) -> &mut Self {
        let signers: Vec<&Actor> = self
            .actors
            .iter()
            .filter(|actor| bent.iter().any(|ix| signs(ix, actor)))
            .collect();
        for ix in bent {
            println!("attack: {:?} must be refused with {}", ix.accounts, expected.describe());
        }
        self.world.assert_error_unchanged(bent, &signers, expected);
        self
    }

    /// Puts `new` in the only place of `old`.
    #[track_caller]
    pub fn swap(&mut self, old: &Pubkey, new: &Pubkey, expected: impl ExpectedError) -> &mut Self {
        let bent = replace_account(&self.honest, old, new);
        self.refused(&bent, expected)
    }

    /// Puts `new` in place number `slot`, for addresses that the instruction names twice.
    #[track_caller]
    pub fn swap_at(&mut self, slot: usize, new: &Pubkey, expected: impl ExpectedError) -> &mut Self {
        let bent = replace_slot(&self.honest, slot, new);
        self.refused(&bent, expected)
    }

    /// Swaps several accounts at once: each pair is (old, new).
    #[track_caller]
    pub fn swap_all(&mut self, swaps: &[(&Pubkey, &Pubkey)], expected: impl ExpectedError) -> &mut Self {
        let bent = swaps
            .iter()
            .fold(self.honest.clone(), |ix, (old, new)| replace_account(&ix, old, new));
        self.refused(&bent, expected)
    }

    /// Leaves out somebody's signature.
    #[track_caller]
    pub fn unsigned(&mut self, signer: &Actor) -> &mut Self {
        let bent = unsigned(&self.honest, &signer.key());
        self.refused(&bent, ErrorCode::AccountNotSigner)
    }

    /// Names each of these accounts as one that is only read.
    #[track_caller]
    pub fn read_only(&mut self, slots: &[&Pubkey]) -> &mut Self {
        for slot in slots {
            let bent = read_only(&self.honest, slot);
            self.refused(&bent, ErrorCode::ConstraintMut);
        }
        self
    }

    /// Puts everything that is not a Breakwater account of the right kind in the place of one. `other_kind` is a
    /// Breakwater account of another kind.
    #[track_caller]
    pub fn not_state(&mut self, slot: &Pubkey, other_kind: &Pubkey) -> &mut Self {
        let foreign = foreign_copy(self.world, slot);
        let (blank, empty) = (blank(self.world, slot), cut(self.world, slot, 7));
        self.swap(slot, &foreign, ErrorCode::AccountOwnedByWrongProgram)
            .swap(slot, &nowhere(), ErrorCode::AccountOwnedByWrongProgram)
            .swap(slot, &blank, ErrorCode::AccountDiscriminatorMismatch)
            .swap(slot, &empty, ErrorCode::AccountDiscriminatorNotFound)
            .swap(slot, other_kind, ErrorCode::AccountDiscriminatorMismatch)
    }

    /// Leaves out the last account.
    #[track_caller]
    pub fn too_few_accounts(&mut self) -> &mut Self {
        let mut bent = self.honest.clone();
        bent.accounts.pop();
        self.refused(&bent, ErrorCode::AccountNotEnoughKeys)
    }

    /// Leaves out the last byte of the arguments.
    #[track_caller]
    pub fn too_few_bytes(&mut self) -> &mut Self {
        let mut bent = self.honest.clone();
        bent.data.pop();
        self.refused(&bent, ErrorCode::InstructionDidNotDeserialize)
    }

    /// Sends the instruction unbent: it was the bending that was refused before.
    #[track_caller]
    pub fn honest_passes(&mut self) -> Outcome {
        let signers: Vec<&Actor> = self.actors.iter().filter(|actor| signs(&self.honest, actor)).collect();
        let result = self.world.send(std::slice::from_ref(&self.honest), &signers);
        result.unwrap_or_else(|failure| panic!("the honest instruction is refused: {failure:?}"))
    }
}

fn signs(ix: &Instruction, actor: &Actor) -> bool {
    ix.accounts
        .iter()
        .any(|meta| meta.is_signer && meta.pubkey == actor.key())
}

/// The only place where an instruction names this account.
#[track_caller]
fn only_slot<'a>(ix: &'a mut Instruction, address: &Pubkey) -> &'a mut AccountMeta {
    let mut slots = ix.accounts.iter_mut().filter(|meta| meta.pubkey == *address);
    let slot = slots
        .next()
        .unwrap_or_else(|| panic!("the instruction does not name {address}"));
    assert!(slots.next().is_none(), "the instruction names {address} twice");
    slot
}

/// The instruction with `new` in the only place of `old`.
#[track_caller]
pub fn replace_account(ix: &Instruction, old: &Pubkey, new: &Pubkey) -> Instruction {
    let mut bent = ix.clone();
    only_slot(&mut bent, old).pubkey = *new;
    bent
}

/// The instruction with `new` in place number `slot`.
#[track_caller]
pub fn replace_slot(ix: &Instruction, slot: usize, new: &Pubkey) -> Instruction {
    let mut bent = ix.clone();
    bent.accounts[slot].pubkey = *new;
    bent
}

/// The instruction without the signature of `signer`.
#[track_caller]
pub fn unsigned(ix: &Instruction, signer: &Pubkey) -> Instruction {
    let mut bent = ix.clone();
    only_slot(&mut bent, signer).is_signer = false;
    bent
}

/// The instruction with an account that may not be written.
#[track_caller]
pub fn read_only(ix: &Instruction, address: &Pubkey) -> Instruction {
    let mut bent = ix.clone();
    let slot = only_slot(&mut bent, address);
    assert!(slot.is_writable, "{address} is not writable anyway");
    slot.is_writable = false;
    bent
}

/// An address at which there is nothing.
pub fn nowhere() -> Pubkey {
    address_for("nowhere")
}

/// An account with the same bytes and the same owner, at another address.
#[track_caller]
pub fn twin(world: &mut World, of: &Pubkey) -> Pubkey {
    let account = world.existing_account(of);
    let address = address_for(&format!("twin of {of}"));
    world.set_account(&address, account);
    address
}

/// An account with the same bytes that belongs to a program nobody knows.
#[track_caller]
pub fn foreign_copy(world: &mut World, of: &Pubkey) -> Pubkey {
    copy_owned_by(world, of, &address_for("foreign program"))
}

/// An account with the same bytes that belongs to `owner`.
#[track_caller]
pub fn copy_owned_by(world: &mut World, of: &Pubkey, owner: &Pubkey) -> Pubkey {
    let mut account = world.existing_account(of);
    account.owner = *owner;
    let address = address_for(&format!("copy of {of} owned by {owner}"));
    world.set_account(&address, account);
    address
}

/// An account of the same owner and size that was never written to.
#[track_caller]
pub fn blank(world: &mut World, of: &Pubkey) -> Pubkey {
    let mut account = world.existing_account(of);
    account.data.fill(0);
    let address = address_for(&format!("blank {of}"));
    world.set_account(&address, account);
    address
}

/// An account of the same owner with the first `len` bytes only.
#[track_caller]
pub fn cut(world: &mut World, of: &Pubkey, len: usize) -> Pubkey {
    let mut account = world.existing_account(of);
    account.data.truncate(len);
    let address = address_for(&format!("first {len} bytes of {of}"));
    world.set_account(&address, account);
    address
}

/// Gives tokens to an account without the program's knowledge.
#[track_caller]
pub fn donate(world: &mut World, mint: &Pubkey, to: &Pubkey, amount: u64) {
    let (mut of_mint, mut account) = (world.existing_account(mint), world.existing_account(to));
    mint::mint_to(&mut of_mint, &mut account, amount);
    world.set_account(mint, of_mint);
    world.set_account(to, account);
}

/// Turns a Token-2022 mint into one that keeps 1% of every transfer, and these accounts into accounts of such a mint.
/// No mint can do that, and the program refuses such mints: it is to see what would happen all the same.
///
/// # Panics
/// If they are not a mint and its accounts.
#[track_caller]
pub fn levy_transfer_fee(world: &mut World, mint: &Pubkey, accounts: &[Pubkey]) {
    let before = world.existing_account(mint);
    let base = StateWithExtensions::<state::Mint>::unpack(&before.data).unwrap().base;
    let mut taxed = MintSpec::token_2022("taxed", base.decimals, &[ExtensionType::TransferFeeConfig]).account();
    let mut of_mint = StateWithExtensionsMut::<state::Mint>::unpack(&mut taxed.data).unwrap();
    let fee = TransferFee {
        epoch: 0.into(),
        maximum_fee: u64::MAX.into(),
        transfer_fee_basis_points: 100.into(),
    };
    let config = of_mint.get_extension_mut::<TransferFeeConfig>().unwrap();
    (config.older_transfer_fee, config.newer_transfer_fee) = (fee, fee);
    of_mint.base = base;
    of_mint.pack_base();
    for address in accounts {
        let account = world.existing_account(address);
        let held = StateWithExtensions::<state::Account>::unpack(&account.data)
            .unwrap()
            .base;
        world.set_account(address, mint::token_account((mint, &taxed), &held.owner, held.amount));
    }
    world.set_account(mint, taxed);
}

/// Freezes a token account.
#[track_caller]
pub fn freeze(world: &mut World, address: &Pubkey) {
    let mut account = world.existing_account(address);
    let mut held = StateWithExtensionsMut::<state::Account>::unpack(&mut account.data).unwrap();
    held.base.state = state::AccountState::Frozen;
    held.pack_base();
    world.set_account(address, account);
}
