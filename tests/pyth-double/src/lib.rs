//! A **test double** of the three programs of Pyth on Solana: receiver, Wormhole bridge and price feed program. It is
//! for local chains that tests and demos own; no command deploys it anywhere else.
//!
//! It checks signatures and proofs for real, with the runtime's own secp256k1 and keccak-256, and has the instructions,
//! accounts, account bytes and names of errors of the real programs of July 2026, as far as posting a price goes. Error
//! numbers are those of that version too; they differ between versions. Not here: governance, other messages than
//! prices, sets of signers in Wormhole's older form, and initializing: whoever makes the chain writes configuration and
//! signers.
//!
//! One binary plays all of them, at any address: which instruction is called says which program is meant, and every
//! address is derived from its own. At the addresses of the real programs it answers to that program's instructions
//! only, and knows what differs between the two stacks.

// Anchor's errors are large.
#![allow(clippy::result_large_err)]

mod accounts;
mod bridge;
mod bytes;
pub mod error;
mod price_feed;
mod receiver;
mod vaa;

use anchor_lang::{
    prelude::{AccountInfo, ErrorCode, Pubkey, Result, err, pubkey},
    solana_program::entrypoint::ProgramResult,
};

/// The real programs of each stack: receiver, bridge, price feed program.
pub const STACKS: [[Pubkey; 3]; 2] = [
    [
        pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
        pubkey!("HDwcJBJXjL9FpJ7UBsYBtaDjsBUhuLCUYoz3zr8SWWaQ"),
        pubkey!("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT"),
    ],
    [
        pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
        pubkey!("HDw2E7P8X1SkCyjvoGsfBGAVUutKcj874bXjHrpVYrVL"),
        pubkey!("pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou"),
    ],
];

/// What a program is, as its place in a row of [`STACKS`].
const RECEIVER: usize = 0;
const BRIDGE: usize = 1;
const PRICE_FEED: usize = 2;

#[cfg(not(feature = "no-entrypoint"))]
anchor_lang::solana_program::entrypoint!(entry);

/// Runs an instruction and logs its error as Anchor does.
///
/// # Errors
/// The instruction's.
pub fn entry(program: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    dispatch(program, accounts, data).map_err(|error| {
        error.log();
        error.into()
    })
}

fn dispatch(program: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> Result<()> {
    let Some((discriminator, data)) = data.split_first_chunk::<8>() else {
        return err!(ErrorCode::InstructionFallbackNotFound);
    };
    let played = |role: usize| STACKS.iter().flatten().all(|real| real != program) || is(program, role);
    match *discriminator {
        [49, 172, 84, 192, 175, 180, 52, 234] if played(RECEIVER) => {
            receiver::post_update_atomic(program, accounts, data)
        }
        [133, 95, 207, 175, 11, 79, 118, 44] if played(RECEIVER) => receiver::post_update(program, accounts, data),
        [218, 200, 19, 197, 227, 89, 192, 22] if played(RECEIVER) => receiver::reclaim_rent(program, accounts),
        [28, 9, 93, 150, 86, 153, 188, 115] if played(PRICE_FEED) => price_feed::update(program, accounts, data),
        [209, 193, 173, 25, 91, 202, 181, 218] if played(BRIDGE) => bridge::init(program, accounts),
        [199, 208, 110, 177, 150, 76, 118, 42] if played(BRIDGE) => bridge::write(program, accounts, data),
        [103, 56, 177, 229, 240, 103, 68, 73] if played(BRIDGE) => bridge::verify(program, accounts),
        [48, 221, 174, 198, 231, 7, 152, 38] if played(BRIDGE) => bridge::close(program, accounts),
        _ => err!(ErrorCode::InstructionFallbackNotFound),
    }
}

/// True if this is the address of a real program of this kind.
fn is(program: &Pubkey, role: usize) -> bool {
    STACKS.iter().any(|stack| stack[role] == *program)
}

/// Signatures that a receiver asks for to call an update fully verified: of the older stack more than two thirds of the
/// signers, elsewhere more than half.
fn receiver_quorum(receiver: &Pubkey, signers: usize) -> usize {
    if *receiver == STACKS[0][RECEIVER] {
        signers * 2 / 3 + 1
    } else {
        signers / 2 + 1
    }
}
