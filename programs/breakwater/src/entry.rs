//! Where a transaction enters the program. What keepers call takes a short way from here; everything else, and whatever
//! is not exactly as it should be, goes to Anchor's own entry as it came.
//!
//! The short way refuses nothing before the engine is asked: where one of its checks fails, Anchor makes them all, and
//! refuses with its own error, in its own order. So the checks here must let nothing pass that Anchor refuses, and that
//! is all they must. From the engine on, the same functions do the work for both ways.
//!
//! The runtime says where the instruction's data begin (SIMD-0321), so that accounts need not be passed over to find it.
//! The one before it had no promise for that register, and left a null there: that gets Anchor's entry.

use crate::{
    ID, clock, feeds, instruction,
    instructions::{liquidate_all, liquidate_one, observe},
    shown::Shown,
    state::{KeeperLedger, MarginAccount, Market, is_key, same},
};
use anchor_lang::{
    Discriminator,
    prelude::*,
    solana_program::entrypoint::{SUCCESS, deserialize},
};
use breakwater_engine::{FeedPin, Oracle, RawReading, Readings};
use bytemuck::Pod;
use core::{
    ops::{Deref, DerefMut},
    slice::from_raw_parts,
};
use pinocchio::{
    account::{AccountView, RefMut},
    entrypoint::{InstructionContext, lazy::MaybeAccount},
};

anchor_lang::solana_program::entrypoint::custom_heap_default!();
anchor_lang::solana_program::entrypoint::custom_panic_default!();

/// Where the runtime enters the program, with its input and where in it the instruction's data begin: their length
/// stands before them, the program's address behind.
///
/// # Safety
/// Both pointers are the runtime's.
#[allow(
    unsafe_code,
    clippy::cast_ptr_alignment,
    reason = "the runtime passes pointers; nothing else sees them"
)]
#[cfg_attr(target_os = "solana", unsafe(no_mangle))]
#[cfg_attr(not(target_os = "solana"), expect(dead_code, reason = "only the chain calls it"))]
pub unsafe extern "C" fn entrypoint(input: *mut u8, instruction: *const u8) -> u64 {
    if !instruction.is_null() {
        // SAFETY: the runtime's, who aligns the length to eight bytes.
        let (context, data, program) = unsafe {
            let length = instruction.sub(size_of::<usize>()).cast::<usize>().read();
            (
                InstructionContext::new_unchecked(input),
                from_raw_parts(instruction, length),
                &*instruction.add(length).cast::<Pubkey>(),
            )
        };
        match short_way(context, program, data) {
            Some(Ok(())) => return SUCCESS,
            Some(Err(error)) => {
                error.log();
                return ProgramError::from(error).into();
            }
            None => {}
        }
    }
    // SAFETY: the same input, and nothing borrows from it any more: `short_way` took the context.
    let (program, accounts, data) = unsafe { deserialize(input) };
    match crate::entry(program, &accounts, data) {
        Ok(()) => SUCCESS,
        Err(error) => error.into(),
    }
}

/// Outcome of an instruction that takes the short way. `None` if this one does not: then it has changed nothing.
#[inline]
fn short_way(mut context: InstructionContext, program: &Pubkey, data: &[u8]) -> Option<Result<()>> {
    let way = match u64::from_le_bytes(*data.first_chunk()?) {
        LIQUIDATE => liquidate,
        LIQUIDATE_BATCH => liquidate_batch,
        OBSERVE_PRICE => observe_price,
        _ => return None,
    };
    if !is_ours(program) {
        return None;
    }
    way(&mut context)
}

const LIQUIDATE: u64 = number(instruction::Liquidate::DISCRIMINATOR);
const LIQUIDATE_BATCH: u64 = number(instruction::LiquidateBatch::DISCRIMINATOR);
const OBSERVE_PRICE: u64 = number(instruction::ObservePrice::DISCRIMINATOR);

/// A discriminator as one number, which compares at once.
const fn number(discriminator: &[u8]) -> u64 {
    let Some(first) = discriminator.first_chunk() else {
        return 0;
    };
    u64::from_le_bytes(*first)
}

#[inline]
fn is_ours(program: &Pubkey) -> bool {
    same(program.as_array(), ID.as_array())
}

fn liquidate(context: &mut InstructionContext) -> Option<Result<()>> {
    let [market_at, account_at, ledger_at, keeper, feeds @ ..] = accounts::<8>(context)?;
    let (mut market, mut account, mut ledger) = (market_at, account_at, ledger_at);
    let mut market = state::<Market>(&mut market)?;
    let mut account = state::<MarginAccount>(&mut account)?;
    let mut ledger = state::<KeeperLedger>(&mut ledger)?;
    let market_at = market_at.address();
    let may = is_key(market_at, &account.market) && may_liquidate(market_at, keeper, &ledger);
    if !may {
        return None;
    }
    let mut readings = Readings::NONE;
    read(&feeds, &market.oracle, &mut readings)?;
    let clock = clock::now().ok()?;
    Some(liquidate_one(
        (market_at, &mut market),
        (account_at.address(), &mut account),
        &mut ledger,
        &readings,
        clock,
    ))
}

