//! A dictionary: d unit vectors that are not orthonormal, given by their Gram matrix.
//!
//! Everything that a mixture of experts does with tokens is made of inner products of tokens, and of weights that tokens have
//! moved. So a world depends on its patterns through their Gram matrix alone, and any vectors with that matrix will do: here
//! the rows of its Cholesky factor.

use super::streams::{Purpose, stream};
use crate::sim::parameters::{DataParameters, GramSigns};
use nalgebra::DMatrix;
use rand::RngExt;

/// The largest ε·√d at which inner products of random signs leave the Gram matrix positive definite: the smallest
/// eigenvalue of such signs is near −2√d.
const MOST_RANDOM: f64 = 0.45;

/// d linearly independent unit vectors o_v.
#[derive(Clone, Debug)]
pub struct Dictionary {
    /// Row v is o_v: the lower triangular factor L of the Gram matrix L Lᵀ.
    rows: DMatrix<f64>,
}

/// The largest coherence ε of d patterns.
pub(crate) fn most_coherence(gram: GramSigns, patterns: usize) -> f64 {
    match gram {
        GramSigns::Common => 1.0,
        GramSigns::Random => MOST_RANDOM / (patterns as f64).sqrt(),
    }
}

impl Dictionary {
    /// The dictionary of a run: inner products ±ε, and each class's pattern with inner product δ with its faded relatives,
    /// the first irrelevant patterns in turn. `None` if patterns are orthonormal, or if their Gram
    /// matrix is not positive definite, which the checks of a simulation rule out.
    pub fn new(data: &DataParameters, run_seed: u64) -> Option<Self> {
        if data.coherence == 0.0 && data.likeness == 0.0 {
            return None;
        }
        let cholesky = gram(data, run_seed).cholesky()?;
        Some(Self { rows: cholesky.unpack() })
    }

    /// o_v less the unit vector of pattern v, coordinate by coordinate.
    pub(super) fn deviation(&self, pattern: usize) -> impl Iterator<Item = f64> {
        let row = self.rows.row(pattern).into_iter().copied().enumerate();
        row.map(move |(coordinate, value)| if coordinate == pattern { value - 1.0 } else { value })
    }

    /// Weights whose scores of the patterns are `scores`: the w with ⟨w, o_v⟩ = u_v, row by row, `[any, d]`.
    pub(crate) fn weights_with_scores(&self, scores: &[f64]) -> Vec<f64> {
        let d = self.rows.nrows();
        let mut weights = DMatrix::from_column_slice(d, scores.len() / d, scores);
        // A triangular factor of a positive definite matrix has no 0 on its diagonal.
        self.rows.solve_lower_triangular_mut(&mut weights);
        weights.as_slice().to_vec()
    }

    /// The inner products of all pairs.
    pub fn gram(&self) -> DMatrix<f64> {
        &self.rows * self.rows.transpose()
    }
}

/// The Gram matrix.
fn gram(data: &DataParameters, run_seed: u64) -> DMatrix<f64> {
    let d = data.patterns;
    let mut generator = stream(run_seed, Purpose::Dictionary);
    let mut gram = DMatrix::identity(d, d);
    for row in 0..d {
        for column in 0..row {
            let is_negative = data.gram == GramSigns::Random && generator.random_bool(0.5);
            gram[(row, column)] = if is_negative { -data.coherence } else { data.coherence };
            gram[(column, row)] = gram[(row, column)];
        }
    }
    if data.likeness == 0.0 {
        return gram;
    }
    // Relative q becomes the unit vector along δ o + √(1 − δ²) q.
    let (own, rest) = (data.likeness, (1.0 - data.likeness * data.likeness).sqrt());
    let mut mixture = DMatrix::identity(d, d);
    for place in 0..2 * data.relatives {
        let (relative, class) = (2 + place, place % 2);
        mixture[(relative, relative)] = rest;
        mixture[(relative, class)] = own;
    }
    let mut related = &mixture * gram * mixture.transpose();
    let lengths: Vec<f64> = related.diagonal().iter().map(|square| square.sqrt()).collect();
    for ((row, column), value) in (0..d * d).map(|place| (place % d, place / d)).zip(related.iter_mut()) {
        *value = if row == column { 1.0 } else { *value / (lengths[row] * lengths[column]) };
    }
    related
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_dictionary_has_the_inner_products_asked_for_and_weights_the_scores(
            patterns in 6usize..40,
            share in 0.01f64..0.99,
            is_random in any::<bool>(),
            likeness in prop_oneof![Just(0.0), 0.0f64..0.99],
            seed in any::<u64>(),
        ) {
            let gram = if is_random { GramSigns::Random } else { GramSigns::Common };
            let coherence = share * most_coherence(gram, patterns);
            let data = DataParameters { patterns, coherence, gram, likeness, relatives: 2, ..DataParameters::default() };
            let dictionary = Dictionary::new(&data, seed).expect("positive definite");
            let products = dictionary.gram();
            for (row, column) in (0..patterns).flat_map(|row| (0..row).map(move |column| (row, column))) {
                prop_assert!((products[(row, row)] - 1.0).abs() < 1e-12);
                let is_plain = likeness == 0.0 || row >= 6;
                if is_plain && (!(2..6).contains(&column) || likeness == 0.0) {
                    prop_assert!((products[(row, column)].abs() - coherence).abs() < 1e-12);
                }
            }
            let scores: Vec<f64> = (0..2 * patterns).map(|place| (place as f64).sin()).collect();
            let weights = dictionary.weights_with_scores(&scores);
            for (row, scores) in weights.chunks_exact(patterns).zip(scores.chunks_exact(patterns)) {
                for (pattern, score) in scores.iter().enumerate() {
                    let vector = dictionary.deviation(pattern).zip(row).map(|(deviation, weight)| deviation * weight);
                    let found = row[pattern] + vector.sum::<f64>();
                    prop_assert!((found - score).abs() < 1e-8 * (1.0 + weights.iter().fold(0.0, |a: f64, b| a.max(b.abs()))));
                }
            }
        }
    }

    #[test]
    fn a_faded_relative_has_its_likeness_with_its_own_class_alone() {
        let data = DataParameters { patterns: 12, likeness: 0.6, relatives: 2, ..DataParameters::default() };
        let gram = Dictionary::new(&data, 0).expect("positive definite").gram();
        for place in 0..4 {
            assert!((gram[(2 + place, place % 2)] - 0.6).abs() < 1e-12);
            assert!(gram[(2 + place, 1 - place % 2)].abs() < 1e-12);
        }
        assert!((gram[(2, 4)] - 0.36).abs() < 1e-12 && gram[(2, 6)].abs() < 1e-12);
    }
}
