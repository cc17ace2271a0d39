//! Cells that are no attack. Each line is checked: a cell that is allowed here must go through, and one that is said
//! not to exist must not exist; a line that nothing needs fails the matrix as well.

use super::{expected::Given, slots::Class, substitutes::Kind};

/// Cells that go through, and should.
pub struct Allowed {
    /// In these instructions; in all if there are none.
    pub instructions: &'static [&'static str],
    /// In slots of these classes.
    pub classes: &'static [Class],
    /// Accounts given in the place of the right one.
    pub given: &'static [Given],
    /// Why.
    pub why: &'static str,
}

/// Slots for which a kind has no cells.
pub struct Impossible {
    /// In these instructions; in all if there are none.
    pub instructions: &'static [&'static str],
    /// Slots of these classes.
    pub classes: &'static [Class],
    /// The kind.
    pub kind: Kind,
    /// Why.
    pub why: &'static str,
}

impl Allowed {
    /// True if it is about this cell.
    pub fn covers(&self, instruction: &str, class: Class, given: Given) -> bool {
        is_of(self.instructions, instruction) && self.classes.contains(&class) && self.given.contains(&given)
    }
}

impl Impossible {
    /// True if it is about this kind in this slot.
    pub fn covers(&self, instruction: &str, class: Class, kind: Kind) -> bool {
        is_of(self.instructions, instruction) && self.classes.contains(&class) && self.kind == kind
    }
}

fn is_of(instructions: &[&str], instruction: &str) -> bool {
    instructions.is_empty() || instructions.contains(&instruction)
}

/// Cells that go through, and should.
pub const ALLOWED: &[Allowed] = &[
    Allowed {
        instructions: &["deposit_collateral", "repay", "liquidate", "liquidate_batch"],
        classes: &[Class::AnyMargin, Class::BatchMargin],
        given: &[Given::OtherUser],
        why: "anybody adds to, repays, and liquidates any account of the market",
    },
    Allowed {
        instructions: &["liquidate_batch"],
        classes: &[Class::BatchMargin],
        given: &[Given::Gone, Given::Wallet],
        why: "no data: its owner may have closed it since the keeper looked; it is left out, and nothing is paid for it",
    },
    Allowed {
        instructions: &["liquidate_batch"],
        classes: &[Class::BatchMargin],
        given: &[Given::Again],
        why: "the second time it is healthy or cooling: it is left out, and nothing is paid for it",
    },
    Allowed {
        instructions: &["liquidate_batch"],
        classes: &[Class::BatchMargin],
        given: &[Given::Reordered],
        why: "the keeper says in which order they are liquidated",
    },
    Allowed {
        instructions: &["close_account"],
        classes: &[Class::OwnMargin],
        given: &[Given::Sibling, Given::Stranger],
        why: "the owner closes which of his empty accounts he likes: no market is named",
    },
    Allowed {
        instructions: &["cancel_change"],
        classes: &[Class::AnyEntry],
        given: &[Given::OtherEntry, Given::Sibling, Given::Stranger],
        why: "one instruction cancels every entry, of any market; but only the authority the one that names an emergency admin",
    },
    Allowed {
        instructions: &["cancel_change"],
        classes: &[Class::Signer],
        given: &[Given::Authority],
        why: "the authority may whatever the emergency admin may",
    },
    Allowed {
        instructions: &[
            "announce_liquidation_ltv",
            "queue_equity_withdrawal",
            "tighten",
            "pause",
            "emergency_halt",
            "raise_stress",
        ],
        classes: &[Class::Market],
        given: &[Given::Sibling, Given::Stranger],
        why: "the office is of all markets, and the signer says of which he speaks: nothing else of a market is named",
    },
    Allowed {
        instructions: &["lower_depth_share"],
        classes: &[Class::Market],
        given: &[Given::Sibling],
        why: "the office is of all markets, and this one draws on the same budget",
    },
    Allowed {
        instructions: &["create_market", "queue_depth_share"],
        classes: &[Class::Budget],
        given: &[Given::Stranger],
        why: "the authority says on which budget a market draws",
    },
    Allowed {
        instructions: &["observe_price"],
        classes: &[Class::Market],
        given: &[Given::Sibling],
        why: "it has pinned the same feeds: anybody shows any market its prices",
    },
    Allowed {
        instructions: &[],
        classes: &[Class::PullFeed],
        given: &[Given::Twin],
        why: "a pull feed is known by its id: anybody posts the signed update to an account of his own",
    },
    Allowed {
        instructions: &["execute_feeds"],
        classes: &[Class::PullFeed, Class::PushFeed],
        given: &[Given::ShownBefore],
        why: "a feed that stays is shown once, among the present ones",
    },
    Allowed {
        instructions: &[],
        classes: &[Class::Receiver],
        given: &[Given::OtherUser, Given::OtherOwner, Given::Twin],
        why: "who is paid says where to",
    },
    Allowed {
        instructions: &[],
        classes: &[Class::Purse],
        given: &[Given::Twin],
        why: "who pays has as many token accounts as he likes",
    },
    Allowed {
        instructions: &["open_account"],
        classes: &[Class::Payer],
        given: &[Given::OtherUser, Given::Wallet],
        why: "anybody pays the rent who signs for it",
    },
    Allowed {
        instructions: &[],
        classes: &[Class::Signer, Class::RentReceiver],
        given: &[Given::Gone],
        why: "it takes a key to sign, and nothing to be paid: not lamports",
    },
    Allowed {
        instructions: &[],
        classes: &[Class::Created],
        given: &[Given::Prefunded],
        why: "anybody can send lamports to an address in advance: it must do no harm",
    },
];

