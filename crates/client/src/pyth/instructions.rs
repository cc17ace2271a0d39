//! Single instructions of a stack's three programs. Accounts and discriminators are those of the programs' IDLs; the
//! first eight bytes of `sha256("global:NAME")` say which instruction it is, arguments are in Borsh.

use super::{FeedId, PriceUpdate, Result, Stack, Vaa};
use anchor_lang::{
    prelude::{AccountMeta, Pubkey},
    solana_program::instruction::Instruction,
    system_program,
};

/// Bytes before the VAA in an account of the bridge: discriminator, status, write authority, version, length.
pub const VAA_START: usize = 46;

const POST_UPDATE_ATOMIC: [u8; 8] = [49, 172, 84, 192, 175, 180, 52, 234];
const POST_UPDATE: [u8; 8] = [133, 95, 207, 175, 11, 79, 118, 44];
const RECLAIM_RENT: [u8; 8] = [218, 200, 19, 197, 227, 89, 192, 22];
const UPDATE_PRICE_FEED: [u8; 8] = [28, 9, 93, 150, 86, 153, 188, 115];
const INIT_ENCODED_VAA: [u8; 8] = [209, 193, 173, 25, 91, 202, 181, 218];
const WRITE_ENCODED_VAA: [u8; 8] = [199, 208, 110, 177, 150, 76, 118, 42];
const VERIFY_ENCODED_VAA_V1: [u8; 8] = [103, 56, 177, 229, 240, 103, 68, 73];
const CLOSE_ENCODED_VAA: [u8; 8] = [48, 221, 174, 198, 231, 7, 152, 38];

/// Who posts, and what he pays the receiver's fee into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poster {
    /// The stack that he posts on.
    pub stack: Stack,
    /// Pays rent and fees, and may write to and close what he has made.
    pub payer: Pubkey,
    /// Number of the receiver's treasury: any, but not always the same, for it is locked for writing.
    pub treasury: u8,
}

impl Poster {
    /// Receiver: checks a VAA's signatures and a price's proof itself and writes the price to `account`, which belongs
    /// to the receiver, is created if there is none, and must sign every time. The price may be older than what is
    /// there.
    ///
    /// # Errors
    /// [`Error::TooLong`](super::Error::TooLong).
    pub fn post_update_atomic(&self, vaa: &Vaa, price: &PriceUpdate, account: &Pubkey) -> Result<Instruction> {
        let bytes = vaa.bytes()?;
        let length = u32::try_from(bytes.len()).map_err(|_| super::Error::TooLong("VAA"))?;
        let length = length.to_le_bytes();
        let data = [
            &POST_UPDATE_ATOMIC[..],
            &length,
            &bytes,
            &price.argument()?,
            &[self.treasury],
        ]
        .concat();
        let from = self.stack.signer_set(vaa.set);
        Ok(self.post(from, account, &data))
    }

    /// Receiver: the same with a VAA that the bridge has verified.
    ///
    /// # Errors
    /// [`Error::TooLong`](super::Error::TooLong).
    pub fn post_update(&self, encoded_vaa: &Pubkey, price: &PriceUpdate, account: &Pubkey) -> Result<Instruction> {
        let data = [&POST_UPDATE[..], &price.argument()?, &[self.treasury]].concat();
        Ok(self.post(*encoded_vaa, account, &data))
    }

    fn post(&self, from: Pubkey, account: &Pubkey, data: &[u8]) -> Instruction {
        let accounts = vec![
            AccountMeta::new(self.payer, true),
            AccountMeta::new_readonly(from, false),
            AccountMeta::new_readonly(self.stack.config(), false),
            AccountMeta::new(self.stack.treasury(self.treasury), false),
            AccountMeta::new(*account, true),
            AccountMeta::new_readonly(system_program::ID, false),
            AccountMeta::new_readonly(self.payer, true),
        ];
        Instruction::new_with_bytes(self.stack.receiver, data, accounts)
    }

