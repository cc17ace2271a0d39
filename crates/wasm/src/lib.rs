//! Questions of JavaScript to the engine, so that no formula is written again there.
//!
//! A question is a function of [`quotes`]: plain Rust on the engine's own structs. The `abi` module lets it be asked
//! with bytes: a market and a margin account go in as the chain stores them, readings and clock in Borsh, and the
//! answer comes back in Borsh. [`types`] has what the program's IDL does not know; the binary `quotes-idl` describes it
//! in the same form, so that the JavaScript codecs of questions and answers are generated together with those of the
//! program.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod abi;
#[macro_use]
mod describe;
pub mod quotes;
pub mod types;

#[cfg(not(target_arch = "wasm32"))]
pub use describe::idl;

#[cfg(target_arch = "wasm32")]
mod bare {
    //! Allocator and panic handler, which a program without a standard library must bring along.

    #[global_allocator]
    static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! {
        core::arch::wasm32::unreachable()
    }
}
