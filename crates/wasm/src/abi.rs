//! The questions as functions on bytes.
//!
//! To ask, [`reserve`] memory, write there the question's parameters one after the other in Borsh (accounts as the
//! chain stores them, without discriminator: their Borsh form is the same), and call the function of that name with
//! address and length; it takes the memory back. It returns address × 2^32 + length of the answer, to be [`release`]d:
//! 1 and the answer in Borsh, or 0 and an error code, 4 bytes. Codes are the program's; [`MALFORMED`] if the parameters
//! do not decode.
#![allow(
    unsafe_code,
    reason = "memory that is handed over to JavaScript, and names that it can call"
)]

use crate::{
    quotes,
    types::{Moment, Readings, ShownReadings, code},
};
use alloc::{boxed::Box, vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use breakwater_engine::{GuardianPosition, MarginAccount, Market, Result};

/// The parameters do not decode: bytes of something else, or of another version of this library.
pub const MALFORMED: u32 = 0;

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
    feeds_to_post(market: Market, shown: ShownReadings, usage: u8, at: Moment);
    health(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    health_after_borrow(market: Market, account: MarginAccount, readings: Readings, at: Moment, amount: u64);
    health_after_withdrawal(market: Market, account: MarginAccount, readings: Readings, at: Moment, amount: u64);
    max_borrow(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    max_withdrawal(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    liquidation(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    preview(market: Market, account: MarginAccount, readings: Readings, at: Moment);
    leaving(market: Market, position: GuardianPosition, readings: Readings, at: Moment);
    guardian_yield(market: Market, readings: Readings, at: Moment, more: u64);
    balance_sheet(market: Market, readings: Readings, at: Moment);
    lp_value(market: Market, readings: Readings, at: Moment, shares: u64);
    lp_value_stored(market: Market, at: Moment, shares: u64);
    shock(market: Market, readings: Readings, at: Moment, drop: u32);
    offers(market: Market, readings: Readings, at: Moment, every: u32, count: u16);
    purchase(market: Market, readings: Readings, at: Moment, amount: u64);
    purchase_for(market: Market, readings: Readings, at: Moment, budget: u64);
    heat_map(market: Market, at: Moment);
    risk(market: Market, readings: Readings, at: Moment);
    cascade(market: Market, readings: Readings, at: Moment, hours: u32, every: u32, count: u16);
    cascade_measures(market: Market, readings: Readings, at: Moment, hours: u32);
    example_config();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::RawReading;
    use proptest::prelude::*;

    proptest! {
        /// So accounts can be handed over as they are stored.
        #[test]
        fn an_accounts_borsh_form_is_its_bytes(bytes in prop::collection::vec(any::<u8>(), size_of::<Market>())) {
            let market: Market = bytemuck::pod_read_unaligned(&bytes);
            prop_assert_eq!(&borsh::to_vec(&market).unwrap(), &bytes);
            let account: MarginAccount = bytemuck::pod_read_unaligned(&bytes[..size_of::<MarginAccount>()]);
            prop_assert_eq!(borsh::to_vec(&account).unwrap(), bytes[..size_of::<MarginAccount>()].to_vec());
            let position: GuardianPosition = bytemuck::pod_read_unaligned(&bytes[..size_of::<GuardianPosition>()]);
            prop_assert_eq!(borsh::to_vec(&position).unwrap(), bytes[..size_of::<GuardianPosition>()].to_vec());
        }
    }

    #[test]
    fn an_answer_is_one_and_the_answer_or_zero_and_a_code() {
        let ask = |(market, readings, at): (Market, Readings, Moment)| quotes::prices(market, readings, at);
        assert_eq!(answer(&[1, 2, 3], ask), [0, 0, 0, 0, 0], "malformed");
        let reading = RawReading {
            price: 0,
            conf: 0,
            expo: 0,
            ema_price: 0,
            publish_time: 0,
        };
        let readings = Readings {
            collateral: reading,
            quote: reading,
            redemption: None,
        };
        let market: Market = bytemuck::Zeroable::zeroed();
        let parameters = borsh::to_vec(&(market, readings, Moment { unix: 0, slot: 0 })).unwrap();
        let [a, b, c, d] = code(breakwater_engine::Error::PriceNotPositive).to_le_bytes();
        assert_eq!(answer(&parameters, ask), [0, a, b, c, d]);
        let twice = |(number,): (u64,)| Ok(number * 2);
        assert_eq!(answer(&7u64.to_le_bytes(), twice), [1, 14, 0, 0, 0, 0, 0, 0, 0]);
    }
}