const PEOPLE: &[Class] = &[Class::Signer, Class::PayingSigner, Class::Payer, Class::RentReceiver];
const PROGRAMS: &[Class] = &[Class::TokenProgram, Class::NewTokenProgram, Class::FixedProgram];

/// Slots and kinds for which there are no cells.
pub const IMPOSSIBLE: &[Impossible] = &[
    Impossible {
        instructions: &[],
        classes: PEOPLE,
        kind: Kind::OtherMarket,
        why: "people are of no market",
    },
    Impossible {
        instructions: &[],
        classes: PROGRAMS,
        kind: Kind::OtherMarket,
        why: "programs are of no market",
    },
    Impossible {
        instructions: &[],
        classes: &[Class::Protocol, Class::ProgramData],
        kind: Kind::OtherMarket,
        why: "there is one for all markets",
    },
    Impossible {
        instructions: &[
            "initialize",
            "create_depth_budget",
            "queue_emergency_admin",
            "execute_emergency_admin",
            "queue_sentinel",
            "execute_sentinel",
        ],
        classes: &[Class::Created, Class::Entry],
        kind: Kind::OtherMarket,
        why: "it is the protocol's, not a market's",
    },
    Impossible {
        instructions: &[],
        classes: &[
            Class::Protocol,
            Class::Market,
            Class::Entry,
            Class::AnyEntry,
            Class::Budget,
            Class::OwnBudget,
            Class::Mint,
            Class::LpMint,
            Class::NewMint,
            Class::Vault,
            Class::PullFeed,
            Class::PushFeed,
            Class::ProgramData,
        ],
        kind: Kind::OtherUser,
        why: "it is no user's",
    },
    Impossible {
        instructions: &[],
        classes: PROGRAMS,
        kind: Kind::OtherUser,
        why: "programs are no user's",
    },
    Impossible {
        instructions: &[
            "initialize",
            "create_depth_budget",
            "create_market",
            "queue_depth_share",
            "queue_parameters",
            "queue_feeds",
            "queue_emergency_admin",
            "queue_sentinel",
        ],
        classes: &[Class::Created],
        kind: Kind::OtherUser,
        why: "what is created is no user's",
    },
    Impossible {
        instructions: &[],
        classes: PROGRAMS,
        kind: Kind::Closed,
        why: "the token programs and the system program are the network's, and this one is running",
    },
    Impossible {
        instructions: &[],
        classes: &[
            Class::Market,
            Class::AnyMargin,
            Class::OwnMargin,
            Class::BatchMargin,
            Class::Ledger,
            Class::Position,
            Class::Entry,
            Class::AnyEntry,
            Class::Budget,
            Class::OwnBudget,
        ],
        kind: Kind::LookAlike,
        why: "only Breakwater writes what it owns, each at one derived address: nobody can make a second one",
    },
    Impossible {
        instructions: &[],
        classes: PEOPLE,
        kind: Kind::LookAlike,
        why: "a key is like no other",
    },
    Impossible {
        instructions: &[],
        classes: &[Class::Created],
        kind: Kind::LookAlike,
        why: "there is nothing yet to be like",
    },
];
