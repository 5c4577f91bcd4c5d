//! The smallest few of many keys, kept in order while keys come in.

/// Holds the `room` smallest keys that were put in, each with its rank, in ascending order. A key may come in copies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smallest {
    room: usize,
    keys: Vec<f64>,
    ranks: Vec<u32>,
}

impl Smallest {
    /// Empties the list and gives it room for `room` keys.
    pub(crate) fn reset(&mut self, room: usize) {
        self.room = room;
        self.keys.clear();
        self.ranks.clear();
    }

    /// Puts `copies` copies of a key in; returns whether the list changed.
    #[inline]
    pub(crate) fn put(&mut self, key: f64, rank: usize, copies: u32) -> bool {
        if copies == 0 || (self.keys.len() == self.room && self.keys.last().is_none_or(|&last| key >= last)) {
            return false;
        }
        let place = self.keys.partition_point(|&other| other <= key);
        let copies = (copies as usize).min(self.room - place);
        for _ in 0..copies {
            self.keys.insert(place, key);
            self.ranks.insert(place, rank as u32);
        }
        self.keys.truncate(self.room);
        self.ranks.truncate(self.room);
        true
    }

    /// The sum of the `count` smallest keys; infinite if there are fewer.
    #[inline]
    pub(crate) fn sum(&self, count: usize) -> f64 {
        if count > self.keys.len() { f64::INFINITY } else { self.keys[..count].iter().sum() }
    }

    /// The ranks of the `count` smallest keys, or of all that there are.
    pub(crate) fn first(&self, count: usize) -> &[u32] {
        &self.ranks[..count.min(self.ranks.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_list_holds_the_smallest(
            keys in prop::collection::vec((-5i32..5, 0u32..4), 0..30), room in 0usize..8, count in 0usize..8,
        ) {
            let mut list = Smallest::default();
            list.reset(room);
            let mut all = Vec::new();
            for (rank, &(key, copies)) in keys.iter().enumerate() {
                list.put(f64::from(key), rank, copies);
                all.extend(std::iter::repeat_n(f64::from(key), copies as usize));
            }
            all.sort_by(f64::total_cmp);
            all.truncate(room);
            let expected = if count > all.len() { f64::INFINITY } else { all[..count].iter().sum() };
            prop_assert_eq!(list.sum(count), expected);
            let held: f64 = list.first(count).iter().map(|&rank| f64::from(keys[rank as usize].0)).sum();
            prop_assert!(count > all.len() || held == expected);
        }
    }
}
