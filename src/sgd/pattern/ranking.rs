//! The order of the patterns in each expert's router, repaired by insertion after each step.

use crate::patterns::Pattern;

/// For each expert its patterns in descending order of score.
#[derive(Clone, Debug)]
pub struct Ranking {
    patterns: usize,
    /// Patterns in descending order of score, `[k, d]`.
    order: Vec<Pattern>,
    /// Their scores, `[k, d]`.
    sorted: Vec<f64>,
    /// Place of each pattern in `order`, `[k, d]`.
    place: Vec<u32>,
    /// Scratch: places to visit.
    visits: Vec<u32>,
    /// Scratch: ranges of places whose ranks may have changed.
    ranges: Vec<(usize, usize)>,
}

impl Ranking {
    /// Sorts the scores `[k, d]` and tells every rank to `set_rank(expert, pattern, rank)`.
    pub fn new(scores: &[f64], patterns: usize, mut set_rank: impl FnMut(usize, usize, usize)) -> Self {
        let mut order = Vec::with_capacity(scores.len());
        for scores in scores.chunks_exact(patterns) {
            let first = order.len();
            order.extend(0..patterns as Pattern);
            order[first..].sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        }
        let mut ranking = Self {
            patterns,
            sorted: vec![0.0; order.len()],
            place: vec![0; order.len()],
            order,
            visits: Vec::new(),
            ranges: Vec::new(),
        };
        for (expert, scores) in scores.chunks_exact(patterns).enumerate() {
            let base = expert * patterns;
            for place in 0..patterns {
                let pattern = ranking.order[base + place] as usize;
                ranking.sorted[base + place] = scores[pattern];
                ranking.place[base + pattern] = place as u32;
            }
            ranking.rank_range(expert, 0, patterns - 1, &mut |pattern, rank| set_rank(expert, pattern, rank));
        }
        ranking
    }

    /// Number of patterns whose score is above that of `pattern`, and of other patterns with the same score.
    pub fn above_and_tied(&self, expert: usize, pattern: usize) -> (usize, usize) {
        let sorted = &self.sorted[expert * self.patterns..][..self.patterns];
        let place = self.place[expert * self.patterns + pattern] as usize;
        let score = sorted[place];
        let above = place - sorted[..place].iter().rev().take_while(|&&other| other == score).count();
        let below = sorted[place + 1..].iter().take_while(|&&other| other == score).count();
        (above, place - above + below)
    }

    /// Repairs the order of one expert after the scores of the patterns `changed` moved, and tells each rank that may
    /// be new to `set_rank(pattern, rank)`. `scores` is the expert's row, `[d]`, of finite numbers.
    ///
    /// Few changes are repaired one by one, at a cost that does not grow with d but for the places that are jumped; many
    /// changes by one insertion sort over the whole order.
    pub fn repair(
        &mut self,
        expert: usize,
        scores: &[f64],
        changed: &[Pattern],
        mut set_rank: impl FnMut(usize, usize),
    ) {
        if changed.len() * 8 < self.patterns {
            self.repair_few(expert, scores, changed);
            let mut ranges = std::mem::take(&mut self.ranges);
            for (first, last) in ranges.drain(..) {
                self.rank_range(expert, first, last, &mut set_rank);
            }
            self.ranges = ranges;
        } else {
            let first = self.repair_many(expert, scores, changed);
            self.rank_range(expert, first, self.patterns - 1, &mut set_rank);
        }
    }

    /// Insertion sort from the first changed place on; returns the first place that may have changed.
    fn repair_many(&mut self, expert: usize, scores: &[f64], changed: &[Pattern]) -> usize {
        let base = expert * self.patterns;
        let mut first = self.patterns;
        for &pattern in changed {
            let place = self.place[base + pattern as usize] as usize;
            self.sorted[base + place] = scores[pattern as usize];
            first = first.min(place);
        }
        let mut lowest = first;
        for place in first.max(1)..self.patterns {
            lowest = lowest.min(self.move_up(base, place));
        }
        lowest
    }

