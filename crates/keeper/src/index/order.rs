//! Which account is nearest to liquidation: small numbers, one for each account, in the order of keys that are kept
//! elsewhere.
//!
//! A list of blocks of at most [`BLOCK`] numbers. Finding a place is one binary search over the blocks' first keys,
//! which lie together, and one in a block; putting something in moves at most one block. It costs 5 to 8 bytes an
//! account, where a tree that carries its keys costs 24 and more.

/// Most numbers in a block: 2 KiB.
const BLOCK: usize = 512;

/// The ordered pair: the key, and the number itself for equal keys.
pub type Place = (u64, u32);

#[derive(Debug)]
struct Block {
    /// Nothing in this block comes before it. (What it was the place of may have been taken out since.)
    from: Place,
    numbers: Vec<u32>,
}

/// The order. Callers give the same key for the same number as long as it is in here.
#[derive(Debug, Default)]
pub struct Order {
    blocks: Vec<Block>,
}

impl Order {
    /// The block in which `place` is, or belongs.
    fn block_of(&self, place: Place) -> usize {
        self.blocks
            .partition_point(|block| block.from <= place)
            .saturating_sub(1)
    }

    /// Puts `place` in. `key` gives the key of every other number.
    pub fn insert(&mut self, place: Place, key: impl Fn(u32) -> u64) {
        let at = self.block_of(place);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(Block {
                from: place,
                numbers: vec![place.1],
            });
            return;
        };
        let within = block.numbers.partition_point(|&number| (key(number), number) < place);
        block.numbers.insert(within, place.1);
        block.from = block.from.min(place);
        if block.numbers.len() > BLOCK {
            self.split(at, &key);
        }
    }

    /// In halves; the last block at its end, so that what comes in ascending order fills its blocks.
    fn split(&mut self, at: usize, key: &impl Fn(u32) -> u64) {
        let last = at + 1 == self.blocks.len();
        let numbers = &mut self.blocks[at].numbers;
        let half = if last { BLOCK } else { BLOCK / 2 };
        let upper = numbers[half..].to_vec();
        numbers.truncate(half);
        numbers.shrink_to_fit();
        let from = (key(upper[0]), upper[0]);
        self.blocks.insert(at + 1, Block { from, numbers: upper });
    }

    /// Takes `place` out. Returns true if it was there.
    pub fn remove(&mut self, place: Place, key: impl Fn(u32) -> u64) -> bool {
        let at = self.block_of(place);
        let Some(block) = self.blocks.get_mut(at) else {
            return false;
        };
        let within = block.numbers.partition_point(|&number| (key(number), number) < place);
        if block.numbers.get(within) != Some(&place.1) {
            return false;
        }
        block.numbers.remove(within);
        self.tidy(at);
        true
    }

    /// Drops an empty block, and joins one that is nearly empty with the one before it.
    fn tidy(&mut self, at: usize) {
        if self.blocks[at].numbers.is_empty() {
            self.blocks.remove(at);
        } else if at > 0 && self.blocks[at].numbers.len() + self.blocks[at - 1].numbers.len() <= BLOCK / 2 {
            let Block { numbers, .. } = self.blocks.remove(at);
            self.blocks[at - 1].numbers.extend(numbers);
        }
    }

    /// The numbers, the largest key first.
    pub fn descending(&self) -> impl Iterator<Item = u32> + '_ {
        self.blocks
            .iter()
            .rev()
            .flat_map(|block| block.numbers.iter().rev().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Against the standard library's ordered set, over several blocks, with equal keys.
        #[test]
        fn it_is_an_ordered_set(keys in prop::collection::vec(0u64..5_000, 1..4_000), out in prop::collection::vec(any::<prop::sample::Index>(), 0..4_000)) {
            let key = |number: u32| keys[number as usize];
            let (mut order, mut expected) = (Order::default(), BTreeSet::new());
            for number in 0..u32::try_from(keys.len()).unwrap() {
                order.insert((key(number), number), key);
                expected.insert((key(number), number));
            }
            for index in &out {
                let number = u32::try_from(index.index(keys.len())).unwrap();
                let place = (key(number), number);
                prop_assert_eq!(order.remove(place, key), expected.remove(&place));
            }
            let descending: Vec<u32> = order.descending().collect();
            let wanted: Vec<u32> = expected.iter().rev().map(|(_, number)| *number).collect();
            prop_assert_eq!(descending, wanted);
            prop_assert!(order.blocks.iter().all(|block| (1..=BLOCK).contains(&block.numbers.len())));
        }
    }
}
