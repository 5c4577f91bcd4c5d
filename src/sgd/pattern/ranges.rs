//! The activation range of each expert, known exactly only when it matters.

/// R_s = max_v σ_{s,v} − min_v σ_{s,v} by bounds that a scan tightens when they do not suffice.
#[derive(Clone, Debug)]
pub struct Ranges {
    patterns: usize,
    /// σ, `[k, d]`.
    activations: Vec<f64>,
    bounds: Vec<Bounds>,
}

/// No σ of the expert is above `high` or below `low`; `high_met` and `low_met` tell whether one is known to be there.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    high: f64,
    low: f64,
    high_met: bool,
    low_met: bool,
}

impl Bounds {
    fn of(activations: &[f64]) -> Self {
        let high = activations.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let low = activations.iter().copied().fold(f64::INFINITY, f64::min);
        Self { high, low, high_met: true, low_met: true }
    }
}

impl Ranges {
    /// From σ, `[k, d]`.
    pub fn new(activations: Vec<f64>, patterns: usize) -> Self {
        let bounds = activations.chunks_exact(patterns).map(Bounds::of).collect();
        Self { patterns, activations, bounds }
    }

    /// σ, `[k, d]`.
    pub fn activations(&self) -> &[f64] {
        &self.activations
    }

    /// σ_{s,v} has changed.
    #[inline]
    pub fn set(&mut self, expert: usize, pattern: usize, activation: f64) {
        let before = std::mem::replace(&mut self.activations[expert * self.patterns + pattern], activation);
        let bounds = &mut self.bounds[expert];
        if activation >= bounds.high {
            (bounds.high, bounds.high_met) = (activation, true);
        } else if before == bounds.high {
            bounds.high_met = false;
        }
        if activation <= bounds.low {
            (bounds.low, bounds.low_met) = (activation, true);
        } else if before == bounds.low {
            bounds.low_met = false;
        }
    }

    /// R_s if it is above `floor`.
    pub fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64> {
        let bounds = &mut self.bounds[expert];
        if bounds.high - bounds.low <= floor {
            return None;
        }
        if !(bounds.high_met && bounds.low_met) {
            *bounds = Bounds::of(&self.activations[expert * self.patterns..][..self.patterns]);
        }
        let range = bounds.high - bounds.low;
        (range > floor).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_range_is_that_of_a_full_scan(
            start in prop::collection::vec(0i32..9, 5),
            moves in prop::collection::vec((0usize..5, 0i32..9, -1i32..9), 0..60),
        ) {
            let mut ranges = Ranges::new(start.iter().map(|&value| f64::from(value)).collect(), 5);
            for (pattern, value, floor) in moves {
                ranges.set(0, pattern, f64::from(value));
                let all = ranges.activations();
                let range = all.iter().copied().fold(0.0, f64::max) - all.iter().copied().fold(9.0, f64::min);
                let expected = (range > f64::from(floor)).then_some(range);
                prop_assert_eq!(ranges.range_above(0, f64::from(floor)), expected);
            }
        }
    }
}
