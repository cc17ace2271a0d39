//! Changes of parameters.

use crate::{
    config::{Config, Parameter},
    error::{Error, Result},
};

/// Most parameters that one entry of the queue changes.
pub const MAX_CHANGES: usize = 16;

record! {
    /// A change of one parameter.
    ParameterChange {
        /// The number of the parameter.
        parameter: u8,
        /// Its value now.
        from: u64,
        /// Its value then.
        to: u64,
    }
}

/// Checks what can be said of changes without a market: at least one and at most [`MAX_CHANGES`], of known parameters,
/// each to another value, none twice, and none of the liquidation LTV.
///
/// # Errors
/// [`Error::NoChange`], [`Error::TooManyChanges`], [`Error::ParameterUnknown`], [`Error::LiquidationLtvByRamp`],
/// [`Error::ParameterTwice`].
pub fn check_changes(changes: &[ParameterChange]) -> Result<()> {
    if changes.is_empty() {
        return Err(Error::NoChange);
    }
    if changes.len() > MAX_CHANGES {
        return Err(Error::TooManyChanges);
    }
    let mut seen = 0u128;
    for change in changes {
        let parameter = Parameter::from_id(change.parameter)?;
        if parameter == Parameter::liquidation_ltv {
            return Err(Error::LiquidationLtvByRamp);
        }
        if change.from == change.to {
            return Err(Error::NoChange);
        }
        // There are fewer than 128 parameters.
        let bit = 1u128.wrapping_shl(u32::from(change.parameter));
        if seen & bit != 0 {
            return Err(Error::ParameterTwice);
        }
        seen |= bit;
    }
    Ok(())
}

impl Config {
    /// These parameters with `changes` made, each from the value that it says. The result may still be invalid:
    /// [`Config::validate`].
    ///
    /// # Errors
    /// The errors of [`check_changes`]; [`Error::StaleChange`], [`Error::ParameterOutOfBounds`] if a value does not fit
    /// its type.
    pub fn changed(mut self, changes: &[ParameterChange]) -> Result<Self> {
        check_changes(changes)?;
        for change in changes {
            let parameter = Parameter::from_id(change.parameter)?;
            if parameter.get(&self) != change.from {
                return Err(Error::StaleChange);
            }
            parameter.set(&mut self, change.to)?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
