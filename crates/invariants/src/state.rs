//! A market with its accounts, and the tokens that its vaults must hold: what a chain keeps, without a chain.

use crate::{
    ACCOUNTS, Action, Call, Done, GUARDIANS, KEEPERS, SUPPLIERS, Setting,
    action::{Feed, Size},
    perform::{Performed, perform},
};
use breakwater_engine::{
    Bps, Clock, Collateral, DebtShares, GuardianPosition, GuardianShares, KeeperLedger, LpShares, MarginAccount,
    Market, Parameter, Prices, Quote, RawReading, Readings, Result, actions::DEAD_SECONDS, price::oracle::PriceUse,
    views::identities::Totals,
};

/// Everything that a chain would keep of one market.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// The market.
    pub market: Market,
    /// All of its margin accounts.
    pub accounts: [MarginAccount; ACCOUNTS],
    /// All of its keepers' ledgers.
    pub ledgers: [KeeperLedger; KEEPERS],
    /// All of its guardians' positions.
    pub guardians: [GuardianPosition; GUARDIANS],
    /// The LP shares of each supplier.
    pub lp: [u64; SUPPLIERS],
    /// Tokens in the quote vault, atoms.
    pub quote_vault: u64,
    /// Tokens in the collateral vault, atoms.
    pub collateral_vault: u64,
    /// The chain's clock.
    pub clock: Clock,
    /// Readings of the feeds at present.
    pub readings: Feeds,
}

/// Both feeds, and which of them the calls leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feeds {
    /// Collateral in USD.
    pub collateral: RawReading,
    /// Quote in USD.
    pub quote: RawReading,
    /// Bit 0: the collateral's account is left out; bit 1: the quote's.
    pub hidden: u8,
}

impl Feeds {
    /// Readings that a call shows.
    #[must_use]
    pub fn shown(&self) -> Readings {
        Readings {
            collateral: (self.hidden & 1 == 0).then_some(self.collateral),
            quote: (self.hidden & 2 == 0).then_some(self.quote),
            ..Readings::NONE
        }
    }
}

/// One action, and everything that a check may want to know of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// How things stood.
    pub before: State,
    /// The action.
    pub action: Action,
    /// The call to the program, unless the world moved on by itself.
    pub call: Option<Call>,
    /// Its answer.
    pub result: Result<Done>,
    /// The prices that the market accepted for it, if it needed any.
    pub prices: Option<Prices>,
    /// How things stand.
    pub after: State,
    /// State that a refused call left behind in the engine's hands, which the chain then throws away.
    pub refused: Option<State>,
}

impl State {
    /// A new market, empty accounts, and $100 against $1.
    ///
    /// # Errors
    /// The errors of [`Market::initialize`].
    pub fn new(setting: &Setting) -> Result<Self> {
        let mut market: Market = bytemuck::Zeroable::zeroed();
        market.initialize(&setting.new)?;
        market.config = setting.config;
        let clock = setting.new.clock;
        let reading = |usd: i64| RawReading {
            price: usd * 100_000_000,
            conf: 0,
            expo: -8,
            ema_price: usd * 100_000_000,
            publish_time: clock.unix,
        };
        Ok(Self {
            market,
            accounts: setting
                .accounts
                .map(|(owner, id, bump)| MarginAccount::new(setting.market, owner, id, bump)),
            ledgers: setting
                .keepers
                .map(|(keeper, bump)| KeeperLedger::new(setting.market, keeper, bump)),
            guardians: setting
                .guardians
                .map(|(guardian, bump)| GuardianPosition::new(setting.market, guardian, bump)),
            lp: [0; SUPPLIERS],
            quote_vault: 0,
            collateral_vault: 0,
            clock,
            readings: Feeds {
                collateral: reading(100),
                quote: reading(1),
                hidden: 0,
            },
        })
    }

    /// Does one action, as a chain would: all of it or, if it is refused, nothing.
    pub fn act(&mut self, action: &Action) -> Step {
        let before = self.clone();
        let Some(call) = self.call(action) else {
            self.pass(action);
            return Step {
                before,
                action: action.clone(),
                call: None,
                result: Ok(Done::Quietly),
                prices: None,
                after: self.clone(),
                refused: None,
            };
        };
        let mut next = self.clone();
        let Performed { result, prices } = perform(&mut next, &call);
        let refused = if result.is_ok() {
            *self = next;
            None
        } else {
            Some(next)
        };
        Step {
            before,
            action: action.clone(),
            call: Some(call),
            result,
            prices,
            after: self.clone(),
            refused,
        }
    }

