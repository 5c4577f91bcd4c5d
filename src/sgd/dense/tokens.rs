//! The tokens of a batch in ambient coordinates, and every router's score of every token.

use crate::patterns::{Batch, Vocabulary};
use crate::simd::panels::{Aligned, LINE, Line, Panels, Rows, grow, zeros};
use crate::simd::product::multiply_rows;
use crate::simd::{Kernel, Lanes};

/// Tokens that are placed and scored at a time, so that they are scored out of the fastest cache.
const CHUNK: usize = 16;

/// The tokens of the last batch and their scores.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    /// x, sample after sample, `[B·n, stride lines]`; what a row has beyond d stays 0.
    pub(super) numbers: Aligned,
    /// ⟨w_s, x⟩, `[B·n, k padded]`.
    pub(super) scores: Aligned,
    /// A chunk of tokens in pattern coordinates, before the basis turns them.
    coordinates: Aligned,
    /// The first line of every token.
    starts: Vec<usize>,
    stride: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { numbers: zeros(0), scores: zeros(0), coordinates: zeros(0), starts: Vec::new(), stride: 0 }
    }
}

impl Tokens {
    /// Makes room for a batch: rows of `stride` lines, scores of `width` places for experts.
    pub(super) fn resize(&mut self, batch: &Batch, stride: usize, width: usize) {
        let count = batch.tokens.len();
        self.stride = stride;
        grow(&mut self.numbers, count * stride * LINE);
        grow(&mut self.scores, count * width);
        grow(&mut self.coordinates, CHUNK * stride * LINE);
        if self.starts.len() < count {
            self.starts = (0..count).map(|token| token * stride).collect();
        }
    }
}

/// Writes the tokens, pattern + noise turned by the basis, and scores them.
pub(super) struct Place<'a> {
    pub(super) tokens: &'a mut Tokens,
    pub(super) vocabulary: &'a Vocabulary,
    /// `[d, k]`.
    pub(super) routers: &'a Panels,
    pub(super) batch: &'a Batch,
}

impl Kernel for Place<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { tokens: Tokens { numbers, scores, coordinates, starts, stride }, vocabulary, routers, batch } = self;
        let (d, lines, row) = (vocabulary.patterns(), routers.rows() / LINE, *stride * LINE);
        for (chunk, patterns) in batch.tokens.chunks(CHUNK).enumerate() {
            let first = chunk * CHUNK;
            let own = &starts[..patterns.len()];
            let tokens = &mut numbers[first * row..][..patterns.len() * row];
            let place = if vocabulary.panels().is_some() { &mut coordinates[..tokens.len()] } else { &mut *tokens };
            for (token, (numbers, &pattern)) in place.chunks_exact_mut(row).zip(patterns).enumerate() {
                if batch.noise.is_empty() {
                    numbers.fill(0.0);
                } else {
                    numbers[..d].copy_from_slice(&batch.noise[(first + token) * d..][..d]);
                }
                numbers[pattern as usize] += 1.0;
            }
            if let Some(panels) = vocabulary.panels() {
                let rows = Rows { numbers: as_lines(coordinates), starts: own, lines };
                multiply_rows(simd, rows, panels, tokens, row);
            }
            let rows = Rows { numbers: as_lines(tokens), starts: own, lines };
            let width = routers.width();
            multiply_rows(simd, rows, routers, &mut scores[first * width..], width);
        }
    }
}

/// Numbers as cache lines.
#[inline(always)]
pub(super) fn as_lines(numbers: &[f64]) -> &[Line] {
    numbers.as_chunks().0
}
