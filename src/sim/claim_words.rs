//! The words of a claim: its outcome, the runs that it is judged on, the roles that experts have.

use super::words::words;

words! {
    /// The outcome of a claim.
    pub enum Verdict {
        /// The opposite of the claim is rejected.
        Supported = "SUPPORTED",
        /// The claim is rejected.
        Refuted = "REFUTED",
        /// Neither is rejected.
        Inconclusive = "INCONCLUSIVE",
    }
}

words! {
    /// What a row of `claims.csv` says: the outcome, in brackets why there is none.
    pub enum Decision {
        /// The opposite of the claim is rejected.
        Supported = "SUPPORTED",
        /// The claim is rejected.
        Refuted = "REFUTED",
        /// Neither is rejected.
        Inconclusive = "INCONCLUSIVE",
        /// Neither could be, whatever the runs say: they are too few.
        TooFew = "INCONCLUSIVE (too few)",
        /// Neither can be, because a figure whose logarithm is asked for is not above 0.
        Zero = "INCONCLUSIVE (zero)",
    }
}

impl Decision {
    /// The outcome without its reason.
    pub fn verdict(self) -> Verdict {
        match self {
            Decision::Supported => Verdict::Supported,
            Decision::Refuted => Verdict::Refuted,
            Decision::Inconclusive | Decision::TooFew | Decision::Zero => Verdict::Inconclusive,
        }
    }
}

words! {
    /// What a row of `claims.csv` is about: one member of the family of tests, or all of a claim's.
    pub enum Part {
        /// The probability with which the claim holds, at a point.
        Probability = "probability",
        /// The mean of a difference in pairs, at a point.
        Paired = "paired",
        /// A constant that the smaller points found, at a point.
        Constant = "constant",
        /// The slope over a line of points.
        Slope = "slope",
        /// The slope over its last two octaves.
        SlopeTail = "slope-tail",
        /// A slope of a claim of the file that is to be at least its threshold.
        SlopeAtLeast = "slope-at-least",
        /// A slope of a claim of the file that is to be at most its threshold.
        SlopeAtMost = "slope-at-most",
        /// The slope of the displacement.
        SlopeDisplacement = "slope-displacement",
        /// The slope of the drift over the last two octaves.
        SlopeDriftTail = "slope-drift-tail",
        /// The slope of the noise.
        SlopeNoise = "slope-noise",
        /// The conjunction of the claim's rows.
        All = "all",
    }
}

impl Part {
    /// Whether it is a slope.
    pub fn is_slope(self) -> bool {
        match self {
            Part::Probability | Part::Paired | Part::Constant | Part::All => false,
            Part::Slope
            | Part::SlopeTail
            | Part::SlopeAtLeast
            | Part::SlopeAtMost
            | Part::SlopeDisplacement
            | Part::SlopeDriftTail
            | Part::SlopeNoise => true,
        }
    }

    /// What a slope is of, in words; empty where it is of the claim's own figure over the whole line.
    pub(crate) fn slope_of(self) -> &'static str {
        match self {
            Part::SlopeTail => "last two octaves",
            Part::SlopeDisplacement => "D",
            Part::SlopeDriftTail => "drift, last two octaves",
            Part::SlopeNoise => "noise",
            _ => "",
        }
    }

    /// The word without `slope-`.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Part::SlopeAtLeast | Part::SlopeAtMost => Part::Slope.name(),
            _ => self.name().strip_prefix("slope-").unwrap_or(self.name()),
        }
    }
}

words! {
    /// The runs that a claim is judged on.
    pub enum On {
        /// Runs that meet the assumptions.
        Met = "met",
        /// Every run.
        All = "all",
    }
}

words! {
    /// The roles that a claim takes experts to have.
    pub enum RoleSource {
        /// Roles measured at t = 0.
        Measured = "measured",
        /// Roles that the pre-trained model was built with.
        Built = "built",
    }
}

words! {
    /// The samples that accuracies are compared on.
    pub enum Feature {
        /// Those with the common feature of their class.
        Common = "common",
        /// Those with a rare one.
        Rare = "rare",
    }
}