    /// Lets the world move on without the program.
    fn pass(&mut self, action: &Action) {
        match *action {
            Action::Wait(seconds) => {
                self.wait(seconds);
                self.readings.collateral.publish_time = self.clock.unix;
                self.readings.quote.publish_time = self.clock.unix;
            }
            Action::Silence(seconds) => self.wait(seconds),
            Action::NextSlot => self.clock.slot += 1,
            Action::Hide(feeds) => self.readings.hidden = feeds,
            Action::Print {
                feed,
                price,
                average,
                confidence,
                age,
            } => {
                let now = self.clock.unix;
                let reading = match feed {
                    Feed::Collateral => &mut self.readings.collateral,
                    Feed::Quote => &mut self.readings.quote,
                };
                // From a tenth of a dollar to ten thousand: far, and no number overflows.
                let new = (reading.price * i64::from(price) / 1_000).clamp(10_000_000, 1_000_000_000_000);
                *reading = RawReading {
                    price: new,
                    conf: new.unsigned_abs() * u64::from(confidence) / 1_000_000,
                    ema_price: new * i64::from(average) / 1_000,
                    publish_time: now - i64::from(age),
                    ..*reading
                };
            }
            Action::Deepen(to) => {
                let mut config = self.market.config;
                config.market_depth = Quote(Size::Part(to).of(config.market_depth.0));
                if config.validate().is_ok() {
                    self.market.config = config;
                }
            }
            _ => {}
        }
    }

    /// Five slots in two seconds.
    fn wait(&mut self, seconds: u32) {
        self.clock.unix += i64::from(seconds);
        self.clock.slot += (u64::from(seconds) * 5).div_ceil(2);
    }

    /// The call that an action makes to the program as things stand; none if it is the world's.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "one line for each action")]
    pub fn call(&self, action: &Action) -> Option<Call> {
        let now = self.clock.unix;
        Some(match *action {
            Action::Wait(_)
            | Action::Silence(_)
            | Action::NextSlot
            | Action::Hide(_)
            | Action::Print { .. }
            | Action::Deepen(_) => {
                return None;
            }
            Action::Supply(supplier, amount) => Call::Supply {
                supplier,
                amount: Quote(amount),
            },
            Action::Withdraw(supplier, size) => Call::Withdraw {
                supplier,
                shares: LpShares(size.of(self.lp[supplier])),
            },
            Action::Deposit(account, amount) => Call::Deposit {
                account,
                amount: Collateral(amount),
            },
            Action::WithdrawCollateral(account, size) => Call::WithdrawCollateral {
                account,
                amount: Collateral(size.of(self.accounts[account].collateral.0)),
            },
            Action::Borrow(account, size) => Call::Borrow {
                account,
                amount: Quote(size.of(self.worth(self.accounts[account].collateral))),
            },
            Action::Repay(account, size) => Call::Repay {
                account,
                amount: Quote(size.of(self.debt(account))),
            },
            Action::Reopen(account) => Call::Reopen { account },
            Action::Liquidate { keeper, account } => Call::Liquidate { keeper, account },
            Action::LiquidateBatch { keeper, accounts } => Call::LiquidateBatch {
                keeper,
                accounts: (0..ACCOUNTS).filter(|account| accounts >> account & 1 == 1).collect(),
            },
            Action::Claim(keeper) => Call::Claim { keeper },
            Action::Fund(amount) => Call::Fund { amount: Quote(amount) },
            Action::Buy(size) => Call::Buy {
                amount: Collateral(size.of(self.available())),
            },
            Action::BuyFor(size) => Call::BuyFor {
                // A little more than spot: for a premium, and the confidence.
                budget: Quote(size.of(self.worth(Collateral(self.available())) / 50 * 51)),
                min_amount: Collateral::ZERO,
            },
            Action::Settle => Call::Settle,
            Action::GuardianDeposit(guardian, amount) => Call::GuardianDeposit {
                guardian,
                amount: Quote(amount),
            },
            Action::GuardianRequest(guardian, size) => Call::GuardianRequest {
                guardian,
                shares: GuardianShares(
                    size.of(self.guardians[guardian]
                        .in_epoch(self.market.books.guardians.epoch)
                        .shares
                        .0),
                ),
            },
            Action::GuardianTakeBack(guardian) => Call::GuardianRequest {
                guardian,
                shares: GuardianShares::ZERO,
            },
            Action::GuardianWithdraw(guardian, size) => Call::GuardianWithdraw {
                guardian,
                amount: Quote(size.of(self.unpaid(guardian))),
                shown: self.shows(),
            },
            Action::ReopenPosition(guardian) => Call::ReopenPosition { guardian },
            Action::QueueEquityWithdrawal(size, slots) => Call::QueueEquityWithdrawal {
                amount: Quote(size.of(self.market.books.backstop.cash.0)),
                expires_slot: self.clock.slot + slots,
            },
            Action::CancelEquityWithdrawal => Call::CancelEquityWithdrawal,
            Action::WithdrawEquity => Call::WithdrawEquity { shown: self.shows() },
            Action::Observe => Call::Observe,
            Action::RaiseStress(points) => Call::RaiseStress { points: Bps(points) },
            Action::EmergencyHalt(seconds) => Call::EmergencyHalt { seconds },
            Action::Pause { kinds, seconds } => Call::Pause { kinds, seconds },
            Action::AnnounceLtv { change, after, takes } => Call::AnnounceLtv {
                to: Bps(self.market.liquidation_ltv(self.clock).0.saturating_add_signed(change)),
                starts_at: now + i64::from(after) * 3_600,
                ends_at: now + i64::from(after + takes) * 3_600,
            },
            Action::CancelRamp => Call::CancelRamp,
            Action::Tighten { parameter, to } => Call::Tighten {
                parameter,
                to: Size::Part(to).of(self.parameter(parameter)),
            },
            Action::DonateQuote(amount) => Call::DonateQuote { amount },
            Action::DonateCollateral(amount) => Call::DonateCollateral { amount },
        })
    }

