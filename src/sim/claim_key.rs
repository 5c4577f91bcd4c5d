//! The claims that a simulation file may name, and the constants that each takes.

use super::key::Kind;
use super::words::words;

words! {
    /// A claim of the theory.
    pub enum ClaimId {
        /// The unpruned model generalizes.
        T0 = "T0",
        /// The same, proved for every input.
        T0x = "T0x",
        /// Relevant routers change by Ω(1).
        T1a = "T1a",
        /// Irrelevant routers change by O(1/√d).
        T1b = "T1b",
        /// Δ separates the relevant experts from all others.
        T1c = "T1c",
        /// The displacement D does.
        T1cDisplacement = "T1c-D",
        /// The centred norm change Δᶜ does.
        T1cCentred = "T1c-Δᶜ",
        /// The displacement of irrelevant routers falls with d.
        T1d = "T1d",
        /// Leakage into irrelevant routers falls with d.
        T1dLeakage = "T1d-λ",
        /// Pruning up to γ needs no fine-tuning.
        T2a = "T2a",
        /// The same, proved for every input.
        T2ax = "T2ax",
        /// Pruning up to 1 − c/k is enough with fine-tuning.
        T2b = "T2b",
        /// Lemma S3.
        S3 = "S3",
        /// The file's criterion is at least as accurate as another.
        C1 = "C1",
        /// It is more accurate.
        C2 = "C2",
        /// Pruned to the common experts, the rare ones are lost.
        Q1 = "Q1",
        /// Rare experts need more bits than common ones.
        Q2 = "Q2",
        /// They need log₂((1 − α)/α) more.
        Q3 = "Q3",
        /// Irrelevant experts need no more bits than common ones.
        Q4 = "Q4",
    }
}

impl ClaimId {
    /// What a file may say of the claim.
    pub fn key(self) -> &'static ClaimKey {
        &CLAIM_KEYS[self as usize]
    }
}

impl ClaimKey {
    /// Whether the falsifier can search for settings that break it: not for lemmas, comparisons and rare features.
    pub(crate) fn is_searchable(&self) -> bool {
        let is_outside = |need: &ClaimNeed| {
            matches!(need, ClaimNeed::Lemma | ClaimNeed::OtherCriterion | ClaimNeed::RareFeatures | ClaimNeed::Bits)
        };
        !self.needs.iter().any(is_outside)
    }
}

/// What a file may say of a claim, and what the claim needs of the points that it is judged at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClaimKey {
    /// The claim.
    pub id: ClaimId,
    /// Other ways to write its name.
    pub aliases: &'static [&'static str],
    /// The constants that a `[[claim]]` gives.
    pub constants: ConstantRule,
    /// The constants that a `[[phase]]` gives; `None` if it is no property of one run, so that it has no map.
    pub in_maps: Option<ConstantRule>,
    /// The threshold of its slope part where a `[[claim]]` gives none; `None` if it has no slope part.
    pub slope: Option<f64>,
    /// Fewest values of `data.patterns` on one line of points that a `[[claim]]` needs; 0: it needs no line.
    pub line: usize,
    /// What every point must have, all of it.
    pub needs: &'static [ClaimNeed],
}

/// What a claim needs of a point that it is judged at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimNeed {
    /// Experts that have roles.
    Roles,
    /// Experts that have routers of their own.
    Routers,
    /// The theory's setting, whatever runs it is judged on.
    Lemma,
    /// `record.half_batches`.
    HalfBatches,
    /// Certificates: `certificate.nodes` of at least 1, and no token noise.
    Certificates,
    /// `certificate.pruned`.
    PrunedCertificates,
    /// Fine-tuning after pruning, at a number kept that should suffice.
    Finetuning,
    /// Two or more features a class, and a `data.rare_share` inside 0 … 1.
    RareFeatures,
    /// `pruning.fewest_bits`.
    Bits,
    /// The other criterion among `pruning.criteria`, and rare features if the claim names a feature.
    OtherCriterion,
}

/// The constants of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConstantRule {
    /// None: a file must not give one.
    None,
    /// `threshold`, which the file must give.
    Threshold {
        /// Type and legal range.
        kind: Kind,
        /// Symbol and meaning.
        meaning: &'static str,
    },
    /// R and Λ (`range` and `lambda`), which the file must give.
    Range,
    /// The criterion that the file's is compared with (`against`), which it must name, and `margin`, `ratio` and `feature`.
    Comparison,
}

/// Range of `slope`: an exponent of d.
pub(crate) const SLOPE: Kind = Kind::Real { low: -10.0, high: 10.0, low_open: false };
/// Range of `margin`: a difference of accuracies.
pub(crate) const MARGIN: Kind = Kind::Real { low: 0.0, high: 1.0, low_open: false };
/// Range of `ratio`: a pruning ratio.
pub(crate) const RATIO: Kind = Kind::Real { low: 0.0, high: 1.0, low_open: true };
/// Range of `range`.
pub(crate) const RANGE: Kind = Kind::Real { low: 0.0, high: 1e3, low_open: true };
/// Range of `lambda`.
pub(crate) const LAMBDA: Kind = Kind::Real { low: 0.0, high: 1.0, low_open: false };

const SMALLEST_CHANGE: ConstantRule = ConstantRule::Threshold {
    kind: Kind::Real { low: 0.0, high: 1e3, low_open: true },
    meaning: "c₁, which the smallest norm change of a relevant expert must reach",
};

const LARGEST_CHANGE: ConstantRule = ConstantRule::Threshold {
    kind: Kind::Real { low: 0.0, high: 1e6, low_open: true },
    meaning: "C, which √d times the largest |norm change| of an irrelevant expert must not exceed",
};

