//! A stream's words, made many at a time.

use super::streams::Stream;
use rand::{RngExt, TryRng};
use std::convert::Infallible;

/// Words made at a time: 16 blocks of the generator, small enough to stay in the fastest cache.
const BLOCK: usize = 1024;

/// The 32-bit words of a stream in their order, with a view of the next ones. As a generator it returns the very numbers
/// that the stream would return.
#[derive(Debug)]
pub(super) struct Words {
    stream: Stream,
    words: Vec<u32>,
    /// The next word of `words`.
    next: usize,
}

impl Words {
    /// The words of `stream` from its present place on.
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, words: Vec::new(), next: 0 }
    }

    /// The next `count` words, which stay in the stream until [`Words::take`].
    #[inline]
    pub(super) fn peek(&mut self, count: usize) -> &[u32] {
        if self.words.len() - self.next < count {
            self.refill(count);
        }
        &self.words[self.next..][..count]
    }

    /// Takes words out that were peeked at.
    #[inline]
    pub(super) fn take(&mut self, count: usize) {
        self.next += count;
    }

    /// Moves the words that are left to the front and makes as many behind them as fit.
    fn refill(&mut self, count: usize) {
        let left = self.words.len() - self.next;
        self.words.copy_within(self.next.., 0);
        self.next = 0;
        // Words that were made once are only overwritten.
        self.words.resize(self.words.len().max(BLOCK).max(count), 0);
        self.stream.fill(&mut self.words[left..]);
    }
}

impl TryRng for Words {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let word = self.peek(1)[0];
        self.take(1);
        Ok(word)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let words = self.peek(2);
        let word = u64::from(words[0]) | u64::from(words[1]) << 32;
        self.take(2);
        Ok(word)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::streams::{Purpose, stream};
    use proptest::prelude::*;
    use rand::Rng;

    proptest! {
        #[test]
        fn the_words_are_those_of_the_stream(seed in any::<u64>(), kinds in prop::collection::vec(0usize..70, 1..200)) {
            let mut plain = stream(seed, Purpose::Training);
            let mut words = Words::new(stream(seed, Purpose::Training));
            for kind in kinds {
                match kind {
                    0 => prop_assert_eq!(words.next_u64(), plain.next_u64()),
                    1 => prop_assert_eq!(words.next_u32(), plain.next_u32()),
                    count => {
                        let expected: Vec<u32> = (0..count).map(|_| plain.next_u32()).collect();
                        prop_assert_eq!(words.peek(count), &expected);
                        words.take(count);
                    }
                }
            }
        }
    }
}
