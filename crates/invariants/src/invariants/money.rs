//! The identities of the ledger, counted over everybody's accounts.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call,
    cover::log2,
    exact::{int, whole},
    facts::Facts,
    history::History,
};
use breakwater_engine::account::map::BANDS;

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "quote-vault-covers-claims",
        statement: "The quote vault holds at least the pool's cash, the backstop's cash and what is set aside for keepers.",
        check: |facts, _| {
            let after = &facts.step.after;
            let claims = quote_claims(facts);
            demand(u128::from(after.quote_vault) >= claims, || {
                format!("{} atoms for claims of {claims}", after.quote_vault)
            })
        },
    },
    Invariant {
        name: "collateral-vault-covers-claims",
        statement: "The collateral vault holds at least the collateral of all margin accounts and the backstop's inventory.",
        check: |facts, _| {
            let after = &facts.step.after;
            let claims = collateral_claims(facts);
            demand(u128::from(after.collateral_vault) >= claims, || {
                format!("{} atoms for claims of {claims}", after.collateral_vault)
            })
        },
    },
    Invariant {
        name: "unclaimed-tokens-are-donations",
        statement: "Tokens in the vaults that nobody has a claim on are exactly those that were sent there past the program.",
        check: unclaimed,
    },
    Invariant {
        name: "debt-shares-add-up",
        statement: "The pool's debt shares are those of all margin accounts and of the backstop.",
        check: |facts, _| {
            let (after, books) = (&facts.step.after, &facts.step.after.market.books);
            let sum = after.totals().account_debt_shares + u128::from(books.backstop.debt_shares.0);
            demand(u128::from(books.pool.debt_shares.0) == sum, || {
                format!("{} on the books, {sum} counted", books.pool.debt_shares.0)
            })
        },
    },
    Invariant {
        name: "keeper-credits-add-up",
        statement: "What the backstop owes keepers, funded and unfunded, is the sum of their ledgers.",
        check: |facts, _| {
            let backstop = &facts.step.after.market.books.backstop;
            let booked = u128::from(backstop.funded_credits.0) + u128::from(backstop.unfunded_credits.0);
            let counted = facts.step.after.totals().keeper_credits;
            demand(booked == counted, || {
                format!("{booked} on the books, {counted} counted")
            })
        },
    },
    Invariant {
        name: "lp-shares-add-up",
        statement: "The pool's LP supply is the sum of what suppliers hold.",
        check: |facts, _| {
            let (booked, counted) = (
                facts.step.after.market.books.pool.lp_supply.0,
                facts.step.after.totals().lp_held,
            );
            demand(u128::from(booked) == counted, || {
                format!("{booked} on the books, {counted} counted")
            })
        },
    },
    Invariant {
        name: "guardian-shares-add-up",
        statement: "The shares of the guardians' claim are the sum of the positions of the present epoch.",
        check: |facts, _| {
            let (booked, counted) = (
                facts.step.after.market.books.guardians.shares.0,
                facts.step.after.totals().guardian_shares,
            );
            demand(u128::from(booked) == counted, || {
                format!("{booked} on the books, {counted} counted")
            })
        },
    },
    Invariant {
        name: "map-is-a-recount",
        statement: "Each band of the liquidation map holds the debt shares of the accounts that say they are in it, to the share.",
        check: |facts, _| {
            let after = &facts.step.after;
            demand(after.market.map.bands[..] == after.recount()[..], || {
                "the map differs from a recount".to_owned()
            })
        },
    },
    Invariant {
        name: "band-fits-the-account",
        statement: "Whoever is touched is in the band of its debt shares divided by its collateral; whoever is not, as the map follows the price, is in none below it.",
        check: bands,
    },
    Invariant {
        name: "map-follows-the-price",
        statement: "Once a price is observed, the map has been centered within two octaves of the guarded price.",
        check: |facts, _| {
            let (Call::Observe, _) = facts.call_done()? else {
                return None;
            };
            let after = &facts.step.after.market;
            let clock = facts.step.after.clock;
            let prices = after.map.centered.raw();
            let guarded = &priced(facts)?.guarded;
            let line = guarded * after.liquidation_ltv(clock).0;
            #[allow(clippy::cast_precision_loss, reason = "compared with a margin")]
            let center = after.map.origin as f64 / 32.0 + 5.0;
            let octaves = log2(&line) - log2(&(&facts.index * whole())) - center;
            let near = *guarded < int(prices) << 2 && *guarded > int(prices) >> 2;
            // What the index has grown since is no octave.
            demand(near && (-3.5..4.5).contains(&octaves), || {
                format!("{octaves} octaves from the center, which was {prices}")
            })
        },
    },
];

fn quote_claims(facts: &Facts) -> u128 {
    let books = &facts.step.after.market.books;
    [
        books.pool.cash.0,
        books.backstop.cash.0,
        books.backstop.funded_credits.0,
    ]
    .into_iter()
    .map(u128::from)
    .sum()
}

fn collateral_claims(facts: &Facts) -> u128 {
    let after = &facts.step.after;
    after.totals().account_collateral + u128::from(after.market.books.backstop.inventory.0)
}

fn unclaimed(facts: &Facts, history: &History) -> Verdict {
    let after = &facts.step.after;
    let held = [u128::from(after.quote_vault), u128::from(after.collateral_vault)];
    let due = [
        quote_claims(facts) + u128::from(history.donated_quote),
        collateral_claims(facts) + u128::from(history.donated_collateral),
    ];
    demand(held == due, || {
        format!("quote and collateral: {held:?} held, {due:?} claimed or donated")
    })
}

/// 32 × log2 (shares ÷ collateral) from the map's origin, in floating point: near the edge of a band both sides will
/// do.
#[allow(clippy::cast_precision_loss, reason = "compared with a margin")]
fn bands(facts: &Facts, _: &History) -> Verdict {
    let after = &facts.step.after;
    let owing = after
        .accounts
        .iter()
        .enumerate()
        .filter(|(_, account)| account.has_debt());
    every(owing.map(|(number, account)| {
        let (shares, collateral) = (account.debt_shares.0, account.collateral.0);
        let band = match (shares, collateral) {
            (_, 0) => f64::INFINITY,
            _ => 32.0 * (shares as f64 / collateral as f64).log2() - after.market.map.origin as f64,
        };
        let last = (BANDS - 1) as f64;
        let map = &after.market.map;
        let held = f64::from(map.band_at(account.place));
        let fits = |band: f64| (band.floor().clamp(0.0, last) - held).abs() < 0.5;
        let before = &facts.step.before.accounts[number];
        // Its own place if it has just been put there.
        let exact = before.debt_shares != account.debt_shares || before.collateral != account.collateral;
        let higher = !exact && held >= (band - 0.02).floor().clamp(0.0, last);
        demand(fits(band - 0.02) || fits(band + 0.02) || higher, || {
            format!("account {number} is in band {held}, and belongs into {band}")
        })
    }))
}
