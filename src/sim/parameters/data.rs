//! `[data]`: the distribution of samples.

use serde::{Deserialize, Serialize};

/// The distribution D of (x, y).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataParameters {
    /// d: number of patterns and dimension of a token. Pattern 0 is o₁, pattern 1 is o₂, the others are irrelevant.
    pub patterns: usize,
    /// n: tokens of a sample.
    pub tokens: usize,
    /// Whether a sample's irrelevant patterns are drawn with replacement.
    pub replacement: bool,
    /// ξ: a token is its pattern + ξ·N(0, I_d/d).
    pub noise: f64,
    /// P[y = +1].
    pub class_share: f64,
    /// The orthonormal basis that the patterns are.
    pub basis: Basis,
    /// Whether the label is the class of the sample's class token.
    pub labels: Labels,
    /// Probability that a sample's label is drawn anew, independently of its tokens.
    pub label_noise: f64,
    /// F: features of each class. Feature f of class One is pattern 2f, of class Two pattern 2f + 1; feature 0 is o_v.
    pub features: usize,
    /// α: probability that a sample's class token is a rare feature (f ≥ 1) of its class.
    pub rare_share: f64,
    /// Rare feature f is drawn with a weight that is this to the power f − 1.
    pub rare_decay: f64,
    /// Probability that one irrelevant token of a sample is a spurious pattern.
    pub spurious: f64,
    /// Probability that a spurious pattern is that of the sample's own class.
    pub spurious_agreement: f64,
}

impl Default for DataParameters {
    /// The defaults of the keys.
    fn default() -> Self {
        Self {
            patterns: 128,
            tokens: 16,
            replacement: false,
            noise: 0.0,
            class_share: 0.5,
            basis: Basis::Canonical,
            labels: Labels::Class,
            label_noise: 0.0,
            features: 1,
            rare_share: 0.0,
            rare_decay: 1.0,
            spurious: 0.0,
            spurious_agreement: 1.0,
        }
    }
}

impl DataParameters {
    /// Number of the first irrelevant pattern: those before it are features of a class.
    pub fn first_irrelevant(&self) -> usize {
        2 * self.features
    }

    /// Number of the first irrelevant pattern that is drawn uniformly: the two before it are spurious ones, if there are
    /// any.
    pub fn first_ordinary(&self) -> usize {
        self.first_irrelevant() + if self.spurious > 0.0 { 2 } else { 0 }
    }
}

/// The orthonormal basis that the patterns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Pattern v is the unit vector e_v.
    Canonical,
    /// A random orthogonal matrix, uniform in the sense of Haar.
    Haar,
}

/// Where labels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// y = +1 iff the sample contains o₁ (the theory's).
    Class,
    /// y is drawn independently of the tokens: a negative control.
    Independent,
}
