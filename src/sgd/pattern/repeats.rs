//! Which tokens of a sample repeat a pattern that stands before them.

use crate::patterns::Pattern;

/// The repetitions of one sample, looked for when they are first asked for.
#[derive(Clone, Debug)]
pub(super) struct Repeats {
    /// The number of the sample in which a pattern was last seen, by pattern.
    seen: Vec<u64>,
    sample: u64,
    found: bool,
    positions: Vec<u32>,
}

impl Repeats {
    /// None yet, for d patterns.
    pub(super) fn new(patterns: usize) -> Self {
        Self { seen: vec![0; patterns], sample: 0, found: false, positions: Vec::new() }
    }

    /// Another sample comes.
    #[inline(always)]
    pub(super) fn forget(&mut self) {
        self.found = false;
    }

    /// Finds the repetitions of the present sample.
    #[inline(always)]
    pub(super) fn find(&mut self, tokens: &[Pattern]) {
        if self.found {
            return;
        }
        self.found = true;
        self.sample += 1;
        self.positions.resize(tokens.len(), 0);
        let mut count = 0;
        for (position, &token) in tokens.iter().enumerate() {
            // No branch: every position is written, and kept if it is a repetition.
            self.positions[count] = position as u32;
            let seen = std::mem::replace(&mut self.seen[token as usize], self.sample);
            count += usize::from(seen == self.sample);
        }
        self.positions.truncate(count);
    }

    /// The positions of the repetitions that were found, in ascending order.
    #[inline(always)]
    pub(super) fn positions(&self) -> &[u32] {
        &self.positions
    }
}
