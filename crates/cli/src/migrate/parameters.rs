//! The parameters of a market as a configuration file names them: those of the engine's table, in its units.

use std::collections::BTreeMap;

use breakwater_engine::{Config, Parameter};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Unexpected},
};

/// One parameter by name: what the file says, what the chain says.
pub type Difference = (&'static str, String, String);

/// Every parameter by its name, none of them optional and no other: amounts in atoms, ratios in basis points, times in
/// seconds.
#[derive(Clone, Copy, Debug)]
pub struct Parameters(pub Config);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut values = BTreeMap::<String, u64>::deserialize(from)?;
        let mut config = Config::EXAMPLE;
        for parameter in Parameter::ALL {
            let name = parameter.name();
            let value = values.remove(name).ok_or_else(|| D::Error::missing_field(name))?;
            parameter.set(&mut config, value).map_err(|_| {
                D::Error::invalid_value(Unexpected::Unsigned(value), &"a number that the parameter can have")
            })?;
        }
        match values.first_key_value() {
            Some((name, _)) => Err(D::Error::custom(format!("unknown field `{name}`"))),
            None => Ok(Self(config)),
        }
    }
}

/// Where two parameter sets differ.
pub fn differences(file: &Config, chain: &Config) -> Vec<Difference> {
    let each = Parameter::ALL.iter().map(|parameter| {
        let [file, chain] = [file, chain].map(|config| parameter.get(config).to_string());
        (parameter.name(), file, chain)
    });
    each.filter(|(_, file, chain)| file != chain).collect()
}