    /// Moves what fell to the right, from the right; then what rose to the left, from the left. While the first kind
    /// moves, the patterns that rose stand too far right, so they never stop a move too early: what stops at them is
    /// already at its place among the others.
    fn repair_few(&mut self, expert: usize, scores: &[f64], changed: &[Pattern]) {
        let base = expert * self.patterns;
        let mut visits = std::mem::take(&mut self.visits);
        visits.clear();
        visits.extend(changed.iter().map(|&pattern| self.place[base + pattern as usize]));
        visits.sort_unstable();
        let mut fallen = 0;
        for index in 0..visits.len() {
            let place = visits[index] as usize;
            let score = scores[self.order[base + place] as usize];
            let fell = score < self.sorted[base + place];
            self.sorted[base + place] = score;
            if fell {
                // Fallen places gather at the front, still in ascending order.
                visits.swap(fallen, index);
                fallen += 1;
            }
        }
        // The swaps may have disturbed the order of the risen ones; their patterns are what has to be followed.
        let risen: Vec<Pattern> = visits[fallen..].iter().map(|&place| self.order[base + place as usize]).collect();
        visits[..fallen].sort_unstable();
        for &place in visits[..fallen].iter().rev() {
            let end = self.move_down(base, place as usize);
            self.ranges.push((place as usize, end));
        }
        visits.clear();
        visits.extend(risen.iter().map(|&pattern| self.place[base + pattern as usize]));
        visits.sort_unstable();
        for &place in &visits {
            let end = self.move_up(base, place as usize);
            self.ranges.push((end, place as usize));
        }
        self.visits = visits;
    }

    /// Moves the entry at `place` left past every smaller score; returns where it ends.
    fn move_up(&mut self, base: usize, place: usize) -> usize {
        let (score, pattern) = (self.sorted[base + place], self.order[base + place]);
        let mut end = place;
        while end > 0 && self.sorted[base + end - 1] < score {
            self.shift(base, end - 1, end);
            end -= 1;
        }
        if end < place {
            self.put(base, end, score, pattern);
        }
        end
    }

    /// Moves the entry at `place` right past every larger score; returns where it ends.
    fn move_down(&mut self, base: usize, place: usize) -> usize {
        let (score, pattern) = (self.sorted[base + place], self.order[base + place]);
        let mut end = place;
        while end + 1 < self.patterns && self.sorted[base + end + 1] > score {
            self.shift(base, end + 1, end);
            end += 1;
        }
        if end > place {
            self.put(base, end, score, pattern);
        }
        end
    }

    fn shift(&mut self, base: usize, from: usize, to: usize) {
        self.put(base, to, self.sorted[base + from], self.order[base + from]);
    }

    fn put(&mut self, base: usize, place: usize, score: f64, pattern: Pattern) {
        self.sorted[base + place] = score;
        self.order[base + place] = pattern;
        self.place[base + pattern as usize] = place as u32;
    }

    /// Tells the ranks of the places first ..= last, of the next place (a pattern that left may have begun its tie) and
    /// of what is tied with that. The rank of a tie is that of its first place: d − 1 − (number of larger scores).
    fn rank_range(&self, expert: usize, first: usize, last: usize, set_rank: &mut impl FnMut(usize, usize)) {
        let base = expert * self.patterns;
        let sorted = &self.sorted[base..][..self.patterns];
        let order = &self.order[base..][..self.patterns];
        let mut start = first;
        while start > 0 && sorted[start - 1] == sorted[first] {
            start -= 1;
        }
        let mut place = first;
        while place < self.patterns && (place <= last + 1 || sorted[place] == sorted[place - 1]) {
            if sorted[place] != sorted[start] {
                start = place;
            }
            set_rank(order[place] as usize, self.patterns - 1 - start);
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ranks by the definition.
    fn ranks(scores: &[f64]) -> Vec<usize> {
        scores.iter().map(|score| scores.len() - 1 - scores.iter().filter(|other| *other > score).count()).collect()
    }

    proptest! {
        #[test]
        fn repaired_ranks_are_those_of_a_new_sort(
            start in prop::collection::vec(-6i32..6, 2..80),
            rounds in prop::collection::vec(prop::collection::vec((any::<prop::sample::Index>(), -6i32..6), 0..60), 1..8),
        ) {
            let mut scores: Vec<f64> = start.iter().map(|&value| f64::from(value)).collect();
            let mut seen = vec![usize::MAX; scores.len()];
            let mut ranking = Ranking::new(&scores, scores.len(), |_, pattern, rank| seen[pattern] = rank);
            prop_assert_eq!(&seen, &ranks(&scores));
            for round in rounds {
                let mut changed = Vec::new();
                for (index, value) in round {
                    let pattern = index.index(scores.len());
                    scores[pattern] = f64::from(value);
                    if !changed.contains(&(pattern as Pattern)) {
                        changed.push(pattern as Pattern);
                    }
                }
                ranking.repair(0, &scores, &changed, |pattern, rank| seen[pattern] = rank);
                prop_assert_eq!(&seen, &ranks(&scores));
                for pattern in 0..scores.len() {
                    let above = scores.iter().filter(|&&other| other > scores[pattern]).count();
                    let tied = scores.iter().filter(|&&other| other == scores[pattern]).count() - 1;
                    prop_assert_eq!(ranking.above_and_tied(0, pattern), (above, tied));
                }
            }
        }
    }
}
