//! The claims that a simulation file may name, and the constants that each takes.

use super::keys::Kind;

/// A claim that a file may name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClaimKey {
    /// The claim's name in the theory.
    pub id: &'static str,
    /// Other ways to write it.
    pub aliases: &'static [&'static str],
    /// Whether it has a constant in a `[[claim]]`.
    pub threshold: ThresholdRule,
    /// Whether it has a constant in a `[[phase]]`; `None` if it is no property of one run, so that it has no map.
    pub in_maps: Option<ThresholdRule>,
    /// The threshold of its slope part where a `[[claim]]` gives none; `None` if it has no slope part.
    pub slope: Option<f64>,
    /// Whether it takes the constants R and Λ (`range` and `lambda`), which a `[[claim]]` must then give.
    pub range: bool,
    /// Fewest values of `data.patterns` on one line of points that a `[[claim]]` needs; 0: it needs no line.
    pub line: usize,
    /// Whether every point needs `record.half_batches`.
    pub half_batches: bool,
    /// Whether every point needs certificates: `certificate.nodes` of at least 1, and no token noise.
    pub certificates: bool,
    /// Whether it compares the file's criterion with another (`against`), which a `[[claim]]` must then name.
    pub against: bool,
    /// Whether every point needs rare features: two or more features a class, and a `data.rare_share` inside 0 … 1.
    pub rare: bool,
    /// Whether every point needs `pruning.fewest_bits`.
    pub bits: bool,
}

impl ClaimKey {
    /// Whether the falsifier can search for settings that break it.
    pub fn is_searchable(&self) -> bool {
        self.id != "S3" && !self.against && !self.rare
    }
}

/// Whether a claim has a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThresholdRule {
    /// It has none, and a file must not give one.
    None,
    /// The file must give one.
    Required {
        /// Type and legal range.
        kind: Kind,
        /// Symbol and meaning.
        meaning: &'static str,
    },
}

impl ThresholdRule {
    /// What is legal, if there is a threshold: `must be a number …`.
    pub fn legal(&self) -> Option<String> {
        match self {
            ThresholdRule::None => None,
            ThresholdRule::Required { kind, .. } => Some(kind.legal()),
        }
    }
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

const SMALLEST_CHANGE: ThresholdRule = ThresholdRule::Required {
    kind: Kind::Real { low: 0.0, high: 1e3, low_open: true },
    meaning: "c₁, which the smallest norm change of a relevant expert must reach",
};

const LARGEST_CHANGE: ThresholdRule = ThresholdRule::Required {
    kind: Kind::Real { low: 0.0, high: 1e6, low_open: true },
    meaning: "C, which √d times the largest |norm change| of an irrelevant expert must not exceed",
};

const SUFFICIENT: ThresholdRule = ThresholdRule::Required {
    kind: Kind::Integer { low: 1, high: 4096 },
    meaning: "c, the number of experts kept that must suffice",
};

const FALL: ThresholdRule = ThresholdRule::Required {
    kind: Kind::Real { low: 0.0, high: 1.0, low_open: true },
    meaning: "the least fall of the accuracy, in units of the rare share α",
};

const BITS_OFF: ThresholdRule = ThresholdRule::Required {
    kind: Kind::Real { low: 0.0, high: 16.0, low_open: false },
    meaning: "how far b_rare − b_common may be from log₂((1 − α)/α), in bits",
};

/// A claim without constants that holds or fails in every run by itself.
const fn plain(id: &'static str) -> ClaimKey {
    ClaimKey {
        id,
        aliases: &[],
        threshold: ThresholdRule::None,
        in_maps: Some(ThresholdRule::None),
        slope: None,
        range: false,
        line: 0,
        half_batches: false,
        certificates: false,
        against: false,
        rare: false,
        bits: false,
    }
}

/// Every claim that a file may name, in the order of the theory.
pub static CLAIM_IDS: &[ClaimKey] = &[
    plain("T0"),
    ClaimKey { certificates: true, ..plain("T0x") },
    ClaimKey { threshold: SMALLEST_CHANGE, in_maps: Some(SMALLEST_CHANGE), slope: Some(-0.1), ..plain("T1a") },
    // Over the points of a line C is fitted, so a claim does not give it; in one run it must be given. The slope has
    // an upper and a lower half of two points each.
    ClaimKey { in_maps: Some(LARGEST_CHANGE), slope: Some(-0.45), line: 4, ..plain("T1b") },
    plain("T1c"),
    plain("T1c-D"),
    ClaimKey { aliases: &["T1c-DeltaC", "T1c-centred"], ..plain("T1c-Δᶜ") },
    ClaimKey { in_maps: None, slope: Some(-0.2), line: 3, half_batches: true, ..plain("T1d") },
    ClaimKey {
        aliases: &["T1d-leakage"],
        in_maps: None,
        slope: Some(-0.2),
        line: 3,
        half_batches: true,
        ..plain("T1d-λ")
    },
    plain("T2a"),
    ClaimKey { certificates: true, ..plain("T2ax") },
    ClaimKey { threshold: SUFFICIENT, in_maps: Some(SUFFICIENT), slope: Some(0.1), ..plain("T2b") },
    ClaimKey { in_maps: None, range: true, ..plain("S3") },
    ClaimKey { in_maps: None, against: true, ..plain("C1") },
    ClaimKey { in_maps: None, against: true, ..plain("C2") },
    ClaimKey { threshold: FALL, in_maps: None, rare: true, ..plain("Q1") },
    ClaimKey { in_maps: None, rare: true, bits: true, ..plain("Q2") },
    ClaimKey { threshold: BITS_OFF, in_maps: None, rare: true, bits: true, ..plain("Q3") },
    ClaimKey { in_maps: None, rare: true, bits: true, ..plain("Q4") },
];

/// The claim with this id or alias.
pub fn find_claim(id: &str) -> Option<&'static ClaimKey> {
    CLAIM_IDS.iter().find(|claim| claim.id == id || claim.aliases.contains(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_slope_is_legal() {
        for slope in CLAIM_IDS.iter().filter_map(|claim| claim.slope) {
            assert!(SLOPE.value_of(slope).is_some(), "{slope}");
        }
    }

    #[test]
    fn ids_and_aliases_name_one_claim_each() {
        let names = || CLAIM_IDS.iter().flat_map(|claim| claim.aliases.iter().chain([&claim.id]));
        for name in names() {
            assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
