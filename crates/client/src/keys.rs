//! Addresses of a market that an instruction builder needs.

use crate::addresses::MarketAddresses;
use anchor_lang::prelude::Pubkey;
use anchor_spl::associated_token::get_associated_token_address_with_program_id;
use breakwater::accounts;
use breakwater_engine::Feeds;

/// A market's addresses. Everything but the feed accounts is fixed for the market's life: of a Pyth pull feed
/// any genuine update account may be shown, so put the one to show here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketKeys {
    /// The market's own account.
    pub market: Pubkey,
    /// Mint of the collateral.
    pub collateral_mint: Pubkey,
    /// Mint of the quote token, supplied and borrowed.
    pub quote_mint: Pubkey,
    /// Where all collateral is.
    pub collateral_vault: Pubkey,
    /// Where all quote tokens are.
    pub quote_vault: Pubkey,
    /// The mint of LP shares, of the classic token program.
    pub lp_mint: Pubkey,
    /// The token program of the collateral mint.
    pub collateral_token_program: Pubkey,
    /// The token program of the quote mint.
    pub quote_token_program: Pubkey,
    /// The Pyth account to show for the collateral.
    pub collateral_feed: Pubkey,
    /// The Pyth account to show for the quote token.
    pub quote_feed: Pubkey,
    /// The Pyth accounts to show for base token and redemption rate, for markets that count collateral by its
    /// redemption.
    pub redemption_feeds: Option<(Pubkey, Pubkey)>,
}

impl MarketKeys {
    /// Derives what can be derived. `collateral` and `quote` are each (mint, token program, Pyth account).
    #[must_use]
    pub fn derive(collateral: (Pubkey, Pubkey, Pubkey), quote: (Pubkey, Pubkey, Pubkey), id: u16) -> Self {
        let (collateral_mint, collateral_token_program, collateral_feed) = collateral;
        let (quote_mint, quote_token_program, quote_feed) = quote;
        let MarketAddresses {
            market,
            collateral_vault,
            quote_vault,
            lp_mint,
        } = MarketAddresses::derive(&collateral_mint, &quote_mint, id);
        Self {
            market,
            collateral_mint,
            quote_mint,
            collateral_vault,
            quote_vault,
            lp_mint,
            collateral_token_program,
            quote_token_program,
            collateral_feed,
            quote_feed,
            redemption_feeds: None,
        }
    }

    /// No price account: what the market knows counts, while it is young enough.
    pub const KNOWN_FEEDS: accounts::Feeds = accounts::Feeds {
        collateral_feed: None,
        quote_feed: None,
        base_feed: None,
        rate_feed: None,
    };

    /// The same, for who shows no price account: what the market knows counts, while it is young enough.
    #[must_use]
    pub fn without_feeds(&self) -> Self {
        Self {
            // The program's own address says that an account was left out.
            collateral_feed: breakwater::ID,
            quote_feed: breakwater::ID,
            redemption_feeds: None,
            ..*self
        }
    }

    /// The quote token, as instructions take it.
    #[must_use]
    pub fn quote_token(&self) -> accounts::QuoteToken {
        accounts::QuoteToken {
            quote_mint: self.quote_mint,
            quote_vault: self.quote_vault,
            quote_token_program: self.quote_token_program,
        }
    }

    /// The collateral token, as instructions take it.
    #[must_use]
    pub fn collateral_token(&self) -> accounts::CollateralToken {
        accounts::CollateralToken {
            collateral_mint: self.collateral_mint,
            collateral_vault: self.collateral_vault,
            collateral_token_program: self.collateral_token_program,
        }
    }

    /// The LP shares, as instructions take them.
    #[must_use]
    pub fn lp_token(&self) -> accounts::LpToken {
        accounts::LpToken {
            lp_mint: self.lp_mint,
            token_program: anchor_spl::token::ID,
        }
    }

    /// The same with these price accounts to show: those of a market that has all feeds, or no redemption.
    #[must_use]
    pub fn with_feeds(&self, shown: Feeds<Option<Pubkey>>) -> Self {
        let left_out = self.without_feeds();
        Self {
            collateral_feed: shown.collateral.unwrap_or(left_out.collateral_feed),
            quote_feed: shown.quote.unwrap_or(left_out.quote_feed),
            redemption_feeds: shown.base.zip(shown.rate),
            ..left_out
        }
    }

    /// The price accounts to show.
    #[must_use]
    pub fn shown_feeds(&self) -> Feeds<Option<Pubkey>> {
        Feeds {
            collateral: Some(self.collateral_feed),
            quote: Some(self.quote_feed),
            base: self.redemption_feeds.map(|(base, _)| base),
            rate: self.redemption_feeds.map(|(_, rate)| rate),
        }
    }

    /// The price accounts, as instructions take them.
    #[must_use]
    pub fn feeds(&self) -> accounts::Feeds {
        Self::accounts_of(self.shown_feeds())
    }

    /// Price accounts to show, as instructions take them.
    #[must_use]
    pub fn accounts_of(shown: Feeds<Option<Pubkey>>) -> accounts::Feeds {
        accounts::Feeds {
            collateral_feed: shown.collateral,
            quote_feed: shown.quote,
            base_feed: shown.base,
            rate_feed: shown.rate,
        }
    }

    /// An owner's associated account of collateral.
    #[must_use]
    pub fn collateral_of(&self, owner: &Pubkey) -> Pubkey {
        get_associated_token_address_with_program_id(owner, &self.collateral_mint, &self.collateral_token_program)
    }

    /// An owner's associated account of quote tokens.
    #[must_use]
    pub fn quote_of(&self, owner: &Pubkey) -> Pubkey {
        get_associated_token_address_with_program_id(owner, &self.quote_mint, &self.quote_token_program)
    }

    /// An owner's associated account of LP shares.
    #[must_use]
    pub fn lp_of(&self, owner: &Pubkey) -> Pubkey {
        get_associated_token_address_with_program_id(owner, &self.lp_mint, &anchor_spl::token::ID)
    }
}
