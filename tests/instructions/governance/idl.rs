//! The program's description of itself: `idl/breakwater.json`. Tests that go over all instructions go over these, so
//! that a new one cannot be forgotten.

use serde_json::Value;
use std::{collections::BTreeMap, fs};

/// Slot of one account of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// True if it signs.
    pub signer: bool,
    /// True if it is written.
    pub writable: bool,
    /// True if it can be left out.
    pub optional: bool,
}

/// The accounts of every instruction, by its name, composite accounts written out.
///
/// # Panics
/// If the file is not there, or is no IDL.
pub fn instructions() -> BTreeMap<String, Vec<Slot>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../idl/breakwater.json");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let idl: Value = serde_json::from_str(&text).unwrap();
    let list = idl["instructions"].as_array().unwrap();
    list.iter()
        .map(|instruction| {
            let mut slots = Vec::new();
            flatten(&instruction["accounts"], &mut slots);
            (instruction["name"].as_str().unwrap().to_owned(), slots)
        })
        .collect()
}

fn flatten(accounts: &Value, slots: &mut Vec<Slot>) {
    for account in accounts.as_array().unwrap() {
        if account["accounts"].is_array() {
            flatten(&account["accounts"], slots);
            continue;
        }
        let says = |flag: &str| account[flag].as_bool().unwrap_or(false);
        slots.push(Slot {
            name: account["name"].as_str().unwrap().to_owned(),
            signer: says("signer"),
            writable: says("writable"),
            optional: says("optional"),
        });
    }
}
