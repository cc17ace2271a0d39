//! The price feed program: keeps the newest price of each feed in an account that nobody owns.

use crate::{
    PRICE_FEED, RECEIVER, STACKS,
    accounts::{accounts, derived, signer, system, writable},
    bytes::{Bytes, MerklePriceUpdate, Message, NoPrice},
    error::PriceFeedError,
    receiver::{feed, publish_time},
};
use anchor_lang::{
    prelude::*,
    solana_program::{instruction::Instruction, program::invoke_signed},
};

/// The receiver's instruction that is called.
const POST_UPDATE: [u8; 8] = [133, 95, 207, 175, 11, 79, 118, 44];

/// Writes a price to its feed's account of a shard, if it is newer than the one there.
pub fn update(program: &Pubkey, all: &[AccountInfo], data: &[u8]) -> Result<()> {
    let mut from = Bytes(data);
    let update = MerklePriceUpdate::read(&mut from).ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    from.byte().ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    // The receiver takes what has been read so far: the price, and the number of a treasury.
    let taken = data.len() - from.0.len();
    let shard: [u8; 2] = from.array().ok_or(ErrorCode::InstructionDidNotDeserialize)?;
    let id: [u8; 32] = from.array().ok_or(ErrorCode::InstructionDidNotDeserialize)?;

    let [payer, receiver, vaa, config, treasury, account, system_program] = accounts(all)?;
    signer(payer)?;
    is_receiver_of(program, receiver)?;
    system(system_program)?;
    writable(payer)?;
    writable(treasury)?;
    let bump = derived(account, &[&shard, &id], program)?;
    writable(account)?;

    let current = {
        let data = account.try_borrow_data()?;
        if data.is_empty() {
            0
        } else {
            publish_time(&data).ok_or(ErrorCode::AccountDiscriminatorMismatch)?
        }
    };
    let message = Message::read(update.message).map_err(|no_price| match no_price {
        NoPrice::Unsupported => PriceFeedError::UnsupportedMessageType,
        NoPrice::Malformed => PriceFeedError::DeserializeMessageFailed,
    })?;
    if message.publish_time <= current {
        return Ok(());
    }
    let metas = vec![
        AccountMeta::new(*payer.key, true),
        AccountMeta::new_readonly(*vaa.key, false),
        AccountMeta::new_readonly(*config.key, false),
        AccountMeta::new(*treasury.key, false),
        AccountMeta::new(*account.key, true),
        AccountMeta::new_readonly(*system_program.key, false),
        AccountMeta::new_readonly(*account.key, true),
    ];
    let data = [&POST_UPDATE[..], &data[..taken]].concat();
    let post = Instruction::new_with_bytes(*receiver.key, &data, metas);
    let infos = [payer, vaa, config, treasury, account, system_program, receiver].map(AccountInfo::clone);
    invoke_signed(&post, &infos, &[&[&shard, &id, &[bump]]])?;
    let posted = feed(&account.try_borrow_data()?);
    require!(posted == Some(id), PriceFeedError::PriceFeedMessageMismatch);
    Ok(())
}

/// A price feed program that is known calls the receiver of its stack; another one any program.
fn is_receiver_of(program: &Pubkey, receiver: &AccountInfo) -> Result<()> {
    let stack = STACKS.iter().find(|stack| stack[PRICE_FEED] == *program);
    let known = stack.is_none_or(|stack| stack[RECEIVER] == *receiver.key);
    require!(known, ErrorCode::InvalidProgramId);
    require!(receiver.executable, ErrorCode::InvalidProgramExecutable);
    Ok(())
}
