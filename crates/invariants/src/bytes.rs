//! Numbers out of a string of bytes, however short: what is missing counts as zero. So any bytes are a sequence, and
//! fewer or smaller bytes are a simpler one, which is what a fuzzer and a test that shrinks its failures both want.

/// Bytes still to be read.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// All of these.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// True if there are none left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// One of the first `count` numbers, of one byte.
    pub fn index(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// A number of sixteen bits.
    pub fn word(&mut self) -> u32 {
        u32::from(self.byte()) | u32::from(self.byte()) << 8
    }

    /// From `low` to `high`, both inclusive; `low` if the bytes are zero.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = high - low + 1;
        low + if span <= 256 {
            u32::from(self.byte())
        } else {
            self.word()
        } % span
    }

    /// An amount of up to `bits` bits: of every magnitude alike, now and then as small as can be, and now and then the
    /// largest there is.
    pub fn amount(&mut self, bits: u32) -> u64 {
        match self.byte() {
            tiny @ 0..=23 => u64::from(tiny % 8),
            255 => u64::MAX,
            size => {
                let shift = u32::from(size) % (bits - 15);
                (u64::from(self.word()) | 1 << 15) << shift | u64::from(size)
            }
        }
    }
}
