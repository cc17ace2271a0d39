//! The program's IDL: whatever it names, events and stored fields, as JSON by those names.
//!
//! Numbers of 64 bits and more without a sign are strings, for many readers of JSON keep 53 bits; all others are
//! numbers.

use std::sync::OnceLock;

use anchor_lang::prelude::Pubkey;
use serde_json::{Map, Value};

/// The IDL that this command was built with.
pub struct Idl {
    document: Value,
}

impl Idl {
    /// Parses it once.
    pub fn embedded() -> &'static Self {
        static IDL: OnceLock<Idl> = OnceLock::new();
        IDL.get_or_init(|| Self {
            document: serde_json::from_str(include_str!("../../../idl/breakwater.json"))
                .unwrap_or_else(|error| unreachable!("the IDL is checked by CI: {error}")),
        })
    }

    /// The name and fields of the event in a log line's data; `None` for what is no event of this program.
    pub fn event(&self, data: &[u8]) -> Option<(&str, Value)> {
        let (discriminator, mut body) = data.split_at_checked(8)?;
        let is_its = |event: &&Value| {
            let bytes = event["discriminator"].as_array();
            bytes.is_some_and(|bytes| {
                bytes
                    .iter()
                    .map(Value::as_u64)
                    .eq(discriminator.iter().map(|b| Some(u64::from(*b))))
            })
        };
        let name = self.list("events").iter().find(is_its)?["name"].as_str()?;
        Some((name, self.structure(name, &mut body)?))
    }

    /// The fields of a stored account of this kind, without its discriminator.
    pub fn account(&self, name: &str, data: &[u8]) -> Option<Value> {
        self.structure(name, &mut data.get(8..)?)
    }

    /// Adds the name and message of this program's error to a message that holds only its number.
    pub fn explain(&self, message: &str) -> String {
        let number = |start: &str, radix| {
            let (_, rest) = message.split_once(start)?;
            let end = rest.find(|c: char| !c.is_digit(radix)).unwrap_or(rest.len());
            u64::from_str_radix(&rest[..end], radix).ok()
        };
        let code = number("custom program error: 0x", 16).or_else(|| number("Custom(", 10));
        let known = |error: &&Value| code.is_some() && error["code"].as_u64() == code;
        match self.list("errors").iter().find(known) {
            Some(error) => format!(
                "{message}\n  {}: {}",
                error["name"].as_str().unwrap_or_default(),
                error["msg"].as_str().unwrap_or_default()
            ),
            None => message.to_owned(),
        }
    }

    fn list(&self, name: &str) -> &[Value] {
        self.document[name].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    fn structure(&self, name: &str, bytes: &mut &[u8]) -> Option<Value> {
        let definition = self
            .list("types")
            .iter()
            .find(|definition| definition["name"] == name)?;
        let mut fields = Map::new();
        for field in definition["type"]["fields"].as_array()? {
            let value = self.value(&field["type"], bytes)?;
            fields.insert(field["name"].as_str()?.to_owned(), value);
        }
        Some(Value::Object(fields))
    }

    fn value(&self, kind: &Value, bytes: &mut &[u8]) -> Option<Value> {
        if let Some(name) = kind.as_str() {
            return primitive(name, bytes);
        }
        if let Some(name) = kind["defined"]["name"].as_str() {
            return self.structure(name, bytes);
        }
        let (of, count) = if let Some(of) = kind.get("vec") {
            (of, u64::from(u32::from_le_bytes(take(bytes)?)))
        } else {
            let array = kind["array"].as_array()?;
            (array.first()?, array.get(1)?.as_u64()?)
        };
        (0..count)
            .map(|_| self.value(of, bytes))
            .collect::<Option<_>>()
            .map(Value::Array)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn primitive(name: &str, bytes: &mut &[u8]) -> Option<Value> {
    Some(match name {
        "bool" => Value::Bool(take::<1>(bytes)? != [0]),
        "u8" => u8::from_le_bytes(take(bytes)?).into(),
        "u16" => u16::from_le_bytes(take(bytes)?).into(),
        "u32" => u32::from_le_bytes(take(bytes)?).into(),
        "i16" => i16::from_le_bytes(take(bytes)?).into(),
        "i32" => i32::from_le_bytes(take(bytes)?).into(),
        "i64" => i64::from_le_bytes(take(bytes)?).into(),
        "u64" => u64::from_le_bytes(take(bytes)?).to_string().into(),
        "u128" => u128::from_le_bytes(take(bytes)?).to_string().into(),
        "pubkey" => Pubkey::new_from_array(take(bytes)?).to_string().into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::Event;
    use breakwater::events;
    use breakwater_engine::{Collateral, Config, Market, Quote, actions};

    #[test]
    fn an_event_is_told_by_its_names() {
        let account = Pubkey::new_from_array([7; 32]);
        let event = events::CollateralDeposited {
            market: account,
            margin_account: account,
            depositor: account,
            change: actions::CollateralChange {
                amount: Collateral(u64::MAX),
                collateral_after: Collateral(5),
            },
        };
        let (name, fields) = Idl::embedded().event(&event.data()).unwrap();
        assert_eq!(name, "CollateralDeposited");
        assert_eq!(fields["market"], account.to_string());
        assert_eq!(fields["change"]["amount"], "18446744073709551615");
        assert_eq!(fields["change"]["collateral_after"], "5");
        assert_eq!(Idl::embedded().event(&[0; 40]), None);
    }

    /// Every field is read to the last byte: types that the decoder does not know would stop it.
    #[test]
    fn every_type_of_the_idl_is_known() {
        let idl = Idl::embedded();
        for kind in ["events", "accounts"] {
            for item in idl.list(kind) {
                let name = item["name"].as_str().unwrap();
                assert!(idl.structure(name, &mut [0u8; 8192].as_slice()).is_some(), "{name}");
            }
        }
        let mut market: Market = bytemuck::Zeroable::zeroed();
        market.config = Config::EXAMPLE;
        market.reserved_governance = [u64::MAX; 49];
        let data = [&[0; 8], bytemuck::bytes_of(&market)].concat();
        let read = idl.account("Market", &data).unwrap();
        assert_eq!(read["config"]["min_debt"], Quote(10_000_000).0.to_string());
        assert_eq!(read["config"]["pipeline"], 1_200);
        assert_eq!(read["reserved_governance"][48], u64::MAX.to_string());
    }

    #[test]
    fn an_error_gets_its_name() {
        let idl = Idl::embedded();
        let text = "Error processing Instruction 1: custom program error: 0x1770";
        assert_eq!(idl.explain(text), format!("{text}\n  ZeroAmount: The amount is zero"));
        assert_eq!(idl.explain("timed out"), "timed out");
    }
}
