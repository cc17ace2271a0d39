//! The questions as functions on bytes.
//!
//! To ask, [`reserve`] memory, write there the question's parameters one after the other in Borsh (accounts as the chain
//! stores them, without discriminator: their Borsh form is the same), and call the function of that name with address and
//! length; it takes the memory back. What it returns is address × 2^32 + length of the answer, to be [`release`]d: 1 and the
//! answer in Borsh, or 0 and an error code, 4 bytes. Codes are the program's; [`MALFORMED`] if the parameters do not decode.
#![allow(
    unsafe_code,
    reason = "memory that is handed over to JavaScript, and names that it can call"
)]

use crate::{
    quotes,
    types::{Moment, Readings},
};
use alloc::{boxed::Box, vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use breakwater_engine::{Error, MarginAccount, Market, Result};

/// The parameters do not decode: bytes of something else, or of another version of this library.
pub const MALFORMED: u32 = 0;

/// Anchor's first code of a program's own errors; the engine's come first among the program's.
const FIRST_CODE: u32 = 6_000;

/// Memory for so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(len: usize) -> *mut u8 {
    Box::leak(vec![0; len].into_boxed_slice()).as_mut_ptr()
}

/// Takes memory back.
///
/// # Safety
/// It is what [`reserve`] or a question gave, and nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn release(address: *mut u8, len: usize) {
    // SAFETY: see above.
    drop(unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(address, len)) });
}

/// Decodes the parameters, asks, and encodes the answer.
fn answer<P: BorshDeserialize, A: BorshSerialize>(parameters: &[u8], ask: impl Fn(P) -> Result<A>) -> Vec<u8> {
    let answer = match P::try_from_slice(parameters) {
        Ok(parameters) => ask(parameters).map_err(code),
        Err(_) => Err(MALFORMED),
    };
    borsh::to_vec(&answer).unwrap_or_default()
}

fn code(error: Error) -> u32 {
    FIRST_CODE + error as u32
}

/// Where an answer is.
fn place(answer: Vec<u8>) -> u64 {
    let bytes = Box::leak(answer.into_boxed_slice());
    (bytes.as_ptr().addr() as u64) << 32 | bytes.len() as u64
}

macro_rules! questions {
    ($($name:ident($($parameter:ident: $ty:ty),*);)*) => {
        $(
            #[doc = concat!("See [`quotes::", stringify!($name), "`].")]
            ///
            /// # Safety
            /// The memory is what [`reserve`] gave, and nobody else uses it.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(address: *mut u8, len: usize) -> u64 {
                // SAFETY: see above.
                let parameters = unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(address, len)) };
                place(answer(&parameters, |($($parameter,)*): ($($ty,)*)| quotes::$name($($parameter),*)))
            }
        )*
    };
}

questions! {
    prices(market: Market, readings: Readings, at: Moment);
    health(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    health_after_borrow(market: Market, account: MarginAccount, readings: Readings, at: Moment, amount: u64);
    health_after_withdrawal(market: Market, account: MarginAccount, readings: Readings, at: Moment, amount: u64);
    max_borrow(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    max_withdrawal(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    liquidation(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    initial_ltv(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    offers(market: Market, readings: Readings, at: Moment, every: u32, count: u16);
    purchase(market: Market, readings: Readings, at: Moment, amount: u64);
    purchase_for(market: Market, readings: Readings, at: Moment, budget: u64);
    heat_map(market: Market, at: Moment);
    risk(market: Market, readings: Readings, at: Moment);
    example_config();
}