const SUFFICIENT: ConstantRule = ConstantRule::Threshold {
    kind: Kind::Integer { low: 1, high: 4096 },
    meaning: "c, the number of experts kept that must suffice",
};

const FALL: ConstantRule = ConstantRule::Threshold {
    kind: Kind::Real { low: 0.0, high: 1.0, low_open: true },
    meaning: "the least fall of the accuracy, in units of the rare share α",
};

const BITS_OFF: ConstantRule = ConstantRule::Threshold {
    kind: Kind::Real { low: 0.0, high: 16.0, low_open: false },
    meaning: "how far b_rare − b_common may be from log₂((1 − α)/α), in bits",
};

/// A claim without constants that holds or fails in every run by itself.
const fn plain(id: ClaimId) -> ClaimKey {
    ClaimKey {
        id,
        aliases: &[],
        constants: ConstantRule::None,
        in_maps: Some(ConstantRule::None),
        slope: None,
        line: 0,
        needs: &[ClaimNeed::Roles],
    }
}

/// The same of a claim about the norms of routers.
const fn of_norms(id: ClaimId) -> ClaimKey {
    ClaimKey { needs: &[ClaimNeed::Roles, ClaimNeed::Routers], ..plain(id) }
}

/// The keys of every claim, in the order of [`ClaimId`], which is that of the theory.
pub const CLAIM_KEYS: &[ClaimKey; ClaimId::ALL.len()] = &[
    ClaimKey { needs: &[], ..plain(ClaimId::T0) },
    ClaimKey { needs: &[ClaimNeed::Certificates], ..plain(ClaimId::T0x) },
    ClaimKey {
        constants: SMALLEST_CHANGE,
        in_maps: Some(SMALLEST_CHANGE),
        slope: Some(-0.1),
        ..of_norms(ClaimId::T1a)
    },
    // Over the points of a line C is fitted, so a claim does not give it; in one run it must be given. The slope has
    // an upper and a lower half of two points each.
    ClaimKey { in_maps: Some(LARGEST_CHANGE), slope: Some(-0.45), line: 4, ..of_norms(ClaimId::T1b) },
    of_norms(ClaimId::T1c),
    of_norms(ClaimId::T1cDisplacement),
    ClaimKey { aliases: &["T1c-DeltaC", "T1c-centred"], ..of_norms(ClaimId::T1cCentred) },
    ClaimKey {
        in_maps: None,
        slope: Some(-0.2),
        line: 3,
        needs: &[ClaimNeed::Roles, ClaimNeed::HalfBatches],
        ..plain(ClaimId::T1d)
    },
    ClaimKey {
        aliases: &["T1d-leakage"],
        in_maps: None,
        slope: Some(-0.2),
        line: 3,
        needs: &[ClaimNeed::Roles, ClaimNeed::HalfBatches],
        ..plain(ClaimId::T1dLeakage)
    },
    plain(ClaimId::T2a),
    ClaimKey {
        needs: &[ClaimNeed::Roles, ClaimNeed::Certificates, ClaimNeed::PrunedCertificates],
        ..plain(ClaimId::T2ax)
    },
    ClaimKey {
        constants: SUFFICIENT,
        in_maps: Some(SUFFICIENT),
        slope: Some(0.1),
        needs: &[ClaimNeed::Finetuning],
        ..plain(ClaimId::T2b)
    },
    ClaimKey {
        constants: ConstantRule::Range,
        in_maps: None,
        needs: &[ClaimNeed::Roles, ClaimNeed::Lemma],
        ..plain(ClaimId::S3)
    },
    compared(ClaimId::C1),
    compared(ClaimId::C2),
    ClaimKey {
        constants: FALL,
        in_maps: None,
        needs: &[ClaimNeed::Roles, ClaimNeed::RareFeatures],
        ..plain(ClaimId::Q1)
    },
    ClaimKey { in_maps: None, needs: RARE_BITS, ..plain(ClaimId::Q2) },
    ClaimKey { constants: BITS_OFF, in_maps: None, needs: RARE_BITS, ..plain(ClaimId::Q3) },
    ClaimKey { in_maps: None, needs: RARE_BITS, ..plain(ClaimId::Q4) },
];

const RARE_BITS: &[ClaimNeed] = &[ClaimNeed::Roles, ClaimNeed::RareFeatures, ClaimNeed::Bits];

/// A comparison of criteria.
const fn compared(id: ClaimId) -> ClaimKey {
    ClaimKey { constants: ConstantRule::Comparison, in_maps: None, needs: &[ClaimNeed::OtherCriterion], ..plain(id) }
}

// Each claim has its keys at its place.
const _: () = {
    let mut place = 0;
    while place < CLAIM_KEYS.len() {
        assert!(CLAIM_KEYS[place].id as usize == place);
        place += 1;
    }
};

/// The claim with this id or alias.
pub(crate) fn find_claim(id: &str) -> Option<&'static ClaimKey> {
    CLAIM_KEYS.iter().find(|claim| claim.id.name() == id || claim.aliases.contains(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_slope_is_legal() {
        for slope in CLAIM_KEYS.iter().filter_map(|claim| claim.slope) {
            assert!(SLOPE.value_of(slope).is_some(), "{slope}");
        }
    }

    #[test]
    fn ids_and_aliases_name_one_claim_each() {
        let names = || CLAIM_KEYS.iter().flat_map(|claim| claim.aliases.iter().copied().chain([claim.id.name()]));
        for name in names() {
            assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
