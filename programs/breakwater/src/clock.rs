use anchor_lang::prelude::*;

/// The chain's clock, as the engine takes it.
///
/// # Errors
/// If the sysvar cannot be read.
pub fn now() -> Result<breakwater_engine::Clock> {
    let clock = Clock::get()?;
    Ok(breakwater_engine::Clock {
        unix: clock.unix_timestamp,
        slot: clock.slot,
    })
}
