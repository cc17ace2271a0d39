//! New risk, and what a call may touch.

use super::{Invariant, Verdict, demand, priced};
use crate::{
    ACCOUNTS, Call, GUARDIANS, KEEPERS, SUPPLIERS, State,
    exact::{int, value, whole},
    facts::{Facts, liquidation_ltv},
    history::History,
};
use breakwater_engine::MarginAccount;

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "initial-margin-holds",
        statement: "After a loan, or a withdrawal against debt, the debt is at most the initial LTV of the collateral at min(spot, guarded, both EMAs) less the confidence.",
        check: |facts, _| {
            let (account, view) = (new_risk(facts)?, priced(facts)?);
            let debt = facts.debt(account.debt_shares);
            let worth = value(&view.conservative().unwrap_or_default(), account.collateral.0);
            demand(&debt * whole() <= &worth * facts.config.initial_ltv.0, || {
                format!("{debt} atoms owed against {worth}")
            })
        },
    },
    Invariant {
        name: "no-dust-loans",
        statement: "After a loan, or a withdrawal against debt, the account owes at least the minimum debt.",
        check: |facts, _| {
            let debt = facts.debt(new_risk(facts)?.debt_shares);
            demand(debt >= int(facts.config.min_debt.0), || format!("{debt} atoms owed"))
        },
    },
    Invariant {
        name: "no-new-risk-in-doubt",
        statement: "Nobody borrows, or withdraws against debt, on a price that is clamped, uncertain or far from an average, or while the breaker is not Normal.",
        check: |facts, _| {
            new_risk(facts)?;
            let view = priced(facts)?;
            demand(view.asked == 0 && view.level == 0, || {
                format!("asked for level {}, at level {}", view.asked, view.level)
            })
        },
    },
    Invariant {
        name: "others-stay-as-they-are",
        statement: "A call changes no account, position, ledger or LP balance but those that it names, and nothing of what others owe or of where they are liquidated: both move with time alone.",
        check: untouched,
    },
    Invariant {
        name: "gifts-only-help",
        statement: "Who repays or adds collateral, for whomever, changes nothing but the debt shares, which fall, or the collateral, which rises, and the band.",
        check: gifts,
    },
    Invariant {
        name: "refusals-change-nothing",
        statement: "A refused call leaves everything as it was, but for a price that it accepted and interest that it accrued before it was refused.",
        check: refusals,
    },
];

/// The account that has just taken on more risk.
fn new_risk<'a>(facts: &'a Facts) -> Option<&'a MarginAccount> {
    let (call, _) = facts.call_done()?;
    let accounts = &facts.step.after.accounts;
    match call {
        Call::Borrow { account, .. } => Some(&accounts[*account]),
        Call::WithdrawCollateral { account, .. } => Some(&accounts[*account]).filter(|account| account.has_debt()),
        _ => None,
    }
}

/// Who a call names.
#[derive(Default)]
struct Named {
    accounts: Vec<usize>,
    keeper: Option<usize>,
    guardian: Option<usize>,
    supplier: Option<usize>,
}

impl Named {
    fn by(call: &Call) -> Self {
        let mut named = Self::default();
        match call {
            Call::Deposit { account, .. }
            | Call::WithdrawCollateral { account, .. }
            | Call::Borrow { account, .. }
            | Call::Repay { account, .. }
            | Call::Reopen { account } => named.accounts.push(*account),
            Call::Liquidate { keeper, account } => {
                (named.accounts, named.keeper) = (vec![*account], Some(*keeper));
            }
            Call::LiquidateBatch { keeper, accounts } => {
                (named.accounts, named.keeper) = (accounts.clone(), Some(*keeper));
            }
            Call::Claim { keeper } => named.keeper = Some(*keeper),
            Call::Supply { supplier, .. } | Call::Withdraw { supplier, .. } => named.supplier = Some(*supplier),
            Call::GuardianDeposit { guardian, .. }
            | Call::GuardianRequest { guardian, .. }
            | Call::GuardianWithdraw { guardian, .. }
            | Call::ReopenPosition { guardian } => named.guardian = Some(*guardian),
            _ => {}
        }
        named
    }
}

