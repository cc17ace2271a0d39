//! Reading bytes from the front.

/// Bytes that are still to be read. Every read is `None` where there are too few.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// A count of 32 bits, little endian, as Borsh writes it.
    pub fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }

    /// A vector of bytes in Borsh.
    pub fn vector(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }
}

/// `MerklePriceUpdate` in Borsh: a message, and the hashes beside its way up the tree.
pub struct MerklePriceUpdate<'a> {
    pub message: &'a [u8],
    /// 20 bytes each.
    pub proof: &'a [u8],
}

impl<'a> MerklePriceUpdate<'a> {
    pub fn read(from: &mut Bytes<'a>) -> Option<Self> {
        let message = from.vector()?;
        let bytes = from.count()?.checked_mul(20)?;
        Some(Self {
            message,
            proof: from.take(bytes)?,
        })
    }
}

/// A price's message, whose numbers are big endian.
pub struct Message<'a> {
    /// Seconds since 1970.
    pub publish_time: i64,
    /// All fields, each of its size: feed, price, conf, expo, publish time, the one before, EMA, its confidence.
    fields: &'a [u8],
}

/// What a message may be, if it is no price.
pub enum NoPrice {
    /// A kind that posting does not take.
    Unsupported,
    /// None that is known, or too short.
    Malformed,
}

const SIZES: [usize; 7] = [8, 8, 4, 8, 8, 8, 8];

impl<'a> Message<'a> {
    /// Reads a message; what follows its fields is not looked at.
    pub fn read(bytes: &'a [u8]) -> Result<Self, NoPrice> {
        match bytes.split_first() {
            Some((0, fields)) => Self::fields(fields).ok_or(NoPrice::Malformed),
            Some((1 | 2, _)) => Err(NoPrice::Unsupported),
            _ => Err(NoPrice::Malformed),
        }
    }

    fn fields(mut fields: &'a [u8]) -> Option<Self> {
        fields = fields.get(..32 + SIZES.iter().sum::<usize>())?;
        let mut from = Bytes(fields);
        from.take(32 + 8 + 8 + 4)?;
        Some(Self {
            publish_time: i64::from_be_bytes(from.array()?),
            fields,
        })
    }

    /// The fields as an account has them: little endian.
    pub fn to_account(&self) -> Vec<u8> {
        let mut account = self.fields.to_vec();
        let mut at = 32;
        for size in SIZES {
            account[at..at + size].reverse();
            at += size;
        }
        account
    }
}
