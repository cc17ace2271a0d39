//! Actions that may happen next, in terms of how things stand: so that a sequence stays meaningful when parts of it are
//! taken out.

use crate::{ACCOUNTS, Bytes, GUARDIANS, KEEPERS, SUPPLIERS};
use breakwater_engine::Parameter;

/// One of a market's two feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The collateral's price in USD.
    Collateral,
    /// The quote token's.
    Quote,
}

/// How much: as a part of what there is, or in atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Thousandths of what there is, which depends on the action.
    Part(u32),
    /// Atoms, or shares.
    Atoms(u64),
}

/// Something that happens. Accounts, suppliers and so on are by number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the calls that they become")]
pub enum Action {
    /// Seconds pass, and both feeds publish the same again.
    Wait(u32),
    /// Seconds pass, and nothing is published.
    Silence(u32),
    /// The next slot, in the same second.
    NextSlot,
    /// Which feeds' accounts the calls leave out from now on: bit 0 the collateral's, bit 1 the quote's.
    Hide(u8),
    /// A feed publishes. Price and average in thousandths of the present price, an average of zero is none; confidence
    /// in hundredths of a basis point of the new price; published so many seconds ago.
    Print {
        feed: Feed,
        price: u32,
        average: u32,
        confidence: u32,
        age: i32,
    },
    Supply(usize, u64),
    /// Size relative to the supplier's shares.
    Withdraw(usize, Size),
    Deposit(usize, u64),
    /// Size relative to the account's collateral.
    WithdrawCollateral(usize, Size),
    /// Size relative to the worth of the account's collateral at spot.
    Borrow(usize, Size),
    /// Size relative to the account's debt.
    Repay(usize, Size),
    Reopen(usize),
    Liquidate {
        keeper: usize,
        account: usize,
    },
    /// The accounts whose bits are set.
    LiquidateBatch {
        keeper: usize,
        accounts: u8,
    },
    Claim(usize),
    Fund(u64),
    /// Size relative to the inventory that the schedule lets go now.
    Buy(Size),
    /// For what that costs.
    BuyFor(Size),
    Settle,
    GuardianDeposit(usize, u64),
    /// Size relative to the guardian's shares.
    GuardianRequest(usize, Size),
    /// Size relative to the unpaid part of its request.
    GuardianWithdraw(usize, Size),
    /// It takes its request back.
    GuardianTakeBack(usize),
    ReopenPosition(usize),
    /// Size relative to the backstop's cash; and for how many slots it is approved.
    QueueEquityWithdrawal(Size, u64),
    CancelEquityWithdrawal,
    WithdrawEquity,
    Observe,
    /// The sentinel raises the fall of admission, bps.
    RaiseStress(u32),
    EmergencyHalt(u32),
    Pause {
        kinds: u8,
        seconds: u32,
    },
    /// By how much, in bps; after how many hours, for how many.
    AnnounceLtv {
        change: i32,
        after: u32,
        takes: u32,
    },
    CancelRamp,
    /// The market's depth becomes so many thousandths of what it is, if that is valid: as if the timelock had passed.
    Deepen(u32),
    /// A parameter by its number, to so many thousandths of what it is.
    Tighten {
        parameter: u8,
        to: u32,
    },
    DonateQuote(u64),
    DonateCollateral(u64),
}

impl Action {
    /// The name of its kind.
    #[must_use]
    pub fn kind(&self) -> String {
        let text = format!("{self:?}");
        text.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }

    /// The authority sees that the market has become thinner.
    fn dries_up(to: u32) -> Self {
        Self::Tighten {
            parameter: Parameter::market_depth.id(),
            to,
        }
    }

    /// The next thing to happen: a single action most often, or a short story that random actions would hardly ever
    /// tell.
    #[must_use]
    pub fn steps(bytes: &mut Bytes) -> Vec<Self> {
        match bytes.byte() {
            0..=179 => vec![Self::from_bytes(bytes)],
            180..=182 => wrong_about_the_time(bytes),
            183 => late_clock(bytes),
            184 => one_feed_alone(bytes),
            185..=187 => moves_out(bytes),
            188..=189 => second_thoughts(bytes),
            190..=204 => lever_up(bytes),
            205..=213 => crash(bytes, 500, 950),
            214..=216 => same_slot(bytes),
            217..=224 => slide(bytes),
            225..=233 => auction(bytes),
            234..=236 => [crash(bytes, 250, 600), auction(bytes), vec![Self::Settle]].concat(),
            237..=238 => settles_in_part(bytes),
            239..=243 => guardian_leaves(bytes),
            244..=245 => guardian_leaves_after_a_loss(bytes),
            246..=247 => equity_leaves(bytes),
            248..=252 => squeeze(bytes),
            253 => far(bytes),
            254..=255 => run_on_the_pool(bytes),
        }
    }