    /// The present value of the parameter of this number.
    #[must_use]
    pub fn parameter(&self, number: u8) -> u64 {
        Parameter::from_id(number).map_or(0, |parameter| parameter.get(&self.market.config))
    }

    /// An account's debt now, quote atoms. For choosing amounts; checks do their own sums.
    fn debt(&self, account: usize) -> u64 {
        let books = self.market.books_at(self.clock);
        books
            .and_then(|books| books.pool.index.debt(self.accounts[account].debt_shares))
            .map_or(0, |debt| debt.0)
    }

    /// Unpaid part of a guardian's request, quote atoms. For choosing amounts.
    fn unpaid(&self, guardian: usize) -> u64 {
        let guardians = &self.market.books.guardians;
        let position = self.guardians[guardian].in_epoch(guardians.epoch);
        position.unpaid(guardians).map_or(0, |unpaid| unpaid.0)
    }

    /// True if whoever takes money out shows the feeds: every other slot, and whenever the stored prices are too old.
    fn shows(&self) -> bool {
        let age = self.clock.unix - self.market.guard.priced_at;
        let old = age > i64::from(self.market.config.max_age_short) && age < DEAD_SECONDS;
        old || self.clock.slot.is_multiple_of(2)
    }

    /// Worth of collateral at the feeds' prices, quote atoms, about. For choosing amounts.
    fn worth(&self, amount: Collateral) -> u64 {
        let (collateral, quote) = (self.readings.collateral.price, self.readings.quote.price);
        let worth =
            u128::from(amount.0) * u128::from(collateral.unsigned_abs()) / (1_000 * u128::from(quote.unsigned_abs()));
        u64::try_from(worth).unwrap_or(u64::MAX)
    }

    /// Inventory that the auction lets go now, atoms. For choosing amounts.
    pub(crate) fn available(&self) -> u64 {
        let mut market = self.market;
        let offer = market
            .accept_prices(&self.readings.shown(), PriceUse::Sell, self.clock)
            .and_then(|prices| market.offer(&prices, self.clock));
        offer.map_or(0, |offer| offer.available.0)
    }

    /// Totals that the money identities are checked against.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let epoch = self.market.books.guardians.epoch;
        Totals {
            quote_vault: self.quote_vault,
            collateral_vault: self.collateral_vault,
            account_collateral: self
                .accounts
                .iter()
                .map(|account| u128::from(account.collateral.0))
                .sum(),
            account_debt_shares: self
                .accounts
                .iter()
                .map(|account| u128::from(account.debt_shares.0))
                .sum(),
            keeper_credits: self.ledgers.iter().map(|ledger| u128::from(ledger.credit.0)).sum(),
            lp_mint_supply: self.lp.iter().sum(),
            lp_held: self.lp.iter().map(|held| u128::from(*held)).sum(),
            guardian_shares: self
                .guardians
                .iter()
                .map(|position| u128::from(position.in_epoch(epoch).shares.0))
                .sum(),
        }
    }

    /// The debt shares of all margin accounts in each band of the map that must hold them by what the account
    /// remembers.
    #[must_use]
    pub fn recount(&self) -> Vec<DebtShares> {
        let mut bands = vec![DebtShares::ZERO; self.market.map.bands.len()];
        for account in self.accounts.iter().filter(|account| account.has_debt()) {
            bands[usize::from(self.market.map.band_at(account.place))].0 += account.debt_shares.0;
        }
        bands
    }
}

impl Size {
    /// So much of this.
    #[must_use]
    pub fn of(self, whole: u64) -> u64 {
        match self {
            Self::Part(thousandths) => {
                u64::try_from(u128::from(whole) * u128::from(thousandths) / 1_000).unwrap_or(u64::MAX)
            }
            Self::Atoms(atoms) => atoms,
        }
    }
}
