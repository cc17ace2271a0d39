//! Log lines and events of this program in a transaction, told apart from the output of other programs in the same
//! transaction.

use anchor_lang::{AnchorDeserialize, Discriminator, prelude::Pubkey};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::str::FromStr;

/// A log line and who printed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The innermost program that was running.
    pub program: Pubkey,
    /// How deep it was called: 1 is an instruction of the transaction itself.
    pub depth: usize,
    /// The line.
    pub text: &'a str,
}

/// Attributes every line to the program that was running. Lines outside any program are left out.
pub fn attribute<S: AsRef<str>>(logs: &[S]) -> Vec<LogLine<'_>> {
    let mut running: Vec<Pubkey> = Vec::new();
    let mut lines = Vec::with_capacity(logs.len());
    for text in logs.iter().map(AsRef::as_ref) {
        // A program cannot forge these: its own text always comes after "Program log: " or "Program data: ".
        let words: Vec<&str> = text.split(' ').collect();
        let subject = words.get(1).and_then(|word| Pubkey::from_str(word).ok());
        let verb = words.get(2).copied().unwrap_or_default();
        if let (Some(program), "invoke") = (subject, verb) {
            running.push(program);
        }
        if let Some(program) = running.last() {
            lines.push(LogLine {
                program: *program,
                depth: running.len(),
                text,
            });
        }
        if subject.is_some() && (verb == "success" || verb.starts_with("failed")) {
            running.pop();
        }
    }
    lines
}

/// Decodes every event of type `E` that this program has emitted, in order.
pub fn events<E: AnchorDeserialize + Discriminator>(logs: &[impl AsRef<str>]) -> Vec<E> {
    attribute(logs)
        .iter()
        .filter(|line| line.program == breakwater::ID)
        .filter_map(|line| BASE64_STANDARD.decode(line.text.strip_prefix("Program data: ")?).ok())
        .filter_map(|data| E::try_from_slice(data.strip_prefix(E::DISCRIMINATOR)?).ok())
        .collect()
}

/// The compute units of this program and of what it called, summed over the instructions of the transaction.
pub fn compute_units(logs: &[impl AsRef<str>]) -> u64 {
    let report = format!("Program {} consumed ", breakwater::ID);
    attribute(logs)
        .iter()
        .filter(|line| line.depth == 1)
        .filter_map(|line| {
            // "<units> of <limit> compute units" follows.
            let (units, _) = line.text.strip_prefix(&report)?.split_once(" of ")?;
            units.parse::<u64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

    fn sample() -> Vec<String> {
        let us = breakwater::ID.to_string();
        vec![
            format!("Program {us} invoke [1]"),
            "Program log: Program x consumed 7 of 8 compute units".to_owned(),
            format!("Program {OTHER} invoke [2]"),
            "Program data: AAAA".to_owned(),
            format!("Program {OTHER} consumed 100 of 900 compute units"),
            format!("Program {OTHER} success"),
            format!("Program {us} consumed 500 of 1000 compute units"),
            format!("Program {us} success"),
            format!("Program {OTHER} invoke [1]"),
            format!("Program {us} invoke [2]"),
            format!("Program {us} consumed 70 of 500 compute units"),
            format!("Program {us} success"),
            format!("Program {OTHER} success"),
            format!("Program {us} invoke [1]"),
            format!("Program {us} consumed 30 of 1000 compute units"),
            format!("Program {us} failed: custom program error: 0x1770"),
        ]
    }

    #[test]
    fn compute_units_are_this_programs_own_instructions() {
        assert_eq!(compute_units(&sample()), 530);
    }

    #[test]
    fn lines_belong_to_the_innermost_program() {
        let logs = sample();
        let lines = attribute(&logs);
        let data = lines.iter().find(|line| line.text.starts_with("Program data")).unwrap();
        assert_eq!((data.program.to_string().as_str(), data.depth), (OTHER, 2));
        let last = lines.last().unwrap();
        assert_eq!((last.program, last.depth), (breakwater::ID, 1));
    }
}
