//! Every criterion by its name.

use super::importance::{Importance, Need};
use super::scores::SCORED;
use super::sets::{LeastError, LeastReconstruction};
use crate::sim::parameters::Criterion;

/// The criteria that choose sets.
static SETS: [&dyn Importance; 3] =
    [&LeastReconstruction { signed: true }, &LeastReconstruction { signed: false }, &LeastError];

impl Criterion {
    /// What the criterion computes.
    pub fn importance(self) -> &'static dyn Importance {
        let sets = || SETS.iter().copied().find(|set| set.criterion() == self);
        let scored = SCORED.iter().find(|scored| scored.criterion == self);
        // Every criterion is in one of the two lists; a test looks.
        scored.map(|scored| scored as &dyn Importance).or_else(sets).unwrap_or(SETS[0])
    }

    /// Whether it needs a calibration set.
    pub fn needs_data(self) -> bool {
        self.importance().needs().contains(&Need::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_criterion_is_defined_once() {
        for &criterion in Criterion::ALL {
            assert_eq!(criterion.importance().criterion(), criterion);
        }
        assert_eq!(SCORED.len() + SETS.len(), Criterion::ALL.len());
        assert!(SETS.iter().all(|set| set.criterion().is_set()));
    }
}
