//! The compiled programs, and the two accounts in which the upgradeable loader keeps one.

use crate::Actor;
use anchor_lang::{prelude::Pubkey, solana_program::bpf_loader_upgradeable};
use breakwater_client::pyth::Stack;
use solana_account::Account;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Folder with the code of Pyth's real programs, as `solana program dump` writes it: PROGRAM.so each.
const REAL_PROGRAMS: &str = "BREAKWATER_PYTH_PROGRAMS";

/// The real compiled program, found at the path in `BREAKWATER_SO`, else in the workspace's `target/deploy`, where
/// `make build` puts it, else in `$CARGO_TARGET_DIR/deploy`, where `cargo build-sbf` may have.
///
/// # Panics
/// If there is no such file: the tests run the real program, or nothing.
#[must_use]
pub fn breakwater_program() -> Vec<u8> {
    program("BREAKWATER_SO", "breakwater.so")
}

/// The compiled test double of Pyth's three programs (`tests/pyth-double`), found as [`breakwater_program`] is, with
/// `BREAKWATER_PYTH_DOUBLE_SO` for its path.
///
/// # Panics
/// If there is no such file.
#[must_use]
pub fn pyth_double() -> Vec<u8> {
    program("BREAKWATER_PYTH_DOUBLE_SO", "pyth_double.so")
}

/// Pyth's programs on both stacks: address, upgrade authority, code. They are played by the double, unless
/// `BREAKWATER_PYTH_PROGRAMS` names a folder with the code of the real ones: all that tests expect of the double (bytes
/// of accounts, errors by name, compute units within the limits asked for) is then expected of those.
///
/// # Panics
/// If the double has not been built, or a real program is not in the folder.
#[must_use]
pub fn pyth_programs() -> Vec<(Pubkey, Pubkey, Vec<u8>)> {
    let authority = Actor::new("pyth").key();
    let code = |program: Pubkey| {
        if let Some(folder) = env::var_os(REAL_PROGRAMS) {
            read(&PathBuf::from(folder).join(format!("{program}.so")), REAL_PROGRAMS)
        } else {
            pyth_double()
        }
    };
    let of = |stack: Stack| [stack.receiver, stack.bridge, stack.price_feed_program];
    let programs = Stack::ALL.into_iter().flat_map(of);
    programs.map(|program| (program, authority, code(program))).collect()
}

fn program(variable: &str, file: &str) -> Vec<u8> {
    read(
        &env::var_os(variable).map_or_else(|| built(file), PathBuf::from),
        variable,
    )
}

fn read(path: &Path, variable: &str) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| {
        panic!(
            "cannot read the program {}: {error}. Build it with `make build`, or set {variable}",
            path.display()
        )
    })
}

fn built(file: &str) -> PathBuf {
    let made = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/deploy")).join(file);
    let target = env::var_os("CARGO_TARGET_DIR").map(|target| PathBuf::from(target).join("deploy").join(file));
    match target {
        Some(path) if !made.exists() && path.exists() => path,
        _ => made,
    }
}

/// The least balance with which an account of `len` bytes is exempt from rent.
#[must_use]
pub fn rent_exempt(len: usize) -> u64 {
    const BYTES_OF_BOOKKEEPING: u64 = 128;
    const LAMPORTS_PER_BYTE: u64 = 6_960;
    (BYTES_OF_BOOKKEEPING + len as u64) * LAMPORTS_PER_BYTE
}

/// The address of a program's code and upgrade authority.
#[must_use]
pub fn program_data_address(program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[program.as_ref()], &bpf_loader_upgradeable::ID).0
}

/// The program account and the program data account of an upgradeable program, as if deployed in slot 0.
/// The program data comes first: a backend that compiles a program as soon as it sees it needs the code by then.
#[must_use]
pub fn upgradeable_program(program: &Pubkey, authority: &Pubkey, elf: &[u8]) -> [(Pubkey, Account); 2] {
    // The loader's state in its bincode form: a 4-byte tag, then the fields.
    const PROGRAM: u32 = 2;
    const PROGRAM_DATA: u32 = 3;
    let data_address = program_data_address(program);

    let mut code = Vec::with_capacity(45 + elf.len());
    code.extend_from_slice(&PROGRAM_DATA.to_le_bytes());
    code.extend_from_slice(&0u64.to_le_bytes()); // the slot of the deployment
    code.push(1); // there is an upgrade authority
    code.extend_from_slice(authority.as_ref());
    code.extend_from_slice(elf);

    let mut pointer = PROGRAM.to_le_bytes().to_vec();
    pointer.extend_from_slice(data_address.as_ref());

    let account = |data: Vec<u8>, executable| Account {
        lamports: rent_exempt(data.len()),
        data,
        owner: bpf_loader_upgradeable::ID,
        executable,
        rent_epoch: u64::MAX,
    };
    [(data_address, account(code, false)), (*program, account(pointer, true))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::solana_program::bpf_loader_upgradeable::UpgradeableLoaderState;

    #[test]
    fn the_loader_reads_its_own_state_back() {
        let (program, authority) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let [(data_address, data), (_, pointer)] = upgradeable_program(&program, &authority, b"elf");
        let metadata = UpgradeableLoaderState::size_of_programdata_metadata();
        assert_eq!(&data.data[metadata..], b"elf");
        assert_eq!(
            data.deserialize_data::<UpgradeableLoaderState>().unwrap(),
            UpgradeableLoaderState::ProgramData {
                slot: 0,
                upgrade_authority_address: Some(authority)
            }
        );
        assert_eq!(
            pointer.deserialize_data::<UpgradeableLoaderState>().unwrap(),
            UpgradeableLoaderState::Program {
                programdata_address: data_address
            }
        );
    }
}