    /// One action.
    #[must_use]
    pub fn from_bytes(bytes: &mut Bytes) -> Self {
        let kind = bytes.byte();
        let account = bytes.index(ACCOUNTS);
        match kind {
            0..=15 => Self::Wait(match bytes.byte() {
                short @ 0..=99 => u32::from(short) % 40,
                100..=199 => bytes.between(1, 10_000),
                _ => bytes.between(10_000, 75_000),
            }),
            16..=18 => Self::Silence(bytes.between(0, 80)),
            19..=21 => Self::NextSlot,
            22..=23 => Self::Hide(bytes.byte() % 4),
            24..=43 => print(bytes),
            44..=50 => Self::Supply(account % SUPPLIERS, bytes.amount(42)),
            51..=58 => Self::Withdraw(account % SUPPLIERS, size(bytes)),
            59..=66 => Self::Deposit(account, bytes.amount(37)),
            67..=76 => Self::WithdrawCollateral(account, size(bytes)),
            77..=100 => Self::Borrow(account, loan(bytes)),
            101..=108 => Self::Repay(account, size(bytes)),
            109..=111 => Self::Reopen(account),
            112..=131 => Self::Liquidate {
                keeper: bytes.index(KEEPERS),
                account,
            },
            132..=147 => Self::LiquidateBatch {
                keeper: bytes.index(KEEPERS),
                accounts: bytes.byte() | 1 << account,
            },
            148..=153 => Self::dries_up(bytes.between(500, 1_000)),
            154..=158 => Self::Claim(account % KEEPERS),
            159..=163 => Self::Fund(bytes.amount(28)),
            164..=171 => Self::Buy(size(bytes)),
            172..=179 => Self::BuyFor(size(bytes)),
            180..=184 => Self::Settle,
            185..=191 => Self::GuardianDeposit(account % GUARDIANS, bytes.amount(28)),
            192..=196 => Self::GuardianRequest(account % GUARDIANS, size(bytes)),
            197..=202 => Self::GuardianWithdraw(account % GUARDIANS, size(bytes)),
            203 => Self::ReopenPosition(account % GUARDIANS),
            204 => Self::GuardianTakeBack(account % GUARDIANS),
            205..=208 => Self::QueueEquityWithdrawal(size(bytes), bytes.between(0, 4_000_000).into()),
            209..=210 => Self::CancelEquityWithdrawal,
            211..=215 => Self::WithdrawEquity,
            216..=225 => Self::Observe,
            226..=227 => Self::EmergencyHalt(bytes.between(0, 700)),
            228..=231 => Self::Pause {
                kinds: 1 << (bytes.byte() % 6),
                seconds: bytes.between(0, 700),
            },
            232..=235 => Self::AnnounceLtv {
                change: i32::from(bytes.byte().cast_signed()) * 4,
                after: bytes.between(70, 80),
                takes: bytes.between(0, 400),
            },
            236..=238 => Self::CancelRamp,
            239..=243 => Self::Tighten {
                parameter: u8::try_from(bytes.index(Parameter::ALL.len())).unwrap_or(0),
                to: bytes.between(900, 1_100),
            },
            244 => Self::RaiseStress(bytes.between(0, 1_050)),
            245..=247 => Self::DonateQuote(bytes.amount(36)),
            248..=250 => Self::DonateCollateral(bytes.amount(36)),
            251..=255 => Self::Repay(account, Size::Part(1_000)),
        }
    }
}

fn size(bytes: &mut Bytes) -> Size {
    match bytes.byte() {
        0..=63 => Size::Part(1_000),
        64..=191 => Size::Part(bytes.between(0, 1_050)),
        _ => Size::Atoms(bytes.amount(40)),
    }
}

/// Around the initial LTV most often.
fn loan(bytes: &mut Bytes) -> Size {
    match bytes.byte() {
        0..=199 => Size::Part(bytes.between(300, 710)),
        _ => Size::Atoms(bytes.amount(36)),
    }
}

fn print(bytes: &mut Bytes) -> Action {
    let quote = bytes.byte() < 40;
    let (feed, price) = if quote {
        (Feed::Quote, bytes.between(960, 1_040))
    } else if bytes.byte() < 128 {
        (Feed::Collateral, bytes.between(970, 1_030))
    } else {
        (Feed::Collateral, bytes.between(700, 1_350))
    };
    let average = match bytes.byte() {
        0..=3 => 0,
        4..=199 => 1_000,
        _ => bytes.between(840, 1_200),
    };
    let confidence = match bytes.byte() {
        0..=199 => bytes.between(0, 2_000),
        _ => bytes.between(0, 40_000),
    };
    let age = match bytes.byte() {
        0..=219 => 0,
        late => i32::from(late) - 226,
    };
    Action::Print {
        feed,
        price,
        average,
        confidence,
        age,
    }
}

