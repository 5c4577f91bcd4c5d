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
