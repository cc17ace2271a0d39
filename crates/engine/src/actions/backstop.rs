use crate::{
    account::position::KeeperLedger,
    backstop::auction::Offer,
    error::{Error, Result},
    governance::pause,
    market::Market,
    math::units::{Clock, Collateral, Price, Quote},
    price::{
        guard::{Level, Prices},
        oracle::PriceUse,
    },
};

record! {
    /// The backstop was given quote tokens, for good.
    Funding {
        /// Quote atoms given.
        amount: Quote,
        /// The part of it that paid debt to the pool.
        repaid: Quote,
        /// The part of it that paid back what was written off.
        recovered: Quote,
    }
}

record! {
    /// Inventory was sold.
    Sale {
        /// Collateral atoms sold.
        amount: Collateral,
        /// Quote atoms paid, rounded up.
        cost: Quote,
        /// Quote atoms per collateral atom, Q64.64: the mean of the ask before and after the sale.
        ask: Price,
        /// The part of the proceeds that paid the backstop's debt to the pool.
        repaid: Quote,
        /// Proceeds less what the collateral was worth when it was taken over, quote atoms.
        gain: i64,
        /// Collateral atoms still held.
        inventory_after: Collateral,
        /// The part of the proceeds that paid back what was written off.
        recovered: Quote,
        /// The part of the written-off debt that was lost for good, for the last of the inventory that could pay it
        /// back is sold; quote atoms.
        lost: Quote,
        /// The guardians' claim, void with that, quote atoms.
        guardians_lost: Quote,
        /// The protocol's own capital at book, lost with that, quote atoms.
        protocol_lost: Quote,
    }
}

record! {
    /// A keeper claimed its bounties.
    BountyClaim {
        /// Quote atoms paid out.
        amount: Quote,
        /// Quote atoms still owed, for which there was no cash.
        credit_after: Quote,
    }
}

impl Market {
    /// Gives the backstop quote atoms; anyone may, for good: no claim arises.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::Overflow`].
    pub fn fund_backstop(&mut self, amount: Quote, clock: Clock) -> Result<Funding> {
        amount.nonzero()?;
        self.transact(clock, |_, books| {
            let (repaid, recovered) = books.receive(amount)?;
            let given = i64::try_from(amount.0).unwrap_or(i64::MAX);
            books.equity_sources.paid_in = books.equity_sources.paid_in.saturating_add(given);
            Ok(Funding {
                amount,
                repaid,
                recovered,
            })
        })
    }

    /// Sells `amount` of inventory at the mean ask of the schedule ([`crate::backstop::auction`]), all of it or
    /// nothing; anyone may buy. Proceeds pay the backstop's debt first, then what was written off
    /// ([`crate::pool::recovery`]).
    ///
    /// # Errors
    /// [`Error::ActionPaused`], [`Error::ZeroAmount`], [`Error::InventoryInsufficient`], [`Error::AuctionRateLimited`],
    /// [`Error::SlippageExceeded`] if it costs more than `max_cost`, those of [`Prices::check`] and
    /// [`Prices::ask_reference`].
    pub fn buy_inventory(
        &mut self,
        amount: Collateral,
        max_cost: Quote,
        prices: &Prices,
        clock: Clock,
    ) -> Result<Sale> {
        pause::check(self.pauses.sell, clock)?;
        amount.nonzero()?;
        self.transact(clock, |market, books| {
            let inventory = books.backstop.inventory;
            if amount > inventory {
                return Err(Error::InventoryInsufficient);
            }
            prices.check(PriceUse::Sell, clock)?;
            let ask = books.auction.mean_ask(&market.config, amount, prices, clock)?;
            books.auction.sell(&market.config, amount, prices, clock)?;
            let cost = ask.quote_ceil(amount)?;
            if cost > max_cost {
                return Err(Error::SlippageExceeded);
            }
            books.backstop.inventory = inventory.minus(amount)?;
            let (repaid, recovered) = books.receive(cost)?;
            let gain = books.equity_sources.sell(inventory, amount, cost);
            let written_off = books.recovery.written_off;
            // A price that only the end of a recovery asks for.
            let may_end = books.recovery.written_off != Quote::ZERO && prices.level() == Level::Normal;
            let highest = may_end.then(|| prices.highest()).transpose()?;
            let ended = books.count_down(amount, highest);
            Ok(Sale {
                amount,
                cost,
                ask,
                repaid,
                gain,
                inventory_after: books.backstop.inventory,
                recovered,
                lost: written_off.minus(books.recovery.written_off)?,
                guardians_lost: ended.guardians,
                protocol_lost: ended.protocol,
            })
        })
    }

    /// Sells as much inventory as `budget` pays for at the mean ask, rounded down, and at least `min_amount`: what the
    /// flow limit or the inventory leaves, if that is less. The caller pays what that costs, which may be a little less
    /// than the budget.
    ///
    /// # Errors
    /// [`Error::ActionPaused`], [`Error::ZeroAmount`], also if the budget is too small for an atom;
    /// [`Error::SlippageExceeded`] if it does not pay for `min_amount`, [`Error::InventoryInsufficient`] or
    /// [`Error::AuctionRateLimited`] if there is less than that, or nothing; those of [`Prices::ask_reference`].
    pub fn buy_inventory_for(
        &mut self,
        budget: Quote,
        min_amount: Collateral,
        prices: &Prices,
        clock: Clock,
    ) -> Result<Sale> {
        pause::check(self.pauses.sell, clock)?;
        budget.nonzero()?;
        let auction = &self.books.auction;
        let affordable = auction.affordable(&self.config, budget, prices, clock)?.nonzero()?;
        if affordable < min_amount {
            return Err(Error::SlippageExceeded);
        }
        let inventory = self.books.backstop.inventory;
        let least = min_amount.max(Collateral(1));
        if inventory < least {
            return Err(Error::InventoryInsufficient);
        }
        let available = auction.available(&self.config, inventory, prices, clock)?;
        if available < least {
            return Err(Error::AuctionRateLimited);
        }
        self.buy_inventory(affordable.min(available), budget, prices, clock)
    }

    /// Inventory that [`Market::buy_inventory`] would sell now, and the price of its first atom. For buyers.
    ///
    /// # Errors
    /// The errors of [`Market::buy_inventory`] about prices.
    pub fn offer(&self, prices: &Prices, clock: Clock) -> Result<Offer> {
        let auction = &self.books.auction;
        Ok(Offer {
            ask: auction.ask(&self.config, prices, clock)?,
            available: auction.available(&self.config, self.books.backstop.inventory, prices, clock)?,
            discount: auction.discount(&self.config, prices.level(), clock)?,
        })
    }

    /// Pays out a keeper's credit, as far as credits are funded; the rest stays owed.
    ///
    /// # Errors
    /// [`Error::NothingToClaim`], [`Error::CreditsUnfunded`] if there is no cash for any of it yet,
    /// [`Error::Overflow`].
    pub fn claim_bounty(&mut self, ledger: &mut KeeperLedger) -> Result<BountyClaim> {
        if ledger.credit == Quote::ZERO {
            return Err(Error::NothingToClaim);
        }
        let funded = self.books.backstop.funded_credits;
        let amount = ledger.credit.min(funded);
        if amount == Quote::ZERO {
            return Err(Error::CreditsUnfunded);
        }
        let credit = ledger.credit.minus(amount)?;
        self.books.backstop.funded_credits = funded.minus(amount)?;
        ledger.credit = credit;
        Ok(BountyClaim {
            amount,
            credit_after: credit,
        })
    }
}
