//! Which claim it is: one of the theory, or one that the file itself makes.

use super::claim_key::{ClaimId, ClaimNeed};
use super::own_claim::OwnClaim;
use std::fmt;
use std::sync::Arc;

/// Which claim it is.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimName {
    /// A claim of the theory.
    Known(ClaimId),
    /// A claim that the file makes.
    Own(Arc<OwnClaim>),
}

impl ClaimName {
    /// The id in files.
    pub fn name(&self) -> &str {
        match self {
            ClaimName::Known(id) => id.name(),
            ClaimName::Own(own) => &own.id,
        }
    }

    /// The claim of the file, if it is one.
    pub(crate) fn own(&self) -> Option<&OwnClaim> {
        if let ClaimName::Own(own) = self { Some(own) } else { None }
    }

    /// What every point must have, of a claim of the theory; what the file's own read tells theirs.
    pub(crate) fn needs(&self) -> &'static [ClaimNeed] {
        match self {
            ClaimName::Known(id) => id.key().needs,
            ClaimName::Own(_) => &[],
        }
    }

    /// The key that a line of points is along, and the fewest points that it needs; 0: it needs no line.
    pub(crate) fn line(&self) -> (&'static str, usize) {
        match self {
            ClaimName::Known(id) => ("data.patterns", id.key().line),
            ClaimName::Own(own) => own.slope.as_ref().map_or(("", 0), |slope| (slope.key, 2)),
        }
    }
}

impl From<ClaimId> for ClaimName {
    fn from(id: ClaimId) -> Self {
        ClaimName::Known(id)
    }
}

impl PartialEq<ClaimId> for ClaimName {
    fn eq(&self, other: &ClaimId) -> bool {
        matches!(self, ClaimName::Known(id) if id == other)
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
