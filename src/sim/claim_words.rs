//! The words of a claim: its outcome, the runs that it is judged on, the roles that experts have.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// The opposite of the claim is rejected.
    Supported,
    /// The claim is rejected.
    Refuted,
    /// Neither is rejected.
    Inconclusive,
}

/// The runs that a claim is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Runs that meet the assumptions.
    Met,
    /// Every run.
    All,
}

/// The roles that a claim takes experts to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleSource {
    /// Roles measured at t = 0.
    Measured,
    /// Roles that the pre-trained model was built with.
    Built,
}

/// The samples that accuracies are compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Those with the common feature of their class.
    Common,
    /// Those with a rare one.
    Rare,
}

pub(crate) const FEATURES: [Feature; 2] = [Feature::Common, Feature::Rare];
pub(crate) const VERDICTS: [Verdict; 3] = [Verdict::Supported, Verdict::Refuted, Verdict::Inconclusive];
pub(crate) const ONS: [On; 2] = [On::Met, On::All];
pub(crate) const ROLE_SOURCES: [RoleSource; 2] = [RoleSource::Measured, RoleSource::Built];

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Verdict::Supported => "SUPPORTED",
            Verdict::Refuted => "REFUTED",
            Verdict::Inconclusive => "INCONCLUSIVE",
        })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Feature::Common => "common",
            Feature::Rare => "rare",
        })
    }
}

impl fmt::Display for On {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            On::Met => "met",
            On::All => "all",
        })
    }
}

impl fmt::Display for RoleSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            RoleSource::Measured => "measured",
            RoleSource::Built => "built",
        })
    }
}