fn falls_to(price: u32) -> Action {
    Action::Print {
        feed: Feed::Collateral,
        price,
        average: 1_000,
        confidence: 500,
        age: 0,
    }
}

/// A feed publishes its price again, so many seconds ago, or ahead of the clock.
fn says(feed: Feed, age: i32) -> Action {
    Action::Print {
        feed,
        price: 1_000,
        average: 1_000,
        confidence: 500,
        age,
    }
}

/// Readings that are wrong about the time are shown, one after the other, and right ones between them.
fn wrong_about_the_time(bytes: &mut Bytes) -> Vec<Action> {
    let account = bytes.index(ACCOUNTS);
    let mut ahead = i32::try_from(bytes.between(20, 3_600)).unwrap_or(0);
    let mut steps = lever_up(bytes);
    for _ in 0..bytes.between(2, 6) {
        steps.extend([
            says(Feed::Collateral, -ahead),
            says(Feed::Quote, -ahead),
            Action::Observe,
        ]);
        let waits = bytes.between(0, 40) + if bytes.byte() < 40 { 290 } else { 0 };
        // Only of both if one feed does not lag behind.
        let behind = i32::from(bytes.byte() % 9);
        steps.extend([
            Action::Silence(waits),
            says(Feed::Collateral, 0),
            says(Feed::Quote, behind),
        ]);
        let keeper = bytes.index(KEEPERS);
        steps.push(match bytes.byte() {
            0..=127 => Action::Observe,
            _ => Action::Liquidate { keeper, account },
        });
        ahead += i32::from(bytes.byte() % 60) - 30 - i32::try_from(waits).unwrap_or(0);
        ahead = ahead.clamp(-14, 3_600);
    }
    steps
}

/// The chain's clock is late, and after a while of silence somebody shows older readings.
fn late_clock(bytes: &mut Bytes) -> Vec<Action> {
    let late = i32::try_from(bytes.between(20, 3_600)).unwrap_or(0);
    let mut steps = Vec::new();
    for _ in 0..bytes.between(2, 8) {
        let age = if bytes.byte() < 160 {
            -late
        } else {
            -i32::from(bytes.byte())
        };
        let seconds = bytes.between(1, 24) + if bytes.byte() < 30 { 300 } else { 0 };
        steps.extend([
            Action::Silence(seconds),
            says(Feed::Collateral, age),
            says(Feed::Quote, age),
        ]);
        steps.push(Action::Observe);
    }
    steps
}

/// Somebody advances the quote feed alone each second, until the set is too old; then a pair of one second is shown.
fn one_feed_alone(bytes: &mut Bytes) -> Vec<Action> {
    let apart = i32::from(bytes.byte() % 4);
    let mut steps = vec![
        says(Feed::Collateral, apart),
        says(Feed::Quote, 0),
        Action::Observe,
        Action::Hide(1),
    ];
    for _ in 0..bytes.between(10, 14) {
        steps.extend([Action::Silence(1), says(Feed::Quote, 0), Action::Observe]);
    }
    steps.push(Action::Hide(0));
    for age in (11..15).rev() {
        steps.extend([says(Feed::Collateral, age), says(Feed::Quote, age), Action::Observe]);
    }
    steps
}

/// Everybody borrows what can be had.
fn lever_up(bytes: &mut Bytes) -> Vec<Action> {
    let most = bytes.between(500, 690);
    let loans = |account: usize| {
        // Half of them in two parts.
        let first = if account.is_multiple_of(2) { most } else { most / 2 };
        let rest = most - first;
        let borrow = |part| (part > 0).then_some(Action::Borrow(account, Size::Part(part)));
        borrow(first).into_iter().chain(borrow(rest)).chain([Action::NextSlot])
    };
    (0..ACCOUNTS).flat_map(loans).collect()
}

/// The price falls, and everybody is tried: one by one, or in one batch.
fn crash(bytes: &mut Bytes, low: u32, high: u32) -> Vec<Action> {
    let keeper = bytes.index(KEEPERS);
    let mut steps = vec![falls_to(bytes.between(low, high)), Action::Wait(bytes.between(1, 90))];
    if bytes.byte() < 100 {
        steps.push(Action::LiquidateBatch { keeper, accounts: 63 });
    } else {
        steps.extend((0..ACCOUNTS).map(|account| Action::Liquidate { keeper, account }));
    }
    steps
}