fn liquidate_batch(context: &mut InstructionContext) -> Option<Result<()>> {
    let first = accounts::<7>(context)?;
    let [market_at, ledger_at, keeper, feeds @ ..] = first;
    let (mut market, mut ledger) = (market_at, ledger_at);
    let mut market = state::<Market>(&mut market)?;
    let mut ledger = state::<KeeperLedger>(&mut ledger)?;
    let market_at = market_at.address();
    if !may_liquidate(market_at, keeper, &ledger) {
        return None;
    }
    let mut readings = Readings::NONE;
    read(&feeds, &market.oracle, &mut readings)?;
    let clock = clock::now().ok()?;
    let margin_accounts = Rest::behind(&first, context);
    Some(liquidate_all(
        (market_at, &mut market),
        margin_accounts,
        &mut ledger,
        &readings,
        clock,
    ))
}

fn observe_price(context: &mut InstructionContext) -> Option<Result<()>> {
    let [market_at, feeds @ ..] = accounts::<5>(context)?;
    let mut market = market_at;
    let mut market = state::<Market>(&mut market)?;
    let mut readings = Readings::NONE;
    read(&feeds, &market.oracle, &mut readings)?;
    let clock = clock::now().ok()?;
    Some(observe(market_at.address(), &mut market, &readings, clock))
}

/// True if a keeper has signed, and this is its ledger in this market.
#[inline]
fn may_liquidate(market: &Pubkey, keeper: AccountView, ledger: &KeeperLedger) -> bool {
    keeper.is_signer() && is_key(market, &ledger.market) && is_key(keeper.address(), &ledger.keeper)
}

/// The first accounts of an instruction.
#[inline]
fn accounts<const N: usize>(context: &mut InstructionContext) -> Option<[AccountView; N]> {
    let MaybeAccount::Account(first) = context.next_account().ok()? else {
        return None;
    };
    let mut views = [first; N];
    for index in 1..N {
        let view = match context.next_account().ok()? {
            MaybeAccount::Account(view) => view,
            MaybeAccount::Duplicated(of) => *views.get(usize::from(of))?,
        };
        *views.get_mut(index)? = view;
    }
    Some(views)
}

/// The accounts that follow those with a place of their own.
struct Rest<'a> {
    context: &'a mut InstructionContext,
    /// All so far: the runtime shows an account once, and from then on says which one it was.
    seen: Vec<AccountView>,
}

impl<'a> Rest<'a> {
    fn behind(first: &[AccountView], context: &'a mut InstructionContext) -> Self {
        let rest = usize::try_from(context.remaining()).unwrap_or_default();
        let mut seen = Vec::with_capacity(first.len().saturating_add(rest));
        seen.extend_from_slice(first);
        Self { context, seen }
    }
}

impl Iterator for Rest<'_> {
    type Item = AccountView;

    #[inline]
    fn next(&mut self) -> Option<AccountView> {
        let view = match self.context.next_account().ok()? {
            MaybeAccount::Account(view) => view,
            MaybeAccount::Duplicated(of) => *self.seen.get(usize::from(of))?,
        };
        self.seen.push(view);
        Some(view)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = usize::try_from(self.context.remaining()).unwrap_or_default();
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for Rest<'_> {}

/// State of an account of this program that may be written.
#[inline]
fn state<T: Discriminator + Pod>(account: &mut AccountView) -> Option<RefMut<'_, T>> {
    if !account.is_writable() || !is_ours(account.owner()) {
        return None;
    }
    RefMut::filter_map(account.try_borrow_mut().ok()?, |data| {
        let (discriminator, state) = data.split_first_chunk_mut()?;
        if u64::from_le_bytes(*discriminator) != number(T::DISCRIMINATOR) {
            return None;
        }
        bytemuck::try_from_bytes_mut(state.get_mut(..size_of::<T>())?).ok()
    })
    .ok()
}

/// Reads the feeds as [`feeds::Feeds::read`] does. The program's own address stands for one that is left out.
#[inline]
fn read(accounts: &[AccountView; 4], oracle: &Oracle, readings: &mut Readings) -> Option<()> {
    let one = |reading: &mut Option<RawReading>, pin: &FeedPin, account: &AccountView| {
        if !is_ours(account.address()) {
            *reading = Some(feeds::read(pin, *account).ok()?);
        }
        Some(())
    };
    let [collateral, quote, base, rate] = accounts;
    one(&mut readings.collateral, &oracle.collateral_feed, collateral)?;
    one(&mut readings.quote, &oracle.quote_feed, quote)?;
    if oracle.has_redemption() {
        one(&mut readings.base, &oracle.base_feed, base)?;
        one(&mut readings.rate, &oracle.rate_feed, rate)?;
    }
    Some(())
}

impl Shown for AccountView {
    #[inline]
    fn address(&self) -> &Pubkey {
        Self::address(self)
    }
    #[inline]
    fn owner(&self) -> &Pubkey {
        Self::owner(self)
    }
    #[inline]
    fn is_writable(&self) -> bool {
        Self::is_writable(self)
    }
    #[inline]
    fn data(&self) -> Result<impl Deref<Target = [u8]>> {
        Ok(self.try_borrow()?)
    }
    #[inline]
    fn data_mut(&mut self) -> Result<impl DerefMut<Target = [u8]>> {
        Ok(self.try_borrow_mut()?)
    }
}
