//! `breakwater pyth decode`.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::pyth::{Message, Update, merkle};
use clap::Args;
use serde::Serialize;

use super::Result;
use crate::{
    format::{lines, moment},
    options::Output,
    price::decimal,
};

#[derive(Args)]
pub struct Options {
    /// File with the update: base64, hexadecimal digits or bytes; - is standard input
    #[arg(env = "BREAKWATER_UPDATE", default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// An update. Prices are in US dollars, or base tokens for a redemption rate; times are seconds since 1970.
#[derive(Serialize)]
struct View {
    signer_set: u32,
    /// Indexes of who signed, in the set.
    signers: Vec<u8>,
    time: u32,
    slot: u64,
    root: String,
    prices: Vec<Quote>,
}

#[derive(Serialize)]
struct Quote {
    feed: String,
    price: String,
    conf: String,
    ema: String,
    publish_time: i64,
    /// Hashes of the proof.
    depth: usize,
    /// True if the price is in the tree whose root was signed.
    proven: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let update = Update::parse(&bytes(&read(&options.file)?))?;
    let view = view(&update);
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{}", text(&view));
    }
    Ok(())
}

/// A file's contents, or those of standard input.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut all = Vec::new();
        io::stdin().read_to_end(&mut all)?;
        return Ok(all);
    }
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// The update's bytes: as they are if they begin like one, else what the text stands for.
pub fn bytes(contents: &[u8]) -> Vec<u8> {
    if contents.starts_with(b"PNAU") {
        return contents.to_vec();
    }
    let text = String::from_utf8_lossy(contents);
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits)
        .ok()
        .or_else(|| BASE64_STANDARD.decode(text).ok())
        .unwrap_or_else(|| contents.to_vec())
}

fn view(update: &Update) -> View {
    let root = update.vaa.body.root;
    let shown = |mantissa: i64, message: &Message| decimal(mantissa, message.expo);
    let prices = update.prices.iter().map(|price| {
        let message = &price.message;
        Quote {
            feed: hex::encode(message.feed),
            price: shown(message.price, message),
            conf: shown(i64::try_from(message.conf).unwrap_or(i64::MAX), message),
            ema: shown(message.ema_price, message),
            publish_time: message.publish_time,
            depth: price.proof.len(),
            proven: merkle::root(&message.bytes(), &price.proof) == root,
        }
    });
    View {
        signer_set: update.vaa.set,
        signers: update.vaa.signatures.iter().map(|signature| signature.signer).collect(),
        time: update.vaa.body.time,
        slot: update.vaa.body.slot,
        root: hex::encode(root),
        prices: prices.collect(),
    }
}

fn text(view: &View) -> String {
    let signers: Vec<String> = view.signers.iter().map(u8::to_string).collect();
    let mut text = lines(&[
        (
            "signed by",
            format!("{} of set {}", signers.join(", "), view.signer_set),
        ),
        ("at", moment(view.time.into())),
        ("slot of Pythnet", view.slot.to_string()),
        ("root", view.root.clone()),
    ]);
    for price in &view.prices {
        let proof = if price.proven {
            "proven"
        } else {
            "NOT in the signed tree"
        };
        text.push('\n');
        text += &lines(&[
            ("feed", price.feed.clone()),
            ("price", format!("{} ± {}", price.price, price.conf)),
            ("EMA", price.ema.clone()),
            ("published", moment(price.publish_time)),
            ("proof", format!("{proof}, {} hashes", price.depth)),
        ]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_client::pyth::routers::Routers;

    fn update() -> Update {
        let message = Message {
            feed: [0xab; 32],
            price: 14_250_000_000,
            conf: 9_000_000,
            expo: -8,
            publish_time: 1_790_000_000,
            previous_publish_time: 1_789_999_999,
            ema_price: 14_000_000_000,
            ema_conf: 1,
            rest: Vec::new(),
        };
        Routers::new(3).update(&[message])
    }

    #[test]
    fn an_update_is_read_in_every_form() {
        let update = update();
        let raw = update.bytes().unwrap();
        let digits = hex::encode(&raw);
        for contents in [
            raw.clone(),
            BASE64_STANDARD.encode(&raw).into_bytes(),
            format!("{}\n", BASE64_STANDARD.encode(&raw)).into_bytes(),
            digits.clone().into_bytes(),
            format!("0x{digits}\n").to_uppercase().replace("0X", "0x").into_bytes(),
        ] {
            assert_eq!(bytes(&contents), raw);
        }
        assert_eq!(
            Update::parse(&bytes(b"hello")).unwrap_err(),
            breakwater_client::pyth::Error::NotAnUpdate
        );
    }

    #[test]
    fn what_is_not_proven_is_said() {
        let mut update = update();
        let proven = text(&view(&update));
        for part in ["signed by        0, 1, 2 of set 3", "142.5 ± 0.09", "proven, 12 hashes"] {
            assert!(proven.contains(part), "{part}: {proven}");
        }
        update.prices[0].message.price += 1;
        assert!(text(&view(&update)).contains("NOT in the signed tree, 12 hashes"));
    }
}