/// Somebody borrows, and is to be liquidated in the same slot.
fn same_slot(bytes: &mut Bytes) -> Vec<Action> {
    let (keeper, account) = (bytes.index(KEEPERS), bytes.index(ACCOUNTS));
    vec![
        Action::Borrow(account, Size::Part(bytes.between(500, 690))),
        falls_to(bytes.between(300, 900)),
        Action::Liquidate { keeper, account },
    ]
}

/// Buyers come every ten minutes, and name what they want or what they pay.
fn auction(bytes: &mut Bytes) -> Vec<Action> {
    let times = bytes.between(5, 40);
    let by_budget = bytes.byte();
    let buy = |time: u32| match by_budget >> (time % 8) & 1 {
        0 => Action::Buy(Size::Part(1_000)),
        _ => Action::BuyFor(Size::Part(900)),
    };
    (0..times)
        .flat_map(|time| [Action::Wait(600), Action::Observe, buy(time)])
        .collect()
}

/// A gap that leaves the backstop short; suppliers leave and come, the loss is settled with inventory left, and what is
/// held is sold at another price.
fn settles_in_part(bytes: &mut Bytes) -> Vec<Action> {
    let (supplier, guardian) = (bytes.index(SUPPLIERS), bytes.index(GUARDIANS));
    let leave = |bytes: &mut Bytes| Action::Withdraw(supplier, Size::Part(bytes.between(1, 300)));
    let mut steps = lever_up(bytes);
    steps.extend(crash(bytes, 350, 700));
    steps.extend([leave(bytes), Action::Silence(bytes.between(0, 400)), leave(bytes)]);
    steps.push(Action::Supply(supplier, 1_000_000));
    for _ in 0..bytes.between(4, 30) {
        steps.extend([Action::Wait(bytes.between(600, 7_200)), Action::Observe]);
    }
    steps.extend([Action::Settle, leave(bytes), Action::Supply(supplier, 1_000_000)]);
    steps.push(Action::GuardianDeposit(guardian, 50_000_000));
    if bytes.byte() < 128 {
        steps.push(Action::Fund(bytes.amount(28)));
    }
    steps.push(falls_to(bytes.between(800, 1_600)));
    steps.extend(auction(bytes));
    steps.extend([leave(bytes), Action::Settle]);
    steps
}

/// Suppliers leave one after another.
fn run_on_the_pool(bytes: &mut Bytes) -> Vec<Action> {
    let mut steps = vec![Action::Wait(bytes.between(10_000, 75_000))];
    for supplier in 0..2 * SUPPLIERS {
        let part = Size::Part(bytes.between(50, 200));
        steps.extend([
            Action::Withdraw(supplier % SUPPLIERS, part),
            Action::Wait(bytes.between(0, 255)),
        ]);
    }
    steps
}

/// A guardian joins, asks to leave, and does in time.
fn guardian_leaves(bytes: &mut Bytes) -> Vec<Action> {
    let guardian = bytes.index(GUARDIANS);
    let wait = match bytes.byte() {
        // The feeds die.
        0..=15 => Action::Silence(604_800 + u32::from(bytes.byte())),
        16..=99 => Action::Wait(3_600 + bytes.between(0, 100_000)),
        _ => Action::Wait(3_600 + u32::from(bytes.byte())),
    };
    let mut steps = vec![
        Action::GuardianDeposit(guardian, 50_000_000 + u64::from(bytes.word())),
        Action::GuardianRequest(guardian, size(bytes)),
        wait,
        Action::Observe,
    ];
    steps.push(match bytes.byte() {
        0..=50 => Action::GuardianTakeBack(guardian),
        _ => Action::GuardianWithdraw(guardian, size(bytes)),
    });
    steps.push(Action::GuardianWithdraw(guardian, size(bytes)));
    steps.push(Action::GuardianWithdraw(1 - guardian, Size::Part(1_000)));
    steps
}

/// Guardians are all that stands behind the market when it loses what everybody had borrowed; both ask to leave, one
/// before and one after.
fn guardian_leaves_after_a_loss(bytes: &mut Bytes) -> Vec<Action> {
    let first = bytes.index(GUARDIANS);
    let mut steps = vec![
        Action::GuardianDeposit(first, 1_000_000_000 + 4 * u64::from(bytes.word())),
        Action::GuardianDeposit(1 - first, 1_000_000_000 + 4 * u64::from(bytes.word())),
        Action::GuardianRequest(first, Size::Part(900)),
    ];
    steps.extend(lever_up(bytes));
    steps.extend(crash(bytes, 400, 650));
    steps.extend([Action::Observe, Action::GuardianRequest(1 - first, size(bytes))]);
    steps.extend(auction(bytes));
    steps.push(Action::Wait(3_600));
    for guardian in [first, 1 - first, first] {
        steps.extend([Action::Observe, Action::GuardianWithdraw(guardian, size(bytes))]);
    }
    steps
}

