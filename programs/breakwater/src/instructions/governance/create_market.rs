use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::MarketCreated,
    feeds::check_pins,
    state::{DepthBudget, Market, Protocol, key},
    tokens,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::{Bps, Config, DepthAllocation, FeedPin, Feeds, NewMarket, pool::EXTRA_LP_DECIMALS};

/// Arguments of `create_market`.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct CreateMarketArgs {
    /// Tells apart the markets of one pair of mints.
    pub id: u16,
    /// USD feed of the collateral token.
    pub collateral_feed: FeedPin,
    /// USD feed of the quote token.
    pub quote_feed: FeedPin,
    /// USD feed of what the collateral is redeemed for. Optional for the size of the transaction.
    pub base_feed: Option<FeedPin>,
    /// Feed of the redemption rate, in that base token.
    pub rate_feed: Option<FeedPin>,
    /// Share of the depth budget, bps.
    pub depth_share: u32,
    /// Parameters.
    pub config: Config,
}

/// Accounts of `create_market`.
#[derive(Accounts)]
#[instruction(args: CreateMarketArgs)]
pub struct CreateMarket<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// Created here.
    #[account(
        init, payer = authority, space = Market::SPACE,
        seeds = [b"market", collateral_mint.key().as_ref(), quote_mint.key().as_ref(), &args.id.to_le_bytes()], bump,
    )]
    pub market: AccountLoader<'info, Market>,
    /// The depth of what it sells.
    #[account(mut)]
    pub depth_budget: AccountLoader<'info, DepthBudget>,
    /// Mint of the collateral token.
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Mint of the quote token.
    #[account(constraint = quote_mint.key() != collateral_mint.key() @ BreakwaterError::SameMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Holds all collateral of the market. Created here.
    #[account(
        init, payer = authority, seeds = [b"collateral_vault", market.key().as_ref()], bump,
        token::mint = collateral_mint, token::authority = market, token::token_program = collateral_token_program,
    )]
    pub collateral_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Holds all quote tokens of the market. Created here.
    #[account(
        init, payer = authority, seeds = [b"quote_vault", market.key().as_ref()], bump,
        token::mint = quote_mint, token::authority = market, token::token_program = quote_token_program,
    )]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Mint of the LP shares. Created here.
    #[account(
        init, payer = authority, seeds = [b"lp_mint", market.key().as_ref()], bump,
        mint::decimals = quote_mint.decimals.saturating_add(EXTRA_LP_DECIMALS), mint::authority = market, mint::token_program = token_program,
    )]
    pub lp_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Token program of the collateral mint; the vault cannot be created with another one.
    pub collateral_token_program: Interface<'info, TokenInterface>,
    /// Token program of the quote mint; the vault cannot be created with another one.
    pub quote_token_program: Interface<'info, TokenInterface>,
    /// The classic token program, for the LP mint.
    pub token_program: Program<'info, anchor_spl::token::Token>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Creates a market.
pub fn create_market(ctx: Context<CreateMarket>, args: CreateMarketArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    tokens::check_mint(&accounts.collateral_mint)?;
    tokens::check_mint(&accounts.quote_mint)?;
    let feeds = Feeds {
        collateral: args.collateral_feed,
        quote: args.quote_feed,
        base: args.base_feed.unwrap_or(FeedPin::NONE),
        rate: args.rate_feed.unwrap_or(FeedPin::NONE),
    };
    check_pins(&feeds)?;
    let depth = DepthAllocation {
        budget: key(&accounts.depth_budget.key()),
        share: Bps(args.depth_share),
    };
    accounts
        .depth_budget
        .load_mut()?
        .allocate(depth.share)
        .or_program_error()?;
    accounts
        .market
        .load_init()?
        .initialize(&NewMarket {
            id: args.id,
            bump: ctx.bumps.market,
            collateral: (
                key(&accounts.collateral_mint.key()),
                accounts.collateral_mint.decimals,
                key(&accounts.collateral_vault.key()),
            ),
            quote: (
                key(&accounts.quote_mint.key()),
                accounts.quote_mint.decimals,
                key(&accounts.quote_vault.key()),
            ),
            lp_mint: key(&accounts.lp_mint.key()),
            feeds,
            depth,
            config: args.config,
            clock: clock::now()?,
        })
        .or_program_error()?;
    for vault in [&accounts.collateral_vault, &accounts.quote_vault] {
        tokens::provide_for_rent(vault, &accounts.authority)?;
    }
    emit!(MarketCreated {
        market: accounts.market.key(),
        collateral_mint: accounts.collateral_mint.key(),
        quote_mint: accounts.quote_mint.key(),
        id: args.id,
    });
    Ok(())
}
