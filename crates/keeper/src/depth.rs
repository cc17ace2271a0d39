//! How much a market bears: what `breakwater depth` measured, in a file, and the figure that a market's depth should
//! not exceed.
//!
//! The depth of an asset changes by the hour, and is smallest when it is needed. So what counts is not the mean of the
//! samples but a low quantile of them, the *stress quantile*, and of that the share that this market has: markets that
//! sell the same asset share its depth.

use std::{fs, io, path::Path, time::SystemTime};

use breakwater_engine::{Quote, math::num};
use serde::{Deserialize, Serialize};

/// Most samples that a file keeps; older ones go.
pub const MOST: usize = 10_000;

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When, seconds since 1970.
    pub unix_time: i64,
    /// Proceeds of selling so much of the asset that its price moved by 1%, quote atoms.
    #[serde(with = "text")]
    pub depth: u64,
}

/// Measurements of one asset, and how to read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Mint of the asset that is sold.
    pub asset: String,
    /// Mint that it is sold for.
    pub quote: String,
    /// The part of the samples, the lowest ones, that the depth may be below, bps.
    pub quantile_bps: u32,
    /// The market's share of the depth, bps.
    pub share_bps: u32,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// Numbers of 64 bits as strings: many readers of JSON keep 53 bits.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
    pub fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl Measured {
    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    /// A description of the fault in it.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&error)),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| at(&error))
    }

    /// Writes it, in one step: whoever reads meanwhile sees the old file or the new one.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = serde_json::to_string_pretty(self).map_err(|error| at(&error))?;
        let next = path.with_extension("next");
        fs::write(&next, text + "\n")
            .and_then(|()| fs::rename(&next, path))
            .map_err(|error| at(&error))
    }

    /// Adds a sample; the oldest goes if there are too many.
    pub fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
        let old = self.samples.len().saturating_sub(MOST);
        self.samples.drain(..old);
    }

    /// The stress quantile: of the lowest part of the samples the largest one, and at least the smallest of all. Quote
    /// atoms; `None` without samples.
    #[must_use]
    pub fn stress(&self) -> Option<Quote> {
        let mut depths: Vec<u64> = self.samples.iter().map(|sample| sample.depth).collect();
        depths.sort_unstable();
        let part = num::mul_div_floor(depths.len() as u64, self.quantile_bps.into(), num::BPS).ok()?;
        let at = usize::try_from(part).ok()?.saturating_sub(1);
        depths.get(at).copied().map(Quote)
    }

    /// The market's share of the stress quantile, quote atoms, rounded down: the largest `market_depth` that was
    /// measured for it.
    #[must_use]
    pub fn suggested(&self) -> Option<Quote> {
        num::mul_div_floor(self.stress()?.0, self.share_bps.into(), num::BPS)
            .ok()
            .map(Quote)
    }
}

/// A keeper's view of a file: it reads it again when it has changed.
#[derive(Debug, Default)]
pub struct Watch {
    modified: Option<SystemTime>,
    suggested: Option<Quote>,
}

impl Watch {
    /// The measured depth, quote atoms; `None` if there is none.
    ///
    /// # Errors
    /// A description of the fault in the file, each time that it has changed.
    pub fn read(&mut self, path: &Path) -> Result<Option<Quote>, String> {
        let modified = fs::metadata(path).and_then(|file| file.modified()).ok();
        if modified.is_none() || modified != self.modified {
            self.modified = modified;
            self.suggested = None;
            self.suggested = Measured::read(path)?.and_then(|measured| measured.suggested());
        }
        Ok(self.suggested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(depths: impl IntoIterator<Item = u64>) -> Measured {
        let mut measured = Measured {
            asset: "SOL".to_owned(),
            quote: "USDC".to_owned(),
            quantile_bps: 500,
            share_bps: 10_000,
            samples: Vec::new(),
        };
        for (unix_time, depth) in (0..).zip(depths) {
            measured.add(Sample { unix_time, depth });
        }
        measured
    }

    #[test]
    fn the_stress_quantile_is_the_lowest_twentieth_and_at_least_the_smallest() {
        assert_eq!(measured([]).stress(), None);
        assert_eq!(measured([7]).stress(), Some(Quote(7)));
        assert_eq!(measured((1..=39).rev()).stress(), Some(Quote(1)));
        assert_eq!(measured((1..=40).rev()).stress(), Some(Quote(2)));
        assert_eq!(measured(1..=100).stress(), Some(Quote(5)));
        let third = Measured {
            share_bps: 3_333,
            ..measured([100])
        };
        assert_eq!(third.suggested(), Some(Quote(33)));
    }

    #[test]
    fn the_oldest_samples_go() {
        let all = measured(0..MOST as u64 + 2);
        assert_eq!((all.samples.len(), all.samples[0].depth), (MOST, 2));
    }

    #[test]
    fn a_file_is_read_again_when_it_has_changed() {
        let path = std::env::temp_dir().join(format!("breakwater-depth-{}.json", std::process::id()));
        let _ = fs::remove_file(&path);
        let mut watch = Watch::default();
        assert_eq!(watch.read(&path), Ok(None));
        let first = measured([u64::MAX]);
        first.write(&path).unwrap();
        assert_eq!(Measured::read(&path), Ok(Some(first)));
        assert_eq!(watch.read(&path), Ok(Some(Quote(u64::MAX))));
        // A time that files can have, and another than before.
        let next = fs::metadata(&path).unwrap().modified().unwrap() + std::time::Duration::from_secs(1);
        measured([5]).write(&path).unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(next)
            .unwrap();
        assert_eq!(watch.read(&path), Ok(Some(Quote(5))));
        fs::write(&path, "{}").unwrap();
        let wrong = watch.read(&path).unwrap_err();
        assert!(wrong.contains("missing field `asset`"), "{wrong}");
        fs::remove_file(&path).unwrap();
        assert_eq!(watch.read(&path), Ok(None));
    }
}
