//! The vocabulary: d orthonormal patterns in R^d.

use super::StandardNormal;
use super::streams::{Purpose, stream};
use crate::sim::parameters::Basis;
use crate::simd::Level;
use crate::simd::panels::Panels;
use crate::simd::product::product;
use nalgebra::DMatrix;
use rand::distr::Distribution;

/// d orthonormal patterns. Models and batches are kept in pattern coordinates (u_v = ⟨w, v⟩), because the model is
/// rotation-equivariant; the vocabulary turns them into ambient coordinates where an engine or a trace needs these.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    patterns: usize,
    /// `None` for the identity.
    turn: Option<Turn>,
}

/// A basis other than the identity.
#[derive(Clone, Debug)]
struct Turn {
    /// Column v is pattern v, `[d, d]`.
    matrix: DMatrix<f64>,
    /// Row v is pattern v.
    to_ambient: Panels,
    /// Column v is pattern v.
    to_patterns: Panels,
}

impl Vocabulary {
    /// The vocabulary of a run: the identity, or a Haar-random orthogonal matrix from the run's basis stream.
    pub fn new(patterns: usize, basis: Basis, run_seed: u64) -> Self {
        let turn = match basis {
            Basis::Canonical => None,
            Basis::Haar => Some(Turn::new(haar(patterns, run_seed))),
        };
        Self { patterns, turn }
    }

    /// d.
    pub(crate) fn patterns(&self) -> usize {
        self.patterns
    }

    /// The matrix whose column v is pattern v; `None` for the identity.
    pub fn matrix(&self) -> Option<&DMatrix<f64>> {
        self.turn.as_ref().map(|turn| &turn.matrix)
    }

    /// The matrix whose row v is pattern v, for the kernels of [`crate::simd::product`]; `None` for the identity.
    pub(crate) fn panels(&self) -> Option<&Panels> {
        self.turn.as_ref().map(|turn| &turn.to_ambient)
    }

    /// Pattern coordinates → ambient coordinates, column by column: V·C for C of shape `[d, any]`.
    pub fn to_ambient(&self, coordinates: DMatrix<f64>) -> DMatrix<f64> {
        let rows = self.rows_to_ambient(coordinates.as_slice());
        DMatrix::from_column_slice(coordinates.nrows(), coordinates.ncols(), &rows)
    }

    /// Ambient coordinates → pattern coordinates, column by column: Vᵀ·A for A of shape `[d, any]`.
    pub fn to_patterns(&self, ambient: &DMatrix<f64>) -> DMatrix<f64> {
        let rows = self.rows_to_patterns(ambient.as_slice());
        DMatrix::from_column_slice(ambient.nrows(), ambient.ncols(), &rows)
    }

    /// As [`Vocabulary::to_ambient`], row by row, `[any, d]`.
    pub(crate) fn rows_to_ambient(&self, rows: &[f64]) -> Vec<f64> {
        self.turn(rows, |turn| &turn.to_ambient)
    }

    /// As [`Vocabulary::to_patterns`], row by row, `[any, d]`.
    pub(crate) fn rows_to_patterns(&self, rows: &[f64]) -> Vec<f64> {
        self.turn(rows, |turn| &turn.to_patterns)
    }

    fn turn(&self, rows: &[f64], by: impl Fn(&Turn) -> &Panels) -> Vec<f64> {
        match &self.turn {
            None => rows.to_vec(),
            Some(turn) => product(Level::best(), rows, self.patterns, by(turn)),
        }
    }
}

impl Turn {
    fn new(matrix: DMatrix<f64>) -> Self {
        let d = matrix.nrows();
        // The numbers of a DMatrix stand column by column.
        let patterns = matrix.as_slice();
        Self { to_ambient: Panels::from_rows(patterns, d), to_patterns: Panels::from_columns(patterns, d), matrix }
    }
}

/// Q of the QR decomposition of a Gaussian matrix, with the signs of R's diagonal moved into Q, which makes it uniform
/// (Mezzadri 2007, "How to generate random matrices from the classical compact groups").
fn haar(patterns: usize, run_seed: u64) -> DMatrix<f64> {
    let mut generator = stream(run_seed, Purpose::Basis);
    let gaussian = DMatrix::from_fn(patterns, patterns, |_, _| {
        let value: f64 = StandardNormal.sample(&mut generator);
        value
    });
    let (mut q, r) = gaussian.qr().unpack();
    for (column, diagonal) in r.diagonal().iter().enumerate() {
        if *diagonal < 0.0 {
            q.column_mut(column).neg_mut();
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_haar_basis_is_orthonormal() {
        let vocabulary = Vocabulary::new(24, Basis::Haar, 5);
        let matrix = vocabulary.matrix().expect("haar has a matrix");
        let gram = matrix.tr_mul(matrix);
        assert!((gram - DMatrix::identity(24, 24)).amax() < 1e-13);
    }

    #[test]
    fn ambient_coordinates_and_back_are_the_identity() {
        let vocabulary = Vocabulary::new(9, Basis::Haar, 7);
        let coordinates = DMatrix::from_fn(9, 4, |row, column| (row * 7 + column) as f64 / 11.0);
        let back = vocabulary.to_patterns(&vocabulary.to_ambient(coordinates.clone()));
        assert!((back - coordinates).amax() < 1e-13);
    }
}
