//! The compiled program says whom to tell of a weakness.

use breakwater_testkit::program_file::breakwater_program;
use solana_security_txt::{Contact, SECURITY_TXT_BEGIN, find_and_parse};

#[test]
fn explorers_find_it_in_the_program() {
    let elf = breakwater_program();
    let found = find_and_parse(&elf).unwrap();
    let repository = env!("CARGO_PKG_REPOSITORY");
    assert_eq!(found.name, "Breakwater");
    assert_eq!(found.project_url, repository);
    assert_eq!(found.source_code.as_deref(), Some(repository));
    assert_eq!(
        found.source_release.as_deref(),
        Some(concat!("v", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(found.policy, format!("{repository}/blob/main/SECURITY.md"));
    let [Contact::Link(contact)] = found.contacts.as_slice() else {
        panic!("one link")
    };
    assert_eq!(*contact, format!("{repository}/security/advisories/new"));
}

#[test]
fn it_is_there_once() {
    let elf = breakwater_program();
    let begin = SECURITY_TXT_BEGIN.as_bytes();
    assert_eq!(elf.windows(begin.len()).filter(|bytes| *bytes == begin).count(), 1);
}
