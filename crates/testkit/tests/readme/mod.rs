//! The test that the README gives to copy.

mod quick_start;

#[test]
fn it_is_what_the_readme_shows() {
    assert!(include_str!("../../../../README.md").contains(include_str!("quick_start.rs")));
}