fn untouched(facts: &Facts, _: &History) -> Verdict {
    if facts.is_refused() {
        return None;
    }
    let (before, after) = (&facts.step.before, &facts.step.after);
    let named = facts.step.call.as_ref().map(Named::by).unwrap_or_default();
    let account = (0..ACCOUNTS).find(|at| !named.accounts.contains(at) && before.accounts[*at] != after.accounts[*at]);
    let ledger = (0..KEEPERS).find(|at| named.keeper != Some(*at) && before.ledgers[*at] != after.ledgers[*at]);
    let position =
        (0..GUARDIANS).find(|at| named.guardian != Some(*at) && before.guardians[*at] != after.guardians[*at]);
    let supplier = (0..SUPPLIERS).find(|at| named.supplier != Some(*at) && before.lp[*at] != after.lp[*at]);
    let nobody = account.or(ledger).or(position).or(supplier).is_none();
    let index = before
        .market
        .books_at(after.clock)
        .map(|books| int(books.pool.index.raw()));
    let mut then = before.clone();
    then.clock = after.clock;
    let (ltv, ltv_after) = (liquidation_ltv(&then), liquidation_ltv(after));
    // An announcement rounds what a running ramp has come to, to a basis point and in favor of the accounts.
    let announced = matches!(facts.step.call, Some(Call::AnnounceLtv { .. }));
    let same = &ltv.0 * &ltv_after.1 == &ltv_after.0 * &ltv.1 || announced;
    demand(nobody && index.as_ref() == Ok(&facts.index) && same, || {
        format!(
            "account {account:?}, ledger {ledger:?}, position {position:?}, supplier {supplier:?} changed; index {index:?} \
             became {}, LTV {ltv:?} became {ltv_after:?}",
            facts.index
        )
    })
}

fn gifts(facts: &Facts, _: &History) -> Verdict {
    let (account, of_debt) = match facts.call_done()?.0 {
        Call::Repay { account, .. } => (*account, true),
        Call::Deposit { account, .. } => (*account, false),
        _ => return None,
    };
    let (before, after) = (
        &facts.step.before.accounts[account],
        &facts.step.after.accounts[account],
    );
    let mut allowed = *before;
    allowed.place = after.place;
    let fine = if of_debt {
        allowed.debt_shares = after.debt_shares;
        after.debt_shares <= before.debt_shares
    } else {
        allowed.collateral = after.collateral;
        after.collateral > before.collateral
    };
    demand(fine && allowed == *after, || format!("{before:?} became {after:?}"))
}

fn refusals(facts: &Facts, _: &History) -> Verdict {
    let left = facts.step.refused.as_ref()?;
    let mut expected: State = facts.step.before.clone();
    let (market, touched) = (&mut expected.market, &left.market);
    (market.oracle, market.guard, market.volatility) = (touched.oracle, touched.guard, touched.volatility);
    // The map's center and its kept sums follow the price: other bands, the same shares in each.
    let (map, followed) = (&mut market.map, &touched.map);
    (map.origin, map.centered, map.threshold) = (followed.origin, followed.centered, followed.threshold);
    (map.under_shares, map.under_weight) = (followed.under_shares, followed.under_weight);
    if touched.books.auction != market.books.auction {
        // The discount begins anew with a reading that is not Normal.
        let auction = &mut market.books.auction;
        auction.anchor = auction.anchor.max(left.clock.unix * 1_000_000);
    }
    let accrues = matches!(
        facts.step.call,
        Some(Call::Liquidate { .. } | Call::LiquidateBatch { .. })
    );
    if accrues && touched.books != market.books {
        market.books = market.books_at(left.clock).ok()?;
    }
    let accepted = facts.view.is_some() || facts.step.before.market.oracle == touched.oracle;
    demand(accepted && expected == *left, || {
        "a refused call changed something".to_owned()
    })
}