    /// Receiver: closes a price account that the payer has posted to; its rent goes to him.
    #[must_use]
    pub fn reclaim_rent(&self, account: &Pubkey) -> Instruction {
        let accounts = vec![AccountMeta::new(self.payer, true), AccountMeta::new(*account, false)];
        Instruction::new_with_bytes(self.stack.receiver, &RECLAIM_RENT, accounts)
    }

    /// Price feed program: writes a price to the feed's account of a shard, creating it if there is none. Succeeds and
    /// changes nothing where that is as new.
    ///
    /// # Errors
    /// [`Error::TooLong`](super::Error::TooLong).
    pub fn update_price_feed(&self, encoded_vaa: &Pubkey, price: &PriceUpdate, shard: u16) -> Result<Instruction> {
        let feed: &FeedId = &price.message.feed;
        let argument = price.argument()?;
        let data = [
            &UPDATE_PRICE_FEED[..],
            &argument,
            &[self.treasury],
            &shard.to_le_bytes(),
            feed,
        ]
        .concat();
        let accounts = vec![
            AccountMeta::new(self.payer, true),
            AccountMeta::new_readonly(self.stack.receiver, false),
            AccountMeta::new_readonly(*encoded_vaa, false),
            AccountMeta::new_readonly(self.stack.config(), false),
            AccountMeta::new(self.stack.treasury(self.treasury), false),
            AccountMeta::new(self.stack.price_account(shard, feed), false),
            AccountMeta::new_readonly(system_program::ID, false),
        ];
        Ok(Instruction::new_with_bytes(
            self.stack.price_feed_program,
            &data,
            accounts,
        ))
    }

    /// Bridge: takes an account for a VAA. It must belong to the bridge, be empty, and have [`VAA_START`] bytes and
    /// those of the VAA. Whoever calls this first owns it: in the transaction that creates it, that is the payer.
    #[must_use]
    pub fn init_encoded_vaa(&self, encoded_vaa: &Pubkey) -> Instruction {
        self.bridge(encoded_vaa, &INIT_ENCODED_VAA)
    }

    /// Bridge: writes part of a VAA, from byte `index` of it on.
    ///
    /// # Errors
    /// [`Error::TooLong`](super::Error::TooLong) with more than 2³² − 1 bytes.
    pub fn write_encoded_vaa(&self, encoded_vaa: &Pubkey, index: u32, part: &[u8]) -> Result<Instruction> {
        let length = u32::try_from(part.len()).map_err(|_| super::Error::TooLong("part of a VAA"))?;
        let (index, length) = (index.to_le_bytes(), length.to_le_bytes());
        Ok(self.bridge(encoded_vaa, &[&WRITE_ENCODED_VAA[..], &index, &length, part].concat()))
    }

    /// Bridge: checks the signatures of a VAA that is written, with the set that it names.
    #[must_use]
    pub fn verify_encoded_vaa_v1(&self, encoded_vaa: &Pubkey, set: u32) -> Instruction {
        let mut instruction = self.bridge(encoded_vaa, &VERIFY_ENCODED_VAA_V1);
        let set = AccountMeta::new_readonly(self.stack.signer_set(set), false);
        instruction.accounts.push(set);
        instruction
    }

    /// Bridge: closes an account of a VAA, in whatever state; its rent goes to the payer.
    #[must_use]
    pub fn close_encoded_vaa(&self, encoded_vaa: &Pubkey) -> Instruction {
        let mut instruction = self.bridge(encoded_vaa, &CLOSE_ENCODED_VAA);
        if let Some(payer) = instruction.accounts.first_mut() {
            payer.is_writable = true;
        }
        instruction
    }

    fn bridge(&self, encoded_vaa: &Pubkey, data: &[u8]) -> Instruction {
        let accounts = vec![
            AccountMeta::new_readonly(self.payer, true),
            AccountMeta::new(*encoded_vaa, false),
        ];
        Instruction::new_with_bytes(self.stack.bridge, data, accounts)
    }
}
