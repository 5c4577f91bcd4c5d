//! `[data]`: the distribution of samples.

use super::domain::{flag, images, integer, real, word};
use super::section::{CONTROL, DATA, OPTION, PICTURES, WORLD, section};
use crate::sim::words::{Word, words};

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
        /// Size of the inner products of different patterns; 0: they are orthonormal.
        coherence: f64 = "0.0", real(0.0, 0.999), "ε", PICTURES, unseeded;
        /// The signs of these inner products.
        gram: GramSigns = "common", word(), "", PICTURES, unseeded;
        /// Irrelevant patterns that are faded relatives of each class's pattern, if likeness is not 0.
        relatives: usize = "1", integer(1, 32_768), "", PICTURES, unseeded;
        /// Inner product of a class's pattern with each of its faded relatives.
        likeness: f64 = "0.0", real(0.0, 0.999), "δ", PICTURES, unseeded;
        /// The pictures that patches are cut from in the place of patterns.
        images: Images = "none", images(), "", PICTURES, unseeded;
        /// Weight of a picture's patch in its token, beside √(1 − τ²) of its class's unit vector; 1: the patch alone.
        rawness: f64 = "1.0", real(0.0, 1.0), "τ", PICTURES, unseeded;
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
            coherence: 0.0,
            gram: GramSigns::Common,
            relatives: 1,
            likeness: 0.0,
            images: Images::default(),
            rawness: 1.0,
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

    /// Whether every token is the unit vector of its pattern, with nothing added and nothing in its place.
    pub(crate) fn tokens_are_patterns(&self) -> bool {
        self.noise == 0.0 && self.patterns_are_orthonormal()
    }

    /// Whether the patterns are orthonormal; tokens may be noisy.
    pub(crate) fn patterns_are_orthonormal(&self) -> bool {
        self.coherence == 0.0 && self.likeness == 0.0 && !self.images.are_some()
    }
}

words! {
    /// The signs of the inner products of different patterns.
    pub enum GramSigns {
        /// All are ε: patterns share a direction.
        Common = "common",
        /// Each pair's is ε or −ε, at random.
        Random = "random",
    }
}

words! {
    /// Pictures that are part of the program.
    pub enum Shipped {
        /// None: tokens are patterns.
        None = "none",
        /// Handwritten digits, 8 × 8.
        Digits = "digits",
        /// Articles of clothing, 14 × 14.
        Fashion = "fashion",
        /// Eight textures, 128 × 128, of which each patch counts as a picture.
        Textures = "textures",
    }
}

/// Pictures: the program's, or CIFAR's of a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Images {
    /// Part of the program.
    Shipped(Shipped),
    /// CIFAR-10 or CIFAR-100 in its binary version: a batch, or the folder of all.
    Cifar(String),
}

impl Images {
    /// What a key's text stands for.
    pub(crate) fn of_text(text: &str) -> Self {
        Shipped::of_name(text).map_or_else(|| Images::Cifar(text.to_owned()), Images::Shipped)
    }

    /// The key's text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Images::Shipped(shipped) => shipped.name(),
            Images::Cifar(path) => path,
        }
    }

    /// Whether there are pictures at all.
    pub(crate) fn are_some(&self) -> bool {
        *self != Images::default()
    }
}

impl Default for Images {
    /// None.
    fn default() -> Self {
        Images::Shipped(Shipped::None)
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