/// The protocol announces to take equity out, and does in time.
fn equity_leaves(bytes: &mut Bytes) -> Vec<Action> {
    vec![
        Action::QueueEquityWithdrawal(size(bytes), 500_000),
        Action::Wait(90_000 + u32::from(bytes.byte())),
        Action::Observe,
        Action::WithdrawEquity,
    ]
}

/// The price slides by a little more than the guards follow at once, and everybody is tried again and again.
fn slide(bytes: &mut Bytes) -> Vec<Action> {
    let (keeper, falls, seconds) = (bytes.index(KEEPERS), bytes.between(970, 995), bytes.between(5, 40));
    let one_by_one = bytes.byte() < 128;
    let mut steps = lever_up(bytes);
    for round in 0..bytes.between(8, 24) {
        steps.extend([falls_to(falls), Action::Wait(seconds)]);
        match (one_by_one, usize::try_from(round).unwrap_or(0) % ACCOUNTS) {
            (true, account) => steps.push(Action::Liquidate { keeper, account }),
            (false, _) => steps.push(Action::LiquidateBatch { keeper, accounts: 63 }),
        }
    }
    steps
}

/// Everybody has borrowed, the price falls, the stress cover and the pipeline are used up, and what is sold frees it
/// again. Then it falls further, and who waited is taken over.
#[must_use]
pub fn squeeze(bytes: &mut Bytes) -> Vec<Action> {
    let keeper = bytes.index(KEEPERS);
    let mut steps = lever_up(bytes);
    steps.extend([falls_to(bytes.between(770, 870)), Action::Wait(bytes.between(1, 60))]);
    for _ in 0..bytes.between(2, 6) {
        steps.extend((0..ACCOUNTS).map(|account| Action::Liquidate { keeper, account }));
        steps.extend([
            Action::Wait(bytes.between(1, 1_200)),
            Action::Buy(Size::Part(1_000)),
            Action::Claim(keeper),
        ]);
    }
    steps.extend([
        falls_to(bytes.between(800, 1_000)),
        Action::Wait(bytes.between(1, 60)),
        Action::LiquidateBatch { keeper, accounts: 63 },
    ]);
    steps
}

/// The price goes a long way, one leap after another, and somebody borrows wherever it has come to.
fn far(bytes: &mut Bytes) -> Vec<Action> {
    let account = bytes.index(ACCOUNTS);
    (0..bytes.between(1, 5))
        .flat_map(|leap| {
            let price = if bytes.byte() < 128 {
                bytes.between(3_000, 12_000)
            } else {
                bytes.between(80, 350)
            };
            let who = (account + usize::try_from(leap).unwrap_or(0)) % ACCOUNTS;
            [
                falls_to(price),
                Action::Wait(bytes.between(60, 4_000)),
                Action::Observe,
                Action::Borrow(who, Size::Part(bytes.between(20, 600))),
                Action::Deposit(who, 20_000_000_000),
            ]
        })
        .collect()
}

/// Somebody pays everything back, takes everything out, and begins anew.
fn moves_out(bytes: &mut Bytes) -> Vec<Action> {
    let account = bytes.index(ACCOUNTS);
    vec![
        Action::Repay(account, Size::Part(1_000)),
        Action::WithdrawCollateral(account, Size::Part(1_000)),
        Action::Reopen(account),
        Action::Deposit(account, 20_000_000_000),
    ]
}

/// Takes back the announcements of the authority, and tightens something.
fn second_thoughts(bytes: &mut Bytes) -> Vec<Action> {
    let tighten = |parameter, to| Action::Tighten { parameter, to };
    let parameter = u8::try_from(bytes.index(Parameter::ALL.len())).unwrap_or(0);
    vec![
        Action::AnnounceLtv {
            change: -100,
            after: 73,
            takes: bytes.between(24, 400),
        },
        Action::QueueEquityWithdrawal(size(bytes), 500_000),
        tighten(parameter, bytes.between(900, 1_000)),
        tighten(parameter, bytes.between(1_000, 1_100)),
        Action::CancelRamp,
        Action::CancelEquityWithdrawal,
    ]
}
