//! Table of Pyth's two stacks on Solana, and every address that is derived from it.

use super::FeedId;
use anchor_lang::prelude::{Pubkey, pubkey};
use breakwater::feeds::RECEIVERS;

/// Programs that belong together: what one of them verified or wrote is nothing to those of another stack. The
/// addresses are the same on every cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The program that checks an update's proofs and owns all price accounts.
    pub receiver: Pubkey,
    /// The Wormhole bridge that checks an update's signatures.
    pub bridge: Pubkey,
    /// The program that keeps an account of every feed for everyone, in shards.
    pub price_feed_program: Pubkey,
}

impl Stack {
    /// The older stack. Its receiver asks for more than two thirds of the signers to call an update fully verified that
    /// it checks itself, and Pyth serves fewer: updates go through the bridge.
    pub const REC5: Self = Self {
        receiver: RECEIVERS[0],
        bridge: pubkey!("HDwcJBJXjL9FpJ7UBsYBtaDjsBUhuLCUYoz3zr8SWWaQ"),
        price_feed_program: pubkey!("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT"),
    };

    /// The newer stack: more than half of the signers are enough everywhere, so one transaction posts a price.
    pub const REC2: Self = Self {
        receiver: RECEIVERS[1],
        bridge: pubkey!("HDw2E7P8X1SkCyjvoGsfBGAVUutKcj874bXjHrpVYrVL"),
        price_feed_program: pubkey!("pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou"),
    };

    /// Both of them, in the order of [`RECEIVERS`].
    pub const ALL: [Self; 2] = [Self::REC5, Self::REC2];

    /// The stack of this receiver, which is the owner of its price accounts. `None` if it is of none.
    #[must_use]
    pub fn of_receiver(receiver: &Pubkey) -> Option<Self> {
        Self::ALL.into_iter().find(|stack| stack.receiver == *receiver)
    }

    /// The stack that this program is of: its receiver, its bridge or its price feed program. `None` if it is of none.
    #[must_use]
    pub fn of_program(program: &Pubkey) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|stack| [stack.receiver, stack.bridge, stack.price_feed_program].contains(program))
    }

    /// How many signatures out of a set of so many signers the receiver must see to call an update fully verified that
    /// it checks itself (`post_update_atomic`). On both stacks the bridge asks for more than half.
    ///
    /// As measured on the programs of August 2026. A receiver may be replaced: where it matters, look at the level in
    /// the simulation.
    #[must_use]
    pub fn atomic_quorum(&self, signers: usize) -> usize {
        if *self == Self::REC5 {
            signers.saturating_mul(2) / 3 + 1
        } else {
            signers / 2 + 1
        }
    }

    /// The account in which the price feed program keeps the newest update of a feed. Shard 0 is the one that Pyth
    /// sponsors; whoever posts may use another.
    #[must_use]
    pub fn price_account(&self, shard: u16, feed: &FeedId) -> Pubkey {
        Pubkey::find_program_address(&[&shard.to_le_bytes(), feed], &self.price_feed_program).0
    }

    /// The receiver's configuration.
    #[must_use]
    pub fn config(&self) -> Pubkey {
        Pubkey::find_program_address(&[b"config"], &self.receiver).0
    }

    /// One of the 256 accounts that take the receiver's fee. It is locked for writing: choose one at random.
    #[must_use]
    pub fn treasury(&self, id: u8) -> Pubkey {
        Pubkey::find_program_address(&[b"treasury", &[id]], &self.receiver).0
    }

    /// The bridge's account of a set of signers.
    #[must_use]
    pub fn signer_set(&self, index: u32) -> Pubkey {
        Pubkey::find_program_address(&[b"GuardianSet", &index.to_be_bytes()], &self.bridge).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feed id of its 64 hexadecimal digits.
    fn feed(digits: &str) -> FeedId {
        let mut id = [0; 32];
        for (byte, at) in id.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        }
        id
    }

    /// An independent list: the accounts that Pyth documents, or that were seen on mainnet.
    #[test]
    fn known_accounts_are_derived() {
        let sol = feed("ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d");
        let usdc = feed("eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a");
        let jitosol = feed("67be9f519b95cf24338801051f9a808eff0a578ccb388db73b7f6fe1de019ffb");
        let rate = feed("01d577b07031e12635d2fb86af6ae938bdc2b6dba9602d8e8af34d44587566fc");
        let accounts = |stack: Stack| [sol, usdc, jitosol, rate].map(|id| stack.price_account(0, &id).to_string());
        assert_eq!(
            accounts(Stack::REC5),
            [
                "7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE",
                "Dpw1EAVrSB1ibxiDQyTAW6Zip3J4Btk2x4SgApQCeFbX",
                "AxaxyeDT8JnWERSaTKvFXvPKkEdxnamKSqpWbsSjYg1g",
                "CmGnCwUEYC7Kp9Sca4ULJRckSR8eJKLFTk1ed3wwGc78"
            ]
        );
        assert_eq!(
            accounts(Stack::REC2),
            [
                "7AviUf9nL62mcxNbQGKm4nKDQnPjswo6c5MX4D57HmyE",
                "6HAuqASbHEh4w4REJEUUUCginTLfj1kwCh215ZLtMkrT",
                "FvKB6oTnYvhdKxPeygwhVHE3H4EMr6kLwJnMjvGrdVUU",
                "2bDeHa8T3GeRwTMjvKegDgCAcSU9DMKR52xLn8pJW19p"
            ]
        );
        assert_eq!(
            Stack::ALL.map(|stack| stack.config().to_string()),
            [
                "DaWUKXCyXsnzcvLUyeJRWou8KTn7XtadgTsdhJ6RHS7b",
                "H3R4M45f2gyqp6geVUruapzZdyxpgGZ96UnWkDM3ndye"
            ]
        );
    }

    #[test]
    fn a_program_is_of_one_stack() {
        for stack in Stack::ALL {
            assert_eq!(Stack::of_receiver(&stack.receiver), Some(stack));
            for program in [stack.receiver, stack.bridge, stack.price_feed_program] {
                assert_eq!(Stack::of_program(&program), Some(stack));
            }
            assert_eq!(Stack::of_receiver(&stack.bridge), None);
        }
        assert_eq!(Stack::ALL.map(|stack| stack.receiver), RECEIVERS);
        assert_eq!(Stack::of_program(&breakwater::ID), None);
    }

    /// Addresses of sets are derived from the index big endian, so no two stacks or sets share one; quorums are those
    /// of five signers that were measured.
    #[test]
    fn sets_and_treasuries_are_told_apart() {
        let mut all = Vec::new();
        for stack in Stack::ALL {
            all.extend((0..3).chain([1 << 24]).map(|index| stack.signer_set(index)));
            all.extend((0..=u8::MAX).map(|id| stack.treasury(id)));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(Stack::ALL.map(|stack| stack.atomic_quorum(5)), [4, 3]);
        assert_eq!(Stack::ALL.map(|stack| stack.atomic_quorum(19)), [13, 10]);
    }
}
