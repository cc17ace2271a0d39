//! A vault of wrapped lamports: its tokens are its lamports above rent, and rent may change.

use crate::scene::{SOL, USDC};
use anchor_lang::{
    prelude::{Pubkey, pubkey},
    solana_program::{program_option::COption, program_pack::Pack},
};
use anchor_spl::token::spl_token::{
    instruction::sync_native,
    native_mint,
    state::{Account as Tokens, AccountState},
};
use breakwater_client::MarketKeys;
use breakwater_testkit::{Account, Actor, MarketSpec, MintSpec, Position, World};

/// Where the runtime says what rent is.
const RENT: Pubkey = pubkey!("SysvarRent111111111111111111111111111111111");

/// Rent of a byte for good, lamports: of today, and of before.
const RENTS: [u64; 2] = [5_080, 6_960];
/// Bytes of a token account, and what the runtime adds.
const BYTES: u64 = 165 + 128;

/// Lamports for a byte from now on.
fn rent(world: &mut World, lamports: u64) {
    let mut account = world.existing_account(&RENT);
    let bytes: [u8; 8] = account.data[..8].try_into().unwrap();
    // Of a byte, or of a byte and a year, of which two count.
    let unit = if u64::from_le_bytes(bytes) * 2 > 8_000 { 1 } else { 2 };
    account.data[..8].copy_from_slice(&(lamports / unit).to_le_bytes());
    world.set_account(&RENT, account);
}

/// Gives an owner so many wrapped lamports.
fn wrapped(world: &mut World, owner: &Pubkey, amount: u64) {
    let address = world.token_address(owner, &native_mint::ID);
    let reserve = BYTES * RENTS[1];
    let mut data = vec![0; Tokens::LEN];
    let tokens = Tokens {
        mint: native_mint::ID,
        owner: *owner,
        amount,
        state: AccountState::Initialized,
        is_native: COption::Some(reserve),
        ..Tokens::default()
    };
    Tokens::pack(tokens, &mut data).unwrap();
    let account = Account {
        lamports: reserve + amount,
        data,
        owner: anchor_spl::token::ID,
        executable: false,
        rent_epoch: u64::MAX,
    };
    world.set_account(&address, account);
}

/// A market of wrapped lamports against USDC, created at one rent, Alice, her account, and the vault.
fn market(created_at: u64) -> (World, MarketKeys, Position) {
    let mut world = World::lite();
    rent(&mut world, created_at);
    let market = world.market(&MarketSpec {
        collateral: MintSpec::native(),
        ..MarketSpec::default()
    });
    let alice: Actor = world.trader(&market, "alice", 0, 100 * USDC);
    wrapped(&mut world, &alice.key(), 100 * SOL);
    let position = world.open(&market, &alice, 0).unwrap();
    (world, market, position)
}

/// Anybody may.
fn sync(world: &mut World, vault: &Pubkey) {
    let instruction = sync_native(&anchor_spl::token::ID, vault).unwrap();
    world.send(&[instruction], &[]).unwrap();
}

#[test]
fn a_vault_of_wrapped_lamports_holds_its_books_at_either_rent() {
    for created_at in RENTS {
        for now in RENTS {
            for synced in 0..4 {
                let (mut world, market, position) = market(created_at);
                let vault = market.collateral_vault;
                assert_eq!(world.token_balance(&vault), 0);
                assert_eq!(world.existing_account(&vault).lamports, BYTES * RENTS[1]);
                world.deposit(&position, 10 * SOL).unwrap();
                if synced & 1 != 0 {
                    sync(&mut world, &vault);
                }
                rent(&mut world, now);
                if synced & 2 != 0 {
                    sync(&mut world, &vault);
                }
                // No less than the books say; and all of it can leave.
                assert!(world.token_balance(&vault) >= 10 * SOL);
                world.deposit(&position, SOL).unwrap();
                world.withdraw_collateral(&position, 11 * SOL).unwrap();
                sync(&mut world, &vault);
                assert_eq!(world.margin_account(&position).collateral.0, 0);
                assert!(world.existing_account(&vault).lamports >= BYTES * RENTS[1]);
            }
        }
    }
}
