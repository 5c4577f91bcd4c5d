//! A stored model: signs, routers and neurons in ambient coordinates, and a basis.

use super::table::Radii;
use crate::moe::Model;

/// The numbers of a stored model.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Row v is pattern v, `[d, d]`; empty for the identity.
    pub basis: Vec<f64>,
    /// a_s, `[k]`.
    pub signs: Vec<f64>,
    /// w_s, `[k, d]`.
    pub routers: Vec<f64>,
    /// w_{s,r}, `[k, m, d]`.
    pub neurons: Vec<f64>,
    /// l.
    pub tokens_per_expert: usize,
}

/// Why a stored model is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// Sizes do not fit each other.
    #[error("the sizes do not fit each other: {0}")]
    Shape(String),
    /// A sign is neither +1 nor −1.
    #[error("signs must be 1 or -1, one is {0}")]
    Sign(String),
}

impl Stored {
    /// The model in pattern coordinates, with bounds of how far its numbers lie from the real inner products of the stored
    /// vectors: zero for the identity, where they are the stored numbers themselves. A token is the stored row of the basis,
    /// whether or not the rows are exactly orthonormal.
    ///
    /// # Errors
    /// Sizes that do not fit, signs that are none.
    pub fn model(&self) -> Result<(Model, Radii), StoredError> {
        let experts = self.signs.len();
        let patterns = self.routers.len().checked_div(experts).unwrap_or(0);
        let neurons_per_expert = self.neurons.len().checked_div(self.routers.len()).unwrap_or(0);
        let fits = patterns >= 3
            && neurons_per_expert >= 1
            && self.routers.len() == experts * patterns
            && self.neurons.len() == neurons_per_expert * self.routers.len()
            && (self.basis.is_empty() || self.basis.len() == patterns * patterns)
            && self.tokens_per_expert >= 1;
        if !fits {
            return Err(StoredError::Shape(format!(
                "{experts} signs, {} router, {} neuron and {} basis coordinates, {} tokens an expert",
                self.routers.len(),
                self.neurons.len(),
                self.basis.len(),
                self.tokens_per_expert
            )));
        }
        if let Some(sign) = self.signs.iter().find(|sign| sign.abs() != 1.0) {
            return Err(StoredError::Sign(sign.to_string()));
        }
        let (routers, score) = self.in_patterns(&self.routers, patterns);
        let (neurons, neuron) = self.in_patterns(&self.neurons, patterns);
        let (signs, tokens_per_expert) = (self.signs.clone(), self.tokens_per_expert);
        let model = Model { patterns, neurons_per_expert, tokens_per_expert, signs, routers, neurons };
        Ok((model, Radii { score, neuron }))
    }

    /// Rows of ambient coordinates as inner products with the basis, and the largest rounding error of one.
    fn in_patterns(&self, rows: &[f64], patterns: usize) -> (Vec<f64>, f64) {
        if self.basis.is_empty() || is_identity(&self.basis, patterns) {
            return (rows.to_vec(), 0.0);
        }
        let mut coordinates = Vec::with_capacity(rows.len());
        let mut largest: f64 = 0.0;
        for row in rows.chunks_exact(patterns) {
            for pattern in self.basis.chunks_exact(patterns) {
                let (mut sum, mut size) = (0.0, 0.0);
                for (a, b) in row.iter().zip(pattern) {
                    sum += a * b;
                    size += (a * b).abs();
                }
                coordinates.push(sum);
                largest = largest.max(size);
            }
        }
        // d products and d additions, each rounded once.
        (coordinates, (patterns as f64 + 8.0) * f64::EPSILON * largest)
    }
}

fn is_identity(basis: &[f64], patterns: usize) -> bool {
    let expected = |place: usize| if place / patterns == place % patterns { 1.0 } else { 0.0 };
    basis.iter().enumerate().all(|(place, &value)| value == expected(place))
}
