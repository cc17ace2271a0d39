//! Updates as Hermes gave them, for whoever has recorded some: files of bytes or base64 in the folder that
//! `BREAKWATER_PYTH_UPDATES` names. None is kept here.

use std::{env, fs};

use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::pyth::{Update, merkle};

#[test]
fn real_updates_are_read_proven_and_written_as_they_were() {
    let Some(folder) = env::var_os("BREAKWATER_PYTH_UPDATES") else {
        println!("skipped: BREAKWATER_PYTH_UPDATES names no folder");
        return;
    };
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let contents = fs::read(&file).unwrap();
        let bytes = if contents.starts_with(b"PNAU") {
            contents
        } else {
            BASE64_STANDARD
                .decode(String::from_utf8_lossy(&contents).trim())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        };
        let update = Update::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for price in &update.prices {
            let root = merkle::root(&price.message.bytes(), &price.proof);
            assert_eq!(root, update.vaa.body.root, "{}", file.display());
        }
        assert!(update.bytes().unwrap() == bytes, "{}", file.display());
        count += 1;
    }
    assert_ne!(count, 0, "the folder is empty");
}
