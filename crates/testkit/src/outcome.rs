//! Outcome of a transaction, or the reason why it was refused.

use crate::backend::Executed;
use anchor_lang::{
    AnchorDeserialize, Discriminator,
    prelude::{ErrorCode, Pubkey},
    solana_program::instruction::error::InstructionError,
};
use breakwater::{
    error::BreakwaterError,
    events::{AccountsLiquidated, Liquidated},
};
use breakwater_client::logs;
use breakwater_engine::actions::Liquidation;
use solana_transaction_error::TransactionError;
use std::fmt;

/// A transaction that went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Compute units of Breakwater's own instructions, with what they called.
    pub compute_units: u64,
    /// Compute units of the whole transaction.
    pub transaction_compute_units: u64,
    /// The transaction's size, bytes.
    pub bytes: usize,
    /// Every log line.
    pub logs: Vec<String>,
}

impl Outcome {
    /// The events of one type that Breakwater emitted, in order.
    #[must_use]
    pub fn events<E: AnchorDeserialize + Discriminator>(&self) -> Vec<E> {
        logs::events(&self.logs)
    }

    /// The one event of this type.
    ///
    /// # Panics
    /// If there is none, or more than one.
    #[must_use]
    pub fn event<E: AnchorDeserialize + Discriminator>(&self) -> E {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "events of the type asked for in {:#?}", self.logs);
        events.remove(0)
    }

    /// The margin accounts that were liquidated, in order.
    #[must_use]
    pub fn liquidated(&self) -> Vec<Liquidated> {
        let events: Vec<AccountsLiquidated> = self.events();
        events.into_iter().flat_map(|event| event.liquidated).collect()
    }

    /// The one liquidation.
    ///
    /// # Panics
    /// If there is none, or more than one.
    #[must_use]
    pub fn liquidation(&self) -> Liquidation {
        let liquidated = self.liquidated();
        assert_eq!(liquidated.len(), 1, "liquidations in {:#?}", self.logs);
        liquidated[0].liquidation
    }
}

/// A transaction that was refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// The runtime's verdict.
    pub error: TransactionError,
    /// The program that refused, if one did.
    pub program: Option<Pubkey>,
    /// The error's name: that of the program's own error where its log tells it, such as `AccountHealthy`;
    /// otherwise the runtime's, such as `InvalidSeeds` or `Custom(1)`.
    pub name: String,
    /// Compute units of Breakwater's own instructions, with what they called.
    pub compute_units: u64,
    /// Every log line.
    pub logs: Vec<String>,
}

impl Failure {
    /// The instruction error, without the index of the instruction.
    #[must_use]
    pub fn instruction_error(&self) -> Option<&InstructionError> {
        match &self.error {
            TransactionError::InstructionError(_, error) => Some(error),
            _ => None,
        }
    }

    /// The number of a program's own error.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self.instruction_error() {
            Some(InstructionError::Custom(code)) => Some(*code),
            _ => None,
        }
    }

    fn is_breakwater_code(&self, code: u32) -> bool {
        self.program == Some(breakwater::ID) && self.code() == Some(code)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.name, self.error)?;
        self.logs.iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl std::error::Error for Failure {}

/// Reads the backend's answer.
pub(crate) fn read(executed: Executed, bytes: usize) -> Result<Outcome, Failure> {
    let Executed {
        result,
        logs,
        compute_units: transaction_compute_units,
    } = executed;
    let compute_units = logs::compute_units(&logs);
    match result {
        Ok(()) => Ok(Outcome {
            compute_units,
            transaction_compute_units,
            bytes,
            logs,
        }),
        Err(error) => {
            let program = failed_program(&logs);
            let name = name(&error, &logs);
            Err(Failure {
                error,
                program,
                name,
                compute_units,
                logs,
            })
        }
    }
}

/// The innermost program that failed: it is the first to report.
fn failed_program(logs: &[String]) -> Option<Pubkey> {
    let mut lines = logs::attribute(logs).into_iter();
    lines
        .find(|line| line.text.starts_with(&format!("Program {} failed", line.program)))
        .map(|line| line.program)
}

fn name(error: &TransactionError, logs: &[String]) -> String {
    let TransactionError::InstructionError(_, error) = error else {
        return format!("{error:?}");
    };
    let InstructionError::Custom(code) = error else {
        return format!("{error:?}");
    };
    // Anchor logs: "... Error Code: <name>. Error Number: <code>. Error Message: ..."
    let number = format!(". Error Number: {code}.");
    let logged = logs.iter().rev().find_map(|line| {
        let (before, _) = line.split_once(&number)?;
        Some(before.split_once("Error Code: ")?.1.to_owned())
    });
    logged.unwrap_or_else(|| format!("{error:?}"))
}

/// An exact error to expect: Breakwater's or Anchor's error variant, the runtime's, or any of them by name.
pub trait ExpectedError {
    /// True if `failure` is this error, from the program that defines it.
    fn is(&self, failure: &Failure) -> bool;

    /// Name of the error in a message.
    fn describe(&self) -> String;
}

impl ExpectedError for BreakwaterError {
    fn is(&self, failure: &Failure) -> bool {
        failure.is_breakwater_code(u32::from(*self))
    }

    fn describe(&self) -> String {
        self.name()
    }
}

impl ExpectedError for ErrorCode {
    fn is(&self, failure: &Failure) -> bool {
        failure.is_breakwater_code(u32::from(*self))
    }

    fn describe(&self) -> String {
        self.name()
    }
}

impl ExpectedError for InstructionError {
    fn is(&self, failure: &Failure) -> bool {
        failure.instruction_error() == Some(self)
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl ExpectedError for TransactionError {
    fn is(&self, failure: &Failure) -> bool {
        failure.error == *self
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl ExpectedError for &str {
    fn is(&self, failure: &Failure) -> bool {
        failure.name == *self
    }

    fn describe(&self) -> String {
        (*self).to_owned()
    }
}

/// Asserts that a transaction was refused with exactly this error, and returns the failure.
///
/// # Panics
/// If it went through, or was refused with another error.
#[track_caller]
#[allow(
    clippy::needless_pass_by_value,
    reason = "an error variant is written where it is expected"
)]
pub fn assert_fails_with<T: fmt::Debug>(result: Result<T, Failure>, expected: impl ExpectedError) -> Failure {
    match result {
        Ok(value) => panic!("expected {}, but it went through: {value:?}", expected.describe()),
        Err(failure) => {
            assert!(
                expected.is(&failure),
                "expected {}, got {failure:?}",
                expected.describe()
            );
            failure
        }
    }
}
