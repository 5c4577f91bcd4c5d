//! `[data]`: the distribution of samples.

use super::domain::{flag, integer, real, word};
use super::section::{CONTROL, DATA, OPTION, WORLD, section};
use crate::sim::words::words;

section! {
    /// The distribution D of (x, y).
    pub struct DataParameters: "data" {
        /// Number of patterns and dimension of a token; two of them decide the class.
        patterns: usize = "128", integer(4, 65_536), "d", DATA;
        /// Tokens of a sample: one class pattern, the others irrelevant.
        tokens: usize = "16", integer(2, 4096), "n", DATA;
        /// Whether a sample's irrelevant patterns are drawn with replacement.
        replacement: bool = "false", flag(), "", OPTION;
        /// A token is its pattern + ξ·N(0, I_d/d).
        noise: f64 = "0.0", real(0.0, 1e3), "ξ", OPTION;
        /// Probability of the class y = +1.
        class_share: f64 = "0.5", real(0.0, 1.0), "", DATA;
        /// The orthonormal basis that the patterns are.
        basis: Basis = "canonical", word(), "", OPTION;
        /// Whether the label is the class of the class pattern, or independent of the tokens.
        labels: Labels = "class", word(), "", CONTROL;
        /// Probability that a sample's label is drawn anew, independently of its tokens.
        label_noise: f64 = "0.0", real(0.0, 1.0), "", CONTROL;
        /// Features of each class: the class token is one of them.
        features: usize = "1", integer(1, 1024), "F", WORLD, unseeded;
        /// Probability that the class token is a rare feature of its class, not the first.
        rare_share: f64 = "0.0", real(0.0, 1.0), "α", WORLD, unseeded;
        /// Weight of a rare feature relative to the one before it; 1: all equal.
        rare_decay: f64 = "1.0", real(0.0, 1.0), "", WORLD, unseeded;
        /// Probability that one irrelevant token of a sample is a spurious pattern.
        spurious: f64 = "0.0", real(0.0, 1.0), "", WORLD, unseeded;
        /// Probability that a spurious pattern is that of the sample's own class.
        spurious_agreement: f64 = "1.0", real(0.0, 1.0), "", WORLD, unseeded;
        /// Topics that divide the features and the irrelevant patterns among them; 1: all are of one topic.
        topics: usize = "1", integer(1, 1024), "", WORLD, unseeded;
        /// Segments of equal length into which a sample is cut.
        segments: usize = "1", integer(1, 4096), "K", WORLD, unseeded;
        /// Probability that a segment keeps the topic of the one before; else it is drawn anew.
        topic_stay: f64 = "1.0", real(0.0, 1.0), "", WORLD, unseeded;
    }
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
            topics: 1,
            segments: 1,
            topic_stay: 1.0,
        }
    }
}

impl DataParameters {
    /// Number of the first irrelevant pattern: those before it are features of a class.
    pub(crate) fn first_irrelevant(&self) -> usize {
        2 * self.features
    }

    /// Number of the first irrelevant pattern that is drawn uniformly: the two before it are spurious ones, if there are
    /// any.
    pub(crate) fn first_ordinary(&self) -> usize {
        self.first_irrelevant() + if self.spurious > 0.0 { 2 } else { 0 }
    }
}

words! {
    /// The orthonormal basis that the patterns are.
    pub enum Basis {
        /// Pattern v is the unit vector e_v.
        Canonical = "canonical",
        /// A random orthogonal matrix, uniform in the sense of Haar.
        Haar = "haar",
    }
}

words! {
    /// Where labels come from.
    pub enum Labels {
        /// y = +1 iff the sample contains o₁ (the theory's).
        Class = "class",
        /// y is drawn independently of the tokens: a negative control.
        Independent = "independent",
    }
}
