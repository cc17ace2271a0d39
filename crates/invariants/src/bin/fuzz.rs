//! The same sequences, found by coverage: libFuzzer changes the bytes that stories are read from, and keeps those that
//! reach new branches of the engine. `make fuzz` builds it with the instrumentation, runs it, and goes on from what it
//! found before.
#![no_main]

use breakwater_invariants::{Counts, play};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((flavor, stories)) = bytes.split_first() else {
        return;
    };
    if let Err(failure) = play(*flavor, stories, None, &mut Counts::default()) {
        // libFuzzer stops at a panic and keeps the bytes.
        panic!("{}", failure.minimized());
    }
});
