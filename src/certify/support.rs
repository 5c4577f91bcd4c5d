//! The support of noise-free data: which inputs, with which labels, can occur.

use crate::patterns::Class;
use crate::sim::parameters::{DataParameters, Labels};

/// The inputs of positive probability: n tokens in any order, one of them the pattern of a class, the others irrelevant
/// patterns, with or without replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// n: tokens of a sample.
    pub tokens: usize,
    /// Whether a pattern may stand in a sample more than once.
    pub replacement: bool,
    /// Classes of positive probability.
    pub classes: Vec<Class>,
    /// Whether an input can carry either label, so that no model is without error.
    pub contradictory: bool,
}

impl Support {
    /// The support of this distribution without its token noise.
    pub fn of(data: &DataParameters) -> Self {
        let possible = |class: &Class| match class {
            Class::One => data.class_share > 0.0,
            Class::Two => data.class_share < 1.0,
        };
        let classes: Vec<Class> = Class::BOTH.into_iter().filter(possible).collect();
        let redrawn = data.labels == Labels::Independent || data.label_noise > 0.0;
        Self {
            tokens: data.tokens,
            replacement: data.replacement,
            contradictory: redrawn && classes.len() == 2,
            classes,
        }
    }
}
